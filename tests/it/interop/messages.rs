//! Tests of messages between the official SDK and Botroupe's accounts.

use botroupe::{proto::message::Element, sandbox::Sandbox};
use serde_json::json;

use super::compat::{self, Pair};
use super::{Page, Troupe, install::Sdk, rest, sdk, troupe::recorded};
use crate::harness::sandbox;

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn texts_and_custom_messages_go_both_ways_and_look_alike_on_both_ends() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let profile = json!({"UserID": "both-ways", "Nick": "The Bot 🤖"});
    rest(&sandbox, "im_open_login_svc/account_import", &profile);
    let troupe = Troupe::start(&sandbox, "both-ways", "recorder");
    let page = Page::open(sdk, &sandbox);
    page.enter(&sandbox, "alice");
    page.call("updateMyProfile", &json!([{"nick": "Alice 爱丽丝"}]))
        .unwrap();

    let sent = page.say("both-ways", "hello\n\"bot\" 你好🙂");
    let got = recorded("both-ways", |message| message.text().is_some());
    assert_eq!(got.text(), Some("hello\n\"bot\" 你好🙂"));
    assert_eq!((&*got.from, got.nick.as_str()), ("alice", "Alice 爱丽丝"));
    assert_eq!(
        got.terminal_id().as_deref(),
        sent["ID"].as_str(),
        "{sent} {got:?}"
    );
    assert_eq!(sent["time"], got.time);

    let payload = json!({"data": "{\"a\":1}", "description": "what", "extension": "more"});
    let sent = page
        .call("sendCustom", &json!(["both-ways", payload]))
        .unwrap();
    let got = recorded("both-ways", |message| message.text().is_none());
    let [Element::Custom(custom)] = got.elements.as_slice() else {
        panic!("{got:?}")
    };
    assert_eq!(
        [&custom.data, &custom.desc, &custom.ext],
        ["{\"a\":1}", "what", "more"]
    );
    assert_eq!(got.terminal_id().as_deref(), sent["ID"].as_str());

    let mark = page.mark();
    for (element, kind, payload) in [
        (
            Element::custom("{\"b\":2}"),
            "TIMCustomElem",
            json!({"data": "{\"b\":2}", "description": "", "extension": ""}),
        ),
        (
            Element::text("hello alice 你好🙂"),
            "TIMTextElem",
            json!({"text": "hello alice 你好🙂"}),
        ),
    ] {
        let before = page.mark();
        let sent = troupe.send("alice", element).unwrap();
        let got = &page.wait(before, "onMessageReceived")[0];
        assert_eq!(got["type"], kind);
        assert_eq!(got["payload"], payload);
        assert_eq!(
            (&got["from"], &got["to"]),
            (&json!("both-ways"), &json!("alice"))
        );
        assert_eq!(
            (&got["flow"], &got["nick"]),
            (&json!("in"), &json!("The Bot 🤖"))
        );
        // The key in the sender's answer identifies the receiver's message.
        let key = format!("{}_{}_{}", got["sequence"], got["random"], got["time"]);
        assert_eq!(sent.key, key);
        assert_eq!(got["time"], sent.time);
    }
    assert_eq!(page.count(mark, "onMessageReceived"), 2);
    assert_eq!(sandbox.history("alice", "both-ways").len(), 4);
    compat::proven("C2C: text element", Pair::SdkToBot);
    compat::proven("C2C: text element", Pair::BotToSdk);
}

/// The number of texts in the long conversation with the echo bot.
const TEXTS: usize = 200;

/// Talks to the echo bot, and calls `disturb` after each text.
fn long_conversation(sdk: &Sdk, sandbox: &Sandbox, mut disturb: impl FnMut(usize)) {
    let page = Page::open(sdk, sandbox);
    page.enter(sandbox, "alice");
    let mark = page.mark();
    let mut said: Vec<String> = (0..TEXTS).map(|number| format!("text {number}")).collect();
    for (number, text) in said.iter().enumerate() {
        page.say("echo-bot", text);
        disturb(number);
    }
    // Any duplicate would arrive before the answer to one more text.
    page.texts_up_to(mark, &said[TEXTS - 1]);
    said.push("that is all".to_owned());
    page.say("echo-bot", "that is all");
    assert_eq!(page.texts_up_to(mark, "that is all"), said);
    assert_eq!(sandbox.history("alice", "echo-bot").len(), 2 * said.len());
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn the_echo_bot_answers_every_text_once_and_in_order() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let _troupe = Troupe::start(&sandbox, "echo-bot", "echo");
    long_conversation(sdk, &sandbox, |_| ());
    assert_eq!(sandbox.status().counters.cut, 0);
    compat::proven("C2C: 200 texts in order", Pair::SdkToBot);
    compat::proven("C2C: 200 texts in order", Pair::BotToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn the_echo_bot_answers_every_text_once_and_in_order_though_its_link_breaks_20_times() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let troupe = Troupe::start(&sandbox, "echo-bot", "echo");
    let mut lost = 0;
    long_conversation(sdk, &sandbox, |number| {
        if number % 10 == 5 {
            // The four texts before the next one are sent during its absence and wait for its
            // return.
            lost = troupe.mark();
            sandbox.drop_link("echo-bot").unwrap();
        } else if number % 10 == 9 {
            troupe.wait_online(lost);
        }
    });
    assert_eq!(sandbox.status().counters.cut, 20);
    compat::proven("C2C: in order over 20 lost links", Pair::SdkToBot);
    compat::proven("C2C: in order over 20 lost links", Pair::BotToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_answers_what_was_said_while_it_was_not_running() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let page = Page::open(sdk, &sandbox);
    page.enter(&sandbox, "alice");
    let mark = page.mark();
    let early = ["are you there?", "hello?"];
    for text in early {
        page.say("echo-bot", text);
    }
    let _troupe = Troupe::start(&sandbox, "echo-bot", "echo");
    assert_eq!(page.texts_up_to(mark, "hello?"), early);
    page.say("echo-bot", "bye");
    assert_eq!(
        page.texts_up_to(mark, "bye"),
        ["are you there?", "hello?", "bye"]
    );
    compat::proven("C2C: said while away", Pair::SdkToBot);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_was_said_to_an_offline_user_is_there_after_login() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let troupe = Troupe::start(&sandbox, "echo-bot", "echo");
    let texts = ["you are away", "call me", "bye"];
    for text in texts {
        troupe.send("bob", Element::text(text)).unwrap();
    }
    let page = Page::open(sdk, &sandbox);
    let mark = page.mark();
    page.enter(&sandbox, "bob");
    page.wait_until(mark, "onConversationListUpdated", |list| {
        *list == json!([{"conversationID": "C2Cecho-bot", "unreadCount": 3}])
    });
    assert_eq!(
        page.call("getConversationList", &json!([])).unwrap(),
        json!([{"conversationID": "C2Cecho-bot", "unreadCount": 3}])
    );
    let query = json!([{"conversationID": "C2Cecho-bot"}]);
    let list = page.call("getMessageList", &query).unwrap();
    let list = list.as_array().unwrap();
    let got: Vec<_> = list
        .iter()
        .map(|message| &message["payload"]["text"])
        .collect();
    assert_eq!(got, texts);
    assert_eq!(list[0]["from"], "echo-bot");
    assert_eq!(
        page.count(mark, "onMessageReceived"),
        0,
        "a login reports no old messages"
    );
    compat::proven("C2C: said while away", Pair::BotToSdk);
}
