//! Tests of group messages between official SDKs.

use botroupe::sandbox::Sandbox;
use serde_json::{Value, json};

use super::{
    Page,
    compat::{Pair, proven},
    install::Sdk,
    sdk,
};
use crate::harness::sandbox;

/// Opens a page that is logged in.
pub(super) fn page(sdk: &Sdk, sandbox: &Sandbox, user: &str) -> Page {
    let page = Page::open(sdk, sandbox);
    page.enter(sandbox, user);
    page
}

/// Makes `owner` create a group with these members that everyone may join.
#[track_caller]
pub(super) fn found(owner: &Page, kind: &str, group: &str, members: &[&str]) {
    let members: Vec<Value> = members.iter().map(|user| json!({"userID": user})).collect();
    let mut options = json!({"type": kind, "name": "The Group", "groupID": group});
    if !members.is_empty() {
        options["memberList"] = members.into();
    }
    if kind == "Public" {
        options["joinOption"] = json!("FreeAccess");
    }
    owner.call("createGroup", &json!([options])).unwrap();
}

/// Waits until the SDK of a new member has fetched its data of the group. It may show a message
/// that arrives meanwhile twice, once pushed and once fetched.
#[track_caller]
pub(super) fn settle_in(member: &Page, group: &str) {
    member.hear_notice(0, 7);
    // Requests are answered in order, so the SDK's own earlier requests are done after these two.
    member.data("getGroupProfile", &json!([{"groupID": group}]));
    let conversation = json!([{"conversationID": format!("GROUP{group}")}]);
    member.data("getMessageList", &conversation);
}

