//! Tests of bots over real sockets: answers, order, and isolation of faulty bots.

use crate::harness::{eventually, phase, said, sandbox, start, status};
use botroupe::account::{Command, Phase};
use botroupe::bot::Bots;
use botroupe::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

async fn echo(text: Text) -> String {
    text.into_inner()
}

fn echo_bots() -> Bots {
    Bots::new().with("echo", || Bot::new("echo").on_text(echo))
}

#[actix_rt::test]
async fn an_echo_bot_answers_in_order_and_each_once() {
    let sandbox = sandbox(|_| {});
    let app = start(&sandbox.url(), &echo_bots(), &["bot"], "").await;
    phase(&app, "bot", Phase::Online).await;
    let texts: Vec<String> = (0..100).map(|n| format!("message {n}")).collect();
    for text in &texts {
        sandbox.say("alice", "bot", text).unwrap();
    }
    eventually("100 answers", || async {
        (said(&sandbox, "bot", "alice").len() >= 100).then_some(())
    })
    .await;
    assert_eq!(said(&sandbox, "bot", "alice"), texts);
    app.stop().await;
}

#[actix_rt::test]
async fn answers_survive_a_link_that_breaks_all_the_time() {
    let sandbox = sandbox(|_| {});
    let app = start(&sandbox.url(), &echo_bots(), &["bot"], "").await;
    phase(&app, "bot", Phase::Online).await;
    let texts: Vec<String> = (0..100).map(|n| format!("message {n}")).collect();
    for (n, text) in texts.iter().enumerate() {
        sandbox.say("alice", "bot", text).unwrap();
        if n % 10 == 5 {
            phase(&app, "bot", Phase::Online).await;
            let lost = status(&app, "bot").await.counters.lost_links;
            sandbox.drop_link("bot").unwrap();
            eventually("the link is lost", || async {
                (status(&app, "bot").await.counters.lost_links > lost).then_some(())
            })
            .await;
        }
    }
    eventually("100 answers", || async {
        (said(&sandbox, "bot", "alice").len() >= 100).then_some(())
    })
    .await;
    assert_eq!(said(&sandbox, "bot", "alice"), texts);
    assert!(status(&app, "bot").await.counters.resumes >= 5);
    app.stop().await;
}

#[actix_rt::test]
async fn what_was_said_while_a_bot_was_away_is_answered_when_it_is_ready() {
    let sandbox = sandbox(|_| {});
    sandbox.import("bot").unwrap();
    for n in 0..5 {
        sandbox.say("alice", "bot", &format!("early {n}")).unwrap();
    }
    let app = start(&sandbox.url(), &echo_bots(), &["bot"], "").await;
    eventually("5 answers", || async {
        (said(&sandbox, "bot", "alice").len() == 5).then_some(())
    })
    .await;
    app.stop().await;
    // After a restart, the bot does not answer again: handled messages count as read.
    let app = start(&sandbox.url(), &echo_bots(), &["bot"], "").await;
    phase(&app, "bot", Phase::Online).await;
    sandbox.say("alice", "bot", "late").unwrap();
    eventually("the answer", || async {
        said(&sandbox, "bot", "alice")
            .contains(&"late".to_owned())
            .then_some(())
    })
    .await;
    assert_eq!(said(&sandbox, "bot", "alice").len(), 6);
    app.stop().await;
}

static RELEASE: Mutex<Vec<std::sync::mpsc::Sender<()>>> = Mutex::new(Vec::new());

async fn misbehave(text: Text) -> Result<String, String> {
    match &*text {
        "panic" => panic!("as asked"),
        "hang" => std::future::pending().await,
        "block" => {
            // Blocks the thread until the test releases it.
            let (release, wait) = std::sync::mpsc::channel();
            RELEASE.lock().unwrap().push(release);
            let _ = wait.recv();
            Ok("back".to_owned())
        }
        "fail" => Err("as asked".to_owned()),
        other => Ok(other.to_owned()),
    }
}

