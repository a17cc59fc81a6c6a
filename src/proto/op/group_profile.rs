//! What groups say about themselves, and the list of those an account is in.

use super::group::{KeyValue, PAGE};
use super::group_member::Member;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

const OWN: Limit = Limit::new("group profile", 8.0, 2);

calls! {
    GetProfiles => "group_open_http_svc.get_group_self_member_info" -> Profiles, OWN;
    GetPublicProfiles => "group_open_http_svc.get_group_public_info" -> Profiles, Limit::NONE;
}

const BASE: &[&str] = &[
    "Type",
    "Name",
    "Introduction",
    "Notification",
    "FaceUrl",
    "Owner_Account",
    "CreateTime",
    "InfoSeq",
    "LastInfoTime",
    "LastMsgTime",
    "MemberNum",
    "MaxMemberNum",
    "ApplyJoinOption",
    "NextMsgSeq",
    "ShutUpAllMember",
    "InviteJoinOption",
];
const PUBLIC: &[&str] = &[
    "Type",
    "Name",
    "Introduction",
    "Notification",
    "FaceUrl",
    "CreateTime",
    "Owner_Account",
    "LastInfoTime",
    "LastMsgTime",
    "NextMsgSeq",
    "MemberNum",
    "MaxMemberNum",
    "ApplyJoinOption",
    "InviteJoinOption",
];

/// Asks for the profiles of groups this account is in, and what it is there.
#[derive(Clone, Debug, Serialize)]
pub struct GetProfiles {
    #[serde(rename = "GroupIdList")]
    groups: Vec<String>,
    #[serde(rename = "ResponseFilter")]
    filter: Filter,
}

#[derive(Clone, Debug, Serialize)]
struct Filter {
    #[serde(rename = "GroupBaseInfoFilter")]
    base: &'static [&'static str],
    #[serde(rename = "MemberInfoFilter", skip_serializing_if = "<[_]>::is_empty")]
    member: &'static [&'static str],
    #[serde(rename = "SelfInfoFilter", skip_serializing_if = "<[_]>::is_empty")]
    own: &'static [&'static str],
}

impl GetProfiles {
    /// Asks about these groups, 50 at most.
    #[must_use]
    pub const fn new(groups: Vec<String>) -> Self {
        Self {
            groups,
            filter: Filter {
                base: BASE,
                member: &["Role", "JoinTime", "MsgSeq", "MsgFlag", "NameCard"],
                own: &[],
            },
        }
    }
}

/// Asks for what everybody may know of groups.
#[derive(Clone, Debug, Serialize)]
pub struct GetPublicProfiles {
    #[serde(rename = "GroupIdList")]
    groups: Vec<String>,
    #[serde(rename = "ResponseFilter")]
    filter: PublicFilter,
}

#[derive(Clone, Debug, Serialize)]
struct PublicFilter {
    #[serde(rename = "GroupBasePublicInfoFilter")]
    base: &'static [&'static str],
}

impl GetPublicProfiles {
    /// Asks about these groups, 50 at most.
    #[must_use]
    pub const fn new(groups: Vec<String>) -> Self {
        Self {
            groups,
            filter: PublicFilter { base: PUBLIC },
        }
    }
}

/// The answer to [`GetProfiles`] and [`GetPublicProfiles`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Profiles {
    /// One per group, each with an error code of its own.
    #[serde(rename = "GroupInfo", default, deserialize_with = "lenient::list")]
    pub items: Vec<GroupProfile>,
}

