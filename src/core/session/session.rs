//! The [`Session`]: it hands each input to the machine it is for, and lets one machine's outcome move
//! the others.

use super::event::{Event, Ignored, LinkFault, Ready};
use super::events::Events;
use super::feed::Feed;
use super::handover::HandedTicket;
use super::intake::Intake;
use super::login::{Login, Unusable};
use super::memory::Memory;
use super::outgoing::Outgoing;
use super::repeated::RepeatedPush;
use super::request::{InFlight, Purpose, RequestError, RequestId};
use super::state::{LoginError, OutgoingMessage, SessionConfig, SessionState};
use super::turn::Shared;
use crate::policy::Now;
use crate::proto::code::Code;
use crate::proto::codec::{self, Frames};
use crate::proto::command;
use crate::proto::event::{KickType, Push};
use crate::proto::id::{SdkAppId, UserId};
use crate::proto::incoming::Incoming;
use crate::proto::message::{Conversation, SendC2c, SendGroup};
use crate::proto::packet::{AnswerStatus, Packet};
use crate::proto::surrogate;
use crate::proto::usersig::UserSig;
use std::time::Duration;

/// Silence after which a heartbeat is sent.
const HEARTBEAT_AFTER: Duration = Duration::from_secs(10);
/// Unreadable packets in a row after which a link is given up.
const MAX_GARBAGE: u32 = 20;
const LOGIN_BODY: &str = r#"{"State":"Online","is_web_uniapp":0,"InstType":0,"CustomInfo":""}"#;
const LOGOUT_BODY: &str = r#"{"wslogout_type":0,"is_web_uniapp":0}"#;
const FAREWELL_BODY: &str = r#"{"wslogout_type":1,"is_web_uniapp":0}"#;
const HELLO_BODY: &str = r#"{"is_web_uniapp":0}"#;

/// One login with the server. See the [module](super) for how to drive it.
#[derive(Debug)]
pub struct Session {
    frames: Frames,
    max_packet: usize,
    shared: Shared,
    link: Option<Link>,
    login: Login,
    feed: Feed,
}

/// What is known of the open link.
#[derive(Debug)]
struct Link {
    last_received: Duration,
    /// Unreadable packets in a row.
    garbage: u32,
    /// The server wants the login to be confirmed.
    resume_wanted: bool,
}

