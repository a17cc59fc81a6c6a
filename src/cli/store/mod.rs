//! `botroupe store …` and `botroupe outbox …`: looks into the store of a config, and changes it where no process runs.

use super::args::{OutboxCommand, StoreArgs, StoreCommand};
use super::exit::Failure;
use super::load::load;
use super::report::{padded, span};
use super::{control, unix_now};
use crate::admin::types;
use crate::app::store_settings;
use crate::bot::Bots;
use crate::config::Env;
use crate::store::{Deed, Done, OpenError, Sink, Store, StoreConfig, StoreError, StoreFile};
use botroupe_core::ledger::{AccountNo, Change, Ended, Letter, LetterState};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// How long a change may take; a disk that fails is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of a text is shown in a table.
const SHOWN: usize = 60;

/// The file, and how long it keeps what.
pub(super) struct Named {
    pub(super) path: PathBuf,
    config: StoreConfig,
}

pub(super) fn named(args: &StoreArgs, env: &dyn Env, bots: &Bots) -> Result<Named, Failure> {
    if let Some(path) = &args.file {
        let config = StoreConfig::default();
        return Ok(Named {
            path: path.clone(),
            config,
        });
    }
    let store = load(&args.config, &[], env, bots)?.store;
    if store.path.as_os_str() == ":memory:" {
        let text = format!(
            "{}: [store] path = \":memory:\" keeps nothing that could be looked at",
            args.config.display()
        );
        return Err(Failure::Usage(text));
    }
    Ok(Named {
        config: store_settings(&store),
        path: store.path,
    })
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::InUse { .. } => Self::StoreInUse(error),
            error => Self::Runtime(error.into()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Runtime(error.into())
    }
}

/// `botroupe store …`.
///
/// # Errors
/// Those of reading the config and the store.
pub(super) fn store(
    command: &StoreCommand,
    env: &dyn Env,
    bots: &Bots,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let text = match command {
        StoreCommand::Check { store, json } => {
            return check(&named(store, env, bots)?, *json, out);
        }
        StoreCommand::Backup { to, store } => {
            let named = named(store, env, bots)?;
            let size = StoreFile::open(&named.path)?.back_up(to)?;
            format!("{}: {}\n", to.display(), bytes(size))
        }
        StoreCommand::Export { store } => {
            let named = named(store, env, bots)?;
            let mut failed = None;
            StoreFile::open(&named.path)?.export(&mut |line| {
                let written = writeln!(out, "{line}");
                failed = written.err();
                failed.is_none()
            })?;
            return failed.map_or(Ok(()), |error| Err(Failure::Output(error)));
        }
        StoreCommand::Prune { store } => {
            let named = named(store, env, bots)?;
            let store = Store::open(&named.path, named.config)?;
            let before = store.condition().counts;
            store.prune()?;
            let after = store.condition().counts;
            store.close();
            let letters = |it: &botroupe_core::ledger::Counts| it.answered + it.failed + it.unknown;
            format!(
                "removed {} handled, {} letters, {} results, {} values\n",
                before.handled - after.handled,
                letters(&before) - letters(&after),
                before.records - after.records,
                before.cells - after.cells
            )
        }
    };
    out.write_all(text.as_bytes()).map_err(Failure::Output)
}

fn check(named: &Named, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let mut file = StoreFile::open(&named.path)?;
    let wrong = file.check()?;
    let path = named.path.display();
    let mut text = String::new();
    if json {
        let _ = writeln!(
            text,
            "{}",
            json!({"path": path.to_string(), "wrong": wrong})
        );
    } else if wrong.is_empty() {
        let _ = writeln!(text, "{path}: nothing is wrong");
    } else {
        for line in &wrong {
            let _ = writeln!(text, "{path}: {line}");
        }
    }
    out.write_all(text.as_bytes()).map_err(Failure::Output)?;
    if wrong.is_empty() {
        Ok(())
    } else {
        let text = format!("{path}: damaged; {}", crate::store::Cause::Corrupt.remedy());
        Err(Failure::Runtime(text.into()))
    }
}

