//! Processes that are killed while handlers are under way.

use super::process::{DIE_AT, GO, PANIC_AT, Process};
use super::{online, told};
use crate::harness::{eventually, said, sandbox};
use botroupe::code::Code;
use botroupe::sandbox::Sandbox;
use futures_util::future::join_all;

/// Lets a process die as `env` says while it handles a message, and starts it again. Says another message then.
async fn die(sandbox: &Sandbox, bot: &str, env: (&str, &str), dies: bool) -> Process {
    let mut process = Process::start(sandbox, (bot, &["steps"]), "", &[env]);
    online(sandbox, bot).await;
    sandbox.say("alice", bot, "go").unwrap();
    if dies {
        process.died().await;
        process.again(&[]);
    }
    told(sandbox, bot, 3).await;
    sandbox.say("alice", bot, "once more").unwrap();
    told(sandbox, bot, 6).await;
    process
}

#[actix_rt::test]
async fn a_handler_that_dies_between_its_steps_does_none_of_them_twice() {
    let sandbox = sandbox(|_| {});
    let points = ["begin", "first", "charge", "count", "second"];
    let cases = points.map(|point| {
        let sandbox = &sandbox;
        async move {
            let bot = format!("bot-{point}");
            let process = die(sandbox, &bot, ("DURABLE_DIE_IN", point), true).await;
            let said = said(sandbox, &bot, "alice");
            let expected = [
                "first",
                "second",
                "receipt 1, order 1",
                "first",
                "second",
                "receipt 2, order 2",
            ];
            assert_eq!(said, expected, "killed in {point}");
            assert_eq!(process.notes("charge"), 2, "killed in {point}");
        }
    });
    join_all(cases).await;
}

/// The same at the boundaries of its letters and its end. Between the work of `run` and its record there is a window,
/// so the work may be done twice.
#[actix_rt::test]
async fn a_handler_that_dies_at_a_boundary_says_everything_once() {
    let sandbox = sandbox(|_| {});
    let boundaries = [
        "submitted",
        "writing",
        "written",
        "committed",
        "told",
        "answered",
        "settling",
        "settled",
    ];
    for boundary in boundaries {
        let cases = (1..=4).map(|time| {
            let (sandbox, at) = (&sandbox, format!("{boundary}:{time}"));
            async move {
                let bot = format!("bot-{boundary}-{time}");
                let mut process = Process::start(sandbox, (&bot, &["steps"]), "", &[(DIE_AT, &at)]);
                // It may die while it starts, and not at all.
                let over = |process: &mut Process| process.is_over();
                let process_cell = std::cell::RefCell::new(&mut process);
                eventually("it is online, or dead", || async {
                    (sandbox.is_online(&bot) || over(&mut process_cell.borrow_mut())).then_some(())
                })
                .await;
                sandbox.say("alice", &bot, "go").unwrap();
                eventually("it has answered, or is dead", || async {
                    let done = said(sandbox, &bot, "alice").len() >= 3;
                    (done || over(&mut process_cell.borrow_mut())).then_some(())
                })
                .await;
                process.kill();
                process.again(&[]);
                told(sandbox, &bot, 3).await;
                sandbox.say("alice", &bot, "once more").unwrap();
                let said = told(sandbox, &bot, 6).await;
                assert_eq!(said.len(), 6, "{at}: {said:?}");
                assert_eq!((&*said[0], &*said[1]), ("first", "second"), "{at}");
                assert!(said[2].ends_with("order 1"), "{at}: {said:?}");
                assert!(said[5].ends_with("order 2"), "{at}: {said:?}");
            }
        });
        join_all(cases).await;
    }
}

