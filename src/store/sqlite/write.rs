//! Writes a store.

use super::super::Usage;
use super::super::backend::{Batch, Failure, Figures, Place, Writer};
use super::convert::{self, CELL, LETTER, QUEUED, RECORD, SPILLED, bits};
use crate::proto::id::{SdkAppId, UserId};
use crate::store::audit::{AuditAnchor, AuditEntry, AuditHash, Deed};
use botroupe_core::ledger::{
    AccountNo, Boundary, Cell, CellKey, Change, Ended, Horizon, Letter, LetterState, Record,
    Spilled, pass,
};
use rusqlite::{CachedStatement, Connection, OptionalExtension};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

/// The end of a letter. What was refused (state 2) may be tried again under its effect.
const END: &str = "UPDATE letters SET state = ?2, ended_at = ?3, outcome = ?4, \
     effect = CASE ?2 WHEN 2 THEN NULL ELSE effect END WHERE number = ?1";

/// Rows that are looked at in one transaction of pruning.
const SLICE: usize = 2_000;

type Used = HashMap<Box<str>, Usage>;
type Changed = Vec<(Box<str>, Usage)>;

/// The connection that writes.
#[derive(Debug)]
pub(super) struct Writing {
    connection: Connection,
    /// As it stands in the file.
    figures: Figures,
    used: Used,
}

impl Writing {
    pub(super) fn new(connection: Connection, max_pages: &AtomicU32) -> Result<Self, Failure> {
        let pages = max_pages.load(Ordering::Relaxed);
        if pages > 0 {
            connection.pragma_update(None, "max_page_count", pages)?;
        }
        let figures = connection.query_row(
            "SELECT last, last_at, backed_up, handled, queued, answered, failed, unknown, records, cells,
                spilled FROM summary",
            (),
            |row| {
                let of = |index| row.get::<_, i64>(index).map(i64::cast_unsigned);
                let mut figures = Figures {
                    last: of(0)?,
                    last_at: of(1)?,
                    backed_up: row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
                    ..Figures::default()
                };
                let counts = &mut figures.counts;
                (counts.handled, counts.queued, counts.answered) = (of(3)?, of(4)?, of(5)?);
                (counts.failed, counts.unknown) = (of(6)?, of(7)?);
                (counts.records, counts.cells, counts.spilled) = (of(8)?, of(9)?, of(10)?);
                Ok(figures)
            },
        )?;
        let used = {
            let mut statement = connection.prepare("SELECT bot, cells, bytes FROM usage")?;
            let rows = statement.query_map((), |row| {
                let (count, bytes): (i64, i64) = (row.get(1)?, row.get(2)?);
                let usage = Usage {
                    count: count.cast_unsigned(),
                    bytes: bytes.cast_unsigned(),
                };
                Ok((row.get(0)?, usage))
            })?;
            rows.collect::<Result<_, _>>()?
        };
        Ok(Self {
            connection,
            figures,
            used,
        })
    }

