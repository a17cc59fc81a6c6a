//! After a restart, clients get the same answers and continue to work.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{Login, START, World, config, noise, texts_in, user},
    NAMES, act, assert_equal, busy, comparable, deed, restored, restored_with, start, text, upload,
};
use crate::SandboxConfig;

#[test]
fn everybody_is_told_the_same_afterwards() {
    let mut before = busy();
    let mut after = restored(&before);
    assert_eq!(comparable(&before.state), comparable(&after.state));
    assert_equal(&mut before, &mut after);
}

#[test]
fn a_busy_sandbox_has_something_of_everything() {
    /// Records for each field whether any value differs from its default.
    fn note(value: &Value, name: &str, seen: &mut BTreeMap<String, bool>) {
        let says = match value {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Number(number) => number.as_u64() != Some(0),
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
        };
        *seen.entry(name.to_owned()).or_default() |= says;
        match value {
            Value::Array(items) => items.iter().for_each(|item| note(item, name, seen)),
            Value::Object(fields) => fields
                .iter()
                .for_each(|(field, item)| note(item, field, seen)),
            _ => {}
        }
    }
    let mut seen = BTreeMap::new();
    let read: Value = serde_json::from_str(&text(&busy().state)).unwrap();
    note(&read["state"], "state", &mut seen);
    let silent = seen.iter().filter(|(_, says)| !**says);
    let silent: Vec<&str> = silent.map(|(name, _)| &**name).collect();
    // Names in capitals belong to the wire. Each account has one login, so there is nobody to
    // notify, and this is the first start.
    let kept = silent
        .iter()
        .filter(|name| name.starts_with(|c: char| c.is_lowercase()));
    assert_eq!(kept.collect::<Vec<_>>(), [&"by", &"starts"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_was_done_is_told_the_same_afterwards(
        deeds in prop::collection::vec(deed(), 1..120),
        odd in prop::collection::vec(noise::group_call(), 0..6),
    ) {
        let (mut before, logins) = start();
        for deed in deeds {
            act(&mut before, &logins, deed);
        }
        for (command, body) in &odd {
            before.rest(&format!("group_open_http_svc/{command}"), body);
        }
        let mut after = restored(&before);
        prop_assert_eq!(comparable(&before.state), comparable(&after.state));
        assert_equal(&mut before, &mut after);
    }
}

#[test]
fn numbers_go_on_where_they_were() {
    let mut before = World::new(config());
    let alice = before.login("alice");
    before.found(&alice, "Public", "g", &[]);
    let made = json!({"Type": "Public", "Name": "n", "Owner_Account": "alice"});
    let first = before.group(&alice, "create_group", &made)["GroupId"].clone();
    before.send(&alice, "bob", 1, "one");
    let cookie = before.getmsg(&alice, "")["Cookie"].clone();
    let list = json!({"MsgList": []});
    let key = before.call(&alice, "im_long_msg.save_relay_json_msg", &list)["JsonMsgKey"].clone();
    let path = before.state.media_address(before.now, &user("alice"), "x");

    // The snapshot is older than the last positions that were issued.
    let mut after = restored(&before);
    for number in 10..20 {
        before.send(&alice, "bob", number, "lost");
    }
    let late = before.getmsg(&alice, cookie.as_str().unwrap())["Cookie"].clone();
    let again = after.login("alice");
    assert!(again.instance > alice.instance);
    assert_ne!(again.a2, alice.a2);
    after.send(&again, "alice", 3, "after");
    after
        .state
        .say(after.now, &user("bob"), &user("alice"), "new")
        .unwrap();
    let missed = after.getmsg(&again, late.as_str().unwrap());
    assert_eq!(texts_in(&missed["MsgList"]), ["new"], "{missed}");
    let second = after.group(&again, "create_group", &made)["GroupId"].clone();
    assert_ne!(first, second);
    let new = after.call(&again, "im_long_msg.save_relay_json_msg", &list)["JsonMsgKey"].clone();
    assert_ne!(new, key);
    let old = after.call(
        &again,
        "im_long_msg.get_relay_json_msg",
        &json!({"JsonMsgKey": key}),
    );
    assert_eq!(old["ErrorCode"], 0);
    assert_ne!(
        after.state.media_address(after.now, &user("alice"), "x"),
        path
    );
    let repeat = after.send(&again, "bob", 1, "one");
    assert_eq!(repeat["ErrorCode"], 0);
    let said = after.state.history(&user("alice"), &user("bob"));
    assert_eq!(said.len(), 2, "a repeat after the restart is recognised");
}

#[test]
fn repeats_are_recognised_after_a_restart_for_as_long_as_before_it() {
    let body = json!({
        "GroupId": "g", "Random": 7, "ClientSeq": 7,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello"}}],
    });
    // Seconds before and after the restart, and how often both are in the history then.
    for (before, after, expected) in [
        (60.0, 59.0, (1, 1)),
        (60.0, 60.0, (2, 1)),
        (200.0, 99.0, (2, 1)),
        (200.0, 100.0, (2, 2)),
    ] {
        let mut world = World::new(config());
        let alice = world.login("alice");
        world.found(&alice, "Public", "g", &[]);
        let said = |world: &World| world.state.group_history("g").len();
        let tips = said(&world);
        world.send(&alice, "bob", 7, "hello");
        world.group(&alice, "send_group_msg", &body);
        world.pass(before);
        let mut world = restored(&world);
        world.pass(after);
        let alice = world.login("alice");
        world.send(&alice, "bob", 7, "hello");
        world.group(&alice, "send_group_msg", &body);
        let history = world.state.history(&user("alice"), &user("bob"));
        let found = (history.len(), said(&world) - tips);
        assert_eq!(found, expected, "{before} s and {after} s");
    }
}

#[test]
fn each_start_draws_tickets_of_its_own() {
    let mut first = World::new(config());
    let before = first.login("alice").a2;
    // Every start uses the same seed.
    let mut second = restored(&first);
    let mut third = restored(&second);
    let tickets = [before, second.login("alice").a2, third.login("alice").a2];
    let all: BTreeSet<_> = tickets.iter().collect();
    assert_eq!(all.len(), 3);
}

#[test]
fn who_watched_others_still_does() {
    let mut before = World::new(config());
    let alice = before.login("alice");
    let others: Vec<String> = (0..200).map(|n| format!("u{n}")).collect();
    for other in &others {
        before.state.import(&user(other));
    }
    let watch = "im_open_status.ws_status_subscribe";
    let unwatch = "im_open_status.ws_status_unsubscribe";
    before.call(&alice, watch, &json!({"To_Account": others}));
    let mut after = restored(&before);
    let alice = after.login("alice");
    let one_more = json!({"To_Account": ["alice"]});
    let full = after.call(&alice, watch, &one_more);
    assert_eq!(full["ErrorList"].as_array().unwrap().len(), 1, "{full}");
    after.call(&alice, unwatch, &json!({"To_Account": ["u7"]}));
    let done = after.call(&alice, watch, &one_more);
    assert_eq!(done["ErrorList"], json!([]));
    after.pushes(alice.conn);
    after.login("u8");
    after.login("u7");
    let told = after.pushes(alice.conn);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].to_string().contains("u8"));
}