#[actix_rt::test]
async fn a_reply_that_grows_goes_on_in_its_message() {
    let sandbox = sandbox(|_| {});
    let cases = ["kill", "stop"].map(|how| {
        let sandbox = &sandbox;
        async move {
            let bot = format!("bot-{how}");
            let mut process = Process::start(sandbox, (&bot, &["teller"]), "", &[]);
            online(sandbox, &bot).await;
            sandbox.say("alice", &bot, "tell").unwrap();
            assert_eq!(told(sandbox, &bot, 1).await, ["tell one"], "{how}");
            match how {
                "kill" => process.kill(),
                _ => process.stop().await,
            }
            process.again(&[]);
            eventually("the handler runs again", || async {
                (process.notes("tell") == 2).then_some(())
            })
            .await;
            process.put("go");
            let whole = ["tell one two"];
            eventually("the message is whole", || async {
                (said(sandbox, &bot, "alice") == whole).then_some(())
            })
            .await;
            sandbox.say("alice", &bot, "again").unwrap();
            let said = told(sandbox, &bot, 2).await;
            assert_eq!(said, ["tell one two", "again one two"], "{how}");
            assert_eq!(process.notes("tell"), 3, "{how}");
        }
    });
    join_all(cases).await;
}

#[actix_rt::test]
async fn of_two_bots_the_one_that_was_done_before_the_crash_is_not_asked_again() {
    let sandbox = sandbox(|_| {});
    let mut process = Process::start(&sandbox, ("bot", &["echo", "patient"]), "", &[]);
    online(&sandbox, "bot").await;
    sandbox.say("alice", "bot", "hello").unwrap();
    assert_eq!(told(&sandbox, "bot", 1).await, ["echo hello"]);
    eventually("the other one is asked", || async {
        (process.notes("patient") == 1).then_some(())
    })
    .await;
    process.kill();
    process.again(&[(GO, "1")]);
    assert_eq!(
        told(&sandbox, "bot", 2).await,
        ["echo hello", "patient hello"]
    );
    sandbox.say("alice", "bot", "bye").unwrap();
    told(&sandbox, "bot", 4).await;
    assert_eq!((process.notes("echo"), process.notes("patient")), (2, 3));
    assert_eq!(said(&sandbox, "bot", "alice").len(), 4);
}

#[actix_rt::test]
async fn when_the_host_of_the_bots_dies_no_answer_is_lost_and_none_doubled() {
    let sandbox = sandbox(|_| {});
    let trap = [(PANIC_AT, "reply not sent")];
    let process = Process::start(&sandbox, ("bot", &["echo", "patient"]), "", &trap);
    online(&sandbox, "bot").await;
    sandbox.say("alice", "bot", "hello").unwrap();
    assert_eq!(told(&sandbox, "bot", 1).await, ["echo hello"]);
    eventually("the other one is asked", || async {
        (process.notes("patient") == 1).then_some(())
    })
    .await;
    // The answers to these are on their way when the host dies of one that is refused.
    let people: Vec<String> = (0..20).map(|number| format!("u{number}")).collect();
    let refused = Code::C2C_MUTED;
    for (number, person) in people.iter().enumerate() {
        if number == 10 {
            sandbox
                .refuse("bot", "openim.sendmsg", refused, Some(1))
                .unwrap();
        }
        sandbox.say(person, "bot", "hello").unwrap();
    }
    eventually("the host has died", || async {
        (process.notes("panicked") == 1).then_some(())
    })
    .await;
    process.put("go");
    let all = || people.iter().map(String::as_str).chain(["alice"]);
    eventually("everybody has both answers", || async {
        all()
            .all(|person| said(&sandbox, "bot", person).len() >= 2)
            .then_some(())
    })
    .await;
    // Whatever else there may be comes before the answer to this.
    sandbox.say("alice", "bot", "bye").unwrap();
    told(&sandbox, "bot", 4).await;
    for person in all() {
        let mut said = said(&sandbox, "bot", person);
        said.retain(|text| text.ends_with("hello"));
        said.sort();
        assert_eq!(said, ["echo hello", "patient hello"], "{person}");
    }
}
