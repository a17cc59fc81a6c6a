//! Requests about messages, groups and people, and their answers: one file per feature, one type per command,
//! with the names of the wire.
//!
//! A request names its command in [`Call::servcmd`] and its rate limit in [`Call::LIMIT`]. An account sends it with
//! `AccountHandle::call`; bots have `Api`, which fills requests in, checks limits and pages through lists.
//!
//! Answers are read leniently: missing fields take their defaults, an unreadable entry of a list is left out, and
//! objects that are handed on keep unknown fields in `extra`.

use crate::address::GroupAddress;
use crate::id::SdkAppId;
use crate::lenient;
use crate::message::{Conversation, Message};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize as Read, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A request and what answers it. Implement it for a command this crate does not have, and it can be
/// made like every other.
pub trait Call: Serialize {
    /// The answer.
    type Answer: DeserializeOwned;

    /// How often the service takes it; [`Limit::NONE`] if no limit is known.
    const LIMIT: Limit;

    /// Where it goes: `<service>.<command>`.
    fn servcmd(&self) -> Cow<'static, str>;
}

/// Requests whose command never changes.
macro_rules! calls {
    ($($request:ty => $servcmd:literal -> $answer:ty, $limit:expr;)*) => {$(
        impl $crate::op::Call for $request {
            type Answer = $answer;
            const LIMIT: $crate::op::Limit = $limit;

            fn servcmd(&self) -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed($servcmd)
            }
        }
    )*};
}

/// Requests about the group in their field `group`, which decides the service.
macro_rules! group_calls {
    ($($request:ty => $command:literal -> $answer:ty, $limit:expr;)*) => {$(
        impl $crate::op::Call for $request {
            type Answer = $answer;
            const LIMIT: $crate::op::Limit = $limit;

            fn servcmd(&self) -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(if $crate::address::is_community(self.group.as_ref()) {
                    concat!("million_group_open_http_svc.", $command)
                } else {
                    concat!("group_open_http_svc.", $command)
                })
            }
        }
    )*};
}

pub mod blacklist;
pub mod c2c_message;
pub mod conversation;
pub mod conversation_group;
pub mod extension;
pub mod follow;
pub mod friend;
pub mod group;
pub mod group_application;
pub mod group_attribute;
pub mod group_counter;
pub mod group_member;
pub mod group_message;
pub mod group_profile;
mod limit;
pub mod live_room;
pub mod media;
pub mod merger;
pub mod pin;
pub mod profile;
pub mod reaction;
pub mod receipt;
pub mod receive_option;
pub mod search;
pub mod speech;
pub mod topic;
pub mod translation;
pub mod user_status;

#[cfg(test)]
mod tests;

pub use limit::Limit;

/// The message that a request is about, for services that keep something with messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Read)]
#[serde(untagged, try_from = "NameFields")]
pub enum MessageName {
    /// A one-to-one message.
    C2c {
        /// Who said it.
        #[serde(rename = "From_Account")]
        from: String,
        /// To whom.
        #[serde(rename = "To_Account")]
        to: String,
        /// `seq_random_time`
        #[serde(rename = "MsgKey")]
        key: String,
    },
    /// A group message.
    Group {
        /// Where.
        #[serde(flatten)]
        group: GroupAddress,
        /// Its number.
        #[serde(rename = "MsgSeq")]
        seq: u32,
    },
}

/// The fields by which requests name messages, as they may come.
#[derive(Default, Read)]
struct NameFields {
    #[serde(flatten)]
    group: Option<GroupAddress>,
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::opt_int")]
    seq: Option<u32>,
    #[serde(
        rename = "From_Account",
        default,
        deserialize_with = "lenient::opt_string"
    )]
    from: Option<String>,
    #[serde(
        rename = "To_Account",
        default,
        deserialize_with = "lenient::opt_string"
    )]
    to: Option<String>,
    #[serde(rename = "MsgKey", default, deserialize_with = "lenient::opt_string")]
    key: Option<String>,
}

impl TryFrom<NameFields> for MessageName {
    type Error = &'static str;

    /// A group decides: clients name accounts beside it.
    fn try_from(fields: NameFields) -> Result<Self, Self::Error> {
        if let Some(group) = fields.group {
            let seq = fields.seq.ok_or("no MsgSeq")?;
            return Ok(Self::Group { group, seq });
        }
        Ok(Self::C2c {
            from: fields.from.ok_or("no From_Account")?,
            to: fields.to.ok_or("no To_Account")?,
            key: fields
                .key
                .filter(|key| !key.is_empty())
                .ok_or("no MsgKey")?,
        })
    }
}

