//! The bots of accounts: their order, one voice of several accounts, and changes while they run.

use crate::harness::said;
use botroupe::fleet::{BotChangeError, Command, Fleet, FleetAccount, FleetHandle, Phase};
use botroupe::prelude::*;
use botroupe::sandbox::Sandbox;
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, fmt};

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `done` holds.
async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let wait = async {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    let came = tokio::time::timeout(PATIENCE, wait).await;
    assert!(came.is_ok(), "{what} did not come");
}

async fn hears(sandbox: &Sandbox, bot: &str, to: &str, text: &str) {
    until(text, || {
        said(sandbox, bot, to).iter().any(|told| told == text)
    })
    .await;
}

/// Who said what in a group.
fn said_in(sandbox: &Sandbox, group: &str) -> Vec<(String, String)> {
    let all = sandbox.group_history(group).into_iter();
    let said = all.filter_map(|item| {
        // A tip has no elements.
        let elements: Vec<Element> = serde_json::from_str(&item.body).unwrap_or_default();
        let text = elements.into_iter().find_map(|element| match element {
            Element::Text(text) => Some(text.text),
            _ => None,
        });
        Some((item.from.as_str().to_owned(), text?))
    });
    said.collect()
}

fn hours() -> Bot {
    async fn answer(text: Text) -> Option<&'static str> {
        text.contains("hours").then_some("9 to 17")
    }
    Bot::new("hours").claims().on_text(answer)
}

fn echo() -> Bot {
    Bot::new("echo").on_text(|text: Text| async move { text.into_inner() })
}

#[derive(Deserialize)]
struct Tone {
    #[serde(default)]
    mark: String,
}

fn crier() -> Bot {
    async fn cry(text: Text, tone: Config<Tone>) -> String {
        format!("{}{}", &*text, tone.mark)
    }
    async fn started(api: Api) {
        let _ = api.send_text("log", "started").await;
    }
    Bot::new("crier")
        .config::<Tone>()
        .on_start(started)
        .on_text(cry)
}

async fn started(fleet: botroupe::fleet::FleetBuilder) -> FleetHandle {
    let fleet = fleet.start().await.unwrap();
    tokio::time::timeout(PATIENCE, fleet.ready())
        .await
        .unwrap()
        .unwrap();
    fleet
}

