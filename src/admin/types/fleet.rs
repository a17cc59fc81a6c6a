//! The fleet as a whole.

use super::store::StoreOf;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How the fleet stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Fleet {
    /// The version of the program.
    pub version: String,
    /// When it started, in Unix seconds.
    pub started: u64,
    /// Its time, in Unix seconds.
    pub now: u64,
    /// Enabled accounts.
    pub accounts: usize,
    /// Those of them that are online.
    pub online: usize,
    /// Those that are online and do not hear something.
    pub degraded: usize,
    /// Accounts by state.
    pub states: BTreeMap<String, usize>,
    /// Accounts that are away, by cause.
    pub causes: BTreeMap<String, usize>,
    /// When the next account that waits tries again, in Unix seconds.
    #[schema(required)]
    pub next: Option<u64>,
    /// Bot threads that a handler blocks at present.
    pub blocked_threads: usize,
    /// How the store is doing.
    pub store: StoreOf,
    /// The path of the control socket and the reason, when it is not beside the config.
    #[schema(required)]
    pub socket: Option<String>,
    /// The embedded server, when the fleet runs against it.
    #[schema(required)]
    pub sandbox: Option<SandboxOf>,
}

/// The embedded server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SandboxOf {
    /// Where it listens, `ws://127.0.0.1:7080`.
    pub url: String,
    /// The SDKAppID of the accounts.
    pub sdk_app_id: u32,
}
