//! Where accounts and bots keep what must not be lost when the process dies.
//!
//! A [`Store`] takes lists of [`Change`]s and hands them to one thread that writes many lists in one transaction:
//! at once when there is little to do, every few milliseconds under load. [`Sink::committed`] says when a list is on
//! disk. When writing fails it is tried again, in the same order, until it succeeds; [`Store::condition`] tells what
//! is wrong meanwhile. What is read back sees what is still waiting.
//!
//! Behind [`Backend`](backend::Backend) is a file of SQLite, in [`sqlite`]; a store in memory is made of
//! [`Tables`](botroupe_core::ledger::Tables).

mod audit;
mod backend;
mod clock;
mod condition;
mod disk;
mod error;
mod file;
mod lock;
mod memory;
mod pending;
mod readers;
mod sqlite;
mod writer;

pub use audit::{AuditAnchor, AuditBreak, AuditCheck, AuditEntry, AuditHash, Deed, LOOKED_AT};
pub use condition::{Cause, Condition, Sizes, Trouble};
pub use error::{OpenError, StoreError};
pub use file::StoreFile;
#[cfg(feature = "cli")]
pub(crate) use lock::{is_same, write_pid};

use crate::proto::id::{SdkAppId, UserId};
use botroupe_core::ledger::{
    AccountNo, Cell, CellKey, Change, Letter, Record, Recovered, SpillLine, Spilled,
};
use disk::Disk;
use memory::Memory;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How a store works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// How long it is kept that a message was handled once the server knows it as read.
    pub read: Duration,
    /// How long it is kept that a message was handled otherwise.
    pub handled: Duration,
    /// How long callers' keys and recorded results are kept once they are settled.
    pub keys: Duration,
    /// How long letters are kept that failed, or of which it is unknown whether they arrived.
    pub dead_letters: Duration,
    /// How long it is kept what people have ordered; `None` for ever.
    pub keep_audit: Option<Duration>,
    /// How long changes wait for others, under load.
    pub delay: Duration,
}

impl Default for StoreConfig {
    fn default() -> Self {
        const DAY: u64 = 24 * 3600;
        Self {
            read: Duration::from_secs(3600),
            handled: Duration::from_secs(7 * DAY),
            keys: Duration::from_secs(30 * DAY),
            dead_letters: Duration::from_secs(30 * DAY),
            keep_audit: None,
            delay: Duration::from_millis(5),
        }
    }
}

/// Is told that changes have taken effect. It is called on the thread that writes, so it must not block.
pub trait Sink: Send + Sync {
    /// The changes that were submitted with this number are on disk.
    fn committed(&self, batch: u64);
}

/// Whom to tell when a list of changes has taken effect.
#[derive(Clone)]
pub struct Done {
    /// The receiver.
    pub sink: Arc<dyn Sink>,
    /// The receiver's number for the list.
    pub batch: u64,
}

impl fmt::Debug for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Done").field(&self.batch).finish()
    }
}

/// What a bot uses of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many values it has.
    pub count: u64,
    /// The bytes of their names and of the values.
    pub bytes: u64,
}

/// A store. Copies are of the same one; it is closed with the last of them, or by [`Store::close`].
#[derive(Clone, Debug)]
pub struct Store(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Memory(Arc<Memory>),
    Disk(Arc<Disk>),
}

impl Store {
    /// A store that ends with the process.
    #[must_use]
    pub fn memory() -> Self {
        Self(Kind::Memory(Arc::new(Memory::default())))
    }

    /// Opens or makes the store in a file. `:memory:` is [`Self::memory`]. Blocks.
    ///
    /// # Errors
    /// When another process has it, when the file is no store, damaged or of a later version, or when it cannot be
    /// written to.
    pub fn open(path: &Path, config: StoreConfig) -> Result<Self, OpenError> {
        if path.as_os_str() == ":memory:" {
            return Ok(Self::memory());
        }
        Ok(Self(Kind::Disk(Arc::new(Disk::open(path, config)?))))
    }

