//! Tests of messages in a bot's groups: all kinds, targeted, online-only, missed and searched ones.

use botroupe::{
    prelude::*,
    proto::message::{NoticeKind, Priority, TipKind},
    sandbox::Sandbox,
};
use serde_json::{Value, json};

use super::{
    Page, Troupe,
    compat::{Pair, proven},
    groups::{found, page},
    install::Sdk,
    sdk,
    sync::drop_link,
};
use crate::harness::sandbox;

const BOTH: [Pair; 2] = [Pair::SdkToBot, Pair::BotToSdk];

/// Starts a bot and alice in the group `g`, which alice owns.
fn grouped(sdk: &Sdk, sandbox: &Sandbox, me: &str) -> (Troupe, Page) {
    let mark = Troupe::watch_mark();
    let bot = Troupe::start(sandbox, me, "watcher");
    let alice = page(sdk, sandbox, "alice");
    found(&alice, "Public", "g", &[me]);
    bot.hears_notice(mark, NoticeKind::Invited);
    bot.hears_tip(mark, TipKind::Joined);
    (bot, alice)
}

fn texts_of(heard: &[Message]) -> Vec<&str> {
    heard.iter().filter_map(Message::text).collect()
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn every_small_element_goes_both_ways() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (bot, alice) = grouped(sdk, &sandbox, "elements-bot");
    let api = bot.api();
    let group = api.group("g");
    let (from, mark) = (alice.mark(), Troupe::watch_mark());
    let said = Troupe::wait(group.say("first 你好🙂")).unwrap();
    let got = alice.heard_up_to(from, "first 你好🙂").pop().unwrap();
    assert_eq!(
        (&got["from"], &got["sequence"], &got["conversationID"]),
        (&json!("elements-bot"), &json!(said.seq), &json!("GROUPg"))
    );
    let custom = json!({"data": "d", "description": "", "extension": ""});
    let place = json!({"description": "l", "longitude": 1.5, "latitude": 2.5});
    for (element, kind, payload) in [
        (Element::custom("d"), "TIMCustomElem", custom),
        (
            Element::face(1, "f"),
            "TIMFaceElem",
            json!({"index": 1, "data": "f"}),
        ),
        (Element::location("l", 1.5, 2.5), "TIMLocationElem", place),
    ] {
        let from = alice.mark();
        let draft = Draft::from(element)
            .priority(Priority::High)
            .cloud_custom_data("cc");
        Troupe::wait(group.say(draft)).unwrap();
        let got = alice.hear(from, kind, |m| m["type"] == kind);
        assert_eq!(
            (&got["payload"], &got["priority"], &got["cloudCustomData"]),
            (&payload, &json!("High"), &json!("cc"))
        );
    }
    // Both sides forward and merge messages.
    let hers = alice.say_to_group("g", "hers");
    let heard = bot.hears_text(mark, "hers");
    let from = alice.mark();
    Troupe::wait(group.say(Draft::forward(&heard))).unwrap();
    alice.heard_up_to(from, "hers");
    let merger = Troupe::wait(bot.api().merge("ours", &[heard])).unwrap();
    Troupe::wait(group.say(Element::Merger(Box::new(merger)))).unwrap();
    let got = alice.hear(from, "our record", |m| m["type"] == "TIMRelayElem");
    assert_eq!(
        got["payload"]["messageList"][0]["messageBody"][0]["payload"]["text"],
        "hers"
    );
    alice.send_to_group("g", "Forward", &json!({"$message": hers["ID"]}));
    bot.hears_times(mark, "hers", 2);
    let payload = json!({
        "messageList": [{"$message": hers["ID"]}], "title": "theirs", "abstractList": ["a"],
        "compatibleText": "c",
    });
    alice.send_to_group("g", "Merger", &payload);
    bot.hears(
        mark,
        "their record",
        |m| matches!(&m.elements[..], [Element::Merger(merger)] if merger.title == "theirs"),
    );
    alice.send_to_group(
        "g",
        "Custom",
        &json!({"data": "x", "description": "", "extension": ""}),
    );
    bot.hears(mark, "custom data", |m| {
        m.elements == [Element::custom("x")]
    });
    for pair in BOTH {
        proven(
            "group: text, custom, face, location, merged, forwarded",
            pair,
        );
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn words_for_now_and_for_some_reach_who_is_meant() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let me = "private-bot";
    let (bot, alice) = grouped(sdk, &sandbox, me);
    let api = bot.api();
    let group = api.group("g");
    let carol = page(sdk, &sandbox, "carol");
    carol.data("joinGroup", &json!([{"groupID": "g"}]));
    let mark = Troupe::watch_mark();
    carol.say_to_group("g", "here I am");
    bot.hears_text(mark, "here I am");
    alice.heard_up_to(0, "here I am");
    let mark = Troupe::watch_mark();
    let (alices, carols) = (alice.mark(), carol.mark());
    let before = sandbox.group_history("g").len();
    Troupe::wait(group.say(Draft::text("fleeting").online_only())).unwrap();
    alice.heard_up_to(alices, "fleeting");
    let options = json!({"to": "g", "conversationType": "GROUP", "payload": {"text": "fleeting"}});
    let fleeting = json!({"onlineUserOnly": true});
    alice
        .call("send", &json!(["Text", options, fleeting]))
        .unwrap();
    assert!(bot.hears_text(mark, "fleeting").online_only);
    assert_eq!(sandbox.group_history("g").len(), before);
    for pair in BOTH {
        proven("group: online-only message", pair);
    }

    Troupe::wait(group.say(Draft::text("for alice").only_for(["alice"]))).unwrap();
    for (receivers, text) in [
        (json!([me]), "for the bot"),
        (json!(["carol"]), "for carol"),
    ] {
        let options = json!({
            "to": "g", "conversationType": "GROUP", "payload": {"text": text},
            "receiverList": receivers,
        });
        alice.call("send", &json!(["Text", options])).unwrap();
    }
    alice.say_to_group("g", "for all");
    bot.hears_text(mark, "for all");
    assert_eq!(
        texts_of(&bot.heard(mark)),
        ["fleeting", "for the bot", "for all"]
    );
    let heard = carol.texts_up_to(carols, "for all");
    assert_eq!(heard, ["fleeting", "fleeting", "for carol", "for all"]);
    assert_eq!(
        alice.texts_up_to(alices, "for alice"),
        ["fleeting", "for alice"]
    );
    for pair in BOTH {
        proven("group: message to some members", pair);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_is_sent_twice_arrives_once() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let me = "twice-bot";
    let (bot, alice) = grouped(sdk, &sandbox, me);
    let mark = Troupe::watch_mark();
    let options = json!({"to": "g", "conversationType": "GROUP", "payload": {"text": "twice"}});
    alice.call("sendTwice", &json!(["Text", options])).unwrap();
    alice.say_to_group("g", "fence");
    bot.hears_text(mark, "fence");
    assert_eq!(texts_of(&bot.heard(mark)), ["twice", "fence"]);
    proven("group: resend delivers once", Pair::SdkToBot);
    // The answer is lost with the link, so the bot sends the message again.
    let (from, lost) = (alice.mark(), bot.mark());
    let api = bot.api();
    let group = api.group("g");
    sandbox.delay(me, 60_000).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| Troupe::wait(group.say("once")).unwrap());
        alice.heard_up_to(from, "once");
        sandbox.delay(me, 0).unwrap();
        sandbox.drop_link(me).unwrap();
    });
    bot.wait_online(lost);
    Troupe::wait(group.say("fence")).unwrap();
    assert_eq!(alice.texts_up_to(from, "fence"), ["once", "fence"]);
    proven("group: resend delivers once", Pair::BotToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_gap_is_filled_for_the_sdk_with_what_a_bot_said() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let me = "busy-bot";
    let (bot, alice) = grouped(sdk, &sandbox, me);
    let bob = page(sdk, &sandbox, "bob");
    bob.data("joinGroup", &json!([{"groupID": "g"}]));
    let api = bot.api();
    let group = api.group("g");
    bob.say_to_group("g", "joined");
    Troupe::wait(group.say("before")).unwrap();
    bob.heard_up_to(0, "before");
    let (mark, ours) = (bob.mark(), Troupe::watch_mark());
    let missed: Vec<String> = (0..12).map(|number| format!("missed {number}")).collect();
    drop_link(&sandbox, &bob, "bob", || {
        for text in &missed {
            Troupe::wait(group.say(text.as_str())).unwrap();
        }
    });
    assert_eq!(bob.texts_up_to(mark, "missed 11"), missed);
    alice
        .call(
            "updateGroupProfile",
            &json!([{"groupID": "g", "name": "renamed"}]),
        )
        .unwrap();
    bob.hear_tip(mark, 6);
    bot.hears_tip(ours, TipKind::ProfileChanged);
    Troupe::wait(group.say("after")).unwrap();
    assert_eq!(bob.texts_up_to(mark, "after").len(), 13, "each once");
    proven(
        "group: messages and tips of a gap after a reconnect",
        Pair::BotToSdk,
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn history_has_what_was_said_recalled_and_told_and_what_is_unread_at_login() {
    let sdk = sdk();
    let sandbox = sandbox(|config| config.group_message_rate = 1000);
    let me = "archive-bot";
    let (bot, alice) = grouped(sdk, &sandbox, me);
    let api = bot.api();
    let group = api.group("g");
    let mark = Troupe::watch_mark();
    let hers: Vec<Value> = (0..30)
        .map(|number| alice.say_to_group("g", &format!("hers {number}")))
        .collect();
    alice
        .call("revokeMessage", &json!([{"$message": hers[3]["ID"]}]))
        .unwrap();
    alice
        .call(
            "updateGroupProfile",
            &json!([{"groupID": "g", "name": "renamed"}]),
        )
        .unwrap();
    bot.hears_tip(mark, TipKind::ProfileChanged);
    let history = Troupe::wait(group.history(None, 100)).unwrap();
    let recalled: Vec<bool> = history.iter().map(|m| m.recalled).collect();
    assert_eq!(recalled.iter().filter(|recalled| **recalled).count(), 1);
    let texts = texts_of(&history).len();
    assert!(texts >= 29, "{texts}");
    assert!(
        history
            .windows(2)
            .all(|pair| pair[0].seq + 1 == pair[1].seq)
    );
    let tips: Vec<TipKind> = history
        .iter()
        .filter_map(|m| Some(m.tip()?.kind()))
        .collect();
    assert_eq!(tips, [TipKind::Joined, TipKind::ProfileChanged]);
    let tenth = history
        .iter()
        .find(|m| m.text() == Some("hers 10"))
        .unwrap();
    let hop = Troupe::wait(group.history(Some(tenth.seq), 5)).unwrap();
    assert_eq!(
        texts_of(&hop),
        ["hers 6", "hers 7", "hers 8", "hers 9", "hers 10"]
    );
    Troupe::wait(api.delete_messages(std::slice::from_ref(tenth))).unwrap();
    let after = Troupe::wait(group.history(None, 100)).unwrap();
    assert!(after.iter().all(|m| m.text() != Some("hers 10")));
    let data = alice.data(
        "getMessageListHopping",
        &json!([{
            "conversationID": "GROUPg", "sequence": tenth.seq, "direction": 0, "count": 1,
        }]),
    );
    assert_eq!(data["messageList"][0]["payload"]["text"], "hers 10");
    for row in [
        "group: history in pages and by hopping",
        "group: recalled messages and tips in history",
        "group: delete for oneself",
    ] {
        proven(row, Pair::SdkToBot);
    }

    // A newcomer to the page finds what the bot has said, recalled and changed.
    let first = Troupe::wait(group.say("ours 0")).unwrap();
    for number in 1..20 {
        Troupe::wait(group.say(format!("ours {number}"))).unwrap();
    }
    Troupe::wait(api.message(&first).recall()).unwrap();
    let card = Troupe::wait(group.set_name_card(me, "Archivist"));
    card.unwrap();
    let fresh = Page::open(sdk, &sandbox);
    let from = fresh.mark();
    fresh.enter(&sandbox, "alice");
    fresh.wait_until(from, "onConversationListUpdated", |list| {
        let list = list.as_array().unwrap().iter();
        list.clone()
            .any(|c| c["conversationID"] == "GROUPg" && c["unreadCount"].as_u64() >= Some(19))
    });
    assert_eq!(fresh.count(from, "onMessageReceived"), 0);
    let mut all: Vec<Value> = Vec::new();
    let mut query = json!({"conversationID": "GROUPg"});
    loop {
        let data = fresh.data("getMessageList", &json!([query]));
        all.splice(0..0, data["messageList"].as_array().unwrap().clone());
        if data["isCompleted"] == true {
            break;
        }
        query["nextReqMessageID"] = data["nextReqMessageID"].clone();
    }
    let ours: Vec<&Value> = all.iter().filter(|m| m["from"] == me).collect();
    assert_eq!(ours.len(), 20);
    assert_eq!(ours[0]["isRevoked"], true);
    assert_eq!(ours[19]["payload"]["text"], "ours 19");
    let last = ours[19].clone();
    fresh
        .call("deleteMessage", &json!([[{"$message": last["ID"]}]]))
        .unwrap();
    let history = Troupe::wait(group.history(None, 3)).unwrap();
    assert!(texts_of(&history).contains(&"ours 19"), "{history:?}");
    for row in [
        "group: recalled messages and tips in history",
        "group: delete for oneself",
        "group: unread count at login",
    ] {
        proven(row, Pair::BotToSdk);
    }

    // A bot that was not running receives its unread messages.
    drop(bot);
    for number in 0..5 {
        fresh.say_to_group("g", &format!("late {number}"));
    }
    let mark = Troupe::watch_mark();
    let bot = Troupe::start(&sandbox, me, "watcher");
    bot.hears_text(mark, "late 4");
    let heard = bot.heard(mark);
    let late: Vec<&str> = texts_of(&heard)
        .into_iter()
        .filter(|text| text.starts_with("late"))
        .collect();
    assert_eq!(late, ["late 0", "late 1", "late 2", "late 3", "late 4"]);
    proven("group: unread count at login", Pair::SdkToBot);
}
