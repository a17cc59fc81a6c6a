//! Reactions, extensions and do-not-disturb.

use serde_json::{Value, json};

use super::{Login, START, World, config, send_body};
use crate::SandboxConfig;

const SERVICE: &str = "openim_msg_ext_http_svc";

impl World {
    fn extra(&mut self, login: &Login, command: &str, body: &Value) -> Value {
        self.call(login, &format!("{SERVICE}.{command}"), body)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "every caller has a literal")]
fn with(name: &Value, more: Value) -> Value {
    let mut body = name.clone();
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    body
}

/// Alice has sent Bob a message that supports extensions; each has one login.
fn said() -> (World, [Login; 2], Value) {
    let mut world = World::new(config());
    let logins = ["alice", "bob"].map(|name| world.login(name));
    let mut body = send_body("alice", "bob", 7, "hello");
    body["SupportMessageExtension"] = 1.into();
    let sent = world.call(&logins[0], "openim.sendmsg", &body);
    world.pushes(logins[1].conn);
    let name = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": sent["MsgKey"]});
    (world, logins, name)
}

#[test]
fn a_reaction_is_told_to_both_sides_counted_and_taken_away() {
    let (mut world, [alice, bob], name) = said();
    let react = with(&name, json!({"Reaction": "smile", "Add_Account": ["bob"]}));
    for _ in 0..2 {
        assert_eq!(world.extra(&bob, "reaction_add", &react)["ErrorCode"], 0);
    }
    for login in [&alice, &bob] {
        let events = world.events(login.conn);
        assert_eq!(
            events.len(),
            1,
            "one event, although the request was sent twice"
        );
        let change = &events[0]["MsgReactionNotifyList"][0];
        assert_eq!(change["C2CMsgInfo"]["MsgRandom"], 7);
        assert_eq!(change["C2CMsgInfo"]["MsgClientTime"], START);
        assert_eq!(
            change["MsgReactionSummary"],
            json!([{"Reaction": "smile", "Count": 1, "Reaction_Account": ["bob"]}])
        );
    }
    let mut count = name.clone();
    count["MsgKeyList"] = json!([name["MsgKey"], "1_2_3"]);
    count["Count"] = 5.into();
    for (login, by_me) in [(&alice, 0), (&bob, 1)] {
        let answer = world.extra(login, "reaction_multi_stat", &count);
        let list = json!([
            {"Reaction": "smile", "Count": 1, "Reaction_Account": ["bob"], "ReactedByMe": by_me},
        ]);
        assert_eq!(
            answer["Results"],
            json!([{"MsgKey": name["MsgKey"], "MsgReactionSummary": list, "ReactionList": list}])
        );
    }
    let users = with(&name, json!({"Reaction": "smile", "Count": 10}));
    let answer = world.extra(&alice, "reaction_iterate", &users);
    assert_eq!(
        (&answer["Reaction_Account"], &answer["NextSeq"]),
        (&json!(["bob"]), &json!(0))
    );
    let back = with(&name, json!({"Reaction": "smile", "Del_Account": ["bob"]}));
    assert_eq!(world.extra(&bob, "reaction_del", &back)["ErrorCode"], 0);
    let event = world.events(alice.conn).remove(0);
    assert_eq!(
        event["MsgReactionNotifyList"][0]["MsgReactionSummary"][0]["Count"],
        0
    );
    let answer = world.extra(&alice, "reaction_multi_stat", &count);
    assert_eq!(answer["Results"][0]["MsgReactionSummary"], json!([]));
}

#[test]
fn nobody_reacts_for_others_or_to_what_it_cannot_see() {
    let (mut world, [alice, bob], name) = said();
    let mallory = world.login("mallory");
    let react = |who: &str| with(&name, json!({"Reaction": "smile", "Add_Account": [who]}));
    let mut code = |login: &Login, body: &Value| {
        world.extra(login, "reaction_add", body)["ErrorCode"]
            .as_i64()
            .unwrap()
    };
    assert_eq!(code(&alice, &react("bob")), 10004);
    assert_eq!(code(&mallory, &react("mallory")), 20018);
    assert_eq!(
        code(&bob, &with(&react("bob"), json!({"MsgKey": "1_1_1"}))),
        20018
    );
    assert_eq!(
        code(&bob, &with(&react("bob"), json!({"Reaction": ""}))),
        10004
    );
    assert_eq!(
        code(
            &bob,
            &json!({"GroupId": "none", "MsgSeq": 1, "Reaction": "x"})
        ),
        10010
    );
    for n in 0..30 {
        assert_eq!(
            code(
                &bob,
                &with(&react("bob"), json!({"Reaction": format!("r{n}")}))
            ),
            0
        );
    }
    assert_eq!(
        code(&bob, &with(&react("bob"), json!({"Reaction": "one more"}))),
        10004
    );
}

