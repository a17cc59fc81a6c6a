//! What an account knows of its messages, and must not forget when its session is replaced: which were
//! handed out, which of them are with the bots, and how far its groups and rooms were followed.

use super::inbox::{Inbox, InboxLimits, Reach, ReadMark, Receipt};
use crate::policy::Now;
use crate::proto::message::{Conversation, Message};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What must not be forgotten when a session is replaced after a crash: which messages were handed
/// out. Clones share it; give it to every session of an account, one after the other.
///
/// A message counts in three steps: the session notes it when it reports it, its owner confirms it
/// with [`delivered`](Self::delivered) when it has handed it on, and says with
/// [`finished`](Self::finished) that every bot is done with it. What lies between the first two when
/// session or owner die is forgotten by the next session, which gets it from the server again; what the
/// bots had when they died is so with [`bots_died`](Self::bots_died).
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Seen>>);

impl Memory {
    /// A memory of nothing, which leaves the bots so much room.
    #[must_use]
    pub fn new(limits: InboxLimits) -> Self {
        Self(Arc::new(Mutex::new(Seen {
            inbox: Inbox::new(limits),
            ..Seen::default()
        })))
    }

    /// `true` the first time a message is shown: it is open from now on.
    pub(super) fn insert(&self, now: Now, message: &Message, bound: usize) -> bool {
        let receipt = Receipt::of(message);
        let mut seen = self.lock();
        let first = seen.insert(&receipt, bound);
        if first {
            seen.inbox.take(now.mono, &receipt);
            seen.pending.insert(receipt.id(), receipt);
        }
        first
    }

    /// `true` the first time a message is shown that no bot has to finish.
    pub(super) fn note(&self, message: &Message, bound: usize) -> bool {
        self.lock().insert(&Receipt::of(message), bound)
    }

    /// Whether a message was handed out already.
    pub(super) fn knows(&self, message: &Message) -> bool {
        self.lock().known.contains(&Receipt::of(message).id())
    }

    /// Whether the bots have room for another message of this conversation, or of any. When they have
    /// not, the owner hears of it from [`finished`](Self::finished) as soon as they have.
    pub(super) fn has_room(&self, conversation: Option<&Conversation>) -> bool {
        let mut seen = self.lock();
        let has_room = match conversation {
            Some(conversation) => seen.inbox.has_room_for(conversation),
            None => seen.inbox.has_room(),
        };
        if !has_room {
            seen.inbox.starve();
        }
        has_room
    }

    /// How much of what the server has was handed out.
    pub(super) fn set_reach(&self, now: Now, reach: Reach) {
        self.lock().inbox.set_reach(now.mono, reach);
    }

    /// Something newer of this conversation is known, and still to be handed out.
    pub(super) fn lag(&self, conversation: &Conversation) {
        self.lock().inbox.lag(conversation);
    }

    /// Nothing of this conversation is held up any longer.
    pub(super) fn caught_up(&self, now: Now, conversation: &Conversation) {
        self.lock().inbox.caught_up(now.mono, conversation);
    }

    /// The lowest number of a group that could not be fetched yet.
    pub(super) fn set_hole(&self, now: Now, group: &str, hole: Option<u32>) {
        self.lock().inbox.set_hole(now.mono, group, hole);
    }

    /// A message was handed on and will not be wanted again.
    pub fn delivered(&self, message: &Message) {
        let mut seen = self.lock();
        if let Conversation::Group(group) = &message.conversation
            && message.seq > 0
            && !message.online_only
        {
            seen.reach(group, message.seq, message.time);
        }
        seen.pending.remove(&Receipt::of(message).id());
        if seen.pending.is_empty() && seen.pending.capacity() > 16 {
            seen.pending = HashMap::new();
        }
    }

    /// Every bot is done with a message. `true` when the session waits for room: tell it with
    /// [`Session::room`](super::Session::room).
    pub fn finished(&self, now: Now, receipt: &Receipt) -> bool {
        self.lock().inbox.finish(now.mono, receipt)
    }

    /// A bot will not handle a message: nothing from it on counts as read. Otherwise as
    /// [`finished`](Self::finished).
    pub fn abandoned(&self, now: Now, receipt: &Receipt) -> bool {
        self.lock().inbox.abandon(now.mono, receipt)
    }

    /// The bots died with everything they had: it counts as never handed out.
    pub fn bots_died(&self) {
        let mut seen = self.lock();
        let (ids, groups) = seen.inbox.give_all_back();
        seen.pending = HashMap::new();
        let lost: HashSet<u64> = ids.into_iter().collect();
        seen.known.retain(|id| !lost.contains(id));
        seen.order.retain(|id| !lost.contains(id));
        for (group, before) in groups {
            if let Some(mark) = seen.groups.get_mut(&group) {
                mark.seq = mark.seq.min(before);
            }
        }
    }

    /// How many messages are with the bots.
    #[must_use]
    pub fn open(&self) -> usize {
        self.lock().inbox.open()
    }

    /// When [`reports`](Self::reports) has something to say, as monotonic time.
    #[must_use]
    pub fn report_at(&self) -> Option<Duration> {
        self.lock().inbox.report_at()
    }

