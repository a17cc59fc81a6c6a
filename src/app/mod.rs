//! Starts what a config describes (sandbox, threads, bots, supervisor) and stops it in order.
//!
//! No policy lives here. Signals, output and exit codes belong to the command line.

mod bot_change;
mod controller;
mod dialogues;
mod error;
mod hosts;
mod line;
mod maker;
mod outbox;
mod reload;
mod roster;
mod runtime;
#[cfg_attr(not(feature = "sandbox"), path = "no_sandbox.rs")]
mod sandbox;
mod talk;
mod terms;
#[cfg(all(test, feature = "sandbox"))]
mod tests;

#[cfg(feature = "admin")]
pub(crate) use bot_change::Adjustment;
pub(crate) use bot_change::BotChange;
pub use bot_change::{BotChangeError, SettingsOf};
pub use controller::{Controller, Counted};
pub use dialogues::DialogueOf;
pub use error::AppError;
pub use outbox::{OutboxOrder, OutboxOrderError};
pub use reload::{AccountStep, Action, Plan, ReloadError};
pub use sandbox::check_sandbox;
pub use talk::{Refused, Spoken, TalkDesk, Trouble};
pub(crate) use terms::{Credentials, fetch_accounts, fetch_secret_keys};

pub use crate::supervisor::OrderError;

use crate::account::{
    AccountHandle, AccountName, Cause, Changed, Command, Handover, Phase, Status, end_programs,
};
use crate::bot::{
    AccountContext, Api, Bot, Bots, Draining, Pool, RecordError, SettingsError, Shelf, Tape,
};
use crate::config::{self, AccountConfig, BotSettings, Config, Endpoint, StoreConfig};
use crate::gateway::{NetConnector, check_net, limit_links, use_net};
use crate::proto::id::{SdkAppId, UserId};
use crate::store::Store;
pub use crate::supervisor::MakeConnector;
use crate::supervisor::{EndThreads, HandOverAll, StopAll, Supervisor};
use crate::traces::{Traces, is_able};
use actix::prelude::*;
use hosts::{Hosts, make_bot};
use line::{Ground, Line, Served};
#[cfg(feature = "cli")]
pub(crate) use line::{rest_origin, walk};
use maker::Maker;
use reload::Reloader;
use roster::Roster;
pub use runtime::OnReload;
use runtime::{Found, Runtime, look_up};
use sandbox::Sandbox;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

/// A running config.
#[derive(Debug)]
pub struct App {
    supervisor: Addr<Supervisor>,
    runtime: Arc<Runtime>,
    /// Held while a config is put in place of another one.
    reloading: Arc<tokio::sync::Mutex<()>>,
    /// Carries the files of the bots, and no account.
    file_thread: Arbiter,
    /// The embedded servers, in the order of the apps that use them.
    sandboxes: Vec<Sandbox>,
    pool: Pool,
    /// Records what the bots hear.
    tape: Option<Tape>,
}

/// What an earlier process left for this one.
#[derive(Debug, Default)]
pub struct Before {
    /// By name, the phases and causes of accounts that start held or quarantined until somebody resumes them.
    pub away: HashMap<Arc<str>, (Phase, Cause)>,
    /// The logins that accounts go on with, by name.
    pub handed: HashMap<Arc<str>, Handover>,
}

/// The outcome of an orderly stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Handlers finished within the grace period.
    pub drained: bool,
    /// Every account was logged out within the grace period.
    pub logged_out: bool,
    /// The store holds everything of the sandbox. Also `true` without a sandbox or a store.
    pub saved: bool,
}

impl App {
    /// Starts everything, inside a running actix `System`. `observer` is told of every change of
    /// every account. Returns as soon as the accounts begin to connect.
    ///
    /// # Errors
    /// When a part cannot be started; nothing is left running then.
    pub async fn start(
        config: &Config,
        bots: &Bots,
        observer: Option<Recipient<Changed>>,
    ) -> Result<Self, AppError> {
        Self::start_with(config, bots, observer, HashMap::new()).await
    }