/// Returns the texts that arrived since `mark`, without tips and the SDK's own greeting.
fn texts(heard: &[Value]) -> Vec<&str> {
    heard
        .iter()
        .filter_map(|message| message["payload"]["text"].as_str())
        .collect()
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn every_small_element_arrives_as_it_was_sent() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["bob"]);
    settle_in(&bob, "g");
    let start = bob.mark();
    let cards = [
        ("Text", json!({"text": "hello 你好🙂"})),
        (
            "Custom",
            json!({"data": "d", "description": "x", "extension": "e"}),
        ),
        ("Face", json!({"index": 1, "data": "f"})),
        (
            "Location",
            json!({"description": "l", "longitude": 1.5, "latitude": 2.5}),
        ),
    ];
    let mut last = 0;
    for (kind, payload) in cards {
        let mark = bob.mark();
        let options = json!({
            "to": "g", "conversationType": "GROUP", "payload": payload,
            "priority": "High", "cloudCustomData": "cc",
        });
        let sent = alice.call("send", &json!([kind, options])).unwrap();
        let got = bob.hear(mark, kind, |message| message["ID"] == sent["ID"]);
        for field in [
            "type",
            "payload",
            "from",
            "time",
            "sequence",
            "cloudCustomData",
        ] {
            assert_eq!(got[field], sent[field], "{field} of {kind}");
        }
        assert_eq!(got["conversationID"], "GROUPg");
        assert_eq!(
            (&got["flow"], &got["priority"]),
            (&json!("in"), &json!("High"))
        );
        let sequence = got["sequence"].as_u64().unwrap();
        assert!(last == 0 || sequence == last + 1, "no gap");
        last = sequence;
    }
    // A merged message and a forwarded one.
    let text = alice.say_to_group("g", "first");
    let merger = json!({
        "messageList": [{"$message": text["ID"]}], "title": "merged", "abstractList": ["first"],
        "compatibleText": "too old",
    });
    let sent = alice.send_to_group("g", "Merger", &merger);
    let got = bob.hear(start, "merged", |message| message["ID"] == sent["ID"]);
    assert_eq!(got["payload"]["title"], "merged");
    let forward = alice.send_to_group("g", "Forward", &json!({"$message": text["ID"]}));
    let got = bob.hear(start, "forwarded", |message| message["ID"] == forward["ID"]);
    assert_eq!(got["payload"]["text"], "first");
    // Users do not receive their own messages, and nothing arrived twice.
    let heard = bob.heard(start);
    let mut ids: Vec<&str> = heard.iter().map(|m| m["ID"].as_str().unwrap()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert!(
        alice
            .heard(0)
            .iter()
            .all(|message| message["from"] != "alice")
    );
    let resent = json!({"to": "g", "conversationType": "GROUP", "payload": {"text": "twice"}});
    let before = sandbox.group_history("g").len();
    let mark = bob.mark();
    alice.call("sendTwice", &json!(["Text", resent])).unwrap();
    alice.say_to_group("g", "once");
    assert_eq!(texts(&bob.heard_up_to(mark, "once")), ["twice", "once"]);
    assert_eq!(sandbox.group_history("g").len(), before + 2);
    proven(
        "group: text, custom, face, location, merged, forwarded",
        Pair::SdkToSdk,
    );
    proven("group: resend delivers once", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn online_only_messages_leave_no_trace() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["bob"]);
    settle_in(&bob, "g");
    alice.say_to_group("g", "lasting");
    bob.heard_up_to(0, "lasting");
    let before = sandbox.group_history("g").len();
    let options = json!({"to": "g", "conversationType": "GROUP", "payload": {"text": "fleeting"}});
    let fleeting = json!({"onlineUserOnly": true});
    alice
        .call("send", &json!(["Text", options, fleeting]))
        .unwrap();
    bob.heard_up_to(0, "fleeting");
    assert_eq!(sandbox.group_history("g").len(), before);
    proven("group: online-only message", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn mentions_mark_the_conversation_until_it_is_read() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|user| page(sdk, &sandbox, user));
    found(&alice, "Public", "g", &["bob", "carol"]);
    for other in [&bob, &carol] {
        settle_in(other, "g");
    }
    let (bobs, carols) = (bob.mark(), carol.mark());
    let at = json!({"text": "@bob @all", "atUserList": ["bob", "__kImSDK_MesssageAtALL__"]});
    let sent = alice.send_to_group("g", "TextAt", &at);
    let got = bob.hear(bobs, "mention", |message| message["ID"] == sent["ID"]);
    assert_eq!(got["atUserList"], at["atUserList"]);
    let marked = |types: Value| {
        let expected = json!([{"messageSequence": sent["sequence"], "atTypeArray": types}]);
        move |list: &Value| {
            let list = list.as_array().unwrap();
            list.iter()
                .any(|c| c["conversationID"] == "GROUPg" && c["at"] == expected)
        }
    };
    // 3 means "me and all", and 2 means "all".
    bob.wait_until(bobs, "onConversationListUpdated", marked(json!([3])));
    carol.wait_until(carols, "onConversationListUpdated", marked(json!([2])));
    let group = json!([{"conversationID": "GROUPg"}]);
    bob.call("setMessageRead", &group).unwrap();
    let list = bob.call("getConversationList", &json!([])).unwrap();
    let read = json!({"conversationID": "GROUPg", "unreadCount": 0});
    assert!(list.as_array().unwrap().contains(&read), "{list}");
    let me = json!({"text": "@bob", "atUserList": ["bob"]});
    let sent = alice.send_to_group("g", "TextAt", &me);
    let expected = json!([{"messageSequence": sent["sequence"], "atTypeArray": [1]}]);
    bob.wait_until(bobs, "onConversationListUpdated", |list| {
        list.as_array().unwrap().iter().any(|c| c["at"] == expected)
    });
    proven("group: mentions of one and of all", Pair::SdkToSdk);
    proven("group: read report", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn receipts_tell_the_sender_who_has_read() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["bob", "carol"]);
    settle_in(&bob, "g");
    let options = json!({
        "to": "g", "conversationType": "GROUP", "payload": {"text": "read this"},
        "needReadReceipt": true,
    });
    let sent = alice.call("send", &json!(["Text", options])).unwrap();
    bob.heard_up_to(0, "read this");
    let mark = alice.mark();
    let this = json!([[{"$message": sent["ID"]}]]);
    bob.call("sendMessageReadReceipt", &this).unwrap();
    let receipts = alice.wait(mark, "onMessageReadReceiptReceived");
    let receipt = json!({
        "groupID": "g", "messageID": sent["ID"], "readCount": 1, "unreadCount": 1,
    });
    assert_eq!(receipts, json!([receipt]));
    let list = alice.data("getMessageReadReceiptList", &this);
    let info = &list["messageList"][0]["readReceiptInfo"];
    assert_eq!(
        (&info["readCount"], &info["unreadCount"]),
        (&json!(1), &json!(1))
    );
    let detail = |filter: u8| {
        let query = json!([{
            "message": {"$message": sent["ID"]}, "filter": filter, "cursor": "", "count": 100,
        }]);
        alice.data("getGroupMessageReadMemberList", &query)
    };
    assert_eq!(detail(0)["readUserIDList"], json!(["bob"]));
    assert_eq!(detail(1)["unreadUserIDList"], json!(["carol"]));
    proven("group: receipts, their list and detail", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn recalled_and_edited_messages_change_on_the_other_side() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["bob"]);
    settle_in(&bob, "g");
    let sent = alice.say_to_group("g", "first words");
    bob.heard_up_to(0, "first words");
    let mark = bob.mark();
    let edited = json!([sent["ID"], {"text": "second words"}]);
    alice.call("edit", &edited).unwrap();
    let got = bob.wait(mark, "onMessageModified");
    assert_eq!(got[0]["ID"], sent["ID"]);
    assert_eq!(got[0]["payload"]["text"], "second words");
    // Bob edits before he learns of the next edit.
    sandbox.delay("bob", 1500).unwrap();
    alice
        .call("edit", &json!([sent["ID"], {"text": "third words"}]))
        .unwrap();
    let late = bob.call("edit", &json!([sent["ID"], {"text": "his words"}]));
    assert_eq!(late, Err(2480));
    sandbox.delay("bob", 0).unwrap();
    assert!(
        sandbox
            .group_history("g")
            .iter()
            .any(|item| item.body.contains("third words"))
    );

    let foreign = bob.call("revokeMessage", &json!([{"$message": sent["ID"]}]));
    assert!(
        foreign.is_err(),
        "a member cannot recall what the owner said"
    );
    let mark = bob.mark();
    alice
        .call("revokeMessage", &json!([{"$message": sent["ID"]}]))
        .unwrap();
    let got = bob.wait(mark, "onMessageRevoked");
    assert_eq!(
        (&got[0]["ID"], &got[0]["revoker"]),
        (&sent["ID"], &json!("alice"))
    );
    let said = bob.say_to_group("g", "bob's");
    alice.heard_up_to(0, "bob's");
    let mark = bob.mark();
    alice
        .call("revokeMessage", &json!([{"$message": said["ID"]}]))
        .unwrap();
    assert_eq!(
        bob.wait(mark, "onMessageRevoked")[0]["ID"],
        said["ID"],
        "by the owner"
    );
    proven("group: edit and conflict of edits", Pair::SdkToSdk);
    proven("group: recall by sender and owner", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn some_words_are_for_some_members_only() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|user| page(sdk, &sandbox, user));
    found(&alice, "Public", "g", &["bob", "carol"]);
    for other in [&bob, &carol] {
        settle_in(other, "g");
    }
    let (bobs, carols) = (bob.mark(), carol.mark());
    let options = json!({
        "to": "g", "conversationType": "GROUP", "payload": {"text": "between us"},
        "receiverList": ["bob"],
    });
    alice.call("send", &json!(["Text", options])).unwrap();
    alice.say_to_group("g", "for all");
    assert_eq!(
        texts(&bob.heard_up_to(bobs, "for all")),
        ["between us", "for all"]
    );
    assert_eq!(texts(&carol.heard_up_to(carols, "for all")), ["for all"]);
    proven("group: message to some members", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn every_type_of_group_takes_messages() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let bob = page(sdk, &sandbox, "bob");
    // Use one page per group, because the SDK limits the rate of group creation.
    for (kind, group, owner) in [
        ("Private", "work", "alice"),
        ("ChatRoom", "meeting", "carol"),
        ("Community", "@TGS#_c", "dave"),
    ] {
        let owner = page(sdk, &sandbox, owner);
        found(&owner, kind, group, &[]);
        let add = json!([{"groupID": group, "userIDList": ["bob"]}]);
        owner.call("addGroupMember", &add).unwrap();
        bob.hear_notice(0, 7);
        let mark = bob.mark();
        let sent = owner.say_to_group(group, kind);
        let got = bob.hear(mark, kind, |message| message["ID"] == sent["ID"]);
        assert_eq!(got["conversationID"], format!("GROUP{group}"));
    }
    // The next login finds all groups, from both services.
    let again = page(sdk, &sandbox, "bob");
    again.wait_until(0, "onGroupListUpdated", |list| {
        list.as_array().unwrap().len() == 3
    });
    proven("group: Work, Public, Meeting, Community", Pair::SdkToSdk);
}
