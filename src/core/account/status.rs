//! What is known about an account, for people and programs.

use super::cause::Cause;
use super::name::AccountName;
use std::sync::Arc;
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
    /// Online, and replacing its login by one with a new UserSig.
    Renewing,
    /// Staying away on purpose for a while.
    CoolingDown,
    /// Staying away for long: somebody else keeps taking its place.
    Contested,
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
    /// Logged in, or replacing the login without going offline.
    #[must_use]
    pub const fn is_online(self) -> bool {
        matches!(self, Self::Online | Self::Renewing)
    }

    /// A word for tables and logs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Connecting => "connecting",
            Self::LoggingIn => "logging in",
            Self::Online => "online",
            Self::Renewing => "renewing",
            Self::CoolingDown => "cooling down",
            Self::Contested => "contested",
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
    /// Kicks `multipleAccount`.
    pub kicked_by_account: u64,
    /// Kicks `multipleDevice`.
    pub kicked_by_device: u64,
    /// Kicks `REST_API_Kick`.
    pub kicked_by_rest: u64,
    /// Logins that were found expired (`userSigExpired`).
    pub expired: u64,
    /// Logins that were replaced ahead of their expiry.
    pub renewals: u64,
    /// Messages received, each once, those among them that wait in the store.
    pub received: u64,
    /// Messages sent.
    pub sent: u64,
    /// Messages that could not be sent.
    pub unsent: u64,
    /// Messages that were sent, and of which it cannot be found out whether they arrived.
    pub unknown: u64,
    /// Messages and requests that waited for a rate limit of the service.
    pub paced: u64,
    /// Received messages and updates that no bot will handle: those that the server does not keep and that found no
    /// room, neither with the bots nor in the store, and messages left to the history of a group.
    pub dropped: u64,
    /// Packets and events that were not understood.
    pub ignored: u64,
    /// Handlers of bots that returned an error, panicked or exceeded their time limit.
    pub failed_handlers: u64,
}

impl Counters {
    /// Kicks of every type, expiry not among them.
    #[must_use]
    pub const fn kicks(&self) -> u64 {
        self.kicked_by_account + self.kicked_by_device + self.kicked_by_rest
    }
}

/// One entry of the flight recorder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When, Unix time.
    pub at: Duration,
    /// The connection it is about, counted from 1.
    pub connection: u64,
    /// Failures in a row before it.
    pub failures: u32,
    /// What happened.
    pub event: RecordedEvent,
}

/// What the flight recorder keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordedEvent {
    /// Logged in, or resumed (`true`).
    Online(bool),
    /// The end of a connection, or of a try to get one; and what was decided.
    Ended {
        /// Why.
        cause: Cause,
        /// What the account does about it.
        then: Phase,
        /// Where it was, or tried to be, connected to.
        host: Arc<str>,
    },
}

/// A snapshot of an account.
#[derive(Clone, Debug)]
pub struct Status {
    /// The account.
    pub account: AccountName,
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
    /// When the UserSig of the present login ends, Unix seconds, where that is known.
    pub user_sig_ends: Option<u64>,
    /// Server clock minus local clock in milliseconds, as of the last login.
    pub clock_offset: i64,
    /// What the account waits for, when that is neither time nor the server.
    pub waits_for: Option<String>,
    /// Parts that the account does not hear although it is online, each with its reason.
    pub degraded: Vec<String>,
    /// Messages that are with the bots: waiting, or being handled.
    pub open: usize,
    /// The last things that happened, oldest first.
    pub records: Vec<Record>,
}

/// How the source of an account's UserSigs is doing, as far as its status tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Nothing is wrong.
    Fine,
    /// It is being asked.
    Asked,
    /// It gave none, for this reason.
    Fails(String),
}

/// What an account waits for that has asked a source; the name of the source follows. No error begins like this.
pub(super) const ASKED: &str = "a UserSig";

impl Status {
    /// How the source of its UserSigs is doing. An account that is online goes on while its source fails, until its
    /// login ends.
    #[must_use]
    pub fn source(&self) -> SourceState {
        match (&self.cause, &self.waits_for) {
            (_, Some(what)) if what.starts_with(ASKED) => SourceState::Asked,
            (_, Some(reason)) if self.phase.is_online() => SourceState::Fails(reason.clone()),
            (Cause::NoUserSig(error), _) if !self.phase.is_online() => {
                SourceState::Fails(error.to_string())
            }
            _ => SourceState::Fine,
        }
    }

    /// Of an account that has not started.
    #[must_use]
    pub fn new(account: impl Into<AccountName>, since: Duration) -> Self {
        Self {
            account: account.into(),
            phase: Phase::Waiting,
            since,
            cause: Cause::NotStarted,
            next: None,
            resumed: false,
            counters: Counters::default(),
            user_sig_ends: None,
            clock_offset: 0,
            waits_for: None,
            degraded: Vec::new(),
            open: 0,
            records: Vec::new(),
        }
    }
}
