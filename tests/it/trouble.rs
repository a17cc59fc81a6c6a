//! Tests of bots under load and faults, over real sockets: no message is lost, and no bot harms
//! another.
//!
//! The names begin with the row of the promise in the list of promises.

use crate::harness::{Gate, eventually, phase, said, sandbox, start, status};
use botroupe::account::Phase;
use botroupe::app::App;
use botroupe::bot::Bots;
use botroupe::prelude::*;
use botroupe::proto::code::Code;
use botroupe::sandbox::Sandbox;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

async fn echo(text: Text) -> String {
    text.into_inner()
}

fn echo_bots() -> Bots {
    Bots::new().with("echo", || Bot::new("echo").on_text(echo))
}

/// Returns the number of messages from `bot` to `people`, in all their conversations.
fn answers(sandbox: &Sandbox, bot: &str, people: &[String]) -> usize {
    let told = people.iter().map(|name| said(sandbox, bot, name).len());
    told.sum()
}

async fn all_answered(sandbox: &Sandbox, bot: &str, people: &[String], count: usize) {
    eventually(&format!("{count} answers"), || async {
        (answers(sandbox, bot, people) >= count).then_some(())
    })
    .await;
    assert_eq!(answers(sandbox, bot, people), count, "each once");
}

fn people(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("u{n}")).collect()
}

// ── A1: read marks ───────────────────────────────────────────────────────────────────────────────

static SLOW: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// One permit for each message that may be handled.
static TURNS: Semaphore = Semaphore::const_new(0);

/// Handles as many messages as the test permits.
async fn slowly(text: Text) {
    TURNS.acquire().await.unwrap().forget();
    SLOW.lock().unwrap().push(text.into_inner());
}

async fn quickly(_: Text) {}

fn slow_and_quick_bots() -> Bots {
    Bots::new()
        .with("quick", || Bot::new("quick").on_text(quickly))
        .with("slow", || Bot::new("slow").on_text(slowly))
}

#[actix_rt::test]
async fn a1_an_orderly_restart_loses_nothing_of_a_second_and_of_no_bot() {
    let sandbox = sandbox(|_| {});
    sandbox.import("bot").unwrap();
    let app = start(&sandbox.url(), &slow_and_quick_bots(), &["bot"], "").await;
    phase(&app, "bot", Phase::Online).await;
    let texts: Vec<String> = (0..20).map(|n| format!("text {n}")).collect();
    for text in &texts {
        sandbox.say("alice", "bot", text).unwrap();
    }
    TURNS.add_permits(9);
    eventually("nine of twenty", || async {
        (SLOW.lock().unwrap().len() == 9).then_some(())
    })
    .await;
    // The tenth message is being handled when the stop begins.
    let stop = app.stop();
    TURNS.add_permits(1);
    stop.await;
    TURNS.add_permits(1_000);
    let app = start(&sandbox.url(), &slow_and_quick_bots(), &["bot"], "").await;
    eventually("all of them", || async {
        let slow = SLOW.lock().unwrap();
        texts.iter().all(|text| slow.contains(text)).then_some(())
    })
    .await;
    app.stop().await;
}

// ── A2: no room ──────────────────────────────────────────────────────────────────────────────────

#[actix_rt::test]
async fn a2_what_waited_while_the_bot_was_away_is_all_answered() {
    let sandbox = sandbox(|_| {});
    sandbox.import("bot").unwrap();
    let people = people(60);
    for n in 0..1_800 {
        sandbox
            .say(&people[n % 60], "bot", &format!("text {n}"))
            .unwrap();
    }
    let app = start(
        &sandbox.url(),
        &echo_bots(),
        &["bot"],
        "[host]\nqueue = 128",
    )
    .await;
    all_answered(&sandbox, "bot", &people, 1_800).await;
    assert_eq!(status(&app, "bot").await.counters.dropped, 0);
    app.stop().await;
}

