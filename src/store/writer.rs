//! The thread that writes.

use super::audit::Deed;
use super::backend::{Backend, Batch, Failure, Figures, Place, Writer};
use super::clock::{PruneClock, Retention, now, unix_now};
use super::condition::{Cause, Condition, Trouble};
use super::error::StoreError;
use super::pending::PendingCells;
use super::{StoreConfig, Usage};
use crate::proto::id::{SdkAppId, UserId};
use botroupe_core::ledger::{AccountNo, Boundary, Cell, CellKey, Change, Horizon, pass};
use std::collections::HashMap;
use std::fmt;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// So many lists are written without waiting for more.
const FULL: usize = 256;
/// The most lists of one transaction.
const LISTS: usize = 4_096;
/// The first and the longest wait before a failed write is tried again.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How often a trouble that stays is logged.
const REMIND: Duration = Duration::from_secs(60);
/// How often it is pruned.
const PRUNE: Duration = Duration::from_secs(60);
/// How old the oldest letter in [`Condition`] may be.
const FRESH: Duration = Duration::from_secs(1);

/// Something for the writer that is no change.
#[derive(Debug)]
pub(super) enum Order {
    Accounts {
        app: SdkAppId,
        users: Vec<UserId>,
        reply: SyncSender<Result<Vec<AccountNo>, Failure>>,
    },
    BackedUp(u64),
    /// Something was ordered.
    Audit {
        deed: Deed,
        reply: oneshot::Sender<Result<(), Failure>>,
    },
    /// Everything, now.
    Prune {
        reply: SyncSender<Result<(), Failure>>,
    },
}

/// The clocks that a store goes by.
#[derive(Clone)]
pub(super) struct Clocks {
    /// The system's, in Unix seconds.
    pub(super) wall: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// That of the process.
    pub(super) run: Arc<dyn Fn() -> Duration + Send + Sync>,
    /// How often it is pruned, and the waits after failures.
    pub(super) prune: Duration,
    pub(super) back_off: (Duration, Duration),
}

impl Default for Clocks {
    fn default() -> Self {
        let start = now();
        Self {
            wall: Arc::new(unix_now),
            run: Arc::new(move || start.elapsed()),
            prune: PRUNE,
            back_off: BACK_OFF,
        }
    }
}

impl fmt::Debug for Clocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clocks")
    }
}

/// What the writer shares with everybody else.
#[derive(Debug)]
pub(super) struct Shared {
    queue: Mutex<Queue>,
    /// There is something to do for a writer that waits.
    work: Condvar,
    /// Apart from the queue, so that whoever looks does not hold up those who submit.
    view: Mutex<View>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Batch>,
    /// How many lists were submitted so far.
    submitted: u64,
    /// What the writer is at.
    writing: Arc<Vec<Batch>>,
    cells: PendingCells,
    orders: Vec<Order>,
    /// The writer waits for lack of work.
    is_idle: bool,
    /// It ends when everything is written, at this time at the latest.
    closing: Option<Instant>,
    is_closed: bool,
}

#[derive(Debug, Default)]
struct View {
    figures: Figures,
    oldest: Option<(u64, u64)>,
    usage: HashMap<Box<str>, Usage>,
    writing: Option<Trouble>,
    reading: Option<Trouble>,
}

