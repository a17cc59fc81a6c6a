//! What a store holds: the model that every store has to follow.

use super::change::{
    AccountNo, Cell, CellKey, Change, Ended, Letter, LetterState, Record, Recovered, SpillLine,
    Spilled, SpilledLine,
};
use std::collections::{BTreeMap, HashMap};

/// The contents of a store, in memory.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    handled: BTreeMap<u64, Handled>,
    /// Up to when everything that was handled is known as read.
    read: HashMap<AccountNo, u64>,
    letters: BTreeMap<u64, Letter>,
    records: BTreeMap<u64, Record>,
    /// Numbers of letters by account and effect.
    letter_effects: HashMap<(AccountNo, u64), u64>,
    /// The same of records. A message and a result may have the same key.
    record_effects: HashMap<(AccountNo, u64), u64>,
    cells: BTreeMap<CellKey, Cell>,
    spilled: BTreeMap<(AccountNo, SpillLine, u64), Spilled>,
    /// Where the spilled record of a number stands.
    spill_lines: HashMap<u64, (AccountNo, SpillLine)>,
    /// How many values each bot has, and their bytes.
    usage: HashMap<Box<str>, (usize, usize)>,
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
                let is_wanted = |effect| self.letter_effects.contains_key(&effect);
                if effect.is_some_and(is_wanted) || self.letters.contains_key(&letter.number) {
                    return; // It was wanted before.
                }
                if let Some(effect) = effect {
                    self.letter_effects.insert(effect, letter.number);
                }
                self.letters.insert(letter.number, (**letter).clone());
            }
            Change::Ended { number, ended } => match (self.letters.get_mut(number), ended) {
                (Some(_), Ended::Sent) => self.drop_letter(*number),
                (Some(letter), ended) => {
                    letter.state = LetterState::Ended(ended.clone());
                    // What was refused may be tried again.
                    if matches!(ended, Ended::Failed { .. })
                        && let Some(effect) = letter.effect.take()
                    {
                        self.letter_effects.remove(&(letter.account, effect));
                    }
                }
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
                let number = record.number;
                if self.record_effects.contains_key(&effect) || self.records.contains_key(&number) {
                    return;
                }
                self.record_effects.insert(effect, number);
                self.records.insert(record.number, (**record).clone());
            }
            Change::Forgotten { number } => {
                if let Some(record) = self.records.remove(number) {
                    self.record_effects.remove(&(record.account, record.effect));
                }
            }
            Change::Put(cell) => {
                self.drop_cell(&cell.key);
                let usage = self.usage.entry(cell.key.bot.clone()).or_default();
                *usage = (usage.0 + 1, usage.1 + cell.bytes());
                self.cells.insert(cell.key.clone(), (**cell).clone());
            }
            Change::Removed(key) => self.drop_cell(key),
            Change::Spilled(spilled) => {
                self.note(spilled.number);
                if self.spill_lines.contains_key(&spilled.number) {
                    return;
                }
                let (account, line) = (spilled.account, spilled.line.clone());
                self.spill_lines
                    .insert(spilled.number, (account, line.clone()));
                let key = (account, line, spilled.number);
                self.spilled.insert(key, (**spilled).clone());
            }
            Change::Unspilled { number } => {
                if let Some((account, line)) = self.spill_lines.remove(number) {
                    self.spilled.remove(&(account, line, *number));
                }
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
            self.letter_effects.remove(&(letter.account, effect));
        }
    }

    fn drop_cell(&mut self, key: &CellKey) {
        let Some(cell) = self.cells.remove(key) else {
            return;
        };
        if let Some(usage) = self.usage.get_mut(&key.bot) {
            *usage = (usage.0 - 1, usage.1 - cell.bytes());
            if usage.0 == 0 {
                self.usage.remove(&key.bot);
            }
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
                LetterState::Ended(Ended::Answered(_) | Ended::Unknown { .. }) => {
                    letter.effect.is_some() && !letter.lasting
                }
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
        for cell in self.cells.values() {
            if let Some(account) = cell.key.scope.wanted_at_start() {
                all.entry(account).or_default().cells.push(cell.clone());
            }
        }
        for spilled in self.spilled.values() {
            let lines = &mut all.entry(spilled.account).or_default().spilled;
            match lines.last_mut().filter(|last| last.line == spilled.line) {
                Some(last) => {
                    last.count += 1;
                    last.bytes += spilled.bytes();
                }
                None => lines.push(SpilledLine {
                    line: spilled.line.clone(),
                    count: 1,
                    bytes: spilled.bytes(),
                }),
            }
        }
        all
    }

    /// What waits in a line after this number, the first so many.
    #[must_use]
    pub fn spilled(
        &self,
        account: AccountNo,
        line: &SpillLine,
        after: u64,
        limit: usize,
    ) -> Vec<Spilled> {
        let Some(first) = after.checked_add(1) else {
            return Vec::new();
        };
        let from = (account, line.clone(), first);
        let to = (account, line.clone(), u64::MAX);
        let found = self.spilled.range(from..=to);
        found
            .take(limit)
            .map(|(_, spilled)| spilled.clone())
            .collect()
    }

    /// The letter that an effect has led to.
    #[must_use]
    pub fn letter_of(&self, account: AccountNo, effect: u64) -> Option<&Letter> {
        self.letters
            .get(self.letter_effects.get(&(account, effect))?)
    }

    /// The result that was recorded of an effect.
    #[must_use]
    pub fn record_of(&self, account: AccountNo, effect: u64) -> Option<&Record> {
        self.records
            .get(self.record_effects.get(&(account, effect))?)
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
        self.usage.get(bot).copied().unwrap_or_default()
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

    /// The letters that are to be sent, that failed, or of which it is unknown whether they arrived, in the order of
    /// their numbers.
    pub fn open_letters(&self) -> impl Iterator<Item = &Letter> {
        let is_done = |letter: &&Letter| {
            matches!(
                letter.state,
                LetterState::Ended(Ended::Sent | Ended::Answered(_))
            )
        };
        self.letters.values().filter(move |letter| !is_done(letter))
    }

    /// A letter by its number.
    #[must_use]
    pub fn letter(&self, number: u64) -> Option<&Letter> {
        self.letters.get(&number)
    }

    /// Letters that are still to be sent or to be confirmed.
    #[must_use]
    pub fn queued(&self) -> usize {
        let letters = self.letters.values();
        letters
            .filter(|letter| letter.state == LetterState::Queued)
            .count()
    }

    /// How much there is of each kind.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            handled: self.handled.len() as u64,
            records: self.records.len() as u64,
            cells: self.cells.len() as u64,
            spilled: self.spilled.len() as u64,
            ..Counts::default()
        };
        for letter in self.letters.values() {
            *counts.of_letters(&letter.state) += 1;
        }
        counts
    }

    /// Forgets what nobody needs any more, see [`Horizon`]. What is unsettled stays.
    pub fn prune(&mut self, before: &Horizon) {
        let read = &self.read;
        self.handled.retain(|number, handled| {
            let read = read.get(&handled.account).copied();
            !before.ends_handled(*number, handled.at, read)
        });
        let letters = self.letters.values();
        let over: Vec<u64> = letters
            .filter(|letter| before.ends_letter(letter.number, letter.at, &letter.state))
            .map(|letter| letter.number)
            .collect();
        for number in over {
            self.drop_letter(number);
        }
        let records = self.records.values();
        let over: Vec<u64> = records
            .filter(|record| before.ends_record(record.number, record.at))
            .map(|record| record.number)
            .collect();
        for number in over {
            self.apply_one(&Change::Forgotten { number });
        }
        let cells = self.cells.values();
        let over: Vec<CellKey> = cells
            .filter(|cell| cell.ends.is_some_and(|ends| ends <= before.now))
            .map(|cell| cell.key.clone())
            .collect();
        for key in over {
            self.drop_cell(&key);
        }
    }
}

