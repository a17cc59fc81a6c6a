//! Messages that are pinned for everybody in a group.

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

/// Pins a message for everybody in the group.
#[derive(Clone, Debug, Serialize)]
pub struct Pin {
    /// The group, or the topic.
    #[serde(flatten)]
    pub group: GroupAddress,
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
    pub group: GroupAddress,
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
    /// The messages of `group` as the account `me` sees them.
    #[must_use]
    pub fn messages(self, group: &str, me: &str) -> Vec<Message> {
        let items = self.items.into_iter();
        let read = |item| Message::from_history(item, 3, group, me);
        items.filter_map(read).collect()
    }
}
