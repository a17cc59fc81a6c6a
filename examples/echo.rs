//! An echo bot against a server of its own, all in one process.
//!
//! Run with: `cargo run --example echo`

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{collections::BTreeMap, error::Error, time::Duration};

use botroupe::{
    app::App,
    bot::Bots,
    config::{Config, Sources},
    prelude::{Bot, Text},
    sandbox::Sandbox,
};

/// The bots this program has; a program with a `bots/` folder gets the list from `botroupe::bots!`.
fn bots() -> Bots {
    Bots::new().with("echo", bot)
}

/// Port 0 is any free port, so that this runs beside anything.
const CONFIG: &str = r#"
    endpoint = "sandbox"
    [app]
    sdk_app_id = 1400000001
    secret_key = "good-for-the-sandbox-only"
    [[accounts]]
    user_id = "echo-bot"
    bots = ["echo"]
    [sandbox]
    listen = "127.0.0.1:0"
"#;

fn bot() -> Bot {
    Bot::new("echo").on_text(echo)
}

async fn echo(text: Text) -> String {
    text.into_inner()
}

fn main() -> Result<(), Box<dyn Error>> {
    actix_rt::System::new().block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::parse(Sources {
        file: "echo.toml",
        text: CONFIG,
        env: &BTreeMap::new(),
        overrides: &[],
        known_bots: &["echo"],
    })?;
    let app = App::start(&config, &bots(), None).await?;
    let sandbox = app.sandbox().ok_or("the config asks for a sandbox")?;
    println!("sandbox on {}", sandbox.url());

    // Not even online yet: the server keeps the message until the bot comes for it.
    sandbox.say("alice", "echo-bot", "hello")?;
    println!("alice: hello");
    let answer = tokio::time::timeout(Duration::from_secs(10), answer(sandbox)).await?;
    println!("echo-bot: {answer}");

    let stopped = app.stop().await;
    if answer != "hello" || !stopped.drained || !stopped.logged_out {
        return Err(
            format!("expected a hello and a clean end, got {answer:?}, {stopped:?}").into(),
        );
    }
    Ok(())
}

/// Waits for what the bot says to alice.
async fn answer(sandbox: &Sandbox) -> String {
    loop {
        let history = sandbox.history("alice", "echo-bot");
        if let Some(item) = history.iter().find(|item| item.from.as_str() == "echo-bot") {
            return text(&item.body);
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
