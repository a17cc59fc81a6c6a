//! A token bucket that hands out reservations instead of refusals.

use std::time::Duration;

/// Spreads actions over time: `rate` a second on average, `burst` at once after a pause.
///
/// A reservation is never refused; it says how long to wait. Reservations are served in the order
/// they were made, which makes a queue of waiting accounts fair without keeping one.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    interval: Duration,
    tolerance: Duration,
    /// When the bucket would be full again, had nothing been taken (the "theoretical arrival
    /// time" of the generic cell rate algorithm).
    full_at: Duration,
}

impl Pace {
    /// `rate` actions a second, `burst` of them at once; both at least 1 in effect.
    #[must_use]
    pub fn new(rate: f64, burst: u32) -> Self {
        let rate = if rate.is_finite() {
            rate.clamp(0.001, 1e6)
        } else {
            1.0
        };
        let interval = Duration::from_secs_f64(1.0 / rate);
        Self {
            interval,
            tolerance: interval.saturating_mul(burst.saturating_sub(1)),
            full_at: Duration::ZERO,
        }
    }

    /// Changes rate and burst; reservations made so far stay as they are.
    pub fn set(&mut self, rate: f64, burst: u32) {
        let full_at = self.full_at;
        *self = Self {
            full_at,
            ..Self::new(rate, burst)
        };
    }

    /// Takes one token at the monotonic time `now`; the answer is how long to wait for it.
    pub fn reserve(&mut self, now: Duration) -> Duration {
        let start = self.full_at.max(now);
        self.full_at = start + self.interval;
        start.saturating_sub(self.tolerance).saturating_sub(now)
    }

    /// Takes one token if there is one now.
    pub fn try_take(&mut self, now: Duration) -> bool {
        let free = self.full_at.max(now).saturating_sub(self.tolerance) <= now;
        if free {
            self.reserve(now);
        }
        free
    }

    /// Whether something was reserved that still counts at the monotonic time `now`; a pace that is
    /// not busy is as good as new.
    #[must_use]
    pub fn is_busy(&self, now: Duration) -> bool {
        self.full_at > now
    }

    /// No action before `until`, and then from an empty bucket: the server asked for rest.
    pub fn rest(&mut self, until: Duration) {
        self.full_at = self.full_at.max(until.saturating_add(self.tolerance));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn millis(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let mut pace = Pace::new(10.0, 3);
        let waits: Vec<u128> = (0..6)
            .map(|_| pace.reserve(millis(0)).as_millis())
            .collect();
        assert_eq!(waits, [0, 0, 0, 100, 200, 300]);
        assert_eq!(pace.reserve(millis(10_000)), Duration::ZERO);
    }

    #[test]
    fn taking_is_refused_when_the_bucket_is_empty() {
        let mut pace = Pace::new(10.0, 1);
        assert!(pace.try_take(millis(0)));
        assert!(!pace.try_take(millis(99)));
        assert!(pace.try_take(millis(100)));
    }

    #[test]
    fn rest_holds_everything_back() {
        let mut pace = Pace::new(10.0, 5);
        pace.rest(millis(2_000));
        assert_eq!(pace.reserve(millis(500)), millis(1_500));
    }

    proptest! {
        #[test]
        fn never_more_than_burst_plus_rate(
            rate in 1u32..50, burst in 1u32..20, gaps in proptest::collection::vec(0u64..400, 1..200),
        ) {
            let mut pace = Pace::new(f64::from(rate), burst);
            let mut now = Duration::ZERO;
            let mut starts = Vec::new();
            for gap in gaps {
                now += millis(gap);
                starts.push(now + pace.reserve(now));
            }
            prop_assert!(starts.is_sorted(), "first come, first served");
            for (i, first) in starts.iter().enumerate() {
                for (j, last) in starts.iter().enumerate().skip(i) {
                    let allowed = f64::from(burst) + (*last - *first).as_secs_f64() * f64::from(rate);
                    prop_assert!((j - i + 1) as f64 <= allowed + 1e-3);
                }
            }
        }
    }
}
