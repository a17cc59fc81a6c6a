//! The conversation list, and the other commands about one-to-one conversations.

use serde_json::{Value, json};

use super::{Login, START, World, config, texts_in};
use crate::SandboxConfig;

/// Alice with two logins, and Bob.
fn world() -> (World, Login, Login, Login) {
    let mut world = World::new(SandboxConfig {
        max_web_instances: 2,
        ..config()
    });
    let (first, second) = (world.login("alice"), world.login("alice"));
    let bob = world.login("bob");
    (world, first, second, bob)
}

fn listed(world: &mut World, login: &Login) -> Vec<Value> {
    let answer = world.call(login, "recentcontact.page_get", &json!({}));
    assert_eq!(answer["CompleteFlag"], 1);
    answer["SessionItem"].as_array().unwrap().clone()
}

/// The changes of the list pushed to a login since the last call.
fn changes(world: &mut World, login: &Login) -> Vec<Value> {
    let pushes = world.pushes(login.conn);
    let events = pushes
        .iter()
        .map(|push| &push["body"]["EventArray"][0]["RecentContactMod"][0]);
    events
        .filter(|change| change.is_object())
        .cloned()
        .collect()
}

#[test]
fn conversations_stand_in_order_with_their_last_message_and_settings() {
    let (mut world, alice, other, bob) = world();
    world.send(&bob, "alice", 1, "one");
    world.pass(5.0);
    world
        .state
        .say(
            world.now,
            &super::user("carol"),
            &super::user("alice"),
            "two",
        )
        .unwrap();
    let names: Vec<Value> = listed(&mut world, &alice)
        .iter()
        .map(|i| i["To_Account"].clone())
        .collect();
    assert_eq!(names, ["carol", "bob"]);
    let item = |peer: &str| json!([{"Type": 1, "To_Account": peer}]);
    world.pushes(other.conn);
    world.call(
        &alice,
        "recentcontact.top",
        &json!({"OperationType": 1, "RecentContactItem": item("bob")}),
    );
    assert_eq!(
        changes(&mut world, &other),
        [json!({"PushType": 2, "RecentContactTopItem": {
            "RecentContactList": [{"Type": 1, "UserId": "bob"}],
        }})]
    );
    assert!(
        changes(&mut world, &alice).is_empty(),
        "this login made the change"
    );
    let mark = json!({"MarkItem": [
        {"OptType": 1, "ContactItem": {"Type": 1, "To_Account": "bob"}, "SetMark": [0, 3]},
        {"OptType": 2, "ContactItem": {"Type": 1, "To_Account": "bob"}, "CustomMark": "c"},
        {"OptType": 1, "ContactItem": {"Type": 2, "ToGroupId": "g"}, "SetMark": [99]},
    ]});
    let rows = world.call(&alice, "recentcontact.mark_contact", &mark)["ResultItem"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 3);
    let item = &listed(&mut world, &alice)[1];
    for (field, expected) in [
        ("TopFlags", json!(1)),
        ("StandardMark", json!("1001")),
        ("CustomMark", json!("c")),
        ("LastC2CMsgFrom_Account", json!("bob")),
        ("C2cPeerReadTime", json!(0)),
    ] {
        assert_eq!(item[field], expected, "{field}");
    }
    assert_eq!(item["LastMsg"]["MsgBody"][0]["MsgContent"]["Text"], "one");
    let pushed = changes(&mut world, &other);
    assert_eq!(
        pushed[0]["RecentContactMarkContact"]["RecentContactMarkContactItem"][1]["CustomMark"],
        "c"
    );
}

