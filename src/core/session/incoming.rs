//! What comes in and what follows from it: answers, refusals, kicks, pushes, time-outs.
//!
//! The state itself and the calls of the shell are in `state`; messages are in `sync`.

use super::event::{Event, Ignored, LinkFault, Ready};
use super::request::{InFlight, Purpose, RequestError, RequestId};
use super::state::{Session, State};
use crate::policy::Now;
use crate::proto::answer::LoginAnswer;
use crate::proto::code::Code;
use crate::proto::codec;
use crate::proto::command;
use crate::proto::event::{KickType, Notice, Push};
use crate::proto::message::Message;
use crate::proto::packet::{AnswerStatus, Identity, InstId, Packet, Request, SEQ_LIMIT, Ticket};
use crate::proto::usersig::UserSig;
use std::time::Duration;

/// Unreadable packets in a row after which a link is given up.
const MAX_GARBAGE: u32 = 20;
/// Overload pauses remembered; more than this the service never names at once.
const MAX_OVERLOADS: usize = 32;
/// The last second of the year 9999, in Unix seconds.
const LAST_SECOND: u64 = 253_402_300_799;
const LOGIN_BODY: &str = r#"{"State":"Online","is_web_uniapp":0,"InstType":0,"CustomInfo":""}"#;

impl Session {
    pub(super) fn start_login(&mut self, now: Now, user_sig: &UserSig) {
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

    pub(super) fn resume(&mut self, now: Now) {
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

    pub(super) fn heartbeat(&mut self, now: Now) {
        if !self.requests.contains(Purpose::Heartbeat) {
            self.ask(now, Purpose::Heartbeat, command::HEARTBEAT, "{}");
        }
    }

    pub(super) fn next_seq(&mut self) -> u32 {
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

    fn encode(
        &self,
        now: Now,
        servcmd: &str,
        body: &str,
        seq: u32,
        identity: Identity<'_>,
    ) -> String {
        Request {
            identity,
            app: self.config.app,
            time: now.unix_secs(),
            servcmd,
            seq,
            body,
        }
        .encode()
    }

    pub(super) fn put(
        &mut self,
        now: Now,
        purpose: Purpose,
        servcmd: &str,
        body: &str,
        seq: u32,
        identity: Identity<'_>,
    ) {
        let packet = self.encode(now, servcmd, body, seq, identity);
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
            sent: self.state != State::Disconnected,
        });
        if self.state != State::Disconnected {
            self.transmits.push_back(packet);
        }
    }

    /// Says something that has no answer: acknowledgements and the farewell after a kick.
    pub(super) fn say(&mut self, now: Now, servcmd: &str, body: &str) {
        let seq = self.next_seq();
        let identity = self
            .ticket
            .as_ref()
            .map_or(Identity::Anonymous, Identity::Ticket);
        let packet = self.encode(now, servcmd, body, seq, identity);
        self.transmits.push_back(packet);
    }

    pub(super) fn answered(&mut self, now: Now, request: &InFlight, packet: &Packet<'_>) {
        let status = match packet.status() {
            Ok(status) => status,
            Err(error) => {
                self.ignore(Ignored::Malformed(format!("{}: {error}", packet.servcmd)));
                return self.settle(now, request, Err(RequestError::Shape(error.to_string())));
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
            return self.settle(now, request, Err(error));
        }
        self.settle(now, request, Ok(packet.body));
    }

    /// The codes that end a login in whatever answer they stand.
    pub(super) fn is_login_lost(
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

    /// The link or the login is gone: nobody will tell whether it was carried out.
    pub(super) fn settle_unknown(&mut self, request: &InFlight) {
        if request.purpose == Purpose::User {
            self.events.push_back(Event::Settled {
                id: RequestId(request.seq),
                outcome: Err(RequestError::Lost),
            });
        }
    }

    pub(super) fn settle_not_logged_in(&mut self, request: &InFlight) {
        if request.purpose == Purpose::User {
            self.events.push_back(Event::Settled {
                id: RequestId(request.seq),
                outcome: Err(RequestError::NotLoggedIn),
            });
        }
    }

    pub(super) fn settle(
        &mut self,
        now: Now,
        request: &InFlight,
        outcome: Result<&str, RequestError>,
    ) {
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
            Purpose::Groups => self.groups_answered(now, outcome),
            Purpose::History => self.history_answered(now, request.seq, outcome),
            Purpose::Poll => self.poll_answered(now, request.seq, outcome),
            Purpose::User => {
                self.sent_to_group(now, request.seq, outcome.as_deref().ok());
                if let Ok(body) = &outcome {
                    self.room_answered(now, request, body);
                }
                self.events.push_back(Event::Settled {
                    id: RequestId(request.seq),
                    outcome: outcome.map(str::to_owned),
                });
            }
            // Errors and timeouts of hello say nothing; the heartbeat watches the link.
            Purpose::Hello | Purpose::Heartbeat => {}
        }
    }

    pub(super) fn timed_out(&mut self, now: Now, request: &InFlight) {
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
            _ => self.settle(now, request, Err(RequestError::TimedOut)),
        }
    }

    pub(super) fn logged_in(&mut self, now: Now, body: &str, resuming: bool) {
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
        // A clock that is thousands of years away is none.
        if let Some(time) = answer.time.filter(|time| *time <= LAST_SECOND) {
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
        self.start_groups(now);
        self.start_rooms(now, resuming);
    }

    pub(super) fn refuse(&mut self, code: Code, info: String, resuming: bool) {
        self.drop_login(|purpose| purpose != Purpose::Heartbeat);
        self.events.push_back(Event::Refused {
            code,
            info,
            resuming,
        });
    }

    pub(super) fn kicked(&mut self, now: Now, kick: KickType) {
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

    /// True of a kick that names a login of the account which is not this one.
    fn is_of_another_login(&self, named: Option<&InstId>) -> bool {
        let own = self
            .ticket
            .as_ref()
            .and_then(|ticket| ticket.inst_id.as_ref());
        match (named, own.filter(|own| own.is_some())) {
            (Some(named), Some(own)) => !named.is_same(own),
            _ => false,
        }
    }

    /// Forgets the login and settles every request in flight that `which` names.
    pub(super) fn drop_login(&mut self, which: impl Fn(Purpose) -> bool) {
        self.ticket = None;
        self.next_hello = None;
        for request in self.requests.take_all(which) {
            if request.may_be_repeated() {
                self.settle_not_logged_in(&request);
            } else {
                self.settle_unknown(&request);
            }
        }
        self.abort_sync();
        self.abort_groups();
        self.sync.push_refused = false;
        if self.state != State::Disconnected {
            self.state = State::LoggedOut;
        }
    }

    pub(super) fn finish_logout(&mut self) {
        if self.state == State::LoggingOut {
            self.state = State::LoggedOut;
            self.requests.take_all(|purpose| purpose == Purpose::Logout);
            self.events.push_back(Event::LoggedOut);
        }
    }

    pub(super) fn pushed(&mut self, now: Now, packet: &Packet<'_>) {
        match Push::parse(&packet.servcmd, packet.body) {
            Push::Events {
                notices,
                ack,
                sync_hint,
            } => {
                self.sync.push_refused = false;
                for notice in notices {
                    self.noticed(now, notice);
                }
                // After the notices: what is acknowledged has been handed out, and what found no room
                // is not acknowledged.
                if let Some(session_data) = ack
                    && self.ticket.is_some()
                    && !self.sync.push_refused
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
            // Not by itself: a resume is a login, and logins are paced.
            Push::KickOther => {
                if self.state.is_ready() && !self.resume_wanted {
                    self.resume_wanted = true;
                    self.events.push_back(Event::ResumeWanted);
                }
            }
            // A goodbye said in passing, by a renewal or a kick; nobody waits for its answer.
            Push::Unknown
                if packet.servcmd == command::LOGOUT
                    && packet.seq.is_some_and(|seq| self.is_late_answer(seq)) => {}
            Push::Unknown if packet.seq.is_some_and(|seq| self.is_late_answer(seq)) => {
                self.ignore(Ignored::Answer(packet.servcmd.to_string()));
            }
            Push::Unknown => self.ignore(Ignored::Push(packet.servcmd.to_string())),
        }
    }

    /// A number this session gave out not long ago.
    pub(super) fn is_late_answer(&self, seq: u64) -> bool {
        let seq = u32::try_from(seq).unwrap_or(0);
        seq <= self.seq && self.seq - seq < 100_000
    }

    pub(super) fn noticed(&mut self, now: Now, notice: Notice) {
        match notice {
            Notice::C2c(item) => {
                let message = Message::from_c2c(*item, self.config.user.as_str());
                self.message(now, message);
            }
            Notice::Group { event, item } => self.noticed_group(now, event, *item),
            Notice::Update(mut update) => {
                update.seen_by(self.config.user.as_str());
                self.events.push_back(Event::Update(update));
            }
            Notice::Kicked { inst_id, .. } if self.is_of_another_login(inst_id.as_ref()) => {
                self.ignore(Ignored::Kick);
            }
            Notice::Kicked { kind, .. } => self.kicked(now, kind),
            Notice::Unknown { event, .. } => self.ignore(Ignored::Notice(event)),
            Notice::Malformed { reason } => self.ignore(Ignored::Malformed(reason)),
        }
    }

    pub(super) fn undecodable(&mut self, error: &codec::DecodeError) {
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
