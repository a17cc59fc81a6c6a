//! The parts of an account that do not work although it is online.

use crate::session::Part;
use std::collections::BTreeMap;

/// The most troubles that a status lists.
const MAX_LISTED: usize = 64;

/// Each part that does not work, with the reason.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    reasons: BTreeMap<Part, String>,
}

impl Troubles {
    /// Sets the reason why a part does not work, or notes that it works again.
    pub(super) fn set(&mut self, part: Part, reason: Option<String>) {
        match reason {
            Some(reason) => self.reasons.insert(part, reason),
            None => self.reasons.remove(&part),
        };
    }

    /// A line for each part, at most 64.
    pub(super) fn lines(&self) -> Vec<String> {
        let listed = self.reasons.iter().take(MAX_LISTED);
        listed
            .map(|(part, reason)| format!("{part}: {reason}"))
            .collect()
    }
}