    /// Like [`start`](Self::start); the accounts of `away` start held or quarantined until somebody resumes
    /// them.
    ///
    /// # Errors
    /// When a part cannot be started; nothing is left running then.
    pub async fn start_with(
        config: &Config,
        bots: &Bots,
        observer: Option<Recipient<Changed>>,
        away: HashMap<Arc<str>, (Phase, Cause)>,
    ) -> Result<Self, AppError> {
        let before = Before {
            away,
            ..Before::default()
        };
        Self::start_after(config, bots, observer, before).await
    }

    /// Like [`start`](Self::start), after another process that left this.
    ///
    /// # Errors
    /// When a part cannot be started; nothing is left running then.
    pub async fn start_after(
        config: &Config,
        bots: &Bots,
        observer: Option<Recipient<Changed>>,
        before: Before,
    ) -> Result<Self, AppError> {
        let connector: MakeConnector = Arc::new(|| Rc::new(NetConnector::default()));
        Self::start_from(config, bots, observer, before, connector).await
    }

    /// Like [`start_with`](Self::start_with); the accounts that chose no proxy open their links with
    /// `connector`.
    ///
    /// # Errors
    /// When a part cannot be started; nothing is left running then.
    pub async fn start_over(
        config: &Config,
        bots: &Bots,
        observer: Option<Recipient<Changed>>,
        away: HashMap<Arc<str>, (Phase, Cause)>,
        connector: MakeConnector,
    ) -> Result<Self, AppError> {
        let before = Before {
            away,
            ..Before::default()
        };
        Self::start_from(config, bots, observer, before, connector).await
    }

    async fn start_from(
        config: &Config,
        bots: &Bots,
        observer: Option<Recipient<Changed>>,
        before: Before,
        connector: MakeConnector,
    ) -> Result<Self, AppError> {
        let mut config = config.clone();
        fetch_secret_keys(&mut config).await?;
        let config = &config;
        if !is_able(config) {
            return Err(AppError::NoTraces);
        }
        let maker = Maker::default();
        check_bots(&maker, config, bots).await?;
        use_net(&config.network)?;
        // The sandbox's side of a link is in the same process.
        let in_sandbox = |app: &&config::App| app.endpoint == Endpoint::Sandbox;
        // The sandbox's side of a link is in the same process.
        limit_links(if config.apps.iter().any(|app| in_sandbox(&app)) {
            2
        } else {
            1
        });
        let enabled: Vec<&AccountConfig> = config
            .accounts
            .iter()
            .filter(|account| account.enabled)
            .collect();
        check_credentials(config)?;
        let (store, found) = open_store(config, accounts_in_store(config, &enabled)).await?;
        let mut sandboxes: Vec<(usize, Sandbox)> = Vec::new();
        for (number, app) in config
            .apps
            .iter()
            .enumerate()
            .filter(|(_, app)| in_sandbox(app))
        {
            let sandbox = sandbox::start(config, app, sandboxes.len()).await?;
            sandboxes.push((number, sandbox));
        }
        let pool = Pool::start(config.host.threads as usize, config.host.block_warning)?;
        let file_thread = Arbiter::new();
        let tape = config.record.as_ref().map(Tape::begin).transpose()?;
        let ground = Ground {
            pool: pool.clone(),
            tape: tape.clone(),
            file_thread: file_thread.handle(),
            traces: Traces::start(config),
        };
        let lines = config.apps.iter().enumerate().map(|(number, app)| {
            let served = sandboxes.iter().find(|(of, _)| *of == number);
            let served = served.map(|(_, sandbox)| Served {
                url: sandbox.url(),
                rest_url: sandbox.rest_url(),
                remote: sandbox.remote(),
            });
            Arc::new(Line::new(config, app, served, &ground))
        });
        let lines = Mutex::new(lines.collect());
        let hosts = Arc::new(Hosts::new(maker, bots, config));
        let runtime = Arc::new(Runtime {
            roster: Roster::new(config, before),
            shelf: Shelf::new(store.clone(), config.store.quota),
            store,
            subscriber: hosts.factory(),
            hosts,
            connector,
            ground,
            lines,
            reloaded: Mutex::default(),
        });
        let specs = runtime.join(config, &enabled, found);
        let supervisor = Supervisor::start_with(specs, config.io, observer);
        Ok(Self {
            supervisor,
            runtime,
            reloading: Arc::default(),
            file_thread,
            sandboxes: sandboxes.into_iter().map(|(_, it)| it).collect(),
            pool,
            tape,
        })
    }

