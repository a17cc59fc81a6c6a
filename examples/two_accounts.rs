//! Runs two accounts of one config that talk to each other: each answers a number with the next
//! one.
//!
//! Run with: `cargo run --example two_accounts`

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{error::Error, time::Duration};

use botroupe::{
    prelude::{Bot, Config, Fleet, Text},
    sandbox::{HistoryItem, Sandbox},
};
use serde::Deserialize;

/// `[bots.count]`
#[derive(Deserialize)]
struct Count {
    /// The last number that is answered.
    last: u32,
}

fn bot() -> Bot {
    Bot::new("count")
        .config::<Count>()
        .on_text(next)
        // By default, accounts of one process do not receive each other's messages.
        .hear_own_accounts()
}

/// Returns `None` for no answer.
async fn next(text: Text, settings: Config<Count>) -> Option<String> {
    let number: u32 = text.parse().ok()?;
    (number < settings.last).then(|| (number + 1).to_string())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let fleet = Fleet::builder()
        .sandbox()
        .bot(bot)
        .account("ping")
        .account("pong")
        .set("bots.count.last", "10")
        .start()
        .await?;
    let sandbox = fleet.sandbox().ok_or("the fleet has a sandbox")?;

    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, fleet.ready()).await??;

    // Ping starts the conversation.
    let ping = fleet.api("ping").ok_or("the fleet has the account")?;
    ping.send_text("pong", "1").await?;

    let talk = tokio::time::timeout(limit, talk(sandbox, 10)).await?;
    for item in &talk {
        println!("{}: {}", item.from, text(&item.body));
    }
    let said: Vec<String> = talk.iter().map(|item| text(&item.body)).collect();
    let expected: Vec<String> = (1..=10).map(|number| number.to_string()).collect();

    let stopped = fleet.stop().await?;
    if said != expected || !stopped.drained || !stopped.logged_out {
        return Err(format!("expected 1 to 10 and a clean end, got {said:?}, {stopped:?}").into());
    }
    Ok(())
}

/// Waits until `count` messages have been exchanged.
async fn talk(sandbox: &Sandbox, count: usize) -> Vec<HistoryItem> {
    loop {
        let history = sandbox.history("ping", "pong");
        if history.len() >= count {
            return history;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Returns the text of a message with one text element.
fn text(body: &str) -> String {
    let elements: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let text = elements[0]["MsgContent"]["Text"].as_str();
    text.unwrap_or_default().to_owned()
}
