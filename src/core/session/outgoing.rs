//! What a session sends: requests in the account's present identity, their answers' deadlines, and the
//! pauses the server asks for.

use super::request::{InFlight, Purpose, RequestError, RequestId, Requests};
use crate::policy::Now;
use crate::proto::command;
use crate::proto::id::{SdkAppId, UserId};
use crate::proto::op::of_login;
use crate::proto::packet::{Identity, InstId, Packet, Request, SEQ_LIMIT, Ticket};
use crate::proto::usersig::UserSig;
use std::collections::VecDeque;
use std::time::Duration;

/// Overload pauses remembered; the service never names more at once.
const MAX_OVERLOADS: usize = 32;

/// Boxed where it is kept: an idle account pays for what is inline.
type Overloads = Vec<(Box<str>, Duration)>;

/// The requests of one session, over all its links.
#[derive(Debug)]
pub(super) struct Outgoing {
    app: SdkAppId,
    user: UserId,
    max_requests: usize,
    /// The login to speak in the name of; it also allows a resume on a new link.
    ticket: Option<Ticket>,
    seq: u32,
    rng: fastrand::Rng,
    requests: Requests,
    /// Commands that must rest, and until when.
    overloads: Option<Box<Overloads>>,
    linked: bool,
    packets: VecDeque<String>,
    /// Some of what was sent must not wait.
    urgent: bool,
}

impl Outgoing {
    pub(super) fn new(app: SdkAppId, user: UserId, max_requests: usize, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self {
            app,
            user,
            max_requests,
            ticket: None,
            seq: rng.u32(1..=99_999_999),
            rng,
            requests: Requests::default(),
            overloads: None,
            linked: false,
            packets: VecDeque::new(),
            urgent: false,
        }
    }

    pub(super) const fn app(&self) -> SdkAppId {
        self.app
    }

    pub(super) const fn user(&self) -> &UserId {
        &self.user
    }

    /// A random number in `0.0..1.0`, for back-off.
    pub(super) fn chance(&mut self) -> f64 {
        self.rng.f64()
    }

    // ── the login ────────────────────────────────────────────────────────────────────────────

    pub(super) const fn has_ticket(&self) -> bool {
        self.ticket.is_some()
    }

    pub(super) const fn ticket(&self) -> Option<&Ticket> {
        self.ticket.as_ref()
    }

    pub(super) fn set_ticket(&mut self, ticket: Ticket) {
        self.ticket = Some(ticket);
    }

    pub(super) fn drop_ticket(&mut self) {
        self.ticket = None;
    }

    /// The server's number of the login.
    pub(super) fn inst_id(&self) -> Option<&InstId> {
        self.ticket
            .as_ref()
            .and_then(|ticket| ticket.inst_id.as_ref())
    }

    /// True of a kick that names a login of the account which is not this one.
    pub(super) fn is_of_another_login(&self, named: Option<&InstId>) -> bool {
        let own = self.inst_id().filter(|own| own.is_some());
        match (named, own) {
            (Some(named), Some(own)) => !named.is_same(own),
            _ => false,
        }
    }

    // ── the link ─────────────────────────────────────────────────────────────────────────────

    /// A link is open. Requests of the caller that are still unanswered go out first and unchanged, as
    /// the official client does it: the server knows the account by its a2, not by its link.
    pub(super) fn opened(&mut self, now: Now) {
        self.linked = true;
        self.requests.take_all(|purpose| purpose != Purpose::User);
        self.requests.restart(now.mono);
        let again = self
            .requests
            .iter()
            .map(|request| request.packet.to_string());
        self.packets.extend(again);
        self.urgent = true;
    }

    /// The link is gone. Returns the requests that must not go out a second time.
    pub(super) fn closed(&mut self) -> Vec<InFlight> {
        self.linked = false;
        self.packets.clear();
        self.requests
            .take_each(|request| !request.may_be_repeated())
    }

    // ── requests ─────────────────────────────────────────────────────────────────────────────

    /// Sends a full login.
    pub(super) fn login(&mut self, now: Now, servcmd: &str, body: &str, user_sig: &UserSig) {
        self.ticket = None;
        let seq = self.next_seq();
        let user = self.user.clone();
        let identity = Identity::UserSig(&user, user_sig);
        self.put(now, Purpose::Login, servcmd, body, seq, identity);
    }

    /// Sends a request in the account's present identity. Returns its number.
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

    /// Sends what has no answer: acknowledgements, and the farewell after a kick.
    pub(super) fn say(&mut self, now: Now, servcmd: &str, body: &str) {
        let seq = self.next_seq();
        let identity = self
            .ticket
            .as_ref()
            .map_or(Identity::Anonymous, Identity::Ticket);
        let packet = self.encode(now, servcmd, body, seq, identity);
        self.packets.push_back(packet);
        // An acknowledgement may go with the answer.
        self.urgent |= servcmd != command::PUSH_ACK;
    }

