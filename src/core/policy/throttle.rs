//! Lets a few events of each kind through and counts the rest.

use super::pace::Pace;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// Kinds that are kept apart at most. A further kind does not pass until another one is idle.
const MAX_KINDS: usize = 1024;

/// Lets `burst` events of a kind through at once and, unless told otherwise, one a second after that. It counts what it holds back
/// and reports the count once a second.
#[derive(Debug)]
pub struct Throttle<K> {
    burst: u32,
    rate: f64,
    kinds: HashMap<K, Kind>,
}

#[derive(Debug)]
struct Kind {
    pace: Pace,
    used: Duration,
    held: u64,
    /// Held back since the last report; the next one is due then.
    due: Duration,
}

impl<K: Hash + Eq + Clone> Throttle<K> {
    /// `burst` of a kind at once, after a pause.
    #[must_use]
    pub fn new(burst: u32) -> Self {
        Self::with_rate(burst, 1.0)
    }

    /// `burst` of a kind at once, after a pause, and then `rate` a second.
    #[must_use]
    pub fn with_rate(burst: u32, rate: f64) -> Self {
        Self {
            burst,
            rate,
            kinds: HashMap::new(),
        }
    }

    /// Whether one more of this kind may pass at the monotonic time `now`; counted if not.
    pub fn pass(&mut self, now: Duration, kind: &K) -> bool {
        if !self.kinds.contains_key(kind) {
            self.make_room(now);
            if self.kinds.len() >= MAX_KINDS {
                return false;
            }
        }
        let (burst, rate) = (self.burst, self.rate);
        let kind = self.kinds.entry(kind.clone()).or_insert_with(|| Kind {
            pace: Pace::new(rate, burst),
            used: now,
            held: 0,
            due: Duration::ZERO,
        });
        kind.used = now;
        if kind.pace.try_take(now) {
            return true;
        }
        if kind.held == 0 {
            kind.due = now + REPORT;
        }
        kind.held += 1;
        false
    }

    /// The kinds that were held back and are due to be reported, each with its count. With `all`, it does not
    /// wait for the second to pass.
    pub fn reports(&mut self, now: Duration, all: bool) -> Vec<(K, u64)> {
        let due = self.kinds.iter_mut();
        let due = due.filter(|(_, kind)| kind.held > 0 && (all || kind.due <= now));
        due.map(|(key, kind)| (key.clone(), std::mem::take(&mut kind.held)))
            .collect()
    }

    /// When [`reports`](Self::reports) has something to say.
    #[must_use]
    pub fn next_report(&self) -> Option<Duration> {
        let held = self.kinds.values().filter(|kind| kind.held > 0);
        held.map(|kind| kind.due).min()
    }

    /// Forgets kinds that would have their whole burst again by now.
    fn make_room(&mut self, now: Duration) {
        if self.kinds.len() < MAX_KINDS {
            return;
        }
        let rest = Duration::from_secs_f64(f64::from(self.burst) / self.rate.max(0.001));
        self.kinds
            .retain(|_, kind| kind.held > 0 || now.saturating_sub(kind.used) < rest);
    }
}

/// What is held back is reported after this time.
const REPORT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_flood_of_one_kind_is_one_a_second_and_a_count_and_leaves_the_others_alone() {
        let mut throttle = Throttle::new(5);
        let (mut passed, mut reported) = (0u64, 0u64);
        for n in 0..100_000u64 {
            // Ten seconds.
            let now = ms(n / 10);
            passed += u64::from(throttle.pass(now, &"flood"));
            if throttle.next_report().is_some_and(|due| due <= now) {
                reported += throttle.reports(now, false)[0].1;
            }
        }
        assert!((13..=15).contains(&passed), "{passed}");
        assert!(throttle.pass(ms(10_000), &"other"));
        let rest: u64 = throttle
            .reports(ms(10_000), true)
            .iter()
            .map(|(_, n)| n)
            .sum();
        assert_eq!(passed + reported + rest, 100_000, "every one is counted");
        assert_eq!(throttle.next_report(), None);
    }

    #[test]
    fn at_a_rate_more_pass() {
        let mut throttle = Throttle::with_rate(10, 100.0);
        // Two seconds of a thousand a second.
        let passed = (0..2_000)
            .filter(|n| throttle.pass(ms(*n), &"flood"))
            .count();
        assert!((200..=210).contains(&passed), "{passed}");
    }

    #[test]
    fn few_of_a_kind_all_pass() {
        let mut throttle = Throttle::new(5);
        for second in 0..100 {
            assert!(throttle.pass(ms(second * 1000), &1));
        }
        assert!(throttle.reports(ms(200_000), true).is_empty());
    }

    #[test]
    fn it_remembers_no_more_kinds_than_it_may() {
        let mut throttle = Throttle::new(1);
        for kind in 0..(3 * MAX_KINDS) {
            throttle.pass(ms(kind as u64 * 10), &kind);
        }
        assert!(throttle.kinds.len() <= MAX_KINDS);
        assert!(throttle.pass(ms(1_000_000), &usize::MAX));
    }
}
