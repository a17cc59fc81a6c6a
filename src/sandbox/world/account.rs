//! Accounts: import, profiles, and what an account keeps about each of its peers.
//!
//! See "Conversations and people" in docs/src/protocol.md.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use super::World;
use crate::{
    policy::Now,
    proto::{id::UserId, op::receive_option::DoNotDisturb},
    shape,
    table::{
        c2c_message::{InboxEntry, MessageId},
        conversation::Contacts,
        push::ByApp,
    },
};

/// One account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    /// The server's number for the account; part of message IDs.
    pub(crate) tiny_id: u64,
    /// Profile tags that were set, including nick and picture.
    pub(crate) profile: BTreeMap<String, Value>,
    /// Tickets of the valid logins, oldest first.
    #[serde(skip)]
    pub(crate) live: Vec<String>,
    /// Tickets of past logins: their holders are told why the login ended. Bounded.
    #[serde(skip)]
    pub(crate) past: VecDeque<String>,
    /// UserSigs issued up to and including this Unix second are void.
    pub(crate) void_until: Option<u64>,
    /// UserSigs issued before this Unix second count as expired.
    pub(crate) expired_before: u64,
    /// Messages and notices that the account's other devices have not seen yet. Bounded.
    pub(crate) inbox: VecDeque<InboxEntry>,
    pub(crate) peers: BTreeMap<UserId, Peer>,
    /// Group notices that arrived while no login had a link, by sequence position. Bounded.
    #[serde(deserialize_with = "shape::readable")]
    pub(crate) events: VecDeque<(u64, Value)>,
    /// Position of the last event delivered to a login with an empty cookie.
    pub(crate) events_given: u64,
    pub(crate) contacts: Contacts,
    /// Relations that format 1 stored here and services now keep; see `snapshot::format1`.
    #[serde(skip_serializing)]
    pub(crate) people: Option<Box<RawValue>>,
    /// The do-not-disturb setting as the client sent it; `None` if it was never set.
    pub(crate) quiet: Option<DoNotDisturb>,
    pub(crate) by_app: ByApp,
}

/// An account's data about one conversation.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Peer {
    pub(crate) unread: u32,
    /// Inbox entries up to this position are read.
    pub(crate) read_up_to: u64,
    /// The message time up to which this account has read, Unix seconds.
    pub(crate) read_time: u64,
    pub(crate) last: Option<MessageId>,
    pub(crate) deleted: BTreeSet<MessageId>,
    pub(crate) mute: u64,
}

/// The longest profile value, in bytes.
const MAX_PROFILE_VALUE: usize = 2048;
/// The most profile tags per account.
const MAX_PROFILE_TAGS: usize = 64;

impl Account {
    pub(crate) fn nick<'a>(&'a self, user: &'a UserId) -> &'a str {
        self.profile
            .get("Tag_Profile_IM_Nick")
            .and_then(Value::as_str)
            .unwrap_or_else(|| user.as_str())
    }

