//! The disk of a process: what its store has written, and what is left of that after a crash.
//!
//! The journal holds one transaction for each list of changes. A transaction takes several sectors, one for each
//! change and one for the mark that it is whole, and a disk may keep any of those that it was not told to keep.
//! Only what an fsync has covered is acknowledged.

use botroupe_core::ledger::{AccountNo, Change, Horizon, Recovered, Tables};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Where the processes of a simulation keep what they must not forget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreModel {
    /// Nowhere.
    #[default]
    None,
    /// On a disk that outlives the process.
    Disk(Journal),
}

/// How a store writes, and reads after a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Journal {
    /// It acknowledges what an fsync has covered, and finds the longest run of whole transactions again.
    #[default]
    Honest,
    /// It acknowledges what is written, before the fsync.
    AcknowledgesEarly,
    /// After a crash, it takes over the whole sectors of a transaction that is torn.
    KeepsTorn,
    /// It repeats an fsync that failed. That succeeds, and the data is gone.
    RepeatsSync,
}

/// What happened to the disks of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCounts {
    /// Transactions that were acknowledged.
    pub committed: u64,
    /// Writes that found the disk full.
    pub full: u64,
    /// Fsyncs that failed.
    pub failed_syncs: u64,
    /// Fsyncs that took a second or longer.
    pub slow_syncs: u64,
    /// Power failures.
    pub power_losses: u64,
    /// Crashes that left a torn transaction.
    pub torn: u64,
    /// Crashes after which a later transaction was on the disk, and an earlier one was not.
    pub reordered: u64,
    /// Transactions that were never acknowledged, and were found whole after a crash.
    pub surprises: u64,
    /// Transactions that were never acknowledged, and are lost.
    pub dropped: u64,
}

/// Who wants to hear that a list of changes is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) node: usize,
    /// What the account knows it by, if it waits.
    pub(super) tag: Option<u64>,
}

/// The next step of a disk.
#[derive(Debug, Default)]
pub(super) struct Stepped {
    /// Lists that are acknowledged.
    pub(super) acknowledged: Vec<Owner>,
    /// The account whose list was first in the batch.
    pub(super) first: Option<usize>,
    /// The time until the next step.
    pub(super) next: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Idle,
    /// Lists are collected.
    Gathering,
    /// The batch is tried again after a failure.
    Waiting,
    Writing,
    Syncing,
    /// The batch is on the disk, and nobody knows yet.
    Acknowledging,
}

#[derive(Debug)]
struct List {
    owner: Owner,
    changes: Vec<Change>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Disk {
    journal: Journal,
    /// What the disk certainly holds.
    tables: Tables,
    queue: VecDeque<List>,
    batch: Vec<List>,
    step: Step,
    /// The number of the next record.
    numbers: Arc<AtomicU64>,
    failures: u32,
    full_until: Duration,
    slow_until: Duration,
    failing_syncs: u32,
    rng: fastrand::Rng,
    pub(super) counts: StoreCounts,
}

/// Changes from which on a batch waits for no more.
const FULL: usize = 256;
/// The longest time for which a batch waits for more, in microseconds.
const GATHER: u64 = 5_000;
/// The first and the longest wait before a failed batch is written again.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

impl Disk {
    pub(super) fn new(journal: Journal, seed: u64) -> Self {
        Self {
            journal,
            tables: Tables::default(),
            queue: VecDeque::new(),
            batch: Vec::new(),
            step: Step::Idle,
            numbers: Arc::new(AtomicU64::new(1)),
            failures: 0,
            full_until: Duration::ZERO,
            slow_until: Duration::ZERO,
            failing_syncs: 0,
            rng: fastrand::Rng::with_seed(seed),
            counts: StoreCounts::default(),
        }
    }

    /// The numbers of the records of the present process.
    pub(super) fn numbers(&self) -> Arc<AtomicU64> {
        self.numbers.clone()
    }

    /// Takes a list of changes. Returns the time until the next step if the disk was idle.
    pub(super) fn submit(&mut self, owner: Owner, changes: Vec<Change>) -> Option<Duration> {
        self.queue.push_back(List { owner, changes });
        if self.step != Step::Idle {
            return None;
        }
        self.step = Step::Gathering;
        Some(self.micros(0, GATHER))
    }

    pub(super) fn fill(&mut self, until: Duration) {
        self.full_until = self.full_until.max(until);
    }

    pub(super) fn slow_down(&mut self, until: Duration) {
        self.slow_until = self.slow_until.max(until);
    }

    pub(super) const fn fail_syncs(&mut self, count: u32) {
        self.failing_syncs += count;
    }

    /// Makes the next step, whose time has come.
    pub(super) fn step(&mut self, now: Duration) -> Stepped {
        let first = self.batch.first().map(|list| list.owner.node);
        let mut stepped = Stepped {
            first,
            ..Stepped::default()
        };
        stepped.next = match self.step {
            Step::Idle => None,
            Step::Gathering | Step::Waiting => {
                self.gather();
                Some(if now < self.full_until {
                    self.refuse()
                } else {
                    self.step = Step::Writing;
                    self.micros(100, 3_000)
                })
            }
            Step::Writing if now < self.full_until => Some(self.refuse()),
            Step::Writing => {
                if self.journal == Journal::AcknowledgesEarly {
                    stepped.acknowledged = self.owners();
                }
                self.step = Step::Syncing;
                Some(self.sync_time(now))
            }
            Step::Syncing if self.failing_syncs > 0 => {
                self.failing_syncs -= 1;
                self.counts.failed_syncs += 1;
                if self.journal == Journal::RepeatsSync {
                    stepped.acknowledged = self.owners();
                    self.batch.clear();
                    self.go_on()
                } else {
                    // The next connection finds what is whole, and gets all of it again.
                    let fate = self.fate(|rng, _| rng.bool());
                    self.recover(&fate);
                    Some(self.fail())
                }
            }
            Step::Syncing => {
                for list in &self.batch {
                    self.tables.apply(&list.changes);
                }
                self.step = Step::Acknowledging;
                Some(self.micros(0, 2_000))
            }
            Step::Acknowledging => {
                if self.journal != Journal::AcknowledgesEarly {
                    stepped.acknowledged = self.owners();
                }
                self.counts.committed += self.batch.len() as u64;
                self.batch.clear();
                self.failures = 0;
                self.go_on()
            }
        };
        stepped
    }

