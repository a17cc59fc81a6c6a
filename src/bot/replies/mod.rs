//! The answers of handlers on their way out. Each is sent with one key until it is settled, over outages and
//! over actors of the account that die.
//!
//! Pure: answers and outcomes go in, messages to send come out.

use super::ledger::Posting;
use super::lines::Job;
use crate::account::{MAX_OUTBOX, OutboxError, Reply};
use crate::proto::message::{Conversation, Draft, MessageKey};
use crate::traces::Sending;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// When an answer that found the outbox full is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// When a letter that could not be sent in time is tried again; each time later.
const LATER: Duration = Duration::from_secs(10);
/// So many times a letter is tried again before it counts as unknown.
const MAX_TRIES: u32 = 10;

/// Where an answer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not sent yet.
    Waiting,
    /// The account has it.
    Sent,
    /// The account is away and does not come back by itself; sent again as soon as it is ready.
    Away,
    /// Sent again at this time.
    Later(Duration),
}

/// An answer that is not settled.
#[derive(Debug)]
pub(super) struct Outgoing {
    number: u64,
    state: State,
    /// The handler that ends with it.
    pub(super) job: Option<Job>,
    /// The handler it is from.
    pub(super) handler: &'static str,
    pub(super) to: Conversation,
    draft: Arc<Draft>,
    key: MessageKey,
    /// It may have been sent, at this time of the service at the earliest.
    sent_since: Option<u64>,
    /// When it was given, by the service's clock.
    service_time: u64,
    /// What the ledger knows of it.
    pub(super) letter: Option<Letter>,
    /// Where it is traced.
    pub(super) trace: Sending,
}

/// An answer that the ledger keeps.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    /// Its number there.
    pub(super) number: u64,
    pub(super) bot: Cow<'static, str>,
    tries: u32,
}

/// The end of an answer.
#[derive(Debug)]
pub(super) enum Ended {
    /// It was sent; the server's answer.
    Sent(Outgoing, String),
    /// It could not be sent, and will not be.
    Failed(Outgoing, OutboxError),
    /// The program ends before it could be sent: its message stays unread.
    GivenUp(Outgoing),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Replies {
    all: Vec<Outgoing>,
    next: u64,
    /// How many the account has.
    sent: usize,
}

impl Replies {
    /// Whether nothing is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A handler has answered; `job` ends with the last of its answers.
    pub(super) fn push(
        &mut self,
        job: Option<Job>,
        handler: &'static str,
        to: Conversation,
        draft: Draft,
        (key, service_time): (MessageKey, u64),
        trace: Sending,
    ) {
        self.add(Outgoing {
            number: 0,
            state: State::Waiting,
            job,
            handler,
            to,
            draft: Arc::new(draft),
            key,
            sent_since: None,
            service_time,
            letter: None,
            trace,
        });
    }

    /// The ledger has a letter to send; `job` ends with it.
    pub(super) fn post(
        &mut self,
        job: Option<Job>,
        handler: &'static str,
        posting: Posting,
        trace: Sending,
    ) {
        self.add(Outgoing {
            number: 0,
            state: State::Waiting,
            job,
            handler,
            to: posting.to,
            draft: posting.draft,
            key: posting.key,
            sent_since: posting.sent_since,
            service_time: posting.service_time,
            letter: Some(Letter {
                number: posting.number,
                bot: posting.bot,
                tries: 0,
            }),
            trace,
        });
    }

    fn add(&mut self, mut outgoing: Outgoing) {
        self.next += 1;
        outgoing.number = self.next;
        self.all.push(outgoing);
    }

    /// The next answer to send. No more are with the account than it has places for.
    pub(super) fn poll(&mut self) -> Option<Reply> {
        if self.sent >= MAX_OUTBOX {
            return None;
        }
        // What has to wait longer holds up its conversation, so that the order is kept.
        let mut held: Vec<&Conversation> = Vec::new();
        let at = self.all.iter().position(|reply| match reply.state {
            State::Waiting => !held.contains(&&reply.to),
            State::Sent => false,
            State::Away | State::Later(_) => {
                held.push(&reply.to);
                false
            }
        })?;
        let reply = &mut self.all[at];
        reply.state = State::Sent;
        self.sent += 1;
        Some(Reply {
            number: reply.number,
            to: reply.to.clone(),
            draft: reply.draft.clone(),
            key: reply.key,
            sent_since: reply.sent_since,
        })
    }

