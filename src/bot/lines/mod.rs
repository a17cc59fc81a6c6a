//! Decides which event of an account is handled when: gated on SDK_READY, one at a time in each
//! conversation, and a message is done when every bot is done with it.
//!
//! Pure: events and the ends of handlers go in, starts of handlers and finished messages come out, time is an
//! argument. Each bot has a line of events for each conversation and one for the account itself.

mod job;

pub(super) use job::{Job, LineKey, Looping, Manner, Over, Start};

use super::dialogue::Lapse;
use super::drain::Drain;
use super::event::What;
use super::line::{Line, Turn};
use super::loop_guard::{Found, LoopGuard};
use super::overlap::Overlap;
use super::timer::Alarm;
use crate::proto::message::{Conversation, Message};
use crate::session::Receipt;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long after its first message a second of the server's clock is certainly over.
const SECOND: Duration = Duration::from_millis(1_200);
/// How long after the end of everything to look whether anything is still to be remembered.
const REST: Duration = Duration::from_secs(3);
/// An event that is not merged with others.
const AT_ONCE: (Duration, Manner) = (Duration::ZERO, Manner::ALONE);
/// The number of loop guards above which those of idle conversations are removed.
const MAX_GUARDS: usize = 256;

/// A message that at least one bot is not done with.
#[derive(Debug)]
struct Open {
    what: Over,
    /// How many bots are not done.
    bots: usize,
    /// `false` once a bot has left it unhandled.
    done: bool,
}

/// The end of a silence.
#[derive(Debug)]
struct Silence {
    at: Duration,
    line: Arc<LineKey>,
    /// A loop is listened for; otherwise the pause after one ends.
    listening: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// What the bots want when somebody writes again; those that are missing want a queue.
    overlaps: Vec<Overlap>,
    ready: bool,
    is_draining: bool,
    /// Told when nothing runs any more.
    draining: Option<Drain>,
    /// While draining: messages up to this second are still handled, until this time.
    last_second: Option<Box<(u64, Duration)>>,
    /// `None` while nothing happens: most accounts are silent for long.
    work: Option<Box<Work>>,
}

/// What is going on.
#[derive(Debug, Default)]
struct Work {
    /// The newest second (server time) with a one-to-one message, and when it was noticed.
    newest: (u64, Duration),
    lines: HashMap<Arc<LineKey>, Line>,
    guards: HashMap<Arc<LineKey>, LoopGuard>,
    silences: Vec<Silence>,
    /// Lines whose next event has to wait for a time.
    held: Vec<(Duration, Arc<LineKey>)>,
    /// Lines whose next event may be due.
    due: VecDeque<Arc<LineKey>>,
    running: usize,
    /// Messages that were delivered and are not finished, by fingerprint.
    open: HashMap<u64, Open>,
    finished: VecDeque<(Over, bool)>,
    /// How many updates wait.
    updates: usize,
    /// When to look whether anything is still going on.
    rest_at: Option<Duration>,
}

impl Work {
    fn is_at_rest(&self) -> bool {
        self.lines.is_empty()
            && self.open.is_empty()
            && self.finished.is_empty()
            && self.silences.is_empty()
    }

    /// Ends the silences that are over.
    fn end_silences(&mut self, now: Duration, loops: &mut Vec<Looping>) {
        let mut index = 0;
        while let Some(silence) = self.silences.get(index) {
            if silence.at > now {
                index += 1;
                continue;
            }
            let Silence {
                line, listening, ..
            } = self.silences.swap_remove(index);
            let found = self
                .guards
                .get_mut(&line)
                .filter(|_| listening)
                .and_then(|guard| guard.silence_over(now));
            if let Some(Found::Loop(pause)) = found {
                self.silences.push(Silence {
                    at: now + pause,
                    line: line.clone(),
                    listening: false,
                });
                loops.push(Looping { line, pause });
            } else {
                if let Some(state) = self.lines.get_mut(&line) {
                    state.silent = false;
                }
                self.due.push_back(line);
            }
        }
    }

    /// Lines whose time has come go on.
    fn release(&mut self, now: Duration) {
        let due = &mut self.due;
        self.held.retain(|(at, line)| {
            let is_due = *at <= now;
            if is_due {
                due.push_back(line.clone());
            }
            !is_due
        });
    }

