//! The handle through which bots, host and supervisor reach an account.

use super::actor::Account;
use super::collect::StatusPlace;
use super::message::{Command, Handled, Instruct, MakeConnector, Reconfigure, Send, TellStatus};
use crate::gateway::{SharedMemory, now};
use crate::policy::Now;
use crate::proto::answer::Sent;
use crate::proto::code::Code;
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Draft, MessageKey};
use crate::proto::op::{Call, Limit};
use crate::rest::Rest;
use crate::session::{HandedMemory, HandedTicket, InboxLimits, Receipt, RequestError};
use actix::prelude::*;
use botroupe_core::account::{AccountName, CoreConfig, MAX_OUTBOX, OutboxError, OutboxItem};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use tokio::sync::{Notify, Semaphore, oneshot};

/// Reaches an account from any thread, through restarts of its actor. Cheap to clone.
#[derive(Clone)]
pub struct AccountHandle(Arc<Shared>);

struct Shared {
    name: AccountName,
    addr: RwLock<Option<Addr<Account>>>,
    /// The number of the actor that speaks for the account. An actor may be replaced while its
    /// thread hangs; when the thread comes back, the old actor must not speak for the account any more.
    present: AtomicU64,
    /// The number of the actor that is ready; zero when none is.
    ready: AtomicU64,
    /// Updates that found no room, neither with the bots nor in the store.
    dropped: AtomicU64,
    /// Messages of which nobody knows whether they arrived.
    unknown: AtomicU32,
    failed_handlers: AtomicU32,
    /// The number of the next message.
    message_seq: AtomicU32,
    /// Some bot wants to hear what changes about messages and people.
    wants_updates: AtomicBool,
    /// By how many seconds the service's clock is ahead of ours.
    service_ahead: AtomicI64,
    memory: SharedMemory,
    /// Made for the first sender: an account whose bots only reply has none.
    signals: OnceLock<Box<Signals>>,
    /// The login of another process that its first connection goes on with, and that its last actor leaves for one.
    ticket: Mutex<Option<Box<HandedTicket>>>,
}

/// Wakes those who wait for the account.
struct Signals {
    /// For an answer of an actor that is lost.
    lost: Notify,
    /// For the account to be ready.
    became_ready: Notify,
    /// Places in the outbox; a sender waits until there is one.
    room: Semaphore,
}

impl std::fmt::Debug for AccountHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountHandle")
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}

/// What another process needs to go on with an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Handover {
    /// Its login; `None` when there is none to go on with.
    pub ticket: Option<HandedTicket>,
    /// What it remembers.
    pub memory: HandedMemory,
}

/// Why a message or a request of an account failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The account refused it, or the server did.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The account's mailbox is full.
    #[error("account is busy")]
    Busy,
    /// The account is not ready, and the caller did not want to wait.
    #[error("account is not ready")]
    NotReady,
    /// The account does not run, or died before it could answer.
    #[error("account is not running")]
    Gone,
}

impl SendError {
    /// The server's code, when it was the server that said no.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self.request()? {
            RequestError::Refused { code, .. } => Some(*code),
            RequestError::Conflict { .. } => Some(Code::C2C_EDIT_CONFLICT),
            _ => None,
        }
    }

    /// After an edit that lost against another one: the body of the answer, which holds the message as it is
    /// now.
    #[must_use]
    pub fn conflict(&self) -> Option<&str> {
        match self.request()? {
            RequestError::Conflict { body, .. } => Some(body),
            _ => None,
        }
    }

    fn request(&self) -> Option<&RequestError> {
        match self {
            Self::Outbox(OutboxError::Refused(error) | OutboxError::Expired(error)) => Some(error),
            _ => None,
        }
    }
}

/// The error for an answer that cannot be read.
pub(crate) fn unreadable(error: &impl std::fmt::Display) -> SendError {
    SendError::Outbox(OutboxError::Refused(RequestError::Shape(error.to_string())))
}

impl AccountHandle {
    /// A handle to an account that does not run yet.
    #[must_use]
    pub fn new(name: impl Into<AccountName>) -> Self {
        Self::with_memory(name, SharedMemory::default())
    }

    /// Like [`new`](Self::new), with this memory of the account: messages that its bots have finished are noted
    /// there.
    #[must_use]
    pub fn with_memory(name: impl Into<AccountName>, memory: SharedMemory) -> Self {
        Self::starting_at(now(), name.into(), memory)
    }

