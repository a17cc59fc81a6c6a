//! A connection: a session and at most one link, driven by the account that owns it. It feeds and
//! drains, and decides nothing.

use super::connector::{Connector, Dialled};
use super::memory::SharedMemory;
use super::websocket::{CLOSE_LIMIT, Heard, ReadTurn, WebSocket};
use crate::policy::Now;
use crate::proto::usersig::UserSig;
use crate::session::{
    Event, HandedTicket, OutgoingMessage, RepeatedPush, RequestError, RequestId, Session,
};
use botroupe_core::account::{ConnectError, LinkEnd, Report};
use futures_util::future::LocalBoxFuture;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// A link to open; the session resumes on it, or logs in with `user_sig`.
#[derive(Debug)]
pub struct Dial {
    /// `ws://` or `wss://`, path and query included.
    pub url: String,
    /// How long name resolution, TCP, TLS and upgrade may take together.
    pub limit: Duration,
    /// For a full login; ignored when the session can resume.
    pub user_sig: Option<UserSig>,
}

/// Something to send. Of a message or a request [`Report::Settled`] with the same token follows.
#[derive(Debug)]
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

/// How long an acknowledgement waits for an answer of a bot; a store on disk takes about as long.
/// In milliseconds.
const HOLD: u32 = 10;

thread_local! {
    /// A message to a group comes to many accounts of a thread in the same bytes.
    static REPEATED: RefCell<RepeatedPush> = RefCell::default();
}

/// The lower bits of a time.
#[expect(
    clippy::cast_possible_truncation,
    reason = "only near times are compared"
)]
const fn millis(now: Now) -> u32 {
    now.mono.as_millis() as u32
}

/// A link that is being opened.
struct Dialling {
    link: LocalBoxFuture<'static, Result<Dialled, ConnectError>>,
    user_sig: Option<UserSig>,
}

/// See the module. Its owner calls [`poll`](Self::poll) whenever its task is woken, takes the reports, gives
/// orders, and ends each turn with [`flush`](Self::flush), so that everything of a turn leaves in one write.
pub struct Connection {
    session: Session,
    link: Option<WebSocket>,
    dialling: Option<Box<Dialling>>,
    /// The goodbye of a link that its owner closed: the owner wants to know that it is out.
    goodbye: Option<LocalBoxFuture<'static, ()>>,
    /// The tokens of requests in flight.
    tokens: Vec<(RequestId, u64)>,
    reports: VecDeque<Report>,
    /// There are only acknowledgements to send, and they wait for the answers of bots.
    is_held: bool,
    /// Until then, in milliseconds, of which the upper bits are left out: there are many connections.
    held_until: u32,
    /// There is something else to send as well.
    has_urgent: bool,
    /// Something is under way that was not polled yet: nobody would be woken for it.
    unpolled: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// The login, for another process.
    pub(crate) fn ticket(&self) -> Option<HandedTicket> {
        self.session.ticket()
    }

    /// A connection without a link.
    #[must_use]
    pub const fn new(session: Session) -> Self {
        Self {
            session,
            link: None,
            dialling: None,
            goodbye: None,
            tokens: Vec::new(),
            reports: VecDeque::new(),
            is_held: false,
            held_until: 0,
            has_urgent: false,
            unpolled: false,
        }
    }

    // ── outputs ──────────────────────────────────────────────────────────────────────────────

    /// The next thing its owner has to know.
    pub fn poll_report(&mut self) -> Option<Report> {
        let report = self.reports.pop_front();
        if report.is_none() && self.reports.capacity() > 0 {
            // Between two packets there is nothing to report, and accounts are many.
            self.reports = VecDeque::new();
        }
        report
    }

    /// Whether [`poll_report`](Self::poll_report) has something.
    #[must_use]
    pub fn has_report(&self) -> bool {
        !self.reports.is_empty()
    }

    /// When to call [`timeout`](Self::timeout), as monotonic time.
    #[must_use]
    pub fn poll_timeout(&mut self, now: Now, memory: &SharedMemory) -> Option<Duration> {
        let session = self.session.poll_timeout(&mut memory.lock());
        let held = self.is_held.then(|| now.mono + self.held_for(now));
        session.into_iter().chain(held).min()
    }

