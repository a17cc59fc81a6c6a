//! When somebody is told, and together with what.

use super::conditions::{Conditions, Figures, Limits, Turn};
use super::notice::{Alert, LISTED, Notice};
use super::rule::Rule;
use crate::account::AccountName;
use crate::account::Status;
use crate::policy::Now;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What one receiver wants to hear.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Alerts of these rules.
    pub rules: Vec<Rule>,
    /// Accounts that it does not want to hear of: UserIDs, or their beginnings with a `*`. They count in the share.
    pub except: Vec<String>,
    /// How long the first alert waits for others.
    pub group_wait: Duration,
    /// When those that still fire are told again; `None` for never.
    pub repeat: Option<Duration>,
    /// Whether it is told that an alert is over.
    pub resolved: bool,
}

impl Policy {
    /// Whether it wants to hear of this.
    fn wants(&self, rule: Rule, account: Option<&AccountName>) -> bool {
        let excepted = account.is_some_and(|account| {
            let mut except = self.except.iter();
            except.any(|pattern| covers(pattern, account))
        });
        !excepted && self.rules.contains(&rule)
    }
}

/// Nothing is told for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Of this rule; `None` for every one.
    pub rule: Option<Rule>,
    /// Of this account, or of those that begin like this, with a `*`; `None` for everything.
    pub account: Option<String>,
    /// Until this monotonic time.
    pub until: Duration,
}

/// The alerts of one receiver.
#[derive(Debug)]
pub struct Alerts {
    policy: Policy,
    conditions: Conditions,
    active: BTreeMap<(Rule, Option<AccountName>), Active>,
    silences: Vec<Silence>,
    /// When what is new is told, as monotonic time.
    due: Option<Duration>,
    /// When something is told again.
    repeat_at: Option<Duration>,
    notices: VecDeque<Notice>,
    told: u64,
}

#[derive(Debug)]
struct Active {
    text: String,
    /// Unix time.
    since: Duration,
    /// Told last at this monotonic time.
    told: Option<Duration>,
    /// Over since this Unix time.
    ended: Option<Duration>,
    /// It happened, and does not end.
    once: bool,
}

impl Alerts {
    /// Of a fleet that has not started, with these accounts.
    pub fn new(
        policy: Policy,
        limits: Limits,
        accounts: impl IntoIterator<Item = AccountName>,
    ) -> Self {
        Self {
            policy,
            conditions: Conditions::new(limits, accounts),
            active: BTreeMap::new(),
            silences: Vec::new(),
            due: None,
            repeat_at: None,
            notices: VecDeque::new(),
            told: 0,
        }
    }

    /// Another policy and other limits from now on. What was told stays told; what nobody wants to hear of any more is
    /// forgotten, and what is wanted from now on and holds already begins when its account or figure is told again.
    pub fn set(&mut self, now: Now, policy: Policy, limits: Limits) {
        self.policy = policy;
        self.conditions.set_limits(limits);
        let policy = &self.policy;
        self.active
            .retain(|(rule, account), _| policy.wants(*rule, account.as_ref()));
        let active = &self.active;
        self.conditions
            .forget_unless(|rule, account| active.contains_key(&(rule, account.cloned())));
        self.plan_repeat(now);
    }

    /// The status of an account changed.
    pub fn changed(&mut self, now: Now, status: &Status) {
        for turn in self.conditions.changed(now, status) {
            self.take(now, turn);
        }
    }

    /// The figures of the fleet at this time.
    pub fn figures(&mut self, now: Now, figures: &Figures) {
        for turn in self.conditions.figures(now, figures) {
            self.take(now, turn);
        }
    }

    /// Something happened that does not last.
    pub fn happened(&mut self, now: Now, rule: Rule, text: String) {
        self.begin(now, (rule, None), text, true);
    }

    /// Tells nothing of some alerts for a while. What still fires after that is told then. That an alert which was
    /// told before is over is told all the same.
    pub fn silence(&mut self, now: Now, silence: Silence) {
        self.silences.retain(|old| old.until > now.mono);
        self.silences.push(silence);
    }

    /// Ends a silence before its time. What fires and was held back by it is told now.
    pub fn unsilence(&mut self, now: Now, silence: &Silence) {
        let before = self.silences.len();
        // The same may have been asked for twice: the other one stays.
        if let Some(at) = self.silences.iter().position(|known| known == silence) {
            self.silences.remove(at);
        }
        if self.silences.len() < before && self.active.values().any(|alert| alert.told.is_none()) {
            self.due.get_or_insert(now.mono);
        }
    }

    /// What fires, and until which monotonic time it is silent.
    pub fn firing(&self) -> impl Iterator<Item = (Alert, Option<Duration>)> {
        let firing = self.active.iter().filter(|(_, it)| it.ended.is_none());
        firing.map(|(key, active)| {
            let alert = Alert {
                rule: key.0,
                account: key.1.clone(),
                text: active.text.clone(),
                since: active.since,
                ended: None,
            };
            (alert, self.silent_until(key))
        })
    }

