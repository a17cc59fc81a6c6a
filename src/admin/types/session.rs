//! Who asks, and logins of the console.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Who {
    /// The name of the token.
    pub name: String,
    /// What it allows: `read`, `operate`, `send`, `admin`.
    pub scopes: Vec<String>,
    /// Whether it is for every account.
    pub all_accounts: bool,
}

/// What a session begins with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewSession {
    /// What stands behind `#link=` in a link of `botroupe console`.
    Link(String),
    /// A token.
    Token(String),
}

impl std::fmt::Debug for NewSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSession").finish_non_exhaustive()
    }
}

/// A session that has begun.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// To be sent as a token is.
    pub session: String,
    /// When it ends, in Unix seconds.
    pub ends: u64,
    /// Whose it is.
    pub who: Who,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("who", &self.who)
            .finish_non_exhaustive()
    }
}

/// A link that leads into the console once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsoleLink {
    /// The address.
    pub url: String,
    /// When it leads nowhere any more, in Unix seconds.
    pub ends: u64,
}

impl std::fmt::Debug for ConsoleLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsoleLink").finish_non_exhaustive()
    }
}
