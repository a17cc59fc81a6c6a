//! The connection actor: a session, at most one link, one timer. It feeds and drains, and decides
//! nothing.

use super::connector::Connector;
use super::down::DownGuard;
use super::memory::SharedMemory;
use super::now;
use super::running::Running;
use super::websocket::{CLOSE_LIMIT, Heard, ReadTurn, WebSocket};
use crate::policy::Now;
use crate::proto::usersig::UserSig;
use crate::session::{Event, Memory, OutgoingMessage, RequestError, RequestId, Session};
use actix::fut::ActorFuture;
use actix::prelude::*;
use botroupe_core::account::{LinkEnd, Report};
use std::borrow::Cow;
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

/// Messages waiting for the actor at most: its owner sends a handful at a time.
const MAILBOX: usize = 512;

/// Open a link; the session resumes on it, or logs in with `user_sig`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Dial {
    /// `ws://` or `wss://`, path and query included.
    pub url: String,
    /// How long name resolution, TCP, TLS and upgrade may take together.
    pub limit: Duration,
    /// For a full login; ignored when the session can resume.
    pub user_sig: Option<UserSig>,
}

/// Replace the login on the open link by a new one.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Relogin(pub UserSig);

/// Confirm the login on the open link, as the server wanted with [`Event::ResumeWanted`].
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct ConfirmLogin;

/// The bots have room again.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Room;

/// Log out on the open link; [`Event::LoggedOut`] follows.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Logout;

/// Close the link; what is queued goes out first.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Close;

/// Send a message or a request; [`Report::Settled`] with the same token follows.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub enum Transmit {
    /// A chat message.
    Message {
        /// Comes back with the outcome.
        token: u64,
        /// The message.
        message: OutgoingMessage,
    },
    /// Any other request.
    Call {
        /// Comes back with the outcome.
        token: u64,
        /// The command.
        servcmd: Cow<'static, str>,
        /// Its body.
        body: Arc<str>,
    },
    /// A request whose outcome nobody waits for.
    Note {
        /// The command.
        servcmd: Cow<'static, str>,
        /// Its body.
        body: String,
    },
}

/// Carries a [`Report`] to the owner.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Reported(pub Report);

/// See the module.
pub struct Connection {
    session: Session,
    memory: SharedMemory,
    connector: Rc<dyn Connector>,
    owner: Recipient<Reported>,
    link: Option<WebSocket>,
    /// Number of the present link; what belongs to an earlier one is ignored.
    generation: u64,
    waker: Option<Waker>,
    timer: Option<(Duration, SpawnHandle)>,
    tokens: HashMap<RequestId, u64>,
    /// Number of the account, stored in the thread's watchdog marker ([`Running`]) while it works for it.
    account: u64,
    _guard: DownGuard,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Starts the actor on the current arbiter. `owner` is on the same arbiter: reports bypass its
    /// mailbox bound, and are bounded by the read budget of a turn instead. `account` is the number that the
    /// thread's watchdog marker shows, see [`Running`].
    pub fn start(
        account: u64,
        (session, memory): (Session, SharedMemory),
        connector: Rc<dyn Connector>,
        owner: Recipient<Reported>,
        guard: DownGuard,
    ) -> Addr<Self> {
        Self {
            session,
            memory,
            connector,
            owner,
            link: None,
            generation: 0,
            waker: None,
            timer: None,
            tokens: HashMap::new(),
            account,
            _guard: guard,
        }
        .start()
    }

    fn transmitted(&mut self, token: u64, sent: Result<RequestId, RequestError>) {
        match sent {
            Ok(id) => {
                self.tokens.insert(id, token);
            }
            Err(error) => self.report(Report::Settled {
                token,
                outcome: Err(error),
            }),
        }
    }

    /// Gives the session an input that concerns the account's memory.
    fn session<T>(&mut self, input: impl FnOnce(&mut Session, Now, &mut Memory) -> T) -> T {
        input(&mut self.session, now(), &mut self.memory.lock())
    }

    fn report(&self, report: Report) {
        self.owner.do_send(Reported(report));
    }

