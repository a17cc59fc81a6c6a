//! The embedded server that the official SDKs accept.
//!
//! The pure part has no socket, file or clock. From below: `wire` reads and writes frames; `world` is what services
//! share; `table` is what each feature keeps; [`state`] holds them together; `request` and `commands` are the
//! form in which a service offers what clients and the REST API can ask for; `service` carries it out, a file
//! for each feature; `dispatch` finds what carries out a request; `rest` authenticates the app; `seed` is what a
//! sandbox starts with; `snapshot` is what outlives a restart, in the `shape` that its fields have there.
//! `shell` (feature `server`) serves that over sockets, with files and a clock. The types of requests and answers
//! are those of [`botroupe_proto::op`]; nothing of a session or an account is used here.
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `server` | yes | `Sandbox`, the web server; without it only [`state`] |
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
        reason = "only the shell stores, seeds and carries files"
    )
)]

use botroupe_core::policy;
use botroupe_proto as proto;

mod commands;
mod config;
mod dispatch;
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

pub use config::{SandboxConfig, SandboxTls, Unknown};
pub use rest::RestAnswer;
pub use seed::{Mistake, Seed, SeedError};
#[cfg(feature = "server")]
pub use shell::{Sandbox, SandboxError, StoreError, TlsError};
pub use snapshot::SnapshotError;
pub use state::{Counters, Fault, FaultError, GroupItem, HistoryItem, KickType, Status};
pub use wire::CompressMode;