    /// What became of an answer. While `draining` nothing is tried again. A letter that `persists` is tried again
    /// when its time was too short.
    pub(super) fn settled(
        &mut self,
        now: Duration,
        number: u64,
        outcome: Result<String, OutboxError>,
        (draining, persists): (bool, bool),
    ) -> Option<Ended> {
        let at = self.all.iter().position(|reply| reply.number == number)?;
        self.sent = self.sent.saturating_sub(1);
        let reply = &mut self.all[at];
        let state = match outcome {
            Ok(answer) => return Some(Ended::Sent(self.take(at), answer)),
            Err(OutboxError::Offline(_)) => {
                reply.sent_since = Some(reply.service_time);
                State::Away
            }
            Err(OutboxError::Full) => State::Later(now + AGAIN),
            Err(error @ OutboxError::Expired(_)) if persists => {
                let Some(letter) = &mut reply.letter else {
                    return Some(Ended::Failed(self.take(at), error));
                };
                letter.tries += 1;
                if letter.tries > MAX_TRIES {
                    let unknown = OutboxError::Unknown(error.to_string());
                    return Some(Ended::Failed(self.take(at), unknown));
                }
                reply.sent_since = Some(reply.service_time);
                State::Later(now + LATER * letter.tries)
            }
            Err(error) => return Some(Ended::Failed(self.take(at), error)),
        };
        if draining {
            return Some(Ended::GivenUp(self.take(at)));
        }
        self.all[at].state = state;
        None
    }

    /// The letter of the answer of this number.
    pub(super) fn letter_of(&self, number: u64) -> Option<u64> {
        let reply = self.all.iter().find(|reply| reply.number == number)?;
        reply.letter.as_ref().map(|letter| letter.number)
    }

    /// A letter is sent again without a look at the history: its bot would rather say something twice than not at
    /// all.
    pub(super) fn resend(&mut self, mut outgoing: Outgoing) {
        (outgoing.state, outgoing.sent_since) = (State::Waiting, None);
        let at = self
            .all
            .partition_point(|reply| reply.number < outgoing.number);
        self.all.insert(at, outgoing);
    }

    /// The account is ready: what it could not take before goes out.
    pub(super) fn account_ready(&mut self) {
        for reply in &mut self.all {
            if reply.state == State::Away {
                reply.state = State::Waiting;
            }
        }
    }

    /// Another actor speaks for the account: what the last one had is sent again.
    pub(super) fn account_replaced(&mut self) {
        self.sent = 0;
        for reply in &mut self.all {
            if reply.state == State::Sent {
                reply.state = State::Waiting;
                reply.sent_since = Some(reply.service_time);
            }
        }
    }

    /// The program ends: gives up what the account cannot take.
    pub(super) fn drain(&mut self) -> Vec<Ended> {
        let mut given_up = Vec::new();
        while let Some(at) = self
            .all
            .iter()
            .position(|reply| matches!(reply.state, State::Away | State::Later(_)))
        {
            given_up.push(Ended::GivenUp(self.take(at)));
        }
        given_up
    }

    /// The time named by [`poll_timeout`](Self::poll_timeout) has come. Harmless when early.
    pub(super) fn timeout(&mut self, now: Duration) {
        for reply in &mut self.all {
            if matches!(reply.state, State::Later(at) if at <= now) {
                reply.state = State::Waiting;
            }
        }
    }

    /// When to call [`timeout`](Self::timeout), monotonic.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let times = self.all.iter().filter_map(|reply| match reply.state {
            State::Later(at) => Some(at),
            _ => None,
        });
        times.min()
    }

    /// Keeps the order of those that are left: answers of one conversation go out as they were given.
    fn take(&mut self, at: usize) -> Outgoing {
        let taken = self.all.remove(at);
        if self.all.is_empty() && self.all.capacity() > 4 {
            self.all = Vec::new();
        }
        taken
    }
}

#[cfg(test)]
mod tests;
