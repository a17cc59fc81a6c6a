//! Reactions: what anybody in a conversation may put under a message, an emoji as a rule.

use super::{Done, MessageName};
use crate::address::GroupAddress;
use crate::lenient;
use crate::message::{Conversation, Message, MessageRef};
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Messages whose reactions one request may be about.
pub const MAX_MESSAGES: usize = 20;
/// Users named with each reaction of a message; the rest are counted only.
pub const NAMED: u32 = 10;
/// Users that one page of [`GetUsers`] holds.
pub const PAGE: u32 = 100;

/// Puts a reaction under a message, or takes the own one away.
#[derive(Clone, Debug, Serialize)]
pub struct React {
    #[serde(flatten)]
    message: MessageName,
    #[serde(rename = "Reaction")]
    reaction: String,
    #[serde(rename = "Add_Account", skip_serializing_if = "Vec::is_empty")]
    add: Vec<String>,
    #[serde(rename = "Del_Account", skip_serializing_if = "Vec::is_empty")]
    remove: Vec<String>,
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
#[derive(Clone, Debug, Serialize)]
pub struct GetReactions {
    #[serde(flatten)]
    messages: Messages,
    #[serde(rename = "Count")]
    named: u32,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Messages {
    C2c {
        #[serde(rename = "From_Account")]
        from: String,
        #[serde(rename = "To_Account")]
        to: String,
        #[serde(rename = "MsgKeyList")]
        keys: Vec<String>,
    },
    Group {
        #[serde(flatten)]
        group: GroupAddress,
        #[serde(rename = "MsgSeqList")]
        seqs: Vec<u32>,
    },
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
            named: NAMED,
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
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Reactions {
    #[serde(rename = "Results", default, deserialize_with = "lenient::list")]
    results: Vec<OfMessage>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
struct OfMessage {
    #[serde(rename = "MsgKey", default, deserialize_with = "lenient::string")]
    key: String,
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    seq: u32,
    #[serde(
        rename = "MsgReactionSummary",
        default,
        deserialize_with = "lenient::list"
    )]
    reactions: Vec<Reaction>,
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
        result.map_or(&[], |result| result.reactions.as_slice())
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
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub users: Vec<String>,
    /// This account did. Only answers tell; pushes are the same for everybody.
    #[serde(rename = "ReactedByMe", default, deserialize_with = "lenient::flag")]
    pub by_me: bool,
    /// Fields this crate does not know.
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
    #[serde(
        rename = "MsgReactionSummary",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub reactions: Vec<Reaction>,
    /// Fields this crate does not know.
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
    /// Fields this crate does not know.
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
#[derive(Clone, Debug, Serialize)]
pub struct GetUsers {
    #[serde(flatten)]
    message: MessageName,
    #[serde(rename = "Reaction")]
    reaction: String,
    #[serde(rename = "NextSeq")]
    from: u64,
    #[serde(rename = "Count")]
    count: u32,
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
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
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