    /// Drains the session after every input: packets to the link, events to the owner, timer.
    fn drain(&mut self, ctx: &mut Context<Self>) {
        while let Some(packet) = self.session.poll_transmit() {
            if let Some(link) = &mut self.link
                && let Err(end) = link.send(&packet)
            {
                self.end_link(ctx, end);
            }
        }
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::LinkDead(fault) => self.end_link(ctx, LinkEnd::Fault(fault)),
                Event::Settled { id, outcome } => {
                    if let Some(token) = self.tokens.remove(&id) {
                        self.report(Report::Settled { token, outcome });
                    }
                    if self.tokens.is_empty() && self.tokens.capacity() > 16 {
                        self.tokens = HashMap::new();
                    }
                }
                event => self.report(Report::Session(event)),
            }
        }
        self.arm(ctx);
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Arms the timer if it has to ring earlier than it would. Deadlines move later with every packet; a timer
    /// that rings too early finds nothing to do and is armed again.
    fn arm(&mut self, ctx: &mut Context<Self>) {
        let Some(at) = self.session(|session, _, memory| session.poll_timeout(memory)) else {
            return;
        };
        if let Some((armed, handle)) = self.timer {
            if armed <= at {
                return;
            }
            ctx.cancel_future(handle);
        }
        let delay = at.saturating_sub(now().mono);
        let handle = ctx.run_later(delay, |actor, ctx| {
            let _running = Running::enter(actor.account);
            actor.timer = None;
            actor.session(Session::timeout);
            actor.drain(ctx);
        });
        self.timer = Some((at, handle));
    }

    /// Resets a link that may still hold a login, which must not arrive any more.
    fn abandon(&mut self, ctx: &mut Context<Self>, link: WebSocket, end: LinkEnd) {
        drop(link);
        self.report(Report::Closed(end));
        self.session.closed(now());
        self.drain(ctx);
    }

    fn opened(&mut self, ctx: &mut Context<Self>, link: WebSocket, user_sig: Option<&UserSig>) {
        self.link = Some(link);
        self.report(Report::Opened);
        self.session.opened(now(), user_sig);
        self.drain(ctx);
        ctx.spawn(Drive {
            generation: self.generation,
        });
    }

    fn end_link(&mut self, ctx: &mut Context<Self>, end: LinkEnd) {
        let Some(mut link) = self.link.take() else {
            return;
        };
        self.generation += 1;
        self.waker = None;
        if self.session.logins_in_flight() > 0 || matches!(end, LinkEnd::Fault(_)) {
            return self.abandon(ctx, link, end);
        }
        link.close(match end {
            LinkEnd::Protocol(error) => error.close_code(),
            _ => 1000,
        });
        let farewell = farewell(link);
        if end == LinkEnd::Ours {
            // Whoever waits for this wants to know that the goodbye is out.
            ctx.spawn(
                farewell
                    .into_actor(self)
                    .map(|(), actor, _| actor.report(Report::Closed(LinkEnd::Ours))),
            );
        } else {
            actix_rt::spawn(farewell);
            self.report(Report::Closed(end));
        }
        self.session.closed(now());
        self.drain(ctx);
    }
}

/// Writes out what is queued, the close included, and waits a little for the answer.
async fn farewell(mut link: WebSocket) {
    let goodbye = poll_fn(|cx| {
        loop {
            match link.poll_flush(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => {}
            }
            match link.poll_read(cx, |_| true) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(ReadTurn::More) => {}
                Poll::Ready(ReadTurn::Ended(_)) => return link.poll_flush(cx).map(|_| ()),
            }
        }
    });
    let _ = tokio::time::timeout(CLOSE_LIMIT, goodbye).await;
}

/// Reads and writes whenever the link is ready for it.
struct Drive {
    generation: u64,
}

