//! Behaviour that other generations of the official SDK need: versions 2 and 3.1 to 3.4 of the web
//! SDK, and a later generation of which only the field names are known.

use serde_json::{Value, json};

use super::{Login, World, config, send_body, texts_in, user};
use crate::{SandboxConfig, Unknown};

/// Alice and Bob, both members of a Public group `g`.
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
    // All messages at once, as an application does that recalls what a user said.
    let recall = json!({"GroupId": "g", "MsgSeqList": seqs});
    assert_eq!(world.group_code(&alice, "group_msg_recall", &recall), 0);
    let (mut begin, mut told) = (0, Vec::new());
    for _ in 0..3 {
        let page = ask(&mut world, begin);
        told.extend(page["NotifyMsgList"].as_array().unwrap().clone());
        begin = page["NextMsgTime"].as_u64().unwrap();
    }
    assert_eq!(begin, 0, "three pages hold all recalls");
    assert_eq!(told.len(), 50);
    assert_eq!(told[0]["RevokerInfo"]["Revoker_Account"], "alice");
    assert!(told[0]["MsgSeq"].is_u64() && told[0]["MsgRandom"].is_u64());
    // The SDK's clock is up to a second behind.
    let body = json!({
        "GroupId": "g", "BeginTime": 0, "EndTime": world.now.unix_secs() * 1_000_000 - 900_000,
    });
    let late = world.group(&bob, "get_group_notify", &body);
    assert_eq!(late["NotifyMsgList"].as_array().unwrap().len(), 20);
    let stranger = world.login("carol");
    let refused = world.group_code(&stranger, "get_group_notify", &json!({"GroupId": "g"}));
    assert_eq!(refused, 10007);
    assert_eq!(world.state.counters().unknown_commands, 0);
}

