//! The paces of groups, shared by the accounts of a process.

use botroupe_core::account::GroupPaces;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How quick each group is written to, by all accounts of a process together. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SharedGroupPaces(Arc<Mutex<GroupPaces>>);

impl SharedGroupPaces {
    /// How long a message to this group has to wait for its turn at the monotonic time `now`.
    pub(super) fn reserve(&self, now: Duration, group: &str) -> Duration {
        // Held for a look-up; whole even after a panic.
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paces.reserve(now, group)
    }
}