    /// Time has passed.
    pub fn timeout(&mut self, now: Now) {
        if let Some(turn) = self.conditions.timeout(now) {
            self.take(now, turn);
        }
        let before = self.silences.len();
        self.silences.retain(|silence| silence.until > now.mono);
        if self.silences.len() < before && self.active.values().any(|alert| alert.told.is_none()) {
            self.due.get_or_insert(now.mono);
        }
        let is_due = |at: Option<Duration>| at.is_some_and(|at| at <= now.mono);
        if is_due(self.due) || is_due(self.repeat_at) {
            self.tell(now);
        }
    }

    /// When [`timeout`](Self::timeout) is wanted, as monotonic time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let silences = self.silences.iter().map(|silence| silence.until).min();
        let times = [
            self.due,
            self.repeat_at,
            silences,
            self.conditions.poll_timeout(),
        ];
        times.into_iter().flatten().min()
    }

    /// The next notice.
    pub fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    fn take(&mut self, now: Now, turn: Turn) {
        match turn {
            Turn::Begins(rule, account, text) => self.begin(now, (rule, account), text, false),
            Turn::Ends(rule, account) => self.end(now, &(rule, account)),
        }
    }

    fn begin(&mut self, now: Now, key: (Rule, Option<AccountName>), text: String, once: bool) {
        if !self.policy.wants(key.0, key.1.as_ref()) {
            return;
        }
        if let Some(known) = self.active.get_mut(&key) {
            // Back before it was told that it was over: it never was.
            known.ended = None;
            known.text = text;
            return;
        }
        let alert = Active {
            text,
            since: now.unix,
            told: None,
            ended: None,
            once,
        };
        self.active.insert(key, alert);
        self.due.get_or_insert(now.mono + self.policy.group_wait);
    }

    fn end(&mut self, now: Now, key: &(Rule, Option<AccountName>)) {
        let Some(alert) = self.active.get_mut(key) else {
            return;
        };
        if alert.told.is_none() || !self.policy.resolved {
            // Nobody heard of it, or nobody wants to hear that it is over.
            self.active.remove(key);
            return;
        }
        alert.ended = Some(now.unix);
        self.due.get_or_insert(now.mono + self.policy.group_wait);
    }

    fn is_silent(&self, key: &(Rule, Option<AccountName>)) -> bool {
        self.silent_until(key).is_some()
    }

    /// Until when the silences last that hold it back.
    fn silent_until(&self, (rule, account): &(Rule, Option<AccountName>)) -> Option<Duration> {
        let fitting = self.silences.iter().filter(|silence| {
            let of_rule = silence.rule.is_none_or(|silent| silent == *rule);
            let of_account = match (&silence.account, account) {
                (None, _) => true,
                (Some(pattern), Some(account)) => covers(pattern, account),
                (Some(_), None) => false,
            };
            of_rule && of_account
        });
        fitting.map(|silence| silence.until).max()
    }

    /// When what still fires is told again.
    fn plan_repeat(&mut self, now: Now) {
        let fires = |alert: &&Active| alert.told.is_some() && alert.ended.is_none();
        let oldest = self
            .active
            .values()
            .filter(fires)
            .filter_map(|alert| alert.told)
            .min();
        self.repeat_at = match (self.policy.repeat, oldest) {
            // Those that are silent are asked about again after the same time.
            (Some(repeat), Some(oldest)) => Some((oldest + repeat).max(now.mono + MIN_REPEAT)),
            _ => None,
        };
    }

    /// Makes a notice of what is due.
    fn tell(&mut self, now: Now) {
        self.due = None;
        let repeats = self.repeat_at.is_some_and(|at| at <= now.mono);
        let keys: Vec<_> = self.active.keys().cloned().collect();
        let (mut firing, mut resolved) = (Vec::new(), Vec::new());
        let mut is_new = false;
        for key in keys {
            let silent = self.is_silent(&key);
            let Some(alert) = self.active.get_mut(&key) else {
                continue;
            };
            let told = alert.told.is_some();
            let wanted = match (alert.ended, told) {
                (Some(_), _) => true,
                (None, false) => !silent,
                (None, true) => repeats && !silent,
            };
            if !wanted {
                continue;
            }
            let (rule, account) = key.clone();
            let shown = Alert {
                rule,
                account,
                text: alert.text.clone(),
                since: alert.since,
                ended: alert.ended,
            };
            let is_over = alert.ended.is_some() || alert.once;
            is_new |= !told || alert.ended.is_some();
            alert.told = Some(now.mono);
            match shown.ended {
                Some(_) => resolved.push(shown),
                None => firing.push(shown),
            }
            if is_over {
                self.active.remove(&key);
            }
        }
        self.plan_repeat(now);
        let (fire, over) = (firing.len(), resolved.len());
        if fire + over == 0 {
            return;
        }
        self.told += 1;
        let mut alerts = firing;
        alerts.append(&mut resolved);
        alerts.truncate(LISTED);
        self.notices.push_back(Notice {
            number: self.told,
            at: now.unix,
            firing: fire,
            resolved: over,
            repeated: !is_new,
            alerts,
        });
    }
}

/// Silent alerts would otherwise be looked at all the time.
const MIN_REPEAT: Duration = Duration::from_secs(1);

/// Whether a UserID, or its beginning with a `*` behind it, stands for this account.
fn covers(pattern: &str, account: &AccountName) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => account.as_str().starts_with(beginning),
        None => pattern == account.as_str(),
    }
}
