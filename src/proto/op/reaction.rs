//! Reactions: what anybody in a conversation may put under a message, an emoji as a rule.

use super::{Done, MessageName};
use crate::address::GroupAddress;
use crate::lenient;
use crate::message::{Conversation, Message, MessageRef};
use crate::op::Limit;
use serde::de::IgnoredAny;
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::ops::Deref;

/// Messages whose reactions one request may be about.
pub const MAX_MESSAGES: usize = 20;
/// Users named with each reaction of a message; the rest are counted only.
pub const NAMED: u32 = 10;
/// Users that one page of [`GetUsers`] holds.
pub const PAGE: u32 = 100;

/// Puts a reaction under a message, or takes the own one away.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct React {
    /// The message.
    #[serde(flatten)]
    pub message: MessageName,
    /// The reaction.
    #[serde(rename = "Reaction", default, deserialize_with = "lenient::string")]
    pub reaction: String,
    /// Those whose reaction is added: this account, other than by the app.
    #[serde(
        rename = "Add_Account",
        default,
        deserialize_with = "lenient::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub add: Vec<String>,
    /// Those whose reaction is taken away.
    #[serde(
        rename = "Del_Account",
        default,
        deserialize_with = "lenient::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub remove: Vec<String>,
}

impl React {
    /// Puts `reaction` of the account `me` under the message.
    pub fn add(message: MessageName, reaction: impl Into<String>, me: impl Into<String>) -> Self {
        Self {
            message,
            reaction: reaction.into(),
            add: vec![me.into()],
            remove: Vec::new(),
        }
    }

    /// Takes `reaction` of the account `me` away.
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

/// Asks for the reactions to some messages of one conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetReactions {
    /// The messages.
    #[serde(flatten)]
    pub messages: Messages,
    /// How many users to name with each reaction; the service decides if it is not said.
    #[serde(rename = "Count", default, deserialize_with = "lenient::opt_int")]
    pub named: Option<u32>,
}

/// Messages of one conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged, from = "MessagesFields")]
pub enum Messages {
    /// Of a one-to-one conversation.
    C2c {
        /// One side.
        #[serde(rename = "From_Account")]
        from: String,
        /// The other side.
        #[serde(rename = "To_Account")]
        to: String,
        /// The keys of the messages.
        #[serde(rename = "MsgKeyList")]
        keys: Vec<String>,
    },
    /// Of a group.
    Group {
        /// The group, or the topic.
        #[serde(flatten)]
        group: GroupAddress,
        /// The numbers of the messages.
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

/// The number of a message. One generation of clients puts it into an object.
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
    /// A group decides: clients name accounts beside it.
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
    /// Of these messages, which have to be of one conversation. `None` when there is none, or they
    /// are the server's.
    #[must_use]
    pub fn new(messages: &[Message]) -> Option<Self> {
        let first = messages.first()?;
        let messages = match &first.conversation {
            Conversation::C2c(_) => Messages::C2c {
                from: first.from.to_string(),
                to: first.to.to_string(),
                keys: messages.iter().map(Message::server_key).collect(),
            },
            Conversation::Group(group) => Messages::Group {
                group: GroupAddress::new(&**group),
                seqs: messages.iter().map(|message| message.seq).collect(),
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
    /// One for each message that was found.
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
    /// The number of a group message.
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

/// A list of reactions. It travels under two names, because two generations of clients read two.
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
    /// Those to `message`; none when the server left it out.
    #[must_use]
    pub fn to(&self, message: &Message) -> &[Reaction] {
        let is_it = |result: &&OfMessage| {
            if message.conversation.is_group() {
                result.seq == message.seq
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
    /// How many reacted so.
    #[serde(rename = "Count", default, deserialize_with = "lenient::int")]
    pub count: u32,
    /// Some of them.
    #[serde(
        rename = "Reaction_Account",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub users: Vec<String>,
    /// Whether this account did. `None` in pushes, which are the same for everybody.
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

/// The reactions to a message have changed, as it is pushed to everybody in the conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReactionChange {
    /// The message, of a one-to-one conversation.
    #[serde(
        rename = "C2CMsgInfo",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub c2c: Option<MessageRef>,
    /// The message, of a group.
    #[serde(
        rename = "GroupMsgInfo",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub group: Option<MessageRef>,
    /// Those that changed, as they are now; one that nobody holds up any more has a count of zero.
    #[serde(flatten)]
    pub reactions: Summary,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ReactionChange {
    /// The message.
    #[must_use]
    pub fn message(&self) -> Option<&MessageRef> {
        self.c2c.as_ref().or(self.group.as_ref())
    }
}

/// This account has reacted on another of its terminals, or taken a reaction away.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OwnReaction {
    /// The message, of a one-to-one conversation.
    #[serde(
        rename = "C2CMsgInfo",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub c2c: Option<MessageRef>,
    /// The message, of a group.
    #[serde(
        rename = "GroupMsgInfo",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub group: Option<MessageRef>,
    /// The reaction.
    #[serde(rename = "Reaction", default, deserialize_with = "lenient::string")]
    pub name: String,
    /// 1: it was put there; anything else: it was taken away.
    #[serde(rename = "OperateType", default, deserialize_with = "lenient::int")]
    pub what: u32,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl OwnReaction {
    /// The message.
    #[must_use]
    pub fn message(&self) -> Option<&MessageRef> {
        self.c2c.as_ref().or(self.group.as_ref())
    }

    /// Whether the reaction was put there.
    #[must_use]
    pub const fn is_added(&self) -> bool {
        self.what == 1
    }
}

/// Asks who has reacted so to a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetUsers {
    /// The message.
    #[serde(flatten)]
    pub message: MessageName,
    /// The reaction.
    #[serde(rename = "Reaction", default, deserialize_with = "lenient::string")]
    pub reaction: String,
    /// Where the page begins; zero to begin.
    #[serde(rename = "NextSeq", default, deserialize_with = "lenient::int")]
    pub from: u64,
    /// How many users to name; zero for as many as the service likes.
    #[serde(rename = "Count", default, deserialize_with = "lenient::int")]
    pub count: u32,
}

impl GetUsers {
    /// A page of those who have; `from` is zero to begin, then what the page before said.
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
    pub users: Vec<String>,
    /// Where the next page begins; zero when this is the last.
    #[serde(rename = "NextSeq", default, deserialize_with = "lenient::int")]
    pub next: u64,
}
