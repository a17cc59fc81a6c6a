//! Paces the logins of a whole fleet, and learns from what the server says about it.

use super::pace::Pace;
use std::time::Duration;

/// The slowest rate, as a part of the configured one.
const SLOWEST: f64 = 1.0 / 16.0;
/// A quiet time of this length doubles the rate again.
const RECOVERY: Duration = Duration::from_secs(60);

/// A token bucket over all logins: first come, first served. Its rate halves each time the server finds the
/// fleet too quick, and doubles after each quiet minute, up to the configured rate.
#[derive(Clone, Copy, Debug)]
pub struct Governor {
    rate: f64,
    burst: u32,
    part: f64,
    changed: Duration,
    pace: Pace,
}

impl Governor {
    /// `rate` logins a second, `burst` of them at once.
    #[must_use]
    pub fn new(rate: f64, burst: u32) -> Self {
        Self {
            rate,
            burst,
            part: 1.0,
            changed: Duration::ZERO,
            pace: Pace::new(rate, burst),
        }
    }

    /// Takes a turn at the monotonic time `now`; the answer is how long to wait for it.
    pub fn reserve(&mut self, now: Duration) -> Duration {
        while self.part < 1.0 && now >= self.changed + RECOVERY {
            self.changed += RECOVERY;
            self.set_part((self.part * 2.0).min(1.0));
        }
        self.pace.reserve(now)
    }

    /// The server finds the fleet too quick: no login for `delay`, and half the rate from then on. Many accounts
    /// hear this at the same time; within a second it counts once.
    pub fn slow_down(&mut self, now: Duration, delay: Duration) {
        self.pace.rest(now + delay);
        if now >= self.changed + Duration::from_secs(1) || self.part >= 1.0 {
            self.changed = now;
            self.set_part((self.part / 2.0).max(SLOWEST));
        }
    }

    /// Logins a second at present.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate * self.part
    }

    fn set_part(&mut self, part: f64) {
        self.part = part;
        let burst = (f64::from(self.burst) * part).max(1.0);
        // At most the set burst, which is a u32.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        self.pace.set(self.rate * part, burst as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn it_slows_down_once_per_complaint_and_recovers_by_the_minute() {
        let mut governor = Governor::new(100.0, 10);
        for _ in 0..50 {
            governor.slow_down(secs(10), secs(5));
        }
        assert!((governor.rate() - 50.0).abs() < 1e-9, "{}", governor.rate());
        assert!(governor.reserve(secs(10)) >= secs(5) - Duration::from_millis(1));
        governor.slow_down(secs(20), secs(5));
        assert!((governor.rate() - 25.0).abs() < 1e-9);
        governor.reserve(secs(85));
        assert!((governor.rate() - 50.0).abs() < 1e-9);
        governor.reserve(secs(500));
        assert!((governor.rate() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn it_never_stops_altogether() {
        let mut governor = Governor::new(100.0, 10);
        for n in 0..100 {
            governor.slow_down(secs(n * 2), Duration::ZERO);
        }
        assert!(governor.rate() >= 100.0 / 16.0 - 1e-9);
    }
}