#[test]
fn f2_a_sandbox_that_is_strict_refuses_what_it_does_not_know() {
    for (unknown, code) in [(Unknown::Warn, 0), (Unknown::Refuse, 60002)] {
        let mut world = World::new(SandboxConfig {
            unknown,
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
    // As the SDK pages: from the time of the last message, without a key.
    let (mut time, mut heard) = (super::START, Vec::<String>::new());
    for asked in 0.. {
        assert!(asked < 12, "paging makes no progress at {time}");
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

#[test]
fn f4_a_push_of_an_edit_names_the_message_by_every_name_of_its_time() {
    let (mut world, [alice, bob]) = two(config());
    let mut said = send_body("alice", "bob", 7, "before");
    said["MsgClientTime"] = json!(super::START - 3);
    world.call(&alice, "openim.sendmsg", &said);
    world.pushes(bob.conn);
    let mut edit = send_body("alice", "bob", 7, "after");
    edit["MsgTime"] = json!(super::START);
    edit["MsgVersion"] = json!(0);
    assert_eq!(
        world.call(&alice, "openim.modify_c2c_msg", &edit)["ErrorCode"],
        0
    );
    let mut in_group = text("alice", 8);
    in_group["MsgClientTime"] = json!(super::START - 3);
    let sent = world.group(&alice, "send_group_msg", &in_group);
    let edit = json!({
        "From_Account": "alice", "GroupId": "g", "MsgSeq": sent["MsgSeq"], "MsgVersion": 0,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "after"}}],
    });
    assert_eq!(
        world.call(&alice, "openim.modify_group_msg", &edit)["ErrorCode"],
        0
    );
    let events = world.events(bob.conn);
    for (name, seq) in [
        ("C2cMsgModNotifys", &json!(7)),
        ("GroupMsgModNotifys", &sent["MsgSeq"]),
    ] {
        let found = events.iter().find_map(|event| event.get(name));
        let changed = &found.unwrap()[0];
        for (field, value) in [
            ("MsgSeq", seq.clone()),
            ("MsgTime", json!(super::START)),
            ("MsgTimeStamp", json!(super::START)),
            ("MsgClientTime", json!(super::START - 3)),
            ("MsgVersion", json!(1)),
        ] {
            assert_eq!(changed[field], value, "{name} {field}");
        }
        assert!(changed["TinyId"].is_string() && changed["MsgRandom"].is_u64());
    }
}

#[test]
fn f8_a_profile_is_set_in_lower_case_too_and_what_is_not_understood_is_refused() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let small = json!({"ProfileItem": [{"tag": "Tag_Profile_IM_Nick", "value": "Alice L."}]});
    assert_eq!(
        world.call(&alice, "profile.portrait_set", &small)["ErrorCode"],
        0
    );
    let ask = json!({"To_Account": ["alice"], "TagList": ["Tag_Profile_IM_Nick"]});
    let got = world.rest("profile/portrait_get", &ask);
    let item = &got["UserProfileItem"][0]["ProfileItem"][0];
    assert_eq!(item["Value"], "Alice L.");
    for odd in [
        json!([{"TAG": "Tag_Profile_IM_Nick", "Value": "x"}]),
        json!([{"Tag": "Tag_Profile_IM_Nick"}]),
        json!([{"Tag": "Tag_Profile_IM_Nick", "Value": "y"}, "z"]),
    ] {
        let refused = world.call(&alice, "profile.portrait_set", &json!({"ProfileItem": odd}));
        assert_eq!(
            (&refused["ErrorCode"], &refused["ActionStatus"]),
            (&json!(40001), &json!("FAIL"))
        );
    }
    let got = world.rest("profile/portrait_get", &ask);
    assert_eq!(
        got["UserProfileItem"][0]["ProfileItem"][0], *item,
        "all or nothing"
    );
}

#[test]
fn f9_lists_have_the_names_that_both_generations_read() {
    let (mut world, [alice, bob]) = two(config());
    // Reactions.
    let sent = world.group(&alice, "send_group_msg", &text("alice", 1));
    let react = json!({
        "GroupId": "g", "MsgSeq": sent["MsgSeq"], "Reaction": "smile", "Add_Account": ["bob"],
    });
    let service = "openim_msg_ext_http_svc";
    let added = world.call(&bob, &format!("{service}.group_reaction_add"), &react);
    assert_eq!(added["ErrorCode"], 0);
    let ask = json!({"GroupId": "g", "MsgSeqList": [{"MsgSeq": sent["MsgSeq"]}], "Count": 10});
    for (login, by_me) in [(&alice, 0), (&bob, 1)] {
        let answer = world.call(login, &format!("{service}.group_reaction_multi_stat"), &ask);
        let result = &answer["Results"][0];
        assert_eq!(result["ReactionList"][0]["ReactedByMe"], by_me, "a number");
        assert_eq!(result["ReactionList"], result["MsgReactionSummary"]);
    }
    let push = world.events(alice.conn).pop().unwrap();
    let item = &push["MsgReactionNotifyList"][0];
    assert_eq!(item["ReactionList"][0]["Reaction"], "smile");
    assert_eq!(item["ReactionList"], item["MsgReactionSummary"]);
    // Attributes: one generation sets them, the other changes them.
    let control = json!(["RaceConflict"]);
    let set = json!({
        "GroupId": "g", "GroupAttr": [{"key": "a", "value": "1"}], "AttrMainSeq": 0,
        "AttrControl": control,
    });
    let set = world.group(&alice, "set_group_attr", &set);
    assert_eq!(
        set["GroupAttr"],
        json!([{"key": "a", "Key": "a", "seq": 1}])
    );
    assert_eq!(set["GroupAttrAry"], json!([{"key": "a", "seq": 1}]));
    let change = json!({
        "GroupId": "g", "GroupAttr": [{"Key": "a", "Value": "2", "Seq": set["GroupAttr"][0]["seq"]}],
        "AttrControl": control,
    });
    let changed = world.group(&bob, "modify_group_attr", &change);
    assert_eq!(
        (&changed["ErrorCode"], &changed["GroupAttr"][0]["seq"]),
        (&json!(0), &json!(2))
    );
    let got = world.call(
        &bob,
        "group_open_attr_http_svc.get_group_attr",
        &json!({"GroupId": "g"}),
    );
    assert_eq!(
        got["GroupAttr"],
        json!([{"key": "a", "Key": "a", "value": "2", "Value": "2", "seq": 2}])
    );
    assert_eq!(
        got["GroupAttrAry"],
        json!([{"key": "a", "value": "2", "seq": 2}])
    );
    let gone =
        json!({"GroupId": "g", "GroupAttr": [{"Key": "a", "Seq": 1}], "AttrControl": control});
    assert_eq!(
        world.group_code(&bob, "delete_group_attr", &gone),
        10056,
        "the number is 2"
    );
    // Searches.
    let search = json!({"KeywordList": ["x"], "GroupID": "g", "Count": 10});
    let found = world.call(&bob, "message_search.query", &search);
    let found = &found["ConversationMsgs"][0];
    assert_eq!(found["MsgList"][0]["MsgSeq"], sent["MsgSeq"]);
    assert_eq!(found["MsgList"], found["MessageList"]);
}

#[test]
fn f9_an_answer_comes_before_the_pushes_that_its_request_causes() {
    let (mut world, [alice, bob]) = two(config());
    let room = json!({"Type": "AVChatRoom", "Name": "r", "GroupId": "r", "Owner_Account": "alice"});
    world.group(&alice, "create_group", &room);
    world.pushes(alice.conn);
    for (login, command, body) in [
        (
            &bob,
            "group_open_http_svc.apply_join_group",
            json!({"GroupId": "r"}),
        ),
        (
            &bob,
            "group_open_http_svc.quit_group",
            json!({"GroupId": "r"}),
        ),
        (
            &bob,
            "group_open_http_svc.quit_group",
            json!({"GroupId": "g"}),
        ),
        (
            &alice,
            "group_open_http_svc.destroy_group",
            json!({"GroupId": "g"}),
        ),
        (
            &alice,
            "group_open_http_svc.create_group",
            json!({"Type": "Public", "Name": "n", "GroupId": "h"}),
        ),
        (&alice, "sns.black_list_add", json!({"To_Account": ["bob"]})),
        (
            &alice,
            "follow.follow_add",
            json!({"FollowAccounts": ["bob"], "To_Account": ["bob"]}),
        ),
    ] {
        let text = body.to_string();
        let head = json!({
            "ver": "v4", "platform": 7, "sdkappid": super::APP, "servcmd": command, "seq": 77,
            "a2": login.a2, "tinyid": "1", "status_instid": login.instance,
        });
        let frame = format!("{{\"head\":{head},\"body\":{text}}}");
        world.pushes(login.conn);
        world.state.receive(world.now, login.conn, frame.as_bytes());
        let frames = world.pushes(login.conn);
        assert_eq!(frames[0]["head"]["seq"], 77, "{command}: {frames:?}");
        assert_eq!(frames[0]["body"]["ErrorCode"], 0, "{command}: {frames:?}");
    }
}

#[test]
fn f9_a_poll_on_the_same_link_is_answered_after_the_message_that_ends_it() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let room = json!({"Type": "AVChatRoom", "Name": "r", "GroupId": "r", "Owner_Account": "alice"});
    world.group(&alice, "create_group", &room);
    let joined = world.group(&alice, "apply_join_group", &json!({"GroupId": "r"}));
    let poll = json!({"Key": joined["LongPollingKey"], "StartSeq": joined["StartSeq"]});
    let held = world.call(&alice, "group_open_long_polling_http_svc.get_msg", &poll);
    if !held.is_null() {
        // The first poll returned the join tip; the next poll is held.
        let poll = json!({"Key": joined["LongPollingKey"], "StartSeq": held["NextSeq"]});
        let held = world.call(&alice, "group_open_long_polling_http_svc.get_msg", &poll);
        assert!(held.is_null(), "{held}");
    }
    world.pushes(alice.conn);
    let mut said = text("alice", 1);
    said["GroupId"] = json!("r");
    let body = said.to_string();
    let command = "group_open_http_svc.send_group_msg";
    let head = json!({
        "ver": "v4", "platform": 7, "sdkappid": super::APP, "servcmd": command, "seq": 77,
        "a2": alice.a2, "tinyid": "1", "status_instid": alice.instance,
    });
    let frame = format!("{{\"head\":{head},\"body\":{body}}}");
    world.state.receive(world.now, alice.conn, frame.as_bytes());
    world.pass(1.0);
    let frames = world.pushes(alice.conn);
    let commands: Vec<&str> = frames
        .iter()
        .filter_map(|f| f["head"]["servcmd"].as_str())
        .collect();
    assert_eq!(
        commands,
        [command, "group_open_long_polling_http_svc.get_msg"]
    );
}

