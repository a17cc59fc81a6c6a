//! One account as an actor that supervises its connection.
//!
//! [`Core`] makes every decision; the actor around it dials, waits and hands on, and knows its
//! subscriber only as a [`Recipient`](actix::Recipient).

mod actor;
mod group_paces;
mod handle;
mod message;
mod provider;

pub use crate::session::{Receipt, RequestError};
pub use actor::{Account, AccountSpec};
pub use botroupe_core::account::{
    AccountEvent, Attempt, Cause, Clock, Core, CoreConfig, Counters, Credential, CredentialError,
    Effect, External, FleetUsers, MAX_OUTBOX, Off, OutboxError, OutboxItem, Phase, Policy, Record,
    RecordedEvent, Redacted, Report, Status, TakeBack, decide, is_heard,
};
pub use group_paces::SharedGroupPaces;
pub(crate) use handle::unreadable;
pub use handle::{AccountHandle, SendError};
pub use message::{Changed, Command, Deliver, GetStatus, Instruct, ReserveLogin, Send, SlowDown};
pub use provider::end_programs;
