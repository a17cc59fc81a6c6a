//! What the server does not keep and has found no room with the bots, when the process is killed.

use super::online;
use super::process::Process;
use crate::harness::{eventually, phase, sandbox, start};
use botroupe::account::Phase;
use botroupe::app::App;
use botroupe::bot::Bots;
use botroupe::message::Draft;
use botroupe::prelude::*;
use botroupe::sandbox::Sandbox;
use botroupe::store::StoreFile;
use std::path::Path;

/// Room for two of a conversation, and for two updates.
const LITTLE: &str = "[host]\nqueue = 16\n";

/// How much waits in a store; nothing if there is no store yet.
fn spilled(store: &Path) -> usize {
    let mut count = 0;
    if let Ok(mut file) = StoreFile::open(store) {
        let _ = file.export(&mut |line| {
            count += usize::from(line.contains(r#""kind":"spilled""#));
            true
        });
    }
    count
}

async fn waiting(process: &Process, count: usize) {
    eventually(&format!("{count} wait in the store"), || async {
        (spilled(&process.store()) == count).then_some(())
    })
    .await;
}

async fn alice(sandbox: &Sandbox) -> App {
    let app = start(&sandbox.url(), &Bots::new(), &["alice"], "").await;
    phase(&app, "alice", Phase::Online).await;
    app
}

async fn whisper(api: &Api, text: &str) {
    let draft = Draft::text(text).online_only();
    api.send(Conversation::c2c("bot"), draft).await.unwrap();
}

#[actix_rt::test]
async fn what_waits_in_the_store_is_handled_once_and_in_order_by_the_next_process() {
    let sandbox = sandbox(|_| {});
    let mut process = Process::start(&sandbox, ("bot", &["keeper"]), LITTLE, &[]);
    online(&sandbox, "bot").await;
    let speaker = alice(&sandbox).await;
    let api = speaker.api("alice").unwrap();
    // Two have room and are in memory only.
    let texts: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    for text in ["hold", "held"]
        .into_iter()
        .chain(texts.iter().map(String::as_str))
    {
        whisper(&api, if text == "100" { "wait" } else { text }).await;
    }
    waiting(&process, 200).await;
    process.put("go");
    eventually("half of it is handled", || async {
        (process.notes("waits") == 1).then_some(())
    })
    .await;
    process.kill();
    assert_eq!(process.noted("said").len(), 102);
    assert!(
        (100..=102).contains(&spilled(&process.store())),
        "those that are handled may be there still"
    );
    process.put("on");
    process.again(&[]);
    eventually("all of it is handled", || async {
        (process.noted("said").len() >= 202).then_some(())
    })
    .await;
    waiting(&process, 0).await;
    let mut expected = vec!["hold".to_owned(), "held".to_owned()];
    expected.extend(texts);
    expected[102] = "wait".to_owned();
    assert_eq!(process.noted("said"), expected);
    // New ones do not wait.
    whisper(&api, "after").await;
    eventually("one more is handled", || async {
        (process.noted("said").last()? == "after").then_some(())
    })
    .await;
    assert_eq!(spilled(&process.store()), 0);
    speaker.stop().await;
}

#[actix_rt::test]
async fn updates_that_wait_in_the_store_are_handled_once_and_in_order_by_the_next_process() {
    let sandbox = sandbox(|_| {});
    let mut process = Process::start(&sandbox, ("bot", &["keeper"]), LITTLE, &[]);
    online(&sandbox, "bot").await;
    let speaker = alice(&sandbox).await;
    let api = speaker.api("alice").unwrap();
    let (to, draft) = (Conversation::c2c("bot"), Draft::text("held").extensible());
    let sent = api.send(to.clone(), draft).await.unwrap();
    let message = Message::sent("alice", to, Vec::new(), String::new(), &sent);
    let keys: Vec<String> = (0..60).map(|number| format!("k{number}")).collect();
    for key in &keys {
        let message = api.message(&message);
        message.set_extensions(&[], [(key, "v")]).await.unwrap();
    }
    // One is with its handler, and sixteen are in memory; some are about other things.
    eventually("the others wait in the store", || async {
        (spilled(&process.store()) >= 43).then_some(())
    })
    .await;
    process.put("go");
    eventually("most of it is handled", || async {
        (process.notes("waits") == 1).then_some(())
    })
    .await;
    process.kill();
    assert_eq!(process.noted("learned"), keys[..40]);
    process.put("on");
    process.again(&[]);
    eventually("all of it is handled", || async {
        (process.noted("learned").len() >= 60).then_some(())
    })
    .await;
    waiting(&process, 0).await;
    assert_eq!(process.noted("learned"), keys);
    speaker.stop().await;
}
