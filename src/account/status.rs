//! What is known about an account, for people and programs.

use super::cause::Cause;
use crate::proto::id::UserId;
use std::time::Duration;

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Waiting for its turn to connect, or for a back-off to pass.
    Waiting,
    /// Opening a link.
    Connecting,
    /// Logging in or resuming.
    LoggingIn,
    /// SDK_READY: the server said so, and has answered within a heartbeat since.
    Online,
    /// Staying away on purpose for a while.
    CoolingDown,
    /// Staying away until told otherwise.
    Held,
    /// Staying away until somebody mends something.
    Quarantined,
    /// Logging out.
    Stopping,
    /// Logged out for good.
    Stopped,
}

impl Phase {
    /// A word for tables and logs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Connecting => "connecting",
            Self::LoggingIn => "logging in",
            Self::Online => "online",
            Self::CoolingDown => "cooling down",
            Self::Held => "held",
            Self::Quarantined => "quarantined",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

/// Counts of what happened to an account since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Full logins that succeeded.
    pub logins: u64,
    /// Resumes that succeeded.
    pub resumes: u64,
    /// Links lost while online.
    pub lost_links: u64,
    /// Kicks of every type.
    pub kicks: u64,
    /// Messages received, each once.
    pub received: u64,
    /// Messages sent.
    pub sent: u64,
    /// Messages that could not be sent.
    pub unsent: u64,
    /// Received messages that found every queue full and were dropped.
    pub dropped: u64,
    /// Packets and events that were not understood.
    pub ignored: u64,
}

/// A snapshot of an account.
#[derive(Clone, Debug)]
pub struct Status {
    /// The account.
    pub user: UserId,
    /// Where it stands.
    pub phase: Phase,
    /// Since when, Unix time.
    pub since: Duration,
    /// Why it is not online; the last reason when it is.
    pub cause: Cause,
    /// When it acts next by itself, Unix time; `None` when it does not.
    pub next: Option<Duration>,
    /// The last login was a resume.
    pub resumed: bool,
    /// What happened so far.
    pub counters: Counters,
}
