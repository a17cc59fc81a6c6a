//! Runs the bots of one account: waits for SDK_READY, keeps conversations in order, and survives the faults
//! of handlers.
//!
//! [`Lines`] decides what is handled when, [`Replies`] what is sent. The account calls the host in its own
//! turns, on its own thread; a handler that is trusted runs right there, and one that has to wait for
//! something, or was slow before, goes to the [`Pool`]. So the answer of a quick handler leaves in the turn in
//! which its message came. The host outlives the actors of its account. The account bounds how many messages
//! are here: it takes no more from the server than its bots have room for.

mod change;
mod seats;
mod start;
mod subscriber;
mod ticket;

use seats::Seats;
pub(super) use ticket::Ticket;

use crate::account::{AccountEvent, AccountHandle, OutboxError, SendError, is_heard};
use crate::bot::api::{ApiError, sent_id};
use crate::bot::claims::Claims;
use crate::bot::dialogue::may_converse;
use crate::bot::drain::Drain;
use crate::bot::event::{Event, What};
use crate::bot::ledger::{Exchange, Finished, Ledger, Written};
use crate::bot::lines::{Job, Lines, Manner};
use crate::bot::on_unknown::OnUnknown;

use crate::bot::recording::Recording;
use crate::bot::replies::{Ended, Replies};
use crate::bot::run::Outcome;
use crate::bot::seat::{Neighbours, Seat, SharedBot, Site};
use crate::bot::voices::Deferred;
use crate::policy::Now;
use crate::proto::message::Message;
use crate::proto::update::Update;
use crate::traces::{Place, Sending};
use botroupe_core::ledger::{Boundary, message_id, pass};
use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::task::Waker;
use std::time::Duration;

/// See the module.
pub struct Host {
    /// Itself: calls of handlers find their host through it.
    me: Weak<Self>,
    site: Arc<Site>,
    ledger: Arc<Ledger>,
    account: AccountHandle,
    seats: RwLock<Arc<Seats>>,
    neighbours: Arc<Neighbours>,
    /// What the bots do in a test.
    recording: Option<Arc<Recording>>,
    state: Mutex<State>,
}

struct State {
    lines: Lines,
    /// The bots that wait for one before them.
    claims: Claims,
    /// The messages with which bots wait for another account.
    deferred: Deferred,
    replies: Replies,
    /// The actor that speaks for the account, and what wakes it; zero when there is none.
    life: u64,
    waker: Option<Waker>,
}

/// The host is dead: it panicked while it changed its state.
struct Dead;

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

impl Host {
    /// A host for the bots of an account.
    #[must_use]
    pub fn new(
        site: Arc<Site>,
        account: &AccountHandle,
        ledger: &Arc<Ledger>,
        bots: &[Arc<SharedBot>],
    ) -> Arc<Self> {
        Self::with_recording(site, account, ledger, bots, None)
    }

    /// A host whose bots do nothing but what is recorded.
    pub(super) fn with_recording(
        site: Arc<Site>,
        account: &AccountHandle,
        ledger: &Arc<Ledger>,
        bots: &[Arc<SharedBot>],
        recording: Option<&Arc<Recording>>,
    ) -> Arc<Self> {
        let host = Arc::new_cyclic(|me| Self {
            me: me.clone(),
            site,
            ledger: ledger.clone(),
            account: account.clone(),
            seats: RwLock::default(),
            neighbours: Arc::default(),
            recording: recording.cloned(),
            state: Mutex::new(State {
                lines: Lines::default(),
                claims: Claims::default(),
                deferred: Deferred::default(),
                replies: Replies::default(),
                life: 0,
                waker: None,
            }),
        });
        host.set_bots(bots);
        ledger.attach(&host.me);
        host
    }

    /// Starts no more handlers; `drain` is dropped when none runs any more. Returns how long the second of the
    /// newest message still lasts: [`look`](Self::look) has to be called then.
    pub fn drain(&self, drain: Drain) -> Option<Duration> {
        let at = self.ledger.now();
        let Ok(mut state) = self.lock() else {
            return None;
        };
        self.ledger.flush();
        state.lines.drain(at.mono, drain);
        let given_up = state.replies.drain();
        self.replied(&mut state, at, given_up);
        let until = state.lines.last_second_ends();
        state.wake();
        drop(state);
        for (_, seat) in self.seats().iter() {
            seat.end();
        }
        until.map(|until| until.saturating_sub(at.mono))
    }

