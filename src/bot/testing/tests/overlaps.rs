//! What happens when somebody writes again.

use super::super::*;
use crate::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

async fn count(text: Text, messages: Messages) -> String {
    let all: Vec<_> = messages
        .iter()
        .filter_map(|message| message.text())
        .collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), all);
    all.join(" ")
}

#[actix_rt::test]
async fn a_burst_is_handled_at_once_and_a_command_breaks_it() {
    async fn now() -> &'static str {
        "now!"
    }
    let patient = || {
        Bot::new("patient")
            .overlap(Overlap::Burst(Duration::from_secs(5)))
            .command("now", now)
            .on_text(count)
    };
    let bot = TestBot::new(patient());
    for text in ["one", "two"] {
        bot.from("alice").drops_in(text);
        bot.advance("2s").await.expect_no_reply();
    }
    bot.from("bob").in_group("g").drops_in("other");
    assert_eq!(bot.advance("4s").await, ["one two"]);
    assert_eq!(bot.advance("4s").await, ["other"]);
    bot.from("alice").drops_in("three");
    assert_eq!(bot.hears("/now").await, ["three", "now!"]);
    // Nothing of it is lost with the process.
    bot.from("alice").drops_in("four");
    bot.from("alice").drops_in("five");
    bot.crash_and_restart().await.expect_no_reply();
    assert_eq!(bot.advance("1m").await, ["four five"]);
    bot.crash_and_restart().await.expect_no_reply();
    bot.advance("1m").await.expect_no_reply();
}

static GATES: std::sync::Mutex<Vec<tokio::sync::oneshot::Sender<()>>> =
    std::sync::Mutex::new(Vec::new());

#[actix_rt::test]
async fn the_latest_message_ends_the_handler_of_the_one_before() {
    static ENDED: AtomicU32 = AtomicU32::new(0);
    struct Ends;
    impl Drop for Ends {
        fn drop(&mut self) {
            ENDED.fetch_add(1, Ordering::Relaxed);
        }
    }
    async fn slow(text: Text) -> String {
        let _ends = Ends;
        if !text.contains("last") {
            std::future::pending::<()>().await;
        }
        text.lines().collect::<Vec<_>>().join(" ")
    }
    let bot = Bot::new("llm").overlap(Overlap::Latest).on_text(slow);
    let bot = TestBot::new(bot);
    bot.from("alice").drops_in("first");
    bot.from("alice").drops_in("second");
    bot.from("bob").in_group("g").drops_in("last of bob");
    assert_eq!(bot.hears("last").await.texts().len(), 2);
    assert!(ENDED.load(Ordering::Relaxed) >= 2);
    bot.crash_and_restart().await.expect_no_reply();
}

#[actix_rt::test]
async fn handlers_run_beside_each_other_if_they_are_to() {
    async fn gated(text: Text) -> String {
        if &*text == "wait" {
            let (open, gate) = tokio::sync::oneshot::channel();
            GATES.lock().unwrap().push(open);
            let _ = gate.await;
        }
        if &*text == "open" {
            GATES.lock().unwrap().clear();
        }
        text.into_inner()
    }
    let bot = TestBot::new(Bot::new("p").overlap(Overlap::Parallel).on_text(gated));
    bot.from("alice").drops_in("wait");
    let mut said = bot.hears("open").await.texts();
    said.sort();
    assert_eq!(said, ["open", "wait"]);
}

#[actix_rt::test]
async fn old_messages_are_not_answered() {
    async fn old(message: Arc<Message>) -> String {
        format!("too late for {:?}", message.text())
    }
    let mut bot = Bot::new("old").overlap(Overlap::Burst(Duration::from_secs(60)));
    let settings = "max_age = \"30s\"".parse().unwrap();
    bot.configure(Some(&settings)).unwrap();
    let bot = TestBot::new(bot.on_text(count).on_old(old));
    bot.from("alice").drops_in("hello");
    assert_eq!(bot.advance("2m").await, ["too late for Some(\"hello\")"]);
}

#[test]
fn overlaps_are_read() {
    assert_eq!("latest".parse(), Ok(Overlap::Latest));
    assert_eq!(
        "burst 1500ms".parse(),
        Ok(Overlap::Burst(Duration::from_millis(1500)))
    );
    for wrong in ["", "burst", "burst 2h", "Queue"] {
        assert!(wrong.parse::<Overlap>().is_err(), "{wrong}");
    }
}

#[actix_rt::test]
async fn a_command_beside_does_not_wait_for_a_handler_that_thinks() {
    static THINKS: std::sync::Mutex<Option<tokio::sync::oneshot::Sender<()>>> =
        std::sync::Mutex::new(None);
    async fn think(_: Text) -> &'static str {
        let (open, gate) = tokio::sync::oneshot::channel();
        *THINKS.lock().unwrap() = Some(open);
        let _ = gate.await;
        "42"
    }
    async fn stop() -> &'static str {
        drop(THINKS.lock().unwrap().take());
        "Time is over."
    }
    let bot = Bot::new("thinker").on_text(think);
    let bot = TestBot::new(bot.command(command("stop").beside(), stop));
    bot.from("alice").drops_in("why?");
    let said = bot.hears("/stop").await.texts();
    assert_eq!(said, ["Time is over.", "42"]);
}
