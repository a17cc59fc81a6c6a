//! One account: its patience, its inbox and outbox, and the connection it supervises.
//!
//! [`Core`] holds every decision and is pure; [`decide`](decide::decide) is the table it asks after
//! each ending. The actor around it dials, waits and hands on, and knows its subscriber only as a
//! [`Recipient`](actix::Recipient).

mod actor;
mod cause;
mod core;
mod course;
mod credential;
pub mod decide;
mod effect;
mod fleet;
mod handle;
mod limits;
mod outbox;
mod provider;
mod recovery;
mod status;
#[cfg(test)]
mod tests;
mod typing;

pub use crate::session::Receipt;
pub use actor::{
    Account, AccountSpec, Changed, Command, Deliver, GetStatus, Instruct, ReserveLogin, Send,
    SlowDown,
};
pub use cause::{Cause, Clock, Off};
pub use core::Core;
pub use credential::{Credential, CredentialError, External, Redacted};
pub use effect::{AccountEvent, CoreConfig, Effect};
pub use fleet::{Fleet, is_heard};
pub(crate) use handle::unreadable;
pub use handle::{AccountHandle, SendError};
pub use limits::GroupPaces;
pub use outbox::{Errand, OutboxError, Sending};
pub use provider::end_programs;
pub use recovery::{Policy, TakeBack};
pub use status::{Counters, Phase, Record, RecordedEvent, Status};
