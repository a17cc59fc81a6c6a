//! Violations of invariants, and the counts of a run.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A violation of an invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The time since the start of the simulation.
    pub at: Duration,
    /// The account number; `None` for the whole fleet.
    pub account: Option<usize>,
    /// A description.
    pub what: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} ", self.at)?;
        match self.account {
            Some(account) => write!(f, "account {account}: {}", self.what),
            None => write!(f, "fleet: {}", self.what),
        }
    }
}

/// The results of a run.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Simulated time.
    pub elapsed: Duration,
    /// The number of simulated events.
    pub events: u64,
    /// The online time, summed over all accounts.
    pub online: Duration,
    /// The longest offline period of an account.
    pub longest_silence: Duration,
    /// The number of logins and resumes sent.
    pub logins: u64,
    /// The maximum number of logins sent within one second. It may exceed the governor's rate,
    /// because network latencies differ.
    pub worst_login_rate: usize,
    /// The maximum number of turns that the governor of one copy granted within one second.
    pub worst_turn_rate: usize,
    /// The largest recovery after a server outage.
    pub comeback: Option<super::Comeback>,
    /// The number of kicks per cause.
    pub offline_by_cause: BTreeMap<String, u64>,
    /// The number of messages sent to accounts. A group message counts once for each account in the
    /// group.
    pub said: u64,
    /// The number of messages delivered to a bot.
    pub handed: u64,
    /// The number of messages that a bot has handled.
    pub handled: u64,
    /// The number of handled messages that the next process of a copy delivered again, because the
    /// previous process could not report them as read.
    pub handled_again: u64,
    /// The number of process restarts.
    pub restarts: u64,
    /// The number of messages that another copy delivered again. The [module](super) lists the
    /// valid cases.
    pub handed_again: u64,
    /// The number of these messages that had been reported as read.
    pub handed_again_though_read: u64,
    /// The number of replies sent.
    pub replied: u64,
    /// The number of replies that could not be sent.
    pub unreplied: u64,
    /// The number of messages that the next process did not deliver again, because the store knew them as handled.
    pub known: u64,
    /// With [`exactly_once`](super::Options::exactly_once), the number of replies that took effect, as the other
    /// side sees it.
    pub answered: u64,
    /// The number of replies that took effect more than once. Each is a violation.
    pub doubled: u64,
    /// The number of messages without a reply at the end. Each is a violation.
    pub lost: u64,
    /// The number of replies of which it is unknown whether they arrived.
    pub unknown: u64,
    /// The number of replies that the server refused for good.
    pub refused: u64,
    /// The number of mishaps at a step of a reply, see [`mishaps`](super::Options::mishaps).
    pub mishaps: u64,
    /// What happened to the disks.
    pub store: super::StoreCounts,
    /// The fraction of time in which exactly one copy of an account was online, for the account
    /// with the lowest value.
    pub one_copy_online: f64,
    /// The maximum number of kicks of an account within an hour, over all its copies.
    pub worst_kicks_per_hour: usize,
    /// The first hundred violations.
    pub violations: Vec<Violation>,
    /// The hash of the event log. Runs with the same seed have the same hash.
    pub hash: u64,
}

/// A sliding window over events.
#[derive(Debug)]
pub(super) struct Window {
    length: Duration,
    times: VecDeque<Duration>,
}

impl Default for Window {
    /// Creates a window of one second.
    fn default() -> Self {
        Self::of(Duration::from_secs(1))
    }
}

impl Window {
    pub(super) const fn of(length: Duration) -> Self {
        let times = VecDeque::new();
        Self { length, times }
    }

    /// Counts an event at `at`. Returns the number of events in the window that ends there.
    pub(super) fn add(&mut self, at: Duration) -> usize {
        while self
            .times
            .front()
            .is_some_and(|first| at.saturating_sub(*first) >= self.length)
        {
            self.times.pop_front();
        }
        self.times.push_back(at);
        self.times.len()
    }
}

/// An FNV-1a hash of 64 bits, which is the same on every machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogHash(u64);

impl Default for LogHash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl LogHash {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(super) const fn value(self) -> u64 {
        self.0
    }
}

/// The state that the copies of one account share.
#[derive(Debug, Clone, Default)]
pub(super) struct Share {
    online: usize,
    since: Duration,
    one: Duration,
    kicks: VecDeque<Duration>,
    pub(super) worst_kicks: usize,
}

impl Share {
    pub(super) fn changed(&mut self, at: Duration, online: bool) {
        self.one = self.exactly_one(at);
        self.since = at;
        self.online = if online {
            self.online + 1
        } else {
            self.online.saturating_sub(1)
        };
    }

    pub(super) fn exactly_one(&self, at: Duration) -> Duration {
        if self.online == 1 {
            self.one + (at - self.since)
        } else {
            self.one
        }
    }

    pub(super) fn kicked(&mut self, at: Duration) {
        let hour = Duration::from_secs(3600);
        while self
            .kicks
            .front()
            .is_some_and(|first| at.saturating_sub(*first) >= hour)
        {
            self.kicks.pop_front();
        }
        self.kicks.push_back(at);
        self.worst_kicks = self.worst_kicks.max(self.kicks.len());
    }
}
