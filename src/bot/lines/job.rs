//! What waits in lines, and what becomes of it.

use crate::bot::event::What;
use crate::bot::line::Cancel;
use crate::proto::message::{Conversation, Message};
use crate::session::Receipt;
use crate::traces::Spot;
use std::sync::Arc;
use std::time::Duration;

/// A bot and a conversation; `None` is the line of events of the account itself.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::bot) struct LineKey {
    pub(in crate::bot) bot: usize,
    pub(in crate::bot) conversation: Option<Conversation>,
    /// Alarms that belong to no conversation have a lane for each handler, and commands that wait for nothing one of
    /// their own in each conversation; zero for the others.
    pub(in crate::bot) lane: usize,
}

impl LineKey {
    /// The lane of commands that wait for no other handler.
    pub(in crate::bot) const BESIDE: usize = usize::MAX;
}

/// How a bot gets an event.
#[derive(Clone, Copy, Debug)]
pub(in crate::bot) struct Manner {
    /// It may be handled together with others of its sender.
    pub(in crate::bot) merges: bool,
    /// It waits for no handler that runs in its conversation.
    pub(in crate::bot) is_beside: bool,
    /// It waits until [`Lines::open`] or [`Lines::withdraw`] is called.
    pub(in crate::bot) is_gated: bool,
    /// Where it is traced.
    pub(in crate::bot) spot: Spot,
}

impl Manner {
    pub(in crate::bot) const ALONE: Self = Self {
        merges: false,
        is_beside: false,
        is_gated: false,
        spot: Spot::NONE,
    };
}

/// An event that is being handled.
#[derive(Clone, Debug)]
pub(in crate::bot) struct Job {
    pub(in crate::bot) line: Arc<LineKey>,
    /// The fingerprint of its message, or of its update if that waited in the store.
    message: Option<u64>,
    /// The fingerprints of messages that are handled together with it.
    earlier: Vec<u64>,
    /// Where its message is traced; from the start of its handler on, where that is.
    pub(in crate::bot) spot: Spot,
    /// The same of messages that are handled together with it.
    others: Vec<Spot>,
}

impl Job {
    pub(in crate::bot) const fn new(line: Arc<LineKey>, message: Option<u64>, spot: Spot) -> Self {
        Self {
            line,
            message,
            earlier: Vec::new(),
            spot,
            others: Vec::new(),
        }
    }

    /// Where messages are traced that are handled together with it.
    pub(in crate::bot) fn others(&self) -> &[Spot] {
        &self.others
    }

    /// The [`message_id`](botroupe_core::ledger::message_id) of its message, or the
    /// [`update_id`](botroupe_core::ledger::update_id) of an update that waited in the store.
    pub(in crate::bot) const fn message(&self) -> Option<u64> {
        self.message
    }

    /// The names of everything that is handled with it.
    pub(in crate::bot) fn ids(&self) -> impl Iterator<Item = u64> {
        self.earlier.iter().copied().chain(self.message)
    }
}

/// A handler that is to be started.
#[derive(Debug)]
pub(in crate::bot) struct Start {
    pub(in crate::bot) job: Job,
    pub(in crate::bot) what: What,
    /// When it came, monotonic.
    pub(in crate::bot) came: Duration,
    /// The handler that it is for, if it is for one alone.
    pub(in crate::bot) only: Option<usize>,
    /// Messages of the same sender that are handled together with it, in order.
    pub(in crate::bot) earlier: Vec<Arc<Message>>,
    /// Says that the handler has become needless.
    pub(in crate::bot) cancel: Option<Cancel>,
}

impl Start {
    /// Handles the messages of another one together with this one, which came after it.
    pub(in crate::bot) fn after(mut self, before: Self) -> Self {
        let mut messages = before.earlier;
        if let What::Message(message) = before.what {
            messages.push(message);
        }
        self.prepend(&before.job, messages);
        self
    }

    /// Handles messages together with this one, which came before it.
    pub(in crate::bot) fn prepend(&mut self, job: &Job, messages: Vec<Arc<Message>>) {
        let later = std::mem::replace(&mut self.earlier, messages);
        self.earlier.extend(later);
        let later = std::mem::take(&mut self.job.earlier);
        self.job.earlier = job.ids().chain(later).collect();
        self.job.spot = self.job.spot.or(job.spot);
        let spots = job.others.iter().chain([&job.spot]);
        let spots = spots.filter(|spot| **spot != Spot::NONE);
        self.job.others.extend(spots);
    }
}

/// A loop that was found: a bot and somebody else answer each other without end.
#[derive(Debug)]
pub(in crate::bot) struct Looping {
    pub(in crate::bot) line: Arc<LineKey>,
    /// How long the bot is silent there.
    pub(in crate::bot) pause: Duration,
}

/// Something of which the account hears when every bot is done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bot) enum Over {
    /// A message.
    Message(Receipt),
    /// An update that waited in the store under this number.
    Update(u64),
}
