//! Puts a config into action: sandbox, threads, bots, supervisor; and takes it down in order.
//!
//! Nothing is decided here. Signals, output and exit codes are the command line's business.

mod maker;
mod terms;

pub(crate) use terms::{Credentials, policy};

pub use crate::supervisor::OrderError;

use crate::account::{
    AccountHandle, Cause, Changed, Command, CoreConfig, Fleet, GroupPaces, Phase, Status,
    end_programs,
};
use crate::bot::{
    Bot, Draining, Entry, FileAccess, Host, HostConfig, HostSpec, Pool, SettingsError, Uploads,
    find,
};
use crate::config::{AccountConfig, BotSettings, Config, Endpoint, SandboxTlsConfig};
use crate::gateway::{AwcConnector, Connector, NetConfig, NetError, check_net, use_net};
use crate::proto::endpoint::{HostWalk, Site};
use crate::proto::id::UserId;
use crate::rest::{Rest, origin_of};
use crate::sandbox::{Sandbox, SandboxConfig, SandboxError, SandboxTls, Unknown};
use crate::session::{InboxLimits, Memory};
use crate::supervisor::{
    ChildSpec, CountOnline, EndThreads, GetStatus, GovernorPolicy, IoPolicy, Order, StopAll,
    SubscriberFactory, Supervisor, UntilEnd,
};
use actix::prelude::*;
use maker::Maker;
use secrecy::{ExposeSecret, SecretString};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A running config.
#[derive(Debug)]
pub struct App {
    supervisor: Addr<Supervisor>,
    accounts: HashMap<UserId, AccountHandle>,
    hosts: Hosts,
    /// Carries the hosts of the bots, and no account: what was delivered survives a hanging one.
    host_thread: Arbiter,
    sandbox: Option<Sandbox>,
    pool: Pool,
    grace: Duration,
}

/// The present host of each account; outlives it, and is replaced when it dies itself.
type Hosts = Arc<Mutex<HashMap<UserId, Addr<Host>>>>;

/// Why a config could not be put into action.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The embedded server did not start.
    #[error("{0} (key {key})", key = sandbox_key(.0))]
    Sandbox(#[from] SandboxError),
    /// A bot refused its settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A bot cannot be made: its `bot()` panics or does not return.
    #[error("bot {bot} could not be made: {reason}")]
    Bot {
        /// The bot.
        bot: &'static str,
        /// What became of it.
        reason: String,
    },
    /// What the config says about the network cannot be used.
    #[error(transparent)]
    Net(#[from] NetError),
    /// An account wants a bot that is not in the list.
    #[error("no bot is called {0:?}")]
    UnknownBot(String),
    /// The system gave no threads.
    #[error("cannot start threads: {0}")]
    Threads(#[from] std::io::Error),
    /// There is neither a SecretKey nor a UserSig nor a source of them for an account.
    #[error(
        "account {0} has neither a user_sig or a source of one nor an app.secret_key to make one from"
    )]
    NoCredential(UserId),
}

/// The key of the config that an error of the embedded server goes back to.
pub(crate) const fn sandbox_key(error: &SandboxError) -> &'static str {
    match error {
        SandboxError::Seed(_) | SandboxError::SeedFile { .. } => "sandbox.seed",
        SandboxError::Store(_)
        | SandboxError::StoreFile { .. }
        | SandboxError::StoreInUse { .. } => "sandbox.store",
        SandboxError::Tls(_) => "sandbox.tls",
        SandboxError::Bind { .. } | SandboxError::Thread { .. } | SandboxError::Random(_) => {
            "sandbox.listen"
        }
    }
}

/// The same of what the network refuses.
pub(crate) const fn network_key(error: &NetError) -> &'static str {
    match error {
        NetError::Ca { .. } => "tls.ca_file",
        NetError::Proxy(_) => "proxy.url",
    }
}

/// Asks and orders while an [`App`] runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Controller {
    supervisor: Addr<Supervisor>,
    pool: Pool,
}

