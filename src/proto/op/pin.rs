//! Pinned messages of a group, which all members see. See "Groups" in `docs/src/protocol.md`.

use super::Done;
use crate::address::GroupAddress;
use crate::lenient;
use crate::message::{GroupItem, Message};
use crate::op::Limit;
use serde::{Deserialize, Serialize};

group_calls! {
    Pin => "pin_message" -> Done, Limit::NONE;
    Unpin => "unpin_message" -> Done, Limit::NONE;
    GetPinned => "get_pinned_messages" -> Pinned, Limit::NONE;
}

/// Pins a message for all members of the group.
#[derive(Clone, Debug, Serialize)]
pub struct Pin {
    /// The group, or the topic.
    #[serde(flatten)]
    pub group: GroupAddress,
    /// The sequence number of the message.
    #[serde(rename = "MsgSeq")]
    pub seq: u32,
    /// This account.
    #[serde(rename = "Pinner_Account")]
    pub me: String,
}

/// Unpins a message.
#[derive(Clone, Debug, Serialize)]
pub struct Unpin {
    /// The group, or the topic.
    #[serde(flatten)]
    pub group: GroupAddress,
    /// The sequence number of the message.
    #[serde(rename = "MsgSeq")]
    pub seq: u32,
    /// This account.
    #[serde(rename = "UnPinner_Account")]
    pub me: String,
}

/// Requests the pinned messages of a group.
#[derive(Clone, Debug, Serialize)]
pub struct GetPinned {
    /// The group, or the topic.
    #[serde(flatten)]
    pub group: GroupAddress,
}

/// The answer to [`GetPinned`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Pinned {
    /// The messages, each with `Pinner_Account` in its `extra`.
    #[serde(rename = "PinnedMsgList", default, deserialize_with = "lenient::list")]
    pub items: Vec<GroupItem>,
}

impl Pinned {
    /// Returns the messages of `group` from the view of the account `me`.
    #[must_use]
    pub fn messages(self, group: &str, me: &str) -> Vec<Message> {
        let items = self.items.into_iter();
        let read = |item| Message::from_history(item, 3, group, me);
        items.filter_map(read).collect()
    }
}
