//! Whom the bots of an account hear.

use crate::proto::message::Message;
use std::collections::HashSet;
use std::sync::Arc;

/// The UserIDs of all accounts of a process.
pub type FleetUsers = Arc<HashSet<Box<str>>>;

/// Whether a message is for bots at all: for all of them, or, with `hears_fleet`, for those that ask for
/// what accounts of their own process say.
#[must_use]
pub fn is_heard(message: &Message, fleet: &FleetUsers, hears_fleet: bool) -> bool {
    !message.is_own && !message.recalled && (hears_fleet || !fleet.contains(&*message.from))
}
