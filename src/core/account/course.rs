//! How things go on: after a login, after an ending, at a renewal, on the way out.

use super::cause::Cause;
use super::core::{Core, Probe, Renewal};
use super::credential::{Credential, CredentialError};
use super::decide::{Decision, History, decide};
use super::effect::{AccountEvent, Effect};
use super::outbox::{Errand, Sending, Settled};
use super::recovery::TakeBack;
use super::status::{Phase, Record, RecordedEvent};
use crate::account::LinkEnd;
use crate::policy::Now;
use crate::proto::address::GroupAddress;
use crate::proto::code::{Code, Disposition};
use crate::proto::command;
use crate::proto::event::KickType;
use crate::proto::message::{Conversation, Draft, SendC2c};
use crate::proto::op::Call;
use crate::proto::op::group_message::ReadReport;
use crate::proto::usersig::{self, UserSig};
use crate::session::{Event, Memory, ReadMark, Ready, RequestError};
use std::borrow::Cow;
use std::time::Duration;

/// How long a logout may take before the link is closed without an answer.
const LOGOUT_LIMIT: Duration = Duration::from_secs(3);
/// Milliseconds by which clocks may differ without being called different: the server tells whole
/// seconds, and some time after.
const AGREES: u64 = 2_500;
/// Entries of the flight recorder.
const MAX_RECORDS: usize = 16;

impl Core {
    pub(super) fn session(&mut self, now: Now, memory: &mut Memory, event: Event) {
        match event {
            Event::Ready(ready) => self.ready(now, &ready),
            Event::Refused {
                code,
                info,
                resuming,
            } => {
                // A resume held back by an overload can still be made later.
                self.has_ticket = resuming && code == Code::OVERLOADED;
                let is_void = code.disposition() == Disposition::NewUserSig;
                self.used_up |= is_void;
                if let Disposition::RetryAfter(delay) = code.disposition() {
                    self.not_before = now.mono + delay;
                }
                if matches!(code, Code::TOO_FREQUENT | Code::TOO_FREQUENT_LOGIN) {
                    let delay = self.not_before.saturating_sub(now.mono);
                    self.effects.push_back(Effect::SlowDown(delay));
                }
                // The second in a row, and this one was made a moment ago.
                let minted = matches!(self.config.credential, Credential::Minted { .. });
                let cause = if is_void && minted && self.renewed && !resuming {
                    let ours = now.unix_secs();
                    let offset = self.server_time.is_some().then(|| self.offset(now));
                    Cause::ClockOff { code, ours, offset }
                } else {
                    Cause::Refused { code, info }
                };
                self.ended(now, memory, cause);
            }
            Event::Kicked(kick) => self.kicked(now, memory, kick),
            Event::Expired { code, .. } => {
                self.counters.expired += 1;
                self.has_ticket = false;
                self.used_up = true;
                self.ended(now, memory, Cause::UserSigExpired(code));
            }
            Event::Overloaded { servcmd, delay } => {
                if servcmd == command::LOGIN {
                    self.not_before = now.mono + delay;
                    self.effects.push_back(Effect::SlowDown(delay));
                }
            }
            Event::Message(message) => {
                self.counters.received += 1;
                memory.delivered(&message);
                self.effects
                    .push_back(Effect::Deliver(AccountEvent::Message(message)));
            }
            Event::Update(update) => self
                .effects
                .push_back(Effect::Deliver(AccountEvent::Update(update))),
            Event::Trouble { part, reason } => {
                match reason {
                    Some(reason) => self.troubles.insert(part, reason),
                    None => self.troubles.remove(&part),
                };
            }
            Event::Dropped(_) => self.counters.dropped += 1,
            Event::ResumeWanted => {
                self.confirm = Renewal::Due(self.spaced(now.mono));
                self.timeout(now, memory);
            }
            Event::LoggedOut => {
                self.has_ticket = false;
                self.effects.push_back(Effect::Close);
            }
            Event::Ignored(_) => self.counters.ignored += 1,
            Event::Skipped { count, .. } => self.counters.dropped += u64::from(count),
            Event::Synced { .. }
            | Event::SyncFailed { .. }
            | Event::HistoryGone { .. }
            | Event::RoomLost { .. }
            | Event::Settled { .. }
            | Event::LinkDead(_) => {}
        }
    }