    /// The embedded server, when there is one; the first, when several apps have one.
    #[cfg(feature = "sandbox")]
    #[must_use]
    pub fn sandbox(&self) -> Option<&Sandbox> {
        self.sandboxes.first()
    }

    /// The embedded servers, in the order of the apps that use them.
    #[cfg(feature = "sandbox")]
    #[must_use]
    pub fn sandboxes(&self) -> &[Sandbox] {
        &self.sandboxes
    }

    /// Where the embedded server listens, when there is one; the first, when several apps have one.
    #[must_use]
    pub fn sandbox_url(&self) -> Option<String> {
        self.sandboxes.first().map(Sandbox::url)
    }

    /// Where the embedded server of each app listens, by the name of the app.
    #[must_use]
    pub fn sandbox_urls(&self) -> Vec<(Option<Arc<str>>, String)> {
        let config = self.runtime.roster.config();
        let apps = config.apps.iter();
        let apps = apps.filter(|app| app.endpoint == Endpoint::Sandbox);
        let urls = self.sandboxes.iter().map(Sandbox::url);
        apps.map(|app| app.name.clone()).zip(urls).collect()
    }

    /// The handle of one account.
    #[must_use]
    pub fn account(&self, account: &str) -> Option<AccountHandle> {
        Some(self.runtime.roster.member(account)?.handle)
    }

