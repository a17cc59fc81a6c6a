//! The threads that run handlers, and the watchdog that looks after them.
//!
//! Handlers do not share threads with connections. [`Schedule`] decides which one runs next. The watchdog
//! notices a poll that holds its thread for too long: another thread takes over at once if jobs wait, and
//! from then on the bot runs on threads of its own. (Arbiters would tie every unfinished handler to the thread
//! it started on: a neighbour waiting for its own reply would be stuck with the culprit.)

use super::schedule::{LaneKey, Pushed, SLOW, Schedule};
use crate::gateway::now;
use async_task::{Builder, Runnable};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The most threads, blocked ones included. Above it the watchdog only reports.
const MAX_THREADS: usize = 256;
/// How often the watchdog looks while handlers run, and while none does.
const LOOK: Duration = Duration::from_millis(10);
const REST: Duration = Duration::from_millis(250);
/// A slow thread without work ends after this.
const SLOW_IDLE: Duration = Duration::from_secs(5);
/// A poll on a slow thread counts as stuck after this time; another thread takes its place.
const STUCK: Duration = Duration::from_secs(10);
/// Threads for the tasks and timers of handlers: several, so that a blocked one stops no timer.
const TASK_THREADS: usize = 8;
/// Stack size of a bot thread in bytes: handlers may nest deeply, and a stack overflow ends the process.
const STACK: usize = 8 << 20;
/// The nice value of the threads of blocking bots.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

/// Names a job for the watchdog.
#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) account: Arc<str>,
    pub(super) bot: &'static str,
    pub(super) handler: &'static str,
}

impl Label {
    fn lane(&self) -> LaneKey {
        LaneKey {
            account: self.account.clone(),
            bot: self.bot,
        }
    }
}

type Job = Runnable<Label>;

/// Runs handlers on threads of its own. Cheap to clone; the threads end with the last clone.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
    _life: Arc<Life>,
}

/// The threads end when it is dropped.
struct Life(Arc<Shared>);

struct Shared {
    jobs: Mutex<Jobs>,
    /// Wakes quick threads.
    quick: Condvar,
    /// Wakes slow threads, and the thread that waits for their end.
    others: Condvar,
    threads: usize,
    patience: Duration,
    slots: Mutex<Vec<Arc<Slot>>>,
    tasks: tokio::runtime::Handle,
    clock: tokio::runtime::Handle,
    /// Taken at the end and shut down without waiting for blocked threads.
    owned: Mutex<Vec<tokio::runtime::Runtime>>,
}

struct Jobs {
    schedule: Schedule<Job>,
    over: bool,
}

/// What one thread is doing.
#[derive(Default)]
struct Slot(Mutex<SlotState>, Thread);

#[derive(Default)]
struct SlotState {
    busy: Option<(Duration, Label)>,
    /// Another thread has taken its place; the thread ends when its poll returns.
    replaced: bool,
    /// It was reported as blocked.
    reported: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks, and the data would be valid even then.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("threads", &self.shared.threads)
            .finish_non_exhaustive()
    }
}

fn runtime(name: &str, threads: usize) -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name(name)
        .enable_all()
        .build()
}