/// `botroupe outbox …`.
///
/// # Errors
/// Those of reading the config and the store; when there is no such letter.
pub(super) fn outbox(
    command: &OutboxCommand,
    env: &dyn Env,
    bots: &Bots,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    match command {
        OutboxCommand::List { store, json } => {
            let named = named(store, env, bots)?;
            let mut file = StoreFile::open(&named.path)?;
            let (letters, names) = (file.letters()?, file.accounts()?);
            let text = if *json {
                let letters: Vec<Value> = letters
                    .iter()
                    .map(|letter| json!(types::Letter::new(letter, account(letter, &names))))
                    .collect();
                format!("{}\n", json!({"letters": letters}))
            } else {
                table(&letters, &names, unix_now())
            };
            out.write_all(text.as_bytes()).map_err(Failure::Output)
        }
        OutboxCommand::Retry { number, store } => order(*number, true, store, env, bots),
        OutboxCommand::Drop { number, store } => order(*number, false, store, env, bots),
    }
}

/// Retries or drops a letter: by the process that has the store, or here when none has.
fn order(
    number: u64,
    is_retry: bool,
    args: &StoreArgs,
    env: &dyn Env,
    bots: &Bots,
) -> Result<(), Failure> {
    let named = named(args, env, bots)?;
    let store = match Store::open(&named.path, named.config) {
        Ok(store) => store,
        Err(OpenError::InUse { .. }) if args.file.is_none() => {
            return control::letter(&args.config, number, is_retry);
        }
        Err(error) => return Err(error.into()),
    };
    let found = StoreFile::open(&named.path)?.letters()?;
    let letter = found.iter().find(|letter| letter.number == number);
    let refusal = match letter {
        None => Some(format!(
            "there is no letter {number}; `botroupe outbox list` shows them"
        )),
        Some(letter) if is_retry && letter.state == LetterState::Queued => {
            Some(format!("letter {number} is to be sent already"))
        }
        Some(_) => None,
    };
    if let Some(refusal) = refusal {
        return Err(Failure::Runtime(refusal.into()));
    }
    note(&store, number, is_retry);
    let change = if is_retry {
        Change::Retried { number }
    } else {
        Change::Dropped { number }
    };
    let done = apply(&store, change);
    let trouble = store.condition().trouble;
    store.close();
    if done {
        return Ok(());
    }
    let text = trouble.map_or_else(
        || "the disk does not answer".to_owned(),
        |it| it.to_string(),
    );
    Err(Failure::Runtime(text.into()))
}

/// Writes down who changes a letter without a process. As beside one, a disk that cannot be written to is told by the log
/// and keeps nobody from it.
fn note(store: &Store, number: u64, is_retry: bool) {
    let order = if is_retry { "retry" } else { "drop" };
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    let who = match user {
        Ok(user) => format!("the owner of the store ({user})"),
        Err(_) => "the owner of the store".to_owned(),
    };
    let deed = Deed {
        at: unix_now(),
        who,
        origin: "command line, without a process".to_owned(),
        what: json!({ "outbox": order, "letter": number }).to_string(),
    };
    let noted = actix::prelude::System::new()
        .block_on(async { tokio::time::timeout(PATIENCE, store.audit(deed)).await });
    match noted {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(%error, order, letter = number, "an order is not written down in the store");
        }
        Err(_) => {
            tracing::error!(
                order,
                letter = number,
                "an order is not written down in the store: the disk does not answer"
            );
        }
    }
}

/// Whether the change is on disk.
fn apply(store: &Store, change: Change) -> bool {
    struct Tell(mpsc::Sender<()>);
    impl Sink for Tell {
        fn committed(&self, _: u64) {
            // Nobody waits any more when it took too long.
            let _ = self.0.send(());
        }
    }
    let (sender, told) = mpsc::channel();
    let sink: Arc<dyn Sink> = Arc::new(Tell(sender));
    store.submit(vec![change], Some(Done { sink, batch: 0 })) || told.recv_timeout(PATIENCE).is_ok()
}