#[test]
fn groups_of_conversations_are_made_renamed_filled_and_removed() {
    let (mut world, alice, other, bob) = world();
    world.send(&bob, "alice", 1, "one");
    world.pushes(other.conn);
    let bob = json!({"Type": 1, "To_Account": "bob"});
    let body = json!({"GroupContactItem": [{"GroupName": "work", "ContactItem": [bob]}]});
    let made = world.call(&alice, "recentcontact.create_contact_group", &body);
    let id = made["GroupResultItem"][0]["GroupItem"]["GroupId"].clone();
    assert_eq!(listed(&mut world, &alice)[0]["ContactGroupId"], json!([id]));
    let rename = json!({"UpdateType": 1, "UpdateGroup": {
        "UpdateGroupType": 1, "OldGroupName": "work", "NewGroupName": "play",
    }});
    let renamed = world.call(&alice, "recentcontact.update_contact_group", &rename);
    assert_eq!(renamed["UpdateGroupResult"]["GroupId"], id);
    let groups = world.call(&alice, "recentcontact.get_contact_group", &json!({}));
    assert_eq!(
        groups["GroupItem"],
        json!([{"GroupId": id, "GroupName": "play"}])
    );
    let out = json!({"UpdateGroup": {"UpdateGroupType": 2, "GroupName": "play", "UpdateItem": [
        {"OperationType": 2, "ContactItem": bob},
    ]}});
    world.call(&alice, "recentcontact.update_contact_group", &out);
    assert_eq!(listed(&mut world, &alice)[0]["ContactGroupId"], json!([]));
    world.call(
        &alice,
        "recentcontact.del_contact_group",
        &json!({"GroupName": ["play"]}),
    );
    let kinds: Vec<Value> = changes(&mut world, &other)
        .iter()
        .map(|c| c["PushType"].clone())
        .collect();
    assert_eq!(kinds, [5, 7, 7, 6]);
    for number in 0..30 {
        let body =
            json!({"GroupContactItem": [{"GroupName": format!("g{number}"), "ContactItem": []}]});
        world.call(&alice, "recentcontact.create_contact_group", &body);
    }
    let groups = world.call(&alice, "recentcontact.get_contact_group", &json!({}));
    assert_eq!(groups["GroupItem"].as_array().unwrap().len(), 20, "bounded");
}

#[test]
fn a_deleted_conversation_is_gone_until_something_is_said() {
    let (mut world, alice, other, bob) = world();
    world.send(&bob, "alice", 1, "one");
    world.pushes(other.conn);
    let body = json!({"ContactItem": [{"Type": 1, "To_Account": "bob"}], "ClearRamble": 1});
    let rows = world.call(&alice, "recentcontact.batch_delete", &body)["ResultItem"].clone();
    assert_eq!(rows[0]["ResultCode"], 0);
    assert!(listed(&mut world, &alice).is_empty());
    assert_eq!(changes(&mut world, &other)[0]["PushType"], 1);
    assert_eq!(listed(&mut world, &bob).len(), 1, "the other side keeps it");
    world.send(&bob, "alice", 2, "two");
    assert_eq!(listed(&mut world, &alice).len(), 1);
    let page = world.call(&alice, "openim.getroammsg", &json!({"Peer_Account": "bob"}));
    assert_eq!(texts_in(&page["MsgList"]), ["two"]);
}

#[test]
fn the_last_message_that_was_not_deleted_is_shown() {
    let (mut world, alice, _, bob) = world();
    world.send(&bob, "alice", 1, "one");
    let sent = world.send(&bob, "alice", 2, "two");
    let body = json!({"To_Account": "bob", "MsgKeyList": [sent["MsgKey"]]});
    world.call(&alice, "openim.delete_c2c_msg_ramble", &body);
    let last = listed(&mut world, &alice)[0]["LastMsg"]["MsgBody"][0]["MsgContent"]["Text"].clone();
    assert_eq!(last, "one");
}

#[test]
fn reading_everything_is_told_to_the_peers_and_to_the_other_logins() {
    let (mut world, alice, other, bob) = world();
    world.send(&bob, "alice", 1, "one");
    for login in [&other, &bob] {
        world.pushes(login.conn);
    }
    let answer = world.call(
        &alice,
        "openim.read_all_unread_msg",
        &json!({"C2CReadAllMsg": 1, "GroupReadInfo": []}),
    );
    assert_eq!(answer["C2CReadAllMsg"], 1);
    let events: Vec<Value> = world
        .pushes(other.conn)
        .iter()
        .map(|p| p["body"]["EventArray"][0].clone())
        .collect();
    assert!(
        events.contains(&json!({"Event": 14, "C2CReadAllMsg": 1, "GroupReadInfoArray": []})),
        "{events:?}"
    );
    let told = &world.pushes(bob.conn)[0]["body"]["EventArray"][0]["C2cNotifyMsgArray"][0];
    assert_eq!(told["C2cReadedReceipt"]["To_Account"], "alice");
    assert_eq!(listed(&mut world, &alice)[0]["UnreadMsgCount"], 0);
}

