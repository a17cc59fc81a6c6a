//! The [`Session`] itself: lifecycle, heartbeat, kicks, the matching of answers.

use super::event::{Event, Ignored, Part};
use super::groups::Groups;
use super::request::{Purpose, RequestError, RequestId, Requests};
use super::rooms::Rooms;
use super::seen::Memory;
use super::sync::Sync;
use crate::policy::Now;
use crate::proto::codec::{self, Frames};
use crate::proto::command;
use crate::proto::id::{SdkAppId, UserId};
use crate::proto::op::of_login;
use crate::proto::packet::{Packet, Ticket};
use crate::proto::surrogate;
use crate::proto::usersig::UserSig;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// Silence after which a heartbeat is sent.
const HEARTBEAT_AFTER: Duration = Duration::from_secs(10);

/// What is fixed for the life of a session.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The application.
    pub app: SdkAppId,
    /// The account.
    pub user: UserId,
    /// The kind of frames of the path the shell connects to.
    pub frames: Frames,
    /// Bound of one decoded packet in bytes.
    pub max_packet: usize,
    /// Requests in flight at most; more fail with [`RequestError::Full`].
    pub max_requests: usize,
    /// Messages remembered for telling repeats.
    pub seen: usize,
}

impl SessionConfig {
    /// The defaults for `user` of `app`: binary frames, [`codec::MAX_PACKET`], 128 requests in
    /// flight, 1,024 messages remembered.
    #[must_use]
    pub const fn new(app: SdkAppId, user: UserId) -> Self {
        Self {
            app,
            user,
            frames: Frames::Binary,
            max_packet: codec::MAX_PACKET,
            max_requests: 128,
            seen: 1024,
        }
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// No link. There may be a ticket to resume with.
    Disconnected,
    /// A link, and no login on it.
    LoggedOut,
    /// A full login is in flight.
    LoggingIn,
    /// A re-login with the ticket is in flight.
    Resuming,
    /// Logged in, catching up with missed messages.
    Syncing,
    /// Logged in and caught up.
    Online,
    /// A logout is in flight.
    LoggingOut,
}

impl State {
    /// SDK_READY: the account may act.
    #[must_use]
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::Syncing | Self::Online)
    }
}

/// Why [`Session::login`] did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// Already logged in (what the official SDK reports as `repeatLogin`).
    #[error("already logged in")]
    Repeat,
    /// A login is in flight (2025).
    #[error("a login is already running")]
    InFlight,
    /// There is no link.
    #[error("not connected")]
    NotConnected,
}

/// One login with the server. See the [module](super) for how to drive it.
#[derive(Debug)]
pub struct Session {
    pub(super) config: SessionConfig,
    pub(super) state: State,
    pub(super) ticket: Option<Ticket>,
    pub(super) seq: u32,
    pub(super) rng: fastrand::Rng,
    pub(super) requests: Requests,
    pub(super) memory: Memory,
    pub(super) sync: Sync,
    /// `None` of an account that is in no group.
    pub(super) groups: Option<Box<Groups>>,
    /// This app's edition has no communities: they are not asked for again.
    pub(super) without_communities: bool,
    /// `None` of an account that is in no live room.
    pub(super) rooms: Option<Box<Rooms>>,
    /// Server clock minus local clock, milliseconds.
    pub(super) clock_offset: i64,
    pub(super) login_sent: Duration,
    pub(super) last_received: Duration,
    pub(super) hello_interval: Option<Duration>,
    pub(super) next_hello: Option<Duration>,
    pub(super) overloads: Vec<(Box<str>, Duration)>,
    pub(super) garbage: u32,
    /// The server wants the login to be confirmed.
    pub(super) resume_wanted: bool,
    /// What is not heard at present.
    pub(super) troubles: BTreeSet<Part>,
    pub(super) transmits: VecDeque<String>,
    pub(super) events: VecDeque<Event>,
}

