//! One-to-one messages: recall, edit, read marks, history and deletion. See "C2C messages" in
//! `docs/src/protocol.md`.

use super::Done;
use crate::lenient;
use crate::message::{C2cItem, Element, Message, MessageId};
use crate::op::Limit;
use serde::{Deserialize, Serialize};

/// The maximum number of messages per deletion.
pub const MAX_MESSAGES: usize = 30;
/// The maximum number of messages per history page.
pub const PAGE: u32 = 15;

const READ_ALL: Limit = Limit::new("read all", 1.0, 1);
const HISTORY: Limit = Limit::new("history", 20.0, 4);

calls! {
    Recall => "openim.msgwithdraw" -> Done, Limit::NONE;
    Edit => "openim.modify_c2c_msg" -> Edited, Limit::NONE;
    ReadReport => "openim.msgreaded" -> Done, Limit::NONE;
    ReadAll => "openim.read_all_unread_msg" -> Done, READ_ALL;
    GetHistory => "openim.getroammsg" -> History, HISTORY;
    Delete => "openim.delete_c2c_msg_ramble" -> Done, Limit::NONE;
}

/// Identifies a message on the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// The sender.
    #[serde(rename = "From_Account", default, deserialize_with = "lenient::string")]
    pub from: String,
    /// The receiver.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub to: String,
    /// `MsgSeq`
    #[serde(rename = "MsgSeq", deserialize_with = "lenient::int")]
    pub seq: u32,
    /// `MsgRandom`
    #[serde(rename = "MsgRandom", deserialize_with = "lenient::int")]
    pub random: u32,
}

impl Name {
    /// Identifies a one-to-one message of the account `me`.
    pub(super) fn of(id: &MessageId, me: &str) -> Self {
        let (from, to) = id.sides(me);
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            seq: id.seq(),
            random: id.random(),
        }
    }
}

/// Recalls a message of this account. After two minutes (or the time set in the console), the
/// server rejects it with [`C2C_RECALL_WINDOW`](crate::code::Code::C2C_RECALL_WINDOW).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recall {
    /// The message.
    #[serde(rename = "MsgInfo")]
    pub info: Recalled,
}

impl Recall {
    /// Recalls a message of the account `me`.
    #[must_use]
    pub fn new(me: &str, message: &MessageId) -> Self {
        Self {
            info: Recalled {
                name: Name::of(message, me),
                time: message.time(),
            },
        }
    }
}

/// The message of a [`Recall`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recalled {
    /// The key of the message.
    #[serde(flatten)]
    pub name: Name,
    /// The time of the message in Unix seconds; zero if it is unknown.
    #[serde(rename = "MsgTimeStamp", default, deserialize_with = "lenient::int")]
    pub time: u64,
}

/// Edits a message. Both sides may edit it. The server rejects an edit of an outdated version with
/// [`C2C_EDIT_CONFLICT`](crate::code::Code::C2C_EDIT_CONFLICT); the body of that answer can be
/// parsed as [`Edited`] too.
#[derive(Clone, Debug, Serialize)]
pub struct Edit {
    #[serde(flatten)]
    name: Name,
    #[serde(rename = "MsgTime")]
    time: u64,
    #[serde(rename = "MsgVersion")]
    version: u32,
    #[serde(rename = "MsgBody", skip_serializing_if = "Option::is_none")]
    elements: Option<Vec<Element>>,
    #[serde(rename = "CloudCustomData")]
    cloud_custom_data: String,
}

impl Edit {
    /// Edits the version `version` of a message in a conversation of the account `me`. Without `elements`,
    /// the edit only changes the custom data.
    #[must_use]
    pub fn new(
        me: &str,
        message: &MessageId,
        version: u32,
        elements: Option<Vec<Element>>,
        cloud: String,
    ) -> Self {
        Self {
            name: Name::of(message, me),
            time: message.time(),
            version,
            elements,
            cloud_custom_data: cloud,
        }
    }
}

/// The content of a message after an edit.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Edited {
    /// The number of edits.
    #[serde(rename = "MsgVersion", default, deserialize_with = "lenient::int")]
    pub version: u32,
    /// The content.
    #[serde(rename = "MsgBody", default, deserialize_with = "lenient::list")]
    pub elements: Vec<Element>,
    /// Application data stored with the message.
    #[serde(
        rename = "CloudCustomData",
        default,
        deserialize_with = "lenient::string"
    )]
    pub cloud_custom_data: String,
}

/// Reports messages of a conversation as read up to a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadReport {
    /// The conversations.
    #[serde(rename = "C2CMsgReaded")]
    pub readed: Readed,
}

impl ReadReport {
    /// Reports all messages from `peer` up to `until` as read. `until` is server time in Unix
    /// seconds.
    pub fn new(peer: impl Into<String>, until: u64) -> Self {
        let item = ReadItem {
            peer: peer.into(),
            until,
            receipt: 1,
        };
        Self {
            readed: Readed {
                cookie: String::new(),
                items: vec![item],
            },
        }
    }
}

