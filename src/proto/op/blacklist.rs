//! The blacklist: users who cannot write to this account.

use super::{ItemResult, UserResults};
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};

/// Users that one request may be about.
pub const MAX_USERS: usize = 1000;

calls! {
    GetBlacklist => "sns.black_list_get" -> Blacklist, Limit::NONE;
    AddToBlacklist => "sns.black_list_add" -> UserResults, Limit::NONE;
    RemoveFromBlacklist => "sns.black_list_delete" -> UserResults, Limit::NONE;
}

/// Asks for a page of the blacklist.
#[derive(Clone, Debug, Serialize)]
pub struct GetBlacklist {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "StartIndex")]
    start: u64,
    #[serde(rename = "MaxLimited")]
    limit: u32,
}

impl GetBlacklist {
    /// That of `me`, from `start` on.
    pub fn new(me: impl Into<String>, start: u64) -> Self {
        Self {
            me: me.into(),
            start,
            limit: 1000,
        }
    }
}

/// The answer to [`GetBlacklist`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Blacklist {
    /// Those on it, as far as this page goes.
    #[serde(rename = "BlackListItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<ItemResult>,
    /// Where the next page begins; zero at the end.
    #[serde(rename = "StartIndex", default, deserialize_with = "lenient::int")]
    pub next: u64,
}

/// Blocks users: they cannot write to this account any more.
#[derive(Clone, Debug, Serialize)]
pub struct AddToBlacklist {
    /// This account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// The users.
    #[serde(rename = "To_Account")]
    pub users: Vec<String>,
}

/// Lifts the block.
#[derive(Clone, Debug, Serialize)]
pub struct RemoveFromBlacklist {
    /// This account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// The users.
    #[serde(rename = "To_Account")]
    pub users: Vec<String>,
}
