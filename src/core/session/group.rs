//! One group that is followed: the numbers up to where it was handed out, what is missing, and what to do
//! when the history is refused.
//!
//! While a gap is fetched, what is pushed waits behind it. When the history is refused again and again, the
//! gap becomes a hole: what was pushed is handed out, the group goes on, and the hole is tried again with a
//! growing pause until it is filled or the group is gone. Nothing from a hole on counts as read.

use super::catch_up::{DEGRADED_AFTER, RETRY};
use super::span::{Fetched, Found, Page, Span};
use crate::policy::Now;
use crate::proto::message::Message;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Pushed messages kept while older ones are fetched; further ones are fetched too.
const MAX_AHEAD: usize = 64;
/// Holes kept; beyond, the two oldest become one.
const MAX_HOLES: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// The numbers from the last one handed out to the newest that exists; `None` until the start is known.
    head: Option<Span>,
    /// Ranges before the head that could not be fetched.
    holes: VecDeque<Span>,
    /// The request in flight.
    asked: Option<Asked>,
    /// Set when the server's list names a lower newest number than was handed out.
    doubt: Option<Doubt>,
    /// The group is followed from this pushed number because the list was refused; older unread messages are unknown.
    assumed: Option<u32>,
    /// The lowest number pushed before the start was known.
    first_pushed: u32,
    /// The highest number known to exist.
    target: u32,
    failures: u32,
    /// After a failure the history is not asked for before this time.
    not_before: Duration,
    /// Messages pushed ahead of those being fetched, the first few.
    ahead: BTreeMap<u32, Message>,
}

/// The list names a newest number below `last`. Either the list is outdated, or another group took the name
/// and its numbers began anew.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    newest: u32,
    /// The greatest number of the new group, if there is one.
    target: u32,
    /// How far the new group is read, if there is one.
    read: u32,
    /// The group has grown past the last number handed out, and `newest` is that last number.
    grown: bool,
    /// The history was asked and could not settle the doubt.
    asked: bool,
}

impl Doubt {
    /// A number beyond the last one handed out exists. An outdated list allows that too, so the message with
    /// the last number handed out has to decide.
    const fn grow(self, last: u32, number: u32) -> Option<Self> {
        if self.is_settled() || last == 0 {
            return None;
        }
        let (newest, first) = if self.grown {
            (self.newest, self.target)
        } else {
            (last, number)
        };
        Some(Self {
            newest,
            target: if first > number { first } else { number },
            grown: true,
            ..self
        })
    }

    /// The history has shown that the list was outdated.
    const fn is_settled(self) -> bool {
        self.asked && self.newest > 0
    }

    const fn is_open(self) -> bool {
        self.newest > 0 && !self.asked
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Head(Page),
    Hole(Page),
    /// The newest message that the list knows.
    Doubt,
}

/// What became of a pushed message.
#[derive(Debug)]
pub(super) enum Pushed {
    /// The message is the next one.
    Next(Box<Message>),
    /// The message waits; older ones have to be fetched first.
    Behind,
    /// The message was handed out before, or waits for the list of groups.
    Nothing,
}

/// What follows from a failed fetch.
#[derive(Debug, Default)]
pub(super) struct Failed {
    /// Pushed messages, in order, that wait no longer.
    pub(super) messages: Vec<Message>,
    /// The group goes on with a hole from now on.
    pub(super) gave_up: bool,
}

impl Group {
    /// A group that is followed from the number after `last` on.
    pub(super) fn from(last: u32, target: u32) -> Self {
        Self {
            head: Some(Span::new(last, target)),
            target,
            ..Self::default()
        }
    }

    /// Everything up to this number was handed out, except holes; `None` until the start is known.
    pub(super) fn last(&self) -> Option<u32> {
        self.head.as_ref().map(Span::done)
    }

    /// The last number handed out, if that is all there is to know about the group.
    pub(super) fn quiet(&self) -> Option<u32> {
        let Self {
            head,
            holes,
            asked,
            doubt,
            assumed,
            first_pushed: _, // Of no interest once the head is known.
            target,
            failures,
            not_before,
            ahead,
        } = self;
        let head = head.as_ref()?;
        let is_quiet = head.is_quiet()
            && *target == head.done()
            && holes.is_empty()
            && asked.is_none()
            && doubt.is_none()
            && assumed.is_none()
            && *failures == 0
            && not_before.is_zero()
            && ahead.is_empty();
        is_quiet.then(|| head.done())
    }

    /// The lowest number that is missing and may never come.
    pub(super) fn hole(&self) -> Option<u32> {
        if self.assumed.is_some() {
            return Some(1);
        }
        // Numbers that may be new ones count as read only when the doubt is settled.
        let doubt = self.doubt.filter(|doubt| !doubt.is_settled());
        let doubted = doubt.map(|doubt| doubt.read.saturating_add(1));
        let holes = self.holes.iter().map(|hole| hole.done() + 1);
        holes.chain(doubted).min()
    }

