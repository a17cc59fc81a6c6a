//! Tests of one-to-one messages between the official SDK and a bot.

use botroupe::{bot::ApiError, prelude::*, proto::message::MessageRef};
use serde_json::{Value, json};

use super::{
    Page, Troupe,
    compat::{Pair, proven},
    groups::page,
    sdk,
};
use crate::harness::sandbox;

fn send(page: &Page, to: &str, kind: &str, payload: &Value) -> Value {
    let options = json!({
        "to": to, "conversationType": "C2C", "payload": payload, "needReadReceipt": true,
    });
    page.call("send", &json!([kind, options])).unwrap()
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_the_sdk_does_to_messages_reaches_the_bot() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, api_mark) = ("c2c-watcher", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let alice = page(sdk, &sandbox, "alice");

    let sent = alice.say(me, "first words");
    let heard = bot.hears_text(api_mark, "first words");
    assert_eq!(heard.terminal_id().as_deref(), sent["ID"].as_str());
    alice
        .call("edit", &json!([sent["ID"], {"text": "second words"}]))
        .unwrap();
    let edited = bot.learns(api_mark, "an edit", |update| match update {
        Update::Edited {
            conversation,
            message,
        } => Some((conversation.clone(), message.clone())),
        _ => None,
    });
    assert_eq!(edited.0, Conversation::c2c("alice"));
    assert_eq!(edited.1.elements, [Element::text("second words")]);
    assert_eq!((edited.1.version, edited.1.random), (1, heard.random));
    alice
        .call("revokeMessage", &json!([{"$message": sent["ID"]}]))
        .unwrap();
    let recalled = bot.learns(api_mark, "a recall", |update| match update {
        Update::Recalled { by, messages, .. } => Some((by.clone(), messages.clone())),
        _ => None,
    });
    let id = recalled.1.first().and_then(MessageRef::terminal_id);
    assert_eq!((recalled.0.as_str(), id), ("alice", heard.terminal_id()));

    // The bot's messages are read, first all of them, then with a receipt for one message.
    let mark = alice.mark();
    let said = Troupe::wait(bot.api().say(
        Conversation::c2c("alice"),
        Draft::text("read this").receipt(),
    ))
    .unwrap();
    let got = alice.heard_up_to(mark, "read this").pop().unwrap();
    alice
        .call(
            "setMessageRead",
            &json!([{"conversationID": format!("C2C{me}")}]),
        )
        .unwrap();
    let (peer, until) = bot.learns(api_mark, "a read mark", |update| match update {
        Update::ReadByPeer { peer, until } => Some((peer.clone(), *until)),
        _ => None,
    });
    assert_eq!(peer, "alice");
    assert!(until >= said.time);
    let times = Troupe::wait(bot.api().read_times(["alice", "nobody"])).unwrap();
    assert_eq!(times, [until, 0]);
    alice
        .call(
            "sendMessageReadReceipt",
            &json!([[{"$message": got["ID"]}]]),
        )
        .unwrap();
    let receipt = bot.learns(api_mark, "a receipt", |update| match update {
        Update::C2cReceipt { peer, messages, .. } => Some((peer.clone(), messages.clone())),
        _ => None,
    });
    assert_eq!(receipt.0, "alice");
    assert_eq!(receipt.1[0].terminal_id().as_deref(), got["ID"].as_str());

    let typing = json!({"to": me, "conversationType": "C2C", "payload": {"data": "typing"}});
    let online_only = json!({"onlineUserOnly": true});
    alice
        .call("send", &json!(["Custom", typing, online_only]))
        .unwrap();
    let heard = bot.hears(api_mark, "typing", |message| message.online_only);
    assert_eq!(heard.elements, [Element::custom("typing")]);
    // This is the format of the UI kits.
    let data = r#"{"businessID":"user_typing_status","typingStatus":1,"version":1,"userAction":14,"actionParam":"EIMAMSG_InputStatus_Ing"}"#;
    let typing = json!({"to": me, "conversationType": "C2C", "payload": {"data": data}});
    alice
        .call("send", &json!(["Custom", typing, {"onlineUserOnly": true}]))
        .unwrap();
    bot.learns(api_mark, "typing", |update| match update {
        Update::Typing {
            user, is_typing, ..
        } => (user == "alice" && *is_typing).then_some(()),
        _ => None,
    });
    assert!(
        bot.heard(api_mark)
            .iter()
            .all(|message| message.typing().is_none())
    );

    send(&alice, me, "Face", &json!({"index": 7, "data": "smile"}));
    let heard = bot.hears(api_mark, "a face", |message| {
        matches!(message.elements[..], [Element::Face(_)])
    });
    assert_eq!(heard.elements, [Element::face(7, "smile")]);
    assert!(heard.needs_receipt);
    let place = json!({"description": "here", "longitude": 1.5, "latitude": -2.5});
    send(&alice, me, "Location", &place);
    bot.hears(api_mark, "a place", |message| {
        message.elements == [Element::location("here", 1.5, -2.5)]
    });
    let first = alice.say(me, "to be merged");
    let merger = json!({
        "messageList": [{"$message": first["ID"]}], "title": "merged", "abstractList": ["a"],
        "compatibleText": "too old",
    });
    send(&alice, me, "Merger", &merger);
    let heard = bot.hears(api_mark, "a record", |message| {
        matches!(message.elements[..], [Element::Merger(_)])
    });
    let merged = Troupe::wait(bot.api().merged_messages(&heard)).unwrap();
    assert_eq!(merged.unwrap()[0].body, [Element::text("to be merged")]);
    for feature in [
        "C2C: edit, also by the receiver",
        "C2C: recall",
        "C2C: read reports and receipts",
        "C2C: typing and other online-only messages",
        "C2C: text element",
        "C2C: custom element",
        "C2C: face element",
        "C2C: location element",
        "C2C: merged messages",
    ] {
        proven(feature, Pair::SdkToBot);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_a_bot_does_to_messages_reaches_the_sdk() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("c2c-doer", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let alice = page(sdk, &sandbox, "alice");

    let said = Troupe::wait(api.say(Conversation::c2c("alice"), "first words")).unwrap();
    let got = alice.heard_up_to(0, "first words").pop().unwrap();
    let edited = Troupe::wait(api.message(&said).edit("second words")).unwrap();
    assert_eq!(edited.version, 1);
    let changed = &alice.wait(0, "onMessageModified")[0];
    assert_eq!(changed["ID"], got["ID"]);
    assert_eq!(changed["payload"]["text"], "second words");
    // The bot still has the first version; the error contains the server's version.
    let late = Troupe::wait(api.message(&said).edit("other words")).unwrap_err();
    let ApiError::Conflict(now) = late else {
        panic!("{late}")
    };
    assert_eq!(
        (now.version, &now.elements[..]),
        (1, &[Element::text("second words")][..])
    );
    // Both sides may edit.
    let hers = alice.say(me, "hers");
    let mut heard = bot.hears_text(mark, "hers");
    Troupe::wait(api.message(&heard).edit("his")).unwrap();
    alice.wait_until(0, "onMessageModified", |list| {
        list[0]["ID"] == hers["ID"] && list[0]["payload"]["text"] == "his"
    });
    let foreign = Troupe::wait(api.message(&heard).recall()).unwrap_err();
    assert!(matches!(foreign, ApiError::Unfit(_)));
    heard.is_own = true;
    let refused = Troupe::wait(api.message(&heard).recall()).unwrap_err();
    assert!(refused.code().is_some(), "by the server too: {refused}");
    Troupe::wait(api.message(&said).recall()).unwrap();
    assert_eq!(alice.wait(0, "onMessageRevoked")[0]["ID"], got["ID"]);

    let asking = send(&alice, me, "Text", &json!({"text": "read this"}));
    let heard = bot.hears_text(mark, "read this");
    Troupe::wait(api.message(&heard).mark_read()).unwrap();
    alice.wait_until(0, "onMessageReadByPeer", |list| {
        list.as_array()
            .unwrap()
            .iter()
            .any(|m| m["ID"] == asking["ID"])
    });
    Troupe::wait(api.message(&heard).send_receipt()).unwrap();
    let receipts = alice.wait(0, "onMessageReadReceiptReceived");
    assert_eq!(receipts[0]["messageID"], asking["ID"]);

    let before = alice.mark();
    Troupe::wait(api.user("alice").typing(true)).unwrap();
    alice.hear(before, "typing", |message| {
        let data = message["payload"]["data"].as_str().unwrap_or_default();
        data.contains("\"typingStatus\":1")
    });
    // The next message ends it.
    Troupe::wait(api.send_text("alice", "that was it")).unwrap();
    alice.hear(before, "the end of typing", |message| {
        let data = message["payload"]["data"].as_str().unwrap_or_default();
        data.contains("\"typingStatus\":0")
    });
    let merger = Troupe::wait(api.merge("merged", std::slice::from_ref(&heard))).unwrap();
    for (element, kind, field, value) in [
        (Element::face(7, "smile"), "TIMFaceElem", "index", json!(7)),
        (
            Element::location("here", 1.5, -2.5),
            "TIMLocationElem",
            "latitude",
            json!(-2.5),
        ),
        (Element::custom("d"), "TIMCustomElem", "data", json!("d")),
        (
            Element::Merger(Box::new(merger.clone())),
            "TIMRelayElem",
            "title",
            json!("merged"),
        ),
    ] {
        let before = alice.mark();
        Troupe::wait(api.send(Conversation::c2c("alice"), element)).unwrap();
        let got = alice.hear(before, kind, |message| message["type"] == kind);
        assert_eq!(got["payload"][field], value, "{got}");
        if kind == "TIMRelayElem" {
            let inside = &got["payload"]["messageList"][0];
            assert_eq!(
                inside["messageBody"][0]["payload"]["text"], "read this",
                "{got}"
            );
        }
    }
    for feature in [
        "C2C: edit, also by the receiver",
        "C2C: recall",
        "C2C: read reports and receipts",
        "C2C: typing and other online-only messages",
        "C2C: text element",
        "C2C: custom element",
        "C2C: face element",
        "C2C: location element",
        "C2C: merged messages",
    ] {
        proven(feature, Pair::BotToSdk);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_reads_and_tidies_what_was_said() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("c2c-reader", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let alice = page(sdk, &sandbox, "alice");
    let texts: Vec<String> = (0..40).map(|n| format!("text {n}")).collect();
    for text in &texts {
        alice.say(me, text);
    }
    bot.hears_text(mark, "text 39");
    let texts_of = |messages: &[Message]| -> Vec<String> {
        messages
            .iter()
            .filter_map(|m| m.text().map(str::to_owned))
            .collect()
    };
    let history = Troupe::wait(api.user("alice").history(100)).unwrap();
    assert_eq!(texts_of(&history), texts, "three pages, no gap, none twice");
    let last = Troupe::wait(api.user("alice").history(10)).unwrap();
    assert_eq!(texts_of(&last), texts[30..]);
    Troupe::wait(api.delete_messages(&last[..5])).unwrap();
    let left = Troupe::wait(api.user("alice").history(100)).unwrap();
    assert_eq!(texts_of(&left), [&texts[..30], &texts[35..]].concat());

    let listed = || {
        let all = Troupe::wait(api.conversations()).unwrap();
        all.into_iter()
            .find(|c| c.conversation() == Conversation::c2c("alice"))
    };
    assert!(!listed().unwrap().pinned);
    Troupe::wait(api.conversation(Conversation::c2c("alice")).pin()).unwrap();
    assert!(listed().unwrap().pinned);
    Troupe::wait(api.conversation(Conversation::c2c("alice")).unpin()).unwrap();
    assert!(!listed().unwrap().pinned);
    Troupe::wait(
        api.conversation(Conversation::c2c("alice"))
            .set_mute_option(MuteOption::Silent),
    )
    .unwrap();
    assert_eq!(
        Troupe::wait(api.user("alice").mute_option()).unwrap(),
        MuteOption::Silent
    );
    Troupe::wait(api.conversation(Conversation::c2c("alice")).clear_history()).unwrap();
    assert!(
        Troupe::wait(api.user("alice").history(9))
            .unwrap()
            .is_empty()
    );
    Troupe::wait(api.conversation(Conversation::c2c("alice")).delete(false)).unwrap();
    assert_eq!(listed(), None);
    // The peer keeps everything.
    let query = json!([{"conversationID": format!("C2C{me}")}]);
    assert_eq!(
        alice
            .call("getMessageList", &query)
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        15
    );
    for feature in [
        "C2C: history in pages",
        "C2C: delete for oneself, clear",
        "conversations: pinning",
        "conversations: mute",
        "conversations: clearing and deleting",
    ] {
        proven(feature, Pair::SdkToBot);
    }
}
