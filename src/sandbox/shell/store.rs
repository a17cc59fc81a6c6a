//! The file that keeps what a sandbox holds over restarts: read at the start, written while it runs
//! and at its end.
//!
//! A new snapshot goes to a file beside it first, is forced to the disk and then put in its place,
//! so that there is a whole one at every moment. All of that runs on threads for blocking work. The
//! state is locked while it is turned into text; the pause until the next snapshot grows with the
//! time that took, so that a large sandbox does not spend its days with it.
//!
//! A second file beside it is locked while a sandbox runs, so that no other one writes over what this
//! one holds. The store itself cannot be: it is another file after every snapshot.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use thiserror::Error;

use super::{hub::Shared, server::SandboxError};
use crate::{snapshot::Restored, snapshot::SnapshotError};

/// Why a file that keeps a sandbox is refused. It is left as it is.
#[derive(Debug, Error)]
pub struct StoreError {
    /// Its path.
    pub file: PathBuf,
    /// What is wrong with it.
    #[source]
    pub why: SnapshotError,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match &self.why {
            SnapshotError::Json(error) => {
                let (line, column) = (error.line(), error.column());
                let what = error.to_string();
                let place = format!(" at line {line} column {column}");
                let what = what.strip_suffix(&place).unwrap_or(&what);
                write!(
                    f,
                    "{file}:{line}:{column}: no store of a sandbox: {what}; mend it, or name \
                     another file to start anew"
                )
            }
            why => write!(f, "{file}: {why}, or name another file"),
        }
    }
}

/// Reads the file. `None` if there is none yet.
pub(super) fn read(file: &Path) -> Result<Option<Vec<u8>>, SandboxError> {
    let read = || {
        // A device or pipe would be read for ever.
        if !fs::metadata(file)?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        fs::read(file)
    };
    match read() {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SandboxError::StoreFile {
            path: file.to_owned(),
            source,
        }),
    }
}

/// Puts what was read into a state.
pub(super) fn restore(
    shared: &Shared,
    file: &Path,
    text: &[u8],
    files: &BTreeMap<String, u64>,
) -> Result<Restored, StoreError> {
    let now = shared.now();
    let restored = shared.lock().restore(now, text, files);
    restored.map_err(|why| StoreError {
        file: file.to_owned(),
        why,
    })
}

/// Says what a sandbox starts with.
pub(super) fn log_start(restored: Option<Restored>, store: Option<&Path>, seed: Option<&Path>) {
    let store = store.map(Path::display);
    match (&restored, &store) {
        (Some(restored), Some(file)) => {
            tracing::info!(
                %file, accounts = restored.accounts, messages = restored.messages,
                groups = restored.groups, "the sandbox goes on from its store"
            );
            if restored.lost_files > 0 {
                tracing::warn!(
                    files = restored.lost_files,
                    "uploaded files are gone with the sandbox that held them; set media_dir to \
                     keep them"
                );
            }
        }
        (None, Some(file)) => {
            tracing::info!(%file, "there is no store yet, the sandbox begins one")
        }
        (_, None) => {}
    }
    if let Some(seed) = seed {
        let file = seed.display();
        if restored.is_some() {
            tracing::info!(%file, "the seed is not used: there is a store");
        } else {
            tracing::info!(%file, "the sandbox starts with its seed");
        }
    }
}

/// The file while the sandbox runs.
#[derive(Debug)]
pub(super) struct Store {
    file: PathBuf,
    /// Holds the lock; `None` where there are none.
    lock: Option<File>,
    every: Duration,
    /// Locked for as long as a snapshot takes, so that there is one at a time.
    progress: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    /// The change up to which everything is in the file.
    written: Option<u64>,
    /// What the last try failed with, and how many there were since one worked.
    failed: Option<(ErrorKind, u32)>,
    /// How long the last snapshot took.
    took: Duration,
}

/// A snapshot is followed by a pause of at least so many times as long as it took.
const REST: u32 = 20;
/// The longest pause after a failure.
const RETRY_WITHIN: Duration = Duration::from_secs(60);

