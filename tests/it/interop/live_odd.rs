//! Tests of live room polls with answers that the sandbox itself would not send, or without
//! answers.

use std::time::Duration;

use botroupe::{prelude::*, proto::code::Code, proto::message::TipKind};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    Troupe,
    compat::{Pair, proven},
    groups::{found, page},
    sdk,
};
use crate::harness::{eventually, sandbox};

const POLL: &str = "group_open_long_polling_http_svc.get_msg";

/// Returns an item of the room with long field names.
fn item(seq: u32, text: &str) -> Value {
    json!({
        "Event": 3, "From_Account": "zed", "ToGroupId": "room", "MsgSeq": seq, "MsgRandom": seq,
        "MsgTimeStamp": 1_795_399_343, "MsgClientTime": 1_795_399_343, "TinyId": "1",
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
        "GroupInfo": {"GroupId": "room", "GroupType": "AVChatRoom", "GroupName": "live"},
    })
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn odd_answers_to_polls_are_understood_and_failed_ones_repeated() {
    let sdk = sdk();
    // The hold time is so short that every poll is soon followed by the next.
    let sandbox = sandbox(|config| config.live_hold = Duration::from_millis(200));
    let (me, mark) = ("odd-live-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "AVChatRoom", "room", &[]);
    bob.call("watchRequests", &json!([[POLL]])).unwrap();
    for page in [&alice, &bob] {
        page.data("joinGroup", &json!([{"groupID": "room"}]));
    }
    Troupe::wait(bot.api().group("room").join("")).unwrap();
    // The injected answers do not change the room's keys and numbers.
    let poll = bob.wait(0, "requestSent")["body"].clone();
    let answer = |items: Value| {
        let body = json!({
            "ErrorCode": 0, "Key": poll["Key"], "NextSeq": poll["StartSeq"], "RspMsgList": items,
        });
        sandbox.answer("bob", POLL, body, Some(1)).unwrap();
        // An answer without these fields leaves both unchanged.
        let body = json!({"ErrorCode": 0, "RspMsgList": items});
        sandbox.answer(me, POLL, body, Some(1)).unwrap();
    };
    let bobs = bob.mark();
    answer(json!([
        item(501, "a"),
        item(501, "b, same number"),
        item(502, "c")
    ]));
    bob.heard_up_to(bobs, "c");
    bot.hears_text(mark, "c");
    let texts = |list: &[Value]| -> Vec<String> {
        let texts = list.iter().filter_map(|m| m["payload"]["text"].as_str());
        texts.map(str::to_owned).collect()
    };
    assert_eq!(texts(&bob.heard(bobs)), ["a", "c"]);
    let heard = bot.heard(mark);
    let ours: Vec<&str> = heard.iter().filter_map(Message::text).collect();
    assert_eq!(ours, ["a", "c"]);

    answer(json!([{
        "E": 3, "F_Account": "zed", "GId": "room", "MS": 503, "MR": 4, "MTS": 1_795_399_343,
        "MCT": 1_795_399_343, "MP": 3, "CCD": "x", "TinyId": "1",
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "short names"}}],
        "GInf": {"GN": "live", "GT": "AVChatRoom", "F_NN": "Al", "F_Hd": "http://h", "F_Ll": 7},
    }]));
    let got = bob.heard_up_to(bobs, "short names").pop().unwrap();
    assert_eq!(
        (&got["from"], &got["nick"], &got["cloudCustomData"]),
        (&json!("zed"), &json!("Al"), &json!("x"))
    );
    let got = bot.hears_text(mark, "short names");
    assert_eq!(
        (&*got.from, &*got.nick, &*got.cloud_custom_data),
        ("zed", "Al", "x")
    );
    assert_eq!(got.conversation, Conversation::group("room"));
    assert_eq!((got.seq, got.random, got.time), (503, 4, 1_795_399_343));
    answer(json!([{
        "E": 6, "GId": "room", "ToGroupId": "room", "MS": 504, "MR": 5, "MTS": 1_795_399_343,
        "MCT": 1_795_399_343,
        "MsgBody": {
            "Opt": 1, "O_Account": "zed", "OpInf": {"NN": "Zed", "Img": "http://z"},
            "OnlineInf": {"Num": 9, "ET": 60},
        },
        "GInf": {"GN": "live", "GT": "AVChatRoom"},
    }]));
    bob.hear(bobs, "zed's coming", |m| {
        m["payload"]["operationType"] == 1 && m["payload"]["operatorID"] == "zed"
    });
    bot.hears(mark, "zed's coming", |m| {
        m.tip()
            .is_some_and(|tip| tip.kind() == TipKind::Joined && tip.operator == "zed")
    });
    answer(json!([{
        "Event": 20, "ToGroupId": "room", "MsgSeq": 505,
        "GroupInfo": {"GroupId": "room", "GroupType": "AVChatRoom", "GroupName": "live"},
        "RevokerInfo": {"Revoker_Account": "alice", "Reason": "r"},
        "MsgBody": {"RevokeMsgList": [
            {"MsgSeq": 502, "MsgRandom": 502, "MsgClientTime": 1_795_399_343, "TinyId": "1"},
        ]},
    }]));
    bob.wait_until(bobs, "onMessageRevoked", |list| {
        list[0]["ID"] == "1-1795399343-502" && list[0]["revoker"] == "alice"
    });
    let (by, id) = bot.learns(mark, "a recall", |update| match update {
        Update::Recalled { by, messages, .. } => Some((by.clone(), messages[0].terminal_id())),
        _ => None,
    });
    assert_eq!((&*by, id.as_deref()), ("alice", Some("1-1795399343-502")));
    for pair in [Pair::SdkToSdk, Pair::SdkToBot] {
        proven(
            "live room: items of equal number, short names, recall",
            pair,
        );
    }

    for user in ["bob", me] {
        sandbox
            .refuse(user, POLL, Code::GROUP_UNKNOWN, Some(2))
            .unwrap();
    }
    let from = bob.mark();
    alice.say_to_group("room", "after errors");
    bob.heard_up_to(bobs, "after errors");
    bot.hears_text(mark, "after errors");
    assert!(bob.count(from, "requestSent") >= 2);
    for pair in [Pair::SdkToSdk, Pair::SdkToBot] {
        proven("live room: goes on after errors", pair);
    }

    for user in ["bob", me] {
        sandbox.ignore(user, POLL, Some(1)).unwrap();
    }
    let started = Instant::now();
    let swallowed = || async { (sandbox.status().counters.withheld >= 2).then_some(()) };
    actix_rt::System::new().block_on(eventually("both polls", swallowed));
    alice.say_to_group("room", "after silence");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            bob.heard_up_to(bobs, "after silence");
            let took = started.elapsed().as_secs();
            assert!((14..25).contains(&took), "the SDK: {took} s");
        });
        bot.hears_text(mark, "after silence");
        let took = started.elapsed().as_secs();
        assert!((14..25).contains(&took), "the bot: {took} s");
    });
    for pair in [Pair::SdkToSdk, Pair::SdkToBot] {
        proven("live room: a poll is given up after 15 s", pair);
    }
}
