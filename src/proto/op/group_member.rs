//! Group members: lists, removal, roles, mutes and name cards. See "Groups" in
//! `docs/src/protocol.md`.

use super::group::KeyValue;
use super::{Done, receive_option::MuteOption};
use crate::id::UserId;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// The maximum number of members per page.
pub const PAGE: u32 = 100;
/// The maximum number of members per query.
pub const MAX_ASKED: usize = 50;
/// The maximum number of members per removal.
pub const MAX_KICKED: usize = 500;

group_calls! {
    GetMembers => "get_group_member_info" -> MemberPage, Limit::NONE;
    GetSpecified => "get_specified_group_member_info" -> MemberPage, Limit::NONE;
    Kick => "delete_group_member" -> Done, Limit::NONE;
    ModifyMember => "modify_group_member_info" -> Done, Limit::NONE;
    GetOnlineCount => "get_online_member_num" -> OnlineCount, Limit::NONE;
}

const FILTER: &[&str] = &[
    "Role",
    "JoinTime",
    "NameCard",
    "ShutUpUntil",
    "OnlineStatus",
];

/// Requests a page of the members of a group.
#[derive(Clone, Debug, Serialize)]
pub struct GetMembers {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "Limit")]
    limit: u32,
    #[serde(rename = "Offset", skip_serializing_if = "Option::is_none")]
    offset: Option<u32>,
    #[serde(rename = "Next", skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(rename = "MemberInfoFilter")]
    filter: &'static [&'static str],
}

impl GetMembers {
    /// Requests the members from `offset` on, at most 100.
    pub fn new(group: impl Into<String>, offset: u32, limit: u32) -> Self {
        Self {
            group: group.into(),
            limit,
            offset: Some(offset),
            next: None,
            filter: FILTER,
        }
    }

    /// Requests the members of a community. Its pages start at a cursor; an empty one selects the
    /// first page.
    pub fn after(group: impl Into<String>, next: impl Into<String>, limit: u32) -> Self {
        Self {
            group: group.into(),
            limit,
            offset: None,
            next: Some(next.into()),
            filter: FILTER,
        }
    }
}

/// Requests specific members.
#[derive(Clone, Debug, Serialize)]
pub struct GetSpecified {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "Member_List_Account")]
    users: Vec<String>,
    #[serde(rename = "MemberInfoFilter")]
    filter: &'static [&'static str],
}

impl GetSpecified {
    /// Requests these users, at most 50. The answer omits users who are not members.
    pub fn new(group: impl Into<String>, users: Vec<String>) -> Self {
        Self {
            group: group.into(),
            users,
            filter: FILTER,
        }
    }
}

/// The answer to [`GetMembers`] and [`GetSpecified`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct MemberPage {
    /// The number of members of the group.
    #[serde(rename = "MemberNum", default, deserialize_with = "lenient::int")]
    pub total: u32,
    /// The members of this page.
    #[serde(rename = "MemberList", default, deserialize_with = "lenient::list")]
    pub members: Vec<Member>,
    /// The cursor of the next page in a community; empty after the last page.
    #[serde(rename = "Next", default, deserialize_with = "lenient::string")]
    pub next: String,
}

/// The role of a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Role {
    /// Unknown: the server did not send it.
    #[default]
    Unknown,
    /// An ordinary member.
    Member,
    /// An administrator.
    Admin,
    /// The owner.
    Owner,
}

