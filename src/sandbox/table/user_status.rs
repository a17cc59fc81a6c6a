//! Custom statuses, and who watches whose.

use crate::proto::{code::Code, id::UserId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Accounts one account may watch, and watchers one account may have.
pub(crate) const MAX_WATCHED: usize = 200;

/// The longest custom status, in bytes.
pub(crate) const MAX_STATUS: usize = 100;

/// The most accounts one request may ask about.
pub(crate) const MAX_ASKED: usize = 500;

/// Those that are UserIDs.
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

/// Custom statuses, and who is told when an account comes and goes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct UserStatuses {
    /// Who is told of each account. Bounded; nobody is no entry.
    pub(crate) watchers: BTreeMap<UserId, BTreeSet<UserId>>,
    /// As the clients wrote them.
    pub(crate) custom: BTreeMap<UserId, String>,
    /// Accounts whose watchers were told last that they are online.
    #[serde(skip)]
    pub(crate) told_online: BTreeSet<UserId>,
}

impl UserStatuses {
    pub(crate) fn custom(&self, user: &UserId) -> &str {
        self.custom.get(user).map_or("", String::as_str)
    }

    /// How many accounts `user` watches.
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

    /// Notes whether `user` is online. True if the watchers were told otherwise.
    pub(crate) fn note(&mut self, user: &UserId, is_online: bool) -> bool {
        if is_online {
            self.told_online.insert(user.clone())
        } else {
            self.told_online.remove(user)
        }
    }

    /// Takes over what an account has.
    pub(crate) fn adopt(&mut self, user: &UserId, watchers: BTreeSet<UserId>, custom: String) {
        if !watchers.is_empty() {
            self.watchers.insert(user.clone(), watchers);
        }
        if !custom.is_empty() {
            self.custom.insert(user.clone(), custom);
        }
    }

    /// The account is deleted.
    pub(crate) fn forget(&mut self, user: &UserId) {
        self.watchers.remove(user);
        self.told_online.remove(user);
        self.custom.remove(user);
    }
}
