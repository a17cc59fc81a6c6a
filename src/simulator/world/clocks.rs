//! The wall clocks of the accounts' machines.

use super::{EPOCH, World};
use botroupe_core::policy::Now;
use std::time::Duration;

impl World {
    /// Returns the time of the server.
    pub(super) fn clock(&self) -> Now {
        Now::new(self.now, EPOCH + self.now)
    }

    /// Returns the time of the account's machine.
    pub(super) fn clock_of(&self, node: usize) -> Now {
        let offset = self.offsets[node];
        let by = Duration::from_millis(offset.unsigned_abs());
        let Now { mono, unix } = self.clock();
        let unix = if offset < 0 {
            unix.saturating_sub(by)
        } else {
            unix + by
        };
        Now::new(mono, unix)
    }

    /// Returns the offset of an account's clock in milliseconds. It is negative for a slow clock.
    #[must_use]
    pub fn clock_offset(&self, account: usize) -> i64 {
        self.offsets.get(account).copied().unwrap_or(0)
    }
}