#[test]
fn own_other_logins_hear_of_an_own_reaction() {
    let mut world = World::new(SandboxConfig {
        max_web_instances: 2,
        ..config()
    });
    let (here, there) = (world.login("bob"), world.login("bob"));
    let alice = world.login("alice");
    let sent = world.send(&alice, "bob", 7, "hello");
    world.pushes(there.conn);
    let react = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": sent["MsgKey"],
                       "Reaction": "smile", "Add_Account": ["bob"]});
    world.extra(&here, "reaction_add", &react);
    let events = world.events(there.conn);
    let own = &events[0]["MsgReactionNotify"];
    assert_eq!(
        (&own["Reaction"], &own["OperateType"]),
        (&json!("smile"), &json!(1))
    );
    assert!(events[1]["MsgReactionNotifyList"].is_array());
    let rest = json!({"Level": 2, "StartTime": 10, "EndTime": 20, "IsRepeated": 1});
    world.call(&here, "im_msg_db_logic.ws_set_do_not_disturb", &rest);
    let event = world.events(there.conn).remove(0);
    assert_eq!(
        (&event["Event"], &event["EndTime"]),
        (&json!(24), &json!(20))
    );
    let answer = world.call(&there, "im_msg_db_logic.ws_get_do_not_disturb", &json!({}));
    assert_eq!(
        (&answer["Level"], &answer["IsRepeated"]),
        (&json!(2), &json!(1))
    );
}

