//! The store file, which keeps the sandbox's data over restarts: read at the start, written at
//! intervals and at the end.
//!
//! A new snapshot is written to a file beside the store, synced to disk, and renamed over the
//! store, so that a complete store exists at every moment. This runs on blocking threads. The state
//! is locked while it is serialized; the pause until the next snapshot grows with that time, so
//! that a large sandbox does not spend most of its time on snapshots.
//!
//! A lock file beside the store is locked while a sandbox runs, so that no other sandbox overwrites
//! the store. The store itself cannot be locked, because each snapshot replaces the file.

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

/// Why a store file is refused. The file is left unchanged.
#[derive(Debug, Error)]
pub struct StoreError {
    /// The path of the file.
    pub file: PathBuf,
    /// Why the file is refused.
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

/// Reads the file. Returns `None` if it does not exist.
pub(super) fn read(file: &Path) -> Result<Option<Vec<u8>>, SandboxError> {
    let read = || {
        // Reading a device or pipe might never end.
        if !fs::metadata(file)?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
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

/// Restores a state from the contents of the store.
pub(super) fn restore(
    shared: &Shared,
    file: &Path,
    text: &[u8],
    files: &BTreeMap<String, u64>,
) -> Result<Restored, StoreError> {
    let now = shared.now();
    let mut state = shared.lock();
    let restored = state.restore(now, text, files);
    shared.adjust_clock(&state);
    drop(state);
    restored.map_err(|why| StoreError {
        file: file.to_owned(),
        why,
    })
}

/// Logs what the sandbox starts with.
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
            tracing::info!(%file, "there is no store yet; the sandbox creates one")
        }
        (_, None) => {}
    }
    if let Some(seed) = seed {
        let file = seed.display();
        if restored.is_some() {
            tracing::info!(%file, "the seed is not used: the store exists");
        } else {
            tracing::info!(%file, "the sandbox starts with its seed");
        }
    }
}

/// The store file of a running sandbox.
#[derive(Debug)]
pub(super) struct Store {
    file: PathBuf,
    /// Holds the lock; `None` on systems without file locks.
    lock: Option<File>,
    every: Duration,
    /// Locked while a snapshot is written, so that there is only one at a time.
    progress: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    /// The store holds all changes up to this number.
    written: Option<u64>,
    /// The error of the last attempt, and the number of failures since the last success.
    failed: Option<(ErrorKind, u32)>,
    /// Duration of the last snapshot.
    took: Duration,
}

/// The pause after a snapshot is at least this many times its duration.
const REST: u32 = 20;
/// The longest pause after a failure.
const RETRY_WITHIN: Duration = Duration::from_secs(60);

impl Store {
    /// Opens the file for this sandbox only.
    pub(super) fn open(path: PathBuf, every: Duration) -> Result<Arc<Self>, SandboxError> {
        // Resolve a symbolic link, so that its target is replaced and not the link.
        let file = fs::canonicalize(&path).unwrap_or(path);
        let lock = beside(&file, ".lock");
        let mut options = OpenOptions::new();
        let opened = options.create(true).truncate(false).write(true).open(lock);
        // If the lock file cannot be created, neither can the store; that error is reported.
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

    /// Releases the lock for another sandbox.
    pub(super) fn release(&self) {
        if let Some(lock) = &self.lock {
            // The end of the process releases the lock as well.
            let _ = lock.unlock();
        }
    }

    /// Keeps the file up to date, forever.
    pub(super) async fn keep_up(self: &Arc<Self>, shared: &Arc<Shared>) {
        loop {
            self.save(shared).await;
            tokio::time::sleep(self.pause()).await;
        }
    }

    /// Writes the changes since the last snapshot. Returns false on failure, which is logged.
    pub(super) async fn save(self: &Arc<Self>, shared: &Arc<Shared>) -> bool {
        let (store, shared) = (Arc::clone(self), Arc::clone(shared));
        let saving = tokio::task::spawn_blocking(move || store.save_now(&shared));
        saving.await.unwrap_or_else(|error| {
            tracing::error!(%error, "saving the sandbox was interrupted");
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
                    tracing::info!(%file, "the store of the sandbox can be written again");
                }
                true
            }
            Err(error) => {
                let (before, failures) = progress.failed.unzip();
                if before != Some(error.kind()) {
                    let remedy = remedy(error.kind());
                    tracing::error!(
                        %file, %error,
                        "the store of the sandbox cannot be written; {remedy}. The last \
                         snapshot is kept, and the sandbox tries again"
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
        _ => "make sure that a file can be created beside it",
    }
}

/// The path of a file with `more` appended to its name.
fn beside(file: &Path, more: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(more);
    file.with_file_name(name)
}

/// Replaces the content of a file atomically.
fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let beside = beside(file, ".new");
    // A killed process may have left the file. Create it anew, so that a symbolic link is not
    // followed.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = write(&beside, text).and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        // A partial file would waste disk space.
        let _ = fs::remove_file(&beside);
        return written;
    }
    // Makes the rename durable, on systems where folders can be opened.
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
        // The store contains private messages.
        options.mode(0o600);
    }
    let mut file = options.open(file)?;
    file.write_all(text)?;
    file.sync_all()
}
