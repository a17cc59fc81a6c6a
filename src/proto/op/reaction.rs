//! Reactions, usually emoji, that everybody in a conversation may add to a message. See "Reactions
//! and extensions" in `docs/src/protocol.md`.

use super::{Done, MessageName};
use crate::address::GroupAddress;
use crate::id::UserId;
use crate::lenient;
use crate::message::{Conversation, MessageId, MessageRef};
use crate::op::Limit;
use serde::de::IgnoredAny;
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::ops::Deref;

/// The maximum number of messages per request.
pub const MAX_MESSAGES: usize = 20;
/// The number of users listed with each reaction. The other users are only counted.
pub const NAMED: u32 = 10;
/// The maximum number of users per page of [`GetUsers`].
pub const PAGE: u32 = 100;

/// Adds a reaction to a message, or removes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct React {
    /// The message.
    #[serde(flatten)]
    pub message: MessageName,
    /// The reaction.
    #[serde(rename = "Reaction", default, deserialize_with = "lenient::string")]
    pub reaction: String,
    /// The users whose reaction is added. Clients name this account, and the REST API may name
    /// others.
    #[serde(
        rename = "Add_Account",
        default,
        deserialize_with = "lenient::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub add: Vec<String>,
    /// The users whose reaction is removed.
    #[serde(
        rename = "Del_Account",
        default,
        deserialize_with = "lenient::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub remove: Vec<String>,
}

impl React {
    /// Adds `reaction` of the account `me` to the message.
    pub fn add(message: MessageName, reaction: impl Into<String>, me: impl Into<String>) -> Self {
        Self {
            message,
            reaction: reaction.into(),
            add: vec![me.into()],
            remove: Vec::new(),
        }
    }

    /// Removes `reaction` of the account `me` from the message.
    pub fn remove(
        message: MessageName,
        reaction: impl Into<String>,
        me: impl Into<String>,
    ) -> Self {
        Self {
            message,
            reaction: reaction.into(),
            add: Vec::new(),
            remove: vec![me.into()],
        }
    }
}

impl super::Call for React {
    type Answer = Done;
    const LIMIT: Limit = Limit::NONE;

    fn servcmd(&self) -> Cow<'static, str> {
        if self.remove.is_empty() {
            self.message.servcmd(
                "openim_msg_ext_http_svc.reaction_add",
                "openim_msg_ext_http_svc.group_reaction_add",
            )
        } else {
            self.message.servcmd(
                "openim_msg_ext_http_svc.reaction_del",
                "openim_msg_ext_http_svc.group_reaction_del",
            )
        }
    }
}

/// Requests the reactions to some messages of one conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetReactions {
    /// The messages.
    #[serde(flatten)]
    pub messages: Messages,
    /// The number of users to list with each reaction; `None` lets the service decide.
    #[serde(rename = "Count", default, deserialize_with = "lenient::opt_int")]
    pub named: Option<u32>,
}

/// Messages of one conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged, from = "MessagesFields")]
pub enum Messages {
    /// Messages of a one-to-one conversation.
    C2c {
        /// One user of the conversation.
        #[serde(rename = "From_Account")]
        from: String,
        /// The other user.
        #[serde(rename = "To_Account")]
        to: String,
        /// The keys of the messages.
        #[serde(rename = "MsgKeyList")]
        keys: Vec<String>,
    },
    /// Messages of a group.
    Group {
        /// The group, or the topic.
        #[serde(flatten)]
        group: GroupAddress,
        /// The sequence numbers of the messages.
        #[serde(rename = "MsgSeqList")]
        seqs: Vec<u32>,
    },
}

#[derive(Deserialize)]
struct MessagesFields {
    #[serde(flatten)]
    group: Option<GroupAddress>,
    #[serde(
        rename = "MsgSeqList",
        default,
        deserialize_with = "lenient::flat_list"
    )]
    seqs: Vec<SeqItem>,
    #[serde(rename = "From_Account", default, deserialize_with = "lenient::string")]
    from: String,
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    to: String,
    #[serde(
        rename = "MsgKeyList",
        default,
        deserialize_with = "lenient::flat_list"
    )]
    keys: Vec<String>,
}

