//! The arguments of `botroupe new`.

use clap::{Args as ClapArgs, Subcommand};
use std::path::PathBuf;

/// `botroupe new`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum NewCommand {
    /// Writes a bot with a command, settings and a test: bots/NAME.rs, and its line in bots/mod.rs.
    #[command(after_help = "\
Examples:
  botroupe new bot weather

Run it in the folder of the program. Everything else in bots/mod.rs stays as it is.")]
    Bot(NewBotArgs),

    /// Writes a program of your own that runs bots: a package that depends on botroupe.
    #[command(after_help = "\
Examples:
  botroupe new project my-bots
  botroupe new project my-bots --path ../botroupe
                                    depend on the source in that folder")]
    Project(NewProjectArgs),
}

/// `botroupe new bot`.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct NewBotArgs {
    /// The name of the bot, of its file and of its section of the config: small letters, digits and underscores.
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: String,
}

/// `botroupe new project`.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct NewProjectArgs {
    /// The folder to make; its name is that of the program.
    #[arg(value_name = "FOLDER")]
    pub(in crate::cli) folder: PathBuf,

    /// The folder with the source of botroupe, in the place of a published version.
    #[arg(long, value_name = "FOLDER")]
    pub(in crate::cli) path: Option<PathBuf>,
}
