//! Runs the bots of one account: waits for SDK_READY, keeps conversations in order, and survives the faults
//! of handlers.
//!
//! The actor only sorts events; handlers run on the [`Pool`]. The account bounds how many messages are here:
//! it takes no more from the server than its bots have room for, and the host reports each message that
//! every bot is done with.

use super::api::{Api, Uploads};
use super::builder::{Bot, Handlers};
use super::drain::Drain;
use super::event::{Event, Values, What};
use super::file_access::FileAccess;
use super::loop_guard::{Found, LoopGuard};
use super::pool::{Label, Pool};
use super::run::Run;
use super::tasks::Spawner;
use super::transfer::Carriage;
use crate::account::{AccountEvent, AccountHandle, Deliver, FleetUsers, Receipt, is_heard};
use crate::config::HostConfig;
use crate::gateway::now;
use crate::proto::message::{Conversation, Message};
use actix::prelude::*;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long after its first message a second of the server's clock is certainly over.
const SECOND: Duration = Duration::from_millis(1_200);
/// The number of loop guards above which those of idle conversations are removed.
const MAX_GUARDS: usize = 256;

/// One bot on one account.
struct Running {
    name: &'static str,
    values: Arc<Values>,
    handlers: Arc<Handlers>,
    hears_fleet: bool,
    carriage: Carriage,
}

/// The events of one conversation, or of the account, that wait for one bot.
#[derive(Default)]
struct Line {
    /// Each event, with the fingerprint of its message if it is one.
    waiting: VecDeque<(What, Option<u64>)>,
    running: bool,
    /// The loop guard wants it silent.
    silent: bool,
}

impl Line {
    /// Whether the next event is a message of the second that is finished before the stop.
    fn is_of_last_second(&self, last: Option<(u64, Duration)>) -> bool {
        match (self.waiting.front(), last) {
            (Some((What::Message(message), _)), Some((second, until))) => {
                matches!(message.conversation, Conversation::C2c(_))
                    && message.time <= second
                    && now().mono < until
            }
            _ => false,
        }
    }
}

/// A message that at least one bot is not done with.
struct Open {
    receipt: Receipt,
    /// How many bots are not done.
    bots: usize,
    /// `false` once a bot has left it unhandled.
    done: bool,
}

/// A bot and a conversation; `None` is the line of events of the account itself.
type LineKey = (usize, Option<Conversation>);

/// See the module.
pub struct Host {
    account: AccountHandle,
    name: Arc<str>,
    config: HostConfig,
    uploads: Uploads,
    pool: Pool,
    bots: Vec<Running>,
    fleet: FleetUsers,
    ready: bool,
    /// The bots have got their start event.
    started: bool,
    draining: Option<Drain>,
    /// While draining: messages up to this second are still handled, until this time.
    last_second: Option<(u64, Duration)>,
    /// The newest second (server time) with a one-to-one message, and when it was noticed.
    newest: (u64, Duration),
    is_draining: watch::Sender<bool>,
    lines: HashMap<LineKey, Line>,
    guards: HashMap<LineKey, LoopGuard>,
    running: usize,
    /// Messages that were delivered and are not finished, by fingerprint.
    open: HashMap<u64, Open>,
    /// How many updates wait.
    updates: usize,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("account", &self.name)
            .field("open", &self.open.len())
            .finish_non_exhaustive()
    }
}

/// A handler has ended.
#[derive(Message)]
#[rtype(result = "()")]
struct Finished {
    line: LineKey,
    message: Option<u64>,
    done: bool,
}

/// Sends [`Finished`] when it is dropped: also after a panic in the drop of a handler.
struct FinishedGuard {
    host: Addr<Host>,
    line: LineKey,
    message: Option<u64>,
    /// Whether the message counts as handled; `false` when the handler never ran.
    done: bool,
}

impl Drop for FinishedGuard {
    fn drop(&mut self) {
        let (line, message, done) = (self.line.clone(), self.message, self.done);
        // Bounded by the number of running handlers.
        self.host.do_send(Finished {
            line,
            message,
            done,
        });
    }
}

/// Everything that a host is made from.
pub struct HostSpec {
    /// The account.
    pub account: AccountHandle,
    /// Its bots.
    pub bots: Vec<Bot>,
    /// Limits of their handlers.
    pub config: HostConfig,
    /// How the server gives out addresses for files.
    pub uploads: Uploads,
    /// Where files of messages may be fetched from.
    pub files: FileAccess,
    /// The threads that run them.
    pub pool: Pool,
    /// The accounts of this process: only bots that ask for it hear them.
    pub fleet: FleetUsers,
}

impl std::fmt::Debug for HostSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostSpec")
            .field("account", self.account.user())
            .finish_non_exhaustive()
    }
}

