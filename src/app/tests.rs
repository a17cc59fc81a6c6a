//! What is left of accounts that have left.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;
use crate::bot::Text;
use crate::config::Sources;
use std::collections::BTreeMap;

fn bots() -> Bots {
    Bots::new().with("echo", || {
        let answer = |text: Text| async move { text.into_inner() };
        Bot::new("echo").one_voice().on_text(answer)
    })
}

fn config(file: &str, accounts: &str) -> Config {
    let text = format!(
        "endpoint = \"sandbox\"\n[app]\nsdk_app_id = 1400000001\nsecret_key = \"k\"\n\
         [sandbox]\nlisten = \"127.0.0.1:0\"\n[defaults]\nlogin_spacing = \"0s\"\n\
         [[accounts]]\nuser_id = \"stays\"\nbots = [\"echo\"]\n{accounts}"
    );
    let env = BTreeMap::new();
    let sources = Sources::new(file, &text, &env);
    Config::parse(sources.known_bots(&["echo"])).unwrap()
}

#[actix_rt::test]
async fn accounts_that_come_and_go_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml").display().to_string();
    let bots = bots();
    let alone = config(&file, "");
    let app = App::start(&alone, &bots, None).await.unwrap();
    let controller = app.controller();
    let runners = || {
        let lines = app.runtime.lines.lock();
        let lines = lines.unwrap_or_else(std::sync::PoisonError::into_inner);
        let runners: Vec<usize> = lines
            .iter()
            .map(|line| line.site.voices.runners())
            .collect();
        runners.iter().sum::<usize>()
    };
    let mut sizes = app.sizes();
    for round in 0..5 {
        let more =
            format!("[[accounts]]\nuser_id = \"guest-{round}-{{1..4}}\"\nbots = [\"echo\"]\n");
        controller.reload(config(&file, &more)).await.unwrap();
        assert_eq!(*sizes.borrow_and_update(), 5);
        // Their hosts are made when they are started.
        while runners() < 5 {
            tokio::task::yield_now().await;
        }
        controller.reload(alone.clone()).await.unwrap();
        assert_eq!(*sizes.borrow_and_update(), 1);
        assert_eq!(runners(), 1, "in round {round}");
    }
    app.stop().await;
}
