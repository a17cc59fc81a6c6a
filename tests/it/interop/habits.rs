//! Tests of the SDK's automatic behaviour that the sandbox has to support.

use botroupe::prelude::Conversation;
use botroupe::{
    bot::{ApiError, Upload, Uploads},
    proto::code::Code,
};
use serde_json::{Value, json};

use super::{
    Page, Troupe,
    compat::{Pair, proven},
    groups::{found, page, settle_in},
    media::uploader,
    rest, sdk, unix_now,
};
use crate::harness::sandbox;

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn messages_have_one_id_everywhere_and_what_was_read_stands_in_the_history() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    let nick = json!([{"nick": "Alice 爱丽丝", "avatar": "http://x/a.png"}]);
    alice.call("updateMyProfile", &nick).unwrap();
    let sent = alice.say("bob", "whose?");
    let got = bob.heard_up_to(0, "whose?").pop().unwrap();
    let parts: Vec<&str> = got["ID"].as_str().unwrap().split('-').collect();
    assert_eq!(sent["ID"], got["ID"]);
    assert!(parts[0].starts_with("1441"), "the TinyId: {parts:?}");
    let time: u64 = parts[1].parse().unwrap();
    assert!(unix_now(&sandbox).abs_diff(time) < 60, "the sender's clock");
    assert_eq!(json!(parts[2].parse::<u64>().unwrap()), got["random"]);
    assert_eq!(
        (&got["nick"], &got["avatar"]),
        (&json!("Alice 爱丽丝"), &json!("http://x/a.png"))
    );
    let mark = alice.mark();
    bob.call("setMessageRead", &json!([{"conversationID": "C2Calice"}]))
        .unwrap();
    alice.wait(mark, "onMessageReadByPeer");
    let fresh = page(sdk, &sandbox, "alice");
    let query = json!([{"conversationID": "C2Cbob"}]);
    let list = fresh.call("getMessageList", &query).unwrap();
    assert_eq!(list[0]["isPeerRead"], true, "{list}");
    assert_eq!(list[0]["ID"], sent["ID"]);
    let mark = bob.mark();
    fresh
        .call("revokeMessage", &json!([{"$message": sent["ID"]}]))
        .unwrap();
    let recalled = bob.wait(mark, "onMessageRevoked");
    let by = &recalled[0]["revokerInfo"];
    assert_eq!(
        (&by["userID"], &by["nick"]),
        (&json!("alice"), &json!("Alice 爱丽丝")),
        "{recalled}"
    );
    proven(
        "C2C: IDs, nick names, who recalled and what was read",
        Pair::SdkToSdk,
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bots_messages_have_the_same_id_and_nick_and_so_have_those_it_hears() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, watched) = ("named-bot", Troupe::watch_mark());
    let profile = json!({"UserID": me, "Nick": "Robo"});
    rest(&sandbox, "im_open_login_svc/account_import", &profile);
    let bot = Troupe::start(&sandbox, me, "watcher");
    let (alice, api) = (page(sdk, &sandbox, "alice"), bot.api());
    alice
        .call("updateMyProfile", &json!([{"nick": "Alice"}]))
        .unwrap();
    let sent = alice.say(me, "whose?");
    let heard = bot.hears_text(watched, "whose?");
    assert_eq!(heard.terminal_id().as_deref(), sent["ID"].as_str());
    assert_eq!(&*heard.nick, "Alice");
    let said = Troupe::wait(api.say(Conversation::c2c("alice"), "mine")).unwrap();
    let got = alice.heard_up_to(0, "mine").pop().unwrap();
    assert_eq!(got["nick"], "Robo");
    let history = Troupe::wait(api.user("alice").history(1)).unwrap();
    assert_eq!(history[0].terminal_id().as_deref(), got["ID"].as_str());
    alice
        .call(
            "setMessageRead",
            &json!([{"conversationID": format!("C2C{me}")}]),
        )
        .unwrap();
    let mark = alice.mark();
    Troupe::wait(api.message(&said).recall()).unwrap();
    let recalled = alice.wait(mark, "onMessageRevoked");
    assert_eq!(recalled[0]["revokerInfo"]["nick"], "Robo", "{recalled}");
    for pair in [Pair::SdkToBot, Pair::BotToSdk] {
        proven("C2C: IDs, nick names, who recalled and what was read", pair);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn two_hundred_texts_arrive_in_order() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    let texts: Vec<String> = (0..200).map(|number| format!("text {number}")).collect();
    for text in &texts {
        alice.say("bob", text);
    }
    assert_eq!(bob.texts_up_to(0, "text 199"), texts);
    proven("C2C: 200 texts in order", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn the_app_speaks_one_to_one_over_rest() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    let send = json!({
        "SyncOtherMachine": 2, "From_Account": "alice", "To_Account": "bob", "MsgSeq": 7,
        "MsgRandom": 4242,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "via REST"}}],
    });
    let sent = rest(&sandbox, "openim/sendmsg", &send);
    let got = bob.heard_up_to(0, "via REST").pop().unwrap();
    assert_eq!(got["time"], sent["MsgTime"]);
    let recall = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": sent["MsgKey"]});
    rest(&sandbox, "openim/admin_msgwithdraw", &recall);
    bob.wait_until(0, "onMessageRevoked", |list| list[0]["ID"] == got["ID"]);
    sandbox.say("dave", "alice", "fence").unwrap();
    assert_eq!(alice.texts_up_to(0, "fence"), ["fence"]);
    proven("C2C: messages and recall over REST", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn in_groups_the_sdk_greets_reports_and_ignores_its_own_echo() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["bob"]);
    settle_in(&bob, "g");
    let greeting = sandbox.group_history("g");
    assert!(
        greeting
            .iter()
            .any(|item| item.body.contains("group_create"))
    );
    const READ: &str = "group_open_http_svc.msg_read_report";
    const FORGET: &str = "openim.deletemsg";
    bob.call("watchRequests", &json!([[READ, FORGET]])).unwrap();
    let mark = bob.mark();
    let at = json!({"text": "@bob", "atUserList": ["bob"]});
    let sent = alice.send_to_group("g", "TextAt", &at);
    bob.heard_up_to(mark, "@bob");
    bob.wait_until(mark, "onConversationListUpdated", |list| {
        list.as_array().unwrap().iter().any(|c| !c["at"].is_null())
    });
    bob.call("setMessageRead", &json!([{"conversationID": "GROUPg"}]))
        .unwrap();
    bob.wait_until(mark, "requestSent", |request| {
        request["servcmd"] == READ
            && request["body"] == json!({"GroupId": "g", "MsgReadedSeq": sent["sequence"]})
    });
    bob.wait_until(mark, "requestSent", |request| {
        request["servcmd"] == FORGET && request["body"]["DelMsgList"][0]["GroupId"] == "g"
    });
    // The SDK does not show messages that the server sends back to their sender.
    let mark = alice.mark();
    let echo = json!({
        "From_Account": "alice", "ToGroupId": "g", "MsgSeq": sent["sequence"],
        "MsgRandom": sent["random"], "MsgTimeStamp": sent["time"],
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "echo"}}],
        "GroupInfo": {"GroupId": "g", "GroupType": "Public"},
    });
    sandbox
        .push("alice", json!({"Event": 3, "GroupMsgArray": [echo]}))
        .unwrap();
    bob.say_to_group("g", "fence");
    assert_eq!(alice.texts_up_to(mark, "fence"), ["fence"]);
    proven("group: greeting, reports, marks and echoes", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_does_not_answer_an_echo_of_its_own_words() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("echoed-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let alice = page(sdk, &sandbox, "alice");
    found(&alice, "Public", "g", &[me]);
    // The SDK's greeting is an ordinary message.
    bot.hears(mark, "the greeting", |m| {
        format!("{:?}", m.elements).contains("group_create")
    });
    let said = Troupe::wait(bot.api().group("g").say("mine")).unwrap();
    let echo = json!({
        "From_Account": me, "ToGroupId": "g", "MsgSeq": said.seq, "MsgRandom": said.random,
        "MsgTimeStamp": said.time,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "mine"}}],
        "GroupInfo": {"GroupId": "g", "GroupType": "Public"},
    });
    sandbox
        .push(me, json!({"Event": 3, "GroupMsgArray": [echo]}))
        .unwrap();
    alice.heard_up_to(0, "mine");
    alice.say_to_group("g", "fence");
    bot.hears_text(mark, "fence");
    let heard = bot.heard(mark);
    assert!(heard.iter().all(|m| m.text() != Some("mine")));
    for pair in [Pair::SdkToBot, Pair::BotToSdk] {
        proven("group: greeting, reports, marks and echoes", pair);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_group_that_was_never_looked_at_is_counted_after_an_outage_and_not_shown() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, watched) = ("counting-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let alice = page(sdk, &sandbox, "alice");
    found(&alice, "Public", "g", &["bob", me]);
    alice.say_to_group("g", "before");
    bot.hears_text(watched, "before");
    // At its first login the SDK learns of the group, and fetches no messages of it.
    let bob = page(sdk, &sandbox, "bob");
    bob.settle();
    bob.wait(0, "socketGrownUp");
    const NOTIFY: &str = "group_open_http_svc.batch_get_group_notify";
    bob.call("watchRequests", &json!([[NOTIFY]])).unwrap();
    let (mark, lost) = (bob.mark(), bot.mark());
    sandbox.drop_link("bob").unwrap();
    sandbox.drop_link(me).unwrap();
    alice.say_to_group("g", "missed");
    bob.wait_until(mark, "onConversationListUpdated", |list| {
        let list = list.as_array().unwrap();
        list.iter()
            .any(|c| c["conversationID"] == "GROUPg" && c["unreadCount"].as_u64() >= Some(2))
    });
    bob.wait(mark, "requestSent");
    bot.wait_online(lost);
    bot.hears_text(watched, "missed");
    alice.say_to_group("g", "after");
    assert_eq!(bob.texts_up_to(mark, "after"), ["after"]);
    for pair in [Pair::SdkToSdk, Pair::SdkToBot] {
        proven("group: an outage in a group not looked at before", pair);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_refused_address_for_a_file_is_an_error_on_both_sides() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let me = "unlucky-bot";
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api_with_files(Uploads::Private);
    let alice: Page = uploader(sdk, sdk.full(), &sandbox, &json!({}), "alice");
    const ADDRESS: &str = "im_cos_msg.pre_sig";
    alice.call("watchRequests", &json!([[ADDRESS]])).unwrap();
    for user in ["alice", me] {
        sandbox.refuse(user, ADDRESS, Code(70_000), None).unwrap();
    }
    let mark = alice.mark();
    let file = json!({"name": "x.pdf", "type": "application/pdf", "size": 100});
    let payload: Value = json!({"file": {"$file": file}});
    let refused = alice.try_send_to(me, "File", &payload, &json!({}), &json!({}));
    assert_eq!(refused, Err(2041));
    assert_eq!(alice.all(mark, "requestSent").len(), 2, "tried once more");
    let upload = Upload::new("x.pdf", "bytes");
    let error = Troupe::wait(api.upload_file(upload)).unwrap_err();
    assert_eq!(error.code(), Some(Code(70_000)));
    assert_eq!(sandbox.status().counters.media_uploads, 0);
    for pair in [Pair::SdkToSdk, Pair::SdkToBot, Pair::BotToSdk] {
        proven("media: a refused address", pair);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn of_two_edits_the_later_one_is_refused_with_what_is_there() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("editing-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let [alice, bob] = ["alice", "bob"].map(|user| page(sdk, &sandbox, user));
    // The last editor does not know the other edits yet, because their pushes are delayed.
    for peer in ["bob", me] {
        let sent = alice.say(peer, "first words");
        sandbox.delay("alice", 1500).unwrap();
        if peer == "bob" {
            bob.heard_up_to(0, "first words");
            bob.call("edit", &json!([sent["ID"], {"text": "his words"}]))
                .unwrap();
        } else {
            let heard = bot.hears_text(mark, "first words");
            Troupe::wait(bot.api().message(&heard).edit("his words")).unwrap();
        }
        let late = alice.call("edit", &json!([sent["ID"], {"text": "her words"}]));
        sandbox.delay("alice", 0).unwrap();
        assert_eq!(late, Err(2480));
        let now = alice.call("message", &json!([sent["ID"]])).unwrap();
        assert_eq!(now["payload"]["text"], "his words", "the server's copy");
    }
    // The bot edits later.
    let said = Troupe::wait(bot.api().say(Conversation::c2c("alice"), "by the bot")).unwrap();
    let got = alice.heard_up_to(0, "by the bot").pop().unwrap();
    alice
        .call("edit", &json!([got["ID"], {"text": "hers"}]))
        .unwrap();
    let late = Troupe::wait(bot.api().message(&said).edit("his")).unwrap_err();
    let ApiError::Conflict(now) = late else {
        panic!("{late}")
    };
    assert_eq!(now.version, 1);
    for pair in [Pair::SdkToSdk, Pair::SdkToBot, Pair::BotToSdk] {
        proven("C2C: conflict of edits", pair);
    }
}
