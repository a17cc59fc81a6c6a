//! Starts what a config describes (sandbox, threads, bots, supervisor) and stops it in order.
//!
//! No policy lives here. Signals, output and exit codes belong to the command line.

mod bot_change;
mod controller;
mod dialogues;
mod error;
mod hosts;
mod maker;
mod outbox;
mod reload;
mod roster;
mod runtime;
#[cfg_attr(not(feature = "sandbox"), path = "no_sandbox.rs")]
mod sandbox;
mod terms;

pub(crate) use bot_change::BotChange;
pub use bot_change::BotChangeError;
use controller::Carriage;
pub use controller::{Controller, Counted};
pub use dialogues::DialogueOf;
pub use error::AppError;
pub use outbox::{OutboxOrder, OutboxOrderError};
pub use reload::{AccountStep, Action, Plan, ReloadError};
pub use sandbox::check_sandbox;
pub(crate) use terms::{Credentials, fetch_secret_key};

pub use crate::supervisor::OrderError;

use crate::account::{
    AccountHandle, Cause, Changed, Command, Handover, Phase, SharedFleet, Status, end_programs,
};
use crate::bot::{
    AccountContext, Api, Bot, Bots, Draining, FileAccess, Pool, RecordError, SettingsError, Shelf,
    Site as BotSite, Tape, Uploads, Voices,
};
use crate::config::{AccountConfig, BotSettings, Config, Endpoint, StoreConfig};
use crate::gateway::{NetConnector, check_net, limit_links, use_net};
use crate::proto::endpoint::{HostWalk, Site};
use crate::proto::id::{SdkAppId, UserId};
use crate::store::Store;
pub use crate::supervisor::MakeConnector;
use crate::supervisor::{EndThreads, HandOverAll, StopAll, Supervisor};
use actix::prelude::*;
use hosts::{Hosts, make_bot};
use maker::Maker;
use reload::Reloader;
use roster::Roster;
pub use runtime::OnReload;
pub(crate) use runtime::rest_origin;
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
    sandbox: Option<Sandbox>,
    pool: Pool,
    /// Records what the bots hear.
    tape: Option<Tape>,
    /// How the accounts carry files.
    uploads: Uploads,
    files: FileAccess,
}

