//! The one clock of the crate.

use crate::policy::Now;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Reads both clocks. Everything below this layer gets the time from here, as an argument.
#[must_use]
#[allow(
    clippy::disallowed_methods,
    reason = "this is the place that reads them"
)]
pub fn now() -> Now {
    static START: OnceLock<Instant> = OnceLock::new();
    Now {
        mono: START.get_or_init(Instant::now).elapsed(),
        unix: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
    }
}
