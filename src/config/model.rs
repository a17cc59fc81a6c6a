//! The types of a valid config. Other modules read and check them.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use botroupe_core::account::{AccountName, Policy};
use secrecy::{ExposeSecret, SecretString};

use super::account_files::AccountFile;
use super::account_source::AccountSource;
use super::admin::AdminConfig;
use super::alerts::AlertConfig;
use super::defaults;
use super::error::{ConfigError, ConfigErrors, Problem};
use super::layers::Contributions;
use super::log::LogConfig;
use super::place::Place;
use super::proxy::AccountProxy;
use super::traces::TracesConfig;
use crate::proto::{
    endpoint::Site,
    id::{SdkAppId, UserId},
};

/// A checked config: everything that one process runs.
///
/// `Debug` shows neither secrets nor the settings of bots.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The apps, in the order written; at least one. A config with `[app]` has it alone.
    pub apps: Vec<App>,
    /// Every account with its patterns expanded, in the order written; at least one, no name
    /// twice. Those with `enabled = false` are among them.
    pub accounts: Vec<AccountConfig>,
    /// Who says which other accounts there are.
    pub account_source: Option<AccountSource>,
    /// The settings of each bot that has a `[bots.<name>]`.
    pub bots: BTreeMap<String, BotSettings>,
    /// The embedded server, used by apps whose endpoint is [`Endpoint::Sandbox`].
    pub sandbox: SandboxConfig,
    /// How bots are run.
    pub host: HostConfig,
    /// The trusted certificates, the proxy and the sockets of connections.
    pub network: NetworkConfig,
    /// How connections are run.
    pub io: IoConfig,
    /// How the process ends.
    pub shutdown: ShutdownConfig,
    /// Where the process keeps what must not be lost when it dies.
    pub store: StoreConfig,
    /// Where the fleet can be watched and ordered over HTTP.
    pub admin: AdminConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Who is told when something is wrong.
    pub alerts: Vec<AlertConfig>,
    /// Where traces of messages are sent; `None` for nowhere.
    pub traces: Option<TracesConfig>,
    /// Where to record what the bots hear. It is no key of the file: `botroupe run --record` sets it.
    pub record: Option<RecordConfig>,
    /// Which layer set how much.
    pub(super) contributions: Contributions,
    /// The places of some keys whose values can be checked only later.
    pub(super) places: BTreeMap<&'static str, Place>,
    /// The name of the file, as given.
    pub(super) file: Arc<str>,
    /// What it was read from.
    pub(super) origin: Arc<Origin>,
}

/// What a config was read from, but for the answer of a source of accounts.
#[derive(Default)]
pub(super) struct Origin {
    pub(super) text: String,
    pub(super) files: Vec<AccountFile>,
}

impl fmt::Debug for Origin {
    /// Shows no text: it may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Origin")
    }
}

/// A recording of what the bots of a process hear, for tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordConfig {
    /// The file, which must not exist yet.
    pub path: PathBuf,
    /// Puts pseudonyms in the place of names.
    pub mask: bool,
}

impl Config {
    /// The app that an account of this config belongs to.
    #[must_use]
    pub fn app_of(&self, account: &AccountConfig) -> Option<&App> {
        let name = account.name.app();
        self.apps.iter().find(|app| app.name.as_deref() == name)
    }

    /// The app of this name, or of this SDKAppID; the only one when `name` is `None`.
    #[must_use]
    pub fn app(&self, name: Option<&str>) -> Option<&App> {
        match (name, &*self.apps) {
            (None, [app]) => Some(app),
            (None, _) => None,
            (Some(name), apps) => apps.iter().find(|app| {
                app.name.as_deref() == Some(name) || app.sdk_app_id.get().to_string() == name
            }),
        }
    }

    /// The name and the text of the file that it was read from, and its files of accounts.
    pub(crate) fn origin(&self) -> (&str, &str, &[AccountFile]) {
        (&self.file, &self.origin.text, &self.origin.files)
    }

