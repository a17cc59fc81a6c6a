//! The decisions of an account, without an actor, a socket or a clock.

use super::cause::Cause;
use super::credential::Credential;
use super::decide::{Decision, History, KICK_WINDOW, Policy, decide};
use super::outbox::{Draft, Outbox, OutboxError};
use super::status::{Counters, Phase, Status};
use crate::gateway::{LinkEnd, Report};
use crate::policy::Now;
use crate::proto::answer::Sent;
use crate::proto::code::{Code, Disposition};
use crate::proto::command;
use crate::proto::endpoint::{HostWalk, connect_url};
use crate::proto::event::KickType;
use crate::proto::id::{SdkAppId, UserId};
use crate::proto::message::{Conversation, Message};
use crate::proto::usersig::UserSig;
use crate::session::{Event, Memory, Outgoing};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Read reports are sent this long after the first message of a batch.
const READ_REPORT_DELAY: Duration = Duration::from_secs(1);
/// Conversations remembered for one batch of read reports.
const MAX_READ_REPORTS: usize = 64;
/// How long a logout may take before the link is closed without an answer.
const LOGOUT_LIMIT: Duration = Duration::from_secs(3);

/// What an account is made of.
#[derive(Clone, Debug)]
pub struct CoreConfig {
    /// The application.
    pub app: SdkAppId,
    /// The account.
    pub user: UserId,
    /// Where UserSigs come from.
    pub credential: Credential,
    /// Where to connect.
    pub hosts: HostWalk,
    /// What to do by itself.
    pub policy: Arc<Policy>,
    /// Which messages were handed out; survives crashes of connection and account.
    pub memory: Memory,
}

/// What an account tells its subscriber.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AccountEvent {
    /// SDK_READY: it may act.
    Ready,
    /// It may not act any more.
    NotReady(Cause),
    /// A message came.
    Message(Box<Message>),
}

/// What the shell is to do.
#[derive(Debug)]
pub enum Effect {
    /// Ask the governor for a turn; [`Core::turn`] when it comes.
    ReserveLogin,
    /// Open a link.
    Dial {
        /// Where.
        url: String,
        /// How long it may take.
        limit: Duration,
        /// For a full login.
        user_sig: UserSig,
    },
    /// Log in on the open link.
    Login(UserSig),
    /// Log out on the open link.
    Logout,
    /// Close the link.
    Close,
    /// Send a message.
    Transmit {
        /// Comes back with the report.
        token: u64,
        /// The message.
        message: Outgoing,
    },
    /// Send a request whose outcome does not matter.
    Note {
        /// The command.
        servcmd: &'static str,
        /// Its body.
        body: String,
    },
    /// Tell a sender what became of its message.
    Reply {
        /// The token given to [`Core::send`].
        token: u64,
        /// What became of it.
        outcome: Result<Sent, OutboxError>,
    },
    /// Tell the subscriber.
    Deliver(AccountEvent),
    /// The status changed.
    Changed {
        /// Went online (`true`) or offline (`false`) just now.
        online: Option<bool>,
    },
    /// Logged out and closed; nothing more will come.
    Stopped,
}

/// The state of an account. See [`crate::account`].
#[derive(Debug)]
pub struct Core {
    config: CoreConfig,
    instance_id: Box<str>,
    rng: fastrand::Rng,
    phase: Phase,
    since: Now,
    cause: Cause,
    /// A turn is asked for when this comes; `None` in every phase that waits for something else.
    act_at: Option<Duration>,
    turn_asked: bool,
    linked: bool,
    online_since: Option<Duration>,
    last_login: Option<Duration>,
    not_before: Duration,
    failures: u32,
    kicks: VecDeque<Duration>,
    renewed: bool,
    used_up: bool,
    resumed: bool,
    outbox: Outbox,
    unread: BTreeMap<Box<str>, u64>,
    unread_at: Option<Duration>,
    logout_by: Option<Duration>,
    counters: Counters,
    connections: u64,
    effects: VecDeque<Effect>,
}

