//! Group membership: joining, invitations, applications and decisions about them. See "Groups" in
//! `docs/src/protocol.md`.

use super::group::MemberName;
use super::{Call, Done};
use crate::command::of_group;
use crate::id::{GroupId, UserId};
use crate::lenient;
use crate::message::SystemNotice;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The maximum number of users per invitation.
pub const MAX_INVITED: usize = 300;

group_calls! {
    Join => "apply_join_group" -> Joined, Limit::NONE;
    Invite => "add_group_member" -> Invited, Limit::NONE;
}

/// Joins a group, or applies to join it.
#[derive(Clone, Debug, Serialize)]
pub struct Join {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "ApplyMsg", skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(rename = "WebPushFlag")]
    web_push: u8,
    #[serde(rename = "HugeGroupHistoryMsgFlag")]
    history: u8,
}

impl Join {
    /// Joins `group`, or applies with a `text` for the users who decide.
    pub fn new(group: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            text: text.into(),
            web_push: 1,
            history: 1,
        }
    }
}

/// The answer to [`Join`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Joined {
    /// `JoinedSuccess` or `WaitAdminApproval`.
    #[serde(rename = "JoinedStatus", default, deserialize_with = "lenient::string")]
    pub status: String,
    /// Earlier messages of a live room, oldest first, as unparsed objects; see
    /// [`history`](Self::history).
    #[serde(rename = "RspMsgList", default, deserialize_with = "lenient::list")]
    pub items: Vec<Value>,
    /// Fields of live rooms, and unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Joined {
    /// Returns whether the application waits for a decision.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.status == "WaitAdminApproval"
    }
}

/// Decides about an application.
#[derive(Clone, Debug, Serialize)]
pub struct Decide {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "Applicant_Account")]
    applicant: String,
    #[serde(rename = "Invited_Account", skip_serializing_if = "Option::is_none")]
    invited: Option<String>,
    #[serde(rename = "HandleMsg")]
    decision: &'static str,
    #[serde(rename = "ApprovalMsg")]
    text: String,
    #[serde(rename = "Authentication")]
    authentication: String,
    #[serde(rename = "MsgKey")]
    key: u64,
}

impl Decide {
    /// Decides about the application or invitation in a notice, with a `text` for the applicant.
    pub fn notice(
        group: impl Into<String>,
        notice: &SystemNotice,
        agree: bool,
        text: impl Into<String>,
    ) -> Self {
        Self {
            group: group.into(),
            applicant: notice.operator.to_string(),
            // The official client does not send this field here either.
            invited: None,
            decision: Self::word(agree),
            text: text.into(),
            authentication: notice.authentication.clone(),
            key: notice.key.unwrap_or(0),
        }
    }

    /// Decides about an application from [`GetApplications`].
    #[must_use]
    pub fn application(application: &Application, agree: bool, text: impl Into<String>) -> Self {
        Self {
            group: application.group.to_string(),
            applicant: application.from.to_string(),
            invited: application.invited().map(str::to_owned),
            decision: Self::word(agree),
            text: text.into(),
            authentication: application.authentication.clone(),
            key: application.time,
        }
    }

    const fn word(agree: bool) -> &'static str {
        if agree { "Agree" } else { "Reject" }
    }
}

impl Call for Decide {
    type Answer = Done;
    const LIMIT: Limit = Limit::NONE;

    fn servcmd(&self) -> Cow<'static, str> {
        let servcmd = match self.invited {
            None => "group_open_http_svc.handle_apply_join_group",
            Some(_) => "group_open_http_svc.handle_invite_join_permission_group",
        };
        of_group(servcmd, &self.group)
    }
}

/// Requests the applications and invitations that this account may decide about.
#[derive(Clone, Debug, Serialize)]
pub struct GetApplications {
    /// Whether to request those to communities, or those to all other groups.
    #[serde(skip)]
    pub communities: bool,
    /// The start of the page; zero for the first page.
    #[serde(rename = "StartTime")]
    pub start: u64,
    /// The maximum number of entries.
    #[serde(rename = "Limit")]
    pub limit: u32,
    /// This account.
    #[serde(rename = "Handle_Account")]
    pub me: String,
}

impl Call for GetApplications {
    type Answer = Applications;
    const LIMIT: Limit = Limit::new("applications", 15.0, 3);

    fn servcmd(&self) -> Cow<'static, str> {
        Cow::Borrowed(if self.communities {
            "million_group_open_http_svc.get_pendency"
        } else {
            "group_open_http_svc.get_pendency"
        })
    }
}

/// The answer to [`GetApplications`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Applications {
    /// The applications.
    #[serde(rename = "PendencyList", default, deserialize_with = "lenient::list")]
    pub items: Vec<Application>,
    /// The start of the next page; zero after the last page.
    #[serde(rename = "NextStartTime", default, deserialize_with = "lenient::int")]
    pub next: u64,
    /// The number of entries without a decision.
    #[serde(rename = "UnhandleNum", default, deserialize_with = "lenient::int")]
    pub open: u32,
}

/// An application to join a group, or a member's request to invite a user.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Application {
    /// The applicant, or the member who invites.
    #[serde(rename = "From_Account", default, deserialize_with = "lenient::string")]
    pub from: UserId,
    /// The group.
    #[serde(rename = "GroupId", default, deserialize_with = "lenient::string")]
    pub group: GroupId,
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    to: UserId,
    #[serde(rename = "ApplicationType", default, deserialize_with = "lenient::int")]
    kind: u32,
    /// The time in microseconds. The decision must repeat it, because it is also the key.
    #[serde(rename = "AddTime", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// A key that the decision must repeat.
    #[serde(
        rename = "Authentication",
        default,
        deserialize_with = "lenient::string"
    )]
    pub authentication: String,
    /// Zero if nobody has decided yet.
    #[serde(rename = "Handled", default, deserialize_with = "lenient::int")]
    pub handled: u32,
    /// The text of the applicant.
    #[serde(
        rename = "ApplyInviteMsg",
        default,
        deserialize_with = "lenient::string"
    )]
    pub text: String,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Application {
    /// Returns the invited user, if a member applies on behalf of a user.
    #[must_use]
    pub fn invited(&self) -> Option<&str> {
        (self.kind == 2).then_some(&*self.to)
    }
}

/// Adds users to a group, or invites them.
#[derive(Clone, Debug, Serialize)]
pub struct Invite {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "MemberList")]
    users: Vec<MemberName>,
}

impl Invite {
    /// Invites these users, at most 300.
    pub fn new(group: impl Into<String>, users: Vec<String>) -> Self {
        let users = users.into_iter().map(|user| MemberName { user });
        Self {
            group: group.into(),
            users: users.collect(),
        }
    }
}

/// The answer to [`Invite`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Invited {
    /// One result per user.
    #[serde(rename = "MemberList", default, deserialize_with = "lenient::list")]
    pub users: Vec<InvitedUser>,
}

/// The result of one invitation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct InvitedUser {
    /// The user.
    #[serde(
        rename = "Member_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    pub user: UserId,
    /// 0 failed, 1 added, 2 already a member, 3 invitation sent, 4 group limit of the user reached.
    #[serde(rename = "Result", default, deserialize_with = "lenient::int")]
    pub result: u32,
}

impl InvitedUser {
    /// Returns whether the user is a member now.
    #[must_use]
    pub const fn is_in(&self) -> bool {
        matches!(self.result, 1 | 2)
    }

    /// Returns whether the invitation waits for consent.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.result == 3
    }
}
