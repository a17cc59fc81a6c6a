//! What an account knows of its messages, and must not forget when its session is replaced: which were
//! handed out, which of them are with the bots, and how far its groups and rooms were followed.

use super::handover::HandedMemory;
use super::inbox::{Inbox, InboxLimits, Reach, ReadMark, Receipt};
use super::spill::{Name, Spill};
use crate::ledger::{SpillLine, Spilled, SpilledLine, message_id, spill_bytes};
use crate::policy::Now;
use crate::proto::message::{Conversation, Message};
use crate::proto::update::Update;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What must survive when a session is replaced after a crash: which messages were handed out.
///
/// The shell owns it and lends it to the session and to the account's decisions at each call.
///
/// A message counts in three steps: the session notes it when it reports it, its owner confirms it
/// with [`delivered`](Self::delivered) when it has handed it on, and says with
/// [`finished`](Self::finished) that every bot is done with it. When session or owner die between the
/// first two, the next session gets the message from the server again, after
/// [`forget_pending`](Self::forget_pending). What the bots had when they died is given back with
/// [`bots_died`](Self::bots_died).
///
/// Repeats are told by a 64-bit fingerprint of the last messages' keys. A fingerprint keeps a busy
/// account at some 25 KiB instead of some 150; two different messages among the last thousand have the
/// same one about once in 10^16 messages.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub struct Memory {
    /// `None` until the first message: most accounts are silent for long.
    seen: Option<Box<Seen>>,
    /// The messages that are with the bots.
    inbox: Inbox,
    /// How far each group was handed on.
    groups: BTreeMap<Box<str>, GroupMark>,
    /// Live rooms that are followed, and the number at which each goes on.
    rooms: BTreeMap<Box<str>, u64>,
    /// What waits in the store; `None` while nothing does.
    spill: Option<Box<Spill>>,
}

/// What becomes of a message that the server does not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// The bots have room for it, unless it came before.
    Room,
    /// It came before.
    Repeat,
    /// It goes to the store, as this JSON.
    Spill(Box<str>),
    /// There is no room for it anywhere.
    Full,
}

/// Something that comes back from the store.
#[derive(Clone, Debug)]
pub(crate) enum Returned {
    /// A message, which is open from now on.
    Message(Arc<Message>),
    /// An update, which the bots have until [`Memory::update_over`].
    Update(u64, Box<Update>),
    /// Nobody can read it, or the bots have it already (`is_lost` is false): the store need not keep it.
    Gone {
        /// Its number.
        number: u64,
        /// It is lost.
        is_lost: bool,
    },
}

/// The messages that were handed out.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
struct Seen {
    order: VecDeque<u64>,
    known: HashSet<u64>,
    /// Messages of `known` that were reported and not yet handed on.
    pending: HashMap<u64, Receipt>,
}

/// How far a group was handed on.
#[derive(Clone, Copy, Debug)]
struct GroupMark {
    seq: u32,
    /// When the newest of them was sent, in Unix seconds: until 2106, for there are many groups.
    time: u32,
}

impl Memory {
    /// An empty memory, with these limits for the bots.
    #[must_use]
    pub fn new(limits: InboxLimits) -> Self {
        Self {
            inbox: Inbox::new(limits),
            ..Self::default()
        }
    }

    /// Has other limits from now on. What is with the bots already stays there.
    pub fn limit(&mut self, limits: InboxLimits) {
        self.inbox.limit(limits);
    }

    /// Notes a message that is handed out and opens it. Returns whether it is new.
    pub(super) fn insert(&mut self, now: Now, message: &Message, bound: usize) -> bool {
        let receipt = Receipt::of(message);
        let first = self.remember(&receipt, bound);
        if first {
            self.inbox.take(now.mono, &receipt);
            let seen = self.seen.get_or_insert_default();
            seen.pending.insert(receipt.id(), receipt);
        }
        first
    }

    /// Notes something that no bot has to finish. Returns whether it is new.
    pub(super) fn note(&mut self, message: &Message, bound: usize) -> bool {
        self.remember(&Receipt::of(message), bound)
    }

    /// Whether a message was handed out already.
    pub(super) fn knows(&self, message: &Message) -> bool {
        self.seen
            .as_ref()
            .is_some_and(|seen| seen.known.contains(&message_id(message)))
    }

