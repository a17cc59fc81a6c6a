//! What the handlers of a bot have done since the process started, over all its accounts.
//!
//! A handler counts as one when it begins, and once more under the way it ends; whatever becomes of it, also when its thread
//! is given up, it ends once. How long each took goes into buckets, of which there are so many and no more.

use crate::proto::shown;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Two buckets for each doubling, from 100 µs to almost two hours; the last one takes what is longer.
const BUCKETS: usize = 54;
/// The upper end of the first bucket, in microseconds.
const FIRST: f64 = 100.0;
/// Mistakes that are remembered.
const MISTAKES: usize = 10;
/// The most characters of a mistake.
const WORDS: usize = 300;

/// How a handler ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HandlerEnd {
    /// Well.
    Done,
    /// With an error, a panic, or at its time limit.
    Failed,
    /// It became needless.
    Cancelled,
    /// Its thread was given up, or the process ends.
    Left,
}

/// See the module.
#[derive(Debug)]
pub struct BotFigures {
    begun: AtomicU64,
    done: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    left: AtomicU64,
    took: [AtomicU64; BUCKETS],
    longest: AtomicU64,
    mistakes: Mutex<VecDeque<HandlerMistake>>,
}

/// A handler that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerMistake {
    /// When, in Unix seconds.
    pub at: u64,
    /// On which account.
    pub account: String,
    /// Which handler.
    pub handler: &'static str,
    /// What it said, clipped.
    pub text: String,
}

/// What they have done up to a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BotDeeds {
    /// Handlers that began.
    pub begun: u64,
    /// Those that ended well.
    pub done: u64,
    /// Those that ended with an error, a panic, or at their time limit.
    pub failed: u64,
    /// Those that became needless.
    pub cancelled: u64,
    /// Those whose thread was given up.
    pub left: u64,
    /// How many took how long, in the order of [`bound`].
    took: Vec<u64>,
    longest: Duration,
}

/// The upper end of a bucket.
fn bound(bucket: usize) -> Duration {
    let micros = FIRST * 2_f64.powf(bucket as f64 / 2.0);
    Duration::from_micros(micros as u64)
}

fn bucket(took: Duration) -> usize {
    (0..BUCKETS - 1)
        .find(|bucket| took <= bound(*bucket))
        .unwrap_or(BUCKETS - 1)
}

impl Default for BotFigures {
    fn default() -> Self {
        Self {
            begun: AtomicU64::new(0),
            done: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            left: AtomicU64::new(0),
            took: std::array::from_fn(|_| AtomicU64::new(0)),
            longest: AtomicU64::new(0),
            mistakes: Mutex::default(),
        }
    }
}

impl BotFigures {
    /// A handler begins, at this monotonic time.
    pub(super) fn begin(self: &Arc<Self>, at: Duration) -> Begun {
        self.begun.fetch_add(1, Relaxed);
        Begun {
            figures: self.clone(),
            at,
            has_ended: false,
        }
    }

    fn end(&self, end: HandlerEnd, took: Option<Duration>) {
        let count = match end {
            HandlerEnd::Done => &self.done,
            HandlerEnd::Failed => &self.failed,
            HandlerEnd::Cancelled => &self.cancelled,
            HandlerEnd::Left => &self.left,
        };
        count.fetch_add(1, Relaxed);
        if let Some(took) = took {
            if let Some(bucket) = self.took.get(bucket(took)) {
                bucket.fetch_add(1, Relaxed);
            }
            let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            self.longest.fetch_max(micros, Relaxed);
        }
    }

