//! Whom the bots of an account hear.

use crate::proto::message::Message;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

/// The UserIDs of all accounts of a process. Clones share it: accounts come and go while bots listen.
#[derive(Clone, Debug, Default)]
pub struct FleetUsers(Arc<RwLock<HashSet<Box<str>>>>);

impl FleetUsers {
    /// Adds an account.
    pub fn insert(&self, user: &str) {
        let mut users = self.0.write().unwrap_or_else(PoisonError::into_inner);
        users.insert(user.into());
    }

    /// Removes an account.
    pub fn remove(&self, user: &str) {
        let mut users = self.0.write().unwrap_or_else(PoisonError::into_inner);
        users.remove(user);
    }

    /// Whether a user is an account of this process.
    #[must_use]
    pub fn contains(&self, user: &str) -> bool {
        let users = self.0.read().unwrap_or_else(PoisonError::into_inner);
        users.contains(user)
    }
}

impl<'u> FromIterator<&'u str> for FleetUsers {
    fn from_iter<T: IntoIterator<Item = &'u str>>(users: T) -> Self {
        let users = users.into_iter().map(Into::into).collect();
        Self(Arc::new(RwLock::new(users)))
    }
}

/// Whether a message is for bots at all: for all of them, or, with `hears_fleet`, for those that ask for
/// what accounts of their own process say.
#[must_use]
pub fn is_heard(message: &Message, fleet: &FleetUsers, hears_fleet: bool) -> bool {
    !message.is_own && !message.recalled && (hears_fleet || !fleet.contains(&message.from))
}
