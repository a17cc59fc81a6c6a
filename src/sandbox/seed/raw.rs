//! The TOML form of a seed.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};
use toml::Spanned;

use crate::proto::id::{IdError, UserId, valid_user};

/// A UserID that an account may have.
#[derive(Debug, Deserialize)]
#[serde(try_from = "UserId")]
pub(super) struct Name(pub(super) UserId);

impl TryFrom<UserId> for Name {
    type Error = IdError;

    fn try_from(id: UserId) -> Result<Self, IdError> {
        id.check()?;
        Ok(Self(id))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contents {
    #[serde(default)]
    pub(super) users: Vec<User>,
    #[serde(default)]
    pub(super) groups: Vec<Group>,
    #[serde(default)]
    pub(super) history: Vec<Message>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub(super) id: Spanned<Name>,
    pub(super) nick: Option<Spanned<String>>,
    pub(super) avatar: Option<Spanned<String>>,
    pub(super) signature: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) custom: BTreeMap<String, Spanned<toml::Value>>,
    #[serde(default)]
    pub(super) friends: Vec<Spanned<OrTable<Friend>>>,
    #[serde(default)]
    pub(super) blacklist: Vec<Spanned<Name>>,
    #[serde(default)]
    pub(super) conversations: Vec<Spanned<Conversation>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Conversation {
    pub(super) to: Option<Name>,
    pub(super) group: Option<String>,
    #[serde(default)]
    pub(super) pinned: bool,
    #[serde(default)]
    pub(super) muted: bool,
    #[serde(default)]
    pub(super) marks: Vec<Mark>,
    pub(super) custom_mark: Option<String>,
}

/// The marks known to clients; the number is the bit.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mark {
    Star = 0,
    Unread = 1,
    Fold = 2,
    Hide = 3,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Friend {
    #[serde(deserialize_with = "valid_user")]
    pub(super) id: UserId,
    #[serde(default)]
    pub(super) remark: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) id: Spanned<String>,
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) name: Spanned<String>,
    pub(super) owner: Option<Spanned<OrTable<Owner>>>,
    pub(super) join: Option<Spanned<Join>>,
    pub(super) introduction: Option<Spanned<String>>,
    pub(super) notification: Option<Spanned<String>>,
    pub(super) avatar: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub(super) members: Vec<Spanned<OrTable<Member>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Kind {
    Work,
    Public,
    Meeting,
    #[serde(rename = "AVChatRoom")]
    Live,
    Community,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) enum Join {
    FreeAccess,
    NeedPermission,
    DisableApply,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Member {
    #[serde(deserialize_with = "valid_user")]
    pub(super) id: UserId,
    #[serde(default)]
    pub(super) role: Role,
    pub(super) name_card: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Owner {
    #[serde(deserialize_with = "valid_user")]
    pub(super) id: UserId,
    pub(super) name_card: Option<String>,
}

/// Written in lower case, sent to the group calls in the spelling of the service.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "lowercase"))]
pub(super) enum Role {
    #[default]
    Member,
    Admin,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    pub(super) from: Spanned<Name>,
    pub(super) to: Option<Spanned<Name>>,
    pub(super) group: Option<Spanned<String>>,
    pub(super) text: Option<Spanned<String>>,
    pub(super) body: Option<Spanned<toml::Value>>,
    pub(super) at: Option<Spanned<toml::Value>>,
    #[serde(default)]
    pub(super) read: bool,
}

/// A table, or only the UserID.
#[derive(Debug)]
pub(super) struct OrTable<T>(pub(super) T);

impl From<UserId> for Friend {
    fn from(id: UserId) -> Self {
        let remark = String::new();
        Self { id, remark }
    }
}

impl From<UserId> for Member {
    fn from(id: UserId) -> Self {
        Self {
            id,
            role: Role::Member,
            name_card: None,
        }
    }
}

impl From<UserId> for Owner {
    fn from(id: UserId) -> Self {
        Self {
            id,
            name_card: None,
        }
    }
}

impl<'de, T: Deserialize<'de> + From<UserId>> Deserialize<'de> for OrTable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrTable(PhantomData))
    }
}

struct TextOrTable<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + From<UserId>> Visitor<'de> for TextOrTable<T> {
    type Value = OrTable<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a UserID, or a table with an id")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let id = UserId::parse(text).map_err(E::custom)?;
        Ok(OrTable(id.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(OrTable)
    }
}
