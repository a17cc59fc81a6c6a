//! The valid config: types that cannot hold a wrong value. How they are read is not here.

use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc, time::Duration};

use secrecy::SecretString;

use super::layers::Contributions;
use crate::proto::{
    endpoint::Site,
    id::{SdkAppId, UserId},
};

/// Everything one process is to run, checked.
///
/// `Debug` shows neither secrets nor the settings of bots.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where to connect.
    pub endpoint: Endpoint,
    /// The app all accounts belong to.
    pub app: App,
    /// Every account with its patterns expanded, in the order written; at least one, no UserID
    /// twice. Those with `enabled = false` are among them.
    pub accounts: Vec<AccountConfig>,
    /// The settings of each bot that has a `[bots.<name>]`.
    pub bots: BTreeMap<String, BotSettings>,
    /// The embedded server, used when [`Self::endpoint`] is [`Endpoint::Sandbox`].
    pub sandbox: SandboxConfig,
    /// How fast the whole fleet logs in.
    pub governor: GovernorConfig,
    /// How bots are run.
    pub host: HostConfig,
    /// How connections are run.
    pub io: IoConfig,
    /// How the process ends.
    pub shutdown: ShutdownConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Which layer set how much.
    pub(super) contributions: Contributions,
    /// The name of the file, as given.
    pub(super) file: Arc<str>,
}

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// `[app]`: the Tencent Cloud Chat application.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct App {
    /// Its number.
    pub sdk_app_id: SdkAppId,
    /// Its SecretKey, from which UserSigs are minted. `None` only if every enabled account
    /// brings a UserSig of its own.
    pub secret_key: Option<SecretString>,
}

/// One account after expansion. What many accounts have in common is shared, not copied.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccountConfig {
    /// Its UserID.
    pub user_id: UserId,
    /// The bots that run on it, each once and registered; possibly none.
    pub bots: Arc<[Arc<str>]>,
    /// A ready-made UserSig instead of one minted from the SecretKey.
    pub user_sig: Option<SecretString>,
    /// Whether it is started with the others.
    pub enabled: bool,
    /// How it behaves.
    pub policy: Arc<AccountPolicy>,
}

/// How an account behaves: `[defaults]`, with what its `[[accounts]]` entry overrides.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountPolicy {
    /// How long a minted UserSig holds; 1 minute to 365 days, whole seconds.
    pub user_sig_lifetime: Duration,
    /// The wait between attempts to connect.
    pub backoff: BackoffConfig,
    /// The least time between two logins; 0 to 1 hour.
    pub login_spacing: Duration,
    /// How long a message may take until its sender is told that it failed; 100 ms to 10 minutes.
    pub send_timeout: Duration,
}

/// The wait between attempts to connect: it grows from `min` to `max`, and `min <= max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackoffConfig {
    /// The first wait; 1 ms to 1 hour.
    pub min: Duration,
    /// The longest wait; 1 ms to 1 hour.
    pub max: Duration,
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

/// `[sandbox]`: the embedded server.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// `[host]`: how bots are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostConfig {
    /// Threads that run handlers; 1 to 256.
    pub threads: u32,
    /// How long a handler may take until it is given up; 10 ms to 24 hours.
    pub handler_timeout: Duration,
    /// Messages that may wait per account; 1 to 1,000,000.
    pub queue: u32,
    /// How long a handler may hold its thread until the log names it; 1 ms to 1 hour.
    pub block_warning: Duration,
}

/// `[io]`: how connections are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IoConfig {
    /// Threads that carry connections; 1 to 256.
    pub arbiters: u32,
}

/// `[shutdown]`: how the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownConfig {
    /// How long handlers may take to finish and accounts to log out; 0 to 10 minutes.
    pub grace: Duration,
}

/// `[log]`: what is logged, and how. The command line can say otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogConfig {
    /// The least important thing that is logged.
    pub level: LogLevel,
    /// What a line looks like.
    pub format: LogFormat,
}

/// The least important thing that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What needs someone.
    Error,
    /// What may need someone.
    Warn,
    /// Start, stop, and every change of an account.
    #[default]
    Info,
    /// What was decided, and why.
    Debug,
    /// Every packet.
    Trace,
}

impl LogLevel {
    /// Every level with its name, as it is written.
    pub(super) const NAMES: [(&'static str, Self); 5] = [
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];

    /// The name, as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// What a log line looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// One JSON object per line, for collectors.
    Json,
}

impl LogFormat {
    /// Every format with its name, as it is written.
    pub(super) const NAMES: [(&'static str, Self); 2] =
        [("pretty", Self::Pretty), ("json", Self::Json)];
}
