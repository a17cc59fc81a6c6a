//! Followers and followed users.

use crate::proto::id::UserId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most accounts in one call.
pub(crate) const MAX_ASKED: usize = 100;

/// The most entries in one page of a list.
pub(crate) const MAX_PAGE: usize = 1000;

/// The lists, by their numbers on the wire.
pub(crate) const FOLLOWERS: u64 = 1;

pub(crate) const FOLLOWING: u64 = 2;

pub(crate) const MUTUAL: u64 = 3;

/// The accounts that a command names, cut at the limit per call.
pub(crate) fn asked(mut users: Vec<UserId>) -> Vec<UserId> {
    users.truncate(MAX_ASKED);
    users
}

/// The users each account follows, with the time in Unix seconds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Follows {
    pub(crate) following: BTreeMap<UserId, BTreeMap<UserId, u64>>,
    /// The reverse of `following`.
    #[serde(skip)]
    pub(crate) followers: BTreeMap<UserId, BTreeMap<UserId, u64>>,
}

/// The list of an account that follows nobody.
pub(crate) static NOBODY: BTreeMap<UserId, u64> = BTreeMap::new();

impl Follows {
    pub(crate) fn following(&self, user: &UserId) -> &BTreeMap<UserId, u64> {
        self.following.get(user).unwrap_or(&NOBODY)
    }

    pub(crate) fn followers(&self, user: &UserId) -> &BTreeMap<UserId, u64> {
        self.followers.get(user).unwrap_or(&NOBODY)
    }

    pub(crate) fn insert(&mut self, me: &UserId, user: &UserId, since: u64) {
        let following = self.following.entry(me.clone()).or_default();
        following.insert(user.clone(), since);
        let followers = self.followers.entry(user.clone()).or_default();
        followers.insert(me.clone(), since);
    }

    /// Returns false if `me` did not follow the user.
    pub(crate) fn remove(&mut self, me: &UserId, user: &UserId) -> bool {
        if let Some(followers) = self.followers.get_mut(user) {
            followers.remove(me);
        }
        let following = self.following.get_mut(me);
        following.is_some_and(|following| following.remove(user).is_some())
    }

    /// Replaces the list of users an account follows.
    pub(crate) fn adopt(&mut self, user: &UserId, following: BTreeMap<UserId, u64>) {
        if !following.is_empty() {
            self.following.insert(user.clone(), following);
        }
    }

    /// Rebuilds `followers` from `following`.
    pub(crate) fn settle(&mut self, exists: impl Fn(&UserId) -> bool) {
        self.followers.clear();
        self.following.retain(|me, _| exists(me));
        for (me, following) in &mut self.following {
            following.retain(|user, _| exists(user));
            for (user, since) in following {
                let followers = self.followers.entry(user.clone()).or_default();
                followers.insert(me.clone(), *since);
            }
        }
    }

    /// Removes a deleted account.
    pub(crate) fn forget(&mut self, user: &UserId) {
        for followed in self.following.remove(user).into_iter().flatten() {
            if let Some(followers) = self.followers.get_mut(&followed.0) {
                followers.remove(user);
            }
        }
        for follower in self.followers.remove(user).into_iter().flatten() {
            if let Some(following) = self.following.get_mut(&follower.0) {
                following.remove(user);
            }
        }
    }
}
