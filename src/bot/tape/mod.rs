//! Records what the bots of a process hear, for tests.
//!
//! A recording is no ledger: what the disk does not take in time is left out, counted and told. A thread of its own writes it,
//! so that no account waits for a disk.

mod line;
mod mask;

pub(super) use line::{Happened, Line, recorded};

use crate::account::AccountEvent;
use crate::config::RecordConfig;
use crate::gateway::now;
use crate::policy::Now;
use crate::proto::id::UserId;
use crate::proto::message::Message;
use crate::proto::update::Update;
use line::Header;
use mask::Mask;
use serde::Serialize;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel,
};
use std::thread;
use std::time::Duration;

/// Events that wait for the disk; of the longest messages they take 12 MiB.
const QUEUE: usize = 1_024;
/// How long to wait for the disk at the end.
const PATIENCE: Duration = Duration::from_secs(1);
/// When a full queue is looked at again.
const AGAIN: Duration = Duration::from_millis(10);
/// How often it is told that something is left out.
const TELL: Duration = Duration::from_secs(60);

/// A recording that cannot be begun.
#[derive(Debug, thiserror::Error)]
#[error("cannot record to {}: {source}; name a new file in a folder that can be written to", path.display())]
pub struct RecordError {
    path: PathBuf,
    source: io::Error,
}

/// A recording under way. Cheap to clone.
#[derive(Clone)]
pub struct Tape(Arc<Inner>);

struct Inner {
    queue: SyncSender<Entry>,
    began: Now,
    /// What was left out and is not told yet.
    lost: Arc<AtomicU64>,
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape").finish_non_exhaustive()
    }
}

enum Entry {
    Heard {
        at: Duration,
        account: UserId,
        what: Heard,
    },
    /// Somebody wants to know when everything before is written.
    Flush(Sender<()>),
}

enum Heard {
    Message(Arc<Message>),
    Update(Box<Update>),
    Ready,
    NotReady(String),
}

impl Tape {
    /// Begins a recording in a new file, which only its owner can read.
    ///
    /// # Errors
    /// When the file exists or cannot be written, or the system gives no thread.
    pub fn begin(config: &RecordConfig) -> Result<Self, RecordError> {
        let failed = |source| RecordError {
            path: config.path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&config.path).map_err(failed)?;
        Self::to(file, config.mask).map_err(failed)
    }

    fn to(out: impl Write + Send + 'static, mask: bool) -> io::Result<Self> {
        let (queue, entries) = sync_channel(QUEUE);
        let (began, lost) = (now(), Arc::<AtomicU64>::default());
        let mut writer = Writer {
            out: BufWriter::new(out),
            mask: mask.then(Mask::default),
            lost: lost.clone(),
            told: None,
        };
        let thread = thread::Builder::new().name("recording".into());
        thread.spawn(move || {
            writer.write(&Header::new(began.unix_secs(), mask));
            writer.run(&entries);
        })?;
        Ok(Self(Arc::new(Inner { queue, began, lost })))
    }

    /// An account has handed this to its bots.
    pub(super) fn note(&self, account: &UserId, at: Now, event: &AccountEvent) {
        self.push(
            account,
            at,
            match event {
                AccountEvent::Message(message) => Heard::Message(message.clone()),
                AccountEvent::Update(update) => Heard::Update(update.clone()),
                AccountEvent::Ready => Heard::Ready,
                AccountEvent::NotReady(cause) => Heard::NotReady(cause.word().into_owned()),
            },
        );
    }

    /// An update that had waited in the store.
    pub(super) fn note_update(&self, account: &UserId, at: Now, update: &Update) {
        self.push(account, at, Heard::Update(Box::new(update.clone())));
    }

    fn push(&self, account: &UserId, at: Now, what: Heard) {
        let Inner { queue, began, lost } = &*self.0;
        let entry = Entry::Heard {
            at: at.mono.saturating_sub(began.mono),
            account: account.clone(),
            what,
        };
        if queue.try_send(entry).is_err() && lost.fetch_add(1, Ordering::Relaxed) == 0 {
            // Its thread may hang in the disk and tells the number later.
            tracing::warn!("the recording cannot keep up; events are left out of it");
        }
    }

    /// Waits for the disk, for a second at most. Returns whether it has everything.
    #[must_use]
    pub fn finish(&self) -> bool {
        let (tell, told) = channel();
        let mut entry = Entry::Flush(tell);
        let until = now().mono + PATIENCE;
        loop {
            match self.0.queue.try_send(entry) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) if now().mono < until => {
                    entry = back;
                    // Nobody tells before it is in the queue: it only waits.
                    let _ = told.recv_timeout(AGAIN);
                }
                Err(_) => return false,
            }
        }
        let left = until.saturating_sub(now().mono);
        told.recv_timeout(left).is_ok() && self.0.lost.load(Ordering::Relaxed) == 0
    }
}

/// What the thread has.
struct Writer<W: Write> {
    out: BufWriter<W>,
    mask: Option<Mask>,
    lost: Arc<AtomicU64>,
    /// When it was last told that something is left out.
    told: Option<Duration>,
}

impl<W: Write> Writer<W> {
    fn run(&mut self, entries: &Receiver<Entry>) {
        loop {
            // Whoever looks into the file finds everything, as soon as there is time for that.
            let next = match entries.recv_timeout(Duration::ZERO) {
                Err(RecvTimeoutError::Timeout) => {
                    self.flush();
                    entries.recv().ok()
                }
                next => next.ok(),
            };
            match next {
                Some(Entry::Heard { at, account, what }) => self.heard(at, &account, what),
                Some(Entry::Flush(tell)) => {
                    self.flush();
                    let _ = tell.send(()); // Who waits no longer need not be told.
                }
                None => break,
            }
        }
        self.flush();
    }

    fn heard(&mut self, at: Duration, account: &UserId, what: Heard) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            self.tell(lost);
            if !self.write(&Line::of(at, account.as_str(), Happened::Lost(lost))) {
                self.lost.fetch_add(lost, Ordering::Relaxed);
            }
        }
        let happened = match what {
            Heard::Message(message) => Happened::Message(Box::new(Arc::unwrap_or_clone(message))),
            Heard::Update(update) => Happened::Update(update),
            Heard::Ready => Happened::Ready,
            Heard::NotReady(cause) => Happened::NotReady(cause),
        };
        let line = Line::of(at, account.as_str(), happened);
        let line = match &mut self.mask {
            Some(mask) => mask.line(line),
            None => Some(line),
        };
        if line.is_none_or(|line| !self.write(&line)) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes a line. Returns whether it was taken.
    fn write(&mut self, line: &impl Serialize) -> bool {
        let Ok(mut text) = serde_json::to_string(line) else {
            return false;
        };
        text.push('\n');
        match self.out.write_all(text.as_bytes()) {
            Ok(()) => true,
            Err(error) => {
                self.failed(&error);
                false
            }
        }
    }

    fn flush(&mut self) {
        if let Err(error) = self.out.flush() {
            self.failed(&error);
        }
    }

    fn failed(&mut self, error: &io::Error) {
        if self.is_due() {
            tracing::warn!(%error, "the recording cannot be written; events are left out of it");
        }
    }

    fn tell(&mut self, lost: u64) {
        if self.is_due() {
            tracing::warn!(lost, "events were left out of the recording");
        }
    }

    fn is_due(&mut self) -> bool {
        let now = now().mono;
        let is_due = self.told.is_none_or(|told| told + TELL <= now);
        if is_due {
            self.told = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests;