    /// A handler has failed.
    pub(super) fn note_mistake(&self, at: u64, account: &str, handler: &'static str, text: &str) {
        let mut words = String::new();
        // Writing to a String cannot fail.
        let _ = shown::clipped(&mut words, text, WORDS);
        let mistake = HandlerMistake {
            at,
            account: account.to_owned(),
            handler,
            text: words,
        };
        let mut mistakes = self.lock();
        if mistakes.len() >= MISTAKES {
            mistakes.pop_front();
        }
        mistakes.push_back(mistake);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<HandlerMistake>> {
        // Nothing panics while holding it.
        self.mistakes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last mistakes, the newest first.
    #[must_use]
    pub fn mistakes(&self) -> Vec<HandlerMistake> {
        self.lock().iter().rev().cloned().collect()
    }

    /// What was done up to now.
    #[must_use]
    pub fn deeds(&self) -> BotDeeds {
        // Ends are read before beginnings: what runs is never less than nothing.
        let (done, failed) = (self.done.load(Relaxed), self.failed.load(Relaxed));
        let (cancelled, left) = (self.cancelled.load(Relaxed), self.left.load(Relaxed));
        BotDeeds {
            took: self.took.iter().map(|count| count.load(Relaxed)).collect(),
            longest: Duration::from_micros(self.longest.load(Relaxed)),
            begun: self.begun.load(Relaxed),
            done,
            failed,
            cancelled,
            left,
        }
    }
}

impl BotDeeds {
    /// How many run.
    #[must_use]
    pub const fn running(&self) -> u64 {
        let ended = self.done + self.failed + self.cancelled + self.left;
        self.begun.saturating_sub(ended)
    }

    /// How long the longest took.
    #[must_use]
    pub const fn longest(&self) -> Duration {
        self.longest
    }

    /// The time within which this share of them ended, 0 to 1: the upper end of a bucket, which is at most 1.42 times as
    /// long; `None` before any ended.
    #[must_use]
    pub fn within(&self, share: f64) -> Option<Duration> {
        let all: u64 = self.took.iter().sum();
        let wanted = ((all as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.took.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                let is_last = bucket == BUCKETS - 1;
                let most = if is_last { self.longest } else { bound(bucket) };
                return Some(most.min(self.longest));
            }
        }
        None
    }
}

/// A handler that runs. Dropped without an end, it was left.
#[derive(Debug)]
pub(super) struct Begun {
    figures: Arc<BotFigures>,
    at: Duration,
    has_ended: bool,
}

impl Begun {
    /// It has ended, at this monotonic time.
    pub(super) fn end(mut self, end: HandlerEnd, at: Duration) {
        self.has_ended = true;
        self.figures.end(end, Some(at.saturating_sub(self.at)));
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.has_ended {
            self.figures.end(HandlerEnd::Left, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn every_handler_ends_once_and_what_runs_is_known() {
        let figures = Arc::new(BotFigures::default());
        let begun: Vec<_> = (0..6).map(|_| figures.begin(millis(1_000))).collect();
        assert_eq!(figures.deeds().running(), 6);
        assert_eq!(figures.deeds().within(0.5), None);
        let mut begun = begun.into_iter();
        let mut end = |end| begun.next().unwrap().end(end, millis(1_002));
        end(HandlerEnd::Done);
        end(HandlerEnd::Done);
        end(HandlerEnd::Failed);
        end(HandlerEnd::Cancelled);
        drop(begun.next());
        let deeds = figures.deeds();
        let ends = (deeds.done, deeds.failed, deeds.cancelled, deeds.left);
        assert_eq!((deeds.begun, deeds.running(), ends), (6, 1, (2, 1, 1, 1)));
        // What was left has no end, and so no time.
        assert_eq!(deeds.took.iter().sum::<u64>(), 4);
        assert_eq!(deeds.longest(), millis(2));
    }

    #[test]
    fn times_are_told_to_the_bucket_and_never_too_short() {
        let figures = Arc::new(BotFigures::default());
        for n in 1..=1_000 {
            figures
                .begin(Duration::ZERO)
                .end(HandlerEnd::Done, millis(n));
        }
        let deeds = figures.deeds();
        for (share, exact) in [(0.5, 500), (0.99, 990), (1.0, 1_000)] {
            let told = deeds.within(share).unwrap();
            assert!(told >= millis(exact), "{share}: {told:?}");
            assert!(told <= millis(exact).mul_f64(1.42), "{share}: {told:?}");
        }
        assert_eq!(
            deeds.within(1.0),
            Some(millis(1_000)),
            "no longer than the longest"
        );
        let day = Duration::from_secs(86_400);
        figures.begin(Duration::ZERO).end(HandlerEnd::Done, day);
        assert_eq!(figures.deeds().within(1.0), Some(day));
        assert_eq!(bucket(Duration::ZERO), 0);
        assert!(bound(BUCKETS - 2) > Duration::from_secs(6_000));
    }

    #[test]
    fn the_last_mistakes_are_remembered_and_clipped() {
        let figures = BotFigures::default();
        for n in 0..MISTAKES as u64 + 5 {
            figures.note_mistake(n, "shop-01", "answer", &"x".repeat(10_000));
        }
        let mistakes = figures.mistakes();
        assert_eq!((mistakes.len(), mistakes[0].at), (MISTAKES, 14));
        assert!(mistakes[0].text.chars().count() <= WORDS + 1);
    }
}
