//! Runs one handler on one event and tells its host what it answers.

use super::api::ApiError;
use super::dialogue::DialogueError;
use super::event::Event;
use super::failure::Failure;
use super::figures::{Begun, HandlerEnd};
use super::handlers::run;
use super::host::Ticket;
use super::ledger::Exchange;
use super::line::Cancel;
use super::outgoing_file::Outgoing;
use super::pool::{Label, Pool};
use super::reply::{Answer, Answers, Reply};
use super::streamed::{self, Delivered, Delivery, Ended, Streamed};
use super::tasks::panic_text;
use super::timer::say_later;
use super::typing;
use crate::proto::message::{Conversation, Draft, Message};
use crate::traces::Handling;
use botroupe_core::ledger::{Boundary, pass};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The text that is answered when a handler fails and the bot does not say what.
const SORRY: &str = "handler-failed";

/// How often to check whether the time limit of a handler runs.
const LOOK: Duration = Duration::from_secs(1);

/// A handler that is to be called.
pub(super) struct Call {
    pub(super) event: Event,
    pub(super) label: Label,
    pub(super) ticket: Ticket,
    /// Where it is traced.
    pub(super) trace: Handling,
    /// The handler to call, if it is one alone.
    pub(super) only: Option<usize>,
    /// Says that the handler has become needless.
    pub(super) cancel: Option<Cancel>,
}

/// How a handler ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It has run.
    Ended {
        /// What is to be sent.
        answers: Vec<(Conversation, Draft)>,
        /// Something was said already, or will be later.
        has_said: bool,
        /// If not, what it would have changed stays as it was.
        succeeded: bool,
    },
    /// It did not run: its message counts as not handled.
    NotRun,
    /// It was stopped: its message is handled together with a newer one.
    Cancelled,
}

/// A call under way.
pub(super) struct Run {
    call: Call,
    stage: Stage,
    /// What is to be sent so far.
    answers: Vec<(Conversation, Draft)>,
    succeeded: bool,
    /// How many replies have grown.
    grown: u64,
    has_said: bool,
    is_cancelled: bool,
    /// Counts it.
    begun: Option<Begun>,
}

enum Stage {
    /// Nothing has run.
    Begin,
    /// The handler runs, or that of its error.
    Handler(BoxFuture<'static, Reply>),
    /// Answers that are left. The next has a file, which is to be uploaded.
    Files(Box<(Outgoing, Answers)>),
    /// Answers that are left. The next grows.
    Grows(Box<(Streamed, Answers)>),
    /// Messages of an earlier process that are to be marked.
    Left(Vec<u64>),
    /// Nothing is left to do.
    End,
}

type Caught<T> = Result<T, Box<dyn Any + Send>>;

impl Run {
    pub(super) const fn new(call: Call) -> Self {
        Self {
            call,
            stage: Stage::Begin,
            answers: Vec::new(),
            succeeded: true,
            grown: 0,
            has_said: false,
            is_cancelled: false,
            begun: None,
        }
    }

