//! What a store on disk has to be able to do. Nothing here is about one kind of database.

use super::audit::{AuditEntry, Deed};
use super::condition::{Cause, Sizes};
use super::{Done, Usage};
use crate::proto::id::{SdkAppId, UserId};
use botroupe_core::ledger::{
    AccountNo, Cell, CellKey, Change, Counts, Horizon, Letter, Record, Recovered, SpillLine,
    Spilled,
};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Changes that take effect together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) changes: Vec<Change>,
    pub(super) done: Option<Done>,
}

/// Why a request to a database failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    pub(super) text: String,
}

impl Failure {
    pub(super) fn new(cause: Cause, text: impl Into<String>) -> Self {
        Self {
            cause,
            text: text.into(),
        }
    }
}

/// A database: makes connections.
pub(super) trait Backend: Send + Sync {
    /// The only connection that writes. With `mend` the one before failed in a way that leaves open what is on disk:
    /// whatever looks written must be written once more before anything is built on it.
    fn writer(&self, mend: bool) -> Result<Box<dyn Writer>, Failure>;

    /// A connection that reads.
    fn reader(&self) -> Result<Box<dyn Reader>, Failure>;

    /// What it takes on disk.
    fn sizes(&self) -> Sizes;
}

/// The connection that writes.
pub(super) trait Writer: Send {
    /// Writes all batches in one transaction, and returns what the bots use whose values have changed.
    fn write(&mut self, batches: &[Batch]) -> Result<Vec<(Box<str>, Usage)>, Failure>;

    /// The numbers of accounts, given to those that have none.
    fn accounts(&mut self, app: SdkAppId, users: &[UserId]) -> Result<Vec<AccountNo>, Failure>;

    /// Prunes the next slice after `place` in one transaction and moves `place` on. Returns what the bots use whose
    /// values have changed. Records that lie behind many younger ones may be left for another time.
    fn prune(
        &mut self,
        before: &Horizon,
        read: &HashMap<AccountNo, u64>,
        place: &mut Place,
    ) -> Result<Vec<(Box<str>, Usage)>, Failure>;

    /// What it holds.
    fn figures(&self) -> Figures;

    /// The first letter from this number on that is to be sent: its number and its time.
    fn unsettled(&mut self, from: u64) -> Result<Option<(u64, u64)>, Failure>;

    /// What each bot uses.
    fn usage(&self) -> HashMap<Box<str>, Usage>;

    /// Writes down what was ordered, after the last that was.
    fn audit(&mut self, deed: &Deed) -> Result<(), Failure>;

    /// Removes the oldest entries of what was ordered, which are from before a time, and writes down that it did so.
    fn prune_audit(&mut self, before: u64, now: u64) -> Result<(), Failure>;

    /// Keeps when the last back-up was made.
    fn backed_up(&mut self, at: u64) -> Result<(), Failure>;

    /// Leaves everything in one file.
    fn finish(&mut self) -> Result<(), Failure>;
}

/// How far pruning has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// Among the handled messages, after this number.
    Handled(u64),
    /// Among the letters.
    Letters(u64),
    /// Among the results.
    Records(u64),
    /// Among the values that have ended.
    Cells,
    /// Everything has been looked at.
    #[default]
    Done,
}

/// What a database holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) counts: Counts,
    /// The greatest number that was ever used.
    pub(super) last: u64,
    /// The time of that record, in Unix seconds; 0 if there was none.
    pub(super) last_at: u64,
    pub(super) backed_up: Option<u64>,
}

/// A connection that reads.
pub(super) trait Reader: Send {
    fn recover(&mut self) -> Result<BTreeMap<AccountNo, Recovered>, Failure>;
    fn letter_of(&mut self, account: AccountNo, effect: u64) -> Result<Option<Letter>, Failure>;
    fn record_of(&mut self, account: AccountNo, effect: u64) -> Result<Option<Record>, Failure>;
    /// What waits in a line after this number, the first `limit` of it.
    fn spilled(
        &mut self,
        account: AccountNo,
        line: &SpillLine,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Spilled>, Failure>;
    /// Whether it has ended does not matter.
    fn cell(&mut self, key: &CellKey) -> Result<Option<Cell>, Failure>;
    fn letter(&mut self, number: u64) -> Result<Option<Letter>, Failure>;
    /// Letters that have failed or are unknown, and with `queued` those that are to be sent.
    fn letters(&mut self, queued: bool) -> Result<Vec<Letter>, Failure>;
    /// The UserIDs of accounts.
    fn accounts(&mut self) -> Result<BTreeMap<AccountNo, String>, Failure>;
    /// Gives what was ordered, in its order, until the receiver returns false.
    fn audit(&mut self, entry: &mut dyn FnMut(AuditEntry) -> bool) -> Result<(), Failure>;
    /// Gives what was ordered before the entry of this number, the newest first, until the receiver returns false.
    fn audit_back(
        &mut self,
        before: u64,
        entry: &mut dyn FnMut(AuditEntry) -> bool,
    ) -> Result<(), Failure>;
    /// Looks through everything and returns what is wrong.
    fn check(&mut self) -> Result<Vec<String>, Failure>;
    /// Gives every record, as a JSON object of one line.
    fn export(&mut self, line: &mut dyn FnMut(&str) -> bool) -> Result<(), Failure>;
    /// Writes a copy to a file that does not exist or is empty.
    fn back_up(&mut self, to: &Path) -> Result<(), Failure>;
}
