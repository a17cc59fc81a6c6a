//! From changes of accounts and figures of the fleet to alerts that begin and end.

use super::rule::Rule;
use crate::account::AccountName;
use crate::account::{Cause, Phase, SourceState, Status};
use crate::policy::Now;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Failed letters are compared with those of this long ago.
const WINDOW: Duration = Duration::from_secs(600);
/// Figures of failed letters are kept this far apart at least.
const SAMPLE: Duration = Duration::from_secs(10);

/// From where on it is an alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The least part of the accounts that should be online, 0 to 1.
    pub share: f64,
    /// How long there may be fewer.
    pub share_for: Duration,
    /// How many letters may fail within ten minutes, less one.
    pub letters: u64,
    /// The least bytes that should be free on the disk of the store.
    pub disk: u64,
}

/// What is known of the fleet besides its accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Letters that failed, or of which it is unknown whether they arrived, as many as there are now.
    pub failed_letters: u64,
    /// Bytes that are free on the disk of the store; `None` if that is not known.
    pub free: Option<u64>,
    /// What is wrong with the store.
    pub trouble: Option<String>,
}

/// An alert begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is so, with the words for it.
    Begins(Rule, Option<AccountName>, String),
    /// It is so no longer.
    Ends(Rule, Option<AccountName>),
}

/// Follows the fleet. See the module.
#[derive(Debug)]
pub struct Conditions {
    limits: Limits,
    accounts: HashMap<AccountName, Seen>,
    /// Accounts that should be online, and those of them that are.
    expected: usize,
    online: usize,
    /// Too few are online since this monotonic time.
    low_since: Option<Duration>,
    is_low: bool,
    letters: VecDeque<(Duration, u64)>,
    is_growing: bool,
    is_tight: bool,
    trouble: Option<String>,
}

/// What is known of an account.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    is_expected: bool,
    is_online: bool,
    /// The alert about where it stands.
    phase: Option<Rule>,
    /// The source of its UserSigs fails.
    sourceless: bool,
}

impl Conditions {
    /// Of a fleet that has not started, with these accounts.
    pub fn new(limits: Limits, accounts: impl IntoIterator<Item = AccountName>) -> Self {
        let expected = Seen {
            is_expected: true,
            ..Seen::default()
        };
        let accounts: HashMap<_, _> = accounts.into_iter().map(|user| (user, expected)).collect();
        Self {
            limits,
            expected: accounts.len(),
            accounts,
            online: 0,
            low_since: None,
            is_low: false,
            letters: VecDeque::new(),
            is_growing: false,
            is_tight: false,
            trouble: None,
        }
    }

    /// Other limits from now on.
    pub const fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Forgets that something holds, unless it is `known`: it begins anew when its account or figure is told again.
    pub fn forget_unless(&mut self, known: impl Fn(Rule, Option<&AccountName>) -> bool) {
        for (account, seen) in &mut self.accounts {
            seen.phase = seen.phase.filter(|rule| known(*rule, Some(account)));
            seen.sourceless &= known(Rule::UserSig, Some(account));
        }
        self.is_low &= known(Rule::Share, None);
        self.is_growing &= known(Rule::Outbox, None);
        self.is_tight &= known(Rule::Disk, None);
        self.trouble = self.trouble.take().filter(|_| known(Rule::Store, None));
    }

    /// The status of an account changed.
    pub fn changed(&mut self, now: Now, status: &Status) -> Vec<Turn> {
        let user = &status.account;
        let before = self.accounts.get(user).copied().unwrap_or_default();
        let mut turns = Vec::new();
        let gone = matches!(status.phase, Phase::Stopping | Phase::Stopped);
        // Whoever gave an order knows of it.
        let ordered = status.cause == Cause::Ordered;
        let stays = matches!(status.phase, Phase::Held | Phase::Quarantined);
        let is_online = status.phase.is_online();
        let phase = match status.phase {
            Phase::Contested => Some(Rule::Contested),
            Phase::Held if !ordered => Some(Rule::Held),
            Phase::Quarantined if !ordered => Some(Rule::Quarantined),
            _ if is_online || stays || gone => None,
            // On its way back: not yet better than before.
            _ => before.phase,
        };
        if phase != before.phase {
            if let Some(rule) = before.phase {
                turns.push(Turn::Ends(rule, Some(user.clone())));
            }
            if let Some(rule) = phase {
                let text = status.cause.to_string();
                turns.push(Turn::Begins(rule, Some(user.clone()), text));
            }
        }
        let source = status.source();
        let sourceless = match &source {
            // Where it stays away for that, another alert says so.
            SourceState::Fails(_) => !stays && !gone,
            SourceState::Asked => before.sourceless && !gone,
            SourceState::Fine => {
                // Between two tries an account that is away shows another state for a moment.
                before.sourceless && !is_online && !stays && !gone
            }
        };
        if sourceless != before.sourceless {
            turns.push(match source {
                SourceState::Fails(reason) if sourceless => {
                    Turn::Begins(Rule::UserSig, Some(user.clone()), reason)
                }
                _ => Turn::Ends(Rule::UserSig, Some(user.clone())),
            });
        }
        let after = Seen {
            is_expected: !(gone || stays && ordered),
            is_online,
            phase,
            sourceless,
        };
        self.count(before, false);
        if gone {
            self.accounts.remove(user);
        } else {
            self.count(after, true);
            self.accounts.insert(user.clone(), after);
        }
        turns.extend(self.share(now));
        turns
    }

