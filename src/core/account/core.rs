//! The decisions of an account, without an actor, a socket or a clock: [`Core`] hands each input to the
//! machine it is for, and moves the account from state to state.

use super::cause::Cause;
use super::credential::{Credential, CredentialError};
use super::decide::Decision;
use super::delivery::{Delivery, Outlet};
use super::effect::{AccountEvent, CoreConfig, Effect};
use super::inflow::{Inflow, is_spilling_updates};
use super::lifecycle::{Away, Life, Online, Reason, TurnFor};
use super::link::Link;
use super::login_pace::LoginPace;
use super::name::AccountName;
use super::outbox::OutboxItem;
use super::recorder::Recorder;
use super::report::{ConnectError, LinkEnd, Report};
use super::service_clock::ServiceClock;
use super::setbacks::{Setbacks, is_stable};
use super::status::{ASKED, Counters, Phase, RecordedEvent, Status};
use super::tally::Tally;
use super::troubles::Troubles;
use super::user_sigs::UserSigs;
use crate::ledger::{SpillLine, Spilled};
use crate::policy::Now;
use crate::proto::code::{Code, Disposition};
use crate::proto::command;
use crate::proto::endpoint::{HostWalk, connect_url};
use crate::proto::event::KickType;
use crate::proto::id::{SdkAppId, UserId};
use crate::proto::update::Update;
use crate::proto::usersig::UserSig;
use crate::session::{Event, LinkFault, Memory, Ready, Receipt};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How long an orderly stop waits for the second of the last handled message to end, so that it can be
/// reported as read.
const LAST_REPORTS: Duration = Duration::from_millis(2_500);
/// How long a login may take, the server's own limit included.
const LOGIN_LIMIT: Duration = Duration::from_secs(95);

/// The state of an account. See the [module](super).
///
/// Every input takes the time and the account's [`Memory`], which the shell owns. After each the shell
/// carries out what [`poll_effect`](Self::poll_effect) gives, and arms one timer for
/// [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Core {
    config: Arc<CoreConfig>,
    /// Where it connects next.
    hosts: HostWalk,
    instance_id: Box<str>,
    rng: fastrand::Rng,
    life: Life,
    /// Since when it has been in its present state, Unix time.
    since: Duration,
    cause: Cause,
    link: Link,
    setbacks: Setbacks,
    pace: LoginPace,
    sigs: UserSigs,
    clock: ServiceClock,
    delivery: Delivery,
    troubles: Troubles,
    tally: Tally,
    recorder: Recorder,
    inflow: Inflow,
    effects: VecDeque<Effect>,
}

/// The way out for [`Delivery`]: everything but the delivery itself.
macro_rules! outlet {
    ($core:ident, $now:expr) => {
        &mut Outlet {
            now: $now,
            is_online: matches!($core.life, Life::Online(_)),
            me: $core.config.name.user(),
            server_secs: $core.clock.shown_secs($now),
            service_secs: $core.clock.heard_secs($now),
            effects: &mut $core.effects,
        }
    };
}

impl Core {
    /// An account that has not started. `seed` decides every number it draws.
    #[must_use]
    pub fn new(config: impl Into<Arc<CoreConfig>>, seed: u64, now: Now) -> Self {
        let config = config.into();
        let mut rng = fastrand::Rng::with_seed(seed);
        let trusts_keys = config.policy.trust_send_keys;
        Self {
            hosts: config.hosts.clone(),
            config,
            instance_id: format!("{:032x}", rng.u128(..)).into(),
            life: Life::Away(Away::new(Reason::Waiting, None)),
            since: now.unix,
            cause: Cause::NotStarted,
            link: Link::default(),
            setbacks: Setbacks::default(),
            pace: LoginPace::default(),
            sigs: UserSigs::default(),
            clock: ServiceClock::default(),
            delivery: Delivery::new(rng.fork(), trusts_keys),
            troubles: Troubles::default(),
            tally: Tally::default(),
            inflow: Inflow::default(),
            recorder: Recorder::default(),
            effects: VecDeque::new(),
            rng,
        }
    }

    // ── questions ────────────────────────────────────────────────────────────────────────────

    /// A snapshot, without the flight recorder.
    #[must_use]
    pub fn status(&self, now: Now, memory: &Memory) -> Status {
        let wall = |at: Duration| now.unix.saturating_add(at.saturating_sub(now.mono));
        let next = match &self.life {
            Life::Away(away) => away.at(),
            _ => None,
        };
        Status {
            phase: self.phase(),
            since: self.since,
            cause: self.cause.clone(),
            next: next.map(wall),
            resumed: self.link.resumed(),
            counters: self.counters(),
            user_sig_ends: self.sigs.ends(),
            clock_offset: self.clock.shown(),
            waits_for: self.life.waits_for().map(str::to_owned),
            degraded: self.degraded(),
            open: memory.open(),
            ..Status::new(self.config.name.clone(), self.since)
        }
    }