    /// Begins on the current thread and polls once. `Err` when the handler has to wait for something, or its
    /// answer has a file: then it goes on with [`finish`](Self::finish).
    pub(super) fn first_poll(mut self) -> Result<(), Box<Self>> {
        self.begin();
        // Whoever goes on polls again at once, so nothing has to be woken before.
        let mut cx = Context::from_waker(Waker::noop());
        while let Stage::Handler(future) = &mut self.stage {
            let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut cx)));
            match polled {
                Ok(Poll::Pending) if self.call.event.has_stopped() => self.stopped(),
                Ok(Poll::Pending) => return Err(Box::new(self)),
                Ok(Poll::Ready(reply)) => self.handled(Some(Ok(reply))),
                Err(panic) => self.handled(Some(Err(panic))),
            }
        }
        self.look_for_left();
        if !matches!(self.stage, Stage::End) {
            return Err(Box::new(self));
        }
        self.end(Ticket::settle_here);
        Ok(())
    }

    /// Runs the handler to its end.
    pub(super) async fn finish(mut self, pool: Pool) {
        self.begin();
        if self.call.cancel.is_some() {
            // What it needs lives until it has ended.
            let cancel = self.call.cancel.clone().unwrap_or_default();
            let done = {
                let stop = pin!(cancel.ends_handler());
                let clock = self.call.event.ledger().clock().clone();
                let work = pin!(clock.watch(self.work(&pool)));
                matches!(select(stop, work).await, Either::Right(_))
            };
            if !done || self.is_cancelled {
                return self.cancelled();
            }
        } else {
            let clock = self.call.event.ledger().clock().clone();
            clock.watch(self.work(&pool)).await;
        }
        self.end(Ticket::settle);
    }

    /// Stops the handler where it waits.
    fn cancelled(mut self) {
        self.counted(HandlerEnd::Cancelled);
        if let Stage::Handler(future) = std::mem::replace(&mut self.stage, Stage::End) {
            drop_quietly(&self.call.label, future);
        }
        let handler = self.handler();
        self.trace(Some("cancelled"));
        let Call {
            event,
            label,
            ticket,
            ..
        } = self.call;
        ticket.settle(handler, Outcome::Cancelled, event.exchange());
        drop_quietly(&label, event);
    }

    /// Does what is left to do.
    async fn work(&mut self, pool: &Pool) {
        loop {
            match std::mem::replace(&mut self.stage, Stage::End) {
                Stage::Handler(mut future) => {
                    let event = &self.call.event;
                    let outcome = {
                        // `None` when the handler asks something: it does not go on.
                        let future = poll_fn(|cx| match future.as_mut().poll(cx) {
                            Poll::Ready(reply) => Poll::Ready(Some(reply)),
                            Poll::Pending if event.has_stopped() => Poll::Ready(None),
                            Poll::Pending => Poll::Pending,
                        });
                        let future = AssertUnwindSafe(future).catch_unwind();
                        within(&self.call, pool, future).await
                    };
                    self.stage = Stage::Handler(future);
                    match outcome {
                        Some(Ok(Some(reply))) => self.handled(Some(Ok(reply))),
                        Some(Ok(None)) => self.stopped(),
                        Some(Err(panic)) => self.handled(Some(Err(panic))),
                        None => self.handled(None),
                    }
                }
                // The file may come from a stream of the handler, which may panic or hang.
                Stage::Files(files) => {
                    let (file, left) = *files;
                    let upload = file.upload(self.call.event.api());
                    let upload = AssertUnwindSafe(upload).catch_unwind();
                    let outcome = within(&self.call, pool, upload).await;
                    self.uploaded(outcome);
                    self.answer(left);
                }
                Stage::Grows(grows) => {
                    let (streamed, left) = *grows;
                    self.deliver(pool, streamed, left).await;
                }
                Stage::Left(left) => {
                    if let Some(to) = self.call.event.conversation() {
                        for effect in left {
                            streamed::close(&self.call.event, &to, effect).await;
                        }
                    }
                    break;
                }
                Stage::Begin | Stage::End => {
                    self.look_for_left();
                    if matches!(self.stage, Stage::End) {
                        break;
                    }
                }
            }
        }
    }

    /// Looks for what an earlier process has begun to say and the handler has not gone on with.
    fn look_for_left(&mut self) {
        if matches!(self.stage, Stage::End) && !self.is_cancelled {
            let left = streamed::left(&self.call.event, self.grown);
            if !left.is_empty() {
                self.stage = Stage::Left(left);
            }
        }
    }

    /// Delivers an answer that grows.
    async fn deliver(&mut self, pool: &Pool, streamed: Streamed, left: Answers) {
        let event = self.call.event.clone();
        let Some(to) = event.conversation() else {
            return;
        };
        let number = self.grown;
        self.grown += 1;
        if let Some(cancel) = &self.call.cancel {
            cancel.take_over();
        }
        // What was answered before comes before.
        self.has_said |= !self.answers.is_empty();
        for (place, answer) in std::mem::take(&mut self.answers).into_iter().enumerate() {
            let part = u64::MAX - u64::try_from(place).unwrap_or_default();
            if let Err(error) = streamed::send_before(&event, answer, (number, part)).await {
                self.not_sent(&to, &error);
            }
        }
        let Delivered { ended, said, rest } = {
            let delivery = Delivery {
                event: &event,
                pool,
                to: &to,
                number,
                cancel: self.call.cancel.clone(),
            };
            let call = &self.call;
            let within = |next| within(call, pool, next).boxed();
            delivery.run(streamed, within).await
        };
        self.has_said |= said;
        if let Some(rest) = rest {
            self.say(&to, rest);
        } else if !said && matches!(ended, Ended::Whole) {
            self.say(&to, Draft::default());
        }
        let handler = self.handler();
        let failure = match ended {
            Ended::Whole => return self.answer(left),
            Ended::Cancelled => {
                self.is_cancelled = true;
                return;
            }
            Ended::NotSent(error) => {
                self.not_sent(&to, &error);
                return self.answer(left);
            }
            Ended::Failed(error) => Failure::error_of(handler, error),
            Ended::Panicked(panic) => Failure::panic_of(handler, panic_text(&*panic)),
            Ended::TimedOut => Failure::timeout_of(handler, limit(&self.call)),
        };
        self.failed(failure, said);
    }

    fn not_sent(&self, to: &Conversation, error: &ApiError) {
        let Label { account, bot, .. } = &self.call.label;
        let handler = self.handler();
        tracing::warn!(%account, bot, handler, %to, %error, "reply not sent");
    }

    fn begin(&mut self) {
        if !matches!(self.stage, Stage::Begin) {
            return;
        }
        pass(Boundary::Called);
        let Call {
            event,
            trace,
            label,
            ..
        } = &mut self.call;
        if let Some(seat) = event.seat() {
            let now = || event.ledger().now();
            seat.site.traces.began(trace, now, label.place());
        }
        self.call.ticket.begin();
        let figures = self.call.label.trust.figures();
        self.begun = Some(figures.begin(self.call.event.now().mono));
        // Code of the bot runs only when this is polled.
        self.stage = Stage::Handler(run(self.call.event.clone(), self.call.only));
    }

    /// Its span has ended.
    fn trace(&mut self, error: Option<&'static str>) {
        let trace = std::mem::take(&mut self.call.trace);
        let Call { event, label, .. } = &self.call;
        if let Some(seat) = event.seat() {
            let about = (label.place(), self.handler(), event.message());
            let now = || event.ledger().now();
            seat.site.traces.handled(trace, now, about, error);
        }
    }

    /// Counts how it has ended.
    fn counted(&mut self, end: HandlerEnd) {
        if let Some(begun) = self.begun.take() {
            begun.end(end, self.call.event.now().mono);
        }
    }

    fn end(mut self, settle: impl FnOnce(Ticket, &'static str, Outcome, Option<Arc<Exchange>>)) {
        let handler = self.handler();
        self.trace(match self.call.event.failure() {
            Some(failure) if failure.is_panic() => Some("panic"),
            Some(failure) if failure.is_timeout() => Some("timeout"),
            Some(_) => Some("error"),
            None => None,
        });
        self.counted(match self.succeeded {
            true => HandlerEnd::Done,
            false => HandlerEnd::Failed,
        });
        self.call.event.end_alarm();
        if self.succeeded
            && let Some(exchange) = self.call.event.exchange()
        {
            self.call
                .event
                .ledger()
                .apply_alarms(exchange.take_alarms());
        }
        let Call {
            event,
            label,
            ticket,
            ..
        } = self.call;
        let outcome = Outcome::Ended {
            answers: self.answers,
            has_said: self.has_said,
            succeeded: self.succeeded,
        };
        settle(ticket, handler, outcome, event.exchange());
        // It may hold the handler's error.
        drop_quietly(&label, event);
    }

    /// The name of the handler that was called.
    fn handler(&self) -> &'static str {
        let event = &self.call.event;
        event.bot().handlers.name(event)
    }

    /// The handler asks something, and does not go on: the answer calls it again.
    fn stopped(&mut self) {
        if let Stage::Handler(future) = std::mem::replace(&mut self.stage, Stage::End) {
            drop_quietly(&self.call.label, future);
        }
        let event = &self.call.event;
        let Some(stop) = event.stop(self.handler()) else {
            return;
        };
        self.answers.extend(event.told());
        match stop.kept {
            Some((value, deadline, approver)) => event.keep_dialogue(value, deadline, approver),
            None => event.forget_dialogue(),
        }
        if let Some(to) = stop.to.or_else(|| event.conversation()) {
            self.say(&to, stop.said);
        }
    }

    /// The handler has ended, or has exceeded its limit.
    fn handled(&mut self, outcome: Option<Caught<Reply>>) {
        if let Stage::Handler(future) = std::mem::replace(&mut self.stage, Stage::End) {
            drop_quietly(&self.call.label, future);
        }
        let handler = self.handler();
        let event = &self.call.event;
        event.end_dialogue();
        if event.failure().is_none() {
            self.answers.extend(event.told());
        }
        let failure = match outcome {
            Some(Ok(reply)) => match reply.into_result() {
                Ok(answers) => return self.answer(answers),
                Err(error) => match error.downcast::<DialogueError>() {
                    Ok(ended) => {
                        let to = event.conversation();
                        let said = |to| (to, Draft::text(event.say(ended.said())));
                        self.answers.extend(to.map(said));
                        return;
                    }
                    Err(error) => Failure::error_of(handler, error),
                },
            },
            Some(Err(panic)) => Failure::panic_of(handler, panic_text(&*panic)),
            None => Failure::timeout_of(handler, limit(&self.call)),
        };
        self.failed(failure, false);
    }

    /// The handler has failed: the bot may have one for that. If it has `said` so, no apology is needed.
    fn failed(&mut self, failure: Failure, said: bool) {
        let Label { account, bot, .. } = &self.call.label;
        let event = &self.call.event;
        let message = event.message();
        let (to, id) = message.map_or_else(Default::default, |message| {
            (message.conversation.to_string(), message.server_key())
        });
        let handler = failure.handler();
        if event.failure().is_some() {
            tracing::error!(%account, bot, conversation = to, message = id, error = %failure, "handler of errors failed");
            return;
        }
        tracing::error!(%account, bot, handler, conversation = to, message = id, error = %failure, "handler failed");
        self.succeeded = false;
        let figures = self.call.label.trust.figures();
        figures.note_mistake(
            event.now().unix_secs(),
            account,
            handler,
            &failure.to_string(),
        );
        if let Some(seat) = event.seat() {
            seat.account.note_failure();
            if let Some(recording) = &seat.recording {
                recording.fail(failure.clone());
            }
        }
        event.fail(failure);
        if let Some(on_error) = event.bot().handlers.on_error() {
            self.stage = Stage::Handler(on_error.call(event.clone()));
        } else if !said
            && let Some(message) = message
            && is_addressed(message, event.user())
        {
            let to = message.conversation.clone();
            self.answers.push((to, Draft::text(event.say(SORRY))));
        }
    }

    /// The handler has answered.
    fn answer(&mut self, mut answers: Answers) {
        let to = self.call.event.conversation();
        while let Some(answer) = answers.next() {
            let Some(to) = &to else {
                let Label { account, bot, .. } = &self.call.label;
                let handler = self.handler();
                tracing::error!(%account, bot, handler, "nobody to reply to: return nothing here");
                return;
            };
            match answer {
                Answer::Message(draft) => self.say(to, draft),
                Answer::Later(time, draft) => {
                    self.has_said = true;
                    for part in draft.split() {
                        say_later(&self.call.event, time, &part);
                    }
                }
                Answer::File(file) => {
                    self.stage = Stage::Files(Box::new((*file, answers)));
                    return;
                }
                Answer::Streamed(streamed) => {
                    self.stage = Stage::Grows(Box::new((*streamed, answers)));
                    return;
                }
            }
        }
    }

    /// A message is to be sent; in several if it is too long for one.
    fn say(&mut self, to: &Conversation, draft: Draft) {
        if draft.is_blank() {
            let Label { account, bot, .. } = &self.call.label;
            let handler = self.handler();
            tracing::warn!(%account, bot, handler, %to, "the answer is an empty text, which is no message: nothing is sent; return `None` to say nothing");
            return;
        }
        let parts = draft.split().into_iter();
        self.answers.extend(parts.map(|part| (to.clone(), part)));
    }

    /// The file of an answer was uploaded, or was not.
    fn uploaded(&mut self, outcome: Option<Caught<Result<Draft, ApiError>>>) {
        let Label { account, bot, .. } = &self.call.label;
        let handler = self.handler();
        let Some(to) = self.call.event.conversation() else {
            return;
        };
        match outcome {
            Some(Ok(Ok(draft))) => self.say(&to, draft),
            Some(Ok(Err(error))) => {
                tracing::warn!(%account, bot, handler, %to, %error, "file of the reply not uploaded");
            }
            Some(Err(panic)) => {
                let reason = panic_text(&*panic);
                tracing::error!(%account, bot, handler, %to, reason, "file of the reply panicked");
            }
            None => {
                let limit = limit(&self.call);
                tracing::error!(%account, bot, handler, %to, ?limit, "file of the reply took too long; it was given up");
            }
        }
    }
}

