//! The failures of commands and their exit codes.

use std::{error::Error, fmt, io, path::PathBuf};

use thiserror::Error;

use crate::config::ConfigErrors;
use crate::store::OpenError;

/// Wrong usage or wrong config: `EX_USAGE` of sysexits.
pub(super) const USAGE: u8 = 64;
/// A bug: `EX_SOFTWARE` of sysexits.
pub(super) const INTERNAL: u8 = 70;
/// Another copy runs this config: `EX_TEMPFAIL` of sysexits.
pub(super) const ALREADY_RUNNING: u8 = 75;
/// Ended by a second Ctrl-C: 128 and the number of SIGINT.
pub(super) const INTERRUPTED: u8 = 130;

/// Why a command failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(super) enum Failure {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// The config is wrong.
    #[error("{0}\n{found} found; nothing was started", found = count(.0))]
    Config(#[from] ConfigErrors),
    /// The config file cannot be read.
    #[error("{}: {source}{}", path.display(), config_hint(source))]
    ConfigFile {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Standard output cannot be written. A closed pipe is no failure.
    #[error("standard output: {0}")]
    Output(#[source] io::Error),
    /// The store of a sandbox could not be written at the end; why is in the log.
    #[error("the store of the sandbox does not hold the last changes")]
    NotSaved,
    /// `status --check` has found something.
    #[error("{0}")]
    Unwell(String),
    /// Another process runs the same config.
    #[error(
        "{}: already running{}; two copies would take the accounts from each other. Stop the other one first, \
         or go on with --force", config.display(), AsProcess(*.pid)
    )]
    AlreadyRunning {
        /// The config.
        config: PathBuf,
        /// The number of the process, where that is known.
        pid: Option<u32>,
    },
    /// Another process has the store.
    #[error("{0}; stop it first")]
    StoreInUse(#[source] OpenError),
    /// Something failed at run time.
    #[error("{0}")]
    Runtime(Box<dyn Error + Send + Sync>),
    /// A bug.
    #[error("internal error: {0}")]
    Internal(String),
    /// A second Ctrl-C.
    #[error("ended before everything was finished")]
    Interrupted,
}

impl Failure {
    /// The exit code of the process; `None` if it counts as success.
    pub(super) fn code(&self) -> Option<u8> {
        match self {
            Self::Usage(_) | Self::Config(_) | Self::ConfigFile { .. } => Some(USAGE),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Self::Output(_) | Self::NotSaved | Self::Unwell(_) | Self::Runtime(_) => Some(1),
            Self::AlreadyRunning { .. } | Self::StoreInUse(_) => Some(ALREADY_RUNNING),
            Self::Internal(_) => Some(INTERNAL),
            Self::Interrupted => Some(INTERRUPTED),
        }
    }
}

/// ` as process 7`, or nothing.
struct AsProcess(Option<u32>);

impl fmt::Display for AsProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |pid| write!(f, " as process {pid}"))
    }
}

/// Fails if the store of a sandbox was not written at the end.
pub(super) fn saved(is_saved: bool) -> Result<(), Failure> {
    if is_saved {
        Ok(())
    } else {
        Err(Failure::NotSaved)
    }
}

fn count(errors: &ConfigErrors) -> String {
    match errors.errors().len() {
        1 => "1 mistake".to_owned(),
        many => format!("{many} mistakes"),
    }
}

fn config_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "; name the config file with --config FILE, or run where it is",
        io::ErrorKind::IsADirectory => "; this is a folder: name the file in it",
        io::ErrorKind::PermissionDenied => "; let this user read it",
        _ => "",
    }
}
