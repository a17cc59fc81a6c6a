//! Tests of user code in `bot()`, which may panic, take long, or never return.

use crate::harness::{config, eventually, phase, sandbox};
use botroupe::account::{Command, Phase};
use botroupe::app::{App, AppError};
use botroupe::bot::Bots;
use botroupe::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Condvar, Mutex};

static MADE: AtomicU32 = AtomicU32::new(0);
static MENDED: AtomicBool = AtomicBool::new(false);

fn once_bots() -> Bots {
    Bots::new()
        .with("once", || {
            let before = MADE.fetch_add(1, Ordering::SeqCst);
            assert!(before == 0 || MENDED.load(Ordering::SeqCst), "locked");
            Bot::new("once")
        })
        .with("sound", || Bot::new("sound"))
}

#[actix_rt::test]
async fn a_bot_that_cannot_be_made_a_second_time_costs_its_accounts_and_no_other() {
    let sandbox = sandbox(|_| {});
    let config = config(
        &sandbox.url(),
        &once_bots(),
        "[[accounts]]\nuser_id = \"a\"\nbots = [\"once\"]\n[[accounts]]\nuser_id = \"b\"\nbots = [\"once\"]\n\
         [[accounts]]\nuser_id = \"c\"\nbots = [\"sound\"]\n",
    );
    let app = App::start(&config, &once_bots(), None).await.unwrap();
    phase(&app, "c", Phase::Online).await;
    for user in ["a", "b"] {
        let status = phase(&app, user, Phase::Quarantined).await;
        assert_eq!(status.cause.word(), "no_bot");
        let said = status.cause.to_string();
        assert!(
            said.contains("bot once could not be made") && said.contains("locked"),
            "{said}"
        );
    }
    assert_eq!(app.status().await.len(), 3);
    // The repaired bot starts on the next order.
    MENDED.store(true, Ordering::SeqCst);
    let user = app.status().await[0].account.clone();
    app.order(&user, Command::Resume).await.unwrap();
    phase(&app, "a", Phase::Online).await;
    app.stop().await;
}

fn never_bots() -> Bots {
    Bots::new().with("never", || panic!("no database"))
}

#[actix_rt::test]
async fn a_bot_that_cannot_be_made_at_all_stops_the_start() {
    let config = config(
        "ws://127.0.0.1:9",
        &never_bots(),
        "[[accounts]]\nuser_id = \"a\"\nbots = [\"never\"]\n",
    );
    match App::start(&config, &never_bots(), None).await {
        Err(AppError::Bot { bot, reason }) => {
            assert_eq!(bot, "never");
            assert!(reason.contains("no database"));
        }
        other => panic!("{other:?}"),
    }
}

static OPEN: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

fn slow_bots() -> Bots {
    Bots::new().with("slow", || {
        let (open, opened) = &OPEN;
        drop(
            opened
                .wait_while(open.lock().unwrap(), |open| !*open)
                .unwrap(),
        );
        Bot::new("slow")
    })
}

#[actix_rt::test]
async fn a_bot_that_needs_a_while_holds_up_nothing_else() {
    let sandbox = sandbox(|_| {});
    let config = config(
        &sandbox.url(),
        &slow_bots(),
        "[[accounts]]\nuser_id = \"s-{01..20}\"\nbots = [\"slow\"]\n",
    );
    let bots = slow_bots();
    let start = App::start(&config, &bots, None);
    // This thread must stay free meanwhile, because it opens the gate.
    let open = async {
        let (open, opened) = &OPEN;
        *open.lock().unwrap() = true;
        opened.notify_all();
    };
    let (app, ()) = tokio::join!(start, open);
    let app = app.unwrap();
    eventually("all are online", || async {
        let status = app.status().await;
        status
            .iter()
            .all(|status| status.phase == Phase::Online)
            .then_some(())
    })
    .await;
    app.stop().await;
}

#[actix_rt::test]
async fn a_bot_that_is_registered_under_another_name_stops_the_start() {
    let bots = Bots::new().with("faq", || Bot::new("fqa"));
    let config = config(
        "ws://127.0.0.1:9",
        &bots,
        "[[accounts]]\nuser_id = \"a\"\nbots = [\"faq\"]\n",
    );
    let error = App::start(&config, &bots, None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "bot \"faq\" calls itself \"fqa\"; write Bot::new(\"faq\"), or register it as \"fqa\""
    );
}
