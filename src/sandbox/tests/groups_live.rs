//! Live rooms: held polls, and numbered items.

use serde_json::{Value, json};

use super::{Login, World, config};
use crate::{SandboxConfig, policy::Now};

const POLL: &str = "group_open_long_polling_http_svc.get_msg";

/// Joins and returns the key and the start number.
fn enter(world: &mut World, login: &Login) -> (Value, u64) {
    let answer = world.group(login, "apply_join_group", &json!({"GroupId": "room"}));
    assert_eq!(
        (&answer["ErrorCode"], &answer["HugeGroupFlag"]),
        (&json!(0), &json!(1))
    );
    (
        answer["LongPollingKey"].clone(),
        answer["StartSeq"].as_u64().unwrap(),
    )
}

fn poll(world: &mut World, login: &Login, key: &Value, start: u64) -> Value {
    let body = json!({"USP": 1, "Key": key, "StartSeq": start, "HoldTime": 90});
    world.call(login, POLL, &body)
}

/// The answer to a poll that was held.
fn held(world: &mut World, login: &Login) -> Value {
    world.pump();
    let frames = world.received.entry(login.conn).or_default();
    let at = frames
        .iter()
        .position(|frame| frame["head"]["servcmd"] == POLL);
    at.map_or(Value::Null, |at| frames.remove(at)["body"].take())
}

fn say(world: &mut World, login: &Login, number: u64, text: &str) -> Value {
    let body = json!({
        "From_Account": login.user, "GroupId": "room", "Random": number, "ClientSeq": number,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
    });
    world.group(login, "send_group_msg", &body)
}

fn room(config: SandboxConfig) -> (World, Login, Login) {
    let mut world = World::new(config);
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let body = json!({"Type": "AVChatRoom", "Name": "live", "GroupId": "room"});
    assert_eq!(
        world.group(&alice, "create_group", &body)["HugeGroupFlag"],
        1
    );
    (world, alice, bob)
}

#[test]
fn a_poll_waits_until_something_comes() {
    let (mut world, alice, bob) = room(config());
    let (key, start) = enter(&mut world, &bob);
    let own = poll(&mut world, &bob, &key, start);
    assert_eq!(own["RspMsgList"][0]["MsgBody"]["OpType"], 1, "its own join");
    assert_eq!(
        own["RspMsgList"][0]["MsgBody"]["OnlineMemberInfo"]["OnlineMemberNum"],
        2
    );
    let next = own["NextSeq"].as_u64().unwrap();
    assert_eq!(poll(&mut world, &bob, &key, next), Value::Null);
    assert_eq!(world.state.held_polls(), 1);
    say(&mut world, &alice, 1, "hello");
    let got = held(&mut world, &bob);
    let item = &got["RspMsgList"][0];
    assert_eq!((&item["Event"], &item["MsgSeq"]), (&json!(3), &json!(next)));
    assert_eq!((&item["ToGroupId"], &got["Key"]), (&json!("room"), &key));
    assert_eq!(got["NextSeq"], next + 1);
    assert!(world.pushes(bob.conn).is_empty(), "nothing is pushed");
    // Items that arrive while no poll is held come with the next poll.
    say(&mut world, &alice, 2, "one");
    say(&mut world, &alice, 3, "two");
    let both = poll(&mut world, &bob, &key, next + 1);
    assert_eq!(both["RspMsgList"].as_array().unwrap().len(), 2);
}

#[test]
fn an_idle_poll_is_answered_in_time() {
    let (mut world, _, bob) = room(config());
    let (key, start) = enter(&mut world, &bob);
    poll(&mut world, &bob, &key, start + 1);
    world.pass(9.9);
    assert_eq!(held(&mut world, &bob), Value::Null);
    world.pass(0.2);
    let empty = held(&mut world, &bob);
    assert_eq!(
        (&empty["RspMsgList"], &empty["NextSeq"]),
        (&json!([]), &json!(start + 1))
    );
    assert_eq!(world.state.held_polls(), 0);
}