/// Whether the sender of a message expects an answer of the account.
fn is_addressed(message: &Message, me: &str) -> bool {
    let is_said = message.tip().is_none() && message.notice().is_none();
    match message.conversation {
        Conversation::C2c(_) => is_said,
        _ => is_said && message.mentions(me),
    }
}

/// How long a handler may take.
fn limit(call: &Call) -> Duration {
    let seat = call.event.seat();
    seat.map_or(Duration::MAX, |seat| seat.site.config.handler_timeout)
}

/// Runs a future; `None` when it exceeds the limit. The time counts only while the account is online and
/// no file is being transferred.
async fn within<F: Future>(call: &Call, pool: &Pool, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    // Most are ready at once and need no timer.
    if let Some(outcome) = (&mut future).now_or_never() {
        return Some(outcome);
    }
    let (limit, mut spent) = (limit(call), Duration::ZERO);
    let mut typing = pin!(typing::show(&call.event, pool));
    loop {
        let slice = limit.saturating_sub(spent).min(LOOK);
        tokio::select! {
            biased;
            outcome = &mut future => return Some(outcome),
            () = &mut typing => {}
            () = pool.sleep(slice) => {}
        }
        let is_ready = call
            .event
            .seat()
            .is_some_and(|seat| seat.account.is_ready());
        if is_ready && !call.event.is_transferring() {
            spent += slice;
            if spent >= limit {
                return None;
            }
        }
    }
}

/// Drops something of a bot, whose drop may panic.
fn drop_quietly<T>(label: &Label, value: T) {
    if catch_unwind(AssertUnwindSafe(move || drop(value))).is_err() {
        tracing::error!(
            account = %label.account, bot = label.bot, handler = label.handler,
            "handler panicked while it was being dropped"
        );
    }
}
