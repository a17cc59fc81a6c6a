//! How often a child may die before its parent stops restarting it.

use std::collections::VecDeque;
use std::time::Duration;

/// At most `max` deaths in a sliding window of `period`.
#[derive(Clone, Debug)]
pub struct RestartIntensity {
    max: usize,
    period: Duration,
    deaths: VecDeque<Duration>,
}

impl RestartIntensity {
    /// Allows `max` deaths per `period`.
    #[must_use]
    pub const fn new(max: usize, period: Duration) -> Self {
        Self {
            max,
            period,
            deaths: VecDeque::new(),
        }
    }

    /// Records a death at the monotonic time `now`; `true` when the child may be restarted.
    pub fn allow(&mut self, now: Duration) -> bool {
        while self
            .deaths
            .front()
            .is_some_and(|at| now.saturating_sub(*at) >= self.period)
        {
            self.deaths.pop_front();
        }
        self.deaths.push_back(now);
        self.deaths.len() <= self.max
    }

    /// Forgets all deaths: someone has looked at it.
    pub fn reset(&mut self) {
        self.deaths.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_death_too_many_in_the_window_is_too_many() {
        let secs = Duration::from_secs;
        let mut intensity = RestartIntensity::new(2, secs(10));
        assert!(intensity.allow(secs(0)));
        assert!(intensity.allow(secs(1)));
        assert!(!intensity.allow(secs(9)));
        assert!(
            !intensity.allow(secs(10)),
            "the deaths of 1 s and 9 s still count"
        );
        assert!(intensity.allow(secs(100)), "all are out of the window");
        intensity.reset();
        assert!(intensity.allow(secs(100)));
    }
}