#[test]
fn a_recall_is_an_item_with_its_own_number() {
    let (mut world, alice, bob) = room(config());
    let (key, _) = enter(&mut world, &bob);
    let sent = say(&mut world, &alice, 5, "oops");
    let seq = sent["MsgSeq"].as_u64().unwrap();
    let recall = json!({"GroupId": "room", "MsgSeqList": [{"MsgSeq": seq}]});
    world.group(&alice, "group_msg_recall", &recall);
    let items = poll(&mut world, &bob, &key, seq)["RspMsgList"].clone();
    assert_eq!(
        (&items[1]["Event"], &items[1]["MsgSeq"]),
        (&json!(20), &json!(seq + 1))
    );
    assert_eq!(items[1]["MsgBody"]["RevokeMsgList"][0]["MsgRandom"], 5);
}

#[test]
fn leaving_and_dismissing_end_the_polls() {
    let (mut world, alice, bob) = room(config());
    let (key, start) = enter(&mut world, &bob);
    poll(&mut world, &bob, &key, start + 1);
    let (alice_key, alice_start) = enter(&mut world, &alice);
    held(&mut world, &bob);
    poll(&mut world, &bob, &key, start + 9);
    let count = world.group(&bob, "get_online_member_num", &json!({"GroupId": "room"}));
    assert_eq!(count["OnlineMemberNum"], 2);
    assert_eq!(
        world.group_code(&alice, "quit_group", &json!({"GroupId": "room"})),
        10009
    );
    assert_eq!(
        world.group_code(&bob, "quit_group", &json!({"GroupId": "room"})),
        0
    );
    assert_eq!(held(&mut world, &bob)["ErrorCode"], 10010);
    assert_eq!(world.heard(bob.conn), ["notice 8"]);
    assert_eq!(poll(&mut world, &bob, &key, start)["ErrorCode"], 10010);
    let left = poll(&mut world, &alice, &alice_key, alice_start + 1);
    assert_eq!(left["RspMsgList"][0]["MsgBody"]["OpType"], 2);
    poll(&mut world, &alice, &alice_key, alice_start + 2);
    assert_eq!(
        world.group_code(&alice, "destroy_group", &json!({"GroupId": "room"})),
        0
    );
    assert_eq!(held(&mut world, &alice)["ErrorCode"], 10010);
    assert_eq!(poll(&mut world, &alice, &alice_key, 1)["ErrorCode"], 10010);
}

#[test]
fn held_polls_are_bounded_one_per_login_and_gone_with_the_link() {
    let (mut world, alice, bob) = room(SandboxConfig {
        held_poll_limit: 1,
        ..config()
    });
    let (key, start) = enter(&mut world, &bob);
    let (other, _) = enter(&mut world, &alice);
    poll(&mut world, &bob, &key, start + 5);
    poll(&mut world, &bob, &key, start + 5);
    assert_eq!(
        held(&mut world, &bob)["RspMsgList"],
        json!([]),
        "the older one is answered"
    );
    let full = poll(&mut world, &alice, &other, start + 5);
    assert_eq!(full["RspMsgList"], json!([]), "no room: answered at once");
    world.state.closed(world.now, bob.conn);
    assert_eq!(world.state.held_polls(), 0);
    let late = Now::new(world.now.mono * 2, world.now.unix);
    world.state.tick(late);
}

#[test]
fn a_room_keeps_so_many_items() {
    let (mut world, alice, bob) = room(SandboxConfig {
        live_backlog: 3,
        ..config()
    });
    let (key, start) = enter(&mut world, &bob);
    for number in 1..=6 {
        say(&mut world, &alice, number, "x");
    }
    let items = poll(&mut world, &bob, &key, start)["RspMsgList"].clone();
    assert_eq!(items.as_array().unwrap().len(), 3);
    assert_eq!(world.state.counters().group_dropped, 4);
}

