//! Live rooms (AVChatRoom): who is there, marks, bans, and the history. What happens in a room is fetched by
//! [`poll`]ing.
//!
//! The service does not keep the members of a live room as it does those of other groups: it lists who is
//! there now. History comes with the answer to a join and on request, if the app has bought it.

pub mod poll;

use super::Done;
use super::group_application::Joined;
use crate::event::Notice;
use crate::lenient;
use crate::message::Message;
use crate::op::Limit;
use poll::read_item;
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

/// Members that `Api` bans in one request. The service does not say how many it
/// takes.
pub const MAX_BANNED: usize = 100;
/// Members that one request may mark.
pub const MAX_MARKED: usize = 500;
/// The lowest mark an app may give; those below are the service's.
pub const FIRST_MARK: u32 = 1000;

calls! {
    GetLiveMembers => "group_open_avchatroom_http_svc.get_members" -> LiveMembers, Limit::NONE;
    MarkMembers => "group_open_avchatroom_http_svc.modify_user_info" -> Done, Limit::NONE;
    Ban => "group_open_http_svc.ban_group_member" -> Done, Limit::NONE;
    GetRoomHistory => "group_open_http_svc.get_huge_group_msg" -> RoomHistory, Limit::NONE;
}

/// Throws members out of a live room, and keeps them out for a time.
#[derive(Clone, Debug, Serialize)]
pub struct Ban {
    /// The room.
    #[serde(rename = "GroupId")]
    pub room: String,
    /// Who.
    #[serde(rename = "Members_Account")]
    pub users: Vec<String>,
    /// For how many seconds; at least one.
    #[serde(rename = "Duration")]
    pub seconds: u32,
    /// Why.
    #[serde(rename = "Description")]
    pub reason: String,
}

/// Asks for a page of those who are in a live room.
#[derive(Clone, Debug, Serialize)]
pub struct GetLiveMembers {
    /// The room.
    #[serde(rename = "GroupId")]
    pub room: String,
    /// Where the page begins, as the one before says; 0 to begin.
    #[serde(rename = "Timestamp")]
    pub start: u64,
    /// Only those with this mark.
    #[serde(rename = "Mark", skip_serializing_if = "Option::is_none")]
    pub mark: Option<u32>,
}

/// The answer to [`GetLiveMembers`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LiveMembers {
    /// Those of this page.
    #[serde(rename = "MemberList", default, deserialize_with = "lenient::list")]
    pub members: Vec<LiveMember>,
    /// Where the next page begins; 0 after the last one.
    #[serde(rename = "NextTimestamp", default, deserialize_with = "lenient::int")]
    pub next: u64,
}

/// Somebody who is in a live room.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct LiveMember {
    /// Who.
    #[serde(
        rename = "Member_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    pub user: String,
    /// The nick name.
    #[serde(rename = "NickName", default, deserialize_with = "lenient::string")]
    pub nick: String,
    /// The address of the picture.
    #[serde(rename = "Avatar", default, deserialize_with = "lenient::string")]
    pub face_url: String,
    /// When it came in, Unix seconds.
    #[serde(rename = "JoinTime", default, deserialize_with = "lenient::int")]
    pub joined: u64,
    /// Its marks.
    #[serde(rename = "Marks", default, deserialize_with = "lenient::list")]
    pub marks: Vec<u32>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Marks members of a live room, or takes marks away.
#[derive(Clone, Debug, Serialize)]
pub struct MarkMembers {
    #[serde(rename = "GroupId")]
    room: String,
    #[serde(rename = "CommandType")]
    command: u8,
    #[serde(rename = "MemberList")]
    members: Vec<Marked>,
}

#[derive(Clone, Debug, Serialize)]
struct Marked {
    #[serde(rename = "Member_Account")]
    user: String,
    #[serde(rename = "Marks")]
    marks: [u32; 1],
}

impl MarkMembers {
    /// Gives `mark`, 1,000 or more, to these members, or takes it away.
    pub fn new(room: impl Into<String>, users: Vec<String>, mark: u32, give: bool) -> Self {
        let marked = |user| Marked {
            user,
            marks: [mark],
        };
        Self {
            room: room.into(),
            command: if give { 1 } else { 2 },
            members: users.into_iter().map(marked).collect(),
        }
    }
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