/// A member of a group.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Member {
    /// The user; empty if the answer is only about this account.
    #[serde(
        rename = "Member_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    pub user: UserId,
    /// The role on the wire, see [`role`](Self::role).
    #[serde(rename = "Role", default, deserialize_with = "lenient::string")]
    pub role_word: String,
    /// The time of joining, in Unix seconds.
    #[serde(rename = "JoinTime", default, deserialize_with = "lenient::int")]
    pub joined_at: u64,
    /// The name card: the member's name in the group.
    #[serde(rename = "NameCard", default, deserialize_with = "lenient::string")]
    pub name_card: String,
    /// The end of the mute in Unix seconds; zero if the member is not muted.
    #[serde(rename = "ShutUpUntil", default, deserialize_with = "lenient::int")]
    pub muted_until: u64,
    /// The sequence number up to which the member has read.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub read_seq: u32,
    /// Application data about the member.
    #[serde(
        rename = "AppMemberDefinedData",
        default,
        deserialize_with = "lenient::list"
    )]
    pub data: Vec<KeyValue>,
    /// Unknown fields, including `OnlineStatus` and `MsgFlag`.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Member {
    /// Returns the role.
    #[must_use]
    pub fn role(&self) -> Role {
        match self.role_word.as_str() {
            "Owner" | "400" => Role::Owner,
            "Admin" | "300" => Role::Admin,
            "Member" | "200" => Role::Member,
            _ => Role::Unknown,
        }
    }
}

/// Removes members from the group.
#[derive(Clone, Debug, Serialize)]
pub struct Kick {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
    /// The members, at most 500.
    #[serde(rename = "MemberToDel_Account")]
    pub users: Vec<String>,
    /// The reason, which all members can see.
    #[serde(rename = "Reason")]
    pub reason: String,
}

/// Changes one property of a member.
#[derive(Clone, Debug, Serialize)]
pub struct ModifyMember {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "Member_Account")]
    user: String,
    #[serde(rename = "Role", skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(rename = "ShutUpTime", skip_serializing_if = "Option::is_none")]
    mute: Option<u64>,
    #[serde(rename = "NameCard", skip_serializing_if = "Option::is_none")]
    name_card: Option<String>,
    #[serde(rename = "MsgFlag", skip_serializing_if = "Option::is_none")]
    flag: Option<&'static str>,
    #[serde(
        rename = "AppMemberDefinedData",
        skip_serializing_if = "Option::is_none"
    )]
    data: Option<Vec<KeyValue>>,
}

impl ModifyMember {
    fn of(group: impl Into<String>, user: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            user: user.into(),
            role: None,
            mute: None,
            name_card: None,
            flag: None,
            data: None,
        }
    }

    /// Makes the member an administrator, or an ordinary member again.
    pub fn admin(group: impl Into<String>, user: impl Into<String>, admin: bool) -> Self {
        Self {
            role: Some(if admin { "Admin" } else { "Member" }),
            ..Self::of(group, user)
        }
    }

    /// Mutes the member. Zero lifts the mute.
    pub fn mute(group: impl Into<String>, user: impl Into<String>, time: Duration) -> Self {
        Self {
            // Round up, because zero seconds would lift the mute.
            mute: Some(time.as_secs() + u64::from(time.subsec_nanos() > 0)),
            ..Self::of(group, user)
        }
    }

    /// Sets the name card: the member's name in the group.
    pub fn name_card(
        group: impl Into<String>,
        user: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            name_card: Some(name.into()),
            ..Self::of(group, user)
        }
    }

    /// Sets application data about the member.
    pub fn data(group: impl Into<String>, user: impl Into<String>, data: Vec<KeyValue>) -> Self {
        Self {
            data: Some(data),
            ..Self::of(group, user)
        }
    }

    /// Sets this account's notification mode for the group.
    pub fn announce(group: impl Into<String>, user: impl Into<String>, option: MuteOption) -> Self {
        Self {
            flag: Some(option.word()),
            ..Self::of(group, user)
        }
    }
}

/// Requests the number of online members.
#[derive(Clone, Debug, Serialize)]
pub struct GetOnlineCount {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
}

/// The answer to [`GetOnlineCount`].
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct OnlineCount {
    /// The number of online members.
    #[serde(rename = "OnlineMemberNum", default, deserialize_with = "lenient::int")]
    pub count: u32,
    /// The time in seconds for which clients should cache the number.
    #[serde(rename = "ExpireTime", default, deserialize_with = "lenient::int")]
    pub expires: u64,
}