    /// Whether the bots have room for another message of this conversation, or of any. When they have
    /// not, the owner hears of it from [`finished`](Self::finished) as soon as they have.
    pub(super) fn has_room(&mut self, conversation: Option<&Conversation>) -> bool {
        let has_room = match conversation {
            Some(conversation) => self.inbox.has_room_for(conversation),
            None => self.inbox.has_room(),
        };
        if !has_room {
            self.inbox.starve();
        }
        has_room
    }

    /// Notes how much of the server's messages was handed out.
    pub(super) fn set_reach(&mut self, now: Now, reach: Reach) {
        self.inbox.set_reach(now.mono, reach);
    }

    /// A newer message of this conversation is known and still has to be handed out.
    pub(super) fn lag(&mut self, conversation: &Conversation) {
        self.inbox.lag(conversation);
    }

    /// Nothing of this conversation is held up any longer.
    pub(super) fn caught_up(&mut self, now: Now, conversation: &Conversation) {
        self.inbox.caught_up(now.mono, conversation);
    }

    /// Notes the lowest number of a group that could not be fetched yet.
    pub(super) fn set_hole(&mut self, now: Now, group: &str, hole: Option<u32>) {
        self.inbox.set_hole(now.mono, group, hole);
    }

    /// A message was handed on to the bots; no later session has to fetch it.
    pub fn delivered(&mut self, message: &Message) {
        if let Conversation::Group(group) = &message.conversation
            && message.seq > 0
            && !message.online_only
        {
            self.reach(group, message.seq, message.time);
        }
        let Some(seen) = &mut self.seen else {
            return;
        };
        seen.pending.remove(&message_id(message));
        if seen.pending.is_empty() && seen.pending.capacity() > 16 {
            seen.pending = HashMap::new();
        }
    }

    /// Every bot is done with a message. Returns whether the session waits for room; tell it with
    /// [`Session::room`](super::Session::room).
    pub fn finished(&mut self, now: Now, receipt: &Receipt) -> bool {
        self.inbox.finish(now.mono, receipt)
    }

    /// A bot will not handle a message, so nothing from it on counts as read. Returns the same as
    /// [`finished`](Self::finished).
    pub fn abandoned(&mut self, now: Now, receipt: &Receipt) -> bool {
        self.inbox.abandon(now.mono, receipt)
    }

    /// The bots died. Everything they had counts as never handed out.
    pub fn bots_died(&mut self) {
        let (ids, groups) = self.inbox.give_all_back();
        // What comes back from the store must not be taken from the server as well.
        let spill = self.spill.as_ref();
        let is_spilled = |id| spill.is_some_and(|spill| spill.is_out(Name::Message(id)));
        let lost: HashSet<u64> = ids.into_iter().filter(|id| !is_spilled(*id)).collect();
        if let Some(seen) = &mut self.seen {
            seen.pending = HashMap::new();
            seen.known.retain(|id| !lost.contains(id));
            seen.order.retain(|id| !lost.contains(id));
        }
        for (group, before) in groups {
            if let Some(mark) = self.groups.get_mut(&*group) {
                mark.seq = mark.seq.min(before);
            }
        }
        if let Some(spill) = &mut self.spill {
            spill.bots_died();
        }
    }

    // ── another process goes on ──────────────────────────────────────────────────────────────

    /// What another process has to know, when this one handles nothing more. `is_durable`: a store says what the bots
    /// have finished, so that everything unread may come again.
    pub fn hand_over(&mut self, is_durable: bool) -> HandedMemory {
        self.bots_died();
        let rooms = self.rooms.iter();
        let mut handed = HandedMemory {
            rooms: rooms.map(|(room, next)| (room.clone(), *next)).collect(),
            ..HandedMemory::default()
        };
        if !is_durable {
            let seen = self.seen.iter().flat_map(|seen| &seen.order);
            handed.seen = seen.copied().collect();
            let groups = self.groups.iter();
            handed.groups = groups
                .map(|(group, mark)| (group.clone(), mark.seq, mark.time))
                .collect();
        }
        handed
    }

