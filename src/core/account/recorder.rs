//! The flight recorder: the last things that happened to an account.

use super::status::{Record, RecordedEvent};
use crate::policy::Now;
use std::collections::VecDeque;

/// Entries kept.
const MAX_RECORDS: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    records: VecDeque<Record>,
}

impl Recorder {
    pub(super) fn record(
        &mut self,
        now: Now,
        connection: u64,
        failures: u32,
        event: RecordedEvent,
    ) {
        if self.records.len() >= MAX_RECORDS {
            self.records.pop_front();
        }
        self.records.reserve_exact(1);
        self.records.push_back(Record {
            at: now.unix,
            connection,
            failures,
            event,
        });
    }

    /// Everything kept, oldest first.
    pub(super) fn records(&self) -> Vec<Record> {
        self.records.iter().cloned().collect()
    }
}