#[test]
fn extensions_are_set_by_number_so_that_nobody_overwrites_unseen() {
    let (mut world, [alice, bob], name) = said();
    let set = |key: &str, value: &str, seq: u64| {
        with(
            &name,
            json!({"OperateType": 1,
        "ExtensionList": [{"Key": key, "Value": value, "Seq": seq}]}),
        )
    };
    let answer = world.extra(&alice, "set_key_values", &set("k", "v", 0));
    assert_eq!(
        answer["ExtensionList"],
        json!([{"ErrorCode": 0, "Extension": {"Key": "k", "Value": "v", "Seq": 1}}])
    );
    assert!(
        world.events(alice.conn).is_empty(),
        "no push to the login that reacted"
    );
    let event = world.events(bob.conn).remove(0)["MsgExtensionNotify"].take();
    assert_eq!(
        (&event["MsgOptType"], &event["MsgLastSeq"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(event["ExtensionC2cMsgInfo"]["MsgRandom"], 7);
    assert_eq!(event["SetKVInfo"][0]["MsgKeyValue"][0]["Value"], "v");
    let late = world.extra(&bob, "set_key_values", &set("k", "mine", 0));
    assert_eq!(late["ErrorCode"], 0);
    assert_eq!(
        late["ExtensionList"],
        json!([{"ErrorCode": 23001, "Extension": {"Key": "k", "Value": "v", "Seq": 1}}])
    );
    let seen = world.extra(&bob, "set_key_values", &set("k", "mine", 1));
    assert_eq!(seen["ExtensionList"][0]["Extension"]["Seq"], 2);
    let delete = with(
        &name,
        json!({"OperateType": 2, "ExtensionList": [{"Key": "k", "Value": "", "Seq": 2}]}),
    );
    assert_eq!(
        world.extra(&alice, "set_key_values", &delete)["ExtensionList"][0]["ErrorCode"],
        0
    );
    let all = world.extra(&bob, "get_key_values", &name);
    assert_eq!(
        all["ExtensionList"],
        json!([{"Key": "k", "Value": "", "Seq": 3}]),
        "the deletion is listed"
    );
    assert_eq!(
        (&all["CompleteFlag"], &all["LatestSeq"]),
        (&json!(1), &json!(3))
    );
    world.extra(
        &alice,
        "set_key_values",
        &with(&name, json!({"OperateType": 3})),
    );
    let all = world.extra(&bob, "get_key_values", &name);
    assert_eq!(
        (&all["ExtensionList"], &all["ClearSeq"]),
        (&json!([]), &json!(4))
    );
}

#[test]
fn extensions_have_limits() {
    let (mut world, [alice, bob], name) = said();
    let list = |from: usize, count: usize| -> Value {
        (from..from + count)
            .map(|n| json!({"Key": format!("k{n}"), "Value": "v", "Seq": 0}))
            .collect()
    };
    let set = |items: Value| with(&name, json!({"OperateType": 1, "ExtensionList": items}));
    for from in (0..300).step_by(20) {
        assert_eq!(
            world.extra(&alice, "set_key_values", &set(list(from, 20)))["ErrorCode"],
            0
        );
    }
    let full = world.extra(&alice, "set_key_values", &set(list(300, 1)));
    assert_eq!(full["ExtensionList"][0]["ErrorCode"], 23003);
    assert_eq!(
        world.extra(&alice, "set_key_values", &set(list(0, 21)))["ErrorCode"],
        10004
    );
    assert_eq!(
        world.extra(&alice, "set_key_values", &set(json!([])))["ErrorCode"],
        10004
    );
    let mut seen = 0;
    let mut from = 0;
    loop {
        let page = world.extra(
            &bob,
            "get_key_values",
            &with(&name, json!({"StartSeq": from})),
        );
        let items = page["ExtensionList"].as_array().unwrap();
        seen += items.len();
        from = items.last().unwrap()["Seq"].as_u64().unwrap() + 1;
        if page["CompleteFlag"] == 1 {
            break;
        }
    }
    assert_eq!(seen, 300);
    let delete = with(
        &name,
        json!({"OperateType": 2, "ExtensionList": [{"Key": "k5", "Seq": 6}]}),
    );
    let deleted = world.extra(&alice, "set_key_values", &delete);
    assert_eq!(deleted["ExtensionList"][0]["ErrorCode"], 0, "{deleted}");
    for code in [0, 23003] {
        let next = list(300 + code, 1);
        let answer = world.extra(&alice, "set_key_values", &set(next));
        assert_eq!(answer["ExtensionList"][0]["ErrorCode"], code, "{answer}");
    }
    let plain = world.send(&alice, "bob", 8, "not extensible");
    let body = with(&set(list(0, 1)), json!({"MsgKey": plain["MsgKey"]}));
    assert_eq!(
        world.extra(&alice, "set_key_values", &body)["ErrorCode"],
        23002
    );
}

#[test]
fn group_messages_have_both_and_live_rooms_only_reactions() {
    let mut world = World::new(config());
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| world.login(name));
    world.found(&alice, "Public", "g", &["bob"]);
    let body = json!({"From_Account": "alice", "GroupId": "g", "Random": 7, "ClientSeq": 7, "SupportMessageExtension": 1,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]});
    let seq = world.group(&alice, "send_group_msg", &body)["MsgSeq"].clone();
    world.pushes(bob.conn);
    let name = json!({"GroupId": "g", "MsgSeq": seq});
    let react = with(&name, json!({"Reaction": "e", "Add_Account": ["bob"]}));
    assert_eq!(
        world.extra(&bob, "group_reaction_add", &react)["ErrorCode"],
        0
    );
    assert_eq!(
        world.extra(&carol, "group_reaction_add", &react)["ErrorCode"],
        10007,
        "no member"
    );
    let change = world.events(bob.conn).remove(0)["MsgReactionNotifyList"][0].take();
    assert_eq!(
        (
            &change["GroupMsgInfo"]["GroupId"],
            &change["GroupMsgInfo"]["MsgSeq"]
        ),
        (&json!("g"), &seq)
    );
    let stat = json!({"GroupId": "g", "MsgSeqList": [seq], "Count": 10});
    let answer = world.extra(&alice, "group_reaction_multi_stat", &stat);
    assert_eq!(
        answer["Results"][0]["MsgReactionSummary"][0]["Reaction_Account"],
        json!(["bob"])
    );
    let set = with(
        &name,
        json!({"OperateType": 1, "ExtensionList": [{"Key": "k", "Value": "v", "Seq": 0}]}),
    );
    assert_eq!(
        world.extra(&alice, "group_set_key_values", &set)["ErrorCode"],
        0
    );
    let events = world.events(bob.conn);
    let event = &events[0]["MsgExtensionNotify"];
    assert_eq!(event["ExtensionGroupMsgInfo"]["MsgSeq"], seq);
    let answer = world.rest("openim_msg_ext_http_svc/group_get_key_values", &name);
    assert_eq!(answer["ExtensionList"][0]["Key"], "k", "{answer}");

    world.found(&alice, "AVChatRoom", "live", &[]);
    let key = world.group(&alice, "apply_join_group", &json!({"GroupId": "live"}));
    let mut body = body;
    body["GroupId"] = "live".into();
    let seq = world.group(&alice, "send_group_msg", &body)["MsgSeq"].clone();
    let name = json!({"GroupId": "live", "MsgSeq": seq});
    let react = with(&name, json!({"Reaction": "e", "Add_Account": ["alice"]}));
    assert_eq!(
        world.extra(&alice, "group_reaction_add", &react)["ErrorCode"],
        0
    );
    let poll = json!({"USP": 1, "Key": key["LongPollingKey"], "StartSeq": key["StartSeq"], "HoldTime": 90});
    let answer = world.call(&alice, "group_open_long_polling_http_svc.get_msg", &poll);
    let items = answer["RspMsgList"].as_array().unwrap();
    let item = items.iter().find(|item| item["Event"] == 21).unwrap();
    let change = &item["MsgBody"]["MsgReactionNotifyList"][0];
    assert_eq!(change["MsgReactionSummary"][0]["Reaction"], "e");
    assert_ne!(item["MsgSeq"], seq, "the item has its own number");
    let set = with(&name, json!({"OperateType": 3}));
    assert_eq!(
        world.extra(&alice, "group_set_key_values", &set)["ErrorCode"],
        23002
    );
}

#[test]
fn only_messages_that_an_account_may_read_have_anything_for_it() {
    let mut world = World::new(config());
    let [alice, bob] = ["alice", "bob"].map(|name| world.login(name));
    world.found(&alice, "Public", "g", &[]);
    let seq = {
        let body = json!({"From_Account": "alice", "GroupId": "g", "Random": 7, "ClientSeq": 7,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]});
        world.group(&alice, "send_group_msg", &body)["MsgSeq"].clone()
    };
    let add = json!({"GroupId": "g", "MemberList": [{"Member_Account": "bob"}]});
    assert_eq!(world.group_code(&alice, "add_group_member", &add), 0);
    world.pushes(bob.conn);
    let name = json!({"GroupId": "g", "MsgSeq": seq});
    let react = |user: &str| with(&name, json!({"Reaction": "e", "Add_Account": [user]}));
    let before = world.extra(&bob, "group_reaction_add", &react("bob"));
    assert_eq!(before["ErrorCode"], 10030, "said before he came");
    world.extra(&alice, "group_reaction_add", &react("alice"));
    assert_eq!(world.events(bob.conn), [Value::Null; 0]);
    let stat = json!({"GroupId": "g", "MsgSeqList": [seq]});
    let answer = world.extra(&bob, "group_reaction_multi_stat", &stat);
    assert_eq!(answer["Results"], json!([]));
}

