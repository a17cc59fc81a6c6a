//! Which messages are with the bots: how many more may come, and how far each conversation is read.
//!
//! Pure counting. A message is *open* from the moment the session hands it out until every bot that
//! wants it is done with it. How many may be open is bounded, for an account and for each of its
//! conversations; what finds no room is not taken from the server.
//!
//! A conversation is read up to the newest finished message that has no open one before it. Marks of
//! one-to-one conversations are whole seconds, so a second counts only when nothing of it is open and
//! nothing of it can still come: when something newer came, or it is some time ago that its first message did.

use crate::ledger::message_id;
use crate::proto::id::GroupId;
use crate::proto::message::{Conversation, Message};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long after its first message a second counts as over: the second itself, and another one for
/// messages that were on their way.
const SECOND_OVER: Duration = Duration::from_secs(2);
/// Read reports are sent this long after the first message of a batch was finished.
const REPORT_DELAY: Duration = Duration::from_secs(1);
/// A report that did not arrive is made again after this long.
const REPORT_AGAIN: Duration = Duration::from_secs(10);
/// Conversations with something to report, before they are reported at once.
const MAX_BATCH: usize = 64;

/// How many messages may be with the bots of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboxLimits {
    /// Of all conversations together.
    pub account: usize,
    /// Of one conversation, so that a flood in one leaves room for the others.
    pub conversation: usize,
    /// Whether conversations are reported as read.
    pub mark_read: bool,
    /// What the server does not keep may wait in the store, so many KiB of it; see [`spill`](Self::spill).
    spill: u32,
}

impl InboxLimits {
    /// `queue` messages in all, and an eighth of that per conversation.
    #[must_use]
    pub const fn new(queue: usize, mark_read: bool) -> Self {
        let account = if queue == 0 { 1 } else { queue };
        let share = account / 8;
        Self {
            account,
            conversation: if share == 0 { 1 } else { share },
            mark_read,
            spill: 0,
        }
    }

    /// What the server does not keep waits in the store when the bots have no room for it, `bytes` of it at most. With
    /// nothing, some of it waits in memory and the rest is dropped.
    #[must_use]
    pub const fn spill(mut self, bytes: u64) -> Self {
        let kib = bytes >> 10;
        self.spill = if kib > u32::MAX as u64 {
            u32::MAX
        } else {
            kib as u32
        };
        self
    }

    /// The bytes that may wait in the store.
    pub(super) const fn quota(&self) -> u64 {
        (self.spill as u64) << 10
    }
}

impl Default for InboxLimits {
    /// 1,024 messages, 128 of one conversation, reported as read.
    fn default() -> Self {
        Self::new(1024, true)
    }
}

/// Identifies a message that was handed out, so that it can be reported as finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    conversation: Conversation,
    /// The second of a one-to-one message, or the number of a group message; zero for messages that are
    /// never reported as read.
    mark: u64,
    /// See [`message_id`].
    id: u64,
}

impl Receipt {
    /// The receipt of a message.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let mark = match &message.conversation {
            _ if message.online_only => 0,
            Conversation::C2c(_) => message.time,
            Conversation::Group(_) => u64::from(message.seq),
            _ => 0,
        };
        Self {
            conversation: message.conversation.clone(),
            mark,
            id: message_id(message),
        }
    }

    /// The conversation of the message.
    #[must_use]
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// The [`message_id`]: the same for every copy of the message.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }
}

/// How much of the server's messages this account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reach {
    /// Unknown messages are missing: no one-to-one conversation can be reported as read.
    #[default]
    Behind,
    /// Only newer messages are missing: all but the last second of a conversation can be reported.
    Paging,
    /// Nothing is missing.
    CaughtUp,
}

/// How far a conversation is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadMark {
    /// The conversation.
    pub conversation: Conversation,
    /// The second of a one-to-one conversation, the number of a group.
    pub mark: u64,
}

/// One conversation.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
struct Line {
    /// Mark and fingerprint of every open message.
    open: BTreeSet<(u64, u64)>,
    /// The greatest mark that was handed out, and when it first was.
    newest: u64,
    newest_since: Duration,
    /// Marks of finished messages that were not reported yet.
    finished: BTreeSet<u64>,
    /// The lowest mark that could not be fetched yet.
    hole: Option<u64>,
}

