//! The message type that bots receive, for all kinds of conversations.

use super::group::{Body, GroupInfo, GroupItem, Mention};
use super::tip::{GroupTip, SystemNotice};
use super::{C2cItem, Element, MessageId, name};
use crate::answer::Sent;
use crate::id::{GroupId, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The UserID of the server.
pub const SYSTEM: &str = "@TIM#SYSTEM";

/// The key of a message. Two copies of a message have the same key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct C2cKey {
    /// The actual sender.
    pub from: UserId,
    /// The actual receiver: a UserID, or a GroupID.
    pub to: Arc<str>,
    /// `MsgSeq`
    pub seq: u32,
    /// `MsgRandom`
    pub random: u32,
    /// Server time in Unix seconds. Messages whose times differ by one second are different
    /// messages.
    pub time: u64,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Conversation {
    /// A one-to-one conversation, named by the UserID of the peer.
    C2c(UserId),
    /// A group, named by its GroupID, or a topic of a community, named by its TopicID.
    Group(GroupId),
    /// Messages from the server.
    System,
}

impl Conversation {
    /// Creates the one-to-one conversation with a user.
    pub fn c2c(user: impl Into<UserId>) -> Self {
        Self::C2c(user.into())
    }

    /// Creates the conversation of the group with this GroupID, or the topic with this TopicID.
    pub fn group(id: impl Into<GroupId>) -> Self {
        Self::Group(id.into())
    }

    /// Returns the UserID of the peer, the ID of the group, or [`SYSTEM`].
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::C2c(user) => user,
            Self::Group(group) => group,
            Self::System => SYSTEM,
        }
    }

    /// The [`name`](Self::name), without a copy where that is possible.
    fn shared_name(&self) -> Arc<str> {
        match self {
            Self::C2c(user) => user.clone().into(),
            Self::Group(group) => group.clone().into(),
            Self::System => SYSTEM.into(),
        }
    }

    /// Returns whether this is a group.
    #[must_use]
    pub const fn is_group(&self) -> bool {
        matches!(self, Self::Group(_))
    }
}

// There is no `From<&str>`: a UserID of one app may look like a GroupID of another.
impl From<&UserId> for Conversation {
    /// Returns the one-to-one conversation with a user.
    fn from(user: &UserId) -> Self {
        Self::C2c(user.clone())
    }
}

impl From<UserId> for Conversation {
    /// Returns the one-to-one conversation with a user.
    fn from(user: UserId) -> Self {
        Self::C2c(user)
    }
}

impl From<&GroupId> for Conversation {
    /// Returns the conversation of a group or topic.
    fn from(group: &GroupId) -> Self {
        Self::Group(group.clone())
    }
}

impl From<GroupId> for Conversation {
    /// Returns the conversation of a group or topic.
    fn from(group: GroupId) -> Self {
        Self::Group(group)
    }
}

impl From<&Message> for Conversation {
    /// Returns the conversation of the message.
    fn from(message: &Message) -> Self {
        message.conversation.clone()
    }
}

impl fmt::Display for Conversation {
    /// Writes the conversation ID of the official client.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::C2c(peer) => write!(f, "C2C{peer}"),
            Self::Group(group) => write!(f, "GROUP{group}"),
            Self::System => f.write_str(SYSTEM),
        }
    }
}