    /// How long acknowledgements are held back.
    fn held_for(&self, now: Now) -> Duration {
        let left = self.held_until.wrapping_sub(millis(now));
        // A time that is over shows as one that is far away.
        if left > u32::MAX / 2 {
            return Duration::ZERO;
        }
        Duration::from_millis(left.into())
    }

    // ── inputs ───────────────────────────────────────────────────────────────────────────────

    /// Opens a link. One that is still there makes way; its end is of no interest any more.
    pub fn dial(&mut self, now: Now, connector: &dyn Connector, dial: Dial) {
        if let Some(link) = self.link.take() {
            let abandoned = self.session.logins_in_flight() > 0;
            self.session.closed(now);
            if !abandoned {
                actix_rt::spawn(farewell(link));
            }
        }
        if let Some(goodbye) = self.goodbye.take() {
            actix_rt::spawn(goodbye);
        }
        self.unpolled = true;
        self.dialling = Some(Box::new(Dialling {
            link: connector.dial(dial.url, dial.limit),
            user_sig: dial.user_sig,
        }));
    }

    /// Replaces the login on the open link by a new one.
    pub fn relogin(&mut self, now: Now, user_sig: &UserSig) {
        if let Err(error) = self.session.relogin(now, user_sig) {
            tracing::debug!(account = %self.session.user(), %error, "login not replaced");
        }
        self.drain(now);
    }

    /// Confirms the login on the open link, as the server wanted with [`Event::ResumeWanted`].
    pub fn confirm_login(&mut self, now: Now) {
        self.session.resume_login(now);
        self.drain(now);
    }

    /// The bots have room again.
    pub fn room(&mut self, now: Now, memory: &SharedMemory) {
        self.session.room(now, &mut memory.lock());
        self.drain(now);
    }

    /// Logs out on the open link; [`Event::LoggedOut`] follows.
    pub fn logout(&mut self, now: Now) {
        self.session.logout(now);
        self.drain(now);
    }

    /// Closes the link; what is queued goes out first.
    pub fn close(&mut self, now: Now) {
        self.dialling = None;
        if self.link.is_some() {
            self.end_link(now, LinkEnd::Ours);
        } else {
            self.report(Report::Closed(LinkEnd::Ours));
        }
    }

    /// Sends a message or a request.
    pub fn transmit(&mut self, now: Now, transmit: Transmit) {
        match transmit {
            Transmit::Message { token, message } => {
                let sent = self.session.send(now, &message);
                self.transmitted(token, sent);
            }
            Transmit::Call {
                token,
                servcmd,
                body,
            } => {
                let sent = self.session.request(now, &servcmd, &body);
                self.transmitted(token, sent);
            }
            Transmit::Note { servcmd, body } => {
                if let Err(error) = self.session.request(now, &servcmd, &body) {
                    tracing::debug!(account = %self.session.user(), %servcmd, %error, "note not sent");
                }
            }
        }
        self.drain(now);
    }

    /// The time named by [`poll_timeout`](Self::poll_timeout) has come. Harmless when early.
    pub fn timeout(&mut self, now: Now, memory: &SharedMemory) {
        self.session.timeout(now, &mut memory.lock());
        self.drain(now);
    }

    // ── the link ─────────────────────────────────────────────────────────────────────────────

    /// Goes on with what is under way: a dial, a goodbye, and one turn of reading. Reports follow.
    pub fn poll(&mut self, cx: &mut Context<'_>, now: Now, memory: &SharedMemory) {
        self.unpolled = false;
        if let Some(goodbye) = &mut self.goodbye
            && goodbye.as_mut().poll(cx).is_ready()
        {
            self.goodbye = None;
            self.report(Report::Closed(LinkEnd::Ours));
        }
        if let Some(dialling) = &mut self.dialling
            && let Poll::Ready(outcome) = dialling.link.as_mut().poll(cx)
            && let Some(dialling) = self.dialling.take()
        {
            self.dialled(now, outcome, dialling.user_sig.as_ref());
        }
        self.read(cx, now, memory);
    }

    /// Whether [`poll`](Self::poll) has to be called once more before the task sleeps.
    #[must_use]
    pub const fn is_unpolled(&self) -> bool {
        self.unpolled
    }

