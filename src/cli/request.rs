//! The requests to a running process.

use serde::{Deserialize, Serialize};

/// A request of a client.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    /// The status of all accounts.
    Status,
    /// Log out and stay offline.
    Hold { account: String },
    /// Come back, for whatever reason the account is offline.
    Resume { account: String },
    /// Replace the login by one with a new UserSig.
    Relogin { account: String },
    /// Log out and stay offline, marked as broken.
    Quarantine { account: String },
    /// Come back from quarantine.
    Release { account: String },
    /// Send a letter that failed, or of which it is unknown whether it arrived.
    RetryLetter { letter: u64 },
    /// Forget a letter.
    DropLetter { letter: u64 },
}
