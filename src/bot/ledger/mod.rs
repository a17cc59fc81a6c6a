//! The ledger of an account: what its bots did and what they want sent, kept by the [`Store`].
//!
//! A handler that ends is written down in one transaction: its message is handled, its answers are to be sent,
//! its values are changed. Only then are the answers sent and is the message reported as read. So a crash at any
//! moment leaves either a message that comes again, or answers that the next process sends.
//!
//! The ledger outlives the hosts and the actors of its account. With a store in memory, answers and handled messages
//! are on no ledger; callers' keys, results and values are, and end with the process.

mod alarms;
mod book;
mod dialogues;
mod exchange;
mod letters;
mod shelf;

pub(super) use book::{Known, Outcome, Posting, Written};
pub use dialogues::{DropDialogueError, OpenDialogue, Question};
use exchange::Locks;
pub(super) use exchange::{Exchange, Owner, cell_key, effect_of_part};
pub use shelf::Shelf;

use super::api::ApiError;
use super::host::Host;
use super::lines::Job;
use crate::account::{AccountHandle, AccountName, OutboxError};
use crate::bot::dialogue::Waiting;
use crate::bot::timer::Alarms;
use crate::gateway::Clock;
use crate::policy::Now;
use crate::proto::answer::Sent;
use crate::proto::message::{Conversation, Draft, MessageKey};
use crate::store::{Done, Sink, Store};
use book::Book;
use botroupe_core::ledger::{
    AccountNo, Boundary, Change, Ended, Letter, LetterState, Record, Recovered, SpillLine, Spilled,
    exchange, pass,
};
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};

/// How long the store may not know that a letter was sent.
const STRIKE: Duration = Duration::from_secs(1);

/// See the module.
pub struct Ledger {
    me: Weak<Self>,
    shelf: Arc<Shelf>,
    number: AccountNo,
    account: AccountHandle,
    /// `None` while there is nothing on it: most accounts are silent for long.
    book: Mutex<Option<Box<Book>>>,
    /// An earlier process has left letters.
    had_letters: bool,
    /// `None` before the first.
    host: Mutex<Option<Weak<Host>>>,
    room: OnceLock<Box<Semaphore>>,
    /// `None` while no alarm is set.
    alarms: Mutex<Option<Box<Alarms>>>,
    /// `None` while no dialogue waits.
    dialogues: Mutex<Option<Box<Waiting>>>,
    /// How many letters with a caller's key have met their end: they are in the store only from then on.
    ended_keys: AtomicU32,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("account", self.account.user())
            .finish_non_exhaustive()
    }
}

