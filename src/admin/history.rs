//! How many accounts were in which state, over the last hour.

use super::types::{History, Sample};
use crate::account::Phase;
use std::collections::VecDeque;
use std::time::Duration;

/// How often it is looked.
pub(super) const EVERY: Duration = Duration::from_secs(5);
/// An hour.
const KEPT: usize = 720;

/// See the module. Times are Unix time.
#[derive(Debug, Default)]
pub(super) struct Past(VecDeque<(u64, Vec<(Phase, usize)>)>);

impl Past {
    /// So many were in each state at this time.
    pub(super) fn note(&mut self, at: Duration, counts: Vec<(Phase, usize)>) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back((at.as_secs(), counts));
    }

    /// All of it, oldest first.
    pub(super) fn told(&self) -> History {
        let samples = self.0.iter().map(|(at, counts)| Sample {
            at: *at,
            states: counts
                .iter()
                .map(|(phase, count)| (phase.word().to_owned(), *count))
                .collect(),
        });
        History {
            every: EVERY.as_secs(),
            samples: samples.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let mut past = Past::default();
        for number in 0..1000 {
            past.note(EVERY * number, vec![(Phase::Online, number as usize)]);
        }
        let told = past.told();
        assert_eq!(told.samples.len(), KEPT);
        let (first, last) = (&told.samples[0], &told.samples[KEPT - 1]);
        assert_eq!((first.at, last.at), (280 * 5, 999 * 5));
        assert_eq!(last.states["online"], 999);
    }
}