/// How much a store holds of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that bots are done with.
    pub handled: u64,
    /// Letters that are still to be sent or to be confirmed.
    pub queued: u64,
    /// Letters that were sent and whose answer is kept.
    pub answered: u64,
    /// Letters that failed.
    pub failed: u64,
    /// Letters of which it is unknown whether they arrived.
    pub unknown: u64,
    /// Recorded results.
    pub records: u64,
    /// Values of bots.
    pub cells: u64,
    /// Messages and updates that wait for room with the bots.
    pub spilled: u64,
}

impl Counts {
    /// Where letters in a state are counted.
    pub const fn of_letters(&mut self, state: &LetterState) -> &mut u64 {
        match state {
            LetterState::Queued => &mut self.queued,
            LetterState::Ended(Ended::Sent | Ended::Answered(_)) => &mut self.answered,
            LetterState::Ended(Ended::Failed { .. }) => &mut self.failed,
            LetterState::Ended(Ended::Unknown { .. }) => &mut self.unknown,
        }
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
    /// The present time; values that ended before it are pruned as well.
    pub now: u64,
    /// Records of smaller numbers are older than all these times by another clock. Those that claim to come from the
    /// future are pruned: the clock was wrong when they were written.
    pub old: u64,
}

/// How far in the future the time of a record may lie before it is taken for a mistake of the clock, in seconds.
const AHEAD: u64 = 24 * 3600;

impl Horizon {
    /// Whether a record of a handled message is over, when what its account had handled before `read` is read.
    #[must_use]
    pub fn ends_handled(&self, number: u64, at: u64, read: Option<u64>) -> bool {
        let is_read = read.is_some_and(|read| at < read);
        let before = if is_read { self.read } else { self.handled };
        self.is_over(number, at, before)
    }

