//! The account actor: carries out what [`Core`] decides, and supervises its connection.
//!
//! The connection is a part of the actor and not an actor of its own, so that a message goes from the
//! socket to a bot and back in one turn of one task. It is supervised all the same: a panic in it is
//! caught, what it held is dropped, and the next connection is made from fresh state.

use super::handle::AccountHandle;
use super::log::{self, StatusLog};
use super::message::{
    Changed, Command, Handled, Instruct, MakeConnector, Reconfigure, Send, TellStatus,
};
use super::paces::Paces;
use super::provider;

use super::subscriber::{Subscriber, Wish};
use super::timer::Timer;
use crate::gateway::{
    Connection, Connector, Dial, DownGuard, Report, Running, SharedMemory, Transmit, now,
};
use crate::ledger::{Boundary, SpillLine, pass};
use crate::policy::{Now, RestartIntensity};
use crate::proto::update::Update;
use crate::rest::Rest;
use crate::session::{Event, HandedTicket, Memory, Session, SessionConfig};
use actix::fut::ActorFuture;
use actix::prelude::*;
use botroupe_core::account::Core;
use botroupe_core::account::Credential;
use botroupe_core::account::{AccountEvent, CoreConfig, Effect};
use botroupe_core::account::{Attempt, OutboxError, OutboxItem, REPLIES};
use botroupe_core::account::{Cause, Phase};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;
use tokio::sync::oneshot;

/// Messages waiting for an account at most: sends of its bots and orders from above.
const MAILBOX: usize = 1024;
/// A connection that dies more often than this is not restarted any more.
const CRASHES: (usize, Duration) = (5, Duration::from_secs(60));

/// What the accounts of a fleet share.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The paces of the app.
    pub paces: Arc<Paces>,
    /// Told of every change.
    pub observer: Recipient<Changed>,
}

/// Everything an account actor is made from. The supervisor keeps it and makes a fresh actor from
/// it whenever the last one died.
#[derive(Clone)]
pub struct AccountSpec {
    /// Number of the account, stored in the thread's watchdog marker ([`Running`]) while it works for it.
    pub number: u64,
    /// The account.
    pub config: Arc<CoreConfig>,
    /// Makes the connector, on the arbiter that runs the account.
    pub connector: MakeConnector,
    /// Asks whether another login is there, when there are an administrator's credentials.
    pub rest: Option<Arc<Rest>>,
    /// Gets what happens to the account; outlives it.
    pub subscriber: Arc<dyn Subscriber>,
    /// What it shares with the other accounts.
    pub surroundings: Arc<Surroundings>,
    /// Where others find the actor.
    pub handle: AccountHandle,
    /// Set if the account stays away from the start: in which phase, and why.
    pub away: Option<Box<(Phase, Cause)>>,
    /// The login of another process that it goes on with, and after which pause.
    pub handed: Option<Box<(HandedTicket, Duration)>>,
}

impl std::fmt::Debug for AccountSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountSpec")
            .field("account", &self.config.name)
            .finish_non_exhaustive()
    }
}

type Replies = HashMap<u64, oneshot::Sender<Result<String, OutboxError>>>;

