//! The signals a running process listens to.

use std::io;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

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

    /// The next Ctrl-C or SIGTERM.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Signal::Stop {}
    }
}