impl Controller {
    /// How every account stands, flight recorder included, in the order of the config.
    pub async fn status(&self) -> Vec<Status> {
        let mut all = self.supervisor.send(GetStatus).await.unwrap_or_default();
        let parked = self.pool.parked();
        for (account, bot) in &parked {
            let status = all
                .iter_mut()
                .find(|status| status.user.as_str() == account);
            if let Some(status) = status {
                status.degraded.push(format!(
                    "bot {bot} is parked: it went on blocking threads; `botroupe release {account}` lets it run again"
                ));
            }
        }
        all
    }

    /// How many accounts are online, without asking them.
    pub async fn online(&self) -> usize {
        self.supervisor.send(CountOnline).await.unwrap_or_default()
    }

    /// Gives an order to an account.
    ///
    /// # Errors
    /// When there is none of that name, or it cannot or may not obey.
    pub async fn order(&self, user: &UserId, command: Command) -> Result<(), OrderError> {
        // Of an account that is online, its parked bots are what comes back.
        let released = command == Command::Resume && self.pool.release(user.as_str()) > 0;
        let user = user.clone();
        let order = self.supervisor.send(Order { user, command });
        let outcome = order.await.unwrap_or(Err(OrderError::NoSupervisor));
        if released { Ok(()) } else { outcome }
    }

    /// Bot threads that are blocked by a handler at present.
    #[must_use]
    pub fn blocked_threads(&self) -> usize {
        self.pool.blocked()
    }

    /// Whether the supervisor of the accounts is there.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.supervisor.connected()
    }

    /// Waits until the supervisor of the accounts is gone. Nobody brings accounts back from then on,
    /// so the process should end.
    pub async fn ended(&self) {
        // Answered by nobody; fails when the supervisor goes.
        let _ = self.supervisor.send(UntilEnd).await;
    }
}

/// What became of an orderly stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Handlers finished within the grace period.
    pub drained: bool,
    /// Every account was logged out within the grace period.
    pub logged_out: bool,
    /// Everything of the sandbox is in its store, if there are both.
    pub saved: bool,
}

impl App {
    /// Starts everything, inside a running actix `System`. `observer` is told of every change of
    /// every account. Returns as soon as the accounts set out to connect.
    ///
    /// # Errors
    /// When a part cannot be started; nothing is left running then.
    pub async fn start(
        config: &Config,
        bots: &'static [Entry],
        observer: Option<Recipient<Changed>>,
    ) -> Result<Self, AppError> {
        Self::start_with(config, bots, observer, HashMap::new()).await
    }

    /// Starts everything as [`start`](Self::start) does; the accounts of `away` stay away as they are
    /// told, until somebody lets them back.
    ///
    /// # Errors
    /// When a part cannot be started; nothing is left running then.
    pub async fn start_with(
        config: &Config,
        bots: &'static [Entry],
        observer: Option<Recipient<Changed>>,
        mut away: HashMap<UserId, (Phase, Cause)>,
    ) -> Result<Self, AppError> {
        let maker = Maker::default();
        check_bots_on(&maker, config, bots).await?;
        use_net(&net_config(config))?;
        let mut credentials = Credentials::new(config);
        let enabled: Vec<&AccountConfig> = config
            .accounts
            .iter()
            .filter(|account| account.enabled)
            .collect();
        if let Some(account) = enabled.iter().find(|account| !credentials.any_for(account)) {
            return Err(AppError::NoCredential(account.user_id.clone()));
        }
        let sandbox = match &config.endpoint {
            Endpoint::Sandbox => Some(start_sandbox(config).await?),
            _ => None,
        };
        let walk = walk(config, sandbox.as_ref());
        let rest = rest(config, sandbox.as_ref(), &credentials);
        let pool = Pool::start(config.host.threads as usize, config.host.block_warning)?;
        let host_thread = Arbiter::new();
        let hosts = Hosts::default();
        let mut policies = terms::Policies::default();
        let group_paces = GroupPaces::default();
        let mut accounts = HashMap::new();
        let fleet: Fleet = Arc::new(
            enabled
                .iter()
                .map(|account| account.user_id.as_str().into())
                .collect(),
        );
        let mut specs = Vec::with_capacity(enabled.len());
        for account in enabled {
            let Some(credential) = credentials.of(account) else {
                continue;
            };
            let memory = Memory::new(InboxLimits::new(
                config.host.queue as usize,
                account.policy.recovery.mark_read,
            ));
            let handle = AccountHandle::new(account.user_id.clone()).with_memory(memory.clone());
            accounts.insert(account.user_id.clone(), handle.clone());
            specs.push(ChildSpec {
                config: CoreConfig {
                    app: config.app.sdk_app_id,
                    user: account.user_id.clone(),
                    credential,
                    hosts: walk.clone(),
                    policy: policies.of(&account.policy),
                    probes: rest.is_some(),
                    memory: memory.clone(),
                    group_paces: group_paces.clone(),
                },
                connector: Arc::new(|| Rc::new(AwcConnector) as Rc<dyn Connector>),
                rest: rest.clone(),
                subscriber: subscriber(
                    config,
                    account,
                    bots,
                    &handle,
                    &maker,
                    &pool,
                    &hosts,
                    host_thread.handle(),
                    (memory, fleet.clone(), &walk.current()),
                ),
                away: away.remove(&account.user_id),
                handle,
            });
        }
        let governor = GovernorPolicy {
            rate: f64::from(config.governor.logins_per_second),
            burst: config.governor.burst,
        };
        let io = IoPolicy {
            arbiters: config.io.arbiters as usize,
            hang_after: config.io.hang_after,
        };
        let supervisor = Supervisor::start_with(specs, io, governor, observer);
        Ok(Self {
            supervisor,
            accounts,
            hosts,
            host_thread,
            sandbox,
            pool,
            grace: config.shutdown.grace,
        })
    }