fn bad_bots() -> Bots {
    Bots::new().with("bad", || Bot::new("bad").on_text(misbehave))
}

#[actix_rt::test]
async fn a_bot_that_panics_hangs_fails_and_blocks_harms_nobody_else() {
    let sandbox = sandbox(|_| {});
    let host = "[host]\nthreads = 1\nhandler_timeout = \"300ms\"\nblock_warning = \"50ms\"";
    let app = start(&sandbox.url(), &bad_bots(), &["one", "two"], host).await;
    phase(&app, "one", Phase::Online).await;
    phase(&app, "two", Phase::Online).await;
    // Each message is in its own conversation, so that none waits for another.
    for (from, text) in [("p", "panic"), ("h", "hang"), ("f", "fail"), ("b", "block")] {
        sandbox.say(from, "one", text).unwrap();
    }
    eventually("a blocked thread", || async {
        (app.blocked_threads() == 1).then_some(())
    })
    .await;
    sandbox.say("alice", "two", "are you there").unwrap();
    sandbox.say("alice", "one", "and you").unwrap();
    for bot in ["one", "two"] {
        eventually("an answer", || async {
            (said(&sandbox, bot, "alice").len() == 1).then_some(())
        })
        .await;
    }
    // The same conversations continue after the deadline has ended the hanging handler.
    for from in ["p", "h", "f"] {
        sandbox.say(from, "one", "again").unwrap();
        eventually("an apology and an answer", || async {
            let expected = ["Sorry, something went wrong.", "again"];
            (said(&sandbox, "one", from) == expected).then_some(())
        })
        .await;
    }
    for release in RELEASE.lock().unwrap().drain(..) {
        release.send(()).unwrap();
    }
    eventually("no blocked thread", || async {
        (app.blocked_threads() == 0).then_some(())
    })
    .await;
    for user in ["one", "two"] {
        let status = status(&app, user).await;
        assert_eq!(
            (status.phase, status.counters.lost_links),
            (Phase::Online, 0),
            "{user}"
        );
    }
    assert_eq!(status(&app, "one").await.counters.failed_handlers, 3);
    app.stop().await;
}

async fn send_badly(text: Text) -> Outgoing {
    use futures_util::stream;
    let nothing = || Ok(bytes::Bytes::new());
    match &*text {
        "hang" => Outgoing::image(Upload::stream("a.png", 1, stream::pending())),
        "panic" => Outgoing::image(Upload::stream(
            "a.png",
            1,
            stream::poll_fn(|_| panic!("as asked")),
        )),
        "nothing" => Outgoing::image(Upload::stream("a.png", 1, stream::repeat_with(nothing))),
        "nothing sent" => Outgoing::file(Upload::stream("a", 1, stream::repeat_with(nothing))),
        other => Outgoing::file(Upload::new("a.txt", "a")).after(other),
    }
}

fn sends_badly_bots() -> Bots {
    Bots::new().with("sends-badly", || {
        Bot::new("sends-badly").on_text(send_badly)
    })
}

#[actix_rt::test]
async fn a_reply_whose_file_never_comes_holds_up_nothing_for_ever() {
    let sandbox = sandbox(|_| {});
    let host = "[host]\nthreads = 1\nhandler_timeout = \"300ms\"";
    let app = start(&sandbox.url(), &sends_badly_bots(), &["bot"], host).await;
    phase(&app, "bot", Phase::Online).await;
    for text in ["hang", "panic", "nothing", "nothing sent"] {
        let from = text.replace(' ', "-");
        sandbox.say(&from, "bot", text).unwrap();
        sandbox.say(&from, "bot", "again").unwrap();
        eventually(text, || async {
            (said(&sandbox, "bot", &from).len() == 1).then_some(())
        })
        .await;
    }
    assert_eq!(app.blocked_threads(), 0);
    app.stop().await;
}