    pub(crate) fn face_url(&self) -> &str {
        self.profile
            .get("Tag_Profile_IM_Image")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Sets a profile tag. Ignores a value that is neither a string nor a number, or is too long.
    pub(crate) fn set_profile(&mut self, tag: &str, value: &Value) {
        let fits = match value {
            Value::String(text) => text.len() <= MAX_PROFILE_VALUE,
            Value::Number(_) => true,
            _ => false,
        };
        let room = self.profile.len() < MAX_PROFILE_TAGS || self.profile.contains_key(tag);
        if fits && room && tag.starts_with("Tag_Profile_") && tag.len() <= 64 {
            self.profile.insert(tag.to_owned(), value.clone());
        }
    }

    /// Adds an entry to the inbox and drops the oldest beyond `limit`.
    pub(crate) fn enter(&mut self, entry: InboxEntry, limit: usize) {
        self.inbox.push_back(entry);
        if self.inbox.len() > limit {
            self.inbox.pop_front();
        }
    }

    /// The profile in the form used by answers.
    pub(crate) fn profile_items(&self, user: &UserId) -> Value {
        let nick = json!({"Tag": "Tag_Profile_IM_Nick", "Value": self.nick(user)});
        let rest = self
            .profile
            .iter()
            .filter(|(tag, _)| *tag != "Tag_Profile_IM_Nick")
            .map(|(tag, value)| json!({"Tag": tag, "Value": value}));
        std::iter::once(nick).chain(rest).collect()
    }
}

impl World {
    /// Creates an account if it does not exist. Returns false if the account limit is reached.
    pub(crate) fn import(&mut self, user: &UserId) -> bool {
        if self.accounts.contains_key(user) {
            return true;
        }
        if self.accounts.len() >= self.config.max_accounts {
            return false;
        }
        // 18 digits, as the real ones have: more than a double holds exactly.
        let tiny_id = 144_115_200_000_000_000 + self.numbers.next() % 1_000_000_000_000;
        self.accounts.insert(
            user.clone(),
            Account {
                tiny_id,
                ..Account::default()
            },
        );
        true
    }

    /// Returns true if the account exists. With `auto_import`, creates it first.
    pub(crate) fn known_or_created(&mut self, user: &UserId) -> bool {
        self.accounts.contains_key(user) || (self.config.auto_import && self.import(user))
    }

    /// Removes an account with its logins and faults.
    pub(crate) fn remove_account(&mut self, user: &UserId) -> Option<Account> {
        let account = self.accounts.remove(user)?;
        for a2 in account.live.iter().chain(&account.past) {
            if let Some(login) = self.logins.remove(a2)
                && let Some(link) = login.link.and_then(|conn| self.links.get_mut(&conn))
            {
                link.login = None;
            }
        }
        self.faults.remove(user);
        Some(account)
    }

    /// Nick and picture of an account, as they go into the messages it sends.
    pub(crate) fn sender_profile(&self, user: &UserId) -> (String, String) {
        let account = self.accounts.get(user);
        let nick = account.map_or(user.as_str(), |account| account.nick(user));
        (
            nick.to_owned(),
            account.map_or("", |account| account.face_url()).to_owned(),
        )
    }

    pub(crate) fn has_account(&self, user: &UserId) -> bool {
        self.accounts.contains_key(user)
    }

    /// Sets a profile tag of an account, e.g. `Tag_Profile_IM_Nick`.
    pub(crate) fn set_profile(&mut self, user: &UserId, tag: &str, value: &Value) {
        if let Some(account) = self.accounts.get_mut(user) {
            account.set_profile(tag, value);
        }
    }

    /// Pushes an event to every login of `user` except `except`.
    pub(crate) fn tell(&mut self, now: Now, user: &UserId, except: u64, event: &Value) {
        let conns = self.push_links(now, user, except);
        self.push_to_all(now, conns, event);
    }

    pub(crate) fn by_app(&self, user: &UserId) -> Option<&ByApp> {
        Some(&self.accounts.get(user)?.by_app)
    }

    pub(crate) fn by_app_mut(&mut self, user: &UserId) -> Option<&mut ByApp> {
        Some(&mut self.accounts.get_mut(user)?.by_app)
    }

    /// Returns true if the app has not silenced `user` in one-to-one conversations.
    pub(crate) fn may_write(&self, now: Now, user: &UserId) -> bool {
        self.by_app(user)
            .is_none_or(|by_app| by_app.silent_to_users <= now.unix_secs())
    }

    /// Returns true if the app has not silenced `user` in groups.
    pub(crate) fn may_write_in_groups(&self, now: Now, user: &UserId) -> bool {
        self.by_app(user)
            .is_none_or(|by_app| by_app.silent_in_groups <= now.unix_secs())
    }

    /// All accounts, ordered by UserID.
    pub(crate) fn users(&self) -> impl Iterator<Item = &UserId> {
        self.accounts.keys()
    }
}
