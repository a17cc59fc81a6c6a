//! The account actor: carries out what [`Core`] decides.

use super::group_paces::SharedGroupPaces;
use super::handle::AccountHandle;
use super::message::{
    Changed, Command, Deliver, GetStatus, Handled, Instruct, ReserveLogin, Send, SlowDown,
};
use super::provider;
use crate::gateway::{
    Close, ConfirmLogin, Connection, Connector, Dial, Down, DownGuard, Logout, Relogin, Report,
    Reported, Room, Running, Transmit, now,
};
use crate::policy::{Now, RestartIntensity};
use crate::rest::Rest;
use crate::session::{Event, Ignored, Memory, Session, SessionConfig};
use actix::prelude::*;
use botroupe_core::account::Core;
use botroupe_core::account::Credential;
use botroupe_core::account::{AccountEvent, CoreConfig, Effect};
use botroupe_core::account::{Attempt, OutboxError};
use botroupe_core::account::{Cause, Off};
use botroupe_core::account::{Phase, Status};
use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Messages waiting for an account at most: sends of its bots and orders from above.
const MAILBOX: usize = 1024;
/// Difference to the server's clock that is worth a warning, in milliseconds.
const MAX_SKEW: i64 = 60_000;
/// A connection that dies more often than this is not restarted any more.
const CRASHES: (usize, Duration) = (5, Duration::from_secs(60));

/// Everything an account actor is made from. The supervisor keeps it and makes a fresh actor from
/// it whenever the last one died.
#[derive(Clone)]
pub struct AccountSpec {
    /// Number of the account, stored in the thread's watchdog marker ([`Running`]) while it works for it.
    pub number: u64,
    /// The account.
    pub config: CoreConfig,
    /// Makes the connector, on the arbiter that runs the account.
    pub connector: Arc<dyn Fn() -> Rc<dyn Connector> + std::marker::Send + Sync>,
    /// Asks whether another login is there, when there are an administrator's credentials.
    pub rest: Option<Rest>,
    /// Paces logins over the fleet.
    pub governor: Recipient<ReserveLogin>,
    /// Told when the server finds the fleet too quick.
    pub brake: Recipient<SlowDown>,
    /// Gets what happens to the account; outlives it.
    pub subscriber: Recipient<Deliver>,
    /// Told of every change.
    pub observer: Recipient<Changed>,
    /// Where others find the actor.
    pub handle: AccountHandle,
    /// Paces messages to groups over the fleet.
    pub group_paces: SharedGroupPaces,
    /// Set if the account stays away from the start: in which phase, and why.
    pub away: Option<(Phase, Cause)>,
}

impl std::fmt::Debug for AccountSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountSpec")
            .field("user", &self.config.user)
            .finish_non_exhaustive()
    }
}