impl ActorFuture<Connection> for Drive {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        actor: &mut Connection,
        ctx: &mut Context<Connection>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<()> {
        if actor.generation != self.generation {
            return Poll::Ready(());
        }
        let Some(mut link) = actor.link.take() else {
            return Poll::Ready(());
        };
        let _running = Running::enter(actor.account);
        actor.waker = None; // Woken by ourselves below, not by the draining.
        let at = now();
        let (session, memory) = (&mut actor.session, &actor.memory);
        let turn = link.poll_read(cx, |heard| {
            let mut memory = memory.lock();
            match heard {
                Heard::Message(message) => session.received(at, &mut memory, message),
                Heard::TooLarge(bytes) => session.received_too_large(at, &mut memory, bytes),
            }
            true
        });
        actor.link = Some(link);
        actor.drain(ctx);
        match turn {
            Poll::Ready(ReadTurn::Ended(end)) => {
                actor.end_link(ctx, end);
                return Poll::Ready(());
            }
            Poll::Ready(ReadTurn::More) => cx.waker().wake_by_ref(),
            Poll::Pending => {}
        }
        if actor.generation != self.generation {
            return Poll::Ready(()); // Draining ended it.
        }
        if let Some(link) = &mut actor.link
            && let Poll::Ready(Err(end)) = link.poll_flush(cx)
        {
            actor.end_link(ctx, end);
            return Poll::Ready(());
        }
        actor.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Actor for Connection {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

impl Handler<Dial> for Connection {
    type Result = ();

    fn handle(&mut self, dial: Dial, ctx: &mut Context<Self>) {
        let _running = Running::enter(self.account);
        // A link that is still there makes way; its end is of no interest any more.
        if let Some(link) = self.link.take() {
            let abandoned = self.session.logins_in_flight() > 0;
            self.session.closed(now());
            if !abandoned {
                actix_rt::spawn(farewell(link));
            }
        }
        self.generation += 1;
        let generation = self.generation;
        let frames = self.session.frames();
        let max = self.session.max_packet();
        let dialled = self.connector.dial(dial.url, dial.limit);
        let dialled = Running::during(self.account, dialled);
        ctx.spawn(dialled.into_actor(self).map(move |outcome, actor, ctx| {
            let _running = Running::enter(actor.account);
            if actor.generation != generation {
                return; // Overtaken by another order.
            }
            match outcome {
                Ok(dialled) => {
                    if let Some(time) = dialled.server_time {
                        actor.report(Report::ServerTime(time));
                    }
                    let link = WebSocket::new(dialled.io, frames, dialled.early, max);
                    actor.opened(ctx, link, dial.user_sig.as_ref());
                }
                Err(error) => actor.report(Report::DialFailed(error)),
            }
        }));
    }
}

impl Handler<Relogin> for Connection {
    type Result = ();

    fn handle(&mut self, Relogin(user_sig): Relogin, ctx: &mut Context<Self>) {
        let _running = Running::enter(self.account);
        if let Err(error) = self.session.relogin(now(), &user_sig) {
            tracing::debug!(account = %self.session.user(), %error, "login not replaced");
        }
        self.drain(ctx);
    }
}

impl Handler<ConfirmLogin> for Connection {
    type Result = ();

    fn handle(&mut self, _: ConfirmLogin, ctx: &mut Context<Self>) {
        let _running = Running::enter(self.account);
        self.session.resume_login(now());
        self.drain(ctx);
    }
}

impl Handler<Room> for Connection {
    type Result = ();

    fn handle(&mut self, _: Room, ctx: &mut Context<Self>) {
        let _running = Running::enter(self.account);
        self.session(Session::room);
        self.drain(ctx);
    }
}

impl Handler<Logout> for Connection {
    type Result = ();

    fn handle(&mut self, _: Logout, ctx: &mut Context<Self>) {
        let _running = Running::enter(self.account);
        self.session.logout(now());
        self.drain(ctx);
    }
}

impl Handler<Close> for Connection {
    type Result = ();

    fn handle(&mut self, _: Close, ctx: &mut Context<Self>) {
        let _running = Running::enter(self.account);
        if self.link.is_some() {
            self.end_link(ctx, LinkEnd::Ours);
        } else {
            self.generation += 1; // A dial in flight is void.
            self.report(Report::Closed(LinkEnd::Ours));
        }
    }
}

impl Handler<Transmit> for Connection {
    type Result = ();

    fn handle(&mut self, transmit: Transmit, ctx: &mut Context<Self>) {
        let _running = Running::enter(self.account);
        match transmit {
            Transmit::Message { token, message } => {
                let sent = self.session.send(now(), &message);
                self.transmitted(token, sent);
            }
            Transmit::Call {
                token,
                servcmd,
                body,
            } => {
                let sent = self.session.request(now(), &servcmd, &body);
                self.transmitted(token, sent);
            }
            Transmit::Note { servcmd, body } => {
                if let Err(error) = self.session.request(now(), &servcmd, &body) {
                    tracing::debug!(account = %self.session.user(), %servcmd, %error, "note not sent");
                }
            }
        }
        self.drain(ctx);
    }
}