/// The conversations of a [`ReadReport`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Readed {
    /// Empty.
    #[serde(rename = "Cookie", default, deserialize_with = "lenient::string")]
    pub cookie: String,
    /// The entries, one per conversation.
    #[serde(rename = "C2CMsgReadedItem", default)]
    pub items: Vec<ReadItem>,
}

/// One conversation of a [`ReadReport`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadItem {
    /// The peer.
    #[serde(rename = "To_Account")]
    pub peer: String,
    /// The time up to which messages were read, in Unix seconds.
    #[serde(rename = "LastedMsgTime", default, deserialize_with = "lenient::int")]
    pub until: u64,
    /// Always 1.
    #[serde(rename = "Receipt", default, deserialize_with = "lenient::int")]
    pub receipt: u8,
}

/// Reports several conversations as read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadAll {
    /// 1 or absent: all one-to-one conversations are read.
    #[serde(
        rename = "C2CReadAllMsg",
        default = "one",
        deserialize_with = "lenient::int"
    )]
    pub c2c: u8,
    /// The groups, each with the sequence number up to which it was read.
    #[serde(rename = "GroupReadInfo", default, deserialize_with = "lenient::list")]
    pub groups: Vec<GroupRead>,
}

const fn one() -> u8 {
    1
}

/// One group of a [`ReadAll`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupRead {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
    /// The sequence number up to which messages were read.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
}

/// Requests a page of the history of a conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetHistory {
    /// The peer.
    #[serde(rename = "Peer_Account")]
    pub peer: String,
    /// The maximum number of messages; zero lets the service decide.
    #[serde(rename = "MaxCnt", default, deserialize_with = "lenient::int")]
    pub count: u32,
    /// The start of the page in Unix seconds; zero for the newest messages.
    #[serde(rename = "LastMsgTime", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// The key of the last message of the preceding page; empty for the first page.
    #[serde(rename = "MsgKey", default, deserialize_with = "lenient::string")]
    pub key: String,
    /// 1: include recalled messages.
    #[serde(rename = "WithRecalledMsg", default, deserialize_with = "lenient::int")]
    pub with_recalled: u8,
    /// 0 for older messages, 1 for newer ones.
    #[serde(rename = "GetDirection", default, deserialize_with = "lenient::int")]
    pub direction: u8,
}

impl GetHistory {
    /// Requests the newest messages of the conversation with `peer`.
    pub fn newest(peer: impl Into<String>, count: u32) -> Self {
        Self {
            peer: peer.into(),
            count,
            time: 0,
            key: String::new(),
            with_recalled: 1,
            direction: 0,
        }
    }

    /// Requests the page that precedes `page`.
    #[must_use]
    pub fn before(mut self, page: &History, count: u32) -> Self {
        self.time = page.time;
        self.key.clone_from(&page.key);
        self.count = count;
        self
    }

    /// Requests the messages since `time`, server time in Unix seconds.
    pub fn since(peer: impl Into<String>, time: u64, count: u32) -> Self {
        Self {
            time,
            direction: 1,
            ..Self::newest(peer, count)
        }
    }
}

/// A page of history, oldest first.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct History {
    /// Whether there are no more messages in the requested direction.
    #[serde(rename = "Complete", default, deserialize_with = "lenient::flag")]
    pub complete: bool,
    /// The time at which the next page starts.
    #[serde(rename = "LastMsgTime", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// The key of the message at which the next page starts.
    #[serde(rename = "MsgKey", default, deserialize_with = "lenient::string")]
    pub key: String,
    /// The messages. Sender and receiver are the actual ones, unlike in pushes.
    #[serde(rename = "MsgList", default, deserialize_with = "lenient::list")]
    pub items: Vec<C2cItem>,
}

impl History {
    /// Returns the messages from the view of the account `me`, without gaps.
    #[must_use]
    pub fn messages(self, me: &str) -> Vec<Message> {
        let is_hole = |item: &C2cItem| item.extra.get("IsPlaceMsg").is_some_and(|hole| hole == 1);
        self.items
            .into_iter()
            .filter(|item| !is_hole(item))
            .map(|item| Message::from_c2c(item, me))
            .collect()
    }
}

/// Deletes messages of one conversation, for this account only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delete {
    /// This account.
    #[serde(rename = "From_Account", default, deserialize_with = "lenient::string")]
    pub me: String,
    /// The peer.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub peer: String,
    /// The keys of the messages.
    #[serde(rename = "MsgKeyList", default, deserialize_with = "lenient::list")]
    pub keys: Vec<String>,
}

impl Delete {
    /// Deletes messages of the conversation between `me` and `peer`.
    pub fn new<'a>(
        me: impl Into<String>,
        peer: impl Into<String>,
        messages: impl IntoIterator<Item = &'a MessageId>,
    ) -> Self {
        Self {
            me: me.into(),
            peer: peer.into(),
            keys: messages.into_iter().map(MessageId::server_key).collect(),
        }
    }
}
