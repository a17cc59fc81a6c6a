//! The types that a handler can take as parameters.

mod account;
mod change;
mod custom;
mod group_event;
mod message;
mod values;

pub use account::{Kicked, NotReady};
pub use change::{Edited, Reacted, Read, ReadMessage, Recalled, Receipts, Statuses, Typing};
pub use custom::{Card, Custom};
pub use group_event::{GroupChanged, Invited, JoinRequest, Joined, Left, Muted, Removed};
pub use message::{Group, Messages, Sender, Text};
pub use values::{Config, State};

#[cfg(test)]
mod tests;
