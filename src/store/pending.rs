//! What was submitted and is not on disk yet.

use super::backend::Batch;
use botroupe_core::ledger::{
    AccountNo, Cell, CellKey, Change, Ended, Letter, LetterState, Record, SpillLine, Spilled,
};
use std::collections::{BTreeMap, HashMap};

/// The values in changes that wait, by their names: the number of the list that wrote them last, and what it wrote.
#[derive(Debug, Default)]
pub(super) struct PendingCells(HashMap<CellKey, (u64, Option<Cell>)>);

impl PendingCells {
    pub(super) fn note(&mut self, list: u64, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Put(cell) => {
                    let value = (list, Some((**cell).clone()));
                    self.0.insert(cell.key.clone(), value);
                }
                Change::Removed(key) => {
                    self.0.insert((**key).clone(), (list, None));
                }
                _ => {}
            }
        }
    }

    /// Everything up to this list is on disk.
    pub(super) fn settle(&mut self, list: u64) {
        if !self.0.is_empty() {
            self.0.retain(|_, (of, _)| *of > list);
            if self.0.is_empty() {
                self.0 = HashMap::new();
            }
        }
    }

    /// The value that waits, or that its removal does.
    pub(super) fn get(&self, key: &CellKey) -> Option<&Option<Cell>> {
        self.0.get(key).map(|(_, cell)| cell)
    }
}

/// The changes of lists that may be about one letter, or all that may be about those of one effect.
pub(super) fn about_letters(
    batches: &[Batch],
    is_it: impl Fn(&Letter) -> bool,
    found: &mut Vec<Change>,
) {
    let changes = batches.iter().flat_map(|batch| &batch.changes);
    found.extend(
        changes
            .filter(|change| match change {
                Change::Queued(letter) => is_it(letter),
                Change::Ended { .. } | Change::Retried { .. } | Change::Dropped { .. } => true,
                _ => false,
            })
            .cloned(),
    );
}

/// What has become of the letter on disk with these changes, which are about one letter, or about the letters of
/// one effect.
pub(super) fn replay_letter(
    disk: Option<Letter>,
    changes: Vec<Change>,
    of_effect: bool,
) -> Option<Letter> {
    let mut letter = disk;
    for change in changes {
        let of = letter.as_ref().map(|letter| letter.number);
        match change {
            Change::Queued(new) => {
                letter.get_or_insert(*new);
            }
            Change::Ended {
                number,
                ended: Ended::Sent,
            }
            | Change::Dropped { number }
                if of == Some(number) =>
            {
                letter = None;
            }
            // What was refused leaves its effect to another letter.
            Change::Ended {
                number,
                ended: Ended::Failed { .. },
            } if of == Some(number) && of_effect => letter = None,
            Change::Ended { number, ended } if of == Some(number) => {
                if let Some(letter) = &mut letter {
                    if matches!(ended, Ended::Failed { .. }) {
                        letter.effect = None;
                    }
                    letter.state = LetterState::Ended(ended);
                }
            }
            Change::Retried { number } if of == Some(number) => {
                if let Some(letter) = &mut letter {
                    letter.state = LetterState::Queued;
                }
            }
            _ => {}
        }
    }
    letter
}

/// The changes of lists that may be about the result of an effect.
pub(super) fn about_record(
    batches: &[Batch],
    account: AccountNo,
    effect: u64,
    found: &mut Vec<Change>,
) {
    let changes = batches.iter().flat_map(|batch| &batch.changes);
    found.extend(
        changes
            .filter(|change| match change {
                Change::Recorded(record) => (record.account, record.effect) == (account, effect),
                Change::Forgotten { .. } => true,
                _ => false,
            })
            .cloned(),
    );
}

/// What has become of the result on disk with these changes.
pub(super) fn replay_record(disk: Option<Record>, changes: Vec<Change>) -> Option<Record> {
    let mut record = disk;
    for change in changes {
        match change {
            Change::Recorded(new) => {
                record.get_or_insert(*new);
            }
            Change::Forgotten { number }
                if record
                    .as_ref()
                    .is_some_and(|record| record.number == number) =>
            {
                record = None;
            }
            _ => {}
        }
    }
    record
}

/// The changes of lists that may be about what waits in a line after a number.
pub(super) fn about_spilled(
    batches: &[Batch],
    account: AccountNo,
    line: &SpillLine,
    after: u64,
    found: &mut Vec<Change>,
) {
    let changes = batches.iter().flat_map(|batch| &batch.changes);
    found.extend(
        changes
            .filter(|change| match change {
                Change::Spilled(spilled) => {
                    spilled.account == account && spilled.number > after && spilled.line == *line
                }
                Change::Unspilled { number } => *number > after,
                _ => false,
            })
            .cloned(),
    );
}

/// What has become of what waits in a line on disk with these changes; the first `limit` of it.
pub(super) fn replay_spilled(
    disk: Vec<Spilled>,
    changes: Vec<Change>,
    limit: usize,
) -> Vec<Spilled> {
    let disk = disk.into_iter().map(|spilled| (spilled.number, spilled));
    let mut all: BTreeMap<u64, Spilled> = disk.collect();
    for change in changes {
        match change {
            Change::Spilled(spilled) => {
                all.entry(spilled.number).or_insert(*spilled);
            }
            Change::Unspilled { number } => {
                all.remove(&number);
            }
            _ => {}
        }
    }
    all.into_values().take(limit).collect()
}
