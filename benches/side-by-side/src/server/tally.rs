//! What the server counts.

use std::time::Instant;

/// Counts of all links.
#[derive(Debug)]
pub(super) struct Tally {
    /// How many groups each account is in.
    pub(super) groups: u32,
    /// How many lists of groups an account asks for until it is online.
    pub(super) lists: u32,
    /// An echo is answered by the next push.
    pub(super) is_closed_loop: bool,
    /// Latencies are kept.
    pub(super) is_measuring: bool,
    pub(super) online: usize,
    pub(super) heartbeats: u64,
    pub(super) messages: u64,
    pub(super) acknowledged: u64,
    /// Messages that echo nothing.
    pub(super) strays: u64,
    /// From push to echo, in units of 100 ns.
    latencies: Vec<u32>,
}

impl Tally {
    pub(super) const fn new(groups: u32, lists: u32) -> Self {
        Self {
            groups,
            lists,
            is_closed_loop: false,
            is_measuring: false,
            online: 0,
            heartbeats: 0,
            messages: 0,
            acknowledged: 0,
            strays: 0,
            latencies: Vec::new(),
        }
    }

    /// A message came from an account, whose oldest push without an echo was sent at this time.
    pub(super) fn echoed(&mut self, pushed: Option<Instant>) {
        self.messages += 1;
        match pushed {
            None => self.strays += 1,
            Some(_) if !self.is_measuring => {}
            Some(at) => {
                let taken = at.elapsed().as_nanos() / 100;
                self.latencies
                    .push(u32::try_from(taken).unwrap_or(u32::MAX));
            }
        }
    }

    /// The latencies that this share of the messages did not exceed, in microseconds.
    pub(super) fn latency(&mut self, share: f64) -> f64 {
        self.latencies.sort_unstable();
        let last = self.latencies.len().saturating_sub(1);
        let at = (last as f64 * share) as usize;
        self.latencies
            .get(at)
            .map_or(0.0, |taken| f64::from(*taken) / 10.0)
    }
}