    /// What this config says of one of its apps, as if there were no other.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn alone(&self, app: &App) -> Self {
        let mut alone = self.clone();
        let served = self
            .apps
            .iter()
            .filter(|it| it.endpoint == Endpoint::Sandbox);
        let number = served.take_while(|it| it.name != app.name).count();
        alone.sandbox.listen = self.sandbox.listen_of(number);
        alone.apps.retain(|it| it.name == app.name);
        let name = app.name.as_deref();
        alone.accounts.retain(|account| account.name.app() == name);
        alone
    }

    /// A mistake in the value of `key` that was found after the check of the config.
    #[must_use]
    pub fn unusable(&self, key: &'static str, reason: String) -> ConfigErrors {
        let whole = || Place::WholeFile {
            file: Arc::clone(&self.file),
        };
        ConfigErrors::new(vec![ConfigError {
            place: self.places.get(key).cloned().unwrap_or_else(whole),
            key: key.to_owned(),
            problem: Problem::Unusable { reason },
        }])
    }
}

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// The embedded server, started in this process.
    Sandbox,
    /// The site that the SDKAppID belongs to.
    Auto,
    /// A site chosen by name.
    Site(Site),
    /// `ws://host[:port][/prefix]` or `wss://…`, without a slash at the end.
    Url(String),
}

impl fmt::Display for Endpoint {
    /// As it is written in the config file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sandbox => f.write_str("sandbox"),
            Self::Auto => f.write_str("auto"),
            Self::Site(site) => f.write_str(site.name()),
            Self::Url(url) => f.write_str(url),
        }
    }
}

/// `[app]` or one of `[[apps]]`: a Tencent Cloud Chat application.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct App {
    /// What stands in front of the names of its accounts; `None` for `[app]`.
    pub name: Option<Arc<str>>,
    /// Its number.
    pub sdk_app_id: SdkAppId,
    /// Where its accounts connect.
    pub endpoint: Endpoint,
    /// How fast its accounts log in together.
    pub governor: GovernorConfig,
    /// Its SecretKey, from which UserSigs are minted. `None` only if every enabled account
    /// brings a UserSig of its own, or [`Self::secret_key_source`] says where it is.
    pub secret_key: Option<SecretString>,
    /// Where its SecretKey is fetched from, at the start and at each reload.
    pub secret_key_source: Option<Arc<SecretSource>>,
    /// An administrator of the app. With it and the SecretKey, an account that was kicked asks the REST API
    /// whether the other login is gone before it comes back.
    pub admin: Option<UserId>,
}

/// One account after expansion. Values that accounts have in common are shared.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccountConfig {
    /// What it is called in the process.
    pub name: AccountName,
    /// The bots that run on it, each once and registered; possibly none.
    pub bots: Arc<[Arc<str>]>,
    /// A ready-made UserSig instead of one minted from the SecretKey.
    pub user_sig: Option<SecretString>,
    /// Where its UserSigs are fetched from instead; `None` whenever [`Self::user_sig`] is there.
    pub user_sig_source: Option<Arc<SecretSource>>,
    /// Whether it is started with the others.
    pub enabled: bool,
    /// How long a minted UserSig holds; 10 seconds to 365 days, whole seconds.
    pub user_sig_lifetime: Duration,
    /// How long a program or an HTTP service may take to give a UserSig; 100 ms to 5 minutes.
    pub user_sig_timeout: Duration,
    /// The proxy of its links; `None` takes that of [`NetworkConfig`].
    pub proxy: Option<Arc<AccountProxy>>,
    /// What it does by itself after faults and kicks.
    pub policy: Arc<Policy>,
    /// The settings of bots that are others on this account than in [`Config::bots`], whole; `None` when there are
    /// none.
    pub settings: Option<Arc<BTreeMap<String, BotSettings>>>,
    /// The place of its UserID.
    pub place: Arc<Place>,
}