#[test]
fn whoever_enters_may_see_some_of_the_past() {
    for shown in [0, 3] {
        let (mut world, alice, bob) = room(SandboxConfig {
            live_history: shown,
            ..config()
        });
        for number in 1..=5 {
            say(&mut world, &alice, number, &format!("m{number}"));
        }
        let recall = json!({"GroupId": "room", "MsgSeqList": [{"MsgSeq": 4}]});
        let recalled = world.group(&alice, "group_msg_recall", &recall);
        assert_eq!(recalled["ErrorCode"], 0, "{recalled}");
        let texts = |answer: &Value| -> Vec<String> {
            let items = answer["RspMsgList"].as_array().unwrap().iter();
            items
                .map(|item| {
                    assert_eq!(item["IsHistoryMessage"], 1);
                    let text = &item["MsgBody"][0]["MsgContent"]["Text"];
                    text.as_str().unwrap().to_owned()
                })
                .collect()
        };
        let early = json!({"GroupId": "room", "LongPollingKey": "k", "PullPreSeq": 0});
        let stranger = world.group(&bob, "get_huge_group_msg", &early);
        assert_eq!(stranger["ErrorCode"], 10007);
        let joined = world.group(&bob, "apply_join_group", &json!({"GroupId": "room"}));
        assert_eq!(joined["RspMsgList"], json!([]), "not asked for");
        let with = json!({"GroupId": "room", "HugeGroupHistoryMsgFlag": 1});
        let joined = world.group(&bob, "apply_join_group", &with);
        let last: &[&str] = if shown == 0 { &[] } else { &["m2", "m3", "m5"] };
        assert_eq!(texts(&joined), last);
        let all = world.group(&bob, "get_huge_group_msg", &early);
        assert_eq!(texts(&all), last);
        let from = joined["RspMsgList"][1]["MsgSeq"].as_u64().unwrap_or(1);
        let early = json!({"GroupId": "room", "PullPreSeq": from});
        let answer = world.group(&bob, "get_huge_group_msg", &early);
        let first: &[&str] = if shown == 0 { &[] } else { &["m1", "m2"] };
        assert_eq!(texts(&answer), first);
        assert_eq!(answer["IsFinished"], 1);
        let body = json!({"Type": "Public", "Name": "p", "GroupId": "public"});
        world.group(&bob, "create_group", &body);
        let ordinary = world.group(&bob, "get_huge_group_msg", &json!({"GroupId": "public"}));
        assert_eq!(ordinary["ErrorCode"], 10004);
    }
}

