//! The log of the process, for those who read it over the API.
//!
//! The last lines are kept in a ring. Each reader has a queue of its own, with the lines that it wants: one that is too
//! slow loses the oldest of them, and is told how many. Putting a line in takes a lock for as long as a few copies take;
//! it never waits for a reader.

use super::types::{LevelsOfLog, LogLine};
use crate::config::LogLevel;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Lines that are kept, and the most bytes of them.
const KEPT: usize = 2000;
const KEPT_BYTES: usize = 2 << 20;
/// Lines that wait for a reader.
const WAITING: usize = 1000;
/// Lines that a reader takes at a time.
const BATCH: usize = 256;

/// A part of the log that can have a level of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogPart {
    /// Everything.
    Whole,
    /// A room of this crate like `gateway`, a crate, or a module of one.
    Module(String),
    /// What concerns an account: a UserID, or its beginning with a `*` behind it.
    Account(String),
}

/// Shows and changes what is logged.
pub trait LogLevels: fmt::Debug + Send + Sync {
    /// The levels at present.
    fn told(&self) -> LevelsOfLog;

    /// Gives a part a level for a while, or takes that back.
    ///
    /// # Errors
    /// Says for people why it cannot be.
    fn set(&self, part: LogPart, level: Option<LogLevel>, long: Duration) -> Result<(), String>;
}

/// What the API is given of the log.
#[derive(Clone, Debug)]
pub struct Logs {
    /// Its lines.
    pub tail: LogTail,
    /// Its levels.
    pub levels: Arc<dyn LogLevels>,
}

/// The last lines of the log, and those who follow it. Cheap to clone; copies are of the same log.
#[derive(Clone, Debug, Default)]
pub struct LogTail(Arc<Mutex<Lines>>);

/// A line as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) seq: u64,
    account: Option<Arc<str>>,
    level: LogLevel,
    /// As JSON, of [`LogLine`].
    pub(super) json: Bytes,
}

#[derive(Debug, Default)]
struct Lines {
    kept: VecDeque<Told>,
    bytes: usize,
    newest: u64,
    readers: BTreeMap<u64, Queue>,
    /// The number of the last reader.
    reader: u64,
}

/// Which lines somebody wants; those of no account are asked for with `None`.
type Wants = Box<dyn Fn(Option<&str>) -> bool + Send + Sync>;

/// Which lines a reader gets.
pub(super) struct Wanted {
    /// No less important than this.
    pub(super) level: LogLevel,
    /// Of these accounts.
    pub(super) of: Wants,
}

impl Wanted {
    fn is(&self, told: &Told) -> bool {
        told.level <= self.level && (self.of)(told.account.as_deref())
    }
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wanted").field(&self.level).finish()
    }
}

/// What waits for a reader.
#[derive(Debug)]
struct Queue {
    wanted: Wanted,
    waiting: VecDeque<Told>,
    missed: u64,
    more: Arc<Notify>,
}

impl Lines {
    fn put(&mut self, mut told: Told) {
        self.newest += 1;
        told.seq = self.newest;
        for queue in self.readers.values_mut() {
            if !queue.wanted.is(&told) {
                continue;
            }
            if queue.waiting.len() >= WAITING {
                queue.waiting.pop_front();
                queue.missed += 1;
            }
            queue.waiting.push_back(told.clone());
            queue.more.notify_one();
        }
        self.bytes += told.json.len();
        self.kept.push_back(told);
        while self.kept.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some(gone) = self.kept.pop_front() else {
                return;
            };
            self.bytes -= gone.json.len();
        }
    }

    /// The last lines that are wanted, the oldest first, of those behind a number.
    fn last(&self, wanted: &Wanted, after: u64, most: usize) -> Vec<Told> {
        let fitting = self.kept.iter().rev();
        let fitting = fitting.take_while(|told| told.seq > after);
        let fitting = fitting.filter(|told| wanted.is(told)).take(most);
        let mut last: Vec<_> = fitting.cloned().collect();
        last.reverse();
        last
    }
}

impl LogTail {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Nothing panics while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more line.
    pub fn put(&self, level: LogLevel, line: &LogLine) {
        let told = Told {
            seq: 0,
            account: line.account.as_deref().map(Arc::from),
            level,
            json: serde_json::to_vec(line).unwrap_or_default().into(),
        };
        self.lines().put(told);
    }

    /// The number of the newest line.
    pub(super) fn newest(&self) -> u64 {
        self.lines().newest
    }

    /// The last lines that are wanted, the oldest first.
    pub(super) fn last(&self, wanted: &Wanted, most: usize) -> Vec<Told> {
        self.lines().last(wanted, 0, most)
    }