    /// Runs `work` in a transaction that also keeps the figures; without success nothing has changed.
    fn transaction(
        &mut self,
        work: impl FnOnce(&mut Work<'_>) -> Result<(), Failure>,
    ) -> Result<Changed, Failure> {
        let done = self.attempt(work);
        match done {
            Ok((figures, changed)) => {
                self.figures = figures;
                for (bot, usage) in &changed {
                    if usage.count == 0 {
                        self.used.remove(bot);
                    } else {
                        self.used.insert(bot.clone(), *usage);
                    }
                }
                Ok(changed)
            }
            Err(failure) => {
                if !self.connection.is_autocommit() {
                    // After some errors it is rolled back already; a connection that cannot even do this is closed.
                    let _ = self.connection.execute_batch("ROLLBACK");
                }
                Err(failure)
            }
        }
    }

    fn attempt(
        &self,
        work: impl FnOnce(&mut Work<'_>) -> Result<(), Failure>,
    ) -> Result<(Figures, Changed), Failure> {
        let connection = &self.connection;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        let mut work_on = Work::new(connection, self.figures, &self.used)?;
        work(&mut work_on)?;
        let Work {
            figures, changed, ..
        } = work_on;
        let changed: Vec<_> = changed.into_iter().collect();
        for (bot, usage) in &changed {
            let (count, bytes) = (bits(usage.count), bits(usage.bytes));
            if usage.count == 0 {
                connection
                    .prepare_cached("DELETE FROM usage WHERE bot = ?1")?
                    .execute((bot,))?;
            } else {
                connection
                    .prepare_cached("INSERT OR REPLACE INTO usage VALUES (?1, ?2, ?3)")?
                    .execute((bot, count, bytes))?;
            }
        }
        if figures != self.figures {
            write_figures(connection, &figures)?;
        }
        connection.prepare_cached("COMMIT")?.execute(())?;
        Ok((figures, changed))
    }
}

fn write_figures(connection: &Connection, figures: &Figures) -> Result<(), Failure> {
    let counts = &figures.counts;
    connection
        .prepare_cached(
            "UPDATE summary SET last = ?1, last_at = ?2, backed_up = ?3, handled = ?4, queued = ?5, answered = ?6,
             failed = ?7, unknown = ?8, records = ?9, cells = ?10, spilled = ?11",
        )?
        .execute((
            bits(figures.last),
            bits(figures.last_at),
            figures.backed_up.map(bits),
            bits(counts.handled),
            bits(counts.queued),
            bits(counts.answered),
            bits(counts.failed),
            bits(counts.unknown),
            bits(counts.records),
            bits(counts.cells),
            bits(counts.spilled),
        ))?;
    Ok(())
}

/// Counts down. In a file that was tampered with the count may be too small.
const fn take(count: &mut u64, n: u64) {
    *count = count.saturating_sub(n);
}

/// A transaction at work. Its statements are looked up once.
struct Work<'c> {
    connection: &'c Connection,
    figures: Figures,
    used: &'c Used,
    changed: Used,
    handled: CachedStatement<'c>,
    queued: CachedStatement<'c>,
    sent: CachedStatement<'c>,
    ended: CachedStatement<'c>,
    dropped: CachedStatement<'c>,
}

impl<'c> Work<'c> {
    fn new(connection: &'c Connection, figures: Figures, used: &'c Used) -> Result<Self, Failure> {
        Ok(Self {
            connection,
            figures,
            used,
            changed: HashMap::new(),
            handled: connection
                .prepare_cached("INSERT OR IGNORE INTO handled VALUES (?1, ?2, ?3, ?4)")?,
            queued: connection.prepare_cached(&format!(
                "INSERT OR IGNORE INTO letters ({LETTER}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
                 ?14, ?15)"
            ))?,
            sent: connection
                .prepare_cached("DELETE FROM letters WHERE number = ?1 AND state = 0")?,
            ended: connection.prepare_cached(&format!("{END} AND state = 0"))?,
            dropped: connection
                .prepare_cached("DELETE FROM letters WHERE number = ?1 AND state = 1")?,
        })
    }

