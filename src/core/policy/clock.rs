//! Time as a value.
//!
//! Everything below the IO line receives the time as an argument. This is the type it receives:
//! a monotonic reading for deadlines and a wall-clock reading for what goes on the wire.

use std::time::Duration;

/// One reading of both clocks, taken by a shell and handed down.
///
/// `mono` counts from an arbitrary start (usually process start) and never goes back; every
/// deadline is a `mono` value. `unix` is the wall clock since the Unix epoch and may jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Now {
    /// Monotonic time since an arbitrary start.
    pub mono: Duration,
    /// Wall-clock time since the Unix epoch.
    pub unix: Duration,
}

impl Now {
    /// A reading with both clocks given.
    pub const fn new(mono: Duration, unix: Duration) -> Self {
        Self { mono, unix }
    }

    /// Whole seconds since the Unix epoch, as the wire wants them.
    pub const fn unix_secs(self) -> u64 {
        self.unix.as_secs()
    }

    /// The reading `by` later: both clocks advance together.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self {
            mono: self.mono.saturating_add(by),
            unix: self.unix.saturating_add(by),
        }
    }
}
