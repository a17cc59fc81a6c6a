//! Reads a store.

use super::super::backend::{Failure, Reader};
use super::convert::{self, CELL, LETTER, RECORD, SPILLED, bits};
use crate::store::audit::{AuditEntry, AuditHash, Deed};
use botroupe_core::ledger::{
    AccountNo, Cell, CellKey, Letter, Record, Recovered, SPILL_COST, SpillLine, Spilled,
    SpilledLine,
};
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A connection that reads.
#[derive(Debug)]
pub(super) struct Reading(Connection);

impl Reading {
    pub(super) const fn new(connection: Connection) -> Self {
        Self(connection)
    }

    /// Gives entries of the audit until the receiver returns false.
    fn audited(
        &self,
        query: &str,
        params: impl rusqlite::Params,
        entry: &mut dyn FnMut(AuditEntry) -> bool,
    ) -> Result<(), Failure> {
        let mut statement = self.0.prepare(query)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            let hash: Vec<u8> = row.get(5)?;
            let found = AuditEntry {
                number: row.get::<_, i64>(0)?.cast_unsigned(),
                deed: Deed {
                    at: row.get::<_, i64>(1)?.cast_unsigned(),
                    who: row.get(2)?,
                    origin: row.get(3)?,
                    what: row.get(4)?,
                },
                hash: AuditHash::from_bytes(&hash).unwrap_or_default(),
            };
            if !entry(found) {
                break;
            }
        }
        Ok(())
    }

    fn one<T>(
        &self,
        query: &str,
        params: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Failure> {
        let mut statement = self.0.prepare_cached(query)?;
        Ok(statement.query_row(params, read).optional()?)
    }

    fn all<T>(
        &self,
        query: &str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Failure> {
        let mut statement = self.0.prepare(query)?;
        let rows = statement.query_map((), read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Reader for Reading {
    fn recover(&mut self) -> Result<BTreeMap<AccountNo, Recovered>, Failure> {
        let mut all: HashMap<u32, Recovered> = HashMap::new();
        // All of one moment.
        let transaction = self.0.unchecked_transaction()?;
        let mut statement = self
            .0
            .prepare("SELECT number, account, exchange FROM handled ORDER BY number")?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            let (number, exchange): (i64, i64) = (row.get(0)?, row.get(2)?);
            let recovered = all.entry(row.get(1)?).or_default();
            let both = (number.cast_unsigned(), exchange.cast_unsigned());
            recovered.handled.push(both);
        }
        let letters = format!(
            "SELECT {LETTER} FROM letters WHERE state = 0
                OR (state IN (1, 3) AND lasting = 0 AND effect IS NOT NULL) ORDER BY number"
        );
        for letter in self.all(&letters, convert::letter)? {
            let recovered = all.entry(letter.account.0).or_default();
            recovered.letters.push(letter);
        }
        let records = format!("SELECT {RECORD} FROM records WHERE lasting = 0 ORDER BY number");
        for record in self.all(&records, convert::record)? {
            let recovered = all.entry(record.account.0).or_default();
            recovered.records.push(record);
        }
        let cells = format!("SELECT {CELL} FROM cells WHERE scope = 3 OR scope >= 20");
        for cell in self.all(&cells, convert::cell)? {
            if let Some(account) = cell.key.scope.wanted_at_start() {
                all.entry(account.0).or_default().cells.push(cell);
            }
        }
        // As the model has them.
        for recovered in all.values_mut() {
            recovered.cells.sort_by(|a, b| a.key.cmp(&b.key));
        }
        let lines = format!(
            "SELECT account, kind, peer, count(*),
                sum({SPILL_COST} + octet_length(peer) + octet_length(body))
             FROM spilled GROUP BY account, kind, peer ORDER BY account, kind, peer"
        );
        let lines = self.all(&lines, |row| {
            let line = SpilledLine {
                line: convert::spill_line_of(row, (1, 2))?,
                count: row.get::<_, i64>(3)?.cast_unsigned(),
                bytes: row.get::<_, i64>(4)?.cast_unsigned(),
            };
            Ok((row.get(0)?, line))
        })?;
        for (account, line) in lines {
            all.entry(account).or_default().spilled.push(line);
        }
        drop(transaction);
        let all = all.into_iter();
        Ok(all.map(|(number, it)| (AccountNo(number), it)).collect())
    }

    fn letter_of(&mut self, account: AccountNo, effect: u64) -> Result<Option<Letter>, Failure> {
        let query = const_format(LETTER, "letters WHERE account = ?1 AND effect = ?2");
        self.one(&query, (account.0, bits(effect)), convert::letter)
    }

    fn record_of(&mut self, account: AccountNo, effect: u64) -> Result<Option<Record>, Failure> {
        let query = const_format(RECORD, "records WHERE account = ?1 AND effect = ?2");
        self.one(&query, (account.0, bits(effect)), convert::record)
    }

    fn cell(&mut self, key: &CellKey) -> Result<Option<Cell>, Failure> {
        let query = const_format(
            CELL,
            "cells WHERE bot = ?1 AND scope = ?2 AND account = ?3 AND place = ?4 AND name = ?5",
        );
        let (scope, account, place) = convert::scope(&key.scope);
        let params = (&*key.bot, scope, account, place, &*key.name);
        self.one(&query, params, convert::cell)
    }

    fn spilled(
        &mut self,
        account: AccountNo,
        line: &SpillLine,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Spilled>, Failure> {
        // A negative number stands for one that is too great to come.
        let (Ok(after), Ok(limit)) = (i64::try_from(after), i64::try_from(limit)) else {
            return Ok(Vec::new());
        };
        let (kind, peer) = convert::spill_line(line);
        let mut statement = self.0.prepare_cached(&const_format(
            SPILLED,
            "spilled WHERE account = ?1 AND kind = ?2 AND peer = ?3 AND number > ?4 ORDER BY number LIMIT ?5",
        ))?;
        let params = (account.0, kind, peer, after, limit);
        let rows = statement.query_map(params, convert::spilled)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn letter(&mut self, number: u64) -> Result<Option<Letter>, Failure> {
        let query = const_format(LETTER, "letters WHERE number = ?1");
        self.one(&query, (bits(number),), convert::letter)
    }

    fn letters(&mut self, queued: bool) -> Result<Vec<Letter>, Failure> {
        let which = if queued { "state <> 1" } else { "state > 1" };
        let query = format!("SELECT {LETTER} FROM letters WHERE {which} ORDER BY number");
        self.all(&query, convert::letter)
    }

    fn accounts(&mut self) -> Result<BTreeMap<AccountNo, String>, Failure> {
        let accounts = self.all("SELECT number, user FROM accounts", |row| {
            Ok((AccountNo(row.get(0)?), row.get(1)?))
        })?;
        Ok(accounts.into_iter().collect())
    }

    fn audit(&mut self, entry: &mut dyn FnMut(AuditEntry) -> bool) -> Result<(), Failure> {
        let query = "SELECT number, at, who, origin, what, hash FROM audit ORDER BY number";
        self.audited(query, (), entry)
    }

    fn audit_back(
        &mut self,
        before: u64,
        entry: &mut dyn FnMut(AuditEntry) -> bool,
    ) -> Result<(), Failure> {
        let query = "SELECT number, at, who, origin, what, hash FROM audit WHERE number < ? ORDER BY number DESC";
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        self.audited(query, (before,), entry)
    }

    fn check(&mut self) -> Result<Vec<String>, Failure> {
        let mut wrong = super::check(&self.0, "integrity_check")?;
        if wrong.is_empty() {
            let miscounted = self.all(MISCOUNTED, |row| row.get::<_, String>(0))?;
            wrong.extend(
                miscounted
                    .into_iter()
                    .map(|what| format!("miscounted: {what}")),
            );
        }
        Ok(wrong)
    }

    fn export(&mut self, line: &mut dyn FnMut(&str) -> bool) -> Result<(), Failure> {
        let transaction = self.0.unchecked_transaction()?;
        for query in EXPORT {
            let mut statement = self.0.prepare(query)?;
            let mut rows = statement.query(())?;
            while let Some(row) = rows.next()? {
                if !line(
                    row.get_ref(0)?
                        .as_str()
                        .map_err(|_| rusqlite::Error::InvalidQuery)?,
                ) {
                    return Ok(());
                }
            }
        }
        drop(transaction);
        Ok(())
    }

    fn back_up(&mut self, to: &Path) -> Result<(), Failure> {
        let Some(to) = to.to_str() else {
            let text = format!("{}: the path is not UTF-8", to.display());
            return Err(Failure::new(super::Cause::Other, text));
        };
        // VACUUM INTO counts as writing; the file itself is only read.
        self.0.pragma_update(None, "query_only", false)?;
        let done = self.0.execute("VACUUM INTO ?1", (to,));
        self.0.pragma_update(None, "query_only", true)?;
        done?;
        Ok(())
    }
}

fn const_format(columns: &str, rest: &str) -> String {
    format!("SELECT {columns} FROM {rest}")
}

/// What is counted otherwise than it is there.
const MISCOUNTED: &str = "SELECT what FROM (
    SELECT 'handled' AS what, handled AS kept, (SELECT count(*) FROM handled) AS found FROM summary
    UNION ALL SELECT 'queued', queued, (SELECT count(*) FROM letters WHERE state = 0) FROM summary
    UNION ALL SELECT 'answered', answered, (SELECT count(*) FROM letters WHERE state = 1) FROM summary
    UNION ALL SELECT 'failed', failed, (SELECT count(*) FROM letters WHERE state = 2) FROM summary
    UNION ALL SELECT 'unknown', unknown, (SELECT count(*) FROM letters WHERE state = 3) FROM summary
    UNION ALL SELECT 'records', records, (SELECT count(*) FROM records) FROM summary
    UNION ALL SELECT 'cells', cells, (SELECT count(*) FROM cells) FROM summary
    UNION ALL SELECT 'spilled', spilled, (SELECT count(*) FROM spilled) FROM summary
    UNION ALL SELECT 'usage', (SELECT coalesce(sum(bytes), 0) FROM usage),
        (SELECT coalesce(sum(octet_length(name) + octet_length(value)), 0) FROM cells)
) WHERE kept <> found";

/// Each gives one column of JSON. Fingerprints are written as text: not every reader of JSON takes 64 bits.
const EXPORT: &[&str] = &[
    "SELECT json_object('kind', 'account', 'number', number, 'app', app, 'user', user) FROM accounts",
    "SELECT json_object('kind', 'handled', 'number', number, 'account', account,
        'exchange', printf('%016x', exchange), 'at', at) FROM handled",
    "SELECT json_object('kind', 'letter', 'number', number, 'account', account, 'bot', bot,
        'effect', iif(effect IS NULL, NULL, printf('%016x', effect)),
        'lasting', json(iif(lasting, 'true', 'false')),
        'to', json_object(CASE kind WHEN 0 THEN 'user' WHEN 1 THEN 'group' ELSE 'system' END, peer),
        'state', CASE state WHEN 0 THEN 'queued' WHEN 1 THEN 'answered' WHEN 2 THEN 'failed' ELSE 'unknown' END,
        'at', at, 'service_time', service_time, 'ended_at', ended_at, 'seq', seq, 'random', random,
        'draft', draft, 'outcome', outcome) FROM letters",
    "SELECT json_object('kind', 'record', 'number', number, 'account', account,
        'effect', printf('%016x', effect), 'lasting', json(iif(lasting, 'true', 'false')), 'at', at,
        'value', value) FROM records",
    "SELECT json_object('kind', 'cell', 'bot', bot,
        'scope', CASE scope WHEN 0 THEN 'bot' WHEN 1 THEN 'account' WHEN 2 THEN 'user' WHEN 10 THEN 'conversation'
            WHEN 11 THEN 'group' ELSE 'system' END,
        'account', iif(scope = 0, NULL, account), 'place', place, 'name', name,
        'value', value, 'ends', ends, 'at', at) FROM cells",
    "SELECT json_object('kind', 'spilled', 'number', number, 'account', account,
        'line', CASE kind WHEN 0 THEN 'user' WHEN 1 THEN 'group' WHEN 2 THEN 'system' ELSE 'updates' END,
        'peer', peer, 'at', at, 'body', body) FROM spilled",
];