impl Shared {
    pub(super) fn new(writer: &dyn Writer) -> Self {
        let view = View {
            figures: writer.figures(),
            usage: writer.usage(),
            ..View::default()
        };
        Self {
            queue: Mutex::default(),
            work: Condvar::new(),
            view: Mutex::new(view),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing in it is ever half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn submit(&self, batch: Batch) {
        let mut queue = self.queue();
        if queue.is_closed {
            return;
        }
        queue.submitted += 1;
        let list = queue.submitted;
        queue.cells.note(list, &batch.changes);
        queue.waiting.push(batch);
        let is_full = queue.waiting.len() == FULL;
        let wake = std::mem::take(&mut queue.is_idle) || is_full;
        drop(queue);
        if wake {
            self.work.notify_one();
        }
    }

    pub(super) fn order(&self, order: Order) {
        let mut queue = self.queue();
        if !queue.is_closed {
            queue.orders.push(order);
            drop(queue);
            self.work.notify_one();
        }
    }

    pub(super) fn close(&self, until: Instant) {
        let mut queue = self.queue();
        queue.closing.get_or_insert(until);
        drop(queue);
        self.work.notify_one();
    }

    /// Collects from what is not on disk yet, in the order in which it was submitted.
    pub(super) fn waiting(
        &self,
        mut collect: impl FnMut(&[Batch], &mut Vec<Change>),
    ) -> Vec<Change> {
        let mut found = Vec::new();
        let mut late = Vec::new();
        let queue = self.queue();
        let writing = Arc::clone(&queue.writing);
        collect(&queue.waiting, &mut late);
        drop(queue);
        collect(&writing, &mut found);
        found.append(&mut late);
        found
    }

    pub(super) fn cell(&self, key: &CellKey) -> Option<Option<Cell>> {
        self.queue().cells.get(key).cloned()
    }

    pub(super) fn usage(&self, bot: &str) -> Usage {
        self.view().usage.get(bot).copied().unwrap_or_default()
    }

    /// Damage and failures of the disk that reading has met.
    pub(super) fn note_read<T>(&self, found: &Result<T, StoreError>) {
        match found {
            Ok(_) => {
                let mut view = self.view();
                // What is damaged stays so, wherever else reading succeeds.
                if view
                    .reading
                    .as_ref()
                    .is_some_and(|it| it.cause != Cause::Corrupt)
                {
                    view.reading = None;
                }
            }
            Err(StoreError::Failed { cause, text }) => {
                let mut view = self.view();
                if view.reading.is_none() {
                    tracing::warn!(%cause, text, remedy = cause.remedy(), "cannot read the store");
                    view.reading = Some(Trouble {
                        cause: *cause,
                        text: text.clone(),
                        since: unix_now(),
                    });
                }
            }
            Err(_) => {}
        }
    }

    pub(super) fn condition(&self) -> Condition {
        let waiting = {
            let queue = self.queue();
            queue.waiting.len() + queue.writing.len()
        };
        let view = self.view();
        Condition {
            trouble: view.writing.clone().or_else(|| view.reading.clone()),
            waiting,
            oldest: view.oldest,
            counts: view.figures.counts,
            backed_up: view.figures.backed_up,
            ..Condition::default()
        }
    }

    fn publish(&self, figures: Figures, changed: Vec<(Box<str>, Usage)>) {
        let mut view = self.view();
        view.figures = figures;
        for (bot, usage) in changed {
            if usage.count == 0 {
                view.usage.remove(&bot);
            } else {
                view.usage.insert(bot, usage);
            }
        }
    }
}

/// What the thread knows.
#[derive(Debug)]
pub(super) struct Writing {
    shared: Arc<Shared>,
    backend: Arc<dyn Backend>,
    /// `None` after a failure that left it in doubt.
    writer: Option<Box<dyn Writer>>,
    delay: Duration,
    keep: Retention,
    /// How long it is kept what people have ordered.
    keep_audit: Option<Duration>,
    clocks: Clocks,
    clock: PruneClock,
    /// Up to when an account's messages are read.
    read: HashMap<AccountNo, u64>,
    place: Place,
    horizon: Horizon,
    pruned: Instant,
    last_commit: Option<Instant>,
    /// No letter of a smaller number is to be sent.
    settled: u64,
    looked: Option<Instant>,
    reminded: Instant,
}

impl fmt::Debug for dyn Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

/// What there is to do.
enum Task {
    Write(Arc<Vec<Batch>>, u64),
    Orders(Vec<Order>),
    /// Nothing that is urgent.
    Tidy,
    End,
}

impl Writing {
    pub(super) fn new(
        shared: Arc<Shared>,
        backend: Arc<dyn Backend>,
        writer: Box<dyn Writer>,
        config: &StoreConfig,
        clocks: Clocks,
    ) -> Self {
        let figures = writer.figures();
        let clock = PruneClock::new(
            (clocks.wall)(),
            (clocks.run)(),
            figures.last_at,
            figures.last,
        );
        Self {
            shared,
            backend,
            writer: Some(writer),
            delay: config.delay,
            keep_audit: config.keep_audit,
            keep: Retention {
                read: config.read,
                handled: config.handled,
                keys: config.keys,
                dead_letters: config.dead_letters,
            },
            clock,
            clocks,
            read: HashMap::new(),
            place: Place::Done,
            horizon: Horizon::default(),
            pruned: now(),
            last_commit: None,
            settled: 0,
            looked: None,
            reminded: now(),
        }
    }

    pub(super) fn run(mut self) {
        self.look();
        loop {
            match self.next() {
                Task::Write(batches, list) => self.write(batches, list),
                Task::Orders(orders) => orders.into_iter().for_each(|order| self.obey(order)),
                Task::Tidy => self.tidy(),
                Task::End => break,
            }
        }
        let mut queue = self.shared.queue();
        queue.is_closed = true;
        let left = queue.waiting.len();
        queue.waiting = Vec::new();
        queue.orders = Vec::new();
        drop(queue);
        if left > 0 {
            tracing::error!(
                lists = left,
                "closed the store although not everything is written; what it was about comes again"
            );
        }
        if let Some(mut writer) = self.writer
            && let Err(failure) = writer.finish()
        {
            tracing::debug!(text = failure.text, "the log of the store stays beside it");
        }
    }

    /// Waits for something to do.
    fn next(&mut self) -> Task {
        let mut queue = self.shared.queue();
        loop {
            if queue.is_closed {
                return Task::End;
            }
            if !queue.orders.is_empty() {
                return Task::Orders(std::mem::take(&mut queue.orders));
            }
            let now = now();
            let wait = if queue.waiting.is_empty() {
                if queue.closing.is_some() {
                    return Task::End;
                }
                match self.idle_for(now) {
                    Some(wait) => {
                        queue.is_idle = true;
                        wait
                    }
                    None => return Task::Tidy,
                }
            } else {
                let due = self.last_commit.map(|last| last + self.delay);
                let wait = due.map_or(Duration::ZERO, |due| due.saturating_duration_since(now));
                if wait.is_zero() || queue.waiting.len() >= FULL || queue.closing.is_some() {
                    return Self::take(&mut queue);
                }
                wait
            };
            queue = self
                .shared
                .work
                .wait_timeout(queue, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            queue.is_idle = false;
        }
    }

    fn take(queue: &mut Queue) -> Task {
        let mut batches = std::mem::take(&mut queue.waiting);
        if batches.len() > LISTS {
            queue.waiting = batches.split_off(LISTS);
        }
        let list = queue.submitted - queue.waiting.len() as u64;
        let batches = Arc::new(batches);
        queue.writing = Arc::clone(&batches);
        Task::Write(batches, list)
    }

    /// How long nothing has to be done; `None` if something has.
    fn idle_for(&self, now: Instant) -> Option<Duration> {
        let wait = if self.place == Place::Done {
            (self.pruned + self.clocks.prune).saturating_duration_since(now)
        } else {
            Duration::ZERO
        };
        let look = self.looked.map_or(wait, |looked| {
            (looked + FRESH).saturating_duration_since(now)
        });
        let wait = wait.min(look);
        (!wait.is_zero()).then_some(wait)
    }

    /// Writes lists until it succeeds, or until there is no more time for it.
    fn write(&mut self, batches: Arc<Vec<Batch>>, list: u64) {
        let mut wait = self.clocks.back_off.0;
        let changed = loop {
            pass(Boundary::Writing);
            match self.attempt(|writer| writer.write(&batches)) {
                Ok(changed) => break changed,
                Err(failure) => self.suffer(failure),
            }
            if !self.pause(wait) {
                // Into the queue again, to be counted.
                let mut queue = self.shared.queue();
                queue.writing = Arc::default();
                queue.is_closed = true;
                drop(queue);
                tracing::error!(
                    lists = batches.len(),
                    "closed the store although these are not written; what they were about comes again"
                );
                return;
            }
            wait = (wait * 2).min(self.clocks.back_off.1);
        };
        self.last_commit = Some(now());
        self.recover();
        for change in batches.iter().flat_map(|batch| &batch.changes) {
            match change {
                Change::Read { account, until } => {
                    let read = self.read.entry(*account).or_default();
                    *read = (*read).max(*until);
                }
                Change::Queued(letter) => self.settled = self.settled.min(letter.number),
                Change::Retried { number } => self.settled = self.settled.min(*number),
                _ => {}
            }
        }
        if let Some(writer) = &self.writer {
            self.shared.publish(writer.figures(), changed);
        }
        let mut queue = self.shared.queue();
        queue.writing = Arc::default();
        queue.cells.settle(list);
        drop(queue);
        pass(Boundary::Committed);
        for done in batches.iter().filter_map(|batch| batch.done.as_ref()) {
            done.sink.committed(done.batch);
        }
        pass(Boundary::Told);
        drop(batches);
        self.looked.get_or_insert_with(now);
        if self.is_tidying_due() {
            self.tidy();
        }
    }

    /// Runs a request on a connection that can be believed.
    fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Writer) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(self.backend.writer(true)?),
        };
        let done = work(&mut **writer);
        if let Err(failure) = &done
            && !matches!(failure.cause, Cause::Full | Cause::Busy)
        {
            self.writer = None;
        }
        done
    }

