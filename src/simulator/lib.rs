//! A fleet and its server on a virtual clock and a simulated network, from one seed.
//!
//! The accounts are the real ones ([`Core`](botroupe_core::account::Core), its decisions, the
//! [`Session`](botroupe_core::session::Session), the [`Governor`](botroupe_core::policy::Governor)), the server is the real sandbox
//! [`State`](botroupe_sandbox::state::State); only sockets, actors and the clock are replaced. The same seed gives the same run, to
//! the last byte, which the hash of its event log proves.
//!
//! # Messages and copies
//!
//! With several [copies](Options::copies) of a fleet the accounts of all copies share their messages.
//! For each account, over all its copies:
//!
//! * Every message said to it is handed to the bot of at least one copy, once one is online for long
//!   enough; until then it is [owed](World::owed).
//! * No copy hands a message to its bot twice, whatever happens to it.
//! * A copy that logs in without a memory (no cookie yet) is not handed what was reported as read
//!   when it set out to log in: the server gives it what is unread.
//! * All else may be handed once more by another copy, and is counted as
//!   [`handed_again`](Summary::handed_again). It happens when a copy was kicked before its report,
//!   which follows a second after the message, was there; when a copy comes back with its cookie,
//!   because from a cookie on the server gives everything, read or not (counted in
//!   [`handed_again_though_read`](Summary::handed_again_though_read) as well); and, with more than one
//!   [slot](Options::slots), when both are online.
//!
//! # What is left out
//!
//! Heartbeats over a healthy link are not played one by one: nothing can come of them. They are
//! caught up with whenever something happens to the link, so that a dead one is found as late as it
//! would be.

mod audit;
mod bots;
mod clocks;
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
pub use login_pacing::{Comeback, Shift};
pub use options::{Action, NetworkConfig, Options};
pub use trouble::Nudge;
pub use world::World;
