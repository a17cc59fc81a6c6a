//! Friends and friend applications. See "Conversations and people" in `docs/src/protocol.md`.

use super::profile::{Tagged, text};
use super::{Done, UserResults};
use crate::id::UserId;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The maximum number of users per request.
pub const MAX_USERS: usize = 1000;

calls! {
    GetFriends => "sns.friend_get" -> Friends, Limit::NONE;
    AddFriend => "sns.friend_add" -> UserResults, Limit::NONE;
    DeleteFriends => "sns.friend_delete" -> UserResults, Limit::NONE;
    CheckFriends => "sns.friend_check" -> Checked, Limit::NONE;
    UpdateFriend => "sns.friend_update" -> UserResults, Limit::NONE;
    Respond => "sns.friend_response" -> UserResults, Limit::NONE;
    GetApplications => "sns.pendency_get" -> Applications, Limit::NONE;
    DeleteApplications => "sns.pendency_delete" -> UserResults, Limit::NONE;
    ReadApplications => "sns.pendency_report" -> Done, Limit::NONE;
}

/// Requests a page of the friend list.
#[derive(Clone, Debug, Serialize)]
pub struct GetFriends {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "StartIndex")]
    start: u64,
    #[serde(rename = "StandardSequence")]
    standard: u8,
    #[serde(rename = "CustomSequence")]
    custom: u8,
}

impl GetFriends {
    /// Requests the friends of `me`, from index `start`.
    pub fn new(me: impl Into<String>, start: u64) -> Self {
        Self {
            me: me.into(),
            start,
            standard: 0,
            custom: 0,
        }
    }
}

/// The answer to [`GetFriends`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Friends {
    /// The friends of this page.
    #[serde(rename = "UserDataItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<Friend>,
    /// 1 on the last page.
    #[serde(rename = "CompleteFlag", default, deserialize_with = "lenient::int")]
    pub complete: u32,
    /// The start index of the next page.
    #[serde(rename = "NextStartIndex", default, deserialize_with = "lenient::int")]
    pub next: u64,
}

/// A friend.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Friend {
    /// The user.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub user: UserId,
    /// Fields of the profile, and this account's data about the friend.
    #[serde(
        rename = "ValueItem",
        alias = "SnsProfileItem",
        default,
        deserialize_with = "lenient::list"
    )]
    pub fields: Vec<Tagged>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Friend {
    /// Returns the remark (the name that this account gave the friend), or an empty text.
    #[must_use]
    pub fn remark(&self) -> &str {
        text(&self.fields, "Tag_SNS_IM_Remark")
    }

    /// Returns the nick name.
    #[must_use]
    pub fn nick(&self) -> &str {
        text(&self.fields, "Tag_Profile_IM_Nick")
    }
}

/// Whether a request concerns one side of a friendship or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sides {
    /// Both sides: each user is on the other's list.
    #[default]
    Both,
    /// One side: only the list of this account.
    Single,
}

/// Applies for a friendship.
#[derive(Clone, Debug, Serialize)]
pub struct AddFriend {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "AddFriendItem")]
    items: Vec<NewFriend>,
    #[serde(rename = "AddType")]
    sides: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct NewFriend {
    #[serde(rename = "To_Account")]
    user: String,
    #[serde(rename = "AddSource")]
    source: String,
    #[serde(rename = "AddWording")]
    wording: String,
    #[serde(rename = "Remark", skip_serializing_if = "String::is_empty")]
    remark: String,
}

impl AddFriend {
    /// Applies to `user` with the text `wording`. `remark` is the name that `me` gives the user.
    pub fn new(
        me: impl Into<String>,
        user: impl Into<String>,
        wording: impl Into<String>,
        remark: impl Into<String>,
        sides: Sides,
    ) -> Self {
        Self {
            me: me.into(),
            items: vec![NewFriend {
                user: user.into(),
                source: "AddSource_Type_Web".to_owned(),
                wording: wording.into(),
                remark: remark.into(),
            }],
            sides: match sides {
                Sides::Both => "Add_Type_Both",
                Sides::Single => "Add_Type_Single",
            },
        }
    }
}

/// Ends friendships.
#[derive(Clone, Debug, Serialize)]
pub struct DeleteFriends {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "To_Account")]
    users: Vec<String>,
    #[serde(rename = "DeleteType")]
    sides: &'static str,
}

impl DeleteFriends {
    /// Ends the friendships with these users.
    pub fn new(me: impl Into<String>, users: Vec<String>, sides: Sides) -> Self {
        Self {
            me: me.into(),
            users,
            sides: match sides {
                Sides::Both => "Delete_Type_Both",
                Sides::Single => "Delete_Type_Single",
            },
        }
    }
}

/// Checks which users are friends.
#[derive(Clone, Debug, Serialize)]
pub struct CheckFriends {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "To_Account")]
    users: Vec<String>,
    #[serde(rename = "CheckType")]
    sides: &'static str,
}

impl CheckFriends {
    /// Checks these users.
    pub fn new(me: impl Into<String>, users: Vec<String>, sides: Sides) -> Self {
        Self {
            me: me.into(),
            users,
            sides: match sides {
                Sides::Both => "CheckResult_Type_Both",
                Sides::Single => "CheckResult_Type_Single",
            },
        }
    }
}

