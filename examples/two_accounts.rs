//! Two accounts of one config talk to each other: each answers a number with the next one.
//!
//! Run with: `cargo run --example two_accounts`

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{collections::BTreeMap, error::Error, time::Duration};

use botroupe::{
    account::Phase,
    app::App,
    bot::Bots,
    config::{Config, Sources},
    prelude::{Bot, Config as Settings, Text},
    sandbox::{HistoryItem, Sandbox},
};
use serde::Deserialize;

fn bots() -> Bots {
    Bots::new().with("count", bot)
}

const CONFIG: &str = r#"
    endpoint = "sandbox"
    [app]
    sdk_app_id = 1400000001
    secret_key = "good-for-the-sandbox-only"
    [[accounts]]
    user_id = "{ping,pong}"
    bots = ["count"]
    [bots.count]
    last = 10
    [sandbox]
    listen = "127.0.0.1:0"
"#;

/// `[bots.count]`
#[derive(Deserialize)]
struct Count {
    /// The number after which nobody answers any more.
    last: u32,
}

fn bot() -> Bot {
    Bot::new("count")
        .config::<Count>()
        .on_text(next)
        // Without this accounts of one process do not hear each other.
        .hear_own_accounts()
}

/// `None` is no answer.
async fn next(text: Text, settings: Settings<Count>) -> Option<String> {
    let number: u32 = text.parse().ok()?;
    (number < settings.last).then(|| (number + 1).to_string())
}

fn main() -> Result<(), Box<dyn Error>> {
    actix_rt::System::new().block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::parse(Sources {
        file: "two_accounts.toml",
        text: CONFIG,
        env: &BTreeMap::new(),
        overrides: &[],
        known_bots: &["count"],
    })?;
    let app = App::start(&config, &bots(), None).await?;
    let sandbox = app.sandbox().ok_or("the config asks for a sandbox")?;

    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, online(&app)).await?;

    // Ping begins.
    let ping = app.account("ping").ok_or("the config has it")?;
    ping.send("pong", "1").await?;

    let talk = tokio::time::timeout(limit, talk(sandbox, 10)).await?;
    for item in &talk {
        println!("{}: {}", item.from, text(&item.body));
    }
    let said: Vec<String> = talk.iter().map(|item| text(&item.body)).collect();
    let expected: Vec<String> = (1..=10).map(|number| number.to_string()).collect();

    let stopped = app.stop().await;
    if said != expected || !stopped.drained || !stopped.logged_out {
        return Err(format!("expected 1 to 10 and a clean end, got {said:?}, {stopped:?}").into());
    }
    Ok(())
}

/// Waits until every account is online.
async fn online(app: &App) {
    loop {
        let status = app.status().await;
        if status.iter().all(|account| account.phase == Phase::Online) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until so many messages have been exchanged.
async fn talk(sandbox: &Sandbox, count: usize) -> Vec<HistoryItem> {
    loop {
        let history = sandbox.history("ping", "pong");
        if history.len() >= count {
            return history;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The text of a message with one text element.
fn text(body: &str) -> String {
    let elements: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let text = elements[0]["MsgContent"]["Text"].as_str();
    text.unwrap_or_default().to_owned()
}