    /// Goes on with what another process knew.
    pub fn take_over(&mut self, handed: HandedMemory) {
        self.rooms.extend(handed.rooms);
        let groups = handed.groups.into_iter();
        self.groups
            .extend(groups.map(|(group, seq, time)| (group, GroupMark { seq, time })));
        if !handed.seen.is_empty() {
            let seen = self.seen.get_or_insert_default();
            for id in handed.seen {
                if seen.known.insert(id) {
                    seen.order.push_back(id);
                }
            }
        }
    }

    // ── what the server does not keep ────────────────────────────────────────────────────────

    /// What an earlier process has left in the store.
    pub fn recover_spill(&mut self, found: Vec<SpilledLine>) {
        self.spill = (!found.is_empty()).then(|| Box::new(Spill::recovered(found)));
    }

    /// Whether what finds no room may go to the store.
    pub(super) const fn spills(&self) -> bool {
        self.inbox.limits().quota() > 0
    }

    /// Whether something waits in the store.
    pub(crate) const fn is_spilling(&self) -> bool {
        self.spill.is_some()
    }

    /// Whether there is room for what the server keeps only for a while and has to be asked for. Otherwise the owner
    /// hears of it as from [`has_room`](Self::has_room).
    pub(super) fn may_poll(&mut self) -> bool {
        if !self.spills() {
            return self.has_room(None);
        }
        let quota = self.inbox.limits().quota();
        let used = self.spill.as_ref().map_or(0, |spill| spill.bytes());
        // What comes with one answer has to fit in.
        let may = used <= quota - quota / 8;
        if !may {
            self.inbox.starve();
        }
        may
    }

    /// Decides about a message that the server does not keep. `is_behind`: others of its conversation wait to be
    /// handed out before it. Of one that goes to the store is noted that it came, until then as something that was
    /// reported and not handed on.
    pub(super) fn admit(&mut self, message: &Message, is_behind: bool, bound: usize) -> Admission {
        let conversation = &message.conversation;
        let line = || SpillLine::Conversation(conversation.clone());
        let spill = self.spill.as_ref();
        let waits = is_behind || spill.is_some_and(|spill| spill.has(&line()));
        if !waits && self.inbox.has_room_for(conversation) {
            return Admission::Room;
        }
        if self.knows(message) {
            return Admission::Repeat;
        }
        let line = line();
        match self.spill(line, message) {
            Some(body) => {
                let receipt = Receipt::of(message);
                self.remember(&receipt, bound);
                let seen = self.seen.get_or_insert_default();
                seen.pending.insert(receipt.id(), receipt);
                Admission::Spill(body)
            }
            None => Admission::Full,
        }
    }

    /// Notes that something goes to the store, if there is room for it.
    fn spill(&mut self, line: SpillLine, what: &impl serde::Serialize) -> Option<Box<str>> {
        let quota = self.inbox.limits().quota();
        let used = self.spill.as_ref().map_or(0, |spill| spill.bytes());
        if used >= quota {
            return None; // Nothing has to be written to find out.
        }
        let body = serde_json::to_string(what).ok()?.into_boxed_str();
        let bytes = spill_bytes(&line, &body);
        if used + bytes > quota {
            return None;
        }
        self.spill.get_or_insert_default().announce(line, bytes);
        Some(body)
    }

    /// As if a session had found no room for it.
    #[cfg(test)]
    pub(crate) fn announce_spill(&mut self, line: SpillLine, body: &str) {
        let bytes = spill_bytes(&line, body);
        self.spill.get_or_insert_default().announce(line, bytes);
    }

    /// What went to the store is with it from now on.
    pub(crate) fn spill_written(&mut self, line: &SpillLine, body: &str) {
        if let Some(spill) = &mut self.spill {
            spill.written(line, spill_bytes(line, body));
        }
    }

    /// Whether updates wait in the store, so that newer ones have to queue behind them.
    pub(crate) fn is_spilling_updates(&self) -> bool {
        let spill = self.spill.as_ref();
        spill.is_some_and(|spill| spill.has(&SpillLine::Updates))
    }

    /// Notes that an update goes to the store; `None` when there is no room for it.
    pub(crate) fn spill_update(&mut self, update: &Update) -> Option<Box<str>> {
        let body = self.spill(SpillLine::Updates, update)?;
        self.spill_written(&SpillLine::Updates, &body);
        Some(body)
    }

