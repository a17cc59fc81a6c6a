//! The process that goes on with this one: the same command, started by this one with `--takeover`.
//!
//! A service manager knows its service by a process. One that is started elsewhere does not belong to the service; a
//! child of the present process does, and the present process may say that it is the main one from now on.

use std::ffi::OsString;
use std::io;
use std::process::ExitStatus;
use tokio::process::{Child, Command};

/// The argument that has a process take over.
const TAKEOVER: &str = "--takeover";

/// A process that was started to go on with this one.
#[derive(Debug, Default)]
pub(super) struct Successor(Option<Child>);

impl Successor {
    /// Starts it. It does not replace one that is under way already.
    ///
    /// # Errors
    /// When the program cannot be started.
    #[cfg_attr(not(unix), allow(dead_code, reason = "a signal of Unix asks for it"))]
    pub(super) fn start(&mut self) -> io::Result<()> {
        if self.0.is_some() {
            tracing::warn!("a process that takes over is under way already");
            return Ok(());
        }
        let mut args = std::env::args_os();
        // Not the file that this process was made from: that may have been replaced.
        let program = args.next().ok_or(io::ErrorKind::NotFound)?;
        let child = Command::new(program)
            .args(with_takeover(args.collect()))
            // It names this process, and the patience of the watchdog is for the one that goes on.
            .env_remove("WATCHDOG_PID")
            .spawn()?;
        tracing::info!(
            pid = child.id(),
            "a new process is started, which takes over"
        );
        self.0 = Some(child);
        Ok(())
    }

    /// Waits until it ends, which it should not; for ever when there is none.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        match &mut self.0 {
            Some(child) => {
                let status = child.wait().await;
                self.0 = None;
                status
            }
            None => std::future::pending().await,
        }
    }
}

/// The arguments of a process, with the wish to take over.
fn with_takeover(mut args: Vec<OsString>) -> Vec<OsString> {
    if args.iter().all(|arg| arg != TAKEOVER) {
        let end = args.iter().position(|arg| arg == "--");
        args.insert(end.unwrap_or(args.len()), TAKEOVER.into());
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_command_is_run_with_the_wish_to_take_over_once() {
        for (before, after) in [
            (&["run", "c.toml"][..], &["run", "c.toml", TAKEOVER][..]),
            (&["run", TAKEOVER, "c.toml"], &["run", TAKEOVER, "c.toml"]),
            (
                &["run", "--", "-c.toml"],
                &["run", TAKEOVER, "--", "-c.toml"],
            ),
        ] {
            let before = before.iter().map(OsString::from).collect();
            assert_eq!(with_takeover(before), after);
        }
    }
}
