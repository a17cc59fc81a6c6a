//! Runs the bots of one account: gates them on SDK_READY, keeps conversations in order, bounds
//! what waits, survives what handlers do.
//!
//! The actor lives beside its account and only sorts; handlers run on the [`Pool`].

use super::api::{Api, Uploads};
use super::builder::{Bot, Handlers};
use super::drain::Drain;
use super::extract::{Event, Values, What};
use super::pool::{Label, Pool};
use crate::account::{AccountEvent, AccountHandle, Deliver};
use crate::proto::message::{Conversation, Message};
use actix::prelude::*;
use futures_util::FutureExt;
use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// How bots are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostConfig {
    /// Messages waiting for the bots of an account or being handled by them at most; more are
    /// dropped, counted and logged.
    pub queue: usize,
    /// How long a handler may take, its waiting included.
    pub handler_timeout: Duration,
    /// How the server gives out addresses for files.
    pub uploads: Uploads,
}

impl Default for HostConfig {
    /// 1,024 messages, 30 s.
    fn default() -> Self {
        Self {
            queue: 1024,
            handler_timeout: Duration::from_secs(30),
            uploads: Uploads::default(),
        }
    }
}

/// One bot on one account.
struct Running {
    name: &'static str,
    values: Arc<Values>,
    handlers: Arc<Handlers>,
}

/// What waits in one conversation for one bot, or what happened to its account.
#[derive(Default)]
struct Line {
    waiting: VecDeque<What>,
    running: bool,
}

/// A bot and a conversation; `None` is the line of what happens to the account.
type LineKey = (usize, Option<Conversation>);

/// See the module.
pub struct Host {
    account: AccountHandle,
    /// The own thread: it carries files for the handlers.
    thread: ArbiterHandle,
    name: Arc<str>,
    config: HostConfig,
    pool: Pool,
    bots: Vec<Running>,
    ready: bool,
    draining: Option<Drain>,
    is_draining: bool,
    lines: HashMap<LineKey, Line>,
    waiting: usize,
    running: usize,
    dropped: u64,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("account", &self.name)
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

/// A handler is done.
#[derive(Message)]
#[rtype(result = "()")]
struct Finished {
    line: LineKey,
    /// Server time and number of the message.
    mark: Option<(u64, u32)>,
}

/// Says [`Finished`] however the handler ended, a panic while it is dropped included.
struct FinishedGuard {
    host: Addr<Host>,
    line: LineKey,
    mark: Option<(u64, u32)>,
}

impl Drop for FinishedGuard {
    fn drop(&mut self) {
        let (line, mark) = (self.line.clone(), self.mark);
        // Bounded by the number of running handlers.
        self.host.do_send(Finished { line, mark });
    }
}

impl Host {
    /// Starts a host on the arbiter `on`.
    pub fn start_on(
        on: &ArbiterHandle,
        account: AccountHandle,
        bots: Vec<Bot>,
        config: HostConfig,
        pool: Pool,
    ) -> Addr<Self> {
        let thread = on.clone();
        Self::start_in_arbiter(on, move |ctx: &mut Context<Self>| {
            // Sorting is quick, so what fills up under load is the queue behind it, not this.
            ctx.set_mailbox_capacity(config.queue.max(16));
            let bots = bots
                .into_iter()
                .map(|bot| {
                    let (name, values, handlers) = bot.into_parts();
                    Running {
                        name,
                        values,
                        handlers: Arc::new(handlers),
                    }
                })
                .collect();
            Self {
                name: account.user().as_str().into(),
                account,
                thread,
                config,
                pool,
                bots,
                ready: false,
                draining: None,
                is_draining: false,
                lines: HashMap::new(),
                waiting: 0,
                running: 0,
                dropped: 0,
            }
        })
    }

    fn message(&mut self, ctx: &Context<Self>, message: Message) {
        if message.is_own || message.recalled {
            return;
        }
        let message = Arc::new(message);
        let what = What::Message(message.clone());
        if !self.happened(ctx, Some(&message.conversation), &what) {
            self.account
                .handled(&message.conversation, message.time, message.seq);
        }
    }

    /// Queues what happened for every bot that wants it; `false` when none does.
    fn happened(
        &mut self,
        ctx: &Context<Self>,
        conversation: Option<&Conversation>,
        what: &What,
    ) -> bool {
        let mut wanted = false;
        for bot in 0..self.bots.len() {
            if self.bots[bot].handlers.candidate(what).is_none() {
                continue;
            }
            wanted = true;
            // What happens to the account is rare, and not to be missed.
            if conversation.is_some() && self.waiting + self.running >= self.config.queue {
                self.dropped += 1;
                tracing::warn!(
                    account = %self.name, bot = self.bots[bot].name, dropped = self.dropped,
                    "message dropped: {} are waiting or being handled already",
                    self.waiting + self.running
                );
                continue;
            }
            let key = (bot, conversation.cloned());
            self.waiting += 1;
            let line = self.lines.entry(key.clone()).or_default();
            line.waiting.push_back(what.clone());
            self.advance(ctx, &key);
        }
        wanted
    }

