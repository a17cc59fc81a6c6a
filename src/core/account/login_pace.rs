//! The pace of an account's logins: a least time between two, and what the server asked for.

use std::time::Duration;

/// When the account may log in next. Times are monotonic.
#[derive(Debug, Default)]
pub(super) struct LoginPace {
    last_login: Option<Duration>,
    /// The server accepts no login before.
    not_before: Duration,
}

impl LoginPace {
    /// A login is sent now.
    pub(super) const fn logged_in(&mut self, now: Duration) {
        self.last_login = Some(now);
    }

    /// The server accepts no login before `at`, and none before what it asked for earlier.
    pub(super) fn hold_until(&mut self, at: Duration) {
        self.not_before = self.not_before.max(at);
    }

    /// How long the server still accepts no login.
    pub(super) const fn held_for(&self, now: Duration) -> Duration {
        self.not_before.saturating_sub(now)
    }

    /// The first time from `at` on that is `spacing` after the last login and that the server accepts.
    pub(super) fn earliest(&self, at: Duration, spacing: Duration) -> Duration {
        let spaced = self
            .last_login
            .map_or(Duration::ZERO, |last| last + spacing);
        at.max(spaced).max(self.not_before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_login_keeps_its_distance_to_the_last_one_and_to_what_the_server_asked_for() {
        let mut pace = LoginPace::default();
        assert_eq!(pace.earliest(secs(5), secs(10)), secs(5));
        pace.logged_in(secs(5));
        assert_eq!(pace.earliest(secs(6), secs(10)), secs(15));
        assert_eq!(pace.earliest(secs(20), secs(10)), secs(20));
        pace.hold_until(secs(30));
        pace.hold_until(secs(25));
        assert_eq!(pace.earliest(secs(20), secs(10)), secs(30));
        assert_eq!(pace.held_for(secs(28)), secs(2));
        assert_eq!(pace.held_for(secs(31)), secs(0));
    }
}
