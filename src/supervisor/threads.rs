//! The threads that carry the accounts, and the watchdog that notices a hanging one.
//!
//! Accounts share threads, so code of ours that never returns would silence every account of its
//! thread. Each thread is asked for a sign of life at intervals. A thread that stays silent is given up: a
//! new one takes its place, and the old one ends if it ever comes back. Its [`Workplace`] names the account
//! it was working for. The supervisor decides which account moves to which thread.

use crate::gateway::Workplace;
use actix::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// All threads.
#[derive(Debug)]
pub(super) struct Threads {
    threads: Vec<Thread>,
    hang_after: Duration,
    last_beat: Option<Duration>,
}

#[derive(Debug)]
struct Thread {
    arbiter: Arbiter,
    place: Workplace,
    answered: Arc<AtomicU64>,
    pulse: Pulse,
}

/// A thread that was given up.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hung {
    /// Its number; the new one has the same.
    pub(super) thread: usize,
    /// The account it was working for, where that is known.
    pub(super) child: Option<u64>,
    /// A handler of a bot holds it.
    pub(super) by_handler: bool,
}

/// How long a handler may hold a thread of accounts.
const HANDLER_LIMIT: Duration = Duration::from_secs(2);

impl Thread {
    fn start() -> Self {
        let (arbiter, place) = (Arbiter::new(), Workplace::default());
        let installed = place.clone();
        arbiter.spawn_fn(move || installed.install());
        Self {
            arbiter,
            place,
            answered: Arc::default(),
            pulse: Pulse::default(),
        }
    }
}

impl Threads {
    /// Starts `count` threads. One that says nothing for `hang_after` is given up.
    pub(super) fn start(count: usize, hang_after: Duration) -> Self {
        Self {
            threads: (0..count.max(1)).map(|_| Thread::start()).collect(),
            hang_after,
            last_beat: None,
        }
    }

    /// How often to call [`beat`](Self::beat).
    pub(super) fn beat_every(&self) -> Duration {
        (self.hang_after / 4).min(Duration::from_secs(1))
    }

    pub(super) const fn len(&self) -> usize {
        self.threads.len()
    }

    pub(super) fn arbiter(&self, thread: usize) -> Option<ArbiterHandle> {
        Some(self.threads.get(thread)?.arbiter.handle())
    }

    /// Asks every thread whether it lives, and replaces those that have not answered for too long.
    pub(super) fn beat(&mut self, now: Duration) -> Vec<Hung> {
        // If this beat is late itself, the whole process was stopped or the machine was too busy: then
        // silence proves nothing.
        let late = self
            .last_beat
            .is_some_and(|last| now.saturating_sub(last) > self.beat_every() * 3);
        self.last_beat = Some(now);
        let mut hung = Vec::new();
        for (number, thread) in self.threads.iter_mut().enumerate() {
            if late {
                thread.pulse.forgive(now);
            }
            let answered = thread.answered.load(Ordering::Relaxed);
            // A handler of a bot is no code of ours, and nothing else can be the cause: no need to wait long.
            let is_blocked = !late
                && thread.place.handling_since().is_some_and(|since| {
                    now.saturating_sub(since) >= self.hang_after.min(HANDLER_LIMIT)
                });
            if is_blocked || thread.pulse.is_over(now, answered, self.hang_after) {
                let child = thread.place.child();
                thread.place.give_way();
                let old = std::mem::replace(thread, Thread::start());
                // Takes effect when the thread comes back; everything on it ends then.
                old.arbiter.stop();
                hung.push(Hung {
                    thread: number,
                    child,
                    by_handler: is_blocked,
                });
            } else if let Some(beat) = thread.pulse.ask(now, answered) {
                let answer = thread.answered.clone();
                thread
                    .arbiter
                    .spawn_fn(move || answer.store(beat, Ordering::Relaxed));
            }
        }
        hung
    }

    /// Ends every thread, without waiting for it.
    pub(super) fn stop(&self) {
        for thread in &self.threads {
            thread.arbiter.stop();
        }
    }
}

/// The sign of life that was asked of one thread, and when.
#[derive(Debug, Default)]
struct Pulse {
    asked: u64,
    asked_at: Duration,
}

impl Pulse {
    /// The number of the last answer, when no question is open.
    fn ask(&mut self, now: Duration, answered: u64) -> Option<u64> {
        (answered == self.asked).then(|| {
            self.asked += 1;
            self.asked_at = now;
            self.asked
        })
    }

    fn is_over(&self, now: Duration, answered: u64, limit: Duration) -> bool {
        answered != self.asked && now.saturating_sub(self.asked_at) >= limit
    }

    fn forgive(&mut self, now: Duration) {
        self.asked_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_thread_is_given_up_when_one_question_stays_open_too_long() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.ask(at(0), 0), Some(1));
        assert_eq!(pulse.ask(at(1), 0), None, "one question at a time");
        assert!(!pulse.is_over(at(9), 0, at(10)));
        assert!(pulse.is_over(at(10), 0, at(10)));
        assert!(!pulse.is_over(at(10), 1, at(10)), "answered");
        assert_eq!(pulse.ask(at(10), 1), Some(2), "and asked anew");
        assert!(!pulse.is_over(at(19), 1, at(10)));
    }

    #[test]
    fn time_in_which_nothing_could_be_said_does_not_count() {
        let mut pulse = Pulse::default();
        pulse.ask(at(0), 0);
        pulse.forgive(at(500));
        assert!(!pulse.is_over(at(509), 0, at(10)));
        assert!(pulse.is_over(at(510), 0, at(10)));
    }
}
