//! Runs one handler on one event and tells its host what it answers.

use super::event::Event;
use super::host::Ticket;
use super::outgoing_file::Outgoing;
use super::pool::{Label, Pool};
use super::reply::{Answer, Reply};
use super::tasks::panic_text;
use crate::proto::message::{Conversation, Draft};
use botroupe_core::ledger::{Boundary, pass};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How often to check whether the time limit of a handler runs.
const LOOK: Duration = Duration::from_secs(1);

/// A handler that is to be called.
pub(super) struct Call {
    pub(super) event: Event,
    pub(super) label: Label,
    pub(super) ticket: Ticket,
}

impl Call {
    fn settle_here(mut self, handler: &'static str, outcome: Outcome) {
        let exchange = self.event.take_exchange();
        self.ticket.settle_here(handler, outcome, exchange);
    }
}

/// How a handler ended.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and most are answers"
)]
pub(super) enum Outcome {
    /// Its answer is to be sent.
    Answer(Conversation, Draft),
    /// It is done, and nothing is to be sent.
    Done,
    /// It failed: what it would have changed stays as it was.
    Failed,
    /// It did not run: its message counts as not handled.
    NotRun,
}

/// A call under way.
pub(super) struct Run {
    call: Call,
    stage: Stage,
}

enum Stage {
    /// Nothing has run.
    Begin,
    /// The handler runs; its name.
    Handler(&'static str, BoxFuture<'static, Reply>),
    /// The file of its answer is to be uploaded.
    File(&'static str, Box<Outgoing>),
}

/// What a stage led to.
enum Step {
    Next(Stage),
    End(&'static str, Outcome),
}

impl Run {
    pub(super) const fn new(call: Call) -> Self {
        Self {
            call,
            stage: Stage::Begin,
        }
    }

    /// Begins on the current thread and polls once. `Err` when the handler has to wait for something, or its
    /// answer has a file: then it goes on with [`finish`](Self::finish).
    pub(super) fn first_poll(self) -> Result<(), Box<Self>> {
        let Self { mut call, stage } = self;
        let stage = match stage {
            Stage::Begin => match begin(&mut call) {
                Step::Next(stage) => stage,
                Step::End(handler, outcome) => {
                    call.settle_here(handler, outcome);
                    return Ok(());
                }
            },
            stage => stage,
        };
        let Stage::Handler(handler, mut future) = stage else {
            return Err(Box::new(Self { call, stage }));
        };
        // Whoever goes on polls again at once, so nothing has to be woken before.
        let mut cx = Context::from_waker(Waker::noop());
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut cx)));
        let step = match polled {
            Ok(Poll::Pending) => {
                let stage = Stage::Handler(handler, future);
                return Err(Box::new(Self { call, stage }));
            }
            Ok(Poll::Ready(reply)) => {
                drop_quietly(&call.label, future);
                replied(&call, handler, reply)
            }
            Err(panic) => {
                drop_quietly(&call.label, future);
                panicked(&call.label, handler, &*panic)
            }
        };
        match step {
            Step::Next(stage) => Err(Box::new(Self { call, stage })),
            Step::End(handler, outcome) => {
                call.settle_here(handler, outcome);
                Ok(())
            }
        }
    }

    /// Runs the handler to its end.
    pub(super) async fn finish(self, pool: Pool) {
        let Self {
            mut call,
            mut stage,
        } = self;
        let (handler, outcome) = loop {
            let step = match stage {
                Stage::Begin => begin(&mut call),
                Stage::Handler(handler, future) => {
                    let future = AssertUnwindSafe(future).catch_unwind();
                    handled(&call, handler, within(&call, &pool, future).await)
                }
                // The file may come from a stream of the handler, which may panic or hang.
                Stage::File(handler, file) => {
                    let upload = AssertUnwindSafe(file.upload(call.event.api())).catch_unwind();
                    uploaded(&call, handler, within(&call, &pool, upload).await)
                }
            };
            match step {
                Step::Next(next) => stage = next,
                Step::End(handler, outcome) => break (handler, outcome),
            }
        };
        call.ticket
            .settle(handler, outcome, call.event.take_exchange());
    }
}