    /// Says that something is wrong: at once, and once a minute.
    fn suffer(&mut self, failure: Failure) {
        let Failure { cause, text } = failure;
        let now = now();
        let mut view = self.shared.view();
        let is_new = view
            .writing
            .as_ref()
            .is_none_or(|before| before.cause != cause);
        let since = match &view.writing {
            Some(before) => before.since,
            None => (self.clocks.wall)(),
        };
        view.writing = Some(Trouble {
            cause,
            text: text.clone(),
            since,
        });
        drop(view);
        if is_new || now.duration_since(self.reminded) >= REMIND {
            self.reminded = now;
            let waiting = self.shared.condition().waiting;
            tracing::warn!(%cause, text, waiting, remedy = cause.remedy(), "cannot write to the store");
        }
    }

    fn recover(&mut self) {
        let mut view = self.shared.view();
        if let Some(before) = view.writing.take() {
            drop(view);
            let since = (self.clocks.wall)().saturating_sub(before.since);
            tracing::warn!(cause = %before.cause, seconds = since, "the store is written to again");
        }
    }

    /// Waits before another attempt. Returns false when there is no more time for one.
    fn pause(&self, wait: Duration) -> bool {
        let until = now() + wait;
        let mut queue = self.shared.queue();
        loop {
            let now = now();
            let end = queue.closing.map_or(until, |closing| closing.min(until));
            if now >= end {
                return queue.closing.is_none_or(|closing| now < closing);
            }
            queue = self
                .shared
                .work
                .wait_timeout(queue, end - now)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Accounts { app, users, reply } => {
                let numbers = self.attempt(|writer| writer.accounts(app, &users));
                // Whoever asked may have gone.
                let _ = reply.send(numbers);
            }
            Order::Audit { deed, reply } => {
                let written = self.attempt(|writer| writer.audit(&deed));
                // Whoever asked may have gone.
                let _ = reply.send(written);
            }
            Order::Prune { reply } => {
                let horizon = self.keep.horizon((self.clocks.wall)(), 0);
                let mut place = Place::Handled(0);
                let mut pruned = Ok(());
                while pruned.is_ok() && place != Place::Done {
                    pruned = self.prune(&horizon, &mut place);
                }
                if pruned.is_ok() {
                    pruned = self.prune_audit(&horizon);
                }
                let _ = reply.send(pruned);
            }
            Order::BackedUp(at) => {
                if let Err(failure) = self.attempt(|writer| writer.backed_up(at)) {
                    tracing::debug!(text = failure.text, "the time of the back-up is not kept");
                }
                if let Some(writer) = &self.writer {
                    self.shared.publish(writer.figures(), Vec::new());
                }
            }
        }
    }

