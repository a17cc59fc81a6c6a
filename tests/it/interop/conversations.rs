//! Tests of the conversation list, several terminals of one user, and later changes to messages.

use botroupe::sandbox::Sandbox;
use serde_json::{Value, json};

use super::{
    Page,
    compat::{Pair, proven},
    groups::page,
    install::Sdk,
    rest, sdk, unix_now,
};
use crate::harness::sandbox;

/// Opens alice once and bob twice.
fn three(sdk: &Sdk, sandbox: &Sandbox) -> (Page, Page, Page) {
    let pages = (
        page(sdk, sandbox, "alice"),
        page(sdk, sandbox, "bob"),
        page(sdk, sandbox, "bob"),
    );
    pages.1.settle();
    pages.2.settle();
    pages
}

#[track_caller]
fn listed(page: &Page, id: &str) -> Value {
    page.call("conversation", &json!([id])).unwrap()
}

/// Waits for the next change of the list in which the conversation matches.
#[track_caller]
pub(super) fn until_listed(page: &Page, id: &str, mut mark: usize, fits: impl Fn(&Value) -> bool) {
    while !fits(&listed(page, id)) {
        page.wait(mark, "onConversationListUpdated");
        mark = page.mark();
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_one_terminal_does_to_the_list_the_other_shows() {
    let sdk = sdk();
    let sandbox = sandbox(|config| config.max_web_instances = 2);
    let (alice, bob, other) = three(sdk, &sandbox);
    let marks = (bob.mark(), other.mark());
    alice.say("bob", "hello");
    bob.texts_up_to(marks.0, "hello");
    other.texts_up_to(marks.1, "hello");
    let id = "C2Calice";

    let mark = other.mark();
    bob.data(
        "pinConversation",
        &json!([{"conversationID": id, "isPinned": true}]),
    );
    until_listed(&other, id, mark, |shown| shown["isPinned"] == true);
    proven("conversations: pinning", Pair::SdkToSdk);

    let mark = other.mark();
    let marks = json!([{"conversationIDList": [id], "markType": 1, "enableMark": true}]);
    let done = bob.data("markConversation", &marks);
    assert_eq!(done["successConversationIDList"], json!([id]));
    let custom = json!([{"conversationIDList": [id], "customData": "c"}]);
    bob.data("setConversationCustomData", &custom);
    until_listed(&other, id, mark, |shown| {
        shown["markList"] == json!([1]) && shown["customData"] == "c"
    });
    proven("conversations: marks and custom data", Pair::SdkToSdk);

    let mark = other.mark();
    let group = json!([{"conversationIDList": [id], "groupName": "work"}]);
    bob.data("createConversationGroup", &group);
    until_listed(&other, id, mark, |shown| {
        shown["conversationGroupList"] == json!(["work"])
    });
    let mark = other.mark();
    bob.data(
        "renameConversationGroup",
        &json!([{"oldName": "work", "newName": "play"}]),
    );
    until_listed(&other, id, mark, |shown| {
        shown["conversationGroupList"] == json!(["play"])
    });
    let group = json!([{"conversationIDList": [id], "groupName": "play"}]);
    let mark = other.mark();
    let out = bob.data("deleteConversationsFromGroup", &group);
    assert_eq!(out["successConversationIDList"], json!([id]), "{out}");
    until_listed(&other, id, mark, |shown| {
        shown["conversationGroupList"] == json!([])
    });
    let mark = other.mark();
    bob.data("addConversationsToGroup", &group);
    until_listed(&other, id, mark, |shown| {
        shown["conversationGroupList"] == json!(["play"])
    });
    proven("conversations: groups of conversations", Pair::SdkToSdk);

    let mark = other.mark();
    let mute = json!([{"userIDList": ["alice"], "messageRemindType": "AcceptNotNotify"}]);
    bob.data("setMessageRemindType", &mute);
    until_listed(&other, id, mark, |shown| {
        shown["messageRemindType"] == "AcceptNotNotify"
    });
    proven("conversations: mute", Pair::SdkToSdk);

    let mark = (other.mark(), alice.mark());
    bob.call("setAllMessageRead", &json!([])).unwrap();
    until_listed(&other, id, mark.0, |shown| shown["unreadCount"] == 0);
    alice.wait_until(mark.1, "onMessageReadByPeer", |list| {
        list[0]["isPeerRead"] == true
    });
    proven("conversations: everything read at once", Pair::SdkToSdk);

    // The server keeps all of it.
    let fresh = page(sdk, &sandbox, "bob");
    until_listed(&fresh, id, 0, |shown| {
        shown["isPinned"] == true
            && shown["markList"] == json!([1])
            && shown["customData"] == "c"
            && shown["conversationGroupList"] == json!(["play"])
            && shown["messageRemindType"] == "AcceptNotNotify"
            && shown["lastMessage"]["payload"]["text"] == "hello"
    });
    let group = json!(["play"]);
    fresh.data("deleteConversationGroup", &group);
    assert_eq!(listed(&fresh, id)["conversationGroupList"], json!([]));

    fresh.data("clearHistoryMessage", &json!([id]));
    let query = json!([{"conversationID": id}]);
    assert_eq!(fresh.call("getMessageList", &query), Ok(json!([])));
    fresh.data("deleteConversation", &json!([id]));
    assert_eq!(fresh.call("getConversationList", &json!([])), Ok(json!([])));
    proven("conversations: clearing and deleting", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn messages_are_recalled_edited_deleted_and_read_on_every_terminal() {
    let sdk = sdk();
    let sandbox = sandbox(|config| config.max_web_instances = 2);
    let (alice, bob, other) = three(sdk, &sandbox);
    let marks = (alice.mark(), other.mark());
    let mine = bob.say("alice", "from here");
    let copy = other.hear(marks.1, "copy", |message| message["ID"] == mine["ID"]);
    assert_eq!(
        (&copy["flow"], &copy["from"], &copy["to"]),
        (&json!("out"), &json!("bob"), &json!("alice"))
    );
    alice.hear(marks.0, "message", |message| message["ID"] == mine["ID"]);
    proven("C2C: own other terminal", Pair::SdkToSdk);

    // The receiver may edit as well.
    let marks = (bob.mark(), other.mark());
    alice
        .call("edit", &json!([mine["ID"], {"text": "edited by alice"}]))
        .unwrap();
    for (page, mark) in [(&bob, marks.0), (&other, marks.1)] {
        page.wait_until(mark, "onMessageModified", |list| {
            list[0]["payload"]["text"] == "edited by alice"
        });
    }
    proven("C2C: edit, also by the receiver", Pair::SdkToSdk);

    let marks = (alice.mark(), other.mark());
    bob.call("revokeMessage", &json!([{"$message": mine["ID"]}]))
        .unwrap();
    for (page, mark) in [(&alice, marks.0), (&other, marks.1)] {
        page.wait_until(mark, "onMessageRevoked", |list| list[0]["ID"] == mine["ID"]);
    }
    proven("C2C: recall", Pair::SdkToSdk);

    let body = json!({
        "SyncFromOldSystem": 2, "From_Account": "bob", "To_Account": "alice", "MsgSeq": 5,
        "MsgRandom": 5, "MsgTimeStamp": unix_now(&sandbox) - 1000,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "long ago"}}],
    });
    assert_eq!(rest(&sandbox, "openim/importmsg", &body)["ErrorCode"], 0);
    let query = json!([{"conversationID": "C2Calice"}]);
    let fresh = page(sdk, &sandbox, "bob");
    let list = fresh.call("getMessageList", &query).unwrap();
    let old = &list[0];
    assert_eq!(old["payload"]["text"], "long ago", "{list}");
    assert_eq!(
        list[1]["isRevoked"], true,
        "a recalled message keeps its place"
    );
    let late = fresh.call("revokeMessage", &json!([{"$message": old["ID"]}]));
    assert_eq!(late, Err(20016));
    proven("C2C: recall, its window, in history", Pair::SdkToSdk);

    fresh
        .call("deleteMessage", &json!([[{"$message": old["ID"]}]]))
        .unwrap();
    let again = alice
        .call("getMessageList", &json!([{"conversationID": "C2Cbob"}]))
        .unwrap();
    assert_eq!(
        again[0]["payload"]["text"], "long ago",
        "deleted for oneself only"
    );
    proven("C2C: delete for oneself, clear", Pair::SdkToSdk);

    let mark = fresh.mark();
    let asked = alice.send_to(
        "bob",
        "Text",
        &json!({"text": "receipt?"}),
        &json!({"needReadReceipt": true}),
    );
    fresh.hear(mark, "receipt?", |message| message["ID"] == asked["ID"]);
    let mark = alice.mark();
    fresh
        .call(
            "sendMessageReadReceipt",
            &json!([[{"$message": asked["ID"]}]]),
        )
        .unwrap();
    alice.wait_until(mark, "onMessageReadReceiptReceived", |list| {
        list[0]["messageID"] == asked["ID"] && list[0]["isPeerRead"] == true
    });
    let mark = alice.mark();
    fresh
        .call("setMessageRead", &json!([{"conversationID": "C2Calice"}]))
        .unwrap();
    alice.wait(mark, "onMessageReadByPeer");
    proven("C2C: read reports and receipts", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn history_comes_in_pages_and_from_any_place() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let start = unix_now(&sandbox) - 5000;
    for number in 0..40_u64 {
        let body = json!({
            "SyncFromOldSystem": 2, "From_Account": "bob", "To_Account": "alice", "MsgSeq": number,
            "MsgRandom": 1000 + number, "MsgTimeStamp": start + number,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": format!("h{number}")}}],
        });
        assert_eq!(rest(&sandbox, "openim/importmsg", &body)["ErrorCode"], 0);
    }
    let alice = page(sdk, &sandbox, "alice");
    let (mut all, mut next) = (Vec::new(), Value::Null);
    for _ in 0..3 {
        let mut query = json!({"conversationID": "C2Cbob"});
        if next.is_string() {
            query["nextReqMessageID"] = next.clone();
        }
        let page = alice.data("getMessageList", &json!([query]));
        let list = page["messageList"].as_array().unwrap();
        let texts = list
            .iter()
            .map(|m| m["payload"]["text"].as_str().unwrap().to_owned());
        all.splice(0..0, texts);
        next = page["nextReqMessageID"].clone();
        if page["isCompleted"] == true {
            break;
        }
    }
    let expected: Vec<String> = (0..40).map(|number| format!("h{number}")).collect();
    assert_eq!(all, expected);
    for (direction, first, last) in [(0, "h16", "h20"), (1, "h20", "h24")] {
        let query = json!([{
            "conversationID": "C2Cbob", "time": start + 20, "direction": direction, "count": 5,
        }]);
        let page = alice.data("getMessageListHopping", &query);
        let list = page["messageList"].as_array().unwrap();
        let texts: Vec<&Value> = list.iter().map(|m| &m["payload"]["text"]).collect();
        assert_eq!(
            (texts[0], texts[4]),
            (&json!(first), &json!(last)),
            "{texts:?}"
        );
    }
    proven("C2C: history in pages", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_happened_during_an_outage_is_made_up_for() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    bob.settle();
    let mark = bob.mark();
    let before = alice.say("bob", "before");
    bob.texts_up_to(mark, "before");
    let mark = bob.mark();
    sandbox.drop_link("bob").unwrap();
    alice
        .call("revokeMessage", &json!([{"$message": before["ID"]}]))
        .unwrap();
    let carol = page(sdk, &sandbox, "carol");
    for text in ["one", "two"] {
        alice.say("bob", text);
    }
    carol.say("bob", "from a stranger");
    alice.say("bob", "three");
    let mut texts = bob.texts_up_to(mark, "three");
    if !texts.contains(&"from a stranger".to_owned()) {
        texts.extend(bob.texts_up_to(mark, "from a stranger"));
    }
    for text in ["one", "two", "three", "from a stranger"] {
        assert!(
            texts.iter().any(|heard| heard == text),
            "{text} of {texts:?}"
        );
    }
    bob.wait_until(mark, "onMessageRevoked", |list| {
        list[0]["ID"] == before["ID"]
    });
    proven("C2C: messages and recalls during an outage", Pair::SdkToSdk);
}
