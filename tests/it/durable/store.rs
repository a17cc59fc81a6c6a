//! A store that cannot be written to.

use super::told;
use crate::harness::{APP, KEY, eventually, phase, said, sandbox, status};
use botroupe::account::Phase;
use botroupe::app::App;
use botroupe::bot::Bots;
use botroupe::config::{Config as AppConfig, Sources};
use botroupe::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

static RUNS: AtomicUsize = AtomicUsize::new(0);

async fn count_and_echo(text: Text) -> String {
    RUNS.fetch_add(1, Ordering::Relaxed);
    text.into_inner()
}

fn bots() -> Bots {
    Bots::new().with("echo", || Bot::new("echo").on_text(count_and_echo))
}

#[actix_rt::test]
async fn while_the_store_fails_accounts_stay_online_and_nothing_is_answered_or_read() {
    let sandbox = sandbox(|config| config.ledger = true);
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "endpoint = \"{}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n\
         [defaults]\nlogin_spacing = \"0s\"\n[[accounts]]\nuser_id = \"bot\"\nbots = [\"echo\"]\n",
        sandbox.url()
    );
    let file = folder.path().join("config.toml").display().to_string();
    let env = BTreeMap::new();
    let sources = Sources::new(&file, &text, &env).known_bots(&["echo"]);
    let config = AppConfig::parse(sources).unwrap();
    let app = App::start(&config, &bots(), None).await.unwrap();
    phase(&app, "bot", Phase::Online).await;
    // Another program holds the file; a full disk looks the same from here.
    let other = rusqlite::Connection::open(folder.path().join("botroupe.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let texts = ["1", "2", "3"];
    for text in texts {
        sandbox.say("alice", "bot", text).unwrap();
    }
    sandbox.say("bob", "bot", "hello").unwrap();
    eventually("a handler has run", || async {
        (RUNS.load(Ordering::Relaxed) >= 2).then_some(())
    })
    .await;
    // The account is cut off and comes back; the messages are not handed to the bots a second time.
    sandbox.drop_link("bot").unwrap();
    eventually("the link is lost", || async {
        (status(&app, "bot").await.counters.lost_links == 1).then_some(())
    })
    .await;
    let status = phase(&app, "bot", Phase::Online).await;
    assert_eq!(status.open, 4);
    assert_eq!(said(&sandbox, "bot", "alice"), [""; 0]);
    assert_eq!(said(&sandbox, "bot", "bob"), [""; 0]);
    let is_read = |sandbox: &botroupe::sandbox::Sandbox| {
        let entries = sandbox.ledger(0);
        let to_bot = entries
            .into_iter()
            .filter(|entry| entry.from.as_str() != "bot");
        to_bot.map(|entry| entry.read_by).collect::<Vec<_>>()
    };
    assert_eq!(is_read(&sandbox), [0; 4]);

    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(told(&sandbox, "bot", 3).await, texts);
    eventually("all are read", || async {
        (is_read(&sandbox) == [1; 4]).then_some(())
    })
    .await;
    assert_eq!(said(&sandbox, "bot", "bob"), ["hello"]);
    assert_eq!(RUNS.load(Ordering::Relaxed), 4, "each once");
    app.stop().await;
}