/// See the module.
pub struct Account {
    core: Core,
    /// Number of the account, for the watchdog of its thread.
    number: u64,
    rest: Option<Arc<Rest>>,
    subscriber: Arc<dyn Subscriber>,
    surroundings: Arc<Surroundings>,
    handle: AccountHandle,
    connector: Rc<dyn Connector>,
    connection: Option<Box<Connection>>,
    crashes: Option<Box<RestartIntensity>>,
    cookie: Box<str>,
    /// Those who wait for the outcome of a send; `None` of an account whose bots only reply.
    replies: Option<Box<Replies>>,
    next_token: u64,
    /// When turns to log in come, monotonic; at most two are waited for.
    turns: Vec<Duration>,
    timer: Timer,
    /// The time of the present turn.
    at: Now,
    /// Wakes the task of the actor.
    waker: Option<Waker>,
    /// The subscriber may have something to run.
    stirred: bool,
    log: StatusLog,
    /// Incarnation number; a stale actor compares it with the handle's and stops.
    life: u64,
    _guard: DownGuard,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("core", &self.core)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// Starts an account on the arbiter `on`; `guard` reports its end.
    pub fn start_on(on: &ArbiterHandle, spec: AccountSpec, guard: DownGuard) {
        let handle = spec.handle.clone();
        let life = handle.begin_life();
        let addr = Self::start_in_arbiter(on, move |ctx: &mut Context<Self>| {
            ctx.set_mailbox_capacity(MAILBOX);
            let mut core = Core::new(spec.config, fastrand::u64(..), now());
            {
                let (now, mut memory) = (now(), spec.handle.memory().lock());
                match (spec.away, spec.handed) {
                    (Some(away), _) => {
                        let (phase, cause) = *away;
                        core.start_away(now, &mut memory, phase, cause);
                    }
                    (None, Some(handed)) => {
                        let (ticket, after) = *handed;
                        spec.handle.leave_ticket(Some(ticket));
                        core.start_resuming(now, &mut memory, after);
                    }
                    (None, None) => core.start(now, &mut memory),
                }
            }
            Self {
                core,
                number: spec.number,
                rest: spec.rest,
                subscriber: spec.subscriber,
                surroundings: spec.surroundings,
                handle: spec.handle,
                connector: (spec.connector)(),
                connection: None,
                crashes: None,
                cookie: "".into(),
                replies: None,
                next_token: 0,
                turns: Vec::new(),
                timer: Timer::default(),
                at: now(),
                waker: None,
                stirred: true,
                log: StatusLog::default(),
                life,
                _guard: guard,
            }
        });
        // Messages may come from now on; they wait in the mailbox until the arbiter gets to it.
        handle.set(addr);
    }

    // ── a turn ───────────────────────────────────────────────────────────────────────────────

    /// One turn of the actor's task: what came is handed on as far as it goes, and everything that is to be
    /// sent leaves at the end, in one write.
    fn turn(&mut self, ctx: &mut Context<Self>, cx: &mut TaskContext<'_>) {
        if !self.handle.is_present(self.life) {
            // Its thread hung: what comes now is for another actor.
            return ctx.stop();
        }
        let at = self.begin();
        self.attach(at, cx);
        self.stirred = true; // It may have been the subscriber that woke the task.
        self.connection_does(at, |connection, memory| connection.poll(cx, at, memory));
        if self.timer.take_rung(at.mono) {
            self.time_has_come(at);
        }
        loop {
            self.carry_out(ctx);
            if !self.handle.is_present(self.life) {
                return;
            }
            let at = self.at;
            let unpolled = self.connection_does(at, |connection, memory| {
                connection.flush(cx, at, memory);
                pass(Boundary::Flushed);
                let unpolled = connection.is_unpolled();
                if unpolled {
                    connection.poll(cx, at, memory);
                }
                unpolled
            });
            let more = unpolled.unwrap_or(false) || self.has_report();
            if !more {
                break;
            }
        }
        self.arm(cx);
    }

    /// Something begins: what follows from it happens at this time.
    fn begin(&mut self) -> Now {
        self.at = now();
        self.at
    }

