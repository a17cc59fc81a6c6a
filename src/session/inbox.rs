//! Which messages are with the bots: how many more may come, and how far each conversation is read.
//!
//! Pure counting. A message is *open* from the moment the session hands it out until every bot that
//! wants it is done with it. How many may be open is bounded, for an account and for each of its
//! conversations; what finds no room is not taken from the server.
//!
//! A conversation is read up to the newest finished message that has no open one before it. Marks of
//! one-to-one conversations are whole seconds, so a second counts only when nothing of it is open and
//! nothing of it can still come: when something newer came, or it is some time ago that its first message did.

use crate::proto::message::{Conversation, Message};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// After its first message came, a second is over when this has passed: the second itself, and another
/// one for what was on its way.
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
}

impl InboxLimits {
    /// `queue` messages in all, and an eighth of that of one conversation.
    #[must_use]
    pub const fn new(queue: usize, mark_read: bool) -> Self {
        let account = if queue == 0 { 1 } else { queue };
        let share = account / 8;
        Self {
            account,
            conversation: if share == 0 { 1 } else { share },
            mark_read,
        }
    }
}

impl Default for InboxLimits {
    /// 1,024 messages, 128 of one conversation, reported as read.
    fn default() -> Self {
        Self::new(1024, true)
    }
}

/// Names a message that was handed out, to say later that it is finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    conversation: Conversation,
    /// The second of a one-to-one message, the number of one in a group; zero of what is never
    /// reported as read.
    mark: u64,
    /// The fingerprint of its key.
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
            Conversation::System => 0,
        };
        let mut hasher = DefaultHasher::new();
        message.key().hash(&mut hasher);
        Self {
            conversation: message.conversation.clone(),
            mark,
            id: hasher.finish(),
        }
    }

    /// Where it was said.
    #[must_use]
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// The fingerprint of its key: the same for every copy of the message.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }
}

/// How much of what the server has is here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reach {
    /// Messages are missing, and nobody knows which: no one-to-one conversation can be reported.
    #[default]
    Behind,
    /// What is missing is newer than what is here: all but the last second of a conversation can be.
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
struct Line {
    /// Mark and fingerprint of every open message.
    open: BTreeSet<(u64, u64)>,
    /// The greatest mark that was handed out, and when it was first.
    newest: u64,
    newest_since: Duration,
    /// Marks that were finished and not reported yet.
    finished: BTreeSet<u64>,
    /// The lowest mark that could not be fetched yet.
    hole: Option<u64>,
}

impl Line {
    /// Nothing of it is open or missing.
    fn is_idle(&self) -> bool {
        self.open.is_empty() && self.hole.is_none()
    }

    /// A message is open no longer: its mark, which is zero when it means nothing any more.
    fn close(&mut self, receipt: &Receipt) -> Option<u64> {
        let marks = [receipt.mark, 0];
        let mut marks = marks.into_iter();
        marks.find(|mark| self.open.remove(&(*mark, receipt.id)))
    }

    /// The lowest mark that is not finished; everything before it is.
    fn first_open(&self) -> u64 {
        // Those without a mark stand at zero and hold nothing back.
        let open = self.open.range((1, 0)..).next().map(|(mark, _)| *mark);
        open.into_iter().chain(self.hole).min().unwrap_or(u64::MAX)
    }

