//! Between records and rows.

use crate::proto::message::{Conversation, MessageKey};
use botroupe_core::ledger::{
    AccountNo, Cell, CellKey, Ended, Letter, LetterState, Record, Scope, SpillLine, Spilled,
};
use rusqlite::Row;
use rusqlite::types::{FromSqlError, Type};

/// The columns of a letter, in the order in which [`letter`] reads them.
pub(super) const LETTER: &str = "number, account, effect, lasting, state, at, service_time, ended_at, seq, random, \
     kind, peer, bot, draft, outcome";
/// The columns of a result.
pub(super) const RECORD: &str = "number, account, effect, lasting, at, value";
/// The columns of a value.
pub(super) const CELL: &str = "bot, scope, account, place, name, value, ends, at";

/// The columns of what waits for room.
pub(super) const SPILLED: &str = "number, account, kind, peer, at, body";

/// The states of letters in their column.
pub(super) const QUEUED: i64 = 0;
pub(super) const ANSWERED: i64 = 1;
pub(super) const FAILED: i64 = 2;
pub(super) const UNKNOWN: i64 = 3;

/// Numbers of 64 bits are kept as their bits.
pub(super) const fn bits(number: u64) -> i64 {
    number.cast_signed()
}

fn unsigned(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(index)?.cast_unsigned())
}

fn wrong(index: usize) -> rusqlite::Error {
    let error = FromSqlError::InvalidType;
    rusqlite::Error::FromSqlConversionFailure(index, Type::Integer, Box::new(error))
}

fn account(row: &Row<'_>, index: usize) -> rusqlite::Result<AccountNo> {
    Ok(AccountNo(row.get(index)?))
}

/// A kind and a name.
pub(super) fn conversation(conversation: &Conversation) -> (i64, &str) {
    match conversation {
        Conversation::C2c(user) => (0, user),
        Conversation::Group(group) => (1, group),
        // There are no others.
        _ => (2, ""),
    }
}

fn conversation_of(kind: i64, name: Box<str>) -> Option<Conversation> {
    match kind {
        0 => Some(Conversation::C2c(name.into())),
        1 => Some(Conversation::Group(name.into())),
        2 => Some(Conversation::System),
        _ => None,
    }
}

/// State, time and text of an end; the end `Sent` is not kept.
pub(super) fn state(state: &LetterState) -> (i64, Option<i64>, Option<&str>) {
    match state {
        LetterState::Queued => (QUEUED, None, None),
        LetterState::Ended(Ended::Sent) => (ANSWERED, None, None),
        LetterState::Ended(Ended::Answered(answer)) => (ANSWERED, None, Some(answer)),
        LetterState::Ended(Ended::Failed { reason, at }) => (FAILED, Some(bits(*at)), Some(reason)),
        LetterState::Ended(Ended::Unknown { reason, at }) => {
            (UNKNOWN, Some(bits(*at)), Some(reason))
        }
    }
}

/// A state as far as pruning needs it.
pub(super) fn state_of(state: i64, at: Option<i64>, text: Option<Box<str>>) -> Option<LetterState> {
    let at = at.unwrap_or_default().cast_unsigned();
    let text = text.unwrap_or_default();
    Some(match state {
        QUEUED => LetterState::Queued,
        ANSWERED => LetterState::Ended(Ended::Answered(text)),
        FAILED => LetterState::Ended(Ended::Failed { reason: text, at }),
        UNKNOWN => LetterState::Ended(Ended::Unknown { reason: text, at }),
        _ => return None,
    })
}

pub(super) fn letter(row: &Row<'_>) -> rusqlite::Result<Letter> {
    let kind = row.get(10)?;
    let (number, outcome) = (row.get(4)?, row.get(14)?);
    Ok(Letter {
        number: unsigned(row, 0)?,
        account: account(row, 1)?,
        bot: row.get(12)?,
        effect: row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
        lasting: row.get(3)?,
        to: conversation_of(kind, row.get(11)?).ok_or_else(|| wrong(10))?,
        draft: row.get(13)?,
        key: MessageKey {
            seq: row.get(8)?,
            random: row.get(9)?,
        },
        at: unsigned(row, 5)?,
        service_time: unsigned(row, 6)?,
        state: state_of(number, row.get(7)?, outcome).ok_or_else(|| wrong(4))?,
    })
}

pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        number: unsigned(row, 0)?,
        account: account(row, 1)?,
        effect: unsigned(row, 2)?,
        lasting: row.get(3)?,
        at: unsigned(row, 4)?,
        value: row.get(5)?,
    })
}

/// A kind and a name.
pub(super) fn spill_line(line: &SpillLine) -> (i64, &str) {
    match line {
        SpillLine::Conversation(of) => conversation(of),
        SpillLine::Updates => (UPDATES, ""),
    }
}

/// The kind of the line of updates: the others are those of conversations.
const UPDATES: i64 = 3;

pub(super) fn spill_line_of(
    row: &Row<'_>,
    (kind, peer): (usize, usize),
) -> rusqlite::Result<SpillLine> {
    let (number, peer) = (row.get(kind)?, row.get(peer)?);
    if number == UPDATES {
        return Ok(SpillLine::Updates);
    }
    let of = conversation_of(number, peer);
    of.map(SpillLine::Conversation).ok_or_else(|| wrong(kind))
}

pub(super) fn spilled(row: &Row<'_>) -> rusqlite::Result<Spilled> {
    Ok(Spilled {
        number: unsigned(row, 0)?,
        account: account(row, 1)?,
        line: spill_line_of(row, (2, 3))?,
        at: unsigned(row, 4)?,
        body: row.get(5)?,
    })
}

/// Kind, account and name of what a value belongs to.
pub(super) fn scope(scope: &Scope) -> (i64, u32, &str) {
    match scope {
        Scope::Bot => (0, 0, ""),
        Scope::Account(account) => (1, account.0, ""),
        Scope::User(account, user) => (2, account.0, user),
        Scope::Alarms(account) => (3, account.0, ""),
        Scope::Conversation(account, of) => {
            let (kind, name) = conversation(of);
            (10 + kind, account.0, name)
        }
        Scope::Dialogues(account, of) => {
            let (kind, name) = conversation(of);
            (20 + kind, account.0, name)
        }
    }
}

pub(super) fn cell(row: &Row<'_>) -> rusqlite::Result<Cell> {
    let (kind, account, place): (i64, _, Box<str>) = (row.get(1)?, account(row, 2)?, row.get(3)?);
    let scope = match kind {
        0 => Scope::Bot,
        1 => Scope::Account(account),
        2 => Scope::User(account, place),
        3 => Scope::Alarms(account),
        20.. => conversation_of(kind - 20, place)
            .map(|of| Scope::Dialogues(account, of))
            .ok_or_else(|| wrong(1))?,
        _ => conversation_of(kind - 10, place)
            .map(|of| Scope::Conversation(account, of))
            .ok_or_else(|| wrong(1))?,
    };
    Ok(Cell {
        key: CellKey {
            bot: row.get(0)?,
            scope,
            name: row.get(4)?,
        },
        value: row.get(5)?,
        ends: row.get::<_, Option<i64>>(6)?.map(i64::cast_unsigned),
        at: unsigned(row, 7)?,
    })
}
