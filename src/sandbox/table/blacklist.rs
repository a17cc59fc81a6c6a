//! Blacklists: the users that each account has blocked.

use crate::proto::id::UserId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most accounts on a blacklist, as the service documents it. One answer holds the whole list.
pub(crate) const MAX_BLOCKED: usize = 1000;

/// The blacklists of all accounts.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Blacklists {
    pub(crate) blocked: BTreeMap<UserId, BTreeSet<UserId>>,
}

impl Blacklists {
    /// Returns true if `user` has blocked `other`.
    pub(crate) fn has_blocked(&self, user: &UserId, other: &UserId) -> bool {
        let blocked = self.blocked.get(user);
        blocked.is_some_and(|blocked| blocked.contains(other))
    }

    pub(crate) fn list(&self, user: &UserId) -> impl Iterator<Item = &UserId> {
        self.blocked.get(user).into_iter().flatten()
    }

    /// Returns false if the list is full.
    pub(crate) fn add(&mut self, user: &UserId, other: &UserId) -> bool {
        let blocked = self.blocked.entry(user.clone()).or_default();
        let fits = blocked.len() < MAX_BLOCKED || blocked.contains(other);
        if fits {
            blocked.insert(other.clone());
        }
        fits
    }

    /// Returns false if `other` was not on the list.
    pub(crate) fn remove(&mut self, user: &UserId, other: &UserId) -> bool {
        let blocked = self.blocked.get_mut(user);
        blocked.is_some_and(|blocked| blocked.remove(other))
    }

    /// Replaces the list of an account.
    pub(crate) fn adopt(&mut self, user: &UserId, blocked: BTreeSet<UserId>) {
        if !blocked.is_empty() {
            self.blocked.insert(user.clone(), blocked);
        }
    }

    /// Removes a deleted account.
    pub(crate) fn forget(&mut self, user: &UserId) {
        self.blocked.remove(user);
    }
}
