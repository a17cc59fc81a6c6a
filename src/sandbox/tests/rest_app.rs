//! REST calls by which an app manages accounts, conversations and messages.

use serde_json::{Value, json};

use super::{World, config, texts_in, user};

fn code(answer: &Value) -> i64 {
    let code = answer["ErrorCode"].as_i64().unwrap();
    let status = if code == 0 { "OK" } else { "FAIL" };
    assert_eq!(answer["ActionStatus"], status, "{answer}");
    code
}

#[test]
fn f11_accounts_go_by_the_name_of_older_documents_too() {
    let mut world = World::new(config());
    let old = json!({"Identifier": "old", "Nick": "Old One"});
    assert_eq!(
        code(&world.rest("im_open_login_svc/account_import", &old)),
        0
    );
    assert!(world.state.has_account(&user("old")));
    let items = json!({"CheckItem": [{"Identifier": "old"}, {"UserID": "nobody"}]});
    let checked = world.rest("im_open_login_svc/account_check", &items);
    assert_eq!(checked["ResultItem"][0]["AccountStatus"], "Imported");
    assert_eq!(checked["ResultItem"][1]["AccountStatus"], "NotImported");
    let login = world.login("old");
    assert_eq!(
        code(&world.rest("im_open_login_svc/kick", &json!({"Identifier": "old"}))),
        0
    );
    assert_eq!(world.hello(&login), 1002);
    let neither = world.rest("im_open_login_svc/kick", &json!({"Name": "old"}));
    assert_eq!(code(&neither), 70402);
}

#[test]
fn f11_who_is_silenced_does_not_speak_and_does_again_later() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    world.found(&alice, "Public", "g", &[]);
    let silence = |users: u64, groups: u64| {
        json!({
            "Set_Account": "alice", "C2CmsgNospeakingTime": users, "GroupmsgNospeakingTime": groups,
        })
    };
    let in_group = |number: u64| {
        json!({
            "From_Account": "alice", "GroupId": "g", "Random": number, "ClientSeq": number,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "x"}}],
        })
    };
    let set = world.rest(
        "openconfigsvr/setnospeaking",
        &silence(60, u64::from(u32::MAX)),
    );
    assert_eq!(code(&set), 0);
    assert_eq!(world.send(&alice, "bob", 1, "x")["ErrorCode"], 20012);
    assert_eq!(
        world.group_code(&alice, "send_group_msg", &in_group(1)),
        10017
    );
    let get = world.rest(
        "openconfigsvr/getnospeaking",
        &json!({"Get_Account": "alice"}),
    );
    assert_eq!(
        (&get["C2CmsgNospeakingTime"], &get["GroupmsgNospeakingTime"]),
        (&json!(60), &json!(u32::MAX))
    );
    let alice = {
        world.pass(61.0);
        world.login("alice")
    };
    assert_eq!(world.send(&alice, "bob", 2, "x")["ErrorCode"], 0);
    assert_eq!(
        world.group_code(&alice, "send_group_msg", &in_group(2)),
        10017,
        "for ever"
    );
    world.rest("openconfigsvr/setnospeaking", &silence(0, 0));
    assert_eq!(world.group_code(&alice, "send_group_msg", &in_group(3)), 0);
    let nobody = json!({"Set_Account": "nobody", "C2CmsgNospeakingTime": 1});
    assert_eq!(
        code(&world.rest("openconfigsvr/setnospeaking", &nobody)),
        70107
    );
}

#[test]
fn f11_the_app_corrects_and_clears_what_was_said() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let sent = world.send(&alice, "bob", 1, "wrnog");
    world.pushes(bob.conn);
    let right = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "right"}}]);
    let edit = json!({
        "From_Account": "alice", "To_Account": "bob", "MsgKey": sent["MsgKey"], "MsgBody": right,
    });
    for _ in 0..2 {
        assert_eq!(
            code(&world.rest("openim/modify_c2c_msg", &edit)),
            0,
            "as often as it likes"
        );
    }
    assert_eq!(
        world.events(bob.conn)[0]["C2cMsgModNotifys"][0]["MsgBody"],
        right
    );
    let unknown = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": "1_2_3"});
    assert_ne!(code(&world.rest("openim/modify_c2c_msg", &unknown)), 0);
    world.found(&alice, "Public", "g", &["bob"]);
    let said = json!({
        "From_Account": "alice", "GroupId": "g", "Random": 1, "ClientSeq": 1,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "wrnog"}}],
    });
    let said = world.group(&alice, "send_group_msg", &said);
    let edit = json!({"GroupId": "g", "MsgSeq": said["MsgSeq"], "MsgBody": right});
    for _ in 0..2 {
        assert_eq!(code(&world.rest("openim/modify_group_msg", &edit)), 0);
    }
    let clear = json!({"From_Account": "bob", "To_Account": "alice"});
    assert_eq!(code(&world.rest("openim/clear_c2c_msg", &clear)), 0);
    let page = |peer: &str| json!({"Peer_Account": peer, "MaxCnt": 10});
    let bobs = world.call(&bob, "openim.getroammsg", &page("alice"));
    assert_eq!(bobs["MsgList"], json!([]));
    let alices = world.call(&alice, "openim.getroammsg", &page("bob"));
    assert_eq!(texts_in(&alices["MsgList"]), ["right"]);
}

