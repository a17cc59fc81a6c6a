//! The embedded server that the official SDKs accept.
//!
//! The pure part has no sockets, files or clock. Its layers, from the bottom up:
//!
//! - `wire` reads and writes frames.
//! - `world` holds the data that services share, `table` the data of each feature; [`state`] contains both.
//! - `request` and `commands` define and register the commands of clients and the REST API.
//! - `service` executes the commands, one file per feature; `dispatch` finds the handler of a request.
//! - `rest` authenticates the app.
//! - `seed` loads the initial data; `snapshot` saves and restores the state, with the serde helpers in `shape`.
//!
//! `shell` (feature `server`) adds sockets, files and a clock. The types of requests and answers come from
//! [`botroupe_proto::op`]. This crate does not use the session or account code of the bots.
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `server` | yes | `Sandbox`, the web server; without the feature only [`state`] |
//!
#![cfg_attr(
    feature = "server",
    doc = r#"
```no_run
use botroupe_sandbox::{Sandbox, SandboxConfig};
use botroupe_proto::id::SdkAppId;

let app = SdkAppId::new(1_400_000_001)?;
let sandbox = Sandbox::spawn_thread(SandboxConfig::new(app, "secret"), ([127, 0, 0, 1], 0).into())?;
println!("connect to {}", sandbox.url());
sandbox.shutdown();
# Ok::<(), Box<dyn std::error::Error>>(())
```
"#
)]
#![cfg_attr(
    not(feature = "server"),
    allow(
        dead_code,
        unused_imports,
        reason = "only the shell uses stores, seeds and files"
    )
)]

use botroupe_core::policy;
use botroupe_proto as proto;

mod answer;
mod commands;
mod config;
mod dispatch;
mod fields;
mod request;
mod rest;
mod seed;
mod service;
mod shape;
#[cfg(feature = "server")]
mod shell;
mod snapshot;
pub mod state;
mod table;
#[cfg(test)]
mod tests;
mod wire;
mod world;

pub use config::{Dedupe, SandboxConfig, SandboxTls, Unknown};
pub use rest::RestAnswer;
pub use seed::{Mistake, Seed, SeedError};
#[cfg(feature = "server")]
pub use shell::{Sandbox, SandboxError, SandboxRemote, StoreError, TlsError};
pub use snapshot::SnapshotError;
pub use state::{
    Counters, Fault, FaultError, GroupItem, HistoryItem, KickType, LedgerEntry, Status,
};
pub use wire::CompressMode;
