//! Requests about messages, groups and people, and their answers. Each file covers one feature, and
//! each command has one type with the field names of the wire. See "Envelope" in
//! `docs/src/protocol.md`; each file names the section of its feature.
//!
//! A request names its command in [`Call::servcmd`] and its rate limit in [`Call::LIMIT`]. An
//! account sends it with `AccountHandle::call`. Bots use `Api`, which builds requests, checks
//! limits and pages through lists.
//!
//! Answers are parsed leniently: missing fields take their defaults, invalid list entries are
//! skipped, and public objects keep unknown fields in `extra`.

use crate::address::GroupAddress;
use crate::id::{SdkAppId, UserId};
use crate::lenient;
use crate::message::{Conversation, MessageId};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize as Read, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A request and the type of its answer. Implement this trait for a command that this crate does
/// not provide, and send the command like all others.
pub trait Call: Serialize {
    /// The answer.
    type Answer: DeserializeOwned;

    /// The rate limit of the service; [`Limit::NONE`] if it is unknown.
    const LIMIT: Limit;

    /// Returns the command: `<service>.<command>`.
    fn servcmd(&self) -> Cow<'static, str>;
}

/// Implements [`Call`] for requests with a fixed command.
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

/// Implements [`Call`] for requests about a group. Their field `group` determines the service.
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

/// Identifies the message of a request, for services that store data with messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Read)]
#[serde(untagged, try_from = "NameFields")]
pub enum MessageName {
    /// A one-to-one message.
    C2c {
        /// The sender.
        #[serde(rename = "From_Account")]
        from: String,
        /// The receiver.
        #[serde(rename = "To_Account")]
        to: String,
        /// `seq_random_time`
        #[serde(rename = "MsgKey")]
        key: String,
    },
    /// A group message.
    Group {
        /// The group.
        #[serde(flatten)]
        group: GroupAddress,
        /// The sequence number.
        #[serde(rename = "MsgSeq")]
        seq: u32,
    },
}

/// All fields with which requests identify messages, in any combination.
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

    /// The group fields take precedence, because clients also send account fields with them.
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
    /// Identifies a message in a conversation of the account `me`. Returns `None` for a message without a
    /// conversation, from the server.
    #[must_use]
    pub fn of(message: &MessageId, me: &str) -> Option<Self> {
        match message.conversation() {
            Conversation::C2c(_) => {
                let (from, to) = message.sides(me);
                Some(Self::C2c {
                    from: from.to_owned(),
                    to: to.to_owned(),
                    key: message.server_key(),
                })
            }
            Conversation::Group(group) => Some(Self::Group {
                group: GroupAddress::new(&**group),
                seq: message.seq(),
            }),
            Conversation::System => None,
        }
    }

    /// Selects one of two commands by the kind of the message.
    const fn servcmd(&self, c2c: &'static str, group: &'static str) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::C2c { .. } => c2c,
            Self::Group { .. } => group,
        })
    }
}

/// An answer without content.
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

/// The result for one entry of a request about several entries.
#[derive(Clone, Debug, Default, PartialEq, Read, Serialize)]
pub struct ItemResult {
    /// The user; empty if the entry is not about a user.
    #[serde(
        rename = "To_Account",
        alias = "Peer_Account",
        alias = "Member_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    pub user: UserId,
    /// The error code; zero means success.
    #[serde(
        rename = "ResultCode",
        alias = "RetCode",
        alias = "ErrorCode",
        alias = "Code",
        default,
        deserialize_with = "lenient::int"
    )]
    pub code: i64,
    /// The error text of the server.
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
    /// Returns whether the entry succeeded.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.code == 0
    }
}

/// Identifies a conversation in requests about several conversations. The name of the GroupID field
/// differs between these requests.
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

/// The name of the GroupID field of a [`Contact`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupField {
    /// `GroupId`: for pinning.
    GroupId,
    /// `ToGroupId`: for marks and conversation groups.
    ToGroupId,
    /// `ToGroupid`: for deletion.
    ToGroupid,
}

impl Contact {
    /// Identifies `conversation`. Returns `None` for the server's own conversation, which requests
    /// cannot name.
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

/// The maximum number of pages that are fetched of one list. It protects a bot from a server that
/// never ends the list.
pub const MAX_PAGES: usize = 100;

/// The results for several users.
#[derive(Clone, Debug, Default, Read, Serialize)]
pub struct UserResults {
    /// One per user.
    #[serde(rename = "ResultItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<ItemResult>,
}

/// The result of a third-party service (translation, speech) behind the service that answers. The
/// code of the answer itself stays 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Read)]
pub struct Outcome {
    /// The error code; zero means success.
    #[serde(rename = "ErrorCode", default, deserialize_with = "lenient::int")]
    pub code: i64,
    /// The error text.
    #[serde(rename = "ErrorInfo", default, deserialize_with = "lenient::string")]
    pub info: String,
}

/// Adds the fields that describe the sending login to the body of a request. Only a session knows
/// these values. Returns `None` for a command without such fields (nearly all), or if the body is
/// not an object. Existing fields remain.
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
