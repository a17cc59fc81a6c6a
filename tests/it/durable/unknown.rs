//! Messages of which nobody knows whether they arrived.

use super::process::{DIE_AT, Process};
use super::{letters, online};
use crate::harness::{eventually, said, sandbox};
use botroupe::code::Code;
use botroupe::ledger::{Ended, LetterState};
use botroupe::sandbox::Sandbox;
use futures_util::future::join_all;

/// Longer than the service recognises a repeated message.
const LATER: u64 = 200;

/// What a case leads to.
struct Case {
    on_unknown: &'static str,
    /// Where the process dies: the answer has arrived by then, or it was never sent.
    die_at: &'static str,
    /// The history can be read.
    readable: bool,
    /// How often it is said, and whether a dead letter is left.
    expected: (usize, bool),
}

const fn case(
    on_unknown: &'static str,
    die_at: &'static str,
    readable: bool,
    expected: (usize, bool),
) -> Case {
    Case {
        on_unknown,
        die_at,
        readable,
        expected,
    }
}

const CASES: [Case; 8] = [
    case("ask", "settling:1", true, (1, false)),
    case("ask", "settling:1", false, (1, true)),
    case("resend", "settling:1", false, (2, false)),
    case("drop", "settling:1", false, (1, false)),
    case("ask", "committed:1", true, (1, false)),
    case("ask", "committed:1", false, (0, true)),
    case("resend", "committed:1", false, (1, false)),
    case("drop", "committed:1", false, (0, false)),
];

#[actix_rt::test]
async fn the_bot_decides_about_what_no_history_tells() {
    let sandbox = sandbox(|_| {});
    let mut all = Vec::new();
    for (number, case) in CASES.iter().enumerate() {
        let bot = format!("bot-{number}");
        let more = format!("[bots.echo]\non_unknown = \"{}\"", case.on_unknown);
        let env = [(DIE_AT, case.die_at)];
        let mut process = Process::start(&sandbox, (&bot, &["echo"]), &more, &env);
        online(&sandbox, &bot).await;
        sandbox.say("alice", &bot, "hello").unwrap();
        process.died().await;
        let left = letters(&process.store());
        assert_eq!(left.len(), 1, "{number}: it died too early or too late");
        all.push((bot, process, case));
    }
    sandbox.skip_clock(LATER).unwrap();
    let cases = all.into_iter().map(|(bot, process, case)| {
        let sandbox = &sandbox;
        async move { settle(sandbox, &bot, process, case).await }
    });
    join_all(cases).await;
}

async fn settle(sandbox: &Sandbox, bot: &str, mut process: Process, case: &Case) {
    let (command, refused) = ("openim.getroammsg", Code::C2C_MUTED);
    if !case.readable {
        sandbox.refuse(bot, command, refused, None).unwrap();
    }
    process.again(&[]);
    let is_left = eventually(&format!("{bot} is settled"), || async {
        match letters(&process.store())
            .first()
            .map(|letter| &letter.state)
        {
            None => Some(false),
            Some(LetterState::Ended(Ended::Unknown { .. })) => Some(true),
            Some(_) => None,
        }
    })
    .await;
    // Whatever is said of the first message comes before this.
    sandbox.say("alice", bot, "bye").unwrap();
    eventually("the second answer", || async {
        said(sandbox, bot, "alice")
            .contains(&"echo bye".to_owned())
            .then_some(())
    })
    .await;
    let mut said = said(sandbox, bot, "alice");
    said.retain(|text| text == "echo hello");
    let outcome = (said.len(), is_left);
    assert_eq!(
        outcome, case.expected,
        "{}, killed at {}, readable: {}",
        case.on_unknown, case.die_at, case.readable
    );
}