    /// Whether anything but acknowledgements was sent since the last time.
    pub(super) const fn take_urgency(&mut self) -> bool {
        std::mem::replace(&mut self.urgent, false)
    }

    /// Sends a request of the caller.
    pub(super) fn request(
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
        if self.requests.len() >= self.max_requests {
            return Err(RequestError::Full);
        }
        let whole = of_login(servcmd, body, self.app, &ticket.tiny_id);
        let body = whole.as_deref().unwrap_or(body);
        Ok(RequestId(self.ask(now, Purpose::User, servcmd, body)))
    }

    pub(super) fn is_waiting_for(&self, purpose: Purpose) -> bool {
        self.requests.contains(purpose)
    }

    /// Logins and resumes in flight: never more than one.
    pub(super) fn logins_in_flight(&self) -> usize {
        let is_login = |purpose| matches!(purpose, Purpose::Login | Purpose::Resume);
        self.requests
            .iter()
            .filter(|request| is_login(request.purpose))
            .count()
    }

    /// Takes the request that a packet answers.
    pub(super) fn take_answered(&mut self, packet: &Packet<'_>) -> Option<InFlight> {
        self.requests.take(&packet.servcmd, packet.seq?)
    }

    /// Takes a request whose answer is overdue.
    pub(super) fn take_overdue(&mut self, now: Now) -> Option<InFlight> {
        self.requests.take_overdue(now.mono)
    }

    /// Takes the requests of every purpose that `which` names.
    pub(super) fn take_all(&mut self, which: impl Fn(Purpose) -> bool) -> Vec<InFlight> {
        self.requests.take_all(which)
    }

    /// Frees what an idle session does not need.
    pub(super) fn shrink(&mut self) {
        self.requests.shrink();
    }

    /// Whether this session gave out the number not long ago: its answer came too late.
    pub(super) fn is_late_answer(&self, seq: u64) -> bool {
        let seq = u32::try_from(seq).unwrap_or(0);
        seq <= self.seq && self.seq - seq < 100_000
    }

    fn next_seq(&mut self) -> u32 {
        self.seq += 1;
        if self.seq >= SEQ_LIMIT {
            self.seq = self.rng.u32(1..=99_999_999);
        }
        self.seq
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
        let packet = self.encode(now, servcmd, body, seq, identity);
        // Only the caller's requests are repeated on the next link.
        let kept = if purpose == Purpose::User {
            &*packet
        } else {
            ""
        };
        self.requests.insert(InFlight {
            seq,
            servcmd: servcmd.into(),
            purpose,
            deadline: now.mono + InFlight::limit(purpose),
            packet: kept.into(),
            sent: self.linked,
        });
        if self.linked {
            self.packets.push_back(packet);
            self.urgent = true;
        }
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
            app: self.app,
            time: now.unix_secs(),
            servcmd,
            seq,
            body,
        }
        .encode()
    }

    // ── overload ─────────────────────────────────────────────────────────────────────────────

    /// The server asks for a pause of one command.
    pub(super) fn rest(&mut self, now: Now, servcmd: &str, delay: Duration) {
        let overloads = self.overloads.get_or_insert_default();
        overloads.retain(|(name, until)| **name != *servcmd && *until > now.mono);
        if overloads.len() < MAX_OVERLOADS {
            overloads.push((servcmd.into(), now.mono + delay));
        }
    }

    fn overloads(&self) -> impl Iterator<Item = &(Box<str>, Duration)> {
        self.overloads.iter().flat_map(|overloads| overloads.iter())
    }

    pub(super) fn is_overloaded(&self, servcmd: &str, now: Duration) -> bool {
        self.overloads()
            .any(|(name, until)| **name == *servcmd && *until > now)
    }

    /// Forgets the pauses that are over.
    pub(super) fn timeout(&mut self, now: Now) {
        if let Some(overloads) = &mut self.overloads {
            overloads.retain(|(_, until)| *until > now.mono);
            if overloads.is_empty() {
                self.overloads = None;
            }
        }
    }

    // ── outputs ──────────────────────────────────────────────────────────────────────────────

    pub(super) fn poll_packet(&mut self) -> Option<String> {
        let packet = self.packets.pop_front();
        if packet.is_none() && self.packets.capacity() > 0 {
            self.packets = VecDeque::new();
        }
        packet
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let rested = self.overloads().map(|(_, until)| *until).min();
        self.requests
            .next_deadline()
            .into_iter()
            .chain(rested)
            .min()
    }
}
