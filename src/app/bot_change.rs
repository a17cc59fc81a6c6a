//! Changes of the bots of an account while it runs.

use super::hosts::Hosts;
use crate::account::AccountName;
use crate::bot::SettingField;
use crate::config::BotSettings;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What is to change.
#[derive(Debug)]
pub(crate) enum BotChange {
    /// These bots run, in this order.
    All(Vec<String>),
    /// One more runs, after the others.
    Enable(String),
    /// One runs no more.
    Disable(String),
    /// A bot has these settings over those of its section of the config.
    Configure(String, toml::Table),
    /// Some of the settings that a bot has on the account are others.
    #[cfg_attr(
        not(feature = "admin"),
        allow(dead_code, reason = "the admin API asks for it")
    )]
    Adjust(Adjustment),
}

/// Settings of a bot that are to be others; the rest stays.
#[derive(Clone, Debug)]
pub(crate) struct Adjustment {
    /// The bot.
    pub(crate) bot: String,
    /// Values, merged into what is there.
    pub(crate) set: toml::Table,
    /// Keys that are left out then, each with those that lead to it.
    pub(crate) unset: Vec<Vec<String>>,
    /// It is only looked whether the bot takes them.
    pub(crate) is_trial: bool,
}

impl Adjustment {
    /// The settings with this change.
    pub(super) fn over(self, settings: BotSettings) -> BotSettings {
        let mut table = settings.with(self.set).into_table();
        for path in &self.unset {
            remove(&mut table, path);
        }
        BotSettings::new(table)
    }
}

fn remove(table: &mut toml::Table, path: &[String]) {
    match path {
        [] => {}
        [key] => drop(table.remove(key)),
        [key, rest @ ..] => {
            if let Some(toml::Value::Table(inner)) = table.get_mut(key) {
                remove(inner, rest);
            }
        }
    }
}

/// The settings of a bot on an account.
#[derive(Clone, Debug)]
pub struct SettingsOf {
    /// What it takes, as far as it says.
    pub fields: Vec<SettingField>,
    /// What it has.
    pub settings: BotSettings,
    /// They are those of this account, and not of the bot's section of the config.
    pub is_own: bool,
}

/// Why the bots of an account stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BotChangeError {
    /// There is no account of that name that is enabled.
    #[error("there is no account {0}")]
    NoAccount(String),
    /// No bot of that name was given to the fleet.
    #[error("no bot is called {0:?}; there are: {1}")]
    UnknownBot(String, String),
    /// The bot is in the list twice.
    #[error("bot {0:?} is listed twice")]
    Repeated(String),
    /// The account does not run the bot.
    #[error("account {account} does not run the bot {bot:?}; enable it first")]
    NotRunning {
        /// The account.
        account: AccountName,
        /// The bot.
        bot: String,
    },
    /// The settings are no table of keys and values, or hold what TOML cannot.
    #[error("settings of bot {bot:?} have to be a table: {reason}")]
    NoTable {
        /// The bot.
        bot: String,
        /// What is wrong.
        reason: String,
    },
    /// The bot cannot be made: it refuses its settings, or its `bot()` panics or does not return.
    #[error("bot {bot:?} cannot be made: {reason}")]
    NotMade {
        /// The bot.
        bot: String,
        /// What is wrong.
        reason: String,
    },
    /// The fleet has ended.
    #[error("the fleet has ended")]
    Ended,
}

impl BotChange {
    /// What changes, for logs.
    #[cfg(feature = "admin")]
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::All(_) => "all",
            Self::Enable(_) => "enabled",
            Self::Disable(_) => "disabled",
            Self::Configure(..) | Self::Adjust(_) => "configured",
        }
    }

    /// Gives a bot settings of any serde type that is a table.
    ///
    /// # Errors
    /// [`BotChangeError::NoTable`].
    pub(crate) fn configure(bot: &str, settings: &impl Serialize) -> Result<Self, BotChangeError> {
        let table = toml::Table::try_from(settings);
        let table = table.map_err(|error| BotChangeError::NoTable {
            bot: bot.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self::Configure(bot.to_owned(), table))
    }
}

/// Carries out a change on a thread of the fleet: bots are made inside its runtime, wherever the caller is.
pub(super) async fn change(
    hosts: &Arc<Hosts>,
    on: &actix::prelude::ArbiterHandle,
    account: &str,
    change: BotChange,
) -> Result<(), BotChangeError> {
    let (tell, told) = oneshot::channel();
    let (hosts, account) = (hosts.clone(), account.to_owned());
    on.spawn(async move {
        // The caller may have gone.
        let _ = tell.send(hosts.change(&account, change).await);
    });
    told.await.unwrap_or(Err(BotChangeError::Ended))
}
