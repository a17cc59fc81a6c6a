//! Tests of missed group messages, and of the differences in live rooms.

use serde_json::{Value, json};

use super::{
    compat::{Pair, proven},
    groups::{found, page, settle_in},
    sdk,
};
use crate::harness::sandbox;

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.filter_map(|message| message["payload"]["text"].as_str().map(str::to_owned))
        .collect()
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn history_pages_hold_everything_once_with_unread_counts_at_login() {
    let sdk = sdk();
    let sandbox = sandbox(|config| config.group_message_rate = 1000);
    let alice = page(sdk, &sandbox, "alice");
    found(&alice, "Public", "g", &["bob"]);
    // The SDK of the creator sends a message on its own.
    alice.say_to_group("g", "begin");
    let said: Vec<String> = (0..50).map(|number| format!("m{number}")).collect();
    for text in &said {
        sandbox.say_to_group("alice", "g", text).unwrap();
    }
    let bob = super::Page::open(sdk, &sandbox);
    let mark = bob.mark();
    bob.enter(&sandbox, "bob");
    bob.wait_until(mark, "onConversationListUpdated", |list| {
        let unread = |c: &Value| c["conversationID"] == "GROUPg" && c["unreadCount"] == 52;
        list.as_array().unwrap().iter().any(unread)
    });
    let mut pages: Vec<String> = Vec::new();
    let mut query = json!({"conversationID": "GROUPg"});
    loop {
        let data = bob.data("getMessageList", &json!([query]));
        let mut page = texts(&data["messageList"]);
        page.append(&mut pages);
        pages = page;
        if data["isCompleted"] == true {
            break;
        }
        query["nextReqMessageID"] = data["nextReqMessageID"].clone();
    }
    let mut all = vec!["begin".to_owned()];
    all.extend(said.iter().cloned());
    assert_eq!(pages, all);
    let hop = |sequence: u64, direction: u8| {
        let query = json!([{
            "conversationID": "GROUPg", "sequence": sequence, "direction": direction, "count": 5,
        }]);
        texts(&bob.data("getMessageListHopping", &query)["messageList"])
    };
    // Number 1 is a tip, 2 the greeting, and 3 the first message.
    assert_eq!(hop(20, 0), ["m12", "m13", "m14", "m15", "m16"]);
    assert_eq!(hop(20, 1).first().map(String::as_str), Some("m16"));
    assert_eq!(
        bob.count(mark, "onMessageReceived"),
        0,
        "a login reports no old messages"
    );
    proven("group: unread count at login", Pair::SdkToSdk);
    proven("group: history in pages and by hopping", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn recalled_messages_and_tips_have_their_place_in_history() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let alice = page(sdk, &sandbox, "alice");
    found(&alice, "Public", "g", &["bob"]);
    let first = alice.say_to_group("g", "one");
    alice.say_to_group("g", "two");
    alice
        .call("revokeMessage", &json!([{"$message": first["ID"]}]))
        .unwrap();
    alice
        .call(
            "updateGroupProfile",
            &json!([{"groupID": "g", "name": "renamed"}]),
        )
        .unwrap();
    let third = alice.say_to_group("g", "three");
    let bob = page(sdk, &sandbox, "bob");
    let data = bob.data("getMessageList", &json!([{"conversationID": "GROUPg"}]));
    let list = data["messageList"].as_array().unwrap();
    let recalled = list
        .iter()
        .find(|message| message["ID"] == first["ID"])
        .unwrap();
    assert_eq!(
        (&recalled["isRevoked"], &recalled["revoker"]),
        (&json!(true), &json!("alice"))
    );
    let tips = list
        .iter()
        .filter(|message| message["type"] == "TIMGroupTipElem");
    let tips: Vec<&Value> = tips.map(|tip| &tip["payload"]["operationType"]).collect();
    assert_eq!(tips, [1, 6]);
    assert_eq!(list.last().unwrap()["ID"], third["ID"]);
    // A deletion only concerns the user who deletes.
    bob.call("deleteMessage", &json!([[{"$message": third["ID"]}]]))
        .unwrap();
    let again = page(sdk, &sandbox, "bob");
    let data = again.data("getMessageList", &json!([{"conversationID": "GROUPg"}]));
    assert_eq!(
        texts(&data["messageList"]).last().map(String::as_str),
        Some("two")
    );
    proven(
        "group: recalled messages and tips in history",
        Pair::SdkToSdk,
    );
    proven("group: delete for oneself", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_gap_is_filled_after_a_lost_link_in_order_and_once() {
    let sdk = sdk();
    let sandbox = sandbox(|config| config.group_message_rate = 1000);
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["bob"]);
    settle_in(&bob, "g");
    alice.say_to_group("g", "before");
    bob.heard_up_to(0, "before");
    bob.wait(0, "socketGrownUp");
    let mark = bob.mark();
    sandbox.drop_link("bob").unwrap();
    // All of this happens before the page can reconnect.
    let missed: Vec<String> = (0..40).map(|number| format!("missed {number}")).collect();
    for text in &missed[..39] {
        sandbox.say_to_group("alice", "g", text).unwrap();
    }
    let change = json!({"GroupId": "g", "Name": "renamed"});
    let renamed = sandbox.administer("group_open_http_svc/modify_group_base_info", &change);
    assert_eq!(renamed["ErrorCode"], 0);
    sandbox.say_to_group("alice", "g", &missed[39]).unwrap();
    assert_eq!(bob.texts_up_to(mark, "missed 39"), missed);
    bob.hear_tip(mark, 6);
    alice.say_to_group("g", "after");
    assert_eq!(bob.texts_up_to(mark, "after").len(), 41, "each once");
    proven(
        "group: messages and tips of a gap after a reconnect",
        Pair::SdkToSdk,
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn notices_wait_for_those_who_are_away() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    bob.wait(0, "socketGrownUp");
    let mark = bob.mark();
    sandbox.drop_link("bob").unwrap();
    found(&alice, "Public", "g", &["bob"]);
    alice.say_to_group("g", "welcome");
    bob.wait_until(mark, "onConversationListUpdated", |list| {
        list.as_array()
            .unwrap()
            .iter()
            .any(|c| c["conversationID"] == "GROUPg")
    });
    alice.say_to_group("g", "again");
    bob.heard_up_to(mark, "again");
    proven("group: taken into a group while away", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn an_unknown_group_is_an_error_and_no_harm() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let alice = page(sdk, &sandbox, "alice");
    assert_eq!(
        alice.try_data("joinGroup", &json!([{"groupID": "none"}])),
        Err(10010)
    );
    assert!(
        alice
            .try_to_group("none", "Text", &json!({"text": "x"}))
            .is_err()
    );
    let long = "x".repeat(13_000);
    found(&alice, "Public", "g", &[]);
    assert!(
        alice
            .try_to_group("g", "Text", &json!({"text": long}))
            .is_err()
    );
    alice.say_to_group("g", "still here");
    proven("group: unknown group and oversize refused", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn two_pages_of_one_account_agree() {
    let sdk = sdk();
    let sandbox = sandbox(|config| config.max_web_instances = 2);
    let (here, there) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "alice"));
    let bob = page(sdk, &sandbox, "bob");
    found(&here, "Public", "g", &["bob"]);
    settle_in(&bob, "g");
    here.say_to_group("g", "from here");
    let copy = there.hear(0, "the copy", |m| m["payload"]["text"] == "from here");
    assert_eq!(
        (&copy["flow"], &copy["from"]),
        (&json!("out"), &json!("alice"))
    );
    bob.say_to_group("g", "to both");
    let unread = |count: u64| {
        move |list: &Value| {
            let list = list.as_array().unwrap().iter();
            let mut group = list.filter(|c| c["conversationID"] == "GROUPg");
            group.any(|c| (c["unreadCount"] == 0) == (count == 0))
        }
    };
    there.heard_up_to(0, "to both");
    here.heard_up_to(0, "to both");
    there.wait_until(0, "onConversationListUpdated", unread(1));
    let mark = there.mark();
    here.call("setMessageRead", &json!([{"conversationID": "GROUPg"}]))
        .unwrap();
    there.wait_until(mark, "onConversationListUpdated", unread(0));
    let mark = there.mark();
    here.call("dismissGroup", &json!(["g"])).unwrap();
    there.hear_notice(mark, 5);
    proven(
        "group: copies and read state on another page",
        Pair::SdkToSdk,
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn all_is_read_at_once() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["bob"]);
    settle_in(&bob, "g");
    alice.say_to_group("g", "unread");
    bob.heard_up_to(0, "unread");
    bob.call("setAllMessageRead", &json!([])).unwrap();
    let again = page(sdk, &sandbox, "bob");
    let list = again.call("getConversationList", &json!([])).unwrap();
    let read = json!({"conversationID": "GROUPg", "unreadCount": 0});
    assert!(list.as_array().unwrap().contains(&read), "{list}");
    // Before the page knows its groups, it deletes a conversation without telling the server.
    again.settle();
    again
        .call("deleteConversation", &json!(["GROUPg"]))
        .unwrap();
    let later = page(sdk, &sandbox, "bob");
    let list = later.call("getConversationList", &json!([])).unwrap();
    let gone = |c: &Value| c["conversationID"] != "GROUPg";
    assert!(list.as_array().unwrap().iter().all(gone), "{list}");
    proven("group: all read, conversation deleted", Pair::SdkToSdk);
}
