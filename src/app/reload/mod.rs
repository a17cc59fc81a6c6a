//! Puts a config in the place of the one that runs: as a whole, or not at all.
//!
//! [`Plan`] says what changes; it is pure. The reload first does everything that can fail (it makes the bots, and reads
//! the store) and then changes the fleet.

mod plan;
mod same;
mod shown;
#[cfg(test)]
mod tests;

pub use plan::{AccountStep, Action, Plan};

use super::hosts::Prepared;
use super::line::Line;
use super::runtime::{Found, Runtime, Terms, inbox_limits, look_up};
use super::{AppError, accounts_in_store, check_bots, check_credentials, fetch_secret_keys};
use crate::account::AccountName;
use crate::bot::Draining;
use crate::config::{AccountConfig, App, Config};
use crate::store::StoreError;
use crate::supervisor::{Forget, Join, Leave, NewConfig, Reconfigure, Supervisor};
use actix::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, oneshot};

/// How long the store may take to say what it has of new accounts.
const STORE_LIMIT: Duration = Duration::from_secs(30);

/// Why a config was not put in the place of the running one. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// It changes keys that only a start of the process can change.
    #[error(
        "not reloaded: only a restart of the process changes {}; nothing has changed (`botroupe run --takeover` restarts \
         without a login)",
        .0.join(", ")
    )]
    NeedsRestart(Vec<String>),
    /// An account could not be started.
    #[error("not reloaded: {0}")]
    Start(#[from] AppError),
    /// A bot of an account cannot be made.
    #[error("not reloaded: the bots of account {account} cannot be made: {reason}")]
    NotMade {
        /// The account.
        account: AccountName,
        /// What is wrong.
        reason: String,
    },
    /// The store cannot say what it has of new accounts.
    #[error("not reloaded: the store cannot be read: {0}")]
    Store(#[from] StoreError),
    /// The store does not answer.
    #[error(
        "not reloaded: the store does not answer within {STORE_LIMIT:?}; `botroupe status` says how it is"
    )]
    StoreHangs,
    /// The fleet has ended.
    #[error("the fleet has ended")]
    Ended,
}

/// See the module. Copies are of the same one.
#[derive(Clone, Debug)]
pub(super) struct Reloader {
    pub(super) runtime: Arc<Runtime>,
    pub(super) supervisor: Addr<Supervisor>,
    /// A thread of the fleet: bots are made inside its runtime, wherever the caller is.
    pub(super) on: ArbiterHandle,
    /// One reload at a time.
    pub(super) alone: Arc<Mutex<()>>,
}

/// Everything that could have failed.
struct Ready {
    plan: Plan,
    bots: Prepared,
    found: Vec<Found>,
}

impl Reloader {
    /// What a reload would do.
    ///
    /// # Errors
    /// When the SecretKey cannot be fetched.
    pub(super) async fn plan(&self, mut new: Config) -> Result<Plan, ReloadError> {
        let this = self.clone();
        let planned = self.on_fleet(async move || {
            fetch_secret_keys(&mut new).await?;
            Ok(Plan::between(&this.running(), &new))
        });
        planned.await
    }

