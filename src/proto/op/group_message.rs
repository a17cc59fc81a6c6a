//! Group messages: recall, edit, read marks, history and deletion. See "Groups" in
//! `docs/src/protocol.md`.

use super::c2c_message::Edited;
use super::{Done, ItemResult};
use crate::address::GroupAddress;
use crate::lenient;
use crate::message::{Element, GroupItem, Message};
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The maximum number of messages per recall or deletion.
pub const MAX_MESSAGES: usize = 30;
/// The maximum number of messages per history page.
pub const PAGE: u32 = 20;

const HISTORY: Limit = Limit::new("group history", 20.0, 4);

group_calls! {
    Recall => "group_msg_recall" -> Recalled, Limit::NONE;
    ReadReport => "msg_read_report" -> Done, Limit::NONE;
    GetHistory => "group_msg_get" -> History, HISTORY;
    Delete => "delete_group_ramble_msg_by_seq" -> Done, Limit::NONE;
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Seq {
    #[serde(rename = "MsgSeq")]
    seq: u32,
}

pub(super) fn seqs(numbers: &[u32]) -> Vec<Seq> {
    numbers.iter().map(|&seq| Seq { seq }).collect()
}

/// Recalls messages. Members recall their own; the owner and administrators also those of others.
#[derive(Clone, Debug, Serialize)]
pub struct Recall {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "MsgSeqList")]
    messages: Vec<Seq>,
    /// Empty outside topics. All other requests omit the field.
    #[serde(rename = "TopicId")]
    topic: String,
}

impl Recall {
    /// Recalls the messages with these sequence numbers.
    pub fn new(group: impl Into<String>, numbers: &[u32]) -> Self {
        let place = GroupAddress::new(group);
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
    /// One result per message, with `MsgSeq` in its `extra`.
    #[serde(rename = "RecallRetList", default, deserialize_with = "lenient::list")]
    pub results: Vec<ItemResult>,
}

/// Edits a message of this account, see [`c2c::Edit`](super::c2c_message::Edit).
#[derive(Clone, Debug, Serialize)]
pub struct Edit {
    #[serde(flatten)]
    group: GroupAddress,
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
    /// Edits the version `version` of a message. Without `elements`, the edit only changes the
    /// custom data.
    pub fn new(
        group: impl Into<String>,
        seq: u32,
        version: u32,
        elements: Option<Vec<Element>>,
        cloud: String,
    ) -> Self {
        Self {
            group: GroupAddress::new(group),
            seq,
            version,
            elements,
            cloud_custom_data: cloud,
        }
    }
}

impl super::Call for Edit {
    type Answer = Edited;
    const LIMIT: Limit = Limit::NONE;

    /// Unlike all other group commands, this one does not belong to a group service.
    fn servcmd(&self) -> Cow<'static, str> {
        Cow::Borrowed("openim.modify_group_msg")
    }
}

/// Reports messages of a group as read, up to a sequence number.
#[derive(Clone, Debug, Serialize)]
pub struct ReadReport {
    /// The group, or the topic.
    #[serde(flatten)]
    pub group: GroupAddress,
    /// The sequence number.
    #[serde(rename = "MsgReadedSeq")]
    pub seq: u32,
}

/// Requests messages up to a sequence number.
#[derive(Clone, Debug, Serialize)]
pub struct GetHistory {
    #[serde(rename = "WithRecalledMsg")]
    with_recalled: u8,
    #[serde(flatten)]
    group: GroupAddress,
    #[serde(rename = "ReqMsgNumber")]
    count: u32,
    #[serde(rename = "ReqMsgSeq", skip_serializing_if = "Option::is_none")]
    upper: Option<u32>,
}

impl GetHistory {
    /// Requests at most `count` messages up to the sequence number `upper`, or the newest ones if
    /// it is `None`.
    pub fn new(group: impl Into<String>, upper: Option<u32>, count: u32) -> Self {
        Self {
            with_recalled: 1,
            group: GroupAddress::new(group),
            count,
            upper,
        }
    }
}

/// A page of history, newest first.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct History {
    /// 1 complete, 0 truncated because the answer would be too long, 2 older messages no longer
    /// exist.
    #[serde(rename = "IsFinished", default, deserialize_with = "lenient::opt_int")]
    pub finished: Option<u32>,
    /// The messages and tips.
    #[serde(rename = "RspMsgList", default, deserialize_with = "lenient::list")]
    pub items: Vec<GroupItem>,
}

impl History {
    /// Returns the lowest sequence number.
    #[must_use]
    pub fn lowest(&self) -> Option<u32> {
        self.items.iter().map(|item| item.seq).min()
    }

    /// Returns the messages of `group` from the view of the account `me`, newest first and without
    /// gaps.
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
    group: GroupAddress,
    #[serde(rename = "Deleter_Account")]
    me: String,
    /// The sequence numbers. Here they are strings; in all other requests they are numbers.
    #[serde(rename = "Seqs")]
    numbers: Vec<String>,
}

impl Delete {
    /// Deletes the messages with these sequence numbers.
    pub fn new(group: impl Into<String>, me: impl Into<String>, numbers: &[u32]) -> Self {
        Self {
            group: GroupAddress::new(group),
            me: me.into(),
            numbers: numbers.iter().map(u32::to_string).collect(),
        }
    }
}
