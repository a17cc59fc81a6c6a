//! `botroupe audit`: what people have ordered.

use super::args::{AuditCommand, StoreArgs};
use super::exit::Failure;
use super::store::named;
use crate::bot::Bots;
use crate::config::Env;
use crate::store::{AuditAnchor, AuditBreak, AuditCheck, AuditEntry, StoreFile};
use serde_json::{Value, json};
use std::io::Write;

/// Carries out a command.
///
/// # Errors
/// When the store cannot be read, or the entries are not as they were written.
pub(super) fn audit(
    command: &AuditCommand,
    env: &dyn Env,
    bots: &Bots,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    match command {
        AuditCommand::Verify { store } => verify(store, env, bots, out),
        AuditCommand::Export { store } => export(store, env, bots, out),
    }
}

fn verify(
    store: &StoreArgs,
    env: &dyn Env,
    bots: &Bots,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut file = StoreFile::open(&named(store, env, bots)?.path)?;
    let mut check = AuditCheck::default();
    let mut broken: Option<AuditBreak> = None;
    file.audit(&mut |entry| {
        broken = check.take(&entry).err();
        broken.is_none()
    })?;
    let anchor = match (broken, check.finish()) {
        (Some(broken), _) | (None, Err(broken)) => return Err(Failure::Runtime(broken.into())),
        (None, Ok(anchor)) => anchor,
    };
    let (number, hash) = check.head();
    // Who keeps these lines notices later that entries are gone.
    let told = match anchor {
        None => writeln!(out, "{number} entries, head {hash}"),
        Some(AuditAnchor {
            number: last,
            hash: before,
        }) => {
            let (entries, first) = (number - last, last + 1);
            writeln!(
                out,
                "{entries} entries from {first} to {number}, head {hash}\n{last} before them were pruned, head {before}"
            )
        }
    };
    told.map_err(Failure::Output)
}

fn export(
    store: &StoreArgs,
    env: &dyn Env,
    bots: &Bots,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut file = StoreFile::open(&named(store, env, bots)?.path)?;
    let mut failed = None;
    file.audit(&mut |entry| {
        failed = writeln!(out, "{}", line(&entry)).err();
        failed.is_none()
    })?;
    failed.map_or(Ok(()), |error| Err(Failure::Output(error)))
}

fn line(entry: &AuditEntry) -> Value {
    let deed = &entry.deed;
    let what = serde_json::from_str(&deed.what).unwrap_or_else(|_| Value::from(&*deed.what));
    json!({
        "number": entry.number,
        "at": deed.at,
        "who": deed.who,
        "from": deed.origin,
        "what": what,
        "hash": entry.hash.to_string(),
    })
}