impl Pool {
    /// Starts `threads` threads (at least one) and the watchdog. A poll that takes longer than
    /// `patience` is reported as blocking.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(threads: usize, patience: Duration) -> std::io::Result<Self> {
        // The tasks and timers of handlers have a runtime of their own, so that they cannot hold up a
        // connection. The time limits of handlers have another one, so that bots cannot hold those up either.
        let tasks = runtime("bot-tasks", TASK_THREADS)?;
        let clock = runtime("bot-clock", 1)?;
        let threads = threads.max(1);
        let shared = Arc::new(Shared {
            jobs: Mutex::new(Jobs {
                // Half of them, so that a bot that computes without end leaves a core to everybody else.
                schedule: Schedule::new(threads / 2),
                over: false,
            }),
            quick: Condvar::new(),
            others: Condvar::new(),
            threads,
            patience,
            slots: Mutex::default(),
            tasks: tasks.handle().clone(),
            clock: clock.handle().clone(),
            owned: Mutex::new(vec![tasks, clock]),
        });
        for _ in 0..threads {
            shared.add_thread(None)?;
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

    /// Runs a future to its end. If its bot is parked, the future is dropped.
    pub(super) fn spawn(&self, label: Label, future: impl Future<Output = ()> + Send + 'static) {
        let shared = self.shared.clone();
        // The caller catches panics of the future; they must not end the thread in any case.
        let (runnable, task) = Builder::new()
            .metadata(label)
            .spawn(move |_| future, move |job: Job| shared.schedule(job));
        runnable.schedule();
        task.detach();
    }

    /// Waits for this time, however many threads handlers block.
    pub(super) fn sleep(&self, time: Duration) -> tokio::time::Sleep {
        let _clock = self.shared.clock.enter();
        tokio::time::sleep(time)
    }

    /// How many threads are blocked at the moment.
    #[must_use]
    pub fn blocked(&self) -> usize {
        lock(&self.shared.slots)
            .iter()
            .filter(|slot| lock(&slot.0).reported)
            .count()
    }

    /// Whether the bot is parked on this account because it kept blocking threads.
    pub(super) fn is_parked(&self, account: &Arc<str>, bot: &'static str) -> bool {
        let account = account.clone();
        lock(&self.shared.jobs)
            .schedule
            .is_parked(&LaneKey { account, bot })
    }

    /// The parked bots, each with its account.
    #[must_use]
    pub fn parked(&self) -> Vec<(String, &'static str)> {
        let jobs = lock(&self.shared.jobs);
        let parked = jobs.schedule.parked();
        parked
            .map(|lane| (lane.account.to_string(), lane.bot))
            .collect()
    }

    /// Lets the parked bots of an account run again, and returns their number.
    pub fn release(&self, account: &str) -> usize {
        lock(&self.shared.jobs).schedule.release(account)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        lock(&self.0.jobs).over = true;
        self.0.quick.notify_all();
        self.0.others.notify_all();
        for runtime in lock(&self.0.owned).drain(..) {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    fn schedule(self: &Arc<Self>, job: Job) {
        let lane = job.metadata().lane();
        let bot = lane.bot;
        let mut jobs = lock(&self.jobs);
        if jobs.over {
            return;
        }
        let pushed = jobs.schedule.push(lane, job);
        drop(jobs);
        match pushed {
            Ok(Pushed::Quick) => self.quick.notify_one(),
            Ok(Pushed::Slow) => self.others.notify_all(),
            Ok(Pushed::SlowThreadWanted) => self.add_slow_thread(bot),
            Err(parked) => drop(parked),
        }
    }

    fn add_slow_thread(self: &Arc<Self>, bot: &'static str) {
        if let Err(error) = self.add_thread(Some(bot)) {
            lock(&self.jobs).schedule.slow_thread_gone(bot);
            tracing::error!(%error, bot, "no thread for a bot that runs apart");
        }
    }

    /// Starts a thread; for one bot, or for all that are quick.
    fn add_thread(self: &Arc<Self>, bot: Option<&'static str>) -> std::io::Result<()> {
        let slot = Arc::new(Slot::default());
        let shared = self.clone();
        let own = slot.clone();
        lock(&self.slots).push(slot.clone());
        let name = if bot.is_some() { "bot-apart" } else { "bot" };
        let started = thread::Builder::new()
            .name(name.into())
            .stack_size(STACK)
            .spawn(move || {
                own.1.note();
                if bot.is_some() {
                    own.1.give_way();
                }
                let _context = shared.tasks.enter();
                while let Some((lane, job)) = shared.next(bot) {
                    if shared.run(&own, &lane, job) {
                        break;
                    }
                }
                lock(&shared.slots).retain(|other| !Arc::ptr_eq(other, &own));
            });
        if started.is_err() {
            lock(&self.slots).retain(|other| !Arc::ptr_eq(other, &slot));
        }
        started.map(drop)
    }

    /// Waits for the next job; `None` when the thread is no longer needed.
    fn next(&self, bot: Option<&'static str>) -> Option<(LaneKey, Job)> {
        let mut jobs = lock(&self.jobs);
        loop {
            if jobs.over {
                return None;
            }
            match bot {
                None => match jobs.schedule.next_quick() {
                    Some(next) => return Some(next),
                    None => {
                        jobs = self
                            .quick
                            .wait(jobs)
                            .unwrap_or_else(PoisonError::into_inner);
                    }
                },
                Some(bot) => match jobs.schedule.next_slow(bot) {
                    Some(next) => return Some(next),
                    None => {
                        let (waited, timeout) = self
                            .others
                            .wait_timeout(jobs, SLOW_IDLE)
                            .unwrap_or_else(PoisonError::into_inner);
                        jobs = waited;
                        if timeout.timed_out() {
                            if let Some(next) = jobs.schedule.next_slow(bot) {
                                return Some(next);
                            }
                            jobs.schedule.slow_thread_gone(bot);
                            return None;
                        }
                    }
                },
            }
        }
    }

    /// Polls a job once. `true` when another thread has taken the place of this one meanwhile.
    fn run(self: &Arc<Self>, slot: &Slot, lane: &LaneKey, job: Job) -> bool {
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
        let ended = now().mono;
        let held = ended.saturating_sub(began);
        let mut state = lock(&slot.0);
        state.busy = None;
        let (replaced, reported) = (state.replaced, std::mem::take(&mut state.reported));
        drop(state);
        if held >= SLOW {
            self.demote(ended, lane.bot, label.handler);
        }
        if reported {
            tracing::warn!(
                account = %label.account, bot = label.bot, handler = label.handler, blocked = ?held,
                "handler gave its thread back"
            );
        }
        replaced
    }

    /// A bot has held a thread for too long: from now on it runs on slow threads.
    fn demote(self: &Arc<Self>, at: Duration, bot: &'static str, handler: &'static str) {
        let mut jobs = lock(&self.jobs);
        let is_new = jobs.schedule.demote(at, bot);
        let wants = jobs.schedule.wants_slow_thread(bot);
        drop(jobs);
        if is_new {
            tracing::info!(
                bot,
                handler,
                "a handler held its thread for more than {SLOW:?}; the bot runs apart from the others for now"
            );
        }
        if wants {
            self.add_slow_thread(bot);
        }
    }

    fn watch(self: &Arc<Self>) {
        let mut looks = 0_u32;
        loop {
            let pause = if self.look() { LOOK } else { REST };
            let jobs = lock(&self.jobs);
            let (mut jobs, _) = self
                .others
                .wait_timeout_while(jobs, pause, |jobs| !jobs.over)
                .unwrap_or_else(PoisonError::into_inner);
            if jobs.over {
                return;
            }
            looks = looks.wrapping_add(1);
            if looks.is_multiple_of(64) {
                for bot in jobs.schedule.promote(now().mono) {
                    tracing::info!(
                        bot,
                        "the bot has not held a thread for a while; it runs with the others again"
                    );
                }
            }
        }
    }

    /// Looks at every thread. `true` when there is reason to look again soon.
    fn look(self: &Arc<Self>) -> bool {
        let at = now().mono;
        let slots = lock(&self.slots).clone();
        let mut busy = !lock(&self.jobs).schedule.is_idle();
        for slot in &slots {
            let mut state = lock(&slot.0);
            let Some((began, label)) = state.busy.clone() else {
                continue;
            };
            busy = true;
            let held = at.saturating_sub(began);
            if held < SLOW {
                continue;
            }
            let reports = held >= self.patience && !state.reported;
            state.reported |= reports;
            let is_apart = lock(&self.jobs).schedule.is_apart(label.bot);
            // A quick thread is replaced at once; one of a bot that runs apart only when it is stuck.
            let replaces = !state.replaced && (!is_apart || held >= STUCK);
            state.replaced |= replaces;
            drop(state);
            if replaces {
                // It served all bots until now; from now on it belongs to the bot that blocks it.
                slot.1.give_way();
            }
            if reports {
                self.blocks(at, &label);
            }
            if replaces {
                self.replace(at, &label, is_apart, slots.len());
            }
        }
        busy
    }

    /// A poll has held its thread for too long.
    fn blocks(&self, at: Duration, label: &Label) {
        let Label {
            account,
            bot,
            handler,
        } = label;
        tracing::error!(
            %account, bot, handler,
            "handler blocks its thread (use async calls, or spawn_blocking)"
        );
        let lost = lock(&self.jobs).schedule.offend(at, &label.lane());
        if lost.is_some() {
            tracing::error!(
                %account, bot,
                "the bot goes on blocking threads; it is parked on this account, and its messages stay unread: \
                 mend it, or let it run again with `botroupe release {account}`"
            );
        }
        drop(lost); // What waited is dropped here, outside the lock.
    }

    fn replace(self: &Arc<Self>, at: Duration, label: &Label, is_apart: bool, threads: usize) {
        if !is_apart {
            // It held a quick thread: that one is replaced, and the bot moves to slow threads.
            self.demote(at, label.bot, label.handler);
        }
        if threads >= MAX_THREADS {
            tracing::error!("{MAX_THREADS} bot threads are blocked; no more are started");
        } else if is_apart {
            let mut jobs = lock(&self.jobs);
            jobs.schedule.slow_thread_gone(label.bot);
            let wants = jobs.schedule.wants_slow_thread(label.bot);
            drop(jobs);
            if wants {
                self.add_slow_thread(label.bot);
            }
        } else if let Err(error) = self.add_thread(None) {
            tracing::error!(%error, "no thread to take over");
        }
    }
}

/// The system's ID of a thread.
#[derive(Default)]
struct Thread(#[cfg(target_os = "linux")] std::sync::OnceLock<rustix::process::Pid>);

impl Thread {
    /// Notes the current thread.
    fn note(&self) {
        #[cfg(target_os = "linux")]
        let _ = self.0.set(rustix::thread::gettid());
    }

    /// Lowers the thread's priority below every other thread of the process.
    fn give_way(&self) {
        // On Linux the nice value belongs to the thread. If it is not permitted, the thread keeps its priority.
        #[cfg(target_os = "linux")]
        if let Some(thread) = self.0.get() {
            let _ = rustix::process::setpriority_process(Some(*thread), NICE);
        }
    }
}