    /// Whether what it holds outlives the process.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        match &self.0 {
            Kind::Memory(memory) => memory.is_durable(),
            Kind::Disk(_) => true,
        }
    }

    /// A store in memory that stands for one on disk, for tests of bots.
    pub(crate) fn for_tests() -> Self {
        Self(Kind::Memory(Arc::new(Memory::durable())))
    }

    /// Lets a store [for tests](Self::for_tests) take so many more lists of changes and then none, as if the process
    /// had died; `None` ends that.
    pub(crate) fn take_only(&self, left: Option<usize>) {
        if let Kind::Memory(memory) = &self.0 {
            memory.take_only(left);
        }
    }

    /// Whether a store [for tests](Self::for_tests) has not taken something since.
    pub(crate) fn has_refused(&self) -> bool {
        match &self.0 {
            Kind::Memory(memory) => memory.has_refused(),
            Kind::Disk(_) => false,
        }
    }

    /// The numbers of accounts of an app, in the order of `users`; an account gets its number when it is first seen.
    /// Blocks.
    ///
    /// # Errors
    /// When it can be neither read nor written.
    pub fn accounts(&self, app: SdkAppId, users: &[UserId]) -> Result<Vec<AccountNo>, StoreError> {
        match &self.0 {
            Kind::Memory(memory) => Ok(memory.accounts(app, users)),
            Kind::Disk(disk) => disk.accounts(app, users),
        }
    }

    /// What each account finds at its start, as far as it is on disk. Blocks.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn recover(&self) -> Result<BTreeMap<AccountNo, Recovered>, StoreError> {
        match &self.0 {
            Kind::Memory(memory) => Ok(memory.read(|tables| tables.recover())),
            Kind::Disk(disk) => disk.recover(),
        }
    }

    /// A number for a new record. It is greater than every number that was ever written here.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        match &self.0 {
            Kind::Memory(memory) => memory.next_number(),
            Kind::Disk(disk) => disk.next_number(),
        }
    }

    /// Hands over changes. Returns true if they have taken effect already; otherwise `done` is told when they have.
    /// After [`Self::close`] they are dropped and nobody is told.
    pub fn submit(&self, changes: Vec<Change>, done: Option<Done>) -> bool {
        match &self.0 {
            Kind::Memory(memory) => memory.take(&changes),
            Kind::Disk(disk) => {
                disk.submit(changes, done);
                false
            }
        }
    }

    /// The letter that an effect has led to.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn letter_of(
        &self,
        account: AccountNo,
        effect: u64,
    ) -> Result<Option<Letter>, StoreError> {
        match &self.0 {
            Kind::Memory(memory) => {
                Ok(memory.read(|tables| tables.letter_of(account, effect).cloned()))
            }
            Kind::Disk(disk) => disk.letter_of(account, effect).await,
        }
    }

    /// The result that was recorded of an effect.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn record_of(
        &self,
        account: AccountNo,
        effect: u64,
    ) -> Result<Option<Record>, StoreError> {
        match &self.0 {
            Kind::Memory(memory) => {
                Ok(memory.read(|tables| tables.record_of(account, effect).cloned()))
            }
            Kind::Disk(disk) => disk.record_of(account, effect).await,
        }
    }

    /// What waits in a line after this number, in the order of the numbers, the first `limit` of it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn spilled(
        &self,
        account: AccountNo,
        line: SpillLine,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Spilled>, StoreError> {
        match &self.0 {
            Kind::Memory(memory) => {
                Ok(memory.read(|tables| tables.spilled(account, &line, after, limit)))
            }
            Kind::Disk(disk) => disk.spilled(account, line, after, limit).await,
        }
    }

    /// A value that has not ended at `now`, in Unix seconds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn cell(&self, key: CellKey, now: u64) -> Result<Option<Cell>, StoreError> {
        match &self.0 {
            Kind::Memory(memory) => Ok(memory.read(|tables| tables.cell(&key, now).cloned())),
            Kind::Disk(disk) => {
                let cell = disk.cell(key).await?;
                Ok(cell.filter(|cell| cell.ends.is_none_or(|ends| now < ends)))
            }
        }
    }

    /// What a bot uses, by what has taken effect.
    ///
    /// # Errors
    /// None of the present stores has any.
    #[allow(clippy::unused_async, reason = "a store elsewhere has to ask")]
    pub async fn usage(&self, bot: &str) -> Result<Usage, StoreError> {
        Ok(match &self.0 {
            Kind::Memory(memory) => {
                let (count, bytes) = memory.read(|tables| tables.usage(bot));
                Usage {
                    count: count as u64,
                    bytes: bytes as u64,
                }
            }
            Kind::Disk(disk) => disk.usage(bot),
        })
    }

    /// The letters that failed, or of which it is unknown whether they arrived, in the order of their numbers.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn dead_letters(&self) -> Result<Vec<Letter>, StoreError> {
        match &self.0 {
            Kind::Memory(memory) => {
                Ok(memory.read(|tables| tables.dead_letters().cloned().collect()))
            }
            Kind::Disk(disk) => disk.dead_letters().await,
        }
    }

    /// The letters that are to be sent, that failed, or of which it is unknown whether they arrived, in the order of
    /// their numbers; of what has taken effect.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn letters(&self) -> Result<Vec<Letter>, StoreError> {
        match &self.0 {
            Kind::Memory(memory) => {
                Ok(memory.read(|tables| tables.open_letters().cloned().collect()))
            }
            Kind::Disk(disk) => disk.letters().await,
        }
    }

    /// A letter by its number.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn letter(&self, number: u64) -> Result<Option<Letter>, StoreError> {
        match &self.0 {
            Kind::Memory(memory) => Ok(memory.read(|tables| tables.letter(number).cloned())),
            Kind::Disk(disk) => disk.letter(number).await,
        }
    }

    /// Writes down what was ordered, after what was ordered before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn audit(&self, deed: Deed) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Memory(memory) => {
                memory.audit(deed);
                Ok(())
            }
            Kind::Disk(disk) => disk.audit(deed).await,
        }
    }

    /// What was ordered before the entry of this number, the newest first, as far as it fits: at most so many, of at
    /// most [`LOOKED_AT`] that are looked at. Returns the number to go on before, if there is more.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn audited(
        &self,
        before: u64,
        most: usize,
        fits: impl Fn(&AuditEntry) -> bool + Send + 'static,
    ) -> Result<(Vec<AuditEntry>, Option<u64>), StoreError> {
        let mut page = audit::Page::new(most, fits);
        match &self.0 {
            Kind::Memory(memory) => {
                let all = memory.audited().into_iter().rev();
                let mut older = all.filter(|entry| entry.number < before);
                let _ = older.all(|entry| page.take(entry));
                Ok(page.done())
            }
            Kind::Disk(disk) => {
                let read = disk.read_audit(move |reader| {
                    reader.audit_back(before, &mut |entry| page.take(entry))?;
                    Ok(page.done())
                });
                read.await
            }
        }
    }

    /// Looks whether every entry of the audit is as it was written. Returns how far that holds, and what is wrong then.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn verify_audit(&self) -> Result<(AuditCheck, Option<AuditBreak>), StoreError> {
        match &self.0 {
            // Nobody else gets at it, and its beginning is forgotten.
            Kind::Memory(memory) => Ok((AuditCheck::at(memory.audited().last()), None)),
            Kind::Disk(disk) => {
                let read = disk.read_audit(|reader| {
                    let (mut check, mut broken) = (AuditCheck::default(), None);
                    reader.audit(&mut |entry| {
                        broken = check.take(&entry).err();
                        broken.is_none()
                    })?;
                    let broken = broken.or_else(|| check.finish().err());
                    Ok((check, broken))
                });
                read.await
            }
        }
    }

    /// Waits until everything that was submitted before is on disk.
    pub async fn settled(&self) {
        /// Tells one who waits.
        struct Barrier(Mutex<Option<oneshot::Sender<()>>>);

        impl Sink for Barrier {
            fn committed(&self, _: u64) {
                let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(waiting) = waiting.take() {
                    let _ = waiting.send(()); // Whoever asked may have given up waiting.
                }
            }
        }

        let (tell, told) = oneshot::channel();
        let done = Done {
            sink: Arc::new(Barrier(Mutex::new(Some(tell)))),
            batch: 0,
        };
        if !self.submit(Vec::new(), Some(done)) {
            let _ = told.await; // Closed: then nothing is written any more.
        }
    }

    /// How it is doing.
    #[must_use]
    pub fn condition(&self) -> Condition {
        match &self.0 {
            Kind::Memory(memory) => memory.read(|tables| Condition {
                counts: tables.counts(),
                ..Condition::default()
            }),
            Kind::Disk(disk) => disk.condition(),
        }
    }

    /// Writes a copy to a new file while everything goes on, and returns its size in bytes. It has whatever was
    /// committed when it began.
    ///
    /// # Errors
    /// When the file exists, or cannot be written; for a store in memory.
    pub async fn back_up(&self, to: PathBuf) -> Result<u64, StoreError> {
        match &self.0 {
            Kind::Memory(_) => Err(StoreError::InMemory),
            Kind::Disk(disk) => disk.back_up(to).await,
        }
    }

    /// Removes at once what is older than the config says by the system's clock, which the caller answers for. Blocks.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn prune(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Memory(_) => Ok(()),
            Kind::Disk(disk) => disk.prune(),
        }
    }

    /// Writes what waits, for some seconds at most, and closes the file. Blocks.
    pub fn close(&self) {
        if let Kind::Disk(disk) = &self.0 {
            disk.close();
        }
    }
}

#[cfg(test)]
mod tests;