    /// Writes what is queued.
    ///
    /// An acknowledgement that is alone waits a little while bots are at work: it goes with their answer, in one
    /// write.
    pub fn flush(&mut self, cx: &mut Context<'_>, now: Now, memory: &SharedMemory) {
        if self.is_held {
            if !self.held_for(now).is_zero() && memory.lock().open() > 0 {
                return;
            }
            self.is_held = false;
        }
        self.has_urgent = false;
        if let Some(link) = &mut self.link
            && let Poll::Ready(Err(end)) = link.poll_flush(cx)
        {
            self.end_link(now, end);
        }
    }

    fn dialled(
        &mut self,
        now: Now,
        outcome: Result<Dialled, ConnectError>,
        user_sig: Option<&UserSig>,
    ) {
        let dialled = match outcome {
            Ok(dialled) => dialled,
            Err(error) => return self.report(Report::DialFailed(error)),
        };
        if let Some(time) = dialled.server_time {
            self.report(Report::ServerTime(time));
        }
        let (frames, max) = (self.session.frames(), self.session.max_packet());
        self.link = Some(WebSocket::new(dialled.io, frames, dialled.early, max));
        self.report(Report::Opened);
        self.session.opened(now, user_sig);
        self.drain(now);
    }

    fn read(&mut self, cx: &mut Context<'_>, now: Now, memory: &SharedMemory) {
        let Some(link) = &mut self.link else {
            return;
        };
        let session = &mut self.session;
        let turn = link.poll_read(cx, |heard| {
            // Held for no longer than the session needs it: whatever hangs must not hold up the account's next
            // actor.
            let memory = &mut *memory.lock();
            match heard {
                Heard::Message(message) => REPEATED.with_borrow_mut(|repeated| {
                    session.received(now, memory, repeated, message);
                }),
                Heard::TooLarge(bytes) => session.received_too_large(now, memory, bytes),
            }
            true
        });
        match turn {
            Poll::Pending => self.drain(now),
            Poll::Ready(ReadTurn::More) => {
                cx.waker().wake_by_ref();
                self.drain(now);
            }
            Poll::Ready(ReadTurn::Ended(end)) => {
                self.drain(now);
                self.end_link(now, end);
            }
        }
    }

    fn transmitted(&mut self, token: u64, sent: Result<RequestId, RequestError>) {
        match sent {
            Ok(id) => self.tokens.push((id, token)),
            Err(error) => self.report(Report::Settled {
                token,
                outcome: Err(error),
            }),
        }
    }

    fn report(&mut self, report: Report) {
        self.reports.push_back(report);
    }

    /// Drains the session after every input: packets to the link, events to the owner.
    fn drain(&mut self, now: Now) {
        let mut sent = false;
        while let Some(packet) = self.session.poll_transmit() {
            sent = true;
            if let Some(link) = &mut self.link
                && let Err(end) = link.send(&packet)
            {
                self.end_link(now, end);
            }
        }
        if self.session.take_urgency() {
            (self.is_held, self.has_urgent) = (false, true);
        } else if sent && !self.has_urgent && !self.is_held {
            (self.is_held, self.held_until) = (true, millis(now).wrapping_add(HOLD));
        }
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::LinkDead(fault) => self.end_link(now, LinkEnd::Fault(fault)),
                Event::Settled { id, outcome } => self.settled(id, outcome),
                event => self.report(Report::Session(event)),
            }
        }
    }

    fn settled(&mut self, id: RequestId, outcome: Result<String, RequestError>) {
        if let Some(at) = self.tokens.iter().position(|(of, _)| *of == id) {
            let (_, token) = self.tokens.swap_remove(at);
            self.report(Report::Settled { token, outcome });
        }
        if self.tokens.is_empty() && self.tokens.capacity() > 4 {
            self.tokens = Vec::new();
        }
    }

    fn end_link(&mut self, now: Now, end: LinkEnd) {
        let Some(mut link) = self.link.take() else {
            return;
        };
        if self.session.logins_in_flight() > 0 || matches!(end, LinkEnd::Fault(_)) {
            // It may still hold a login, which must not arrive any more: dropping the link resets it.
            drop(link);
            self.report(Report::Closed(end));
        } else {
            link.close(match end {
                LinkEnd::Protocol(error) => error.close_code(),
                _ => 1000,
            });
            let farewell = farewell(link);
            if end == LinkEnd::Ours {
                self.unpolled = true;
                self.goodbye = Some(Box::pin(farewell));
            } else {
                actix_rt::spawn(farewell);
                self.report(Report::Closed(end));
            }
        }
        self.session.closed(now);
        self.drain(now);
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