    /// The embedded server, when there is one.
    #[must_use]
    pub const fn sandbox(&self) -> Option<&Sandbox> {
        self.sandbox.as_ref()
    }

    /// Reaches one account.
    #[must_use]
    pub fn account(&self, user: &str) -> Option<&AccountHandle> {
        self.accounts.get(user)
    }

    /// Asks and orders from elsewhere.
    #[must_use]
    pub fn controller(&self) -> Controller {
        Controller {
            supervisor: self.supervisor.clone(),
            pool: self.pool.clone(),
        }
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

    /// Takes everything down in order: no new handlers, running ones finish, every account logs
    /// out, the sandbox ends. Takes no longer than the grace period and a second, and what the
    /// sandbox needs to write its store.
    pub async fn stop(self) -> Stopped {
        let draining = Draining::new();
        for host in lock(&self.hosts).values() {
            if let Some(drain) = draining.one() {
                // Once per host: the mailbox bound may be passed.
                host.do_send(drain);
            }
        }
        // Half of the time for handlers, so that a hanging one cannot cost the accounts theirs.
        let drained = draining.wait(self.grace / 2).await;
        let logout = self.supervisor.send(StopAll);
        let logged_out = tokio::time::timeout(self.grace / 2, logout).await.is_ok();
        let saved = match self.sandbox {
            Some(sandbox) => sandbox.stop().await,
            None => true,
        };
        // The threads end on their own; waiting would block this one.
        self.supervisor.do_send(EndThreads);
        self.host_thread.stop();
        end_programs();
        Stopped {
            drained,
            logged_out,
            saved,
        }
    }
}

/// Makes each bot once, so that wrong settings stop the start and not an account.
///
/// # Errors
/// [`AppError::UnknownBot`], [`AppError::Bot`] or [`AppError::Settings`].
pub fn check_bots(config: &Config, bots: &[Entry]) -> Result<(), AppError> {
    for entry in used_bots(config, bots)? {
        make_bot(entry, config.bots.get(entry.name()))?;
    }
    Ok(())
}

/// What is wrong with the settings of one bot, for [`Config::parse_with`].
#[must_use]
pub fn check_settings(
    bots: &[Entry],
    name: &str,
    settings: Option<&BotSettings>,
) -> Option<(Vec<String>, String)> {
    match make_bot(find(bots, name)?, settings) {
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

/// The same, without waiting for `bot()` on this thread.
async fn check_bots_on(
    maker: &Maker,
    config: &Config,
    bots: &'static [Entry],
) -> Result<(), AppError> {
    for entry in used_bots(config, bots)? {
        let settings = config.bots.get(entry.name()).cloned();
        let made = maker.run(maker::LIMIT, move || {
            make_bot(entry, settings.as_ref()).map(drop)
        });
        made.await.map_err(|error| AppError::Bot {
            bot: entry.name(),
            reason: error.to_string(),
        })??;
    }
    Ok(())
}

/// The bots that some account runs.
fn used_bots<'b>(config: &Config, bots: &'b [Entry]) -> Result<Vec<&'b Entry>, AppError> {
    let used: HashSet<&str> = config
        .accounts
        .iter()
        .flat_map(|account| account.bots.iter().map(|name| &**name))
        .collect();
    if let Some(unknown) = used.iter().find(|name| find(bots, name).is_none()) {
        return Err(AppError::UnknownBot((*unknown).to_owned()));
    }
    let is_used = |entry: &&Entry| used.contains(entry.name());
    Ok(bots.iter().filter(is_used).collect())
}

fn make_bot(entry: &Entry, settings: Option<&BotSettings>) -> Result<Bot, AppError> {
    let made = std::panic::catch_unwind(entry.make);
    let mut bot = made.map_err(|panic| AppError::Bot {
        bot: entry.name(),
        reason: format!("it panicked: {}", maker::words(&*panic)),
    })?;
    bot.rename(entry.name());
    bot.configure(settings.map(BotSettings::table))?;
    Ok(bot)
}

#[expect(
    clippy::too_many_arguments,
    reason = "everything an account's host is made from"
)]
fn subscriber(
    config: &Config,
    account: &AccountConfig,
    bots: &'static [Entry],
    handle: &AccountHandle,
    maker: &Maker,
    pool: &Pool,
    hosts: &Hosts,
    thread: ArbiterHandle,
    (memory, fleet, origin): (Memory, Fleet, &str),
) -> SubscriberFactory {
    let (handle, pool, hosts, maker) = (handle.clone(), pool.clone(), hosts.clone(), maker.clone());
    let (names, settings) = (account.bots.clone(), config.bots.clone());
    let settings = if names.iter().any(|name| settings.contains_key(&**name)) {
        settings
    } else {
        Default::default()
    };
    let host_config = HostConfig {
        queue: config.host.queue as usize,
        handler_timeout: config.host.handler_timeout,
        uploads: match &config.endpoint {
            Endpoint::Sandbox | Endpoint::Url(_) => Uploads::Private,
            Endpoint::Auto | Endpoint::Site(_) => Uploads::Service(config.app.sdk_app_id),
        },
        files: match &config.endpoint {
            Endpoint::Sandbox | Endpoint::Url(_) => FileAccess::new(Some(origin)),
            Endpoint::Auto | Endpoint::Site(_) => FileAccess::new(None),
        },
    };
    Arc::new(move || {
        let present = lock(&hosts).get(handle.user()).cloned();
        if let Some(host) = present.filter(Addr::connected) {
            return Box::pin(std::future::ready(Ok(host.recipient())));
        }
        let (handle, pool, hosts, maker) =
            (handle.clone(), pool.clone(), hosts.clone(), maker.clone());
        let (names, settings, thread) = (names.clone(), settings.clone(), thread.clone());
        let (memory, fleet, host_config) = (memory.clone(), fleet.clone(), host_config.clone());
        Box::pin(async move {
            let wanted = names.clone();
            let made = maker.run(maker::LIMIT, move || {
                let entries = wanted.iter().filter_map(|name| find(bots, name));
                // Checked at the start; what has stopped fitting since is no bot either.
                let made = entries.map(|entry| make_bot(entry, settings.get(entry.name())));
                made.collect::<Result<Vec<Bot>, AppError>>()
            });
            let made = match made.await {
                Ok(made) => made.map_err(|error| error.to_string())?,
                Err(error) => return Err(format!("{} could not be made: {error}", named(&names))),
            };
            // Whatever a host before this one had goes to this one.
            memory.bots_died();
            let spec = HostSpec {
                account: handle.clone(),
                bots: made,
                config: host_config,
                pool,
                fleet,
            };
            let host = Host::start_on(&thread, spec);
            lock(&hosts).insert(handle.user().clone(), host.clone());
            Ok(host.recipient())
        })
    })
}