impl MessageName {
    /// Names `message`; `None` of what the server says in no conversation.
    #[must_use]
    pub fn of(message: &Message) -> Option<Self> {
        match &message.conversation {
            Conversation::C2c(_) => Some(Self::C2c {
                from: message.from.to_string(),
                to: message.to.to_string(),
                key: message.server_key(),
            }),
            Conversation::Group(group) => Some(Self::Group {
                group: GroupAddress::new(&**group),
                seq: message.seq,
            }),
            Conversation::System => None,
        }
    }

    /// One of two commands, by the kind of the message.
    const fn servcmd(&self, c2c: &'static str, group: &'static str) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::C2c { .. } => c2c,
            Self::Group { .. } => group,
        })
    }
}

/// An answer that says nothing but yes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done;

impl Serialize for Done {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_map(Some(0))?.end()
    }
}

impl<'de> Deserialize<'de> for Done {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// What became of one entry of a request that was about several.
#[derive(Clone, Debug, Default, PartialEq, Read, Serialize)]
pub struct ItemResult {
    /// The user; empty where the entry was about something else.
    #[serde(
        rename = "To_Account",
        alias = "Peer_Account",
        alias = "Member_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    pub user: String,
    /// Zero when it went well.
    #[serde(
        rename = "ResultCode",
        alias = "RetCode",
        alias = "ErrorCode",
        alias = "Code",
        default,
        deserialize_with = "lenient::int"
    )]
    pub code: i64,
    /// The server's words.
    #[serde(
        rename = "ResultInfo",
        alias = "ErrorInfo",
        default,
        deserialize_with = "lenient::string"
    )]
    pub info: String,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ItemResult {
    /// Whether it went well.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.code == 0
    }
}

/// Names a conversation in requests about several. The group's ID is called differently in nearly
/// every one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Contact {
    #[serde(rename = "Type")]
    kind: u8,
    #[serde(rename = "To_Account", skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(rename = "GroupId", skip_serializing_if = "Option::is_none")]
    group_id: Option<String>,
    #[serde(rename = "ToGroupId", skip_serializing_if = "Option::is_none")]
    to_group_id: Option<String>,
    #[serde(rename = "ToGroupid", skip_serializing_if = "Option::is_none")]
    to_group_id_lower: Option<String>,
}

/// The name that a request has for the group of a [`Contact`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupField {
    /// `GroupId`: pinning.
    GroupId,
    /// `ToGroupId`: marking and conversation groups.
    ToGroupId,
    /// `ToGroupid`: deleting.
    ToGroupid,
}

impl Contact {
    /// Names `conversation`; `None` of the server's own, about which nothing can be asked.
    #[must_use]
    pub fn new(conversation: &Conversation, field: GroupField) -> Option<Self> {
        match conversation {
            Conversation::C2c(user) => Some(Self {
                kind: 1,
                user: Some(user.to_string()),
                ..Self::default()
            }),
            Conversation::Group(group) => {
                let group = Some(group.to_string());
                let mut contact = Self {
                    kind: 2,
                    ..Self::default()
                };
                match field {
                    GroupField::GroupId => contact.group_id = group,
                    GroupField::ToGroupId => contact.to_group_id = group,
                    GroupField::ToGroupid => contact.to_group_id_lower = group,
                }
                Some(contact)
            }
            Conversation::System => None,
        }
    }
}

/// Pages of one list at most: a server that never ends a list must not keep a bot busy for ever.
pub const MAX_PAGES: usize = 100;

/// What became of each user.
#[derive(Clone, Debug, Default, Read, Serialize)]
pub struct UserResults {
    /// One per user.
    #[serde(rename = "ResultItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<ItemResult>,
}

/// The result of a third-party service (translation, speech) behind the one that answers; the code of the
/// answer itself stays 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Read)]
pub struct Outcome {
    /// 0: well.
    #[serde(rename = "ErrorCode", default, deserialize_with = "lenient::int")]
    pub code: i64,
    /// In words.
    #[serde(rename = "ErrorInfo", default, deserialize_with = "lenient::string")]
    pub info: String,
}

/// Adds to the body of a request the fields that describe the login which sends it: only a session knows
/// them. `None` for a command without such fields (nearly all), or a body that is no object. Fields that are
/// there already stay.
pub fn of_login(servcmd: &str, body: &str, app: SdkAppId, tiny_id: &str) -> Option<String> {
    let (app_field, account_field) = match servcmd {
        translation::TRANSLATE => ("SdkAppId", Some("FromAccount")),
        speech::RECOGNISE => ("Uint32Sdkappid", None),
        _ => return None,
    };
    let mut body: Map<String, Value> = serde_json::from_str(body).ok()?;
    body.entry(app_field).or_insert_with(|| app.get().into());
    if let Some(field) = account_field {
        body.entry(field).or_insert_with(|| tiny_id.into());
    }
    Some(Value::Object(body).to_string())
}
