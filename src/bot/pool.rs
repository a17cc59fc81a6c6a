//! The threads that run handlers, and the watchdog that looks after them.
//!
//! A handler of a bot that is trusted begins on the thread of its account; all others run on threads of their
//! own. [`Schedule`] decides which one runs next. The watchdog notices a poll that holds its thread for too
//! long: another thread takes over at once if jobs wait, and from then on the bot runs on threads of its own.
//! (Arbiters would tie every unfinished handler to the thread it started on: a neighbour waiting for its own
//! reply would be stuck with the culprit.)

use super::figures::BotFigures;
use super::isolation::{QUICK, Trust};
use super::schedule::{LaneKey, Pushed, SLOW, Schedule};
use crate::account::AccountName;
use crate::gateway::{Running, SystemThread, now};
use crate::proto::message::Conversation;
use crate::traces::Place;
use async_task::{Builder, Runnable};
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;
use tracing::Span;

/// The most threads, blocked ones included. Above it the watchdog only reports.
const MAX_THREADS: usize = 256;
/// How often the watchdog looks while handlers run, and while none does.
const LOOK: Duration = Duration::from_millis(10);
const REST: Duration = Duration::from_millis(250);
/// How old the count of what a thread was kept from may be when a poll begins.
const DELAY_AGE: Duration = Duration::from_millis(5);
/// A slow thread without work ends after this.
const SLOW_IDLE: Duration = Duration::from_secs(5);
/// A poll on a slow thread counts as stuck after this time; another thread takes its place.
const STUCK: Duration = Duration::from_secs(10);
/// Threads for the tasks and timers of handlers: several, so that a blocked one stops no timer.
const TASK_THREADS: usize = 8;
/// Stack size of a bot thread in bytes: handlers may nest deeply, and a stack overflow ends the process.
const STACK: usize = 8 << 20;
/// Names a job for the watchdog.
#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) account: AccountName,
    pub(super) bot: &'static str,
    pub(super) handler: &'static str,
    /// What the bot's polls have shown so far.
    pub(super) trust: Arc<Trust>,
}

impl Label {
    /// What handlers log is within it, so that a line of theirs says whose it is.
    pub(super) fn span(&self, place: Option<&Conversation>) -> Span {
        let (account, bot) = (&self.account, self.bot);
        match place {
            Some(place) => tracing::info_span!("handler", %account, bot, conversation = %place),
            None => tracing::info_span!("handler", %account, bot),
        }
    }

    /// What traces say of it.
    pub(super) fn place(&self) -> Place<'_> {
        Place {
            account: self.account.as_str(),
            bot: self.bot,
        }
    }

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
    /// Threads of accounts on which handlers have run.
    account_slots: Mutex<Vec<Weak<Slot>>>,
    trusts: Mutex<HashMap<&'static str, Arc<Trust>>>,
    /// How many bots are parked.
    parked: AtomicUsize,
    tasks: tokio::runtime::Handle,
    clock: tokio::runtime::Handle,
    /// Taken at the end and shut down without waiting for blocked threads.
    owned: Mutex<Vec<tokio::runtime::Runtime>>,
}

struct Jobs {
    schedule: Schedule<Job>,
    /// Quick threads that sleep, and how many of them were woken and do not run yet.
    sleeping: usize,
    woken: usize,
    over: bool,
}

impl Jobs {
    /// Whether a quick thread is to be woken. One at a time: it wakes the next when it finds more to do, so a
    /// burst does not pay for a wake-up per job.
    fn wakes_one(&mut self) -> bool {
        let wakes = self.sleeping > 0 && self.woken == 0;
        self.woken += usize::from(wakes);
        wakes
    }
}

thread_local! {
    /// The slot of this thread in a pool, if handlers have run in place here.
    static ACCOUNT_SLOT: RefCell<Option<(Weak<Shared>, Arc<Slot>)>> = const { RefCell::new(None) };
}

/// What one thread is doing.
#[derive(Default)]
struct Slot(Mutex<SlotState>, SystemThread);

