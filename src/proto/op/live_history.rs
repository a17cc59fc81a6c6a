//! What was said in a live room before: some of it comes with the answer to the join, the rest is asked
//! for. Neither is there where the app has not bought it.

use super::join::Joined;
use crate::event::Notice;
use crate::lenient;
use crate::live::read_item;
use crate::message::Message;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::to_raw_value;

calls! {
    GetRoomHistory => "group_open_http_svc.get_huge_group_msg" -> RoomHistory;
}

impl Joined {
    /// What was said in the live room `room` before `me` came in, oldest first, some 20 messages at
    /// most. No handler is called for these, but for those that came while the account was in the room already.
    #[must_use]
    pub fn history(&self, room: &str, me: &str) -> Vec<Message> {
        messages(&self.items, room, me)
    }
}

/// Asks what was said in a live room before a number.
#[derive(Clone, Debug, Serialize)]
pub struct GetRoomHistory {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "LongPollingKey")]
    key: String,
    #[serde(rename = "PullPreSeq")]
    before: u32,
}

impl GetRoomHistory {
    /// Of the live room `group`, entered with `joined`: what was said before the message of this
    /// number.
    pub fn new(group: impl Into<String>, joined: &Joined, before: u32) -> Self {
        Self {
            group: group.into(),
            key: joined
                .extra
                .get("LongPollingKey")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            before,
        }
    }
}

/// The answer to [`GetRoomHistory`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct RoomHistory {
    /// As it came, oldest first.
    #[serde(rename = "RspMsgList", default, deserialize_with = "lenient::list")]
    pub items: Vec<Value>,
}

impl RoomHistory {
    /// The messages, as the account `me` sees them in the live room `room`.
    #[must_use]
    pub fn messages(&self, room: &str, me: &str) -> Vec<Message> {
        messages(&self.items, room, me)
    }
}

/// The messages among the items of a live room.
fn messages(items: &[Value], room: &str, me: &str) -> Vec<Message> {
    let items = items.iter().filter_map(|item| to_raw_value(item).ok());
    let notices = items.flat_map(|item| read_item(&item, room));
    notices
        .filter_map(|notice| match notice {
            Notice::Group { event: 3, item } => Message::from_group(*item, 3, me),
            _ => None,
        })
        .collect()
}
