//! Followers. Unlike a friendship, a follow needs no consent. See "Conversations and people" in
//! `docs/src/protocol.md`.

use super::profile::{Tagged, text};
use super::{ItemResult, UserResults};
use crate::id::UserId;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The maximum number of users per request.
pub const MAX_USERS: usize = 100;
/// The maximum number of users per page.
pub const PAGE: u32 = 500;

const CHECK: Limit = Limit::new("follow check", 4.0, 20);

calls! {
    Follow => "follow.follow_add" -> UserResults, Limit::NONE;
    Unfollow => "follow.follow_delete" -> UserResults, Limit::NONE;
    GetFollows => "follow.follow_get" -> Follows, Limit::NONE;
    GetCounts => "follow.follow_get_info" -> Counts, Limit::NONE;
    CheckFollows => "follow.follow_check" -> Checked, CHECK;
}

/// The follow relation between a user and an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tie {
    /// Neither follows the other.
    #[default]
    None,
    /// The user follows the account.
    Follower,
    /// The account follows the user.
    Following,
    /// They follow each other.
    Mutual,
}

impl Tie {
    /// Returns the number on the wire, 0 to 3.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Follower => 1,
            Self::Following => 2,
            Self::Mutual => 3,
        }
    }

    /// Converts a number from the wire. Unknown numbers become the default, no relation.
    #[must_use]
    pub const fn of(number: u32) -> Self {
        match number {
            1 => Self::Follower,
            2 => Self::Following,
            3 => Self::Mutual,
            _ => Self::None,
        }
    }
}

/// Follows users.
#[derive(Clone, Debug, Serialize)]
pub struct Follow {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "FollowItem")]
    items: Vec<User>,
}

#[derive(Clone, Debug, Serialize)]
struct User {
    #[serde(rename = "To_Account")]
    user: String,
}

impl Follow {
    /// Makes `me` follow these users.
    pub fn new(me: impl Into<String>, users: Vec<String>) -> Self {
        Self {
            me: me.into(),
            items: users.into_iter().map(|user| User { user }).collect(),
        }
    }
}

/// Unfollows users.
#[derive(Clone, Debug, Serialize)]
pub struct Unfollow {
    /// This account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// The users.
    #[serde(rename = "To_Account")]
    pub users: Vec<String>,
}

/// Requests a page of the users with one kind of relation.
#[derive(Clone, Debug, Serialize)]
pub struct GetFollows {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "FollowType")]
    tie: u32,
    #[serde(rename = "StartCursor")]
    cursor: String,
    #[serde(rename = "WantNum")]
    count: u32,
}

impl GetFollows {
    /// Requests the first page of users with this relation to `me`.
    pub fn new(me: impl Into<String>, tie: Tie) -> Self {
        Self {
            me: me.into(),
            tie: tie.number(),
            cursor: String::new(),
            count: PAGE,
        }
    }

    /// Advances to the page after `page`. Returns false if `page` is the last one, or starts where
    /// it ends.
    pub fn go_on(&mut self, page: &Follows) -> bool {
        let more = !page.next.is_empty() && page.next != self.cursor && !page.items.is_empty();
        self.cursor.clone_from(&page.next);
        more
    }
}

/// The answer to [`GetFollows`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Follows {
    /// The users of this page.
    #[serde(rename = "FollowItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<Followed>,
    /// The start of the next page; empty after the last page.
    #[serde(rename = "NextCursor", default, deserialize_with = "lenient::string")]
    pub next: String,
}

/// A user in a list of followers or followed users.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Followed {
    /// The user.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub user: UserId,
    /// The time since when, in Unix seconds.
    #[serde(rename = "FollowTime", default, deserialize_with = "lenient::int")]
    pub since: u64,
    /// The profile.
    #[serde(rename = "ProfileItem", default, deserialize_with = "lenient::list")]
    pub fields: Vec<Tagged>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Followed {
    /// Returns the nick name.
    #[must_use]
    pub fn nick(&self) -> &str {
        text(&self.fields, "Tag_Profile_IM_Nick")
    }
}

/// Requests the numbers of followers and followed users of some users.
#[derive(Clone, Debug, Serialize)]
pub struct GetCounts {
    /// This account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// The users.
    #[serde(rename = "To_Account")]
    pub users: Vec<String>,
}

/// The answer to [`GetCounts`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Counts {
    /// One entry per user.
    #[serde(rename = "FollowInfo", default, deserialize_with = "lenient::list")]
    pub items: Vec<Count>,
}

/// The numbers of followers and followed users of one user.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Count {
    /// The result for this user.
    #[serde(flatten)]
    pub result: ItemResult,
    /// The number of followers.
    #[serde(rename = "FollowerCount", default, deserialize_with = "lenient::int")]
    pub followers: u64,
    /// The number of followed users.
    #[serde(rename = "FollowingCount", default, deserialize_with = "lenient::int")]
    pub following: u64,
    /// The number of mutual followers.
    #[serde(
        rename = "MutualFollowingCount",
        default,
        deserialize_with = "lenient::int"
    )]
    pub mutual: u64,
}

/// Requests the relations between some users and this account.
#[derive(Clone, Debug, Serialize)]
pub struct CheckFollows {
    /// This account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// The users.
    #[serde(rename = "To_Account")]
    pub users: Vec<String>,
}

/// The answer to [`CheckFollows`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Checked {
    /// One entry per user.
    #[serde(rename = "ResultItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<CheckedUser>,
}

/// The relation of one user to this account.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct CheckedUser {
    /// The result for this user.
    #[serde(flatten)]
    pub result: ItemResult,
    #[serde(rename = "FollowType", default, deserialize_with = "lenient::int")]
    tie: u32,
}

impl CheckedUser {
    /// Returns the relation.
    #[must_use]
    pub const fn tie(&self) -> Tie {
        Tie::of(self.tie)
    }
}