    /// The next that comes back from the store.
    pub(crate) fn poll_returned(&mut self, now: Now) -> Option<Returned> {
        let (spill, inbox) = (self.spill.as_mut()?, &mut self.inbox);
        let updates = spill.updates_out();
        let spilled = spill.next(!inbox.has_room(), |line| has_room(inbox, updates, line))?;
        let number = spilled.number;
        let gone = |spill: &mut Spill, is_lost| {
            spill.remove(&spilled.line, spilled.bytes());
            Returned::Gone { number, is_lost }
        };
        let returned = match &spilled.line {
            SpillLine::Updates => match serde_json::from_str(&spilled.body) {
                Ok(update) => {
                    spill.out(Name::Update(number), &spilled);
                    Returned::Update(number, Box::new(update))
                }
                Err(_) => gone(spill, true),
            },
            SpillLine::Conversation(_) => match serde_json::from_str::<Message>(&spilled.body) {
                Ok(message) => {
                    let receipt = Receipt::of(&message);
                    if inbox.take(now.mono, &receipt) {
                        spill.out(Name::Message(receipt.id()), &spilled);
                        Returned::Message(Arc::new(message))
                    } else {
                        gone(spill, false)
                    }
                }
                Err(_) => gone(spill, true),
            },
        };
        self.tidy_spill();
        Some(returned)
    }

    /// What is to be read from the store: the line, and after which number.
    pub(crate) fn poll_spill_read(&mut self, now: Now) -> Option<(SpillLine, u64)> {
        let (spill, inbox) = (self.spill.as_mut()?, &self.inbox);
        let updates = spill.updates_out();
        let is_full = !inbox.has_room();
        spill.poll_read(now.mono, is_full, |line| has_room(inbox, updates, line))
    }

    /// When to look for something to read without another input, as monotonic time.
    pub(crate) fn spill_read_at(&self) -> Option<Duration> {
        self.spill.as_ref()?.read_at()
    }

    /// What was asked for was read; `None` when it could not be.
    pub(crate) fn spill_read(&mut self, now: Now, line: &SpillLine, found: Option<Vec<Spilled>>) {
        if let Some(spill) = &mut self.spill {
            spill.read(now.mono, line, found);
        }
        self.tidy_spill();
    }

    /// Whoever was to read from the store is gone.
    pub(crate) fn spill_reader_died(&mut self) {
        if let Some(spill) = &mut self.spill {
            spill.reader_died();
        }
    }

    /// The bots are done with a message, or one of them will not handle it. Returns the number of what the store need
    /// not keep any more.
    pub(crate) fn message_over(&mut self, receipt: &Receipt, done: bool) -> Option<u64> {
        self.over(Name::Message(receipt.id()), done)
    }

    /// The same of an update that came from the store.
    pub(crate) fn update_over(&mut self, number: u64, done: bool) -> Option<u64> {
        self.over(Name::Update(number), done)
    }

    fn over(&mut self, name: Name, done: bool) -> Option<u64> {
        let over = self.spill.as_mut()?.finish(name, done);
        self.tidy_spill();
        over
    }

    fn tidy_spill(&mut self) {
        if self.spill.as_ref().is_some_and(|spill| spill.is_empty()) {
            self.spill = None;
        }
    }

    /// How many messages are with the bots.
    #[must_use]
    pub fn open(&self) -> usize {
        self.inbox.open()
    }

    /// Whether everything unread has come, and everything that was finished has been reported as read.
    #[must_use]
    pub fn is_reported(&self) -> bool {
        self.inbox.is_reported()
    }

    /// When [`reports`](Self::reports) has something to say, as monotonic time.
    #[must_use]
    pub fn report_at(&self) -> Option<Duration> {
        self.inbox.report_at()
    }

    /// The conversations that are read further than was last reported, and how far.
    #[must_use]
    pub fn reports(&mut self, now: Now) -> Vec<ReadMark> {
        self.inbox.reports(now.mono)
    }

    /// These reports did not arrive; they are repeated a little later.
    pub fn report_again(&mut self, now: Now, marks: &[ReadMark]) {
        self.inbox.report_again(now.mono, marks);
    }

