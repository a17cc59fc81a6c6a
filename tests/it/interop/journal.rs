//! A list to which other threads append and on which tests wait.

use std::{
    fmt::Debug,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The time limit of every wait. It is far above the need, also on a busy machine.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);
/// The number of entries that a failure prints.
const SHOWN: usize = 30;

/// All events in order, and a way to wait for the next one.
#[derive(Debug)]
pub(super) struct Journal<T> {
    entries: Mutex<Entries<T>>,
    grown: Condvar,
}

#[derive(Debug)]
struct Entries<T> {
    list: Vec<T>,
    closed: bool,
}

impl<T: Clone + Debug> Journal<T> {
    pub(super) const fn new() -> Self {
        Self {
            entries: Mutex::new(Entries {
                list: Vec::new(),
                closed: false,
            }),
            grown: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries<T>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, entry: T) {
        self.lock().list.push(entry);
        self.grown.notify_all();
    }

    /// Closes the journal. Waiting tests fail at once.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.grown.notify_all();
    }

    /// Returns the index of the next entry.
    pub(super) fn mark(&self) -> usize {
        self.lock().list.len()
    }

    pub(super) fn since(&self, mark: usize) -> Vec<T> {
        self.lock().list.get(mark..).unwrap_or_default().to_vec()
    }

    /// Waits until `read` returns a value for an entry from `mark` on.
    #[track_caller]
    pub(super) fn wait<R>(&self, mark: usize, what: &str, read: impl Fn(&T) -> Option<R>) -> R {
        self.wait_for_all(mark, what, |entries| entries.iter().find_map(&read))
    }

    /// Waits until `read` returns a value for all entries from `mark` on.
    #[track_caller]
    pub(super) fn wait_for_all<R>(
        &self,
        mark: usize,
        what: &str,
        read: impl Fn(&[T]) -> Option<R>,
    ) -> R {
        let mut found = None;
        let (entries, _) = self
            .grown
            .wait_timeout_while(self.lock(), DEADLINE, |entries| {
                found = read(entries.list.get(mark..).unwrap_or_default());
                found.is_none() && !entries.closed
            })
            .unwrap_or_else(PoisonError::into_inner);
        found.unwrap_or_else(|| {
            let from = mark.max(entries.list.len().saturating_sub(SHOWN));
            panic!(
                "waited for {what} in vain (closed: {}); the last of what came instead: {:#?}",
                entries.closed,
                entries.list.get(from..).unwrap_or_default()
            )
        })
    }
}
