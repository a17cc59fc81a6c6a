//! State shared by the services: accounts, logins, links, numbers, and the delivery of answers and
//! pushes. This module does not depend on any service.
//!
//! See "Envelope" in docs/src/protocol.md.

mod account;
mod accounts;
mod caller;
mod fault;
mod link;
mod login;
mod numbers;
mod outgoing;
mod scripted;
mod status;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

pub use crate::wire::ConnId;
pub(crate) use account::{Account, Peer};
pub(crate) use accounts::{Accounts, Hashed};
pub(crate) use caller::Caller;
pub(crate) use fault::MAX_SKIP;
pub use fault::{Fault, FaultError};
pub use link::{Frames, Output};
pub(crate) use link::{Link, clipped};
pub use login::KickType;
pub(crate) use login::{Login, PURCHASE_BITS};
pub(crate) use numbers::Numbers;
pub use status::{Counters, Status};

use crate::{
    config::SandboxConfig,
    wire::{self, CompressMode},
};

/// Interval of the checks for idle links and held pushes.
pub(crate) const CHECK_EVERY: Duration = Duration::from_secs(1);

/// State shared by the services.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: SandboxConfig,
    pub(crate) numbers: Numbers,
    pub(crate) accounts: Accounts,
    pub(crate) logins: Hashed<String, Login>,
    pub(crate) links: Hashed<ConnId, Link>,
    /// Links closed since the last `take_gone`, for services that keep data per link.
    gone: Vec<ConnId>,
    pub(crate) faults: fault::Faults,
    compress: CompressMode,
    pub(crate) ready: VecDeque<Output>,
    pub(crate) delayed: BTreeMap<(Duration, u64), Output>,
    delayed_count: u64,
    /// The request that is being handled.
    pub(crate) answering: Option<(ConnId, wire::Seq)>,
    /// Frames for the link of the current request; they are sent after its answer.
    behind: Vec<outgoing::Packet>,
    pub(crate) sessions: u64,
    pub(crate) next_instance: u64,
    pub(crate) next_message: u64,
    pub(crate) next_check: Option<Duration>,
    unknown_commands: BTreeSet<String>,
    pub(crate) counters: Counters,
    /// How many seconds the clock is ahead of that of its owner.
    pub(crate) skipped: u64,
    /// Number of changes to stored data.
    changes: u64,
}

impl World {
    /// An empty world. All drawn numbers derive from `key`.
    pub(crate) fn new(config: SandboxConfig, key: [u8; 32]) -> Self {
        Self {
            config,
            numbers: Numbers::new(key),
            accounts: Accounts::default(),
            logins: Hashed::default(),
            links: Hashed::default(),
            gone: Vec::new(),
            faults: BTreeMap::new(),
            compress: CompressMode::None,
            ready: VecDeque::new(),
            delayed: BTreeMap::new(),
            delayed_count: 0,
            answering: None,
            behind: Vec::new(),
            sessions: 0,
            next_instance: 200_000_001,
            next_message: 1,
            next_check: None,
            unknown_commands: BTreeSet::new(),
            counters: Counters::default(),
            skipped: 0,
            changes: 0,
        }
    }

    /// Returns the links closed since the last call.
    pub(crate) fn take_gone(&mut self) -> Vec<ConnId> {
        std::mem::take(&mut self.gone)
    }

    /// Records that stored data may have changed.
    pub(crate) fn note_change(&mut self) {
        self.changes = self.changes.wrapping_add(1);
    }

    /// Number of changes to stored data.
    pub(crate) const fn changes(&self) -> u64 {
        self.changes
    }
}
