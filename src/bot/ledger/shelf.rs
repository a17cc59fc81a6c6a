//! What the ledgers of a process share: the store, and the locks and quotas of the values that bots keep there.

use crate::bot::store::ValueError;
use crate::gateway::Clock;
use crate::policy::Now;
use crate::store::Store;
use botroupe_core::ledger::CellKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// How long a handler waits for a value that another one is changing.
const PATIENCE: Duration = Duration::from_secs(10);
/// Locks above which those are removed that nobody holds.
const MAX_LOCKS: usize = 1_024;

/// See the module.
#[derive(Debug)]
pub struct Shelf {
    store: Store,
    /// Bytes that the values of one bot may take.
    quota: u64,
    locks: Mutex<HashMap<CellKey, Arc<tokio::sync::Mutex<()>>>>,
    clock: Clock,
}

impl Shelf {
    /// A shelf on this store, with so many bytes for the values of each bot.
    #[must_use]
    pub fn new(store: Store, quota: u64) -> Arc<Self> {
        Self::with_clock(store, quota, Clock::default())
    }

    /// A shelf with a clock of its own.
    pub(in crate::bot) fn with_clock(store: Store, quota: u64, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            store,
            quota,
            locks: Mutex::default(),
            clock,
        })
    }

    /// The time.
    pub(in crate::bot) fn now(&self) -> Now {
        self.clock.now()
    }

    /// The clock.
    pub(in crate::bot) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The store.
    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    /// Keeps everybody else from updating a value.
    pub(in crate::bot) async fn lock(
        &self,
        key: &CellKey,
    ) -> Result<OwnedMutexGuard<()>, ValueError> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            if locks.len() >= MAX_LOCKS {
                locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            }
            locks.entry(key.clone()).or_default().clone()
        };
        let busy = || ValueError::Busy {
            name: key.name.to_string(),
        };
        if let Ok(held) = lock.clone().try_lock_owned() {
            return Ok(held);
        }
        tokio::time::timeout(PATIENCE, lock.lock_owned())
            .await
            .map_err(|_| busy())
    }

    /// Refuses values that take more than the bot may have; `more` bytes are to be added.
    pub(in crate::bot) async fn check_quota(
        &self,
        bot: &str,
        more: usize,
    ) -> Result<(), ValueError> {
        let used = self.store.usage(bot).await?.bytes;
        if used.saturating_add(more as u64) > self.quota {
            return Err(ValueError::QuotaExceeded { limit: self.quota });
        }
        Ok(())
    }
}
