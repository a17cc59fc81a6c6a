//! What hears an account, and what it wants of the account.

use super::message::Deliver;
use crate::ledger::{SpillLine, Spilled};
use crate::policy::Now;
use crate::proto::message::{Conversation, Draft, MessageKey};
use crate::proto::update::Update;
use crate::session::Receipt;
use actix::prelude::{Recipient, SendError};
use botroupe_core::account::{AccountEvent, OutboxError};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

/// Hears an account: the host of its bots, or a program that shows what comes.
///
/// The account calls it on its own thread and in its own turns. A subscriber outlives the actors of the
/// account: one that dies is replaced by another, which [attaches](Self::attach) anew.
pub trait Subscriber: Send + Sync {
    /// Whether it still hears. If not, the account ends and is made anew with another subscriber.
    fn is_alive(&self) -> bool;

    /// Takes an event.
    ///
    /// # Errors
    /// An update for which there was no room comes back.
    fn deliver(&self, now: Now, event: AccountEvent) -> Result<(), Box<Update>>;

    /// Takes an update that waited in the store under this number; [`Wish::UpdateOver`] says when it is done with.
    fn returned(&self, _now: Now, _number: u64, _update: Box<Update>) {}

    /// Writes to the store what the server does not keep and the bots have no room for.
    fn spill(&self, line: SpillLine, body: Box<str>) {
        drop((line, body)); // Where there is no store, there is no quota either.
    }

    /// Reads what comes first in a line after a number, `limit` of it.
    fn read_spill(&self, _line: SpillLine, _after: u64, _limit: usize) -> SpillRead {
        Box::pin(std::future::ready(Some(Vec::new())))
    }

    /// The store need not keep this any more.
    fn unspill(&self, _number: u64) {}

    /// The actor of this number speaks for the account from now on. `waker` wakes it when there is something
    /// to do for it. What an earlier actor was asked for and has not settled is lost with it.
    fn attach(&self, _now: Now, _life: u64, _waker: &Waker) {}

    /// The actor of this number is gone.
    fn detach(&self, _life: u64) {}

    /// Runs what may run on the thread of the account, in a turn of the actor of this number. Returns whether
    /// more is left for the next turn.
    fn proceed(&self, _now: Now, _life: u64) -> bool {
        false
    }

    /// The next thing that it wants of the actor of this number.
    fn poll_wish(&self, _life: u64) -> Option<Wish> {
        None
    }

    /// What became of the reply of this number: the body of the server's answer, or why there is none.
    fn settled(&self, _now: Now, _reply: u64, _outcome: Result<String, OutboxError>) {}

    /// The server has confirmed that everything that was finished up to now is read.
    fn all_read(&self) {}

    /// When to call [`proceed`](Self::proceed), as monotonic time.
    fn poll_timeout(&self) -> Option<Duration> {
        None
    }
}

/// What was read from the store; `None` when it could not be.
pub type SpillRead = Pin<Box<dyn Future<Output = Option<Vec<Spilled>>> + Send>>;

/// What a subscriber wants of its account.
#[derive(Debug)]
pub enum Wish {
    /// Send the answer to a message; [`Subscriber::settled`] follows.
    Reply(Reply),
    /// Note that every bot is done with a message (`true`), or that one will not handle it.
    Finished(Receipt, bool),
    /// The same about an update that came back from the store.
    UpdateOver(u64, bool),
}

/// The answer to a message.
#[derive(Debug)]
pub struct Reply {
    /// Comes back with the outcome; below 2^62.
    pub number: u64,
    /// Where it goes.
    pub to: Conversation,
    /// The message.
    pub draft: Arc<Draft>,
    /// Drawn once: sent again with it, it is the same message.
    pub key: MessageKey,
    /// An earlier process may have sent it, at this time of the service (Unix seconds) at the earliest.
    pub sent_since: Option<u64>,
}

impl Subscriber for Recipient<Deliver> {
    fn is_alive(&self) -> bool {
        self.connected()
    }

    fn deliver(&self, _: Now, event: AccountEvent) -> Result<(), Box<Update>> {
        if matches!(event, AccountEvent::Update(_)) {
            return match self.try_send(Deliver(event)) {
                Err(SendError::Full(Deliver(AccountEvent::Update(update)))) => Err(update),
                _ => Ok(()),
            };
        }
        // Messages are bounded by the room of the bots; the others come at most twice per login.
        self.do_send(Deliver(event));
        Ok(())
    }
}
