//! A fleet and its server on a virtual clock and a simulated network, from one seed.
//!
//! The accounts are the real ones ([`Core`](crate::account::Core), its decisions, the
//! [`Session`](crate::session::Session), the [`Governor`](crate::policy::Governor)), the server is the real sandbox
//! [`State`](crate::sandbox::state::State); only sockets, actors and the clock are replaced. The same seed gives the same run, to
//! the last byte, which the hash of its event log proves.
//!
//! Heartbeats over a healthy link are not played one by one: nothing can come of them. They are
//! caught up with whenever something happens to the link, so that a dead one is found as late as it
//! would be.

mod audit;
mod books;
mod clocks;
mod loss;
mod network;
mod node;
mod options;
mod script;
mod turns;
mod world;

#[cfg(test)]
mod tests;

pub use audit::{Summary, Violation};
pub use clocks::Clocks;
pub use options::{Action, NetworkConfig, Options};
pub use turns::{Comeback, Shift};
pub use world::World;
