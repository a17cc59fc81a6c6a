//! The arguments of `botroupe console` and `botroupe token`.

use super::DEFAULT_CONFIG;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `botroupe console`.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct ConsoleArgs {
    /// Opens it in the browser too.
    #[arg(long)]
    pub(in crate::cli) open: bool,

    /// The config file of the running process.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub(in crate::cli) config: PathBuf,
}

/// `botroupe token`.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum TokenCommand {
    /// Makes a token, shows it this once, and prints its lines for the config.
    #[command(after_help = "\
Examples:
  botroupe token new prometheus
  botroupe token new night-shift --scope read --scope operate --account 'shop-*'")]
    New(NewTokenArgs),
}

/// `botroupe token new`.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct NewTokenArgs {
    /// A name for logs.
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: String,

    /// What it allows; once for each.
    #[arg(long = "scope", value_name = "SCOPE", default_value = "read")]
    pub(in crate::cli) scopes: Vec<ScopeArg>,

    /// The accounts it is for, * for any text; once for each. All, if nothing is said.
    #[arg(long = "account", value_name = "PATTERN")]
    pub(in crate::cli) accounts: Vec<String>,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ScopeArg {
    /// To see how the fleet stands.
    Read,
    /// To give orders to accounts, their bots and letters.
    Operate,
    /// To send messages as an account.
    Send,
    /// Everything.
    Admin,
}