/// The profile of a group.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct GroupProfile {
    /// Its ID.
    #[serde(rename = "GroupId", default, deserialize_with = "lenient::string")]
    pub id: String,
    /// Zero when the group is known and may be asked about.
    #[serde(rename = "ErrorCode", default, deserialize_with = "lenient::int")]
    pub code: i64,
    /// The server's words about that.
    #[serde(rename = "ErrorInfo", default, deserialize_with = "lenient::string")]
    pub info: String,
    /// Its type in the wire's words: `Private`, `Public`, `ChatRoom`, `AVChatRoom`, `Community`.
    #[serde(rename = "Type", default, deserialize_with = "lenient::string")]
    pub kind: String,
    /// Its name.
    #[serde(rename = "Name", default, deserialize_with = "lenient::string")]
    pub name: String,
    /// Its introduction.
    #[serde(rename = "Introduction", default, deserialize_with = "lenient::string")]
    pub introduction: String,
    /// What its members are told.
    #[serde(rename = "Notification", default, deserialize_with = "lenient::string")]
    pub notification: String,
    /// The URL of its picture.
    #[serde(rename = "FaceUrl", default, deserialize_with = "lenient::string")]
    pub face_url: String,
    /// Whose it is; empty of a live room.
    #[serde(
        rename = "Owner_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    pub owner: String,
    /// How many are in it.
    #[serde(rename = "MemberNum", default, deserialize_with = "lenient::int")]
    pub members: u32,
    /// How many may be.
    #[serde(rename = "MaxMemberNum", default, deserialize_with = "lenient::int")]
    pub max_members: u32,
    /// The number that its next message will get.
    #[serde(rename = "NextMsgSeq", default, deserialize_with = "lenient::int")]
    pub next_seq: u32,
    /// `FreeAccess`, `NeedPermission` or `DisableApply`.
    #[serde(
        rename = "ApplyJoinOption",
        default,
        deserialize_with = "lenient::string"
    )]
    pub join: String,
    /// `On` when only the owner and administrators may speak.
    #[serde(
        rename = "ShutUpAllMember",
        default,
        deserialize_with = "lenient::string"
    )]
    pub mute_all: String,
    /// The app's own data.
    #[serde(rename = "AppDefinedData", default, deserialize_with = "lenient::list")]
    pub data: Vec<KeyValue>,
    /// What this account is in it; `None` when it is not in, or was not asked for.
    #[serde(rename = "SelfInfo", default)]
    pub own: Option<Member>,
    #[serde(rename = "MemberList", default, deserialize_with = "lenient::list")]
    own_list: Vec<Member>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl GroupProfile {
    /// What this account is in the group, wherever the answer said it.
    #[must_use]
    pub fn own(&self) -> Option<&Member> {
        self.own.as_ref().or_else(|| self.own_list.first())
    }

    /// Whether only the owner and administrators may speak.
    #[must_use]
    pub fn is_muted(&self) -> bool {
        self.mute_all == "On"
    }
}

/// Asks for a page of the groups this account is in. Communities are in a list of their own.
#[derive(Clone, Debug, Serialize)]
pub struct GetJoined {
    #[serde(skip)]
    communities: bool,
    #[serde(rename = "Member_Account")]
    me: String,
    #[serde(rename = "Limit")]
    limit: u32,
    #[serde(rename = "Offset")]
    offset: u32,
    #[serde(rename = "SupportTopic")]
    topics: u8,
    #[serde(rename = "NeedAppDefineData")]
    data: u8,
    #[serde(rename = "ResponseFilter")]
    filter: Filter,
}

impl GetJoined {
    /// Asks for the groups of `me` from `offset` on: communities, or all others.
    pub fn new(me: impl Into<String>, communities: bool, offset: u32) -> Self {
        Self {
            communities,
            me: me.into(),
            limit: PAGE,
            offset,
            topics: 0,
            data: 1,
            filter: Filter {
                base: BASE,
                member: &[],
                own: &["Role", "JoinTime", "MsgFlag", "MsgSeq"],
            },
        }
    }
}

impl super::Call for GetJoined {
    type Answer = JoinedPage;
    const LIMIT: Limit = Limit::NONE;

    fn servcmd(&self) -> Cow<'static, str> {
        Cow::Borrowed(if self.communities {
            "million_group_open_http_svc.get_joined_group_list"
        } else {
            "group_open_http_svc.get_joined_group_list"
        })
    }
}

/// The answer to [`GetJoined`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct JoinedPage {
    /// How many there are in all.
    #[serde(rename = "TotalCount", default, deserialize_with = "lenient::int")]
    pub total: u32,
    /// Those of this page.
    #[serde(rename = "GroupIdList", default, deserialize_with = "lenient::list")]
    pub groups: Vec<GroupProfile>,
}
