//! Friends of each account, in their lists.

use crate::{
    proto::id::UserId,
    table::{friend_application::Applications, friend_group::FriendGroups},
    world::World,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What an account keeps about a friend.
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

/// Lists of friends per account.
pub(crate) const MAX_LISTS: usize = 32;

/// Accounts in one call, and friends in one page.
pub(crate) const MAX_FRIENDS_ASKED: usize = 100;

/// The longest remark, wording, source and list name kept, in bytes.
pub(crate) const MAX_WORDS: usize = 512;

/// Custom fields per friend.
pub(crate) const MAX_CUSTOM: usize = 20;

/// A string of an object, cut where it gets too long.
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

/// What an account keeps about friendship.
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

    /// What an account keeps, to be changed; `None` if there is no such account.
    pub(crate) fn book_mut(&mut self, world: &World, user: &UserId) -> Option<&mut Book> {
        world
            .has_account(user)
            .then(|| self.books.entry(user.clone()).or_default())
    }

    /// True if `other` is on the list of `user`.
    pub(crate) fn is_friend(&self, user: &UserId, other: &UserId) -> bool {
        self.book(user).is_some_and(|book| book.is_friend(other))
    }

    /// Those on the list of `user`.
    pub(crate) fn of(&self, user: &UserId) -> Vec<UserId> {
        let friends = self.book(user).map(|book| book.friends.keys().cloned());
        friends.into_iter().flatten().collect()
    }

    /// What `user` calls a friend; empty for everybody else.
    pub(crate) fn remark(&self, user: &UserId, friend: &UserId) -> &str {
        let friend = self.book(user).and_then(|book| book.friends.get(friend));
        friend.map_or("", |friend| &friend.remark)
    }

    /// Drops an application that `user` has received.
    pub(crate) fn drop_received(&mut self, user: &UserId, from: &UserId) {
        if let Some(book) = self.books.get_mut(user) {
            book.applications.remove(true, from);
        }
    }

    /// Takes over what an account keeps.
    pub(crate) fn adopt(&mut self, user: &UserId, book: Book) {
        self.books.insert(user.clone(), book);
    }

    /// The account is deleted: it is nobody's friend any more.
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
