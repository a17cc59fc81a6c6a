//! Which messages were handed out already: a bounded memory that outlives its session.

use crate::proto::message::{C2cKey, Conversation, Message};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What must not be forgotten when a session is replaced after a crash: which messages were handed
/// out. Clones share it; give it to every session of an account, one after the other.
///
/// A message counts in two steps: the session notes it when it reports it, its owner confirms it
/// with [`delivered`](Self::delivered) when it has handed it on. What lies between the two when
/// either of them dies is forgotten by the next session, which gets it from the server again.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Seen>>);

impl Memory {
    /// `true` the first time a key is shown.
    pub(super) fn insert(&self, key: &C2cKey, bound: usize) -> bool {
        self.lock().insert(fingerprint(key), bound)
    }

    /// A message was handed on and will not be wanted again.
    pub fn delivered(&self, message: &Message) {
        let key = &message.key();
        let mut seen = self.lock();
        if let Conversation::Group(group) = &message.conversation
            && message.seq > 0
            && !message.online_only
        {
            seen.reach(group, message.seq);
        }
        seen.pending.remove(&fingerprint(key));
        if seen.pending.is_empty() && seen.pending.capacity() > 16 {
            seen.pending = HashSet::new();
        }
    }

    /// How far a group was followed; `None` of one that was not.
    pub(super) fn mark(&self, group: &str) -> Option<u32> {
        self.lock().groups.get(group).copied()
    }

    /// Everything in a group up to this number was handed on, or is of no interest.
    pub(super) fn reached(&self, group: &str, seq: u32) {
        let mut seen = self.lock();
        // What was reported and not yet handed on holds the mark back until it is.
        if seen.pending.is_empty() {
            seen.reach(group, seq);
        }
    }

    /// A group is of no interest any more.
    pub(super) fn forget_group(&self, group: &str) {
        self.lock().groups.remove(group);
    }

    /// A live room is followed, and asked for what is new from this number on.
    pub(super) fn poll_room(&self, room: &str, start: u64) {
        let mut seen = self.lock();
        // What was reported and not yet handed on holds it back until it is.
        let reached = seen.pending.is_empty();
        match seen.rooms.get_mut(room) {
            Some(before) if reached => *before = start,
            Some(_) => {}
            None => {
                seen.rooms.insert(room.into(), start);
            }
        }
    }

    /// A live room is followed no longer.
    pub(super) fn leave_room(&self, room: &str) {
        let mut seen = self.lock();
        if seen.rooms.remove(room).is_some() {
            seen.groups.remove(room);
        }
    }

    /// The live rooms that are followed, and where to go on in them.
    pub(super) fn rooms(&self) -> Vec<(Box<str>, u64)> {
        let seen = self.lock();
        let rooms = seen.rooms.iter();
        rooms.map(|(room, start)| (room.clone(), *start)).collect()
    }

    /// Forgets what was reported by a session that is gone and never handed on.
    pub(super) fn forget_pending(&self) {
        let mut seen = self.lock();
        for mark in std::mem::take(&mut seen.pending) {
            seen.known.remove(&mark);
            seen.order.retain(|known| *known != mark);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // Held for a line or two, by one session at a time; whole even after a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// Of `known`: reported, and not yet handed on.
    pending: HashSet<u64>,
    /// How far each group was handed on.
    groups: BTreeMap<Box<str>, u32>,
    /// Live rooms that are followed, and where to go on in them.
    rooms: BTreeMap<Box<str>, u64>,
}

fn fingerprint(key: &C2cKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

impl Seen {
    fn reach(&mut self, group: &str, seq: u32) {
        match self.groups.get_mut(group) {
            Some(mark) => *mark = (*mark).max(seq),
            None => {
                self.groups.insert(group.into(), seq);
            }
        }
    }

    fn insert(&mut self, mark: u64, bound: usize) -> bool {
        if !self.known.insert(mark) {
            return false;
        }
        self.pending.insert(mark);
        self.order.push_back(mark);
        if self.order.len() > bound
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
            self.pending.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(seq: u32) -> Message {
        let item = crate::proto::message::C2cItem {
            seq,
            ..crate::proto::message::C2cItem::new("a", "b", Vec::new())
        };
        Message::from_c2c(item, "b")
    }

    fn key(seq: u32) -> C2cKey {
        message(seq).key()
    }

    #[test]
    fn what_was_reported_and_not_handed_on_is_wanted_again_by_the_next_session() {
        let memory = Memory::default();
        assert!(memory.insert(&key(1), 10) && memory.insert(&key(2), 10));
        memory.delivered(&message(1));
        assert!(!memory.insert(&key(2), 10), "the same session reports once");
        memory.forget_pending();
        assert!(!memory.insert(&key(1), 10), "handed on");
        assert!(memory.insert(&key(2), 10), "lost with its session");
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let memory = Memory::default();
        for seq in 0..4 {
            assert!(memory.insert(&key(seq), 3));
            memory.delivered(&message(seq));
        }
        assert!(!memory.insert(&key(3), 3));
        assert!(memory.insert(&key(0), 3));
    }
}