    /// How far conversations are read, of those that are read further than was last said.
    #[must_use]
    pub fn reports(&self, now: Now) -> Vec<ReadMark> {
        self.lock().inbox.reports(now.mono)
    }

    /// These reports did not arrive: they are made once more a little later.
    pub fn report_again(&self, now: Now, marks: &[ReadMark]) {
        self.lock().inbox.report_again(now.mono, marks);
    }

    /// How far a group was followed without a hole; `None` of one that was not.
    pub(super) fn mark(&self, group: &str) -> Option<u32> {
        let seen = self.lock();
        let mark = seen.groups.get(group)?.seq;
        let hole = seen.inbox.hole(group);
        Some(hole.map_or(mark, |hole| mark.min(hole.saturating_sub(1))))
    }

    /// The lowest number of a group that is missing.
    pub(super) fn hole(&self, group: &str) -> Option<u32> {
        self.lock().inbox.hole(group)
    }

    /// How far a group was handed on, with holes or without.
    pub(super) fn reach_of(&self, group: &str) -> u32 {
        self.lock().groups.get(group).map_or(0, |mark| mark.seq)
    }

    /// When the newest message of a group that was handed on was said, in Unix seconds; zero when unknown.
    pub(super) fn time(&self, group: &str) -> u64 {
        self.lock().groups.get(group).map_or(0, |mark| mark.time)
    }

    /// Everything in a group up to this number was handed on, or is of no interest.
    pub(super) fn reached(&self, group: &str, seq: u32) {
        let mut seen = self.lock();
        // What was reported and not yet handed on holds the mark back until it is.
        if seen.pending.is_empty() {
            seen.reach(group, seq, 0);
        }
    }

    /// A group is of no interest any more.
    pub(super) fn forget_group(&self, group: &str) {
        let mut seen = self.lock();
        seen.groups.remove(group);
        seen.inbox.forget_group(group);
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
        // The next session begins by catching up.
        seen.inbox.forget_lags();
        for (id, receipt) in std::mem::take(&mut seen.pending) {
            seen.inbox.give_back(&receipt);
            seen.known.remove(&id);
            seen.order.retain(|known| *known != id);
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
    pending: HashMap<u64, Receipt>,
    /// What the bots have.
    inbox: Inbox,
    /// How far each group was handed on.
    groups: BTreeMap<Box<str>, GroupMark>,
    /// Live rooms that are followed, and where to go on in them.
    rooms: BTreeMap<Box<str>, u64>,
}

/// How far a group was handed on.
#[derive(Clone, Copy, Debug)]
struct GroupMark {
    seq: u32,
    /// When that was said, in Unix seconds.
    time: u64,
}

impl Seen {
    fn reach(&mut self, group: &str, seq: u32, time: u64) {
        match self.groups.get_mut(group) {
            Some(mark) => {
                mark.seq = mark.seq.max(seq);
                mark.time = mark.time.max(time);
            }
            None => {
                self.groups.insert(group.into(), GroupMark { seq, time });
            }
        }
    }

    fn insert(&mut self, receipt: &Receipt, bound: usize) -> bool {
        let id = receipt.id();
        if !self.known.insert(id) {
            return false;
        }
        self.order.push_back(id);
        while self.order.len() > bound.max(1) {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
                self.pending.remove(&oldest);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now::new(Duration::from_secs(1), Duration::from_secs(1_795_000_000));

    fn message(seq: u32) -> Message {
        let item = crate::proto::message::C2cItem {
            seq,
            ..crate::proto::message::C2cItem::new("a", "b", Vec::new())
        };
        Message::from_c2c(item, "b")
    }

    #[test]
    fn what_was_reported_and_not_handed_on_is_wanted_again_by_the_next_session() {
        let memory = Memory::default();
        assert!(memory.insert(NOW, &message(1), 10) && memory.insert(NOW, &message(2), 10));
        memory.delivered(&message(1));
        assert!(
            !memory.insert(NOW, &message(2), 10),
            "the same session reports once"
        );
        memory.forget_pending();
        assert!(!memory.insert(NOW, &message(1), 10), "handed on");
        assert_eq!(memory.open(), 1);
        assert!(memory.insert(NOW, &message(2), 10), "lost with its session");
    }

    #[test]
    fn what_the_bots_had_when_they_died_is_wanted_again() {
        let memory = Memory::default();
        for seq in 1..4 {
            assert!(memory.insert(NOW, &message(seq), 10));
            memory.delivered(&message(seq));
        }
        memory.finished(NOW, &Receipt::of(&message(1)));
        memory.bots_died();
        assert_eq!(memory.open(), 0);
        assert!(!memory.insert(NOW, &message(1), 10), "finished");
        assert!(memory.insert(NOW, &message(2), 10) && memory.insert(NOW, &message(3), 10));
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let memory = Memory::default();
        for seq in 0..4 {
            assert!(memory.insert(NOW, &message(seq), 3));
            memory.delivered(&message(seq));
        }
        assert!(!memory.insert(NOW, &message(3), 3));
        assert!(memory.insert(NOW, &message(0), 3));
    }
}
