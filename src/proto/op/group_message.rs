//! Group messages: recall, edit, read marks, receipts, history, deletion, pins.

use super::c2c::Edited;
use super::{Done, ItemResult};
use crate::lenient;
use crate::message::{Element, GroupItem, Message};
use crate::place::Place;
use crate::update::GroupReceipt;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Messages that one recall, deletion or receipt may name.
pub const MAX_MESSAGES: usize = 30;
/// Messages that one page of history holds.
pub const PAGE: u32 = 20;
/// Members that one page of readers holds.
pub const READERS: u32 = 100;

group_calls! {
    Recall => "group_msg_recall" -> Recalled;
    ReadReport => "msg_read_report" -> Done;
    Receipt => "group_msg_receipt" -> Done;
    GetReceipts => "get_group_msg_receipt" -> Receipts;
    GetReaders => "get_group_msg_receipt_detail" -> Readers;
    GetHistory => "group_msg_get" -> History;
    Delete => "delete_group_ramble_msg_by_seq" -> Done;
    Pin => "pin_message" -> Done;
    Unpin => "unpin_message" -> Done;
    GetPinned => "get_pinned_messages" -> Pinned;
}

#[derive(Clone, Debug, Serialize)]
struct Seq {
    #[serde(rename = "MsgSeq")]
    seq: u32,
}

fn seqs(numbers: &[u32]) -> Vec<Seq> {
    numbers.iter().map(|&seq| Seq { seq }).collect()
}

/// Takes messages back: own ones, and those of others as owner or administrator.
#[derive(Clone, Debug, Serialize)]
pub struct Recall {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "MsgSeqList")]
    messages: Vec<Seq>,
    /// Empty outside of topics, other than everywhere else.
    #[serde(rename = "TopicId")]
    topic: String,
}

impl Recall {
    /// The messages of these numbers.
    pub fn new(group: impl Into<String>, numbers: &[u32]) -> Self {
        let place = Place::new(group);
        Self {
            group: place.group().to_owned(),
            messages: seqs(numbers),
            topic: place.topic().unwrap_or_default().to_owned(),
        }
    }
}

/// The answer to [`Recall`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Recalled {
    /// One per message, with `MsgSeq` in its `extra`.
    #[serde(rename = "RecallRetList", default, deserialize_with = "lenient::list")]
    pub results: Vec<ItemResult>,
}

/// Changes an own message, see [`c2c::Edit`](super::c2c::Edit).
#[derive(Clone, Debug, Serialize)]
pub struct Edit {
    #[serde(flatten)]
    group: Place,
    #[serde(rename = "MsgSeq")]
    seq: u32,
    #[serde(rename = "MsgVersion")]
    version: u32,
    #[serde(rename = "MsgBody", skip_serializing_if = "Option::is_none")]
    elements: Option<Vec<Element>>,
    #[serde(rename = "CloudCustomData")]
    cloud_custom_data: String,
}

impl Edit {
    /// Changes a message, as known in its `version`; without `elements` only its custom data.
    pub fn new(
        group: impl Into<String>,
        message: &Message,
        elements: Option<Vec<Element>>,
        cloud: String,
    ) -> Self {
        Self {
            group: Place::new(group),
            seq: message.seq,
            version: message.version,
            elements,
            cloud_custom_data: cloud,
        }
    }
}

impl super::Call for Edit {
    type Answer = Edited;

    /// Not one of the group services, other than everything else about groups.
    fn servcmd(&self) -> Cow<'static, str> {
        Cow::Borrowed("openim.modify_group_msg")
    }
}

/// Reports a group as read up to a number.
#[derive(Clone, Debug, Serialize)]
pub struct ReadReport {
    /// The group, or the topic.
    #[serde(flatten)]
    pub group: Place,
    /// The number.
    #[serde(rename = "MsgReadedSeq")]
    pub seq: u32,
}

/// Tells the senders of messages that asked for it that they were read.
#[derive(Clone, Debug, Serialize)]
pub struct Receipt {
    #[serde(flatten)]
    group: Place,
    #[serde(rename = "MsgSeqList")]
    messages: Vec<Seq>,
}

impl Receipt {
    /// The messages of these numbers.
    pub fn new(group: impl Into<String>, numbers: &[u32]) -> Self {
        Self {
            group: Place::new(group),
            messages: seqs(numbers),
        }
    }
}

/// Asks how many have read own messages.
#[derive(Clone, Debug, Serialize)]
pub struct GetReceipts {
    #[serde(flatten)]
    group: Place,
    #[serde(rename = "MsgSeqList")]
    messages: Vec<Seq>,
}

impl GetReceipts {
    /// The messages of these numbers.
    pub fn new(group: impl Into<String>, numbers: &[u32]) -> Self {
        Self {
            group: Place::new(group),
            messages: seqs(numbers),
        }
    }
}

/// The answer to [`GetReceipts`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Receipts {
    /// One per message.
    #[serde(
        rename = "GroupMsgReceiptList",
        default,
        deserialize_with = "lenient::list"
    )]
    pub messages: Vec<GroupReceipt>,
}

/// Asks who has read an own message, or has not.
#[derive(Clone, Debug, Serialize)]
pub struct GetReaders {
    #[serde(flatten)]
    group: Place,
    #[serde(rename = "MsgSeq")]
    seq: u32,
    #[serde(rename = "Flag")]
    unread: u8,
    #[serde(rename = "Cursor")]
    cursor: String,
    #[serde(rename = "Num")]
    count: u32,
}