    /// The next number to fetch, if an earlier session had already handed out as far.
    pub(super) fn missing_up_to(&self, reached: u32) -> Option<u32> {
        let head = self.head.as_ref()?;
        (head.done() < reached.min(head.target())).then(|| head.done() + 1)
    }

    /// Whether there is something to fetch and no request in flight.
    pub(super) fn wants(&self) -> bool {
        let head = self.head.as_ref();
        self.asked.is_none()
            && (head.is_some_and(Span::is_behind)
                || !self.holes.is_empty()
                || self.doubt.is_some_and(Doubt::is_open))
    }

    /// The time before which the history is not asked for, after a failure.
    pub(super) const fn not_before(&self) -> Duration {
        self.not_before
    }

    /// The page to ask for now. A doubt comes first, then new messages, then holes.
    pub(super) fn ask(&mut self) -> Option<Page> {
        let head = self.head.as_ref().filter(|head| head.is_behind());
        let (asked, page) = match (head, self.doubt, self.holes.front()) {
            // Settles what the numbers mean.
            (_, Some(doubt), _) if doubt.is_open() => {
                let top = doubt.newest;
                (Asked::Doubt, Page { top, count: 1 })
            }
            (Some(head), ..) => (Asked::Head(head.page()), head.page()),
            (None, _, Some(hole)) => (Asked::Hole(hole.page()), hole.page()),
            _ => return None,
        };
        self.asked = Some(asked);
        Some(page)
    }

    /// The request in flight will not be answered.
    pub(super) fn abort(&mut self) {
        self.asked = None;
        self.head.iter_mut().for_each(Span::restart);
        self.holes.iter_mut().for_each(Span::restart);
    }

    /// A message was pushed. `mark` is where an earlier session had got to, `listed` whether the list
    /// of groups is complete or was given up, `has_room` whether the bots can take it.
    pub(super) fn pushed(&mut self, message: Message, listed: Listed, has_room: bool) -> Pushed {
        let seq = message.seq;
        self.target = self.target.max(seq);
        if self.head.is_none() {
            match listed {
                Listed::No => {
                    if self.first_pushed == 0 || seq < self.first_pushed {
                        self.first_pushed = seq;
                    }
                    return Pushed::Nothing;
                }
                // The group was joined after the list was made, so it begins here.
                Listed::Yes => self.head = Some(Span::new(seq - 1, seq - 1)),
                Listed::Refused(mark) => {
                    let begin = mark.unwrap_or(seq - 1).min(seq - 1);
                    self.assumed = mark.is_none().then_some(begin);
                    self.head = Some(Span::new(begin, begin));
                }
            }
        }
        let Some(head) = &mut self.head else {
            return Pushed::Nothing;
        };
        if seq <= head.done() {
            return Pushed::Nothing;
        }
        let is_fetching = matches!(self.asked, Some(Asked::Head(_)));
        let is_next = seq == head.done() + 1 && !is_fetching && !head.is_cut();
        head.reaches(seq);
        if is_next && has_room {
            head.advance(seq);
            return Pushed::Next(Box::new(message));
        }
        if self.ahead.len() < MAX_AHEAD {
            self.ahead.insert(seq, message);
        }
        Pushed::Behind
    }

    /// The account's own message got this number and will not be pushed. Returns whether nothing has to be
    /// fetched before it.
    pub(super) fn sent(&mut self, seq: u32) -> bool {
        self.target = self.target.max(seq);
        let Some(head) = &mut self.head else {
            return false; // What is before it is unknown.
        };
        let is_fetching = matches!(self.asked, Some(Asked::Head(_)));
        let is_next = head.done() + 1 == seq && !is_fetching && !head.is_cut();
        if is_next {
            head.advance(seq);
        } else {
            head.reaches(seq);
        }
        is_next
    }

    /// The list names this group: its newest number, and where to start.
    pub(super) fn listed(&mut self, newest: u32, begin: u32, mark: Option<u32>) {
        self.target = self.target.max(newest);
        let known = self.last().or(mark);
        let before = self.doubt.take();
        self.doubt = known.and_then(|last| {
            if last > newest {
                return Some(Doubt {
                    newest,
                    target: newest,
                    read: begin.min(newest),
                    grown: false,
                    asked: false,
                });
            }
            // It has grown past what was handed out before the doubt was settled: if it began anew, the
            // message of the last number is a new one.
            before.and_then(|before| before.grow(last, newest))
        });
        if let Some(assumed) = self.assumed.take()
            && begin < assumed
        {
            self.add_hole(Span::new(begin, assumed));
        }
        match &mut self.head {
            Some(head) => head.reaches(newest),
            None => self.head = Some(Span::new(begin, self.target)),
        }
    }

