//! Tests of every element between two users, and of the send options.

use serde_json::{Value, json};

use super::{
    Page,
    compat::{Pair, proven},
    groups::page,
    sdk,
};
use crate::harness::sandbox;

/// Sends a message from `from`, and checks that `to` (who is bob) receives the same.
#[track_caller]
fn exchange(from: &Page, to: &Page, kind: &str, payload: &Value, more: &Value) -> (Value, Value) {
    let mark = to.mark();
    let sent = from.send_to("bob", kind, payload, more);
    let got = to.hear(mark, kind, |message| message["ID"] == sent["ID"]);
    for field in [
        "type",
        "from",
        "to",
        "time",
        "sequence",
        "random",
        "cloudCustomData",
    ] {
        assert_eq!(sent[field], got[field], "{field} of {kind}");
    }
    (sent, got)
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn every_small_element_arrives_as_it_was_sent_and_stands_in_the_history() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    let more = json!({"cloudCustomData": "{\"k\":\"你好\"}", "needReadReceipt": true});
    let cards = [
        ("Text", json!({"text": "hello\n你好🙂"})),
        (
            "Custom",
            json!({"data": "d", "description": "x", "extension": "e"}),
        ),
        ("Face", json!({"index": 1, "data": "f"})),
        (
            "Location",
            json!({"description": "l", "longitude": 1.5, "latitude": -2.25}),
        ),
    ];
    let mut payloads = Vec::new();
    for (kind, payload) in cards {
        let (sent, got) = exchange(&alice, &bob, kind, &payload, &more);
        assert_eq!(sent["payload"], got["payload"], "{kind}");
        assert_eq!(got["cloudCustomData"], "{\"k\":\"你好\"}");
        assert_eq!(got["needReadReceipt"], true);
        assert_eq!((&got["flow"], &sent["flow"]), (&json!("in"), &json!("out")));
        payloads.push(got["payload"].clone());
        proven(
            &format!("C2C: {} element", kind.to_lowercase()),
            Pair::SdkToSdk,
        );
    }
    let again = page(sdk, &sandbox, "bob");
    let query = json!([{"conversationID": "C2Calice"}]);
    let list = again.call("getMessageList", &query).unwrap();
    let stored: Vec<Value> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["payload"].clone())
        .collect();
    assert_eq!(stored, payloads);
    let options = json!({"to": "bob", "conversationType": "C2C", "payload": {"text": "once"}});
    alice.call("sendTwice", &json!(["Text", options])).unwrap();
    assert_eq!(sandbox.history("alice", "bob").len(), 5);
    assert_eq!(sandbox.status().counters.repeated_sends, 1);
    proven("C2C: resend delivers once", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn merged_and_forwarded_messages_arrive_with_what_they_hold() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    let none = json!({});
    let (first, _) = exchange(&alice, &bob, "Text", &json!({"text": "first"}), &none);

    let (_, forwarded) = exchange(
        &alice,
        &bob,
        "Forward",
        &json!({"$message": first["ID"]}),
        &none,
    );
    assert_eq!(forwarded["payload"]["text"], "first");
    proven("C2C: forwarding", Pair::SdkToSdk);

    let merger = |messages: &[&Value]| {
        let list: Vec<Value> = messages
            .iter()
            .map(|m| json!({"$message": m["ID"]}))
            .collect();
        json!({
            "messageList": list, "title": "T", "abstractList": ["a", "b"],
            "compatibleText": "old clients",
        })
    };
    let (_, got) = exchange(&alice, &bob, "Merger", &merger(&[&first]), &none);
    assert_eq!(got["payload"]["title"], "T");
    assert_eq!(
        got["payload"]["messageList"][0]["messageBody"][0]["payload"]["text"],
        "first"
    );
    proven("C2C: merged messages", Pair::SdkToSdk);

    let texts: Vec<Value> = (0..8)
        .map(|number| {
            let text = format!("{number} {}", "长".repeat(1500));
            exchange(&alice, &bob, "Text", &json!({"text": text}), &none).0
        })
        .collect();
    let all: Vec<&Value> = texts.iter().collect();
    let (_, got) = exchange(&alice, &bob, "Merger", &merger(&all), &none);
    assert!(got["payload"]["downloadKey"].is_string(), "{got}");
    let list = bob
        .call("downloadMergerMessage", &json!([{"$message": got["ID"]}]))
        .unwrap();
    let held = list["payload"]["messageList"].as_array().unwrap();
    assert_eq!(held.len(), 8);
    for (held, sent) in held.iter().zip(&texts) {
        assert_eq!(
            held["messageBody"][0]["payload"]["text"],
            sent["payload"]["text"]
        );
    }
    proven("C2C: long merged messages, stored and got", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn messages_can_be_for_now_only_and_leave_counters_alone() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    let none = json!({});
    let (_, _) = exchange(&alice, &bob, "Text", &json!({"text": "counts"}), &none);
    let mark = bob.mark();
    let typing = json!({
        "data": "{\"businessID\":\"user_typing_status\",\"typingStatus\":1}",
        "description": "", "extension": "",
    });
    let sent = alice
        .try_send_to(
            "bob",
            "Custom",
            &typing,
            &none,
            &json!({"onlineUserOnly": true}),
        )
        .unwrap();
    let got = bob.hear(mark, "typing", |message| message["ID"] == sent["ID"]);
    assert_eq!(got["_onlineOnlyFlag"], true);
    proven("C2C: typing and other online-only messages", Pair::SdkToSdk);

    let control = json!({"messageControlInfo": {
        "excludedFromUnreadCount": true, "excludedFromLastMessage": true,
    }});
    let mark = bob.mark();
    let silent = json!({"text": "silent"});
    let sent = alice
        .try_send_to("bob", "Text", &silent, &none, &control)
        .unwrap();
    let got = bob.hear(mark, "silent", |message| message["ID"] == sent["ID"]);
    assert_eq!(got["_isExcludedFromUnreadCount"], true);
    let listed = bob.call("conversation", &json!(["C2Calice"])).unwrap();
    assert_eq!(listed["unreadCount"], 1);
    assert_eq!(listed["lastMessage"]["payload"]["text"], "counts");
    let texts: Vec<String> = sandbox
        .history("alice", "bob")
        .iter()
        .map(|item| item.body.clone())
        .collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    proven(
        "C2C: messages that leave unread count and last message alone",
        Pair::SdkToSdk,
    );
}