/// See the module.
pub struct Account {
    core: Core,
    spec: AccountSpec,
    connector: Rc<dyn Connector>,
    connection: Option<Addr<Connection>>,
    /// Number of the present connection actor; messages of those that died are ignored.
    child: u64,
    crashes: RestartIntensity,
    cookie: Box<str>,
    replies: HashMap<u64, oneshot::Sender<Result<String, OutboxError>>>,
    next_token: u64,
    timer: Option<(Duration, SpawnHandle)>,
    /// The kind of cause that was last logged for being offline.
    told: Option<Discriminant<Cause>>,
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
            Self {
                core: Core::new(spec.config.clone(), fastrand::u64(..), now()),
                connector: (spec.connector)(),
                spec,
                connection: None,
                child: 0,
                crashes: RestartIntensity::new(CRASHES.0, CRASHES.1),
                cookie: "".into(),
                replies: HashMap::new(),
                next_token: 0,
                timer: None,
                told: None,
                life,
                _guard: guard,
            }
        });
        // Messages may come from now on; they wait in the mailbox until the arbiter gets to it.
        handle.set(addr);
    }

    fn connection(&mut self, ctx: &Context<Self>) -> &Addr<Connection> {
        let Self {
            connection,
            core,
            spec,
            connector,
            child,
            cookie,
            ..
        } = self;
        connection.get_or_insert_with(|| {
            let config = SessionConfig::new(spec.config.app, core.user().clone());
            let mut session =
                Session::new(config, fastrand::u64(..), &mut spec.handle.memory().lock());
            session.set_cookie(cookie.clone());
            let session = (session, spec.handle.memory().clone());
            *child += 1;
            let guard = DownGuard::new(ctx.address().recipient(), *child);
            let owner = ctx.address().recipient();
            Connection::start(spec.number, session, connector.clone(), owner, guard)
        })
    }

    /// Gives the core an input that concerns the account's memory.
    fn core<T>(&mut self, input: impl FnOnce(&mut Core, Now, &mut Memory) -> T) -> T {
        input(&mut self.core, now(), &mut self.spec.handle.memory().lock())
    }

    /// Carries out what the core wants, after every input.
    fn carry_out(&mut self, ctx: &mut Context<Self>) {
        if !self.spec.handle.is_present(self.life) {
            // Its thread hung, and another actor has taken over meanwhile.
            return ctx.stop();
        }
        while let Some(effect) = self.core.poll_effect() {
            match effect {
                Effect::ReserveLogin => self.reserve(ctx),
                Effect::ReserveGroupTurn { token, group } => {
                    let at = now();
                    let wait = self.spec.group_paces.reserve(at.mono, &group);
                    self.core.group_turn(at, token, wait);
                }
                Effect::Dial {
                    url,
                    limit,
                    user_sig,
                } => {
                    let dial = Dial {
                        url,
                        limit,
                        user_sig,
                    };
                    self.connection(ctx).do_send(dial);
                }
                // On the same arbiter, and at most one per decision: the mailbox bound may be passed.
                Effect::Relogin(user_sig) => self.connection(ctx).do_send(Relogin(user_sig)),
                Effect::ConfirmLogin => self.connection(ctx).do_send(ConfirmLogin),
                // Only when the session has said that it waits.
                Effect::Room => {
                    if let Some(connection) = &self.connection {
                        connection.do_send(Room);
                    }
                }
                Effect::FetchUserSig => self.fetch_user_sig(ctx),
                Effect::Probe => self.probe(ctx),
                // One per refusal of a login, and logins are paced: the bound may be passed.
                Effect::SlowDown(delay) => self.spec.brake.do_send(SlowDown(delay)),
                Effect::Logout => self.connection(ctx).do_send(Logout),
                Effect::Close => self.connection(ctx).do_send(Close),
                Effect::Transmit { token, attempt } => {
                    let transmit = match attempt {
                        Attempt::Message(message) => Transmit::Message { token, message },
                        Attempt::Call { servcmd, body } => Transmit::Call {
                            token,
                            servcmd,
                            body,
                        },
                    };
                    self.connection(ctx).do_send(transmit);
                }
                Effect::Note { servcmd, body } => {
                    self.connection(ctx)
                        .do_send(Transmit::Note { servcmd, body });
                }
                Effect::Reply { token, outcome } => {
                    if let Err(error) = &outcome {
                        self.log_unsent(error);
                    }
                    if let Some(reply) = self.replies.remove(&token) {
                        let _ = reply.send(outcome); // Nobody waits: nobody to tell.
                    }
                    if self.replies.is_empty() && self.replies.capacity() > 16 {
                        self.replies = HashMap::new();
                    }
                }
                Effect::Deliver(event) => self.deliver(ctx, event),
                Effect::Changed { online } => self.changed(online),
                Effect::Stopped => ctx.stop(),
            }
        }
        self.arm(ctx);
    }

    fn reserve(&mut self, ctx: &mut Context<Self>) {
        let turn = self.spec.governor.send(ReserveLogin);
        let turn = turn.into_actor(self).then(|wait, actor, _| {
            // A governor that is gone is being restarted; a second is a safe guess.
            let wait = wait.unwrap_or(Duration::from_secs(1));
            tokio::time::sleep(wait).into_actor(actor)
        });
        ctx.spawn(turn.map(|(), actor, ctx| {
            let _running = Running::enter(actor.spec.number);
            actor.core(Core::turn);
            actor.carry_out(ctx);
        }));
    }

    fn probe(&mut self, ctx: &mut Context<Self>) {
        let (rest, user) = (self.spec.rest.clone(), self.core.user().clone());
        let asked = async move {
            match rest {
                Some(rest) => rest.is_online(&user).await.map(Some),
                None => Ok(None),
            }
        };
        let asked = Running::during(self.spec.number, asked);
        ctx.spawn(asked.into_actor(self).map(|outcome, actor, ctx| {
            let _running = Running::enter(actor.spec.number);
            let account = actor.core.user();
            let other = match outcome {
                Ok(other) => other,
                Err(error) => {
                    tracing::warn!(%account, %error, "cannot tell whether the other login has gone");
                    None
                }
            };
            tracing::debug!(%account, ?other, "asked for another login");
            actor.core(|core, now, memory| core.probed(now, memory, other));
            actor.carry_out(ctx);
        }));
    }

    fn fetch_user_sig(&mut self, ctx: &mut Context<Self>) {
        let Credential::External(source) = self.core.credential().clone() else {
            return;
        };
        let fetched = provider::fetch(source, self.core.user().clone());
        let fetched = Running::during(self.spec.number, fetched);
        ctx.spawn(fetched.into_actor(self).map(|outcome, actor, ctx| {
            let _running = Running::enter(actor.spec.number);
            if let Err(error) = &outcome {
                // While it is away, the cause tells it.
                if actor.core.phase().is_online() {
                    tracing::warn!(account = %actor.core.user(), %error, "no UserSig to renew with; trying again");
                } else {
                    tracing::debug!(account = %actor.core.user(), %error, "no UserSig");
                }
            }
            actor.core(|core, now, memory| core.user_sig(now, memory, outcome));
            actor.carry_out(ctx);
        }));
    }

    fn deliver(&mut self, ctx: &mut Context<Self>, event: AccountEvent) {
        // The bots' room bounds the messages. Events that are neither message nor update come at most twice per
        // login and must not be lost.
        let is_update = matches!(event, AccountEvent::Update(_));
        if is_update && !self.spec.handle.wants_updates() {
            return;
        }
        if !is_update && self.spec.subscriber.connected() {
            return self.spec.subscriber.do_send(Deliver(event));
        }
        match self.spec.subscriber.try_send(Deliver(event)) {
            Ok(()) => {}
            Err(SendError::Full(_)) => {
                self.spec.handle.note_dropped();
                tracing::warn!(
                    account = %self.core.user(), connection = self.core.connection(),
                    "update dropped: its bots cannot keep up"
                );
            }
            Err(SendError::Closed(_)) => {
                // Only a crash ends a subscriber before the program. The supervisor makes it anew.
                tracing::error!(
                    account = %self.core.user(), connection = self.core.connection(),
                    "the host of the account's bots died"
                );
                ctx.stop();
            }
        }
    }

    fn log_unsent(&self, error: &OutboxError) {
        tracing::warn!(
            account = %self.core.user(), connection = self.core.connection(), %error, "not sent"
        );
    }

    fn changed(&mut self, online: Option<bool>) {
        let status = self.core(|core, now, memory| core.status(now, memory));
        let ready = status.phase == Phase::Online;
        self.spec.handle.set_ready(self.life, ready);
        let (account, connection) = (&status.user, self.core.connection());
        match (online, status.phase) {
            (Some(true), _) => {
                tracing::info!(%account, connection, resumed = status.resumed, "online")
            }
            (Some(false), Phase::Stopping) => {
                tracing::info!(%account, connection, "logging out");
            }
            (Some(false), phase) => {
                tracing::warn!(%account, connection, cause = %status.cause, phase = phase.word(), "offline");
            }
            (None, Phase::Held | Phase::Quarantined | Phase::Contested) => {
                tracing::warn!(%account, connection, cause = %status.cause, phase = status.phase.word(), "stays offline");
            }
            (None, Phase::Waiting | Phase::CoolingDown) if status.cause != Cause::NotStarted => {
                // Each kind of cause is logged once; the supervisor reports now and then how many accounts wait.
                if self.told == Some(discriminant(&status.cause)) {
                    tracing::debug!(%account, connection, cause = %status.cause, "not online; trying again");
                } else {
                    tracing::warn!(%account, connection, cause = %status.cause, "not online; trying again");
                }
            }
            (None, phase) => tracing::debug!(%account, connection, phase = phase.word(), "phase"),
        }
        match online {
            Some(true) => self.told = None,
            Some(false) => self.told = Some(discriminant(&status.cause)),
            None if status.phase == Phase::Waiting && status.cause != Cause::NotStarted => {
                self.told = Some(discriminant(&status.cause));
            }
            None => {}
        }
        // Transient phases are not published: with thousands of accounts logging in they would flood the
        // observer. `GetStatus` still shows them.
        let passing = matches!(
            status.phase,
            Phase::Connecting | Phase::LoggingIn | Phase::Renewing
        );
        if online.is_some() || !passing {
            let status = Box::new(status);
            self.spec.observer.do_send(Changed { status, online });
        }
    }

    fn arm(&mut self, ctx: &mut Context<Self>) {
        let Some(at) = self.core(|core, _, memory| core.poll_timeout(memory)) else {
            return;
        };
        if let Some((armed, handle)) = self.timer {
            if armed <= at {
                return;
            }
            ctx.cancel_future(handle);
        }
        let handle = ctx.run_later(at.saturating_sub(now().mono), |actor, ctx| {
            let _running = Running::enter(actor.spec.number);
            actor.timer = None;
            actor.core(Core::timeout);
            actor.carry_out(ctx);
        });
        self.timer = Some((at, handle));
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        // After a panic too: nobody is ready who is not there.
        self.spec.handle.set_ready(self.life, false);
    }
}

