//! What changes when a running config is replaced by another one. Pure: two configs in, a [`Plan`] out.

use super::same;
use crate::account::AccountName;
use crate::config::{AccountConfig, Config};
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
    /// What it is called in the process.
    pub account: String,
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
        let mut before: HashMap<&AccountName, &AccountConfig> = enabled(running)
            .map(|account| (&account.name, account))
            .collect();
        for account in enabled(new) {
            let step = match before.remove(&account.name) {
                None => Some((Action::Start, Vec::new())),
                Some(known) => same::step((running, known), (new, account)),
            };
            match step {
                Some(step) => plan.push(account, step),
                None => plan.unchanged += 1,
            }
        }
        // What is left of them stops.
        let named: HashSet<&AccountName> = new.accounts.iter().map(|it| &it.name).collect();
        for account in enabled(running).filter(|it| before.contains_key(&it.name)) {
            let is_disabled = named.contains(&account.name);
            let because = is_disabled.then(|| "enabled".to_owned());
            plan.push(account, (Action::Stop, because.into_iter().collect()));
        }
        plan.logins = plan.count(Action::Start);
        plan.login_seconds = plan.login_seconds(new);
        plan
    }

    /// How long the logins take: each app has a pace of its own.
    fn login_seconds(&self, new: &Config) -> u64 {
        let starting: HashSet<&str> = self.names(Action::Start).collect();
        let seconds = new.apps.iter().map(|app| {
            let of_app = new.accounts.iter().filter(|account| {
                account.name.app() == app.name.as_deref() && starting.contains(&*account.name)
            });
            let paced = of_app.count().saturating_sub(app.governor.burst as usize);
            (paced as u64).div_ceil(u64::from(app.governor.logins_per_second).max(1))
        });
        seconds.max().unwrap_or_default()
    }

    fn push(&mut self, account: &AccountConfig, (action, because): (Action, Vec<String>)) {
        self.accounts.push(AccountStep {
            account: account.name.to_string(),
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
    pub(super) fn names(&self, action: Action) -> impl Iterator<Item = &str> {
        let steps = self.accounts.iter();
        let steps = steps.filter(move |step| step.action == action);
        steps.map(|step| step.account.as_str())
    }
}

fn enabled(config: &Config) -> impl Iterator<Item = &AccountConfig> {
    config.accounts.iter().filter(|account| account.enabled)
}
