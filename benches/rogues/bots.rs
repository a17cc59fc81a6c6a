//! Bots that do what a bot must not do, and one that answers.

use botroupe::bot::Bots;
use botroupe::prelude::*;
use futures_util::future::join_all;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Ends whatever they do.
pub(crate) static OVER: AtomicBool = AtomicBool::new(false);

/// The names of those that misbehave.
pub(crate) const ROGUES: [&str; 6] = [
    "panicker", "spinner", "sleeper", "flooder", "stayer", "spawner",
];

/// How many messages of a flooder are under way at a time, for each message that it gets.
const FLOOD: usize = 64;
/// More tasks than there are threads for tasks.
const TASKS: usize = 16;

/// All of them, and `echo`.
pub(crate) fn all() -> Bots {
    Bots::new()
        .with("echo", || Bot::new("echo").on_text(echo))
        .with("panicker", || Bot::new("panicker").on_text(panicker))
        .with("spinner", || Bot::new("spinner").on_text(spinner))
        .with("sleeper", || Bot::new("sleeper").on_text(sleeper))
        .with("flooder", || Bot::new("flooder").on_text(flooder))
        .with("stayer", || Bot::new("stayer").on_text(stayer))
        .with("spawner", || Bot::new("spawner").on_text(spawner))
}

fn is_over() -> bool {
    OVER.load(Ordering::Relaxed)
}

async fn echo(text: Text) -> String {
    text.into_inner()
}

/// Nobody gets rid of it without a panic, unless there is one already: two would end the process.
struct Clinging;

impl Drop for Clinging {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "it does not let go");
    }
}

/// Panics, or holds something of which the drop panics: when it ends, and when its time is over.
async fn panicker(text: Text) -> &'static str {
    let _clinging = Clinging;
    match &*text {
        "drop" => {}
        "wait" => std::future::pending().await,
        _ => panic!("as asked"),
    }
    "never said"
}

/// Computes without end.
async fn spinner(_: Text) {
    while !is_over() {
        std::hint::spin_loop();
    }
}

/// Blocks its thread.
#[allow(clippy::disallowed_methods, reason = "that is what it does wrong")]
async fn sleeper(_: Text) {
    while !is_over() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends as fast as it can.
async fn flooder(_: Text, api: Api) {
    let sends = (0..FLOOD).map(|number| {
        let api = &api;
        async move {
            while !is_over() {
                let text = format!("flood {number}");
                if api.send_text("victim", text).await.is_err() {
                    tokio::task::yield_now().await;
                }
            }
        }
    });
    join_all(sends).await;
}

/// Never returns.
async fn stayer(_: Text) {
    std::future::pending().await
}

/// Blocks the threads that drive tasks and timers.
#[allow(clippy::disallowed_methods, reason = "that is what it does wrong")]
async fn spawner(_: Text) -> &'static str {
    for _ in 0..TASKS {
        tokio::spawn(async {
            while !is_over() {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
    }
    "spawned"
}