/// The sequence number of a message. One generation of clients wraps it in an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum SeqItem {
    Number(u32),
    Object {
        #[serde(rename = "MsgSeq")]
        seq: u32,
    },
}

impl SeqItem {
    const fn seq(self) -> u32 {
        match self {
            Self::Number(seq) | Self::Object { seq } => seq,
        }
    }
}

impl From<MessagesFields> for Messages {
    /// The group fields take precedence, because clients also send account fields with them.
    fn from(fields: MessagesFields) -> Self {
        match fields.group {
            Some(group) => Self::Group {
                group,
                seqs: fields.seqs.into_iter().map(SeqItem::seq).collect(),
            },
            None => Self::C2c {
                from: fields.from,
                to: fields.to,
                keys: fields.keys,
            },
        }
    }
}

impl GetReactions {
    /// Identifies these messages, which must be of one conversation of the account `me`. Returns `None` if
    /// there are none, or if they are from the server.
    #[must_use]
    pub fn new(me: &str, messages: &[MessageId]) -> Option<Self> {
        let first = messages.first()?;
        let messages = match first.conversation() {
            Conversation::C2c(_) => {
                let (from, to) = first.sides(me);
                Messages::C2c {
                    from: from.to_owned(),
                    to: to.to_owned(),
                    keys: messages.iter().map(MessageId::server_key).collect(),
                }
            }
            Conversation::Group(group) => Messages::Group {
                group: GroupAddress::new(&**group),
                seqs: messages.iter().map(MessageId::seq).collect(),
            },
            Conversation::System => return None,
        };
        Some(Self {
            messages,
            named: Some(NAMED),
        })
    }
}

impl super::Call for GetReactions {
    type Answer = Reactions;
    const LIMIT: Limit = Limit::NONE;

    fn servcmd(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self.messages {
            Messages::C2c { .. } => "openim_msg_ext_http_svc.reaction_multi_stat",
            Messages::Group { .. } => "openim_msg_ext_http_svc.group_reaction_multi_stat",
        })
    }
}

/// The answer to [`GetReactions`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reactions {
    /// One entry for each message that was found.
    #[serde(rename = "Results", default, deserialize_with = "lenient::list")]
    pub results: Vec<OfMessage>,
}

/// The reactions to one message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfMessage {
    /// The key of a one-to-one message.
    #[serde(
        rename = "MsgKey",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub key: String,
    /// The sequence number of a group message.
    #[serde(
        rename = "MsgSeq",
        default,
        deserialize_with = "lenient::int",
        skip_serializing_if = "is_zero"
    )]
    pub seq: u32,
    /// The reactions.
    #[serde(flatten)]
    pub reactions: Summary,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(seq: &u32) -> bool {
    *seq == 0
}

/// A list of reactions. It is sent under two names, because two generations of clients read
/// different ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary(pub Vec<Reaction>);

impl Deref for Summary {
    type Target = [Reaction];

    fn deref(&self) -> &[Reaction] {
        &self.0
    }
}

#[derive(Deserialize)]
struct SummaryFields {
    #[serde(
        rename = "MsgReactionSummary",
        default,
        deserialize_with = "lenient::flat_list"
    )]
    reactions: Vec<Reaction>,
    #[serde(rename = "ReactionList", default)]
    _same: IgnoredAny,
}

impl<'de> Deserialize<'de> for Summary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SummaryFields::deserialize(deserializer).map(|fields| Self(fields.reactions))
    }
}

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("MsgReactionSummary", &self.0)?;
        map.serialize_entry("ReactionList", &self.0)?;
        map.end()
    }
}

impl Reactions {
    /// Returns the reactions to `message`; none if the server left it out.
    #[must_use]
    pub fn to(&self, message: &MessageId) -> &[Reaction] {
        let is_it = |result: &&OfMessage| {
            if message.conversation().is_group() {
                result.seq == message.seq()
            } else {
                result.key == message.server_key()
            }
        };
        let result = self.results.iter().find(is_it);
        result.map_or(&[], |result| result.reactions.0.as_slice())
    }
}