    /// How many accounts run.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.runtime.roster.len()
    }

    /// How many accounts run, whenever that changes.
    pub(crate) fn sizes(&self) -> tokio::sync::watch::Receiver<usize> {
        self.runtime.roster.sizes()
    }

    /// Acts as one account, as its bots do.
    #[must_use]
    pub fn api(&self, account: &str) -> Option<Api> {
        self.runtime.api(account)
    }

    /// The names of the bots that an account runs, in their order; `None` when there is no such account.
    #[must_use]
    pub fn bots(&self, account: &str) -> Option<Vec<String>> {
        let bots = self.runtime.hosts.bots_of(account)?;
        Some(bots.iter().map(ToString::to_string).collect())
    }

    /// Changes the bots of an account, which stays online.
    ///
    /// # Errors
    /// [`BotChangeError`]; then nothing changes.
    pub(crate) async fn change_bots(
        &self,
        account: &str,
        change: BotChange,
    ) -> Result<(), BotChangeError> {
        self.controller().change_bots(account, change).await
    }

    /// A controller for other threads and tasks.
    #[must_use]
    pub fn controller(&self) -> Controller {
        Controller::new(
            self.supervisor.clone(),
            self.pool.clone(),
            self.runtime.clone(),
            Reloader {
                runtime: self.runtime.clone(),
                supervisor: self.supervisor.clone(),
                on: self.file_thread.handle(),
                alone: self.reloading.clone(),
            },
        )
    }

    /// How every account stands, in the order of the config.
    pub async fn status(&self) -> Vec<Status> {
        self.controller().status().await
    }

    /// Gives an order to an account.
    ///
    /// # Errors
    /// When there is none of that name, or it cannot or may not obey.
    pub async fn order(&self, account: &str, command: Command) -> Result<(), OrderError> {
        self.controller().order(account, command).await
    }

    /// Bot threads that are blocked by a handler at present.
    #[must_use]
    pub fn blocked_threads(&self) -> usize {
        self.pool.blocked()
    }

    /// Lets another process go on: running handlers finish, every account closes its link and keeps its login, the
    /// store is closed. Takes no longer than the grace period and a second. Returns what the other process needs.
    pub async fn hand_over(self) -> HashMap<Arc<str>, Handover> {
        let grace = self.runtime.roster.config().shutdown.grace;
        let draining = Draining::new();
        self.runtime.hosts.drain(&draining);
        if !draining.wait(grace / 2).await {
            tracing::warn!("some handlers did not finish; their messages come again");
        }
        let ended = self.supervisor.send(HandOverAll);
        if tokio::time::timeout(grace / 2, ended).await.is_err() {
            tracing::warn!("some accounts did not let go of their links; they log in anew");
        }
        let is_durable = self.runtime.store.is_durable();
        let handles = self.runtime.roster.handles().into_iter();
        let handed = handles.map(|handle| {
            let name = Arc::from(handle.name().as_str());
            (name, handle.hand_over(is_durable))
        });
        let handed = handed.collect();
        self.end().await;
        handed
    }

    /// Ends what is left when no account runs any more.
    async fn end(self) {
        if let Some(tape) = self.tape {
            // Its thread waits for the disk.
            let done = tokio::task::spawn_blocking(move || tape.finish()).await;
            if !done.unwrap_or_default() {
                tracing::warn!("the recording does not have everything");
            }
        }
        self.runtime.ground.traces.finish().await;
        // The threads end on their own; waiting would block this one.
        self.supervisor.do_send(EndThreads);
        self.file_thread.stop();
        end_programs();
        let store = self.runtime.store.clone();
        // A thread that panics has written what it could.
        let _ = tokio::task::spawn_blocking(move || store.close()).await;
    }

    /// Takes everything down in order: no new handlers, running ones finish, every account logs
    /// out, the sandbox ends. Takes no longer than the grace period and a second, and what the
    /// sandbox needs to write its store.
    pub async fn stop(mut self) -> Stopped {
        let grace = self.runtime.roster.config().shutdown.grace;
        let draining = Draining::new();
        self.runtime.hosts.drain(&draining);
        // Handlers get half of the time, so that a hanging handler leaves some to the logouts.
        let drained = draining.wait(grace / 2).await;
        let logout = self.supervisor.send(StopAll);
        let logged_out = tokio::time::timeout(grace / 2, logout).await.is_ok();
        let stopping = std::mem::take(&mut self.sandboxes).into_iter();
        let saved = futures_util::future::join_all(stopping.map(Sandbox::stop)).await;
        let saved = saved.into_iter().all(|saved| saved);
        self.end().await;
        Stopped {
            drained,
            logged_out,
            saved,
        }
    }
}

/// What is wrong with the settings of one bot, for [`Config::parse_with`].
#[must_use]
pub fn check_settings(
    bots: &Bots,
    name: &str,
    account: &AccountName,
    settings: Option<&BotSettings>,
) -> Option<(Vec<String>, String)> {
    let account = AccountContext::new(account.clone());
    match make_bot(bots, bots.find(name)?, &account, settings) {
        Ok(_) => None,
        Err(AppError::Settings(SettingsError::Unfit { path, reason, .. })) => {
            let section = match settings {
                None => format!("; add a section [bots.{name}]"),
                Some(_) => String::new(),
            };
            Some((path, format!("{reason}{section}")))
        }
        Err(error) => Some((Vec::new(), error.to_string())),
    }
}

/// By what the store knows accounts.
fn accounts_in_store(config: &Config, accounts: &[&AccountConfig]) -> Vec<(SdkAppId, UserId)> {
    let accounts = accounts.iter().filter_map(|account| {
        let app = config.app_of(account)?;
        Some((app.sdk_app_id, account.name.user().clone()))
    });
    accounts.collect()
}

