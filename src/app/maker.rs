//! Makes bots on threads of its own. `bot()` is the author's code: it may panic, take a second or never
//! return, and must not hold up accounts, signals or other bots meanwhile.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// The most threads at a time; each makes one bot after the other.
const THREADS: usize = 8;
/// The most threads that may be lost to `bot()` functions that never return; then no more bots are made.
const MAX_LOST: usize = 64;
/// How long making the bots of one account may take. Opening a pool of connections takes seconds.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// Why there is no bot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MakeError {
    #[error("it panicked: {0}")]
    Panicked(String),
    #[error("it was not ready within {0:?}")]
    TimedOut(Duration),
    #[error("the system gives no thread to make it on")]
    NoThread,
}

/// See the module. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Maker(Arc<Mutex<Work>>);

#[derive(Default)]
struct Work {
    jobs: VecDeque<Job>,
    workers: usize,
    lost: usize,
}

struct Job {
    run: Box<dyn FnOnce() + Send>,
    /// The job was given up; its thread no longer counts.
    is_lost: Arc<AtomicBool>,
}

impl std::fmt::Debug for Maker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Maker").finish_non_exhaustive()
    }
}

impl Maker {
    /// Runs `make` on another thread, inside the runtime of the caller.
    ///
    /// # Errors
    /// When `make` panics, or takes longer than `limit`; then its thread is given up.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        make: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, MakeError> {
        let (started, begun) = oneshot::channel();
        let (done, outcome) = oneshot::channel();
        let runtime = tokio::runtime::Handle::current();
        let is_lost = Arc::new(AtomicBool::new(false));
        let job = Job {
            run: Box::new(move || {
                let _context = runtime.enter();
                // The caller may have stopped waiting for either.
                let _ = started.send(());
                let _ = done.send(catch_unwind(AssertUnwindSafe(make)));
            }),
            is_lost: is_lost.clone(),
        };
        self.submit(job);
        // The limit starts with the job: waiting for a thread is not the bot's fault.
        if begun.await.is_err() {
            return Err(MakeError::NoThread);
        }
        match tokio::time::timeout(limit, outcome).await {
            Ok(Ok(Ok(made))) => Ok(made),
            Ok(Ok(Err(panic))) => Err(MakeError::Panicked(words(&*panic))),
            Ok(Err(_)) => Err(MakeError::NoThread),
            Err(_) => {
                self.give_up(&is_lost);
                Err(MakeError::TimedOut(limit))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        // Nothing panics while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(&self, job: Job) {
        let mut work = self.lock();
        work.jobs.push_back(job);
        self.staff(work);
    }

    fn give_up(&self, is_lost: &AtomicBool) {
        let mut work = self.lock();
        if !is_lost.swap(true, Ordering::Relaxed) {
            work.workers = work.workers.saturating_sub(1);
            work.lost += 1;
        }
        self.staff(work);
    }

    /// Starts a thread if there is work for one more. If no thread can be had at all, the waiting jobs are
    /// dropped, and their callers get [`MakeError::NoThread`].
    fn staff(&self, mut work: MutexGuard<'_, Work>) {
        if work.jobs.is_empty() || work.workers >= THREADS {
            return;
        }
        let maker = self.clone();
        let thread = thread::Builder::new().name("bot-maker".into());
        let is_started = work.lost < MAX_LOST && thread.spawn(move || maker.work()).is_ok();
        if is_started {
            work.workers += 1;
        } else if work.workers == 0 {
            work.jobs.clear();
        }
    }

    fn work(&self) {
        loop {
            let mut work = self.lock();
            let Some(job) = work.jobs.pop_front() else {
                work.workers = work.workers.saturating_sub(1);
                return;
            };
            drop(work);
            (job.run)();
            let mut work = self.lock();
            if job.is_lost.load(Ordering::Relaxed) {
                work.lost = work.lost.saturating_sub(1); // It came back after all.
                return;
            }
        }
    }
}

/// The text of a panic.
pub(super) fn words(panic: &(dyn Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .map(|words| (*words).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    words.unwrap_or_else(|| "without words".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use std::sync::mpsc;

    #[actix_rt::test]
    async fn a_panic_and_a_hang_cost_nothing_but_themselves() {
        let maker = Maker::default();
        let patience = Duration::from_secs(30);
        let panicked = maker.run(patience, || panic!("locked")).await;
        assert_eq!(panicked, Err::<(), _>(MakeError::Panicked("locked".into())));
        let (release, wait) = mpsc::channel::<()>();
        let limit = Duration::from_millis(1);
        let hung = maker.run(limit, move || wait.recv().is_ok()).await;
        assert_eq!(hung, Err(MakeError::TimedOut(limit)));
        assert_eq!(maker.run(patience, || 7).await, Ok(7));
        drop(release);
    }

    #[actix_rt::test]
    async fn what_hangs_on_every_thread_does_not_stop_what_comes_after() {
        let maker = Maker::default();
        let mut releases = Vec::new();
        let limit = Duration::from_millis(1);
        for _ in 0..(2 * THREADS) {
            let (release, wait) = mpsc::channel::<()>();
            releases.push(release);
            let hung = maker.run(limit, move || wait.recv().is_ok()).await;
            assert_eq!(hung, Err(MakeError::TimedOut(limit)));
        }
        assert_eq!(maker.run(Duration::from_secs(30), || 7).await, Ok(7));
    }

    #[actix_rt::test]
    async fn many_are_made_at_once_and_may_use_the_runtime() {
        let maker = Maker::default();
        // The jobs wait for each other: if they ran one after the other, the test would hang.
        let barrier = Arc::new(std::sync::Barrier::new(THREADS));
        let made = (0..THREADS).map(|n| {
            let barrier = barrier.clone();
            maker.run(Duration::from_secs(30), move || {
                tokio::runtime::Handle::current();
                barrier.wait();
                n
            })
        });
        let made: Result<Vec<usize>, _> = futures_util::future::join_all(made)
            .await
            .into_iter()
            .collect();
        assert_eq!(made.unwrap().len(), THREADS);
    }
}