#[derive(Default)]
struct SlotState {
    busy: Option<(Duration, Label)>,
    /// How long the thread had been kept from running, and when that was looked up.
    delay: Duration,
    delay_at: Duration,
    /// Another thread has taken its place; the thread ends when its poll returns.
    replaced: bool,
    /// It was reported as blocked.
    reported: bool,
}

impl Slot {
    /// A poll begins.
    fn begin(&self, at: Duration, label: &Label) {
        let mut state = lock(&self.0);
        if at.saturating_sub(state.delay_at) >= DELAY_AGE {
            state.delay = self.1.run_delay();
            state.delay_at = at;
        }
        state.busy = Some((at, label.clone()));
    }

    /// How long a poll has held the thread by itself: what a busy machine took from it does not count. `delay`
    /// was looked up before the poll.
    fn held(&self, delay: Duration, began: Duration, at: Duration) -> Duration {
        let held = at.saturating_sub(began);
        if held <= QUICK {
            return held;
        }
        held.saturating_sub(self.1.run_delay().saturating_sub(delay))
    }
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
                sleeping: 0,
                woken: 0,
                over: false,
            }),
            quick: Condvar::new(),
            others: Condvar::new(),
            threads,
            patience,
            slots: Mutex::default(),
            account_slots: Mutex::default(),
            trusts: Mutex::default(),
            parked: AtomicUsize::new(0),
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

    /// What the polls of a bot have shown so far, over all accounts.
    pub(super) fn trust(&self, bot: &'static str) -> Arc<Trust> {
        lock(&self.shared.trusts).entry(bot).or_default().clone()
    }

    /// Polls a handler on this thread, which carries accounts, under the eyes of the watchdog. What the handler
    /// starts runs where the tasks of handlers run. `None` if code of the bot panicked where nobody else catches
    /// it: in the text or the drop of an error.
    pub(super) fn in_place<T>(&self, label: &Label, poll: impl FnOnce() -> T) -> Option<T> {
        let slot = self.shared.account_slot();
        let _context = self.shared.tasks.enter();
        let began = now().mono;
        slot.begin(began, label);
        let handling = Running::handling(began);
        let polled = catch_unwind(AssertUnwindSafe(poll));
        drop(handling);
        let ended = now().mono;
        let mut state = lock(&slot.0);
        state.busy = None;
        let (reported, delay) = (std::mem::take(&mut state.reported), state.delay);
        drop(state);
        let held = slot.held(delay, began, ended);
        if held >= SLOW {
            lost_place(label);
        } else {
            label.trust.note(held);
        }
        if reported {
            gave_back(label, held);
        }
        polled.inspect_err(|_| panicked(label)).ok()
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
    pub(super) fn is_parked(&self, account: &AccountName, bot: &'static str) -> bool {
        if self.shared.parked.load(Ordering::Relaxed) == 0 {
            return false;
        }
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

    /// What the handlers of each bot have done that has run here.
    #[must_use]
    pub fn figures(&self) -> Vec<(&'static str, Arc<BotFigures>)> {
        let trusts = lock(&self.shared.trusts);
        let figures = trusts.iter();
        figures
            .map(|(bot, trust)| (*bot, trust.figures().clone()))
            .collect()
    }

    /// Lets the parked bots of an account run again, and returns their number.
    pub fn release(&self, account: &str) -> usize {
        let mut jobs = lock(&self.shared.jobs);
        let released = jobs.schedule.release(account);
        self.shared
            .parked
            .store(jobs.schedule.parked().count(), Ordering::Relaxed);
        released
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
        let wakes = matches!(pushed, Ok(Pushed::Quick)) && jobs.wakes_one();
        drop(jobs);
        match pushed {
            Ok(Pushed::Quick) => {
                if wakes {
                    self.quick.notify_one();
                }
            }
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
                while let Some((_, job)) = shared.next(bot) {
                    if shared.run(&own, bot.is_none(), job) {
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
                    Some(next) => {
                        if !jobs.schedule.is_idle() && jobs.wakes_one() {
                            self.quick.notify_one();
                        }
                        return Some(next);
                    }
                    None => {
                        jobs.sleeping += 1;
                        jobs = self
                            .quick
                            .wait(jobs)
                            .unwrap_or_else(PoisonError::into_inner);
                        jobs.sleeping -= 1;
                        jobs.woken = jobs.woken.saturating_sub(1);
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
    fn run(self: &Arc<Self>, slot: &Slot, is_quick: bool, job: Job) -> bool {
        let label = job.metadata().clone();
        let began = now().mono;
        slot.begin(began, &label);
        let outcome = catch_unwind(AssertUnwindSafe(|| job.run()));
        if outcome.is_err() {
            panicked(&label);
        }
        let ended = now().mono;
        let mut state = lock(&slot.0);
        state.busy = None;
        let (replaced, reported) = (state.replaced, std::mem::take(&mut state.reported));
        let delay = state.delay;
        drop(state);
        let held = slot.held(delay, began, ended);
        if held >= SLOW {
            self.demote(ended, &label);
        } else if is_quick {
            label.trust.note(held);
        }
        if reported {
            gave_back(&label, held);
        }
        replaced
    }

    /// A bot has held a thread for too long: from now on it runs on slow threads.
    fn demote(self: &Arc<Self>, at: Duration, label: &Label) {
        let Label {
            bot,
            handler,
            ref trust,
            ..
        } = *label;
        let _ = trust.lose();
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

    /// The slot of this thread, which carries accounts.
    fn account_slot(self: &Arc<Self>) -> Arc<Slot> {
        ACCOUNT_SLOT.with_borrow_mut(|known| {
            if let Some((pool, slot)) = known
                && std::ptr::eq(pool.as_ptr(), Arc::as_ptr(self))
            {
                return slot.clone();
            }
            let slot = Arc::new(Slot::default());
            slot.1.note();
            lock(&self.account_slots).push(Arc::downgrade(&slot));
            *known = Some((Arc::downgrade(self), slot.clone()));
            slot
        })
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
        busy |= self.look_at_accounts(at);
        for slot in &slots {
            let mut state = lock(&slot.0);
            let Some((began, label)) = state.busy.clone() else {
                continue;
            };
            busy = true;
            let held = slot.held(state.delay, began, at);
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

    /// Looks at the threads of accounts. A bot that holds one for long does not begin there any more; the
    /// supervisor moves the accounts when it does not come back.
    fn look_at_accounts(self: &Arc<Self>, at: Duration) -> bool {
        let mut busy = false;
        let mut slots = lock(&self.account_slots);
        slots.retain(|slot| slot.strong_count() > 0);
        let slots = slots.clone();
        for slot in slots.iter().filter_map(Weak::upgrade) {
            let mut state = lock(&slot.0);
            let Some((began, label)) = state.busy.clone() else {
                continue;
            };
            busy = true;
            let held = slot.held(state.delay, began, at);
            let reports = held >= self.patience && !state.reported;
            state.reported |= reports;
            drop(state);
            if held >= SLOW {
                lost_place(&label);
            }
            if reports {
                self.blocks(at, &label);
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
            ..
        } = label;
        tracing::error!(
            %account, bot, handler,
            "handler blocks its thread (use async calls, or spawn_blocking)"
        );
        let mut jobs = lock(&self.jobs);
        let lost = jobs.schedule.offend(at, &label.lane());
        self.parked
            .store(jobs.schedule.parked().count(), Ordering::Relaxed);
        drop(jobs);
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
            self.demote(at, label);
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

/// A handler has held the thread of its account for too long. On threads of its own the bot harms nobody, and can
/// earn its place again: one slow poll may have been the machine's fault.
fn lost_place(label: &Label) {
    if label.trust.lose() {
        tracing::info!(
            account = %label.account, bot = label.bot, handler = label.handler,
            "a handler held the thread of its account for more than {SLOW:?}; the bot runs on threads of its own \
             until it has shown again that it is quick"
        );
    }
}

fn panicked(label: &Label) {
    tracing::error!(
        account = %label.account, bot = label.bot, handler = label.handler,
        "the bot panicked outside of its handler: in the text or the drop of what it made"
    );
}

fn gave_back(label: &Label, held: Duration) {
    tracing::warn!(
        account = %label.account, bot = label.bot, handler = label.handler, blocked = ?held,
        "handler gave its thread back"
    );
}
