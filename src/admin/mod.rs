//! The HTTP API over a running fleet, its metrics and its console.
//!
//! It is served on the control socket beside the config, where the user who owns it may do everything, and where
//! `[admin] listen` says so on TCP, where every request brings a token. It has a thread of its own, so that nothing that
//! is asked holds up an account.
//!
//! A path is a file in [`routes`]: handlers, their description, and a line in `routes::ALL`. What it says and is told are
//! types in [`types`]. Who may use it is said by the extractor that a handler takes (`Reader`, `Operator`, `Sender`,
//! `Administrator`).

mod alerts;
mod audit;
mod body;
mod caller;
#[cfg(unix)]
pub mod client;
mod desk;
mod door;
mod feed;
mod guard;
mod history;
mod logs;
mod metrics;
mod refusal;
mod routes;
mod server;
mod sessions;
#[cfg(unix)]
mod socket;
mod source;
mod sse;
mod tls;
mod token;
mod tries;
pub mod types;

pub use alerts::{AlertBoard, Silencing};
pub use feed::Feed;
pub use logs::{LogLevels, LogPart, LogTail, Logs};
pub use routes::describe;
pub use server::{Admin, AdminError, Opened, Setting, check};
pub use source::ConfigSource;
pub use token::{NewToken, TokenError};
