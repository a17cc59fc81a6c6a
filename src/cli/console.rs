//! `botroupe console`: a link into the console of a running process.

use super::args::ConsoleArgs;
use super::control;
use super::exit::Failure;
use std::io::Write;
use std::process::{Command, Stdio};

/// Prints the link, and opens it when that is wanted.
///
/// # Errors
/// When no process answers, or it has no console.
pub(super) fn console(args: &ConsoleArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let link = control::console_link(&args.config)?;
    writeln!(out, "{}", link.url).map_err(Failure::Output)?;
    if args.open {
        open(&link.url);
    }
    Ok(())
}

/// Where there is no such program the link is on the terminal all the same.
fn open(url: &str) {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let mut command = Command::new(opener);
    let command = command
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Err(error) = command.spawn() {
        tracing::warn!(%error, "{opener} cannot be started; open the link yourself");
    }
}