    /// The subscriber and handlers of messages wake the task from elsewhere.
    fn attach(&mut self, at: Now, cx: &TaskContext<'_>) {
        let known = self.waker.as_ref();
        if !known.is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.subscriber.attach(at, self.life, cx.waker());
            self.waker = Some(cx.waker().clone());
        }
    }

    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    fn time_has_come(&mut self, at: Now) {
        let turns = self.turns.len();
        self.turns.retain(|turn| *turn > at.mono);
        for _ in self.turns.len()..turns {
            self.core(Core::turn);
        }
        self.core(Core::timeout);
        self.connection_does(at, |connection, memory| connection.timeout(at, memory));
    }

    fn arm(&mut self, cx: &mut TaskContext<'_>) {
        let at = self.at;
        let (core, connection) = (&self.core, self.connection.as_mut());
        let memory = self.handle.memory();
        let own = core.poll_timeout(&memory.lock());
        let next = own
            .into_iter()
            .chain(connection.and_then(|connection| connection.poll_timeout(at, memory)))
            .chain(self.subscriber.poll_timeout())
            .chain(self.turns.iter().copied().min())
            .min();
        if let Some(next) = next {
            self.timer.arm(cx, at.mono, next);
        }
    }

    /// Gives the core an input that concerns the account's memory.
    fn core<T>(&mut self, input: impl FnOnce(&mut Core, Now, &mut Memory) -> T) -> T {
        input(&mut self.core, self.at, &mut self.handle.memory().lock())
    }

    // ── the connection ───────────────────────────────────────────────────────────────────────

    /// Lets the connection do something, if there is one. A panic in it costs the connection and nothing else.
    fn connection_does<T>(
        &mut self,
        at: Now,
        what: impl FnOnce(&mut Connection, &SharedMemory) -> T,
    ) -> Option<T> {
        let connection = self.connection.as_mut()?;
        let memory = self.handle.memory();
        match catch_unwind(AssertUnwindSafe(|| what(connection, memory))) {
            Ok(done) => Some(done),
            Err(_) => {
                self.connection_died(at);
                None
            }
        }
    }

    fn connection_died(&mut self, at: Now) {
        // What it held may be in any state: even its drop may panic.
        let connection = self.connection.take();
        let _ = catch_unwind(AssertUnwindSafe(move || drop(connection)));
        let crashes = self
            .crashes
            .get_or_insert_with(|| Box::new(RestartIntensity::new(CRASHES.0, CRASHES.1)));
        let allowed = crashes.allow(at.mono);
        tracing::error!(
            account = %self.core.name(), connection = self.core.connection(),
            "the connection panicked; the next one starts from fresh state"
        );
        self.core(|core, now, memory| core.crashed(now, memory, allowed));
    }

    /// Gives the connection an order; makes one from fresh state if there is none.
    fn order(&mut self, at: Now, order: impl FnOnce(&mut Connection, &SharedMemory)) {
        if self.connection.is_none() {
            let config = SessionConfig::new(self.core.app(), self.core.user().clone());
            let mut memory = self.handle.memory().lock();
            let mut session = Session::new(config, fastrand::u64(..), &mut memory);
            session.set_cookie(self.cookie.clone());
            drop(memory);
            if let Some(ticket) = self.handle.take_ticket() {
                session.go_on_with(ticket);
            }
            self.connection = Some(Box::new(Connection::new(session)));
        }
        self.connection_does(at, order);
    }

    fn has_report(&self) -> bool {
        let connection = self.connection.as_ref();
        connection.is_some_and(|connection| connection.has_report())
    }

    fn reported(&mut self, report: Report) {
        log::report(&self.core, &report);
        match &report {
            Report::Session(Event::Synced { cookie, .. }) => self.cookie.clone_from(cookie),
            Report::Settled { .. } => pass(Boundary::Answered),
            _ => {}
        }
        self.core(|core, now, memory| core.report(now, memory, report));
    }

    // ── what is to be done ───────────────────────────────────────────────────────────────────

    /// Does everything that follows from the inputs so far.
    fn carry_out(&mut self, ctx: &mut Context<Self>) {
        loop {
            if !self.handle.is_present(self.life) {
                // Its thread hung, and another actor has taken over meanwhile.
                return ctx.stop();
            }
            if let Some(effect) = self.core.poll_effect() {
                self.carry(ctx, effect);
            } else if let Some(report) = self
                .connection
                .as_mut()
                .and_then(|connection| connection.poll_report())
            {
                self.reported(report);
            } else if let Some(wish) = self.subscriber.poll_wish(self.life) {
                self.grant(wish);
            } else if std::mem::take(&mut self.stirred) {
                // What is left is for the next turn, so that other accounts get theirs.
                if self.subscriber.proceed(self.at, self.life) {
                    self.wake();
                }
                self.begin();
            } else {
                return;
            }
        }
    }

    fn carry(&mut self, ctx: &mut Context<Self>, effect: Effect) {
        let at = self.at;
        match effect {
            Effect::ReserveLogin => self.reserve(at),
            Effect::ReserveGroupTurn { token, group } => {
                let wait = self.surroundings.paces.groups.reserve(at.mono, &group);
                self.core.group_turn(at, token, wait);
            }
            Effect::Dial {
                url,
                limit,
                user_sig,
            } => {
                let connector = self.connector.clone();
                let dial = Dial {
                    url,
                    limit,
                    user_sig,
                };
                self.order(at, move |connection, _| {
                    connection.dial(at, &*connector, dial);
                });
            }
            Effect::Relogin(user_sig) => {
                self.order(at, |connection, _| connection.relogin(at, &user_sig));
            }
            Effect::ConfirmLogin => self.order(at, |connection, _| connection.confirm_login(at)),
            // Only when the session has said that it waits.
            Effect::Room => {
                self.connection_does(at, |connection, memory| connection.room(at, memory));
            }
            Effect::FetchUserSig => self.fetch_user_sig(ctx),
            Effect::Probe => self.probe(ctx),
            Effect::SlowDown(delay) => self.surroundings.paces.governor.slow_down(at.mono, delay),
            Effect::Logout => self.order(at, |connection, _| connection.logout(at)),
            Effect::Close => self.order(at, |connection, _| connection.close(at)),
            Effect::Transmit { token, attempt } => {
                pass(Boundary::Sending);
                let transmit = match attempt {
                    Attempt::Message(message) => Transmit::Message { token, message },
                    Attempt::Call { servcmd, body } => Transmit::Call {
                        token,
                        servcmd,
                        body,
                    },
                };
                self.order(at, |connection, _| connection.transmit(at, transmit));
            }
            Effect::Note { servcmd, body } => {
                let note = Transmit::Note { servcmd, body };
                self.order(at, |connection, _| connection.transmit(at, note));
            }
            Effect::Reply { token, outcome } => self.settled(at, token, outcome),
            Effect::Deliver(event) => self.deliver(ctx, at, event),
            Effect::Spill { line, body } => self.subscriber.spill(line, body),
            Effect::ReadSpill { line, after, limit } => self.read_spill(ctx, line, after, limit),
            Effect::Unspill { number } => self.subscriber.unspill(number),
            Effect::Return { number, update } => {
                self.subscriber.returned(at, number, update);
                self.stirred = true;
            }
            Effect::Lost(count) => {
                let (account, connection) = (self.core.name(), self.core.connection());
                tracing::warn!(%account, connection, count, "messages or updates dropped: the server does not keep them, the bots cannot keep up, and there is no more room in the store");
            }
            Effect::AllRead => {
                pass(Boundary::Read);
                self.subscriber.all_read();
            }
            Effect::Changed { online } => self.changed(online),
            Effect::Stopped => {
                let connection = self.connection.as_ref();
                let ticket = connection.and_then(|connection| connection.ticket());
                self.handle.leave_ticket(ticket);
                ctx.stop();
            }
        }
    }

    fn reserve(&mut self, at: Now) {
        let wait = self.surroundings.paces.governor.reserve(at.mono);
        if wait.is_zero() {
            self.core(Core::turn);
        } else {
            self.turns.push(at.mono + wait);
        }
    }

    fn probe(&mut self, ctx: &mut Context<Self>) {
        let (rest, user) = (self.rest.clone(), self.core.user().clone());
        let asked = async move {
            match rest {
                Some(rest) => rest.is_online(&user).await.map(Some),
                None => Ok(None),
            }
        };
        let asked = Running::during(self.number, asked);
        ctx.spawn(asked.into_actor(self).map(|outcome, actor, _| {
            let _running = Running::enter(actor.number);
            actor.begin();
            let account = actor.core.name();
            let other = match outcome {
                Ok(other) => other,
                Err(error) => {
                    tracing::warn!(%account, %error, "cannot tell whether the other login has gone");
                    None
                }
            };
            tracing::debug!(%account, ?other, "asked for another login");
            actor.core(|core, now, memory| core.probed(now, memory, other));
            actor.wake();
        }));
    }

    fn fetch_user_sig(&mut self, ctx: &mut Context<Self>) {
        let Credential::External(source) = self.core.credential().clone() else {
            return;
        };
        let fetched = provider::fetch(source, self.core.app(), self.core.user().clone());
        let fetched = Running::during(self.number, fetched);
        ctx.spawn(fetched.into_actor(self).map(|outcome, actor, _| {
            let _running = Running::enter(actor.number);
            actor.begin();
            if let Err(error) = &outcome {
                // While it is away, the cause tells it.
                if actor.core.phase().is_online() {
                    tracing::warn!(account = %actor.core.name(), %error, "no UserSig to renew with; trying again");
                } else {
                    tracing::debug!(account = %actor.core.name(), %error, "no UserSig");
                }
            }
            actor.core(|core, now, memory| core.user_sig(now, memory, outcome));
            actor.wake();
        }));
    }

    fn deliver(&mut self, ctx: &mut Context<Self>, at: Now, event: AccountEvent) {
        if let AccountEvent::Update(update) = &event {
            if !self.handle.wants_updates() {
                return;
            }
            if self.core(|core, _, memory| core.is_spilling_updates(memory)) {
                return self.update_refused(update);
            }
        }
        let (account, connection) = (self.core.name(), self.core.connection());
        if !self.subscriber.is_alive() {
            // Only a crash ends a subscriber before the program. The supervisor makes it anew.
            tracing::error!(%account, connection, "the host of the account's bots died");
            return ctx.stop();
        }
        match self.subscriber.deliver(at, event) {
            Ok(()) => self.stirred = true,
            Err(update) => self.update_refused(&update),
        }
    }

    /// The bots have no room for an update.
    fn update_refused(&mut self, update: &Update) {
        if !self.core(|core, now, memory| core.update_refused(now, memory, update)) {
            self.handle.note_dropped();
        }
    }

    fn read_spill(&self, ctx: &mut Context<Self>, line: SpillLine, after: u64, limit: usize) {
        let read = self.subscriber.read_spill(line.clone(), after, limit);
        let read = Running::during(self.number, read);
        ctx.spawn(read.into_actor(self).map(move |found, actor, _| {
            let _running = Running::enter(actor.number);
            // What another actor reads now comes to that one.
            if actor.handle.is_present(actor.life) {
                actor.begin();
                actor.core(|core, now, memory| core.spill_read(now, memory, &line, found));
                actor.wake();
            }
        }));
    }

    /// Does what the subscriber wants.
    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Reply(reply) => {
                let item = OutboxItem::Message {
                    to: reply.to,
                    draft: reply.draft,
                    key: Some(reply.key),
                    sent_since: reply.sent_since,
                };
                self.core.send(self.at, REPLIES | reply.number, item);
            }
            Wish::Finished(receipt, true) => {
                self.core(|core, now, memory| core.handled(now, memory, &receipt));
            }
            Wish::Finished(receipt, false) => {
                self.core(|core, now, memory| core.not_handled(now, memory, &receipt));
            }
            Wish::UpdateOver(number, done) => {
                self.core(|core, now, memory| core.update_over(now, memory, number, done));
            }
        }
    }

    /// Tells whoever wanted something sent what became of it.
    fn settled(&mut self, at: Now, token: u64, outcome: Result<String, OutboxError>) {
        if token & REPLIES != 0 {
            self.stirred = true;
            return self.subscriber.settled(at, token & !REPLIES, outcome);
        }
        if let Err(error) = &outcome {
            tracing::warn!(
                account = %self.core.name(), connection = self.core.connection(), %error, "not sent"
            );
        }
        let Some(replies) = &mut self.replies else {
            return;
        };
        if let Some(reply) = replies.remove(&token) {
            let _ = reply.send(outcome); // Nobody waits: nobody to tell.
        }
        if replies.is_empty() {
            self.replies = None;
        }
    }

    fn changed(&mut self, online: Option<bool>) {
        let status = self.core(|core, now, memory| core.status(now, memory));
        let service_time = self.core.service_time(self.at);
        self.handle.set_service_time(self.at, service_time);
        self.handle
            .set_ready(self.life, status.phase == Phase::Online);
        self.log.changed(&status, online, self.core.connection());
        // Transient phases are not published: with thousands of accounts logging in they would flood the
        // observer. `GetStatus` still shows them.
        let passing = matches!(
            status.phase,
            Phase::Connecting | Phase::LoggingIn | Phase::Renewing
        );
        if online.is_some() || !passing {
            let status = Box::new(status);
            self.surroundings
                .observer
                .do_send(Changed { status, online });
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        // After a panic too: nobody is ready who is not there.
        self.handle.set_ready(self.life, false);
        self.subscriber.detach(self.life);
    }
}

