//! Measures 100,000 dialogues that wait for an answer: what they take on disk and in memory, how long a start takes
//! with them, and how long an answer takes. Prints, and judges nothing.
//!
//! Run with `cargo bench --bench dialogues`.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "this is its result")]
#![allow(clippy::disallowed_methods, reason = "it has a clock")]

use botroupe::bot::testing::TestBot;
use botroupe::prelude::*;
use botroupe::store::{Store, StoreConfig};
use std::path::Path;
use std::time::{Duration, Instant};

const DIALOGUES: usize = 100_000;
const ANSWERS: usize = 2_000;
/// How many people write at a time.
const CROWD: usize = 500;

async fn signup(dialogue: Dialogue) -> Result<String, DialogueError> {
    let name: String = dialogue.ask("What is your name?").await?;
    let age: u8 = dialogue.ask("How old are you?").await?;
    Ok(format!("{name} is {age}"))
}

fn bot() -> Bot {
    Bot::new("club").on_text(signup)
}

fn open(path: &Path) -> (TestBot, Duration) {
    let began = Instant::now();
    let store = Store::open(path, StoreConfig::default()).unwrap();
    let bot = TestBot::on_store(bot(), store);
    (bot, began.elapsed())
}

/// What the process holds in memory, in bytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status
        .split(' ')
        .nth(1)
        .and_then(|it| it.parse::<f64>().ok());
    pages.unwrap_or_default() * 4096.0
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bench.db");
    runtime.block_on(async {
        let (bot, _) = open(&path);
        let began = Instant::now();
        for crowd in 0..DIALOGUES / CROWD {
            for user in 0..CROWD {
                bot.from(format!("user-{}", crowd * CROWD + user))
                    .drops_in("hello");
            }
            assert_eq!(bot.advance("1s").await.texts().len(), CROWD);
        }
        println!(
            "opened {} dialogues in {:?}",
            bot.dialogues(),
            began.elapsed()
        );
    });
    #[expect(clippy::cast_precision_loss, reason = "a number to look at")]
    let each = |bytes: f64| bytes / DIALOGUES as f64;
    let size = std::fs::metadata(&path).unwrap().len();
    println!("on disk: {size} bytes");
    runtime.block_on(async {
        let before = resident();
        let (bot, took) = open(&path);
        println!(
            "a start with them: {took:?}, {:.0} bytes of memory for each",
            each(resident() - before)
        );
        // What was sent last may be sent once more.
        bot.advance("1s").await;
        let mut took = Vec::with_capacity(ANSWERS);
        for answer in 0..ANSWERS {
            let user = bot.from(format!("user-{}", answer * DIALOGUES / ANSWERS));
            let began = Instant::now();
            let asked = user.hears("Ann").await;
            assert_eq!(asked.texts().len(), 1);
            took.push(began.elapsed());
        }
        took.sort();
        let at = |share: usize| took[(ANSWERS - 1) * share / 100];
        println!(
            "an answer: p50 {:?}, p99 {:?}, written to disk",
            at(50),
            at(99)
        );
    });
}
