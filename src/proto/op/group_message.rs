//! Group messages: recall, edit, read marks, history, deletion.

use super::c2c_message::Edited;
use super::{Done, ItemResult};
use crate::address::GroupAddress;
use crate::lenient;
use crate::message::{Element, GroupItem, Message};
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Messages that one recall or deletion may name.
pub const MAX_MESSAGES: usize = 30;
/// Messages that one page of history holds.
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

/// Takes messages back: own ones, and those of others as owner or administrator.
#[derive(Clone, Debug, Serialize)]
pub struct Recall {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "MsgSeqList")]
    messages: Vec<Seq>,
    /// Empty outside of topics; every other request leaves the field out.
    #[serde(rename = "TopicId")]
    topic: String,
}

impl Recall {
    /// The messages of these numbers.
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
    /// One per message, with `MsgSeq` in its `extra`.
    #[serde(rename = "RecallRetList", default, deserialize_with = "lenient::list")]
    pub results: Vec<ItemResult>,
}

/// Changes an own message, see [`c2c::Edit`](super::c2c_message::Edit).
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
    /// Changes a message, as known in its `version`; without `elements` only its custom data.
    pub fn new(
        group: impl Into<String>,
        message: &Message,
        elements: Option<Vec<Element>>,
        cloud: String,
    ) -> Self {
        Self {
            group: GroupAddress::new(group),
            seq: message.seq,
            version: message.version,
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

/// Reports a group as read up to a number.
#[derive(Clone, Debug, Serialize)]
pub struct ReadReport {
    /// The group, or the topic.
    #[serde(flatten)]
    pub group: GroupAddress,
    /// The number.
    #[serde(rename = "MsgReadedSeq")]
    pub seq: u32,
}

/// Asks for messages at and below a number.
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
    /// Up to `count` messages at and below the number `upper`; without it the newest.
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
    group: GroupAddress,
    #[serde(rename = "Deleter_Account")]
    me: String,
    /// Strings here, numbers everywhere else.
    #[serde(rename = "Seqs")]
    numbers: Vec<String>,
}

impl Delete {
    /// The messages of these numbers.
    pub fn new(group: impl Into<String>, me: impl Into<String>, numbers: &[u32]) -> Self {
        Self {
            group: GroupAddress::new(group),
            me: me.into(),
            numbers: numbers.iter().map(u32::to_string).collect(),
        }
    }
}