/// A chat message as a bot receives it. Sender and receiver are the actual ones.
///
/// Its JSON is that of this crate, to keep a message for later; it is not what is on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// The conversation.
    pub conversation: Conversation,
    /// The sender; [`SYSTEM`] for tips and notices.
    pub from: UserId,
    /// The receiver: a UserID, or the GroupID.
    pub to: Arc<str>,
    /// The sender's nick name, or empty if it is unknown.
    pub nick: String,
    /// The content. Every message from a client has at least one element.
    #[serde(with = "super::kept")]
    pub elements: Vec<Element>,
    /// Application data stored with the message.
    pub cloud_custom_data: String,
    /// `MsgSeq`. The server assigns it in a group, the sender in a one-to-one conversation.
    pub seq: u32,
    /// `MsgRandom`
    pub random: u32,
    /// Server time in Unix seconds.
    pub time: u64,
    /// The sender's clock in Unix seconds.
    pub client_time: Option<u64>,
    /// The sender's TinyId.
    pub tiny_id: Option<String>,
    /// Whether this account sent the message, possibly from another of its terminals.
    pub is_own: bool,
    /// Whether the server does not store the message, e.g. a typing notice.
    pub online_only: bool,
    /// Whether the message was recalled before this account received it.
    pub recalled: bool,
    /// Whether the sender asks for a read receipt.
    pub needs_receipt: bool,
    /// The number of edits.
    pub version: u32,
    /// The mentioned members, in a group.
    pub mentions: Vec<Mention>,
    /// Data about the group and the sender's membership.
    pub group: Option<Box<GroupInfo>>,
}

impl Message {
    /// Converts an item that the account `me` received.
    #[must_use]
    pub fn from_c2c(item: C2cItem, me: &str) -> Self {
        let other = item.to.unwrap_or_else(|| me.into());
        // In a copy of its own message, the sender field names the peer and the receiver field this
        // account.
        let (from, to) = if item.is_sync {
            (other, item.from)
        } else {
            (item.from, other)
        };
        let is_own = from == me;
        let peer = if is_own { to.clone() } else { from.clone() };
        Self {
            conversation: Conversation::C2c(peer),
            is_own,
            from,
            to: to.into(),
            nick: item.nick,
            elements: item.body,
            cloud_custom_data: item.cloud_custom_data,
            seq: item.seq,
            random: item.random,
            time: item.time,
            client_time: item.client_time,
            tiny_id: item.tiny_id,
            online_only: item.life_time == Some(0),
            recalled: item.flag_bits & 8 != 0,
            needs_receipt: item.needs_receipt.is_some_and(|flag| flag != 0),
            version: item.version.unwrap_or(0),
            mentions: Vec::new(),
            group: None,
        }
    }

    /// Creates the message that `me` has sent to `to` from the server's answer. The sender's clock
    /// and TinyId are unknown.
    #[must_use]
    pub fn sent(
        me: &str,
        to: Conversation,
        elements: Vec<Element>,
        cloud_custom_data: String,
        sent: &Sent,
    ) -> Self {
        // The sender numbers a one-to-one message; the key in the answer contains both numbers.
        let mut key = sent.key.split('_').map_while(|part| part.parse().ok());
        let (seq, random) = (key.next().unwrap_or(0), key.next().unwrap_or(0));
        Self {
            from: me.into(),
            to: to.shared_name(),
            nick: String::new(),
            elements,
            cloud_custom_data,
            seq: if to.is_group() { sent.seq } else { seq },
            random,
            conversation: to,
            time: sent.time,
            client_time: None,
            tiny_id: None,
            is_own: true,
            online_only: false,
            recalled: false,
            needs_receipt: false,
            version: 0,
            mentions: Vec::new(),
            group: None,
        }
    }