#[test]
fn logins_end_and_budgets_begin_anew() {
    let mut before = World::new(SandboxConfig {
        group_message_rate: 2,
        ..config()
    });
    before.pass(1000.0);
    let alice = before.login("alice");
    before.found(&alice, "Public", "g", &[]);
    let say = |world: &mut World| {
        world
            .state
            .say_to_group(world.now, &user("alice"), "g", "x")
    };
    while say(&mut before).is_ok() {}
    let mut after = World::new(before.state.config().clone());
    let text = text(&before.state);
    after
        .state
        .restore(after.now, text.as_bytes(), &BTreeMap::new())
        .unwrap();
    assert!(
        say(&mut after).is_ok(),
        "the clock of the budget starts at zero"
    );
    assert!(!after.state.is_online(after.now, &user("alice")));
    let conn = after.connect();
    let alice = Login { conn, ..alice };
    assert_eq!(after.hello(&alice), 70001);
}

#[test]
fn limits_that_were_lowered_hold_for_what_is_there() {
    let mut before = World::new(config());
    let alice = before.login("alice");
    before.found(&alice, "Public", "g", &[]);
    let now = before.now;
    for number in 0..20 {
        before.send(&alice, "bob", number, &format!("c{number}"));
        before.send(&alice, "carol", number, "other");
        let text = format!("g{number}");
        before
            .state
            .say_to_group(now, &user("alice"), "g", &text)
            .unwrap();
    }
    let mut after = restored_with(
        SandboxConfig {
            message_limit: 30,
            history_limit: 10,
            inbox_limit: 5,
            group_history_limit: 3,
            ..config()
        },
        &before,
    );
    let bodies: Vec<String> = after
        .state
        .history(&user("alice"), &user("bob"))
        .into_iter()
        .map(|item| item.body)
        .collect();
    assert_eq!(bodies.len(), 10);
    assert!(bodies[9].contains("c19"), "the newest are left");
    assert_eq!(after.state.group_history("g").len(), 3);
    let bob = after.login("bob");
    assert_eq!(
        after.getmsg(&bob, "")["MsgList"].as_array().unwrap().len(),
        5
    );
}