#[actix_rt::test]
async fn a2_hundreds_of_people_at_once_are_all_answered() {
    let sandbox = sandbox(|_| {});
    let app = start(&sandbox.url(), &echo_bots(), &["bot"], "").await;
    phase(&app, "bot", Phase::Online).await;
    sandbox.delay("bot", 20).unwrap();
    let people = people(600);
    for name in &people {
        sandbox.say(name, "bot", "hello").unwrap();
    }
    all_answered(&sandbox, "bot", &people, 600).await;
    let counters = status(&app, "bot").await.counters;
    assert_eq!((counters.dropped, counters.unsent), (0, 0));
    app.stop().await;
}

static HEARD: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

async fn count(_: Text, conversation: Conversation) {
    *HEARD
        .lock()
        .unwrap()
        .entry(conversation.to_string())
        .or_default() += 1;
}

fn counter_bots() -> Bots {
    Bots::new().with("counter", || Bot::new("counter").on_text(count))
}

#[actix_rt::test]
async fn a2_what_was_missed_in_groups_comes_however_much_it_was() {
    let sandbox = sandbox(|config| config.group_message_rate = 100_000);
    sandbox.import("bot").unwrap();
    for group in ["g1", "g2"] {
        let made = sandbox.administer(
            "group_open_http_svc/create_group",
            &json!({"Owner_Account": "alice", "Type": "Public", "Name": "G", "GroupId": group,
                    "MemberList": [{"Member_Account": "bot"}]}),
        );
        assert_eq!(made["ErrorCode"], 0, "{made}");
    }
    let app = start(
        &sandbox.url(),
        &counter_bots(),
        &["bot"],
        "[host]\nqueue = 64",
    )
    .await;
    phase(&app, "bot", Phase::Online).await;
    sandbox.stop_answering("bot", None).unwrap();
    sandbox.drop_link("bot").unwrap();
    for n in 0..950 {
        sandbox
            .say_to_group("alice", "g1", &format!("a{n}"))
            .unwrap();
        sandbox
            .say_to_group("alice", "g2", &format!("b{n}"))
            .unwrap();
    }
    sandbox.resume_answering("bot").unwrap();
    eventually("1,900 messages", || async {
        (HEARD.lock().unwrap().values().sum::<usize>() >= 1_900).then_some(())
    })
    .await;
    assert_eq!(
        HEARD.lock().unwrap().values().copied().collect::<Vec<_>>(),
        [950, 950]
    );
    app.stop().await;
}

#[actix_rt::test]
async fn a3_a_large_backlog_does_not_kill_the_account() {
    let sandbox = sandbox(|_| {});
    sandbox.import("bot").unwrap();
    let people = people(7);
    for n in 0..420 {
        let text = format!("{n} {}", "x".repeat(11_000));
        sandbox.say(&people[n % 7], "bot", &text).unwrap();
    }
    let app = start(&sandbox.url(), &echo_bots(), &["bot"], "").await;
    all_answered(&sandbox, "bot", &people, 420).await;
    assert_eq!(status(&app, "bot").await.counters.lost_links, 0);
    app.stop().await;
}

#[actix_rt::test]
async fn a5_pushes_while_nothing_can_be_fetched_are_answered_once() {
    let sandbox = sandbox(|_| {});
    let app = start(&sandbox.url(), &echo_bots(), &["bot"], "").await;
    phase(&app, "bot", Phase::Online).await;
    sandbox
        .refuse("bot", "openim.getmsg", Code(70500), None)
        .unwrap();
    let people = people(30);
    for n in 0..1_500 {
        sandbox
            .say(&people[n % 30], "bot", &format!("text {n}"))
            .unwrap();
    }
    eventually("most of them", || async {
        (answers(&sandbox, "bot", &people) >= 1_000).then_some(())
    })
    .await;
    sandbox
        .refuse("bot", "openim.getmsg", Code(70500), Some(0))
        .unwrap();
    all_answered(&sandbox, "bot", &people, 1_500).await;
    app.stop().await;
}

// ── A7: replies wait for their account ───────────────────────────────────────────────────────────

static ANSWERS: Semaphore = Semaphore::const_new(0);

async fn answer_later(text: Text) -> String {
    ANSWERS.acquire().await.unwrap().forget();
    text.into_inner()
}

fn later_bots() -> Bots {
    Bots::new().with("later", || Bot::new("later").on_text(answer_later))
}

