//! The record of accepted messages.

use serde_json::json;

use super::{World, config, send_body, user};
use crate::{SandboxConfig, state::LedgerEntry};

fn recording() -> World {
    World::new(SandboxConfig {
        ledger: true,
        ..config()
    })
}

/// Sender, place and text of each entry.
fn shown(entries: &[LedgerEntry]) -> Vec<String> {
    let shown = entries.iter().map(|entry| {
        let place = match (&entry.to, &entry.group) {
            (Some(to), None) => to.as_str(),
            (None, Some(group)) => group,
            _ => panic!("one place"),
        };
        format!("{} to {place}: {}", entry.from, entry.text)
    });
    shown.collect()
}

#[test]
fn each_accepted_message_is_recorded_once() {
    let mut world = recording();
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.found(&alice, "Public", "g", &["bob"]);
    world.send(&alice, "bob", 1, "one");
    world.send(&alice, "bob", 1, "one");
    world.send(&alice, "bob", 1, "other");
    let to_group = |text: &str, number: u64| {
        json!({
            "GroupId": "g", "Random": number, "ClientSeq": number,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
        })
    };
    world.group(&bob, "send_group_msg", &to_group("two", 5));
    world.group(&bob, "send_group_msg", &to_group("two", 5));
    world.group(&bob, "send_group_msg", &to_group("two", 5));
    let say = json!({
        "From_Account": "carol", "To_Account": "bob", "MsgRandom": 9,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "rest"}}],
    });
    world.state.import(&user("carol"));
    assert_eq!(world.rest("openim/sendmsg", &say)["ErrorCode"], 0);
    world
        .state
        .say(world.now, &user("dave"), &user("bob"), "said")
        .unwrap();
    let at = world
        .state
        .say_to_group(world.now, &user("alice"), "g", "also")
        .unwrap();

    // Not recorded: what is refused, and what is for those who are online.
    let refused = send_body("bob", "alice", 2, "foreign");
    world.call(&alice, "openim.sendmsg", &refused);
    let mut online = send_body("alice", "bob", 3, "typing");
    online["MsgLifeTime"] = json!(0);
    world.call(&alice, "openim.sendmsg", &online);
    let mut online = to_group("typing", 6);
    online["OnlineOnlyFlag"] = json!(1);
    world.group(&bob, "send_group_msg", &online);

    let entries = world.state.ledger(0, usize::MAX);
    assert_eq!(
        shown(&entries),
        [
            "alice to bob: one",
            "alice to bob: other",
            "bob to g: two",
            "carol to bob: rest",
            "dave to bob: said",
            "alice to g: also",
        ]
    );
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
    let repeats: Vec<u64> = entries.iter().map(|entry| entry.repeats).collect();
    assert_eq!(repeats, [1, 0, 2, 0, 0, 0]);
    assert_eq!(
        (entries[0].seq, entries[0].random, entries[5].seq),
        (1, 1, at)
    );
    assert_eq!(world.state.ledger(4, usize::MAX), &entries[4..]);
    assert_eq!(world.state.ledger(1, 2), &entries[1..3]);
    assert!(world.state.ledger(6, 9).is_empty() && world.state.ledger(u64::MAX, 9).is_empty());
}

#[test]
fn it_tells_who_has_read_a_message() {
    let mut world = recording();
    let (alice, bob, carol) = (
        world.login("alice"),
        world.login("bob"),
        world.login("carol"),
    );
    world.found(&alice, "Public", "g", &["bob", "carol"]);
    world.send(&alice, "bob", 1, "first");
    let first = world
        .state
        .say_to_group(world.now, &user("alice"), "g", "first")
        .unwrap();
    let time = world.now.unix_secs();
    world.pass(2.0);
    world.send(&alice, "bob", 2, "second");
    world
        .state
        .say_to_group(world.now, &user("bob"), "g", "second")
        .unwrap();
    let read = |world: &World| -> Vec<usize> {
        let entries = world.state.ledger(0, usize::MAX);
        entries.iter().map(|entry| entry.read_by).collect()
    };
    assert_eq!(read(&world), [0, 0, 0, 0]);
    let report = json!({"C2CMsgReaded": {"C2CMsgReadedItem": [
        {"To_Account": "alice", "LastedMsgTime": time},
    ]}});
    world.call(&bob, "openim.msgreaded", &report);
    for (login, seq) in [(&bob, first), (&carol, first), (&carol, first + 1)] {
        let report = json!({"GroupId": "g", "MsgReadedSeq": seq});
        world.group(login, "msg_read_report", &report);
    }
    assert_eq!(read(&world), [1, 2, 0, 1]);
}

#[test]
fn without_the_setting_nothing_is_recorded() {
    let mut world = World::new(config());
    world
        .state
        .say(world.now, &user("alice"), &user("bob"), "hello")
        .unwrap();
    assert!(world.state.ledger(0, 9).is_empty());
}
