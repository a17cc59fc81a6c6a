//! Group profiles, and the list of the groups of an account. See "Groups" in
//! `docs/src/protocol.md`.

use super::group::{KeyValue, PAGE};
use super::group_member::Member;
use crate::id::{GroupId, UserId};
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

/// Requests the profiles of this account's groups, and its membership in them.
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
    /// Requests these groups, at most 50.
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

/// Requests the public profiles of groups.
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
    /// Requests these groups, at most 50.
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
    /// One entry per group, each with its own error code.
    #[serde(rename = "GroupInfo", default, deserialize_with = "lenient::list")]
    pub items: Vec<GroupProfile>,
}

/// The profile of a group.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct GroupProfile {
    /// The GroupID.
    #[serde(rename = "GroupId", default, deserialize_with = "lenient::string")]
    pub id: GroupId,
    /// The error code; zero means that the group exists and this account may read its profile.
    #[serde(rename = "ErrorCode", default, deserialize_with = "lenient::int")]
    pub code: i64,
    /// The error text of the server.
    #[serde(rename = "ErrorInfo", default, deserialize_with = "lenient::string")]
    pub info: String,
    /// The group type on the wire: `Private`, `Public`, `ChatRoom`, `AVChatRoom`, `Community`.
    #[serde(rename = "Type", default, deserialize_with = "lenient::string")]
    pub kind: String,
    /// The name.
    #[serde(rename = "Name", default, deserialize_with = "lenient::string")]
    pub name: String,
    /// The introduction.
    #[serde(rename = "Introduction", default, deserialize_with = "lenient::string")]
    pub introduction: String,
    /// The notification (the announcement to the members).
    #[serde(rename = "Notification", default, deserialize_with = "lenient::string")]
    pub notification: String,
    /// The URL of the picture.
    #[serde(rename = "FaceUrl", default, deserialize_with = "lenient::string")]
    pub face_url: String,
    /// The owner; empty for a live room.
    #[serde(
        rename = "Owner_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    pub owner: UserId,
    /// The number of members.
    #[serde(rename = "MemberNum", default, deserialize_with = "lenient::int")]
    pub members: u32,
    /// The maximum number of members.
    #[serde(rename = "MaxMemberNum", default, deserialize_with = "lenient::int")]
    pub max_members: u32,
    /// The sequence number of the next message.
    #[serde(rename = "NextMsgSeq", default, deserialize_with = "lenient::int")]
    pub next_seq: u32,
    /// `FreeAccess`, `NeedPermission` or `DisableApply`.
    #[serde(
        rename = "ApplyJoinOption",
        default,
        deserialize_with = "lenient::string"
    )]
    pub join: String,
    /// `On` if only the owner and administrators may write.
    #[serde(
        rename = "ShutUpAllMember",
        default,
        deserialize_with = "lenient::string"
    )]
    pub mute_all: String,
    /// Application data.
    #[serde(rename = "AppDefinedData", default, deserialize_with = "lenient::list")]
    pub data: Vec<KeyValue>,
    /// The membership of this account; `None` if it is not a member, or if the request did not ask
    /// for it.
    #[serde(rename = "SelfInfo", default)]
    pub own: Option<Member>,
    #[serde(rename = "MemberList", default, deserialize_with = "lenient::list")]
    own_list: Vec<Member>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl GroupProfile {
    /// Returns the membership of this account, from either of the two places where the answer may
    /// have it.
    #[must_use]
    pub fn own(&self) -> Option<&Member> {
        self.own.as_ref().or_else(|| self.own_list.first())
    }

    /// Returns whether only the owner and administrators may write.
    #[must_use]
    pub fn is_muted(&self) -> bool {
        self.mute_all == "On"
    }
}

/// Requests a page of this account's groups. Communities have a separate list.
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
    /// Requests the groups of `me` from `offset` on: communities, or all other groups.
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
    /// The total number of groups.
    #[serde(rename = "TotalCount", default, deserialize_with = "lenient::int")]
    pub total: u32,
    /// The groups of this page.
    #[serde(rename = "GroupIdList", default, deserialize_with = "lenient::list")]
    pub groups: Vec<GroupProfile>,
}