/// A handler that has ended.
pub(super) struct Finished {
    pub(super) job: Job,
    pub(super) handler: &'static str,
    pub(super) bot: &'static str,
    /// The bots that do not get the messages because this one has answered them.
    pub(super) also: Vec<(&'static str, u64)>,
    /// Its answers, with their keys.
    pub(super) answers: Vec<(Conversation, Draft, MessageKey)>,
    /// What it did besides.
    pub(super) exchange: Option<Arc<Exchange>>,
    /// Whether it succeeded: otherwise its values stay as they were.
    pub(super) succeeded: bool,
}

impl Ledger {
    /// The ledger of the account that the store knows by this number.
    #[must_use]
    pub fn new(
        shelf: Arc<Shelf>,
        number: AccountNo,
        account: AccountHandle,
        found: Recovered,
    ) -> Arc<Self> {
        let waiting = Waiting::recovered(&found.cells);
        let alarms = Alarms::recovered(&found.cells);
        let is_empty =
            found.handled.is_empty() && found.letters.is_empty() && found.records.is_empty();
        let had_letters = !found.letters.is_empty();
        let book = (!is_empty).then(|| Box::new(Book::recovered(found)));
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            shelf,
            number,
            account,
            book: Mutex::new(book),
            had_letters,
            host: Mutex::default(),
            room: OnceLock::new(),
            alarms: Mutex::new((!alarms.is_empty()).then(|| Box::new(alarms))),
            dialogues: Mutex::new((!waiting.is_empty()).then(|| Box::new(waiting))),
            ended_keys: AtomicU32::new(0),
        })
    }

    /// A ledger that keeps values in memory.
    #[must_use]
    pub fn in_memory(account: AccountHandle) -> Arc<Self> {
        Self::new(
            Shelf::new(Store::memory(), u64::MAX),
            AccountNo(0),
            account,
            Recovered::default(),
        )
    }

    pub(super) fn is_durable(&self) -> bool {
        self.shelf.store().is_durable()
    }

    pub(super) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    pub(crate) fn account(&self) -> &AccountName {
        self.account.name()
    }

    pub(super) const fn number(&self) -> AccountNo {
        self.number
    }

    fn book(&self) -> MutexGuard<'_, Option<Box<Book>>> {
        // Nothing panics while holding it.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time.
    pub(super) fn now(&self) -> Now {
        self.shelf.now()
    }

    /// The clock.
    pub(super) fn clock(&self) -> &Clock {
        self.shelf.clock()
    }

    fn times(&self) -> (u64, u64) {
        let now = self.now();
        (now.unix_secs(), self.account.service_time(now))
    }

    // ── for the host ─────────────────────────────────────────────────────────────────────────

    /// This host speaks for the account's bots from now on.
    pub(super) fn attach(&self, host: &Weak<Host>) {
        let mut slot = self.host.lock().unwrap_or_else(PoisonError::into_inner);
        let before = slot.replace(host.clone());
        drop(slot);
        if before.is_some()
            && let Some(book) = &mut *self.book()
        {
            book.host_replaced();
        }
        self.with_dialogues(Waiting::again);
        self.with_alarms(Alarms::again);
    }

    /// Whether a bot is done with a message, of which the `id` is given.
    pub(super) fn is_handled(&self, bot: &str, id: u64) -> bool {
        let book = self.book();
        let book = book.as_ref();
        book.is_some_and(|book| book.is_handled(exchange(bot, id)))
    }

    /// Whether nothing is on its way to the host or to the account.
    pub(super) fn is_idle(&self) -> bool {
        self.book().as_ref().is_none_or(|book| book.is_quiet())
    }

    /// The next thing that was written down.
    pub(super) fn poll_written(&self) -> Option<Written> {
        let mut slot = self.book();
        let book = slot.as_mut()?;
        let written = book.poll_written();
        if written.is_none() && book.is_empty() {
            *slot = None;
        }
        written
    }

    /// Writes down that a handler has ended; the host is told when that is done, and finds it with
    /// [`poll_written`](Self::poll_written).
    pub(super) fn finish(&self, finished: Finished) {
        let Finished {
            job,
            handler,
            bot,
            also,
            answers,
            exchange: done,
            succeeded,
        } = finished;
        pass(Boundary::Finished);
        let (at, service_time) = self.times();
        let mut changes = Vec::with_capacity(3 + answers.len());
        let mut locks = Locks::default();
        let mut slot = self.book();
        let book = slot.get_or_insert_default();
        let own = job.ids().map(|message| (bot, message));
        for (bot, message) in own.chain(also) {
            let exchange = exchange(bot, message);
            book.handled(exchange);
            changes.push(Change::Handled {
                number: self.shelf.store().next_number(),
                account: self.number,
                exchange,
                at,
            });
        }
        changes.extend(book.take_struck(Duration::MAX));
        let mut postings = Vec::with_capacity(answers.len());
        for (to, draft, key) in answers {
            let number = self.shelf.store().next_number();
            let posting = Posting {
                number,
                bot: bot.into(),
                to,
                draft: Arc::new(draft),
                key,
                sent_since: None,
                service_time,
            };
            changes.push(self.queued(&posting, at, None, false));
            book.letter(posting.clone(), None, false);
            postings.push(posting);
        }
        if let Some(done) = done {
            let closed = done.close();
            book.steps_over(closed.steps, &mut changes);
            if succeeded {
                changes.extend(closed.writes);
            }
            changes.extend(closed.always);
            locks = closed.locks;
        }
        let written = Written::Handler {
            job,
            handler,
            answers: postings,
        };
        let batch = book.writes(written);
        let is_written = self.submit(book, changes, batch);
        drop(slot);
        // Whoever waited for a value now reads what was written.
        drop(locks);
        pass(Boundary::Submitted);
        if is_written {
            self.tell_host();
        }
    }

    /// Writes down what a handler of something other than a message did.
    pub(super) fn close(&self, exchange: &Exchange, succeeded: bool) {
        let closed = exchange.close();
        let mut changes = Vec::new();
        let mut slot = self.book();
        if let Some(book) = slot.as_mut() {
            book.steps_over(closed.steps, &mut changes);
        }
        if succeeded {
            changes.extend(closed.writes);
        }
        changes.extend(closed.always);
        if !changes.is_empty() {
            self.shelf.store().submit(changes, None);
        }
        // Whoever waited for a value now reads what was written.
        drop(closed.locks);
    }

    /// A message cannot come again in this process: all of its `bots` are done with it, and the account knows.
    pub(super) fn is_over<'a>(&self, bots: impl Iterator<Item = &'a str>, message: u64) {
        if let Some(book) = &mut *self.book() {
            for bot in bots {
                book.is_over(exchange(bot, message));
            }
        }
    }

    /// Writes down what the server does not keep and the bots have no room for.
    pub(super) fn spill(&self, line: SpillLine, body: Box<str>) {
        let store = self.shelf.store();
        let spilled = Spilled {
            number: store.next_number(),
            account: self.number,
            line,
            body,
            at: self.now().unix_secs(),
        };
        store.submit(vec![Change::Spilled(Box::new(spilled))], None);
    }

    /// What comes first in a line after a number; `None` when it cannot be read, which the store tells.
    pub(super) fn read_spill(
        &self,
        line: SpillLine,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Option<Vec<Spilled>>> + Send + use<> {
        let (store, account) = (self.shelf.store().clone(), self.number);
        async move { store.spilled(account, line, after, limit).await.ok() }
    }

    /// What was spilled under this number need not be kept any more. That the bots are done with it was written down
    /// before, so that a crash in between has nothing handled twice.
    pub(super) fn unspill(&self, number: u64) {
        let change = Change::Unspilled { number };
        self.shelf.store().submit(vec![change], None);
    }

    /// Whether somebody waits for the outcome of a letter.
    pub(super) fn is_awaited(&self, letter: u64) -> bool {
        let mut book = self.book();
        book.as_mut().is_some_and(|book| book.is_awaited(letter))
    }

    /// A letter has met its end. One that is unknown is forgotten if the bot `drops` such.
    pub(super) fn settled(&self, letter: u64, outcome: Result<String, OutboxError>, drops: bool) {
        pass(Boundary::Settling);
        let (at, _) = self.times();
        let is_unknown = matches!(
            &outcome,
            Err(OutboxError::Unknown(_) | OutboxError::Expired(_))
        );
        if is_unknown {
            self.account.note_unknown();
        }
        let mut slot = self.book();
        if slot.as_ref().is_some_and(|book| book.lasts(letter)) {
            self.ended_keys.fetch_add(1, Ordering::AcqRel);
        }
        let change = slot.as_mut().and_then(|book| {
            // Nobody looks at the answers to most.
            let is_wanted = book.is_answer_wanted(letter);
            let outcome = outcome.map(|answer| match is_wanted {
                true => serde_json::from_str(&answer).unwrap_or_default(),
                false => Sent::default(),
            });
            book.settled(letter, outcome, (at, drops))
        });
        if let Some(change) = change {
            match (&change, slot.as_mut()) {
                // One more thing for the next list: nothing waits for it.
                (
                    Change::Ended {
                        ended: Ended::Sent, ..
                    },
                    Some(book),
                ) => book.strike(self.now().mono, change),
                _ => drop(self.shelf.store().submit(vec![change], None)),
            }
            pass(Boundary::Settled);
        }
        if slot.as_ref().is_some_and(|book| book.is_empty()) {
            *slot = None;
        }
    }

    /// Tells the store of letters that were sent some time ago.
    pub(super) fn strike_out(&self, now: Duration) {
        self.strike(now.saturating_sub(STRIKE));
    }

    /// Tells the store of everything.
    pub(super) fn flush(&self) {
        self.strike(Duration::MAX);
    }

    fn strike(&self, until: Duration) {
        let mut slot = self.book();
        let Some(book) = slot.as_mut() else {
            return;
        };
        let struck = book.take_struck(until);
        if book.is_empty() {
            *slot = None;
        }
        drop(slot);
        if !struck.is_empty() {
            self.shelf.store().submit(struck, None);
        }
    }

    /// Everything that the bots had handled up to now is known as read.
    pub(super) fn all_read(&self) {
        // An answer under way holds its message back: it was handled and is not read.
        let is_quiet = self.book().as_ref().is_none_or(|book| book.is_quiet());
        if self.is_durable() && is_quiet {
            let read = Change::Read {
                account: self.number,
                until: self.now().unix_secs(),
            };
            self.shelf.store().submit(vec![read], None);
        }
    }

    /// A letter that had failed is to be sent after all.
    pub fn retry(&self, letter: Letter) {
        let number = letter.number;
        let mut slot = self.book();
        let book = slot.get_or_insert_default();
        if let Some(posting) = book.retried(letter) {
            let batch = book.writes(Written::Letter(posting));
            if self.submit(book, vec![Change::Retried { number }], batch) {
                drop(slot);
                self.tell_host();
            }
        }
    }

    // ── for handlers ─────────────────────────────────────────────────────────────────────────

    /// The result that was recorded of an effect, as JSON.
    pub(super) async fn result(
        &self,
        owner: &Owner,
        effect: u64,
        lasting: bool,
    ) -> Result<Option<Box<str>>, ApiError> {
        let known = self.book().as_mut().and_then(|book| book.known(effect));
        if let Some(Known::Result(number, value)) = known {
            owner.recorded(number);
            return Ok(Some(value));
        }
        if !lasting {
            return Ok(None);
        }
        let found = self.shelf.store().record_of(self.number, effect).await?;
        Ok(found.map(|record| record.value))
    }

    /// Records a result, for good if it is `lasting`, and waits until it is written down.
    pub(super) async fn record(&self, owner: &Owner, effect: u64, lasting: bool, value: Box<str>) {
        let (at, _) = self.times();
        let number = self.shelf.store().next_number();
        let record = Change::Recorded(Box::new(Record {
            number,
            account: self.number,
            effect,
            lasting,
            value: value.clone(),
            at,
        }));
        if !lasting {
            let mut slot = self.book();
            slot.get_or_insert_default().result(number, effect, value);
            drop(slot);
            owner.recorded(number);
        }
        self.write(vec![record]).await;
    }

    /// Writes something down and waits until that is done.
    pub(super) async fn write(&self, changes: Vec<Change>) {
        let (tell, told) = oneshot::channel();
        {
            let mut slot = self.book();
            let book = slot.get_or_insert_default();
            let batch = book.writes(Written::Told(tell));
            self.submit(book, changes, batch);
        }
        // An error means that the account has gone: nobody cares any more.
        let _ = told.await;
    }

    // ── inside ───────────────────────────────────────────────────────────────────────────────

    fn queued(&self, posting: &Posting, at: u64, effect: Option<u64>, lasting: bool) -> Change {
        Change::Queued(Box::new(Letter {
            number: posting.number,
            account: self.number,
            bot: (&*posting.bot).into(),
            effect,
            lasting,
            to: posting.to.clone(),
            // It holds texts and numbers only, so it can be written.
            draft: serde_json::to_string(&*posting.draft)
                .unwrap_or_default()
                .into(),
            key: posting.key,
            at,
            service_time: posting.service_time,
            state: LetterState::Queued,
        }))
    }

    /// Returns whether the batch has taken effect already and the host has to look.
    fn submit(&self, book: &mut Book, changes: Vec<Change>, batch: u64) -> bool {
        let sink = self.me.upgrade();
        let done = sink.map(|sink| Done { sink, batch });
        self.shelf.store().submit(changes, done) && book.committed(batch)
    }

    fn tell_host(&self) {
        let host = self.host.lock().unwrap_or_else(PoisonError::into_inner);
        let host = host.as_ref().and_then(Weak::upgrade);
        if let Some(host) = host {
            host.written();
        }
    }
}

impl Sink for Ledger {
    fn committed(&self, batch: u64) {
        let mut slot = self.book();
        let for_host = slot.as_mut().is_some_and(|book| book.committed(batch));
        drop(slot);
        if for_host {
            self.tell_host();
        }
    }
}

#[cfg(test)]
mod tests;
