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
use super::runtime::{Found, Runtime, inbox_limits, look_up};
use super::terms::Credentials;
use super::{AppError, check_bots, fetch_secret_key};
use crate::bot::Draining;
use crate::config::{AccountConfig, Config};
use crate::proto::id::UserId;
use crate::store::StoreError;
use crate::supervisor::{Forget, Join, Leave, NewConfig, Reconfigure, Repace, Supervisor};
use actix::prelude::*;
use std::collections::HashMap;
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
        account: UserId,
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
            fetch_secret_key(&mut new).await?;
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
        self.on_fleet(async move || this.replace(new).await).await
    }

    async fn replace(self, mut new: Config) -> Result<Plan, ReloadError> {
        fetch_secret_key(&mut new).await?;
        let _alone = self.alone.lock().await;
        let _unchanged = self.runtime.hosts.hold_changes().await;
        let running = self.running();
        let ready = self.prepare(&running, &new).await?;
        let plan = ready.plan.clone();
        self.apply(&running, new, ready).await;
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
        let credentials = Credentials::new(new);
        let mut enabled = new.accounts.iter().filter(|account| account.enabled);
        if let Some(account) = enabled.find(|account| !credentials.any_for(account)) {
            return Err(AppError::NoCredential(account.user_id.clone()).into());
        }
        check_bots(hosts.maker(), new, hosts.bots()).await?;
        let changing = changing(running, new, &plan);
        let bots = hosts.prepare(running, new, &changing).await?;
        let users: Vec<UserId> = plan.users(Action::Start).cloned().collect();
        let (store, app) = (self.runtime.store.clone(), new.app.sdk_app_id);
        let look = async move {
            if users.is_empty() {
                return Ok(Vec::new());
            }
            // An account may have left a moment ago: what it did must be found.
            store.settled().await;
            let looked = tokio::task::spawn_blocking(move || look_up(&store, app, &users));
            looked.await.unwrap_or(Err(StoreError::Closed))
        };
        let found = tokio::time::timeout(STORE_LIMIT, look).await;
        let found = found.map_err(|_| ReloadError::StoreHangs)??;
        Ok(Ready { plan, bots, found })
    }

    async fn apply(&self, running: &Config, new: Config, ready: Ready) {
        let Ready { plan, bots, found } = ready;
        let runtime = &self.runtime;
        let is_other = |key: &str| plan.fleet.iter().any(|changed| changed == key);
        if is_other("app.secret_key")
            && let (Some(sandbox), Some(key)) = (&runtime.sandbox, &new.app.secret_key)
        {
            sandbox.set_key(key.clone());
        }
        if is_other("governor") {
            self.supervisor.do_send(Repace(new.governor));
        }
        runtime.hosts.apply(bots);
        let is_everybody = is_other("app.secret_key") || is_other("app.admin");
        let changes = self.new_configs(running, &new, &plan, is_everybody);
        self.supervisor.do_send(Reconfigure(changes));
        let known: HashMap<&UserId, &AccountConfig> =
            new.accounts.iter().map(|it| (&it.user_id, it)).collect();
        let starting = plan.users(Action::Start);
        let starting: Vec<&AccountConfig> = starting
            .filter_map(|user| known.get(user).copied())
            .collect();
        let specs = runtime.join(&new, &starting, found);
        self.supervisor.do_send(Join(specs));
        let new = Arc::new(new);
        runtime.roster.set_config(new.clone());
        let told = runtime.reloaded.lock();
        if let Some(told) = &*told.unwrap_or_else(PoisonError::into_inner) {
            told(running, &new);
        }
        let leaving: Vec<UserId> = plan.users(Action::Stop).cloned().collect();
        if !leaving.is_empty() {
            self.leave(leaving).await;
        }
    }

    /// The new configs of the accounts that stay and change.
    fn new_configs(
        &self,
        running: &Config,
        new: &Config,
        plan: &Plan,
        is_everybody: bool,
    ) -> Vec<NewConfig> {
        let runtime = &self.runtime;
        let actions: HashMap<&UserId, Action> = plan
            .accounts
            .iter()
            .map(|step| (&step.account, step.action))
            .collect();
        let before: HashMap<&UserId, &AccountConfig> = running
            .accounts
            .iter()
            .map(|it| (&it.user_id, it))
            .collect();
        let mut credentials = Credentials::new(new);
        let rest = runtime.rest(new, &credentials).map(Arc::new);
        let mut changes = Vec::new();
        for account in new.accounts.iter().filter(|account| account.enabled) {
            let action = actions.get(&account.user_id);
            if action == Some(&Action::Start) || (action.is_none() && !is_everybody) {
                continue;
            }
            let core = runtime.core_config(new, account, &mut credentials, rest.is_some());
            let (Some(config), Some(member)) =
                (core, runtime.roster.member(account.user_id.as_str()))
            else {
                continue;
            };
            let is_same_reading = before
                .get(&account.user_id)
                .is_some_and(|known| known.policy.mark_read == account.policy.mark_read);
            if !is_same_reading {
                member.handle.limit(inbox_limits(new, account));
            }
            changes.push(NewConfig {
                config,
                rest: rest.clone(),
                connector: (action == Some(&Action::Relink)).then(|| runtime.connector(account)),
            });
        }
        changes
    }

    /// Takes accounts out: their handlers finish, and they log out, within the grace period of a stop.
    async fn leave(&self, leaving: Vec<UserId>) {
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
        for user in &leaving {
            runtime.fleet.remove(user.as_str());
            runtime.hosts.remove(user);
            runtime.roster.leave(user);
        }
    }
}

/// The accounts that go on with other bots or settings, and the bots that have to be made anew for each.
fn changing<'c>(
    running: &'c Config,
    new: &'c Config,
    plan: &Plan,
) -> Vec<(&'c AccountConfig, Vec<&'c str>)> {
    let before: HashMap<&UserId, &AccountConfig> = running
        .accounts
        .iter()
        .map(|it| (&it.user_id, it))
        .collect();
    let stays = |action| matches!(action, Action::Change | Action::Relink);
    let steps = plan.accounts.iter().filter(|step| stays(step.action));
    let steps: std::collections::HashSet<&UserId> = steps.map(|step| &step.account).collect();
    let mut changing = Vec::new();
    for account in &new.accounts {
        let Some(known) = before
            .get(&account.user_id)
            .filter(|_| steps.contains(&account.user_id))
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