#[tokio::test]
async fn what_a_bot_claims_does_not_reach_those_after_it() {
    let fleet = Fleet::builder().sandbox().bot(hours).bot(echo);
    let fleet = fleet
        .account(FleetAccount::new("desk").bots(["hours", "echo"]))
        .account(FleetAccount::new("other").bots(["echo", "hours"]));
    let fleet = started(fleet).await;
    let sandbox = fleet.sandbox().unwrap();
    for text in ["your hours?", "hello", "hours again?", "bye"] {
        sandbox.say("alice", "desk", text).unwrap();
        sandbox.say("alice", "other", text).unwrap();
    }
    until("four answers", || said(sandbox, "desk", "alice").len() >= 4).await;
    sandbox.say("alice", "desk", "end").unwrap();
    hears(sandbox, "desk", "alice", "end").await;
    // Each bot keeps its order; between two bots there is none.
    let mut told = said(sandbox, "desk", "alice");
    told.sort();
    assert_eq!(told, ["9 to 17", "9 to 17", "bye", "end", "hello"]);
    // Where it comes last it claims nothing.
    hears(sandbox, "other", "alice", "bye").await;
    until("both", || said(sandbox, "other", "alice").len() == 6).await;
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn a_reply_that_grows_or_waits_is_claimed_too() {
    async fn answer(text: Text, api: Api) -> Option<Reply> {
        if text.contains("later") {
            return Some(Reply::after(Duration::from_secs(1), "9 to 17"));
        }
        let words = stream::unfold(
            (api, ["9", " to", " 17"].iter()),
            |(api, mut words)| async {
                api.sleep(Duration::from_millis(400)).await;
                let word = words.next()?;
                Some((Ok::<_, io::Error>(*word), (api, words)))
            },
        );
        let grows = text.contains("hours");
        grows.then(|| Streamed::new(words).into_reply())
    }
    let hours = || Bot::new("hours").claims().on_text(answer);
    let fleet = Fleet::builder().sandbox().bot(hours).bot(echo);
    let fleet = fleet.account(FleetAccount::new("desk").bots(["hours", "echo"]));
    let fleet = started(fleet).await;
    let sandbox = fleet.sandbox().unwrap();
    for text in ["your hours?", "later", "bye"] {
        sandbox.say("alice", "desk", text).unwrap();
    }
    hears(sandbox, "desk", "alice", "bye").await;
    until("all three", || {
        let mut told = said(sandbox, "desk", "alice");
        told.sort();
        told == ["9 to 17", "9 to 17", "bye"]
    })
    .await;
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn one_account_of_several_answers_in_a_group_and_the_next_takes_over() {
    let single = || echo().one_voice();
    let fleet = Fleet::builder().sandbox().bot(single);
    let fleet = fleet.account(FleetAccount::new("e-{1..3}").bots(["echo"]));
    let fleet = started(fleet).await;
    let sandbox = fleet.sandbox().unwrap();
    let alice = fleet.api("e-1").unwrap();
    let group = NewGroup::public("G")
        .id("g")
        .members(["e-2", "e-3", "alice"]);
    alice.create_group(group).await.unwrap();
    for number in 0..5 {
        sandbox
            .say_to_group("alice", "g", &format!("first {number}"))
            .unwrap();
    }
    let told = |text: &'static str| {
        move || {
            said_in(sandbox, "g")
                .into_iter()
                .filter(|(from, said)| from != "alice" && said.starts_with(text))
                .collect::<Vec<_>>()
        }
    };
    let first = told("first");
    until("five answers", || first().len() >= 5).await;
    let speaker = first()[0].0.clone();
    assert!(
        first().iter().all(|(from, _)| *from == speaker),
        "{:?}",
        first()
    );
    fleet.order(&speaker, Command::Hold).await.unwrap();
    let is_held = async {
        while !fleet
            .status()
            .await
            .iter()
            .any(|status| status.account.as_str() == speaker && status.phase == Phase::Held)
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, is_held).await.unwrap();
    for number in 0..5 {
        sandbox
            .say_to_group("alice", "g", &format!("second {number}"))
            .unwrap();
    }
    let second = told("second");
    until("five more answers", || second().len() >= 5).await;
    assert!(
        second().iter().all(|(from, _)| *from != speaker),
        "{:?}",
        second()
    );
    // Back again, it does not repeat what the other has answered.
    fleet.order(&speaker, Command::Resume).await.unwrap();
    fleet.ready().await.unwrap();
    sandbox.say_to_group("alice", "g", "third").unwrap();
    let third = told("third");
    until("a last answer", || !third().is_empty()).await;
    sandbox.say("alice", &speaker, "alone").unwrap();
    hears(sandbox, &speaker, "alice", "alone").await;
    assert_eq!([first().len(), second().len(), third().len()], [5, 5, 1]);
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn bots_change_while_their_account_stays_online() {
    let fleet = Fleet::builder().sandbox().bot(crier).bot(echo).bot(hours);
    let fleet = fleet.account(FleetAccount::new("desk").bots(["crier"]));
    let fleet = started(fleet).await;
    let sandbox = fleet.sandbox().unwrap();
    let say = |text: &str| sandbox.say("alice", "desk", text).unwrap();
    say("one");
    hears(sandbox, "desk", "alice", "one").await;
    fleet
        .configure_bot("desk", "crier", &json!({ "mark": "!" }))
        .await
        .unwrap();
    say("two");
    hears(sandbox, "desk", "alice", "two!").await;
    let starts = || said(sandbox, "desk", "log").len();
    until("the start of the new one", || starts() == 2).await;
    fleet.set_bots("desk", ["hours", "crier"]).await.unwrap();
    assert_eq!(fleet.bots("desk").unwrap(), ["hours", "crier"]);
    say("hours?");
    say("three");
    hears(sandbox, "desk", "alice", "three!").await;
    fleet.disable_bot("desk", "crier").await.unwrap();
    fleet.enable_bot("desk", "echo").await.unwrap();
    say("four");
    hears(sandbox, "desk", "alice", "four").await;
    until("five answers", || said(sandbox, "desk", "alice").len() >= 5).await;
    let mut told = said(sandbox, "desk", "alice");
    told.sort();
    assert_eq!(told, ["9 to 17", "four", "one", "three!", "two!"]);
    fleet.enable_bot("desk", "crier").await.unwrap();
    say("five");
    hears(sandbox, "desk", "alice", "five!").await;
    hears(sandbox, "desk", "alice", "five").await;
    let status = fleet.status().await;
    assert_eq!(status[0].counters.logins, 1, "it stayed online");
    for (wrong, expected) in [
        (
            fleet.set_bots("desk", ["ecko"]).await,
            "no bot is called \"ecko\"; there are: crier, echo, hours",
        ),
        (
            fleet.set_bots("desk", ["echo", "echo"]).await,
            "bot \"echo\" is listed twice",
        ),
        (
            fleet.enable_bot("nobody", "echo").await,
            "there is no account nobody",
        ),
        (
            fleet
                .configure_bot("desk", "crier", &json!({ "mark": 1 }))
                .await,
            "bot \"crier\" cannot be made: settings of bot \"crier\" do not fit: mark: expected a string, found an integer",
        ),
        (
            fleet.configure_bot("desk", "echo", &7).await,
            "settings of bot \"echo\" have to be a table",
        ),
    ] {
        let said = wrong.unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
    let gone = fleet.disable_bot("desk", "nothing").await;
    assert!(matches!(gone, Err(BotChangeError::NotRunning { .. })));
    say("six");
    hears(sandbox, "desk", "alice", "six!").await;
    fleet.stop().await.unwrap();
}

/// What handlers log, with its spans.
static LOGGED: Mutex<String> = Mutex::new(String::new());

struct Logged;

impl Write for Logged {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LOGGED
            .lock()
            .unwrap()
            .push_str(&String::from_utf8_lossy(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_a_handler_logs_says_of_which_account_bot_and_conversation_it_is() {
    let ours = filter_fn(|of| of.is_span() || of.target().ends_with("bots_of_accounts"));
    let layer = fmt::layer().with_ansi(false).with_writer(|| Logged);
    tracing_subscriber::registry()
        .with(layer.with_filter(ours))
        .init();
    let logger = || {
        Bot::new("logger").on_text(async |text: Text, api: Api| {
            tracing::info!("heard {}", &*text);
            tokio::task::yield_now().await;
            tracing::info!("thought about {}", &*text);
            api.spawn(async { tracing::info!("beside") });
        })
    };
    let fleet = Fleet::builder().sandbox().bot(logger).account("desk");
    let fleet = started(fleet).await;
    fleet
        .sandbox()
        .unwrap()
        .say("alice", "desk", "this")
        .unwrap();
    let logged = |text: &str| {
        let all = LOGGED.lock().unwrap();
        all.lines()
            .find(|line| line.contains(text))
            .map(str::to_owned)
    };
    until("the last line", || logged("beside").is_some()).await;
    let conversation = Conversation::c2c("alice").to_string();
    for text in ["heard this", "thought about this", "beside"] {
        let line = logged(text).unwrap();
        assert!(
            line.contains("account=desk") && line.contains("bot=\"logger\""),
            "{line}"
        );
        assert!(
            line.contains(&format!("conversation={conversation}")),
            "{line}"
        );
    }
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn a_bot_that_claims_no_more_holds_nobody_up() {
    static BEGAN: AtomicBool = AtomicBool::new(false);
    static OPEN: Notify = Notify::const_new();
    let slow = || {
        let bot = Bot::new("slow").claims();
        bot.on_text(async |_: Text| {
            BEGAN.store(true, Ordering::Release);
            OPEN.notified().await;
        })
    };
    let fleet = Fleet::builder().sandbox().bot(slow).bot(echo);
    let fleet = fleet.account(FleetAccount::new("desk").bots(["slow", "echo"]));
    let fleet = started(fleet).await;
    let sandbox = fleet.sandbox().unwrap();
    sandbox.say("alice", "desk", "one").unwrap();
    until("the slow handler", || BEGAN.load(Ordering::Acquire)).await;
    assert!(said(sandbox, "desk", "alice").is_empty());
    let settings = json!({ "claims": false });
    fleet
        .configure_bot("desk", "slow", &settings)
        .await
        .unwrap();
    hears(sandbox, "desk", "alice", "one").await;
    OPEN.notify_one();
    fleet.stop().await.unwrap();
}