    /// The list does not come. The group starts with what was pushed, or where an earlier session stopped.
    /// Returns whether it starts only now.
    pub(super) fn assume(&mut self, mark: Option<u32>) -> bool {
        if self.head.is_some() || self.first_pushed == 0 {
            return false;
        }
        let begin = self.first_pushed - 1;
        self.assumed = mark.is_none().then_some(begin);
        self.head = Some(Span::new(mark.unwrap_or(begin).min(begin), self.target));
        true
    }

    /// The list is complete and does not name this group, so the group starts with what was pushed.
    pub(super) fn unlisted(&mut self) {
        self.assumed = None;
        if self.head.is_none() {
            let begin = self.first_pushed.saturating_sub(1);
            self.head = Some(Span::new(begin, self.target));
        }
    }

    /// Whether a push of this number shows that the numbers of the group began anew; then where its new
    /// numbers were read up to, and what waited of the old ones.
    pub(super) fn settle_doubt(&mut self, seq: u32) -> Option<(u32, Vec<Message>)> {
        let doubt = self.doubt?;
        match self.last() {
            // With an outdated list the number would be above the last one handed out.
            Some(last) if seq <= last && !doubt.grown => (seq > doubt.newest).then_some(())?,
            Some(last) => {
                self.doubt = doubt.grow(last, seq);
                return None;
            }
            None => {
                self.doubt = None;
                return None;
            }
        }
        self.begin_anew()
    }

    /// The newest message that the list knows is from after the last one that was handed out: the
    /// numbers began anew.
    pub(super) fn begin_anew(&mut self) -> Option<(u32, Vec<Message>)> {
        let doubt = self.doubt.take()?;
        let target = if doubt.grown {
            doubt.target.max(self.target)
        } else {
            doubt.target
        };
        let before = std::mem::replace(self, Self::from(doubt.read, target));
        Some((doubt.read, before.ahead.into_values().collect()))
    }

    /// Whether what is in flight asks about a doubt.
    pub(super) fn is_doubted(&self) -> bool {
        self.asked == Some(Asked::Doubt)
    }

    /// The doubt is not settled by what the history has.
    pub(super) fn doubt_stays(&mut self) {
        self.asked = None;
        if let Some(doubt) = &mut self.doubt {
            doubt.asked = true; // The next push tells.
        }
    }

    /// The request in flight was answered.
    pub(super) fn answered(&mut self, found: Found) -> Fetched {
        self.failures = 0;
        self.not_before = Duration::ZERO;
        match self.asked.take() {
            Some(Asked::Head(page)) => {
                let Some(head) = &mut self.head else {
                    return Fetched::default();
                };
                let fetched = head.answered(page, found);
                self.ahead = self.ahead.split_off(&head.done().saturating_add(1));
                fetched
            }
            Some(Asked::Hole(page)) => {
                let Some(hole) = self.holes.front_mut() else {
                    return Fetched::default();
                };
                let fetched = hole.answered(page, found);
                if !hole.is_behind() {
                    self.holes.pop_front();
                }
                fetched
            }
            Some(Asked::Doubt) | None => Fetched::default(),
        }
    }

    /// The request in flight was refused or not answered, and may be tried again.
    pub(super) fn failed(&mut self, now: Now, chance: f64) -> Failed {
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.mono + RETRY.delay(self.failures, chance);
        let asked = self.asked.take();
        if !matches!(asked, Some(Asked::Head(_))) || self.failures < DEGRADED_AFTER {
            return Failed::default();
        }
        Failed {
            messages: self.give_up(),
            gave_up: true,
        }
    }

    /// Missing numbers become holes; messages pushed behind them are handed out.
    fn give_up(&mut self) -> Vec<Message> {
        let Some(head) = &mut self.head else {
            return Vec::new();
        };
        let (mut done, target) = (head.done(), head.target());
        let mut holes = Vec::new();
        let mut messages = Vec::with_capacity(self.ahead.len());
        for (seq, message) in std::mem::take(&mut self.ahead) {
            if seq <= done {
                continue;
            }
            if seq > done + 1 {
                holes.push(Span::new(done, seq - 1));
            }
            done = seq;
            messages.push(message);
        }
        if done < target {
            holes.push(Span::new(done, target));
        }
        self.head = Some(Span::new(target, target));
        holes.into_iter().for_each(|hole| self.add_hole(hole));
        messages
    }

    fn add_hole(&mut self, hole: Span) {
        self.holes.push_back(hole);
        if self.holes.len() > MAX_HOLES
            && let (Some(first), Some(second)) = (self.holes.pop_front(), self.holes.pop_front())
        {
            let (from, to) = (
                first.done().min(second.done()),
                first.target().max(second.target()),
            );
            self.holes.push_front(Span::new(from, to));
        }
    }

    /// The group is followed no longer. Returns the messages that waited.
    pub(super) fn into_waiting(self) -> Vec<Message> {
        self.ahead.into_values().collect()
    }
}

/// What is known of the list of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// The list is still to come.
    No,
    /// The list is complete.
    Yes,
    /// The list was refused too often to wait for. The number is how far an earlier session had got.
    Refused(Option<u32>),
}
