//! Bots that are slow: what the server does not keep waits in the store, and comes back in its order.

use crate::harness::{eventually, phase, sandbox, start, status};
use botroupe::account::Phase;
use botroupe::app::App;
use botroupe::bot::Bots;
use botroupe::message::Draft;
use botroupe::prelude::*;
use botroupe::sandbox::Sandbox;
use futures_util::future::join_all;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// What a bot has handled, and whether it may.
#[derive(Clone)]
struct Slow {
    handled: Arc<Mutex<Vec<String>>>,
    may: watch::Receiver<bool>,
}

impl Slow {
    fn new() -> (Self, watch::Sender<bool>) {
        let (open, may) = watch::channel(false);
        let handled = Arc::default();
        (Self { handled, may }, open)
    }

    async fn handle(&self, what: String) {
        let mut may = self.may.clone();
        let _ = may.wait_for(|may| *may).await;
        self.handled.lock().unwrap().push(what);
    }

    fn handled(&self) -> Vec<String> {
        self.handled.lock().unwrap().clone()
    }

    /// Waits until so much is handled, and a little more for what comes twice.
    async fn all(&self, count: usize) -> Vec<String> {
        eventually(&format!("{count} are handled"), || async {
            (self.handled().len() >= count).then_some(())
        })
        .await;
        self.handled()
    }
}

/// Handlers may wait for as long as a test does.
const PATIENT: &str = "[host]\nhandler_timeout = \"10m\"\n";
/// The same, and there is little room.
const SMALL: &str = "[host]\nhandler_timeout = \"10m\"\nqueue = 64\n";

/// A bot that handles texts when it may.
fn slow_bot(slow: &Slow) -> Bots {
    let slow = slow.clone();
    Bots::new().with("slow", move || {
        let slow = slow.clone();
        Bot::new("slow").on_text(move |text: Text| {
            let slow = slow.clone();
            async move { slow.handle(text.to_string()).await }
        })
    })
}

async fn received(app: &App, count: u64) {
    eventually(&format!("{count} have come"), || async {
        (status(app, "bot").await.counters.received >= count).then_some(())
    })
    .await;
}

/// The places at which two lists differ, the first few of them.
fn differing<'a>(
    found: impl IntoIterator<Item = &'a String>,
    expected: &'a [String],
) -> Vec<(usize, &'a str, &'a str)> {
    let pairs = found.into_iter().zip(expected).enumerate();
    let differ = pairs.filter(|(_, (a, b))| a != b);
    differ
        .map(|(at, (a, b))| (at, a.as_str(), b.as_str()))
        .take(5)
        .collect()
}

fn numbers(of: std::ops::Range<usize>) -> Vec<String> {
    of.map(|number| number.to_string()).collect()
}

/// Other accounts, which can say what the sandbox's own people cannot.
async fn speakers(sandbox: &Sandbox, users: &[&str]) -> App {
    let app = start(&sandbox.url(), &Bots::new(), users, "").await;
    for user in users {
        phase(&app, user, Phase::Online).await;
    }
    app
}

/// Says texts one after the other that the server does not keep.
async fn whisper(speakers: &App, user: &str, texts: &[String]) {
    let api = speakers.api(user).unwrap();
    for some in texts.chunks(16) {
        let sends = some.iter().map(|text| {
            let draft = Draft::text(text.as_str()).online_only();
            api.send(Conversation::c2c("bot"), draft).into_future()
        });
        for sent in join_all(sends).await {
            sent.unwrap();
        }
    }
}

#[actix_rt::test]
async fn online_only_messages_wait_for_a_slow_bot_and_are_handled_once_and_in_order() {
    let sandbox = sandbox(|_| {});
    let users = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let speakers = speakers(&sandbox, &users).await;
    for store in ["", "[store]\npath = \":memory:\"\n"] {
        let (slow, open) = Slow::new();
        let more = format!("{PATIENT}{store}");
        let app = start(&sandbox.url(), &slow_bot(&slow), &["bot"], &more).await;
        phase(&app, "bot", Phase::Online).await;
        let texts = users.map(|user| {
            let of_user = (0..500).map(|number| format!("{user}{number}"));
            of_user.collect::<Vec<String>>()
        });
        let said = users.iter().zip(&texts);
        join_all(said.map(|(user, texts)| whisper(&speakers, user, texts))).await;
        received(&app, 5_000).await;
        assert_eq!(slow.handled().len(), 0);
        open.send(true).unwrap();
        let handled = slow.all(5_000).await;
        assert_eq!(handled.len(), 5_000, "store {store:?}");
        for (user, texts) in users.iter().zip(&texts) {
            let of_user = handled.iter().filter(|text| text.starts_with(user));
            assert_eq!(differing(of_user, texts), [], "store {store:?}");
        }
        assert_eq!(status(&app, "bot").await.counters.dropped, 0);
        app.stop().await;
    }
    speakers.stop().await;
}