/// The task of an account: takes a turn each time it is woken.
struct Turns;

impl ActorFuture<Account> for Turns {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        actor: &mut Account,
        ctx: &mut Context<Account>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let _running = Running::enter(actor.number);
        actor.turn(ctx, cx);
        Poll::Pending
    }
}

impl Actor for Account {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.spawn(Turns);
    }
}

// actix takes messages before it polls the futures of an actor. So a turn follows each message, and the handlers
// only note what came.

impl Handler<Send> for Account {
    type Result = ();

    fn handle(&mut self, Send { item, reply }: Send, _: &mut Context<Self>) {
        let _running = Running::enter(self.number);
        self.next_token += 1;
        let replies = self.replies.get_or_insert_default();
        replies.insert(self.next_token, reply);
        let at = self.begin();
        self.core.send(at, self.next_token, item);
    }
}

impl Handler<Handled> for Account {
    type Result = ();

    fn handle(&mut self, handled: Handled, _: &mut Context<Self>) {
        self.core.noted(handled.room);
    }
}

impl Handler<TellStatus> for Account {
    type Result = ();

    fn handle(&mut self, TellStatus(place): TellStatus, _: &mut Context<Self>) {
        let _running = Running::enter(self.number);
        self.begin();
        let mut status = self.core(|core, now, memory| core.full_status(now, memory));
        status.counters.dropped += self.handle.dropped();
        status.counters.unknown += self.handle.unknown();
        status.counters.failed_handlers += self.handle.failed_handlers();
        place.put(status);
    }
}

