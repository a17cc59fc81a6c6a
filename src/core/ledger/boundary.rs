//! The steps of an exchange between which a process may die: for trials that kill it at each of them.

use std::sync::OnceLock;

/// A moment in the way of a message through a process. A process passes each again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Boundary {
    /// A message is with the bots of its account.
    Delivered,
    /// A handler is about to be called.
    Called,
    /// A handler has ended; nothing of it is written down.
    Finished,
    /// What it did is with the store.
    Submitted,
    /// The store begins to write changes.
    Writing,
    /// They are written and not committed.
    Written,
    /// They are committed, and nobody knows.
    Committed,
    /// Everybody knows.
    Told,
    /// A message is about to be handed to the link.
    Sending,
    /// Everything that was to be sent has left.
    Flushed,
    /// The server has answered a request or a message.
    Answered,
    /// A letter is settled; the store does not know.
    Settling,
    /// The store is to forget it.
    Settled,
    /// A read report is about to be made.
    Reporting,
    /// The server has confirmed that everything is read.
    Read,
}

impl Boundary {
    /// Every boundary, in the order in which a message passes them.
    pub const ALL: [Self; 15] = [
        Self::Delivered,
        Self::Called,
        Self::Finished,
        Self::Submitted,
        Self::Writing,
        Self::Written,
        Self::Committed,
        Self::Told,
        Self::Sending,
        Self::Flushed,
        Self::Answered,
        Self::Settling,
        Self::Settled,
        Self::Reporting,
        Self::Read,
    ];
}

static WATCH: OnceLock<fn(Boundary)> = OnceLock::new();

/// Calls `watch` at each boundary that this process passes from now on. Only the first call counts.
pub fn watch_boundaries(watch: fn(Boundary)) {
    let _ = WATCH.set(watch);
}

/// This boundary is passed.
pub fn pass(boundary: Boundary) {
    if let Some(watch) = WATCH.get() {
        watch(boundary);
    }
}
