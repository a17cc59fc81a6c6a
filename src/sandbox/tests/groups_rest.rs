//! The group calls of the REST API.

use std::time::Duration;

use serde_json::{Value, json};

use super::{World, config};
use crate::SandboxConfig;

fn code(world: &mut World, command: &str, body: &Value) -> i64 {
    let answer = world.rest(&format!("group_open_http_svc/{command}"), body);
    answer["ErrorCode"].as_i64().unwrap()
}

#[test]
fn the_app_makes_a_group_and_speaks_in_it() {
    let mut world = World::new(SandboxConfig {
        idle_timeout: Duration::from_secs(3600),
        ..config()
    });
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let body = json!({
        "Owner_Account": "alice", "Type": "Public", "Name": "n", "GroupId": "g",
        "MemberList": [{"Member_Account": "bob", "Role": "Admin"}],
    });
    let made = world.rest("group_open_http_svc/create_group", &body);
    assert_eq!(
        (&made["GroupId"], &made["ActionStatus"]),
        (&json!("g"), &json!("OK"))
    );
    assert_eq!(world.heard(bob.conn), ["notice 7", "tip 1"]);
    let send = json!({
        "GroupId": "g", "Random": 8_912_345, "From_Account": "alice",
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "by rest"}}],
    });
    let sent = world.rest("group_open_http_svc/send_group_msg", &send);
    assert_eq!(sent["MsgSeq"], 2);
    assert_eq!(
        world.rest("group_open_http_svc/send_group_msg", &send)["MsgSeq"],
        2
    );
    assert_eq!(world.heard(bob.conn), ["said by rest"]);
    assert_eq!(world.heard(alice.conn), ["tip 1", "said by rest"]);
    world.pass(301.0);
    let later = world.rest("group_open_http_svc/send_group_msg", &send);
    assert_eq!(later["MsgSeq"], 3, "after five minutes it is a new message");

    let news = json!({"GroupId": "g", "Content": "maintenance", "ToMembers_Account": ["bob"]});
    world.pushes(alice.conn);
    world.pushes(bob.conn);
    assert_eq!(code(&mut world, "send_group_system_notification", &news), 0);
    let event = world.events(bob.conn).remove(0);
    let notice = &event["GroupTips"][0]["MsgBody"];
    assert_eq!(
        (&notice["ReportType"], &notice["UserDefinedField"]),
        (&json!(255), &json!("maintenance"))
    );
    assert!(world.pushes(alice.conn).is_empty());

    let recall = json!({"GroupId": "g", "MsgSeqList": [{"MsgSeq": 2}]});
    assert_eq!(
        code(&mut world, "group_msg_recall", &recall),
        0,
        "however old"
    );
    let page = json!({"GroupId": "g", "ReqMsgNumber": 2});
    let page = world.rest("group_open_http_svc/group_msg_get_simple", &page);
    assert_eq!(page["RspMsgList"][1]["IsPlaceMsg"], 2);
    assert_eq!(page["IsFinished"], 0);
}

#[test]
fn the_app_looks_after_members() {
    let mut world = World::new(config());
    let bob = world.login("bob");
    let body = json!({"Type": "Public", "Name": "n", "GroupId": "g"});
    assert_eq!(code(&mut world, "create_group", &body), 0);
    let add = json!({"GroupId": "g", "Silence": 1, "MemberList": [{"Member_Account": "bob"}]});
    assert_eq!(code(&mut world, "add_group_member", &add), 0);
    assert!(world.pushes(bob.conn).is_empty(), "silently");
    let roles = json!({"GroupId": "g", "User_Account": ["bob", "eve"]});
    let roles = world.rest("group_open_http_svc/get_role_in_group", &roles);
    assert_eq!(roles["UserIdList"][0]["Role"], "Member");
    assert_eq!(roles["UserIdList"][1]["Role"], "NotMember");
    let mute = json!({"GroupId": "g", "Members_Account": ["bob"], "MuteTime": 60});
    assert_eq!(code(&mut world, "forbid_send_msg", &mute), 0);
    let muted = json!({"GroupId": "g"});
    let muted = world.rest("group_open_http_svc/get_group_muted_account", &muted);
    assert_eq!(muted["MutedAccountList"][0]["Member_Account"], "bob");
    let owner = json!({"GroupId": "g", "NewOwner_Account": "bob"});
    assert_eq!(code(&mut world, "change_group_owner", &owner), 0);
    let info = json!({"GroupIdList": ["g"]});
    let info = world.rest("group_open_http_svc/get_group_info", &info);
    assert_eq!(info["GroupInfo"][0]["Owner_Account"], "bob");
    let joined = json!({"Member_Account": "bob"});
    let joined = world.rest("group_open_http_svc/get_joined_group_list", &joined);
    assert_eq!(joined["TotalCount"], 1);
    let kick = json!({"GroupId": "g", "MemberToDel_Account": ["bob"]});
    assert_eq!(code(&mut world, "delete_group_member", &kick), 0);
    let members = json!({"GroupId": "g", "Limit": 10, "Offset": 0});
    let members = world.rest("group_open_http_svc/get_group_member_info", &members);
    assert_eq!(members["MemberNum"], 0);
    assert_eq!(
        code(&mut world, "destroy_group", &json!({"GroupId": "g"})),
        0
    );
    assert_eq!(
        code(&mut world, "destroy_group", &json!({"GroupId": "g"})),
        10010
    );
    assert_eq!(code(&mut world, "no_such_call", &json!({})), 60002);
}

#[test]
fn groups_come_in_from_elsewhere() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let body = json!({"Type": "Public", "Name": "n", "GroupId": "g", "Owner_Account": "alice"});
    assert_eq!(code(&mut world, "import_group", &body), 0);
    let members = json!({"GroupId": "g", "MemberList": [{"Member_Account": "bob"}]});
    let members = world.rest("group_open_http_svc/import_group_member", &members);
    assert_eq!(members["MemberList"][0]["Result"], 1);
    let messages = json!({"GroupId": "g", "MsgList": [{
        "From_Account": "bob", "SendTime": 1000, "Random": 1,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "old"}}],
    }, {"From_Account": "bob"}]});
    let results = world.rest("group_open_http_svc/import_group_msg", &messages);
    assert_eq!(results["ImportMsgResult"][0]["MsgTime"], 1000);
    assert_eq!(results["ImportMsgResult"][1]["Result"], 10004);
    assert!(world.pushes(alice.conn).is_empty());
    let unread = json!({"GroupId": "g", "Member_Account": "alice", "UnreadMsgNum": 0});
    assert_eq!(code(&mut world, "set_unread_msg_num", &unread), 0);
    let list = world.call(&alice, "recentcontact.page_get", &json!({}));
    assert_eq!(list["SessionItem"][0]["UnreadMsgCount"], 0);
    let all = json!({"GroupId": "g", "Sender_Account": "bob"});
    assert_eq!(code(&mut world, "delete_group_msg_by_sender", &all), 0);
    assert!(world.state.group_history("g")[0].recalled);
}