#[test]
fn files_that_are_gone_are_forgotten_and_uploads_can_be_repeated() {
    let mut before = World::new(SandboxConfig {
        media_bytes: 10,
        ..config()
    });
    let kept = upload(&mut before);
    let gone = upload(&mut before);
    let address = |world: &mut World| {
        let path = world.state.media_address(world.now, &user("alice"), "b");
        let path = path.unwrap();
        let (token, name) = path["/media/".len()..].split_once('/').unwrap();
        (token.to_owned(), name.to_owned())
    };
    let (issued, writing) = (address(&mut before), address(&mut before));
    before
        .state
        .media_begin(before.now, &writing.0, &writing.1, None)
        .unwrap();
    let text = text(&before.state);
    let mut after = World::new(before.state.config().clone());
    let files = BTreeMap::from([(kept.0.clone(), 5), (gone.0.clone(), 4)]);
    let restored = after
        .state
        .restore(after.now, text.as_bytes(), &files)
        .unwrap();
    assert_eq!(restored.lost_files, 1, "another length is another file");
    assert!(after.state.media_file(&kept.0, &kept.1).is_some());
    assert!(after.state.is_stored(&kept.0) && !after.state.is_stored(&gone.0));
    for (token, name) in [issued, writing] {
        let begun = after.state.media_begin(after.now, &token, &name, None);
        assert_eq!(begun, Ok(()));
    }
    let size = after.state.media_grow(&gone.0, 1);
    assert!(size.is_err());
    // Five bytes are used, five are free.
    let third = upload(&mut after);
    assert!(after.state.media_file(&kept.0, &kept.1).is_some());
    upload(&mut after);
    assert_eq!(after.state.media_file(&kept.0, &kept.1), None, "the oldest");
    assert!(after.state.media_file(&third.0, &third.1).is_some());
}

