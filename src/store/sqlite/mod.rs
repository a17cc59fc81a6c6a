//! A store in a file of SQLite.

mod convert;
mod read;
mod schema;
mod write;

use super::OpenError;
use super::backend::{Backend, Failure, Reader, Writer};
use super::clock::now;
use super::condition::{Cause, Sizes};
use read::Reading;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, ffi};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU32;
use std::time::Duration;
use write::Writing;

/// How long a connection waits for another program. A reader beside the writer does not wait.
const BUSY: Duration = Duration::from_secs(2);
/// Statements kept per connection.
const STATEMENTS: usize = 40;
/// Above this a file is not looked through when it is opened.
const CHECK_UP_TO: u64 = 256 << 20;

/// A file of SQLite.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
    /// For tests: the most pages of the file; 0 for as many as there is space.
    max_pages: AtomicU32,
}

impl Sqlite {
    /// Opens or makes the file, brings it to the present version and looks it through.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        make_private(path).map_err(|source| OpenError::File {
            path: path.to_owned(),
            source,
        })?;
        let failed = |failure: Failure| OpenError::from_failure(path, failure);
        let mut connection = connect_to_write(path).map_err(failed)?;
        schema::expect_ours(&connection, path)?;
        let length = fs::metadata(path).map_or(0, |about| about.len());
        if length > CHECK_UP_TO {
            tracing::info!(
                path = %path.display(), bytes = length,
                "the store is not looked through at the start; `botroupe store check` does it"
            );
        } else {
            let begun = now();
            let wrong = check(&connection, "quick_check").map_err(failed)?;
            if let Some(finding) = wrong.into_iter().next() {
                return Err(OpenError::Corrupt {
                    path: path.to_owned(),
                    finding,
                });
            }
            let took = begun.elapsed();
            if took > Duration::from_secs(1) {
                tracing::info!(path = %path.display(), bytes = length, ?took, "looked the store through");
            }
        }
        set_up(&connection).map_err(failed)?;
        schema::migrate(&mut connection, path)?;
        // Whether it can be written to at all.
        let probe = connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK");
        probe.map_err(|error| failed(error.into()))?;
        Ok(Self {
            path: path.to_owned(),
            max_pages: AtomicU32::new(0),
        })
    }

    /// Opens a file to read it, beside a process that may be using it.
    pub(super) fn read(path: &Path) -> Result<Box<dyn Reader>, OpenError> {
        let failed = |failure: Failure| OpenError::from_failure(path, failure);
        File::open(path).map_err(|source| OpenError::File {
            path: path.to_owned(),
            source,
        })?;
        // A log that nobody has open can be read only by somebody who may write; `read` finds out.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = connect(path, flags).map_err(failed)?;
        connection
            .pragma_update(None, "query_only", true)
            .map_err(|error| failed(error.into()))?;
        schema::expect_ours(&connection, path)?;
        schema::expect_present(&connection, path)?;
        Ok(Box::new(Reading::new(connection)))
    }

    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) {
        self.max_pages
            .store(pages, std::sync::atomic::Ordering::Relaxed);
    }
}

impl Backend for Sqlite {
    fn writer(&self, mend: bool) -> Result<Box<dyn Writer>, Failure> {
        let connection = connect_to_write(&self.path)?;
        set_up(&connection)?;
        if mend {
            // After a failed fsync the system may show pages that are not on disk, and says so only once. What is in
            // the log is written anew, to the file, and only that is believed.
            checkpoint(&connection)?;
        }
        Ok(Box::new(Writing::new(connection, &self.max_pages)?))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, Failure> {
        let connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Box::new(Reading::new(connection)))
    }

    fn sizes(&self) -> Sizes {
        let length = |path: &Path| fs::metadata(path).map_or(0, |about| about.len());
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        Sizes {
            file: length(&self.path),
            log: length(Path::new(&log)),
        }
    }
}

/// A connection that can write. SQLite opens a file that is protected all the same, to read it.
fn connect_to_write(path: &Path) -> Result<Connection, Failure> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if connection.is_readonly(MAIN_DB)? {
        return Err(Failure::new(Cause::ReadOnly, "permission denied"));
    }
    Ok(connection)
}

/// Makes an empty file that this user alone can read, if there is none. SQLite gives its other files the same mode.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Failure> {
    // A connection belongs to one thread at a time.
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// What a connection that writes needs.
fn set_up(connection: &Connection) -> Result<(), Failure> {
    // Counts only for a file that is empty yet.
    connection.pragma_update(None, "page_size", 4096)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        let text = format!("no write-ahead log here, only {mode}");
        return Err(Failure::new(Cause::ReadOnly, text));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "wal_autocheckpoint", 2_000)?;
    // A log that grew when nobody could checkpoint is cut back.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.pragma_update(None, "cache_size", -8_000)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// Moves the whole log into the file.
fn checkpoint(connection: &Connection) -> Result<(), Failure> {
    let blocked: i64 =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))?;
    if blocked == 0 {
        Ok(())
    } else {
        let text = "the log cannot be moved into the file";
        Err(Failure::new(Cause::Busy, text))
    }
}

fn check(connection: &Connection, how: &str) -> Result<Vec<String>, Failure> {
    let mut statement = connection.prepare(&format!("PRAGMA {how}"))?;
    let found: Vec<String> = statement
        .query_map((), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let cause = match &error {
            rusqlite::Error::SqliteFailure(code, _) => match code.code {
                ErrorCode::DiskFull => Cause::Full,
                ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Cause::ReadOnly,
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed => Cause::Busy,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Cause::Corrupt,
                ErrorCode::SystemIoFailure if code.extended_code == ffi::SQLITE_IOERR_CORRUPTFS => {
                    Cause::Corrupt
                }
                ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => Cause::Io,
                _ => Cause::Other,
            },
            // A value that is not of its type: somebody else has written here.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..) => Cause::Corrupt,
            _ => Cause::Other,
        };
        Self::new(cause, error.to_string())
    }
}
