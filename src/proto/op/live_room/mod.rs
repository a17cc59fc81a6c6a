//! Live rooms (AVChatRoom): members, marks, bans and history. Clients fetch the messages of a room
//! by [`poll`]ing. See "Groups" in `docs/src/protocol.md`.
//!
//! The service keeps no member list of a live room, unlike other groups; it lists the users who are
//! currently online. The answer to a join contains history, and clients can request more if the app
//! has bought the feature.

pub mod poll;

use super::Done;
use super::group_application::Joined;
use crate::event::Notice;
use crate::id::UserId;
use crate::lenient;
use crate::message::Message;
use crate::op::Limit;
use poll::read_item;
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

/// The maximum number of members that `Api` bans per request. The limit of the service is not
/// documented.
pub const MAX_BANNED: usize = 100;
/// The maximum number of members per request to set a mark.
pub const MAX_MARKED: usize = 500;
/// The lowest mark that an app may use. Lower marks are reserved for the service.
pub const FIRST_MARK: u32 = 1000;

calls! {
    GetLiveMembers => "group_open_avchatroom_http_svc.get_members" -> LiveMembers, Limit::NONE;
    MarkMembers => "group_open_avchatroom_http_svc.modify_user_info" -> Done, Limit::NONE;
    Ban => "group_open_http_svc.ban_group_member" -> Done, Limit::NONE;
    GetRoomHistory => "group_open_http_svc.get_huge_group_msg" -> RoomHistory, Limit::NONE;
}

/// Removes members from a live room and bans them for a time.
#[derive(Clone, Debug, Serialize)]
pub struct Ban {
    /// The room.
    #[serde(rename = "GroupId")]
    pub room: String,
    /// The members.
    #[serde(rename = "Members_Account")]
    pub users: Vec<String>,
    /// The duration in seconds, at least one.
    #[serde(rename = "Duration")]
    pub seconds: u32,
    /// The reason.
    #[serde(rename = "Description")]
    pub reason: String,
}

/// Requests a page of the online members of a live room.
#[derive(Clone, Debug, Serialize)]
pub struct GetLiveMembers {
    /// The room.
    #[serde(rename = "GroupId")]
    pub room: String,
    /// The start of the page, from the preceding answer; 0 for the first page.
    #[serde(rename = "Timestamp")]
    pub start: u64,
    /// Only members with this mark.
    #[serde(rename = "Mark", skip_serializing_if = "Option::is_none")]
    pub mark: Option<u32>,
}

/// The answer to [`GetLiveMembers`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LiveMembers {
    /// The members of this page.
    #[serde(rename = "MemberList", default, deserialize_with = "lenient::list")]
    pub members: Vec<LiveMember>,
    /// The start of the next page; 0 after the last page.
    #[serde(rename = "NextTimestamp", default, deserialize_with = "lenient::int")]
    pub next: u64,
}

/// An online member of a live room.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct LiveMember {
    /// The user.
    #[serde(
        rename = "Member_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    pub user: UserId,
    /// The nick name.
    #[serde(rename = "NickName", default, deserialize_with = "lenient::string")]
    pub nick: String,
    /// The URL of the picture.
    #[serde(rename = "Avatar", default, deserialize_with = "lenient::string")]
    pub face_url: String,
    /// The time of joining, in Unix seconds.
    #[serde(rename = "JoinTime", default, deserialize_with = "lenient::int")]
    pub joined: u64,
    /// The marks.
    #[serde(rename = "Marks", default, deserialize_with = "lenient::list")]
    pub marks: Vec<u32>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Sets or removes a mark of members of a live room.
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
    /// Sets or removes `mark` (1,000 or more) for these members.
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
    /// Returns the messages of `room` from before `me` joined, oldest first, about 20 at most.
    /// Handlers only receive those of them that arrived while the account was already in the room.
    #[must_use]
    pub fn history(&self, room: &str, me: &str) -> Vec<Message> {
        messages(&self.items, room, me)
    }
}

/// Requests the messages of a live room before a sequence number.
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
    /// Requests the messages of the live room `group` before this sequence number. `joined` is the
    /// answer to the join.
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
    /// The messages as unparsed objects, oldest first.
    #[serde(rename = "RspMsgList", default, deserialize_with = "lenient::list")]
    pub items: Vec<Value>,
}

impl RoomHistory {
    /// Returns the messages of `room` from the view of the account `me`.
    #[must_use]
    pub fn messages(&self, room: &str, me: &str) -> Vec<Message> {
        messages(&self.items, room, me)
    }
}

/// Parses the items of a live room and returns those that are messages.
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