impl Session {
    /// A session that never connected. `seed` decides every number it draws; two sessions must
    /// not share one. `memory` is what earlier sessions of the account knew: messages that they
    /// reported and nobody handed on count as not seen.
    #[must_use]
    pub fn new(config: SessionConfig, seed: u64, memory: &mut Memory) -> Self {
        memory.forget_pending();
        Self {
            frames: config.frames,
            max_packet: config.max_packet,
            shared: Shared {
                state: SessionState::Disconnected,
                out: Outgoing::new(config.app, config.user, config.max_requests, seed),
                intake: Intake::new(config.seen),
                events: Events::default(),
            },
            link: None,
            login: Login::default(),
            feed: Feed::default(),
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> SessionState {
        self.shared.state
    }

    /// Whether a new link would be resumed instead of logged in anew.
    #[must_use]
    pub const fn can_resume(&self) -> bool {
        self.shared.out.has_ticket()
    }

    /// The application.
    #[must_use]
    pub const fn app(&self) -> SdkAppId {
        self.shared.out.app()
    }

    /// Logins and resumes in flight: never more than one.
    #[must_use]
    pub fn logins_in_flight(&self) -> usize {
        self.shared.out.logins_in_flight()
    }

    /// The account.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        self.shared.out.user()
    }

    /// The kind of frames of the path to connect to.
    #[must_use]
    pub const fn frames(&self) -> Frames {
        self.frames
    }

    /// Bound of one packet in bytes.
    #[must_use]
    pub const fn max_packet(&self) -> usize {
        self.max_packet
    }

    /// Where catching up with missed messages goes on; empty before the first time.
    #[must_use]
    pub fn cookie(&self) -> &str {
        self.feed.cookie()
    }

    /// Catches up from `cookie` at the next login instead of from the server's unread marks.
    pub fn set_cookie(&mut self, cookie: impl Into<Box<str>>) {
        self.feed.set_cookie(cookie.into());
    }

    #[cfg(test)]
    pub(super) const fn follows_no_group(&self) -> bool {
        self.feed.follows_no_group()
    }

    #[cfg(test)]
    pub(super) fn follows(&self, group: &str) -> bool {
        self.feed.follows(group)
    }

    /// What another process needs to go on with the login; `None` when there is none to go on with.
    #[must_use]
    pub fn ticket(&self) -> Option<HandedTicket> {
        let ticket = self.shared.out.ticket()?;
        Some(HandedTicket::new(ticket, self.login.hello_interval()))
    }

    /// Goes on with a login of another process: the next link resumes it.
    pub fn go_on_with(&mut self, ticket: HandedTicket) {
        let (ticket, hello) = ticket.open();
        self.shared.out.set_ticket(ticket);
        self.login.set_hello_interval(hello);
    }

    // ── inputs: what happened ────────────────────────────────────────────────────────────────

    /// A link is open. Resumes when there is a ticket, otherwise logs in with `user_sig`; without
    /// either the session stays [`LoggedOut`](SessionState::LoggedOut).
    pub fn opened(&mut self, now: Now, user_sig: Option<&UserSig>) {
        self.link = Some(Link {
            last_received: now.mono,
            garbage: 0,
            resume_wanted: false,
        });
        self.shared.state = SessionState::LoggedOut;
        self.shared.out.opened(now);
        if self.can_resume() {
            self.resume(now);
        } else if let Some(user_sig) = user_sig {
            self.start_login(now, user_sig);
        }
        self.heartbeat(now);
    }

    /// The link is gone, for whatever reason. Requests in flight wait for the next one, within
    /// their limits.
    pub fn closed(&mut self, _now: Now) {
        self.link = None;
        self.login.over();
        for request in self.shared.out.closed() {
            // Nobody will tell whether it was carried out.
            self.shared.events.settle(&request, Err(request.lost()));
        }
        self.feed.link_lost();
        if self.shared.state == SessionState::LoggingOut {
            // The wish was to be logged out; on a dead link there is nobody to tell.
            self.finish_logout();
        }
        self.shared.state = SessionState::Disconnected;
    }

    /// The link showed life without a packet. Puts the next heartbeat off.
    pub fn heard(&mut self, now: Now) {
        if let Some(link) = &mut self.link {
            link.last_received = link.last_received.max(now.mono);
        }
    }

    /// A WebSocket message came. `repeated` is shared by the sessions of a thread.
    pub fn received(
        &mut self,
        now: Now,
        memory: &mut Memory,
        repeated: &mut RepeatedPush,
        payload: &[u8],
    ) {
        let Some(link) = &mut self.link else {
            return;
        };
        link.last_received = now.mono;
        if let Some(push) = repeated.find(payload) {
            link.garbage = 0;
            return self.pushed(now, memory, push);
        }
        let text = match codec::decode(payload, self.frames, self.max_packet) {
            Ok(text) => text,
            Err(error) => return self.undecodable(&error),
        };
        let text = surrogate::mend(text);
        let incoming = match Incoming::parse(&text) {
            Ok(incoming) => incoming,
            Err(error) => return self.undecodable(&error),
        };
        link.garbage = 0;
        match incoming {
            Incoming::Messages(push) => {
                repeated.note(payload, &push);
                self.pushed(now, memory, push);
            }
            Incoming::Packet(packet) => match self.shared.out.take_answered(&packet) {
                Some(request) => self.answered(now, memory, &request, &packet),
                None => match Push::parse(&packet.servcmd, packet.body) {
                    Push::Unknown => self.unknown(&packet),
                    push => self.pushed(now, memory, push),
                },
            },
        }
        self.shared.out.shrink();
    }

    /// A WebSocket message of so many bytes came, which is more than is kept.
    pub fn received_too_large(&mut self, now: Now, memory: &mut Memory, bytes: u64) {
        self.heard(now);
        let what = format!("a message of {bytes} bytes, more than are kept");
        // Nothing else is as long as a page of missed messages: no need to wait until it is overdue.
        let waiting = self.shared.out.take_all(|purpose| purpose == Purpose::Sync);
        for request in waiting {
            let error = RequestError::Shape(what.clone());
            self.settle(now, memory, &request, Err(error));
        }
        self.ignore(Ignored::Undecodable(what));
        self.shared.out.shrink();
    }

    /// The bots have room again.
    pub fn room(&mut self, now: Now, memory: &mut Memory) {
        self.feed.room(now, memory, &mut self.shared);
    }

    /// The time named by [`poll_timeout`](Self::poll_timeout) has come. Harmless when early.
    pub fn timeout(&mut self, now: Now, memory: &mut Memory) {
        while let Some(request) = self.shared.out.take_overdue(now) {
            self.timed_out(now, memory, &request);
        }
        self.shared.out.timeout(now);
        let Some(link) = &self.link else {
            return;
        };
        if now.mono >= link.last_received + HEARTBEAT_AFTER {
            self.heartbeat(now);
        }
        let out = &mut self.shared.out;
        if self.login.take_hello(now)
            && self.shared.state.is_ready()
            && !out.is_waiting_for(Purpose::Hello)
        {
            out.ask(now, Purpose::Hello, command::HELLO, HELLO_BODY);
        }
        self.feed.timeout(now, memory, &mut self.shared);
    }

    // ── inputs: what is wanted ───────────────────────────────────────────────────────────────

    /// Logs in on the open link.
    ///
    /// # Errors
    /// When already logged in, while a login is in flight, and without a link. Nothing is sent then.
    pub fn login(&mut self, now: Now, user_sig: &UserSig) -> Result<(), LoginError> {
        match self.shared.state {
            SessionState::Disconnected => Err(LoginError::NotConnected),
            SessionState::LoggingIn | SessionState::Resuming | SessionState::LoggingOut => {
                Err(LoginError::InFlight)
            }
            SessionState::Syncing | SessionState::Online => Err(LoginError::Repeat),
            SessionState::LoggedOut => {
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
        match self.shared.state {
            SessionState::Syncing | SessionState::Online => {
                self.shared.out.say(now, command::LOGOUT, LOGOUT_BODY);
                self.drop_login(|purpose| purpose != Purpose::Heartbeat);
                self.start_login(now, user_sig);
                Ok(())
            }
            _ => self.login(now, user_sig),
        }
    }

    /// Confirms the login on the open link, as the server wanted with [`Event::ResumeWanted`]; nothing
    /// happens when it is not logged in any more.
    pub fn resume_login(&mut self, now: Now) {
        let wanted = self
            .link
            .as_mut()
            .is_some_and(|link| std::mem::take(&mut link.resume_wanted));
        if wanted && self.shared.state.is_ready() {
            self.feed.abort();
            self.shared.out.take_all(|purpose| {
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
        if self.shared.state == SessionState::LoggingOut {
            return;
        }
        let said = self.can_resume() && self.link.is_some();
        if said {
            let (purpose, out) = (Purpose::Logout, &mut self.shared.out);
            out.ask(now, purpose, command::LOGOUT, LOGOUT_BODY);
        }
        self.drop_login(|purpose| purpose != Purpose::Logout && purpose != Purpose::Heartbeat);
        if said {
            self.shared.state = SessionState::LoggingOut;
        } else {
            self.shared.events.push(Event::LoggedOut);
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
        self.shared.out.request(now, servcmd, body)
    }

    /// Sends a message; [`Event::Settled`] tells its outcome. Sent again with the same key after a
    /// [`TimedOut`](RequestError::TimedOut) it is delivered once all the same.
    ///
    /// # Errors
    /// As [`request`](Self::request), and [`RequestError::Shape`] for what
    /// [`Draft::check`](crate::proto::message::Draft::check) refuses.
    pub fn send(&mut self, now: Now, message: &OutgoingMessage) -> Result<RequestId, RequestError> {
        let shape = |error: &dyn std::fmt::Display| RequestError::Shape(error.to_string());
        message.draft.check().map_err(|error| shape(&error))?;
        let time = self.login.server_time(now);
        let from = self.user().as_str();
        let (draft, key) = (&*message.draft, message.key);
        let (servcmd, body) = match &message.to {
            Conversation::C2c(to) => (
                command::SEND_C2C.into(),
                serde_json::to_string(&SendC2c::new(from, to, draft, key, time)),
            ),
            Conversation::Group(group) => (
                command::of_group(command::SEND_GROUP, group),
                serde_json::to_string(&SendGroup::new(from, group, draft, key, time)),
            ),
            _ => {
                return Err(RequestError::Shape(
                    "nothing can be said to the server itself".to_owned(),
                ));
            }
        };
        let body = body.map_err(|error| shape(&error))?;
        let id = self.shared.out.request(now, &servcmd, &body)?;
        if let Conversation::Group(group) = &message.to {
            self.feed.sending(id.0, group);
        }
        Ok(id)
    }

    // ── outputs ──────────────────────────────────────────────────────────────────────────────

    /// The next packet to send. Packets made while the link is down are not among them: they are
    /// repeated when it opens.
    pub fn poll_transmit(&mut self) -> Option<String> {
        self.shared.out.poll_packet()
    }

    /// Whether there was anything but acknowledgements among the packets since this was asked last. An
    /// acknowledgement may wait some milliseconds for what follows it.
    pub const fn take_urgency(&mut self) -> bool {
        self.shared.out.take_urgency()
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.shared.events.poll()
    }

    /// When to call [`timeout`](Self::timeout), as monotonic time.
    #[must_use]
    pub fn poll_timeout(&mut self, memory: &mut Memory) -> Option<Duration> {
        let link = self.link.as_ref();
        let heartbeat = link
            .filter(|_| !self.shared.out.is_waiting_for(Purpose::Heartbeat))
            .map(|link| link.last_received + HEARTBEAT_AFTER);
        self.poll_timeout_while_heard(memory)
            .into_iter()
            .chain(heartbeat)
            .min()
    }

    /// Like [`poll_timeout`](Self::poll_timeout), for a shell that knows by other means that the
    /// link lives, says so with [`heard`](Self::heard), and needs no heartbeats: a simulation.
    #[must_use]
    pub fn poll_timeout_while_heard(&mut self, memory: &mut Memory) -> Option<Duration> {
        [
            self.shared.out.poll_timeout(),
            self.login.poll_timeout(),
            self.feed.poll_timeout(memory, self.shared.state),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    // ── the login ────────────────────────────────────────────────────────────────────────────

    fn start_login(&mut self, now: Now, user_sig: &UserSig) {
        let out = &mut self.shared.out;
        if out.is_overloaded(command::LOGIN, now.mono) {
            return self.refuse(Code::OVERLOADED, String::new(), false);
        }
        self.login.sent(now);
        out.login(now, command::LOGIN, LOGIN_BODY, user_sig);
        self.shared.state = SessionState::LoggingIn;
    }

    fn resume(&mut self, now: Now) {
        let out = &mut self.shared.out;
        if out.is_overloaded(command::LOGIN, now.mono) {
            // The ticket is kept: the shell tries again when the pause is over.
            self.shared.events.push(Event::Refused {
                code: Code::OVERLOADED,
                info: String::new(),
                resuming: true,
            });
            return;
        }
        self.login.sent(now);
        out.ask(now, Purpose::Resume, command::LOGIN, LOGIN_BODY);
        self.shared.state = SessionState::Resuming;
    }

    fn heartbeat(&mut self, now: Now) {
        let out = &mut self.shared.out;
        if !out.is_waiting_for(Purpose::Heartbeat) {
            out.ask(now, Purpose::Heartbeat, command::HEARTBEAT, "{}");
        }
    }

    fn logged_in(&mut self, now: Now, memory: &mut Memory, body: &str, resuming: bool) {
        match self.login.accepted(now, body, resuming) {
            Ok(Some(ticket)) => self.shared.out.set_ticket(ticket),
            Ok(None) => {}
            Err(Unusable { code, info }) => return self.refuse(code, info, resuming),
        }
        self.shared.state = SessionState::Syncing;
        self.shared.events.push(Event::Ready(Ready {
            resumed: resuming,
            inst_id: self.shared.out.inst_id().cloned(),
            clock_offset: self.login.clock_offset(),
        }));
        self.feed.start(now, memory, &mut self.shared, resuming);
    }

    fn refuse(&mut self, code: Code, info: String, resuming: bool) {
        self.drop_login(|purpose| purpose != Purpose::Heartbeat);
        self.shared.events.push(Event::Refused {
            code,
            info,
            resuming,
        });
    }

    /// The login was thrown out, if there is a kick.
    fn kicked(&mut self, now: Now, kick: Option<KickType>) {
        let Some(kick) = kick else {
            return;
        };
        if !self.can_resume() || self.shared.state == SessionState::LoggingOut {
            return; // Not logged in, or about not to be.
        }
        if kick != KickType::RestApi {
            let out = &mut self.shared.out;
            out.say(now, command::LOGOUT, FAREWELL_BODY);
        }
        self.drop_login(|purpose| purpose != Purpose::Heartbeat);
        self.shared.events.push(Event::Kicked(kick));
    }

    /// Forgets the login and settles every request in flight that `which` names.
    fn drop_login(&mut self, which: impl Fn(Purpose) -> bool) {
        self.shared.out.drop_ticket();
        self.login.over();
        for request in self.shared.out.take_all(which) {
            let error = if request.may_be_made_again() {
                RequestError::NotLoggedIn
            } else {
                RequestError::Lost
            };
            self.shared.events.settle(&request, Err(error));
        }
        self.feed.abort();
        self.shared.intake.start_push();
        if self.link.is_some() {
            self.shared.state = SessionState::LoggedOut;
        }
    }

    fn finish_logout(&mut self) {
        if self.shared.state == SessionState::LoggingOut {
            self.shared.state = SessionState::LoggedOut;
            self.shared
                .out
                .take_all(|purpose| purpose == Purpose::Logout);
            self.shared.events.push(Event::LoggedOut);
        }
    }

    // ── answers ──────────────────────────────────────────────────────────────────────────────

    fn answered(&mut self, now: Now, memory: &mut Memory, request: &InFlight, packet: &Packet<'_>) {
        let status = match packet.status() {
            Ok(status) => status,
            Err(error) => {
                self.ignore(Ignored::Malformed(format!("{}: {error}", packet.servcmd)));
                let error = RequestError::Shape(error.to_string());
                return self.settle(now, memory, request, Err(error));
            }
        };
        // Any answer to a heartbeat proves the link, an error too. Reacting to the error is what
        // sends the official client into a reconnect storm.
        if request.purpose == Purpose::Heartbeat {
            return;
        }
        if let Some(code) = status.error() {
            if self.is_login_lost(now, request, code, &status) {
                return;
            }
            let info = status.info().to_owned();
            let error = if code == Code::C2C_EDIT_CONFLICT {
                let body = packet.body.into();
                RequestError::Conflict { info, body }
            } else {
                RequestError::Refused { code, info }
            };
            return self.settle(now, memory, request, Err(error));
        }
        self.settle(now, memory, request, Ok(packet.body));
    }

    /// Some codes end the login, whatever request they answer.
    fn is_login_lost(
        &mut self,
        now: Now,
        request: &InFlight,
        code: Code,
        status: &AnswerStatus,
    ) -> bool {
        if !self.can_resume() || matches!(request.purpose, Purpose::Login | Purpose::Logout) {
            return false;
        }
        if code == Code::KICKED
            && let Some(kick) = status.kick_type().and_then(KickType::from_wire)
        {
            let outcome = Err(RequestError::NotLoggedIn);
            self.shared.events.settle(request, outcome);
            self.kicked(now, Some(kick));
            return true;
        }
        if code == Code::USERSIG_EXPIRED || code == Code::C2C_NOT_AUTHENTICATED {
            let outcome = Err(RequestError::NotLoggedIn);
            self.shared.events.settle(request, outcome);
            self.drop_login(|purpose| purpose != Purpose::Heartbeat);
            self.shared.events.push(Event::Expired {
                code,
                servcmd: request.servcmd.clone(),
            });
            return true;
        }
        false
    }

    fn settle(
        &mut self,
        now: Now,
        memory: &mut Memory,
        request: &InFlight,
        outcome: Result<&str, RequestError>,
    ) {
        match request.purpose {
            Purpose::Login | Purpose::Resume => {
                let resuming = request.purpose == Purpose::Resume;
                match outcome {
                    Ok(body) => self.logged_in(now, memory, body, resuming),
                    Err(RequestError::Refused { code, info }) => self.refuse(code, info, resuming),
                    Err(error) => self.refuse(Code::NETWORK_TIMEOUT, error.to_string(), resuming),
                }
            }
            Purpose::Logout => self.finish_logout(),
            Purpose::Sync => {
                let shared = &mut self.shared;
                let kick = self.feed.page_answered(now, memory, shared, outcome);
                self.kicked(now, kick);
            }
            Purpose::Groups => {
                let shared = &mut self.shared;
                self.feed.list_answered(now, memory, shared, outcome);
            }
            Purpose::History => {
                let answer = (request.seq, outcome);
                let shared = &mut self.shared;
                self.feed.history_answered(now, memory, shared, answer);
            }
            Purpose::Poll => {
                let answer = (request.seq, outcome);
                let shared = &mut self.shared;
                let kick = self.feed.poll_answered(now, memory, shared, answer);
                self.kicked(now, kick);
            }
            Purpose::User => {
                let answer = (request, outcome.as_deref().ok());
                let shared = &mut self.shared;
                self.feed.request_answered(now, memory, shared, answer);
                let outcome = outcome.map(str::to_owned);
                self.shared.events.settle(request, outcome);
            }
            // Errors and timeouts of hello say nothing; the heartbeat watches the link.
            Purpose::Hello | Purpose::Heartbeat => {}
        }
    }

    fn timed_out(&mut self, now: Now, memory: &mut Memory, request: &InFlight) {
        let events = &mut self.shared.events;
        match request.purpose {
            Purpose::Heartbeat => {
                events.push(Event::LinkDead(LinkFault::HeartbeatUnanswered));
            }
            Purpose::Login | Purpose::Resume => {
                events.push(Event::LinkDead(LinkFault::LoginUnanswered));
                self.shared.state = SessionState::LoggedOut;
            }
            _ => self.settle(now, memory, request, Err(RequestError::TimedOut)),
        }
    }

    // ── pushes ───────────────────────────────────────────────────────────────────────────────

    fn pushed(&mut self, now: Now, memory: &mut Memory, push: Push) {
        match push {
            Push::Events {
                notices,
                ack,
                sync_hint,
            } => {
                self.shared.intake.start_push();
                for notice in notices {
                    let shared = &mut self.shared;
                    let kick = self.feed.noticed(now, memory, shared, notice);
                    self.kicked(now, kick);
                }
                // After the notices: what is acknowledged has been handed out, and what found no room
                // is not acknowledged.
                if let Some(session_data) = ack
                    && self.can_resume()
                    && !self.shared.intake.is_push_refused()
                {
                    let body = serde_json::json!({ "SessionData": session_data }).to_string();
                    self.shared.out.say(now, command::PUSH_ACK, &body);
                }
                let shared = &mut self.shared;
                self.feed.pushed(now, memory, shared, sync_hint);
            }
            Push::Overload { servcmd, delay } => {
                self.shared.out.rest(now, &servcmd, delay);
                let overloaded = Event::Overloaded { servcmd, delay };
                self.shared.events.push(overloaded);
            }
            // The shell decides when: a resume is a login, and logins are paced.
            Push::KickOther => {
                if self.shared.state.is_ready()
                    && let Some(link) = &mut self.link
                    && !std::mem::replace(&mut link.resume_wanted, true)
                {
                    self.shared.events.push(Event::ResumeWanted);
                }
            }
            Push::Unknown => {}
        }
    }

    fn unknown(&mut self, packet: &Packet<'_>) {
        let out = &self.shared.out;
        let is_late = packet.seq.is_some_and(|seq| out.is_late_answer(seq));
        let servcmd = packet.servcmd.to_string();
        if !is_late {
            self.ignore(Ignored::Push(servcmd));
        } else if servcmd != command::LOGOUT {
            // Nobody waits for the answer to a goodbye of a renewal or a kick.
            self.ignore(Ignored::Answer(servcmd));
        }
    }

    // ── what is left out ─────────────────────────────────────────────────────────────────────

    fn undecodable(&mut self, error: &codec::DecodeError) {
        self.ignore(Ignored::Undecodable(error.to_string()));
        if let Some(link) = &mut self.link {
            link.garbage += 1;
            if link.garbage == MAX_GARBAGE {
                let dead = Event::LinkDead(LinkFault::Garbage);
                self.shared.events.push(dead);
            }
        }
    }

    fn ignore(&mut self, what: Ignored) {
        self.shared.events.ignore(what);
    }
}