/// Finds the handler and calls it.
fn begin(call: &mut Call) -> Step {
    pass(Boundary::Called);
    call.ticket.begin();
    let Label { account, bot, .. } = &call.label;
    let Some(seat) = call.event.seat() else {
        return Step::End("none", Outcome::Done);
    };
    let found = AssertUnwindSafe(|| seat.bot.handlers.dispatch(&call.event));
    match catch_unwind(found) {
        Ok(Ok(Some((handler, future)))) => Step::Next(Stage::Handler(handler, future)),
        Ok(Ok(None)) => Step::End("none", Outcome::Done),
        Ok(Err((handler, mistake))) => {
            tracing::error!(%account, bot, handler, mistake, "handler cannot be called");
            Step::End(handler, Outcome::Failed)
        }
        Err(_) => {
            tracing::error!(%account, bot, "handler panicked before its first await");
            Step::End("none", Outcome::Failed)
        }
    }
}

type Caught<T> = Result<T, Box<dyn std::any::Any + Send>>;

/// The handler has ended, or has exceeded its limit.
fn handled(call: &Call, handler: &'static str, outcome: Option<Caught<Reply>>) -> Step {
    let Label { account, bot, .. } = &call.label;
    match outcome {
        Some(Ok(reply)) => replied(call, handler, reply),
        Some(Err(panic)) => panicked(&call.label, handler, &*panic),
        None => {
            let limit = limit(call);
            tracing::error!(%account, bot, handler, ?limit, "handler took too long; it was ended");
            Step::End(handler, Outcome::Failed)
        }
    }
}

fn panicked(label: &Label, handler: &'static str, panic: &(dyn std::any::Any + Send)) -> Step {
    let Label { account, bot, .. } = label;
    let reason = panic_text(panic);
    tracing::error!(%account, bot, handler, reason, "handler panicked");
    Step::End(handler, Outcome::Failed)
}

/// The handler has returned.
fn replied(call: &Call, handler: &'static str, reply: Reply) -> Step {
    let Label { account, bot, .. } = &call.label;
    match reply.into_result() {
        Ok(None) => Step::End(handler, Outcome::Done),
        Ok(Some(Answer::Message(draft))) => answered(call, handler, draft),
        Ok(Some(Answer::File(file))) => Step::Next(Stage::File(handler, file)),
        Err(error) => {
            tracing::error!(%account, bot, handler, error = %Causes(&*error), "handler failed");
            Step::End(handler, Outcome::Failed)
        }
    }
}

/// There is something to send.
fn answered(call: &Call, handler: &'static str, draft: Draft) -> Step {
    let Label { account, bot, .. } = &call.label;
    let Some(message) = call.event.message() else {
        tracing::error!(%account, bot, handler, "nobody to reply to: return nothing here");
        return Step::End(handler, Outcome::Done);
    };
    Step::End(
        handler,
        Outcome::Answer(message.conversation.clone(), draft),
    )
}

/// The file of an answer was uploaded, or was not.
fn uploaded<E: fmt::Display>(
    call: &Call,
    handler: &'static str,
    outcome: Option<Caught<Result<Draft, E>>>,
) -> Step {
    let Label { account, bot, .. } = &call.label;
    let to = call.event.message().map(|message| &message.conversation);
    let to = to.map(ToString::to_string).unwrap_or_default();
    match outcome {
        Some(Ok(Ok(draft))) => return answered(call, handler, draft),
        Some(Ok(Err(error))) => {
            tracing::warn!(%account, bot, handler, to, %error, "file of the reply not uploaded");
        }
        Some(Err(panic)) => {
            let reason = panic_text(&*panic);
            tracing::error!(%account, bot, handler, to, reason, "file of the reply panicked");
        }
        None => {
            let limit = limit(call);
            tracing::error!(%account, bot, handler, to, ?limit, "file of the reply took too long; it was given up");
        }
    }
    Step::End(handler, Outcome::Done)
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
    loop {
        let slice = limit.saturating_sub(spent).min(LOOK);
        tokio::select! {
            biased;
            outcome = &mut future => return Some(outcome),
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

/// Drops a future of a bot, whose drop may panic.
fn drop_quietly(label: &Label, future: BoxFuture<'static, Reply>) {
    if catch_unwind(AssertUnwindSafe(move || drop(future))).is_err() {
        tracing::error!(
            account = %label.account, bot = label.bot, handler = label.handler,
            "handler panicked while it was being dropped"
        );
    }
}

/// An error with everything that caused it, on one line.
struct Causes<'a>(&'a (dyn Error + Send + Sync));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // Many errors quote their cause already.
            if !said.contains(&text) {
                write!(f, ": {text}")?;
                said.push_str(&text);
            }
            source = cause.source();
        }
        Ok(())
    }
}
