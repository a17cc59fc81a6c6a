//! Tests of the outbox: pacing, repetition, and looks at the history.

use super::super::group_paces::GroupPaces;
use super::*;
use crate::proto::op::Call as _;
use crate::proto::op::c2c_message::{ReadAll, Recall};

const START: Now = Now::new(Duration::from_secs(100), Duration::from_secs(1_795_000_000));

fn message(group: &str) -> OutboxItem {
    OutboxItem::Message {
        to: Conversation::group(group),
        draft: Arc::new(Draft::text("x")),
        key: None,
        sent_since: None,
    }
}

fn outbox() -> Outbox {
    Outbox::new(fastrand::Rng::with_seed(1), true)
}

fn me() -> UserId {
    UserId::parse("bot").unwrap()
}

fn next(outbox: &mut Outbox, now: Now) -> Option<(u64, Attempt)> {
    outbox.next(now, Moment::new(now, now.unix_secs()))
}

/// Sends what may be sent, each answered at once, for `millis`; how many it were.
fn run(outbox: &mut Outbox, millis: u64) -> usize {
    let mut sent = 0;
    for at in 0..millis {
        let now = START.after(Duration::from_millis(at));
        while let Some((token, _)) = next(outbox, now) {
            assert!(outbox.settle(now, &me(), token, Ok(String::new())).len() == 1);
            sent += 1;
        }
    }
    sent
}

#[test]
fn a_group_gets_forty_messages_a_second_and_another_one_does_not_wait_for_it() {
    let mut outbox = outbox();
    let deadline = Duration::from_secs(60);
    outbox.set_online(START, true);
    let mut paces = GroupPaces::default();
    let mut push = |outbox: &mut Outbox, token, to| {
        let group = outbox.push(START, token, message(to), deadline).unwrap();
        if token == 0 {
            assert!(next(outbox, START).is_none(), "its turn is not known yet");
        }
        let wait = paces.reserve(START.mono, &group.unwrap());
        outbox.group_turn(START, token, wait);
    };
    for token in 0..200 {
        push(&mut outbox, token, "busy");
    }
    push(&mut outbox, 999, "quiet");
    // Ten at once and the quiet one, then one every 25 ms.
    assert_eq!(run(&mut outbox, 1), 11);
    assert_eq!(run(&mut outbox, 1_000), 39);
    assert_eq!(outbox.paced(), 190);
}

#[test]
fn requests_with_a_limit_wait_and_others_do_not() {
    let mut outbox = outbox();
    let deadline = Duration::from_secs(60);
    outbox.set_online(START, true);
    for token in 0..3 {
        for (offset, limit) in [ReadAll::LIMIT, Recall::LIMIT].into_iter().enumerate() {
            let item = OutboxItem::Call {
                servcmd: "x.y".into(),
                body: "{}".to_owned(),
                limit,
            };
            let token = token * 2 + offset as u64;
            outbox.push(START, token, item, deadline).unwrap();
        }
    }
    assert_eq!(run(&mut outbox, 1), 4);
    assert_eq!(run(&mut outbox, 1_001), 1);
}

#[test]
fn a_request_that_timed_out_is_not_made_again_and_a_message_is() {
    let mut outbox = outbox();
    let deadline = Duration::from_secs(60);
    outbox.set_online(START, true);
    let call = OutboxItem::Call {
        servcmd: "openim.msgwithdraw".into(),
        body: "{}".to_owned(),
        limit: Limit::NONE,
    };
    outbox.push(START, 1, call, deadline).unwrap();
    outbox.push(START, 2, message("g"), deadline).unwrap();
    while next(&mut outbox, START).is_some() {}
    let settled = outbox.settle(START, &me(), 1, Err(RequestError::TimedOut));
    assert!(settled[0].outcome.is_err() && !settled[0].is_message);
    assert!(
        outbox
            .settle(START, &me(), 2, Err(RequestError::TimedOut))
            .is_empty()
    );
}

const ALICE: &str = "alice";

fn text(to: Conversation, sent_since: Option<u64>) -> OutboxItem {
    OutboxItem::Message {
        to,
        draft: Arc::new(Draft::text("x")),
        key: Some(MessageKey { seq: 7, random: 9 }),
        sent_since,
    }
}

