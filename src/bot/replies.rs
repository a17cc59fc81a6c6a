//! The answers of handlers on their way out. Each is sent with one key until it is settled, over outages and
//! over actors of the account that die.
//!
//! Pure: answers and outcomes go in, messages to send come out.

use super::lines::Job;
use crate::account::{MAX_OUTBOX, OutboxError, Reply};
use crate::proto::message::{Conversation, Draft, MessageKey};
use std::sync::Arc;
use std::time::Duration;

/// When an answer that found the outbox full is tried again.
const AGAIN: Duration = Duration::from_millis(100);

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
    pub(super) job: Job,
    /// The handler it is from.
    pub(super) handler: &'static str,
    pub(super) to: Conversation,
    draft: Arc<Draft>,
    key: MessageKey,
}

/// The end of an answer.
#[derive(Debug)]
pub(super) enum Ended {
    /// It was sent.
    Sent(Outgoing),
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
    /// A handler has answered.
    pub(super) fn push(
        &mut self,
        job: Job,
        handler: &'static str,
        to: Conversation,
        draft: Draft,
        key: MessageKey,
    ) {
        self.next += 1;
        self.all.push(Outgoing {
            number: self.next,
            state: State::Waiting,
            job,
            handler,
            to,
            draft: Arc::new(draft),
            key,
        });
    }

    /// The next answer to send. No more are with the account than it has places for.
    pub(super) fn poll(&mut self) -> Option<Reply> {
        if self.sent >= MAX_OUTBOX {
            return None;
        }
        let reply = self
            .all
            .iter_mut()
            .find(|reply| reply.state == State::Waiting)?;
        reply.state = State::Sent;
        self.sent += 1;
        Some(Reply {
            number: reply.number,
            to: reply.to.clone(),
            draft: reply.draft.clone(),
            key: reply.key,
            sent_since: None,
        })
    }

    /// What became of an answer. While `draining` nothing is tried again.
    pub(super) fn settled(
        &mut self,
        now: Duration,
        number: u64,
        outcome: Result<(), OutboxError>,
        draining: bool,
    ) -> Option<Ended> {
        let at = self.all.iter().position(|reply| reply.number == number)?;
        self.sent = self.sent.saturating_sub(1);
        let state = match outcome {
            Ok(()) => return Some(Ended::Sent(self.take(at))),
            Err(OutboxError::Offline(_)) => State::Away,
            Err(OutboxError::Full) => State::Later(now + AGAIN),
            Err(error) => return Some(Ended::Failed(self.take(at), error)),
        };
        if draining {
            return Some(Ended::GivenUp(self.take(at)));
        }
        self.all[at].state = state;
        None
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