#[test]
fn whoever_is_banned_is_out_and_stays_out_for_its_time() {
    let (mut world, alice, bob) = room(config());
    let (carol, dave) = (world.login("carol"), world.login("dave"));
    for login in [&alice, &carol, &dave] {
        enter(&mut world, login);
    }
    let (key, _) = enter(&mut world, &bob);
    let ban = |user: &str, lasts: u64| json!({"GroupId": "room", "Members_Account": [user], "Duration": lasts, "Description": "spam"});
    for (login, body, code) in [
        (&carol, ban("bob", 20), 10007),
        (&alice, ban("alice", 60), 10007),
        (&alice, ban("bob", 0), 10004),
        (&alice, json!({"GroupId": "room", "Duration": 60}), 10004),
        (
            &alice,
            json!({"GroupId": "nowhere", "Members_Account": ["bob"], "Duration": 1}),
            10010,
        ),
    ] {
        let refused = world.group(login, "ban_group_member", &body);
        assert_eq!(refused["ErrorCode"], code, "{body}");
    }
    world.pushes(bob.conn);
    // Bob's held poll ends, and Bob is notified.
    let waiting = poll(&mut world, &bob, &key, 1_000);
    assert_eq!(waiting, Value::Null);
    assert_eq!(
        world.group(&alice, "ban_group_member", &ban("bob", 20))["ErrorCode"],
        0
    );
    assert_eq!(held(&mut world, &bob)["ErrorCode"], 10010);
    let pushes = world.pushes(bob.conn);
    let notice = pushes
        .iter()
        .find_map(|push| push.pointer("/body/EventArray/0/GroupTips/0"));
    let body = &notice.unwrap()["MsgBody"];
    assert_eq!(
        (
            &body["ReportType"],
            &body["Operator_Account"],
            &body["RemarkInfo"]
        ),
        (&json!(21), &json!("alice"), &json!("spam"))
    );
    // The room gets a tip.
    let (key, _) = enter(&mut world, &carol);
    let items = poll(&mut world, &carol, &key, 0)["RspMsgList"].clone();
    let tip = &items.as_array().unwrap().last().unwrap()["MsgBody"];
    assert_eq!(
        (&tip["OpType"], &tip["List_Account"]),
        (&json!(10), &json!(["bob"]))
    );

    // A member cannot ban an account that was never in the room; the owner can.
    assert_eq!(
        world.group(&alice, "ban_group_member", &ban("erin", 600))["ErrorCode"],
        0
    );
    let list = |world: &mut World, offset: u64| {
        let body = json!({"GroupId": "room", "Limit": 1, "Offset": offset});
        world.rest("group_open_http_svc/get_group_ban_member", &body)
    };
    let all = json!({"GroupId": "room"});
    let refused = world.group(&alice, "get_group_ban_member", &all);
    assert_eq!(
        refused["ErrorCode"], 10007,
        "the app may ask, and nobody else"
    );
    let first = list(&mut world, 0);
    let until = world.now.unix_secs() + 20;
    assert_eq!(
        first["BannedAccountList"],
        json!([{"Member_Account": "bob", "BannedUntil": until}])
    );
    let second = list(&mut world, first["NextOffset"].as_u64().unwrap());
    assert_eq!(second["BannedAccountList"][0]["Member_Account"], "erin");
    assert_eq!(second["NextOffset"], 0);
    let join = json!({"GroupId": "room"});
    assert_eq!(
        world.group(&bob, "apply_join_group", &join)["ErrorCode"],
        10007
    );
    assert_eq!(say(&mut world, &bob, 9, "let me in")["ErrorCode"], 10007);

    // The ban ends by time, or is lifted.
    world.pass(21.0);
    let erin = world.login("erin");
    assert_eq!(world.group(&bob, "apply_join_group", &join)["ErrorCode"], 0);
    assert_eq!(
        world.group(&erin, "apply_join_group", &join)["ErrorCode"],
        10007
    );
    let pardon = json!({"GroupId": "room", "Members_Account": ["erin", "bob"]});
    assert_eq!(
        world.group(&alice, "unban_group_member", &pardon)["ErrorCode"],
        10007
    );
    assert_eq!(
        world.rest("group_open_http_svc/unban_group_member", &pardon)["ErrorCode"],
        0
    );
    assert_eq!(
        world.group(&erin, "apply_join_group", &join)["ErrorCode"],
        0
    );
    let (key, _) = enter(&mut world, &carol);
    let items = poll(&mut world, &carol, &key, 0)["RspMsgList"].clone();
    let tips = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["MsgBody"]);
    let pardons: Vec<&Value> = tips.filter(|tip| tip["OpType"] == 11).collect();
    assert_eq!(pardons.len(), 1);
    assert_eq!(
        pardons[0]["List_Account"],
        json!(["erin"]),
        "bob's ban was over"
    );
}

#[test]
fn what_was_for_the_moment_or_was_deleted_is_no_past() {
    let (mut world, alice, bob) = room(config());
    enter(&mut world, &bob);
    for number in 1..=3 {
        say(&mut world, &alice, number, &format!("m{number}"));
    }
    let passing = json!({
        "From_Account": "alice", "GroupId": "room", "Random": 9, "ClientSeq": 9, "OnlineOnlyFlag": 1,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "passing"}}],
    });
    let sent = world.group(&alice, "send_group_msg", &passing);
    assert_eq!(sent["ErrorCode"], 0);
    let past = |world: &mut World, login: &Login| -> Vec<(u64, String)> {
        let page = world.group(login, "get_huge_group_msg", &json!({"GroupId": "room"}));
        let items = page["RspMsgList"].as_array().unwrap().iter();
        items
            .map(|item| {
                let text = &item["MsgBody"][0]["MsgContent"]["Text"];
                (
                    item["MsgSeq"].as_u64().unwrap(),
                    text.as_str().unwrap().to_owned(),
                )
            })
            .collect()
    };
    let all = past(&mut world, &bob);
    let texts: Vec<&str> = all.iter().map(|(_, text)| &**text).collect();
    assert_eq!(texts, ["m1", "m2", "m3"]);
    let delete = json!({"GroupId": "room", "Seqs": [all[1].0]});
    let deleted = world.group(&bob, "delete_group_ramble_msg_by_seq", &delete);
    assert_eq!(deleted["ErrorCode"], 0, "{deleted}");
    let texts: Vec<String> = past(&mut world, &bob).into_iter().map(|(_, t)| t).collect();
    assert_eq!(texts, ["m1", "m3"]);
    assert_eq!(past(&mut world, &alice).len(), 3, "others still see it");
}