#[test]
fn f9_what_the_app_has_bought_is_told_after_an_expiry_too() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let purchases = "im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2";
    world.fault(crate::state::Fault::Expire {
        user: user("alice"),
    });
    assert_eq!(world.hello(&alice), 70001);
    let answer = world.call(&alice, purchases, &json!({"uint32_sdkappid": super::APP}));
    assert_eq!(
        (&answer["ErrorCode"], &answer["int32_error_code"]),
        (&json!(0), &json!(0))
    );
}

#[test]
fn f10_what_is_refused_says_so_in_every_field() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let slip = json!({"ItemList": [{"OldGroupName": "friends", "ContactItem": []}]});
    let refused = world.call(&alice, "recentcontact.update_contact_group", &slip);
    assert_eq!(
        (&refused["ErrorCode"], &refused["ActionStatus"]),
        (&json!(51006), &json!("FAIL"))
    );
    assert_ne!(refused["ErrorInfo"], "");
}

#[test]
fn f12_clients_without_checksums_are_served_by_a_strict_sandbox() {
    let mut world = World::new(SandboxConfig {
        strict_checksum: true,
        ..config()
    });
    let alice = world.login("alice");
    let frame = |cs: Value| {
        let mut head = json!({
            "sdkappid": super::APP, "servcmd": "im_open_status.wshello", "seq": 77, "a2": alice.a2,
        });
        if !cs.is_null() {
            head["cs"] = cs;
        }
        format!("{{\"head\":{head},\"body\":{{}}}}")
    };
    for (cs, code) in [(Value::Null, 0), (json!(1), 60002)] {
        world
            .state
            .receive(world.now, alice.conn, frame(cs).as_bytes());
        assert_eq!(world.pushes(alice.conn)[0]["body"]["ErrorCode"], code);
    }
    assert_eq!(world.state.counters().bad_checksums, 1);
}