    fn ready(&mut self, now: Now, ready: &Ready) {
        self.has_ticket = true;
        self.login_by = None;
        self.used_up = false;
        self.confirm = Renewal::None;
        self.resumed = ready.resumed;
        self.clock_offset = ready.clock_offset;
        // Zero to the millisecond: it did not tell.
        if ready.clock_offset != 0 {
            let by = Duration::from_millis(ready.clock_offset.unsigned_abs());
            let time = if ready.clock_offset > 0 {
                now.unix.saturating_add(by)
            } else {
                now.unix.saturating_sub(by)
            };
            self.server_time = Some((now.mono, time));
        }
        match (self.phase, ready.resumed) {
            (Phase::Renewing, _) => self.counters.renewals += 1,
            (_, true) => self.counters.resumes += 1,
            (_, false) => self.counters.logins += 1,
        }
        if !ready.resumed {
            self.plan_renewal(now);
        }
        match self.phase {
            Phase::LoggingIn => {
                self.online_since = Some(now.mono);
                self.record(now, RecordedEvent::Online(ready.resumed));
                self.enter(now, Phase::Online);
                self.effects.push_back(Effect::Deliver(AccountEvent::Ready));
            }
            Phase::Renewing => self.enter(now, Phase::Online),
            _ => {}
        }
        self.pump(now);
    }

    fn kicked(&mut self, now: Now, memory: &mut Memory, kick: KickType) {
        self.has_ticket = false;
        let (count, policy): (_, Option<TakeBack>) = match kick {
            KickType::MultipleAccount => (
                &mut self.counters.kicked_by_account,
                Some(self.config.policy.multiple_account),
            ),
            KickType::MultipleDevice => (
                &mut self.counters.kicked_by_device,
                Some(self.config.policy.multiple_device),
            ),
            KickType::RestApi => (&mut self.counters.kicked_by_rest, None),
        };
        *count += 1;
        match policy {
            Some(policy) => {
                self.kicks.push_back(now.mono);
                let window = policy.window;
                while self
                    .kicks
                    .front()
                    .is_some_and(|at| now.mono.saturating_sub(*at) > window)
                {
                    self.kicks.pop_front();
                }
                let online = self
                    .online_since
                    .map(|since| now.mono.saturating_sub(since));
                let soon = online.is_none_or(|online| online < policy.contest_within);
                if self.took_back && soon {
                    self.signs = self.signs.saturating_add(1);
                } else {
                    self.signs = 0;
                }
                self.took_back = true;
            }
            // Every UserSig made before is void.
            None => self.used_up = true,
        }
        self.ended(now, memory, Cause::Kicked(kick));
    }

    pub(super) fn closed(&mut self, now: Now, memory: &mut Memory, end: LinkEnd) {
        if end == LinkEnd::Ours && self.phase != Phase::Stopping {
            return; // The goodbye of a link given up before; there may be a new one already.
        }
        self.linked = false;
        if self.phase == Phase::Stopping {
            self.stopped(now);
        } else if self.is_connected() {
            if self.phase.is_online() {
                self.counters.lost_links += 1;
            }
            self.ended(now, memory, Cause::LinkLost(end));
        }
    }

