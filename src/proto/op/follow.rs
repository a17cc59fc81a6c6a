//! Who follows whom: like friends, but nobody has to agree.

use super::profile::{Tagged, text};
use super::{ItemResult, UserResults};
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Users that one request may be about.
pub const MAX_USERS: usize = 100;
/// Users in one page of a list.
pub const PAGE: u32 = 500;

const CHECK: Limit = Limit::new("follow check", 4.0, 20);

calls! {
    Follow => "follow.follow_add" -> UserResults, Limit::NONE;
    Unfollow => "follow.follow_delete" -> UserResults, Limit::NONE;
    GetFollows => "follow.follow_get" -> Follows, Limit::NONE;
    GetCounts => "follow.follow_get_info" -> Counts, Limit::NONE;
    CheckFollows => "follow.follow_check" -> Checked, CHECK;
}

/// How somebody stands to an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tie {
    /// Neither follows the other.
    #[default]
    None,
    /// The other one follows the account.
    Follower,
    /// The account follows the other one.
    Following,
    /// Each follows the other.
    Mutual,
}

impl Tie {
    /// As the wire has it: 0 to 3.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Follower => 1,
            Self::Following => 2,
            Self::Mutual => 3,
        }
    }

    /// Of a number on the wire; unknown ones are no tie.
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
    /// Has `me` follow these users.
    pub fn new(me: impl Into<String>, users: Vec<String>) -> Self {
        Self {
            me: me.into(),
            items: users.into_iter().map(|user| User { user }).collect(),
        }
    }
}

/// Follows users no longer.
#[derive(Clone, Debug, Serialize)]
pub struct Unfollow {
    /// The own account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// Whom.
    #[serde(rename = "To_Account")]
    pub users: Vec<String>,
}

/// Asks for a page of those with one kind of tie.
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
    /// Those who stand so to `me`, from the beginning.
    pub fn new(me: impl Into<String>, tie: Tie) -> Self {
        Self {
            me: me.into(),
            tie: tie.number(),
            cursor: String::new(),
            count: PAGE,
        }
    }

    /// Goes on where a page ended. False if that was the last one, or where this one began.
    pub fn go_on(&mut self, page: &Follows) -> bool {
        let more = !page.next.is_empty() && page.next != self.cursor && !page.items.is_empty();
        self.cursor.clone_from(&page.next);
        more
    }
}

/// The answer to [`GetFollows`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Follows {
    /// Those of this page.
    #[serde(rename = "FollowItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<Followed>,
    /// Where the next page begins; empty after the last one.
    #[serde(rename = "NextCursor", default, deserialize_with = "lenient::string")]
    pub next: String,
}

/// Somebody in a list of followers, or of those who are followed.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Followed {
    /// Who.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub user: String,
    /// Since when, Unix seconds.
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
    /// Its nick name.
    #[must_use]
    pub fn nick(&self) -> &str {
        text(&self.fields, "Tag_Profile_IM_Nick")
    }
}

/// Asks how many follow some users, and how many they follow.
#[derive(Clone, Debug, Serialize)]
pub struct GetCounts {
    /// The own account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// Whose.
    #[serde(rename = "To_Account")]
    pub users: Vec<String>,
}

/// The answer to [`GetCounts`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Counts {
    /// One per user.
    #[serde(rename = "FollowInfo", default, deserialize_with = "lenient::list")]
    pub items: Vec<Count>,
}

/// How many follow a user, and how many it follows.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Count {
    /// How that went.
    #[serde(flatten)]
    pub result: ItemResult,
    /// Those who follow it.
    #[serde(rename = "FollowerCount", default, deserialize_with = "lenient::int")]
    pub followers: u64,
    /// Those it follows.
    #[serde(rename = "FollowingCount", default, deserialize_with = "lenient::int")]
    pub following: u64,
    /// Those of them who follow it as well.
    #[serde(
        rename = "MutualFollowingCount",
        default,
        deserialize_with = "lenient::int"
    )]
    pub mutual: u64,
}

/// Asks how some users stand to this account.
#[derive(Clone, Debug, Serialize)]
pub struct CheckFollows {
    /// The own account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// Who.
    #[serde(rename = "To_Account")]
    pub users: Vec<String>,
}

/// The answer to [`CheckFollows`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Checked {
    /// One per user.
    #[serde(rename = "ResultItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<CheckedUser>,
}

/// How one user stands to this account.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct CheckedUser {
    /// How that went.
    #[serde(flatten)]
    pub result: ItemResult,
    #[serde(rename = "FollowType", default, deserialize_with = "lenient::int")]
    tie: u32,
}

impl CheckedUser {
    /// The tie.
    #[must_use]
    pub const fn tie(&self) -> Tie {
        Tie::of(self.tie)
    }
}