#[actix_rt::test]
async fn a_live_room_is_heard_to_the_end_by_a_slow_bot_once_and_in_order() {
    let sandbox = sandbox(|config| config.group_message_rate = u32::MAX);
    let (slow, open) = Slow::new();
    let app = start(&sandbox.url(), &slow_bot(&slow), &["bot"], SMALL).await;
    phase(&app, "bot", Phase::Online).await;
    let speaker = speakers(&sandbox, &["alice"]).await;
    let alice = speaker.api("alice").unwrap();
    let room = NewGroup::live("Room").id("room");
    alice.create_group(room).await.unwrap();
    let bot = app.api("bot").unwrap();
    bot.group("room").join("").await.unwrap();
    // What is said about the bot's coming comes first.
    received(&app, 1).await;
    let before = status(&app, "bot").await.counters.received;
    let all = numbers(0..1_000);
    // The server forgets what is not asked for soon.
    for (round, some) in (1..).zip(all.chunks(50)) {
        for text in some {
            sandbox.say_to_group("alice", "room", text).unwrap();
        }
        received(&app, before + 50 * round).await;
    }
    open.send(true).unwrap();
    assert_eq!(slow.all(1_000).await, all);
    assert_eq!(status(&app, "bot").await.counters.dropped, 0);
    speaker.stop().await;
    app.stop().await;
}

#[actix_rt::test]
async fn updates_wait_for_a_slow_bot_and_are_handled_once_and_in_order() {
    let sandbox = sandbox(|_| {});
    let (slow, open) = Slow::new();
    let hears = slow.clone();
    let bots = Bots::new().with("slow", move || {
        let slow = hears.clone();
        Bot::new("slow").on_update(move |update: Update| {
            let slow = slow.clone();
            async move {
                if let Update::Extensions(change) = update {
                    for extension in change.set() {
                        slow.handle(extension.key.clone()).await;
                    }
                }
            }
        })
    });
    let app = start(&sandbox.url(), &bots, &["bot"], SMALL).await;
    phase(&app, "bot", Phase::Online).await;
    let speaker = speakers(&sandbox, &["alice"]).await;
    let api = speaker.api("alice").unwrap();
    let (to, draft) = (Conversation::c2c("bot"), Draft::text("hi").extensible());
    let sent = api.send(to.clone(), draft).await.unwrap();
    let message = Message::sent("alice", to, Vec::new(), String::new(), &sent);
    let keys: Vec<String> = (0..240).map(|number| format!("k{number}")).collect();
    for key in &keys {
        let message = api.message(&message);
        message.set_extensions(&[], [(key, "v")]).await.unwrap();
    }
    open.send(true).unwrap();
    let handled = slow.all(240).await;
    assert_eq!(handled.len(), 240);
    assert_eq!(differing(&handled, &keys), []);
    assert_eq!(status(&app, "bot").await.counters.dropped, 0);
    speaker.stop().await;
    app.stop().await;
}

#[actix_rt::test]
async fn what_is_beyond_the_quota_is_dropped_and_counted() {
    let sandbox = sandbox(|_| {});
    let (slow, open) = Slow::new();
    // Room for two of a conversation, and for some forty in the store.
    let more = "[host]\nhandler_timeout = \"10m\"\nqueue = 16\n[store]\nspill = \"32KiB\"\n";
    let app = start(&sandbox.url(), &slow_bot(&slow), &["bot"], more).await;
    phase(&app, "bot", Phase::Online).await;
    let speaker = speakers(&sandbox, &["alice"]).await;
    let all = numbers(0..300);
    whisper(&speaker, "alice", &all).await;
    let counted = eventually("all are counted", || async {
        let counters = status(&app, "bot").await.counters;
        (counters.received + counters.dropped >= 300).then_some(counters)
    })
    .await;
    assert!(
        counted.dropped > 100 && counted.received > 20,
        "{counted:?}"
    );
    open.send(true).unwrap();
    let kept = usize::try_from(counted.received).unwrap();
    assert_eq!(slow.all(kept).await, all[..kept], "the first are kept");
    speaker.stop().await;
    app.stop().await;
}