const LOOK_IN: &str = "group_open_http_noauth_svc.apply_join_group";
const GUEST_POLL: &str = "group_open_long_polling_http_noauth_svc.get_msg";

#[test]
fn guests_hear_a_room_and_are_no_members() {
    let (mut world, alice, _) = room(SandboxConfig {
        held_poll_limit: 2,
        ..config()
    });
    let public = json!({"Type": "Public", "Name": "p", "GroupId": "public"});
    world.group(&alice, "create_group", &public);
    say(&mut world, &alice, 1, "before");
    let connect = |world: &mut World| Login {
        user: String::new(),
        conn: world.connect(),
        a2: String::new(),
        instance: 0,
    };
    let guest = connect(&mut world);
    for (group, code) in [("nowhere", 10010), ("public", 10007)] {
        let refused = world.call(&guest, LOOK_IN, &json!({"GroupId": group}));
        assert_eq!(refused["ErrorCode"], code, "{group}");
    }
    for (body, code) in [(json!({}), 10004), (json!({"Key": "k"}), 10010)] {
        assert_eq!(world.call(&guest, GUEST_POLL, &body)["ErrorCode"], code);
    }
    let refused = world.call(&guest, POLL, &json!({"Key": "k"}));
    assert_ne!(refused["ErrorCode"], 0, "only commands that need no login");

    let seen = world.call(&guest, LOOK_IN, &json!({"GroupId": "room"}));
    assert_eq!(seen["HugeGroupFlag"], 1);
    let key = seen["LongPollingKey"].clone();
    say(&mut world, &alice, 2, "now");
    // The first poll as the SDK sends it.
    let poll = json!({"USP": 1, "Key": key, "StartSeq": 0, "HoldTime": 90});
    let heard = world.call(&guest, GUEST_POLL, &poll);
    let items = heard["RspMsgList"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["MsgBody"][0]["MsgContent"]["Text"], "now");
    let members = world.group(&alice, "get_group_member_info", &json!({"GroupId": "room"}));
    assert_eq!(members["MemberNum"], 1, "{members}");

    // The key outlives the link. A held poll returns new items, and is answered when the room is
    // dismissed.
    world.state.closed(world.now, guest.conn);
    let guest = connect(&mut world);
    let next = json!({"Key": key, "StartSeq": heard["NextSeq"]});
    let held = |world: &mut World| {
        world.pump();
        let frames = world.received.entry(guest.conn).or_default();
        let at = frames
            .iter()
            .position(|frame| frame["head"]["servcmd"] == GUEST_POLL);
        at.map_or(Value::Null, |at| frames.remove(at)["body"].take())
    };
    assert_eq!(world.call(&guest, GUEST_POLL, &next), Value::Null);
    say(&mut world, &alice, 3, "later");
    let told = held(&mut world);
    assert_eq!(
        told["RspMsgList"][0]["MsgBody"][0]["MsgContent"]["Text"],
        "later"
    );
    let next = json!({"Key": key, "StartSeq": told["NextSeq"]});
    assert_eq!(world.call(&guest, GUEST_POLL, &next), Value::Null);
    world.group(&alice, "destroy_group", &json!({"GroupId": "room"}));
    assert_eq!(held(&mut world)["ErrorCode"], 10010);
    assert_eq!(world.call(&guest, GUEST_POLL, &next)["ErrorCode"], 10010);
}