impl Core {
    /// An account that has not started. `seed` decides every number it draws.
    #[must_use]
    pub fn new(config: CoreConfig, seed: u64, now: Now) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let instance_id = format!("{:032x}", rng.u128(..)).into();
        Self {
            config,
            instance_id,
            phase: Phase::Waiting,
            since: now,
            cause: Cause::NotStarted,
            act_at: None,
            turn_asked: false,
            linked: false,
            online_since: None,
            last_login: None,
            not_before: Duration::ZERO,
            failures: 0,
            kicks: VecDeque::new(),
            renewed: false,
            used_up: false,
            resumed: false,
            outbox: Outbox::new(rng.fork()),
            unread: BTreeMap::new(),
            unread_at: None,
            logout_by: None,
            counters: Counters::default(),
            connections: 0,
            effects: VecDeque::new(),
            rng,
        }
    }

    /// A snapshot.
    #[must_use]
    pub fn status(&self, now: Now) -> Status {
        let wall = |at: Duration| now.unix.saturating_add(at.saturating_sub(now.mono));
        Status {
            user: self.config.user.clone(),
            phase: self.phase,
            since: self.since.unix,
            cause: self.cause.clone(),
            next: self.act_at.map(wall),
            resumed: self.resumed,
            counters: self.counters,
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

    /// The number of the present or last connection, counted from 1; names it in logs.
    #[must_use]
    pub const fn connection(&self) -> u64 {
        self.connections
    }

    /// The next thing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        let effect = self.effects.pop_front();
        if effect.is_none() && self.effects.capacity() > 8 {
            self.effects = VecDeque::new();
        }
        effect
    }

    /// When to call [`timeout`](Self::timeout), as monotonic time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let retry = self
            .outbox
            .next_try()
            .filter(|_| self.phase == Phase::Online);
        let act = self.act_at.filter(|_| !self.turn_asked);
        let unread = self.unread_at.filter(|_| self.phase == Phase::Online);
        [
            act,
            self.outbox.next_deadline(),
            retry,
            unread,
            self.logout_by,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    // ── inputs ───────────────────────────────────────────────────────────────────────────────

    /// Begins.
    pub fn start(&mut self, now: Now) {
        self.act_at = Some(now.mono);
        self.timeout(now);
    }

    /// The governor's turn has come.
    pub fn turn(&mut self, now: Now) {
        self.turn_asked = false;
        if !matches!(self.phase, Phase::Waiting | Phase::CoolingDown) || self.act_at.is_none() {
            return; // Held, stopped or quarantined in the meantime.
        }
        let CoreConfig {
            app,
            user,
            credential,
            ..
        } = &self.config;
        let user_sig = match credential.user_sig(*app, user, now.unix_secs(), self.used_up) {
            Ok(user_sig) => user_sig,
            Err(error) => return self.ended(now, Cause::NoUserSig(error)),
        };
        self.act_at = None;
        self.last_login = Some(now.mono);
        self.connections += 1;
        self.enter(now, Phase::Connecting);
        let random = self.rng.f64();
        let url = connect_url(
            &self.config.hosts.current(),
            self.config.app,
            &self.instance_id,
            random,
            false,
        );
        // The next connection goes to the next host, however this one ends.
        self.config.hosts.advance();
        self.effects.push_back(Effect::Dial {
            url,
            limit: self.config.policy.connect_limit,
            user_sig,
        });
    }

    /// The connection reports.
    pub fn report(&mut self, now: Now, report: Report) {
        match report {
            Report::Opened => {
                self.linked = true;
                if self.phase == Phase::Connecting {
                    self.enter(now, Phase::LoggingIn);
                }
            }
            Report::DialFailed(error) => {
                self.linked = false;
                self.ended(now, Cause::ConnectFailed(error));
            }
            Report::Closed(end) => self.closed(now, end),
            Report::Session(event) => self.session(now, event),
            Report::Settled { token, outcome } => {
                if let Some(outcome) = self.outbox.settle(now, token, outcome) {
                    self.reply(token, outcome);
                }
                self.pump(now);
            }
        }
    }

    /// The connection actor is gone; a new one will be made, unless it dies too often (`allowed` is
    /// `false`). What it held is lost, the ticket of the login included.
    pub fn crashed(&mut self, now: Now, allowed: bool) {
        self.linked = false;
        self.outbox.forget_flights();
        if !allowed && !matches!(self.phase, Phase::Stopping | Phase::Stopped) {
            self.leave(now, Cause::Crashed, Phase::Quarantined);
            return;
        }
        if self.phase == Phase::Stopping {
            self.stopped(now);
        } else if matches!(
            self.phase,
            Phase::Connecting | Phase::LoggingIn | Phase::Online
        ) {
            self.ended(now, Cause::Crashed);
        }
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Harmless when early.
    pub fn timeout(&mut self, now: Now) {
        if self.act_at.is_some_and(|at| at <= now.mono) && !self.turn_asked {
            self.turn_asked = true;
            self.effects.push_back(Effect::ReserveLogin);
        }
        while let Some((token, error)) = self.outbox.take_expired(now) {
            self.reply(token, Err(error));
        }
        if self.unread_at.is_some_and(|at| at <= now.mono) && self.phase == Phase::Online {
            self.report_read();
        }
        if self.logout_by.is_some_and(|at| at <= now.mono) {
            self.logout_by = None;
            self.effects.push_back(Effect::Close);
        }
        self.pump(now);
    }

    /// Takes a message to send; [`Effect::Reply`] with the same token follows.
    pub fn send(&mut self, now: Now, token: u64, draft: Draft) {
        let outcome = match self.phase {
            Phase::Held | Phase::Quarantined | Phase::Stopping | Phase::Stopped => {
                Err(OutboxError::Offline(self.cause.to_string()))
            }
            _ => self
                .outbox
                .push(token, draft, now.mono + self.config.policy.send_timeout),
        };
        match outcome {
            Ok(()) => self.pump(now),
            Err(error) => self.reply(token, Err(error)),
        }
    }

    /// A message was handed to the bots: it counts as read.
    pub fn handled(&mut self, now: Now, conversation: &Conversation, time: u64) {
        if !self.config.policy.mark_read {
            return;
        }
        let Conversation::C2c(peer) = conversation;
        if self.unread.len() >= MAX_READ_REPORTS && !self.unread.contains_key(peer) {
            self.report_read();
        }
        let newest = self.unread.entry(peer.clone()).or_default();
        *newest = time.max(*newest);
        self.unread_at.get_or_insert(now.mono + READ_REPORT_DELAY);
    }

    /// A message could not be handed on and is lost.
    pub fn dropped(&mut self) {
        self.counters.dropped += 1;
    }

    /// Stays away until [`resume`](Self::resume): logs out when online.
    pub fn hold(&mut self, now: Now) {
        self.leave(now, Cause::Stopped, Phase::Held);
    }

    /// Comes back, whatever kept it away; what it remembers of failures is forgotten.
    pub fn resume(&mut self, now: Now) {
        if matches!(
            self.phase,
            Phase::Waiting | Phase::CoolingDown | Phase::Held | Phase::Quarantined
        ) {
            self.failures = 0;
            self.kicks.clear();
            self.renewed = false;
            self.used_up = false;
            self.act_at = Some(self.spaced(now.mono));
            self.enter(now, Phase::Waiting);
            self.timeout(now);
        }
    }

    /// Logs out for good; [`Effect::Stopped`] follows.
    pub fn stop(&mut self, now: Now) {
        self.leave(now, Cause::Stopped, Phase::Stopping);
    }

    // ── inside ───────────────────────────────────────────────────────────────────────────────

    fn session(&mut self, now: Now, event: Event) {
        match event {
            Event::Ready(ready) => {
                let count = if ready.resumed {
                    &mut self.counters.resumes
                } else {
                    &mut self.counters.logins
                };
                *count += 1;
                self.used_up = false;
                self.resumed = ready.resumed;
                self.online_since = Some(now.mono);
                if self.phase == Phase::LoggingIn {
                    self.enter_online(now);
                }
            }
            Event::Refused { code, info, .. } => {
                if code.disposition() == Disposition::NewUserSig {
                    self.used_up = true;
                }
                if let Disposition::RetryAfter(delay) = code.disposition() {
                    self.not_before = now.mono + delay;
                }
                self.ended(now, Cause::Refused { code, info });
            }
            Event::Kicked(kick) => {
                self.counters.kicks += 1;
                if kick != KickType::RestApi {
                    self.kicks.push_back(now.mono);
                }
                self.used_up |= kick == KickType::RestApi;
                self.ended(now, Cause::Kicked(kick));
            }
            Event::Expired { code, .. } => {
                self.used_up = true;
                self.ended(now, Cause::UserSigExpired(code));
            }
            Event::Overloaded { servcmd, delay } => {
                if servcmd == command::LOGIN {
                    self.not_before = now.mono + delay;
                }
            }
            Event::Message(message) => {
                self.counters.received += 1;
                self.effects
                    .push_back(Effect::Deliver(AccountEvent::Message(message)));
            }
            Event::LoggedOut => self.effects.push_back(Effect::Close),
            Event::Ignored(_) => self.counters.ignored += 1,
            Event::Synced { .. }
            | Event::SyncFailed { .. }
            | Event::Settled { .. }
            | Event::LinkDead(_) => {}
        }
    }

    fn enter_online(&mut self, now: Now) {
        self.enter(now, Phase::Online);
        self.effects.push_back(Effect::Deliver(AccountEvent::Ready));
        self.pump(now);
    }

    fn closed(&mut self, now: Now, end: LinkEnd) {
        if end == LinkEnd::Ours && !matches!(self.phase, Phase::Stopping) {
            return; // The goodbye of a link given up before; there may be a new one already.
        }
        self.linked = false;
        match self.phase {
            Phase::Stopping => self.stopped(now),
            Phase::Connecting | Phase::LoggingIn | Phase::Online => {
                if self.phase == Phase::Online {
                    self.counters.lost_links += 1;
                }
                self.ended(now, Cause::LinkLost(end));
            }
            // The link had no more use: kicked, refused, held.
            _ => {}
        }
    }

    /// An ending: records it, asks the table, and sets out to do what it says.
    fn ended(&mut self, now: Now, cause: Cause) {
        if matches!(self.phase, Phase::Stopping | Phase::Stopped) {
            return;
        }
        let stable = self
            .online_since
            .take()
            .is_some_and(|since| now.mono.saturating_sub(since) >= self.config.policy.stable_after);
        if stable {
            self.failures = 0;
            self.renewed = false;
        }
        self.failures += 1;
        while self
            .kicks
            .front()
            .is_some_and(|at| now.mono.saturating_sub(*at) > KICK_WINDOW)
        {
            self.kicks.pop_front();
        }
        let history = History {
            failures: self.failures,
            kicks: u32::try_from(self.kicks.len()).unwrap_or(u32::MAX),
            renewed: self.renewed,
            renewable: self.config.credential.is_renewable(),
        };
        let decision = decide(&cause, history, &self.config.policy, self.rng.f64());
        self.renewed |= self.used_up;
        let was_online = self.phase == Phase::Online;
        self.cause = cause;
        let (phase, wait) = match decision {
            Decision::Retry(wait) => (Phase::Waiting, Some(wait)),
            Decision::CoolDown(wait) => (Phase::CoolingDown, Some(wait)),
            Decision::Hold => (Phase::Held, None),
            Decision::Quarantine => (Phase::Quarantined, None),
        };
        self.act_at = wait.map(|wait| self.spaced(now.mono + wait));
        if std::mem::take(&mut self.linked) {
            // No login on it any more, or about to be given up: a new one starts from the top.
            self.effects.push_back(Effect::Close);
        }
        if was_online {
            self.effects
                .push_back(Effect::Deliver(AccountEvent::NotReady(self.cause.clone())));
        }
        self.enter(now, phase);
        if wait.is_none() {
            self.fail_outbox();
        }
        self.timeout(now);
    }

    /// Not before the least time between two logins, and not before the server allows one.
    fn spaced(&self, at: Duration) -> Duration {
        let spaced = self.last_login.map_or(Duration::ZERO, |last| {
            last + self.config.policy.login_spacing
        });
        at.max(spaced).max(self.not_before)
    }

    /// Leaves on somebody's wish.
    fn leave(&mut self, now: Now, cause: Cause, phase: Phase) {
        if matches!(self.phase, Phase::Stopping | Phase::Stopped) {
            return;
        }
        let was_online = self.phase == Phase::Online;
        if was_online && !self.unread.is_empty() {
            self.report_read();
        }
        self.act_at = None;
        self.online_since = None;
        self.cause = cause;
        if was_online {
            self.effects
                .push_back(Effect::Deliver(AccountEvent::NotReady(self.cause.clone())));
        }
        let linked = std::mem::take(&mut self.linked) || matches!(self.phase, Phase::Connecting);
        self.enter(now, phase);
        self.fail_outbox();
        if linked {
            self.effects.push_back(Effect::Logout);
            self.logout_by = Some(now.mono + LOGOUT_LIMIT);
        } else if phase == Phase::Stopping {
            self.stopped(now);
        }
    }

    fn stopped(&mut self, now: Now) {
        if self.phase != Phase::Stopped {
            self.logout_by = None;
            self.enter(now, Phase::Stopped);
            self.effects.push_back(Effect::Stopped);
        }
    }

    fn fail_outbox(&mut self) {
        for token in self.outbox.take_all() {
            self.reply(token, Err(OutboxError::Offline(self.cause.to_string())));
        }
    }

    fn reply(&mut self, token: u64, outcome: Result<Sent, OutboxError>) {
        let count = if outcome.is_ok() {
            &mut self.counters.sent
        } else {
            &mut self.counters.unsent
        };
        *count += 1;
        self.effects.push_back(Effect::Reply { token, outcome });
    }

    fn pump(&mut self, now: Now) {
        if self.phase != Phase::Online {
            return;
        }
        while let Some((token, message)) = self.outbox.next(now) {
            self.effects.push_back(Effect::Transmit { token, message });
        }
    }

    fn report_read(&mut self) {
        self.unread_at = None;
        let items: Vec<_> = std::mem::take(&mut self.unread)
            .into_iter()
            .map(|(peer, time)| serde_json::json!({"To_Account": peer, "LastedMsgTime": time, "Receipt": 1}))
            .collect();
        if !items.is_empty() {
            let body =
                serde_json::json!({"C2CMsgReaded": {"Cookie": "", "C2CMsgReadedItem": items}});
            self.effects.push_back(Effect::Note {
                servcmd: command::READ_C2C,
                body: body.to_string(),
            });
        }
    }

    /// The one place where the phase changes.
    fn enter(&mut self, now: Now, phase: Phase) {
        let was_online = self.phase == Phase::Online;
        let is_online = phase == Phase::Online;
        self.phase = phase;
        self.since = now;
        let online = (was_online != is_online).then_some(is_online);
        self.effects.push_back(Effect::Changed { online });
    }

    /// Messages waiting to be sent.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.outbox.len()
    }

    /// The code of the last refusal, when that is what keeps the account away.
    #[must_use]
    pub const fn refusal(&self) -> Option<Code> {
        match &self.cause {
            Cause::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }
}