    fn apply(&mut self, change: &Change) -> Result<(), Failure> {
        match change {
            Change::Handled {
                number,
                account,
                exchange,
                at,
            } => {
                self.note(*number, *at);
                let row = (bits(*number), account.0, bits(*exchange), bits(*at));
                self.figures.counts.handled += self.handled.execute(row)? as u64;
            }
            Change::Queued(letter) => self.queue(letter)?,
            Change::Ended { number, ended } => match ended {
                Ended::Sent => {
                    if self.sent.execute((bits(*number),))? == 1 {
                        take(&mut self.figures.counts.queued, 1);
                    } else {
                        self.remove_letter(*number)?;
                    }
                }
                ended => self.set_state(*number, &LetterState::Ended(ended.clone()))?,
            },
            Change::Retried { number } => self.set_state(*number, &LetterState::Queued)?,
            Change::Dropped { number } => {
                if self.dropped.execute((bits(*number),))? == 1 {
                    take(&mut self.figures.counts.answered, 1);
                } else {
                    self.remove_letter(*number)?;
                }
            }
            Change::Recorded(record) => self.record(record)?,
            Change::Forgotten { number } => {
                let mut statement = self
                    .connection
                    .prepare_cached("DELETE FROM records WHERE number = ?1")?;
                take(
                    &mut self.figures.counts.records,
                    statement.execute((bits(*number),))? as u64,
                );
            }
            Change::Put(cell) => self.put(cell)?,
            Change::Removed(key) => self.remove_cell(key)?,
            Change::Spilled(spilled) => self.spill(spilled)?,
            Change::Unspilled { number } => {
                let mut statement = self
                    .connection
                    .prepare_cached("DELETE FROM spilled WHERE number = ?1")?;
                let removed = statement.execute((bits(*number),))? as u64;
                take(&mut self.figures.counts.spilled, removed);
            }
            // Kept by the writer, see there; and there are no others.
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, number: u64, at: u64) {
        if number > self.figures.last {
            (self.figures.last, self.figures.last_at) = (number, at);
        }
    }

    fn queue(&mut self, letter: &Letter) -> Result<(), Failure> {
        self.note(letter.number, letter.at);
        let (kind, peer) = convert::conversation(&letter.to);
        let (state, ended_at, outcome) = convert::state(&letter.state);
        let row = (
            bits(letter.number),
            letter.account.0,
            letter.effect.map(bits),
            letter.lasting,
            state,
            bits(letter.at),
            bits(letter.service_time),
            ended_at,
            letter.key.seq,
            letter.key.random,
            kind,
            peer,
            &*letter.bot,
            &*letter.draft,
            outcome,
        );
        let added = self.queued.execute(row)? as u64;
        *self.figures.counts.of_letters(&letter.state) += added;
        Ok(())
    }

    fn state_of(&self, number: u64) -> Result<Option<LetterState>, Failure> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT state, ended_at FROM letters WHERE number = ?1")?;
        let found = statement
            .query_row((bits(number),), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(found.and_then(|(state, at)| convert::state_of(state, at, None)))
    }

    fn remove_letter(&mut self, number: u64) -> Result<(), Failure> {
        if let Some(state) = self.state_of(number)? {
            let mut statement = self
                .connection
                .prepare_cached("DELETE FROM letters WHERE number = ?1")?;
            statement.execute((bits(number),))?;
            take(self.figures.counts.of_letters(&state), 1);
        }
        Ok(())
    }

    fn set_state(&mut self, number: u64, to: &LetterState) -> Result<(), Failure> {
        let (state, at, text) = convert::state(to);
        if state != QUEUED && self.ended.execute((bits(number), state, at, text))? == 1 {
            take(&mut self.figures.counts.queued, 1);
            *self.figures.counts.of_letters(to) += 1;
        } else if let Some(before) = self.state_of(number)? {
            let mut statement = self.connection.prepare_cached(END)?;
            statement.execute((bits(number), state, at, text))?;
            take(self.figures.counts.of_letters(&before), 1);
            *self.figures.counts.of_letters(to) += 1;
        }
        Ok(())
    }

    fn record(&mut self, record: &Record) -> Result<(), Failure> {
        self.note(record.number, record.at);
        let mut statement = self.connection.prepare_cached(&format!(
            "INSERT OR IGNORE INTO records ({RECORD}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        ))?;
        let added = statement.execute((
            bits(record.number),
            record.account.0,
            bits(record.effect),
            record.lasting,
            bits(record.at),
            &*record.value,
        ))?;
        self.figures.counts.records += added as u64;
        Ok(())
    }

    fn spill(&mut self, spilled: &Spilled) -> Result<(), Failure> {
        self.note(spilled.number, spilled.at);
        let (kind, peer) = convert::spill_line(&spilled.line);
        let mut statement = self.connection.prepare_cached(&format!(
            "INSERT OR IGNORE INTO spilled ({SPILLED}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        ))?;
        let added = statement.execute((
            bits(spilled.number),
            spilled.account.0,
            kind,
            peer,
            bits(spilled.at),
            &*spilled.body,
        ))?;
        self.figures.counts.spilled += added as u64;
        Ok(())
    }

    fn put(&mut self, cell: &Cell) -> Result<(), Failure> {
        let old = self.size_of(&cell.key)?;
        let (scope, account, place) = convert::scope(&cell.key.scope);
        let mut statement = self.connection.prepare_cached(&format!(
            "INSERT INTO cells ({CELL}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET value = excluded.value, ends = excluded.ends, at = excluded.at"
        ))?;
        statement.execute((
            &*cell.key.bot,
            scope,
            account,
            place,
            &*cell.key.name,
            &*cell.value,
            cell.ends.map(bits),
            bits(cell.at),
        ))?;
        self.use_cell(&cell.key.bot, old, Some(cell.bytes() as u64));
        Ok(())
    }

    fn remove_cell(&mut self, key: &CellKey) -> Result<(), Failure> {
        let Some(old) = self.size_of(key)? else {
            return Ok(());
        };
        let (scope, account, place) = convert::scope(&key.scope);
        let mut statement = self.connection.prepare_cached(
            "DELETE FROM cells WHERE bot = ?1 AND scope = ?2 AND account = ?3 AND place = ?4 AND name = ?5",
        )?;
        statement.execute((&*key.bot, scope, account, place, &*key.name))?;
        self.use_cell(&key.bot, Some(old), None);
        Ok(())
    }

    fn size_of(&self, key: &CellKey) -> Result<Option<u64>, Failure> {
        let (scope, account, place) = convert::scope(&key.scope);
        let mut statement = self.connection.prepare_cached(
            "SELECT octet_length(name) + octet_length(value) FROM cells
             WHERE bot = ?1 AND scope = ?2 AND account = ?3 AND place = ?4 AND name = ?5",
        )?;
        let params = (&*key.bot, scope, account, place, &*key.name);
        let size: Option<i64> = statement.query_row(params, |row| row.get(0)).optional()?;
        Ok(size.map(i64::cast_unsigned))
    }

    fn use_cell(&mut self, bot: &str, old: Option<u64>, new: Option<u64>) {
        if !self.changed.contains_key(bot) {
            let used = self.used.get(bot).copied().unwrap_or_default();
            self.changed.insert(bot.into(), used);
        }
        let counts = &mut self.figures.counts;
        if let Some(usage) = self.changed.get_mut(bot) {
            if let Some(old) = old {
                usage.count = usage.count.saturating_sub(1);
                usage.bytes = usage.bytes.saturating_sub(old);
                counts.cells = counts.cells.saturating_sub(1);
            }
            if let Some(new) = new {
                usage.count += 1;
                usage.bytes += new;
                counts.cells += 1;
            }
        }
    }

    /// Writes down what was ordered, after the last that was.
    fn note_deed(&self, deed: &Deed) -> Result<(), Failure> {
        let last: Option<(i64, Vec<u8>)> = self
            .connection
            .query_row(
                "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1",
                (),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let (number, before) = last.map_or((0, AuditHash::default()), |(number, hash)| {
            // Of a hash that was damaged nothing follows; a check finds it.
            let hash = AuditHash::from_bytes(&hash).unwrap_or_default();
            (number.cast_unsigned(), hash)
        });
        let entry = AuditEntry::after(number, &before, deed.clone());
        self.connection.execute(
            "INSERT INTO audit (number, at, who, origin, what, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (
                entry.number.cast_signed(),
                entry.deed.at.cast_signed(),
                &entry.deed.who,
                &entry.deed.origin,
                &entry.deed.what,
                entry.hash.as_bytes(),
            ),
        )?;
        Ok(())
    }

    fn prune_handled(
        &mut self,
        before: &Horizon,
        read: &HashMap<AccountNo, u64>,
        after: u64,
    ) -> Result<Place, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, account, at FROM handled WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?;
        let mut over: Vec<u64> = Vec::new();
        let (mut seen, mut last, mut is_young) = (0, after, true);
        let mut rows = statement.query((bits(after), SLICE as i64))?;
        while let Some(row) = rows.next()? {
            let number = row.get::<_, i64>(0)?.cast_unsigned();
            let at = row.get::<_, i64>(2)?.cast_unsigned();
            let read = read.get(&AccountNo(row.get(1)?)).copied();
            if before.ends_handled(number, at, read) {
                over.push(number);
            }
            is_young &= at >= before.read.max(before.handled) && !before.is_ahead(at);
            (seen, last) = (seen + 1, number);
        }
        drop(rows);
        if over.len() == seen
            && let (Some(first), Some(last)) = (over.first(), over.last())
        {
            let mut statement = self
                .connection
                .prepare_cached("DELETE FROM handled WHERE number BETWEEN ?1 AND ?2")?;
            statement.execute((bits(*first), bits(*last)))?;
        } else {
            let mut statement = self
                .connection
                .prepare_cached("DELETE FROM handled WHERE number = ?1")?;
            for number in &over {
                statement.execute((bits(*number),))?;
            }
        }
        take(&mut self.figures.counts.handled, over.len() as u64);
        // Whatever follows is younger.
        let is_over = seen < SLICE || is_young;
        Ok(if is_over {
            Place::Letters(0)
        } else {
            Place::Handled(last)
        })
    }

    fn prune_letters(&mut self, before: &Horizon, after: u64) -> Result<Place, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, state, at, ended_at FROM letters WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?;
        let mut over = Vec::new();
        let (mut seen, mut last, mut is_young) = (0, after, true);
        let mut rows = statement.query((bits(after), SLICE as i64))?;
        while let Some(row) = rows.next()? {
            let number = row.get::<_, i64>(0)?.cast_unsigned();
            let at = row.get::<_, i64>(2)?.cast_unsigned();
            let state = convert::state_of(row.get(1)?, row.get(3)?, None);
            if state.is_some_and(|state| before.ends_letter(number, at, &state)) {
                over.push(number);
            }
            is_young &= at >= before.keys.max(before.dead_letters) && !before.is_ahead(at);
            (seen, last) = (seen + 1, number);
        }
        drop(rows);
        for number in over {
            self.remove_letter(number)?;
        }
        Ok(if seen < SLICE || is_young {
            Place::Records(0)
        } else {
            Place::Letters(last)
        })
    }

    fn prune_records(&mut self, before: &Horizon, after: u64) -> Result<Place, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, at FROM records WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?;
        let mut over = Vec::new();
        let (mut seen, mut last, mut is_young) = (0, after, true);
        let mut rows = statement.query((bits(after), SLICE as i64))?;
        while let Some(row) = rows.next()? {
            let number = row.get::<_, i64>(0)?.cast_unsigned();
            let at = row.get::<_, i64>(1)?.cast_unsigned();
            if before.ends_record(number, at) {
                over.push(number);
            }
            is_young &= at >= before.keys && !before.is_ahead(at);
            (seen, last) = (seen + 1, number);
        }
        drop(rows);
        for number in over {
            self.apply(&Change::Forgotten { number })?;
        }
        Ok(if seen < SLICE || is_young {
            Place::Cells
        } else {
            Place::Records(last)
        })
    }

    fn prune_cells(&mut self, before: &Horizon) -> Result<Place, Failure> {
        // A negative number stands for one that is too great to come.
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {CELL} FROM cells WHERE ends BETWEEN 0 AND ?1 ORDER BY ends LIMIT ?2"
        ))?;
        let now = i64::try_from(before.now).unwrap_or(i64::MAX);
        let over: Vec<Cell> = statement
            .query_map((now, SLICE as i64), convert::cell)?
            .collect::<Result<_, _>>()?;
        for cell in &over {
            self.remove_cell(&cell.key)?;
        }
        Ok(if over.len() < SLICE {
            Place::Done
        } else {
            Place::Cells
        })
    }
}

