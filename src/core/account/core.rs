//! The decisions of an account, without an actor, a socket or a clock.

use super::cause::Cause;
use super::credential::Credential;
use super::credential::CredentialError;
use super::effect::{CoreConfig, Effect};
use super::outbox::{Errand, Outbox, OutboxError, Settled};
use super::status::{Counters, Phase, Record, Status};
use super::typing::Typing;
use crate::account::{ConnectError, LinkEnd, Report};
use crate::policy::Now;
use crate::proto::endpoint::connect_url;
use crate::proto::event::KickType;
use crate::proto::id::UserId;
use crate::proto::usersig::UserSig;
use crate::session::{Memory, Part, ReadMark, Receipt};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long an orderly stop waits for the second of the last handled message to end, so that it can be
/// reported as read.
const LAST_REPORTS: Duration = Duration::from_millis(2_500);
/// Tokens from here on are of read reports; nobody else gives out so many.
const FIRST_REPORT: u64 = 1 << 63;
/// Troubles named in a status at most.
const MAX_TROUBLES: usize = 64;
/// How long a login may take, the server's own limit included.
pub(super) const LOGIN_LIMIT: Duration = Duration::from_secs(95);

/// Whether the login that took the account's place has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    NotAsked,
    Asked,
    Gone,
}

/// A renewal due: at which time, and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// Nothing to renew, or not known when.
    None,
    /// At this monotonic time.
    Due(Duration),
    /// Waiting for a UserSig from the source.
    Fetching,
    /// Waiting for the governor's turn.
    WaitingForTurn,
}

/// The state of an account. See [`crate::account`].
#[derive(Debug)]
pub struct Core {
    pub(super) config: CoreConfig,
    instance_id: Box<str>,
    pub(super) host: Arc<str>,
    pub(super) rng: fastrand::Rng,
    pub(super) phase: Phase,
    pub(super) since: Now,
    pub(super) cause: Cause,
    /// A turn is asked for when this comes; `None` in every phase that waits for something else.
    pub(super) act_at: Option<Duration>,
    pub(super) turn_asked: bool,
    /// Its turn has come, and it waits for a UserSig from its source.
    pub(super) fetching: bool,
    /// How far the question is whether the other login has gone.
    pub(super) probe: Probe,
    pub(super) linked: bool,
    /// The session has a login that can be resumed.
    pub(super) has_ticket: bool,
    pub(super) online_since: Option<Duration>,
    pub(super) last_login: Option<Duration>,
    pub(super) login_by: Option<Duration>,
    pub(super) not_before: Duration,
    pub(super) failures: u32,
    pub(super) kicks: VecDeque<Duration>,
    /// The present time online began by coming back after a kick.
    pub(super) took_back: bool,
    pub(super) signs: u32,
    pub(super) renewed: bool,
    pub(super) used_up: bool,
    pub(super) resumed: bool,
    pub(super) renewal: Renewal,
    /// The UserSig of the login under way or present: issued, ends (Unix seconds).
    pub(super) sig_life: Option<(u64, u64)>,
    pub(super) next_sig: Option<UserSig>,
    pub(super) fetch_failures: u32,
    pub(super) waits_for: Option<String>,
    pub(super) clock_offset: i64,
    /// What time it was at the server at a monotonic time, as it said last.
    pub(super) server_time: Option<(Duration, Duration)>,
    pub(super) outbox: Outbox,
    /// How far the wish of the server is that the login be confirmed.
    pub(super) confirm: Renewal,
    /// Read reports under way, by their tokens.
    pub(super) reports: BTreeMap<u64, Vec<ReadMark>>,
    pub(super) next_report: u64,
    /// What is not heard, each with its reason.
    pub(super) troubles: BTreeMap<Part, String>,
    /// An orderly stop waits for the last read reports, up to this.
    pub(super) stop_at: Option<Duration>,
    pub(super) typing: Typing,
    pub(super) logout_by: Option<Duration>,
    pub(super) counters: Counters,
    pub(super) connections: u64,
    pub(super) recorder: VecDeque<Record>,
    pub(super) effects: VecDeque<Effect>,
}