/// Where a secret is fetched from: `user_sig_file`, `_env`, `_command` or `_http`, and the same of `secret_key`. In
/// every text of a UserSig's source, `{user_id}` stands for the account's UserID and
/// `{sdk_app_id}` for the number of its app; they are replaced when one is fetched.
///
/// `Debug` shows neither bodies nor the values of header fields, and a URL up to its query.
#[derive(Clone)]
#[non_exhaustive]
pub enum SecretSource {
    /// The path of a file; not empty.
    File(String),
    /// The name of an environment variable.
    Env(String),
    /// A program and its arguments, run without a shell.
    Command {
        /// The program; not empty.
        program: String,
        /// Its arguments, possibly none.
        args: Vec<String>,
    },
    /// An HTTP request.
    Http {
        /// `http://` or `https://`, without user name and password.
        url: String,
        /// Sent with POST when given; GET otherwise.
        body: Option<SecretString>,
        /// Further header fields: valid names, printable values.
        headers: Vec<(String, SecretString)>,
    },
}

impl SecretSource {
    /// The key that gives it.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::File(_) => "user_sig_file",
            Self::Env(_) => "user_sig_env",
            Self::Command { .. } => "user_sig_command",
            Self::Http { .. } => "user_sig_http",
        }
    }

    /// The file or variable of one account; `None` for a program or a service.
    #[must_use]
    pub fn resolved(&self, app: SdkAppId, user: &UserId) -> Option<String> {
        let with_app = |text: &str| text.replace(SDK_APP_ID, &app.get().to_string());
        match self {
            Self::File(path) => {
                let path = with_app(path).replace(USER_ID, &user.replace('/', "_"));
                Some(format!("file {path}"))
            }
            Self::Env(name) => {
                let upper = |c: char| match c {
                    c if c.is_ascii_alphanumeric() => c.to_ascii_uppercase(),
                    _ => '_',
                };
                let name =
                    with_app(name).replace(USER_ID, &user.chars().map(upper).collect::<String>());
                Some(format!("environment variable {name}"))
            }
            Self::Command { .. } | Self::Http { .. } => None,
        }
    }

    /// Whether it depends on the UserID, so that more than one account can use it.
    pub(super) fn is_per_account(&self) -> bool {
        let holds = |text: &str| text.contains(USER_ID);
        match self {
            Self::File(text) | Self::Env(text) => holds(text),
            Self::Command { args, .. } => args.iter().any(|arg| holds(arg)),
            Self::Http { url, body, .. } => {
                holds(url)
                    || body
                        .as_ref()
                        .is_some_and(|body| holds(body.expose_secret()))
            }
        }
    }
}

/// What is replaced by the account's UserID.
pub(super) const USER_ID: &str = "{user_id}";
/// What is replaced by the SDKAppID of the account's app.
pub(super) const SDK_APP_ID: &str = "{sdk_app_id}";

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Env(name) => f.debug_tuple("Env").field(name).finish(),
            // Arguments may hold secrets.
            Self::Command { program, .. } => f
                .debug_struct("Command")
                .field("program", program)
                .finish_non_exhaustive(),
            Self::Http { url, .. } => f
                .debug_struct("Http")
                .field("url", &url.split('?').next().unwrap_or_default())
                .finish_non_exhaustive(),
        }
    }
}

impl AccountConfig {
    /// The settings of a bot on this account, and whether they are its own.
    #[must_use]
    pub fn bot_settings<'a>(
        &'a self,
        bot: &str,
        common: &'a BTreeMap<String, BotSettings>,
    ) -> (Option<&'a BotSettings>, bool) {
        let own = self.settings.as_ref().and_then(|all| all.get(bot));
        (own.or_else(|| common.get(bot)), own.is_some())
    }
}