#[test]
fn reactions_of_twenty_messages_are_asked_for_at_a_time() {
    let (mut world, [alice, _], name) = said();
    let keys = |count: usize| -> Value {
        let keys = json!({"MsgKeyList": vec![name["MsgKey"].clone(); count]});
        with(&name, keys)
    };
    let few = world.extra(&alice, "reaction_multi_stat", &keys(20));
    assert_eq!(few["ErrorCode"], 0);
    let many = world.extra(&alice, "reaction_multi_stat", &keys(21));
    assert_eq!(many["ErrorCode"], 10004);
}

#[test]
fn reactions_for_which_there_is_no_room_are_refused_as_a_whole() {
    let (mut world, [alice, _], name) = said();
    let react = |from: usize, to: usize| {
        let users: Vec<String> = (from..to).map(|n| format!("u{n}")).collect();
        with(&name, json!({"Reaction": "e", "Add_Account": users}))
    };
    for (from, to) in [(0, 500), (500, 999)] {
        let answer = world.rest("openim_msg_ext_http_svc/reaction_add", &react(from, to));
        assert_eq!(answer["ErrorCode"], 0);
    }
    world.pushes(alice.conn);
    let answer = world.rest("openim_msg_ext_http_svc/reaction_add", &react(998, 1001));
    assert_eq!(answer["ErrorCode"], 10004);
    let stat = with(&name, json!({"MsgKeyList": [name["MsgKey"]]}));
    let answer = world.extra(&alice, "reaction_multi_stat", &stat);
    assert_eq!(answer["Results"][0]["MsgReactionSummary"][0]["Count"], 999);
    let answer = world.rest("openim_msg_ext_http_svc/reaction_add", &react(998, 1000));
    assert_eq!(answer["ErrorCode"], 0, "there is room for one more");
}
