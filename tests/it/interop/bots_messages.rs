//! Tests of forwarded, merged and other special messages, and of later changes to messages, between
//! the official SDK and a bot.

use botroupe::{prelude::*, proto::message::Merger};
use serde_json::{Value, json};

use super::{
    Page, Troupe,
    compat::{Pair, proven},
    groups::page,
    rest, sdk, unix_now,
};
use crate::harness::sandbox;

fn texts_of(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.filter_map(|m| m["payload"]["text"].as_str()).collect()
}

fn history_of(page: &Page, peer: &str) -> Value {
    let query = json!([{"conversationID": format!("C2C{peer}")}]);
    page.call("getMessageList", &query).unwrap()
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn messages_are_forwarded_and_merged_both_ways() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("forwarding-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let (alice, api) = (page(sdk, &sandbox, "alice"), bot.api());
    let first = alice.say(me, "first");
    let heard = bot.hears_text(mark, "first");
    alice.send_to(me, "Forward", &json!({"$message": first["ID"]}), &json!({}));
    bot.hears_times(mark, "first", 2);
    let from = alice.mark();
    let draft = Draft::forward(&heard);
    Troupe::wait(api.send(Conversation::c2c("alice"), draft)).unwrap();
    assert_eq!(alice.texts_up_to(from, "first"), ["first"]);
    for pair in [Pair::SdkToBot, Pair::BotToSdk] {
        proven("C2C: forwarding", pair);
    }

    // The record is too long for a message, so it is stored first.
    let long: Vec<Value> = (0..8)
        .map(|number| alice.say(me, &format!("{number} {}", "长".repeat(1500))))
        .collect();
    let last = bot.hears(mark, "the last", |m| {
        m.terminal_id().as_deref() == long[7]["ID"].as_str()
    });
    let list: Vec<Value> = long.iter().map(|m| json!({"$message": m["ID"]})).collect();
    let payload = json!({
        "messageList": list, "title": "T", "abstractList": ["a"], "compatibleText": "c",
    });
    alice.send_to(me, "Merger", &payload, &json!({}));
    let merged = bot.hears(mark, "the record", |m| {
        matches!(m.elements[..], [Element::Merger(_)])
    });
    let [Element::Merger(merger)] = &merged.elements[..] else {
        unreachable!()
    };
    assert_eq!(merger.inline().map(|inside| inside.len()), None);
    let inside = Troupe::wait(api.merged_messages(&merged)).unwrap().unwrap();
    let texts: Vec<&Element> = inside.iter().flat_map(|m| &m.body).collect();
    assert_eq!(texts.len(), 8);
    for (element, sent) in texts.iter().zip(&long) {
        let Element::Text(text) = element else {
            panic!("{element:?}")
        };
        assert_eq!(text.text, sent["payload"]["text"].as_str().unwrap());
    }
    proven("C2C: long merged messages, stored and got", Pair::SdkToBot);

    let messages: Vec<Message> = bot.heard(mark);
    let messages: Vec<Message> = messages
        .into_iter()
        .filter(|m| m.text().is_some_and(|text| text.len() > 1000))
        .collect();
    assert_eq!(messages.last().map(Message::key), Some(last.key()));
    let merger: Merger = Troupe::wait(api.merge("Ours", &messages)).unwrap();
    let from = alice.mark();
    let element = Element::Merger(Box::new(merger));
    Troupe::wait(api.send(Conversation::c2c("alice"), element)).unwrap();
    let got = alice.hear(from, "our record", |m| m["type"] == "TIMRelayElem");
    assert_ne!(got["payload"]["downloadKey"], "", "{got}");
    let list = alice
        .call("downloadMergerMessage", &json!([{"$message": got["ID"]}]))
        .unwrap();
    let held = list["payload"]["messageList"].as_array().unwrap();
    assert_eq!(held.len(), 8);
    for (held, sent) in held.iter().zip(&long) {
        assert_eq!(
            held["messageBody"][0]["payload"]["text"],
            sent["payload"]["text"]
        );
    }
    proven("C2C: long merged messages, stored and got", Pair::BotToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn the_sdk_reads_deletes_and_sees_recalled_what_a_bot_said() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("quoted-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    // Each side sent a message a long time ago.
    for (number, from, to) in [(5, me, "alice"), (6, "alice", me)] {
        let old = json!({
            "SyncFromOldSystem": 2, "From_Account": from, "To_Account": to, "MsgSeq": number,
            "MsgRandom": number, "MsgTimeStamp": unix_now(&sandbox) - 1000,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "long ago"}}],
        });
        assert_eq!(rest(&sandbox, "openim/importmsg", &old)["ErrorCode"], 0);
    }
    let said: Vec<Message> = (0..40)
        .map(|number| {
            Troupe::wait(api.say(Conversation::c2c("alice"), format!("text {number}"))).unwrap()
        })
        .collect();
    let alice = page(sdk, &sandbox, "alice");
    let (mut all, mut next) = (Vec::new(), Value::Null);
    loop {
        let mut query = json!({"conversationID": format!("C2C{me}")});
        if next.is_string() {
            query["nextReqMessageID"] = next.clone();
        }
        let page = alice.data("getMessageList", &json!([query]));
        let list = page["messageList"].as_array().unwrap().clone();
        all.splice(0..0, list);
        next = page["nextReqMessageID"].clone();
        if page["isCompleted"] == true {
            break;
        }
    }
    let texts: Vec<&str> = all
        .iter()
        .map(|m| m["payload"]["text"].as_str().unwrap())
        .collect();
    let mut expected = vec!["long ago".to_owned(), "long ago".to_owned()];
    expected.extend((0..40).map(|number| format!("text {number}")));
    assert_eq!(texts, expected);
    proven("C2C: history in pages", Pair::BotToSdk);

    let late = Troupe::wait(api.user("alice").history(100)).unwrap();
    let late = late.iter().find(|m| m.is_own).unwrap();
    assert_eq!(late.text(), Some("long ago"));
    let late = Troupe::wait(api.message(late).recall()).unwrap_err();
    assert_eq!(late.code(), Some(Code::C2C_RECALL_WINDOW));
    Troupe::wait(api.message(&said[0]).recall()).unwrap();
    alice.wait(0, "onMessageRevoked");
    let fresh = page(sdk, &sandbox, "alice");
    let query = json!([{
        "conversationID": format!("C2C{me}"), "time": said[0].time - 1, "direction": 1, "count": 15,
    }]);
    let list = fresh.data("getMessageListHopping", &query);
    let list = list["messageList"].as_array().unwrap();
    let first = list.iter().find(|m| m["random"] == said[0].random);
    let first = first.unwrap_or_else(|| panic!("{} of {list:#?}", said[0].random));
    assert_eq!(first["isRevoked"], true, "it keeps its place");
    proven("C2C: recall, its window, in history", Pair::BotToSdk);
    // The other direction.
    fresh.settle();
    let hers = fresh.say(me, "hers");
    bot.hears_text(mark, "hers");
    let old = texts.len();
    let query = json!([{
        "conversationID": format!("C2C{me}"), "time": unix_now(&sandbox) - 1100, "direction": 1,
        "count": 2,
    }]);
    let list = fresh.data("getMessageListHopping", &query);
    let list = list["messageList"].as_array().unwrap();
    let late = list.iter().find(|m| m["from"] == "alice").unwrap();
    let late = fresh.call("revokeMessage", &json!([{"$message": late["ID"]}]));
    assert_eq!(late, Err(20016));
    fresh
        .call("revokeMessage", &json!([{"$message": hers["ID"]}]))
        .unwrap();
    bot.learns(mark, "the recall", |update| {
        matches!(update, Update::Recalled { .. }).then_some(())
    });
    let history = Troupe::wait(api.user("alice").history(100)).unwrap();
    assert_eq!(history.len(), old + 1);
    let recalled: Vec<usize> = (0..history.len())
        .filter(|n| history[*n].recalled)
        .collect();
    assert_eq!(recalled, [2, old]);
    proven("C2C: recall, its window, in history", Pair::SdkToBot);

    // A deletion only concerns one side: the bot keeps the message.
    let last = history_of(&fresh, me);
    let last = last.as_array().unwrap().iter().rev();
    let last = last
        .clone()
        .find(|m| m["payload"]["text"] == "text 39")
        .unwrap();
    fresh
        .call("deleteMessage", &json!([[{"$message": last["ID"]}]]))
        .unwrap();
    let again = page(sdk, &sandbox, "alice");
    assert!(!texts_of(&history_of(&again, me)).contains(&"text 39"));
    let history = Troupe::wait(api.user("alice").history(100)).unwrap();
    assert!(history.iter().any(|m| m.text() == Some("text 39")));
    again.data("clearHistoryMessage", &json!([format!("C2C{me}")]));
    assert_eq!(history_of(&again, me), json!([]));
    let history = Troupe::wait(api.user("alice").history(100)).unwrap();
    assert_eq!(history.len(), old + 1);
    proven("C2C: delete for oneself, clear", Pair::BotToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn messages_leave_counters_alone_and_repeated_ones_arrive_once() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("quiet-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let (alice, api) = (page(sdk, &sandbox, "alice"), bot.api());
    let from = alice.mark();
    Troupe::wait(api.send(Conversation::c2c("alice"), "counts")).unwrap();
    let silent = Draft::text("silent").without_unread().without_last();
    Troupe::wait(api.send(Conversation::c2c("alice"), silent)).unwrap();
    let got = alice.heard_up_to(from, "silent").pop().unwrap();
    assert_eq!(got["_isExcludedFromUnreadCount"], true);
    assert_eq!(got["_isExcludedFromLastMessage"], true);
    let id = format!("C2C{me}");
    let listed = alice.call("conversation", &json!([id])).unwrap();
    assert_eq!(listed["unreadCount"], 1);
    assert_eq!(listed["lastMessage"]["payload"]["text"], "counts");
    let row = "C2C: messages that leave unread count and last message alone";
    proven(row, Pair::BotToSdk);

    // The server rejects the bot's read reports, so that unread messages remain.
    sandbox
        .refuse(me, "openim.msgreaded", Code::C2C_INTERNAL, None)
        .unwrap();
    let control = json!({"messageControlInfo": {
        "excludedFromUnreadCount": true, "excludedFromLastMessage": true,
    }});
    alice.say(me, "counts");
    alice
        .try_send_to(me, "Text", &json!({"text": "silent"}), &json!({}), &control)
        .unwrap();
    bot.hears_text(mark, "silent");
    let listed = Troupe::wait(api.conversations()).unwrap();
    let last = serde_json::to_string(&listed[0].last).unwrap();
    assert!(
        last.contains("counts") && !last.contains("silent"),
        "{last}"
    );
    proven(row, Pair::SdkToBot);

    let options = json!({"to": me, "conversationType": "C2C", "payload": {"text": "once"}});
    alice.call("sendTwice", &json!(["Text", options])).unwrap();
    alice.say(me, "fence");
    bot.hears_text(mark, "fence");
    let heard = bot.heard(mark);
    let texts = heard.iter().filter(|m| m.text() == Some("once"));
    assert_eq!(texts.count(), 1);
    assert_eq!(sandbox.status().counters.repeated_sends, 1);
    proven("C2C: resend delivers once", Pair::SdkToBot);
}