#[test]
fn f11_lists_of_conversations_can_be_looked_after() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    for (n, peer) in ["bob", "carol"].into_iter().enumerate() {
        world.send(&alice, peer, n as u64 + 1, "hi");
    }
    let of_alice = json!({"From_Account": "alice", "TimeStamp": 0, "StartIndex": 0});
    let list = world.rest("recentcontact/get_list", &of_alice);
    assert_eq!(list["SessionItem"].as_array().unwrap().len(), 2, "{list}");
    assert_eq!(list["CompleteFlag"], 1);
    let delete = json!({"From_Account": "alice", "Type": 1, "To_Account": "bob", "ClearRamble": 1});
    assert_eq!(code(&world.rest("recentcontact/delete", &delete)), 0);
    let list = world.rest("recentcontact/get_list", &of_alice);
    assert_eq!(list["SessionItem"][0]["To_Account"], "carol");
    assert_eq!(list["SessionItem"].as_array().unwrap().len(), 1);
    let group = json!({
        "From_Account": "alice",
        "GroupContactItem": [{"GroupName": "work", "ContactItem": [{"Type": 1, "To_Account": "carol"}]}],
    });
    assert_eq!(
        code(&world.rest("recentcontact/create_contact_group", &group)),
        0
    );
    let groups = world.rest(
        "recentcontact/get_contact_group",
        &json!({"From_Account": "alice"}),
    );
    assert!(groups.to_string().contains("work"), "{groups}");
    let gone = json!({"From_Account": "alice", "GroupName": ["work"]});
    assert_eq!(
        code(&world.rest("recentcontact/del_contact_group", &gone)),
        0
    );
    let nobody = world.rest("recentcontact/get_list", &json!({"From_Account": "nobody"}));
    assert_ne!(code(&nobody), 0);
}

#[test]
fn f11_the_app_speaks_to_everybody_or_to_those_it_has_marked() {
    let mut world = World::new(config());
    let logins: Vec<_> = ["alice", "bob", "carol"]
        .map(|name| world.login(name))
        .into();
    let push = |world: &mut World, n: u64, condition: Value| {
        let body = json!({
            "From_Account": "administrator", "MsgRandom": n, "Condition": condition,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": format!("m{n}")}}],
        });
        let answer = world.rest("all_member_push/im_push", &body);
        assert_eq!(code(&answer), 0);
        assert!(answer["TaskId"].is_string());
    };
    push(&mut world, 1, json!({}));
    let tags = json!({"UserTags": [
        {"To_Account": "alice", "Tags": ["vip", "north"]}, {"To_Account": "bob", "Tags": ["north"]},
    ]});
    assert_eq!(code(&world.rest("all_member_push/im_add_tag", &tags)), 0);
    push(&mut world, 2, json!({"TagsOr": ["vip", "south"]}));
    push(&mut world, 3, json!({"TagsAnd": ["north"]}));
    let names = json!({"AttrNames": {"0": "level"}});
    assert_eq!(
        code(&world.rest("all_member_push/im_set_attr_name", &names)),
        0
    );
    let got = world.rest("all_member_push/im_get_attr_name", &json!({}));
    assert_eq!(got["AttrNames"], names["AttrNames"]);
    let level = json!({"UserAttrs": [{"To_Account": "carol", "Attrs": {"level": "9"}}]});
    assert_eq!(code(&world.rest("all_member_push/im_set_attr", &level)), 0);
    push(&mut world, 4, json!({"AttrsAnd": {"level": "9"}}));
    let of_carol = json!({"To_Account": ["carol", "alice"]});
    let got = world.rest("all_member_push/im_get_attr", &of_carol);
    assert_eq!(got["UserAttrs"][0]["Attrs"], json!({"level": "9"}));
    let got = world.rest("all_member_push/im_get_tag", &of_carol);
    assert_eq!(got["UserTags"][1]["Tags"], json!(["north", "vip"]));
    let off = json!({"UserTags": [{"To_Account": "alice", "Tags": ["vip"]}]});
    assert_eq!(code(&world.rest("all_member_push/im_remove_tag", &off)), 0);
    let all_off = json!({"To_Account": ["bob"]});
    assert_eq!(
        code(&world.rest("all_member_push/im_remove_all_tags", &all_off)),
        0
    );
    let none = json!({"UserAttrs": [{"To_Account": "carol", "Attrs": ["level"]}]});
    assert_eq!(
        code(&world.rest("all_member_push/im_remove_attr", &none)),
        0
    );
    push(
        &mut world,
        5,
        json!({"TagsOr": ["vip"], "AttrsOr": {"level": "9"}}),
    );
    let heard: Vec<Vec<String>> = logins.iter().map(|login| world.texts(login.conn)).collect();
    assert_eq!(heard[0], ["m1", "m2", "m3"]);
    assert_eq!(heard[1], ["m1", "m3"]);
    assert_eq!(heard[2], ["m1", "m4"]);
}