#[test]
fn json_as_deep_as_any_reader_takes_comes_back() {
    let (mut world, logins) = start();
    let deep = format!("{}{}", "[".repeat(119), "]".repeat(119));
    let deep: Value = serde_json::from_str(&deep).unwrap();
    let body = json!([{"MsgType": "TIMCustomElem", "MsgContent": {"Data": deep}}]);
    let alice = &logins[0];
    let answer = world.call(
        alice,
        "openim.sendmsg",
        &json!({
            "From_Account": "alice", "To_Account": "bob", "MsgSeq": 1, "MsgRandom": 1,
            "MsgBody": body, "MsgClientTime": START,
        }),
    );
    assert_eq!(answer["ErrorCode"], 0, "{answer}");
    for group in ["public", "room"] {
        let said = json!({
            "GroupId": group, "Random": 1, "ClientSeq": 1, "MsgBody": body,
            "GroupAtInfo": [{"GroupAtAllFlag": 1, "deep": deep}],
        });
        let said = world.group(alice, "send_group_msg", &said);
        assert_eq!(said["ErrorCode"], 0, "{said}");
        let pin = json!({"GroupId": group, "MsgSeq": said["MsgSeq"]});
        assert_eq!(world.group_code(alice, "pin_message", &pin), 0);
    }
    let list = json!({"MsgList": [deep]});
    let saved = world.call(alice, "im_long_msg.save_relay_json_msg", &list);
    assert_eq!(saved["ErrorCode"], 0, "{saved}");
    let mut after = World::new(config());
    let text = world.state.snapshot().unwrap();
    let restored = after.state.restore(after.now, &text, &BTreeMap::new());
    assert_eq!(restored.map(|it| it.messages).ok(), Some(1));
    let (alice, bob) = (user("alice"), user("bob"));
    assert_eq!(
        after.state.history(&alice, &bob),
        world.state.history(&alice, &bob)
    );
    for group in ["public", "room"] {
        let (before, after) = (&world.state, &after.state);
        assert_eq!(before.group_history(group), after.group_history(group));
    }
}

#[test]
fn only_what_may_change_something_counts_as_a_change() {
    let (mut world, logins) = start();
    let alice = &logins[0];
    let before = world.state.changes();
    world.hello(alice);
    world.call(alice, "heartbeat.alive", &json!({}));
    world.call(alice, "openim.ws_msg_push_ack", &json!({}));
    world.call(alice, "recentcontact.page_get", &json!({}));
    world.pass(30.0);
    world.close(logins[1].conn);
    assert_eq!(world.state.changes(), before);
    world.send(alice, "bob", 1, "x");
    assert_ne!(world.state.changes(), before);
    let before = world.state.changes();
    world.rest("openim/sendmsg", &json!({}));
    assert_ne!(world.state.changes(), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Checks that every change of a snapshot is counted.
    #[test]
    fn no_change_goes_unnoticed(deeds in prop::collection::vec(deed(), 1..40)) {
        let (mut world, logins) = start();
        for deed in deeds {
            let (changes, before) = (world.state.changes(), text(&world.state));
            act(&mut world, &logins, deed);
            answers_without_changes(&mut world, &logins[deed.who]);
            if world.state.changes() == changes {
                prop_assert!(text(&world.state) == before, "{deed:?} is not counted");
            }
        }
    }
}

/// The commands that are declared to change nothing.
fn answers_without_changes(world: &mut World, login: &Login) {
    let (changes, before) = (world.state.changes(), text(&world.state));
    for command in [
        "openim.getroammsg",
        "openim.get_peer_read_time",
        "openim.get_c2c_peer_mute_notifications",
        "profile.portrait_get_all",
        "recentcontact.page_get",
        "recentcontact.get_contact_group",
        "sns.black_list_get",
        "sns.friend_get",
        "sns.pendency_get",
        "im_open_status.ws_get_user_status",
        "im_msg_db_logic.ws_get_do_not_disturb",
        "im_open_speech.ws_sentence_recognition",
        "im_open_translate.ws_batch_trans_text",
        "group_open_http_noauth_svc.apply_join_group",
        "group_open_long_polling_http_noauth_svc.get_msg",
        "group_open_http_svc.get_group_ban_member",
        "group_open_http_svc.get_huge_group_msg",
    ] {
        let body = json!({
            "To_Account": NAMES, "Peer_Account": "bob", "GroupId": "room", "SourceText": ["hi"],
        });
        world.call(login, command, &body);
    }
    assert_eq!(world.state.changes(), changes);
    let strip = |text: &str| {
        text.lines()
            .filter(|l| !l.starts_with("\"sessions\""))
            .collect::<String>()
    };
    assert_eq!(strip(&text(&world.state)), strip(&before));
}
