//! The arguments of `botroupe dialogues`.

use super::DEFAULT_CONFIG;
use clap::{Args as ClapArgs, Subcommand};
use std::path::PathBuf;

/// `botroupe dialogues`.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum DialoguesCommand {
    /// Lists the dialogues of a running process that wait for an answer, those first whose time is over first.
    List(DialoguesListArgs),

    /// Ends a dialogue. Nobody is told, and what its person says next is no answer.
    Drop {
        /// What it is known by in the list.
        #[arg(value_name = "ID")]
        id: String,

        /// The config file of the running process.
        #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
        config: PathBuf,
    },
}

/// `botroupe dialogues list`.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct DialoguesListArgs {
    /// Only those of this account.
    #[arg(long, value_name = "ACCOUNT")]
    pub(in crate::cli) account: Option<String>,

    /// Only those of this bot.
    #[arg(long, value_name = "BOT")]
    pub(in crate::cli) bot: Option<String>,

    /// Each as a JSON object, on a line of its own.
    #[arg(long)]
    pub(in crate::cli) json: bool,

    /// The config file of the running process.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub(in crate::cli) config: PathBuf,
}