    /// The newest finished mark that may be reported; what it covers is forgotten.
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
pub(super) struct Inbox {
    limits: InboxLimits,
    open: usize,
    lines: BTreeMap<Conversation, Line>,
    /// Conversations in which something was finished since they were last reported.
    unreported: BTreeSet<Conversation>,
    report_at: Option<Duration>,
    reach: Reach,
    /// Conversations of which something newer is known that was not handed out yet.
    lagging: BTreeSet<Conversation>,
    /// Somebody waits for room.
    starved: bool,
}

impl Inbox {
    pub(super) fn new(limits: InboxLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
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

    /// Somebody found no room, and wants to hear when there is some.
    pub(super) const fn starve(&mut self) {
        self.starved = true;
    }

    /// Something newer of this conversation is known, and still to be handed out.
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

    /// What was known of things held up is of no use any more.
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

    /// The numbers of a group mean nothing any more: those of what is open or finished are not reported.
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

    /// A message is handed out.
    pub(super) fn take(&mut self, now: Duration, receipt: &Receipt) {
        let line = self.line(&receipt.conversation);
        if receipt.mark > line.newest {
            line.newest = receipt.mark;
            line.newest_since = now;
        }
        if line.open.insert((receipt.mark, receipt.id)) {
            self.open += 1;
        }
    }

    fn line(&mut self, conversation: &Conversation) -> &mut Line {
        if !self.lines.contains_key(conversation) {
            self.lines.insert(conversation.clone(), Line::default());
        }
        self.lines.entry(conversation.clone()).or_default()
    }

    /// Every bot is done with a message. `true` when somebody waits for room and there is some now.
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

    /// A bot will not handle a message: it makes room, and nothing from it on is read any more. Says
    /// what [`finish`](Self::finish) says.
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
    pub(super) fn give_all_back(&mut self) -> (Vec<u64>, Vec<(Box<str>, u32)>) {
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
            // An open message holds it back, or messages that are still to be fetched: the end of either
            // comes here again. Otherwise its second has to end.
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
mod tests {
    use super::*;
    use crate::proto::message::C2cItem;
    use proptest::prelude::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// The `n`-th message of alice, said at `time`.
    fn said(from: &str, n: u32, time: u64) -> Receipt {
        let item = C2cItem {
            seq: n,
            time,
            ..C2cItem::new(from, "bot", Vec::new())
        };
        Receipt::of(&Message::from_c2c(item, "bot"))
    }

    fn numbered(seq: u32) -> Receipt {
        Receipt {
            conversation: Conversation::group("g"),
            mark: u64::from(seq),
            id: u64::from(seq),
        }
    }

    fn marks(inbox: &mut Inbox, now: Duration) -> Vec<u64> {
        inbox.reports(now).iter().map(|read| read.mark).collect()
    }

    fn caught_up() -> Inbox {
        let mut inbox = Inbox::default();
        inbox.set_reach(at(0), Reach::CaughtUp);
        inbox
    }

    #[test]
    fn a_second_is_read_only_when_all_of_it_is_finished_and_over() {
        let mut inbox = caught_up();
        for n in 0..20 {
            inbox.take(at(10), &said("alice", n, 1_000));
        }
        for n in 0..9 {
            inbox.finish(at(11), &said("alice", n, 1_000));
            assert!(inbox.reports(at(60)).is_empty(), "{n} of 20 are done");
        }
        for n in 9..20 {
            inbox.finish(at(11), &said("alice", n, 1_000));
        }
        assert_eq!(inbox.report_at(), Some(at(12)));
        assert!(
            inbox.reports(at(11)).is_empty(),
            "more of it may be on its way"
        );
        assert_eq!(inbox.report_at(), Some(at(12)));
        assert_eq!(marks(&mut inbox, at(12)), [1_000]);
        assert_eq!(inbox.report_at(), None);
        assert!(inbox.lines.is_empty(), "nothing is kept of what is read");
    }

    #[test]
    fn a_report_that_did_not_arrive_is_made_again() {
        let mut inbox = caught_up();
        inbox.take(at(10), &said("alice", 1, 1_000));
        inbox.finish(at(10), &said("alice", 1, 1_000));
        let lost = inbox.reports(at(20));
        assert_eq!(inbox.report_at(), None);
        inbox.report_again(at(21), &lost);
        assert_eq!(inbox.report_at(), Some(at(31)));
        assert_eq!(inbox.reports(at(31)), lost);
        assert!(inbox.lines.is_empty() && inbox.report_at().is_none());
    }

    #[test]
    fn numbers_of_a_group_that_began_anew_are_not_reported() {
        let mut inbox = caught_up();
        for seq in 40..43 {
            inbox.take(at(10), &numbered(seq));
        }
        inbox.finish(at(10), &numbered(40));
        inbox.forget_group("g");
        inbox.take(at(11), &numbered(1));
        for seq in [41, 42] {
            inbox.finish(at(12), &numbered(seq));
        }
        assert!(inbox.reports(at(60)).is_empty());
        inbox.finish(at(61), &numbered(1));
        assert_eq!(marks(&mut inbox, at(70)), [1]);
        assert_eq!(inbox.open(), 0);
    }

    #[test]
    fn a_newer_second_ends_the_one_before() {
        let mut inbox = caught_up();
        for (n, time) in [(1, 1_000), (2, 1_001)] {
            inbox.take(at(10), &said("alice", n, time));
        }
        inbox.finish(at(10), &said("alice", 1, 1_000));
        assert_eq!(marks(&mut inbox, at(10)), [1_000]);
    }

    #[test]
    fn what_is_held_up_in_one_conversation_does_not_keep_another_unread() {
        let mut inbox = caught_up();
        for from in ["alice", "spam"] {
            inbox.take(at(10), &said(from, 1, 1_000));
            inbox.finish(at(10), &said(from, 1, 1_000));
        }
        let spam = Conversation::C2c("spam".into());
        inbox.lag(&spam);
        let names: Vec<String> = inbox
            .reports(at(60))
            .iter()
            .map(|read| read.conversation.name().to_owned())
            .collect();
        assert_eq!(names, ["alice"]);
        assert_eq!(inbox.report_at(), None);
        inbox.caught_up(at(61), &spam);
        assert_eq!(inbox.report_at(), Some(at(62)));
        assert_eq!(marks(&mut inbox, at(62)), [1_000]);
    }

    #[test]
    fn while_pages_are_still_to_come_the_last_second_is_not_reported() {
        let mut inbox = Inbox::default();
        inbox.take(at(10), &said("alice", 1, 1_000));
        inbox.finish(at(10), &said("alice", 1, 1_000));
        assert!(
            inbox.reports(at(60)).is_empty(),
            "older ones may be missing"
        );
        inbox.set_reach(at(60), Reach::Paging);
        assert!(
            inbox.reports(at(61)).is_empty(),
            "more of its second may come"
        );
        assert_eq!(inbox.report_at(), None, "nothing to wake up for");
        inbox.set_reach(at(70), Reach::CaughtUp);
        assert_eq!(inbox.report_at(), Some(at(71)));
        assert_eq!(marks(&mut inbox, at(71)), [1_000]);
    }

    #[test]
    fn what_is_read_of_a_group_ends_before_the_first_open_message() {
        let mut inbox = caught_up();
        for seq in 5..10 {
            inbox.take(at(0), &numbered(seq));
        }
        for seq in [6, 7, 9] {
            inbox.finish(at(0), &numbered(seq));
        }
        assert!(inbox.reports(at(1)).is_empty());
        inbox.finish(at(1), &numbered(5));
        assert_eq!(marks(&mut inbox, at(2)), [7]);
        inbox.finish(at(2), &numbered(8));
        assert_eq!(marks(&mut inbox, at(3)), [9]);
    }

    #[test]
    fn nothing_from_a_hole_on_is_read() {
        let mut inbox = caught_up();
        inbox.set_hole(at(0), "g", Some(3));
        inbox.take(at(0), &numbered(2));
        inbox.take(at(0), &numbered(9));
        inbox.finish(at(0), &numbered(2));
        inbox.finish(at(0), &numbered(9));
        assert_eq!(marks(&mut inbox, at(1)), [2]);
        inbox.set_hole(at(5), "g", None);
        assert_eq!(inbox.report_at(), Some(at(6)));
        assert_eq!(marks(&mut inbox, at(6)), [9]);
        assert!(inbox.lines.is_empty());
    }

    #[test]
    fn one_conversation_does_not_take_the_room_of_the_others() {
        let mut inbox = Inbox::new(InboxLimits::new(16, true));
        let (alice, bob) = (Conversation::from("alice"), Conversation::from("bob"));
        for n in 0..2 {
            assert!(inbox.has_room_for(&alice));
            inbox.take(at(0), &said("alice", n, 1));
        }
        assert!(!inbox.has_room_for(&alice) && inbox.has_room_for(&bob));
        inbox.starve();
        assert!(
            inbox.finish(at(0), &said("alice", 0, 1)),
            "whoever waits is told"
        );
        assert!(!inbox.finish(at(0), &said("alice", 1, 1)), "once");
    }

    #[test]
    fn what_a_dead_host_held_is_given_back_and_groups_go_back_before_it() {
        let mut inbox = caught_up();
        for seq in 5..8 {
            inbox.take(at(0), &numbered(seq));
        }
        inbox.take(at(0), &said("alice", 1, 1_000));
        inbox.finish(at(0), &numbered(5));
        let (ids, groups) = inbox.give_all_back();
        assert_eq!((ids.len(), inbox.open()), (3, 0));
        assert_eq!(groups, [("g".into(), 5)]);
        assert!(!inbox.finish(at(1), &numbered(6)), "of a time before");
    }

    proptest! {
        /// Whatever the order of arrivals and ends: nothing open is ever reported as read, and in the end
        /// everything is.
        #[test]
        fn nothing_open_is_reported_and_in_the_end_all_is(
            steps in proptest::collection::vec((0u8..3, 0usize..40, 0u64..3), 1..200)
        ) {
            let mut inbox = caught_up();
            let (mut open, mut clock, mut second, mut count) = (Vec::<Receipt>::new(), 0, 100, 0);
            let mut newest = 0;
            for (what, which, passes) in steps {
                clock += passes;
                second += passes;
                match what {
                    0 => {
                        count += 1;
                        let receipt = said("alice", count, second);
                        newest = second;
                        inbox.take(at(clock), &receipt);
                        open.push(receipt);
                    }
                    1 if !open.is_empty() => {
                        let receipt = open.swap_remove(which % open.len());
                        inbox.finish(at(clock), &receipt);
                    }
                    _ => {
                        for read in inbox.reports(at(clock)) {
                            prop_assert!(open.iter().all(|receipt| receipt.mark > read.mark));
                        }
                    }
                }
                prop_assert_eq!(inbox.open(), open.len());
            }
            for receipt in open.drain(..) {
                inbox.finish(at(clock), &receipt);
            }
            let mut last = inbox.reports(at(clock));
            while let Some(due) = inbox.report_at() {
                last.extend(inbox.reports(due));
            }
            prop_assert!(inbox.lines.is_empty());
            prop_assert!(last.iter().all(|read| read.mark <= newest));
        }
    }
}
