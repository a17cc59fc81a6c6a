//! Why a config could not be started.

use super::RecordError;
use super::sandbox::{self, SandboxError};
use crate::account::AccountName;
#[cfg(doc)]
use crate::bot::Bot;
use crate::bot::{BotMistake, SettingsError};
use crate::gateway::NetError;
use crate::store::{OpenError, StoreError};

/// Why a config could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The embedded server did not start.
    #[error("{0} (key {key})", key = sandbox::key(.0))]
    Sandbox(#[from] SandboxError),
    /// The config asks for the embedded server, which this build does not contain.
    #[error(
        "endpoint = \"sandbox\" needs the embedded server; build botroupe with the feature `sandbox`"
    )]
    NoSandbox,
    /// The config asks for traces, which this build does not contain.
    #[error("[traces] needs a build of botroupe with the feature `otlp`")]
    NoTraces,
    /// A bot refused its settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A bot cannot be made: its `bot()` panics or does not return.
    #[error("bot {bot} could not be made: {reason}")]
    Bot {
        /// The bot.
        bot: String,
        /// Why not.
        reason: String,
    },
    /// A bot is registered under another name than its own.
    #[error(
        "bot {registered:?} calls itself {own:?}; write Bot::new({registered:?}), or register it as {own:?}"
    )]
    BotName {
        /// The name it is registered under.
        registered: String,
        /// The name given to [`Bot::new`].
        own: &'static str,
    },
    /// The handlers of a bot do not fit each other, or ask for what the bot does not have.
    #[error("bot {bot} is put together wrongly: {}", Lines(.mistakes))]
    BotMistakes {
        /// The bot.
        bot: String,
        /// What is wrong.
        mistakes: Vec<BotMistake>,
    },
    /// The network settings of the config cannot be used.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The store cannot be read at the start.
    #[error("the store cannot be read: {0}")]
    StoreRead(#[from] StoreError),
    /// An account wants a bot that is not in the list.
    #[error("no bot is called {0:?}")]
    UnknownBot(String),
    /// The recording cannot be begun.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The system gave no threads.
    #[error("cannot start threads: {0}")]
    Threads(#[from] std::io::Error),
    /// The SecretKey cannot be fetched from where the config says that it is.
    #[error("no SecretKey from {from}: {reason}")]
    SecretKey {
        /// Where it should have come from.
        from: String,
        /// Why it did not.
        reason: String,
    },
    /// An account has no UserSig, no source of UserSigs, and there is no SecretKey to make one from.
    #[error(
        "account {0} has neither a user_sig or a source of one nor an app.secret_key to make one from"
    )]
    NoCredential(AccountName),
}

impl AppError {
    /// The key of the config that causes the error, where a single one does.
    #[must_use]
    pub const fn key(&self) -> Option<&'static str> {
        match self {
            Self::Sandbox(error) => Some(sandbox::key(error)),
            Self::NoSandbox => Some("endpoint"),
            Self::NoTraces => Some("traces.endpoint"),
            Self::Net(NetError::Ca { .. }) => Some("tls.ca_file"),
            Self::Net(NetError::Proxy(_)) => Some("proxy.url"),
            Self::Store(_) | Self::StoreRead(_) => Some("store.path"),
            _ => None,
        }
    }

    /// Whether the config has to change; otherwise the machine is in the way.
    #[must_use]
    pub const fn is_mistake(&self) -> bool {
        match self {
            Self::Sandbox(error) => sandbox::is_mistake(error),
            Self::Threads(_)
            | Self::Store(_)
            | Self::StoreRead(_)
            | Self::Record(_)
            | Self::SecretKey { .. } => false,
            _ => true,
        }
    }
}

/// Mistakes, one after the other.
struct Lines<'a>(&'a [BotMistake]);

impl std::fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, mistake) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{mistake}")?;
        }
        Ok(())
    }
}