    /// An ending: records it, asks the table, and sets out to do what it says.
    pub(super) fn ended(&mut self, now: Now, memory: &mut Memory, cause: Cause) {
        if matches!(self.phase, Phase::Stopping | Phase::Stopped) {
            return;
        }
        let online = self.online_since.take();
        let online = online.map(|since| now.mono.saturating_sub(since));
        if online.is_some_and(|online| online >= self.config.policy.stable_after) {
            self.failures = 0;
            self.renewed = false;
        }
        if online.is_some_and(|online| online >= self.config.policy.multiple_account.contest_within)
            && !matches!(cause, Cause::Kicked(_))
        {
            self.took_back = false;
            self.signs = 0;
        }
        self.failures = self.failures.saturating_add(1);
        let history = History {
            failures: self.failures,
            kicks: u32::try_from(self.kicks.len()).unwrap_or(u32::MAX),
            signs: self.signs,
            renewed: self.renewed,
            renewable: self.config.credential.is_renewable(),
        };
        let decision = decide(&cause, history, &self.config.policy, self.rng.f64());
        self.renewed |= self.used_up;
        let was_online = self.phase.is_online();
        self.cause = cause.clone();
        let (phase, wait) = match decision {
            Decision::Retry(wait) => (Phase::Waiting, Some(wait)),
            Decision::CoolDown(wait) => (Phase::CoolingDown, Some(wait)),
            Decision::Contest(wait) => (Phase::Contested, Some(wait)),
            Decision::Hold => (Phase::Held, None),
            Decision::Quarantine => (Phase::Quarantined, None),
        };
        self.record(
            now,
            RecordedEvent::Ended {
                cause,
                then: phase,
                host: self.host.clone(),
            },
        );
        self.act_at = wait.map(|wait| self.spaced(now.mono + wait));
        self.part(now, was_online);
        self.enter(now, phase);
        if wait.is_none() || phase == Phase::Contested {
            self.fail_outbox();
        }
        self.timeout(now, memory);
    }

    /// Lets go of the link and everything that was under way on it.
    fn part(&mut self, now: Now, was_online: bool) {
        self.login_by = None;
        self.stop_at = None;
        self.fetching = false;
        if self.confirm == Renewal::WaitingForTurn {
            self.turn_asked = false;
        }
        self.confirm = Renewal::None;
        self.probe = Probe::NotAsked;
        self.waits_for = None;
        self.next_sig = None;
        if matches!(self.renewal, Renewal::Fetching | Renewal::WaitingForTurn) {
            self.turn_asked = false;
            // Due again as soon as the account is back.
            self.renewal = Renewal::Due(now.mono);
        }
        if std::mem::take(&mut self.linked) {
            // No login on it any more, or about to be given up: a new one starts from the top.
            self.effects.push_back(Effect::Close);
        }
        if was_online {
            let cause = self.cause.clone();
            self.effects
                .push_back(Effect::Deliver(AccountEvent::NotReady(cause)));
        }
    }

    /// Not before the least time between two logins, and not before the server allows one.
    pub(super) fn spaced(&self, at: Duration) -> Duration {
        let spacing = self.config.policy.login_spacing;
        let spaced = self
            .last_login
            .map_or(Duration::ZERO, |last| last + spacing);
        at.max(spaced).max(self.not_before)
    }

    /// Leaves on somebody's wish.
    pub fn leave(&mut self, now: Now, memory: &mut Memory, cause: Cause, phase: Phase) {
        if matches!(self.phase, Phase::Stopping | Phase::Stopped) {
            return;
        }
        let was_online = self.phase.is_online();
        if was_online {
            self.report_read(now, memory);
        }
        let linked = std::mem::take(&mut self.linked) || matches!(self.phase, Phase::Connecting);
        self.act_at = None;
        self.online_since = None;
        self.cause = cause.clone();
        self.record(
            now,
            RecordedEvent::Ended {
                cause,
                then: phase,
                host: self.host.clone(),
            },
        );
        self.part(now, was_online);
        self.enter(now, phase);
        self.fail_outbox();
        if linked {
            self.effects.push_back(Effect::Logout);
            self.logout_by = Some(now.mono + LOGOUT_LIMIT);
        } else if phase == Phase::Stopping {
            self.stopped(now);
        }
    }

    pub(super) fn stopped(&mut self, now: Now) {
        if self.phase != Phase::Stopped {
            self.logout_by = None;
            self.enter(now, Phase::Stopped);
            self.effects.push_back(Effect::Stopped);
        }
    }

    /// Forgets what it holds against itself and others.
    pub(super) fn forgive(&mut self) {
        self.failures = 0;
        self.kicks.clear();
        self.signs = 0;
        self.took_back = false;
        self.renewed = false;
        self.fetch_failures = 0;
        // A fixed UserSig is all there is: let the server judge it once more.
        self.used_up &= self.config.credential.is_renewable();
    }

