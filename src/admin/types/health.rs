//! Answers to probes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether the process does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// The supervisor of the accounts is alive.
    pub alive: bool,
}

/// Whether the fleet does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Enough accounts are online.
    pub ready: bool,
    /// Accounts that are online.
    pub online: usize,
    /// Enabled accounts.
    pub accounts: usize,
}
