//! Commands over real sockets.

use crate::harness::{eventually, phase, said, sandbox, start};
use botroupe::account::Phase;
use botroupe::bot::Bots;
use botroupe::prelude::*;

fn one_command(name: &'static str, answer: &'static str) -> Bot {
    Bot::new(name)
        .without_help()
        .command(name, move || std::future::ready(answer))
}

#[actix_rt::test]
async fn a_bot_does_not_deny_the_commands_of_its_neighbour() {
    let sandbox = sandbox(|_| {});
    let bots = Bots::new()
        .with("weather", || one_command("weather", "sunny"))
        .with("time", || one_command("time", "noon"));
    let app = start(&sandbox.url(), &bots, &["bot"], "").await;
    phase(&app, "bot", Phase::Online).await;
    for text in ["/weather", "/time", "/tide", "/time"] {
        sandbox.say("alice", "bot", text).unwrap();
    }
    // One of them denies what none of them knows. Each answers in order, so nothing more comes after the last.
    let answers = eventually("the last answer", || async {
        let answers = said(&sandbox, "bot", "alice");
        let last = answers.iter().filter(|it| *it == "noon").count() == 2;
        (last && answers.iter().any(|it| it == "sunny")).then_some(answers)
    })
    .await;
    app.stop().await;
    let answers = answers.len().max(said(&sandbox, "bot", "alice").len());
    assert_eq!(answers, 4, "{:?}", said(&sandbox, "bot", "alice"));
}
