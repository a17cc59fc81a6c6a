//! A store that ends with the process.

use super::audit::{AuditEntry, AuditHash, Deed};
use super::clock::unix_now;
use crate::proto::id::{SdkAppId, UserId};
use botroupe_core::ledger::{AccountNo, Change, Horizon, Tables};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// It is pruned when it has grown by half, and by this many changes at least.
const GROWTH: u64 = 10_000;
/// How long it is kept that a message was handled that is not known as read. Nothing of it outlives the process, so
/// this is only about messages that come twice.
const HANDLED: u64 = 3_600;
/// Orders that are remembered.
const MAX_AUDIT: usize = 10_000;
/// How long keys and dead letters are kept.
const SETTLED: u64 = 30 * 24 * 3_600;

#[derive(Debug, Default)]
pub(super) struct Memory {
    inner: Mutex<Inner>,
    last: AtomicU64,
    /// It counts as durable: tests let what is in it outlive what uses it.
    is_durable: bool,
    /// What was ordered.
    audit: Mutex<Vec<AuditEntry>>,
    /// How many lists of changes are still taken; `None` for all.
    left: Mutex<Option<usize>>,
    /// It has not taken something.
    refused: AtomicBool,
}

#[derive(Debug, Default)]
struct Inner {
    tables: Tables,
    accounts: HashMap<SdkAppId, HashMap<UserId, AccountNo>>,
    given: u32,
    since_pruned: u64,
    kept: u64,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No change leaves anything half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn accounts(&self, app: SdkAppId, users: &[UserId]) -> Vec<AccountNo> {
        let mut inner = self.lock();
        let Inner {
            accounts, given, ..
        } = &mut *inner;
        let known = accounts.entry(app).or_default();
        let mut number = |user: &UserId| {
            *known.entry(user.clone()).or_insert_with(|| {
                *given += 1;
                AccountNo(*given)
            })
        };
        users.iter().map(&mut number).collect()
    }

    pub(super) fn audit(&self, deed: Deed) {
        let mut all = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, before) = all
            .last()
            .map_or((0, AuditHash::default()), |last| (last.number, last.hash));
        all.push(AuditEntry::after(number, &before, deed));
        // Nothing of it outlives the process.
        if all.len() > MAX_AUDIT {
            all.remove(0);
        }
    }

    /// What was ordered and is remembered.
    pub(super) fn audited(&self) -> Vec<AuditEntry> {
        let all = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }

    pub(super) fn next_number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A store that stands for one on disk.
    pub(super) fn durable() -> Self {
        Self {
            is_durable: true,
            ..Self::default()
        }
    }

    pub(super) const fn is_durable(&self) -> bool {
        self.is_durable
    }

    /// Takes so many more lists of changes and then none; `None` ends that.
    pub(super) fn take_only(&self, left: Option<usize>) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = left;
        self.refused.store(false, Ordering::Relaxed);
    }

    /// Whether it has not taken something since.
    pub(super) fn has_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Returns whether the changes were taken.
    pub(super) fn take(&self, changes: &[Change]) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *left {
            Some(0) => {
                self.refused.store(true, Ordering::Relaxed);
                return false;
            }
            Some(left) => *left -= 1,
            None => {}
        }
        drop(left);
        self.apply(changes);
        true
    }

    fn apply(&self, changes: &[Change]) {
        let mut inner = self.lock();
        inner.tables.apply(changes);
        self.last.fetch_max(inner.tables.last(), Ordering::Relaxed);
        inner.since_pruned += changes.len() as u64;
        if inner.since_pruned > GROWTH.max(inner.kept / 2) {
            let now = unix_now();
            inner.tables.prune(&Horizon {
                read: now,
                handled: now.saturating_sub(HANDLED),
                keys: now.saturating_sub(SETTLED),
                dead_letters: now.saturating_sub(SETTLED),
                now,
                old: 0,
            });
            let counts = inner.tables.counts();
            inner.kept =
                counts.handled + counts.queued + counts.answered + counts.cells + counts.spilled;
            inner.since_pruned = 0;
        }
    }

    pub(super) fn read<T>(&self, of: impl FnOnce(&Tables) -> T) -> T {
        of(&self.lock().tables)
    }
}
