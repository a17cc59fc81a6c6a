//! Letters that wait: they survive, and leave in their order.

use super::process::Process;
use super::{letters, online, queued, told};
use crate::harness::{self, APP, KEY, phase, said, sandbox, status};
use botroupe::account::Phase;
use botroupe::app::App;
use botroupe::bot::Bots;
use botroupe::code::Code;
use botroupe::config::{Config as AppConfig, Sources};
use botroupe::ledger::{Ended, LetterState};
use botroupe::prelude::*;
use botroupe::sandbox::Sandbox;
use std::collections::BTreeMap;
use std::path::Path;

#[actix_rt::test]
async fn letters_of_an_account_that_is_offline_survive_and_leave_in_their_order() {
    let sandbox = sandbox(|_| {});
    for how in ["TERM", "KILL"] {
        let bot = format!("bot-{how}");
        let mut process = Process::start(&sandbox, (&bot, &["burst"]), "", &[]);
        online(&sandbox, &bot).await;
        sandbox.ignore(&bot, "openim.sendmsg", None).unwrap();
        sandbox.say("alice", &bot, "go").unwrap();
        queued(&process, 5).await;
        sandbox.refuse_login(&bot, Code(70500), None).unwrap();
        sandbox.drop_link(&bot).unwrap();
        harness::eventually("it is offline", || async {
            (sandbox.status().links == 0).then_some(())
        })
        .await;
        if how == "TERM" {
            process.stop().await;
        } else {
            process.kill();
        }
        assert_eq!(letters(&process.store()).len(), 5, "{how}");
        sandbox.ignore(&bot, "openim.sendmsg", Some(0)).unwrap();
        sandbox.refuse_login(&bot, Code(0), None).unwrap();
        process.again(&[]);
        // The handler was cut off, so it runs again; what it has sent is not sent a second time.
        let all = told(&sandbox, &bot, 6).await;
        assert_eq!(all, ["1", "2", "3", "4", "5", "all"], "{how}");
        sandbox.say("alice", &bot, "go").unwrap();
        assert_eq!(told(&sandbox, &bot, 12).await.len(), 12, "{how}");
        harness::eventually("nothing is left", || async {
            letters(&process.store()).is_empty().then_some(())
        })
        .await;
    }
}

async fn bill(api: Api, text: Text, sender: Sender) -> String {
    let send = api.send_text(&sender.user_id, "Your invoice no. 17");
    match send.key(format!("invoice-{}", &*text)).await {
        Ok(sent) => format!("sent as {}", sent.key),
        Err(error) => format!("not sent: {error}"),
    }
}

fn billing() -> Bots {
    Bots::new().with("billing", || Bot::new("billing").on_text(bill))
}

/// Starts the bot; the same folder gives the same store.
async fn start(sandbox: &Sandbox, folder: &Path) -> App {
    let text = format!(
        "endpoint = \"{}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n\
         [defaults]\nlogin_spacing = \"0s\"\nbackoff = {{ min = \"20ms\", max = \"200ms\" }}\n\
         [[accounts]]\nuser_id = \"bot\"\nbots = [\"billing\"]\n",
        sandbox.url()
    );
    let file = folder.join("config.toml").display().to_string();
    let env = BTreeMap::new();
    let sources = Sources::new(&file, &text, &env).known_bots(&["billing"]);
    let config = AppConfig::parse(sources).unwrap();
    let app = App::start(&config, &billing(), None).await.unwrap();
    phase(&app, "bot", Phase::Online).await;
    app
}

/// Asks for an invoice. Returns the last thing that is said then.
async fn ask(sandbox: &Sandbox, number: &str, count: usize) -> String {
    sandbox.say("alice", "bot", number).unwrap();
    told(sandbox, "bot", count).await.pop().unwrap()
}

#[actix_rt::test]
async fn a_key_is_said_once_over_a_restart_and_may_be_tried_again_when_it_was_refused() {
    let sandbox = sandbox(|_| {});
    let folder = tempfile::tempdir().unwrap();
    let app = start(&sandbox, folder.path()).await;
    let first = ask(&sandbox, "17", 2).await;
    assert!(first.starts_with("sent as "), "{first}");
    assert_eq!(ask(&sandbox, "17", 3).await, first);
    app.stop().await;

    let app = start(&sandbox, folder.path()).await;
    assert_eq!(ask(&sandbox, "17", 4).await, first);
    let invoices = |sandbox: &Sandbox| {
        let said = said(sandbox, "bot", "alice");
        said.iter().filter(|text| text.starts_with("Your")).count()
    };
    assert_eq!(invoices(&sandbox), 1);
    sandbox
        .refuse("bot", "openim.sendmsg", Code::C2C_MUTED, Some(1))
        .unwrap();
    let refused = ask(&sandbox, "18", 5).await;
    assert!(refused.starts_with("not sent: "), "{refused}");
    app.stop().await;

    let app = start(&sandbox, folder.path()).await;
    let sent = ask(&sandbox, "18", 7).await;
    assert!(sent.starts_with("sent as ") && sent != first, "{sent}");
    assert_eq!(invoices(&sandbox), 2);
    assert_eq!(status(&app, "bot").await.counters.dropped, 0);
    app.stop().await;
    let dead = letters(&folder.path().join("botroupe.db"));
    assert_eq!(dead.len(), 1);
    assert!(matches!(
        dead[0].state,
        LetterState::Ended(Ended::Failed { .. })
    ));
}
