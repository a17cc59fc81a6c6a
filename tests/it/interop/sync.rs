//! Tests of missed messages and the requests that fetch them.

use botroupe::{
    account::Phase,
    prelude::*,
    proto::code::Code,
    sandbox::{Fault, Sandbox},
};
use serde_json::{Value, json};

use super::{
    Page, Troupe,
    compat::{Pair, proven},
    groups::page,
    sdk, unix_now,
};
use crate::harness::{eventually, sandbox};

const GET: &str = "openim.getmsg";
const HISTORY: &str = "openim.getroammsg";

/// Breaks a page's link. The SDK reconnects automatically.
#[track_caller]
pub(super) fn drop_link(sandbox: &Sandbox, page: &Page, user: &str, meanwhile: impl FnOnce()) {
    // The SDK does not reconnect a link that is too young. This one is the last that was opened.
    let opened = page.count(0, "socketOpened");
    page.wait_for_count(0, "socketGrownUp", opened);
    let mark = page.mark();
    // However quickly the page reconnects, the server hears of it when everything has happened.
    // A login that nobody answers is no substitute: SDKs do not repeat it.
    page.call("holdFrames", &json!([])).unwrap();
    sandbox.drop_link(user).unwrap();
    meanwhile();
    page.call("releaseFrames", &json!([])).unwrap();
    page.wait_until(mark, "netStateChange", |data| data["state"] == "connected");
}

/// Returns these fields of all requests with this command since `mark`.
fn asked(page: &Page, mark: usize, servcmd: &str, fields: &[&str]) -> Vec<Value> {
    let sent = page.all(mark, "requestSent").into_iter();
    sent.filter(|sent| sent["servcmd"] == servcmd)
        .map(|sent| {
            fields
                .iter()
                .map(|field| sent["body"][*field].clone())
                .collect()
        })
        .collect()
}