impl Host {
    /// Starts a host on the arbiter `on`.
    pub fn start_on(on: &ArbiterHandle, spec: HostSpec) -> Addr<Self> {
        // The same thread carries files for the handlers.
        let thread = on.clone();
        Self::start_in_arbiter(on, move |ctx: &mut Context<Self>| {
            let HostSpec {
                account,
                bots,
                config,
                uploads,
                files,
                pool,
                fleet,
            } = spec;
            // Sorting is quick: under load the queue behind the mailbox fills up, not the mailbox.
            ctx.set_mailbox_capacity((config.queue as usize).max(16));
            let bots: Vec<Running> = bots
                .into_iter()
                .map(|bot| {
                    let hears_fleet = bot.hears_fleet();
                    let files = bot.file_access(&files);
                    let (name, values, handlers) = bot.into_parts();
                    Running {
                        name,
                        values,
                        handlers: Arc::new(handlers),
                        hears_fleet,
                        carriage: Carriage::new(thread.clone(), files),
                    }
                })
                .collect();
            let wants_updates = bots.iter().any(|bot| bot.handlers.want_updates());
            account.want_updates(wants_updates);
            Self {
                name: account.user().as_str().into(),
                account,
                config,
                uploads,
                pool,
                bots,
                fleet,
                ready: false,
                started: false,
                draining: None,
                last_second: None,
                newest: (0, Duration::ZERO),
                is_draining: watch::channel(false).0,
                lines: HashMap::new(),
                guards: HashMap::new(),
                running: 0,
                open: HashMap::new(),
                updates: 0,
            }
        })
    }

    fn message(&mut self, ctx: &mut Context<Self>, message: Message) {
        let receipt = Receipt::of(&message);
        if matches!(message.conversation, Conversation::C2c(_)) && message.time > self.newest.0 {
            self.newest = (message.time, now().mono);
        }
        let (with_fleet, without) = (
            is_heard(&message, &self.fleet, true),
            is_heard(&message, &self.fleet, false),
        );
        let conversation = message.conversation.clone();
        let what = What::Message(Arc::new(message));
        let wanting: Vec<usize> = self
            .wanting(&what)
            .into_iter()
            .filter(|bot| without || (with_fleet && self.bots[*bot].hears_fleet))
            .collect();
        if wanting.is_empty() {
            return self.account.handled(&receipt, true);
        }
        let id = receipt.id();
        let open = Open {
            receipt,
            bots: wanting.len(),
            done: true,
        };
        self.open.insert(id, open);
        for bot in wanting {
            let key = (bot, Some(conversation.clone()));
            if let Some(guard) = self.guards.get_mut(&key) {
                guard.came(now().mono);
            }
            self.enqueue(ctx, &key, what.clone(), Some(id));
        }
    }

    fn update(&mut self, ctx: &mut Context<Self>, what: &What) {
        for bot in self.wanting(what) {
            if self.updates >= self.config.queue as usize {
                self.account.note_dropped();
                tracing::warn!(
                    account = %self.name, bot = self.bots[bot].name,
                    "update dropped: {} are waiting already", self.updates
                );
                continue;
            }
            self.updates += 1;
            let key = (bot, Some(Conversation::System));
            self.enqueue(ctx, &key, what.clone(), None);
        }
    }

    /// Something happened to the account itself.
    fn happened(&mut self, ctx: &mut Context<Self>, what: &What) {
        for bot in self.wanting(what) {
            self.enqueue(ctx, &(bot, None), what.clone(), None);
        }
    }

    /// The bots with a handler for the event.
    fn wanting(&self, what: &What) -> Vec<usize> {
        let bots = self.bots.iter().enumerate();
        bots.filter(|(_, bot)| bot.handlers.candidate(what).is_some())
            .map(|(number, _)| number)
            .collect()
    }

    fn enqueue(
        &mut self,
        ctx: &mut Context<Self>,
        key: &LineKey,
        what: What,
        message: Option<u64>,
    ) {
        let line = self.lines.entry(key.clone()).or_default();
        line.waiting.push_back((what, message));
        self.advance(ctx, key);
    }

    /// Starts the next handler of a line, if it may run. Messages wait until the account is ready.
    fn advance(&mut self, ctx: &mut Context<Self>, key: &LineKey) {
        if !self.ready && key.1.is_some() {
            return;
        }
        let Some(line) = self.lines.get_mut(key) else {
            return;
        };
        if line.running || line.silent {
            return;
        }
        if *self.is_draining.borrow() && !line.is_of_last_second(self.last_second) {
            return;
        }
        if line
            .waiting
            .front()
            .is_some_and(|(what, _)| matches!(what, What::Message(_)))
            && let Some(silence) = self
                .guards
                .entry(key.clone())
                .or_default()
                .handles(now().mono)
        {
            line.silent = true;
            self.listen(ctx, key.clone(), silence);
            return;
        }
        let Some((what, message)) = line.waiting.pop_front() else {
            self.lines.remove(key);
            return;
        };
        if matches!(what, What::Update(_)) {
            self.updates -= 1;
        }
        line.running = true;
        self.running += 1;
        self.run(ctx, key, what, message);
    }