/// What an earlier process left for this one.
#[derive(Debug, Default)]
pub struct Before {
    /// The phases and causes of accounts that start held or quarantined until somebody resumes them.
    pub away: HashMap<UserId, (Phase, Cause)>,
    /// The logins that accounts go on with.
    pub handed: HashMap<UserId, Handover>,
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
        away: HashMap<UserId, (Phase, Cause)>,
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
        away: HashMap<UserId, (Phase, Cause)>,
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
        fetch_secret_key(&mut config).await?;
        let config = &config;
        let maker = Maker::default();
        check_bots(&maker, config, bots).await?;
        use_net(&config.network)?;
        // The sandbox's side of a link is in the same process.
        limit_links(if config.endpoint == Endpoint::Sandbox {
            2
        } else {
            1
        });
        let enabled: Vec<&AccountConfig> = config
            .accounts
            .iter()
            .filter(|account| account.enabled)
            .collect();
        let credentials = Credentials::new(config);
        if let Some(account) = enabled.iter().find(|account| !credentials.any_for(account)) {
            return Err(AppError::NoCredential(account.user_id.clone()));
        }
        let users = enabled.iter().map(|account| account.user_id.clone());
        let (store, found) =
            open_store(&config.store, config.app.sdk_app_id, users.collect()).await?;
        let sandbox = match &config.endpoint {
            Endpoint::Sandbox => Some(sandbox::start(config).await?),
            _ => None,
        };
        let walk = walk(config, sandbox.as_ref().map(Sandbox::url).as_deref());
        let pool = Pool::start(config.host.threads as usize, config.host.block_warning)?;
        let file_thread = Arbiter::new();
        let (uploads, files) = match &config.endpoint {
            Endpoint::Sandbox | Endpoint::Url(_) => {
                (Uploads::Private, FileAccess::new(Some(&walk.current())))
            }
            Endpoint::Auto | Endpoint::Site(_) => (
                Uploads::Service(config.app.sdk_app_id),
                FileAccess::new(None),
            ),
        };
        let tape = config.record.as_ref().map(Tape::begin).transpose()?;
        let fleet = SharedFleet::default();
        let site = Arc::new(BotSite {
            config: config.host,
            uploads,
            files: files.clone(),
            file_thread: Some(file_thread.handle()),
            pool: pool.clone(),
            tape: tape.clone(),
            fleet: fleet.clone(),
            voices: Voices::default(),
        });
        let hosts = Arc::new(Hosts::new(site, maker, bots, config));
        let rest_url = sandbox.as_ref().map(Sandbox::rest_url);
        let runtime = Arc::new(Runtime {
            roster: Roster::new(config, before),
            shelf: Shelf::new(store.clone(), config.store.quota),
            store,
            subscriber: hosts.factory(),
            hosts,
            fleet,
            sandbox: sandbox.as_ref().map(Sandbox::remote),
            connector,
            walk,
            rest_origin: rest_origin(config, rest_url),
            reloaded: Mutex::default(),
        });
        let specs = runtime.join(config, &enabled, found);
        let supervisor = Supervisor::start_with(specs, config.io, config.governor, observer);
        Ok(Self {
            supervisor,
            runtime,
            reloading: Arc::default(),
            file_thread,
            sandbox,
            pool,
            tape,
            uploads,
            files,
        })
    }

    /// The embedded server, when there is one.
    #[cfg(feature = "sandbox")]
    #[must_use]
    pub const fn sandbox(&self) -> Option<&Sandbox> {
        self.sandbox.as_ref()
    }

    /// Where the embedded server listens, when there is one.
    #[must_use]
    pub fn sandbox_url(&self) -> Option<String> {
        self.sandbox.as_ref().map(Sandbox::url)
    }

    /// The handle of one account.
    #[must_use]
    pub fn account(&self, user: &str) -> Option<AccountHandle> {
        Some(self.runtime.roster.member(user)?.handle)
    }

    /// How many accounts run.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.runtime.roster.len()
    }

    /// Acts as one account, as its bots do.
    #[must_use]
    pub fn api(&self, user: &str) -> Option<Api> {
        let member = self.runtime.roster.member(user)?;
        let thread = self.file_thread.handle();
        let api = Api::new(member.handle).with_files(thread, self.uploads, self.files.clone());
        Some(api.on_ledger(member.ledger))
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
        let on = self.file_thread.handle();
        bot_change::change(&self.runtime.hosts, &on, account, change).await
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
            Carriage {
                thread: self.file_thread.handle(),
                uploads: self.uploads,
                files: self.files.clone(),
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
    pub async fn order(&self, user: &UserId, command: Command) -> Result<(), OrderError> {
        self.controller().order(user, command).await
    }

    /// Bot threads that are blocked by a handler at present.
    #[must_use]
    pub fn blocked_threads(&self) -> usize {
        self.pool.blocked()
    }

    /// Lets another process go on: running handlers finish, every account closes its link and keeps its login, the
    /// store is closed. Takes no longer than the grace period and a second. Returns what the other process needs.
    pub async fn hand_over(self) -> HashMap<UserId, Handover> {
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
        let handed = handles.map(|handle| (handle.user().clone(), handle.hand_over(is_durable)));
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
        let saved = match self.sandbox.take() {
            Some(sandbox) => sandbox.stop().await,
            None => true,
        };
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
    account: &UserId,
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

/// The store, and what it knows of the accounts, in their order.
/// Opens the store and reads it, on a thread of its own: both look through the whole file.
async fn open_store(
    config: &StoreConfig,
    app: SdkAppId,
    users: Vec<UserId>,
) -> Result<(Store, Vec<Found>), AppError> {
    let (path, settings) = (config.path.clone(), store_settings(config));
    let open = move || {
        let store = Store::open(&path, settings)?;
        let found = look_up(&store, app, &users)?;
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
            let context = AccountContext::new(account.user_id.clone());
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

/// Where the accounts of a config connect to.
pub(crate) fn walk(config: &Config, sandbox_url: Option<&str>) -> HostWalk {
    let app = config.app.sdk_app_id;
    match &config.endpoint {
        Endpoint::Sandbox => HostWalk::fixed(
            &sandbox_url.map_or_else(|| format!("ws://{}", config.sandbox.listen), str::to_owned),
        ),
        Endpoint::Auto => HostWalk::new(Site::of(app), app),
        Endpoint::Site(site) => HostWalk::new(*site, app),
        Endpoint::Url(url) => HostWalk::fixed(url),
    }
}
