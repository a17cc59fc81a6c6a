//! `/metrics`: figures of the fleet for Prometheus, read when they are asked for, where the truth is.
//!
//! No figure is by account: a fleet of ten thousand would have as many series. What an account is like, the API tells.

mod apps;
mod figures;
mod process;
mod tally;
mod text;

pub(super) use figures::gather;
pub(super) use text::write;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tally::Tally;

/// What the server counts itself.
#[derive(Debug, Default)]
pub(super) struct Meter {
    tally: Mutex<Tally>,
    /// Answers by the first digit of their status, from 1.
    answers: [AtomicU64; 5],
}

impl Meter {
    /// An answer with this status is on its way.
    pub(super) fn answered(&self, status: u16) {
        let class = usize::from(status / 100).wrapping_sub(1);
        if let Some(count) = self.answers.get(class) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}