/// `[bots.<name>]`: handed to the bot as it is, with `${…}` replaced.
///
/// `Debug` shows the keys only, because bots keep passwords there.
#[derive(Clone, Default, PartialEq)]
pub struct BotSettings(toml::Table);

impl BotSettings {
    /// Takes a table as settings.
    pub const fn new(table: toml::Table) -> Self {
        Self(table)
    }

    /// The table.
    pub const fn table(&self) -> &toml::Table {
        &self.0
    }

    /// The table, to be deserialised into the bot's own type.
    pub fn into_table(self) -> toml::Table {
        self.0
    }
}

impl fmt::Debug for BotSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BotSettings")
            .field(&self.0.keys().collect::<Vec<_>>())
            .finish()
    }
}

impl SandboxConfig {
    /// Where the server of the `number`th app that uses one listens, from zero: on the `number`th port after the first.
    #[must_use]
    pub fn listen_of(&self, number: usize) -> SocketAddr {
        let mut listen = self.listen;
        if listen.port() != 0 {
            let number = u16::try_from(number).unwrap_or(u16::MAX);
            listen.set_port(listen.port().saturating_add(number));
        }
        listen
    }
}

/// `[sandbox]`: the embedded server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SandboxConfig {
    /// Where it listens; port 0 is any free one.
    pub listen: SocketAddr,
    /// How many web logins an account may have at once; 1 to 100.
    pub max_web_instances: u32,
    /// How often it asks clients to say hello; 1 second to 1 hour, whole seconds.
    pub hello_interval: Duration,
    /// Whether an account exists as soon as it logs in.
    pub auto_import: bool,
    /// The accounts that may use the REST API; at least one.
    pub admins: Vec<UserId>,
    /// The folder uploaded files are kept in while it runs; `None` keeps them in memory.
    pub media_dir: Option<PathBuf>,
    /// A file of accounts, groups and history it starts with. A relative path starts where the
    /// config file is.
    pub seed: Option<PathBuf>,
    /// The file that keeps everything over restarts; `None` keeps nothing. A relative path starts where the
    /// config file is.
    pub store: Option<PathBuf>,
    /// Whether it speaks TLS too, on the same port.
    pub tls: SandboxTlsConfig,
    /// The file to which the certificate that it makes itself is written, for clients to trust. A relative
    /// path starts where the config file is.
    pub tls_ca: Option<PathBuf>,
    /// Web pages of these origins may use it, besides those of this machine.
    pub origins: Vec<String>,
    /// Names it may be called by, besides addresses and `localhost`.
    pub hosts: Vec<String>,
    /// The token that orders (`/sandbox/…`) have to carry.
    pub token: Option<SecretString>,
    /// Which repeated sends it recognises.
    pub dedupe: SandboxDedupe,
    /// `unknown = "refuse"`: commands that it does not know are refused instead of answered with OK.
    pub refuse_unknown: bool,
}

/// `[tls]`, `[proxy]` and a part of `[io]`: the trusted certificates, the proxy and the sockets of connections.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NetworkConfig {
    /// A PEM file of certificates that are trusted besides the system's. A relative path starts where the
    /// config file is.
    pub ca_file: Option<PathBuf>,
    /// The URL of the proxy; without it the environment's proxy is used. It may hold a password.
    pub proxy: Option<SecretString>,
    /// Hosts that are reached without it.
    pub no_proxy: Vec<String>,
    /// `io.bind`: addresses of this machine that links come from, in turn; empty leaves it to the system.
    pub bind: Vec<IpAddr>,
    /// `io.keepalive`: silence of a link after which the system asks whether the other side is there; `None`
    /// never asks. 1 second to 1 hour, whole seconds.
    pub keepalive: Option<Duration>,
}

impl Default for NetworkConfig {
    /// As when nothing is written.
    fn default() -> Self {
        Self {
            ca_file: None,
            proxy: None,
            no_proxy: Vec::new(),
            bind: Vec::new(),
            keepalive: Some(defaults::IO_KEEPALIVE),
        }
    }
}