    fn gather(&mut self) {
        let mut changes: usize = self.batch.iter().map(|list| list.changes.len()).sum();
        while changes < FULL
            && let Some(list) = self.queue.pop_front()
        {
            changes += list.changes.len();
            self.batch.push(list);
        }
    }

    fn owners(&self) -> Vec<Owner> {
        self.batch.iter().map(|list| list.owner).collect()
    }

    fn go_on(&mut self) -> Option<Duration> {
        if self.queue.is_empty() {
            self.step = Step::Idle;
            return None;
        }
        self.step = Step::Gathering;
        Some(self.micros(0, GATHER))
    }

    fn refuse(&mut self) -> Duration {
        self.counts.full += 1;
        self.fail()
    }

    fn fail(&mut self) -> Duration {
        self.step = Step::Waiting;
        let wait = BACK_OFF.0 * 2_u32.saturating_pow(self.failures.min(16));
        self.failures += 1;
        wait.min(BACK_OFF.1)
    }

    fn sync_time(&mut self, now: Duration) -> Duration {
        if now < self.slow_until {
            self.counts.slow_syncs += 1;
            return self.micros(1_000_000, 8_000_000);
        }
        match self.rng.u32(0..100) {
            0..95 => self.micros(300, 10_000),
            _ => self.micros(10_000, 300_000),
        }
    }

    fn micros(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_micros(self.rng.u64(least..=most))
    }

    /// The process ends now: it is killed, or the machine loses its power. What no fsync has covered is there, or
    /// partly there, or lost.
    pub(super) fn crash(&mut self, loses_power: bool) {
        self.counts.power_losses += u64::from(loses_power);
        let sectors: usize = self.batch.iter().map(|list| list.changes.len() + 1).sum();
        let written = match self.step {
            Step::Writing => self.rng.usize(0..=sectors),
            Step::Syncing => sectors,
            _ => 0,
        };
        if matches!(self.step, Step::Writing | Step::Syncing) {
            let fate = self.fate(|rng, sector| {
                // What the system has got survives the process, but not the system.
                sector < written && (!loses_power || rng.u32(0..4) > 0)
            });
            self.recover(&fate);
        }
        self.counts.dropped += self.queue.len() as u64;
        self.queue.clear();
        self.batch.clear();
        self.step = Step::Idle;
        self.failures = 0;
        let next = self.tables.last() + 1;
        self.numbers = Arc::new(AtomicU64::new(next));
    }

    /// Which sectors of the batch are on the disk, by transaction.
    fn fate(
        &mut self,
        mut survives: impl FnMut(&mut fastrand::Rng, usize) -> bool,
    ) -> Vec<Vec<bool>> {
        let mut sector = 0;
        let rng = &mut self.rng;
        let lists = self.batch.iter().map(|list| {
            (0..=list.changes.len())
                .map(|_| {
                    sector += 1;
                    survives(rng, sector - 1)
                })
                .collect()
        });
        lists.collect()
    }

    /// A new connection reads the journal, of which `fate` is left.
    fn recover(&mut self, fate: &[Vec<bool>]) {
        let is_whole = |sectors: &Vec<bool>| sectors.iter().all(|sector| *sector);
        let is_there = |sectors: &Vec<bool>| sectors.iter().any(|sector| *sector);
        let whole = fate.iter().take_while(|sectors| is_whole(sectors)).count();
        let rest = fate.get(whole..).unwrap_or_default();
        let torn = rest.iter().any(|list| is_there(list) && !is_whole(list));
        self.counts.torn += u64::from(torn);
        self.counts.reordered += u64::from(rest.iter().any(is_whole));
        if self.step != Step::Waiting {
            self.counts.surprises += whole as u64;
            self.counts.dropped += rest.len() as u64;
        }
        for list in self.batch.iter().take(whole) {
            self.tables.apply(&list.changes);
        }
        if self.journal == Journal::KeepsTorn {
            for (list, sectors) in self.batch.iter().zip(fate).skip(whole) {
                let there = list
                    .changes
                    .iter()
                    .zip(sectors)
                    .filter(|(_, there)| **there);
                for (change, _) in there {
                    self.tables.apply(std::slice::from_ref(change));
                }
            }
        }
    }

    /// What each account finds at its start.
    pub(super) fn found(&self) -> BTreeMap<AccountNo, Recovered> {
        self.tables.recover()
    }

    /// Forgets what nobody needs any more. `now` is in Unix seconds.
    pub(super) fn prune(&mut self, now: u64) {
        const DAY: u64 = 86_400;
        self.tables.prune(&Horizon {
            read: now.saturating_sub(3_600),
            handled: now.saturating_sub(7 * DAY),
            keys: now.saturating_sub(30 * DAY),
            dead_letters: now.saturating_sub(30 * DAY),
            now,
            old: 0,
        });
    }

    /// How many letters are to be sent or to be confirmed.
    pub(super) fn queued(&self) -> usize {
        self.tables.queued()
    }
}

/// The next number of a record.
pub(super) fn next_number(numbers: &AtomicU64) -> u64 {
    numbers.fetch_add(1, Ordering::Relaxed)
}
