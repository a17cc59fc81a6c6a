//! Messages on their way out: bounded, in order within a conversation, each settled exactly once.
//!
//! A message keeps its key through every try, so the server delivers it once however often it is
//! sent. While the account is away, messages wait, up to their deadline.

use crate::policy::Now;
use crate::proto::answer::Sent;
use crate::proto::message::Element;
use crate::session::{MessageKey, Outgoing, RequestError};
use std::collections::VecDeque;
use std::time::Duration;

/// Messages waiting or in flight at most, per account.
pub(super) const BOUND: usize = 256;
/// Pause before a message that failed for a passing reason is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// A message somebody wants sent.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The receiver's UserID.
    pub to: Box<str>,
    /// The content; at least one element, at most 12 KiB together.
    pub elements: Vec<Element>,
    /// Free text stored with the message.
    pub cloud_custom_data: Box<str>,
}

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// Too many messages are waiting already.
    #[error("outbox is full: {BOUND} messages are waiting")]
    Full,
    /// The account is offline and will not be back by itself, or is shutting down.
    #[error("account is offline: {0}")]
    Offline(String),
    /// It could not be sent in time; the last reason is given.
    #[error("not sent in time: {0}")]
    Expired(RequestError),
    /// The server, or a check before it, said no.
    #[error(transparent)]
    Refused(RequestError),
}

#[derive(Debug)]
struct Item {
    token: u64,
    deadline: Duration,
    in_flight: bool,
    not_before: Duration,
    last: RequestError,
    message: Outgoing,
}

/// The queue. See the module.
#[derive(Debug)]
pub(super) struct Outbox {
    items: VecDeque<Item>,
    rng: fastrand::Rng,
    message_seq: u32,
}

impl Outbox {
    pub(super) fn new(mut rng: fastrand::Rng) -> Self {
        Self {
            items: VecDeque::new(),
            message_seq: rng.u32(1..=u32::MAX / 2),
            rng,
        }
    }

    /// Takes a message in.
    pub(super) fn push(
        &mut self,
        token: u64,
        draft: Draft,
        deadline: Duration,
    ) -> Result<(), OutboxError> {
        if self.items.len() >= BOUND {
            return Err(OutboxError::Full);
        }
        self.message_seq = self.message_seq.wrapping_add(1).max(1);
        let key = MessageKey {
            seq: self.message_seq,
            random: self.rng.u32(0..100_000_000),
        };
        let Draft {
            to,
            elements,
            cloud_custom_data,
        } = draft;
        self.items.push_back(Item {
            token,
            deadline,
            in_flight: false,
            not_before: Duration::ZERO,
            last: RequestError::NotLoggedIn,
            message: Outgoing {
                to,
                elements,
                cloud_custom_data,
                key,
            },
        });
        Ok(())
    }

    /// The next message to send now: the oldest of a conversation that has none in flight.
    pub(super) fn next(&mut self, now: Now) -> Option<(u64, Outgoing)> {
        // A pause that is over is no time to wake up for any more, also for what still has to wait
        // behind an earlier message.
        for item in &mut self.items {
            if item.not_before <= now.mono {
                item.not_before = Duration::ZERO;
            }
        }
        for index in 0..self.items.len() {
            let item = &self.items[index];
            let blocked = item.in_flight
                || item.not_before > now.mono
                || self
                    .items
                    .iter()
                    .take(index)
                    .any(|earlier| earlier.message.to == item.message.to);
            if !blocked {
                let item = &mut self.items[index];
                item.in_flight = true;
                return Some((item.token, item.message.clone()));
            }
        }
        None
    }

    /// The outcome of a try. `Some` when that settles the message.
    pub(super) fn settle(
        &mut self,
        now: Now,
        token: u64,
        outcome: Result<Sent, RequestError>,
    ) -> Option<Result<Sent, OutboxError>> {
        let index = self.items.iter().position(|item| item.token == token)?;
        let settled = match outcome {
            Ok(sent) => Ok(sent),
            Err(error) if !error.is_retryable() => Err(OutboxError::Refused(error)),
            Err(error) if self.items[index].deadline <= now.mono => {
                Err(OutboxError::Expired(error))
            }
            Err(error) => {
                let item = &mut self.items[index];
                item.in_flight = false;
                item.not_before = now.mono + AGAIN;
                item.last = error;
                return None;
            }
        };
        self.items.remove(index);
        self.shrink();
        Some(settled)
    }

    /// The connection died without settling: everything may be tried again.
    pub(super) fn forget_flights(&mut self) {
        for item in &mut self.items {
            item.in_flight = false;
        }
    }

    /// A message whose time is over. One in flight is left to its own limit.
    pub(super) fn take_expired(&mut self, now: Now) -> Option<(u64, OutboxError)> {
        let index = self
            .items
            .iter()
            .position(|item| !item.in_flight && item.deadline <= now.mono)?;
        let item = self.items.remove(index)?;
        self.shrink();
        Some((item.token, OutboxError::Expired(item.last)))
    }

    /// Everything that is left: the account will not send any more.
    pub(super) fn take_all(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.items)
            .into_iter()
            .map(|item| item.token)
            .collect()
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.items
            .iter()
            .filter(|item| !item.in_flight)
            .map(|item| item.deadline)
            .min()
    }

    /// When a message that waits for its next try may go.
    pub(super) fn next_try(&self) -> Option<Duration> {
        self.items
            .iter()
            .filter(|item| !item.in_flight && !item.not_before.is_zero())
            .map(|item| item.not_before)
            .min()
    }

    fn shrink(&mut self) {
        if self.items.is_empty() {
            self.items = VecDeque::new();
        }
    }
}