/// The bots of an account in words.
fn named(bots: &[Arc<str>]) -> String {
    match bots {
        [bot] => format!("bot {bot}"),
        bots => format!("one of the bots {}", bots.join(", ")),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing panics while holding it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn start_sandbox(config: &Config) -> Result<Sandbox, SandboxError> {
    Sandbox::start(sandbox_config(config), config.sandbox.listen).await
}

/// Tries whether what the config says about the network can be used, and changes nothing.
///
/// # Errors
/// [`AppError::Net`].
pub fn check_network(config: &Config) -> Result<(), AppError> {
    match net_config(config) {
        default if default == NetConfig::default() => Ok(()),
        config => Ok(check_net(&config)?),
    }
}

pub(crate) fn net_config(config: &Config) -> NetConfig {
    let network = &config.network;
    NetConfig {
        ca_file: network.ca_file.clone(),
        proxy: network
            .proxy
            .as_ref()
            .map(|proxy| proxy.expose_secret().to_owned()),
        no_proxy: network.no_proxy.clone(),
    }
}

/// Tries what the embedded server would start with, when there is to be one, and starts nothing.
///
/// # Errors
/// [`AppError::Sandbox`] for a store or seed that cannot be read or is refused.
pub fn check_seed(config: &Config) -> Result<(), AppError> {
    match &config.endpoint {
        Endpoint::Sandbox => Ok(Sandbox::check(sandbox_config(config))?),
        _ => Ok(()),
    }
}

fn sandbox_config(config: &Config) -> SandboxConfig {
    let key = config
        .app
        .secret_key
        .clone()
        .unwrap_or_else(|| SecretString::from(String::new()));
    let mut sandbox = SandboxConfig::new(config.app.sdk_app_id, key);
    sandbox.administrators.clone_from(&config.sandbox.admins);
    sandbox.auto_import = config.sandbox.auto_import;
    sandbox.max_web_instances = config.sandbox.max_web_instances as usize;
    sandbox.hello_interval = config.sandbox.hello_interval;
    sandbox.media_dir.clone_from(&config.sandbox.media_dir);
    sandbox.seed_file.clone_from(&config.sandbox.seed);
    sandbox.store_file.clone_from(&config.sandbox.store);
    sandbox.origins.clone_from(&config.sandbox.origins);
    sandbox.hosts.clone_from(&config.sandbox.hosts);
    sandbox.token.clone_from(&config.sandbox.token);
    sandbox.unknown = if config.sandbox.refuse_unknown {
        Unknown::Refuse
    } else {
        Unknown::Warn
    };
    sandbox.tls = match &config.sandbox.tls {
        SandboxTlsConfig::Off => None,
        SandboxTlsConfig::SelfSigned => Some(SandboxTls::SelfSigned),
        SandboxTlsConfig::Files { certificate, key } => Some(SandboxTls::Files {
            certificate: certificate.clone(),
            key: key.clone(),
        }),
    };
    // What the config names exists, whether or not others are let in.
    sandbox.accounts = config
        .accounts
        .iter()
        .map(|account| account.user_id.clone())
        .collect();
    sandbox
}

/// Where the accounts of a config connect to.
pub(crate) fn walk(config: &Config, sandbox: Option<&Sandbox>) -> HostWalk {
    let app = config.app.sdk_app_id;
    match &config.endpoint {
        Endpoint::Sandbox => HostWalk::fixed(
            &sandbox.map_or_else(|| format!("ws://{}", config.sandbox.listen), Sandbox::url),
        ),
        Endpoint::Auto => HostWalk::new(Site::of(app), app),
        Endpoint::Site(site) => HostWalk::new(*site, app),
        Endpoint::Url(url) => HostWalk::fixed(url),
    }
}

/// The REST API that belongs to where the accounts connect to, when an administrator is named.
fn rest(config: &Config, sandbox: Option<&Sandbox>, credentials: &Credentials) -> Option<Rest> {
    let (admin, key) = (config.app.admin.clone()?, credentials.key.clone()?);
    let app = config.app.sdk_app_id;
    let origin = match &config.endpoint {
        Endpoint::Sandbox => sandbox?.rest_url(),
        Endpoint::Auto => origin_of(Site::of(app)).to_owned(),
        Endpoint::Site(site) => origin_of(*site).to_owned(),
        // ws:// is http://, wss:// is https://.
        Endpoint::Url(url) => url.replacen("ws", "http", 1),
    };
    Some(Rest::new(&origin, app, admin, key))
}
