//! Tests of reactions and extensions between official SDKs and bots.

use botroupe::prelude::*;
use serde_json::{Value, json};

use super::{
    Page, Troupe,
    compat::{Pair, proven},
    groups::{found, page, settle_in},
    sdk,
};
use crate::harness::sandbox;

/// Sends a text that supports extensions.
fn say_extensible(page: &Page, to: &str, kind: &str, text: &str) -> Value {
    let options = json!({
        "to": to, "conversationType": kind, "payload": {"text": text}, "isSupportExtension": true,
    });
    page.call("send", &json!(["Text", options])).unwrap()
}

fn hear_text(page: &Page, mark: usize, text: &str) -> Value {
    page.hear(mark, text, |message| message["payload"]["text"] == text)
}

/// Returns one reaction from the SDK's data.
fn shown(reactions: &Value) -> (Value, Value, Value) {
    let reaction = &reactions["reactionList"][0];
    let count = reaction["totalUserCount"].clone();
    (
        reaction["reactionID"].clone(),
        count,
        reaction["reactedByMyself"].clone(),
    )
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn sdks_react_to_each_other_in_chats_and_groups() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["bob"]);
    settle_in(&bob, "g");
    for (to, kind) in [("bob", "C2C"), ("g", "GROUP")] {
        let mark = bob.mark();
        let sent = say_extensible(&alice, to, kind, "look");
        let message = json!({"$message": sent["ID"]});
        assert_eq!(hear_text(&bob, mark, "look")["ID"], sent["ID"]);
        let marks = (alice.mark(), bob.mark());
        bob.call("addMessageReaction", &json!([message, "smile"]))
            .unwrap();
        let told = alice.wait(marks.0, "onMessageReactionsUpdated");
        assert_eq!(told["messageID"], sent["ID"]);
        assert_eq!(shown(&told), (json!("smile"), json!(1), json!(false)));
        let told = bob.wait(marks.1, "onMessageReactionsUpdated");
        assert_eq!(shown(&told), (json!("smile"), json!(1), json!(true)));
        let all = json!([{"messageList": [message], "maxUserCountPerReaction": 10}]);
        let listed = alice.data("getMessageReactions", &all);
        assert_eq!(shown(&listed["resultList"][0]).1, 1);
        let who = json!([{"message": message, "reactionID": "smile", "nextSeq": 0, "count": 10}]);
        let users = alice.data("getAllUserListOfMessageReaction", &who);
        assert_eq!(users["userList"][0]["userID"], "bob");
        assert_eq!(users["isCompleted"], true);
        let mark = alice.mark();
        bob.call("removeMessageReaction", &json!([message, "smile"]))
            .unwrap();
        let told = alice.wait(mark, "onMessageReactionsUpdated");
        assert_eq!(shown(&told).1, 0);
    }
    proven("messages: reactions", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn sdks_keep_keys_and_values_with_messages() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["bob"]);
    settle_in(&bob, "g");
    for (to, kind) in [("bob", "C2C"), ("g", "GROUP")] {
        let mark = bob.mark();
        let sent = say_extensible(&alice, to, kind, "poll");
        let message = json!({"$message": sent["ID"]});
        assert_eq!(hear_text(&bob, mark, "poll")["isSupportExtension"], true);
        let mark = bob.mark();
        let set = json!([message, [{"key": "k", "value": "v"}, {"key": "l", "value": "w"}]]);
        let done = alice.data("setMessageExtensions", &set);
        assert_eq!(
            done["extensions"][1],
            json!({"code": 0, "key": "l", "value": "w"})
        );
        let told = bob.wait(mark, "onMessageExtensionsUpdated");
        assert_eq!(told["messageID"], sent["ID"]);
        assert_eq!(told["extensions"][0], json!({"key": "k", "value": "v"}));
        // Bob knows both extensions from the push, so he may change one.
        let mark = alice.mark();
        let change = json!([message, [{"key": "k", "value": "theirs"}]]);
        let done = bob.data("setMessageExtensions", &change);
        assert_eq!(done["extensions"][0]["code"], 0);
        alice.wait(mark, "onMessageExtensionsUpdated");
        let mark = bob.mark();
        alice.data("deleteMessageExtensions", &json!([message, ["l"]]));
        let told = bob.wait(mark, "onMessageExtensionsDeleted");
        assert_eq!(told["keyList"], json!(["l"]));
        let all = bob.data("getMessageExtensions", &json!([message]));
        assert_eq!(all["extensions"], json!([{"key": "k", "value": "theirs"}]));
    }
    let mark = bob.mark();
    let sent = alice.say("bob", "plain");
    hear_text(&bob, mark, "plain");
    let set = json!([{"$message": sent["ID"]}, [{"key": "k", "value": "v"}]]);
    assert!(
        bob.try_data("setMessageExtensions", &set).is_err(),
        "it is not extensible"
    );
    proven("messages: extensions", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_sdks_put_under_messages_reaches_the_bot() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("extras-watcher", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let alice = page(sdk, &sandbox, "alice");
    let page_mark = alice.mark();
    let said = Troupe::wait(api.say(Conversation::c2c("alice"), Draft::text("vote").extensible()))
        .unwrap();
    let got = hear_text(&alice, page_mark, "vote");
    let message = json!({"$message": got["ID"]});
    alice
        .call("addMessageReaction", &json!([message, "yes"]))
        .unwrap();
    let change = bot.learns(mark, "a reaction", |update| match update {
        Update::Reactions(change) => Some(change.clone()),
        _ => None,
    });
    assert_eq!(
        change.message().unwrap().terminal_id().as_deref(),
        got["ID"].as_str()
    );
    let reaction = &change.reactions[0];
    assert_eq!((reaction.name.as_str(), reaction.count), ("yes", 1));
    assert_eq!(reaction.users, ["alice"]);
    let read = Troupe::wait(api.message(&said).reactions()).unwrap();
    assert_eq!((read[0].count, read[0].by_me), (1, Some(false)));
    assert_eq!(
        Troupe::wait(api.message(&said).reacted("yes")).unwrap(),
        ["alice"]
    );
    proven("messages: reactions", Pair::SdkToBot);

    alice.data(
        "setMessageExtensions",
        &json!([message, [{"key": "k", "value": "v"}]]),
    );
    let change = bot.learns(mark, "an extension", |update| match update {
        Update::Extensions(change) => Some(change.clone()),
        _ => None,
    });
    let set: Vec<_> = change
        .set()
        .map(|e| (e.key.as_str(), e.value.as_str()))
        .collect();
    assert_eq!(set, [("k", "v")]);
    let known = Troupe::wait(api.message(&said).extensions()).unwrap();
    assert_eq!((known.len(), known[0].value.as_str()), (1, "v"));
    alice.data("deleteMessageExtensions", &json!([message, ["k"]]));
    let deleted = bot.learns(mark, "a deletion", |update| match update {
        Update::Extensions(change) if change.deleted().count() > 0 => Some(change.clone()),
        _ => None,
    });
    assert_eq!(deleted.deleted().collect::<Vec<_>>(), ["k"]);
    assert_eq!(Troupe::wait(api.message(&said).extensions()).unwrap(), []);
    proven("messages: extensions", Pair::SdkToBot);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_a_bot_puts_under_messages_reaches_the_sdk() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("extras-doer", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let alice = page(sdk, &sandbox, "alice");
    found(&alice, "Public", "g", &[me]);
    for (to, kind) in [(me, "C2C"), ("g", "GROUP")] {
        let sent = say_extensible(&alice, to, kind, &format!("look, {kind}"));
        let heard = bot.hears_text(mark, &format!("look, {kind}"));
        let page_mark = alice.mark();
        Troupe::wait(api.message(&heard).react("eyes")).unwrap();
        let told = alice.wait(page_mark, "onMessageReactionsUpdated");
        assert_eq!(told["messageID"], sent["ID"]);
        assert_eq!(shown(&told), (json!("eyes"), json!(1), json!(false)));
        let page_mark = alice.mark();
        Troupe::wait(api.message(&heard).unreact("eyes")).unwrap();
        let told = alice.wait(page_mark, "onMessageReactionsUpdated");
        assert_eq!(shown(&told).1, 0);

        let page_mark = alice.mark();
        let set = Troupe::wait(api.message(&heard).set_extensions(&[], [("k", "v")])).unwrap();
        let told = alice.wait(page_mark, "onMessageExtensionsUpdated");
        assert_eq!(told["messageID"], sent["ID"]);
        assert_eq!(told["extensions"], json!([{"key": "k", "value": "v"}]));
        let late = Troupe::wait(api.message(&heard).set_extensions(&[], [("k", "again")]));
        let code = late.unwrap_err().code();
        assert_eq!(code, Some(Code::EXTENSION_CONFLICT));
        let page_mark = alice.mark();
        Troupe::wait(api.message(&heard).delete_extensions(&set, ["k"])).unwrap();
        let told = alice.wait(page_mark, "onMessageExtensionsDeleted");
        assert_eq!(told["keyList"], json!(["k"]));
        Troupe::wait(api.message(&heard).clear_extensions()).unwrap();
    }
    proven("messages: reactions", Pair::BotToSdk);
    proven("messages: extensions", Pair::BotToSdk);
}