    /// What waited is not handled any more.
    fn leave(&mut self, left: Vec<Start>, done: bool) -> Vec<u64> {
        let mut ids = Vec::new();
        for start in left {
            self.updates -= usize::from(matches!(start.what, What::Update(_)));
            for id in start.job.ids() {
                self.settle(id, done);
                ids.push(id);
            }
        }
        ids
    }

    /// One bot is done with a message.
    fn settle(&mut self, id: u64, done: bool) {
        let Some(open) = self.open.get_mut(&id) else {
            return;
        };
        open.bots -= 1;
        open.done &= done;
        if open.bots == 0
            && let Some(open) = self.open.remove(&id)
        {
            self.finished.push_back((open.what, open.done));
        }
    }
}

impl Lines {
    // ── questions ────────────────────────────────────────────────────────────────────────────

    /// No new handlers are started.
    pub(super) const fn is_draining(&self) -> bool {
        self.is_draining
    }

    /// Whether nothing runs but so many that are asleep, and nothing waits that could.
    pub(super) fn is_idle(&self, asleep: usize) -> bool {
        self.work.as_ref().is_none_or(|work| {
            let may_start = self.ready && !self.is_draining;
            // Behind a handler that runs everything waits.
            let waits =
                |line: &Line| line.waits() && may_start && !line.silent && line.running() == 0;
            // Those that are held wait for a time.
            let busy = work
                .lines
                .iter()
                .any(|(key, line)| waits(line) && !work.held.iter().any(|(_, held)| held == key));
            work.running <= asleep && work.finished.is_empty() && !busy
        })
    }

    /// How many messages the bots have not finished.
    #[cfg(test)]
    fn open_messages(&self) -> usize {
        self.work.as_ref().map_or(0, |work| work.open.len())
    }

    /// Whether a bot has something to do in a conversation.
    pub(super) fn is_busy(&self, bot: usize, conversation: &Conversation) -> bool {
        let line = LineKey {
            bot,
            conversation: Some(conversation.clone()),
            lane: 0,
        };
        self.work
            .as_ref()
            .is_some_and(|work| work.lines.contains_key(&line))
    }

    /// Whether a handler of this bot runs.
    pub(super) fn runs(&self, bot: usize) -> bool {
        let mut lines = self.work.iter().flat_map(|work| &work.lines);
        lines.any(|(key, line)| key.bot == bot && line.running() > 0)
    }

