//! The members of a group: lists, expulsions, roles, mutes, name cards.

use super::group::KeyValue;
use super::{Done, receive_option::MuteOption};
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// Members of one page.
pub const PAGE: u32 = 100;
/// Members that one request may ask about.
pub const MAX_ASKED: usize = 50;
/// Members that one expulsion may name.
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

/// Asks for a page of a group's members.
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
    /// The members from `offset` on, 100 at most.
    pub fn new(group: impl Into<String>, offset: u32, limit: u32) -> Self {
        Self {
            group: group.into(),
            limit,
            offset: Some(offset),
            next: None,
            filter: FILTER,
        }
    }

    /// The members of a community, which are counted by a mark instead; empty to begin.
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

/// Asks for these members.
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
    /// The members of these names, 50 at most; who is no member is left out of the answer.
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
    /// How many members the group has.
    #[serde(rename = "MemberNum", default, deserialize_with = "lenient::int")]
    pub total: u32,
    /// Those of this page.
    #[serde(rename = "MemberList", default, deserialize_with = "lenient::list")]
    pub members: Vec<Member>,
    /// Where the next page of a community begins; empty at the end.
    #[serde(rename = "Next", default, deserialize_with = "lenient::string")]
    pub next: String,
}

/// What somebody may do in a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Role {
    /// The server did not say.
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
    /// Who; empty where the answer is about this account only.
    #[serde(
        rename = "Member_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    pub user: String,
    /// See [`role`](Self::role).
    #[serde(rename = "Role", default, deserialize_with = "lenient::string")]
    pub role_word: String,
    /// Since when, Unix seconds.
    #[serde(rename = "JoinTime", default, deserialize_with = "lenient::int")]
    pub joined_at: u64,
    /// Its name in the group.
    #[serde(rename = "NameCard", default, deserialize_with = "lenient::string")]
    pub name_card: String,
    /// Until when it may not speak, Unix seconds; zero when it may.
    #[serde(rename = "ShutUpUntil", default, deserialize_with = "lenient::int")]
    pub muted_until: u64,
    /// Up to which number it has read.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub read_seq: u32,
    /// The app's own data about the member.
    #[serde(
        rename = "AppMemberDefinedData",
        default,
        deserialize_with = "lenient::list"
    )]
    pub data: Vec<KeyValue>,
    /// Fields this crate does not know, `OnlineStatus` and `MsgFlag` among them.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Member {
    /// Its role.
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

/// Throws members out.
#[derive(Clone, Debug, Serialize)]
pub struct Kick {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
    /// The members, 500 at most.
    #[serde(rename = "MemberToDel_Account")]
    pub users: Vec<String>,
    /// What everybody is told.
    #[serde(rename = "Reason")]
    pub reason: String,
}

/// Changes one thing about one member.
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

    /// Mutes the member; zero lifts it.
    pub fn mute(group: impl Into<String>, user: impl Into<String>, time: Duration) -> Self {
        Self {
            // Rounded up: less than a second is no lifting of the mute.
            mute: Some(time.as_secs() + u64::from(time.subsec_nanos() > 0)),
            ..Self::of(group, user)
        }
    }

    /// Sets what the member is called in the group.
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

    /// Sets the app's own data about the member.
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

/// Asks how many members are online.
#[derive(Clone, Debug, Serialize)]
pub struct GetOnlineCount {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
}

/// The answer to [`GetOnlineCount`].
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct OnlineCount {
    /// How many are online.
    #[serde(rename = "OnlineMemberNum", default, deserialize_with = "lenient::int")]
    pub count: u32,
    /// Seconds for which the server asks to remember that.
    #[serde(rename = "ExpireTime", default, deserialize_with = "lenient::int")]
    pub expires: u64,
}
