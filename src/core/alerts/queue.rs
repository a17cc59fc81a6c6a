//! Notices on their way to one receiver.

use super::notice::Notice;
use crate::policy::Backoff;
use std::collections::VecDeque;
use std::time::Duration;

/// Notices that wait at most: each says what is new, and nobody reads more of them hours later.
const MOST: usize = 16;
/// After so many tries, about an hour with [`Backoff::FETCH`], a notice is given up.
const TRIES: u32 = 16;

/// How a try to deliver ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver has it.
    Done,
    /// It may succeed later.
    Later,
    /// It never will.
    Never,
}

/// The queue of one receiver: one notice at a time, in order, tried again with growing pauses, and bounded.
#[derive(Debug)]
pub struct Queue {
    waiting: VecDeque<Notice>,
    /// The first one is being delivered.
    is_under_way: bool,
    tries: u32,
    /// The first one is tried at this monotonic time at the earliest.
    not_before: Duration,
    backoff: Backoff,
    rng: fastrand::Rng,
    dropped: u64,
}

impl Queue {
    /// An empty one. The seed spreads the tries.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            waiting: VecDeque::new(),
            is_under_way: false,
            tries: 0,
            not_before: Duration::ZERO,
            backoff: Backoff::FETCH,
            rng: fastrand::Rng::with_seed(seed),
            dropped: 0,
        }
    }

    /// Takes one more. Returns the oldest instead of it, when there are too many.
    pub fn push(&mut self, notice: Notice) -> Option<Notice> {
        self.waiting.push_back(notice);
        if self.waiting.len() <= MOST {
            return None;
        }
        self.dropped += 1;
        // One that is under way stays.
        self.waiting.remove(usize::from(self.is_under_way))
    }

    /// The notice to be delivered now; tell [`ended`](Self::ended) how that went.
    pub fn next(&mut self, now: Duration) -> Option<&Notice> {
        if self.is_under_way || now < self.not_before {
            return None;
        }
        let next = self.waiting.front()?;
        self.is_under_way = true;
        Some(next)
    }

    /// How it went. Returns a notice that is given up.
    pub fn ended(&mut self, now: Duration, delivery: Delivery) -> Option<Notice> {
        if !std::mem::take(&mut self.is_under_way) {
            return None;
        }
        self.tries = self.tries.saturating_add(1);
        match delivery {
            Delivery::Later if self.tries < TRIES => {
                let chance = self.rng.f64();
                self.not_before = now + self.backoff.delay(self.tries, chance);
                None
            }
            Delivery::Later | Delivery::Never => {
                self.dropped += 1;
                self.forward(now)
            }
            Delivery::Done => {
                self.forward(now);
                None
            }
        }
    }

    fn forward(&mut self, now: Duration) -> Option<Notice> {
        self.tries = 0;
        self.not_before = now;
        self.waiting.pop_front()
    }

    /// When [`next`](Self::next) has something, as monotonic time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let waits = !self.is_under_way && !self.waiting.is_empty();
        waits.then_some(self.not_before)
    }

    /// How many notices were given up.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn notice(number: u64) -> Notice {
        Notice {
            number,
            at: Duration::ZERO,
            firing: 1,
            resolved: 0,
            repeated: false,
            alerts: Vec::new(),
        }
    }

    #[test]
    fn one_at_a_time_in_order_and_again_after_growing_pauses() {
        let mut queue = Queue::new(7);
        queue.push(notice(1));
        queue.push(notice(2));
        let mut now = Duration::ZERO;
        let mut last = Duration::ZERO;
        for tries in 1..5 {
            assert_eq!(queue.next(now).unwrap().number, 1);
            assert_eq!(queue.next(now), None, "one is under way");
            assert_eq!(queue.poll_timeout(), None);
            assert_eq!(queue.ended(now, Delivery::Later), None);
            let next = queue.poll_timeout().unwrap();
            assert!(next >= now, "{tries}");
            assert!(next - now <= Duration::from_secs(300));
            last = last.max(next - now);
            now = next;
        }
        assert!(last > Duration::ZERO);
        queue.next(now);
        assert_eq!(queue.ended(now, Delivery::Done), None);
        assert_eq!(queue.next(now).unwrap().number, 2);
        assert_eq!(queue.ended(now, Delivery::Never).unwrap().number, 2);
        assert_eq!(queue.dropped(), 1);
        assert_eq!(queue.poll_timeout(), None);
        assert_eq!(queue.ended(now, Delivery::Never), None, "nothing was sent");
    }

    #[test]
    fn a_receiver_that_is_away_for_long_loses_the_oldest_and_blocks_nobody() {
        let mut queue = Queue::new(7);
        queue.push(notice(0));
        assert_eq!(queue.next(Duration::ZERO).unwrap().number, 0);
        let lost: Vec<u64> = (1..20)
            .filter_map(|number| queue.push(notice(number)))
            .map(|notice| notice.number)
            .collect();
        assert_eq!(lost, [1, 2, 3, 4], "the one under way stays");
        assert_eq!(queue.dropped(), 4);
        // And it is given up in the end.
        let mut now = Duration::ZERO;
        let mut given_up = None;
        for _ in 0..TRIES {
            given_up = queue.ended(now, Delivery::Later);
            if let Some(next) = queue.poll_timeout() {
                now = next;
                queue.next(now);
            }
        }
        assert_eq!(given_up.unwrap().number, 0);
        assert!(now < Duration::from_secs(2 * 3_600), "{now:?}");
    }
}
