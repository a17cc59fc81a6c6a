//! Friend groups: the lists into which an account sorts its friends.

use crate::{
    proto::id::UserId,
    table::friend::{MAX_LISTS, MAX_WORDS},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn list_names(body: &Value) -> Vec<String> {
    let names = body.get("GroupName").and_then(Value::as_array);
    names
        .into_iter()
        .flatten()
        .take(MAX_LISTS)
        .filter_map(Value::as_str)
        .filter(|name| !name.is_empty() && name.len() <= MAX_WORDS)
        .map(str::to_owned)
        .collect()
}

/// The friend groups of an account, by name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FriendGroups {
    pub(crate) groups: BTreeMap<String, BTreeSet<UserId>>,
}

impl FriendGroups {
    /// Creates a group if it does not exist. Returns false if the limit is reached.
    pub(crate) fn add(&mut self, name: &str) -> bool {
        let fits = self.groups.len() < MAX_LISTS || self.groups.contains_key(name);
        if fits {
            self.groups.entry(name.to_owned()).or_default();
        }
        fits
    }

    /// Adds a friend to a group. Returns false if the group does not exist.
    pub(crate) fn put(&mut self, name: &str, friend: &UserId) -> bool {
        let Some(group) = self.groups.get_mut(name) else {
            return false;
        };
        group.insert(friend.clone());
        true
    }

    /// Removes a former friend from every group.
    pub(crate) fn forget(&mut self, friend: &UserId) {
        for group in self.groups.values_mut() {
            group.remove(friend);
        }
    }

    /// The names of the groups that contain a friend.
    pub(crate) fn of(&self, friend: &UserId) -> Vec<&str> {
        let groups = self.groups.iter();
        groups
            .filter(|(_, members)| members.contains(friend))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    pub(crate) fn rename(&mut self, old: &str, new: String) {
        if !new.is_empty()
            && !self.groups.contains_key(&new)
            && let Some(members) = self.groups.remove(old)
        {
            self.groups.insert(new, members);
        }
    }
}
