//! Which messages were handed out already: a bounded memory.

use crate::proto::message::C2cKey;
use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Remembers the last `bound` messages by a 64-bit fingerprint of their key.
///
/// A fingerprint keeps a busy account at some 25 KiB instead of some 150; two different messages
/// among the last thousand have the same one about once in 10^16 messages.
#[derive(Debug, Default)]
pub(super) struct Seen {
    order: VecDeque<u64>,
    known: HashSet<u64>,
}

impl Seen {
    /// `true` the first time a key is shown.
    pub(super) fn insert(&mut self, key: &C2cKey, bound: usize) -> bool {
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
