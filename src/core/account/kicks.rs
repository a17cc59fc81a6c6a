//! Which kicks came when, to tell a neighbour's mistake from a contest.

use super::recovery::TakeBack;
use std::collections::VecDeque;
use std::time::Duration;

/// Kicks by other logins of the account.
#[derive(Debug, Default)]
pub(super) struct Kicks {
    times: VecDeque<Duration>,
    /// The present time online began by coming back after a kick.
    took_back: bool,
    /// Kicks in a row that came soon after coming back.
    contested: u32,
}

impl Kicks {
    /// Another login took the place, after so long a time online.
    pub(super) fn kicked(&mut self, now: Duration, online: Option<Duration>, policy: &TakeBack) {
        self.times.push_back(now);
        let is_old = |at: &Duration| now.saturating_sub(*at) > policy.window;
        while self.times.front().is_some_and(is_old) {
            self.times.pop_front();
        }
        let soon = online.is_none_or(|online| online < policy.contest_within);
        if self.took_back && soon {
            self.contested = self.contested.saturating_add(1);
        } else {
            self.contested = 0;
        }
        self.took_back = true;
    }

    /// The account was online for long, and something else than a kick ended it.
    pub(super) const fn settled(&mut self) {
        self.took_back = false;
        self.contested = 0;
    }

    /// Kicks within the window of the last one.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.times.len()).unwrap_or(u32::MAX)
    }

    /// Kicks in a row that came soon after coming back.
    pub(super) const fn contested(&self) -> u32 {
        self.contested
    }
}
