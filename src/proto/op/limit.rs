//! Rate limits of requests.

/// The rate limit of a request. An account waits according to it, so that the service does not
/// reject the request.
///
/// Requests with the same bucket name share one token bucket. Where the documentation names a
/// number of requests per five seconds, all of them may be sent at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    bucket: &'static str,
    rate: f64,
    burst: u32,
}

impl Limit {
    /// No known limit.
    pub const NONE: Self = Self::new("", f64::INFINITY, u32::MAX);

    /// Creates a limit of `rate` requests per second on average and `burst` at once, in the bucket
    /// with this name.
    #[must_use]
    pub const fn new(bucket: &'static str, rate: f64, burst: u32) -> Self {
        Self {
            bucket,
            rate,
            burst,
        }
    }

    /// Returns the name of the bucket; `None` if no limit is known.
    #[must_use]
    pub const fn bucket(&self) -> Option<&'static str> {
        if self.bucket.is_empty() {
            None
        } else {
            Some(self.bucket)
        }
    }

    /// Returns the average number of requests per second.
    #[must_use]
    pub const fn rate(&self) -> f64 {
        self.rate
    }

    /// Returns the number of requests that may be sent at once.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }
}