    /// Whether nothing runs or is on its way but so many handlers that wait for the time, and only time or a new event
    /// changes that.
    pub(super) fn is_idle(&self, asleep: usize) -> bool {
        self.lock().is_ok_and(|state| {
            state.lines.is_idle(asleep) && state.replies.is_empty() && self.ledger.is_idle()
        })
    }

    /// The account has left: it speaks for no bot any more.
    pub fn left(&self) {
        for (_, seat) in self.seats().iter() {
            self.site.voices.leave(seat.bot.name, self.account.user());
        }
    }

    /// Looks whether something has become due, whether the account runs or not.
    pub fn look(&self) {
        if let Ok(mut state) = self.lock() {
            self.time_has_come(&mut state, self.ledger.now());
            state.wake();
        }
    }
}

impl Host {
    fn lock(&self) -> Result<MutexGuard<'_, State>, Dead> {
        // Poisoned: a bug of ours. The account gets a new host, and its messages again.
        self.state.lock().map_err(|_| Dead)
    }

    fn seats(&self) -> Arc<Seats> {
        let seats = self.seats.read().unwrap_or_else(PoisonError::into_inner);
        seats.clone()
    }

    /// The bots with a handler for a message, in their order.
    fn wanting<'a>(
        seats: &'a Seats,
        lines: &'a Lines,
        what: &'a What,
    ) -> impl Iterator<Item = usize> + 'a {
        let seats = seats.iter();
        seats
            .filter(|(number, seat)| {
                // Whether it answers a question shows when its turn comes: one may be asked until then.
                if seat.bot.handlers.have_dialogues() {
                    let event = Event::new(what.clone(), Arc::clone(seat));
                    let place = event.dialogue_place();
                    let is_busy =
                        place.is_some_and(|place| lines.is_busy(*number, &place.conversation));
                    if is_busy || may_converse(&event) {
                        return true;
                    }
                }
                let event = || Event::new(what.clone(), Arc::clone(seat));
                // A filter is the author's code.
                let wants = || seat.bot.handlers.want(what, event);
                catch_unwind(AssertUnwindSafe(wants)).unwrap_or(true)
            })
            .map(|(number, _)| number)
    }

    /// The bots and their handlers that each get something other than a message.
    fn hearing<'a>(seats: &'a Seats, what: &'a What) -> impl Iterator<Item = (usize, usize)> + 'a {
        seats.iter().flat_map(move |(number, seat)| {
            let handlers = seat.bot.handlers.wanting(what);
            handlers.map(move |handler| (number, handler))
        })
    }

    /// Adds how many events wait for each bot.
    pub fn count_waiting(&self, counts: &mut HashMap<&'static str, usize>) {
        let Ok(state) = self.lock() else {
            return;
        };
        let seats = self.seats();
        for (bot, waiting) in state.lines.waiting() {
            if let Some(seat) = seats.get(bot).filter(|_| waiting > 0) {
                *counts.entry(seat.bot.name).or_default() += waiting;
            }
        }
    }

    fn message(&self, state: &mut State, at: Now, message: Arc<Message>) {
        let fleet = &self.site.fleet.users();
        let with_fleet = is_heard(&message, fleet, true);
        let without = with_fleet && is_heard(&message, fleet, false);
        let seats = self.seats();
        if let Some(tape) = &self.site.tape
            && (without || with_fleet && seats.iter().any(|(_, seat)| seat.bot.hears_fleet))
        {
            let event = AccountEvent::Message(message.clone());
            tape.note(self.ledger.account().user(), at, &event);
        }
        let what = What::Message(message);
        let bot_of = |bot: usize| seats.get(bot).map(|seat| &seat.bot);
        let hears_fleet = |bot: usize| bot_of(bot).is_some_and(|bot| bot.hears_fleet);
        let hears = |bot: &usize| without || (with_fleet && hears_fleet(*bot));
        let mut wanting: Vec<usize> = Self::wanting(&seats, &state.lines, &what)
            .filter(hears)
            .collect();
        let traces = &self.site.traces;
        let spot = traces.draw(at);
        if let What::Message(message) = what {
            if self.ledger.is_durable() && !wanting.is_empty() {
                let id = message_id(&message);
                let is_over = |bot: usize| {
                    bot_of(bot).is_some_and(|bot| self.ledger.is_handled(bot.name, id))
                };
                wanting.retain(|bot| !is_over(*bot));
            }
            let gated = self.gated(state, at, &seats, &message, &mut wanting);
            let is_alone = |seat: &Arc<Seat>| {
                let event = Event::new(What::Message(message.clone()), seat.clone());
                let desk = seat.bot.handlers.desk();
                desk.may_be_command(event.what()) && desk.may_want(&event)
            };
            let is_beside = |seat: &Arc<Seat>| {
                let desk = seat.bot.handlers.desk();
                let event = || Event::new(What::Message(message.clone()), seat.clone());
                desk.has_beside() && desk.is_beside(&event())
            };
            let manner = |bot: usize| {
                let seat = seats.get(bot);
                let is_beside = seat.is_some_and(is_beside);
                let merging = seat.filter(|seat| seat.bot.choices.overlap.merges().is_some());
                Manner {
                    merges: !is_beside && !merging.is_some_and(is_alone),
                    is_beside,
                    is_gated: gated.contains(&bot),
                    spot,
                }
            };
            state.lines.message(at.mono, &message, &wanting, manner);
            let received = (self.account.name().as_str(), &*message, wanting.len());
            traces.received(spot, at, || self.ledger.now(), received);
            pass(Boundary::Delivered);
        }
    }

    /// An update that some bot wants comes back if there is no room for it: all bots get it, or none.
    fn update(&self, state: &mut State, update: Box<Update>) -> Result<(), Box<Update>> {
        let is_full = state.lines.updates() >= self.site.config.queue as usize;
        let update = Arc::<Update>::from(update);
        let what = What::Update(update.clone());
        let hearing: Vec<(usize, usize)> = Self::hearing(&self.seats(), &what).collect();
        drop(what);
        if is_full && !hearing.is_empty() {
            return Err(Box::new(Arc::unwrap_or_clone(update)));
        }
        for (bot, handler) in hearing {
            state
                .lines
                .update(bot, handler, What::Update(update.clone()));
        }
        Ok(())
    }

    /// The account is ready.
    fn is_ready(&self, state: &mut State) {
        state.lines.set_ready(true);
        state.replies.account_ready();
        let seats = self.seats();
        let first = seats.iter().filter(|(_, seat)| seat.starts());
        let starting: Vec<usize> = first.map(|(number, _)| number).collect();
        for (bot, handler) in Self::hearing(&seats, &What::Start) {
            if starting.contains(&bot) {
                state.lines.happened(bot, handler, What::Start);
            }
        }
        self.happened(state, &What::Ready);
    }

    /// Something happened to the account itself.
    fn happened(&self, state: &mut State, what: &What) {
        for (bot, handler) in Self::hearing(&self.seats(), what) {
            state.lines.happened(bot, handler, what.clone());
        }
    }

    /// The ledger has written something down; called from any thread.
    pub(super) fn written(&self) {
        let Ok(mut state) = self.lock() else {
            return;
        };
        let is_alone = state.waker.is_none();
        if is_alone {
            self.take_written(&mut state, self.ledger.now());
        }
        state.wake();
        drop(state);
        if is_alone {
            self.run_elsewhere();
        }
    }

    /// Goes on with what the ledger has written down.
    fn take_written(&self, state: &mut State, at: Now) {
        while let Some(written) = self.ledger.poll_written() {
            match written {
                Written::Handler {
                    job,
                    handler,
                    mut answers,
                } => {
                    let _ = state.lines.freed(at.mono, &job, false);
                    let Some(last) = answers.pop() else {
                        state.lines.settled(at.mono, &job, true);
                        continue;
                    };
                    let trace = self.site.traces.sending(job.spot, || at);
                    for answer in answers {
                        state.replies.post(None, handler, answer, trace);
                    }
                    state.replies.post(Some(job), handler, last, trace);
                }
                // Whoever sends it traces it.
                Written::Letter(posting) => {
                    state.replies.post(None, "", posting, Sending::default());
                }
                Written::Told(_) => {}
            }
        }
    }

    fn time_has_come(&self, state: &mut State, at: Now) {
        while let Some(alarm) = self.ledger.next_alarm(at.unix_secs()) {
            let seats = self.seats();
            let seat = seats.of_bot(&alarm.key.bot);
            let handler = seat.and_then(|(_, seat)| seat.bot.handlers.of_alarm(&alarm));
            match seat.zip(handler) {
                Some(((bot, _), handler)) => state.lines.alarm(bot, handler, alarm),
                None => {
                    let account = self.ledger.account();
                    let topic = alarm.later.as_ref().map_or("", |later| &later.topic);
                    tracing::warn!(%account, bot = &*alarm.key.bot, topic, "an alarm waits: no bot of the account takes it; add `on_later` of this topic");
                }
            }
        }
        self.ledger.strike_out(at.mono);
        while let Some(lapse) = self.ledger.lapsed(at.unix_secs()) {
            // A dialogue of a bot that the account has no more waits for the bot to come back.
            if let Some((bot, _)) = self.seats().of_bot(&lapse.place.bot) {
                state.lines.lapsed(bot, lapse);
            }
        }
        self.look_at_deferred(state, at);
        state.replies.timeout(at.mono);
        for found in state.lines.timeout(at.mono) {
            let seats = self.seats();
            let bot = seats.get(found.line.bot).map_or("", |seat| seat.bot.name);
            let conversation = found.line.conversation.as_ref();
            tracing::warn!(
                account = %self.account.name(), bot,
                conversation = %conversation.map(ToString::to_string).unwrap_or_default(),
                pause = ?found.pause,
                "the bot and somebody else answer each other without end; it is silent there for a while"
            );
        }
    }

    /// A handler has ended; in a turn of the actor `life`, or somewhere else.
    fn ended(
        &self,
        job: &Job,
        handler: &'static str,
        outcome: Outcome,
        exchange: Option<Arc<Exchange>>,
        life: Option<u64>,
    ) {
        let at = self.ledger.now();
        let seats = self.seats();
        let Some(seat) = seats.get(job.line.bot) else {
            return; // There is no job without a seat.
        };
        if matches!(outcome, Outcome::Cancelled) {
            if let Some(exchange) = exchange {
                self.ledger.close(&exchange, false);
            }
            if let Ok(mut state) = self.lock() {
                state.lines.cancelled(at.mono, job);
                state.wake();
                let is_alone = state.waker.is_none();
                drop(state);
                if is_alone {
                    self.run_elsewhere();
                }
            }
            return;
        }
        let (answers, has_answered, succeeded) = match outcome {
            Outcome::Ended {
                answers,
                has_said,
                succeeded,
            } => {
                let has_answered = has_said || !answers.is_empty();
                (Some(answers), has_answered, succeeded)
            }
            Outcome::NotRun | Outcome::Cancelled => (None, false, true),
        };
        let also = self.decide(&seats, job, seat.bot.choices.claims && has_answered);
        let draw = |(to, draft)| (to, draft, seat.account.draw_key());
        if self.ledger.is_durable()
            && job.message().is_some()
            && let Some(answers) = answers
        {
            // The store confirms it, and the ledger then wakes the host.
            self.ledger.finish(Finished {
                job: job.clone(),
                handler,
                bot: seat.bot.name,
                also,
                answers: answers.into_iter().map(draw).collect(),
                exchange,
                succeeded,
            });
            return;
        }
        if let Some(exchange) = exchange {
            self.ledger.close(&exchange, succeeded);
        }
        let Ok(mut state) = self.lock() else {
            return;
        };
        if let Some(mut answers) = answers {
            let service_time = seat.account.service_time(at);
            let trace = self.site.traces.sending(job.spot, || at);
            let mut push = |answer, job| {
                let (to, draft, key) = draw(answer);
                let key = (key, service_time);
                state.replies.push(job, handler, to, draft, key, trace);
            };
            // The line goes on when the last of them is settled.
            let last = answers.pop();
            for answer in answers {
                push(answer, None);
            }
            match last {
                Some(last) => push(last, Some(job.clone())),
                None => drop(state.lines.ended(at.mono, job, true, false)),
            }
        } else {
            let parked = self.site.pool.is_parked(seat.account.name(), seat.bot.name);
            for left in state.lines.ended(at.mono, job, false, parked) {
                self.leave(&mut state, &seats, job, left);
            }
        }
        // Within its own turn the account looks for itself. If its thread hung in the handler, another actor
        // has taken over.
        if life != Some(state.life) {
            state.wake();
        }
        let is_alone = state.waker.is_none();
        drop(state);
        if is_alone {
            self.run_elsewhere();
        }
    }

    /// Answers were settled.
    fn replied(&self, state: &mut State, at: Now, ended: impl IntoIterator<Item = Ended>) {
        let seats = self.seats();
        for ended in ended {
            let (reply, outcome) = match ended {
                Ended::Sent(reply, answer) => (reply, Some(Ok(answer))),
                Ended::Failed(reply, error) => (reply, Some(Err(error))),
                Ended::GivenUp(reply) => (reply, None),
            };
            let account = self.ledger.account();
            let bot = reply.letter.as_ref().map(|letter| letter.bot.clone());
            let bot = bot.or_else(|| {
                let job = reply.job.as_ref()?;
                Some(Cow::Borrowed(seats.get(job.line.bot)?.bot.name))
            });
            let bot = bot.as_deref().unwrap_or_default();
            let on_unknown = self.on_unknown(bot);
            let mut done = true;
            match (&outcome, &reply.letter) {
                (Some(Ok(_)), _) => {}
                (Some(Err(error)), _) => {
                    let is_unknown = matches!(error, OutboxError::Unknown(_));
                    if is_unknown && reply.letter.is_some() && on_unknown == OnUnknown::Resend {
                        tracing::warn!(%account, bot, to = %reply.to, %error, "message sent again: it may be said twice");
                        state.replies.resend(reply);
                        continue;
                    }
                    let error = ApiError::from(SendError::Outbox(error.clone()));
                    tracing::warn!(%account, bot, handler = reply.handler, to = %reply.to, %error, "reply not sent");
                }
                (None, Some(_)) => {
                    tracing::info!(%account, bot, handler = reply.handler, to = %reply.to, "reply not sent before the end; the next start sends it");
                }
                (None, None) => {
                    tracing::info!(%account, bot, handler = reply.handler, to = %reply.to, "reply not sent before the end; its message stays unread");
                    done = false;
                }
            }
            let failed = || match &outcome {
                Some(Err(error)) => ApiError::from(SendError::Outbox(error.clone())).trace_kind(),
                _ => "given_up".to_owned(),
            };
            let told = match &outcome {
                Some(Ok(answer)) => Ok(|| sent_id(answer)),
                _ => Err(failed),
            };
            let place = Place {
                account: account.as_str(),
                bot,
            };
            self.site
                .traces
                .sent(reply.trace, || at, (place, &reply.to), told);
            if let (Some(letter), Some(outcome)) = (&reply.letter, outcome) {
                let drops = on_unknown == OnUnknown::Drop;
                self.ledger.settled(letter.number, outcome, drops);
            }
            match &reply.job {
                // The end of its handler was written down, and the line has gone on since.
                Some(job) if reply.letter.is_some() => state.lines.settled(at.mono, job, done),
                Some(job) => drop(state.lines.ended(at.mono, job, done, false)),
                None => {}
            }
        }
    }

    /// What the bot of this name wants done with messages of which nobody knows whether they arrived.
    fn on_unknown(&self, bot: &str) -> OnUnknown {
        let seats = self.seats();
        let seat = seats.of_bot(bot);
        seat.map_or_else(OnUnknown::default, |(_, seat)| seat.bot.choices.on_unknown)
    }
}

impl State {
    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}
