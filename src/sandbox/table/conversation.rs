//! What accounts set for their conversations: pins, marks, conversation groups.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{proto::id::UserId, shape};

/// The most conversations with settings, per account.
const MAX_SETTINGS: usize = 1000;

/// The other end of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Contact {
    /// A user.
    Peer(UserId),
    /// A group, by its ID.
    Group(String),
}

/// What an account stores about a conversation apart from its messages.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) pinned: bool,
    /// One bit for each standard mark.
    pub(crate) marks: u64,
    pub(crate) custom_mark: String,
    groups: BTreeSet<u32>,
}

/// An account's conversation settings and conversation groups.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Contacts {
    #[serde(with = "shape::pairs")]
    settings: BTreeMap<Contact, Settings>,
    groups: BTreeMap<u32, String>,
    #[serde(deserialize_with = "shape::counter")]
    last_group: u32,
}

pub(crate) fn add(item: &mut Value, fields: impl IntoIterator<Item = (&'static str, Value)>) {
    if let Value::Object(item) = item {
        item.extend(
            fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
    }
}

impl Contact {
    /// Reads the form clients send: `Type` 1 with a user, 2 with a group under one of its names.
    pub(crate) fn parse(item: &Value) -> Option<Self> {
        let text = |field: &str| item.get(field).and_then(Value::as_str);
        match item.get("Type").and_then(Value::as_u64)? {
            1 => UserId::parse(text("To_Account")?).ok().map(Self::Peer),
            2 => [
                "ToGroupId",
                "ToGroupid",
                "GroupId",
                "ToAccount",
                "To_Account",
            ]
            .into_iter()
            .find_map(text)
            .filter(|id| !id.is_empty() && id.len() <= 128)
            .map(|id| Self::Group(id.to_owned())),
            _ => None,
        }
    }

    /// The form used in answers.
    pub(crate) fn answered(&self) -> Value {
        match self {
            Self::Peer(user) => json!({"Type": 1, "To_Account": user}),
            Self::Group(id) => json!({"Type": 2, "ToGroupId": id}),
        }
    }

    /// The form used in pushes.
    pub(crate) fn pushed(&self) -> Value {
        match self {
            Self::Peer(user) => json!({"Type": 1, "UserId": user}),
            Self::Group(id) => json!({"Type": 2, "GroupId": id}),
        }
    }
}

impl Contacts {
    /// The fields that the settings add to a listed conversation.
    pub(crate) fn fields(&self, contact: &Contact) -> [(&'static str, Value); 4] {
        let none = Settings::default();
        let settings = self.settings.get(contact).unwrap_or(&none);
        [
            ("TopFlags", u8::from(settings.pinned).into()),
            ("StandardMark", format!("{:b}", settings.marks).into()),
            ("CustomMark", (&*settings.custom_mark).into()),
            ("ContactGroupId", settings.groups.iter().copied().collect()),
        ]
    }

    pub(crate) fn item(&self, contact: &Contact) -> Value {
        let mut item = contact.answered();
        add(&mut item, self.fields(contact));
        item
    }

    /// The settings of `contact`, created if there is room.
    pub(crate) fn settings(&mut self, contact: &Contact) -> Option<&mut Settings> {
        if self.settings.len() >= MAX_SETTINGS && !self.settings.contains_key(contact) {
            return None;
        }
        Some(self.settings.entry(contact.clone()).or_default())
    }

    /// Deletes the settings of `contact`.
    pub(crate) fn forget(&mut self, contact: &Contact) {
        self.settings.remove(contact);
    }

    /// All conversations with settings, in the form of answers.
    pub(crate) fn items(&self) -> Vec<Value> {
        self.settings.keys().map(|c| self.item(c)).collect()
    }

    /// The number of conversation groups.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Creates a conversation group and returns its number.
    pub(crate) fn add_group(&mut self, name: &str) -> u32 {
        self.last_group += 1;
        self.groups.insert(self.last_group, name.to_owned());
        self.last_group
    }

    pub(crate) fn rename_group(&mut self, id: u32, name: &str) {
        self.groups.insert(id, name.to_owned());
    }

    /// Removes a conversation group; its conversations stay.
    pub(crate) fn remove_group(&mut self, id: u32) {
        self.groups.remove(&id);
        for settings in self.settings.values_mut() {
            settings.groups.remove(&id);
        }
    }

    /// Adds a conversation to a group or removes it. Returns false if there is no room for its
    /// settings.
    pub(crate) fn put(&mut self, contact: &Contact, group: u32, is_in: bool) -> bool {
        let Some(settings) = self.settings(contact) else {
            return false;
        };
        if is_in {
            settings.groups.insert(group);
        } else {
            settings.groups.remove(&group);
        }
        true
    }

    pub(crate) fn group_items(&self) -> Vec<Value> {
        let groups = self.groups.iter();
        groups
            .map(|(id, name)| json!({"GroupId": id, "GroupName": name}))
            .collect()
    }

    pub(crate) fn group_named(&self, name: &str) -> Option<u32> {
        let mut groups = self.groups.iter();
        groups.find(|(_, own)| *own == name).map(|(id, _)| *id)
    }
}
