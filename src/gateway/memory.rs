//! The memory of an account, shared by its connection, its actor and its bots.

use crate::session::{InboxLimits, Memory};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an account remembers of its messages; survives crashes of connection and account. Clones share
/// it.
///
/// Session and decisions are plain machines that are lent the memory with each input. The lock is here
/// because bots finish messages on threads of their own.
#[derive(Clone, Debug, Default)]
pub struct SharedMemory(Arc<Mutex<Memory>>);

impl SharedMemory {
    /// An empty memory, with these limits for the bots.
    #[must_use]
    pub fn new(limits: InboxLimits) -> Self {
        Self(Arc::new(Mutex::new(Memory::new(limits))))
    }

    /// Borrows it for one input. Nothing waits while it holds the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Memory> {
        // Each change of the memory is whole by itself, so that a panic between two leaves it usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
