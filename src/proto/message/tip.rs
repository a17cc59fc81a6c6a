//! What the server tells about groups in the place of a message: tips, which everybody in the group
//! sees, and system notices, which are for one account.

use crate::lenient;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// The body of a tip (events 4 and 6): something happened in a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupTip {
    /// See [`TipKind`].
    #[serde(rename = "OpType", default, deserialize_with = "lenient::int")]
    pub op: u32,
    /// Who did it.
    #[serde(
        rename = "Operator_Account",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub operator: String,
    /// To whom it was done.
    #[serde(
        rename = "List_Account",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub members: Vec<String>,
    /// Members afterwards.
    #[serde(
        rename = "MemberNum",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub member_count: Option<u32>,
    /// Of [`TipKind::Joined`]: 1 applied, 2 invited.
    #[serde(
        rename = "GroupJoinType",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub join_type: Option<u32>,
    /// Of [`TipKind::MemberChanged`]: who was muted until when.
    #[serde(
        rename = "MsgMemberInfo",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub member_changes: Vec<MemberChange>,
    /// Of [`TipKind::ProfileChanged`]: what changed, by its name on the wire (`GroupName`,
    /// `Owner_Account`, `ShutupAll`, …).
    #[serde(
        rename = "MsgGroupNewInfo",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Map::is_empty"
    )]
    pub changed: Map<String, Value>,
    /// Nick names and the like, and fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One entry of [`GroupTip::member_changes`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MemberChange {
    /// The member.
    #[serde(rename = "User_Account", default, deserialize_with = "lenient::string")]
    pub user: String,
    /// Seconds for which it may not write; zero when it may again.
    #[serde(
        rename = "ShutupTime",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub muted_for: Option<u64>,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What a tip tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TipKind {
    /// Somebody joined or was invited (1).
    Joined,
    /// Somebody quit (2).
    Quit,
    /// Somebody was thrown out (3).
    Kicked,
    /// Somebody became an administrator (4).
    AdminGranted,
    /// Somebody is no longer an administrator (5).
    AdminRevoked,
    /// The profile changed, or the owner (6).
    ProfileChanged,
    /// A member was muted or may write again (7).
    MemberChanged,
    /// A topic's profile changed (8).
    TopicChanged,
    /// Somebody was banned (10).
    Banned,
    /// Somebody is no longer banned (11).
    Unbanned,
    /// A message was pinned (16).
    Pinned,
    /// A message is no longer pinned (17).
    Unpinned,
    /// A number this crate does not know.
    Other(u32),
}

impl GroupTip {
    /// What it tells.
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

/// The body of a system notice (event 5): something about a group that concerns this account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SystemNotice {
    /// See [`NoticeKind`].
    #[serde(rename = "ReportType", default, deserialize_with = "lenient::int")]
    pub report: u32,
    /// Who did it.
    #[serde(
        rename = "Operator_Account",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub operator: String,
    /// What the applicant or whoever decided wrote.
    #[serde(
        rename = "RemarkInfo",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub remark: String,
    /// Of an application: goes back with the decision.
    #[serde(
        rename = "Authentication",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub authentication: String,
    /// Of an application: goes back with the decision. Microseconds.
    #[serde(
        rename = "MsgKey",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub key: Option<u64>,
    /// Of [`NoticeKind::Custom`]: the text.
    #[serde(
        rename = "UserDefinedField",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub text: String,
    /// Nick names and the like, and fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What a system notice tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoticeKind {
    /// Somebody wants to join (1); for the owner and administrators.
    Application,
    /// The own application was accepted (2).
    Accepted,
    /// The own application was refused (3).
    Refused,
    /// This account was thrown out (4).
    Kicked,
    /// The group was dismissed (5).
    Dismissed,
    /// This account made the group (6).
    Created,
    /// This account was invited, and is in (7).
    Invited,
    /// This account quit (8).
    Quit,
    /// This account became an administrator (9).
    AdminGranted,
    /// This account is no longer an administrator (10).
    AdminRevoked,
    /// The server took the group away (11).
    Recycled,
    /// Somebody wants to invite somebody (12).
    InviteRequest,
    /// Read on another terminal (15).
    ReadElsewhere,
    /// A community has a new topic (17).
    TopicCreated,
    /// A community has lost topics (18), see [`SystemNotice::topics`].
    TopicDeleted,
    /// This account was banned from a live room (21).
    Banned,
    /// Said by the app's own server (255).
    Custom,
    /// A number this crate does not know.
    Other(u32),
}

impl SystemNotice {
    /// What it tells.
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

    /// Of [`NoticeKind::TopicDeleted`]: the topics that are gone.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        let list = self.extra.get("TopicIdArray").and_then(Value::as_array);
        let topics = list.into_iter().flatten().filter_map(Value::as_str);
        topics.map(str::to_owned).collect()
    }

    /// Whether this account is in the group no longer.
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