    /// Like [`with_memory`](Self::with_memory), in a process that starts at this time.
    pub(crate) fn starting_at(now: Now, name: AccountName, memory: SharedMemory) -> Self {
        Self(Arc::new(Shared {
            name,
            addr: RwLock::default(),
            present: AtomicU64::new(0),
            ready: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            unknown: AtomicU32::new(0),
            failed_handlers: AtomicU32::new(0),
            message_seq: AtomicU32::new(first_seq(now)),
            wants_updates: AtomicBool::new(false),
            service_ahead: AtomicI64::new(0),
            memory,
            signals: OnceLock::new(),
            ticket: Mutex::default(),
        }))
    }

    /// What the account remembers of its messages, whatever crashes.
    pub(super) fn memory(&self) -> &SharedMemory {
        &self.0.memory
    }

    /// Leaves a login for another process.
    pub(super) fn leave_ticket(&self, ticket: Option<HandedTicket>) {
        let mut place = self.0.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        *place = ticket.map(Box::new);
    }

    /// The login of another process, if there is one to go on with.
    pub(super) fn take_ticket(&self) -> Option<HandedTicket> {
        let mut place = self.0.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        place.take().map(|ticket| *ticket)
    }

    /// What another process needs to go on with the account, which has stopped. `is_durable`: a store says what the bots
    /// have finished.
    pub(crate) fn hand_over(&self, is_durable: bool) -> Handover {
        Handover {
            ticket: self.take_ticket(),
            memory: self.0.memory.lock().hand_over(is_durable),
        }
    }

    /// The bots of the account died with everything they had: it is delivered again.
    pub fn bots_died(&self) {
        self.0.memory.lock().bots_died();
    }

    fn signals(&self) -> &Signals {
        self.0.signals.get_or_init(|| {
            Box::new(Signals {
                lost: Notify::new(),
                became_ready: Notify::new(),
                room: Semaphore::new(MAX_OUTBOX),
            })
        })
    }

    /// The account.
    #[must_use]
    pub fn user(&self) -> &UserId {
        self.0.name.user()
    }

    /// What the account is called in its process.
    #[must_use]
    pub fn name(&self) -> &AccountName {
        &self.0.name
    }