#[test]
fn a_long_merged_list_is_kept_for_whoever_has_its_key() {
    let (mut world, alice, _, bob) = world();
    let list = json!([{"From_Account": "x", "MsgBody": [], "odd": [1, 2]}]);
    let saved = world.call(
        &alice,
        "im_long_msg.save_relay_json_msg",
        &json!({"MsgList": list}),
    );
    let key = json!({"JsonMsgKey": saved["JsonMsgKey"]});
    assert_eq!(
        world.call(&bob, "im_long_msg.get_relay_json_msg", &key)["MsgList"],
        list
    );
    let unknown = json!({"JsonMsgKey": "x"});
    assert_eq!(
        world.call(&bob, "im_long_msg.get_relay_json_msg", &unknown)["ErrorCode"],
        20018
    );
    for _ in 0..1000 {
        world.call(
            &alice,
            "im_long_msg.save_relay_json_msg",
            &json!({"MsgList": []}),
        );
    }
    assert_eq!(
        world.call(&bob, "im_long_msg.get_relay_json_msg", &key)["ErrorCode"],
        20018
    );
    assert_eq!(world.state.counters().dropped_merged, 1);
}

#[test]
fn imported_messages_take_their_place_in_time_and_are_told_to_nobody() {
    let (mut world, alice, _, bob) = world();
    world.send(&bob, "alice", 1, "now");
    world.texts(alice.conn);
    for (number, time, text) in [(7, START - 100, "older"), (8, START - 200, "oldest")] {
        let body = json!({
            "SyncFromOldSystem": 2, "From_Account": "bob", "To_Account": "alice", "MsgSeq": number,
            "MsgRandom": number, "MsgTimeStamp": time,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
        });
        assert_eq!(world.rest("openim/importmsg", &body)["ErrorCode"], 0);
        world.rest("openim/importmsg", &body);
    }
    assert!(world.texts(alice.conn).is_empty());
    let page = world.call(
        &alice,
        "openim.getroammsg",
        &json!({"Peer_Account": "bob", "MaxCnt": 2}),
    );
    assert_eq!(texts_in(&page["MsgList"]), ["older", "now"]);
    let more = json!({"Peer_Account": "bob", "MsgKey": page["MsgKey"], "LastMsgTime": page["LastMsgTime"]});
    let page = world.call(&alice, "openim.getroammsg", &more);
    assert_eq!(texts_in(&page["MsgList"]), ["oldest"]);
    assert_eq!(
        listed(&mut world, &alice)[0]["LastMsg"]["MsgBody"][0]["MsgContent"]["Text"],
        "now"
    );
    let unread = json!({"To_Account": "alice", "Peer_Account": ["bob", "nobody"]});
    let unread = world.rest("openim/get_c2c_unread_msg_num", &unread);
    assert_eq!(unread["AllC2CUnreadMsgNum"], 1, "history is not unread");
    assert_eq!(
        unread["C2CUnreadMsgNumList"],
        json!([{"Peer_Account": "bob", "C2CUnreadMsgNum": 1}])
    );
    assert_eq!(unread["ErrorList"][0]["ErrorCode"], 90048);
    world.rest(
        "openim/admin_set_msg_read",
        &json!({"Report_Account": "alice", "Peer_Account": "bob"}),
    );
    let unread = world.rest(
        "openim/get_c2c_unread_msg_num",
        &json!({"To_Account": "alice"}),
    );
    assert_eq!(unread["AllC2CUnreadMsgNum"], 0);
}

#[test]
fn profiles_over_rest() {
    let (mut world, alice, ..) = world();
    let items = json!([{"Tag": "Tag_Profile_IM_Nick", "Value": "A"}]);
    let body = json!({"From_Account": "alice", "ProfileItem": items});
    assert_eq!(world.rest("profile/portrait_set", &body)["ErrorCode"], 0);
    let pushed = world.pushes(alice.conn);
    assert_eq!(
        pushed[0]["body"]["EventArray"][0]["ProfileDataMod"][0]["Profile_Account"],
        "alice"
    );
    let body = json!({"To_Account": ["alice"], "TagList": ["Tag_Profile_IM_Nick"]});
    let got = world.rest("profile/portrait_get", &body);
    assert_eq!(got["UserProfileItem"][0]["ProfileItem"], items);
    let unknown = json!({"From_Account": "nobody", "ProfileItem": items});
    assert_eq!(
        world.rest("profile/portrait_set", &unknown)["ErrorCode"],
        70107
    );
}
