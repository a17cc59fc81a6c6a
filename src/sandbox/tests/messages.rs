//! Send, missed messages, history, recall, read, lists.

use serde_json::{Value, json};

use super::{START, World, config, send_body, texts_in, user};
use crate::SandboxConfig;

#[test]
fn a_message_is_pushed_with_everything() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let sent = world.send(&alice, "bob", 3_139_160_001, "hello");
    assert_eq!(sent["MsgTime"], START);
    assert_eq!(sent["MsgKey"], format!("3139160001_3139160001_{START}"));
    let push = world.pushes(bob.conn).remove(0);
    assert_eq!(push["head"]["servcmd"], "im_open_push.msg_push");
    assert_eq!(push["body"]["NeedAck"], 1);
    assert!(!push["body"]["SessionData"].as_str().unwrap().is_empty());
    let event = &push["body"]["EventArray"][0];
    assert_eq!(event["Event"], 9);
    let item = &event["C2cMsgArray"][0];
    for (field, value) in [
        ("From_Account", json!("alice")),
        ("To_Account", json!("bob")),
        ("MsgSeq", json!(3_139_160_001_u64)),
        ("MsgRandom", json!(3_139_160_001_u64)),
        ("MsgTimeStamp", json!(START)),
        ("MsgClientTime", json!(START)),
        ("From_AccountNick", json!("alice")),
    ] {
        assert_eq!(item[field], value, "{field}");
    }
    assert!(item["TinyId"].is_string());
    assert!(item.get("IsSyncMsg").is_none() && item.get("MsgLifeTime").is_none());
    assert!(
        world.pushes(alice.conn).is_empty(),
        "no echo to the sending login"
    );
    let ack = world.call(
        &bob,
        "openim.ws_msg_push_ack",
        &json!({"SessionData": "push-1"}),
    );
    assert_eq!(ack, Value::Null, "an acknowledgement is not answered");
}

#[test]
fn other_own_logins_get_a_swapped_copy() {
    let mut world = World::new(SandboxConfig {
        max_web_instances: 2,
        ..config()
    });
    let (here, there) = (world.login("alice"), world.login("alice"));
    world.send(&here, "bob", 1, "hello");
    assert!(world.pushes(here.conn).is_empty());
    let push = world.pushes(there.conn).remove(0);
    let item = &push["body"]["EventArray"][0]["C2cMsgArray"][0];
    assert_eq!(
        (
            &item["IsSyncMsg"],
            &item["From_Account"],
            &item["To_Account"]
        ),
        (&json!(1), &json!("bob"), &json!("alice"))
    );
}

#[test]
fn a_repeated_send_gets_the_first_result_and_is_delivered_once() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let first = world.send(&alice, "bob", 1, "hello");
    world.pass(3.0);
    assert_eq!(world.send(&alice, "bob", 1, "hello"), first);
    assert_eq!(world.texts(bob.conn), ["hello"]);
    assert_eq!(world.state.history(&user("alice"), &user("bob")).len(), 1);
    assert_eq!(world.state.counters().repeated_sends, 1);
    // The same message to another receiver is a new message.
    world.send(&alice, "carol", 1, "hello");
    assert_eq!(world.state.history(&user("alice"), &user("carol")).len(), 1);
}

#[test]
fn refused_messages() {
    let mut world = World::new(SandboxConfig {
        auto_import: false,
        accounts: vec![user("alice"), user("bob")],
        ..config()
    });
    let alice = world.login("alice");
    let code = |world: &mut World, body: &Value| {
        world.call(&alice, "openim.sendmsg", body)["ErrorCode"].clone()
    };
    assert_eq!(
        code(&mut world, &send_body("alice", "nobody", 1, "x")),
        20003
    );
    assert_eq!(code(&mut world, &send_body("bob", "alice", 2, "x")), 20001);
    assert_eq!(
        code(
            &mut world,
            &send_body("alice", "bob", 3, &"x".repeat(12 * 1024))
        ),
        80002
    );
    assert_eq!(code(&mut world, &json!({})), 20001);
    let mut odd = send_body("alice", "bob", 4, "x");
    odd["MsgBody"] = json!([]);
    assert_eq!(code(&mut world, &odd), 20001);
    odd["MsgBody"] = json!({"MsgType": "TIMTextElem"});
    assert_eq!(code(&mut world, &odd), 20001);
    assert!(world.state.history(&user("alice"), &user("bob")).is_empty());
}