/// The answer to [`CheckFriends`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Checked {
    /// One entry per user.
    #[serde(rename = "InfoItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<Relation>,
}

/// The friendship between a user and this account.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Relation {
    /// The user.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub user: UserId,
    /// `CheckResult_Type_AWithB`, `…_BothWay`, `…_NoRelation` or similar.
    #[serde(rename = "Relation", default, deserialize_with = "lenient::string")]
    pub relation: String,
    /// The error code; zero means success.
    #[serde(rename = "ResultCode", default, deserialize_with = "lenient::int")]
    pub code: i64,
}

impl Relation {
    /// Returns whether the user is on the friend list of this account.
    #[must_use]
    pub fn is_friend(&self) -> bool {
        self.code == 0
            && matches!(
                self.relation.as_str(),
                "CheckResult_Type_AWithB" | "CheckResult_Type_BothWay"
            )
    }
}

/// Changes this account's data about a friend.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateFriend {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "UpdateItem")]
    items: Vec<UpdateItem>,
}

#[derive(Clone, Debug, Serialize)]
struct UpdateItem {
    #[serde(rename = "To_Account")]
    user: String,
    #[serde(rename = "SnsItem")]
    fields: Vec<Tagged>,
}

impl UpdateFriend {
    /// Sets these fields (`Tag_SNS_IM_Remark`, `Tag_SNS_Custom_…`) of the friend `user`.
    pub fn new(me: impl Into<String>, user: impl Into<String>, fields: Vec<Tagged>) -> Self {
        Self {
            me: me.into(),
            items: vec![UpdateItem {
                user: user.into(),
                fields,
            }],
        }
    }
}

/// Answers a friend application.
#[derive(Clone, Debug, Serialize)]
pub struct Respond {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "ResponseFriendItem")]
    items: Vec<Response>,
}

#[derive(Clone, Debug, Serialize)]
struct Response {
    #[serde(rename = "To_Account")]
    user: String,
    #[serde(rename = "Remark", skip_serializing_if = "String::is_empty")]
    remark: String,
    #[serde(rename = "ResponseAction")]
    action: &'static str,
}

/// The answer to a friend application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Accept; both become friends of each other.
    AgreeAndAdd,
    /// Accept, but only the applicant gets this account on its list.
    Agree,
    /// Reject.
    Reject,
}

impl Respond {
    /// Answers the application of `user`. `remark` is the name that `me` gives the user.
    pub fn new(
        me: impl Into<String>,
        user: impl Into<String>,
        remark: impl Into<String>,
        decision: Decision,
    ) -> Self {
        Self {
            me: me.into(),
            items: vec![Response {
                user: user.into(),
                remark: remark.into(),
                action: match decision {
                    Decision::AgreeAndAdd => "Response_Action_AgreeAndAdd",
                    Decision::Agree => "Response_Action_Agree",
                    Decision::Reject => "Response_Action_Reject",
                },
            }],
        }
    }
}

/// Requests the sent and received friend applications.
#[derive(Clone, Debug, Serialize)]
pub struct GetApplications {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "PendencyType")]
    kind: &'static str,
    #[serde(rename = "StartTime")]
    start: u64,
    #[serde(rename = "MaxLimited")]
    limit: u32,
    #[serde(rename = "LastSequence")]
    sequence: u32,
}

impl GetApplications {
    /// Requests the newest hundred applications of `me`.
    pub fn new(me: impl Into<String>) -> Self {
        Self {
            me: me.into(),
            kind: "Pendency_Type_Both",
            start: 0,
            limit: 100,
            sequence: 0,
        }
    }
}

/// The answer to [`GetApplications`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Applications {
    /// The applications.
    #[serde(rename = "PendencyItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<Application>,
    /// The number of unread applications.
    #[serde(
        rename = "UnreadPendencyCount",
        default,
        deserialize_with = "lenient::int"
    )]
    pub unread: u32,
}

/// A friend application.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Application {
    /// The other user.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub user: UserId,
    /// The text of the application.
    #[serde(rename = "AddWording", default, deserialize_with = "lenient::string")]
    pub wording: String,
    /// The time in Unix seconds.
    #[serde(rename = "AddTime", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// Unknown fields, including the direction.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Deletes received applications.
#[derive(Clone, Debug, Serialize)]
pub struct DeleteApplications {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "PendencyType")]
    kind: &'static str,
    #[serde(rename = "To_Account")]
    users: Vec<String>,
}

impl DeleteApplications {
    /// Deletes the applications of these users.
    pub fn new(me: impl Into<String>, users: Vec<String>) -> Self {
        Self {
            me: me.into(),
            kind: "Pendency_Type_ComeIn",
            users,
        }
    }
}

/// Reports applications as read.
#[derive(Clone, Debug, Serialize)]
pub struct ReadApplications {
    /// This account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// The time up to which they are read, in Unix seconds.
    #[serde(rename = "LatestPendencyTimeStamp")]
    pub until: u64,
}
