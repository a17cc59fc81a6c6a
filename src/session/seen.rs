//! Which messages were handed out already: a bounded memory that outlives its session.

use crate::proto::message::C2cKey;
use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// What must not be forgotten when a session is replaced after a crash: which messages were handed
/// out. Clones share it; give it to every session of an account, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Seen>>);

impl Memory {
    /// `true` the first time a key is shown.
    pub(super) fn insert(&self, key: &C2cKey, bound: usize) -> bool {
        // Held for the length of this line, by one session at a time; whole even after a panic.
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, bound)
    }
}

/// Remembers the last `bound` messages by a 64-bit fingerprint of their key.
///
/// A fingerprint keeps a busy account at some 25 KiB instead of some 150; two different messages
/// among the last thousand have the same one about once in 10^16 messages.
#[derive(Debug, Default)]
struct Seen {
    order: VecDeque<u64>,
    known: HashSet<u64>,
}

impl Seen {
    fn insert(&mut self, key: &C2cKey, bound: usize) -> bool {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let mark = hasher.finish();
        if !self.known.insert(mark) {
            return false;
        }
        self.order.push_back(mark);
        if self.order.len() > bound
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}
