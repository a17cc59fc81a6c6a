//! How many bytes of incomplete messages all links hold together.
//!
//! One link may hold a page of many megabytes. Ten thousand links must not, because the other end decides when a
//! message ends.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that each link may hold without being counted.
const FREE: usize = 64 << 10;
/// Bytes beyond that for all links of the process together.
const MAX_HELD: usize = 256 << 20;

static HELD: AtomicUsize = AtomicUsize::new(0);

/// The share of one link. Dropping it gives the share back.
#[derive(Debug)]
pub(super) struct Held(usize);

impl Held {
    pub(super) const fn new() -> Self {
        Self(0)
    }

    /// Reserves this many bytes for the link. Returns `false`, and changes nothing, if all links together would
    /// hold too much.
    pub(super) fn set(&mut self, bytes: usize) -> bool {
        self.set_in(&HELD, MAX_HELD, bytes)
    }

    fn set_in(&mut self, all: &AtomicUsize, limit: usize, bytes: usize) -> bool {
        let counted = bytes.saturating_sub(FREE);
        if counted > self.0 {
            let more = counted - self.0;
            let before = all.fetch_add(more, Ordering::Relaxed);
            if before + more > limit {
                all.fetch_sub(more, Ordering::Relaxed);
                return false;
            }
        } else {
            all.fetch_sub(self.0 - counted, Ordering::Relaxed);
        }
        self.0 = counted;
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.fetch_sub(self.0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d_all_links_together_hold_no_more_than_the_bound() {
        let all = AtomicUsize::new(0);
        let (mut first, mut second) = (Held::new(), Held::new());
        assert!(first.set_in(&all, 1_000, FREE + 800));
        assert!(!second.set_in(&all, 1_000, FREE + 300), "too much");
        assert!(second.set_in(&all, 1_000, FREE), "the first bytes are free");
        assert!(first.set_in(&all, 1_000, 10));
        assert!(second.set_in(&all, 1_000, FREE + 1_000));
        assert!(second.set_in(&all, 1_000, 0));
        assert_eq!(all.load(Ordering::Relaxed), 0);
    }
}
