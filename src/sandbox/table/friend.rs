//! The friends of each account, in their lists.

use crate::{
    proto::id::UserId,
    table::{friend_application::Applications, friend_group::FriendGroups},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An account's data about a friend.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Friend {
    pub(crate) remark: String,
    pub(crate) source: String,
    /// Unix seconds.
    pub(crate) added_at: u64,
    /// Custom fields, by tag. Bounded.
    pub(crate) custom: BTreeMap<String, Value>,
}

/// The most friend lists per account.
pub(crate) const MAX_LISTS: usize = 32;

/// The most accounts in one call, and friends in one page.
pub(crate) const MAX_FRIENDS_ASKED: usize = 100;

/// The longest remark, application text, source and list name, in bytes.
pub(crate) const MAX_WORDS: usize = 512;

/// The most custom fields per friend.
pub(crate) const MAX_CUSTOM: usize = 20;

/// A string field of an object, truncated at the limit.
pub(crate) fn words(item: &Value, field: &str) -> String {
    let text = item.get(field).and_then(Value::as_str).unwrap_or_default();
    let mut end = text.len().min(MAX_WORDS);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

pub(crate) fn objects<'a>(
    body: &'a Value,
    field: &str,
) -> impl Iterator<Item = (UserId, &'a Value)> {
    body.get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .take(MAX_FRIENDS_ASKED)
        .filter_map(|item| {
            let user = item.get("To_Account").and_then(Value::as_str)?;
            Some((UserId::parse(user).ok()?, item))
        })
}

/// An account's friendship data.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Book {
    pub(crate) friends: BTreeMap<UserId, Friend>,
    #[serde(rename = "lists")]
    pub(crate) groups: FriendGroups,
    #[serde(flatten)]
    pub(crate) applications: Applications,
}

impl Book {
    pub(crate) fn is_friend(&self, user: &UserId) -> bool {
        self.friends.contains_key(user)
    }
}

/// The friends of all accounts.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Friends {
    pub(crate) books: BTreeMap<UserId, Book>,
}

impl Friends {
    pub(crate) fn book(&self, user: &UserId) -> Option<&Book> {
        self.books.get(user)
    }

    /// The friendship data of an account, for a change; `None` unless the account `exists`.
    pub(crate) fn book_mut(&mut self, exists: bool, user: &UserId) -> Option<&mut Book> {
        exists.then(|| self.books.entry(user.clone()).or_default())
    }

    /// Returns true if `other` is a friend of `user`.
    pub(crate) fn is_friend(&self, user: &UserId, other: &UserId) -> bool {
        self.book(user).is_some_and(|book| book.is_friend(other))
    }

    /// The friends of `user`.
    pub(crate) fn of(&self, user: &UserId) -> Vec<UserId> {
        let friends = self.book(user).map(|book| book.friends.keys().cloned());
        friends.into_iter().flatten().collect()
    }

    /// The remark of `user` on a friend; empty if there is none.
    pub(crate) fn remark(&self, user: &UserId, friend: &UserId) -> &str {
        let friend = self.book(user).and_then(|book| book.friends.get(friend));
        friend.map_or("", |friend| &friend.remark)
    }

    /// Removes an application that `user` has received.
    pub(crate) fn drop_received(&mut self, user: &UserId, from: &UserId) {
        if let Some(book) = self.books.get_mut(user) {
            book.applications.remove(true, from);
        }
    }

    /// Replaces the friendship data of an account.
    pub(crate) fn adopt(&mut self, user: &UserId, book: Book) {
        self.books.insert(user.clone(), book);
    }

    /// Removes a deleted account, also from the lists of its friends.
    pub(crate) fn forget(&mut self, user: &UserId) {
        let Some(book) = self.books.remove(user) else {
            return;
        };
        for other in book.friends.keys().chain(book.applications.others()) {
            if let Some(other) = self.books.get_mut(other) {
                other.friends.remove(user);
                other.applications.forget(user);
                other.groups.forget(user);
            }
        }
    }
}