impl Line {
    /// Whether nothing of the conversation is open or missing.
    fn is_idle(&self) -> bool {
        self.open.is_empty() && self.hole.is_none()
    }

    /// Closes an open message. Returns its mark; zero when the mark means nothing any more.
    fn close(&mut self, receipt: &Receipt) -> Option<u64> {
        let marks = [receipt.mark, 0];
        let mut marks = marks.into_iter();
        marks.find(|mark| self.open.remove(&(*mark, receipt.id)))
    }

    /// The lowest mark that is not finished; everything before it is.
    fn first_open(&self) -> u64 {
        // Messages without a mark stand at zero and hold nothing back.
        let open = self.open.range((1, 0)..).next().map(|(mark, _)| *mark);
        open.into_iter().chain(self.hole).min().unwrap_or(u64::MAX)
    }

    /// The newest finished mark that may be reported. Everything it covers is forgotten.
    fn take_mark(&mut self, is_group: bool, now: Duration, reach: Reach) -> Option<u64> {
        let mut end = self.first_open();
        if !is_group {
            let is_over = reach == Reach::CaughtUp && now >= self.newest_since + SECOND_OVER;
            if !is_over {
                end = end.min(self.newest);
            }
            if reach == Reach::Behind {
                return None;
            }
        }
        let mark = *self.finished.range(..end).next_back()?;
        self.finished = self.finished.split_off(&(mark + 1));
        Some(mark)
    }

    /// Notes that something with this mark is finished.
    fn note(&mut self, mark: u64) {
        if mark > 0 {
            self.finished.insert(mark);
        }
        if self.finished.len() > MAX_FINISHED {
            self.finished.pop_first(); // A later one covers it.
        }
    }
}

/// Marks kept of a conversation that wait for an older one.
const MAX_FINISHED: usize = 256;

/// See the module.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Inbox {
    limits: InboxLimits,
    open: usize,
    lines: BTreeMap<Conversation, Line>,
    /// Conversations in which something was finished since they were last reported.
    unreported: BTreeSet<Conversation>,
    report_at: Option<Duration>,
    reach: Reach,
    /// Conversations with newer messages that are known but not handed out yet.
    lagging: BTreeSet<Conversation>,
    /// The session waits for room.
    starved: bool,
}

