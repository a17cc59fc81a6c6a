//! `bot()` is code of others: it may panic, need a while, or never return.

use crate::harness::{config, eventually, phase, sandbox};
use botroupe::account::{Command, Phase};
use botroupe::app::{App, AppError};
use botroupe::bot::Entry;
use botroupe::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Condvar, Mutex};

static MADE: AtomicU32 = AtomicU32::new(0);
static MENDED: AtomicBool = AtomicBool::new(false);

const ONCE: &[Entry] = &[
    Entry {
        name: "once",
        make: || {
            let before = MADE.fetch_add(1, Ordering::SeqCst);
            assert!(before == 0 || MENDED.load(Ordering::SeqCst), "locked");
            Bot::new("once")
        },
    },
    Entry {
        name: "sound",
        make: || Bot::new("sound"),
    },
];

#[actix_rt::test]
async fn a_bot_that_cannot_be_made_a_second_time_costs_its_accounts_and_no_other() {
    let sandbox = sandbox(|_| {});
    let config = config(
        &sandbox.url(),
        ONCE,
        "[[accounts]]\nuser_id = \"a\"\nbots = [\"once\"]\n[[accounts]]\nuser_id = \"b\"\nbots = [\"once\"]\n\
         [[accounts]]\nuser_id = \"c\"\nbots = [\"sound\"]\n",
    );
    let app = App::start(&config, ONCE, None).await.unwrap();
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
    // Mended, it comes when it is told to.
    MENDED.store(true, Ordering::SeqCst);
    let user = app.status().await[0].user.clone();
    app.order(&user, Command::Resume).await.unwrap();
    phase(&app, "a", Phase::Online).await;
    app.stop().await;
}

const NEVER: &[Entry] = &[Entry {
    name: "never",
    make: || panic!("no database"),
}];

#[actix_rt::test]
async fn a_bot_that_cannot_be_made_at_all_stops_the_start() {
    let config = config(
        "ws://127.0.0.1:9",
        NEVER,
        "[[accounts]]\nuser_id = \"a\"\nbots = [\"never\"]\n",
    );
    match App::start(&config, NEVER, None).await {
        Err(AppError::Bot {
            bot: "never",
            reason,
        }) => assert!(reason.contains("no database")),
        other => panic!("{other:?}"),
    }
}

static OPEN: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

const SLOW: &[Entry] = &[Entry {
    name: "slow",
    make: || {
        let (open, opened) = &OPEN;
        drop(
            opened
                .wait_while(open.lock().unwrap(), |open| !*open)
                .unwrap(),
        );
        Bot::new("slow")
    },
}];

#[actix_rt::test]
async fn a_bot_that_needs_a_while_holds_up_nothing_else() {
    let sandbox = sandbox(|_| {});
    let config = config(
        &sandbox.url(),
        SLOW,
        "[[accounts]]\nuser_id = \"s-{01..20}\"\nbots = [\"slow\"]\n",
    );
    let start = App::start(&config, SLOW, None);
    // This thread is free meanwhile: were it not, nobody would open it.
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
