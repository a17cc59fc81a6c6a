//! Commands: what an author says about them, what somebody writes, and what comes of it. All of it is pure; the bot
//! gives the time, the mentions and the settings along.

mod address;
mod args;
mod attend;
mod bot;
mod cell;
#[allow(
    clippy::module_inception,
    reason = "the value that the room is named after"
)]
mod command;
mod cooldown;
mod desk;
mod fault;
mod given;
mod help;
mod kind;
mod mistake;
mod pattern;
mod permission;
mod ranks;
mod root;
mod set;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trials;
mod usage;
mod words;
mod written;

pub use address::PrefixError;
pub(super) use args::ArgsNeed;
pub use args::{Args, NotGiven};
pub use command::{Command, command};
pub use cooldown::Cooldown;
pub(super) use desk::{Attended, Called, Desk};
pub(super) use help::wait;
pub use mistake::{PatternError, PatternMistake};
pub(super) use permission::ADMINS;
pub use permission::Permission;
pub use set::CommandError;
