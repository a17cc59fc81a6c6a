//! Simulates a fleet and its server on a virtual clock and network, from one seed.
//!
//! The accounts are the real implementation ([`Core`](botroupe_core::account::Core), its decisions,
//! the [`Session`](botroupe_core::session::Session) and the
//! [`Governor`](botroupe_core::policy::Governor)), and the server is the real sandbox
//! [`State`](botroupe_sandbox::state::State). The simulator only replaces sockets, actors and the
//! clock. The same seed produces the same run, byte for byte; the hash of the event log proves it.
//!
//! # Messages and copies
//!
//! With several [copies](Options::copies) of a fleet, the copies of an account share its messages.
//! The following holds for each account, over all its copies:
//!
//! * At least one copy delivers every message to its bot, as soon as one copy is online for long
//!   enough. Until then, the message is [owed](World::owed).
//! * No copy delivers a message to its bot twice, whatever faults occur.
//! * A copy that logs in without a cookie does not deliver messages that were reported as read
//!   before the start of its login, because the server only sends unread ones.
//! * Another copy may deliver any other message again, and [`handed_again`](Summary::handed_again)
//!   counts these. It happens when a copy is kicked before its read report arrives, one second
//!   after the message. It also happens when a copy resumes with its cookie, because the server
//!   then sends all messages, read or not
//!   ([`handed_again_though_read`](Summary::handed_again_though_read) counts these as well). With
//!   more than one [slot](Options::slots), it happens when both copies are online.
//!
//! # Omissions
//!
//! Heartbeats over a healthy link are not simulated one by one, because they have no effect. The
//! simulator catches up with them when an event affects the link, so that a dead link is detected
//! as late as in reality.

mod audit;
mod book;
mod bots;
mod clocks;
mod disk;
mod groups;
mod ledger;
mod login_pacing;
mod options;
mod sim_account;
mod trouble;
mod world;

#[cfg(test)]
mod tests;

pub use audit::{Summary, Violation};
pub use bots::Work;
pub use clocks::Clocks;
pub use disk::{Journal, StoreCounts, StoreModel};
pub use login_pacing::{Comeback, Shift};
pub use options::{Action, NetworkConfig, Options};
pub use trouble::Nudge;
pub use world::World;