static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

async fn ready() {
    HEARD.lock().unwrap().push("ready".to_owned());
}

async fn kicked(kick: Kicked) {
    HEARD.lock().unwrap().push(format!("{kick:?}"));
}

async fn not_ready(why: NotReady) {
    HEARD.lock().unwrap().push(why.word);
}

fn listening_bots() -> Bots {
    Bots::new().with("listening", || {
        Bot::new("listening")
            .on_ready(ready)
            .on_kicked(kicked)
            .on_not_ready(not_ready)
    })
}

#[actix_rt::test]
async fn a_bot_hears_what_happens_to_its_account() {
    let sandbox = sandbox(|_| {});
    let app = start(&sandbox.url(), &listening_bots(), &["bot"], "").await;
    // A kick is told to both handlers that are for it.
    let expected = [
        "ready",
        "link_lost",
        "ready",
        "RestApiKick",
        "REST_API_Kick",
    ];
    let heard = |count: usize| async move { (HEARD.lock().unwrap().len() >= count).then_some(()) };
    eventually("ready", || heard(1)).await;
    sandbox.drop_link("bot").unwrap();
    eventually("lost and back", || heard(3)).await;
    sandbox
        .kick("bot", botroupe::sandbox::KickType::Rest)
        .unwrap();
    eventually("kicked", || heard(5)).await;
    assert_eq!(*HEARD.lock().unwrap(), expected);
    app.stop().await;
}

static CALLED: AtomicBool = AtomicBool::new(false);

async fn note_call(_: Text) {
    CALLED.store(true, Ordering::SeqCst);
}

fn noting_bots() -> Bots {
    Bots::new().with("noting", || Bot::new("noting").on_text(note_call))
}

#[actix_rt::test]
async fn a_held_account_calls_no_bot_and_says_why_it_sends_nothing() {
    let sandbox = sandbox(|_| {});
    let app = start(&sandbox.url(), &noting_bots(), &["bot"], "").await;
    let status = phase(&app, "bot", Phase::Online).await;
    app.order(&status.account, Command::Hold).await.unwrap();
    phase(&app, "bot", Phase::Held).await;
    eventually("logged out", || async {
        (!sandbox.is_online("bot")).then_some(())
    })
    .await;
    sandbox.say("alice", "bot", "hello").unwrap();
    let error = Api::new(app.account("bot").unwrap())
        .send_text("alice", "x")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("offline"), "{error}");
    assert!(!CALLED.load(Ordering::SeqCst));
    app.order(&status.account, Command::Resume).await.unwrap();
    eventually("the bot is called", || async {
        CALLED.load(Ordering::SeqCst).then_some(())
    })
    .await;
    app.stop().await;
}

#[actix_rt::test]
async fn stopping_logs_everybody_out_and_lets_handlers_finish() {
    async fn slow(text: Text) -> String {
        tokio::time::timeout(
            std::time::Duration::from_millis(200),
            std::future::pending::<()>(),
        )
        .await
        .ok();
        text.into_inner()
    }
    fn slow_bots() -> Bots {
        Bots::new().with("slow", || Bot::new("slow").on_text(slow))
    }
    let sandbox = sandbox(|_| {});
    let app = start(&sandbox.url(), &slow_bots(), &["one", "two", "three"], "").await;
    for user in ["one", "two", "three"] {
        phase(&app, user, Phase::Online).await;
    }
    sandbox.say("alice", "one", "hello").unwrap();
    eventually("it is received", || async {
        (status(&app, "one").await.counters.received > 0).then_some(())
    })
    .await;
    let stopped = app.stop().await;
    assert!(stopped.drained && stopped.logged_out);
    assert_eq!(said(&sandbox, "one", "alice"), ["hello"]);
    for user in ["one", "two", "three"] {
        assert!(!sandbox.is_online(user), "{user} left a login behind");
    }
}
