//! Messages of groups: delivery, history, unread counts, mentions, receipts, recall, edits.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Login, World, config};
use crate::SandboxConfig;

fn text(from: &str, number: u64, text: &str) -> Value {
    json!({
        "From_Account": from, "GroupId": "g", "Random": number, "ClientSeq": number,
        "MsgPriority": "High", "CloudCustomData": "c", "MsgClientTime": super::START - 1,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
    })
}

/// Alice, Bob and Carol in a Public group; all pushes about it are read.
fn three(config: SandboxConfig) -> (World, [Login; 3]) {
    // In some tests minutes pass without a ping.
    let mut world = World::new(SandboxConfig {
        idle_timeout: Duration::from_secs(3600),
        ..config
    });
    let logins = ["alice", "bob", "carol"].map(|name| world.login(name));
    world.found(&logins[0], "Public", "g", &["bob", "carol"]);
    for login in &logins {
        world.pushes(login.conn);
    }
    (world, logins)
}

#[test]
fn a_message_takes_the_next_number_and_reaches_everyone_once() {
    let (mut world, [alice, bob, carol]) = three(config());
    let sent = world.group(&alice, "send_group_msg", &text("alice", 7, "hello"));
    assert_eq!(
        (&sent["MsgSeq"], &sent["MsgTime"]),
        (&json!(2), &json!(super::START))
    );
    let again = world.group(&alice, "send_group_msg", &text("alice", 7, "hello"));
    assert_eq!(again, sent, "a repeat gets the first answer");
    assert!(world.pushes(alice.conn).is_empty(), "no echo");
    let events = world.events(bob.conn);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["Event"], 3);
    let message = &events[0]["GroupMsgArray"][0];
    for (field, value) in [
        ("From_Account", json!("alice")),
        ("ToGroupId", json!("g")),
        ("MsgSeq", json!(2)),
        ("MsgRandom", json!(7)),
        ("ClientSeq", json!(7)),
        ("MsgTimeStamp", json!(super::START)),
        ("MsgClientTime", json!(super::START - 1)),
        ("MsgPriority", json!(1)),
        ("CloudCustomData", json!("c")),
    ] {
        assert_eq!(message[field], value, "{field}");
    }
    assert_eq!(message["GroupInfo"]["GroupType"], "Public");
    assert_eq!(message["GroupInfo"]["From_AccountNick"], "alice");
    assert!(message["TinyId"].is_string());
    assert_eq!(world.heard(carol.conn), ["said hello"]);
    assert_eq!(world.state.group_history("g").len(), 2);
    assert_eq!(world.state.counters().group_messages, 1);
}

#[test]
fn what_may_not_be_said() {
    let (mut world, [alice, bob, _]) = three(config());
    let mut code = |login: &Login, body: Value| world.group_code(login, "send_group_msg", &body);
    let with = |field: &str, value: Value| {
        let mut body = text("bob", 1, "x");
        body[field] = value;
        body
    };
    assert_eq!(code(&bob, with("GroupId", json!("none"))), 10010);
    assert_eq!(code(&bob, with("From_Account", json!("alice"))), 10007);
    assert_eq!(code(&bob, with("MsgBody", json!([]))), 10004);
    assert_eq!(
        code(&bob, with("MsgBody", json!([{"MsgType": "x"}]))),
        10004
    );
    assert_eq!(code(&bob, with("Random", json!(null))), 10004);
    assert_eq!(
        code(&bob, with("CloudCustomData", json!("x".repeat(13_000)))),
        80002
    );
    let mallory = world.login("mallory");
    assert_eq!(
        world.group_code(&mallory, "send_group_msg", &text("mallory", 1, "x")),
        10007
    );

    let mute =
        |seconds: u64| json!({"GroupId": "g", "Member_Account": "bob", "ShutUpTime": seconds});
    assert_eq!(
        world.group_code(&alice, "modify_group_member_info", &mute(60)),
        0
    );
    assert_eq!(
        world.group_code(&bob, "send_group_msg", &text("bob", 1, "x")),
        10017
    );
    world.pass(61.0);
    assert_eq!(
        world.group_code(&bob, "send_group_msg", &text("bob", 1, "x")),
        0
    );
    let all = json!({"GroupId": "g", "ShutUpAllMember": "On"});
    assert_eq!(world.group_code(&alice, "modify_group_base_info", &all), 0);
    assert_eq!(
        world.group_code(&bob, "send_group_msg", &text("bob", 2, "x")),
        10017
    );
    assert_eq!(
        world.group_code(&alice, "send_group_msg", &text("alice", 1, "x")),
        0
    );
}