    /// Whether the account may act at present (SDK_READY).
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let ready = self.0.ready.load(Ordering::Relaxed);
        ready != 0 && self.is_present(ready)
    }

    /// Sets whether updates are handed on, as a bot wants them or not.
    pub fn want_updates(&self, wanted: bool) {
        self.0.wants_updates.store(wanted, Ordering::Relaxed);
    }

    pub(super) fn wants_updates(&self) -> bool {
        self.0.wants_updates.load(Ordering::Relaxed)
    }

    /// Notes the service's time in Unix seconds.
    pub(super) fn set_service_time(&self, now: Now, time: u64) {
        let ahead = i64::try_from(time).unwrap_or(0) - i64::try_from(now.unix_secs()).unwrap_or(0);
        self.0.service_ahead.store(ahead, Ordering::Relaxed);
    }

    /// The service's time in Unix seconds, as it was heard last; ours before it has told any.
    #[must_use]
    pub fn service_time(&self, now: Now) -> u64 {
        let ahead = self.0.service_ahead.load(Ordering::Relaxed);
        now.unix_secs().saturating_add_signed(ahead)
    }

    /// Counts a message of which nobody knows whether it arrived.
    pub fn note_unknown(&self) {
        self.0.unknown.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a handler that failed.
    pub fn note_failure(&self) {
        self.0.failed_handlers.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed_handlers(&self) -> u64 {
        self.0.failed_handlers.load(Ordering::Relaxed).into()
    }

    pub(super) fn unknown(&self) -> u64 {
        self.0.unknown.load(Ordering::Relaxed).into()
    }

    /// Counts an update that found no room, neither with the bots nor in the store.
    pub fn note_dropped(&self) {
        self.0.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Waits until the account may act.
    pub async fn ready(&self) {
        loop {
            // Listens before it asks, so that nothing falls in between.
            let became_ready = self.signals().became_ready.notified();
            if self.is_ready() {
                return;
            }
            became_ready.await;
        }
    }

    fn addr(&self) -> Option<Addr<Account>> {
        self.0.addr.read().ok()?.clone()
    }

    /// A new actor takes over. Returns its number and silences every actor before it.
    pub(super) fn begin_life(&self) -> u64 {
        // Over all accounts: one that leaves and comes back has a new handle.
        static LIVES: AtomicU64 = AtomicU64::new(0);
        let life = LIVES.fetch_add(1, Ordering::Relaxed) + 1;
        self.0.present.store(life, Ordering::Relaxed);
        life
    }

    /// The number of the actor that speaks for the account; no other actor of the process has it. Zero before the
    /// first.
    #[must_use]
    pub fn life(&self) -> u64 {
        self.0.present.load(Ordering::Relaxed)
    }

    /// Silences the present actor, which is lost.
    pub(crate) fn end_life(&self) {
        self.begin_life();
        if let Ok(mut slot) = self.0.addr.write() {
            *slot = None;
        }
        if let Some(signals) = self.0.signals.get() {
            signals.lost.notify_waiters();
        }
    }

    /// Whether the actor of this number still speaks for the account.
    pub(super) fn is_present(&self, life: u64) -> bool {
        self.0.present.load(Ordering::Relaxed) == life
    }

    /// Whether the account may act at present; kept up by its actor of this number.
    pub(super) fn set_ready(&self, life: u64, ready: bool) {
        let slot = &self.0.ready;
        if ready {
            slot.store(life, Ordering::Relaxed);
            if let Some(signals) = self.0.signals.get() {
                signals.became_ready.notify_waiters();
            }
        } else {
            // Of another actor this one knows nothing: then it stays.
            let _ = slot.compare_exchange(life, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    pub(super) fn set(&self, addr: Addr<Account>) {
        if let Ok(mut slot) = self.0.addr.write() {
            *slot = Some(addr);
        }
    }

    /// Sends a message to a user or group; waits while the account is away for a passing reason or its
    /// outbox is full, and gives up when its send timeout has passed online.
    ///
    /// # Errors
    /// When it could not be sent; a message that [`OutboxError::Expired`] may have arrived.
    pub async fn send(
        &self,
        to: impl Into<Conversation>,
        draft: impl Into<Draft>,
    ) -> Result<Sent, SendError> {
        let key = self.draw_key();
        self.send_as(to.into(), Arc::new(draft.into()), key).await
    }

    /// A key for a message of this account: sent again with it, it is the same message.
    #[must_use]
    pub fn draw_key(&self) -> MessageKey {
        // Ascending, so that messages of one second are shown in their order.
        let seq = self.0.message_seq.fetch_add(1, Ordering::Relaxed).max(1);
        MessageKey {
            seq,
            random: random_of(seq),
        }
    }

    /// Like [`send`](Self::send), with the key of an earlier try: the server delivers it once.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_as(
        &self,
        to: Conversation,
        draft: Arc<Draft>,
        key: MessageKey,
    ) -> Result<Sent, SendError> {
        let item = OutboxItem::Message {
            to,
            draft,
            key: Some(key),
            sent_since: None,
        };
        let body = self.run(item).await?;
        serde_json::from_str(&body).map_err(|error| unreadable(&error))
    }

    /// Makes a request of the server, `body` being a JSON object; waits as [`send`](Self::send)
    /// does. The body of the answer comes back. Unlike a message it is sent once: a request that times out may
    /// have been carried out. No rate limit applies, because only a [`Call`] names its own.
    ///
    /// # Errors
    /// When there was no good answer.
    pub async fn request(
        &self,
        servcmd: impl Into<Cow<'static, str>>,
        body: impl Into<String>,
    ) -> Result<String, SendError> {
        let (servcmd, body) = (servcmd.into(), body.into());
        self.request_within(servcmd, body, Limit::NONE).await
    }

    async fn request_within(
        &self,
        servcmd: Cow<'static, str>,
        body: String,
        limit: Limit,
    ) -> Result<String, SendError> {
        let item = OutboxItem::Call {
            servcmd,
            body,
            limit,
        };
        self.run(item).await
    }

    /// Makes a request of [`op`](crate::proto::op), and reads its answer; otherwise as
    /// [`request`](Self::request).
    ///
    /// # Errors
    /// When there was no good answer: [`SendError::code`] has the server's reason.
    pub async fn call<C: Call>(&self, call: &C) -> Result<C::Answer, SendError> {
        let answer = self.ask(call).await?;
        serde_json::from_str(&answer).map_err(|error| unreadable(&error))
    }

    /// Like [`call`](Self::call), and returns the body of the answer as it came.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn ask<C: Call>(&self, call: &C) -> Result<String, SendError> {
        let body = serde_json::to_string(call).map_err(|error| unreadable(&error))?;
        self.request_within(call.servcmd(), body, C::LIMIT).await
    }

    async fn run(&self, item: OutboxItem) -> Result<String, SendError> {
        // First come, first served. It is never closed.
        let _place = self
            .signals()
            .room
            .acquire()
            .await
            .map_err(|_| SendError::Gone)?;
        // Listens before it asks, so that nothing falls in between.
        let lost = self.signals().lost.notified();
        let addr = self.addr().ok_or(SendError::Gone)?;
        let (reply, outcome) = oneshot::channel();
        match addr.try_send(Send { item, reply }) {
            Ok(()) => tokio::select! {
                outcome = outcome => outcome
                    .map_err(|_| SendError::Gone)?
                    .map_err(SendError::Outbox),
                () = lost => Err(SendError::Gone),
            },
            Err(dev::SendError::Full(_)) => Err(SendError::Busy),
            Err(dev::SendError::Closed(_)) => Err(SendError::Gone),
        }
    }

    /// Gives an order; `false` when the account does not run.
    pub fn instruct(&self, command: Command) -> bool {
        // Orders are few and must not get lost behind a full mailbox.
        self.addr().is_some_and(|addr| {
            addr.do_send(Instruct(command));
            addr.connected()
        })
    }

    /// Has other limits for the messages that are with the bots.
    pub(crate) fn limit(&self, limits: InboxLimits) {
        self.0.memory.lock().limit(limits);
    }

    /// Gives the account a new config, if it runs.
    pub(crate) fn reconfigure(
        &self,
        config: Arc<CoreConfig>,
        rest: Option<Arc<Rest>>,
        connector: Option<MakeConnector>,
    ) {
        // As rare as an order, and not to be lost either.
        if let Some(addr) = self.addr() {
            addr.do_send(Reconfigure {
                config,
                rest,
                connector,
            });
        }
    }

    /// Asks the account how it stands; it does not answer while it does not run.
    pub fn tell_status(&self, place: StatusPlace) {
        if let Some(addr) = self.addr() {
            // One for each account and question, and there is at most one question at a time.
            addr.do_send(TellStatus(place));
        }
    }

    /// Every bot is done with a message (`done`), or one of them will not handle it, and it stays unread.
    pub fn handled(&self, receipt: &Receipt, done: bool) {
        // Noted here: an account that is just being made anew must not miss it, or it would wait for room
        // that is there.
        let at = now();
        let room = if done {
            self.0.memory.lock().finished(at, receipt)
        } else {
            self.0.memory.lock().abandoned(at, receipt)
        };
        if let Some(addr) = self.addr() {
            // One for each message that was handed out, and those are bounded.
            addr.do_send(Handled { room });
        }
    }
}

/// The first number of a process. It grows with the time, by 250 a second, so that no process draws the numbers of
/// the one before.
fn first_seq(now: Now) -> u32 {
    let quarters = (now.unix.as_millis() / 4) % (1 << 31);
    u32::try_from(quarters).unwrap_or(0).max(1)
}

/// The random number of a message: another one for each of a hundred million numbers in a row. In a group the
/// service takes two messages of one sender with the same random number for one message, whatever they say.
fn random_of(seq: u32) -> u32 {
    /// The range of the official client.
    const RANGE: u64 = 100_000_000;
    /// Has no divisor with the range in common.
    const STEP: u64 = 61_803_399;
    u32::try_from(u64::from(seq) * STEP % RANGE).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn no_two_messages_of_an_account_have_the_same_random_number() {
        let start = Now::new(Duration::ZERO, Duration::from_secs(1_795_000_000));
        let minute_later = start.after(Duration::from_secs(60));
        let mut drawn = std::collections::HashSet::new();
        for first in [first_seq(start), first_seq(minute_later)] {
            assert!((0..10_000).all(|at| drawn.insert(random_of(first + at))));
        }
        assert!(first_seq(minute_later) > first_seq(start));
    }

    #[test]
    fn an_actor_that_was_replaced_says_nothing_about_readiness_any_more() {
        let handle = AccountHandle::new(UserId::parse("a").unwrap());
        let first = handle.begin_life();
        handle.set_ready(first, true);
        assert!(handle.is_ready());
        handle.end_life();
        assert!(!handle.is_ready() && !handle.is_present(first));
        let second = handle.begin_life();
        handle.set_ready(second, true);
        handle.set_ready(first, false);
        assert!(handle.is_ready(), "the old one ended late");
        handle.set_ready(second, false);
        handle.set_ready(first, true);
        assert!(!handle.is_ready(), "the old one spoke up again");
    }
}