#[test]
fn online_only_messages_leave_no_trace() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let mut body = send_body("alice", "bob", 1, "typing");
    body["MsgLifeTime"] = json!(0);
    assert_eq!(world.call(&alice, "openim.sendmsg", &body)["ErrorCode"], 0);
    let push = world.pushes(bob.conn).remove(0);
    assert_eq!(
        push["body"]["EventArray"][0]["C2cMsgArray"][0]["MsgLifeTime"],
        0
    );
    let missed = world.getmsg(&bob, "");
    assert_eq!(
        (&missed["MsgList"], &missed["C2CPairUnreadCount"]),
        (&json!([]), &json!([]))
    );
    assert!(world.state.history(&user("alice"), &user("bob")).is_empty());
}

#[test]
fn offline_messages_wait_for_the_login() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    for n in 1..=3 {
        world.send(&alice, "bob", n, &format!("m{n}"));
    }
    let bob = world.login("bob");
    let missed = world.getmsg(&bob, "");
    assert_eq!(texts_in(&missed["MsgList"]), ["m1", "m2", "m3"]);
    assert_eq!(missed["SyncFlag"], 2);
    assert_eq!(
        missed["C2CPairUnreadCount"],
        json!([{"From_Account": "alice", "UnreadCount": 3}])
    );
    let cookie = missed["Cookie"].as_str().unwrap().to_owned();
    assert!(!cookie.is_empty());
    let nothing = world.getmsg(&bob, &cookie);
    assert_eq!(nothing["MsgList"], json!([]));
    assert!(!nothing["Cookie"].as_str().unwrap().is_empty());
}

#[test]
fn the_first_answer_has_a_cookie_even_without_messages() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let missed = world.getmsg(&alice, "");
    assert!(!missed["Cookie"].as_str().unwrap().is_empty());
    assert_eq!(missed["SyncFlag"], 2);
    for odd in ["c-", "c-99999999999999999999", "u-x", "nonsense"] {
        assert_eq!(world.getmsg(&alice, odd)["ErrorCode"], 0, "{odd}");
    }
}

#[test]
fn missed_messages_in_pages() {
    for cookie_of_before in [false, true] {
        let mut world = World::new(SandboxConfig {
            sync_page: Some(2),
            ..config()
        });
        let (alice, bob) = (world.login("alice"), world.login("bob"));
        let mut cookie = if cookie_of_before {
            world.getmsg(&bob, "")["Cookie"]
                .as_str()
                .unwrap()
                .to_owned()
        } else {
            String::new()
        };
        world.close(bob.conn);
        for n in 1..=5 {
            world.send(&alice, "bob", n, &format!("m{n}"));
        }
        let bob = world.login("bob");
        let (mut texts, mut flags) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let page = world.getmsg(&bob, &cookie);
            texts.extend(texts_in(&page["MsgList"]).into_iter().map(str::to_owned));
            flags.push(page["SyncFlag"].as_u64().unwrap());
            page["Cookie"].as_str().unwrap().clone_into(&mut cookie);
        }
        assert_eq!(texts, ["m1", "m2", "m3", "m4", "m5"]);
        assert_eq!(flags, [1, 1, 2]);
        assert_eq!(world.getmsg(&bob, &cookie)["MsgList"], json!([]));
    }
}

#[test]
fn read_messages_do_not_come_again_at_the_next_login() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.send(&alice, "bob", 1, "read");
    let body = json!({"C2CMsgReaded": {"Cookie": "", "C2CMsgReadedItem": [
        {"To_Account": "alice", "LastedMsgTime": START, "Receipt": 1},
    ]}});
    world.pushes(alice.conn);
    assert_eq!(world.call(&bob, "openim.msgreaded", &body)["ErrorCode"], 0);
    let push = world.pushes(alice.conn).remove(0);
    assert_eq!(
        push["body"]["EventArray"][0]["C2cNotifyMsgArray"][0]["C2cReadedReceipt"],
        json!({"To_Account": "bob", "UinPairReadArray": [
            {"From_Account": "alice", "LastReadTime": START},
        ]})
    );
    world.pass(1.0);
    world.send(&alice, "bob", 2, "unread");
    let bob = world.login("bob");
    let missed = world.getmsg(&bob, "");
    assert_eq!(texts_in(&missed["MsgList"]), ["unread"]);
    assert_eq!(missed["C2CPairUnreadCount"][0]["UnreadCount"], 1);
    let times = world.call(
        &alice,
        "openim.get_peer_read_time",
        &json!({"To_Account": ["carol", "bob"]}),
    );
    assert_eq!(times["ReadTime"], json!([0, START]));
}

