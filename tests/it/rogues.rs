//! Six bots that misbehave, each on an account of its own, beside four that answer: in one process, all at once.

#[path = "../../benches/rogues/bots.rs"]
mod bots;

use crate::harness::{config, eventually, phase, said, sandbox, status};
use botroupe::account::Phase;
use botroupe::app::App;
use bots::{OVER, ROGUES};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const ECHOES: [&str; 4] = ["echo-1", "echo-2", "echo-3", "echo-4"];
const PEOPLE: usize = 25;

/// How long the program may take to end, on a machine that is busy with other tests.
const LONGEST: Duration = Duration::from_secs(20);

fn accounts() -> String {
    let echoes = ECHOES.map(|user| (user, "echo"));
    let rogues = ROGUES.map(|bot| (bot, bot));
    let entries = echoes.into_iter().chain(rogues);
    entries
        .map(|(user, bot)| format!("[[accounts]]\nuser_id = \"{user}\"\nbots = [\"{bot}\"]\n"))
        .collect()
}

#[actix_rt::test]
async fn six_bots_that_misbehave_cost_the_others_neither_an_answer_nor_a_link() {
    let sandbox = sandbox(|_| {});
    let settings = "[host]\nthreads = 2\nblock_warning = \"200ms\"\nhandler_timeout = \"1s\"\n\
                    [shutdown]\ngrace = \"4s\"\n";
    let text = format!("{settings}{}", accounts());
    let app = App::start(
        &config(&sandbox.url(), &bots::all(), &text),
        &bots::all(),
        None,
    )
    .await
    .unwrap();
    for user in ECHOES.iter().chain(&ROGUES) {
        phase(&app, user, Phase::Online).await;
    }
    for number in 0..4 {
        for rogue in ROGUES {
            let text = ["panic", "drop", "wait", "again"][number];
            let who = format!("tempter-{number}");
            sandbox.say(&who, rogue, text).unwrap();
        }
    }
    eventually("threads are blocked", || async {
        (app.blocked_threads() >= 2).then_some(())
    })
    .await;
    for number in 0..PEOPLE {
        for echo in ECHOES {
            let who = format!("person-{number}");
            sandbox.say(&who, echo, &format!("hello {number}")).unwrap();
            eventually("the answer", || async {
                (said(&sandbox, echo, &who) == [format!("hello {number}")]).then_some(())
            })
            .await;
        }
    }
    assert!(!OVER.load(Ordering::Relaxed), "they misbehave all the time");
    assert!(said(&sandbox, "flooder", "victim").len() > 100);
    // What waits is ended, although it does not let go; a panic is one, and each is said.
    eventually("the panicker has failed", || async {
        (status(&app, "panicker").await.counters.failed_handlers >= 3).then_some(())
    })
    .await;
    for user in ECHOES.iter().chain(&ROGUES) {
        let status = status(&app, user).await;
        let seen = (
            status.phase,
            status.counters.lost_links,
            status.counters.logins,
        );
        assert_eq!(seen, (Phase::Online, 0, 1), "{user}");
    }
    for echo in ECHOES {
        assert_eq!(
            status(&app, echo).await.counters.received,
            PEOPLE as u64,
            "{echo}"
        );
    }
    // The end does not wait for them: half of the time for handlers, half for logouts.
    #[allow(
        clippy::disallowed_methods,
        reason = "how long it takes is the question"
    )]
    let began = Instant::now();
    let stopped = app.stop().await;
    let took = began.elapsed();
    OVER.store(true, Ordering::Relaxed);
    assert!(!stopped.drained, "they do not return");
    assert!(took < LONGEST, "{took:?}");
    for echo in ECHOES {
        eventually("it is gone", || async {
            (!sandbox.is_online(echo)).then_some(())
        })
        .await;
    }
}
