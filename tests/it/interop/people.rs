//! Tests of profiles, friends, the blacklist, status and invitations between official SDKs.

use serde_json::{Value, json};

use super::{
    Page,
    compat::{Pair, proven},
    groups::page,
    sdk,
};
use crate::harness::sandbox;

/// Waits until the page's friend list has these entries.
#[track_caller]
fn has_friends(page: &Page, mark: usize, names: &[&str]) {
    page.wait_until(mark, "onFriendListUpdated", |list| {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        let ids: Vec<&str> = list.iter().filter_map(|f| f["userID"].as_str()).collect();
        ids == names
    });
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn profiles_and_the_blacklist() {
    let sdk = sdk();
    let sandbox = sandbox(|config| config.max_web_instances = 2);
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    let other = page(sdk, &sandbox, "bob");
    other.settle();
    let mark = other.mark();
    let profile = json!([{
        "nick": "Bob!", "avatar": "http://x/y.png", "gender": "Gender_Type_Male",
        "selfSignature": "sig", "allowType": "AllowType_Type_AllowAny", "birthday": 20_000_101,
        "profileCustomField": [{"key": "Tag_Profile_Custom_X", "value": "v"}],
    }]);
    bob.call("updateMyProfile", &profile).unwrap();
    let told = other.wait(mark, "onProfileUpdated");
    assert_eq!(
        (&told[0]["userID"], &told[0]["nick"]),
        (&json!("bob"), &json!("Bob!"))
    );
    assert_eq!(told[0]["birthday"], 20_000_101);
    let got = alice.data("getUserProfile", &json!([{"userIDList": ["bob"]}]));
    for (field, expected) in [
        ("nick", json!("Bob!")),
        ("avatar", json!("http://x/y.png")),
        ("gender", json!("Gender_Type_Male")),
        ("selfSignature", json!("sig")),
        (
            "profileCustomField",
            json!([{"key": "Tag_Profile_Custom_X", "value": "v"}]),
        ),
    ] {
        assert_eq!(got[0][field], expected, "{field}");
    }
    proven("people: profiles, with custom fields", Pair::SdkToSdk);

    let mark = other.mark();
    bob.call("addToBlacklist", &json!([{"userIDList": ["alice"]}]))
        .unwrap();
    assert_eq!(other.wait(mark, "blacklistUpdated"), json!(["alice"]));
    assert_eq!(bob.data("getBlacklist", &json!([])), json!(["alice"]));
    assert_eq!(alice.call("sendText", &json!(["bob", "no"])), Err(20007));
    let mark = other.mark();
    bob.call("removeFromBlacklist", &json!([{"userIDList": ["alice"]}]))
        .unwrap();
    assert_eq!(other.wait(mark, "blacklistUpdated"), json!([]));
    let mark = bob.mark();
    alice.say("bob", "yes");
    assert_eq!(bob.texts_up_to(mark, "yes"), ["yes"]);
    proven("people: blacklist", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn friends_are_added_asked_for_and_removed() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    let marks = (alice.mark(), bob.mark());
    let add = |to: &str| {
        json!([{
            "to": to, "source": "AddSource_Type_Web", "remark": "r", "wording": "hi",
            "type": "Add_Type_Both",
        }])
    };
    let added = alice.data("addFriend", &add("bob"));
    assert_eq!(added["code"], 0);
    has_friends(&alice, marks.0, &["bob"]);
    has_friends(&bob, marks.1, &["alice"]);
    let list = alice.data("getFriendList", &json!([]));
    assert_eq!(
        (&list[0]["userID"], &list[0]["remark"]),
        (&json!("bob"), &json!("r"))
    );
    assert_eq!(list[0]["source"], "AddSource_Type_Web");
    let check = json!([{"userIDList": ["bob", "nobody"], "type": "CheckResult_Type_Both"}]);
    let check = alice.data("checkFriend", &check);
    assert_eq!(
        check["successUserIDList"][0]["relation"],
        "CheckResult_Type_BothWay"
    );
    assert_eq!(
        check["successUserIDList"][1]["relation"],
        "CheckResult_Type_NoRelation"
    );
    proven("people: friends added and checked", Pair::SdkToSdk);

    let field = json!([{"key": "Tag_SNS_Custom_Hat", "value": "red"}]);
    let update = json!([{"userID": "bob", "remark": "new", "friendCustomField": field}]);
    alice.data("updateFriend", &update);
    let got = alice.data("getFriendProfile", &json!([{"userIDList": ["bob"]}]));
    assert_eq!(got["friendList"][0]["remark"], "new", "{got}");
    let made = alice.data(
        "createFriendGroup",
        &json!([{"name": "best", "userIDList": ["bob"]}]),
    );
    assert_eq!(made["friendGroup"]["userIDList"], json!(["bob"]), "{made}");
    alice.data(
        "renameFriendGroup",
        &json!([{"oldName": "best", "newName": "old"}]),
    );
    alice.data(
        "removeFromFriendGroup",
        &json!([{"name": "old", "userIDList": ["bob"]}]),
    );
    alice.data(
        "addToFriendGroup",
        &json!([{"name": "old", "userIDList": ["bob"]}]),
    );
    let fresh = page(sdk, &sandbox, "alice");
    fresh.wait_until(0, "onFriendGroupListUpdated", |list| {
        list[0]["name"] == "old" && list[0]["userIDList"] == json!(["bob"])
    });
    let list = fresh.data("getFriendList", &json!([]));
    assert_eq!(
        (&list[0]["remark"], &list[0]["friendCustomField"]),
        (&json!("new"), &field)
    );
    proven("people: friends' remarks, fields and lists", Pair::SdkToSdk);

    // Bob requires a confirmation.
    let mark = bob.mark();
    let gone = json!([{"userIDList": ["alice"], "type": "Delete_Type_Both"}]);
    bob.data("deleteFriend", &gone);
    has_friends(&bob, mark, &[]);
    bob.call(
        "updateMyProfile",
        &json!([{"allowType": "AllowType_Type_NeedConfirm"}]),
    )
    .unwrap();
    let mark = bob.mark();
    assert_eq!(fresh.data("addFriend", &add("bob"))["code"], 30539);
    bob.wait_until(mark, "onFriendApplicationListUpdated", |list| {
        let first = &list["friendApplicationList"][0];
        first["userID"] == "alice" && first["wording"] == "hi" && list["unreadCount"] == 1
    });
    let mark = (fresh.mark(), bob.mark());
    let accept = json!([{"userID": "alice", "remark": "a", "type": "Response_Action_AgreeAndAdd"}]);
    bob.call("acceptFriendApplication", &accept).unwrap();
    has_friends(&fresh, mark.0, &["bob"]);
    has_friends(&bob, mark.1, &["alice"]);
    bob.call(
        "updateMyProfile",
        &json!([{"allowType": "AllowType_Type_DenyAny"}]),
    )
    .unwrap();
    let carol = page(sdk, &sandbox, "carol");
    assert_eq!(carol.try_data("addFriend", &add("bob")), Err(30516));
    proven(
        "people: applications of friends and refusals",
        Pair::SdkToSdk,
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn status_is_told_to_those_who_ask_and_invitations_are_answered() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    let bob_only = json!([{"userIDList": ["bob"]}]);
    alice.data("subscribeUserStatus", &bob_only);
    let mark = alice.mark();
    bob.data("setSelfStatus", &json!([{"customStatus": "weg ü"}]));
    let status = |kind: u8| json!([{"userID": "bob", "statusType": kind, "customStatus": "weg ü"}]);
    assert_eq!(alice.wait(mark, "onUserStatusUpdated"), status(1));
    let asked = alice.data("getUserStatus", &bob_only);
    assert_eq!(asked["successUserList"], status(1));

    for page in [&alice, &bob] {
        page.call("listenToSignaling", &json!([])).unwrap();
    }
    let mark = bob.mark();
    let invited = alice
        .call(
            "invite",
            &json!([{"userID": "bob", "data": "call", "timeout": 30}]),
        )
        .unwrap();
    let id = invited["inviteID"]
        .as_str()
        .or(invited["data"]["inviteID"].as_str());
    let id = id.unwrap_or_else(|| panic!("{invited}")).to_owned();
    let heard = bob.hear(mark, "invitation", |m| m["type"] == "TIMCustomElem");
    assert!(heard["payload"]["data"].as_str().unwrap().contains(&id));
    let mark = alice.mark();
    bob.call("accept", &json!([{"inviteID": id, "data": "ok"}]))
        .unwrap();
    alice.wait_until(mark, "ts_invitee_accepted", |data: &Value| {
        data["inviteID"] == *id
    });
    proven("signaling: invitations", Pair::SdkToSdk);

    let mark = alice.mark();
    bob.call("logout", &json!([])).unwrap();
    assert_eq!(alice.wait(mark, "onUserStatusUpdated"), status(2));
    proven("people: online status", Pair::SdkToSdk);
}
