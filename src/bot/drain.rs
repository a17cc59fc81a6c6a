//! Stops all hosts of a process and waits for their handlers, with one wait for all of them.

use actix::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Tells a host to start no more handlers. When it is dropped, no handler of the host runs any more.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Drain {
    all: Arc<All>,
    busy: bool,
}

#[derive(Debug)]
struct All {
    /// Hosts with handlers that have not finished.
    busy: AtomicUsize,
    done: Mutex<Option<oneshot::Sender<()>>>,
}

impl Drop for All {
    fn drop(&mut self) {
        let done = self.done.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(done) = done.take() {
            let _ = done.send(()); // Whoever asked may have given up waiting.
        }
    }
}

impl Drain {
    /// For one host that has running handlers.
    pub(super) fn set_busy(&mut self) {
        if !std::mem::replace(&mut self.busy, true) {
            self.all.busy.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        if self.busy {
            self.all.busy.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Waits for all hosts that were told to stop.
#[derive(Debug)]
pub struct Draining {
    all: Option<Arc<All>>,
    done: oneshot::Receiver<()>,
}

impl Default for Draining {
    fn default() -> Self {
        Self::new()
    }
}

impl Draining {
    /// No host is told yet.
    #[must_use]
    pub fn new() -> Self {
        let (sender, done) = oneshot::channel();
        let all = All {
            busy: AtomicUsize::new(0),
            done: Mutex::new(Some(sender)),
        };
        Self {
            all: Some(Arc::new(all)),
            done,
        }
    }

    /// The message for one host.
    #[must_use]
    pub fn one(&self) -> Option<Drain> {
        let all = self.all.clone()?;
        Some(Drain { all, busy: false })
    }

    /// Waits until no handler runs, `limit` at most; `false` when some still run.
    pub async fn wait(mut self, limit: std::time::Duration) -> bool {
        let Some(all) = self.all.take() else {
            return true;
        };
        let busy = Arc::downgrade(&all);
        drop(all);
        if tokio::time::timeout(limit, self.done).await.is_ok() {
            return true;
        }
        // A host that has not handled the message yet counts as one without running handlers.
        busy.upgrade()
            .is_none_or(|all| all.busy.load(Ordering::Relaxed) == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[actix_rt::test]
    async fn it_ends_with_the_last_and_tells_running_handlers_from_slow_hosts() {
        let draining = Draining::new();
        let told: Vec<Drain> = (0..1000).filter_map(|_| draining.one()).collect();
        drop(told);
        assert!(draining.wait(Duration::from_secs(60)).await);

        let draining = Draining::new();
        let _not_yet_heard = draining.one();
        assert!(draining.wait(Duration::from_millis(1)).await, "none runs");

        let draining = Draining::new();
        let mut runs = draining.one().unwrap();
        runs.set_busy();
        assert!(!draining.wait(Duration::from_millis(1)).await);
    }
}