impl GetReaders {
    /// Who has read the message, or with `unread` who has not, from `cursor` on; empty to begin.
    pub fn new(
        group: impl Into<String>,
        seq: u32,
        unread: bool,
        cursor: impl Into<String>,
    ) -> Self {
        Self {
            group: Place::new(group),
            seq,
            unread: u8::from(unread),
            cursor: cursor.into(),
            count: READERS,
        }
    }
}

/// The answer to [`GetReaders`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Readers {
    /// Where to go on.
    #[serde(rename = "Cursor", default, deserialize_with = "lenient::string")]
    pub cursor: String,
    /// There are no more.
    #[serde(rename = "IsFinish", default, deserialize_with = "lenient::flag")]
    pub finished: bool,
    #[serde(rename = "ReadList", default, deserialize_with = "lenient::list")]
    read: Vec<Reader>,
    #[serde(rename = "UnreadList", default, deserialize_with = "lenient::list")]
    unread: Vec<Reader>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Reader {
    #[serde(
        rename = "Read_Account",
        alias = "Unread_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    user: String,
}

impl Readers {
    /// Whoever was asked for: those who have read it, or those who have not.
    pub fn users(self) -> impl Iterator<Item = String> {
        let readers = self.read.into_iter().chain(self.unread);
        readers.map(|reader| reader.user)
    }
}

/// Asks for messages at and below a number.
#[derive(Clone, Debug, Serialize)]
pub struct GetHistory {
    #[serde(rename = "WithRecalledMsg")]
    with_recalled: u8,
    #[serde(flatten)]
    group: Place,
    #[serde(rename = "ReqMsgNumber")]
    count: u32,
    #[serde(rename = "ReqMsgSeq", skip_serializing_if = "Option::is_none")]
    upper: Option<u32>,
}

impl GetHistory {
    /// Up to `count` messages at and below the number `upper`; without it the newest.
    pub fn new(group: impl Into<String>, upper: Option<u32>, count: u32) -> Self {
        Self {
            with_recalled: 1,
            group: Place::new(group),
            count,
            upper,
        }
    }
}

/// A page of history, newest first.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct History {
    /// 1 complete, 0 cut because it would be too long, 2 older ones are gone.
    #[serde(rename = "IsFinished", default, deserialize_with = "lenient::opt_int")]
    pub finished: Option<u32>,
    /// The messages and tips.
    #[serde(rename = "RspMsgList", default, deserialize_with = "lenient::list")]
    pub items: Vec<GroupItem>,
}

impl History {
    /// The lowest number in it.
    #[must_use]
    pub fn lowest(&self) -> Option<u32> {
        self.items.iter().map(|item| item.seq).min()
    }

    /// The messages of `group` as the account `me` sees them, newest first; holes are left out.
    #[must_use]
    pub fn messages(self, group: &str, me: &str) -> Vec<Message> {
        self.items
            .into_iter()
            .filter(|item| item.place != Some(1))
            .filter_map(|item| Message::from_history(item, 3, group, me))
            .collect()
    }
}

/// Deletes messages for this account only.
#[derive(Clone, Debug, Serialize)]
pub struct Delete {
    #[serde(flatten)]
    group: Place,
    #[serde(rename = "Deleter_Account")]
    me: String,
    /// Strings, other than everywhere else.
    #[serde(rename = "Seqs")]
    numbers: Vec<String>,
}

impl Delete {
    /// The messages of these numbers.
    pub fn new(group: impl Into<String>, me: impl Into<String>, numbers: &[u32]) -> Self {
        Self {
            group: Place::new(group),
            me: me.into(),
            numbers: numbers.iter().map(u32::to_string).collect(),
        }
    }
}

/// Pins a message for everybody in the group.
#[derive(Clone, Debug, Serialize)]
pub struct Pin {
    /// The group, or the topic.
    #[serde(flatten)]
    pub group: Place,
    /// The number of the message.
    #[serde(rename = "MsgSeq")]
    pub seq: u32,
    /// This account.
    #[serde(rename = "Pinner_Account")]
    pub me: String,
}

/// Takes the pin off again.
#[derive(Clone, Debug, Serialize)]
pub struct Unpin {
    /// The group, or the topic.
    #[serde(flatten)]
    pub group: Place,
    /// The number of the message.
    #[serde(rename = "MsgSeq")]
    pub seq: u32,
    /// This account.
    #[serde(rename = "UnPinner_Account")]
    pub me: String,
}

/// Asks for the pinned messages of a group.
#[derive(Clone, Debug, Serialize)]
pub struct GetPinned {
    /// The group, or the topic.
    #[serde(flatten)]
    pub group: Place,
}

/// The answer to [`GetPinned`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Pinned {
    /// The messages, each with `Pinner_Account` in its `extra`.
    #[serde(rename = "PinnedMsgList", default, deserialize_with = "lenient::list")]
    pub items: Vec<GroupItem>,
}

impl Pinned {
    /// The messages of `group` as the account `me` sees them.
    #[must_use]
    pub fn messages(self, group: &str, me: &str) -> Vec<Message> {
        let items = self.items.into_iter();
        let read = |item| Message::from_history(item, 3, group, me);
        items.filter_map(read).collect()
    }
}
