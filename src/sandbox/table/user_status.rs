//! Custom statuses, and subscriptions to the status of accounts.

use crate::proto::{code::Code, id::UserId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most accounts one account may watch, and the most watchers of one account.
pub(crate) const MAX_WATCHED: usize = 200;

/// The longest custom status, in bytes.
pub(crate) const MAX_STATUS: usize = 100;

/// The most accounts one request may ask about.
pub(crate) const MAX_ASKED: usize = 500;

/// The valid UserIDs in a list.
pub(crate) fn known(users: &[String]) -> impl Iterator<Item = UserId> {
    let users = users.iter().take(MAX_ASKED);
    users.filter_map(|user| UserId::parse(user).ok())
}

pub(crate) const fn platform_name(platform: u64) -> &'static str {
    match platform {
        2 => "Android",
        3 => "iPhone",
        4 => "Mac",
        13 => "iPad",
        _ => "Web",
    }
}

/// Custom statuses, and the watchers of each account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct UserStatuses {
    /// The watchers of each account. Bounded; an account without watchers has no entry.
    pub(crate) watchers: BTreeMap<UserId, BTreeSet<UserId>>,
    /// Custom statuses, as the clients sent them.
    pub(crate) custom: BTreeMap<UserId, String>,
    /// Accounts that were online in the last notification to their watchers.
    #[serde(skip)]
    pub(crate) told_online: BTreeSet<UserId>,
}

impl UserStatuses {
    pub(crate) fn custom(&self, user: &UserId) -> &str {
        self.custom.get(user).map_or("", String::as_str)
    }

    /// The number of accounts that `user` watches.
    pub(crate) fn watching(&self, user: &UserId) -> usize {
        let watchers = self.watchers.values();
        watchers.filter(|watchers| watchers.contains(user)).count()
    }

    pub(crate) fn watch(
        &mut self,
        watcher: &UserId,
        user: &UserId,
        is_online: bool,
    ) -> Result<(), Code> {
        let known = self.watchers.get(user);
        if known.is_some_and(|watchers| watchers.contains(watcher)) {
            return Ok(());
        }
        let watched = known.map_or(0, BTreeSet::len);
        if watched >= MAX_WATCHED || self.watching(watcher) >= MAX_WATCHED {
            return Err(Code::FRIENDS_FULL);
        }
        if watched == 0 && is_online {
            self.told_online.insert(user.clone());
        }
        let watchers = self.watchers.entry(user.clone()).or_default();
        watchers.insert(watcher.clone());
        Ok(())
    }

    pub(crate) fn unwatch(&mut self, watcher: &UserId, user: &UserId) {
        if let Some(watchers) = self.watchers.get_mut(user)
            && watchers.remove(watcher)
            && watchers.is_empty()
        {
            self.watchers.remove(user);
            self.told_online.remove(user);
        }
    }

    /// Records whether `user` is online. Returns true if the watchers have to be notified.
    pub(crate) fn note(&mut self, user: &UserId, is_online: bool) -> bool {
        if is_online {
            self.told_online.insert(user.clone())
        } else {
            self.told_online.remove(user)
        }
    }

    /// Replaces the watchers and custom status of an account.
    pub(crate) fn adopt(&mut self, user: &UserId, watchers: BTreeSet<UserId>, custom: String) {
        if !watchers.is_empty() {
            self.watchers.insert(user.clone(), watchers);
        }
        if !custom.is_empty() {
            self.custom.insert(user.clone(), custom);
        }
    }

    /// Removes a deleted account.
    pub(crate) fn forget(&mut self, user: &UserId) {
        self.watchers.remove(user);
        self.told_online.remove(user);
        self.custom.remove(user);
    }
}