    /// Starts the next handler of a line, if it may run. Messages wait until the account is ready.
    fn advance(&mut self, ctx: &Context<Self>, key: &LineKey) {
        if (!self.ready && key.1.is_some()) || self.is_draining {
            return;
        }
        let Some(line) = self.lines.get_mut(key) else {
            return;
        };
        while !line.running {
            let Some(what) = line.waiting.pop_front() else {
                break;
            };
            self.waiting -= 1;
            let bot = &self.bots[key.0];
            let label = Label {
                account: self.name.clone(),
                bot: bot.name,
                handler: bot.handlers.candidate(&what).unwrap_or("none"),
            };
            let event = Event {
                what,
                api: Api::new(self.account.clone())
                    .with_files(self.thread.clone(), self.config.uploads),
                values: bot.values.clone(),
            };
            let guard = FinishedGuard {
                host: ctx.address(),
                line: key.clone(),
                mark: event.message().map(|message| (message.time, message.seq)),
            };
            let timeout = self.config.handler_timeout;
            let job = run(bot.handlers.clone(), event, label.clone(), timeout);
            line.running = true;
            self.running += 1;
            self.pool.spawn(label, async move {
                let _guard = guard;
                job.await;
            });
        }
        if line.waiting.is_empty() && !line.running {
            self.lines.remove(key);
        }
    }

    fn check_drained(&mut self) {
        if self.is_draining && self.running == 0 {
            self.draining = None;
        }
    }
}

/// Runs one handler on one message and sends its reply. Never panics, always ends.
async fn run(handlers: Arc<Handlers>, event: Event, label: Label, timeout: Duration) {
    let Label { account, bot, .. } = &label;
    let place = event.message().map(|message| message.conversation.clone());
    let found = std::panic::catch_unwind(AssertUnwindSafe(|| handlers.dispatch(&event)));
    let (handler, future) = match found {
        Ok(Ok(Some(found))) => found,
        Ok(Ok(None)) => return,
        Ok(Err((handler, mistake))) => {
            tracing::error!(%account, bot, handler, mistake, "bot is put together wrongly");
            return;
        }
        Err(_) => {
            tracing::error!(%account, bot, "handler panicked before its first await");
            return;
        }
    };
    match tokio::time::timeout(timeout, AssertUnwindSafe(future).catch_unwind()).await {
        Ok(Ok(Ok(Some(answer)))) => {
            let Some(place) = place else {
                tracing::error!(%account, bot, handler, "nobody to reply to: return nothing here");
                return;
            };
            // A file may come from a stream of the handler, with all that can go wrong in one.
            let upload = AssertUnwindSafe(answer.into_draft(&event.api)).catch_unwind();
            let draft = match tokio::time::timeout(timeout, upload).await {
                Ok(Ok(Ok(draft))) => draft,
                Ok(Ok(Err(error))) => {
                    tracing::warn!(%account, bot, handler, to = %place, %error, "file of the reply not uploaded");
                    return;
                }
                Ok(Err(panic)) => {
                    let reason = panic_text(&*panic);
                    tracing::error!(%account, bot, handler, to = %place, reason, "file of the reply panicked");
                    return;
                }
                Err(_) => {
                    tracing::error!(%account, bot, handler, to = %place, ?timeout, "file of the reply took too long; it was given up");
                    return;
                }
            };
            if let Err(error) = event.api.send(place.clone(), draft).await {
                tracing::warn!(%account, bot, handler, to = %place, %error, "reply not sent");
            }
        }
        Ok(Ok(Ok(None))) => {}
        Ok(Ok(Err(error))) => tracing::error!(%account, bot, handler, error, "handler failed"),
        Ok(Err(panic)) => {
            let reason = panic_text(&*panic);
            tracing::error!(%account, bot, handler, reason, "handler panicked");
        }
        Err(_) => {
            tracing::error!(%account, bot, handler, ?timeout, "handler took too long; it was ended")
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given")
}

impl Actor for Host {
    type Context = Context<Self>;
}

impl Handler<Deliver> for Host {
    type Result = ();

    fn handle(&mut self, Deliver(event): Deliver, ctx: &mut Context<Self>) {
        match event {
            AccountEvent::Ready => {
                self.ready = true;
                let keys: Vec<LineKey> = self.lines.keys().cloned().collect();
                for key in keys {
                    self.advance(ctx, &key);
                }
                self.happened(ctx, None, &What::Ready);
            }
            AccountEvent::NotReady(cause) => {
                self.ready = false;
                self.happened(ctx, None, &What::NotReady(cause));
            }
            AccountEvent::Message(message) => self.message(ctx, *message),
            AccountEvent::Update(update) => {
                let what = What::Update(Arc::from(update));
                self.happened(ctx, Some(&Conversation::System), &what);
            }
        }
    }
}

impl Handler<Finished> for Host {
    type Result = ();

    fn handle(&mut self, Finished { line: key, mark }: Finished, ctx: &mut Context<Self>) {
        self.running -= 1;
        if let (Some(conversation), Some((time, seq))) = (&key.1, mark) {
            self.account.handled(conversation, time, seq);
        }
        if let Some(line) = self.lines.get_mut(&key) {
            line.running = false;
            if line.waiting.is_empty() {
                self.lines.remove(&key);
            }
        }
        self.advance(ctx, &key);
        self.check_drained();
    }
}

impl Handler<Drain> for Host {
    type Result = ();

    fn handle(&mut self, mut drain: Drain, _: &mut Context<Self>) {
        self.is_draining = true;
        if self.running > 0 {
            drain.set_busy();
        }
        self.draining = Some(drain);
        self.check_drained();
    }
}
