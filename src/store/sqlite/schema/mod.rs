//! The tables, and how older ones become the present ones.

use super::super::OpenError;
use super::super::backend::Failure;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// Marks a file as one of ours: "Btrp".
const APPLICATION: i32 = 0x4274_7270;

/// Each step leads from the version of its index to the next one. Steps are never changed once they are released.
const STEPS: &[&str] = &[
    // 1. Numbers and times of 64 bits are kept as their bits.
    "CREATE TABLE accounts (
        number INTEGER PRIMARY KEY, app INTEGER NOT NULL, user TEXT NOT NULL, UNIQUE (app, user)
     ) STRICT;
     CREATE TABLE handled (
        number INTEGER PRIMARY KEY, account INTEGER NOT NULL, exchange INTEGER NOT NULL, at INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE letters (
        number INTEGER PRIMARY KEY, account INTEGER NOT NULL, effect INTEGER, lasting INTEGER NOT NULL,
        state INTEGER NOT NULL, at INTEGER NOT NULL, service_time INTEGER NOT NULL, ended_at INTEGER,
        seq INTEGER NOT NULL, random INTEGER NOT NULL, kind INTEGER NOT NULL, peer TEXT NOT NULL,
        draft TEXT NOT NULL, outcome TEXT
     ) STRICT;
     CREATE UNIQUE INDEX letter_effects ON letters (account, effect) WHERE effect IS NOT NULL;
     CREATE TABLE records (
        number INTEGER PRIMARY KEY, account INTEGER NOT NULL, effect INTEGER NOT NULL, lasting INTEGER NOT NULL,
        at INTEGER NOT NULL, value TEXT NOT NULL
     ) STRICT;
     CREATE UNIQUE INDEX record_effects ON records (account, effect);
     CREATE TABLE cells (
        bot TEXT NOT NULL, scope INTEGER NOT NULL, account INTEGER NOT NULL, place TEXT NOT NULL, name TEXT NOT NULL,
        value TEXT NOT NULL, ends INTEGER, at INTEGER NOT NULL,
        PRIMARY KEY (bot, scope, account, place, name)
     ) STRICT, WITHOUT ROWID;",
    // 2. Letters know their bot; what there is and what bots use is counted with each change.
    "ALTER TABLE letters ADD COLUMN bot TEXT NOT NULL DEFAULT '';
     CREATE INDEX cell_ends ON cells (ends) WHERE ends IS NOT NULL;
     CREATE TABLE usage (bot TEXT PRIMARY KEY, cells INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     INSERT INTO usage
        SELECT bot, count(*), sum(octet_length(name) + octet_length(value)) FROM cells GROUP BY bot;
     CREATE TABLE summary (
        id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL, last_at INTEGER NOT NULL, backed_up INTEGER,
        handled INTEGER NOT NULL, queued INTEGER NOT NULL, answered INTEGER NOT NULL, failed INTEGER NOT NULL,
        unknown INTEGER NOT NULL, records INTEGER NOT NULL, cells INTEGER NOT NULL
     ) STRICT;
     INSERT INTO summary
        SELECT 1,
            max((SELECT coalesce(max(number), 0) FROM handled), (SELECT coalesce(max(number), 0) FROM letters),
                (SELECT coalesce(max(number), 0) FROM records)),
            max(coalesce((SELECT at FROM handled ORDER BY number DESC LIMIT 1), 0),
                coalesce((SELECT at FROM letters ORDER BY number DESC LIMIT 1), 0)),
            NULL,
            (SELECT count(*) FROM handled),
            (SELECT count(*) FROM letters WHERE state = 0), (SELECT count(*) FROM letters WHERE state = 1),
            (SELECT count(*) FROM letters WHERE state = 2), (SELECT count(*) FROM letters WHERE state = 3),
            (SELECT count(*) FROM records), (SELECT count(*) FROM cells);",
    // 3. What finds no room with the bots of an account waits here.
    "CREATE TABLE spilled (
        number INTEGER PRIMARY KEY, account INTEGER NOT NULL, kind INTEGER NOT NULL, peer TEXT NOT NULL,
        at INTEGER NOT NULL, body TEXT NOT NULL
     ) STRICT;
     CREATE INDEX spill_lines ON spilled (account, kind, peer, number);
     ALTER TABLE summary ADD COLUMN spilled INTEGER NOT NULL DEFAULT 0;",
    // 4. What people have ordered.
    "CREATE TABLE audit (
        number INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, origin TEXT NOT NULL, what TEXT NOT NULL,
        hash BLOB NOT NULL
     ) STRICT;",
];

/// The present version.
pub(super) const PRESENT: usize = STEPS.len();

fn number(connection: &Connection, pragma: &str) -> Result<i64, Failure> {
    Ok(connection.pragma_query_value(None, pragma, |row| row.get(0))?)
}

fn is_empty(connection: &Connection) -> Result<bool, Failure> {
    let count: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    Ok(count == 0)
}

/// Refuses a file that is a database of somebody else, or of a later version.
pub(super) fn expect_ours(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |failure| OpenError::from_failure(path, failure);
    let application = number(connection, "application_id").map_err(failed)?;
    let is_ours = application == i64::from(APPLICATION)
        || (application == 0 && is_empty(connection).map_err(failed)?);
    if !is_ours {
        return Err(OpenError::NotAStore {
            path: path.to_owned(),
        });
    }
    let found = number(connection, "user_version").map_err(failed)?;
    if usize::try_from(found).is_ok_and(|found| found <= PRESENT) {
        Ok(())
    } else {
        Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: PRESENT,
        })
    }
}

/// Refuses a file of an earlier version, for somebody who only reads.
pub(super) fn expect_present(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let found = number(connection, "user_version")
        .map_err(|failure| OpenError::from_failure(path, failure))?;
    if usize::try_from(found) == Ok(PRESENT) {
        Ok(())
    } else {
        Err(OpenError::Older {
            path: path.to_owned(),
            found,
            known: PRESENT,
        })
    }
}

/// Brings a file to the present version, each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |failure| OpenError::from_failure(path, failure);
    let found = number(connection, "user_version").map_err(failed)?;
    let found = usize::try_from(found).unwrap_or(PRESENT);
    for (index, step) in STEPS.iter().enumerate().skip(found) {
        step_up(connection, index, step).map_err(failed)?;
    }
    if (1..PRESENT).contains(&found) {
        tracing::info!(path = %path.display(), from = found, to = PRESENT, "brought the store to the present version");
    }
    Ok(())
}

fn step_up(connection: &mut Connection, index: usize, step: &str) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(step)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    // Of a path through the constant list, so it fits.
    transaction.pragma_update(None, "user_version", (index + 1) as i64)?;
    #[cfg(test)]
    tests::die_here();
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
