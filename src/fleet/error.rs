//! Why a fleet does not run.

use crate::app::{AppError, ReloadError};
use crate::config::ConfigErrors;
use std::io;
use std::path::PathBuf;

/// Why a fleet did not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// The config file cannot be read.
    #[error("{}: {source}", path.display())]
    ConfigFile {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The config is wrong; every mistake is named.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// A part of the fleet cannot be started.
    #[error(transparent)]
    Start(#[from] AppError),
    /// The admin API cannot be served where the config says.
    #[error("{0}")]
    Admin(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The config was not put in the place of the running one.
    #[error(transparent)]
    Reload(#[from] ReloadError),
    /// The fleet has no such account.
    #[error("there is no account {0}")]
    NoAccount(String),
    /// The system gives no thread, or no signals.
    #[error("cannot start a fleet: {0}")]
    System(#[from] io::Error),
    /// The supervisor of the accounts, or the thread that carries it, died. Nobody brings accounts back.
    #[error("the supervisor of the accounts died; restart the program")]
    Ended,
    /// A second Ctrl-C came before everything was finished.
    #[error("ended before everything was finished")]
    Interrupted,
}
