//! The arguments of the commands about the store: `store`, `audit`, `outbox`.

use super::DEFAULT_CONFIG;
use clap::{Args as ClapArgs, Subcommand};
use std::path::PathBuf;

/// Which store.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct StoreArgs {
    /// The config file whose store it is.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub(in crate::cli) config: PathBuf,

    /// The file of the store itself; no config is read.
    #[arg(long, value_name = "DB", conflicts_with = "config")]
    pub(in crate::cli) file: Option<PathBuf>,
}

/// `botroupe store …`.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum StoreCommand {
    /// Looks through the whole file: exit code 1 if something is wrong. A process may be using it.
    Check {
        #[command(flatten)]
        store: StoreArgs,

        /// The result as a JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Writes a copy to a new file. A process may be using the store.
    #[command(after_help = "\
Example:
  botroupe store backup /backup/botroupe-$(date +%F).db

To go back to a copy, stop the process and put the copy in the place of the store; remove the files beside
it that end in -wal and -shm.")]
    Backup {
        /// The new file.
        #[arg(value_name = "FILE")]
        to: PathBuf,

        #[command(flatten)]
        store: StoreArgs,
    },
    /// Prints everything in it, as one JSON object per line. A process may be using it.
    Export {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Removes what is older than [store] says, as a running process does by itself. None may be running.
    Prune {
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `botroupe audit …`.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum AuditCommand {
    /// Looks whether every entry is as it was written: exit code 1 if not. Prints the last hash, to be kept elsewhere.
    Verify {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Prints every entry, as one JSON object per line.
    Export {
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `botroupe outbox …`.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum OutboxCommand {
    /// Lists what is to be sent, what failed, and what may or may not have arrived.
    List {
        #[command(flatten)]
        store: StoreArgs,

        /// Everything as one JSON object, the messages themselves included.
        #[arg(long)]
        json: bool,
    },
    /// Sends a message after all: at once, or when the process runs again.
    Retry {
        /// Its number in the list.
        #[arg(value_name = "NUMBER")]
        number: u64,

        #[command(flatten)]
        store: StoreArgs,
    },
    /// Forgets a message.
    Drop {
        /// Its number in the list.
        #[arg(value_name = "NUMBER")]
        number: u64,

        #[command(flatten)]
        store: StoreArgs,
    },
}
