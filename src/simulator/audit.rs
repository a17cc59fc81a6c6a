//! Violations and counts: what a run is judged by.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Something happened that must never happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When, since the start of the simulation.
    pub at: Duration,
    /// Which account, by number; `None` for the fleet as a whole.
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
    /// Events played.
    pub events: u64,
    /// Sum over all accounts of the time they were online.
    pub online: Duration,
    /// The longest an account was offline in one piece.
    pub longest_silence: Duration,
    /// Logins and resumes sent.
    pub logins: u64,
    /// Most logins sent within one second. Network latencies differ, so this may exceed the governor's rate.
    pub worst_login_rate: usize,
    /// Most turns granted within one second by the governor of one copy.
    pub worst_turn_rate: usize,
    /// The largest comeback after the server was away.
    pub comeback: Option<super::Comeback>,
    /// Kicks by cause word.
    pub offline_by_cause: BTreeMap<String, u64>,
    /// Messages sent to accounts; a group message counts for each account in the group.
    pub said: u64,
    /// Messages that were handed to a bot.
    pub handed: u64,
    /// Messages that a bot has handled.
    pub handled: u64,
    /// Messages handed again by the next process of a copy although a bot had finished them, because the process
    /// before could not report them as read.
    pub handled_again: u64,
    /// Processes that ended and were started again.
    pub restarts: u64,
    /// Messages handed once more by another copy. [The module](super) says when that may happen.
    pub handed_again: u64,
    /// Messages among these that had been reported as read.
    pub handed_again_though_read: u64,
    /// Replies that were sent.
    pub replied: u64,
    /// Replies that could not be sent.
    pub unreplied: u64,
    /// The smallest part of the time that exactly one copy of an account was online.
    pub one_copy_online: f64,
    /// Most kicks of an account, all copies together, within an hour.
    pub worst_kicks_per_hour: usize,
    /// The first hundred violations.
    pub violations: Vec<Violation>,
    /// Hash of the event log: equal for equal seeds.
    pub hash: u64,
}

/// A sliding window over events.
#[derive(Debug)]
pub(super) struct Window {
    length: Duration,
    times: VecDeque<Duration>,
}

impl Default for Window {
    /// Of one second.
    fn default() -> Self {
        Self::of(Duration::from_secs(1))
    }
}

impl Window {
    pub(super) const fn of(length: Duration) -> Self {
        let times = VecDeque::new();
        Self { length, times }
    }

    /// Counts an event at `at`. Returns how many there were in the window that ends there.
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

/// FNV-1a, 64 bits: the same on every machine.
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

/// What the copies of one account share.
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
