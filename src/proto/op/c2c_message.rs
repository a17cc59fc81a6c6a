//! One-to-one messages: recall, edit, read marks, history, deletion.

use super::Done;
use crate::lenient;
use crate::message::{C2cItem, Element, Message};
use crate::op::Limit;
use serde::{Deserialize, Serialize};

/// Messages that one deletion may name.
pub const MAX_MESSAGES: usize = 30;
/// Messages that one page of history holds.
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

/// Names a message to the server.
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
    pub(super) fn of(message: &Message) -> Self {
        Self {
            from: message.from.to_string(),
            to: message.to.to_string(),
            seq: message.seq,
            random: message.random,
        }
    }
}

/// Takes an own message back. Refused with [`C2C_RECALL_WINDOW`](crate::code::Code::C2C_RECALL_WINDOW)
/// after two minutes, unless the console says otherwise.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recall {
    /// The message.
    #[serde(rename = "MsgInfo")]
    pub info: Recalled,
}

impl Recall {
    /// Takes `message` back.
    #[must_use]
    pub fn new(message: &Message) -> Self {
        Self {
            info: Recalled {
                name: Name::of(message),
                time: message.time,
            },
        }
    }
}

/// The message of a [`Recall`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recalled {
    /// Its name.
    #[serde(flatten)]
    pub name: Name,
    /// Its time, Unix seconds; zero if it is not known.
    #[serde(rename = "MsgTimeStamp", default, deserialize_with = "lenient::int")]
    pub time: u64,
}

/// Changes a message; both sides may. Refused with
/// [`C2C_EDIT_CONFLICT`](crate::code::Code::C2C_EDIT_CONFLICT) when somebody else was first;
/// that refusal's body reads as [`Edited`] too.
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
    /// Changes `message`, as known in its present version; without `elements` only its custom data.
    #[must_use]
    pub fn new(message: &Message, elements: Option<Vec<Element>>, cloud: String) -> Self {
        Self {
            name: Name::of(message),
            time: message.time,
            version: message.version,
            elements,
            cloud_custom_data: cloud,
        }
    }
}

/// The content of a message after an edit.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Edited {
    /// How often it was edited.
    #[serde(rename = "MsgVersion", default, deserialize_with = "lenient::int")]
    pub version: u32,
    /// The content.
    #[serde(rename = "MsgBody", default, deserialize_with = "lenient::list")]
    pub elements: Vec<Element>,
    /// Free text stored with the message.
    #[serde(
        rename = "CloudCustomData",
        default,
        deserialize_with = "lenient::string"
    )]
    pub cloud_custom_data: String,
}

/// Reports a conversation as read up to a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadReport {
    /// The conversations.
    #[serde(rename = "C2CMsgReaded")]
    pub readed: Readed,
}

impl ReadReport {
    /// Everything `peer` said up to `until`, server time in Unix seconds.
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
    /// One for each conversation.
    #[serde(rename = "C2CMsgReadedItem", default)]
    pub items: Vec<ReadItem>,
}

/// A conversation that was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadItem {
    /// The other side.
    #[serde(rename = "To_Account")]
    pub peer: String,
    /// The time up to which it was read, Unix seconds.
    #[serde(rename = "LastedMsgTime", default, deserialize_with = "lenient::int")]
    pub until: u64,
    /// 1
    #[serde(rename = "Receipt", default, deserialize_with = "lenient::int")]
    pub receipt: u8,
}

/// Reports several conversations as read at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadAll {
    /// 1, also if it is missing: all one-to-one conversations.
    #[serde(
        rename = "C2CReadAllMsg",
        default = "one",
        deserialize_with = "lenient::int"
    )]
    pub c2c: u8,
    /// Groups, and the number up to which each was read.
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
    /// The number up to which it was read.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
}

/// Asks for a page of a conversation's history.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetHistory {
    /// The other side.
    #[serde(rename = "Peer_Account")]
    pub peer: String,
    /// How many messages; zero for as many as the service likes.
    #[serde(rename = "MaxCnt", default, deserialize_with = "lenient::int")]
    pub count: u32,
    /// Where the page begins, Unix seconds; zero for the newest messages.
    #[serde(rename = "LastMsgTime", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// The key of the message that the page follows; empty if there is none.
    #[serde(rename = "MsgKey", default, deserialize_with = "lenient::string")]
    pub key: String,
    /// 1: recalled messages too.
    #[serde(rename = "WithRecalledMsg", default, deserialize_with = "lenient::int")]
    pub with_recalled: u8,
    /// 0 to older messages, 1 to newer ones.
    #[serde(rename = "GetDirection", default, deserialize_with = "lenient::int")]
    pub direction: u8,
}

impl GetHistory {
    /// The newest messages of the conversation with `peer`.
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

    /// The page before the one that was answered with `page`.
    #[must_use]
    pub fn before(mut self, page: &History, count: u32) -> Self {
        self.time = page.time;
        self.key.clone_from(&page.key);
        self.count = count;
        self
    }

    /// The messages from `time` on, server time in Unix seconds.
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
    /// There is no more in the direction asked for.
    #[serde(rename = "Complete", default, deserialize_with = "lenient::flag")]
    pub complete: bool,
    /// Where the next page begins.
    #[serde(rename = "LastMsgTime", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// Where the next page begins.
    #[serde(rename = "MsgKey", default, deserialize_with = "lenient::string")]
    pub key: String,
    /// The messages. Other than in pushes, accounts are in their true places.
    #[serde(rename = "MsgList", default, deserialize_with = "lenient::list")]
    pub items: Vec<C2cItem>,
}

impl History {
    /// The messages as the account `me` sees them; holes are left out.
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
    /// The other side.
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
        messages: impl IntoIterator<Item = &'a Message>,
    ) -> Self {
        Self {
            me: me.into(),
            peer: peer.into(),
            keys: messages.into_iter().map(Message::server_key).collect(),
        }
    }
}
