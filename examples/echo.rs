//! Runs an echo bot against an embedded server, in one process.
//!
//! Run with: `cargo run --example echo`

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{error::Error, time::Duration};

use botroupe::{prelude::*, sandbox::Sandbox};

fn bot() -> Bot {
    Bot::new("echo").on_text(echo)
}

async fn echo(text: Text) -> String {
    text.into_inner()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let fleet = Fleet::builder()
        .sandbox()
        .bot(bot)
        .account("echo-bot")
        .start()
        .await?;
    let sandbox = fleet.sandbox().ok_or("the fleet has a sandbox")?;
    println!("sandbox on {}", sandbox.url());

    // The account need not be online yet: the server stores the message for it.
    sandbox.say("alice", "echo-bot", "hello")?;
    println!("alice: hello");
    let answer = tokio::time::timeout(Duration::from_secs(10), answer(sandbox)).await?;
    println!("echo-bot: {answer}");

    let stopped = fleet.stop().await?;
    if answer != "hello" || !stopped.drained || !stopped.logged_out {
        return Err(
            format!("expected a hello and a clean end, got {answer:?}, {stopped:?}").into(),
        );
    }
    Ok(())
}

/// Waits for the bot's answer to alice.
async fn answer(sandbox: &Sandbox) -> String {
    loop {
        let history = sandbox.history("alice", "echo-bot");
        if let Some(item) = history.iter().find(|item| item.from.as_str() == "echo-bot") {
            return text(&item.body);
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