#[test]
fn recall_within_its_time() {
    let idle_timeout = std::time::Duration::from_secs(1000);
    let mut world = World::new(SandboxConfig {
        idle_timeout,
        ..config()
    });
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let cookie = world.getmsg(&bob, "")["Cookie"]
        .as_str()
        .unwrap()
        .to_owned();
    world.send(&alice, "bob", 1, "oops");
    world.send(&alice, "bob", 2, "late");
    world.pushes(bob.conn);
    let info = |n: u64| {
        json!({"MsgInfo": {
            "From_Account": "alice", "To_Account": "bob", "MsgSeq": n, "MsgRandom": n,
            "MsgTimeStamp": START,
        }})
    };
    world.pass(120.0);
    assert_eq!(
        world.call(&bob, "openim.msgwithdraw", &info(1))["ErrorCode"],
        20001,
        "not his"
    );
    assert_eq!(
        world.call(&alice, "openim.msgwithdraw", &info(9))["ErrorCode"],
        20018
    );
    assert_eq!(
        world.call(&alice, "openim.msgwithdraw", &info(1))["ErrorCode"],
        0
    );
    let push = world.pushes(bob.conn).remove(0);
    let notice = &push["body"]["EventArray"][0]["C2cNotifyMsgArray"][0];
    let info0 = &notice["WithdrawC2cMsgNotify"]["C2cWithdrawInfoArray"][0];
    assert_eq!(
        (&info0["MsgSeq"], &info0["From_Account"]),
        (&json!(1), &json!("alice"))
    );
    world.pass(1.0);
    assert_eq!(
        world.call(&alice, "openim.msgwithdraw", &info(2))["ErrorCode"],
        20016
    );
    assert!(world.state.history(&user("alice"), &user("bob"))[0].recalled);
    // A client that was offline gets the recall notice, but not the message.
    let missed = world.getmsg(&bob, &cookie);
    assert_eq!(texts_in(&missed["MsgList"]), ["late"]);
    assert!(missed["MsgList"][1]["EventArray"][0]["C2cNotifyMsgArray"].is_array());
    assert_eq!(missed["C2CPairUnreadCount"][0]["UnreadCount"], 1);
}

#[test]
fn history_back_and_forth() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    for n in 0..40 {
        world.send(&alice, "bob", n + 1, &format!("h{n}"));
        world.pass(1.0);
    }
    let bob = world.login("bob");
    let (mut time, mut key, mut all) = (json!(0), json!(""), Vec::new());
    for expected in [0, 0, 1] {
        let page = world.call(
            &bob,
            "openim.getroammsg",
            &json!({
                "Peer_Account": "alice", "MaxCnt": 15, "LastMsgTime": time, "MsgKey": key,
                "WithRecalledMsg": 1, "GetDirection": 0,
            }),
        );
        assert_eq!(page["Complete"], expected);
        let texts: Vec<String> = texts_in(&page["MsgList"])
            .into_iter()
            .map(str::to_owned)
            .collect();
        all.splice(0..0, texts);
        (time, key) = (page["LastMsgTime"].clone(), page["MsgKey"].clone());
    }
    assert_eq!(
        all,
        (0..40).map(|n| format!("h{n}")).collect::<Vec<_>>(),
        "no gap, no double"
    );
    let forward = world.call(
        &bob,
        "openim.getroammsg",
        &json!({"Peer_Account": "alice", "MaxCnt": 16, "LastMsgTime": START + 37, "MsgKey": "",
            "WithRecalledMsg": 1, "GetDirection": 1}),
    );
    assert_eq!(texts_in(&forward["MsgList"]), ["h37", "h38", "h39"]);
    assert_eq!(forward["Complete"], 1);
}

#[test]
fn deleted_for_one_is_not_deleted_for_the_other() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let key = world.send(&alice, "bob", 1, "x")["MsgKey"].clone();
    let body = json!({"From_Account": "bob", "To_Account": "alice", "MsgKeyList": [key, "no key"]});
    assert_eq!(
        world.call(&bob, "openim.delete_c2c_msg_ramble", &body)["ErrorCode"],
        0
    );
    let page = |world: &mut World, login, peer| {
        let body = json!({"Peer_Account": peer, "WithRecalledMsg": 1});
        world.call(login, "openim.getroammsg", &body)["MsgCnt"].clone()
    };
    assert_eq!(page(&mut world, &bob, "alice"), 0);
    assert_eq!(page(&mut world, &alice, "bob"), 1);
}

#[test]
fn edits_have_versions() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.send(&alice, "bob", 1, "old");
    world.pushes(bob.conn);
    let edit = |version: u64, text: &str| {
        json!({"From_Account": "alice", "To_Account": "bob", "MsgSeq": 1, "MsgRandom": 1,
            "MsgTime": START, "MsgVersion": version, "CloudCustomData": "",
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}]})
    };
    let answer = world.call(&alice, "openim.modify_c2c_msg", &edit(0, "new"));
    assert_eq!(
        (&answer["ErrorCode"], &answer["MsgVersion"]),
        (&json!(0), &json!(1))
    );
    let push = world.pushes(bob.conn).remove(0);
    let changed = &push["body"]["EventArray"][0]["C2cMsgModNotifys"][0];
    assert_eq!(changed["MsgBody"][0]["MsgContent"]["Text"], "new");
    let conflict = world.call(&bob, "openim.modify_c2c_msg", &edit(0, "other"));
    assert_eq!(conflict["ErrorCode"], 20027);
    assert_eq!(conflict["MsgBody"][0]["MsgContent"]["Text"], "new");
}

