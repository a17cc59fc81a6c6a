//! The events of one conversation that wait for one bot, and those that it handles. Pure.

use super::event::What;
use super::lines::{Job, Start};
use super::overlap::Overlap;
use crate::proto::message::Message;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Handlers that run beside each other in one conversation.
const BESIDE: usize = 16;
/// A burst is handed over after so many times its time at the latest.
const LONGEST_BURST: u32 = 10;

/// Ends a handler that has become needless. Copies are of the same handler.
#[derive(Clone, Debug, Default)]
pub(super) struct Cancel(Arc<Cancelling>);

#[derive(Debug, Default)]
struct Cancelling {
    is_cancelled: AtomicBool,
    notify: Notify,
    /// The handler has ended, and its reply grows: who delivers it stops by itself.
    is_taken_over: AtomicBool,
}

impl Cancel {
    fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::Release);
        self.0.notify.notify_waiters();
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::Acquire)
    }

    /// Waits until the handler is needless.
    pub(super) async fn cancelled(&self) {
        // Listens before it looks, so that nothing falls in between.
        let notified = self.0.notify.notified();
        if !self.is_cancelled() {
            notified.await;
        }
    }

    /// Whoever asks for [`cancelled`](Self::cancelled) from now on stops by itself.
    pub(super) fn take_over(&self) {
        self.0.is_taken_over.store(true, Ordering::Release);
    }

    /// Waits until the handler is needless and is to be stopped where it waits.
    pub(super) async fn ends_handler(&self) {
        self.cancelled().await;
        if self.0.is_taken_over.load(Ordering::Acquire) {
            std::future::pending().await
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiting: VecDeque<Waiting>,
    running: Vec<Running>,
    /// The loop guard wants it silent.
    pub(super) silent: bool,
}

#[derive(Debug)]
struct Waiting {
    start: Start,
    /// It may be handled together with others of its sender.
    merges: bool,
    /// It waits for the word of somebody else: of another bot, or of another account.
    is_gated: bool,
}

/// A handler that runs.
#[derive(Debug)]
struct Running {
    id: Option<u64>,
    cancel: Option<(Cancel, Vec<Arc<Message>>)>,
}

/// When the next event may be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Now,
    /// Not before this time.
    At(Duration),
    /// When a handler has ended.
    Later,
    /// There is none.
    Never,
}

fn sender(start: &Start) -> Option<&str> {
    match &start.what {
        What::Message(message) => Some(&message.from),
        _ => None,
    }
}

impl Line {
    /// How many events wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many handlers run.
    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// Whether something waits.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// An event came. It `merges` if it may be handled together with others. One that is gated waits for
    /// [`open`](Self::open) or [`withdraw`](Self::withdraw).
    pub(super) fn push(
        &mut self,
        start: Start,
        (merges, is_gated): (bool, bool),
        overlap: Overlap,
    ) {
        let waiting = Waiting {
            merges: merges && sender(&start).is_some(),
            start,
            is_gated,
        };
        if !is_gated {
            self.cancel_for(&waiting, overlap);
        }
        self.waiting.push_back(waiting);
    }

    /// Stops what a newer message makes needless.
    fn cancel_for(&self, newer: &Waiting, overlap: Overlap) {
        if overlap != Overlap::Latest || !newer.merges {
            return;
        }
        for running in &self.running {
            if let Some((cancel, messages)) = &running.cancel
                && messages.last().map(|message| &*message.from) == sender(&newer.start)
            {
                cancel.cancel();
            }
        }
    }

    /// A message that was gated may be handled. Returns whether it was.
    pub(super) fn open(&mut self, message: u64, overlap: Overlap) -> bool {
        let mut gated = self.waiting.iter_mut().filter(|waiting| waiting.is_gated);
        let Some(waiting) = gated.find(|waiting| waiting.start.job.message() == Some(message))
        else {
            return false;
        };
        waiting.is_gated = false;
        let opened = self
            .waiting
            .iter()
            .find(|waiting| waiting.start.job.message() == Some(message));
        if let Some(opened) = opened {
            self.cancel_for(opened, overlap);
        }
        true
    }

