//! Lists of merged messages, stored by clients.

use crate::shape;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;

/// Lists of merged messages that are too long for a message, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MergedLists {
    #[serde(deserialize_with = "shape::merged")]
    pub(crate) lists: VecDeque<(String, Value, usize)>,
    #[serde(skip)]
    pub(crate) bytes: usize,
}

/// The most lists kept, and the most bytes of all lists. The oldest lists are dropped first.
pub(crate) const MAX_LISTS: usize = 1000;

pub(crate) const MAX_BYTES: usize = 32 * 1024 * 1024;

impl MergedLists {
    /// Recomputes the total size after a snapshot is read.
    pub(crate) fn settle(&mut self) {
        self.bytes = self.lists.iter().map(|(.., size)| *size).sum();
    }
}
