//! What other official clients than the one of the reference need: versions 2 and 3.1 to 3.4 of the web
//! SDK, and a later generation of which only the names are known that it reads.

use serde_json::{Value, json};

use super::{Login, World, config, send_body, texts_in, user};
use crate::sandbox::SandboxConfig;

/// Alice and Bob, who are in a Public group `g` together.
fn two(config: SandboxConfig) -> (World, [Login; 2]) {
    let mut world = World::new(config);
    let logins = ["alice", "bob"].map(|name| world.login(name));
    world.found(&logins[0], "Public", "g", &["bob"]);
    for login in &logins {
        world.pushes(login.conn);
    }
    (world, logins)
}

fn text(from: &str, number: u64) -> Value {
    json!({
        "From_Account": from, "GroupId": "g", "Random": number, "ClientSeq": number,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "x"}}],
    })
}

#[test]
fn f2_the_recalls_of_one_group_end_with_a_next_time_of_zero() {
    let (mut world, [alice, bob]) = two(config());
    let ask = |world: &mut World, begin: u64| {
        let body = json!({
            "NotifyType": 1, "GroupId": "g", "BeginTime": begin, "EndTime": u64::MAX, "Limit": 20,
        });
        world.group(&bob, "get_group_notify", &body)
    };
    let nothing = ask(&mut world, 0);
    assert_eq!(
        (&nothing["NextMsgTime"], &nothing["NotifyMsgList"]),
        (&json!(0), &json!([]))
    );
    let mut seqs = Vec::new();
    for number in 1..=50 {
        let sent = world.group(&alice, "send_group_msg", &text("alice", number));
        seqs.push(json!({"MsgSeq": sent["MsgSeq"]}));
        world.pass(1.0);
    }
    // All at once, as an application does that takes back what a user said.
    let recall = json!({"GroupId": "g", "MsgSeqList": seqs});
    assert_eq!(world.group_code(&alice, "group_msg_recall", &recall), 0);
    let (mut begin, mut told) = (0, Vec::new());
    for _ in 0..3 {
        let page = ask(&mut world, begin);
        told.extend(page["NotifyMsgList"].as_array().unwrap().clone());
        begin = page["NextMsgTime"].as_u64().unwrap();
    }
    assert_eq!(begin, 0, "three pages are all of them");
    assert_eq!(told.len(), 50);
    assert_eq!(told[0]["RevokerInfo"]["Revoker_Account"], "alice");
    assert!(told[0]["MsgSeq"].is_u64() && told[0]["MsgRandom"].is_u64());
    let stranger = world.login("carol");
    let refused = world.group_code(&stranger, "get_group_notify", &json!({"GroupId": "g"}));
    assert_eq!(refused, 10007);
    assert_eq!(world.state.counters().unknown_commands, 0);
}

#[test]
fn f2_a_sandbox_that_is_strict_refuses_what_it_does_not_know() {
    for (strict_commands, code) in [(false, 0), (true, 60002)] {
        let mut world = World::new(SandboxConfig {
            strict_commands,
            ..config()
        });
        let alice = world.login("alice");
        for _ in 0..2 {
            let answer = world.call(&alice, "something.never_heard_of", &json!({}));
            assert_eq!(answer["ErrorCode"], code);
        }
        let status = world.state.status(world.now);
        assert_eq!(status.unknown_commands, ["something.never_heard_of"]);
        assert_eq!(status.counters.unknown_commands, 2);
    }
}

#[test]
fn f3_history_upwards_gets_past_a_second_of_many_messages() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let mut said = Vec::new();
    for second in [1, 42, 3, 16, 17, 1] {
        for _ in 0..second {
            let number = said.len() as u64 + 1;
            world.send(&alice, "bob", number, &format!("m{number}"));
            said.push(format!("m{number}"));
        }
        world.pass(1.0);
    }
    // As clients do it: from the time of the last message they have, and no key.
    let (mut time, mut heard) = (super::START, Vec::<String>::new());
    for asked in 0.. {
        assert!(asked < 12, "it goes round in circles at {time}");
        let body = json!({
            "Peer_Account": "alice", "MaxCnt": 15, "LastMsgTime": time, "MsgKey": "",
            "GetDirection": 1, "WithRecalledMsg": 1,
        });
        let page = world.call(&bob, "openim.getroammsg", &body);
        for text in texts_in(&page["MsgList"]) {
            if !heard.iter().any(|other| other == text) {
                heard.push(text.to_owned());
            }
        }
        time = page["LastMsgTime"].as_u64().unwrap();
        if page["Complete"] == 1 {
            break;
        }
    }
    assert_eq!(heard, said);
}

#[test]
fn f3_a_second_that_fits_no_answer_does_not_go_on_for_ever() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    for number in 1..=100 {
        let mut body = send_body("alice", "bob", number, &"x".repeat(11_000));
        body["MsgClientTime"] = json!(1);
        assert_eq!(world.call(&alice, "openim.sendmsg", &body)["ErrorCode"], 0);
    }
    let body = json!({
        "Peer_Account": "alice", "MaxCnt": 15, "LastMsgTime": super::START, "GetDirection": 1,
    });
    let page = world.call(&bob, "openim.getroammsg", &body);
    let count = page["MsgList"].as_array().unwrap().len();
    assert!((40..50).contains(&count), "{count}");
    assert_eq!(page["Complete"], 1);
    assert_eq!(world.state.history(&user("alice"), &user("bob")).len(), 100);
}
