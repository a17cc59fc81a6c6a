//! What hears an account, and what it wants of the account.

use super::message::Deliver;
use crate::policy::Now;
use crate::proto::message::{Conversation, Draft, MessageKey};
use crate::session::Receipt;
use actix::prelude::{Recipient, SendError};
use botroupe_core::account::{AccountEvent, OutboxError};
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

    /// Takes an event. Returns `false` if there was no room for it, which may happen to updates only.
    fn deliver(&self, now: Now, event: AccountEvent) -> bool;

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

/// What a subscriber wants of its account.
#[derive(Debug)]
pub enum Wish {
    /// Send the answer to a message; [`Subscriber::settled`] follows.
    Reply(Reply),
    /// Note that every bot is done with a message (`true`), or that one will not handle it.
    Finished(Receipt, bool),
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

    fn deliver(&self, _: Now, event: AccountEvent) -> bool {
        if matches!(event, AccountEvent::Update(_)) {
            return !matches!(self.try_send(Deliver(event)), Err(SendError::Full(_)));
        }
        // Messages are bounded by the room of the bots; the others come at most twice per login.
        self.do_send(Deliver(event));
        true
    }
}
