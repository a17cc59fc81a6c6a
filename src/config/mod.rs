//! The config: text in, valid types or every mistake out.
//!
//! [`Config::parse`] lays three layers over each other (the TOML file, `BOTROUPE__SECTION__KEY`
//! environment variables, `--set key=value`), fills the rest with defaults, expands `${NAME}`
//! and account patterns, and checks everything. What comes out cannot be wrong; what is wrong is
//! reported in one go, each mistake with its line and column, its key, and what to do.
//!
//! Pure: the text of the file, the environment and the registered bot names are arguments.
//! Reading files and printing live in the room `cli`.

mod account_files;
mod account_source;
mod accounts;
mod admin;
mod alerts;
mod apps;
mod bot_settings;
pub(crate) mod defaults;
mod duration;
mod env;
mod error;
mod expand;
mod explain;
mod layers;
mod log;
mod looks;
mod model;
mod parse;
mod pattern;
mod place;
mod policy;
mod proxy;
mod read;
mod secret_source;
mod size;
mod sources;
mod suggest;
#[cfg(test)]
mod tests;
mod traces;

pub use crate::proto::endpoint::Site;
pub use account_files::AccountFile;
pub use account_source::AccountSource;
pub use admin::{AccountGlob, AdminConfig, AdminScope, AdminTlsConfig, AdminToken};
#[cfg(feature = "cli")]
pub(crate) use alerts::usual_limits;
pub use alerts::{AlertConfig, AlertTarget};
pub use apps::websocket_url;
pub use botroupe_core::account::{Policy, TakeBack};
pub use botroupe_core::policy::Backoff;
pub use duration::{DurationError, format_duration, parse_duration};
pub use env::Env;
pub use error::{ConfigError, ConfigErrors, Problem};
pub use expand::ExpandError;
pub use explain::Summary;
pub use layers::{ENV_PREFIX, env_name};
#[cfg(feature = "cli")]
pub(crate) use log::account_pattern_covers;
pub use log::{LogConfig, LogFileConfig, LogFormat, LogJournal, LogLevel};
pub use looks::not_utf8;
pub use model::{
    AccountConfig, App, BotSettings, Config, Endpoint, GovernorConfig, HostConfig, IoConfig,
    NetworkConfig, RecordConfig, SandboxConfig, SandboxDedupe, SandboxTlsConfig, SecretSource,
    ShutdownConfig, StoreConfig,
};
pub use parse::SettingsCheck;
pub use pattern::{MAX_ACCOUNTS, PatternError};
pub use place::Place;
pub use proxy::{AccountProxy, ProxyError, ProxyKind, ProxyUrl};
pub use sources::Sources;
pub(crate) use suggest::nearest;
pub use traces::TracesConfig;
