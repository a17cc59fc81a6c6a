//! Commands: what an author says about them, what somebody writes, and what comes of it. All of it is pure; the bot
//! gives the time, the mentions and the settings along.

mod address;
mod args;
mod cell;
#[allow(
    clippy::module_inception,
    reason = "the value that the room is named after"
)]
mod command;
mod cooldown;
mod fault;
mod given;
mod help;
mod kind;
mod mistake;
mod pattern;
mod permission;
mod root;
mod set;
#[cfg(test)]
mod tests;
mod usage;
mod words;
mod written;

pub use address::PrefixError;
pub(super) use address::Prefixes;
pub use args::Args;
pub use command::{Command, command};
pub use cooldown::Cooldown;
pub(super) use cooldown::{Cooldowns, Pace, Use};
pub(super) use help::wait;
pub use mistake::{PatternError, PatternMistake};
pub use permission::Permission;
pub(super) use permission::{ADMINS, Asker, GroupRank, Roles, Verdict};
pub use set::CommandError;
pub(super) use set::{Commands, Found, Said, Unknown};