    fn counters(&self) -> Counters {
        let inflow = self.inflow.counters();
        Counters {
            sent: self.delivery.sent(),
            unsent: self.delivery.unsent(),
            paced: self.delivery.paced(),
            received: inflow.received,
            dropped: inflow.dropped,
            ignored: inflow.ignored,
            ..self.tally.counters()
        }
    }

    /// A snapshot with the flight recorder.
    #[must_use]
    pub fn full_status(&self, now: Now, memory: &Memory) -> Status {
        Status {
            records: self.recorder.records(),
            ..self.status(now, memory)
        }
    }

    fn degraded(&self) -> Vec<String> {
        if !self.phase().is_online() {
            return Vec::new(); // The cause says it all.
        }
        self.troubles.lines()
    }

    /// Where it stands.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.life.phase()
    }

    /// The account.
    #[must_use]
    pub fn user(&self) -> &UserId {
        self.config.name.user()
    }

    /// What the account is called in its process.
    #[must_use]
    pub fn name(&self) -> &AccountName {
        &self.config.name
    }

    /// The application.
    #[must_use]
    pub fn app(&self) -> SdkAppId {
        self.config.app
    }

    /// Where its UserSigs come from.
    #[must_use]
    pub fn credential(&self) -> &Credential {
        &self.config.credential
    }

    /// The service's time as it was heard last, in Unix seconds; ours before it has told any.
    #[must_use]
    pub fn service_time(&self, now: Now) -> u64 {
        self.clock.heard_secs(now)
    }

    /// The number of the present or last connection, counted from 1; names it in logs.
    #[must_use]
    pub const fn connection(&self) -> u64 {
        self.link.number()
    }

    // ── outputs ──────────────────────────────────────────────────────────────────────────────

    /// The next thing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        let effect = self.effects.pop_front();
        if effect.is_none() && self.effects.capacity() > 0 {
            // An idle account keeps no buffer: there are thousands of them.
            self.effects = VecDeque::new();
        }
        effect
    }

    /// When to call [`timeout`](Self::timeout), as monotonic time.
    #[must_use]
    pub fn poll_timeout(&self, memory: &Memory) -> Option<Duration> {
        let own = match &self.life {
            Life::Away(away) => [away.poll_timeout(), None, None, None, None],
            Life::Online(online) => [
                online.confirm_due(),
                online.stop_by(),
                self.sigs.due().filter(|_| !online.is_renewing()),
                self.delivery.next_online(),
                memory.report_at(),
            ],
            other => [other.login_by(), None, None, None, None],
        };
        let always = [
            self.delivery.next_deadline(),
            self.link.logout_by(),
            self.inflow.poll_timeout(),
            memory.spill_read_at(),
        ];
        own.into_iter().chain(always).flatten().min()
    }

    // ── inputs ───────────────────────────────────────────────────────────────────────────────

    /// Begins.
    pub fn start(&mut self, now: Now, memory: &mut Memory) {
        self.inflow.refill_anew(now, memory, &mut self.effects);
        self.life = Life::Away(Away::new(Reason::Waiting, Some(now.mono)));
        self.timeout(now, memory);
    }

    /// The governor's turn has come.
    pub fn turn(&mut self, now: Now, memory: &mut Memory) {
        match &mut self.life {
            Life::Online(online) => match online.take_turn() {
                Some(TurnFor::Confirm(shared)) => self.confirm_login(now, shared),
                Some(TurnFor::Renewal(user_sig)) => self.renew(now, user_sig),
                None => {}
            },
            Life::Away(away) if away.has_asked_turn() => self.come_back(now, memory),
            // It was asked for in a state that is over.
            _ => {}
        }
    }

    /// The source gave a UserSig, or none.
    pub fn user_sig(
        &mut self,
        now: Now,
        memory: &mut Memory,
        outcome: Result<UserSig, CredentialError>,
    ) {
        let renewing = matches!(&self.life, Life::Online(online) if online.is_fetching());
        let time = (self.service_secs(now), self.clock.is_known());
        let credential = &self.config.credential;
        let outcome =
            outcome.and_then(|sig| self.sigs.check_fresh(credential, time, renewing, sig));
        match (&mut self.life, outcome) {
            (Life::Away(away), Ok(user_sig)) if away.is_fetching() => {
                self.sigs.fetched();
                self.dial(now, Some(user_sig));
            }
            (Life::Away(away), Err(error)) if away.is_fetching() => {
                self.ended(now, memory, Cause::NoUserSig(error));
            }
            (Life::Online(online), Ok(user_sig)) if renewing => {
                self.sigs.fetched();
                if online.renew_with(user_sig) {
                    self.effects.push_back(Effect::ReserveLogin);
                }
            }
            // The present login still holds: ask again later, and tell what is waited for.
            (Life::Online(online), Err(error)) if renewing => {
                let (failures, chance) = (self.sigs.not_fetched(), self.rng.f64());
                let wait = self.config.policy.backoff.delay(failures, chance);
                online.not_fetched(error.to_string());
                self.sigs.renew_at(now.mono + wait);
                self.effects.push_back(Effect::Changed { online: None });
            }
            // It was asked for in a state that is over.
            _ => {}
        }
    }

    /// Whether another login of the account is there, as far as could be found out.
    pub fn probed(&mut self, now: Now, memory: &mut Memory, other: Option<bool>) {
        let spaced = |core: &Self, wait| core.spaced(now.mono + wait);
        match &self.life {
            Life::Away(away) if away.is_probing() => {}
            _ => return,
        }
        if other == Some(true) {
            // Still there: coming back would only earn a kick. Ask again after the same time.
            let cool_down = self.config.policy.multiple_account.cool_down;
            let chance = 0.5 + self.rng.f64() / 2.0;
            let at = spaced(self, cool_down.delay(self.setbacks.kicks().max(1), chance));
            if let Life::Away(away) = &mut self.life {
                away.probe_again(at);
            }
            self.effects.push_back(Effect::Changed { online: None });
        } else {
            self.ask_turn();
        }
        self.timeout(now, memory);
    }

    /// The connection reports.
    pub fn report(&mut self, now: Now, memory: &mut Memory, report: Report) {
        match report {
            Report::ServerTime(time) => self.clock.dialled(now, time),
            Report::Opened => {
                self.link.opened();
                if let Life::Connecting(by) = self.life {
                    self.enter(now, Life::LoggingIn(by));
                }
            }
            Report::DialFailed(error) => {
                self.link.closed();
                if let ConnectError::Busy { retry_after, .. } = &error {
                    // The server counts addresses, and the fleet has one: all of it slows down.
                    let wait = retry_after.unwrap_or_default();
                    self.pace.hold_until(now.mono + wait);
                    self.effects.push_back(Effect::SlowDown(wait));
                }
                self.ended(now, memory, Cause::ConnectFailed(error));
            }
            Report::Closed(end) => self.closed(now, memory, end),
            Report::Session(event) => self.session(now, memory, event),
            Report::Settled { token, outcome } => {
                self.delivery
                    .settled(outlet!(self, now), memory, token, outcome);
            }
        }
    }

    /// The connection actor is gone; a new one will be made, unless it dies too often (`allowed` is
    /// `false`). What it held is lost, the ticket of the login included.
    pub fn crashed(&mut self, now: Now, memory: &mut Memory, allowed: bool) {
        self.link.closed();
        self.link.keep_ticket(false);
        self.delivery.connection_died(now, memory);
        if matches!(self.life, Life::Stopping) {
            self.stopped(now);
        } else if !allowed {
            self.hold_off(now, memory, Cause::Crashed, Life::Quarantined);
        } else if self.life.is_connected() {
            self.ended(now, memory, Cause::Crashed);
        }
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Harmless when early.
    pub fn timeout(&mut self, now: Now, memory: &mut Memory) {
        let due = |at: Option<Duration>| at.is_some_and(|at| at <= now.mono);
        self.inflow.tell(now, &mut self.effects);
        if due(memory.spill_read_at()) {
            self.inflow.refill(now, memory, &mut self.effects);
        }
        if matches!(&self.life, Life::Away(away) if away.is_due(now.mono)) {
            if self.link.takes_no_turn() {
                self.come_back(now, memory);
            } else {
                self.set_out();
            }
        }
        self.delivery.expire(outlet!(self, now));
        if let Life::Online(online) = &self.life {
            let (confirm, stop_by) = (due(online.confirm_due()), online.stop_by());
            if due(memory.report_at()) {
                self.delivery.report_read(outlet!(self, now), memory);
            }
            if confirm {
                self.ask_to_confirm(now);
            }
            if due(stop_by) || stop_by.is_some() && memory.report_at().is_none() {
                return self.hold_off(now, memory, Cause::Stopped, Life::Stopping);
            }
            self.delivery.end_typing(outlet!(self, now));
            if due(self.sigs.due()) {
                self.renewal_due(now);
            }
        }
        if due(self.link.logout_by()) {
            self.link.forget_logout();
            self.effects.push_back(Effect::Close);
        }
        if due(self.life.login_by()) {
            self.link.keep_ticket(false);
            let fault = LinkFault::LoginUnanswered;
            self.ended(now, memory, Cause::LinkLost(LinkEnd::Fault(fault)));
        }
        self.delivery.pump(outlet!(self, now));
    }

    /// Takes something to send; [`Effect::Reply`] with the same token follows.
    pub fn send(&mut self, now: Now, token: u64, item: OutboxItem) {
        match self.phase() {
            Phase::Held
            | Phase::Quarantined
            | Phase::Contested
            | Phase::Stopping
            | Phase::Stopped => {
                let cause = self.cause.to_string();
                self.delivery
                    .refuse_offline(outlet!(self, now), token, &item, cause);
            }
            _ => {
                let limit = self.config.policy.send_timeout;
                self.delivery.send(outlet!(self, now), token, item, limit);
            }
        }
    }

    /// The message of this token may go to its group after so long a wait.
    pub fn group_turn(&mut self, now: Now, token: u64, wait: Duration) {
        self.delivery.group_turn(outlet!(self, now), token, wait);
    }

    /// Every bot that wants a message is done with it.
    pub fn handled(&mut self, now: Now, memory: &mut Memory, receipt: &Receipt) {
        let room = memory.finished(now, receipt);
        self.over(now, memory, receipt, true);
        self.noted(room);
    }

    /// A bot will not handle a message: it stays unread, and comes again after a restart.
    pub fn not_handled(&mut self, now: Now, memory: &mut Memory, receipt: &Receipt) {
        let room = memory.abandoned(now, receipt);
        self.over(now, memory, receipt, false);
        self.noted(room);
    }

    /// Something was finished and noted in the memory; `room` says that the session waits for it.
    pub fn noted(&mut self, room: bool) {
        if room {
            self.effects.push_back(Effect::Room);
        }
    }

    // ── what the server does not keep ────────────────────────────────────────────────────────

    fn over(&mut self, now: Now, memory: &mut Memory, receipt: &Receipt, done: bool) {
        let over = (receipt, done);
        self.inflow.over(now, memory, &mut self.effects, over);
    }

    /// The bots are done with an update that came back from the store (`done`), or one of them will not handle it.
    pub fn update_over(&mut self, now: Now, memory: &mut Memory, number: u64, done: bool) {
        let over = (number, done);
        self.inflow
            .update_over(now, memory, &mut self.effects, over);
    }

    /// Whether an update has to queue behind others in the store: it goes to [`update_refused`](Self::update_refused).
    #[must_use]
    pub fn is_spilling_updates(&self, memory: &Memory) -> bool {
        is_spilling_updates(memory, &self.effects)
    }

    /// The subscriber had no room for an update. Returns whether it goes to the store; otherwise it is lost.
    pub fn update_refused(&mut self, now: Now, memory: &mut Memory, update: &Update) -> bool {
        self.inflow
            .update_refused(now, memory, &mut self.effects, update)
    }

    /// What [`Effect::ReadSpill`] asked for was read; `None` when it could not be.
    pub fn spill_read(
        &mut self,
        now: Now,
        memory: &mut Memory,
        line: &SpillLine,
        found: Option<Vec<Spilled>>,
    ) {
        let read = (line, found);
        self.inflow.spill_read(now, memory, &mut self.effects, read);
    }

    // ── orders ───────────────────────────────────────────────────────────────────────────────

    /// Stays away until [`resume`](Self::resume): logs out when online.
    pub fn hold(&mut self, now: Now, memory: &mut Memory) {
        self.hold_off(now, memory, Cause::Ordered, Life::Held);
    }

    /// Stays away until [`resume`](Self::resume), as something that needs mending.
    pub fn quarantine(&mut self, now: Now, memory: &mut Memory) {
        self.hold_off(now, memory, Cause::Ordered, Life::Quarantined);
    }

    /// Stays away from the start, for a reason of an earlier process: in quarantine, or held.
    pub fn start_away(&mut self, now: Now, memory: &mut Memory, phase: Phase, cause: Cause) {
        let life = match phase {
            Phase::Quarantined => Life::Quarantined,
            _ => Life::Held,
        };
        self.inflow.refill_anew(now, memory, &mut self.effects);
        self.hold_off(now, memory, cause, life);
    }

    /// Comes back, whatever kept it away; what it remembers of failures is forgotten.
    pub fn resume(&mut self, now: Now, memory: &mut Memory) {
        let at = self.spaced(now.mono);
        let life = match std::mem::replace(&mut self.life, Life::Held) {
            Life::Away(mut away) => {
                away.hurry(at);
                Life::Away(away)
            }
            Life::Held | Life::Quarantined => Life::Away(Away::new(Reason::Waiting, Some(at))),
            other => {
                self.life = other;
                return;
            }
        };
        self.reset_history();
        self.enter(now, life);
        self.timeout(now, memory);
    }

    /// Takes another config of the same account. It stays where it is: another credential counts from the next login
    /// on, and brings back an account that is away because the last one was no good.
    pub fn reconfigure(&mut self, now: Now, memory: &mut Memory, config: Arc<CoreConfig>) {
        let is_other_credential = !self.config.credential.is_same(&config.credential);
        self.delivery.trust_keys(config.policy.trust_send_keys);
        self.config = config;
        if !is_other_credential {
            return;
        }
        self.sigs.forgive(&self.config.credential);
        self.sigs.accepted();
        match &self.life {
            Life::Online(_) => self.plan_renewal(now),
            Life::Away(_) | Life::Quarantined if self.cause.is_about_credential() => {
                self.resume(now, memory);
            }
            _ => {}
        }
    }

    /// Goes on with a login of another process after a while; this takes no turn of the governor.
    pub fn start_resuming(&mut self, now: Now, memory: &mut Memory, after: Duration) {
        self.inflow.refill_anew(now, memory, &mut self.effects);
        self.link.go_on();
        self.life = Life::Away(Away::new(Reason::Waiting, Some(now.mono + after)));
        self.timeout(now, memory);
    }

    /// Lets go of the link and keeps the login, so that another process can go on with it; [`Effect::Stopped`] follows.
    /// What is on its way stays undecided.
    pub fn hand_over(&mut self, now: Now, memory: &mut Memory) {
        if matches!(self.life, Life::Stopping | Life::Stopped) {
            return;
        }
        if self.phase().is_online() {
            self.delivery.report_read(outlet!(self, now), memory);
        }
        let is_dialling = matches!(self.life, Life::Connecting(_));
        let linked = self.link.closed() || is_dialling;
        self.record_ending(now, Cause::Stopped, Phase::Stopping);
        self.leave(now, Life::Stopping);
        if linked {
            self.effects.push_back(Effect::Close);
            self.link.logging_out(now.mono);
        } else {
            self.stopped(now);
        }
    }

    /// Moves to a new link, and keeps its login.
    pub fn relink(&mut self, now: Now, memory: &mut Memory) {
        if self.life.is_connected() {
            self.ended(now, memory, Cause::Reconfigured);
        }
    }

    /// Replaces the login by one with a new UserSig; comes back when it is away by itself, and not
    /// when somebody sent it away.
    pub fn relogin(&mut self, now: Now, memory: &mut Memory) {
        match self.life {
            Life::Held | Life::Quarantined => {}
            Life::Online(_) => {
                self.sigs.renew_at(now.mono);
                self.timeout(now, memory);
            }
            _ => {
                self.link.keep_ticket(false);
                self.resume(now, memory);
            }
        }
    }

    /// Logs out for good; [`Effect::Stopped`] follows. What the bots have finished is reported as read
    /// first, which may take two seconds: the second it was said in has to end.
    pub fn stop(&mut self, now: Now, memory: &mut Memory) {
        if let Life::Online(online) = &self.life
            && online.stop_by().is_none()
        {
            self.delivery.report_read(outlet!(self, now), memory);
            if memory.report_at().is_some() {
                if let Life::Online(online) = &mut self.life {
                    online.set_stop_by(now.mono + LAST_REPORTS);
                }
                return;
            }
        }
        self.hold_off(now, memory, Cause::Stopped, Life::Stopping);
    }

    // ── coming back ──────────────────────────────────────────────────────────────────────────

    /// The time has come to come back.
    fn set_out(&mut self) {
        let Life::Away(away) = &mut self.life else {
            return;
        };
        let taken = away.is_taken() && !matches!(self.cause, Cause::Kicked(KickType::RestApi));
        if taken && self.config.probes {
            away.probe();
            self.effects.push_back(Effect::Probe);
        } else {
            self.ask_turn();
        }
    }

    fn ask_turn(&mut self) {
        if let Life::Away(away) = &mut self.life {
            away.ask_turn();
            self.effects.push_back(Effect::ReserveLogin);
        }
    }

    /// Its turn has come.
    fn come_back(&mut self, now: Now, memory: &mut Memory) {
        if self.link.has_ticket() {
            return self.dial(now, None);
        }
        let time = self.service_secs(now);
        match self.sigs.mint(&self.config, time) {
            Ok(Some(user_sig)) => self.dial(now, Some(user_sig)),
            Ok(None) => {
                let source = self.source();
                if let Life::Away(away) = &mut self.life {
                    away.fetch(source);
                }
                self.effects.push_back(Effect::FetchUserSig);
                self.effects.push_back(Effect::Changed { online: None });
            }
            Err(error) => self.ended(now, memory, Cause::NoUserSig(error)),
        }
    }

    /// What is waited for while a UserSig is fetched.
    fn source(&self) -> String {
        match &self.config.credential {
            Credential::External(source) => format!("{ASKED} from {source}"),
            _ => ASKED.to_owned(),
        }
    }

    fn dial(&mut self, now: Now, user_sig: Option<UserSig>) {
        if let Some(user_sig) = &user_sig {
            self.sigs.sets_out(user_sig);
        }
        let limit = self.config.policy.connect_limit;
        self.pace.logged_in(now.mono);
        self.enter(now, Life::Connecting(now.mono + limit + LOGIN_LIMIT));
        let random = self.rng.f64();
        let origin = self.hosts.current();
        let url = connect_url(&origin, self.config.app, &self.instance_id, random, false);
        self.link.dial(&origin);
        // The next connection goes to the next host, however this one ends.
        self.hosts.advance();
        self.effects.push_back(Effect::Dial {
            url,
            limit,
            user_sig,
        });
    }

    /// Not before the least time between two logins, and not before the server allows one.
    fn spaced(&self, at: Duration) -> Duration {
        self.pace.earliest(at, self.config.policy.login_spacing)
    }

    /// The time to make and judge UserSigs by, in Unix seconds.
    fn service_secs(&self, now: Now) -> u64 {
        // A machine that slept has a monotonic clock that stood still: what the server said last may
        // be as wrong as our own clock. When neither will do they take turns.
        let ours = self.sigs.is_renewed()
            && self.sigs.is_void()
            && self.setbacks.failures().is_multiple_of(2);
        self.clock.secs(now, ours)
    }

    // ── what the session tells ───────────────────────────────────────────────────────────────

    fn session(&mut self, now: Now, memory: &mut Memory, event: Event) {
        match event {
            Event::Ready(ready) => self.ready(now, &ready),
            Event::Refused {
                code,
                info,
                resuming,
            } => self.refused(now, memory, code, info, resuming),
            Event::Kicked(kick) => self.kicked(now, memory, kick),
            Event::Expired { code, .. } => {
                self.tally.expired += 1;
                self.link.keep_ticket(false);
                self.sigs.void();
                self.ended(now, memory, Cause::UserSigExpired(code));
            }
            Event::Overloaded { servcmd, delay } => {
                if servcmd == command::LOGIN {
                    self.pace.hold_until(now.mono + delay);
                    self.effects.push_back(Effect::SlowDown(delay));
                }
            }
            Event::Message(message) => {
                self.inflow.message(now, memory, &mut self.effects, message);
            }
            Event::Spill { message, body } => {
                let spilled = (message, body);
                self.inflow.spill(now, memory, &mut self.effects, spilled);
            }
            Event::Update(update) => self.deliver(AccountEvent::Update(update)),
            Event::Trouble { part, reason } => self.troubles.set(part, reason),
            Event::Dropped(_) => self.inflow.dropped(now, &mut self.effects),
            Event::ResumeWanted => {
                let at = self.spaced(now.mono);
                if let Life::Online(online) = &mut self.life {
                    online.confirm_at(at);
                }
                self.timeout(now, memory);
            }
            // Somebody may have resumed the account meanwhile: then the next link is under way already.
            Event::LoggedOut => {
                if !self.life.is_connected() {
                    self.link.keep_ticket(false);
                    self.effects.push_back(Effect::Close);
                }
            }
            Event::Ignored(_) => self.inflow.ignored(),
            Event::Skipped { count, .. } => self.inflow.missed(count),
            // What waits behind missed messages may have its turn now.
            Event::Synced { .. } => self.inflow.refill(now, memory, &mut self.effects),
            Event::SyncFailed { .. }
            | Event::HistoryGone { .. }
            | Event::RoomLost { .. }
            | Event::Settled { .. }
            | Event::LinkDead(_) => {}
        }
    }

    fn deliver(&mut self, event: AccountEvent) {
        self.effects.push_back(Effect::Deliver(event));
    }

    fn ready(&mut self, now: Now, ready: &Ready) {
        self.link.logged_in(ready.resumed);
        self.sigs.accepted();
        self.clock.logged_in(now, ready.clock_offset);
        match (&self.life, ready.resumed) {
            (Life::Renewing(..), _) => self.tally.renewals += 1,
            (_, true) => self.tally.resumes += 1,
            (_, false) => self.tally.logins += 1,
        }
        if !ready.resumed {
            self.plan_renewal(now);
        }
        match &mut self.life {
            Life::LoggingIn(_) => {
                self.record(now, RecordedEvent::Online(ready.resumed));
                self.enter(now, Life::Online(Online::new(now.mono)));
                self.deliver(AccountEvent::Ready);
            }
            Life::Renewing(since, _) => {
                let online = Online::new(*since);
                self.enter(now, Life::Online(online));
            }
            Life::Online(online) => online.confirmed(),
            _ => {}
        }
        self.delivery.pump(outlet!(self, now));
    }

    fn refused(&mut self, now: Now, memory: &mut Memory, code: Code, info: String, resuming: bool) {
        // A resume held back by an overload can still be made later.
        self.link.keep_ticket(resuming && code == Code::OVERLOADED);
        let is_void = code.disposition() == Disposition::NewUserSig;
        if is_void {
            self.sigs.void();
        }
        if let Disposition::RetryAfter(delay) = code.disposition() {
            self.pace.hold_until(now.mono + delay);
        }
        if matches!(code, Code::TOO_FREQUENT | Code::TOO_FREQUENT_LOGIN) {
            let delay = self.pace.held_for(now.mono);
            self.effects.push_back(Effect::SlowDown(delay));
        }
        // The second in a row, and this UserSig was made a moment ago: the clock must be wrong.
        let minted = matches!(self.config.credential, Credential::Minted { .. });
        let cause = if is_void && minted && self.sigs.is_renewed() && !resuming {
            let ours = now.unix_secs();
            let offset = self.clock.is_known().then(|| self.clock.offset(now));
            Cause::ClockOff { code, ours, offset }
        } else {
            Cause::Refused { code, info }
        };
        self.ended(now, memory, cause);
    }

    fn kicked(&mut self, now: Now, memory: &mut Memory, kick: KickType) {
        self.link.keep_ticket(false);
        let since = self.life.online_since();
        let online = since.map(|since| now.mono.saturating_sub(since));
        self.setbacks
            .kicked(now.mono, kick, online, &self.config.policy);
        match kick {
            KickType::MultipleAccount => self.tally.kicked_by_account += 1,
            KickType::MultipleDevice => self.tally.kicked_by_device += 1,
            // Every UserSig made before is void.
            KickType::RestApi => {
                self.tally.kicked_by_rest += 1;
                self.sigs.void();
            }
        }
        self.ended(now, memory, Cause::Kicked(kick));
    }

    // ── endings ──────────────────────────────────────────────────────────────────────────────

    fn closed(&mut self, now: Now, memory: &mut Memory, end: LinkEnd) {
        let stopping = matches!(self.life, Life::Stopping);
        if end == LinkEnd::Ours && !stopping {
            return; // The goodbye of a link that was given up; there may be a new one already.
        }
        self.link.closed();
        if stopping {
            self.stopped(now);
        } else if self.life.is_connected() {
            if self.phase().is_online() {
                self.tally.lost_links += 1;
            }
            self.ended(now, memory, Cause::LinkLost(end));
        }
    }

    /// An ending: records it, asks the table, and sets out to do what it says.
    fn ended(&mut self, now: Now, memory: &mut Memory, cause: Cause) {
        if matches!(self.life, Life::Stopping | Life::Stopped) {
            return;
        }
        let (policy, credential) = (&self.config.policy, &self.config.credential);
        let since = self.life.online_since();
        let online = since.map(|since| now.mono.saturating_sub(since));
        if is_stable(online, policy) {
            self.sigs.held();
        }
        let sigs = (self.sigs.is_renewed(), credential.is_renewable());
        let chance = self.rng.f64();
        let decision = self.setbacks.ended(&cause, online, sigs, policy, chance);
        self.sigs.ended();
        let away = |reason, wait| {
            let at = self.spaced(now.mono + wait);
            Life::Away(Away::new(reason, Some(at)))
        };
        let life = match decision {
            Decision::Retry(wait) => away(Reason::Waiting, wait),
            Decision::CoolDown(wait) => away(Reason::CoolingDown, wait),
            Decision::Contest(wait) => away(Reason::Contested, wait),
            Decision::Hold => Life::Held,
            Decision::Quarantine => Life::Quarantined,
        };
        let phase = life.phase();
        self.record_ending(now, cause, phase);
        if self.link.closed() {
            // No login is on it any more, or it is about to be given up: a new one starts from the top.
            self.effects.push_back(Effect::Close);
        }
        self.leave(now, life);
        if !matches!(phase, Phase::Waiting | Phase::CoolingDown) {
            self.delivery
                .fail(outlet!(self, now), &self.cause.to_string());
        }
        self.timeout(now, memory);
    }

    /// Goes offline on somebody's wish: logs out, and stays away in `life`.
    fn hold_off(&mut self, now: Now, memory: &mut Memory, cause: Cause, life: Life) {
        if matches!(self.life, Life::Stopping | Life::Stopped) {
            return;
        }
        if self.phase().is_online() {
            self.delivery.report_read(outlet!(self, now), memory);
        }
        let is_dialling = matches!(self.life, Life::Connecting(_));
        let linked = self.link.closed() || is_dialling;
        let stopping = matches!(life, Life::Stopping);
        self.record_ending(now, cause, life.phase());
        self.leave(now, life);
        self.delivery
            .fail(outlet!(self, now), &self.cause.to_string());
        if linked {
            self.link.keep_ticket(false);
            self.effects.push_back(Effect::Logout);
            self.link.logging_out(now.mono);
        } else if stopping {
            self.stopped(now);
        }
    }

    /// Leaves the present state. The facts of that state go with it; its bots hear that it is over.
    fn leave(&mut self, now: Now, life: Life) {
        if self.phase().is_online() {
            let cause = self.cause.clone();
            self.deliver(AccountEvent::NotReady(cause));
        }
        self.enter(now, life);
    }

    fn stopped(&mut self, now: Now) {
        if !matches!(self.life, Life::Stopped) {
            self.link.forget_logout();
            self.enter(now, Life::Stopped);
            self.effects.push_back(Effect::Stopped);
        }
    }

    /// The one place where the state changes.
    fn enter(&mut self, now: Now, life: Life) {
        let (was, is) = (self.phase().is_online(), life.phase().is_online());
        self.life = life;
        self.delivery.set_online(now, is);
        self.since = now.unix;
        let online = (was != is).then_some(is);
        self.effects.push_back(Effect::Changed { online });
    }

    /// Resets the failure counters, the history of kicks and the word of the server that the UserSig is
    /// void.
    fn reset_history(&mut self) {
        self.setbacks = Setbacks::default();
        self.sigs.forgive(&self.config.credential);
    }

    fn record_ending(&mut self, now: Now, cause: Cause, then: Phase) {
        self.cause = cause.clone();
        let host = self.link.host();
        self.record(now, RecordedEvent::Ended { cause, then, host });
    }

    fn record(&mut self, now: Now, event: RecordedEvent) {
        self.recorder
            .record(now, self.link.number(), self.setbacks.failures(), event);
    }

    // ── renewal and confirmation ─────────────────────────────────────────────────────────────

    /// A login with a new UserSig succeeded: when is it to be replaced?
    fn plan_renewal(&mut self, now: Now) {
        let time = self.service_secs(now);
        let (credential, renew_at) = (&self.config.credential, self.config.policy.renew_at);
        let rng = &mut self.rng;
        let after = self
            .sigs
            .renew_after(credential, time, renew_at, || rng.f64());
        match after {
            Some(after) => self.sigs.renew_at(self.spaced(now.mono + after)),
            None => self.sigs.renew_never(),
        }
    }

    /// The UserSig is old enough, or somebody wants the login to be replaced.
    fn renewal_due(&mut self, now: Now) {
        let later = self.spaced(now.mono);
        let Life::Online(online) = &mut self.life else {
            return;
        };
        if online.is_renewing() {
            return;
        }
        // It fell due while the account was away: not on the heels of the login that ended that.
        if later > now.mono {
            return self.sigs.renew_at(later);
        }
        let time = self.service_secs(now);
        match self.sigs.mint(&self.config, time) {
            Ok(Some(user_sig)) => {
                if let Life::Online(online) = &mut self.life
                    && online.renew_with(user_sig)
                {
                    self.effects.push_back(Effect::ReserveLogin);
                }
            }
            Ok(None) => {
                let source = self.source();
                if let Life::Online(online) = &mut self.life {
                    online.fetch(source);
                }
                self.effects.push_back(Effect::FetchUserSig);
                self.effects.push_back(Effect::Changed { online: None });
            }
            // A fixed one cannot be renewed; the server will say when it is over.
            Err(_) => self.sigs.renew_never(),
        }
    }

    fn renew(&mut self, now: Now, user_sig: UserSig) {
        let since = self.life.online_since().unwrap_or(now.mono);
        self.sigs.renew_never();
        self.sigs.sets_out(&user_sig);
        self.pace.logged_in(now.mono);
        // The session gives up the present login for the new one.
        self.link.keep_ticket(false);
        self.enter(now, Life::Renewing(since, now.mono + LOGIN_LIMIT));
        self.effects.push_back(Effect::Relogin(user_sig));
    }

    /// The server wants the login to be confirmed: as soon as the governor gives a turn.
    fn ask_to_confirm(&mut self, now: Now) {
        let later = self.spaced(now.mono);
        let Life::Online(online) = &mut self.life else {
            return;
        };
        if later > now.mono {
            online.confirm_at(later);
        } else if online.confirm_at_turn() {
            self.effects.push_back(Effect::ReserveLogin);
        }
    }

    fn confirm_login(&mut self, now: Now, renewal_shared_the_turn: bool) {
        self.pace.logged_in(now.mono);
        self.effects.push_back(Effect::ConfirmLogin);
        if renewal_shared_the_turn {
            self.sigs.renew_at(self.spaced(now.mono));
        }
    }
}