    fn is_tidying_due(&self) -> bool {
        let now = now();
        self.place != Place::Done
            || now.duration_since(self.pruned) >= self.clocks.prune
            || self
                .looked
                .is_some_and(|looked| now.duration_since(looked) >= FRESH)
    }

    /// Prunes one slice, and finds the oldest letter. A failure waits for the next time: if it matters, writing
    /// meets it as well.
    fn tidy(&mut self) {
        if self.looked.is_some_and(|looked| looked.elapsed() >= FRESH) {
            self.look();
        }
        if self.place == Place::Done {
            if self.pruned.elapsed() < self.clocks.prune {
                return;
            }
            self.pruned = now();
            let newest = self.shared.view().figures.last;
            let (wall, run) = ((self.clocks.wall)(), (self.clocks.run)());
            self.horizon = self.clock.horizon(wall, run, newest, &self.keep);
            self.place = Place::Handled(0);
        }
        let (horizon, mut place) = (self.horizon, self.place);
        match self.prune(&horizon, &mut place) {
            Ok(()) => {
                self.place = place;
                if place == Place::Done
                    && let Err(failure) = self.prune_audit(&horizon)
                {
                    tracing::debug!(text = failure.text, "cannot prune the audit");
                }
            }
            Err(failure) => {
                self.place = Place::Done;
                tracing::debug!(text = failure.text, "cannot prune the store");
                if failure.cause == Cause::Corrupt {
                    // Nobody else may come by that page.
                    self.shared.note_read::<()>(&Err(failure.into()));
                }
            }
        }
    }

    /// Prunes what people have ordered, of whole days, so that what is written down about it is little.
    fn prune_audit(&mut self, horizon: &Horizon) -> Result<(), Failure> {
        /// In seconds.
        const DAY: u64 = 24 * 3600;
        let Some(keep) = self.keep_audit else {
            return Ok(());
        };
        let before = horizon.now.saturating_sub(keep.as_secs()) / DAY * DAY;
        self.attempt(|writer| writer.prune_audit(before, horizon.now))
    }

    /// Prunes one slice.
    fn prune(&mut self, horizon: &Horizon, place: &mut Place) -> Result<(), Failure> {
        let read = std::mem::take(&mut self.read);
        let pruned = self.attempt(|writer| writer.prune(horizon, &read, place));
        self.read = read;
        let changed = pruned?;
        if let Some(writer) = &self.writer {
            self.shared.publish(writer.figures(), changed);
        }
        Ok(())
    }

    /// Finds the oldest letter that is to be sent.
    fn look(&mut self) {
        self.looked = None;
        let from = self.settled;
        let Ok(oldest) = self.attempt(|writer| writer.unsettled(from)) else {
            return;
        };
        self.settled = oldest.map_or(u64::MAX, |(number, _)| number);
        self.shared.view().oldest = oldest;
    }
}
