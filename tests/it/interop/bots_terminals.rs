//! Tests of an account that a bot and a page of the official SDK share.

use botroupe::{prelude::*, sandbox::Sandbox};
use serde_json::{Value, json};

use super::{
    Page, Troupe,
    compat::{Pair, proven},
    conversations::until_listed,
    groups::{found, page, settle_in},
    install::Sdk,
    sdk,
};
use crate::harness::sandbox;

/// Starts the bot, the page with the same account, and alice.
fn shared(sdk: &Sdk, sandbox: &Sandbox, me: &str) -> (Troupe, Page, Page) {
    let bot = Troupe::start(sandbox, me, "watcher");
    let (here, alice) = (page(sdk, sandbox, me), page(sdk, sandbox, "alice"));
    here.settle();
    (bot, here, alice)
}

fn shared_sandbox() -> Sandbox {
    sandbox(|config| config.max_web_instances = 2)
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_one_terminal_says_the_other_has() {
    let sdk = sdk();
    let sandbox = shared_sandbox();
    let (me, mark) = ("shared-bot", Troupe::watch_mark());
    let (bot, here, alice) = shared(sdk, &sandbox, me);
    let api = bot.api();
    // The bot sends a message.
    let marks = (here.mark(), alice.mark());
    let said = Troupe::wait(api.say(Conversation::c2c("alice"), "by the bot")).unwrap();
    let copy = here.heard_up_to(marks.0, "by the bot").pop().unwrap();
    let got = alice.heard_up_to(marks.1, "by the bot").pop().unwrap();
    assert_eq!(copy["ID"], got["ID"]);
    assert_eq!(
        (&copy["flow"], &copy["from"], &copy["conversationID"]),
        (&json!("out"), &json!(me), &json!("C2Calice"))
    );
    alice
        .call(
            "setMessageRead",
            &json!([{"conversationID": format!("C2C{me}")}]),
        )
        .unwrap();
    here.wait_until(marks.0, "onMessageReadByPeer", |list| {
        list[0]["ID"] == copy["ID"]
    });
    Troupe::wait(api.message(&said).recall()).unwrap();
    here.wait_until(marks.0, "onMessageRevoked", |list| {
        list[0]["ID"] == copy["ID"]
    });
    proven("C2C: own other terminal", Pair::BotToSdk);

    // The page sends a message. No handler is called for own messages, but the bot receives updates
    // about them.
    let mine = here.say("alice", "by the page");
    alice.heard_up_to(marks.1, "by the page");
    alice
        .call("edit", &json!([mine["ID"], {"text": "edited by alice"}]))
        .unwrap();
    let conversation = bot.learns(mark, "the edit", |update| match update {
        Update::Edited {
            conversation,
            message,
        } if message.elements == [Element::text("edited by alice")] => Some(conversation.clone()),
        _ => None,
    });
    assert_eq!(conversation, Conversation::c2c("alice"));
    here.call("revokeMessage", &json!([{"$message": mine["ID"]}]))
        .unwrap();
    bot.learns(mark, "the recall", |update| match update {
        Update::Recalled { messages, .. } => {
            (messages[0].terminal_id().as_deref() == mine["ID"].as_str()).then_some(())
        }
        _ => None,
    });
    alice.say(me, "to both");
    here.heard_up_to(marks.0, "to both");
    bot.hears_text(mark, "to both");
    let heard = bot.heard(mark);
    let texts: Vec<&str> = heard.iter().filter_map(Message::text).collect();
    assert_eq!(texts, ["to both"], "own words reach no handler");
    let history = Troupe::wait(api.user("alice").history(10)).unwrap();
    assert!(history.iter().any(|m| m.is_own && m.recalled));
    proven("C2C: own other terminal", Pair::SdkToBot);
}

#[track_caller]
fn learns_of_list(bot: &Troupe, mark: usize, what: &str, fits: impl Fn(&str) -> bool) {
    bot.learns(mark, what, |update| match update {
        Update::Conversations(fields) => {
            fits(&Value::Object(fields.clone()).to_string()).then_some(())
        }
        _ => None,
    });
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_one_terminal_does_to_the_list_the_other_is_told() {
    let sdk = sdk();
    let sandbox = shared_sandbox();
    let (me, mark) = ("tidy-bot", Troupe::watch_mark());
    let (bot, here, alice) = shared(sdk, &sandbox, me);
    let api = bot.api();
    alice.say(me, "hello");
    bot.hears_text(mark, "hello");
    here.heard_up_to(0, "hello");
    let id = "C2Calice";
    // The page shows handled messages as read.
    until_listed(&here, id, 0, |shown| shown["unreadCount"] == 0);

    // The bot makes the changes, and the page shows them.
    let from = here.mark();
    Troupe::wait(api.conversation(Conversation::c2c("alice")).pin()).unwrap();
    until_listed(&here, id, from, |shown| shown["isPinned"] == true);
    proven("conversations: pinning", Pair::BotToSdk);
    let from = here.mark();
    Troupe::wait(api.conversation(Conversation::c2c("alice")).mark(&[0], &[])).unwrap();
    Troupe::wait(api.conversation(Conversation::c2c("alice")).set_data("c")).unwrap();
    until_listed(&here, id, from, |shown| {
        shown["markList"] == json!([1]) && shown["customData"] == "c"
    });
    proven("conversations: marks and custom data", Pair::BotToSdk);
    let with_alice = || [Conversation::c2c("alice")];
    let in_groups = |from: usize, names: Value| {
        until_listed(&here, id, from, |shown| {
            shown["conversationGroupList"] == names
        });
    };
    let from = here.mark();
    Troupe::wait(api.create_conversation_group("work", with_alice())).unwrap();
    in_groups(from, json!(["work"]));
    let from = here.mark();
    Troupe::wait(api.rename_conversation_group("work", "play")).unwrap();
    in_groups(from, json!(["play"]));
    assert_eq!(Troupe::wait(api.conversation_groups()).unwrap(), ["play"]);
    for (add, names) in [(false, json!([])), (true, json!(["play"]))] {
        let from = here.mark();
        Troupe::wait(api.change_conversation_group("play", with_alice(), add)).unwrap();
        in_groups(from, names);
    }
    let from = here.mark();
    Troupe::wait(api.delete_conversation_group("play")).unwrap();
    in_groups(from, json!([]));
    let unknown = Troupe::wait(api.rename_conversation_group("nowhere", "x")).unwrap_err();
    assert!(unknown.code().is_some(), "{unknown}");
    proven("conversations: groups of conversations", Pair::BotToSdk);
    let from = here.mark();
    Troupe::wait(
        api.conversation(Conversation::c2c("alice"))
            .set_mute_option(MuteOption::Silent),
    )
    .unwrap();
    until_listed(&here, id, from, |shown| {
        shown["messageRemindType"] == "AcceptNotNotify"
    });
    proven("conversations: mute", Pair::BotToSdk);

    // The page makes the changes, and the bot receives updates.
    let mark = Troupe::watch_mark();
    let pin = json!([{"conversationID": id, "isPinned": false}]);
    here.data("pinConversation", &pin);
    learns_of_list(&bot, mark, "the pin", |news| news.contains("alice"));
    let all = Troupe::wait(api.conversations()).unwrap();
    assert!(!all[0].pinned);
    proven("conversations: pinning", Pair::SdkToBot);
    let marks = json!([{"conversationIDList": [id], "markType": 1, "enableMark": false}]);
    here.data("markConversation", &marks);
    let custom = json!([{"conversationIDList": [id], "customData": "page's"}]);
    here.data("setConversationCustomData", &custom);
    learns_of_list(&bot, mark, "the custom data", |news| {
        news.contains("page's")
    });
    let group = json!([{"conversationIDList": [id], "groupName": "page group"}]);
    here.data("createConversationGroup", &group);
    learns_of_list(&bot, mark, "the group", |news| news.contains("page group"));
    assert_eq!(
        Troupe::wait(api.conversation_groups()).unwrap(),
        ["page group"]
    );
    proven("conversations: marks and custom data", Pair::SdkToBot);
    proven("conversations: groups of conversations", Pair::SdkToBot);
    let mute = json!([{"userIDList": ["alice"], "messageRemindType": "AcceptAndNotify"}]);
    here.data("setMessageRemindType", &mute);
    let option = bot.learns(mark, "the mute", |update| match update {
        Update::MuteNotifications { peer, option } if peer == "alice" => Some(*option),
        _ => None,
    });
    assert_eq!(option, 0);
    proven("conversations: mute", Pair::SdkToBot);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_one_terminal_reads_and_deletes_the_other_is_told() {
    let sdk = sdk();
    let sandbox = shared_sandbox();
    let (me, mark) = ("reading-bot", Troupe::watch_mark());
    // This bot does not answer, and reports nothing as read before its handler has run.
    let (bot, here, alice) = shared(sdk, &sandbox, me);
    let api = bot.api();
    found(&alice, "Public", "g", &[me]);
    settle_in(&here, "g");
    alice.say(me, "one");
    alice.say_to_group("g", "two");
    bot.hears_text(mark, "one");
    bot.hears_text(mark, "two");
    here.heard_up_to(0, "one");
    here.heard_up_to(0, "two");
    // The page shows handled messages as read, by name and in the group.
    for id in ["C2Calice", "GROUPg"] {
        until_listed(&here, id, 0, |shown| shown["unreadCount"] == 0);
    }
    proven(
        "group: copies and read state on another page",
        Pair::BotToSdk,
    );

    let (hers, from) = (alice.mark(), Troupe::watch_mark());
    // The server rejects the bot's read reports, so that unread messages remain.
    let reports = ["openim.msgreaded", "group_open_http_svc.msg_read_report"];
    for servcmd in reports {
        sandbox
            .refuse(me, servcmd, Code::C2C_INTERNAL, None)
            .unwrap();
    }
    alice.say(me, "unread");
    alice.say_to_group("g", "unread, too");
    bot.hears_text(from, "unread");
    bot.hears_text(from, "unread, too");
    for (id, text) in [("C2Calice", "unread"), ("GROUPg", "unread, too")] {
        here.heard_up_to(0, text);
        until_listed(&here, id, 0, |shown| shown["unreadCount"] == 1);
    }
    here.call("setAllMessageRead", &json!([])).unwrap();
    let groups = bot.learns(from, "that all is read", |update| match update {
        Update::AllReadElsewhere { c2c: true, groups } => Some(groups.clone()),
        _ => None,
    });
    assert_eq!(groups[0].0, "g");
    for servcmd in reports {
        sandbox
            .refuse(me, servcmd, Code::C2C_INTERNAL, Some(0))
            .unwrap();
    }
    proven("conversations: everything read at once", Pair::SdkToBot);
    let copy = here.say_to_group("g", "by the page");
    alice.heard_up_to(hers, "by the page");
    here.call("revokeMessage", &json!([{"$message": copy["ID"]}]))
        .unwrap();
    bot.learns(from, "the recall in the group", |update| match update {
        Update::Recalled { conversation, .. } => {
            (*conversation == Conversation::group("g")).then_some(())
        }
        _ => None,
    });
    let heard = bot.heard(from);
    assert!(heard.iter().all(|m| m.text() != Some("by the page")));
    proven(
        "group: copies and read state on another page",
        Pair::SdkToBot,
    );

    // The bot marks everything as read at once; the unread messages came from a page.
    let mark = here.mark();
    Troupe::wait(api.say(Conversation::group("g"), "by the bot")).unwrap();
    let copy = here.heard_up_to(mark, "by the bot").pop().unwrap();
    assert_eq!(copy["flow"], "out");
    let hers = alice.mark();
    alice.say(me, "three");
    bot.hears_text(from, "three");
    Troupe::wait(api.mark_all_read()).unwrap();
    alice.wait(hers, "onMessageReadByPeer");
    until_listed(&here, "C2Calice", 0, |shown| shown["unreadCount"] == 0);
    proven("conversations: everything read at once", Pair::BotToSdk);

    // The bot clears and deletes the conversation; a new page of the account has none of it.
    Troupe::wait(api.conversation(Conversation::c2c("alice")).clear_history()).unwrap();
    let query = json!([{"conversationID": "C2Calice"}]);
    Troupe::wait(api.conversation(Conversation::c2c("alice")).delete(true)).unwrap();
    Troupe::wait(api.conversation(Conversation::group("g")).delete(false)).unwrap();
    // A login without a link counts too; the next login would kick the bot.
    here.call("logout", &json!([])).unwrap();
    let fresh = page(sdk, &sandbox, me);
    assert_eq!(fresh.call("getMessageList", &query), Ok(json!([])));
    assert_eq!(fresh.call("getConversationList", &json!([])), Ok(json!([])));
    proven("conversations: clearing and deleting", Pair::BotToSdk);
    proven("group: all read, conversation deleted", Pair::BotToSdk);
    // The page does the same.
    alice.say(me, "four");
    alice.say_to_group("g", "five");
    bot.hears_text(from, "four");
    bot.hears_text(from, "five");
    fresh.heard_up_to(0, "four");
    fresh.heard_up_to(0, "five");
    let listed = || Troupe::wait(api.conversations()).unwrap().len();
    assert_eq!(listed(), 2);
    // Before the page knows its groups, it deletes a conversation without telling the server.
    fresh.settle();
    fresh.data("deleteConversation", &json!(["C2Calice"]));
    fresh.data("deleteConversation", &json!(["GROUPg"]));
    learns_of_list(&bot, from, "the deletion", |news| news.contains("alice"));
    assert_eq!(listed(), 0);
    proven("group: all read, conversation deleted", Pair::SdkToBot);
}
