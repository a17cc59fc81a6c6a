//! What changes when a running config is replaced by another one. Pure: two configs in, a [`Plan`] out.

use super::same;
use crate::config::{AccountConfig, Config};
use crate::proto::id::UserId;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// What a reload does, account by account. As JSON it is what the admin API answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// The accounts that change: those of the new config in its order, then those that stop.
    pub accounts: Vec<AccountStep>,
    /// Keys of the whole fleet that change while it runs.
    pub fleet: Vec<String>,
    /// Keys that only a restart of the process changes: with any of them the reload is refused as a whole.
    pub needs_restart: Vec<String>,
    /// How many accounts stay as they are.
    pub unchanged: usize,
    /// Full logins that it costs.
    pub logins: usize,
    /// How long those take at the pace of the governor, in whole seconds.
    pub login_seconds: u64,
}

/// What happens to one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccountStep {
    /// Its UserID.
    pub account: UserId,
    /// What happens.
    pub action: Action,
    /// The keys that cause it, as they are written in the config.
    pub because: Vec<String>,
}

/// What happens to an account in a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// It is new or enabled again: it logs in.
    Start,
    /// It is gone from the config or disabled: its handlers finish, and it logs out.
    Stop,
    /// It stays logged in, and moves to a new link.
    Relink,
    /// It stays online, and changes in place.
    Change,
}

impl Action {
    /// The word and sign for a table.
    pub(super) const fn shown(self) -> (&'static str, char) {
        match self {
            Self::Start => ("start", '+'),
            Self::Stop => ("stop", '-'),
            Self::Relink => ("new link", '!'),
            Self::Change => ("change", '~'),
        }
    }
}

impl Plan {
    /// What replacing `running` by `new` does.
    #[must_use]
    pub fn between(running: &Config, new: &Config) -> Self {
        let mut plan = Self {
            fleet: same::changed_in_place(running, new),
            needs_restart: same::needs_restart(running, new),
            ..Self::default()
        };
        let mut before: HashMap<&UserId, &AccountConfig> = enabled(running)
            .map(|account| (&account.user_id, account))
            .collect();
        for account in enabled(new) {
            let step = match before.remove(&account.user_id) {
                None => Some((Action::Start, Vec::new())),
                Some(known) => same::step((running, known), (new, account)),
            };
            match step {
                Some(step) => plan.push(account, step),
                None => plan.unchanged += 1,
            }
        }
        // What is left of them stops.
        let named: HashSet<&UserId> = new.accounts.iter().map(|it| &it.user_id).collect();
        for account in enabled(running).filter(|it| before.contains_key(&it.user_id)) {
            let is_disabled = named.contains(&account.user_id);
            let because = is_disabled.then(|| "enabled".to_owned());
            plan.push(account, (Action::Stop, because.into_iter().collect()));
        }
        plan.logins = plan.count(Action::Start);
        let pace = new.governor;
        let paced = plan.logins.saturating_sub(pace.burst as usize) as u64;
        plan.login_seconds = paced.div_ceil(u64::from(pace.logins_per_second).max(1));
        plan
    }

    fn push(&mut self, account: &AccountConfig, (action, because): (Action, Vec<String>)) {
        self.accounts.push(AccountStep {
            account: account.user_id.clone(),
            action,
            because,
        });
    }

    /// How many accounts this happens to.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        let steps = self.accounts.iter();
        steps.filter(|step| step.action == action).count()
    }

    /// Whether nothing changes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.fleet.is_empty() && self.needs_restart.is_empty()
    }

    /// The accounts to which this happens.
    pub(super) fn users(&self, action: Action) -> impl Iterator<Item = &UserId> {
        let steps = self.accounts.iter();
        let steps = steps.filter(move |step| step.action == action);
        steps.map(|step| &step.account)
    }
}

fn enabled(config: &Config) -> impl Iterator<Item = &AccountConfig> {
    config.accounts.iter().filter(|account| account.enabled)
}
