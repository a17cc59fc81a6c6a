//! Tests of what survives: processes of bots, with real sockets and a real disk, that are killed and started again.

mod crash;
mod letters;
mod process;
mod spill;
mod store;
mod unknown;

use crate::harness::said;
use botroupe::ledger::{Letter, LetterState};
use botroupe::sandbox::Sandbox;
use botroupe::store::StoreFile;
use process::Process;
use std::path::Path;

/// Everything that `bot` has said to alice, as soon as it is so much.
async fn told(sandbox: &Sandbox, bot: &str, count: usize) -> Vec<String> {
    crate::harness::eventually(&format!("{count} messages of {bot}"), || async {
        let said = said(sandbox, bot, "alice");
        (said.len() >= count).then_some(said)
    })
    .await
}

/// Waits until an account is online.
async fn online(sandbox: &Sandbox, bot: &str) {
    crate::harness::eventually(&format!("{bot} is online"), || async {
        sandbox.is_online(bot).then_some(())
    })
    .await;
}

/// The letters of a store that are not settled, or failed; none if there is no store yet.
fn letters(store: &Path) -> Vec<Letter> {
    StoreFile::open(store)
        .map(|mut file| file.letters().unwrap_or_default())
        .unwrap_or_default()
}

/// Waits until so many letters are to be sent.
async fn queued(process: &Process, count: usize) {
    crate::harness::eventually(&format!("{count} letters are to be sent"), || async {
        let letters = letters(&process.store());
        let queued = letters
            .iter()
            .filter(|letter| letter.state == LetterState::Queued);
        (queued.count() == count).then_some(())
    })
    .await;
}