#[test]
fn f11_robots_and_calls_about_groups_are_there() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let robot = json!({"UserID": "@RBT#001", "Nick": "Robot"});
    assert_eq!(
        code(&world.rest("openim_robot_http_svc/create_robot", &robot)),
        0
    );
    let person = world.rest(
        "openim_robot_http_svc/create_robot",
        &json!({"UserID": "dave"}),
    );
    assert_eq!(code(&person), 70402);
    let all = world.rest("openim_robot_http_svc/get_all_robots", &json!({}));
    assert_eq!(all["Robot_Account"], json!(["@RBT#001"]));
    let gone = json!({"Robot_Account": "@RBT#001"});
    assert_eq!(
        code(&world.rest("openim_robot_http_svc/delete_robot", &gone)),
        0
    );
    assert!(!world.state.has_account(&user("@RBT#001")));
    let alices = world.rest(
        "openim_robot_http_svc/delete_robot",
        &json!({"Robot_Account": "alice"}),
    );
    assert_ne!(code(&alices), 0, "she is not an administrator");

    world.found(&alice, "Public", "g", &[]);
    world.found(&alice, "AVChatRoom", "r", &[]);
    let bob = world.login("bob");
    world.group(&bob, "apply_join_group", &json!({"GroupId": "r"}));
    let groups = "group_open_http_svc";
    let page = world.rest(
        &format!("{groups}/get_appid_group_list"),
        &json!({"Limit": 1}),
    );
    assert_eq!(
        (&page["TotalCount"], &page["GroupIdList"], &page["Next"]),
        (&json!(2), &json!([{"GroupId": "g"}]), &json!(1))
    );
    let rooms = json!({"GroupType": "AVChatRoom"});
    let page = world.rest(&format!("{groups}/get_appid_group_list"), &rooms);
    assert_eq!(page["GroupIdList"], json!([{"GroupId": "r"}]));
    let count = json!({"GroupId": "g", "GroupCounter": [{"Key": "k", "Value": 3}]});
    world.rest(&format!("{groups}/update_group_counter"), &count);
    let key = json!({"GroupId": "g", "GroupCounterKeys": ["k"]});
    assert_eq!(
        code(&world.rest(&format!("{groups}/delete_group_counter"), &key)),
        0
    );
    let left = world.rest(
        &format!("{groups}/get_group_counter"),
        &json!({"GroupId": "g"}),
    );
    assert_eq!(left["GroupCounter"], json!([]));
    let attributes = world.rest(
        "group_open_attr_http_svc/get_group_attr",
        &json!({"GroupId": "g"}),
    );
    assert_eq!(code(&attributes), 0);
    let live = "group_open_avchatroom_http_svc";
    let make = json!({"GroupId": "r", "CommandType": 1, "Admin_Account": ["bob"]});
    assert_eq!(code(&world.rest(&format!("{live}/modify_admin"), &make)), 0);
    let roles = json!({"GroupId": "r", "User_Account": ["bob"]});
    let roles = world.rest(&format!("{groups}/get_role_in_group"), &roles);
    assert_eq!(roles["UserIdList"][0]["Role"], "Admin", "{roles}");
    let muted = world.rest(
        &format!("{live}/get_avchatroom_muted_account"),
        &json!({"GroupId": "r"}),
    );
    assert_eq!(code(&muted), 0);
    let word = json!({
        "From_Account": "administrator", "Random": 8,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "to all rooms"}}],
    });
    assert_eq!(
        code(&world.rest(&format!("{groups}/send_broadcast_msg"), &word)),
        0
    );
    assert!(
        world
            .state
            .group_history("g")
            .iter()
            .all(|item| !item.body.contains("to all rooms"))
    );
    for (command, body) in [
        ("openconfigsvr/getappinfo", json!({})),
        (
            "open_msg_svc/get_history",
            json!({"ChatType": "C2C", "MsgTime": "2026112817"}),
        ),
        (
            "im_open_status/get_user_status",
            json!({"UserList": ["alice"]}),
        ),
    ] {
        assert_eq!(code(&world.rest(command, &body)), 0, "{command}");
    }
    assert_eq!(code(&world.rest("no_such_svc/at_all", &json!({}))), 60002);
}