    /// Does something on a thread of the fleet, wherever the caller is. It goes on when the caller goes away.
    async fn on_fleet<T: Send + 'static>(
        &self,
        what: impl AsyncFnOnce() -> Result<T, ReloadError> + Send + 'static,
    ) -> Result<T, ReloadError> {
        let (tell, told) = oneshot::channel();
        self.on.spawn_fn(move || {
            actix_rt::spawn(async move {
                let _ = tell.send(what().await);
            });
        });
        told.await.unwrap_or(Err(ReloadError::Ended))
    }

    /// The config that runs, with what was changed of bots since.
    fn running(&self) -> Config {
        let mut config = Config::clone(&self.runtime.roster.config());
        self.runtime.hosts.overlay(&mut config);
        config
    }

    pub(super) async fn reload(&self, new: Config) -> Result<Plan, ReloadError> {
        let this = self.clone();
        self.on_fleet(async move || this.replace(new, false).await)
            .await
    }

    /// Like [`reload`](Self::reload), for a config in which nobody has changed anything but accounts: what was changed of
    /// bots since stays.
    pub(super) async fn reload_accounts(&self, new: Config) -> Result<Plan, ReloadError> {
        let this = self.clone();
        self.on_fleet(async move || this.replace(new, true).await)
            .await
    }

    async fn replace(self, mut new: Config, keeps_bots: bool) -> Result<Plan, ReloadError> {
        fetch_secret_keys(&mut new).await?;
        let _alone = self.alone.lock().await;
        let _unchanged = self.runtime.hosts.hold_changes().await;
        let running = self.running();
        let written = new.clone();
        if keeps_bots {
            keep_bots(&self.runtime.roster.config(), &running, &mut new);
        }
        let ready = self.prepare(&running, &new).await?;
        let plan = ready.plan.clone();
        if keeps_bots && plan.is_empty() {
            return Ok(plan);
        }
        self.apply(&running, new, written, ready).await;
        tracing::info!(
            started = plan.count(Action::Start),
            stopped = plan.count(Action::Stop),
            changed = plan.count(Action::Change) + plan.count(Action::Relink),
            unchanged = plan.unchanged,
            "the config was reloaded"
        );
        Ok(plan)
    }

    async fn prepare(&self, running: &Config, new: &Config) -> Result<Ready, ReloadError> {
        let plan = Plan::between(running, new);
        if !plan.needs_restart.is_empty() {
            return Err(ReloadError::NeedsRestart(plan.needs_restart));
        }
        let hosts = &self.runtime.hosts;
        check_credentials(new)?;
        check_bots(hosts.maker(), new, hosts.bots()).await?;
        let changing = changing(running, new, &plan);
        let bots = hosts.prepare(running, new, &changing).await?;
        let accounts = accounts_in_store(new, &starting(new, &plan));
        let store = self.runtime.store.clone();
        let look = async move {
            if accounts.is_empty() {
                return Ok(Vec::new());
            }
            // An account may have left a moment ago: what it did must be found.
            store.settled().await;
            let looked = tokio::task::spawn_blocking(move || look_up(&store, &accounts));
            looked.await.unwrap_or(Err(StoreError::Closed))
        };
        let found = tokio::time::timeout(STORE_LIMIT, look).await;
        let found = found.map_err(|_| ReloadError::StoreHangs)??;
        Ok(Ready { plan, bots, found })
    }

    /// Puts `new` in place; the config was `written` so.
    async fn apply(&self, running: &Config, new: Config, written: Config, ready: Ready) {
        let Ready { plan, bots, found } = ready;
        let runtime = &self.runtime;
        let mut renewed = HashSet::new();
        for app in &new.apps {
            if self.change_app(running, &new, app) {
                renewed.insert(app.name.as_deref());
            }
        }
        runtime.hosts.apply(bots);
        let changes = self.new_configs(running, &new, &plan, &renewed);
        self.supervisor.do_send(Reconfigure(changes));
        let specs = runtime.join(&new, &starting(&new, &plan), found);
        self.supervisor.do_send(Join(specs));
        let leaving: HashSet<&str> = plan.names(Action::Stop).collect();
        let leaving = running
            .accounts
            .iter()
            .filter(|it| leaving.contains(&*it.name));
        let leaving: Vec<AccountName> = leaving.map(|account| account.name.clone()).collect();
        runtime.roster.set_config(Arc::new(written));
        let told = runtime.reloaded.lock();
        if let Some(told) = &*told.unwrap_or_else(PoisonError::into_inner) {
            told(running, &new);
        }
        if !leaving.is_empty() {
            self.leave(leaving).await;
        }
        let mut lines = runtime.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|line| new.apps.iter().any(|app| app.name == line.name));
    }

    /// Has an app run as another config says. Returns whether all its accounts have to be told.
    fn change_app(&self, running: &Config, new: &Config, app: &App) -> bool {
        let runtime = &self.runtime;
        let (line, before) = (
            runtime.line(app.name.as_deref()),
            same::same_app(app, running),
        );
        let (Some(line), Some(before)) = (line, before) else {
            let line = Line::new(new, app, None, &runtime.ground);
            let mut lines = runtime.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push(Arc::new(line));
            return false;
        };
        if before.governor != app.governor {
            line.pace(app.governor);
        }
        let is_key_other = !same::same_secret(before.secret_key.as_ref(), app.secret_key.as_ref());
        if is_key_other && let (Some(sandbox), Some(key)) = (&line.sandbox, &app.secret_key) {
            sandbox.set_key(key.clone());
        }
        is_key_other || before.admin != app.admin
    }

    /// The new configs of the accounts that stay and change.
    fn new_configs(
        &self,
        running: &Config,
        new: &Config,
        plan: &Plan,
        renewed: &HashSet<Option<&str>>,
    ) -> Vec<NewConfig> {
        let runtime = &self.runtime;
        let actions: HashMap<&str, Action> = plan
            .accounts
            .iter()
            .map(|step| (step.account.as_str(), step.action))
            .collect();
        let before: HashMap<&AccountName, &AccountConfig> =
            running.accounts.iter().map(|it| (&it.name, it)).collect();
        let mut terms: HashMap<Option<&str>, Terms<'_>> = new
            .apps
            .iter()
            .filter_map(|app| Some((app.name.as_deref(), runtime.terms(app)?)))
            .collect();
        let mut changes = Vec::new();
        for account in new.accounts.iter().filter(|account| account.enabled) {
            let action = actions.get(&*account.name);
            let is_renewed = renewed.contains(&account.name.app());
            if action == Some(&Action::Start) || (action.is_none() && !is_renewed) {
                continue;
            }
            let Some(terms) = terms.get_mut(&account.name.app()) else {
                continue;
            };
            let core = terms.core_config(account);
            let (Some(config), Some(member)) = (core, runtime.roster.member(&account.name)) else {
                continue;
            };
            let is_same_reading = before
                .get(&account.name)
                .is_some_and(|known| known.policy.mark_read == account.policy.mark_read);
            if !is_same_reading {
                member.handle.limit(inbox_limits(new, account));
            }
            changes.push(NewConfig {
                config,
                rest: terms.rest.clone(),
                connector: (action == Some(&Action::Relink)).then(|| runtime.connector(account)),
            });
        }
        changes
    }

    /// Takes accounts out: their handlers finish, and they log out, within the grace period of a stop.
    async fn leave(&self, leaving: Vec<AccountName>) {
        let runtime = &self.runtime;
        let grace = runtime.roster.config().shutdown.grace;
        let draining = Draining::new();
        runtime.hosts.drain_some(&draining, &leaving);
        draining.wait(grace / 2).await;
        let left = self.supervisor.send(Leave(leaving.clone()));
        if let Ok(Ok(away)) = tokio::time::timeout(grace / 2, left).await {
            runtime.roster.remember_away(away);
        } else {
            self.supervisor.do_send(Forget(leaving.clone()));
        }
        for account in &leaving {
            runtime.hosts.remove(account);
            if let Some(member) = runtime.roster.leave(account) {
                member.line.fleet.remove(account.user());
            }
        }
    }
}

