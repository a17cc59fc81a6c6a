//! The signals a running process listens to.

use std::io;
use std::time::Duration;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// Signals this close together are one.
const ECHO: Duration = Duration::from_millis(300);

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// Ctrl-C or SIGTERM.
    Stop,
    /// SIGUSR1: report memory.
    Report,
}

/// Listens from the moment it is made, so that no signal gets lost.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: Stream,
    terminate: Stream,
    report: Stream,
}

impl Signals {
    /// Starts listening.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            report: signal(SignalKind::user_defined1())?,
        })
    }

    /// The next signal.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.report.recv() => Signal::Report,
        }
    }

    /// A second Ctrl-C or SIGTERM, after a first one. What comes within a moment of the first is
    /// the same wish: some wrappers pass a signal on that the terminal sent to both.
    pub(super) async fn again(&mut self) {
        let echo = async {
            loop {
                self.next().await;
            }
        };
        // Always runs out.
        let _: Result<(), _> = tokio::time::timeout(ECHO, echo).await;
        self.stop().await;
    }

    /// The next Ctrl-C or SIGTERM.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Signal::Stop {}
    }
}