#[test]
fn the_conversation_list_is_one_page() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let empty = world.call(
        &alice,
        "recentcontact.page_get",
        &json!({"From_Account": "alice"}),
    );
    assert_eq!(
        (&empty["CompleteFlag"], &empty["SessionItem"]),
        (&json!(1), &json!([]))
    );
    world.send(&alice, "bob", 1, "first");
    world
        .state
        .say(world.now, &user("carol"), &user("alice"), "second")
        .unwrap();
    let list = world.call(
        &alice,
        "recentcontact.page_get",
        &json!({"From_Account": "alice"}),
    );
    let peers: Vec<_> = list["SessionItem"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["To_Account"].as_str().unwrap())
        .collect();
    assert_eq!(peers, ["carol", "bob"], "newest first");
    assert_eq!(list["SessionItem"][0]["UnreadMsgCount"], 1);
}

#[test]
fn answers_the_official_sdk_loops_without() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    for (servcmd, field, value) in [
        ("sns.black_list_get", "StartIndex", json!(0)),
        ("recentcontact.page_get", "CompleteFlag", json!(1)),
        ("recentcontact.get_contact_group", "CompleteFlag", json!(1)),
        ("im_sdk_config_mgr.fetch_config", "uint64_version", json!(1)),
        (
            "im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2",
            "int32_error_code",
            json!(0),
        ),
        (
            "group_open_http_svc.get_joined_group_list",
            "TotalCount",
            json!(0),
        ),
        ("sns.friend_add", "ErrorCode", json!(0)),
        ("something.never_heard_of", "ErrorCode", json!(0)),
    ] {
        assert_eq!(
            world.call(&alice, servcmd, &json!({}))[field],
            value,
            "{servcmd}"
        );
    }
    assert_eq!(world.state.counters().unknown_commands, 1);
}

#[test]
fn profiles_default_to_the_user_id() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let nick = |world: &mut World| {
        let body = json!({"UserItem": [{"To_Account": "alice"}]});
        let answer = world.call(&alice, "profile.portrait_get_all", &body);
        answer["UserProfileItem"][0]["ProfileItem"][0]["Value"].clone()
    };
    assert_eq!(nick(&mut world), "alice");
    let body = json!({"ProfileItem": [{"Tag": "Tag_Profile_IM_Nick", "Value": "Al"}]});
    assert_eq!(
        world.call(&alice, "profile.portrait_set", &body)["ErrorCode"],
        0
    );
    assert_eq!(nick(&mut world), "Al");
}

#[test]
fn history_and_inbox_are_bounded() {
    let mut world = World::new(SandboxConfig {
        history_limit: 5,
        inbox_limit: 3,
        ..config()
    });
    let alice = world.login("alice");
    for n in 1..=20 {
        world.send(&alice, "bob", n, &format!("m{n}"));
    }
    let history = world.state.history(&user("alice"), &user("bob"));
    assert_eq!(
        history.iter().map(|m| m.seq).collect::<Vec<_>>(),
        [16, 17, 18, 19, 20]
    );
    let bob = world.login("bob");
    assert_eq!(
        texts_in(&world.getmsg(&bob, "")["MsgList"]),
        ["m18", "m19", "m20"]
    );
}

#[test]
fn messages_are_bounded_in_all() {
    let mut world = World::new(SandboxConfig {
        message_limit: 4,
        ..config()
    });
    let alice = world.login("alice");
    for n in 1..=3 {
        world.send(&alice, "bob", n, "x");
        world.send(&alice, "carol", n, "x");
    }
    let seqs = |world: &World, peer| {
        let history = world.state.history(&user("alice"), &user(peer));
        history.iter().map(|m| m.seq).collect::<Vec<_>>()
    };
    assert_eq!(
        (seqs(&world, "bob"), seqs(&world, "carol")),
        (vec![2, 3], vec![2, 3])
    );
    let bob = world.login("bob");
    assert_eq!(texts_in(&world.getmsg(&bob, "")["MsgList"]).len(), 2);
    let body = json!({"Peer_Account": "alice", "WithRecalledMsg": 1});
    assert_eq!(world.call(&bob, "openim.getroammsg", &body)["MsgCnt"], 2);
}