#[test]
fn so_many_guests_and_the_oldest_go_first() {
    let (mut world, alice, _) = room(SandboxConfig {
        held_poll_limit: 2,
        ..config()
    });
    let keys: Vec<Value> = (0..3)
        .map(|_| {
            let seen = world.call(&alice, LOOK_IN, &json!({"GroupId": "room"}));
            seen["LongPollingKey"].clone()
        })
        .collect();
    say(&mut world, &alice, 1, "hello");
    let codes = keys.iter().map(|key| {
        let poll = json!({"Key": key, "StartSeq": 0});
        world.call(&alice, GUEST_POLL, &poll)["ErrorCode"].clone()
    });
    assert_eq!(codes.collect::<Vec<_>>(), [10010, 0, 0]);
}

#[test]
fn a_message_to_some_is_not_for_rooms_and_communities() {
    let (mut world, alice, bob) = room(config());
    enter(&mut world, &bob);
    let body = json!({"Type": "Community", "Name": "c", "GroupId": "@TGS#_c", "SupportTopic": 0});
    world.group(&alice, "create_group", &body);
    for group in ["room", "@TGS#_c"] {
        let body = json!({
            "From_Account": "alice", "GroupId": group, "Random": 1, "ClientSeq": 1,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}],
            "To_Account": ["bob"],
        });
        let refused = world.group(&alice, "send_group_msg", &body);
        assert_eq!(refused["ErrorCode"], 10004, "{group}: {refused}");
    }
}

#[test]
fn members_who_are_there_are_listed_in_pages_and_by_their_marks() {
    const SERVICE: &str = "group_open_avchatroom_http_svc";
    let (mut world, alice, bob) = room(config());
    enter(&mut world, &alice);
    enter(&mut world, &bob);
    let guests: Vec<Login> = (0..150)
        .map(|n| {
            let guest = world.login(&format!("guest-{n:03}"));
            enter(&mut world, &guest);
            guest
        })
        .collect();
    let out = world.call(&guests[0], "im_open_status.wslogout", &json!({}));
    assert_eq!(out["ErrorCode"], 0);
    let list = |world: &mut World, body: Value| {
        let (mut all, mut start) = (Vec::new(), 0);
        loop {
            let mut body = body.clone();
            body["Timestamp"] = start.into();
            let page = world.call(&bob, &format!("{SERVICE}.get_members"), &body);
            let members = page["MemberList"].as_array().unwrap();
            assert!(members.len() <= 100);
            let names = members
                .iter()
                .map(|member| member["Member_Account"].clone());
            all.extend(names);
            start = page["NextTimestamp"].as_u64().unwrap();
            if start == 0 {
                return all;
            }
        }
    };
    let all = list(&mut world, json!({"GroupId": "room"}));
    assert_eq!(all.len(), 151, "one of them is offline");
    assert_eq!(all[..3], ["alice", "bob", "guest-001"]);
    let mark = |login: &Login, world: &mut World, kind: u8, marks: Value| {
        let body = json!({"GroupId": "room", "CommandType": kind, "MemberList": [
            {"Member_Account": "guest-007", "Marks": marks},
            {"Member_Account": "nobody", "Marks": marks}]});
        world.call(login, &format!("{SERVICE}.modify_user_info"), &body)
    };
    let vip = json!({"GroupId": "room", "Mark": 1001});
    assert_eq!(mark(&bob, &mut world, 1, json!([1001]))["ErrorCode"], 10007);
    let done = mark(&alice, &mut world, 1, json!([1001, 7]));
    assert_eq!(
        done["MemberList"],
        json!([{"Member_Account": "guest-007", "Marks": [1001]}])
    );
    assert_eq!(list(&mut world, vip.clone()), ["guest-007"]);
    mark(&alice, &mut world, 2, json!([1001]));
    assert!(list(&mut world, vip).is_empty());
    assert_eq!(
        mark(&alice, &mut world, 3, json!([1001]))["ErrorCode"],
        10004
    );
    let other = json!({"GroupId": "no-room"});
    let answer = world.call(&bob, &format!("{SERVICE}.get_members"), &other);
    assert_eq!(answer["ErrorCode"], 10010);
}
