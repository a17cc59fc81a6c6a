//! The fleet as a whole.

use super::store::StoreOf;
use crate::app::App;
use crate::config::Config;
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
    /// The apps of the process, in the order of the config.
    pub apps: Vec<AppOf>,
    /// The embedded server, when the fleet runs against it; the first, when several apps have one.
    #[schema(required)]
    pub sandbox: Option<SandboxOf>,
}

/// An app of the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppOf {
    /// What stands in front of the names of its accounts; `null` in a process with `[app]`.
    #[schema(required)]
    pub name: Option<String>,
    /// Its SDKAppID.
    pub sdk_app_id: u32,
    /// Where its accounts connect, as in the config: `sandbox`, `auto`, the name of a site or an address.
    pub endpoint: String,
}

impl AppOf {
    /// The apps of a config.
    pub(crate) fn all(config: &Config) -> Vec<Self> {
        let apps = config.apps.iter().map(|app| Self {
            name: app.name.as_deref().map(str::to_owned),
            sdk_app_id: app.sdk_app_id.get(),
            endpoint: app.endpoint.to_string(),
        });
        apps.collect()
    }
}

/// The embedded server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SandboxOf {
    /// Where it listens, `ws://127.0.0.1:7080`.
    pub url: String,
    /// The SDKAppID of the accounts.
    pub sdk_app_id: u32,
}

impl SandboxOf {
    /// The embedded server; the first, when several apps have one.
    pub(crate) fn first(config: &Config, app: &App) -> Option<Self> {
        let (name, url) = app.sandbox_urls().into_iter().next()?;
        let of = config.apps.iter().find(|app| app.name == name)?;
        Some(Self {
            url,
            sdk_app_id: of.sdk_app_id.get(),
        })
    }
}
