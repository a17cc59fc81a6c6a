//! The pace of logins that the accounts of the process share.

use crate::policy::Governor;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Paces the logins of a fleet. Clones share it.
#[derive(Clone, Debug)]
pub struct SharedGovernor(Arc<Mutex<Governor>>);

impl SharedGovernor {
    /// A governor for a fleet.
    #[must_use]
    pub fn new(governor: Governor) -> Self {
        Self(Arc::new(Mutex::new(governor)))
    }

    /// Takes the next turn to log in; returns how long to wait for it. `now` is monotonic time.
    #[must_use]
    pub fn reserve(&self, now: Duration) -> Duration {
        self.lock().reserve(now)
    }

    /// The server finds the fleet too quick: no login for `delay`, and slower ones after.
    pub fn slow_down(&self, now: Duration, delay: Duration) {
        let mut governor = self.lock();
        governor.slow_down(now, delay);
        let rate = governor.rate();
        drop(governor);
        tracing::warn!(
            ?delay,
            rate,
            "the server finds the logins too quick; slowing down"
        );
    }

    /// Another pace from now on. Turns that were given are kept.
    pub fn replace(&self, governor: Governor) {
        *self.lock() = governor;
    }

    fn lock(&self) -> MutexGuard<'_, Governor> {
        // Each change of the governor is whole by itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