    /// How much waits for each bot: its number, and the events of one of its lines.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (usize, usize)> {
        let lines = self.work.iter().flat_map(|work| &work.lines);
        lines.map(|(key, line)| (key.bot, line.waiting()))
    }

    /// How many updates wait.
    pub(super) fn updates(&self) -> usize {
        self.work.as_ref().map_or(0, |work| work.updates)
    }

    /// While draining: when the second that is finished before the stop is over, monotonic.
    pub(super) fn last_second_ends(&self) -> Option<Duration> {
        self.last_second.as_ref().map(|second| second.1)
    }

    /// When to call [`timeout`](Self::timeout), monotonic.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let last_second = self.last_second_ends();
        let work = self.work.as_ref();
        let rest_at = work.and_then(|work| work.rest_at);
        let silences = work.into_iter().flat_map(|work| &work.silences);
        let held = work.into_iter().flat_map(|work| &work.held);
        silences
            .map(|silence| silence.at)
            .chain(held.map(|(at, _)| *at))
            .chain(last_second)
            .chain(rest_at)
            .min()
    }

    // ── inputs ───────────────────────────────────────────────────────────────────────────────

    /// Whether the account is ready.
    pub(super) const fn is_ready(&self) -> bool {
        self.ready
    }

    /// The account is ready, or is not.
    pub(super) fn set_ready(&mut self, ready: bool) {
        self.ready = ready;
        if ready && let Some(work) = &mut self.work {
            work.due = work.lines.keys().cloned().collect();
        }
    }

    /// A message came that these bots want, and how each of them does.
    pub(super) fn message(
        &mut self,
        now: Duration,
        message: &Arc<Message>,
        wanting: &[usize],
        manner: impl Fn(usize) -> Manner,
    ) {
        let receipt = Receipt::of(message);
        let work = self.work.get_or_insert_default();
        work.rest_at.get_or_insert(now + REST);
        if matches!(message.conversation, Conversation::C2c(_)) && message.time > work.newest.0 {
            work.newest = (message.time, now);
        }
        if wanting.is_empty() {
            return work.finished.push_back((Over::Message(receipt), true));
        }
        let id = receipt.id();
        let open = Open {
            what: Over::Message(receipt),
            bots: wanting.len(),
            done: true,
        };
        work.open.insert(id, open);
        for bot in wanting {
            let manner = manner(*bot);
            let line = Arc::new(LineKey {
                bot: *bot,
                conversation: Some(message.conversation.clone()),
                lane: if manner.is_beside { LineKey::BESIDE } else { 0 },
            });
            let guard = self
                .work
                .as_mut()
                .and_then(|work| work.guards.get_mut(&line));
            if let Some(guard) = guard {
                guard.came(now);
            }
            self.enqueue(
                line,
                What::Message(message.clone()),
                (Some(id), None),
                (now, manner),
            );
        }
    }

    /// Something about messages or people changed that this handler of a bot wants to hear.
    pub(super) fn update(&mut self, bot: usize, handler: usize, what: What) {
        self.work.get_or_insert_default().updates += 1;
        let conversation = Some(Conversation::System);
        let line = Arc::new(LineKey {
            bot,
            conversation,
            lane: 0,
        });
        self.enqueue(line, what, (None, Some(handler)), AT_ONCE);
    }

    /// The time for an answer in a dialogue of this bot is over.
    pub(super) fn lapsed(&mut self, bot: usize, lapse: Lapse) {
        let line = Arc::new(LineKey {
            bot,
            conversation: Some(lapse.place.conversation.clone()),
            lane: 0,
        });
        let id = lapse.id();
        self.enqueue(
            line,
            What::Lapsed(Arc::new(lapse)),
            (Some(id), None),
            AT_ONCE,
        );
    }

    /// An update that waited in the store under this number and that these bots want to hear comes back. `id` is the
    /// same in every process.
    pub(super) fn returned(&mut self, number: u64, id: u64, what: &What, wanting: &[usize]) {
        let work = self.work.get_or_insert_default();
        let what_is_over = Over::Update(number);
        if wanting.is_empty() {
            return work.finished.push_back((what_is_over, true));
        }
        let open = Open {
            what: what_is_over,
            bots: wanting.len(),
            done: true,
        };
        work.open.insert(id, open);
        work.updates += wanting.len();
        for bot in wanting {
            let (bot, conversation) = (*bot, Some(Conversation::System));
            let line = Arc::new(LineKey {
                bot,
                conversation,
                lane: 0,
            });
            self.enqueue(line, what.clone(), (Some(id), None), AT_ONCE);
        }
    }

    /// The time of an alarm of this bot has come, which is for this handler.
    pub(super) fn alarm(&mut self, bot: usize, handler: usize, alarm: Alarm) {
        let place = alarm.later.as_ref().and_then(|later| later.place.as_ref());
        let place = place.map(|(conversation, _)| conversation.clone());
        let line = Arc::new(LineKey {
            bot,
            lane: if place.is_some() { 0 } else { handler + 1 },
            conversation: Some(place.unwrap_or(Conversation::System)),
        });
        let id = alarm.id();
        let what = What::Alarm(Arc::new(alarm));
        self.enqueue(line, what, (Some(id), Some(handler)), AT_ONCE);
    }

    /// Something happened to the account itself that this handler of a bot wants to hear.
    pub(super) fn happened(&mut self, bot: usize, handler: usize, what: What) {
        let conversation = None;
        let line = Arc::new(LineKey {
            bot,
            conversation,
            lane: 0,
        });
        self.enqueue(line, what, (None, Some(handler)), AT_ONCE);
    }

    /// A bot may handle a message that was gated.
    pub(super) fn open(&mut self, bot: usize, conversation: &Conversation, message: u64) {
        let overlap = self.overlaps.get(bot).copied().unwrap_or_default();
        self.at_gate(bot, conversation, |line| line.open(message, overlap));
    }

    /// Like [`open`](Self::open), whichever conversation the message is of.
    pub(super) fn open_anywhere(&mut self, bot: usize, message: u64) {
        let overlap = self.overlaps.get(bot).copied().unwrap_or_default();
        let Some(work) = &mut self.work else {
            return;
        };
        let lines = work.lines.iter_mut().filter(|(key, _)| key.bot == bot);
        for (key, line) in lines {
            if line.open(message, overlap) {
                work.due.push_back(key.clone());
            }
        }
    }

    /// A message that was gated is not for this bot after all: it is done with it.
    pub(super) fn withdraw(&mut self, bot: usize, conversation: &Conversation, message: u64) {
        if self.at_gate(bot, conversation, |line| line.withdraw(message))
            && let Some(work) = &mut self.work
        {
            work.settle(message, true);
        }
    }

    fn at_gate(
        &mut self,
        bot: usize,
        conversation: &Conversation,
        mut change: impl FnMut(&mut Line) -> bool,
    ) -> bool {
        let Some(work) = &mut self.work else {
            return false;
        };
        let lanes = [0, LineKey::BESIDE].map(|lane| LineKey {
            bot,
            conversation: Some(conversation.clone()),
            lane,
        });
        for key in lanes {
            if work.lines.get_mut(&key).is_some_and(&mut change) {
                work.due.push_back(Arc::new(key));
                return true;
            }
        }
        false
    }

    /// From now on this bot wants this when somebody writes again.
    pub(super) fn set_overlap(&mut self, bot: usize, overlap: Overlap) {
        if bot >= self.overlaps.len() {
            self.overlaps.resize(bot + 1, Overlap::default());
        }
        if let Some(known) = self.overlaps.get_mut(bot) {
            *known = overlap;
        }
    }

    /// The account runs this bot no more. What waits for it is done with; what it handles goes on to its end.
    pub(super) fn remove(&mut self, now: Duration, bot: usize) {
        let Some(work) = &mut self.work else {
            return;
        };
        let mut left = Vec::new();
        for (_, line) in work.lines.iter_mut().filter(|(key, _)| key.bot == bot) {
            left.extend(line.clear());
        }
        work.lines
            .retain(|key, line| key.bot != bot || line.running() > 0);
        work.leave(left, true);
        work.rest_at.get_or_insert(now + REST);
    }

    /// A handler has ended. `done` is `false` when its message was not handled. A bot that is `parked` holds up
    /// nobody: messages that it does not handle stay unread, and are returned.
    pub(super) fn ended(&mut self, now: Duration, job: &Job, done: bool, parked: bool) -> Vec<u64> {
        self.settled(now, job, done);
        self.freed(now, job, !done && parked)
    }

    /// A handler was stopped because its sender has written again: its messages are handled with the new one.
    pub(super) fn cancelled(&mut self, now: Duration, job: &Job) {
        if let Some(work) = &mut self.work
            && let Some(line) = work.lines.get_mut(&job.line)
        {
            line.cancelled(job);
        }
        let _ = self.freed(now, job, false);
    }

    /// A bot is done with a message, or will not handle it.
    pub(super) fn settled(&mut self, now: Duration, job: &Job, done: bool) {
        if let Some(work) = &mut self.work
            && job.message().is_some()
        {
            for id in job.ids() {
                work.settle(id, done);
            }
            // The handler may have ended long before.
            work.rest_at.get_or_insert(now + REST);
        }
    }

    /// A handler has ended, and the next event of its line may be handled; `leave` leaves all of them unread, and
    /// returns which they are.
    pub(super) fn freed(&mut self, now: Duration, job: &Job, leave: bool) -> Vec<u64> {
        let Some(work) = &mut self.work else {
            return Vec::new();
        };
        work.running = work.running.saturating_sub(1);
        let mut left: Vec<Start> = Vec::new();
        if let Some(line) = work.lines.get_mut(&job.line) {
            line.ended(job);
            if leave {
                left = line.clear().collect();
            }
            if line.waits() {
                work.due.push_back(job.line.clone());
            } else if !line.silent && line.running() == 0 {
                work.lines.remove(&job.line);
            }
        }
        let left = work.leave(left, false);
        // Guards of conversations in which nothing happens are forgotten.
        if work.guards.len() > MAX_GUARDS {
            work.guards.retain(|_, guard| !guard.is_idle(now));
        }
        work.rest_at = work.is_at_rest().then_some(now + REST);
        self.check_drained(now);
        left
    }

    /// Starts no more handlers. A second of one-to-one messages that was begun is finished: read reports name
    /// whole seconds, and if a message of a second is handled and another is not, both come again after a
    /// restart.
    pub(super) fn drain(&mut self, now: Duration, mut drain: Drain) {
        self.is_draining = true;
        if let Some(work) = &self.work {
            let (second, since) = work.newest;
            if second > 0 && since + SECOND > now {
                self.last_second = Some(Box::new((second, since + SECOND)));
            }
            if work.running > 0 {
                drain.set_busy();
            }
        }
        self.draining = Some(drain);
        self.check_drained(now);
    }

    /// The time named by [`poll_timeout`](Self::poll_timeout) has come. Harmless when early. Returns the loops
    /// that were found.
    pub(super) fn timeout(&mut self, now: Duration) -> Vec<Looping> {
        let mut loops = Vec::new();
        if let Some(work) = &mut self.work {
            work.end_silences(now, &mut loops);
            work.release(now);
            if work.rest_at.is_some_and(|at| at <= now) {
                work.rest_at = None;
                work.guards.retain(|_, guard| !guard.is_idle(now));
                if work.is_at_rest() && work.guards.is_empty() {
                    self.work = None;
                } else if work.is_at_rest() {
                    work.rest_at = Some(now + REST);
                }
            }
        }
        self.check_drained(now);
        loops
    }

    // ── outputs ──────────────────────────────────────────────────────────────────────────────

    /// The next handler to start.
    pub(super) fn poll_start(&mut self, now: Duration) -> Option<Start> {
        loop {
            let line = self.work.as_mut()?.due.pop_front()?;
            if let Some(start) = self.advance(now, &line) {
                return Some(start);
            }
        }
    }

    /// Whether some line may have a handler to start.
    pub(super) fn is_due(&self) -> bool {
        self.work.as_ref().is_some_and(|work| !work.due.is_empty())
    }

    /// The next message that every bot is done with (`true`), or that one of them will not handle; and the next update
    /// that waited in the store.
    pub(super) fn poll_finished(&mut self) -> Option<(Over, bool)> {
        self.work.as_mut()?.finished.pop_front()
    }

    // ── inside ───────────────────────────────────────────────────────────────────────────────

    fn enqueue(
        &mut self,
        line: Arc<LineKey>,
        what: What,
        (message, only): (Option<u64>, Option<usize>),
        (now, manner): (Duration, Manner),
    ) {
        let job = Job::new(line.clone(), message, manner.spot);
        let overlap = self.overlaps.get(line.bot).copied().unwrap_or_default();
        let work = self.work.get_or_insert_default();
        let state = work.lines.entry(line.clone()).or_default();
        let start = Start {
            job,
            what,
            came: now,
            only,
            earlier: Vec::new(),
            cancel: None,
        };
        let is_first = !state.waits() && state.running() == 0;
        state.push(start, (manner.merges, manner.is_gated), overlap);
        if is_first || overlap != Overlap::Queue {
            work.due.push_back(line);
        }
    }

    /// The next event of a line, if it may be handled. Messages wait until the account is ready.
    fn advance(&mut self, now: Duration, key: &Arc<LineKey>) -> Option<Start> {
        if !self.ready && key.conversation.is_some() {
            return None;
        }
        let work = self.work.as_mut()?;
        let line = work.lines.get_mut(key)?;
        let overlap = self.overlaps.get(key.bot).copied().unwrap_or_default();
        match line.turn(now, overlap) {
            Turn::Now => {}
            Turn::Later => return None,
            Turn::At(at) => {
                work.held.retain(|(_, held)| held != key);
                work.held.push((at, key.clone()));
                return None;
            }
            Turn::Never => {
                if line.running() == 0 {
                    work.lines.remove(key);
                    work.rest_at.get_or_insert(now + REST);
                }
                return None;
            }
        }
        if let What::Message(message) = line.first()? {
            let is_of_last_second = self.last_second.as_ref().is_some_and(|last| {
                matches!(message.conversation, Conversation::C2c(_))
                    && message.time <= last.0
                    && now < last.1
            });
            if self.is_draining && !is_of_last_second {
                return None;
            }
            let guard = work.guards.entry(key.clone()).or_default();
            if let Some(silence) = guard.handles(now) {
                line.silent = true;
                work.silences.push(Silence {
                    at: now + silence,
                    line: key.clone(),
                    listening: true,
                });
                return None;
            }
        } else if self.is_draining {
            return None;
        }
        let start = line.take(overlap)?;
        work.updates -= usize::from(matches!(start.what, What::Update(_)));
        work.running += 1;
        if overlap == Overlap::Parallel && line.waits() {
            work.due.push_back(key.clone());
        }
        Some(start)
    }

    fn check_drained(&mut self, now: Duration) {
        if self.last_second.as_ref().is_some_and(|last| now >= last.1) {
            self.last_second = None;
        }
        let runs = self.work.as_ref().is_some_and(|work| work.running > 0);
        if self.is_draining && !runs && self.last_second.is_none() {
            self.draining = None;
        }
    }
}

#[cfg(test)]
mod tests;