    fn count(&mut self, seen: Seen, add: bool) {
        let change = |count: usize, by: bool| match (by, add) {
            (false, _) => count,
            (true, true) => count + 1,
            (true, false) => count.saturating_sub(1),
        };
        self.expected = change(self.expected, seen.is_expected);
        self.online = change(self.online, seen.is_expected && seen.is_online);
    }

    /// Time has passed.
    pub fn timeout(&mut self, now: Now) -> Option<Turn> {
        self.share(now)
    }

    /// When [`timeout`](Self::timeout) has something to say, as monotonic time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let since = self.low_since.filter(|_| !self.is_low)?;
        Some(since + self.limits.share_for)
    }

    fn share(&mut self, now: Now) -> Option<Turn> {
        let wanted = self.limits.share * self.expected as f64;
        if self.online as f64 >= wanted {
            self.low_since = None;
            return std::mem::take(&mut self.is_low).then_some(Turn::Ends(Rule::Share, None));
        }
        let since = *self.low_since.get_or_insert(now.mono);
        if self.is_low || now.mono < since + self.limits.share_for {
            return None;
        }
        self.is_low = true;
        let (online, expected) = (self.online, self.expected);
        let text = format!(
            "{online} of {expected} accounts are online, and it should be {:.0} % at least; `botroupe status` says why",
            self.limits.share * 100.0
        );
        Some(Turn::Begins(Rule::Share, None, text))
    }

    /// The figures of the fleet at this time.
    pub fn figures(&mut self, now: Now, figures: &Figures) -> Vec<Turn> {
        let turns = [
            self.growth(now, figures.failed_letters),
            self.space(figures.free),
            self.condition(figures.trouble.as_deref()),
        ];
        turns.into_iter().flatten().collect()
    }

    fn growth(&mut self, now: Now, failed: u64) -> Option<Turn> {
        while self
            .letters
            .front()
            .is_some_and(|(at, _)| *at + WINDOW < now.mono)
        {
            self.letters.pop_front();
        }
        let is_due = |(at, _): &(Duration, u64)| *at + SAMPLE <= now.mono;
        if self.letters.back().is_none_or(is_due) {
            self.letters.push_back((now.mono, failed));
        }
        let least = self.letters.iter().map(|(_, count)| *count).min();
        let grown = failed.saturating_sub(least.unwrap_or(failed));
        match self.is_growing {
            false if grown >= self.limits.letters.max(1) => {
                self.is_growing = true;
                let text = format!(
                    "{grown} messages failed within ten minutes, {failed} in all; `botroupe outbox list` shows them"
                );
                Some(Turn::Begins(Rule::Outbox, None, text))
            }
            true if grown == 0 => {
                self.is_growing = false;
                Some(Turn::Ends(Rule::Outbox, None))
            }
            _ => None,
        }
    }

    fn space(&mut self, free: Option<u64>) -> Option<Turn> {
        let free = free?;
        // Some more than the limit, so that it does not come and go.
        let enough = self.limits.disk.saturating_add(self.limits.disk / 10);
        match self.is_tight {
            false if free < self.limits.disk => {
                self.is_tight = true;
                let text = format!(
                    "{} MiB are free on the disk of the store; free some, or move it",
                    free >> 20
                );
                Some(Turn::Begins(Rule::Disk, None, text))
            }
            true if free >= enough => {
                self.is_tight = false;
                Some(Turn::Ends(Rule::Disk, None))
            }
            _ => None,
        }
    }

    fn condition(&mut self, trouble: Option<&str>) -> Option<Turn> {
        let was = std::mem::replace(&mut self.trouble, trouble.map(str::to_owned));
        match (was, trouble) {
            (None, Some(text)) => Some(Turn::Begins(Rule::Store, None, text.to_owned())),
            (Some(_), None) => Some(Turn::Ends(Rule::Store, None)),
            _ => None,
        }
    }
}