impl Handler<Instruct> for Account {
    type Result = ();

    fn handle(&mut self, Instruct(command): Instruct, _: &mut Context<Self>) {
        let _running = Running::enter(self.number);
        self.begin();
        match command {
            Command::Hold => self.core(Core::hold),
            Command::Resume => {
                self.crashes = None;
                self.core(Core::resume);
            }
            Command::Relogin => self.core(Core::relogin),
            Command::Quarantine => self.core(Core::quarantine),
            Command::Stop => self.core(Core::stop),
            Command::HandOver => self.core(Core::hand_over),
        }
    }
}

impl Handler<Reconfigure> for Account {
    type Result = ();

    fn handle(&mut self, new: Reconfigure, _: &mut Context<Self>) {
        let _running = Running::enter(self.number);
        self.begin();
        self.rest = new.rest;
        self.core(|core, now, memory| core.reconfigure(now, memory, new.config));
        if let Some(connector) = new.connector {
            self.connector = connector();
            self.core(Core::relink);
        }
    }
}

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    use super::*;

    /// A fleet has tens of thousands of each. The allocator rounds up to 896 and, with what actix and tokio add,
    /// to 1,536 bytes: a field more may cost an eighth.
    #[test]
    fn an_account_and_its_connection_stay_small() {
        let sizes = [size_of::<Account>(), size_of::<Connection>()];
        assert!(sizes[0] <= 1016 && sizes[1] <= 896, "{sizes:?}");
    }
}
