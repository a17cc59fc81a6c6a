//! The arguments of `botroupe alerts`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{ConfigArgs, DEFAULT_CONFIG};

/// `botroupe alerts`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AlertsCommand {
    /// Tells the receivers of [[alerts]] a test alert, and says what came of it.
    #[command(after_help = "\
Examples:
  botroupe alerts test              every receiver
  botroupe alerts test ops          the one with name = \"ops\"")]
    Test(AlertsTestArgs),

    /// Shows what fires in a running process, since when, and what of it is kept quiet.
    List(AlertsListArgs),

    /// Keeps alerts of a running process quiet for a while.
    #[command(after_help = "\
Examples:
  botroupe alerts silence contested --account 'shop-*' --for 2h --reason \"move of the shop\"
  botroupe alerts silence --for 30m                      everything

What still fires after that is told then. A silence is forgotten with the process.")]
    Silence(SilenceArgs),

    /// Ends a silence, by its number in `botroupe alerts list`.
    Unsilence(UnsilenceArgs),
}

/// `botroupe alerts list`.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct AlertsListArgs {
    /// Everything as one JSON object.
    #[arg(long)]
    pub(in crate::cli) json: bool,

    /// The config file of the running process.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub(in crate::cli) config: PathBuf,
}

/// `botroupe alerts silence`.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct SilenceArgs {
    /// Alerts of this rule; every one, if nothing is said.
    #[arg(value_name = "RULE")]
    pub(in crate::cli) rule: Option<String>,

    /// Of this account, or of those that begin like this, with a *; everything, if nothing is said.
    #[arg(long, value_name = "ACCOUNT")]
    pub(in crate::cli) account: Option<String>,

    /// For how long, a minute to 30 days.
    #[arg(long = "for", value_name = "TIME")]
    pub(in crate::cli) long: String,

    /// Why, for others who look.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(in crate::cli) reason: String,

    /// The config file of the running process.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub(in crate::cli) config: PathBuf,
}

/// `botroupe alerts unsilence`.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct UnsilenceArgs {
    /// The number of the silence.
    #[arg(value_name = "NUMBER")]
    pub(in crate::cli) number: u64,

    /// The config file of the running process.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub(in crate::cli) config: PathBuf,
}

/// `botroupe alerts test`.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct AlertsTestArgs {
    /// The name of one receiver; that of its kind if it has none of its own.
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: Option<String>,

    /// Which config.
    #[command(flatten)]
    pub(in crate::cli) config: ConfigArgs,
}
