//! Polls of live rooms and their listeners.

use crate::{
    proto::id::UserId,
    table::group::Groups,
    wire::{ConnId, Seq},
};
use std::time::Duration;

/// How long clients may cache the number of online members, in seconds.
pub(crate) const COUNT_HOLDS: u64 = 3;

/// The most items in one answer.
pub(crate) const MAX_ITEMS: usize = 100;

/// A held poll.
#[derive(Debug)]
pub(crate) struct Poll {
    pub(crate) conn: ConnId,
    pub(crate) servcmd: String,
    pub(crate) seq: Seq,
    pub(crate) listener: Listener,
    /// The number of the first item the client does not have.
    pub(crate) start: u64,
    pub(crate) until: Duration,
}

/// The sender of a poll.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listener {
    pub(crate) room: String,
    pub(crate) key: String,
    /// A member and its login; `None` for a guest.
    pub(crate) who: Option<(UserId, u64)>,
}

impl Listener {
    pub(crate) fn is(&self, user: &UserId) -> bool {
        self.who.as_ref().is_some_and(|(member, _)| member == user)
    }
}

impl Groups {
    /// The deadline of the oldest held poll.
    pub(crate) fn next_poll_end(&self) -> Option<Duration> {
        self.polls.iter().map(|poll| poll.until).min()
    }

    /// Drops the polls held on a closed connection.
    pub(crate) fn forget_polls_of(&mut self, conn: ConnId) {
        self.polls.retain(|poll| poll.conn != conn);
    }

    /// Drops the polls held for an account.
    pub(crate) fn forget_polls_by(&mut self, user: &UserId) {
        self.polls.retain(|poll| !poll.listener.is(user));
    }
}
