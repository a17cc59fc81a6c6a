//! How to fail, and how fast to try: clock values, back-off, restart intensity, pacing.
//!
//! Pure: no clock, randomness, socket or actor lives here. Time and random numbers are arguments.

mod clock;

pub use clock::Now;
