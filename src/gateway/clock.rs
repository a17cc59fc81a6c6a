//! The one clock of the crate.

use crate::policy::Now;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

/// A clock that tests can put forward. Cheap to clone; copies are of the same clock.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicU64>>);

impl Clock {
    /// A clock that [`advance`](Self::advance) puts forward.
    #[must_use]
    pub fn movable() -> Self {
        Self(Some(Arc::default()))
    }

    /// Puts the clock forward; one that is not movable stays as it is.
    pub fn advance(&self, time: Duration) {
        if let Some(ahead) = &self.0 {
            let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            ahead.fetch_add(time, Ordering::Relaxed);
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Now {
        let mut now = now();
        if let Some(ahead) = &self.0 {
            let ahead = Duration::from_millis(ahead.load(Ordering::Relaxed));
            now.mono += ahead;
            now.unix += ahead;
        }
        now
    }
}
