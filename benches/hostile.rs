//! Measures how long four bots take to answer while another bot of the process misbehaves. Prints a table, and judges nothing.
//!
//! Run with `cargo bench --bench hostile`.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "this is its result")]
#![allow(clippy::disallowed_methods, reason = "it has a clock")]

#[path = "rogues/bots.rs"]
mod bots;

use botroupe::account::Phase;
use botroupe::app::App;
use botroupe::config::{Config, Sources};
use botroupe::proto::id::SdkAppId;
use botroupe::sandbox::{Sandbox, SandboxConfig};
use bots::{OVER, ROGUES};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const APP: u32 = 1_400_000_001;
const KEY: &str = "any-text";
const ECHOES: usize = 4;
/// Questions that are measured, and the time between two.
const QUESTIONS: usize = 400;
const GAP: Duration = Duration::from_millis(20);
/// How often a rogue is provoked before.
const TEMPTERS: usize = 8;
/// How long it has then.
const WARM_UP: Duration = Duration::from_secs(3);

/// What was seen with one rogue, or with none.
struct Seen {
    times: Vec<Duration>,
    lost_links: u64,
    blocked: usize,
}

fn config(endpoint: &str, folder: &tempfile::TempDir, rogue: Option<&str>) -> Config {
    let mut text = format!(
        "endpoint = \"{endpoint}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n\
         [defaults]\nlogin_spacing = \"0s\"\n[shutdown]\ngrace = \"2s\"\n"
    );
    let echoes = (0..ECHOES).map(|number| (format!("echo-{number}"), "echo"));
    for (user, bot) in echoes.chain(rogue.map(|rogue| (rogue.to_owned(), rogue))) {
        text.push_str(&format!(
            "[[accounts]]\nuser_id = \"{user}\"\nbots = [\"{bot}\"]\n"
        ));
    }
    let file = folder.path().join("config.toml").display().to_string();
    let bots = bots::all();
    let names: Vec<&str> = bots.names().collect();
    Config::parse(Sources::new(&file, &text, &BTreeMap::new()).known_bots(&names)).unwrap()
}

async fn case(rogue: Option<&str>) -> Seen {
    OVER.store(false, Ordering::Relaxed);
    let app_id = SdkAppId::new(APP).unwrap();
    let sandbox =
        Sandbox::spawn_thread(SandboxConfig::new(app_id, KEY), ([127, 0, 0, 1], 0).into()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = config(&sandbox.url(), &folder, rogue);
    let app = App::start(&config, &bots::all(), None).await.unwrap();
    while app
        .status()
        .await
        .iter()
        .any(|it| it.phase != Phase::Online)
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if let Some(rogue) = rogue {
        for number in 0..TEMPTERS {
            let text = ["panic", "drop", "wait"][number % 3];
            sandbox
                .say(&format!("tempter-{number}"), rogue, text)
                .unwrap();
        }
        tokio::time::sleep(WARM_UP).await;
    }
    let mut times = Vec::with_capacity(QUESTIONS);
    for number in 0..QUESTIONS {
        let (who, echo) = (
            format!("person-{number}"),
            format!("echo-{}", number % ECHOES),
        );
        let began = Instant::now();
        sandbox.say(&who, &echo, "hello").unwrap();
        // The question and the answer.
        while sandbox.history(&echo, &who).len() < 2 {
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        times.push(began.elapsed());
        tokio::time::sleep(GAP).await;
    }
    times.sort_unstable();
    let status = app.status().await;
    let seen = Seen {
        times,
        lost_links: status.iter().map(|it| it.counters.lost_links).sum(),
        blocked: app.blocked_threads(),
    };
    app.stop().await;
    OVER.store(true, Ordering::Relaxed);
    // Its threads end by themselves.
    tokio::time::sleep(Duration::from_millis(100)).await;
    seen
}

fn row(name: &str, seen: &Seen) {
    let at = |percent: usize| {
        let index = (seen.times.len() * percent / 100).min(seen.times.len() - 1);
        format!("{:.1} ms", seen.times[index].as_secs_f64() * 1e3)
    };
    println!(
        "| {name} | {} | {} | {} | {} | {} |",
        at(50),
        at(99),
        at(100),
        seen.lost_links,
        seen.blocked
    );
}

fn main() {
    println!("| beside | p50 | p99 | slowest | lost links | blocked threads |");
    println!("|---|---|---|---|---|---|");
    actix_rt::System::new().block_on(async {
        row("nobody", &case(None).await);
        for rogue in ROGUES {
            row(rogue, &case(Some(rogue)).await);
        }
    });
}
