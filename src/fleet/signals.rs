//! The signals a running process listens to.

use std::io;
use std::time::Duration;
#[cfg(unix)]
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// Signals this close together are one.
const ECHO: Duration = Duration::from_millis(300);

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C, SIGTERM, SIGQUIT, or SIGHUP from a terminal that is gone.
    Stop,
    /// SIGHUP otherwise: read the config anew.
    #[cfg(unix)]
    Reload,
    /// SIGUSR1: report memory.
    #[cfg(unix)]
    Report,
    /// SIGUSR2: go on in a new process.
    #[cfg(unix)]
    Upgrade,
}

/// Listens from the moment it is made, so that no signal gets lost.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    stop: [Option<Stream>; 3],
    #[cfg(unix)]
    hangup: Option<Stream>,
    /// The process was started from a terminal.
    #[cfg(unix)]
    had_terminal: bool,
    #[cfg(unix)]
    report: Stream,
    #[cfg(unix)]
    upgrade: Stream,
    #[cfg(windows)]
    stop: (
        tokio::signal::windows::CtrlC,
        tokio::signal::windows::CtrlClose,
    ),
}

#[cfg(unix)]
impl Signals {
    /// Starts listening.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            stop: [
                Some(signal(SignalKind::interrupt())?),
                Some(signal(SignalKind::terminate())?),
                // Ctrl-\: no reason to leave logins behind.
                unless_ignored(SignalKind::quit())?,
            ],
            hangup: unless_ignored(SignalKind::hangup())?,
            had_terminal: has_terminal(),
            report: signal(SignalKind::user_defined1())?,
            upgrade: signal(SignalKind::user_defined2())?,
        })
    }

    /// The next signal.
    pub(crate) async fn next(&mut self) -> Signal {
        let [interrupt, terminate, quit] = &mut self.stop;
        tokio::select! {
            () = one(interrupt) => Signal::Stop,
            () = one(terminate) => Signal::Stop,
            // A terminal that is closed says it too: no reason to leave logins behind.
            () = one(&mut self.hangup) => match self.had_terminal && !has_terminal() {
                true => Signal::Stop,
                false => Signal::Reload,
            },
            () = one(quit) => Signal::Stop,
            _ = self.report.recv() => Signal::Report,
            _ = self.upgrade.recv() => Signal::Upgrade,
        }
    }
}

/// Whether the process has a terminal. One that was closed can no longer be opened.
#[cfg(unix)]
fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// The next of one kind; never, when it is not listened to.
#[cfg(unix)]
async fn one(stream: &mut Option<Stream>) {
    match stream {
        Some(stream) => {
            stream.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whoever started this with `nohup` wants it to outlive the terminal.
#[cfg(unix)]
fn unless_ignored(kind: SignalKind) -> io::Result<Option<Stream>> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if is_ignored(&status, kind.as_raw_value()) {
        Ok(None)
    } else {
        signal(kind).map(Some)
    }
}

/// Whether a signal is ignored, by what Linux tells of a process; elsewhere nothing is known.
#[cfg(unix)]
fn is_ignored(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let bit = u32::try_from(signal - 1)
        .ok()
        .and_then(|bit| 1u64.checked_shl(bit));
    mask.zip(bit).is_some_and(|(mask, bit)| mask & bit != 0)
}

#[cfg(windows)]
impl Signals {
    /// Starts listening.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_c, ctrl_close};
        Ok(Self {
            stop: (ctrl_c()?, ctrl_close()?),
        })
    }

    /// The next signal.
    pub(crate) async fn next(&mut self) -> Signal {
        let (ctrl_c, close) = &mut self.stop;
        tokio::select! {
            _ = ctrl_c.recv() => Signal::Stop,
            _ = close.recv() => Signal::Stop,
        }
    }
}

impl Signals {
    /// A second wish to stop, after a first one. What comes within a moment of the first is
    /// the same wish: some wrappers pass a signal on that the terminal sent to both.
    pub(crate) async fn again(&mut self) {
        let echo = async {
            loop {
                self.next().await;
            }
        };
        // Always runs out.
        let _: Result<(), _> = tokio::time::timeout(ECHO, echo).await;
        self.stop().await;
    }

    /// The next wish to stop.
    pub(crate) async fn stop(&mut self) {
        while self.next().await != Signal::Stop {}
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_was_ignored_from_the_start_stays_so() {
        let status = "Name:\tx\nSigIgn:\t0000000000001005\nSigCgt:\t0000000000000002\n";
        assert!(is_ignored(status, 1), "hangup, as with nohup");
        assert!(is_ignored(status, 3));
        assert!(!is_ignored(status, 2));
        assert!(!is_ignored("", 1) && !is_ignored("SigIgn: x", 1));
    }
}
