//! The arguments of `botroupe alerts`.

use clap::{Args as ClapArgs, Subcommand};

use super::ConfigArgs;

/// `botroupe alerts`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AlertsCommand {
    /// Tells the receivers of [[alerts]] a test alert, and says what came of it.
    #[command(after_help = "\
Examples:
  botroupe alerts test              every receiver
  botroupe alerts test ops          the one with name = \"ops\"")]
    Test(AlertsTestArgs),
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
