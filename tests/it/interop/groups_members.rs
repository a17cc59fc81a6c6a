//! Tests of a group's life between official SDKs: joining, roles, mutes, profiles and leaving.

use serde_json::{Value, json};

use super::{
    compat::{Pair, proven},
    groups::{found, page, settle_in},
    rest, sdk,
};
use crate::harness::sandbox;

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn members_are_invited_join_and_are_let_in() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|user| page(sdk, &sandbox, user));
    found(&alice, "Public", "g", &["bob"]);
    bob.hear_notice(0, 7);
    let mark = alice.mark();
    let joined = carol.data("joinGroup", &json!([{"groupID": "g"}]));
    assert_eq!(joined["status"], "JoinedSuccess");
    let tip = alice.hear_tip(mark, 1);
    assert_eq!(tip["payload"]["userIDList"], json!(["carol"]));
    assert_eq!(bob.hear_tip(0, 1)["conversationID"], "GROUPg");
    let add = json!([{"groupID": "g", "userIDList": ["bob", "dave"]}]);
    let added = alice.data("addGroupMember", &add);
    assert_eq!(added["successUserIDList"], json!(["dave"]));
    assert_eq!(added["existedUserIDList"], json!(["bob"]));
    let list = alice.data(
        "getGroupMemberList",
        &json!([{"groupID": "g", "count": 15, "offset": 0}]),
    );
    let names: Vec<&Value> = list["memberList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["userID"])
        .collect();
    assert_eq!(names.len(), 4, "{names:?}");
    let taken = json!([{"type": "Public", "name": "n", "groupID": "g"}]);
    assert_eq!(bob.call("createGroup", &taken), Err(10021));

    let ask = json!([{
        "type": "Public", "name": "Ask", "groupID": "ask", "joinOption": "NeedPermission",
    }]);
    alice.call("createGroup", &ask).unwrap();
    for (user, action, notice) in [(&bob, "Agree", 2), (&carol, "Reject", 3)] {
        let (mark, theirs) = (alice.mark(), user.mark());
        let waits = user.data(
            "joinGroup",
            &json!([{"groupID": "ask", "applyMessage": "please"}]),
        );
        assert_eq!(waits["status"], "WaitAdminApproval");
        let request = alice.hear_notice(mark, 1);
        assert_eq!(request["payload"]["handleMessage"], "please");
        let list = alice.data("getGroupApplicationList", &json!([]));
        let application = &list["applicationList"][0];
        assert_eq!(application["groupID"], "ask");
        let handle = json!([{
            "handleAction": action, "handleMessage": "so be it", "application": application,
        }]);
        alice.call("handleGroupApplication", &handle).unwrap();
        user.hear_notice(theirs, notice);
    }
    alice.hear_tip(0, 1);
    bob.say_to_group("ask", "let in");
    assert_eq!(
        carol.try_to_group("ask", "Text", &json!({"text": "x"})),
        Err(10007)
    );
    proven("group: create, invite, join", Pair::SdkToSdk);
    proven("group: applications, approved and refused", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn roles_mutes_cards_and_profiles_are_told() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["bob"]);
    settle_in(&bob, "g");
    let mark = bob.mark();
    let role = |role: &str| json!([{"groupID": "g", "userID": "bob", "role": role}]);
    alice.call("setGroupMemberRole", &role("Admin")).unwrap();
    bob.hear_tip(mark, 4);
    bob.hear_notice(mark, 9);
    alice.call("setGroupMemberRole", &role("Member")).unwrap();
    bob.hear_tip(mark, 5);
    bob.hear_notice(mark, 10);

    let mute = |seconds: u64| json!([{"groupID": "g", "userID": "bob", "muteTime": seconds}]);
    alice.call("setGroupMemberMuteTime", &mute(600)).unwrap();
    let tip = bob.hear_tip(mark, 7);
    assert_eq!(tip["payload"]["memberList"][0]["muteTime"], 600, "{tip}");
    assert_eq!(
        bob.try_to_group("g", "Text", &json!({"text": "muted"})),
        Err(10017)
    );
    alice.call("setGroupMemberMuteTime", &mute(0)).unwrap();
    bob.say_to_group("g", "free again");

    let card = json!([{"groupID": "g", "userID": "bob", "nameCard": "Bobby"}]);
    bob.call("setGroupMemberNameCard", &card).unwrap();
    bob.say_to_group("g", "with a card");
    let got = alice.hear(0, "card", |m| m["payload"]["text"] == "with a card");
    assert_eq!(got["nameCard"], "Bobby");
    let field = json!([{
        "groupID": "g", "userID": "bob", "memberCustomField": [{"key": "k", "value": "v"}],
    }]);
    bob.call("setGroupMemberCustomField", &field).unwrap();
    let profile = json!([{
        "groupID": "g", "userIDList": ["bob"], "memberCustomFieldFilter": ["k"],
    }]);
    let profile = alice.data("getGroupMemberProfile", &profile);
    let member = &profile["memberList"][0];
    assert_eq!(
        (&member["nameCard"], &member["role"]),
        (&json!("Bobby"), &json!("Member"))
    );
    assert_eq!(
        member["memberCustomField"],
        json!([{"key": "k", "value": "v"}])
    );

    let mark = bob.mark();
    let change = json!([{
        "groupID": "g", "name": "New Name", "notification": "n2", "muteAllMembers": true,
        "groupCustomField": [{"key": "k1", "value": "v1"}],
    }]);
    alice.call("updateGroupProfile", &change).unwrap();
    let tip = bob.hear_tip(mark, 6);
    assert_eq!(
        tip["payload"]["newGroupProfile"]["groupName"], "New Name",
        "{tip}"
    );
    assert_eq!(
        bob.try_to_group("g", "Text", &json!({"text": "all muted"})),
        Err(10017)
    );
    alice.say_to_group("g", "the owner may");
    let group = bob.data("getGroupProfile", &json!([{"groupID": "g"}]));
    let group = &group["group"];
    assert_eq!(
        (&group["name"], &group["muteAllMembers"]),
        (&json!("New Name"), &json!(true))
    );
    assert_eq!(
        group["groupCustomField"],
        json!([{"key": "k1", "value": "v1"}])
    );
    let found = bob.data("searchGroupByID", &json!(["g"]));
    assert_eq!(found["group"]["name"], "New Name");
    assert_eq!(
        bob.try_data("searchGroupByID", &json!(["nope"])),
        Err(10010)
    );
    let remind = json!([{
        "groupID": "g", "groupIDList": ["g"], "messageRemindType": "AcceptNotNotify",
    }]);
    bob.call("setMessageRemindType", &remind).unwrap();
    let online = bob.data("getGroupOnlineMemberCount", &json!(["g"]));
    assert_eq!(online["memberCount"], 2);
    proven("group: roles, mutes, mute of all", Pair::SdkToSdk);
    proven(
        "group: name card, member fields, remind type",
        Pair::SdkToSdk,
    );
    proven("group: profile, search, online count", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn members_go_one_way_or_another() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|user| page(sdk, &sandbox, user));
    found(&alice, "Public", "g", &["bob", "carol", "dave"]);
    for other in [&bob, &carol] {
        settle_in(other, "g");
    }
    let mark = bob.mark();
    let kick = json!([{"groupID": "g", "userIDList": ["carol"], "reason": "bye"}]);
    alice.call("deleteGroupMember", &kick).unwrap();
    carol.hear_notice(0, 4);
    let left = carol.data("getGroupList", &json!([]));
    assert_eq!(left["groupList"], json!([]), "gone at once");
    assert_eq!(
        bob.hear_tip(mark, 3)["payload"]["userIDList"],
        json!(["carol"])
    );
    assert!(
        alice.call("quitGroup", &json!(["g"])).is_err(),
        "the owner stays"
    );
    let owner = json!([{"groupID": "g", "newOwnerID": "bob"}]);
    alice.call("changeGroupOwner", &owner).unwrap();
    let tip = bob.hear_tip(mark, 6);
    assert_eq!(tip["payload"]["newGroupProfile"]["ownerID"], "bob", "{tip}");
    alice.call("quitGroup", &json!(["g"])).unwrap();
    alice.hear_notice(0, 8);
    assert_eq!(
        bob.hear_tip(mark, 2)["payload"]["userIDList"],
        json!(["alice"])
    );
    // Dave returns after the group was dismissed in his absence.
    carol.call("joinGroup", &json!([{"groupID": "g"}])).unwrap();
    let mark = carol.mark();
    bob.call("dismissGroup", &json!(["g"])).unwrap();
    carol.hear_notice(mark, 5);
    assert_eq!(
        carol.data("getGroupList", &json!([]))["groupList"],
        json!([])
    );
    proven("group: kick, owner change, quit, dismiss", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn the_app_speaks_and_notifies_over_rest() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["bob"]);
    settle_in(&bob, "g");
    let news = json!({"GroupId": "g", "Content": "rest says hi"});
    let answer = rest(
        &sandbox,
        "group_open_http_svc/send_group_system_notification",
        &news,
    );
    assert_eq!(answer["ErrorCode"], 0);
    assert_eq!(
        bob.hear_notice(0, 255)["payload"]["userDefinedField"],
        "rest says hi"
    );
    let send = json!({
        "GroupId": "g", "Random": 4242, "From_Account": "alice",
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "by rest"}}],
    });
    let sent = rest(&sandbox, "group_open_http_svc/send_group_msg", &send);
    let got = bob.hear(0, "by rest", |m| m["payload"]["text"] == "by rest");
    assert_eq!(
        (&got["sequence"], &got["time"]),
        (&sent["MsgSeq"], &sent["MsgTime"])
    );
    alice.hear(0, "its own words", |m| {
        m["payload"]["text"] == "by rest" && m["flow"] == "out"
    });
    let recall = json!({"GroupId": "g", "MsgSeqList": [{"MsgSeq": sent["MsgSeq"]}]});
    rest(&sandbox, "group_open_http_svc/group_msg_recall", &recall);
    assert_eq!(bob.wait(0, "onMessageRevoked")[0]["ID"], got["ID"]);
    proven(
        "group: messages, recall and notices over REST",
        Pair::SdkToSdk,
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn attributes_counters_and_pins_are_shared() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["bob"]);
    settle_in(&bob, "g");
    let said = alice.say_to_group("g", "pin me");
    bob.heard_up_to(0, "pin me");
    let all = json!([{"groupID": "g", "keyList": []}]);
    assert_eq!(
        bob.data("getGroupAttributes", &all)["groupAttributes"],
        json!({})
    );
    let mark = bob.mark();
    let set = json!([{"groupID": "g", "groupAttributes": {"a": "1", "b": "2"}}]);
    alice.call("initGroupAttributes", &set).unwrap();
    let news = bob.wait(mark, "groupAttributesUpdated");
    assert_eq!(
        news["groupAttributes"],
        json!({"a": "1", "b": "2"}),
        "{news}"
    );
    let counters = json!([{"groupID": "g", "counters": {"likes": 5}}]);
    alice.call("setGroupCounters", &counters).unwrap();
    let news = bob.wait(mark, "onGroupCounterUpdated");
    assert_eq!((&news["key"], &news["value"]), (&json!("likes"), &json!(5)));
    let pin = |pinned: bool| json!([{"groupID": "g", "message": {"$message": said["ID"]}, "isPinned": pinned}]);
    alice.call("pinGroupMessage", &pin(true)).unwrap();
    let list = bob.data("getPinnedGroupMessageList", &json!(["g"]));
    assert_eq!(list["messageList"][0]["ID"], said["ID"]);
    alice.call("pinGroupMessage", &pin(false)).unwrap();
    let list = bob.data("getPinnedGroupMessageList", &json!(["g"]));
    assert_eq!(list["messageList"], json!([]));
    proven("group: attributes, counters, pins", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn the_app_runs_a_group_over_http() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let bob = page(sdk, &sandbox, "bob");
    let call = |command: &str, body: Value| {
        let answer = rest(&sandbox, &format!("group_open_http_svc/{command}"), &body);
        assert_eq!(answer["ErrorCode"], 0, "{command}: {answer}");
        answer
    };
    let members = json!([{"Member_Account": "bob"}, {"Member_Account": "carol"}]);
    let group = json!({
        "Type": "Public", "Name": "n", "GroupId": "g", "Owner_Account": "alice",
        "MemberList": members,
    });
    assert_eq!(call("create_group", group)["GroupId"], "g");
    bob.hear_notice(0, 7);
    let mark = bob.mark();
    let mute = json!({"GroupId": "g", "Members_Account": ["bob"], "MuteTime": 60});
    call("forbid_send_msg", mute);
    bob.hear_tip(mark, 7);
    let muted = call("get_group_muted_account", json!({"GroupId": "g"}));
    assert_eq!(muted["MutedAccountList"][0]["Member_Account"], "bob");
    let roles = json!({"GroupId": "g", "User_Account": ["alice", "eve"]});
    let roles = call("get_role_in_group", roles)["UserIdList"].clone();
    assert_eq!(
        (&roles[0]["Role"], &roles[1]["Role"]),
        (&json!("Owner"), &json!("NotMember"))
    );
    let page = json!({"GroupId": "g", "ReqMsgNumber": 20});
    let page = call("group_msg_get_simple", page);
    assert_eq!(page["RspMsgList"].as_array().unwrap().len(), 2, "two tips");
    let kick = json!({"GroupId": "g", "MemberToDel_Account": ["carol"]});
    call("delete_group_member", kick);
    bob.hear_tip(mark, 3);
    let list = call(
        "get_group_member_info",
        json!({"GroupId": "g", "Limit": 10, "Offset": 0}),
    );
    assert_eq!(list["MemberNum"], 2);
    call("destroy_group", json!({"GroupId": "g"}));
    bob.hear_notice(mark, 5);
    proven("group: run by the app over REST", Pair::SdkToSdk);
}