/// Has accounts of `new` run what they run, where the config `written` before says the same of their bots.
fn keep_bots(written: &Config, running: &Config, new: &mut Config) {
    let before = written.accounts.iter().zip(&running.accounts);
    let before: HashMap<&AccountName, _> = before.map(|it| (&it.0.name, it)).collect();
    for account in &mut new.accounts {
        if let Some((was, runs)) = before.get(&account.name)
            && was.bots == account.bots
            && was.settings == account.settings
        {
            account.bots = runs.bots.clone();
            account.settings.clone_from(&runs.settings);
        }
    }
}

/// The accounts of a config that start.
fn starting<'c>(new: &'c Config, plan: &Plan) -> Vec<&'c AccountConfig> {
    let starting: HashSet<&str> = plan.names(Action::Start).collect();
    let accounts = new.accounts.iter();
    accounts
        .filter(|account| starting.contains(&*account.name))
        .collect()
}

/// The accounts that go on with other bots or settings, and the bots that have to be made anew for each.
fn changing<'c>(
    running: &'c Config,
    new: &'c Config,
    plan: &Plan,
) -> Vec<(&'c AccountConfig, Vec<&'c str>)> {
    let before: HashMap<&AccountName, &AccountConfig> =
        running.accounts.iter().map(|it| (&it.name, it)).collect();
    let stays = |action| matches!(action, Action::Change | Action::Relink);
    let steps = plan.accounts.iter().filter(|step| stays(step.action));
    let steps: HashSet<&str> = steps.map(|step| step.account.as_str()).collect();
    let mut changing = Vec::new();
    for account in &new.accounts {
        let Some(known) = before
            .get(&account.name)
            .filter(|_| steps.contains(&*account.name))
        else {
            continue;
        };
        let anew = same::changed_settings((running, known), (new, account));
        if known.bots != account.bots || !anew.is_empty() {
            changing.push((account, anew.into_iter().collect()));
        }
    }
    changing
}