    /// Converts a group item that the account `me` received with event number `event`. The item's
    /// own event number takes precedence. Returns `None` if the item is not a message, tip or
    /// notice.
    #[must_use]
    pub fn from_group(item: GroupItem, event: u64, me: &str) -> Option<Self> {
        let event = item.event.unwrap_or(event);
        let elements = match (item.body, event) {
            (Body::Elements(elements), _) => elements,
            (Body::Object(body), 4 | 6) => {
                let tip: GroupTip = serde_json::from_str(body.get()).ok()?;
                vec![Element::GroupTip(Box::new(tip))]
            }
            (Body::Object(body), 5) => {
                let notice: SystemNotice = serde_json::from_str(body.get()).ok()?;
                vec![Element::SystemNotice(Box::new(notice))]
            }
            (Body::Object(_), _) => return None,
        };
        let info = item.info;
        let info_of = info.as_deref();
        let group = match info_of.map(|info| &info.topic) {
            Some(topic) if !topic.is_empty() => topic.clone(),
            _ if !item.group.is_empty() => item.group,
            _ => info_of.map(|info| info.id.clone()).unwrap_or_default(),
        };
        let conversation = match event {
            5 => Conversation::System,
            _ if group.is_empty() => return None,
            _ => Conversation::Group(group.clone()),
        };
        Some(Self {
            is_own: item.from == me,
            from: item.from,
            to: group.into(),
            conversation,
            nick: info
                .as_deref()
                .map_or_else(String::new, |info| info.nick.clone()),
            elements,
            cloud_custom_data: item.cloud_custom_data,
            seq: item.seq,
            random: item.random,
            time: item.time,
            client_time: item.client_time,
            tiny_id: item.tiny_id,
            online_only: event == 6 || item.online_only.is_some_and(|flag| flag != 0),
            recalled: item.place == Some(2),
            needs_receipt: item.needs_receipt.is_some_and(|flag| flag != 0),
            version: item.version.unwrap_or(0),
            mentions: item.mentions,
            group: info,
        })
    }

    /// Like [`from_group`](Self::from_group), for an item from the history of `group` (a group or
    /// topic). Such items do not always name their group.
    #[must_use]
    pub fn from_history(mut item: GroupItem, event: u64, group: &str, me: &str) -> Option<Self> {
        if item.group.is_empty() {
            item.group = group.into();
        }
        let mut message = Self::from_group(item, event, me)?;
        if message.conversation.is_group() {
            message.conversation = Conversation::group(group);
            message.to = message.conversation.shared_name();
        }
        Some(message)
    }

    /// Returns the text of the first text element.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.elements.iter().find_map(|element| match element {
            Element::Text(text) => Some(text.text.as_str()),
            _ => None,
        })
    }

    /// Returns the group tip, if this message is one.
    #[must_use]
    pub fn tip(&self) -> Option<&GroupTip> {
        self.elements.iter().find_map(|element| match element {
            Element::GroupTip(tip) => Some(&**tip),
            _ => None,
        })
    }

    /// Returns the system notice, if this message is one.
    #[must_use]
    pub fn notice(&self) -> Option<&SystemNotice> {
        self.elements.iter().find_map(|element| match element {
            Element::SystemNotice(notice) => Some(&**notice),
            _ => None,
        })
    }

    /// Returns whether `user` is mentioned by name or through a mention of all members.
    #[must_use]
    pub fn mentions(&self, user: &str) -> bool {
        self.mentions.iter().any(|mention| mention.means(user))
    }

    /// Returns the ID of the message: with it, an account can act on the message later.
    #[must_use]
    pub fn id(&self) -> MessageId {
        MessageId::of(self)
    }

    /// Returns the ID that every terminal computes for this message, from the sender's TinyId and
    /// clock and the random number. `None` if one of them is missing.
    #[must_use]
    pub fn terminal_id(&self) -> Option<String> {
        name::id(self.tiny_id.as_deref(), self.client_time, self.random)
    }

    /// Returns the key for de-duplication.
    #[must_use]
    pub fn key(&self) -> C2cKey {
        C2cKey {
            from: self.from.clone(),
            to: self.to.clone(),
            seq: self.seq,
            random: self.random,
            time: self.time,
        }
    }

    /// Returns `seq_random_time`, the server's key of a one-to-one message.
    #[must_use]
    pub fn server_key(&self) -> String {
        format!("{}_{}_{}", self.seq, self.random, self.time)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}:", self.from, self.to)?;
        for element in &self.elements {
            write!(f, " {element}")?;
        }
        Ok(())
    }
}
