//! A message as bots see it, wherever it was said.

use super::group::{Body, GroupInfo, GroupItem, Mention};
use super::tip::{GroupTip, SystemNotice};
use super::{C2cItem, Element, name};
use crate::answer::Sent;
use crate::id::UserId;
use std::fmt;

/// The UserID that the server speaks as.
pub const SYSTEM: &str = "@TIM#SYSTEM";

/// What makes two copies of a message one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct C2cKey {
    /// The true sender.
    pub from: Box<str>,
    /// The true receiver: a UserID, or a group.
    pub to: Box<str>,
    /// `MsgSeq`
    pub seq: u32,
    /// `MsgRandom`
    pub random: u32,
    /// Server time in Unix seconds. Part of the key: one second off is another message.
    pub time: u64,
}

/// Which conversation something belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Conversation {
    /// One to one, named by the other side's UserID.
    C2c(Box<str>),
    /// A group, named by its GroupID, or a topic of a community, named by its TopicID.
    Group(Box<str>),
    /// What the server says.
    System,
}

impl Conversation {
    /// The one-to-one conversation with a user.
    pub fn c2c(user: impl Into<Box<str>>) -> Self {
        Self::C2c(user.into())
    }

    /// The group of this GroupID, or the topic of this TopicID.
    pub fn group(id: impl Into<Box<str>>) -> Self {
        Self::Group(id.into())
    }

    /// The other side, or the group; [`SYSTEM`] of the server.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::C2c(name) | Self::Group(name) => name,
            Self::System => SYSTEM,
        }
    }

    /// Whether it is a group.
    #[must_use]
    pub const fn is_group(&self) -> bool {
        matches!(self, Self::Group(_))
    }
}

// There is no `From<&str>`: the UserID of one app looks like the GroupID of another.
impl From<&UserId> for Conversation {
    /// The one-to-one conversation with a user.
    fn from(user: &UserId) -> Self {
        Self::c2c(user.as_str())
    }
}

impl From<UserId> for Conversation {
    /// The one-to-one conversation with a user.
    fn from(user: UserId) -> Self {
        Self::from(&user)
    }
}

impl From<&Message> for Conversation {
    /// The conversation that the message belongs to.
    fn from(message: &Message) -> Self {
        message.conversation.clone()
    }
}

impl fmt::Display for Conversation {
    /// The conversation ID of the official client.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::C2c(peer) => write!(f, "C2C{peer}"),
            Self::Group(group) => write!(f, "GROUP{group}"),
            Self::System => f.write_str(SYSTEM),
        }
    }
}

/// A chat message as a bot sees it: accounts in their true places.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message {
    /// Where it was said.
    pub conversation: Conversation,
    /// Who said it; [`SYSTEM`] of tips and notices.
    pub from: Box<str>,
    /// To whom: a UserID, or the group.
    pub to: Box<str>,
    /// The sender's nick name, empty when unknown.
    pub nick: String,
    /// The content, at least one element in anything a client sends.
    pub elements: Vec<Element>,
    /// Free text stored with the message.
    pub cloud_custom_data: String,
    /// `MsgSeq`: of a group the server's number, in a one-to-one conversation the sender's.
    pub seq: u32,
    /// `MsgRandom`
    pub random: u32,
    /// Server time in Unix seconds.
    pub time: u64,
    /// The sender's clock in Unix seconds.
    pub client_time: Option<u64>,
    /// The sender's TinyId.
    pub tiny_id: Option<String>,
    /// This account said it, perhaps on another of its terminals.
    pub is_own: bool,
    /// Not stored by the server: typing notices and the like.
    pub online_only: bool,
    /// It was recalled before it was received.
    pub recalled: bool,
    /// The sender wants a receipt.
    pub needs_receipt: bool,
    /// How often it was edited.
    pub version: u32,
    /// Who is mentioned, in a group.
    pub mentions: Vec<Mention>,
    /// What the message says of its group and of the sender there.
    pub group: Option<Box<GroupInfo>>,
}

impl Message {
    /// Reads an item that the account `me` received.
    #[must_use]
    pub fn from_c2c(item: C2cItem, me: &str) -> Self {
        let other = item.to.unwrap_or_else(|| me.to_owned());
        // A copy of an own message names the peer as sender and me as receiver.
        let (from, to) = if item.is_sync {
            (other, item.from)
        } else {
            (item.from, other)
        };
        let is_own = from == me;
        let peer = if is_own { &to } else { &from };
        Self {
            conversation: Conversation::C2c(peer.as_str().into()),
            is_own,
            from: from.into(),
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

    /// What `me` has sent to `to`, as far as the answer tells; the sender's clock and TinyId are not
    /// known.
    #[must_use]
    pub fn sent(
        me: &str,
        to: Conversation,
        elements: Vec<Element>,
        cloud_custom_data: String,
        sent: &Sent,
    ) -> Self {
        // A one-to-one message is numbered by its sender; the answer repeats both numbers in its key.
        let mut key = sent.key.split('_').map_while(|part| part.parse().ok());
        let (seq, random) = (key.next().unwrap_or(0), key.next().unwrap_or(0));
        Self {
            from: me.into(),
            to: to.name().into(),
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

    /// Reads an item of a group that the account `me` received with event number `event` (the
    /// item's own wins). `None` when it is no message, tip or notice at all.
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
        let named = info.as_deref().map_or("", |info| info.id.as_str());
        let topic = info.as_deref().map_or("", |info| info.topic.as_str());
        let group = if !topic.is_empty() {
            topic
        } else if item.group.is_empty() {
            named
        } else {
            item.group.as_str()
        };
        let conversation = match event {
            5 => Conversation::System,
            _ if group.is_empty() => return None,
            _ => Conversation::group(group),
        };
        Some(Self {
            is_own: item.from == me,
            from: item.from.into(),
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

    /// Reads an item of the history of the group or topic `group`, which items do not always name.
    /// Otherwise as [`from_group`](Self::from_group).
    #[must_use]
    pub fn from_history(mut item: GroupItem, event: u64, group: &str, me: &str) -> Option<Self> {
        if item.group.is_empty() {
            group.clone_into(&mut item.group);
        }
        let mut message = Self::from_group(item, event, me)?;
        if message.conversation.is_group() {
            message.conversation = Conversation::group(group);
            message.to = group.into();
        }
        Some(message)
    }

    /// The first text element's text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.elements.iter().find_map(|element| match element {
            Element::Text(text) => Some(text.text.as_str()),
            _ => None,
        })
    }

    /// What happened in the group, if that is what it tells.
    #[must_use]
    pub fn tip(&self) -> Option<&GroupTip> {
        self.elements.iter().find_map(|element| match element {
            Element::GroupTip(tip) => Some(&**tip),
            _ => None,
        })
    }

    /// What the server says about a group, if that is what it is.
    #[must_use]
    pub fn notice(&self) -> Option<&SystemNotice> {
        self.elements.iter().find_map(|element| match element {
            Element::SystemNotice(notice) => Some(&**notice),
            _ => None,
        })
    }

    /// Whether `user` is mentioned, by name or as one of all.
    #[must_use]
    pub fn mentions(&self, user: &str) -> bool {
        self.mentions.iter().any(|mention| mention.means(user))
    }

    /// The ID every terminal computes alike: TinyId, sender's clock and random. `None` when the
    /// server left one of them out.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        name::id(self.tiny_id.as_deref(), self.client_time, self.random)
    }

    /// What makes two copies of it one.
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

    /// `seq_random_time`, the server's name of a one-to-one message.
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
