//! Friends and applications for friendship.

use super::profile::{Tagged, text};
use super::{Done, UserResults};
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Users that one request may be about.
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

/// Asks for a page of the friends.
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
    /// The friends of `me` from `start` on.
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
    /// Those of this page.
    #[serde(rename = "UserDataItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<Friend>,
    /// 1: the last page.
    #[serde(rename = "CompleteFlag", default, deserialize_with = "lenient::int")]
    pub complete: u32,
    /// Where the next page begins.
    #[serde(rename = "NextStartIndex", default, deserialize_with = "lenient::int")]
    pub next: u64,
}

/// A friend.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Friend {
    /// Who.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub user: String,
    /// Fields of its profile, and the notes of this account about it.
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
    /// What this account calls it; empty without such a name.
    #[must_use]
    pub fn remark(&self) -> &str {
        text(&self.fields, "Tag_SNS_IM_Remark")
    }

    /// Its nick name.
    #[must_use]
    pub fn nick(&self) -> &str {
        text(&self.fields, "Tag_Profile_IM_Nick")
    }
}

/// Whether something is about one side of a friendship or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sides {
    /// Both are friends of each other.
    #[default]
    Both,
    /// Only the other one on the own list.
    Single,
}

/// Asks a user to be a friend.
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
    /// Asks `user` with a `wording`; `remark` is what `me` calls it.
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
    /// Those with these users.
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

/// Asks who is a friend.
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
    /// Among these users.
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
    /// One per user.
    #[serde(rename = "InfoItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<Relation>,
}

/// How a user and this account stand to each other.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Relation {
    /// The user.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub user: String,
    /// `CheckResult_Type_AWithB`, `…_BothWay`, `…_NoRelation` and the like.
    #[serde(rename = "Relation", default, deserialize_with = "lenient::string")]
    pub relation: String,
    /// Zero when it could be told.
    #[serde(rename = "ResultCode", default, deserialize_with = "lenient::int")]
    pub code: i64,
}

impl Relation {
    /// Whether the user is on the own list of friends.
    #[must_use]
    pub fn is_friend(&self) -> bool {
        self.code == 0
            && matches!(
                self.relation.as_str(),
                "CheckResult_Type_AWithB" | "CheckResult_Type_BothWay"
            )
    }
}

/// Changes what this account noted about a friend.
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

/// Answers somebody who wants to be a friend.
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

/// The answer to somebody who wants to be a friend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Both are friends.
    AgreeAndAdd,
    /// It has this account on its list, but not the other way round.
    Agree,
    /// No.
    Reject,
}

impl Respond {
    /// Answers `user`; `remark` is what `me` calls it.
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

/// Asks for applications for friendship, those made and those received.
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
    /// The newest hundred of `me`.
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
    /// How many were not looked at.
    #[serde(
        rename = "UnreadPendencyCount",
        default,
        deserialize_with = "lenient::int"
    )]
    pub unread: u32,
}

/// An application for friendship.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Application {
    /// The other side.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub user: String,
    /// The text of the application.
    #[serde(rename = "AddWording", default, deserialize_with = "lenient::string")]
    pub wording: String,
    /// When, Unix seconds.
    #[serde(rename = "AddTime", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// Fields this crate does not know; which way it goes is among them.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Deletes applications that were received.
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
    /// Those of these users.
    pub fn new(me: impl Into<String>, users: Vec<String>) -> Self {
        Self {
            me: me.into(),
            kind: "Pendency_Type_ComeIn",
            users,
        }
    }
}

/// Reports applications as looked at.
#[derive(Clone, Debug, Serialize)]
pub struct ReadApplications {
    /// This account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// Up to when, Unix seconds.
    #[serde(rename = "LatestPendencyTimeStamp")]
    pub until: u64,
}
