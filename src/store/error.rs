//! Why a store cannot be opened or asked.

use super::backend::Failure;
use super::condition::Cause;
use std::io;
use std::path::{Path, PathBuf};

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it.
    #[error("{}: the store is in use{}", path.display(), by(*pid))]
    InUse {
        /// The store.
        path: PathBuf,
        /// The other process, when it has left its number.
        pid: Option<u32>,
    },
    /// The lock that keeps others away cannot be made.
    #[error("{}: no lock for the store: {source}", path.display())]
    Lock {
        /// The file of the lock.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file cannot be made or opened.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is something else.
    #[error("{}: this is not a store of botroupe", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// A later version has written it.
    #[error("{}: the store has version {found}, this program knows up to {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version of this program.
        known: usize,
    },
    /// An earlier version has written it, and this was no request to change it.
    #[error("{}: the store has version {found}; `botroupe run` brings it to version {known}", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version of this program.
        known: usize,
    },
    /// It is damaged.
    #[error("{}: the store is damaged ({finding}); {}", path.display(), Cause::Corrupt.remedy())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        finding: String,
    },
    /// It cannot be read or written.
    #[error("{}: {cause} ({text}); {}", path.display(), cause.remedy())]
    Failed {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: Cause,
        /// The words of the database.
        text: String,
    },
}

impl OpenError {
    pub(super) fn from_failure(path: &Path, failure: Failure) -> Self {
        let path = path.to_owned();
        match failure.cause {
            Cause::Corrupt if failure.text.contains("not a database") => Self::NotAStore { path },
            Cause::Corrupt => Self::Corrupt {
                path,
                finding: failure.text,
            },
            cause => Self::Failed {
                path,
                cause,
                text: failure.text,
            },
        }
    }
}

fn by(pid: Option<u32>) -> String {
    pid.map_or_else(
        || " by another process".to_owned(),
        |pid| format!(" by process {pid}"),
    )
}

/// Why a store has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It is closed.
    #[error("the store is closed")]
    Closed,
    /// It keeps nothing on disk.
    #[error("the store is in memory only")]
    InMemory,
    /// It cannot be read or written.
    #[error("{cause} ({text}); {}", cause.remedy())]
    Failed {
        /// Why not.
        cause: Cause,
        /// The words of the database, or of the system.
        text: String,
    },
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        Self::Failed {
            cause: failure.cause,
            text: failure.text,
        }
    }
}
