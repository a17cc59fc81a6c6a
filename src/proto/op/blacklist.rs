//! The blacklist: users who cannot write to this account. See "Conversations and people" in
//! `docs/src/protocol.md`.

use super::{ItemResult, UserResults};
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};

/// The maximum number of users per request.
pub const MAX_USERS: usize = 1000;

calls! {
    GetBlacklist => "sns.black_list_get" -> Blacklist, Limit::NONE;
    AddToBlacklist => "sns.black_list_add" -> UserResults, Limit::NONE;
    RemoveFromBlacklist => "sns.black_list_delete" -> UserResults, Limit::NONE;
}

/// Requests a page of the blacklist.
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
    /// Requests the blacklist of `me`, from index `start`.
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
    /// The users of this page.
    #[serde(rename = "BlackListItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<ItemResult>,
    /// The start index of the next page; zero after the last page.
    #[serde(rename = "StartIndex", default, deserialize_with = "lenient::int")]
    pub next: u64,
}

/// Blocks users, so that they can no longer write to this account.
#[derive(Clone, Debug, Serialize)]
pub struct AddToBlacklist {
    /// This account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// The users.
    #[serde(rename = "To_Account")]
    pub users: Vec<String>,
}

/// Unblocks users.
#[derive(Clone, Debug, Serialize)]
pub struct RemoveFromBlacklist {
    /// This account.
    #[serde(rename = "From_Account")]
    pub me: String,
    /// The users.
    #[serde(rename = "To_Account")]
    pub users: Vec<String>,
}
