//! Runs bots from a program of your own.
//!
//! [`Fleet::builder`] describes a fleet in code, [`Fleet::from_config`] reads it from a config file.
//! [`run`](FleetBuilder::run) keeps it online until Ctrl-C; [`start`](FleetBuilder::start) gives a
//! [`FleetHandle`] instead, on any async runtime.
//!
//! ```no_run
//! use botroupe::prelude::*;
//!
//! fn echo() -> Bot {
//!     Bot::new("echo").on_text(|text: Text| async move { text.into_inner() })
//! }
//!
//! fn main() -> Result<(), FleetError> {
//!     Fleet::builder().sandbox().bot(echo).account("echo-bot").run()
//! }
//! ```

mod accounts;
#[cfg_attr(not(feature = "admin"), path = "no_admin.rs")]
mod admin;
mod builder;
mod env;
mod error;
mod fleet_app;
mod handle;
mod load;
mod observer;
mod signals;

pub use crate::account::{
    AccountName, Cause, Command, Counters, Phase, Record, RecordedEvent, Status,
};
pub use crate::app::{
    AccountStep, Action, AppError, BotChangeError, OrderError, Plan, ReloadError, Stopped,
};
pub use crate::store::OpenError;
#[cfg(feature = "cli")]
#[cfg(feature = "cli")]
pub(crate) use accounts::{Again, files as account_files};
pub use builder::{Fleet, FleetAccount, FleetBuilder};
pub use env::ProcessEnv;
pub use error::FleetError;
pub use fleet_app::FleetApp;
pub use handle::FleetHandle;
#[cfg(feature = "cli")]
pub(crate) use load::{ask_again, read_config};
#[cfg(feature = "cli")]
pub(crate) use signals::{Signal, Signals};
