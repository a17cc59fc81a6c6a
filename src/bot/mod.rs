//! What bot authors see, and who runs their bots.
//!
//! A bot is a value: a name and handlers. A handler is an `async fn`; its parameters are what it
//! wants to know ([`Text`], [`Sender`], [`State<T>`](State), …), its return value is the reply.
//!
//! ```
//! use botroupe::prelude::*;
//!
//! pub fn bot() -> Bot {
//!     Bot::new("echo").on_text(echo)
//! }
//!
//! async fn echo(text: Text) -> String {
//!     text.into_inner()
//! }
//! # let _ = bot();
//! ```
//!
//! # What a bot can rely on
//!
//! * It is only called while its account is ready (SDK_READY). What came before waits.
//! * Messages of one conversation are handled in order, one at a time; conversations run side by
//!   side.
//! * A handler that panics, never ends or blocks its thread harms no other handler: panics are
//!   caught, a deadline ends what hangs, and a blocked thread is replaced.
//! * Own messages sent from other terminals, and recalled ones, do not reach text handlers.

mod api;
mod attachment;
mod builder;
mod drain;
mod extract;
mod handler;
mod host;
mod pool;
mod registry;
mod reply;
mod settings;
pub mod testing;
mod transfer;

pub use api::{Api, ApiError, GroupApi, Upload, Uploads};
pub use attachment::{Attachment, Outgoing};
pub use builder::{Bot, SettingsError};
pub use drain::{Drain, Draining};
pub use extract::{
    Config, Event, FromEvent, Group, Kicked, NotReady, Rejection, Sender, State, Text,
};
pub use handler::Handler;
pub use host::{Host, HostConfig};
pub use pool::Pool;
pub use registry::{Entry, find};
pub use reply::{Answer, IntoReply, Reply};
pub use transfer::TransferError;