/// Checks that every account has something to log in with.
///
/// # Errors
/// [`AppError::NoCredential`].
fn check_credentials(config: &Config) -> Result<(), AppError> {
    let lacks = |account: &&AccountConfig| {
        let app = config.app_of(account);
        !app.is_some_and(|app| Credentials::any_for(app, account))
    };
    let mut enabled = config.accounts.iter().filter(|account| account.enabled);
    match enabled.find(lacks) {
        Some(account) => Err(AppError::NoCredential(account.name.clone())),
        None => Ok(()),
    }
}

/// The store, and what it knows of the accounts, in their order.
/// Opens the store and reads it, on a thread of its own: both look through the whole file.
async fn open_store(
    config: &Config,
    accounts: Vec<(SdkAppId, UserId)>,
) -> Result<(Store, Vec<Found>), AppError> {
    let (path, settings) = (config.store.path.clone(), store_settings(&config.store));
    let open = move || {
        let store = Store::open(&path, settings)?;
        let found = look_up(&store, &accounts)?;
        Ok((store, found))
    };
    let opened = tokio::task::spawn_blocking(open).await;
    opened.map_err(std::io::Error::other)?
}

/// What the section `[store]` says of how the store works.
pub(crate) const fn store_settings(config: &StoreConfig) -> crate::store::StoreConfig {
    crate::store::StoreConfig {
        read: config.read,
        handled: config.handled,
        keys: config.keys,
        dead_letters: config.dead_letters,
        keep_audit: config.keep_audit,
        delay: config.delay,
    }
}

/// Makes each bot once for the first account that runs it, so that wrong settings stop the start and not
/// an account. `make` runs on a thread of `maker`: it may never return.
///
/// # Errors
/// [`AppError::UnknownBot`], [`AppError::Bot`], [`AppError::BotName`], [`AppError::BotMistakes`] or
/// [`AppError::Settings`].
async fn check_bots(maker: &Maker, config: &Config, bots: &Bots) -> Result<(), AppError> {
    let mut checked = HashSet::new();
    for account in &config.accounts {
        for name in account.bots.iter() {
            let (settings, is_own) = account.bot_settings(name, &config.bots);
            // Accounts of one entry share what is their own.
            let of = is_own.then_some(account.settings.as_ref()).flatten();
            if !checked.insert((&**name, of.map(|of| Arc::as_ptr(of).addr()))) {
                continue;
            }
            let registered = bots
                .find(name)
                .ok_or_else(|| AppError::UnknownBot(name.to_string()))?;
            let (registered, settings) = (registered.clone(), settings.cloned());
            let context = AccountContext::new(account.name.clone());
            let bots = bots.clone();
            let made = maker.run(maker::LIMIT, move || {
                make_bot(&bots, &registered, &context, settings.as_ref()).map(drop)
            });
            made.await.map_err(|error| AppError::Bot {
                bot: name.to_string(),
                reason: error.to_string(),
            })??;
        }
    }
    Ok(())
}

/// The name that a bot gives itself. `make` runs on a thread of its own: it may never return.
///
/// # Errors
/// [`AppError::Bot`].
pub(crate) async fn made_name(
    make: Arc<dyn Fn() -> Bot + Send + Sync>,
) -> Result<&'static str, AppError> {
    let maker = Maker::default();
    let made = maker.run(maker::LIMIT, move || make().name());
    made.await.map_err(|error| AppError::Bot {
        bot: "without a name".to_owned(),
        reason: error.to_string(),
    })
}

/// Checks that the network settings of the config can be used, and changes nothing.
///
/// # Errors
/// [`AppError::Net`].
pub fn check_network(config: &Config) -> Result<(), AppError> {
    Ok(check_net(&config.network)?)
}