impl Inbox {
    pub(super) fn new(limits: InboxLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// From now on; what is with the bots already stays there.
    pub(super) const fn limit(&mut self, limits: InboxLimits) {
        self.limits = limits;
    }

    pub(super) const fn limits(&self) -> &InboxLimits {
        &self.limits
    }

    /// A newer message of this conversation waits before whatever comes now.
    pub(super) fn is_lagging(&self, conversation: &Conversation) -> bool {
        self.lagging.contains(conversation)
    }

    /// How many messages are open.
    pub(super) const fn open(&self) -> usize {
        self.open
    }

    /// Whether another message may be taken, of whichever conversation.
    pub(super) const fn has_room(&self) -> bool {
        self.open < self.limits.account
    }

    /// Whether a message of this conversation may be taken.
    pub(super) fn has_room_for(&self, conversation: &Conversation) -> bool {
        self.has_room()
            && self
                .lines
                .get(conversation)
                .is_none_or(|line| line.open.len() < self.limits.conversation)
    }

    /// The session found no room and wants to hear when there is some.
    pub(super) const fn starve(&mut self) {
        self.starved = true;
    }

    /// A newer message of this conversation is known and still has to be handed out.
    pub(super) fn lag(&mut self, conversation: &Conversation) {
        if !self.lagging.contains(conversation) {
            self.lagging.insert(conversation.clone());
        }
    }

    /// Nothing of this conversation is held up any longer.
    pub(super) fn caught_up(&mut self, now: Duration, conversation: &Conversation) {
        if self.lagging.remove(conversation) && self.unreported.contains(conversation) {
            self.report_by(now + REPORT_DELAY);
        }
    }

    /// Forgets which conversations are held up.
    pub(super) fn forget_lags(&mut self) {
        self.lagging = BTreeSet::new();
        self.reach = Reach::Behind;
    }

    fn report_by(&mut self, at: Duration) {
        self.report_at = Some(self.report_at.map_or(at, |before| before.min(at)));
    }

    fn reach_of(&self, conversation: &Conversation) -> Reach {
        match self.reach {
            Reach::CaughtUp if self.lagging.contains(conversation) => Reach::Paging,
            reach => reach,
        }
    }

    pub(super) fn set_reach(&mut self, now: Duration, reach: Reach) {
        if reach != self.reach && reach != Reach::Behind && !self.unreported.is_empty() {
            self.report_by(now + REPORT_DELAY);
        }
        self.reach = reach;
    }

    /// The lowest number of a group that could not be fetched yet: nothing from it on counts as read.
    pub(super) fn set_hole(&mut self, now: Duration, group: &str, hole: Option<u32>) {
        let conversation = Conversation::group(group);
        if hole.is_none() && !self.lines.contains_key(&conversation) {
            return;
        }
        let mark_read = self.limits.mark_read;
        let line = self.line(&conversation);
        line.hole = hole.map(u64::from);
        if hole.is_none() && !line.finished.is_empty() && mark_read {
            self.unreported.insert(conversation);
            self.report_by(now + REPORT_DELAY);
        } else if line.is_idle() {
            self.lines.remove(&conversation);
        }
    }

    /// The numbers of a group mean nothing any more; none of them is reported.
    pub(super) fn forget_group(&mut self, group: &str) {
        let conversation = Conversation::group(group);
        self.unreported.remove(&conversation);
        let Some(line) = self.lines.get_mut(&conversation) else {
            return;
        };
        line.open = line.open.iter().map(|(_, id)| (0, *id)).collect();
        (line.finished, line.hole) = (BTreeSet::new(), None);
        (line.newest, line.newest_since) = (0, Duration::ZERO);
        if line.is_idle() {
            self.lines.remove(&conversation);
        }
    }

    /// See [`set_hole`](Self::set_hole).
    pub(super) fn hole(&self, group: &str) -> Option<u32> {
        let line = self.lines.get(&Conversation::group(group))?;
        line.hole
            .map(|hole| u32::try_from(hole).unwrap_or(u32::MAX))
    }

    /// A message is handed out. Returns whether it was not open.
    pub(super) fn take(&mut self, now: Duration, receipt: &Receipt) -> bool {
        let line = self.line(&receipt.conversation);
        if receipt.mark > line.newest {
            line.newest = receipt.mark;
            line.newest_since = now;
        }
        let is_new = line.open.insert((receipt.mark, receipt.id));
        self.open += usize::from(is_new);
        is_new
    }

    fn line(&mut self, conversation: &Conversation) -> &mut Line {
        if !self.lines.contains_key(conversation) {
            self.lines.insert(conversation.clone(), Line::default());
        }
        self.lines.entry(conversation.clone()).or_default()
    }

    /// Every bot is done with a message. Returns whether the session waits for room and there is some now.
    pub(super) fn finish(&mut self, now: Duration, receipt: &Receipt) -> bool {
        let Some(line) = self.lines.get_mut(&receipt.conversation) else {
            return false;
        };
        let Some(mark) = line.close(receipt) else {
            return false; // Said twice, or of a time before.
        };
        self.open -= 1;
        if self.limits.mark_read {
            line.note(mark);
        }
        if !line.finished.is_empty() {
            if !self.unreported.contains(&receipt.conversation) {
                self.unreported.insert(receipt.conversation.clone());
            }
            let delay = if self.unreported.len() >= MAX_BATCH {
                Duration::ZERO
            } else {
                REPORT_DELAY
            };
            self.report_by(now + delay);
        } else if line.is_idle() {
            self.lines.remove(&receipt.conversation);
        }
        std::mem::take(&mut self.starved)
    }

    /// A bot will not handle a message. The message makes room, and nothing from it on counts as read. Returns
    /// the same as [`finish`](Self::finish).
    pub(super) fn abandon(&mut self, now: Duration, receipt: &Receipt) -> bool {
        if let Some(line) = self.lines.get_mut(&receipt.conversation)
            && receipt.mark > 0
            && line.open.contains(&(receipt.mark, receipt.id))
        {
            let hole = line.hole.unwrap_or(u64::MAX).min(receipt.mark);
            line.hole = Some(hole);
        }
        self.finish(now, receipt)
    }

    /// Forgets that a message was handed out: nobody handled it, and it will come again.
    pub(super) fn give_back(&mut self, receipt: &Receipt) {
        if let Some(line) = self.lines.get_mut(&receipt.conversation)
            && line.close(receipt).is_some()
        {
            self.open -= 1;
            if line.is_idle() && !self.unreported.contains(&receipt.conversation) {
                self.lines.remove(&receipt.conversation);
            }
        }
    }

    /// Gives back everything that is open: the fingerprints, and of each group how far it had got before.
    pub(super) fn give_all_back(&mut self) -> (Vec<u64>, Vec<(GroupId, u32)>) {
        let (mut ids, mut groups) = (Vec::with_capacity(self.open), Vec::new());
        for (conversation, line) in &mut self.lines {
            if let Conversation::Group(group) = conversation
                && let Some((oldest, _)) = line.open.range((1, 0)..).next()
            {
                let before = u32::try_from(oldest - 1).unwrap_or(u32::MAX);
                groups.push((group.clone(), before));
            }
            ids.extend(std::mem::take(&mut line.open).into_iter().map(|(_, id)| id));
        }
        self.open = 0;
        let unreported = &self.unreported;
        self.lines
            .retain(|conversation, line| !line.is_idle() || unreported.contains(conversation));
        (ids, groups)
    }

    /// These reports did not arrive.
    pub(super) fn report_again(&mut self, now: Duration, marks: &[ReadMark]) {
        for ReadMark { conversation, mark } in marks {
            self.line(conversation).note(*mark);
            self.unreported.insert(conversation.clone());
            self.report_by(now + REPORT_AGAIN);
        }
    }

    /// Whether everything unread has come, and nothing that was finished is still to be reported.
    pub(super) fn is_reported(&self) -> bool {
        let mut lines = self.lines.values();
        self.reach == Reach::CaughtUp
            && self.lagging.is_empty()
            && self.unreported.is_empty()
            && lines.all(|line| line.finished.is_empty() && line.hole.is_none())
    }

    /// When [`reports`](Self::reports) has something to say.
    pub(super) const fn report_at(&self) -> Option<Duration> {
        self.report_at
    }

    /// The conversations that are read further than was last reported. What cannot be reported yet is
    /// looked at again at [`report_at`](Self::report_at).
    pub(super) fn reports(&mut self, now: Duration) -> Vec<ReadMark> {
        self.report_at = None;
        let mut marks = Vec::new();
        let mut again: Option<Duration> = None;
        for conversation in std::mem::take(&mut self.unreported) {
            let reach = self.reach_of(&conversation);
            let Some(line) = self.lines.get_mut(&conversation) else {
                continue;
            };
            if let Some(mark) = line.take_mark(conversation.is_group(), now, reach) {
                marks.push(ReadMark {
                    conversation: conversation.clone(),
                    mark,
                });
            }
            let Some(first) = line.finished.first().copied() else {
                if line.is_idle() {
                    self.lines.remove(&conversation);
                }
                continue;
            };
            // An open message or messages still to be fetched hold the conversation back, and their end leads here
            // again. Otherwise its second has to end.
            let is_held = line.first_open() <= first;
            if !is_held && reach == Reach::CaughtUp {
                let over = line.newest_since + SECOND_OVER;
                let at = if over > now { over } else { now + REPORT_DELAY };
                again = Some(again.map_or(at, |before| before.min(at)));
            }
            if !is_held {
                self.unreported.insert(conversation);
            }
        }
        self.report_at = again;
        marks
    }
}

#[cfg(test)]
#[path = "tests/inbox.rs"]
mod tests;
