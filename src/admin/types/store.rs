//! The store.

use crate::store::Condition;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the store is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoreOf {
    /// Its file; null for one in memory.
    #[schema(required)]
    pub path: Option<String>,
    /// What is wrong; null if nothing is.
    #[schema(required)]
    pub trouble: Option<StoreTrouble>,
    /// Lists of changes that are not written yet.
    pub waiting: usize,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The bytes that are written and not yet in the file.
    pub log_bytes: u64,
    /// Letters that are to be sent or to be confirmed.
    pub queued: u64,
    /// The oldest of them.
    #[schema(required)]
    pub oldest_queued: Option<OldestLetter>,
    /// Letters that failed.
    pub failed: u64,
    /// Letters of which it is unknown whether they arrived.
    pub unknown: u64,
    /// Messages that are noted as handled.
    pub handled: u64,
    /// Letters that arrived, kept for their keys.
    pub answered: u64,
    /// Results of handlers.
    pub results: u64,
    /// Values of bots.
    pub values: u64,
    /// Messages and updates that wait for room with the bots.
    pub spilled: u64,
    /// When the last back-up was made, in Unix seconds.
    #[schema(required)]
    pub backed_up: Option<u64>,
}

/// What is wrong with a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoreTrouble {
    /// `full`, `read_only`, `busy`, `io`, `corrupt` or `other`.
    pub cause: String,
    /// The words of the database.
    pub text: String,
    /// What to do.
    pub remedy: String,
    /// Since when, in Unix seconds.
    pub since: u64,
}

/// The letter that has waited longest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OldestLetter {
    /// Its number.
    pub number: u64,
    /// When it was written down, in Unix seconds.
    pub at: u64,
}

impl StoreOf {
    /// In this condition.
    #[must_use]
    pub fn new(condition: &Condition) -> Self {
        let counts = &condition.counts;
        let trouble = condition.trouble.as_ref().map(|trouble| StoreTrouble {
            cause: trouble.cause.name().to_owned(),
            text: trouble.text.clone(),
            remedy: trouble.cause.remedy().to_owned(),
            since: trouble.since,
        });
        Self {
            path: condition
                .path
                .as_ref()
                .map(|path| path.display().to_string()),
            trouble,
            waiting: condition.waiting,
            bytes: condition.sizes.file,
            log_bytes: condition.sizes.log,
            queued: counts.queued,
            oldest_queued: condition
                .oldest
                .map(|(number, at)| OldestLetter { number, at }),
            failed: counts.failed,
            unknown: counts.unknown,
            handled: counts.handled,
            answered: counts.answered,
            results: counts.records,
            values: counts.cells,
            spilled: counts.spilled,
            backed_up: condition.backed_up,
        }
    }
}
