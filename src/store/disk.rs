//! A store on disk: one thread writes, a few read.

use super::audit::Deed;
use super::backend::{Backend, Batch, Failure};
use super::clock::{now, unix_now};
use super::condition::{Cause, Condition};
use super::error::{OpenError, StoreError};
use super::lock::Lock;
use super::pending;
use super::readers::Readers;
use super::sqlite::{self, Sqlite};
use super::writer::{Clocks, Order, Shared, Writing};
use super::{Done, StoreConfig, Usage};
use crate::proto::id::{SdkAppId, UserId};
use botroupe_core::ledger::{
    AccountNo, Cell, CellKey, Change, Letter, Record, Recovered, SpillLine, Spilled,
};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long closing waits for what is not written.
const CLOSING: Duration = Duration::from_secs(5);
/// And for a thread that hangs in the system.
const HANGING: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Disk {
    path: PathBuf,
    backend: Arc<dyn Backend>,
    shared: Arc<Shared>,
    readers: Readers,
    numbers: AtomicU64,
    /// Receives when the thread that writes has ended.
    ended: Mutex<Option<mpsc::Receiver<()>>>,
}

impl std::fmt::Debug for dyn Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Backend")
    }
}

impl Disk {
    pub(super) fn open(path: &Path, config: StoreConfig) -> Result<Self, OpenError> {
        let lock = Lock::take(path)?;
        let backend = Arc::new(Sqlite::open(path)?);
        Self::start(path, config, backend, Some(lock), Clocks::default())
    }

    pub(super) fn start(
        path: &Path,
        config: StoreConfig,
        backend: Arc<dyn Backend>,
        lock: Option<Lock>,
        clocks: Clocks,
    ) -> Result<Self, OpenError> {
        let failed = |failure| OpenError::from_failure(path, failure);
        let no_thread = |error: std::io::Error| {
            let failure = Failure::new(Cause::Other, format!("no thread: {error}"));
            OpenError::from_failure(path, failure)
        };
        let writer = backend.writer(false).map_err(failed)?;
        let last = writer.figures().last;
        let shared = Arc::new(Shared::new(&*writer));
        let writing = Writing::new(
            Arc::clone(&shared),
            Arc::clone(&backend),
            writer,
            &config,
            clocks,
        );
        let readers = Readers::start(&backend).map_err(no_thread)?;
        let (end, ended) = mpsc::channel();
        thread::Builder::new()
            .name("store-write".to_owned())
            .spawn(move || {
                writing.run();
                drop(lock); // Not before the file is closed.
                drop(end);
            })
            .map_err(no_thread)?;
        Ok(Self {
            path: path.to_owned(),
            backend,
            shared,
            readers,
            numbers: AtomicU64::new(last),
            ended: Mutex::new(Some(ended)),
        })
    }

    pub(super) fn accounts(
        &self,
        app: SdkAppId,
        users: &[UserId],
    ) -> Result<Vec<AccountNo>, StoreError> {
        let (reply, replied) = mpsc::sync_channel(1);
        let users = users.to_vec();
        self.shared.order(Order::Accounts { app, users, reply });
        Ok(replied.recv().map_err(|_| StoreError::Closed)??)
    }

    pub(super) async fn audit(&self, deed: Deed) -> Result<(), StoreError> {
        let (reply, replied) = oneshot::channel();
        self.shared.order(Order::Audit { deed, reply });
        Ok(replied.await.map_err(|_| StoreError::Closed)??)
    }

