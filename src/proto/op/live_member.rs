//! Who is in a live room. Members of it are not kept as those of other groups are: the service lists
//! those who are there now, and the app may mark them.

use super::Done;
use crate::lenient;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Members that [`Api`](crate::bot::Api) bans in one request. The service does not say how many it
/// takes.
pub const MAX_BANNED: usize = 100;
/// Members that one request may mark.
pub const MAX_MARKED: usize = 500;
/// The lowest mark an app may give; those below are the service's.
pub const FIRST_MARK: u32 = 1000;

calls! {
    GetLiveMembers => "group_open_avchatroom_http_svc.get_members" -> LiveMembers;
    MarkMembers => "group_open_avchatroom_http_svc.modify_user_info" -> Done;
    Ban => "group_open_http_svc.ban_group_member" -> Done;
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
    /// What it was marked with.
    #[serde(rename = "Marks", default, deserialize_with = "lenient::list")]
    pub marks: Vec<u32>,
    /// Fields this crate does not know.
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
