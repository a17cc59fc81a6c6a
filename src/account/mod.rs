//! One account as an actor that supervises its connection.
//!
//! [`Core`] makes every decision; the actor around it dials, waits and hands on, and knows those who hear
//! it only as a [`Subscriber`].

mod actor;
mod collect;
mod group_paces;
mod handle;
mod log;
mod message;
mod paces;
mod provider;
mod shared_fleet;
mod shared_governor;
mod subscriber;
mod timer;

pub use crate::session::{Receipt, RequestError};
pub use actor::{Account, AccountSpec, Surroundings};
pub use botroupe_core::account::{
    AccountEvent, AccountName, Attempt, Cause, Clock, Core, CoreConfig, Counters, Credential,
    CredentialError, Effect, External, FleetUsers, MAX_OUTBOX, Off, Order, OutboxError, OutboxItem,
    Outlook, Phase, Policy, Record, RecordedEvent, Redacted, Report, Status, Step, TakeBack,
    decide, is_heard,
};
pub use collect::{StatusCollector, StatusPlace};
pub use group_paces::SharedGroupPaces;
pub(crate) use handle::unreadable;
pub use handle::{AccountHandle, Handover, SendError};
pub use message::{
    Changed, Command, Deliver, Instruct, MakeConnector, Reconfigure, Send, TellStatus,
};
pub use paces::Paces;
pub use provider::end_programs;
pub(crate) use provider::{fetch_accounts, fetch_key};
pub use shared_fleet::SharedFleet;
pub use shared_governor::SharedGovernor;
pub use subscriber::{Reply, SpillRead, Subscriber, Wish};
