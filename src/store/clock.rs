//! The time by which a store prunes.
//!
//! The system's clock may jump. One that jumps a year ahead must not prune everything at once, and one that jumps
//! back must not keep everything for ever. So the clock of the process, which only runs on, watches it: the system's
//! clock is believed once the two have agreed for a day. Until then the time goes on from the newest record.

use botroupe_core::ledger::Horizon;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The system's time, in Unix seconds.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place where this room reads it"
)]
pub(super) fn unix_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

/// The time of the process.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place where this room reads it"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// How long the clocks must agree.
const TRUST: Duration = Duration::from_secs(24 * 3600);
/// Up to here a difference between the clocks is none: somebody set it right by a little.
const SLACK: u64 = 300;
/// How long a process may have been away without doubt about the clock.
const AWAY: u64 = 24 * 3600;

/// How long records are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retention {
    pub(super) read: Duration,
    pub(super) handled: Duration,
    pub(super) keys: Duration,
    pub(super) dead_letters: Duration,
}

impl Retention {
    /// What is over at a time that nobody doubts.
    pub(super) fn horizon(&self, now: u64, old: u64) -> Horizon {
        let before = |keep: Duration| now.saturating_sub(keep.as_secs());
        Horizon {
            read: before(self.read),
            handled: before(self.handled),
            keys: before(self.keys),
            dead_letters: before(self.dead_letters),
            now,
            old,
        }
    }

    fn longest(&self) -> Duration {
        self.read
            .max(self.handled)
            .max(self.keys)
            .max(self.dead_letters)
    }
}

/// Watches the system's clock.
#[derive(Clone, Debug)]
pub(super) struct PruneClock {
    /// What the time cannot be later than, as long as the system's clock is not believed, and when that was so by the
    /// clock of the process.
    limit: Option<(u64, Duration)>,
    /// Both clocks when they began to agree.
    agreed: (u64, Duration),
    /// A number of a record, and when it was the newest.
    mark: (u64, Duration),
    /// Records of smaller numbers are older than every retention.
    old: u64,
}

impl PruneClock {
    /// At the start of a process, by the time and the number of the newest record.
    pub(super) fn new(wall: u64, run: Duration, newest_at: u64, newest: u64) -> Self {
        let latest = newest_at.saturating_add(AWAY);
        Self {
            limit: (newest > 0 && wall > latest).then_some((latest, run)),
            agreed: (wall, run),
            mark: (newest, run),
            old: 0,
        }
    }

    /// Reads both clocks, and returns what to prune.
    pub(super) fn horizon(
        &mut self,
        wall: u64,
        run: Duration,
        newest: u64,
        keep: &Retention,
    ) -> Horizon {
        let since = run.saturating_sub(self.agreed.1);
        let expected = self.agreed.0.saturating_add(since.as_secs());
        if wall.abs_diff(expected) > SLACK {
            let limit = self.now(expected, run);
            self.limit = (wall > limit).then_some((limit, run));
            self.agreed = (wall, run);
        } else if since >= TRUST {
            self.limit = None;
            // A drift of the clocks adds up over months; it is no jump.
            self.agreed = (wall.saturating_sub(TRUST.as_secs()), run - TRUST);
        }
        let over = run.saturating_sub(self.mark.1);
        if over > keep.longest() {
            self.old = self.mark.0;
            self.mark = (newest, run);
        }
        keep.horizon(self.now(wall, run), self.old)
    }

    fn now(&self, wall: u64, run: Duration) -> u64 {
        self.limit.map_or(wall, |(limit, at)| {
            wall.min(limit.saturating_add(run.saturating_sub(at).as_secs()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: u64 = 1_795_000_000;
    const DAY: u64 = 24 * 3600;
    const YEAR: u64 = 366 * DAY;
    const KEEP: Retention = Retention {
        read: Duration::from_secs(3600),
        handled: Duration::from_secs(7 * DAY),
        keys: Duration::from_secs(30 * DAY),
        dead_letters: Duration::from_secs(30 * DAY),
    };

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_time_of_a_good_clock_is_taken() {
        let mut clock = PruneClock::new(T, secs(0), T - 100, 7);
        let horizon = clock.horizon(T + 60, secs(60), 8, &KEEP);
        assert_eq!(horizon.handled, T + 60 - 7 * DAY);
        assert_eq!((horizon.now, horizon.old), (T + 60, 0));
    }

    #[test]
    fn a_clock_that_jumps_a_year_ahead_is_not_believed_for_a_day() {
        let mut clock = PruneClock::new(T, secs(0), T, 7);
        assert_eq!(clock.horizon(T + 60, secs(60), 7, &KEEP).now, T + 60);
        let jumped = |run: u64| T + YEAR + run;
        for run in [120, 3600, DAY] {
            let now = clock.horizon(jumped(run), secs(run), 7, &KEEP).now;
            assert_eq!(now, T + run);
        }
        // It comes back: nothing has happened.
        let mut back = clock.clone();
        assert_eq!(back.horizon(T + DAY, secs(DAY), 7, &KEEP).now, T + DAY);
        // It stays: it is right.
        let run = DAY + 120;
        assert_eq!(
            clock.horizon(jumped(run), secs(run), 7, &KEEP).now,
            jumped(run)
        );
        let run = DAY + 180;
        assert_eq!(
            clock.horizon(jumped(run), secs(run), 7, &KEEP).now,
            jumped(run)
        );
    }

    #[test]
    fn a_process_that_was_away_for_a_year_prunes_after_a_day() {
        let mut clock = PruneClock::new(T + YEAR, secs(0), T, 7);
        assert_eq!(
            clock.horizon(T + YEAR + 60, secs(60), 7, &KEEP).now,
            T + DAY + 60
        );
        let now = clock.horizon(T + YEAR + DAY, secs(DAY), 7, &KEEP).now;
        assert_eq!(now, T + YEAR + DAY);
    }

    #[test]
    fn a_clock_that_jumps_back_does_not_stop_pruning() {
        let mut clock = PruneClock::new(T + YEAR, secs(0), T + YEAR, 7);
        // New records come from the new time.
        assert_eq!(clock.horizon(T + 60, secs(60), 8, &KEEP).now, T + 60);
        assert_eq!(clock.horizon(T + 120, secs(120), 9, &KEEP).now, T + 120);
        // And those of the wrong time are known as old when all the others of then are.
        let run = 31 * DAY;
        let horizon = clock.horizon(T + run, secs(run), 900, &KEEP);
        assert_eq!(horizon.old, 7);
        assert!(horizon.ends_handled(6, T + YEAR, None));
        assert!(!horizon.ends_handled(8, T + run, None));
    }

    #[test]
    fn a_drift_is_no_jump() {
        let mut clock = PruneClock::new(T, secs(0), T, 7);
        // A second an hour, for a month.
        for hour in 1..720 {
            let run = hour * 3600;
            let wall = T + run + hour;
            assert_eq!(clock.horizon(wall, secs(run), 7, &KEEP).now, wall);
        }
    }
}