/// `dedupe` of `[sandbox]`: which repeated sends are answered as the first one and not delivered again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SandboxDedupe {
    /// As documented: one-to-one messages for 120 s, group messages for 5 minutes.
    #[default]
    Documented,
    /// None: every send is delivered.
    None,
    /// All, however late.
    Forever,
}

/// `tls`, `tls_cert` and `tls_key` of `[sandbox]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SandboxTlsConfig {
    /// Plain HTTP only.
    #[default]
    Off,
    /// With a certificate that it makes itself.
    SelfSigned,
    /// With PEM files. Relative paths start where the config file is.
    Files {
        /// The certificate and its chain.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// `[governor]`: how fast the whole fleet logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GovernorConfig {
    /// Logins per second over time; 1 to 100,000.
    pub logins_per_second: u32,
    /// Logins that may go out at once after a quiet time; 1 to 100,000.
    pub burst: u32,
}

impl Default for GovernorConfig {
    /// As when nothing is written: 10,000 accounts are back within a minute.
    fn default() -> Self {
        Self {
            logins_per_second: defaults::GOVERNOR_LOGINS_PER_SECOND,
            burst: defaults::GOVERNOR_BURST,
        }
    }
}

/// `[host]`: how bots are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostConfig {
    /// Threads that run handlers; 1 to 256.
    pub threads: u32,
    /// How long a handler may take, counted while its account is online; 10 ms to 24 hours.
    pub handler_timeout: Duration,
    /// The most messages that the bots of an account hold at a time, an eighth of them of one conversation;
    /// further ones wait at the server. 1 to 1,000,000.
    pub queue: u32,
    /// How long a handler may hold its thread until the log names it; 1 ms to 1 hour.
    pub block_warning: Duration,
}

impl Default for HostConfig {
    /// As when nothing is written.
    fn default() -> Self {
        Self {
            threads: defaults::HOST_THREADS,
            handler_timeout: defaults::HOST_HANDLER_TIMEOUT,
            queue: defaults::HOST_QUEUE,
            block_warning: defaults::HOST_BLOCK_WARNING,
        }
    }
}

/// `[io]`: how connections are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IoConfig {
    /// Threads that carry connections; 1 to 256.
    pub arbiters: u32,
    /// Silence after which such a thread is given up and its accounts are moved; 1 s to 10 minutes.
    pub hang_after: Duration,
}

impl Default for IoConfig {
    /// As when nothing is written.
    fn default() -> Self {
        Self {
            arbiters: defaults::IO_ARBITERS,
            hang_after: defaults::IO_HANG_AFTER,
        }
    }
}

/// `[shutdown]`: how the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownConfig {
    /// How long handlers may take to finish and accounts to log out; 0 to 10 minutes.
    pub grace: Duration,
}

/// `[store]`: what is kept over restarts, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreConfig {
    /// The file; `:memory:` keeps nothing. A relative path starts where the config file is.
    pub path: PathBuf,
    /// How long it is kept that a message was handled, once the server knows it as read; 1 minute to 365 days.
    pub read: Duration,
    /// How long it is kept otherwise; 1 hour to 365 days.
    pub handled: Duration,
    /// How long the keys of sent messages and recorded results are kept; 1 hour to 365 days.
    pub keys: Duration,
    /// How long messages are kept that could not be sent; 1 hour to 365 days.
    pub dead_letters: Duration,
    /// How long it is kept what people have ordered; 1 to 3,650 days, `None` for ever.
    pub keep_audit: Option<Duration>,
    /// The most bytes that the values of one bot may take; 1 KiB to 1 TiB.
    pub quota: u64,
    /// The most bytes that wait in the store for room with the bots of one account, of what the server does not keep; up
    /// to 1 TiB, and 0 lets nothing wait there.
    pub spill: u64,
    /// How long writing waits for more to write, under load; 0 to 1 second.
    pub delay: Duration,
}