impl Actor for Account {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let _running = Running::enter(self.spec.number);
        match self.spec.away.take() {
            Some((phase, cause)) => {
                self.core(|core, now, memory| core.start_away(now, memory, phase, cause))
            }
            None => self.core(Core::start),
        }
        self.carry_out(ctx);
    }
}

impl Handler<Reported> for Account {
    type Result = ();

    fn handle(&mut self, Reported(report): Reported, ctx: &mut Context<Self>) {
        let _running = Running::enter(self.spec.number);
        match &report {
            Report::Session(Event::Synced { cookie, messages }) => {
                self.cookie.clone_from(cookie);
                tracing::debug!(account = %self.core.user(), connection = self.core.connection(), messages, "caught up");
            }
            Report::Session(Event::Ready(ready)) if ready.clock_offset.abs() > MAX_SKEW => {
                tracing::warn!(
                    account = %self.core.user(), connection = self.core.connection(),
                    skew_ms = ready.clock_offset,
                    "this machine's clock is off: {}; UserSigs are made by the server's time", Off(ready.clock_offset)
                );
            }
            Report::Session(Event::SyncFailed { part, error }) => {
                tracing::debug!(account = %self.core.user(), connection = self.core.connection(), %part, %error, "not fetched; trying again");
            }
            Report::Session(Event::Trouble {
                part,
                reason: Some(reason),
            }) => {
                tracing::warn!(account = %self.core.user(), connection = self.core.connection(), reason, "degraded: {part}; trying again");
            }
            Report::Session(Event::Trouble { part, reason: None }) => {
                tracing::info!(account = %self.core.user(), connection = self.core.connection(), "no longer degraded: {part} is over");
            }
            Report::Session(Event::HistoryGone { group, count }) => {
                tracing::warn!(account = %self.core.user(), connection = self.core.connection(), group, count, "the history of a group does not have these messages any more");
            }
            Report::Session(Event::Dropped(conversation)) => {
                tracing::warn!(account = %self.core.user(), connection = self.core.connection(), %conversation, "message dropped: the server does not keep it, and its bots cannot keep up");
            }
            Report::Session(Event::Skipped { group, count }) => {
                tracing::warn!(account = %self.core.user(), connection = self.core.connection(), group, count, "too many unread messages in a group; the oldest are left to its history");
            }
            Report::Session(Event::RoomLost { room, reason }) => {
                tracing::warn!(account = %self.core.user(), connection = self.core.connection(), room, reason, "a live room is not heard");
            }
            Report::Session(Event::Ignored(
                what @ (Ignored::Undecodable(_) | Ignored::Malformed(_)),
            )) => {
                tracing::warn!(account = %self.core.user(), connection = self.core.connection(), ?what, "what came cannot be read; it is left out");
            }
            Report::Session(Event::Ignored(what)) => {
                tracing::debug!(account = %self.core.user(), connection = self.core.connection(), ?what, "ignored");
            }
            Report::Session(Event::Overloaded { servcmd, delay }) => {
                tracing::warn!(account = %self.core.user(), connection = self.core.connection(), servcmd, ?delay, "server asks for rest");
            }
            _ => {}
        }
        self.core(|core, now, memory| core.report(now, memory, report));
        self.carry_out(ctx);
    }
}