#[test]
fn a_group_takes_so_many_messages_a_second() {
    let (mut world, [alice, bob, _]) = three(SandboxConfig {
        group_message_rate: 5,
        ..config()
    });
    let mut codes: Vec<i64> = (1..=4)
        .map(|n| world.group_code(&alice, "send_group_msg", &text("alice", n, "x")))
        .collect();
    for number in 1..=2 {
        let body = text("bob", number, "x");
        codes.push(world.group_code(&bob, "send_group_msg", &body));
    }
    assert_eq!(codes, [0, 0, 0, 0, 0, 10023]);
    assert_eq!(world.state.counters().group_throttled, 1);
    world.pass(0.3);
    assert_eq!(
        world.group_code(&bob, "send_group_msg", &text("bob", 2, "x")),
        0
    );
}

#[test]
fn mentions_tell_each_what_concerns_it() {
    let (mut world, [alice, bob, carol]) = three(config());
    let mut both = text("alice", 1, "@bob @all");
    both["GroupAtInfo"] =
        json!([{"GroupAtAllFlag": 0, "GroupAt_Account": "bob"}, {"GroupAtAllFlag": 1}]);
    world.group(&alice, "send_group_msg", &both);
    assert_eq!(world.heard(bob.conn), ["said @bob @all", "at [1,2]"]);
    assert_eq!(world.heard(carol.conn), ["said @bob @all", "at [2]"]);
    let mut me = text("alice", 2, "@bob");
    me["GroupAtInfo"] = json!([{"GroupAtAllFlag": 0, "GroupAt_Account": "bob"}]);
    world.group(&alice, "send_group_msg", &me);
    let events = world.events(bob.conn);
    assert_eq!(
        events[0]["GroupMsgArray"][0]["GroupAtInfo"],
        me["GroupAtInfo"]
    );
    let tip = &events[1]["GroupTips"][0];
    assert_eq!(
        (&tip["MsgRandom"], &tip["ClientSeq"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(tip["GroupAtTips"]["MsgSeq"], 3);
    assert_eq!(world.heard(carol.conn), ["said @bob"]);
    assert!(world.pushes(alice.conn).is_empty());
}

#[test]
fn history_goes_down_from_a_number_with_tips_and_recalled_ones() {
    let (mut world, [alice, bob, _]) = three(config());
    for number in 1..=5 {
        world.group(
            &alice,
            "send_group_msg",
            &text("alice", number, &format!("m{number}")),
        );
    }
    let recall = json!({"GroupId": "g", "MsgSeqList": [{"MsgSeq": 4}]});
    world.group(&alice, "group_msg_recall", &recall);
    let delete = json!({"GroupId": "g", "Deleter_Account": "bob", "Seqs": ["3"]});
    assert_eq!(
        world.group_code(&bob, "delete_group_ramble_msg_by_seq", &delete),
        0
    );
    let seqs = |answer: &Value| -> Vec<u64> {
        let list = answer["RspMsgList"].as_array().unwrap().iter();
        list.map(|item| item["MsgSeq"].as_u64().unwrap()).collect()
    };
    let page = |top: u64, count: u64| json!({"GroupId": "g", "ReqMsgSeq": top, "ReqMsgNumber": count, "WithRecalledMsg": 1});
    let first = world.group(&bob, "group_msg_get", &page(0, 3));
    assert_eq!(seqs(&first), [6, 5, 4]);
    assert_eq!(
        (&first["IsFinished"], &first["NextReqMsgSeq"]),
        (&json!(1), &json!(3))
    );
    assert_eq!(first["RspMsgList"][2]["IsPlaceMsg"], 2);
    assert_eq!(
        first["RspMsgList"][2]["RevokerInfo"]["Revoker_Account"],
        "alice"
    );
    let second = world.group(&bob, "group_msg_get", &page(3, 3));
    assert_eq!(seqs(&second), [2, 1], "three is deleted for bob");
    assert_eq!(
        (&second["IsFinished"], &second["NextReqMsgSeq"]),
        (&json!(2), &json!(0))
    );
    let tip = &second["RspMsgList"][1];
    assert_eq!(
        (&tip["Event"], &tip["MsgBody"]["OpType"]),
        (&json!(4), &json!(1))
    );
    assert_eq!(
        seqs(&world.group(&alice, "group_msg_get", &page(3, 9))),
        [3, 2, 1]
    );
    let named = json!({"GroupId": "g", "ReqMsgSeqList": [{"MsgSeq": 2}, {"MsgSeq": 6}]});
    assert_eq!(seqs(&world.group(&alice, "group_msg_get", &named)), [6, 2]);
    // In a Public group, members that join later do not see older messages.
    let dave = world.login("dave");
    world.group(&dave, "apply_join_group", &json!({"GroupId": "g"}));
    assert_eq!(seqs(&world.group(&dave, "group_msg_get", &page(0, 9))), [7]);
    let notify = json!({"NotifyReqList": [
        {"NotifyType": 1, "Limit": 20, "GroupId": "g", "BeginTime": 0, "EndTime": u64::MAX},
    ]});
    let recalls = world.group(&bob, "batch_get_group_notify", &notify);
    assert_eq!(recalls["NotifyRspList"][0]["NotifyMsgList"][0]["MsgSeq"], 4);
}

#[test]
fn history_is_bounded() {
    let (mut world, [alice, ..]) = three(SandboxConfig {
        group_history_limit: 3,
        ..config()
    });
    for number in 1..=5 {
        world.group(&alice, "send_group_msg", &text("alice", number, "x"));
    }
    let kept: Vec<u64> = world
        .state
        .group_history("g")
        .iter()
        .map(|i| i.seq)
        .collect();
    assert_eq!(kept, [4, 5, 6]);
}

#[test]
fn the_conversation_list_counts_what_is_unread() {
    let (mut world, [alice, bob, _]) = three(config());
    let session = |world: &mut World, login: &Login| {
        let list = world.call(login, "recentcontact.page_get", &json!({}));
        list["SessionItem"][0].clone()
    };
    let tip = session(&mut world, &bob);
    assert_eq!(
        (&tip["ToAccount"], &tip["UnreadMsgCount"]),
        (&json!("g"), &json!(0))
    );
    assert_eq!(tip["LastMsg"]["Event"], 4);
    for number in 1..=3 {
        world.group(&alice, "send_group_msg", &text("alice", number, "x"));
    }
    let mut quiet = text("alice", 4, "quiet");
    quiet["SendMsgControl"] = json!(["NoUnread", "NoLastMsg"]);
    world.group(&alice, "send_group_msg", &quiet);
    let item = session(&mut world, &bob);
    assert_eq!(
        (&item["Type"], &item["UnreadMsgCount"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(
        (&item["MsgSeq"], &item["GroupNextMsgSeq"]),
        (&json!(5), &json!(6))
    );
    assert_eq!(item["LastMsg"]["MsgBody"][0]["MsgContent"]["Text"], "x");
    assert_eq!(
        session(&mut world, &alice)["UnreadMsgCount"],
        0,
        "own messages are read"
    );
    let read = json!({"GroupId": "g", "MsgReadedSeq": 3});
    assert_eq!(world.group_code(&bob, "msg_read_report", &read), 0);
    assert_eq!(session(&mut world, &bob)["UnreadMsgCount"], 1);
    let all = json!({"C2CReadAllMsg": 0, "GroupReadInfo": [{"GroupId": "g", "MsgSeq": 99}]});
    let answer = world.call(&bob, "openim.read_all_unread_msg", &all);
    assert_eq!(answer["GroupReadInfoArray"][0]["RetCode"], 0);
    assert_eq!(session(&mut world, &bob)["UnreadMsgCount"], 0);
    let gone = json!({"ContactItem": [{"Type": 2, "ToGroupid": "g"}]});
    world.call(&bob, "recentcontact.batch_delete", &gone);
    assert_eq!(session(&mut world, &bob), Value::Null);
    world.group(&alice, "send_group_msg", &text("alice", 9, "new"));
    assert_eq!(session(&mut world, &bob)["UnreadMsgCount"], 1);
}

#[test]
fn receipts_say_who_has_read() {
    let (mut world, [alice, bob, carol]) = three(config());
    let mut body = text("alice", 1, "read this");
    body["NeedReadReceipt"] = json!(1);
    world.group(&alice, "send_group_msg", &body);
    let these = json!({"GroupId": "g", "MsgSeqList": [{"MsgSeq": 2}, {"MsgSeq": 77}]});
    for _ in 0..2 {
        assert_eq!(world.group_code(&bob, "group_msg_receipt", &these), 0);
    }
    let events = world.events(alice.conn);
    assert_eq!(events.len(), 1, "told once");
    let receipt = &events[0]["GroupTips"][0]["MsgBody"]["GroupMsgReceiptList"][0];
    assert_eq!(
        (&receipt["ReadNum"], &receipt["UnreadNum"]),
        (&json!(1), &json!(1))
    );
    let list = world.group(&carol, "get_group_msg_receipt", &these)["GroupMsgReceiptList"].clone();
    assert_eq!(
        (&list[0]["ReadNum"], &list[1]["Code"]),
        (&json!(1), &json!(10030))
    );
    let detail =
        |flag: u64| json!({"GroupId": "g", "MsgSeq": 2, "Flag": flag, "Cursor": "", "Num": 100});
    let read = world.group(&alice, "get_group_msg_receipt_detail", &detail(0));
    assert_eq!(read["ReadList"], json!([{"Read_Account": "bob"}]));
    let unread = world.group(&alice, "get_group_msg_receipt_detail", &detail(1));
    assert_eq!(unread["UnreadList"], json!([{"Unread_Account": "carol"}]));
    assert_eq!(unread["IsFinish"], 1);
}

#[test]
fn recall_goes_by_sender_role_and_time() {
    let (mut world, [alice, bob, carol]) = three(config());
    for number in 1..=3 {
        world.group(&bob, "send_group_msg", &text("bob", number, "x"));
    }
    let recall = |seq: u64| json!({"GroupId": "g", "MsgSeqList": [{"MsgSeq": seq}]});
    let mut code = |login: &Login, seq: u64| {
        let answer = world.group(login, "group_msg_recall", &recall(seq));
        answer["RecallRetList"][0]["RetCode"].as_i64().unwrap()
    };
    assert_eq!(code(&carol, 2), 10007, "someone else's");
    assert_eq!(code(&bob, 1), 10032, "a tip");
    assert_eq!(code(&bob, 99), 10030);
    assert_eq!(code(&alice, 2), 0, "the owner may");
    assert_eq!(code(&bob, 3), 0);
    assert_eq!(code(&bob, 3), 0, "a repeat changes nothing");
    let events = world.events(carol.conn);
    let recalls: Vec<&Value> = events.iter().filter(|event| event["Event"] == 5).collect();
    assert_eq!(recalls.len(), 2);
    let item = &recalls[0]["GroupTips"][0];
    assert_eq!(item["RevokerInfo"]["Revoker_Account"], "alice");
    let info = &item["MsgBody"]["GroupWithdrawInfoArray"][0];
    assert_eq!(
        (&info["MsgSeq"], &info["MsgRandom"]),
        (&json!(2), &json!(1))
    );
    world.pass(121.0);
    let late = world.group(&bob, "group_msg_recall", &recall(4));
    assert_eq!(late["RecallRetList"][0]["RetCode"], 10031);
    let kept: Vec<bool> = world
        .state
        .group_history("g")
        .iter()
        .map(|i| i.recalled)
        .collect();
    assert_eq!(kept, [false, true, true, false]);
}

#[test]
fn of_two_edits_the_second_is_told_of_the_first() {
    let (mut world, [alice, bob, carol]) = three(config());
    world.group(&alice, "send_group_msg", &text("alice", 1, "x"));
    let edit = |seq: u64, version: u64, text: &str| {
        json!({
            "GroupId": "g", "MsgSeq": seq, "MsgVersion": version, "CloudCustomData": "d",
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
        })
    };
    world.pushes(carol.conn);
    let first = world.call(&alice, "openim.modify_group_msg", &edit(2, 0, "first"));
    assert_eq!(
        (&first["ErrorCode"], &first["MsgVersion"]),
        (&json!(0), &json!(1))
    );
    let event = world.events(carol.conn).remove(0);
    assert_eq!(
        event["GroupMsgModNotifys"][0]["MsgBody"][0]["MsgContent"]["Text"],
        "first"
    );
    let second = world.call(&bob, "openim.modify_group_msg", &edit(2, 0, "second"));
    assert_eq!(
        (&second["ErrorCode"], &second["MsgVersion"]),
        (&json!(20027), &json!(1))
    );
    assert_eq!(second["MsgBody"][0]["MsgContent"]["Text"], "first");
    let unknown = world.call(&bob, "openim.modify_group_msg", &edit(50, 0, "second"));
    assert_eq!(unknown["ErrorCode"], 10030);
    let long = edit(2, 1, &"x".repeat(13_000));
    assert_eq!(
        world.call(&bob, "openim.modify_group_msg", &long)["ErrorCode"],
        80002
    );
}

#[test]
fn some_messages_are_not_for_everyone_or_not_for_ever() {
    let (mut world, [alice, bob, carol]) = three(config());
    let mut fleeting = text("alice", 1, "now");
    fleeting["OnlineOnlyFlag"] = json!(1);
    let sent = world.group(&alice, "send_group_msg", &fleeting);
    assert_eq!(sent["MsgSeq"], 0);
    assert_eq!(world.heard(bob.conn), ["said now"]);
    world.pushes(carol.conn);
    let mut aside = text("alice", 2, "between us");
    aside["To_Account"] = json!(["bob"]);
    world.group(&alice, "send_group_msg", &aside);
    assert_eq!(world.heard(bob.conn), ["said between us"]);
    assert!(world.pushes(carol.conn).is_empty());
    let page = json!({"GroupId": "g", "ReqMsgNumber": 20});
    let seen = |world: &mut World, login: &Login| {
        let answer = world.group(login, "group_msg_get", &page);
        answer["RspMsgList"].as_array().unwrap().len()
    };
    assert_eq!((seen(&mut world, &bob), seen(&mut world, &carol)), (2, 1));
}

#[test]
fn pins_are_told_and_listed() {
    let (mut world, [alice, bob, _]) = three(config());
    world.group(&alice, "send_group_msg", &text("alice", 1, "x"));
    world.pushes(bob.conn);
    let pin = json!({"GroupId": "g", "MsgSeq": 2, "Pinner_Account": "alice"});
    assert_eq!(world.group_code(&bob, "pin_message", &pin), 10007);
    assert_eq!(world.group_code(&alice, "pin_message", &pin), 0);
    let tip = world.events(bob.conn).remove(0);
    assert_eq!(
        (&tip["Event"], &tip["GroupTips"][0]["MsgBody"]["OpType"]),
        (&json!(6), &json!(16))
    );
    let list = world.group(&bob, "get_pinned_messages", &json!({"GroupId": "g"}));
    assert_eq!(list["PinnedMsgList"][0]["Pinner_Account"], "alice");
    assert_eq!(world.group_code(&alice, "unpin_message", &pin), 0);
    assert_eq!(world.heard(bob.conn), ["tip 17"]);
    let list = world.group(&bob, "get_pinned_messages", &json!({"GroupId": "g"}));
    assert_eq!(list["PinnedMsgList"], json!([]));
}

#[test]
fn other_own_logins_hear_what_was_said_and_read() {
    let mut world = World::new(SandboxConfig {
        max_web_instances: 2,
        ..config()
    });
    let (here, there) = (world.login("alice"), world.login("alice"));
    let bob = world.login("bob");
    world.found(&here, "Public", "g", &["bob"]);
    assert_eq!(world.heard(there.conn), ["tip 1", "notice 6"]);
    world.group(&here, "send_group_msg", &text("alice", 1, "x"));
    let event = world.events(there.conn).remove(0);
    assert_eq!(
        event["GroupMsgArray"][0]["From_Account"], "alice",
        "not swapped"
    );
    world.group(&bob, "send_group_msg", &text("bob", 1, "y"));
    world.pushes(there.conn);
    world.group(
        &here,
        "msg_read_report",
        &json!({"GroupId": "g", "MsgReadedSeq": 3}),
    );
    assert_eq!(world.heard(there.conn), ["GroupReadInfoArray"]);
}
