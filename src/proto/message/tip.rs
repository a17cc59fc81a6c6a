//! Messages from the server about groups: tips, which all members of a group receive, and system
//! notices, which one account receives. See "Groups" in `docs/src/protocol.md`.

use crate::id::UserId;
use crate::lenient;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// The body of a tip (events 4 and 6): an event in a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupTip {
    /// See [`TipKind`].
    #[serde(rename = "OpType", default, deserialize_with = "lenient::int")]
    pub op: u32,
    /// The user who acted.
    #[serde(
        rename = "Operator_Account",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "str::is_empty"
    )]
    pub operator: UserId,
    /// The affected users.
    #[serde(
        rename = "List_Account",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub members: Vec<UserId>,
    /// The number of members after the event.
    #[serde(
        rename = "MemberNum",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub member_count: Option<u32>,
    /// For [`TipKind::Joined`]: 1 applied, 2 invited.
    #[serde(
        rename = "GroupJoinType",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub join_type: Option<u32>,
    /// For [`TipKind::MemberChanged`]: the muted members.
    #[serde(
        rename = "MsgMemberInfo",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub member_changes: Vec<MemberChange>,
    /// For [`TipKind::ProfileChanged`]: the changed fields, by their names on the wire
    /// (`GroupName`, `Owner_Account`, `ShutupAll`, …).
    #[serde(
        rename = "MsgGroupNewInfo",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Map::is_empty"
    )]
    pub changed: Map<String, Value>,
    /// Nick names and unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One entry of [`GroupTip::member_changes`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MemberChange {
    /// The member.
    #[serde(rename = "User_Account", default, deserialize_with = "lenient::string")]
    pub user: UserId,
    /// The duration of the mute in seconds; zero if the mute was lifted.
    #[serde(
        rename = "ShutupTime",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub muted_for: Option<u64>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The kind of a tip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TipKind {
    /// A user joined or was invited (1).
    Joined,
    /// A member left (2).
    Quit,
    /// A member was removed (3).
    Kicked,
    /// A member became an administrator (4).
    AdminGranted,
    /// A member is no longer an administrator (5).
    AdminRevoked,
    /// The profile or the owner changed (6).
    ProfileChanged,
    /// A member was muted or unmuted (7).
    MemberChanged,
    /// The profile of a topic changed (8).
    TopicChanged,
    /// A user was banned (10).
    Banned,
    /// A ban was lifted (11).
    Unbanned,
    /// A message was pinned (16).
    Pinned,
    /// A message was unpinned (17).
    Unpinned,
    /// A number that this crate does not know.
    Other(u32),
}

impl GroupTip {
    /// Returns the kind.
    #[must_use]
    pub const fn kind(&self) -> TipKind {
        match self.op {
            1 => TipKind::Joined,
            2 => TipKind::Quit,
            3 => TipKind::Kicked,
            4 => TipKind::AdminGranted,
            5 => TipKind::AdminRevoked,
            6 => TipKind::ProfileChanged,
            7 => TipKind::MemberChanged,
            8 => TipKind::TopicChanged,
            10 => TipKind::Banned,
            11 => TipKind::Unbanned,
            16 => TipKind::Pinned,
            17 => TipKind::Unpinned,
            other => TipKind::Other(other),
        }
    }
}

impl fmt::Display for GroupTip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[tip {:?} by {}", self.kind(), self.operator)?;
        if !self.members.is_empty() {
            write!(f, ": {} members", self.members.len())?;
        }
        f.write_str("]")
    }
}

/// The body of a system notice (event 5): an event in a group that concerns this account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SystemNotice {
    /// See [`NoticeKind`].
    #[serde(rename = "ReportType", default, deserialize_with = "lenient::int")]
    pub report: u32,
    /// The user who acted.
    #[serde(
        rename = "Operator_Account",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "str::is_empty"
    )]
    pub operator: UserId,
    /// The text of the applicant, or of the user who decided.
    #[serde(
        rename = "RemarkInfo",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub remark: String,
    /// For an application: a field that the decision must repeat.
    #[serde(
        rename = "Authentication",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub authentication: String,
    /// For an application: a time in microseconds that the decision must repeat.
    #[serde(
        rename = "MsgKey",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub key: Option<u64>,
    /// For [`NoticeKind::Custom`]: the text.
    #[serde(
        rename = "UserDefinedField",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub text: String,
    /// Nick names and unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The kind of a system notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoticeKind {
    /// A user applies to join (1). The owner and administrators receive this notice.
    Application,
    /// The application of this account was accepted (2).
    Accepted,
    /// The application of this account was rejected (3).
    Refused,
    /// This account was removed from the group (4).
    Kicked,
    /// The group was dismissed (5).
    Dismissed,
    /// This account created the group (6).
    Created,
    /// This account was invited and is now a member (7).
    Invited,
    /// This account left the group (8).
    Quit,
    /// This account became an administrator (9).
    AdminGranted,
    /// This account is no longer an administrator (10).
    AdminRevoked,
    /// The server recycled the group (11).
    Recycled,
    /// A member wants to invite a user (12).
    InviteRequest,
    /// This account has read the group on another terminal (15).
    ReadElsewhere,
    /// A community has a new topic (17).
    TopicCreated,
    /// Topics of a community were deleted (18), see [`SystemNotice::topics`].
    TopicDeleted,
    /// This account was banned from a live room (21).
    Banned,
    /// A message from the app's own server (255).
    Custom,
    /// A number that this crate does not know.
    Other(u32),
}

impl SystemNotice {
    /// Returns the kind.
    #[must_use]
    pub const fn kind(&self) -> NoticeKind {
        match self.report {
            1 => NoticeKind::Application,
            2 => NoticeKind::Accepted,
            3 => NoticeKind::Refused,
            4 => NoticeKind::Kicked,
            5 => NoticeKind::Dismissed,
            6 => NoticeKind::Created,
            7 => NoticeKind::Invited,
            8 => NoticeKind::Quit,
            9 => NoticeKind::AdminGranted,
            10 => NoticeKind::AdminRevoked,
            11 => NoticeKind::Recycled,
            12 => NoticeKind::InviteRequest,
            15 => NoticeKind::ReadElsewhere,
            17 => NoticeKind::TopicCreated,
            18 => NoticeKind::TopicDeleted,
            21 => NoticeKind::Banned,
            255 => NoticeKind::Custom,
            other => NoticeKind::Other(other),
        }
    }

    /// For [`NoticeKind::TopicDeleted`]: returns the deleted topics.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        let list = self.extra.get("TopicIdArray").and_then(Value::as_array);
        let topics = list.into_iter().flatten().filter_map(Value::as_str);
        topics.map(str::to_owned).collect()
    }

    /// Returns whether this account is no longer in the group.
    #[must_use]
    pub const fn ends_membership(&self) -> bool {
        matches!(
            self.kind(),
            NoticeKind::Kicked
                | NoticeKind::Dismissed
                | NoticeKind::Quit
                | NoticeKind::Recycled
                | NoticeKind::Banned
        )
    }
}

impl fmt::Display for SystemNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[notice {:?} by {}]", self.kind(), self.operator)
    }
}
