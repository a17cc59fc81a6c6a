//! Polls of live rooms, and who listens.

use crate::{proto::id::UserId, table::group::Groups, wire::Seq, world::ConnId};
use std::time::Duration;

/// How long clients may show a count of who is online, in seconds.
pub(crate) const COUNT_HOLDS: u64 = 3;

/// The most items in one answer.
pub(crate) const MAX_ITEMS: usize = 100;

/// A poll that waits.
#[derive(Debug)]
pub(crate) struct Poll {
    pub(crate) conn: ConnId,
    pub(crate) servcmd: String,
    pub(crate) seq: Seq,
    pub(crate) listener: Listener,
    /// The first item it has not got.
    pub(crate) start: u64,
    pub(crate) until: Duration,
}

/// Who polls a room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listener {
    pub(crate) room: String,
    pub(crate) key: String,
    /// A member and its login; nobody of a guest.
    pub(crate) who: Option<(UserId, u64)>,
}

impl Listener {
    pub(crate) fn is(&self, user: &UserId) -> bool {
        self.who.as_ref().is_some_and(|(member, _)| member == user)
    }
}

impl Groups {
    /// When the first held poll has waited long enough.
    pub(crate) fn next_poll_end(&self) -> Option<Duration> {
        self.polls.iter().map(|poll| poll.until).min()
    }

    /// A connection is gone, and what was held on it.
    pub(crate) fn forget_polls_of(&mut self, conn: ConnId) {
        self.polls.retain(|poll| poll.conn != conn);
    }

    /// An account is gone, and what it was waiting for.
    pub(crate) fn forget_polls_by(&mut self, user: &UserId) {
        self.polls.retain(|poll| !poll.listener.is(user));
    }
}