/// What an attempt asks the server: to send, or for its history.
fn is_message(attempt: Option<(u64, Attempt)>) -> bool {
    match attempt {
        Some((1, Attempt::Message(_))) => true,
        Some((1, Attempt::Call { servcmd, .. })) => {
            assert!(servcmd.ends_with("getroammsg") || servcmd.ends_with("group_msg_get"));
            false
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_is_repeated_while_the_service_remembers_its_key_and_looked_for_afterwards() {
    let (c2c, group) = (Conversation::c2c(ALICE), Conversation::group("g"));
    // Where, whether keys are trusted, seconds by our clock and by the service's, whether it is repeated.
    let rows = [
        (&c2c, true, 99, 99, true),
        (&c2c, true, 101, 101, false),
        (&c2c, true, 1, 101, false),
        (&c2c, true, 101, 1, false),
        (&c2c, false, 1, 1, false),
        (&group, true, 279, 279, true),
        (&group, true, 281, 281, false),
        (&group, true, 1, 7_200, false),
        (&group, false, 1, 1, false),
    ];
    for (to, trusts, ours, services, repeated) in rows {
        let mut outbox = Outbox::new(fastrand::Rng::with_seed(1), trusts);
        outbox.set_online(START, true);
        let limit = Duration::from_secs(9_999);
        outbox
            .push(START, 1, text(to.clone(), None), limit)
            .unwrap();
        outbox.group_turn(START, 1, Duration::ZERO);
        assert!(is_message(next(&mut outbox, START)));
        let lost = Err(RequestError::TimedOut);
        assert!(outbox.settle(START, &me(), 1, lost).is_empty());
        let now = START.after(Duration::from_secs(ours));
        let then = Moment::new(now, START.unix_secs() + services);
        let is_repeated = is_message(outbox.next(now, then));
        assert_eq!(is_repeated, repeated, "{to} {trusts} {ours} {services}");
    }
}

#[test]
fn what_never_left_is_sent_without_a_look_at_the_history() {
    let mut outbox = outbox();
    outbox.set_online(START, true);
    let limit = Duration::from_secs(9_999);
    let item = text(Conversation::c2c(ALICE), None);
    outbox.push(START, 1, item, limit).unwrap();
    assert!(is_message(next(&mut outbox, START)));
    let unsent = Err(RequestError::Overloaded);
    assert!(outbox.settle(START, &me(), 1, unsent).is_empty());
    let later = START.after(Duration::from_secs(3_600));
    assert!(is_message(next(&mut outbox, later)));
}

/// The history of `to` as the server gives it: one message of alice, and ours if it has it.
fn history(to: &Conversation, has_it: bool, time: u64) -> String {
    let mut items = vec![serde_json::json!({
        "From_Account": ALICE, "MsgSeq": 7, "MsgRandom": 9, "MsgTimeStamp": time, "MsgBody": []
    })];
    if has_it {
        items.push(serde_json::json!({
            "From_Account": "bot", "MsgSeq": 7, "MsgRandom": 9, "MsgTimeStamp": time, "MsgBody": []
        }));
    }
    let name = if to.is_group() {
        "RspMsgList"
    } else {
        "MsgList"
    };
    serde_json::json!({name: items, "LastMsgTime": time, "MsgKey": "k"}).to_string()
}

#[test]
fn the_history_decides_whether_a_message_of_an_earlier_process_is_sent() {
    // Long enough ago.
    let sent = START.unix_secs() - 1_000;
    for to in [Conversation::c2c(ALICE), Conversation::group("g")] {
        let ask = |answer: Result<String, RequestError>| {
            let mut outbox = outbox();
            outbox.set_online(START, true);
            let limit = Duration::from_secs(9_999);
            let item = text(to.clone(), Some(sent));
            outbox.push(START, 1, item, limit).unwrap();
            outbox.group_turn(START, 1, Duration::ZERO);
            assert!(!is_message(next(&mut outbox, START)), "{to}");
            let settled = outbox.settle(START, &me(), 1, answer).pop();
            (outbox, settled.map(|settled| settled.outcome))
        };
        let (_, arrived) = ask(Ok(history(&to, true, sent)));
        let answer = arrived.unwrap().unwrap();
        assert!(answer.contains(&format!("\"MsgTime\":{sent}")), "{answer}");
        let (mut outbox, absent) = ask(Ok(history(&to, false, sent - 3_600)));
        assert!(
            absent.is_none() && is_message(next(&mut outbox, START)),
            "{to}"
        );
        let (_, unread) = ask(Err(RequestError::Refused {
            code: crate::proto::code::Code(10007),
            info: String::new(),
        }));
        assert!(matches!(unread, Some(Err(OutboxError::Unknown(_)))), "{to}");
        let (mut outbox, later) = ask(Err(RequestError::TimedOut));
        assert!(later.is_none());
        assert!(!is_message(next(&mut outbox, START.after(AGAIN))), "{to}");
        // A page that does not reach back far enough leads to the next one, and one that leads nowhere does not.
        let (mut outbox, more) = ask(Ok(history(&to, false, sent)));
        assert!(more.is_none());
        assert!(!is_message(next(&mut outbox, START)), "{to}");
        let same = outbox.settle(START, &me(), 1, Ok(history(&to, false, sent)));
        let outcome = same.into_iter().next().map(|settled| settled.outcome);
        assert!(
            matches!(outcome, Some(Err(OutboxError::Unknown(_)))),
            "{to}"
        );
    }
}

#[test]
fn a_message_that_leaves_no_trace_is_repeated_as_it_is() {
    let mut outbox = outbox();
    outbox.set_online(START, true);
    let mut item = text(Conversation::c2c(ALICE), Some(1));
    if let OutboxItem::Message { draft, .. } = &mut item {
        *draft = Arc::new(Draft::text("x").online_only());
    }
    outbox.push(START, 1, item, Duration::from_secs(9)).unwrap();
    assert!(is_message(next(&mut outbox, START)));
}

#[test]
fn what_an_earlier_process_sent_a_moment_ago_is_repeated() {
    for (ago, trusts, repeated) in [
        (99, true, true),
        (101, true, false),
        (1, false, false),
        // A clock that went back says nothing.
        (-5, true, false),
    ] {
        let mut outbox = Outbox::new(fastrand::Rng::with_seed(1), trusts);
        outbox.set_online(START, true);
        let since = START.unix_secs().saturating_add_signed(-ago);
        let item = text(Conversation::c2c(ALICE), Some(since));
        outbox.push(START, 1, item, Duration::from_secs(9)).unwrap();
        assert_eq!(
            is_message(next(&mut outbox, START)),
            repeated,
            "{ago} {trusts}"
        );
    }
}

#[test]
fn one_look_at_the_history_settles_everything_of_a_conversation() {
    let mut outbox = outbox();
    outbox.set_online(START, true);
    let (sent, to) = (START.unix_secs() - 1_000, Conversation::c2c(ALICE));
    for token in 1..=3 {
        let item = OutboxItem::Message {
            to: to.clone(),
            draft: Arc::new(Draft::text("x")),
            key: Some(MessageKey {
                seq: token,
                random: 9,
            }),
            sent_since: Some(sent),
        };
        outbox
            .push(START, token.into(), item, Duration::from_secs(9))
            .unwrap();
    }
    assert!(!is_message(next(&mut outbox, START)));
    let items: Vec<serde_json::Value> = [1, 3]
        .iter()
        .map(|seq| {
            serde_json::json!({"From_Account": "bot", "MsgSeq": seq, "MsgRandom": 9,
                "MsgTimeStamp": sent, "MsgBody": []})
        })
        .collect();
    let page = serde_json::json!({"MsgList": items, "Complete": 1}).to_string();
    let settled = outbox.settle(START, &me(), 1, Ok(page));
    let tokens: Vec<u64> = settled.iter().map(|outcome| outcome.token).collect();
    assert_eq!(tokens, [1, 3]);
    assert!(matches!(
        next(&mut outbox, START),
        Some((2, Attempt::Message(_)))
    ));
}

#[test]
fn many_messages_whose_history_is_read_first_all_get_their_turn() {
    const LETTERS: u64 = 40;
    let mut outbox = outbox();
    outbox.set_online(START, true);
    for number in 0..LETTERS {
        let item = OutboxItem::Message {
            to: Conversation::c2c(format!("user-{number}")),
            draft: Arc::new(Draft::text("x")),
            key: None,
            sent_since: Some(START.unix_secs() - 300),
        };
        // Less time than all of them take together.
        let limit = Duration::from_secs(5);
        outbox.push(START, number, item, limit).unwrap();
    }
    let empty = r#"{"ActionStatus":"OK","ErrorCode":0,"Complete":1,"MsgList":[]}"#;
    let (mut read, mut sent) = (0, 0);
    for at in 0..60_000 {
        let now = START.after(Duration::from_millis(at));
        assert!(outbox.take_expired(now).is_none(), "after {at} ms");
        while let Some((token, attempt)) = next(&mut outbox, now) {
            let body = match attempt {
                Attempt::Call { .. } => {
                    read += 1;
                    empty
                }
                Attempt::Message(_) => {
                    sent += 1;
                    "{}"
                }
            };
            outbox.settle(now, &me(), token, Ok(body.to_owned()));
        }
    }
    assert_eq!((read, sent), (LETTERS, LETTERS));
}
