//! Growing delays between tries, with full jitter.

use std::time::Duration;

/// Delays that double from `min` to `max`; each try waits a random part of its delay, so that a
/// fleet that failed together does not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    min: Duration,
    max: Duration,
}

/// Why two durations do not make a back-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackoffError {
    /// `min` is zero: the first retry would be a tight loop.
    #[error("the smallest delay must be longer than zero")]
    Zero,
    /// `min` is longer than `max`.
    #[error("the smallest delay must not be longer than the largest")]
    Order,
}

impl Backoff {
    /// 1 s doubling to 60 s: unnoticed when the link comes back soon, and easy on a server that stays away.
    pub const DEFAULT: Self = Self {
        min: Duration::from_secs(1),
        max: Duration::from_secs(60),
    };

    /// 2 s doubling to 5 min, for requests on an open link: a single failure goes unnoticed, and a server that
    /// keeps refusing is not asked often.
    pub const FETCH: Self = Self {
        min: Duration::from_secs(2),
        max: Duration::from_secs(300),
    };

    /// 1 min doubling to 15 min: long enough for a person who took the account's place to finish.
    pub const COOL_DOWN: Self = Self {
        min: Duration::from_secs(60),
        max: Duration::from_secs(900),
    };

    /// 2 h doubling to 12 h: rare enough that two programs that want the same account coexist.
    pub const CONTEST: Self = Self {
        min: Duration::from_secs(7200),
        max: Duration::from_secs(43_200),
    };

    /// A back-off from `min` to `max`.
    ///
    /// # Errors
    /// When `min` is zero or longer than `max`.
    pub fn new(min: Duration, max: Duration) -> Result<Self, BackoffError> {
        if min.is_zero() {
            Err(BackoffError::Zero)
        } else if min > max {
            Err(BackoffError::Order)
        } else {
            Ok(Self { min, max })
        }
    }

    /// The first wait.
    #[must_use]
    pub const fn min(&self) -> Duration {
        self.min
    }

    /// The longest wait.
    #[must_use]
    pub const fn max(&self) -> Duration {
        self.max
    }

    /// The longest a try after `failures` failures in a row may wait; zero before the first.
    #[must_use]
    pub fn ceiling(&self, failures: u32) -> Duration {
        match failures {
            0 => Duration::ZERO,
            n => self
                .min
                .saturating_mul(1u32.checked_shl(n - 1).unwrap_or(u32::MAX))
                .min(self.max),
        }
    }

    /// How long to wait after `failures` failures in a row. `chance` is a random number in
    /// `0.0..1.0`; the delay lies between half of `min` and the [ceiling](Self::ceiling).
    #[must_use]
    pub fn delay(&self, failures: u32, chance: f64) -> Duration {
        let ceiling = self.ceiling(failures);
        if ceiling.is_zero() {
            return ceiling;
        }
        let floor = (self.min / 2).min(ceiling);
        floor + (ceiling - floor).mul_f64(chance.clamp(0.0, 1.0))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ceiling_doubles_up_to_the_maximum() {
        let seconds: Vec<u64> = (0..9)
            .map(|n| Backoff::DEFAULT.ceiling(n).as_secs())
            .collect();
        assert_eq!(seconds, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(Backoff::DEFAULT.ceiling(u32::MAX).as_secs(), 60);
    }

    #[test]
    fn impossible_bounds_are_refused() {
        let second = Duration::from_secs(1);
        assert_eq!(
            Backoff::new(Duration::ZERO, second),
            Err(BackoffError::Zero)
        );
        assert_eq!(Backoff::new(second * 2, second), Err(BackoffError::Order));
    }

    proptest! {
        #[test]
        fn a_delay_lies_between_half_the_minimum_and_the_ceiling(
            min in 1u64..5_000, more in 0u64..100_000, failures in 1u32..100, chance in 0.0f64..1.0,
        ) {
            let backoff = Backoff::new(Duration::from_millis(min), Duration::from_millis(min + more)).unwrap();
            let delay = backoff.delay(failures, chance);
            prop_assert!(delay >= Duration::from_millis(min) / 2);
            prop_assert!(delay <= backoff.ceiling(failures));
        }
    }
}