impl Core {
    /// An account that has not started. `seed` decides every number it draws.
    #[must_use]
    pub fn new(config: CoreConfig, seed: u64, now: Now) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let instance_id = format!("{:032x}", rng.u128(..)).into();
        let paces = config.group_paces.clone();
        Self {
            config,
            instance_id,
            host: "".into(),
            phase: Phase::Waiting,
            since: now,
            cause: Cause::NotStarted,
            act_at: None,
            turn_asked: false,
            fetching: false,
            probe: Probe::NotAsked,
            linked: false,
            has_ticket: false,
            online_since: None,
            last_login: None,
            login_by: None,
            not_before: Duration::ZERO,
            failures: 0,
            kicks: VecDeque::new(),
            took_back: false,
            signs: 0,
            renewed: false,
            used_up: false,
            resumed: false,
            renewal: Renewal::None,
            sig_life: None,
            next_sig: None,
            fetch_failures: 0,
            waits_for: None,
            clock_offset: 0,
            server_time: None,
            outbox: Outbox::new(rng.fork(), paces),
            confirm: Renewal::None,
            reports: BTreeMap::new(),
            next_report: FIRST_REPORT,
            troubles: BTreeMap::new(),
            stop_at: None,
            typing: Typing::default(),
            logout_by: None,
            counters: Counters::default(),
            connections: 0,
            recorder: VecDeque::new(),
            effects: VecDeque::new(),
            rng,
        }
    }

    /// A snapshot, without the flight recorder.
    #[must_use]
    pub fn status(&self, now: Now, memory: &Memory) -> Status {
        let wall = |at: Duration| now.unix.saturating_add(at.saturating_sub(now.mono));
        Status {
            phase: self.phase,
            since: self.since.unix,
            cause: self.cause.clone(),
            next: self.act_at.map(wall),
            resumed: self.resumed,
            counters: self.counters,
            user_sig_ends: self.sig_life.map(|(_, ends)| ends),
            clock_offset: self.clock_offset,
            waits_for: self.waits_for.clone(),
            degraded: self.degraded(),
            open: memory.open(),
            ..Status::new(self.config.user.clone(), self.since.unix)
        }
    }

    fn degraded(&self) -> Vec<String> {
        if !self.phase.is_online() {
            return Vec::new(); // The cause says it all.
        }
        let troubles = self.troubles.iter().take(MAX_TROUBLES);
        troubles
            .map(|(part, reason)| format!("{part}: {reason}"))
            .collect()
    }

    /// A snapshot with the flight recorder.
    #[must_use]
    pub fn full_status(&self, now: Now, memory: &Memory) -> Status {
        Status {
            records: self.recorder.iter().cloned().collect(),
            ..self.status(now, memory)
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// The account.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.config.user
    }

    /// Where its UserSigs come from.
    #[must_use]
    pub const fn credential(&self) -> &Credential {
        &self.config.credential
    }

    /// The number of the present or last connection, counted from 1; names it in logs.
    #[must_use]
    pub const fn connection(&self) -> u64 {
        self.connections
    }

    /// The next thing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        let effect = self.effects.pop_front();
        if effect.is_none() && self.effects.capacity() > 0 {
            // An idle account keeps no buffer: there are thousands of it.
            self.effects = VecDeque::new();
        }
        effect
    }

    /// When to call [`timeout`](Self::timeout), as monotonic time.
    #[must_use]
    pub fn poll_timeout(&self, memory: &Memory) -> Option<Duration> {
        let online = self.phase == Phase::Online;
        let act = self
            .act_at
            .filter(|_| !self.turn_asked && !self.fetching && self.probe != Probe::Asked);
        let retry = self.outbox.next_try().filter(|_| online);
        let unread = memory.report_at().filter(|_| online);
        let confirm = match self.confirm {
            Renewal::Due(at) if online => Some(at),
            _ => None,
        };
        let typing = self.typing.next().filter(|_| online);
        let renewal = match self.renewal {
            Renewal::Due(at) if online => Some(at),
            _ => None,
        };
        let deadline = self.outbox.next_deadline();
        [
            confirm,
            self.stop_at,
            act,
            deadline,
            retry,
            unread,
            typing,
            renewal,
            self.logout_by,
            self.login_by,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    // ── inputs ───────────────────────────────────────────────────────────────────────────────

    /// Begins.
    pub fn start(&mut self, now: Now, memory: &mut Memory) {
        self.act_at = Some(now.mono);
        self.timeout(now, memory);
    }

    /// The governor's turn has come.
    pub fn turn(&mut self, now: Now, memory: &mut Memory) {
        self.turn_asked = false;
        if self.phase == Phase::Online {
            if self.confirm == Renewal::WaitingForTurn {
                return self.confirm_now(now);
            }
            return self.renew_now(now);
        }
        if self.act_at.is_none() || !self.is_waiting() {
            return; // Held, stopped or quarantined in the meantime.
        }
        if self.has_ticket {
            return self.dial(now, None);
        }
        match self.mint(now) {
            Ok(Some(user_sig)) => self.dial(now, Some(user_sig)),
            Ok(None) => self.fetch(),
            Err(error) => self.ended(now, memory, Cause::NoUserSig(error)),
        }
    }

    /// The source gave a UserSig, or none.
    pub fn user_sig(
        &mut self,
        now: Now,
        memory: &mut Memory,
        outcome: Result<UserSig, CredentialError>,
    ) {
        let outcome = outcome.and_then(|sig| self.check_fresh(now, sig));
        self.waits_for = None;
        if std::mem::take(&mut self.fetching) {
            if self.act_at.is_none() || !self.is_waiting() {
                return;
            }
            match outcome {
                Ok(user_sig) => {
                    self.fetch_failures = 0;
                    self.dial(now, Some(user_sig));
                }
                Err(error) => self.ended(now, memory, Cause::NoUserSig(error)),
            }
        } else if self.renewal == Renewal::Fetching {
            match outcome {
                Ok(user_sig) => {
                    self.fetch_failures = 0;
                    self.next_sig = Some(user_sig);
                    self.ask_for_renewal_turn();
                }
                // The login of now still holds: ask again, and say what is waited for.
                Err(error) => {
                    self.fetch_failures = self.fetch_failures.saturating_add(1);
                    let chance = self.rng.f64();
                    let wait = self
                        .config
                        .policy
                        .backoff
                        .delay(self.fetch_failures, chance);
                    self.waits_for = Some(error.to_string());
                    self.renewal = Renewal::Due(now.mono + wait);
                    self.effects.push_back(Effect::Changed { online: None });
                }
            }
        }
    }

    /// Whether another login of the account is there, as far as could be found out.
    pub fn probed(&mut self, now: Now, memory: &mut Memory, other: Option<bool>) {
        if std::mem::replace(&mut self.probe, Probe::Gone) != Probe::Asked || !self.is_waiting() {
            return;
        }
        if other == Some(true) {
            // Still there: no kick, no answer to one; asked again after the same time.
            self.probe = Probe::NotAsked;
            let wait = self.config.policy.multiple_account.cool_down;
            let wait = wait.delay(self.kicks.len().max(1) as u32, 0.5 + self.rng.f64() / 2.0);
            self.act_at = Some(self.spaced(now.mono + wait));
            self.waits_for = Some("the other login to go".to_owned());
            self.effects.push_back(Effect::Changed { online: None });
        } else {
            self.waits_for = None;
        }
        self.timeout(now, memory);
    }

    /// The connection reports.
    pub fn report(&mut self, now: Now, memory: &mut Memory, report: Report) {
        match report {
            Report::ServerTime(time) => self.hear_time(now, time),
            Report::Opened => {
                self.linked = true;
                if self.phase == Phase::Connecting {
                    self.enter(now, Phase::LoggingIn);
                }
            }
            Report::DialFailed(error) => {
                self.linked = false;
                if let ConnectError::Busy { retry_after, .. } = &error {
                    // What stands before the server counts addresses, and the fleet has one.
                    let wait = retry_after.unwrap_or_default();
                    self.not_before = self.not_before.max(now.mono + wait);
                    self.effects.push_back(Effect::SlowDown(wait));
                }
                self.ended(now, memory, Cause::ConnectFailed(error));
            }
            Report::Closed(end) => self.closed(now, memory, end),
            Report::Session(event) => self.session(now, memory, event),
            Report::Settled { token, outcome } if token >= FIRST_REPORT => {
                self.reported(now, memory, token, outcome.as_ref().err());
            }
            Report::Settled { token, outcome } => {
                if let Some(settled) = self.outbox.settle(now, token, outcome) {
                    self.reply(settled);
                }
                self.pump(now);
            }
        }
    }

    /// The connection actor is gone; a new one will be made, unless it dies too often (`allowed` is
    /// `false`). What it held is lost, the ticket of the login included.
    pub fn crashed(&mut self, now: Now, memory: &mut Memory, allowed: bool) {
        self.linked = false;
        self.has_ticket = false;
        self.outbox.forget_flights();
        for marks in std::mem::take(&mut self.reports).into_values() {
            memory.report_again(now, &marks);
        }
        if self.phase == Phase::Stopping {
            self.stopped(now);
        } else if !allowed {
            self.leave(now, memory, Cause::Crashed, Phase::Quarantined);
        } else if self.is_connected() {
            self.ended(now, memory, Cause::Crashed);
        }
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Harmless when early.
    pub fn timeout(&mut self, now: Now, memory: &mut Memory) {
        let due = |at: Option<Duration>| at.is_some_and(|at| at <= now.mono);
        if due(self.act_at) && !self.turn_asked && !self.fetching {
            self.set_out();
        }
        while let Some(settled) = self.outbox.take_expired(now) {
            self.reply(settled);
        }
        if due(memory.report_at()) && self.phase == Phase::Online {
            self.report_read(now, memory);
        }
        if let Renewal::Due(at) = self.confirm
            && at <= now.mono
            && self.phase == Phase::Online
        {
            self.ask_to_confirm(now);
        }
        if let Some(by) = self.stop_at
            && (by <= now.mono || memory.report_at().is_none())
        {
            self.stop_at = None;
            return self.leave(now, memory, Cause::Stopped, Phase::Stopping);
        }
        self.end_typing(now);
        if let Renewal::Due(at) = self.renewal
            && at <= now.mono
            && self.phase == Phase::Online
        {
            // It fell due while the account was away: not on the heels of the login that ended that.
            match self.spaced(now.mono) {
                later if later > now.mono => self.renewal = Renewal::Due(later),
                _ => self.begin_renewal(now),
            }
        }
        if due(self.logout_by) {
            self.logout_by = None;
            self.effects.push_back(Effect::Close);
        }
        if due(self.login_by) {
            self.login_by = None;
            self.has_ticket = false;
            let fault = crate::session::LinkFault::LoginUnanswered;
            self.ended(now, memory, Cause::LinkLost(LinkEnd::Fault(fault)));
        }
        self.pump(now);
    }

    /// Takes something to send; [`Effect::Reply`] with the same token follows.
    pub fn send(&mut self, now: Now, token: u64, errand: Errand) {
        let is_message = matches!(errand, Errand::Message { .. });
        let typed = self.note_typing(now, &errand);
        let outcome = match self.phase {
            Phase::Held
            | Phase::Quarantined
            | Phase::Contested
            | Phase::Stopping
            | Phase::Stopped => Err(OutboxError::Offline(self.cause.to_string())),
            _ => {
                let limit = self.config.policy.send_timeout;
                self.outbox.push(now, token, errand, limit)
            }
        };
        match outcome {
            Ok(()) => self.pump(now),
            Err(error) => self.reply(Settled {
                token,
                is_message,
                outcome: Err(error),
            }),
        }
        if let Some(user) = typed {
            self.types_no_longer(now, &user);
        }
    }

    /// Every bot that wants a message is done with it.
    pub fn handled(&mut self, now: Now, memory: &mut Memory, receipt: &Receipt) {
        if memory.finished(now, receipt) {
            self.effects.push_back(Effect::Room);
        }
    }

    /// A bot will not handle a message: it stays unread, and comes again after a restart.
    pub fn not_handled(&mut self, now: Now, memory: &mut Memory, receipt: &Receipt) {
        let room = memory.abandoned(now, receipt);
        self.noted(room);
    }

    /// Something was finished and noted in the memory; `room` says that the session waits for it.
    pub fn noted(&mut self, room: bool) {
        if room {
            self.effects.push_back(Effect::Room);
        }
    }

    // ── orders ───────────────────────────────────────────────────────────────────────────────

    /// Stays away until [`resume`](Self::resume): logs out when online.
    pub fn hold(&mut self, now: Now, memory: &mut Memory) {
        self.leave(now, memory, Cause::Ordered, Phase::Held);
    }

    /// Stays away until [`resume`](Self::resume), as something that needs mending.
    pub fn quarantine(&mut self, now: Now, memory: &mut Memory) {
        self.leave(now, memory, Cause::Ordered, Phase::Quarantined);
    }

    /// Comes back, whatever kept it away; what it remembers of failures is forgotten.
    pub fn resume(&mut self, now: Now, memory: &mut Memory) {
        if self.is_waiting() || matches!(self.phase, Phase::Held | Phase::Quarantined) {
            self.forgive();
            self.probe = Probe::NotAsked;
            self.waits_for = None;
            self.act_at = Some(self.spaced(now.mono));
            self.enter(now, Phase::Waiting);
            self.timeout(now, memory);
        }
    }

    /// Replaces the login by one with a new UserSig; comes back when it is away by itself, and not
    /// when somebody sent it away.
    pub fn relogin(&mut self, now: Now, memory: &mut Memory) {
        if matches!(self.phase, Phase::Held | Phase::Quarantined) {
            return;
        }
        if self.phase == Phase::Online {
            self.renewal = Renewal::Due(now.mono);
            self.timeout(now, memory);
        } else {
            self.has_ticket = false;
            self.resume(now, memory);
        }
    }

    /// Logs out for good; [`Effect::Stopped`] follows. What the bots have finished is reported as read
    /// first, which may take two seconds: the second it was said in has to end.
    pub fn stop(&mut self, now: Now, memory: &mut Memory) {
        if self.phase == Phase::Online && self.stop_at.is_none() {
            self.report_read(now, memory);
            if memory.report_at().is_some() {
                self.stop_at = Some(now.mono + LAST_REPORTS);
                return;
            }
        }
        self.stop_at = None;
        self.leave(now, memory, Cause::Stopped, Phase::Stopping);
    }

    // ── inside ───────────────────────────────────────────────────────────────────────────────

    /// The time has come to come back.
    fn set_out(&mut self) {
        let taken = matches!(self.phase, Phase::CoolingDown | Phase::Contested)
            && !matches!(self.cause, Cause::Kicked(KickType::RestApi));
        match self.probe {
            Probe::Asked => {}
            Probe::NotAsked if taken && self.config.probes => {
                self.probe = Probe::Asked;
                self.effects.push_back(Effect::Probe);
            }
            Probe::NotAsked | Probe::Gone => {
                self.probe = Probe::NotAsked;
                self.turn_asked = true;
                self.effects.push_back(Effect::ReserveLogin);
            }
        }
    }

    fn dial(&mut self, now: Now, user_sig: Option<UserSig>) {
        if let Some(user_sig) = &user_sig {
            self.note_life(user_sig);
        }
        self.act_at = None;
        self.last_login = Some(now.mono);
        self.login_by = Some(now.mono + self.config.policy.connect_limit + LOGIN_LIMIT);
        self.connections += 1;
        self.enter(now, Phase::Connecting);
        let random = self.rng.f64();
        let origin = self.config.hosts.current();
        let url = connect_url(&origin, self.config.app, &self.instance_id, random, false);
        if *self.host != *origin {
            self.host = origin.into();
        }
        // The next connection goes to the next host, however this one ends.
        self.config.hosts.advance();
        let limit = self.config.policy.connect_limit;
        self.effects.push_back(Effect::Dial {
            url,
            limit,
            user_sig,
        });
    }
}