    /// Waiting for a time to come, after which it acts by itself.
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(
            self.phase,
            Phase::Waiting | Phase::CoolingDown | Phase::Contested
        )
    }

    /// A link is there, or about to be.
    pub(super) const fn is_connected(&self) -> bool {
        matches!(
            self.phase,
            Phase::Connecting | Phase::LoggingIn | Phase::Online | Phase::Renewing
        )
    }

    // ── time ─────────────────────────────────────────────────────────────────────────────────

    /// The server told its time in answer to a dial.
    pub(super) fn hear_time(&mut self, now: Now, time: Duration) {
        self.server_time = Some((now.mono, time));
        if self.clock_offset == 0 {
            self.clock_offset = self.offset(now);
        }
    }

    /// By how many milliseconds the server's clock is ahead of ours, as far as is known.
    fn offset(&self, now: Now) -> i64 {
        let Some((at, time)) = self.server_time else {
            return 0;
        };
        let server = time.saturating_add(now.mono.saturating_sub(at));
        let ahead = server.saturating_sub(now.unix).as_millis();
        let behind = now.unix.saturating_sub(server).as_millis();
        let milliseconds = |n: u128| i64::try_from(n).unwrap_or(i64::MAX);
        milliseconds(ahead).saturating_sub(milliseconds(behind))
    }

    /// The time to make and judge UserSigs by, in Unix seconds: the server's, where it is known and
    /// plainly another than ours. A wrong clock is a common thing; the server's is what counts.
    pub(super) fn service_secs(&self, now: Now) -> u64 {
        let offset = self.offset(now);
        let agrees = offset.unsigned_abs() <= AGREES;
        // A machine that slept has a monotonic clock that stood still: what the server said last may
        // be as wrong as our own clock, so that they take turns when neither will do.
        let in_turn = self.renewed && self.used_up && self.failures.is_multiple_of(2);
        if agrees || in_turn {
            return now.unix_secs();
        }
        let by = Duration::from_millis(offset.unsigned_abs());
        if offset > 0 {
            now.unix.saturating_add(by).as_secs()
        } else {
            now.unix.saturating_sub(by).as_secs()
        }
    }

    // ── UserSigs ─────────────────────────────────────────────────────────────────────────────

    pub(super) fn mint(&self, now: Now) -> Result<Option<UserSig>, CredentialError> {
        let config = &self.config;
        let time = self.service_secs(now);
        config
            .credential
            .user_sig(config.app, &config.user, time, self.used_up)
    }

    pub(super) fn fetch(&mut self) {
        self.fetching = true;
        self.ask_source();
    }

    fn ask_source(&mut self) {
        if let Credential::External(source) = &self.config.credential {
            self.waits_for = Some(format!("a UserSig from {source}"));
        }
        self.effects.push_back(Effect::FetchUserSig);
        self.effects.push_back(Effect::Changed { online: None });
    }

    /// A source that still gives what is over, or at a renewal what is in use, has no new one yet:
    /// logging in with the same again would renew nothing, and be due again at once.
    pub(super) fn check_fresh(&self, now: Now, sig: UserSig) -> Result<UserSig, CredentialError> {
        let claims = usersig::inspect(sig.expose()).ok();
        let life = claims.map(|claims| (claims.issued_at, claims.expires_at()));
        let over = life.is_some_and(|(_, ends)| ends <= self.service_secs(now));
        let same = life.is_some() && life == self.sig_life;
        let wants_new = self.used_up || self.renewal == Renewal::Fetching;
        // By our own clock alone: that may be what is wrong, so the server is to say it once.
        let certain = self.server_time.is_some() || same;
        let is_stale = (over && certain) || (same && wants_new);
        if !is_stale {
            return Ok(sig);
        }
        let from = match &self.config.credential {
            Credential::External(source) => source.to_string(),
            _ => String::new(),
        };
        Err(CredentialError::Stale { from })
    }

    /// What the UserSig itself says of its life.
    pub(super) fn note_life(&mut self, sig: &UserSig) {
        let claims = usersig::inspect(sig.expose()).ok();
        self.sig_life = claims.map(|claims| (claims.issued_at, claims.expires_at()));
    }

    /// A login with a new UserSig succeeded: when is it to be replaced?
    fn plan_renewal(&mut self, now: Now) {
        self.renewal = Renewal::None;
        let time = self.service_secs(now);
        // One that was over by all we know, and the server took it all the same: nothing can be
        // planned.
        let Some((issued, ends)) = self.sig_life.filter(|(_, ends)| *ends > time) else {
            return;
        };
        if !self.config.credential.is_renewable() {
            return;
        }
        let life = ends.saturating_sub(issued) as f64;
        // Up to a twentieth earlier, so that a fleet that logged in together does not renew together.
        let part = self.config.policy.renew_at - 0.05 * self.rng.f64();
        let at = issued as f64 + life * part.clamp(0.05, 1.0);
        let wait = (at - time as f64).max(0.0);
        self.renewal = Renewal::Due(self.spaced(now.mono + Duration::from_secs_f64(wait)));
    }

    pub(super) fn begin_renewal(&mut self, now: Now) {
        match self.mint(now) {
            Ok(Some(user_sig)) => {
                self.next_sig = Some(user_sig);
                self.ask_for_renewal_turn();
            }
            Ok(None) => {
                self.renewal = Renewal::Fetching;
                self.ask_source();
            }
            // A fixed one cannot be renewed; the server will say when it is over.
            Err(_) => self.renewal = Renewal::None,
        }
    }

    pub(super) fn ask_for_renewal_turn(&mut self) {
        self.renewal = Renewal::WaitingForTurn;
        if !self.turn_asked {
            self.turn_asked = true;
            self.effects.push_back(Effect::ReserveLogin);
        }
    }

    /// The server wants the login to be confirmed: as soon as the governor gives a turn.
    pub(super) fn ask_to_confirm(&mut self, now: Now) {
        match self.spaced(now.mono) {
            later if later > now.mono => self.confirm = Renewal::Due(later),
            _ => {
                self.confirm = Renewal::WaitingForTurn;
                if !self.turn_asked {
                    self.turn_asked = true;
                    self.effects.push_back(Effect::ReserveLogin);
                }
            }
        }
    }

    pub(super) fn confirm_now(&mut self, now: Now) {
        self.confirm = Renewal::None;
        self.last_login = Some(now.mono);
        self.effects.push_back(Effect::ConfirmLogin);
        if self.renewal == Renewal::WaitingForTurn {
            // It shared the turn, and needs one of its own.
            self.renewal = Renewal::Due(self.spaced(now.mono));
        }
    }

    pub(super) fn renew_now(&mut self, now: Now) {
        let Some(user_sig) = self.next_sig.take() else {
            return;
        };
        self.renewal = Renewal::None;
        self.note_life(&user_sig);
        self.last_login = Some(now.mono);
        self.login_by = Some(now.mono + super::core::LOGIN_LIMIT);
        self.enter(now, Phase::Renewing);
        self.effects.push_back(Effect::Relogin(user_sig));
    }

    // ── messages ─────────────────────────────────────────────────────────────────────────────

    fn fail_outbox(&mut self) {
        for settled in self.outbox.take_all(&self.cause.to_string()) {
            self.reply(settled);
        }
    }

    pub(super) fn reply(&mut self, settled: Settled) {
        let Settled {
            token,
            is_message,
            outcome,
        } = settled;
        if is_message {
            let count = match outcome {
                Ok(_) => &mut self.counters.sent,
                Err(_) => &mut self.counters.unsent,
            };
            *count += 1;
        }
        self.counters.paced = self.outbox.paced();
        self.effects.push_back(Effect::Reply { token, outcome });
    }

    pub(super) fn pump(&mut self, now: Now) {
        if self.phase != Phase::Online {
            return;
        }
        while let Some((token, sending)) = self.outbox.next(now) {
            self.effects.push_back(Effect::Transmit { token, sending });
        }
    }

    /// Notes what an errand says about typing; gives who is to be told of its end.
    pub(super) fn note_typing(&mut self, now: Now, errand: &Errand) -> Option<Box<str>> {
        match errand {
            Errand::Message {
                to: Conversation::C2c(user),
                draft,
                ..
            } => self.typing.said(now, user, draft.is_typing()),
            _ => None,
        }
    }

    /// Tells those who have been shown the account as typing for long enough.
    pub(super) fn end_typing(&mut self, now: Now) {
        if self.phase != Phase::Online {
            return; // It is said when the account is back.
        }
        while let Some(user) = self.typing.take_due(now) {
            self.types_no_longer(now, &user);
        }
    }

    /// Tells `user` that the account types no longer. What becomes of that does not matter.
    pub(super) fn types_no_longer(&mut self, now: Now, user: &str) {
        if self.phase != Phase::Online {
            return self.typing.later(now, user);
        }
        let (me, draft, key) = (
            self.config.user.as_str(),
            Draft::typing(false),
            self.outbox.draw_key(),
        );
        let local = i64::try_from(now.unix.as_millis()).unwrap_or(i64::MAX);
        let server = local.saturating_add(self.clock_offset) / 1000;
        let notice = SendC2c::new(me, user, &draft, key, u64::try_from(server).unwrap_or(0));
        if let Ok(body) = serde_json::to_string(&notice) {
            let servcmd = command::SEND_C2C.into();
            self.effects.push_back(Effect::Note { servcmd, body });
        }
    }

    pub(super) fn report_read(&mut self, now: Now, memory: &mut Memory) {
        let (mut items, mut users) = (Vec::new(), Vec::new());
        for read in memory.reports(now) {
            let (name, mark) = (read.conversation.name(), read.mark);
            if read.conversation.is_group() {
                let report = ReadReport {
                    group: GroupAddress::new(name),
                    seq: u32::try_from(mark).unwrap_or(u32::MAX),
                };
                // It holds numbers and strings only, so it can be written.
                let body = serde_json::to_string(&report).unwrap_or_default();
                self.send_report(report.servcmd(), body, vec![read]);
            } else {
                items.push(
                    serde_json::json!({"To_Account": name, "LastedMsgTime": mark, "Receipt": 1}),
                );
                users.push(read);
            }
        }
        if !items.is_empty() {
            let body =
                serde_json::json!({"C2CMsgReaded": {"Cookie": "", "C2CMsgReadedItem": items}});
            self.send_report(command::READ_C2C.into(), body.to_string(), users);
        }
    }

    fn send_report(&mut self, servcmd: Cow<'static, str>, body: String, marks: Vec<ReadMark>) {
        let token = self.next_report;
        self.next_report += 1;
        self.reports.insert(token, marks);
        let body = body.into();
        let sending = Sending::Call { servcmd, body };
        self.effects.push_back(Effect::Transmit { token, sending });
    }

    /// What became of a read report. One that did not arrive is made again, or what is handled would come
    /// again at the next start.
    pub(super) fn reported(
        &mut self,
        now: Now,
        memory: &mut Memory,
        token: u64,
        error: Option<&RequestError>,
    ) {
        let marks = self.reports.remove(&token).unwrap_or_default();
        let is_lost =
            error.is_some_and(|error| error.is_retryable() || *error == RequestError::Lost);
        if is_lost {
            memory.report_again(now, &marks);
        }
    }

    // ── the books ────────────────────────────────────────────────────────────────────────────

    /// The one place where the phase changes.
    pub(super) fn enter(&mut self, now: Now, phase: Phase) {
        let (was, is) = (self.phase.is_online(), phase.is_online());
        self.phase = phase;
        self.outbox.set_online(now, is);
        self.since = now;
        let online = (was != is).then_some(is);
        self.effects.push_back(Effect::Changed { online });
    }

    fn record(&mut self, now: Now, event: RecordedEvent) {
        if self.recorder.len() >= MAX_RECORDS {
            self.recorder.pop_front();
        }
        self.recorder.reserve_exact(1);
        self.recorder.push_back(Record {
            at: now.unix,
            connection: self.connections,
            failures: self.failures,
            event,
        });
    }
}
