//! How a parent learns that a child is gone, whatever the reason.
//!
//! actix's own `Supervisor` dies with a panicking child and restarts the same struct. Here the
//! child holds a guard. Dropping the guard, at a stop or during a panic, tells the parent, which decides.

use actix::prelude::*;
use std::sync::Arc;

/// A child is gone.
#[derive(Clone, Copy, Debug, Message, PartialEq, Eq)]
#[rtype(result = "()")]
pub struct Down {
    /// Which child, in the parent's own numbering.
    pub child: u64,
    /// The child panicked.
    pub panicked: bool,
}

/// Reports [`Down`] when dropped.
#[derive(Debug)]
pub struct DownGuard {
    parent: Arc<Recipient<Down>>,
    child: u64,
}

impl DownGuard {
    /// A guard for the child that `parent` calls `child`.
    #[must_use]
    pub const fn new(parent: Arc<Recipient<Down>>, child: u64) -> Self {
        Self { parent, child }
    }
}

impl Drop for DownGuard {
    fn drop(&mut self) {
        // At most one per life of a child, so the mailbox bound may be passed.
        self.parent.do_send(Down {
            child: self.child,
            panicked: std::thread::panicking(),
        });
    }
}