    /// Whether a letter that was written down at `at` is over.
    #[must_use]
    pub fn ends_letter(&self, number: u64, at: u64, state: &LetterState) -> bool {
        match state {
            LetterState::Queued => false,
            LetterState::Ended(Ended::Sent) => true,
            LetterState::Ended(Ended::Answered(_)) => self.is_over(number, at, self.keys),
            LetterState::Ended(Ended::Failed { at, .. } | Ended::Unknown { at, .. }) => {
                self.is_over(number, *at, self.dead_letters)
            }
        }
    }

    /// Whether a recorded result is over.
    #[must_use]
    pub fn ends_record(&self, number: u64, at: u64) -> bool {
        self.is_over(number, at, self.keys)
    }

    const fn is_over(&self, number: u64, at: u64, before: u64) -> bool {
        at < before || (number < self.old && self.is_ahead(at))
    }

    /// Whether this time lies so far in the future that the clock must have been wrong.
    #[must_use]
    pub const fn is_ahead(&self, at: u64) -> bool {
        at > self.now.saturating_add(AHEAD)
    }
}

#[cfg(test)]
mod tests {
    use super::super::change::{Scope, spill_bytes};
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
            old: u64::MAX,
        });
        let left = tables.recover().remove(&ACCOUNT).unwrap();
        assert_eq!((left.handled.len(), left.letters.len()), (0, 1));
        assert_eq!(tables.dead_letters().count(), 0);
    }

    fn spilled(number: u64, line: SpillLine) -> Change {
        Change::Spilled(Box::new(Spilled {
            number,
            account: ACCOUNT,
            line,
            body: "{}".into(),
            at: 100,
        }))
    }

    #[test]
    fn what_was_spilled_comes_back_by_lines_until_it_is_done_with_and_is_never_pruned() {
        let mut tables = Tables::default();
        let room = SpillLine::Conversation(Conversation::group("room"));
        for number in 1..=6 {
            let line = if number % 2 == 0 {
                SpillLine::Updates
            } else {
                room.clone()
            };
            // A repeated commit changes nothing.
            tables.apply(&[spilled(number, line.clone()), spilled(number, line)]);
        }
        let numbers = |tables: &Tables, line: &SpillLine, after, limit| {
            let found = tables.spilled(ACCOUNT, line, after, limit);
            found.iter().map(|one| one.number).collect::<Vec<_>>()
        };
        assert_eq!(numbers(&tables, &room, 0, 2), [1, 3]);
        assert_eq!(numbers(&tables, &room, 3, 2), [5]);
        assert_eq!(numbers(&tables, &SpillLine::Updates, 0, 9), [2, 4, 6]);
        assert_eq!(numbers(&tables, &room, u64::MAX, 2), [0; 0]);
        tables.apply(&[
            Change::Unspilled { number: 3 },
            Change::Unspilled { number: 3 },
        ]);
        tables.prune(&Horizon {
            now: u64::MAX,
            old: u64::MAX,
            ..Horizon::default()
        });
        assert_eq!(numbers(&tables, &room, 0, 9), [1, 5]);
        let lines = tables.recover().remove(&ACCOUNT).unwrap().spilled;
        let expected = [(room, 2), (SpillLine::Updates, 3)].map(|(line, count)| SpilledLine {
            bytes: count * spill_bytes(&line, "{}"),
            line,
            count,
        });
        assert_eq!(lines, expected);
        assert_eq!((tables.counts().spilled, tables.last()), (5, 6));
    }

    #[test]
    fn a_message_and_a_result_may_have_the_same_key() {
        let mut tables = Tables::default();
        let record = Change::Recorded(Box::new(Record {
            number: 2,
            account: ACCOUNT,
            effect: 9,
            lasting: true,
            value: "1".into(),
            at: 100,
        }));
        tables.apply(&[letter(1, Some(9), true), record]);
        assert_eq!(tables.letter_of(ACCOUNT, 9).unwrap().number, 1);
        assert_eq!(tables.record_of(ACCOUNT, 9).unwrap().number, 2);
    }

    #[test]
    fn a_letter_that_is_queued_once_more_stays_where_it_stands() {
        let mut tables = Tables::default();
        let failed = Ended::Failed {
            reason: "80002".into(),
            at: 100,
        };
        tables.apply(&[letter(1, None, false), ended(1, failed)]);
        tables.apply(&[letter(1, None, false)]);
        assert_eq!((tables.queued(), tables.dead_letters().count()), (0, 1));
        let counts = tables.counts();
        assert_eq!((counts.queued, counts.failed), (0, 1));
    }

    #[test]
    fn usage_is_counted_with_every_change() {
        let mut tables = Tables::default();
        let key = CellKey {
            bot: "echo".into(),
            scope: Scope::Bot,
            name: "n".into(),
        };
        let put = |value: &str, ends| {
            Change::Put(Box::new(Cell {
                key: key.clone(),
                value: value.into(),
                ends,
                at: 100,
            }))
        };
        tables.apply(&[put("12345", None), put("123", Some(200))]);
        assert_eq!(tables.usage("echo"), (1, 4));
        assert!(tables.cell(&key, 199).is_some());
        assert!(tables.cell(&key, 200).is_none());
        tables.prune(&Horizon {
            now: 200,
            ..Horizon::default()
        });
        assert_eq!((tables.usage("echo"), tables.counts().cells), ((0, 0), 0));
    }

    #[test]
    fn records_of_a_wrong_clock_go_when_another_clock_says_that_they_are_old() {
        let horizon = Horizon {
            handled: 1_000,
            now: 2_000,
            old: 50,
            ..Horizon::default()
        };
        let future = 2_000 + 366 * 24 * 3600;
        assert!(horizon.ends_handled(49, future, None));
        assert!(!horizon.ends_handled(50, future, None));
        assert!(!horizon.ends_handled(49, 1_500, None), "it is young");
    }
}