impl Handler<Down> for Account {
    type Result = ();

    fn handle(&mut self, down: Down, ctx: &mut Context<Self>) {
        if down.child != self.child || self.connection.is_none() {
            return;
        }
        let _running = Running::enter(self.spec.number);
        self.connection = None;
        let allowed = self.crashes.allow(now().mono);
        tracing::error!(
            account = %self.core.user(), connection = self.core.connection(), panicked = down.panicked,
            "connection actor died"
        );
        self.core(|core, now, memory| core.crashed(now, memory, allowed));
        self.carry_out(ctx);
    }
}

impl Handler<Send> for Account {
    type Result = ();

    fn handle(&mut self, Send { item, reply }: Send, ctx: &mut Context<Self>) {
        let _running = Running::enter(self.spec.number);
        self.next_token += 1;
        self.replies.insert(self.next_token, reply);
        self.core.send(now(), self.next_token, item);
        self.carry_out(ctx);
    }
}

impl Handler<Handled> for Account {
    type Result = ();

    fn handle(&mut self, handled: Handled, ctx: &mut Context<Self>) {
        let _running = Running::enter(self.spec.number);
        self.core.noted(handled.room);
        self.carry_out(ctx);
    }
}

impl Handler<GetStatus> for Account {
    type Result = Option<Status>;

    fn handle(&mut self, _: GetStatus, _: &mut Context<Self>) -> Option<Status> {
        let _running = Running::enter(self.spec.number);
        let mut status = self.core(|core, now, memory| core.full_status(now, memory));
        status.counters.dropped += self.spec.handle.dropped();
        Some(status)
    }
}

impl Handler<Instruct> for Account {
    type Result = ();

    fn handle(&mut self, Instruct(command): Instruct, ctx: &mut Context<Self>) {
        let _running = Running::enter(self.spec.number);
        match command {
            Command::Hold => self.core(Core::hold),
            Command::Resume => {
                self.crashes.reset();
                self.core(Core::resume);
            }
            Command::Relogin => self.core(Core::relogin),
            Command::Quarantine => self.core(Core::quarantine),
            Command::Stop => self.core(Core::stop),
        }
        self.carry_out(ctx);
    }
}