#[actix_rt::test]
async fn a7_a_reply_waits_while_its_account_is_held_and_longer_than_its_time_to_send() {
    let sandbox = sandbox(|_| {});
    let app = start(
        &sandbox.url(),
        &later_bots(),
        &["bot"],
        "send_timeout = \"100ms\"",
    )
    .await;
    phase(&app, "bot", Phase::Online).await;
    sandbox.say("alice", "bot", "question").unwrap();
    eventually("it is being handled", || async {
        (status(&app, "bot").await.open == 1).then_some(())
    })
    .await;
    app.order("bot", botroupe::account::Command::Hold)
        .await
        .unwrap();
    phase(&app, "bot", Phase::Held).await;
    ANSWERS.add_permits(1);
    app.order("bot", botroupe::account::Command::Resume)
        .await
        .unwrap();
    eventually("the answer", || async {
        (said(&sandbox, "bot", "alice") == ["question"]).then_some(())
    })
    .await;
    app.stop().await;
}

// ── C: bots that harm others ─────────────────────────────────────────────────────────────────────

static BLOCKED: Gate = Gate::new();

async fn block(text: Text) -> String {
    BLOCKED.block();
    text.into_inner()
}

fn blocker_and_echo_bots() -> Bots {
    Bots::new()
        .with("blocker", || Bot::new("blocker").on_text(block))
        .with("echo", || Bot::new("echo").on_text(echo))
}

async fn two_bots(sandbox: &Sandbox) -> App {
    let accounts = "[[accounts]]\nuser_id = \"bad\"\nbots = [\"blocker\"]\n\
                    [[accounts]]\nuser_id = \"good\"\nbots = [\"echo\"]\n";
    let config = crate::harness::config(&sandbox.url(), &blocker_and_echo_bots(), accounts);
    App::start(&config, &blocker_and_echo_bots(), None)
        .await
        .unwrap()
}

#[actix_rt::test]
async fn c_a_bot_that_blocks_its_threads_holds_up_nobody_else() {
    let sandbox = sandbox(|_| {});
    let app = two_bots(&sandbox).await;
    phase(&app, "bad", Phase::Online).await;
    phase(&app, "good", Phase::Online).await;
    for name in people(40) {
        sandbox.say(&name, "bad", "block").unwrap();
    }
    for n in 0..100 {
        sandbox.say("alice", "good", &format!("text {n}")).unwrap();
        eventually("the answer", || async {
            (said(&sandbox, "good", "alice").len() > n).then_some(())
        })
        .await;
    }
    assert_eq!(answers(&sandbox, "bad", &people(40)), 0);
    BLOCKED.open();
    all_answered(&sandbox, "bad", &people(40), 40).await;
    app.stop().await;
}

static SPAWNED: Gate = Gate::new();

async fn spawn_badly(_: Text) -> String {
    for _ in 0..4 {
        tokio::spawn(async { SPAWNED.block() });
    }
    "ok".to_owned()
}

/// The timer is what the test is about: it has to fire while the spawned tasks block.
async fn wait_a_little(text: Text) -> String {
    tokio::time::sleep(Duration::from_millis(10)).await;
    text.into_inner()
}

fn spawner_bots() -> Bots {
    Bots::new().with("spawner", || Bot::new("spawner").on_text(spawn_or_wait))
}

async fn spawn_or_wait(text: Text) -> String {
    if &*text == "spawn" {
        spawn_badly(text).await
    } else {
        wait_a_little(text).await
    }
}

#[actix_rt::test]
async fn c_spawned_tasks_that_block_stop_no_timers() {
    let sandbox = sandbox(|_| {});
    let app = start(&sandbox.url(), &spawner_bots(), &["bad", "good"], "").await;
    phase(&app, "bad", Phase::Online).await;
    phase(&app, "good", Phase::Online).await;
    sandbox.say("alice", "bad", "spawn").unwrap();
    eventually("they are spawned", || async {
        (said(&sandbox, "bad", "alice") == ["ok"]).then_some(())
    })
    .await;
    for n in 0..20 {
        sandbox.say("alice", "good", &format!("text {n}")).unwrap();
    }
    eventually("twenty answers", || async {
        (said(&sandbox, "good", "alice").len() == 20).then_some(())
    })
    .await;
    SPAWNED.open();
    app.stop().await;
}