impl Session {
    /// A session that never connected. `seed` decides every number it draws; two sessions must
    /// not share one.
    #[must_use]
    pub fn new(config: SessionConfig, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self {
            seq: rng.u32(1..=99_999_999),
            rng,
            config,
            state: State::Disconnected,
            ticket: None,
            requests: Requests::default(),
            memory: Memory::default(),
            sync: Sync::default(),
            groups: None,
            without_communities: false,
            rooms: None,
            clock_offset: 0,
            login_sent: Duration::ZERO,
            last_received: Duration::ZERO,
            hello_interval: None,
            next_hello: None,
            overloads: Vec::new(),
            garbage: 0,
            resume_wanted: false,
            troubles: BTreeSet::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether a new link would be resumed instead of logged in anew.
    #[must_use]
    pub const fn can_resume(&self) -> bool {
        self.ticket.is_some()
    }

    /// The application.
    #[must_use]
    pub const fn app(&self) -> SdkAppId {
        self.config.app
    }

    /// Logins and resumes in flight: never more than one.
    #[must_use]
    pub fn logins_in_flight(&self) -> usize {
        let is_login = |purpose| matches!(purpose, Purpose::Login | Purpose::Resume);
        self.requests
            .iter()
            .filter(|request| is_login(request.purpose))
            .count()
    }

    /// The account.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.config.user
    }

    /// The kind of frames of the path to connect to.
    #[must_use]
    pub const fn frames(&self) -> Frames {
        self.config.frames
    }

    /// Bound of one packet in bytes.
    #[must_use]
    pub const fn max_packet(&self) -> usize {
        self.config.max_packet
    }

    /// Where catching up with missed messages goes on; empty before the first time.
    #[must_use]
    pub fn cookie(&self) -> &str {
        &self.sync.cookie
    }

    /// Goes on with what an earlier session of the account remembered. Messages that it reported
    /// and nobody handed on count as not seen.
    pub fn set_memory(&mut self, memory: Memory) {
        memory.forget_pending();
        self.memory = memory;
    }

    /// Catches up from `cookie` at the next login instead of from the server's unread marks.
    pub fn set_cookie(&mut self, cookie: impl Into<Box<str>>) {
        self.sync.cookie = cookie.into();
    }

    // ── what happened ────────────────────────────────────────────────────────────────────────

    /// A link is open. Resumes when there is a ticket, otherwise logs in with `user_sig`; without
    /// either the session stays [`LoggedOut`](State::LoggedOut).
    pub fn opened(&mut self, now: Now, user_sig: Option<&UserSig>) {
        self.last_received = now.mono;
        self.garbage = 0;
        self.resume_wanted = false;
        self.state = State::LoggedOut;
        // What was in flight goes first, unchanged, as the official client does it: a server knows
        // the account by its a2, not by the state of the link.
        self.requests.take_all(|purpose| purpose != Purpose::User);
        self.requests.restart(now.mono);
        self.transmits.extend(
            self.requests
                .iter()
                .map(|request| request.packet.to_string()),
        );
        if self.ticket.is_some() {
            self.resume(now);
        } else if let Some(user_sig) = user_sig {
            self.start_login(now, user_sig);
        }
        self.heartbeat(now);
    }

    /// The link is gone, for whatever reason. Requests in flight wait for the next one, within
    /// their limits.
    pub fn closed(&mut self, _now: Now) {
        self.transmits.clear();
        self.next_hello = None;
        for request in self
            .requests
            .take_each(|request| !request.may_be_repeated())
        {
            self.settle_unknown(&request);
        }
        self.abort_groups();
        if self.state == State::LoggingOut {
            // The wish was to be logged out; on a dead link there is nobody to tell.
            self.finish_logout();
        }
        self.state = State::Disconnected;
    }

    /// The link showed life without a packet. Puts the next heartbeat off.
    pub fn heard(&mut self, now: Now) {
        self.last_received = self.last_received.max(now.mono);
    }

    /// A WebSocket message came.
    pub fn received(&mut self, now: Now, payload: &[u8]) {
        if self.state == State::Disconnected {
            return;
        }
        self.last_received = now.mono;
        let text = match codec::decode(payload, self.config.frames, self.config.max_packet) {
            Ok(text) => text,
            Err(error) => return self.undecodable(&error),
        };
        let text = surrogate::mend(text);
        let packet = match Packet::parse(&text) {
            Ok(packet) => packet,
            Err(error) => return self.undecodable(&error),
        };
        self.garbage = 0;
        let request = packet
            .seq
            .and_then(|seq| self.requests.take(&packet.servcmd, seq));
        match request {
            Some(request) => self.answered(now, &request, &packet),
            None => self.pushed(now, &packet),
        }
        self.requests.shrink();
    }

    /// A WebSocket message of so many bytes came, which is more than is kept.
    pub fn received_too_large(&mut self, now: Now, bytes: u64) {
        self.last_received = now.mono;
        let what = format!("a message of {bytes} bytes, more than are kept");
        // Nothing else is as long as a page of missed messages: no need to wait until it is overdue.
        let waiting = self
            .requests
            .take_each(|request| request.purpose == Purpose::Sync);
        for request in waiting {
            self.settle(now, &request, Err(RequestError::Shape(what.clone())));
        }
        self.ignore(Ignored::Undecodable(what));
        self.requests.shrink();
    }

    /// The time named by [`poll_timeout`](Self::poll_timeout) has come. Harmless when early.
    pub fn timeout(&mut self, now: Now) {
        while let Some(request) = self.requests.take_overdue(now.mono) {
            self.timed_out(now, &request);
        }
        self.overloads.retain(|(_, until)| *until > now.mono);
        if self.state == State::Disconnected {
            return;
        }
        if now.mono >= self.last_received + HEARTBEAT_AFTER {
            self.heartbeat(now);
        }
        if self.next_hello.is_some_and(|at| at <= now.mono) {
            self.next_hello = self.hello_interval.map(|interval| now.mono + interval);
            if self.state.is_ready() && !self.requests.contains(Purpose::Hello) {
                self.ask(
                    now,
                    Purpose::Hello,
                    command::HELLO,
                    r#"{"is_web_uniapp":0}"#,
                );
            }
        }
        self.sync_timeout(now);
        self.groups_timeout(now);
        self.rooms_timeout(now);
    }

    // ── what is wanted ───────────────────────────────────────────────────────────────────────

    /// Logs in on the open link.
    ///
    /// # Errors
    /// When already logged in, while a login is in flight, and without a link. Nothing is sent then.
    pub fn login(&mut self, now: Now, user_sig: &UserSig) -> Result<(), LoginError> {
        match self.state {
            State::Disconnected => Err(LoginError::NotConnected),
            State::LoggingIn | State::Resuming | State::LoggingOut => Err(LoginError::InFlight),
            State::Syncing | State::Online => Err(LoginError::Repeat),
            State::LoggedOut => {
                self.start_login(now, user_sig);
                Ok(())
            }
        }
    }

    /// Replaces the login by a new one on the same link: a logout and a login in one go, so that the
    /// account never has two logins that could push each other out. What was in flight is settled
    /// as [`NotLoggedIn`](RequestError::NotLoggedIn); what comes in between is caught up with.
    ///
    /// # Errors
    /// As [`login`](Self::login); nothing is sent then.
    pub fn relogin(&mut self, now: Now, user_sig: &UserSig) -> Result<(), LoginError> {
        match self.state {
            State::Disconnected => Err(LoginError::NotConnected),
            State::LoggingIn | State::Resuming | State::LoggingOut => Err(LoginError::InFlight),
            State::LoggedOut => self.login(now, user_sig),
            State::Syncing | State::Online => {
                self.say(now, command::LOGOUT, LOGOUT_BODY);
                self.drop_login(|purpose| purpose != Purpose::Heartbeat);
                self.start_login(now, user_sig);
                Ok(())
            }
        }
    }

    /// Confirms the login on the open link, as the server wanted with [`Event::ResumeWanted`]; nothing
    /// happens when it is not logged in any more.
    pub fn resume_login(&mut self, now: Now) {
        if std::mem::take(&mut self.resume_wanted) && self.state.is_ready() {
            self.abort_sync();
            self.abort_groups();
            self.requests.take_all(|purpose| {
                matches!(
                    purpose,
                    Purpose::Sync | Purpose::Groups | Purpose::History | Purpose::Poll
                )
            });
            self.resume(now);
        }
    }

    /// Logs out; [`Event::LoggedOut`] follows in every case, at the latest after 15 s. Requests in
    /// flight are settled as [`NotLoggedIn`](RequestError::NotLoggedIn).
    pub fn logout(&mut self, now: Now) {
        if self.state == State::LoggingOut {
            return;
        }
        let said = self.ticket.is_some() && self.state != State::Disconnected;
        if said {
            self.ask(now, Purpose::Logout, command::LOGOUT, LOGOUT_BODY);
        }
        self.drop_login(|purpose| purpose != Purpose::Logout && purpose != Purpose::Heartbeat);
        if said {
            self.state = State::LoggingOut;
        } else {
            self.events.push_back(Event::LoggedOut);
        }
    }

    /// Sends a request of the caller's own; [`Event::Settled`] tells its outcome. While the link is
    /// down it waits for the next one, within its limit of 15 s.
    ///
    /// # Errors
    /// When not logged in, when the server asked for rest on the command, and when too many
    /// requests are in flight.
    pub fn request(
        &mut self,
        now: Now,
        servcmd: &str,
        body: &str,
    ) -> Result<RequestId, RequestError> {
        let Some(ticket) = &self.ticket else {
            return Err(RequestError::NotLoggedIn);
        };
        if self.is_overloaded(servcmd, now.mono) {
            return Err(RequestError::Overloaded);
        }
        if self.requests.len() >= self.config.max_requests {
            return Err(RequestError::Full);
        }
        let whole = of_login(servcmd, body, self.config.app, &ticket.tiny_id);
        let body = whole.as_deref().unwrap_or(body);
        Ok(RequestId(self.ask(now, Purpose::User, servcmd, body)))
    }

    // ── what to do about it ──────────────────────────────────────────────────────────────────

    /// The next packet to send. Packets made while the link is down are not among them: they are
    /// repeated when it opens.
    pub fn poll_transmit(&mut self) -> Option<String> {
        let packet = self.transmits.pop_front();
        if packet.is_none() && self.transmits.capacity() > 0 {
            self.transmits = VecDeque::new();
        }
        packet
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if event.is_none() && self.events.capacity() > 0 {
            self.events = VecDeque::new();
        }
        event
    }

    /// When to call [`timeout`](Self::timeout), as monotonic time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let linked = self.state != State::Disconnected;
        let heartbeat = (linked && !self.requests.contains(Purpose::Heartbeat))
            .then(|| self.last_received + HEARTBEAT_AFTER);
        self.poll_timeout_while_heard()
            .into_iter()
            .chain(heartbeat)
            .min()
    }

    /// Like [`poll_timeout`](Self::poll_timeout), for a shell that knows by other means that the
    /// link lives, says so with [`heard`](Self::heard), and needs no heartbeats: a simulation.
    #[must_use]
    pub fn poll_timeout_while_heard(&self) -> Option<Duration> {
        let linked = self.state != State::Disconnected;
        let hello = self.next_hello.filter(|_| linked);
        let overload = self.overloads.iter().map(|(_, until)| *until).min();
        [
            self.requests.next_deadline(),
            hello,
            overload,
            self.sync_deadline(),
            self.groups_deadline(),
            self.rooms_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

const LOGOUT_BODY: &str = r#"{"wslogout_type":0,"is_web_uniapp":0}"#;
