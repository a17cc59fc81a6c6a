//! How to fail, and how fast to try: clock values, back-off, restart intensity, pacing, thinning.
//!
//! Pure: no clock, randomness, socket or actor lives here. Time and random numbers are arguments.

mod backoff;
mod clock;
mod governor;
mod intensity;
mod pace;
mod throttle;

pub use backoff::{Backoff, BackoffError};
pub use clock::Now;
pub use governor::Governor;
pub use intensity::RestartIntensity;
pub use pace::Pace;
pub use throttle::Throttle;