    /// A message that was gated is not for this bot after all. Returns whether it was.
    pub(super) fn withdraw(&mut self, message: u64) -> bool {
        let before = self.waiting.len();
        self.waiting
            .retain(|waiting| !waiting.is_gated || waiting.start.job.message() != Some(message));
        before != self.waiting.len()
    }

    /// When the next event may be handled.
    pub(super) fn turn(&self, now: Duration, overlap: Overlap) -> Turn {
        let Some(first) = self.waiting.front() else {
            return Turn::Never;
        };
        let beside = match overlap {
            Overlap::Parallel => BESIDE,
            _ => 1,
        };
        if self.silent || first.is_gated || self.running.len() >= beside {
            return Turn::Later;
        }
        let Some(patience) = overlap.merges().filter(|_| first.merges) else {
            return Turn::Now;
        };
        let mut last = first.start.came;
        for waiting in self.of_sender(&first.start) {
            if !waiting.merges || waiting.is_gated {
                return Turn::Now; // Nothing more can be merged before it.
            }
            last = waiting.start.came;
        }
        let at = (last + patience).min(first.start.came + patience * LONGEST_BURST);
        if at <= now { Turn::Now } else { Turn::At(at) }
    }

    fn of_sender<'a>(&'a self, of: &'a Start) -> impl Iterator<Item = &'a Waiting> {
        let all = self.waiting.iter();
        all.filter(|waiting| sender(&waiting.start) == sender(of))
    }

    /// The next event, without taking it.
    pub(super) fn first(&self) -> Option<&What> {
        self.waiting.front().map(|waiting| &waiting.start.what)
    }

    /// Takes the next event, with the messages that are handled together with it.
    pub(super) fn take(&mut self, overlap: Overlap) -> Option<Start> {
        let Waiting {
            mut start, merges, ..
        } = self.waiting.pop_front()?;
        if merges && overlap.merges().is_some() {
            let mut index = 0;
            while let Some(next) = self.waiting.get(index) {
                if sender(&next.start) != sender(&start) {
                    index += 1;
                    continue;
                }
                if !next.merges || next.is_gated {
                    break;
                }
                if let Some(next) = self.waiting.remove(index) {
                    start = next.start.after(start);
                }
            }
        }
        let cancel = (overlap == Overlap::Latest && merges).then(|| {
            let mut messages = start.earlier.clone();
            if let What::Message(message) = &start.what {
                messages.push(message.clone());
            }
            (Cancel::default(), messages)
        });
        start.cancel = cancel.as_ref().map(|(cancel, _)| cancel.clone());
        self.running.push(Running {
            id: start.job.message(),
            cancel,
        });
        Some(start)
    }

    /// A handler has ended.
    pub(super) fn ended(&mut self, job: &Job) {
        let ended = self
            .running
            .iter()
            .position(|running| running.id == job.message());
        if let Some(ended) = ended {
            self.running.swap_remove(ended);
        }
    }

    /// A handler was stopped for a newer message: its messages are handled together with that one.
    pub(super) fn cancelled(&mut self, job: &Job) {
        let position = self
            .running
            .iter()
            .position(|running| running.id == job.message());
        let Some(running) = position.map(|position| self.running.swap_remove(position)) else {
            return;
        };
        let Some((_, messages)) = running.cancel else {
            return;
        };
        let from = messages.last().map(|message| message.from.clone());
        let next = self
            .waiting
            .iter_mut()
            .filter(|waiting| waiting.merges && !waiting.is_gated)
            .find(|waiting| sender(&waiting.start) == from.as_deref());
        if let Some(next) = next {
            next.start.prepend(job, messages);
        }
    }

    /// What waits, which will not be handled.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = Start> + use<> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().map(|waiting| waiting.start)
    }
}