impl Writer for Writing {
    fn write(&mut self, batches: &[Batch]) -> Result<Changed, Failure> {
        self.transaction(|work| {
            let mut changes = batches.iter().flat_map(|batch| &batch.changes);
            changes.try_for_each(|change| work.apply(change))?;
            pass(Boundary::Written);
            Ok(())
        })
    }

    fn accounts(&mut self, app: SdkAppId, users: &[UserId]) -> Result<Vec<AccountNo>, Failure> {
        let mut numbers = Vec::with_capacity(users.len());
        self.transaction(|work| {
            let mut find = work
                .connection
                .prepare_cached("SELECT number FROM accounts WHERE app = ?1 AND user = ?2")?;
            let mut add = work.connection.prepare_cached(
                "INSERT INTO accounts (app, user) VALUES (?1, ?2) RETURNING number",
            )?;
            for user in users {
                let params = (app.get(), user.as_str());
                let found: Option<u32> = find.query_row(params, |row| row.get(0)).optional()?;
                let number = match found {
                    Some(number) => number,
                    None => add.query_row(params, |row| row.get(0))?,
                };
                numbers.push(AccountNo(number));
            }
            Ok(())
        })?;
        Ok(numbers)
    }

    fn prune(
        &mut self,
        before: &Horizon,
        read: &HashMap<AccountNo, u64>,
        place: &mut Place,
    ) -> Result<Changed, Failure> {
        let mut next = *place;
        let changed = self.transaction(|work| {
            next = match *place {
                Place::Handled(after) => work.prune_handled(before, read, after)?,
                Place::Letters(after) => work.prune_letters(before, after)?,
                Place::Records(after) => work.prune_records(before, after)?,
                Place::Cells => work.prune_cells(before)?,
                Place::Done => Place::Done,
            };
            Ok(())
        })?;
        *place = next;
        Ok(changed)
    }

