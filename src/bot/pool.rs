//! The threads that run handlers, and the watchdog that replaces blocked ones.
//!
//! Handlers do not share a thread with connections. All bot threads draw from one queue, one poll of
//! one handler at a time, so a blocked thread holds up nothing but the handler that blocks it. The
//! watchdog notices, names the culprit, and starts another thread in its place; the blocked one
//! ends when it comes back. (Arbiters would tie every unfinished handler to the thread it started
//! on: a neighbour waiting for its own reply would be stuck with the culprit.)

use crate::gateway::now;
use async_task::{Builder, Runnable};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Threads at most, blocked ones included. Beyond it the watchdog only reports.
const MAX_THREADS: usize = 256;

/// Names a job for the watchdog.
#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) account: Arc<str>,
    pub(super) bot: &'static str,
    pub(super) handler: &'static str,
}

type Job = Runnable<Label>;

/// Runs handlers on threads of its own. Cheap to clone; the threads end with the last clone.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
    _life: Arc<Life>,
}

/// Its end is the end of the threads.
struct Life(Arc<Shared>);

struct Shared {
    jobs: async_channel::Sender<Job>,
    queue: async_channel::Receiver<Job>,
    threads: usize,
    patience: Duration,
    slots: Mutex<Vec<Arc<Slot>>>,
    over: Mutex<bool>,
    ended: Condvar,
    runtime: tokio::runtime::Handle,
    /// Taken at the end, so that it is shut down without waiting for what blocks.
    owned: Mutex<Option<tokio::runtime::Runtime>>,
}

/// What one thread is doing.
#[derive(Default)]
struct Slot(Mutex<SlotState>);

#[derive(Default)]
struct SlotState {
    busy: Option<(Duration, Label)>,
    replaced: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while holding one of these; the data would be whole even then.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("threads", &self.shared.threads)
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// Starts `threads` threads (at least one) and the watchdog. A poll that takes longer than
    /// `patience` counts as blocked.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(threads: usize, patience: Duration) -> std::io::Result<Self> {
        // Timers and sockets that handlers await live on a runtime of their own, so that no handler
        // can hold up a connection through them.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("bot-timers")
            .enable_all()
            .build()?;
        // Each live handler has at most one job in it, and live handlers are bounded by the queues
        // of the hosts.
        let (jobs, queue) = async_channel::unbounded();
        let shared = Arc::new(Shared {
            jobs,
            queue,
            threads: threads.max(1),
            patience,
            slots: Mutex::default(),
            over: Mutex::default(),
            ended: Condvar::new(),
            runtime: runtime.handle().clone(),
            owned: Mutex::new(Some(runtime)),
        });
        for _ in 0..shared.threads {
            shared.add_thread()?;
        }
        let watched = shared.clone();
        thread::Builder::new()
            .name("bot-watchdog".into())
            .spawn(move || watched.watch())?;
        Ok(Self {
            _life: Arc::new(Life(shared.clone())),
            shared,
        })
    }

    /// Runs a future to its end.
    pub(super) fn spawn(&self, label: Label, future: impl Future<Output = ()> + Send + 'static) {
        let jobs = self.shared.jobs.clone();
        // A panic of the future is the caller's to catch; it must not end the thread either way.
        let (runnable, task) = Builder::new().metadata(label).spawn(
            move |_| future,
            move |job: Job| {
                let _ = jobs.try_send(job); // Closed: the program ends.
            },
        );
        runnable.schedule();
        task.detach();
    }

    /// How many threads are blocked at present.
    #[must_use]
    pub fn blocked(&self) -> usize {
        lock(&self.shared.slots)
            .iter()
            .filter(|slot| lock(&slot.0).replaced)
            .count()
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        *lock(&self.0.over) = true;
        self.0.ended.notify_all();
        self.0.queue.close();
        if let Some(runtime) = lock(&self.0.owned).take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    fn add_thread(self: &Arc<Self>) -> std::io::Result<()> {
        let slot = Arc::new(Slot::default());
        lock(&self.slots).push(slot.clone());
        let shared = self.clone();
        thread::Builder::new().name("bot".into()).spawn(move || {
            let _context = shared.runtime.enter();
            while let Ok(job) = shared.queue.recv_blocking() {
                let label = job.metadata().clone();
                let began = now().mono;
                lock(&slot.0).busy = Some((began, label.clone()));
                let outcome = catch_unwind(AssertUnwindSafe(|| job.run()));
                if outcome.is_err() {
                    tracing::error!(
                        account = %label.account, bot = label.bot, handler = label.handler,
                        "handler panicked while it was being dropped"
                    );
                }
                let mut state = lock(&slot.0);
                state.busy = None;
                if state.replaced {
                    let blocked = now().mono.saturating_sub(began);
                    tracing::warn!(
                        account = %label.account, bot = label.bot, handler = label.handler, ?blocked,
                        "handler gave its thread back"
                    );
                    break;
                }
            }
            lock(&shared.slots).retain(|other| !Arc::ptr_eq(other, &slot));
        })?;
        Ok(())
    }

    fn watch(self: &Arc<Self>) {
        let pause = (self.patience / 4).clamp(Duration::from_millis(5), Duration::from_millis(250));
        loop {
            let (over, _) = self
                .ended
                .wait_timeout_while(lock(&self.over), pause, |over| !*over)
                .unwrap_or_else(PoisonError::into_inner);
            if *over {
                return;
            }
            drop(over);
            self.replace_blocked();
        }
    }

    fn replace_blocked(self: &Arc<Self>) {
        let at = now().mono;
        let slots = lock(&self.slots).clone();
        for slot in &slots {
            let mut state = lock(&slot.0);
            let SlotState {
                busy: Some((began, label)),
                replaced: false,
            } = &*state
            else {
                continue;
            };
            if at.saturating_sub(*began) < self.patience {
                continue;
            }
            tracing::error!(
                account = %label.account, bot = label.bot, handler = label.handler,
                "handler blocks its thread; another thread takes over (use async calls, or spawn_blocking)"
            );
            state.replaced = true;
            drop(state);
            if slots.len() >= MAX_THREADS {
                tracing::error!("{MAX_THREADS} bot threads are blocked; no more are started");
            } else if let Err(error) = self.add_thread() {
                tracing::error!(%error, "no thread to take over");
            }
        }
    }
}
