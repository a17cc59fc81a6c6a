//! The [`Session`] itself: lifecycle, heartbeat, kicks, the matching of answers.

use super::event::{Event, Ignored, LinkFault, Ready};
use super::request::{InFlight, Purpose, RequestError, RequestId, Requests};
use super::seen::Memory;
use super::sync::Sync;
use crate::policy::Now;
use crate::proto::answer::LoginAnswer;
use crate::proto::code::Code;
use crate::proto::codec::{self, Frames};
use crate::proto::command;
use crate::proto::event::{KickType, Notice, Push};
use crate::proto::id::{SdkAppId, UserId};
use crate::proto::message::Message;
use crate::proto::packet::{AnswerStatus, Identity, Packet, Request, SEQ_LIMIT, Ticket};
use crate::proto::usersig::UserSig;
use std::collections::VecDeque;
use std::time::Duration;

/// Silence after which a heartbeat is sent.
const HEARTBEAT_AFTER: Duration = Duration::from_secs(10);
/// Unreadable packets in a row after which a link is given up.
const MAX_GARBAGE: u32 = 20;
/// Overload pauses remembered; more than this the service never names at once.
const MAX_OVERLOADS: usize = 32;

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
    /// Server clock minus local clock, milliseconds.
    pub(super) clock_offset: i64,
    login_sent: Duration,
    last_received: Duration,
    hello_interval: Option<Duration>,
    next_hello: Option<Duration>,
    overloads: Vec<(Box<str>, Duration)>,
    garbage: u32,
    transmits: VecDeque<String>,
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
            clock_offset: 0,
            login_sent: Duration::ZERO,
            last_received: Duration::ZERO,
            hello_interval: None,
            next_hello: None,
            overloads: Vec::new(),
            garbage: 0,
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

    /// Goes on with what an earlier session of the account remembered.
    pub fn set_memory(&mut self, memory: Memory) {
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
        self.requests.take_all(|purpose| purpose != Purpose::User);
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
        let packet = match Packet::parse(&text) {
            Ok(packet) => packet,
            Err(error) => return self.undecodable(&error),
        };
        self.garbage = 0;
        let request = packet
            .seq
            .and_then(|seq| self.requests.take(&packet.servcmd, seq));
        match request {
            Some(request) => self.answered(now, request, &packet),
            None => self.pushed(now, &packet),
        }
        self.requests.shrink();
    }

    /// The time named by [`poll_timeout`](Self::poll_timeout) has come. Harmless when early.
    pub fn timeout(&mut self, now: Now) {
        while let Some(request) = self.requests.take_overdue(now.mono) {
            self.timed_out(now, request);
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

    /// Logs out; [`Event::LoggedOut`] follows in every case, at the latest after 15 s. Requests in
    /// flight are settled as [`NotLoggedIn`](RequestError::NotLoggedIn).
    pub fn logout(&mut self, now: Now) {
        if self.state == State::LoggingOut {
            return;
        }
        let said = self.ticket.is_some() && self.state != State::Disconnected;
        if said {
            self.ask(
                now,
                Purpose::Logout,
                command::LOGOUT,
                r#"{"wslogout_type":0,"is_web_uniapp":0}"#,
            );
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
        if self.ticket.is_none() {
            return Err(RequestError::NotLoggedIn);
        }
        if self.is_overloaded(servcmd, now.mono) {
            return Err(RequestError::Overloaded);
        }
        if self.requests.len() >= self.config.max_requests {
            return Err(RequestError::Full);
        }
        Ok(RequestId(self.ask(now, Purpose::User, servcmd, body)))
    }

    // ── what to do about it ──────────────────────────────────────────────────────────────────

    /// The next packet to send. Packets made while the link is down are not among them: they are
    /// repeated when it opens.
    pub fn poll_transmit(&mut self) -> Option<String> {
        let packet = self.transmits.pop_front();
        if packet.is_none() && self.transmits.capacity() > 8 {
            self.transmits = VecDeque::new();
        }
        packet
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if event.is_none() && self.events.capacity() > 8 {
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
        ]
        .into_iter()
        .flatten()
        .min()
    }

    // ── inside ───────────────────────────────────────────────────────────────────────────────

    fn start_login(&mut self, now: Now, user_sig: &UserSig) {
        if self.is_overloaded(command::LOGIN, now.mono) {
            return self.refuse(Code::OVERLOADED, String::new(), false);
        }
        self.ticket = None;
        self.login_sent = now.mono;
        let seq = self.next_seq();
        let user = self.config.user.clone();
        self.put(
            now,
            Purpose::Login,
            command::LOGIN,
            LOGIN_BODY,
            seq,
            Identity::UserSig(&user, user_sig),
        );
        self.state = State::LoggingIn;
    }

    fn resume(&mut self, now: Now) {
        if self.is_overloaded(command::LOGIN, now.mono) {
            // The ticket is kept: the shell tries again when the pause is over.
            self.events.push_back(Event::Refused {
                code: Code::OVERLOADED,
                info: String::new(),
                resuming: true,
            });
            return;
        }
        self.login_sent = now.mono;
        self.ask(now, Purpose::Resume, command::LOGIN, LOGIN_BODY);
        self.state = State::Resuming;
    }

    fn heartbeat(&mut self, now: Now) {
        if !self.requests.contains(Purpose::Heartbeat) {
            self.ask(now, Purpose::Heartbeat, command::HEARTBEAT, "{}");
        }
    }

    fn next_seq(&mut self) -> u32 {
        self.seq += 1;
        if self.seq >= SEQ_LIMIT {
            self.seq = self.rng.u32(1..=99_999_999);
        }
        self.seq
    }

    /// Sends a request in the account's present identity.
    pub(super) fn ask(&mut self, now: Now, purpose: Purpose, servcmd: &str, body: &str) -> u32 {
        let seq = self.next_seq();
        let ticket = self.ticket.take();
        let identity = ticket
            .as_ref()
            .map_or(Identity::Anonymous, Identity::Ticket);
        self.put(now, purpose, servcmd, body, seq, identity);
        self.ticket = ticket;
        seq
    }

    fn put(
        &mut self,
        now: Now,
        purpose: Purpose,
        servcmd: &str,
        body: &str,
        seq: u32,
        identity: Identity<'_>,
    ) {
        let packet = Request {
            identity,
            app: self.config.app,
            time: now.unix_secs(),
            servcmd,
            seq,
            body,
        }
        .encode();
        let keep = purpose == Purpose::User;
        self.requests.insert(InFlight {
            seq,
            servcmd: servcmd.into(),
            purpose,
            deadline: now.mono + InFlight::limit(purpose),
            packet: if keep {
                packet.as_str().into()
            } else {
                "".into()
            },
        });
        if self.state != State::Disconnected {
            self.transmits.push_back(packet);
        }
    }

    /// Says something that has no answer: acknowledgements and the farewell after a kick.
    fn say(&mut self, now: Now, servcmd: &str, body: &str) {
        let seq = self.next_seq();
        let identity = self
            .ticket
            .as_ref()
            .map_or(Identity::Anonymous, Identity::Ticket);
        let packet = Request {
            identity,
            app: self.config.app,
            time: now.unix_secs(),
            servcmd,
            seq,
            body,
        }
        .encode();
        self.transmits.push_back(packet);
    }

    fn answered(&mut self, now: Now, request: InFlight, packet: &Packet<'_>) {
        let status = match packet.status() {
            Ok(status) => status,
            Err(error) => {
                self.ignore(Ignored::Malformed(format!("{}: {error}", packet.servcmd)));
                return self.settle(now, &request, Err(RequestError::Shape(error.to_string())));
            }
        };
        // Any answer to a heartbeat proves the link, an error too. Reacting to the error is what
        // sends the official client into a reconnect storm.
        if request.purpose == Purpose::Heartbeat {
            return;
        }
        if let Some(code) = status.error() {
            if self.is_login_lost(now, &request, code, &status) {
                return;
            }
            let info = status.info().to_owned();
            return self.settle(now, &request, Err(RequestError::Refused { code, info }));
        }
        self.settle(now, &request, Ok(packet.body));
    }

    /// The codes that end a login in whatever answer they stand.
    fn is_login_lost(
        &mut self,
        now: Now,
        request: &InFlight,
        code: Code,
        status: &AnswerStatus,
    ) -> bool {
        if self.ticket.is_none() || matches!(request.purpose, Purpose::Login | Purpose::Logout) {
            return false;
        }
        if code == Code::KICKED
            && let Some(kick) = status.kick_type().and_then(KickType::from_wire)
        {
            self.settle_not_logged_in(request);
            self.kicked(now, kick);
            return true;
        }
        if code == Code::USERSIG_EXPIRED || code == Code::C2C_NOT_AUTHENTICATED {
            self.settle_not_logged_in(request);
            self.drop_login(|purpose| purpose != Purpose::Heartbeat);
            self.events.push_back(Event::Expired {
                code,
                servcmd: request.servcmd.clone(),
            });
            return true;
        }
        false
    }

    fn settle_not_logged_in(&mut self, request: &InFlight) {
        if request.purpose == Purpose::User {
            self.events.push_back(Event::Settled {
                id: RequestId(request.seq),
                outcome: Err(RequestError::NotLoggedIn),
            });
        }
    }

    fn settle(&mut self, now: Now, request: &InFlight, outcome: Result<&str, RequestError>) {
        match request.purpose {
            Purpose::Login | Purpose::Resume => {
                let resuming = request.purpose == Purpose::Resume;
                match outcome {
                    Ok(body) => self.logged_in(now, body, resuming),
                    Err(RequestError::Refused { code, info }) => self.refuse(code, info, resuming),
                    Err(error) => self.refuse(Code::NETWORK_TIMEOUT, error.to_string(), resuming),
                }
            }
            Purpose::Logout => self.finish_logout(),
            Purpose::Sync => self.sync_answered(now, outcome),
            Purpose::User => self.events.push_back(Event::Settled {
                id: RequestId(request.seq),
                outcome: outcome.map(str::to_owned),
            }),
            // Errors and timeouts of hello say nothing; the heartbeat watches the link.
            Purpose::Hello | Purpose::Heartbeat => {}
        }
    }

    fn timed_out(&mut self, now: Now, request: InFlight) {
        match request.purpose {
            Purpose::Heartbeat => {
                self.events
                    .push_back(Event::LinkDead(LinkFault::HeartbeatUnanswered));
            }
            Purpose::Login | Purpose::Resume => {
                self.state = State::LoggedOut;
                self.events
                    .push_back(Event::LinkDead(LinkFault::LoginUnanswered));
            }
            _ => self.settle(now, &request, Err(RequestError::TimedOut)),
        }
    }

    fn logged_in(&mut self, now: Now, body: &str, resuming: bool) {
        let answer: LoginAnswer = match serde_json::from_str(body) {
            Ok(answer) => answer,
            Err(error) => return self.refuse(Code::CLIENT_NO_A2, error.to_string(), resuming),
        };
        if !resuming {
            // Of the answer to a resume these are not taken: the official client goes on with the
            // old ones, so a server cannot have meant new ones.
            let Some(tiny_id) = answer.tiny_id.filter(|id| !id.is_empty()) else {
                return self.refuse(
                    Code::CLIENT_NO_TINY_ID,
                    "login answer without TinyId".into(),
                    false,
                );
            };
            let Some(a2) = answer.a2 else {
                return self.refuse(
                    Code::CLIENT_NO_A2,
                    "login answer without A2Key".into(),
                    false,
                );
            };
            self.ticket = Some(Ticket {
                a2,
                tiny_id: tiny_id.into(),
                inst_id: answer.inst_id,
            });
            self.hello_interval = answer
                .hello_interval
                .map(|seconds| Duration::from_secs(seconds.clamp(1, 86_400)));
        }
        if let Some(time) = answer.time {
            let round_trip = now.mono.saturating_sub(self.login_sent);
            let server = i64::try_from(time.saturating_mul(1000)).unwrap_or(i64::MAX);
            let local = i64::try_from(now.unix.as_millis()).unwrap_or(i64::MAX);
            let half = i64::try_from(round_trip.as_millis() / 2).unwrap_or(0);
            self.clock_offset = server.saturating_add(half).saturating_sub(local);
        }
        self.next_hello = self.hello_interval.map(|interval| now.mono + interval);
        self.state = State::Syncing;
        self.events.push_back(Event::Ready(Ready {
            resumed: resuming,
            inst_id: self
                .ticket
                .as_ref()
                .and_then(|ticket| ticket.inst_id.clone()),
            clock_offset: self.clock_offset,
        }));
        self.start_sync(now);
    }

    fn refuse(&mut self, code: Code, info: String, resuming: bool) {
        self.drop_login(|purpose| purpose != Purpose::Heartbeat);
        self.events.push_back(Event::Refused {
            code,
            info,
            resuming,
        });
    }

    fn kicked(&mut self, now: Now, kick: KickType) {
        if self.ticket.is_none() || self.state == State::LoggingOut {
            return; // Not logged in, or about not to be.
        }
        if kick != KickType::RestApi {
            self.say(
                now,
                command::LOGOUT,
                r#"{"wslogout_type":1,"is_web_uniapp":0}"#,
            );
        }
        self.drop_login(|purpose| purpose != Purpose::Heartbeat);
        self.events.push_back(Event::Kicked(kick));
    }

    /// Forgets the login and settles every request in flight that `which` names.
    fn drop_login(&mut self, which: impl Fn(Purpose) -> bool) {
        self.ticket = None;
        self.next_hello = None;
        for request in self.requests.take_all(which) {
            self.settle_not_logged_in(&request);
        }
        self.abort_sync();
        if self.state != State::Disconnected {
            self.state = State::LoggedOut;
        }
    }

    fn finish_logout(&mut self) {
        if self.state == State::LoggingOut {
            self.state = State::LoggedOut;
            self.requests.take_all(|purpose| purpose == Purpose::Logout);
            self.events.push_back(Event::LoggedOut);
        }
    }

    fn pushed(&mut self, now: Now, packet: &Packet<'_>) {
        match Push::parse(&packet.servcmd, packet.body) {
            Push::Events {
                notices,
                ack,
                sync_hint,
            } => {
                for notice in notices {
                    self.noticed(now, notice);
                }
                // After the notices: what is acknowledged has been handed out.
                if let Some(session_data) = ack
                    && self.ticket.is_some()
                    && let Ok(body) =
                        serde_json::to_string(&serde_json::json!({ "SessionData": session_data }))
                {
                    self.say(now, command::PUSH_ACK, &body);
                }
                self.after_push(now, sync_hint);
            }
            Push::Overload { servcmd, delay } => {
                self.overloads
                    .retain(|(name, until)| **name != *servcmd && *until > now.mono);
                if self.overloads.len() < MAX_OVERLOADS {
                    self.overloads
                        .push((servcmd.as_str().into(), now.mono + delay));
                }
                self.events.push_back(Event::Overloaded { servcmd, delay });
            }
            Push::KickOther => {
                if self.state.is_ready() {
                    self.abort_sync();
                    self.requests.take_all(|purpose| purpose == Purpose::Sync);
                    self.resume(now);
                }
            }
            Push::Unknown if packet.seq.is_some_and(|seq| self.is_late_answer(seq)) => {
                self.ignore(Ignored::Answer(packet.servcmd.to_string()));
            }
            Push::Unknown => self.ignore(Ignored::Push(packet.servcmd.to_string())),
        }
    }

    /// A number this session gave out not long ago.
    fn is_late_answer(&self, seq: u64) -> bool {
        let seq = u32::try_from(seq).unwrap_or(0);
        seq <= self.seq && self.seq - seq < 100_000
    }

    pub(super) fn noticed(&mut self, now: Now, notice: Notice) {
        match notice {
            Notice::C2c(item) => {
                let message = Message::from_c2c(*item, self.config.user.as_str());
                self.message(message);
            }
            Notice::Kicked(kick) => self.kicked(now, kick),
            Notice::Unknown { event, .. } => self.ignore(Ignored::Notice(event)),
            Notice::Malformed { reason } => self.ignore(Ignored::Malformed(reason)),
        }
    }

    fn undecodable(&mut self, error: &codec::DecodeError) {
        self.ignore(Ignored::Undecodable(error.to_string()));
        self.garbage += 1;
        if self.garbage == MAX_GARBAGE {
            self.events.push_back(Event::LinkDead(LinkFault::Garbage));
        }
    }

    pub(super) fn ignore(&mut self, what: Ignored) {
        self.events.push_back(Event::Ignored(what));
    }

    pub(super) fn is_overloaded(&self, servcmd: &str, now: Duration) -> bool {
        self.overloads
            .iter()
            .any(|(name, until)| **name == *servcmd && *until > now)
    }
}

const LOGIN_BODY: &str = r#"{"State":"Online","is_web_uniapp":0,"InstType":0,"CustomInfo":""}"#;