/// Returns the number of occurrences of each text that did not arrive exactly once.
fn not_once<'a>(heard: impl IntoIterator<Item = &'a str>, expected: &[&str]) -> Vec<String> {
    let heard: Vec<&str> = heard.into_iter().collect();
    let times = |text: &str| heard.iter().filter(|heard| **heard == text).count();
    let wrong = expected.iter().filter(|text| times(text) != 1);
    wrong
        .map(|text| format!("{text}: {} times", times(text)))
        .collect()
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_login_shows_how_much_is_unread_and_emits_nothing() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let me = "early-bot";
    let bot = Troupe::start(&sandbox, me, "watcher");
    let alice = page(sdk, &sandbox, "alice");
    for text in ["off1", "off2"] {
        alice.say("bob", text);
    }
    Troupe::wait(bot.api().send_text("bob", "off3")).unwrap();
    let bob = Page::open(sdk, &sandbox);
    bob.call("watchRequests", &json!([[GET]])).unwrap();
    bob.enter(&sandbox, "bob");
    bob.settle();
    assert_eq!(
        asked(&bob, 0, GET, &["Cookie", "SyncFlag", "IsOnlineSync"])[0],
        json!(["", 0, 0])
    );
    let mut list = bob.call("getConversationList", &json!([])).unwrap();
    let list = list.as_array_mut().unwrap();
    list.sort_by_key(|c| c["conversationID"].to_string());
    assert_eq!(
        *list,
        [
            json!({"conversationID": "C2Calice", "unreadCount": 2}),
            json!({"conversationID": format!("C2C{me}"), "unreadCount": 1}),
        ]
    );
    for (peer, expected) in [("alice", json!(["off1", "off2"])), (me, json!(["off3"]))] {
        let query = json!([{"conversationID": format!("C2C{peer}")}]);
        let history = bob.call("getMessageList", &query).unwrap();
        let texts = history.as_array().unwrap().iter();
        let texts: Value = texts.map(|m| m["payload"]["text"].clone()).collect();
        assert_eq!(texts, expected);
    }
    assert_eq!(bob.count(0, "onMessageReceived"), 0);
    for pair in [Pair::SdkToSdk, Pair::BotToSdk] {
        proven("C2C: unread count at login, nothing told anew", pair);
    }
    proven("C2C: said while away", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_is_told_at_its_first_login_what_is_unread_and_knows_how_much() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("late-bot", Troupe::watch_mark());
    let alice = page(sdk, &sandbox, "alice");
    for text in ["off1", "off2"] {
        alice.say(me, text);
    }
    let bot = Troupe::start(&sandbox, me, "watcher");
    bot.hears_text(mark, "off2");
    let texts: Vec<Message> = bot.heard(mark);
    let texts: Vec<&str> = texts.iter().filter_map(Message::text).collect();
    assert_eq!(texts, ["off1", "off2"]);
    proven(
        "C2C: unread count at login, nothing told anew",
        Pair::SdkToBot,
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_reconnect_brings_what_was_missed_once_and_asks_from_where_it_was() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, watched) = ("missing-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let [alice, bob, dave] = ["alice", "bob", "dave"].map(|user| page(sdk, &sandbox, user));
    bob.settle();
    // There are two known conversations; dave is a stranger until then.
    let before = alice.say("bob", "before");
    let theirs = Troupe::wait(api.say(Conversation::c2c("bob"), "before, too")).unwrap();
    bob.heard_up_to(0, "before");
    bob.heard_up_to(0, "before, too");
    // The following messages are at least a second younger.
    let second = unix_now(&sandbox);
    let next = || async { (unix_now(&sandbox) > second).then_some(()) };
    actix_rt::System::new().block_on(eventually("the next second", next));
    bob.call("watchRequests", &json!([[GET, HISTORY]])).unwrap();
    let mark = bob.mark();
    drop_link(&sandbox, &bob, "bob", || {
        alice.say("bob", "gap1");
        alice.say("bob", "gap2");
        Troupe::wait(api.send_text("bob", "gap3")).unwrap();
        dave.say("bob", "gap4 from a stranger");
        alice
            .call("revokeMessage", &json!([{"$message": before["ID"]}]))
            .unwrap();
        Troupe::wait(api.message(&theirs).recall()).unwrap();
    });
    let gaps = ["gap1", "gap2", "gap3", "gap4 from a stranger"];
    for text in gaps {
        bob.heard_up_to(mark, text);
    }
    for id in [
        before["ID"].as_str().unwrap(),
        &theirs_id(&bob, "before, too"),
    ] {
        bob.wait_until(mark, "onMessageRevoked", |list| {
            list.as_array().unwrap().iter().any(|m| m["ID"] == id)
        });
    }
    dave.say("bob", "fence");
    let heard = bob.heard_up_to(mark, "fence");
    let texts = heard.iter().filter_map(|m| m["payload"]["text"].as_str());
    assert_eq!(not_once(texts, &gaps), [""; 0]);
    let asked_for = asked(&bob, mark, GET, &["Cookie", "SyncFlag", "IsOnlineSync"]);
    assert_ne!(asked_for[0][0], "", "from where it was");
    assert_eq!((&asked_for[0][1], &asked_for[0][2]), (&json!(0), &json!(0)));
    // The page continues from the messages that it knows of a conversation, to newer ones.
    let upwards = asked(&bob, mark, HISTORY, &["Peer_Account", "GetDirection"]);
    assert!(upwards.contains(&json!(["alice", 1])), "{upwards:?}");
    for pair in [Pair::SdkToSdk, Pair::BotToSdk] {
        proven("C2C: missed over a lost link", pair);
        proven("C2C: messages and recalls during an outage", pair);
    }

    // The same test, with the bot offline.
    let first = alice.say(me, "before");
    bot.hears_text(watched, "before");
    let (lost, mark) = (bot.mark(), Troupe::watch_mark());
    // The bot stays offline until all messages are sent.
    sandbox
        .refuse_login(me, Code::ACCOUNT_INTERNAL, None)
        .unwrap();
    sandbox.drop_link(me).unwrap();
    bot.wait_phase(lost, Phase::Waiting);
    alice.say(me, "gap1");
    dave.say(me, "gap4 from a stranger");
    alice
        .call("revokeMessage", &json!([{"$message": first["ID"]}]))
        .unwrap();
    alice.say(me, "gap2");
    sandbox.refuse_login(me, Code(0), None).unwrap();
    bot.wait_online(lost);
    let recalled = bot.learns(mark, "the recall", |update| match update {
        Update::Recalled { messages, .. } => messages[0].terminal_id(),
        _ => None,
    });
    assert_eq!(Some(recalled.as_str()), first["ID"].as_str());
    for text in ["gap2", "gap4 from a stranger"] {
        bot.hears_text(mark, text);
    }
    for page in [&alice, &dave] {
        page.say(me, "fence");
    }
    bot.hears_times(mark, "fence", 2);
    let heard = bot.heard(mark);
    let texts = heard.iter().filter_map(Message::text);
    let expected = ["gap1", "gap2", "gap4 from a stranger"];
    assert_eq!(not_once(texts, &expected), [""; 0]);
    proven("C2C: missed over a lost link", Pair::SdkToBot);
    proven("C2C: messages and recalls during an outage", Pair::SdkToBot);
}

/// Returns the ID of the message with this text on the page.
fn theirs_id(page: &Page, text: &str) -> String {
    let heard = page.heard(0);
    let message = heard.iter().find(|m| m["payload"]["text"] == text);
    message.unwrap()["ID"].as_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_lost_push_is_found_when_the_server_hints_at_it() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("hinted-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    bob.settle();
    bob.call("watchRequests", &json!([[GET]])).unwrap();
    for user in ["bob", me] {
        alice.say(user, "known");
    }
    bob.heard_up_to(0, "known");
    bot.hears_text(mark, "known");
    let (bobs, mark) = (bob.mark(), Troupe::watch_mark());
    for user in ["bob", me] {
        sandbox.stop_answering(user, None).unwrap();
        alice.say(user, "lost push");
        sandbox.resume_answering(user).unwrap();
        alice.say(user, "next");
    }
    bob.heard_up_to(bobs, "next");
    bot.hears_text(mark, "next");
    let heard = bob.heard(bobs);
    assert!(heard.iter().all(|m| m["payload"]["text"] != "lost push"));
    let heard = bot.heard(mark);
    assert!(heard.iter().all(|m| m.text() != Some("lost push")));
    for user in ["bob", me] {
        let item = json!({
            "From_Account": "carol", "To_Account": user, "MsgSeq": 1, "MsgRandom": 9,
            "MsgTimeStamp": 1_700_000_000,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "look"}}],
        });
        let hint = Fault::Push {
            user: user.parse().unwrap(),
            event: json!({"Event": 9, "C2cMsgArray": [item]}),
            servcmd: "im_open_push.msg_push".to_owned(),
            envelope: json!({"Flag": 1}).as_object().cloned().unwrap(),
        };
        sandbox.fault(hint).unwrap();
    }
    bob.heard_up_to(bobs, "lost push");
    bot.hears_text(mark, "lost push");
    let asked_for = asked(&bob, bobs, GET, &["SyncFlag", "IsOnlineSync"]);
    assert_eq!(asked_for, [json!([0, 1])]);
    // This caused no duplicates.
    for user in ["bob", me] {
        alice.say(user, "fence");
    }
    let expected = ["lost push", "next", "look"];
    let heard = bob.heard_up_to(bobs, "fence");
    let texts = heard.iter().filter_map(|m| m["payload"]["text"].as_str());
    assert_eq!(not_once(texts, &expected), [""; 0]);
    bot.hears_text(mark, "fence");
    bot.hears_text(mark, "look");
    let heard = bot.heard(mark);
    assert_eq!(
        not_once(heard.iter().filter_map(Message::text), &expected),
        [""; 0]
    );
    for pair in [Pair::SdkToSdk, Pair::SdkToBot] {
        proven("C2C: a lost push, found by Flag 1", pair);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn of_several_pages_the_sdk_shows_the_last_and_a_bot_all() {
    let sdk = sdk();
    let sandbox = sandbox(|config| config.sync_page = Some(2));
    let (me, mark) = ("paging-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    bob.settle();
    bob.call("watchRequests", &json!([[GET]])).unwrap();
    let texts: Vec<String> = (0..5).map(|n| format!("page text {n}")).collect();
    let bobs = bob.mark();
    // The messages come from one stranger, so that no history replaces them.
    drop_link(&sandbox, &bob, "bob", || {
        for text in &texts {
            sandbox.say("zoe", "bob", text).unwrap();
        }
    });
    bob.heard_up_to(bobs, "page text 4");
    let lost = bot.mark();
    sandbox
        .refuse_login(me, Code::ACCOUNT_INTERNAL, None)
        .unwrap();
    sandbox.drop_link(me).unwrap();
    for text in &texts {
        alice.say(me, text);
    }
    sandbox.refuse_login(me, Code(0), None).unwrap();
    bot.wait_online(lost);
    bot.hears_text(mark, "page text 4");
    let heard = bot.heard(mark);
    let ours: Vec<&str> = heard.iter().filter_map(Message::text).collect();
    assert_eq!(ours, texts, "each once and in order");
    let flags = asked(&bob, bobs, GET, &["SyncFlag"]);
    assert_eq!(flags, [json!([0]), json!([1]), json!([1])]);
    alice.say("bob", "fence");
    let heard = bob.heard_up_to(bobs, "fence");
    let theirs: Vec<&Value> = heard.iter().map(|m| &m["payload"]["text"]).collect();
    assert_eq!(theirs, ["page text 4", "fence"]);
    for pair in [Pair::SdkToSdk, Pair::SdkToBot] {
        proven("C2C: missed messages in pages", pair);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn odd_answers_to_what_was_missed_hurt_nobody() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("patient-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    bob.settle();
    let item = json!({
        "From_Account": "yan", "To_Account": "nobody", "MsgSeq": 16, "MsgRandom": 50_017,
        "MsgTimeStamp": 1_700_000_000,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "void"}}],
    });
    let odd = [
        json!({"ErrorCode": 0, "Cookie": "c-x", "SyncFlag": 2}),
        json!({"ErrorCode": 0, "Cookie": "", "SyncFlag": 2, "MsgList": [item]}),
    ];
    let bobs = bob.mark();
    for (number, answer) in odd.into_iter().enumerate() {
        for user in ["bob", me] {
            sandbox.answer(user, GET, answer.clone(), Some(1)).unwrap();
        }
        let lost = bot.mark();
        sandbox.drop_link(me).unwrap();
        drop_link(&sandbox, &bob, "bob", || ());
        bot.wait_online(lost);
        let text = format!("alive {number}");
        for user in ["bob", me] {
            alice.say(user, &text);
        }
        bob.heard_up_to(bobs, &text);
        // An answer without a cookie is invalid, but pushed messages still arrive.
        bot.hears_text(mark, &text);
    }
    let heard = bob.heard(bobs);
    assert!(heard.iter().all(|m| m["payload"]["text"] != "void"));
    let heard = bot.heard(mark);
    let texts: Vec<&str> = heard.iter().filter_map(Message::text).collect();
    assert_eq!(texts, ["alive 0", "alive 1"]);
    for pair in [Pair::SdkToSdk, Pair::SdkToBot] {
        proven("C2C: missed messages, odd answers", pair);
    }
}