    fn run(&self, ctx: &Context<Self>, key: &LineKey, what: What, message: Option<u64>) {
        let bot = &self.bots[key.0];
        let label = Label {
            account: self.name.clone(),
            bot: bot.name,
            handler: bot.handlers.candidate(&what).unwrap_or("none"),
        };
        let guard = FinishedGuard {
            host: ctx.address(),
            line: key.clone(),
            message,
            done: false,
        };
        let run = Run {
            handlers: bot.handlers.clone(),
            event: Event {
                what,
                api: Api::new(self.account.clone())
                    .with_carriage(bot.carriage.clone(), self.uploads)
                    .with_spawner(Spawner {
                        pool: self.pool.clone(),
                        label: label.clone(),
                        ended: self.is_draining.subscribe(),
                    }),
                values: bot.values.clone(),
            },
            label: label.clone(),
            limit: self.config.handler_timeout,
            account: self.account.clone(),
            pool: self.pool.clone(),
            draining: self.is_draining.subscribe(),
        };
        self.pool.spawn(label, async move {
            let mut guard = guard;
            // A panic in its drop does not undo what the handler did.
            guard.done = true;
            guard.done = run.finish().await;
            drop(guard);
        });
    }

    /// Tells the loop guard of a message that comes while the bot is silent.
    fn listen(&mut self, ctx: &mut Context<Self>, key: LineKey, silence: Duration) {
        ctx.run_later(silence, move |host, ctx| {
            let found = host
                .guards
                .get_mut(&key)
                .and_then(|guard| guard.silence_over(now().mono));
            if let Some(Found::Loop(pause)) = found {
                tracing::warn!(
                    account = %host.name, bot = host.bots[key.0].name,
                    conversation = %key.1.as_ref().map(ToString::to_string).unwrap_or_default(),
                    ?pause,
                    "the bot and somebody else answer each other without end; it is silent there for a while"
                );
                ctx.run_later(pause, move |host, ctx| host.speak(ctx, &key));
            } else {
                host.speak(ctx, &key);
            }
        });
    }

    fn speak(&mut self, ctx: &mut Context<Self>, key: &LineKey) {
        if let Some(line) = self.lines.get_mut(key) {
            line.silent = false;
        }
        self.advance(ctx, key);
    }

    /// One bot is done with a message. When all bots are, the account is told.
    fn settle(&mut self, id: u64, done: bool) {
        let Some(open) = self.open.get_mut(&id) else {
            return;
        };
        open.bots -= 1;
        open.done &= done;
        if open.bots == 0
            && let Some(open) = self.open.remove(&id)
        {
            self.account.handled(&open.receipt, open.done);
        }
    }

    fn check_drained(&mut self) {
        let is_waiting = self
            .last_second
            .is_some_and(|(_, until)| now().mono < until);
        if *self.is_draining.borrow() && self.running == 0 && !is_waiting {
            self.draining = None;
        }
    }

    /// Forgets the guards of conversations in which nothing happens.
    fn prune_guards(&mut self) {
        if self.guards.len() > MAX_GUARDS {
            let at = now().mono;
            self.guards.retain(|_, guard| !guard.is_idle(at));
        }
    }
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
                if !std::mem::replace(&mut self.started, true) {
                    self.happened(ctx, &What::Start);
                }
                self.happened(ctx, &What::Ready);
            }
            AccountEvent::NotReady(cause) => {
                self.ready = false;
                self.happened(ctx, &What::NotReady(cause));
            }
            AccountEvent::Message(message) => self.message(ctx, *message),
            AccountEvent::Update(update) => {
                let what = What::Update(Arc::from(update));
                self.update(ctx, &what);
            }
        }
    }
}

impl Handler<Finished> for Host {
    type Result = ();

    fn handle(&mut self, finished: Finished, ctx: &mut Context<Self>) {
        let Finished {
            line: key,
            message,
            done,
        } = finished;
        self.running -= 1;
        if let Some(id) = message {
            self.settle(id, done);
        }
        let mut left = VecDeque::new();
        if let Some(line) = self.lines.get_mut(&key) {
            line.running = false;
            if !done && self.pool.is_parked(&self.name, self.bots[key.0].name) {
                left = std::mem::take(&mut line.waiting);
            }
            if line.waiting.is_empty() && !line.silent {
                self.lines.remove(&key);
            }
        }
        // A parked bot holds up nobody: messages that it does not handle stay unread.
        for (what, message) in left {
            self.updates -= usize::from(matches!(what, What::Update(_)));
            if let Some(id) = message {
                self.settle(id, false);
            }
        }
        self.prune_guards();
        self.advance(ctx, &key);
        self.check_drained();
    }
}

impl Handler<Drain> for Host {
    type Result = ();

    fn handle(&mut self, mut drain: Drain, ctx: &mut Context<Self>) {
        // Read reports of one-to-one conversations name whole seconds. If a message of a second is handled and
        // another is not, both come again after a restart; so a second that was begun is finished.
        let (second, since) = self.newest;
        let wait = (since + SECOND).saturating_sub(now().mono);
        if second > 0 && !wait.is_zero() {
            self.last_second = Some((second, since + SECOND));
            ctx.run_later(wait, |host, _| host.check_drained());
        }
        self.is_draining.send_replace(true);
        if self.running > 0 {
            drain.set_busy();
        }
        self.draining = Some(drain);
        self.check_drained();
    }
}