    fn figures(&self) -> Figures {
        self.figures
    }

    fn unsettled(&mut self, from: u64) -> Result<Option<(u64, u64)>, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, at FROM letters WHERE number >= ?1 AND state = 0 ORDER BY number LIMIT 1",
        )?;
        let found = statement
            .query_row((bits(from),), |row| {
                let (number, at): (i64, i64) = (row.get(0)?, row.get(1)?);
                Ok((number.cast_unsigned(), at.cast_unsigned()))
            })
            .optional()?;
        Ok(found)
    }

    fn usage(&self) -> HashMap<Box<str>, Usage> {
        self.used.clone()
    }

    fn audit(&mut self, deed: &Deed) -> Result<(), Failure> {
        self.transaction(|work| work.note_deed(deed))?;
        Ok(())
    }

    fn prune_audit(&mut self, before: u64, now: u64) -> Result<(), Failure> {
        let first: Option<(i64, Deed)> = self
            .connection
            .query_row(
                "SELECT number, at, who, origin, what FROM audit ORDER BY number LIMIT 1",
                (),
                |row| {
                    let deed = Deed {
                        at: row.get::<_, i64>(1)?.cast_unsigned(),
                        who: row.get(2)?,
                        origin: row.get(3)?,
                        what: row.get(4)?,
                    };
                    Ok((row.get(0)?, deed))
                },
            )
            .optional()?;
        let Some((first, oldest)) = first.filter(|(_, deed)| deed.at < before) else {
            return Ok(());
        };
        self.transaction(|work| {
            // They go in their order, whatever a clock that jumped has written.
            let kept: Option<i64> = work.connection.query_row(
                "SELECT min(number) FROM audit WHERE at >= ?1",
                (before.cast_signed(),),
                |row| row.get(0),
            )?;
            let last: (i64, Vec<u8>) = work.connection.query_row(
                "SELECT number, hash FROM audit WHERE number < ?1 ORDER BY number DESC LIMIT 1",
                (kept.unwrap_or(i64::MAX),),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let anchor = AuditAnchor {
                number: last.0.cast_unsigned(),
                hash: AuditHash::from_bytes(&last.1).unwrap_or_default(),
            };
            if first == last.0 && AuditAnchor::of(&oldest).is_some() {
                // It would only be replaced by its like.
                return Ok(());
            }
            work.note_deed(&anchor.deed(now))?;
            work.connection
                .execute("DELETE FROM audit WHERE number <= ?1", (last.0,))?;
            Ok(())
        })?;
        Ok(())
    }

    fn backed_up(&mut self, at: u64) -> Result<(), Failure> {
        self.transaction(|work| {
            work.figures.backed_up = Some(at);
            Ok(())
        })?;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        super::checkpoint(&self.connection)
    }
}