    /// How far a group was followed without a hole; `None` if it was not followed.
    pub(super) fn mark(&self, group: &str) -> Option<u32> {
        let mark = self.groups.get(group)?.seq;
        let hole = self.inbox.hole(group);
        Some(hole.map_or(mark, |hole| mark.min(hole.saturating_sub(1))))
    }

    /// The lowest number of a group that is missing.
    pub(super) fn hole(&self, group: &str) -> Option<u32> {
        self.inbox.hole(group)
    }

    /// How far a group was handed on, with holes or without.
    pub(super) fn reach_of(&self, group: &str) -> u32 {
        self.groups.get(group).map_or(0, |mark| mark.seq)
    }

    /// The time of the newest message of a group that was handed on, in Unix seconds; zero if unknown.
    pub(super) fn time(&self, group: &str) -> u64 {
        self.groups.get(group).map_or(0, |mark| mark.time.into())
    }

    /// Everything in a group up to this number was handed on or needs no handing on.
    pub(super) fn reached(&mut self, group: &str, seq: u32) {
        // Messages that were reported and not yet handed on hold the mark back.
        if !self.is_pending() {
            self.reach(group, seq, 0);
        }
    }

    /// A group is of no interest any more.
    pub(super) fn forget_group(&mut self, group: &str) {
        self.groups.remove(group);
        self.inbox.forget_group(group);
    }

    /// A live room is followed; the next poll asks for items from this number on.
    pub(super) fn poll_room(&mut self, room: &str, start: u64) {
        // Messages that were reported and not yet handed on hold the number back.
        let reached = !self.is_pending();
        match self.rooms.get_mut(room) {
            Some(before) if reached => *before = start,
            Some(_) => {}
            None => {
                self.rooms.insert(room.into(), start);
            }
        }
    }

    /// A live room is followed no longer.
    pub(super) fn leave_room(&mut self, room: &str) {
        if self.rooms.remove(room).is_some() {
            self.groups.remove(room);
        }
    }

    /// The live rooms that are followed, and the number at which each goes on.
    pub(super) fn rooms(&self) -> Vec<(Box<str>, u64)> {
        let rooms = self.rooms.iter();
        rooms.map(|(room, start)| (room.clone(), *start)).collect()
    }

    /// Forgets messages that a lost session reported and that were never handed on.
    pub fn forget_pending(&mut self) {
        // The next session begins by catching up.
        self.inbox.forget_lags();
        if let Some(spill) = &mut self.spill {
            spill.writer_died();
        }
        self.tidy_spill();
        let Some(seen) = &mut self.seen else {
            return;
        };
        for (id, receipt) in std::mem::take(&mut seen.pending) {
            self.inbox.give_back(&receipt);
            seen.known.remove(&id);
            seen.order.retain(|known| *known != id);
        }
    }

    /// Whether messages were reported and not yet handed on.
    fn is_pending(&self) -> bool {
        let seen = self.seen.as_ref();
        seen.is_some_and(|seen| !seen.pending.is_empty())
    }

    fn reach(&mut self, group: &str, seq: u32, time: u64) {
        let time = u32::try_from(time).unwrap_or(u32::MAX);
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

    fn remember(&mut self, receipt: &Receipt, bound: usize) -> bool {
        let id = receipt.id();
        let seen = self.seen.get_or_insert_default();
        if !seen.known.insert(id) {
            return false;
        }
        seen.order.push_back(id);
        while seen.order.len() > bound.max(1) {
            if let Some(oldest) = seen.order.pop_front() {
                seen.known.remove(&oldest);
                seen.pending.remove(&oldest);
            }
        }
        true
    }
}

/// Whether the bots have room for something that waits in a line.
fn has_room(inbox: &Inbox, updates_out: usize, line: &SpillLine) -> bool {
    match line {
        SpillLine::Conversation(conversation) => {
            inbox.has_room_for(conversation) && !inbox.is_lagging(conversation)
        }
        SpillLine::Updates => updates_out < inbox.limits().conversation,
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
        let mut memory = Memory::default();
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
        let mut memory = Memory::default();
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
        let mut memory = Memory::default();
        for seq in 0..4 {
            assert!(memory.insert(NOW, &message(seq), 3));
            memory.delivered(&message(seq));
        }
        assert!(!memory.insert(NOW, &message(3), 3));
        assert!(memory.insert(NOW, &message(0), 3));
    }
}
