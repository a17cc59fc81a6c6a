//! What a store holds: the model that every store has to follow.

use super::change::{
    AccountNo, Cell, CellKey, Change, Ended, Letter, LetterState, Record, Recovered,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The contents of a store, in memory.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    handled: BTreeMap<u64, Handled>,
    /// Up to when everything that was handled is known as read.
    read: HashMap<AccountNo, u64>,
    letters: BTreeMap<u64, Letter>,
    records: BTreeMap<u64, Record>,
    /// Numbers of letters and records by account and effect.
    effects: HashMap<(AccountNo, u64), u64>,
    cells: BTreeMap<CellKey, Cell>,
    last: u64,
}

#[derive(Clone, Copy, Debug)]
struct Handled {
    account: AccountNo,
    exchange: u64,
    at: u64,
}

impl Tables {
    /// Applies changes, all of them.
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            self.apply_one(change);
        }
    }

    fn apply_one(&mut self, change: &Change) {
        match change {
            Change::Handled {
                number,
                account,
                exchange,
                at,
            } => {
                self.note(*number);
                self.handled.entry(*number).or_insert(Handled {
                    account: *account,
                    exchange: *exchange,
                    at: *at,
                });
            }
            Change::Read { account, until } => {
                let read = self.read.entry(*account).or_default();
                *read = (*read).max(*until);
            }
            Change::Queued(letter) => {
                self.note(letter.number);
                let effect = letter.effect.map(|effect| (letter.account, effect));
                if effect.is_some_and(|effect| self.effects.contains_key(&effect)) {
                    return; // It was wanted before.
                }
                if let Some(effect) = effect {
                    self.effects.insert(effect, letter.number);
                }
                self.letters.insert(letter.number, (**letter).clone());
            }
            Change::Ended { number, ended } => match (self.letters.get_mut(number), ended) {
                (Some(_), Ended::Sent) => self.drop_letter(*number),
                (Some(letter), ended) => letter.state = LetterState::Ended(ended.clone()),
                (None, _) => {}
            },
            Change::Retried { number } => {
                if let Some(letter) = self.letters.get_mut(number) {
                    letter.state = LetterState::Queued;
                }
            }
            Change::Dropped { number } => self.drop_letter(*number),
            Change::Recorded(record) => {
                self.note(record.number);
                let effect = (record.account, record.effect);
                if self.effects.contains_key(&effect) {
                    return;
                }
                self.effects.insert(effect, record.number);
                self.records.insert(record.number, (**record).clone());
            }
            Change::Forgotten { number } => {
                if let Some(record) = self.records.remove(number) {
                    self.effects.remove(&(record.account, record.effect));
                }
            }
            Change::Put(cell) => {
                self.cells.insert(cell.key.clone(), (**cell).clone());
            }
            Change::Removed(key) => {
                self.cells.remove(key);
            }
        }
    }

    fn note(&mut self, number: u64) {
        self.last = self.last.max(number);
    }

    fn drop_letter(&mut self, number: u64) {
        if let Some(letter) = self.letters.remove(&number)
            && let Some(effect) = letter.effect
        {
            self.effects.remove(&(letter.account, effect));
        }
    }

    /// The greatest number of a record that was ever written here.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// What each account finds at its start; accounts of which nothing is known are left out.
    #[must_use]
    pub fn recover(&self) -> BTreeMap<AccountNo, Recovered> {
        let mut all: BTreeMap<AccountNo, Recovered> = BTreeMap::new();
        for (number, handled) in &self.handled {
            let recovered = all.entry(handled.account).or_default();
            recovered.handled.push((*number, handled.exchange));
        }
        for letter in self.letters.values() {
            let is_wanted = match &letter.state {
                LetterState::Queued => true,
                LetterState::Ended(Ended::Answered(_)) => !letter.lasting,
                LetterState::Ended(_) => false,
            };
            if is_wanted {
                let recovered = all.entry(letter.account).or_default();
                recovered.letters.push(letter.clone());
            }
        }
        for record in self.records.values().filter(|record| !record.lasting) {
            let recovered = all.entry(record.account).or_default();
            recovered.records.push(record.clone());
        }
        all
    }

    /// The letter that an effect has led to.
    #[must_use]
    pub fn letter_of(&self, account: AccountNo, effect: u64) -> Option<&Letter> {
        self.letters.get(self.effects.get(&(account, effect))?)
    }

    /// The result that was recorded of an effect.
    #[must_use]
    pub fn record_of(&self, account: AccountNo, effect: u64) -> Option<&Record> {
        self.records.get(self.effects.get(&(account, effect))?)
    }

    /// A value that has not ended at `now`, in Unix seconds.
    #[must_use]
    pub fn cell(&self, key: &CellKey, now: u64) -> Option<&Cell> {
        let cell = self.cells.get(key)?;
        cell.ends.is_none_or(|ends| now < ends).then_some(cell)
    }

    /// How many values a bot has, and how many bytes their names and values take.
    #[must_use]
    pub fn usage(&self, bot: &str) -> (usize, usize) {
        let cells = self.cells.iter().filter(|(key, _)| &*key.bot == bot);
        cells.fold((0, 0), |(count, bytes), (key, cell)| {
            (count + 1, bytes + key.name.len() + cell.value.len())
        })
    }

    /// The letters that failed, or of which it is unknown whether they arrived, in the order of their numbers.
    pub fn dead_letters(&self) -> impl Iterator<Item = &Letter> {
        self.letters.values().filter(|letter| {
            matches!(
                letter.state,
                LetterState::Ended(Ended::Failed { .. } | Ended::Unknown { .. })
            )
        })
    }

    /// Letters that are still to be sent or to be confirmed.
    #[must_use]
    pub fn queued(&self) -> usize {
        let letters = self.letters.values();
        letters
            .filter(|letter| letter.state == LetterState::Queued)
            .count()
    }

    /// Forgets what nobody needs any more, by these times in Unix seconds: records of messages that the server
    /// knows as read, other records of messages, callers' keys, dead letters, and values that have ended by `now`.
    /// What is unsettled stays.
    pub fn prune(&mut self, before: &Horizon) {
        let read = &self.read;
        self.handled.retain(|_, handled| {
            let read = read.get(&handled.account).copied().unwrap_or(0);
            let horizon = if handled.at < read {
                before.read
            } else {
                before.handled
            };
            handled.at >= horizon
        });
        let over: BTreeSet<u64> = self
            .letters
            .values()
            .filter(|letter| match &letter.state {
                LetterState::Queued => false,
                LetterState::Ended(Ended::Sent) => true,
                LetterState::Ended(Ended::Answered(_)) => letter.at < before.keys,
                LetterState::Ended(Ended::Failed { at, .. } | Ended::Unknown { at, .. }) => {
                    *at < before.dead_letters
                }
            })
            .map(|letter| letter.number)
            .collect();
        for number in over {
            self.drop_letter(number);
        }
        let over: Vec<u64> = self
            .records
            .values()
            .filter(|record| record.at < before.keys)
            .map(|record| record.number)
            .collect();
        for number in over {
            self.apply_one(&Change::Forgotten { number });
        }
        self.cells
            .retain(|_, cell| cell.ends.is_none_or(|ends| before.now < ends));
    }
}

