//! How often the service takes a request.

/// The rate limit of a request, so that an account waits before the service refuses it.
///
/// Requests with the same bucket draw from it together. Where the documentation names a number of requests
/// within five seconds, they may all be made at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    bucket: &'static str,
    rate: f64,
    burst: u32,
}

impl Limit {
    /// No limit is known.
    pub const NONE: Self = Self::new("", f64::INFINITY, u32::MAX);

    /// At most `rate` requests a second on average and `burst` at once, from the bucket of this name.
    #[must_use]
    pub const fn new(bucket: &'static str, rate: f64, burst: u32) -> Self {
        Self {
            bucket,
            rate,
            burst,
        }
    }

    /// The name of the bucket; `None` if no limit is known.
    #[must_use]
    pub const fn bucket(&self) -> Option<&'static str> {
        if self.bucket.is_empty() {
            None
        } else {
            Some(self.bucket)
        }
    }

    /// Requests a second, on average.
    #[must_use]
    pub const fn rate(&self) -> f64 {
        self.rate
    }

    /// Requests at once.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }
}
