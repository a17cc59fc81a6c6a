//! Merged messages that clients have stored.

use crate::shape;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;

/// Lists of merged messages that were too long to travel in a message, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MergedLists {
    #[serde(deserialize_with = "shape::merged")]
    pub(crate) lists: VecDeque<(String, Value, usize)>,
    #[serde(skip)]
    pub(crate) bytes: usize,
}

/// The most lists kept, and the most bytes of them. The oldest go first.
pub(crate) const MAX_LISTS: usize = 1000;

pub(crate) const MAX_BYTES: usize = 32 * 1024 * 1024;

impl MergedLists {
    /// Counts their bytes, after they were read from a snapshot.
    pub(crate) fn settle(&mut self) {
        self.bytes = self.lists.iter().map(|(.., size)| *size).sum();
    }
}
