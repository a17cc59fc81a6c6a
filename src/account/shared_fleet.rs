//! The accounts of this process, which come and go while bots listen.

use botroupe_core::account::FleetUsers;
use std::sync::{Arc, PoisonError, RwLock};

/// See the module. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SharedFleet(Arc<RwLock<FleetUsers>>);

impl SharedFleet {
    /// The accounts at present.
    #[must_use]
    pub fn users(&self) -> FleetUsers {
        let users = self.0.read().unwrap_or_else(PoisonError::into_inner);
        users.clone()
    }

    /// Adds an account.
    pub fn insert(&self, user: &str) {
        let mut users = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut *users).insert(user.into());
    }

    /// Removes an account.
    pub fn remove(&self, user: &str) {
        let mut users = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut *users).remove(user);
    }
}