    /// Reads the audit with a connection of its own: nobody who waits for a value waits for that.
    pub(super) async fn read_audit<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn super::backend::Reader) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let backend = self.backend.clone();
        let read = tokio::task::spawn_blocking(move || read(&mut *backend.reader()?));
        Ok(read.await.map_err(|_| StoreError::Closed)??)
    }

    pub(super) fn recover(&self) -> Result<BTreeMap<AccountNo, Recovered>, StoreError> {
        let found = self
            .backend
            .reader()
            .and_then(|mut reader| reader.recover());
        let found = found.map_err(StoreError::from);
        self.shared.note_read(&found);
        found
    }

    pub(super) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn submit(&self, changes: Vec<Change>, done: Option<Done>) {
        self.shared.submit(Batch { changes, done });
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn super::backend::Reader) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let found = self.readers.ask(question).await;
        self.shared.note_read(&found);
        found
    }

    pub(super) async fn letter_of(
        &self,
        account: AccountNo,
        effect: u64,
    ) -> Result<Option<Letter>, StoreError> {
        let is_it = |letter: &Letter| (letter.account, letter.effect) == (account, Some(effect));
        let waiting = self
            .shared
            .waiting(|batches, found| pending::about_letters(batches, is_it, found));
        let disk = self
            .ask(move |reader| reader.letter_of(account, effect))
            .await?;
        Ok(pending::replay_letter(disk, waiting, true))
    }

    pub(super) async fn letter(&self, number: u64) -> Result<Option<Letter>, StoreError> {
        let is_it = |letter: &Letter| letter.number == number;
        let waiting = self
            .shared
            .waiting(|batches, found| pending::about_letters(batches, is_it, found));
        let disk = self.ask(move |reader| reader.letter(number)).await?;
        Ok(pending::replay_letter(disk, waiting, false))
    }

    pub(super) async fn record_of(
        &self,
        account: AccountNo,
        effect: u64,
    ) -> Result<Option<Record>, StoreError> {
        let waiting = self
            .shared
            .waiting(|batches, found| pending::about_record(batches, account, effect, found));
        let disk = self
            .ask(move |reader| reader.record_of(account, effect))
            .await?;
        Ok(pending::replay_record(disk, waiting))
    }

    pub(super) async fn spilled(
        &self,
        account: AccountNo,
        line: SpillLine,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Spilled>, StoreError> {
        let waiting = self.shared.waiting(|batches, found| {
            pending::about_spilled(batches, account, &line, after, found);
        });
        // Some of those on disk may have gone in what waits: the places behind them are looked at as well.
        let gone = waiting
            .iter()
            .filter(|change| matches!(change, Change::Unspilled { .. }));
        let wanted = limit + gone.count();
        let disk = self
            .ask(move |reader| reader.spilled(account, &line, after, wanted))
            .await?;
        Ok(pending::replay_spilled(disk, waiting, limit))
    }

    pub(super) async fn cell(&self, key: CellKey) -> Result<Option<Cell>, StoreError> {
        if let Some(waiting) = self.shared.cell(&key) {
            return Ok(waiting);
        }
        self.ask(move |reader| reader.cell(&key)).await
    }

    pub(super) async fn dead_letters(&self) -> Result<Vec<Letter>, StoreError> {
        self.ask(|reader| reader.letters(false)).await
    }

    pub(super) async fn letters(&self) -> Result<Vec<Letter>, StoreError> {
        self.ask(|reader| reader.letters(true)).await
    }

    pub(super) fn usage(&self, bot: &str) -> Usage {
        self.shared.usage(bot)
    }

    pub(super) fn condition(&self) -> Condition {
        let mut condition = self.shared.condition();
        condition.path = Some(self.path.clone());
        condition.sizes = self.backend.sizes();
        condition
    }

    pub(super) async fn back_up(&self, to: PathBuf) -> Result<u64, StoreError> {
        let (answer, answered) = oneshot::channel();
        let backend = Arc::clone(&self.backend);
        // On a thread of its own: it takes as long as the disk needs, and nobody has to wait for it.
        thread::Builder::new()
            .name("store-backup".to_owned())
            .spawn(move || {
                let copied = backend
                    .reader()
                    .map_err(StoreError::from)
                    .and_then(|mut reader| back_up(&mut *reader, &to));
                let _ = answer.send(copied);
            })
            .map_err(|error| file_error(&self.path, &error))?;
        let size = answered.await.map_err(|_| StoreError::Closed)??;
        self.shared.order(Order::BackedUp(unix_now()));
        Ok(size)
    }

    pub(super) fn prune(&self) -> Result<(), StoreError> {
        let (reply, replied) = mpsc::sync_channel(1);
        self.shared.order(Order::Prune { reply });
        Ok(replied.recv().map_err(|_| StoreError::Closed)??)
    }

    pub(super) fn close(&self) {
        self.readers.close(HANGING);
        self.shared.close(now() + CLOSING);
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ended) = ended.take()
            && ended.recv_timeout(CLOSING + HANGING) == Err(mpsc::RecvTimeoutError::Timeout)
        {
            tracing::warn!(path = %self.path.display(), "the store does not close: its disk does not answer");
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.close();
    }
}

fn file_error(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Failed {
        cause: match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Cause::Full,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Cause::ReadOnly
            }
            _ => Cause::Other,
        },
        text: format!("{}: {error}", path.display()),
    }
}

/// Writes a copy to a new file. It appears under its name when it is whole and on disk.
pub(super) fn back_up(
    reader: &mut dyn super::backend::Reader,
    to: &Path,
) -> Result<u64, StoreError> {
    let failed = |error: std::io::Error| file_error(to, &error);
    if to.exists() {
        return Err(StoreError::Failed {
            cause: Cause::Other,
            text: format!("{}: the file exists", to.display()),
        });
    }
    let mut part = to.to_owned().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let copy = || {
        match fs::remove_file(&part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(error));
            }
            _ => {}
        }
        sqlite::make_private(&part).map_err(failed)?;
        reader.back_up(&part)?;
        let file = File::options().write(true).open(&part).map_err(failed)?;
        // SQLite leaves this to whoever wants it.
        file.sync_all().map_err(failed)?;
        fs::rename(&part, to).map_err(failed)?;
        #[cfg(unix)]
        if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(failed)?;
        }
        Ok(file.metadata().map_err(failed)?.len())
    };
    let mut copy = copy;
    let copied = copy();
    if copied.is_err() {
        let _ = fs::remove_file(&part);
    }
    copied
}