    /// Follows, beginning with the last lines that are wanted: those behind a number, or at most so many.
    pub(super) fn follow(&self, wanted: Wanted, after: u64, most: usize) -> LogReader {
        let more = Arc::new(Notify::new());
        let mut lines = self.lines();
        let waiting = lines.last(&wanted, after, most.min(WAITING)).into();
        lines.reader += 1;
        let number = lines.reader;
        let queue = Queue {
            wanted,
            waiting,
            missed: 0,
            more: more.clone(),
        };
        lines.readers.insert(number, queue);
        drop(lines);
        LogReader {
            tail: self.clone(),
            number,
            more,
        }
    }
}

/// A place of somebody who follows; dropping it ends that.
#[derive(Debug)]
pub(super) struct LogReader {
    tail: LogTail,
    number: u64,
    more: Arc<Notify>,
}

impl LogReader {
    /// Waits for lines. Returns how many were lost before them, and some that were not.
    pub(super) async fn next(&mut self) -> (u64, Vec<Told>) {
        loop {
            let (missed, told) = self.take();
            if missed > 0 || !told.is_empty() {
                return (missed, told);
            }
            self.more.notified().await;
        }
    }

    fn take(&mut self) -> (u64, Vec<Told>) {
        let mut lines = self.tail.lines();
        let Some(queue) = lines.readers.get_mut(&self.number) else {
            return (0, Vec::new());
        };
        let missed = std::mem::take(&mut queue.missed);
        let count = queue.waiting.len().min(BATCH);
        (missed, queue.waiting.drain(..count).collect())
    }
}

impl Drop for LogReader {
    fn drop(&mut self) {
        self.tail.lines().readers.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(tail: &LogTail, level: LogLevel, account: Option<&str>, message: &str) {
        let line = LogLine {
            ts: "2026-11-29T12:00:00.000000Z".to_owned(),
            level: level.name().to_uppercase(),
            target: "botroupe::account".to_owned(),
            message: message.to_owned(),
            account: account.map(str::to_owned),
            fields: serde_json::Map::new(),
        };
        tail.put(level, &line);
    }

    fn wanted(level: LogLevel, account: Option<&'static str>) -> Wanted {
        let of = move |of: Option<&str>| account.is_none_or(|wanted| of == Some(wanted));
        Wanted {
            level,
            of: Box::new(of),
        }
    }

    fn words(told: &[Told]) -> Vec<String> {
        let line = |told: &Told| {
            serde_json::from_slice::<LogLine>(&told.json)
                .unwrap()
                .message
        };
        told.iter().map(line).collect()
    }

    #[test]
    fn a_reader_gets_the_last_lines_and_the_next_of_its_account_and_level_only() {
        let tail = LogTail::default();
        put(&tail, LogLevel::Info, Some("a"), "1");
        put(&tail, LogLevel::Debug, Some("a"), "2");
        put(&tail, LogLevel::Warn, Some("b"), "3");
        put(&tail, LogLevel::Warn, None, "4");
        let mut reader = tail.follow(wanted(LogLevel::Info, Some("a")), 0, 10);
        put(&tail, LogLevel::Error, Some("a"), "5");
        put(&tail, LogLevel::Error, Some("b"), "6");
        let (missed, told) = reader.take();
        assert_eq!((missed, words(&told)), (0, vec!["1".into(), "5".into()]));
        assert_eq!(reader.take().1.len(), 0);
        let last = tail.last(&wanted(LogLevel::Debug, None), 3);
        assert_eq!(words(&last), ["4", "5", "6"]);
        let mut resumed = tail.follow(wanted(LogLevel::Trace, None), 4, 10);
        assert_eq!(words(&resumed.take().1), ["5", "6"]);
        drop((reader, resumed));
        assert!(tail.lines().readers.is_empty());
    }

    #[test]
    fn a_slow_reader_loses_the_oldest_and_is_told_how_many_and_nothing_grows_for_ever() {
        let tail = LogTail::default();
        let mut slow = tail.follow(wanted(LogLevel::Trace, Some("a")), 0, 0);
        let many = 2 * KEPT;
        for n in 0..many {
            put(&tail, LogLevel::Info, Some("a"), &n.to_string());
            put(&tail, LogLevel::Info, Some("b"), "another's");
        }
        let (mut missed, mut got) = (0, Vec::new());
        loop {
            let (lost, told) = slow.take();
            missed += usize::try_from(lost).unwrap();
            if told.is_empty() {
                break;
            }
            assert!(told.len() <= BATCH);
            got.extend(words(&told));
        }
        assert_eq!(missed + got.len(), many, "lines of others do not count");
        assert_eq!(got.len(), WAITING);
        assert_eq!(*got.last().unwrap(), (many - 1).to_string());
        assert_eq!(tail.lines().kept.len(), KEPT);
        for _ in 0..KEPT {
            put(&tail, LogLevel::Info, None, &"x".repeat(8 << 10));
        }
        let lines = tail.lines();
        let bytes: usize = lines.kept.iter().map(|told| told.json.len()).sum();
        assert_eq!(lines.bytes, bytes);
        assert!(bytes <= KEPT_BYTES && lines.kept.len() > 100);
    }
}
