//! What can be asked of a running process.

use serde::{Deserialize, Serialize};

/// What a client may ask.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    /// How all accounts stand.
    Status,
    /// Log out and stay away.
    Hold { account: String },
    /// Come back, whatever kept it away.
    Resume { account: String },
    /// Replace the login by one with a new UserSig.
    Relogin { account: String },
    /// Log out and stay away, as something that needs mending.
    Quarantine { account: String },
    /// Come back from quarantine.
    Release { account: String },
}