fn state(letter: &Letter) -> (&'static str, &str) {
    match &letter.state {
        LetterState::Queued => ("queued", ""),
        LetterState::Ended(Ended::Sent) => ("sent", ""),
        LetterState::Ended(Ended::Answered(_)) => ("answered", ""),
        LetterState::Ended(Ended::Failed { reason, .. }) => ("failed", reason),
        LetterState::Ended(Ended::Unknown { reason, .. }) => ("unknown", reason),
    }
}

fn account(letter: &Letter, names: &BTreeMap<AccountNo, String>) -> String {
    let name = names.get(&letter.account);
    name.cloned()
        .unwrap_or_else(|| letter.account.0.to_string())
}

fn table(letters: &[Letter], names: &BTreeMap<AccountNo, String>, now: u64) -> String {
    if letters.is_empty() {
        return "nothing is to be sent, and nothing has failed\n".to_owned();
    }
    let head = ["NUMBER", "ACCOUNT", "TO", "STATE", "AGE"].map(str::to_owned);
    let rows = letters.iter().map(|letter| {
        let age = span(now.saturating_sub(letter.at));
        let (number, to) = (letter.number.to_string(), letter.to.name().to_owned());
        [
            number,
            account(letter, names),
            to,
            state(letter).0.to_owned(),
            age,
        ]
    });
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].width())
            .max()
            .unwrap_or(0)
    };
    let widths = [0, 1, 2, 3, 4].map(width);
    let mut out = String::new();
    let reasons = std::iter::once("WHY").chain(letters.iter().map(|letter| state(letter).1));
    for (row, reason) in rows.iter().zip(reasons) {
        let cells = row.iter().zip(widths);
        let cells: Vec<String> = cells.map(|(cell, width)| padded(cell, width)).collect();
        let reason: String = reason.chars().take(SHOWN).collect();
        let line = format!("{}  {reason}", cells.join("  "));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// `512 B`, `3.4 MiB`.
fn bytes(size: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is rounded anyway")]
    let of = |unit: u64| size as f64 / unit as f64;
    match size {
        0..0x400 => format!("{size} B"),
        0x400..0x10_0000 => format!("{:.1} KiB", of(1 << 10)),
        0x10_0000..0x4000_0000 => format!("{:.1} MiB", of(1 << 20)),
        _ => format!("{:.1} GiB", of(1 << 30)),
    }
}

/// The line of `status` about a store, from JSON of [`StoreOf`](crate::admin::types::StoreOf); nothing for one in memory.
pub(super) fn condition_line(store: &Value, now: u64) -> String {
    let Some(path) = store["path"].as_str() else {
        return String::new();
    };
    let number = |key: &str| store[key].as_u64().unwrap_or(0);
    let mut line = format!(
        "store: {path}, {}",
        bytes(number("bytes") + number("log_bytes"))
    );
    let _ = write!(line, "; {} queued", number("queued"));
    if let Some(at) = store["oldest_queued"]["at"].as_u64() {
        let _ = write!(line, " (oldest {})", span(now.saturating_sub(at)));
    }
    let _ = write!(
        line,
        ", {} failed, {} unknown",
        number("failed"),
        number("unknown")
    );
    let spilled = number("spilled");
    if spilled > 0 {
        let _ = write!(line, ", {spilled} wait for bots");
    }
    if let Some(at) = store["backed_up"].as_u64() {
        let _ = write!(line, "; backed up {} ago", span(now.saturating_sub(at)));
    }
    let trouble = &store["trouble"];
    if trouble.is_object() {
        let word = |key: &str| trouble[key].as_str().unwrap_or_default();
        let since = trouble["since"].as_u64().unwrap_or(now);
        let _ = write!(
            line,
            "\n  NOT WRITTEN for {}, {} lists wait: {} ({}); {}",
            span(now.saturating_sub(since)),
            number("waiting"),
            word("cause"),
            word("text"),
            word("remedy")
        );
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests;