impl Store {
    /// Takes the file for this sandbox alone.
    pub(super) fn open(path: PathBuf, every: Duration) -> Result<Arc<Self>, SandboxError> {
        // A link stays one: what it points to is replaced.
        let file = fs::canonicalize(&path).unwrap_or(path);
        let lock = beside(&file, ".lock");
        let mut options = OpenOptions::new();
        let opened = options.create(true).truncate(false).write(true).open(lock);
        // Where it cannot be made, the store cannot either, and that is told.
        let lock = match opened.map(|lock| lock.try_lock().map(|()| lock)) {
            Ok(Ok(lock)) => Some(lock),
            Ok(Err(TryLockError::WouldBlock)) => {
                return Err(SandboxError::StoreInUse { path: file });
            }
            Ok(Err(TryLockError::Error(_))) | Err(_) => None,
        };
        Ok(Arc::new(Self {
            file,
            lock,
            every,
            progress: Mutex::default(),
        }))
    }

    /// Lets another sandbox have the file.
    pub(super) fn release(&self) {
        if let Some(lock) = &self.lock {
            // Ending does it as well.
            let _ = lock.unlock();
        }
    }

    /// Keeps the file up to date, for ever.
    pub(super) async fn keep_up(self: &Arc<Self>, shared: &Arc<Shared>) {
        loop {
            self.save(shared).await;
            tokio::time::sleep(self.pause()).await;
        }
    }

    /// Writes what has changed since the last time. False if that failed, which is logged.
    pub(super) async fn save(self: &Arc<Self>, shared: &Arc<Shared>) -> bool {
        let (store, shared) = (Arc::clone(self), Arc::clone(shared));
        let saving = tokio::task::spawn_blocking(move || store.save_now(&shared));
        saving.await.unwrap_or_else(|error| {
            tracing::error!(%error, "saving the sandbox did not come to its end");
            false
        })
    }

    fn pause(&self) -> Duration {
        let progress = self.progress.lock();
        let progress = progress.unwrap_or_else(PoisonError::into_inner);
        let failures = progress.failed.map_or(0, |(_, failures)| failures);
        let longer = self.every.saturating_mul(1 << failures.min(16));
        let every = longer.min(RETRY_WITHIN).max(self.every);
        every.max(progress.took.saturating_mul(REST))
    }

    fn save_now(&self, shared: &Shared) -> bool {
        let progress = self.progress.lock();
        let mut progress = progress.unwrap_or_else(PoisonError::into_inner);
        let started = shared.now().mono;
        let (changes, snapshot) = {
            let state = shared.lock();
            if progress.written == Some(state.changes()) {
                return true;
            }
            (state.changes(), state.snapshot())
        };
        progress.took = shared.now().mono.saturating_sub(started);
        let written = snapshot
            .map_err(io::Error::from)
            .and_then(|text| replace(&self.file, &text));
        shared.lock().note_stored(written.is_ok());
        let file = self.file.display();
        match written {
            Ok(()) => {
                progress.written = Some(changes);
                if progress.failed.take().is_some() {
                    tracing::info!(%file, "the store of the sandbox is written again");
                }
                true
            }
            Err(error) => {
                let (before, failures) = progress.failed.unzip();
                if before != Some(error.kind()) {
                    let remedy = remedy(error.kind());
                    tracing::error!(
                        %file, %error,
                        "the store of the sandbox cannot be written; {remedy}. What was written \
                         last stays, and it is tried again"
                    );
                }
                let failures = failures.unwrap_or(0).saturating_add(1);
                progress.failed = Some((error.kind(), failures));
                false
            }
        }
    }
}

const fn remedy(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "make its folder",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "let this user write in its folder"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on the disk",
        _ => "see that a file can be made beside it",
    }
}

/// A file beside another one, of its name with more behind.
fn beside(file: &Path, more: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(more);
    file.with_file_name(name)
}

/// Puts a new content in the place of a file: all of it, or nothing.
fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let beside = beside(file, ".new");
    // Left by a process that was killed. Made anew, because a link there must not be followed.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = write(&beside, text).and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        // What there is of it would take room.
        let _ = fs::remove_file(&beside);
        return written;
    }
    // Makes the new name last, where folders can be opened for that.
    if let Some(folder) = file.parent()
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn write(file: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // What people say to each other is nobody else's business.
        options.mode(0o600);
    }
    let mut file = options.open(file)?;
    file.write_all(text)?;
    file.sync_all()
}