fn two_echoes_bots() -> Bots {
    Bots::new().with("echo", || Bot::new("echo").on_text(echo))
}

#[actix_rt::test]
async fn c_our_own_bots_do_not_answer_each_other() {
    let sandbox = sandbox(|_| {});
    for name in ["one", "two", "three"] {
        sandbox.import(name).unwrap();
    }
    let made = sandbox.administer(
        "group_open_http_svc/create_group",
        &json!({"Owner_Account": "alice", "Type": "Public", "Name": "G", "GroupId": "g",
                "MemberList": [{"Member_Account": "one"}, {"Member_Account": "two"}, {"Member_Account": "three"}]}),
    );
    assert_eq!(made["ErrorCode"], 0, "{made}");
    let app = start(
        &sandbox.url(),
        &two_echoes_bots(),
        &["one", "two", "three"],
        "",
    )
    .await;
    for name in ["one", "two", "three"] {
        phase(&app, name, Phase::Online).await;
    }
    let before = sandbox.group_history("g").len();
    sandbox.say_to_group("alice", "g", "hello team").unwrap();
    // Each bot answers alice, and receives the answers of the others without answering them.
    let all_answered = |text: &'static str| {
        let sandbox = &sandbox;
        eventually("three answers", move || async move {
            let answers = sandbox.group_history("g");
            let answers = answers.iter().filter(|item| item.body.contains(text));
            (answers.count() >= 4).then_some(())
        })
    };
    all_answered("hello team").await;
    eventually("everybody has heard everything", || async {
        let mut received = Vec::new();
        for name in ["one", "two", "three"] {
            received.push(status(&app, name).await.counters.received);
        }
        (received.iter().all(|count| *count >= 3)).then_some(())
    })
    .await;
    // Any messages of the bots to each other would arrive before the answers to this one.
    sandbox.say_to_group("alice", "g", "good night").unwrap();
    all_answered("good night").await;
    app.stop().await;
    let said = sandbox.group_history("g").len() - before;
    assert_eq!(said, 8, "two questions, three answers each");
}

static STARTS: AtomicUsize = AtomicUsize::new(0);
static READIES: AtomicUsize = AtomicUsize::new(0);
static TASKS: AtomicUsize = AtomicUsize::new(0);

/// Counts its living instances.
struct Alive;

impl Drop for Alive {
    fn drop(&mut self) {
        TASKS.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn begin(api: Api) {
    STARTS.fetch_add(1, Ordering::SeqCst);
    TASKS.fetch_add(1, Ordering::SeqCst);
    let alive = Alive;
    api.spawn(async move {
        let _alive = alive;
        std::future::pending::<()>().await;
    });
    api.spawn(async { panic!("as asked") });
}

async fn count_ready() {
    READIES.fetch_add(1, Ordering::SeqCst);
}

fn starter_bots() -> Bots {
    Bots::new().with("starter", || {
        Bot::new("starter").on_start(begin).on_ready(count_ready)
    })
}

#[actix_rt::test]
async fn c_a_bot_starts_once_however_often_it_is_ready_and_its_tasks_end_with_it() {
    let sandbox = sandbox(|_| {});
    let app = start(&sandbox.url(), &starter_bots(), &["bot"], "").await;
    phase(&app, "bot", Phase::Online).await;
    for outages in 1..4 {
        eventually("it is ready", || async {
            (READIES.load(Ordering::SeqCst) == outages).then_some(())
        })
        .await;
        sandbox.drop_link("bot").unwrap();
    }
    eventually("it is ready once more", || async {
        (READIES.load(Ordering::SeqCst) == 4).then_some(())
    })
    .await;
    assert_eq!(STARTS.load(Ordering::SeqCst), 1);
    assert_eq!(TASKS.load(Ordering::SeqCst), 1);
    app.stop().await;
    eventually("its task is gone", || async {
        (TASKS.load(Ordering::SeqCst) == 0).then_some(())
    })
    .await;
}
