//! What time it is at the server. Clocks of machines are often wrong, and the server's is what counts.

use crate::policy::Now;
use std::time::Duration;

/// Milliseconds by which clocks may differ without being called different: the server tells whole
/// seconds, and some time after.
const AGREES: u64 = 2_500;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct ServiceClock {
    /// What time it was at the server at a monotonic time, as it said last.
    heard: Option<(Duration, Duration)>,
    /// Server clock minus local clock in milliseconds, as a status shows it.
    shown: i64,
}

impl ServiceClock {
    /// The server told its time in answer to a dial.
    pub(super) fn dialled(&mut self, now: Now, time: Duration) {
        self.heard = Some((now.mono, time));
        if self.shown == 0 {
            self.shown = self.offset(now);
        }
    }

    /// A login told by how many milliseconds the server's clock is ahead; zero to the millisecond means
    /// that it did not tell.
    pub(super) fn logged_in(&mut self, now: Now, offset: i64) {
        self.shown = offset;
        let by = Duration::from_millis(offset.unsigned_abs());
        let time = match offset {
            0 => return,
            1.. => now.unix.saturating_add(by),
            ..0 => now.unix.saturating_sub(by),
        };
        self.heard = Some((now.mono, time));
    }

    /// Whether the server has told its time.
    pub(super) const fn is_known(&self) -> bool {
        self.heard.is_some()
    }

    /// Server clock minus local clock in milliseconds, as was told last.
    pub(super) const fn shown(&self) -> i64 {
        self.shown
    }

    /// The server's time in Unix seconds by what was told last, for messages.
    pub(super) fn shown_secs(&self, now: Now) -> u64 {
        let local = i64::try_from(now.unix.as_millis()).unwrap_or(i64::MAX);
        u64::try_from(local.saturating_add(self.shown) / 1000).unwrap_or(0)
    }

    /// The server's time in Unix seconds by what was heard last; ours before it has told any.
    pub(super) fn heard_secs(&self, now: Now) -> u64 {
        match self.heard {
            None => now.unix_secs(),
            Some((at, time)) => time.saturating_add(now.mono.saturating_sub(at)).as_secs(),
        }
    }

    /// By how many milliseconds the server's clock is ahead of ours now, as far as is known.
    pub(super) fn offset(&self, now: Now) -> i64 {
        let Some((at, time)) = self.heard else {
            return 0;
        };
        let server = time.saturating_add(now.mono.saturating_sub(at));
        let ahead = server.saturating_sub(now.unix).as_millis();
        let behind = now.unix.saturating_sub(server).as_millis();
        let milliseconds = |n: u128| i64::try_from(n).unwrap_or(i64::MAX);
        milliseconds(ahead).saturating_sub(milliseconds(behind))
    }

    /// The time in Unix seconds to make and judge UserSigs by: the server's, where that is known and
    /// plainly another than ours, unless `ours` is to be tried.
    pub(super) fn secs(&self, now: Now, ours: bool) -> u64 {
        let offset = self.offset(now);
        if ours || offset.unsigned_abs() <= AGREES {
            return now.unix_secs();
        }
        let by = Duration::from_millis(offset.unsigned_abs());
        if offset > 0 {
            now.unix.saturating_add(by).as_secs()
        } else {
            now.unix.saturating_sub(by).as_secs()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(mono: u64, unix: u64) -> Now {
        Now::new(Duration::from_secs(mono), Duration::from_secs(unix))
    }

    #[test]
    fn the_servers_time_goes_on_with_the_monotonic_clock() {
        let mut clock = ServiceClock::default();
        clock.dialled(at(10, 1_000), Duration::from_secs(5_000));
        assert_eq!(clock.secs(at(70, 1_060), false), 5_060);
        // Somebody set our clock: the server's is the same.
        assert_eq!(clock.secs(at(70, 9_000), false), 5_060);
        assert_eq!(clock.secs(at(70, 9_000), true), 9_000);
    }

    #[test]
    fn an_offset_of_zero_tells_nothing() {
        let mut clock = ServiceClock::default();
        clock.logged_in(at(1, 1_000), 0);
        assert!(!clock.is_known());
        clock.logged_in(at(1, 1_000), -60_000);
        assert_eq!(
            (clock.shown(), clock.secs(at(2, 1_001), false)),
            (-60_000, 941)
        );
    }
}