/// Up to when records are pruned, in Unix seconds: those from before each time are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Horizon {
    /// Handled messages that the server knows as read.
    pub read: u64,
    /// Other handled messages.
    pub handled: u64,
    /// Callers' keys and recorded results, once they are settled.
    pub keys: u64,
    /// Letters that failed or are unknown.
    pub dead_letters: u64,
    /// The present time.
    pub now: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::message::{Conversation, MessageKey};

    const ACCOUNT: AccountNo = AccountNo(1);

    fn letter(number: u64, effect: Option<u64>, lasting: bool) -> Change {
        Change::Queued(Box::new(Letter {
            number,
            account: ACCOUNT,
            bot: "echo".into(),
            effect,
            lasting,
            to: Conversation::c2c("alice"),
            draft: "{}".into(),
            key: MessageKey { seq: 1, random: 2 },
            at: 100,
            service_time: 100,
            state: LetterState::Queued,
        }))
    }

    fn ended(number: u64, ended: Ended) -> Change {
        Change::Ended { number, ended }
    }

    #[test]
    fn what_is_unsettled_is_found_again_and_nothing_else() {
        let mut tables = Tables::default();
        let handled = Change::Handled {
            number: 1,
            account: ACCOUNT,
            exchange: 77,
            at: 100,
        };
        tables.apply(&[handled, letter(2, None, false), letter(3, None, false)]);
        tables.apply(&[letter(4, Some(5), false), letter(5, Some(6), true)]);
        tables.apply(&[ended(2, Ended::Sent)]);
        for number in [4, 5] {
            tables.apply(&[ended(number, Ended::Answered("{}".into()))]);
        }
        let recovered = tables.recover().remove(&ACCOUNT).unwrap();
        assert_eq!(recovered.handled, [(1, 77)]);
        let numbers: Vec<u64> = recovered.letters.iter().map(|one| one.number).collect();
        assert_eq!(
            numbers,
            [3, 4],
            "the caller's key is asked for when it is needed"
        );
        assert!(tables.letter_of(ACCOUNT, 6).is_some());
        assert_eq!(tables.last(), 5);
    }

    #[test]
    fn an_effect_has_one_letter_however_often_it_is_wanted() {
        let mut tables = Tables::default();
        tables.apply(&[letter(1, Some(9), false), letter(2, Some(9), false)]);
        assert_eq!(tables.letter_of(ACCOUNT, 9).unwrap().number, 1);
        assert_eq!(tables.queued(), 1);
        tables.apply(&[Change::Dropped { number: 1 }, letter(3, Some(9), false)]);
        assert_eq!(tables.letter_of(ACCOUNT, 9).unwrap().number, 3);
    }

    #[test]
    fn pruning_never_touches_what_is_unsettled() {
        let mut tables = Tables::default();
        let handled = |number, account| Change::Handled {
            number,
            account,
            exchange: number,
            at: 100,
        };
        let dead = Ended::Unknown {
            reason: "no history".into(),
            at: 100,
        };
        tables.apply(&[
            handled(1, ACCOUNT),
            handled(2, AccountNo(2)),
            Change::Read {
                account: ACCOUNT,
                until: 101,
            },
        ]);
        tables.apply(&[
            letter(3, None, false),
            letter(4, None, false),
            ended(4, dead),
        ]);
        tables.prune(&Horizon {
            read: 200,
            ..Horizon::default()
        });
        let mut left = tables.recover();
        assert_eq!(left.remove(&AccountNo(2)).unwrap().handled, [(2, 2)]);
        assert!(left.remove(&ACCOUNT).unwrap().handled.is_empty());
        assert_eq!(tables.dead_letters().count(), 1);
        tables.prune(&Horizon {
            read: u64::MAX,
            handled: u64::MAX,
            keys: u64::MAX,
            dead_letters: u64::MAX,
            now: u64::MAX,
        });
        let left = tables.recover().remove(&ACCOUNT).unwrap();
        assert_eq!((left.handled.len(), left.letters.len()), (0, 1));
        assert_eq!(tables.dead_letters().count(), 0);
    }
}