/// One reaction to one message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reaction {
    /// The reaction.
    #[serde(rename = "Reaction", default, deserialize_with = "lenient::string")]
    pub name: String,
    /// The number of users with this reaction.
    #[serde(rename = "Count", default, deserialize_with = "lenient::int")]
    pub count: u32,
    /// Some of the users.
    #[serde(
        rename = "Reaction_Account",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub users: Vec<UserId>,
    /// Whether this account has this reaction. `None` in pushes, which are the same for all users.
    #[serde(
        rename = "ReactedByMe",
        default,
        deserialize_with = "lenient::opt_flag",
        serialize_with = "lenient::as_number",
        skip_serializing_if = "Option::is_none"
    )]
    pub by_me: Option<bool>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Push: the reactions to a message have changed. Everybody in the conversation receives it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReactionChange {
    /// The message, in a one-to-one conversation.
    #[serde(
        rename = "C2CMsgInfo",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub c2c: Option<MessageRef>,
    /// The message, in a group.
    #[serde(
        rename = "GroupMsgInfo",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub group: Option<MessageRef>,
    /// The current state of the changed reactions. A reaction that no user has any more has a count
    /// of zero.
    #[serde(flatten)]
    pub reactions: Summary,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ReactionChange {
    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> Option<&MessageRef> {
        self.c2c.as_ref().or(self.group.as_ref())
    }
}

/// Push: this account has added or removed a reaction on another of its terminals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OwnReaction {
    /// The message, in a one-to-one conversation.
    #[serde(
        rename = "C2CMsgInfo",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub c2c: Option<MessageRef>,
    /// The message, in a group.
    #[serde(
        rename = "GroupMsgInfo",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub group: Option<MessageRef>,
    /// The reaction.
    #[serde(rename = "Reaction", default, deserialize_with = "lenient::string")]
    pub name: String,
    /// 1 for an added reaction, any other value for a removed one.
    #[serde(rename = "OperateType", default, deserialize_with = "lenient::int")]
    pub what: u32,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl OwnReaction {
    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> Option<&MessageRef> {
        self.c2c.as_ref().or(self.group.as_ref())
    }

    /// Returns whether the reaction was added.
    #[must_use]
    pub const fn is_added(&self) -> bool {
        self.what == 1
    }
}

/// Requests the users with a given reaction to a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetUsers {
    /// The message.
    #[serde(flatten)]
    pub message: MessageName,
    /// The reaction.
    #[serde(rename = "Reaction", default, deserialize_with = "lenient::string")]
    pub reaction: String,
    /// The start of the page; zero for the first page.
    #[serde(rename = "NextSeq", default, deserialize_with = "lenient::int")]
    pub from: u64,
    /// The maximum number of users; zero lets the service decide.
    #[serde(rename = "Count", default, deserialize_with = "lenient::int")]
    pub count: u32,
}

impl GetUsers {
    /// Requests a page of the users. `from` is zero for the first page, and then the value from the
    /// preceding answer.
    pub fn new(message: MessageName, reaction: impl Into<String>, from: u64) -> Self {
        Self {
            message,
            reaction: reaction.into(),
            from,
            count: PAGE,
        }
    }
}

impl super::Call for GetUsers {
    type Answer = Users;
    const LIMIT: Limit = Limit::NONE;

    fn servcmd(&self) -> Cow<'static, str> {
        self.message.servcmd(
            "openim_msg_ext_http_svc.reaction_iterate",
            "openim_msg_ext_http_svc.group_reaction_iterate",
        )
    }
}

/// The answer to [`GetUsers`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Users {
    /// The users.
    #[serde(
        rename = "Reaction_Account",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub users: Vec<UserId>,
    /// The start of the next page; zero after the last page.
    #[serde(rename = "NextSeq", default, deserialize_with = "lenient::int")]
    pub next: u64,
}
