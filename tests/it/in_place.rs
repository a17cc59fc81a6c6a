//! Tests of handlers on the threads of their accounts: they are quick there, and who abuses it loses the place.

use crate::harness::{Gate, eventually, phase, said, sandbox, start, status};
use botroupe::account::Phase;
use botroupe::bot::Bots;
use botroupe::prelude::*;
use botroupe::sandbox::Sandbox;
use std::time::Duration;

/// The kind of the current thread, by its name.
fn here() -> &'static str {
    let thread = std::thread::current();
    match thread.name().unwrap_or_default() {
        name if name.starts_with("actix-rt") => "account",
        "bot-tasks" => "tasks",
        name if name.starts_with("bot") => "pool",
        _ => "other",
    }
}

/// Says a text to `bot` as `who`, and waits for the next answer.
async fn ask(sandbox: &Sandbox, who: &str, bot: &str, text: &str) -> String {
    let before = said(sandbox, bot, who).len();
    sandbox.say(who, bot, text).unwrap();
    eventually("the answer", || async {
        said(sandbox, bot, who).get(before).cloned()
    })
    .await
}

async fn tell_place(_: Text) -> &'static str {
    here()
}

fn place_bots() -> Bots {
    Bots::new().with("place", || Bot::new("place").on_text(tell_place))
}

#[actix_rt::test]
async fn the_config_says_where_handlers_run_and_a_quick_bot_earns_its_place() {
    let sandbox = sandbox(|_| {});
    for (isolation, first) in [("inline", "account"), ("pool", "pool"), ("auto", "pool")] {
        let more = format!("[bots.place]\nisolation = \"{isolation}\"");
        let user = format!("bot-{isolation}");
        let app = start(&sandbox.url(), &place_bots(), &[&user], &more).await;
        phase(&app, &user, Phase::Online).await;
        assert_eq!(ask(&sandbox, "alice", &user, "where?").await, first);
        if isolation == "auto" {
            while ask(&sandbox, "alice", &user, "where now?").await != "account" {}
        } else {
            for _ in 0..40 {
                assert_eq!(ask(&sandbox, "alice", &user, "still?").await, first);
            }
        }
        app.stop().await;
    }
}

/// Waits, and tells where it went on and where its task ran.
async fn wait_and_tell(_: Text) -> String {
    let began = here();
    let task = tokio::spawn(async { here() });
    // The timer is what the test is about: it must not be one of the account's thread.
    tokio::time::sleep(Duration::from_millis(1)).await;
    format!("{began} {} {}", here(), task.await.unwrap())
}

/// An error that nobody can get rid of.
#[derive(Debug)]
struct Clinging;

impl std::fmt::Display for Clinging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it does not let go")
    }
}

impl Drop for Clinging {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

impl std::error::Error for Clinging {}

async fn panic_or_echo(text: Text) -> Result<String, Clinging> {
    assert_ne!(&*text, "panic");
    if &*text == "fail" {
        return Err(Clinging);
    }
    Ok(text.into_inner())
}

fn inline_bots() -> Bots {
    let waiter = || {
        Bot::new("waiter")
            .isolation(Isolation::Inline)
            .on_text(wait_and_tell)
    };
    let panics = || {
        Bot::new("panics")
            .isolation(Isolation::Inline)
            .on_text(panic_or_echo)
    };
    Bots::new().with("waiter", waiter).with("panics", panics)
}

#[actix_rt::test]
async fn what_waits_leaves_the_thread_of_its_account_and_a_panic_harms_nobody() {
    let sandbox = sandbox(|_| {});
    let accounts = "[[accounts]]\nuser_id = \"waiter\"\nbots = [\"waiter\"]\n\
                    [[accounts]]\nuser_id = \"panics\"\nbots = [\"panics\"]\n";
    let config = crate::harness::config(&sandbox.url(), &inline_bots(), accounts);
    let app = botroupe::app::App::start(&config, &inline_bots(), None)
        .await
        .unwrap();
    phase(&app, "waiter", Phase::Online).await;
    phase(&app, "panics", Phase::Online).await;
    let told = ask(&sandbox, "alice", "waiter", "where?").await;
    assert_eq!(told, "account pool tasks");
    let trouble_over = "hello";
    for trouble in ["panic", "fail"] {
        assert_eq!(
            ask(&sandbox, "alice", "panics", trouble).await,
            "Sorry, something went wrong."
        );
        assert_eq!(
            ask(&sandbox, "alice", "panics", trouble_over).await,
            trouble_over
        );
    }
    // The messages count as handled, and neither the account nor its login has suffered.
    let status = eventually("all of them are done", || async {
        let status = status(&app, "panics").await;
        (status.open == 0).then_some(status)
    })
    .await;
    assert_eq!(status.phase, Phase::Online);
    assert_eq!((status.counters.logins, status.counters.received), (1, 4));
    app.stop().await;
}

static GATE: Gate = Gate::new();

async fn place_or_block(text: Text) -> &'static str {
    if &*text == "block" {
        GATE.block();
        return "blocked";
    }
    here()
}

fn turncoat_bots() -> Bots {
    Bots::new()
        .with("turncoat", || Bot::new("turncoat").on_text(place_or_block))
        .with("place", || Bot::new("place").on_text(tell_place))
}

/// Two accounts share a thread. The bot of one earns its place there, and blocks the thread then.
#[actix_rt::test]
async fn a_trusted_bot_that_blocks_loses_its_place_and_its_neighbours_are_moved() {
    let sandbox = sandbox(|_| {});
    let accounts = "[[accounts]]\nuser_id = \"bad\"\nbots = [\"turncoat\"]\n\
                    [[accounts]]\nuser_id = \"good\"\nbots = [\"place\"]\n";
    let config = crate::harness::config(&sandbox.url(), &turncoat_bots(), accounts);
    let app = botroupe::app::App::start(&config, &turncoat_bots(), None)
        .await
        .unwrap();
    phase(&app, "bad", Phase::Online).await;
    phase(&app, "good", Phase::Online).await;
    while ask(&sandbox, "alice", "bad", "where?").await != "account" {}
    sandbox.say("alice", "bad", "block").unwrap();
    // The neighbour is moved to another thread, and answers although nobody has opened the gate.
    for n in 0..20 {
        ask(&sandbox, "alice", "good", &format!("text {n}")).await;
    }
    // The bot goes on for everybody else, on threads of its own.
    assert_eq!(ask(&sandbox, "bob", "bad", "where?").await, "pool");
    for user in ["bad", "good"] {
        let status = status(&app, user).await;
        assert_eq!(status.phase, Phase::Online, "{user}");
        assert_eq!(status.counters.logins, 1, "{user}: a new actor");
    }
    assert!(!said(&sandbox, "bad", "alice").contains(&"blocked".to_owned()));
    GATE.open();
    eventually("the answer of the blocked handler", || async {
        said(&sandbox, "bad", "alice")
            .contains(&"blocked".to_owned())
            .then_some(())
    })
    .await;
    // The old actor must not have sent it a second time.
    assert_ne!(ask(&sandbox, "alice", "bad", "where?").await, "blocked");
    let blocked = said(&sandbox, "bad", "alice");
    assert_eq!(blocked.iter().filter(|text| *text == "blocked").count(), 1);
    app.stop().await;
}
