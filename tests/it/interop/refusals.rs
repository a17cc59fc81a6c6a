//! Tests of rejected and unanswered requests, on both sides.

use botroupe::{
    account::Phase,
    prelude::*,
    proto::{code::Code, message::NoticeKind},
    sandbox::Sandbox,
};
use serde_json::{Value, json};

use super::{
    Page, Troupe,
    compat::{Pair, proven},
    groups::{found, page, settle_in},
    sdk,
};
use crate::harness::{eventually, sandbox};

const SEND: &str = "openim.sendmsg";
const SEND_TO_GROUP: &str = "group_open_http_svc.send_group_msg";

/// The codes with which a message may be rejected, and our names for them.
const CODES: [(i64, &str); 7] = [
    (20003, "unknown user"),
    (20007, "blacklisted"),
    (20012, "muted"),
    (80001, "content refused"),
    (120_001, "refused by callback"),
    (6017, "invalid parameter (native)"),
    (10017, "muted"),
];

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_refused_message_rejects_with_the_code_and_can_be_sent_again() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["bob"]);
    settle_in(&bob, "g");
    let mark = bob.mark();
    for (code, _) in CODES {
        for servcmd in [SEND, SEND_TO_GROUP] {
            sandbox
                .refuse("alice", servcmd, Code(code), Some(1))
                .unwrap();
        }
        assert_eq!(alice.call("sendText", &json!(["bob", "no"])), Err(code));
        let no = json!({"text": "no"});
        assert_eq!(alice.try_to_group("g", "Text", &no), Err(code));
    }
    // The same rejected message can be sent again.
    sandbox.refuse("alice", SEND, Code(20012), Some(1)).unwrap();
    alice.call("watchRequests", &json!([[SEND]])).unwrap();
    let options = json!({"to": "bob", "conversationType": "C2C", "payload": {"text": "at last"}});
    let from = alice.mark();
    alice
        .call("sendUntilDone", &json!(["Text", options]))
        .unwrap();
    let sent = alice.all(from, "requestSent");
    let keys: Vec<Value> = sent
        .iter()
        .map(|sent| json!([sent["body"]["MsgSeq"], sent["body"]["MsgRandom"]]))
        .collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1], "the same message");
    assert_eq!(bob.texts_up_to(mark, "at last"), ["at last"]);
    proven("messages: refused, with the code", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_refused_message_of_a_bot_fails_with_the_code_and_its_name() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("refused-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let (alice, api) = (page(sdk, &sandbox, "alice"), bot.api());
    found(&alice, "Public", "g", &[me]);
    bot.hears_notice(mark, NoticeKind::Invited);
    let heard = alice.mark();
    for (code, name) in CODES {
        for servcmd in [SEND, SEND_TO_GROUP] {
            sandbox.refuse(me, servcmd, Code(code), None).unwrap();
        }
        let to_alice = Troupe::wait(api.send_text("alice", "no")).unwrap_err();
        let to_group = Troupe::wait(api.group("g").say("no")).unwrap_err();
        for error in [to_alice, to_group] {
            assert_eq!(error.code(), Some(Code(code)));
            let words = error.to_string();
            assert!(
                words.contains(&format!("{code} ({name})")),
                "{words} for {code}"
            );
        }
        for servcmd in [SEND, SEND_TO_GROUP] {
            sandbox.refuse(me, servcmd, Code(code), Some(0)).unwrap();
        }
    }
    // The same holds for requests, and a temporary error does not end a message.
    let servcmd = "profile.portrait_get_all";
    sandbox.refuse(me, servcmd, Code(6017), Some(1)).unwrap();
    let error = Troupe::wait(api.user("alice").profile()).unwrap_err();
    assert_eq!(error.code(), Some(Code::NATIVE_PARAMETER));
    sandbox.refuse(me, SEND, Code(20004), Some(1)).unwrap();
    Troupe::wait(api.send_text("alice", "at last")).unwrap();
    assert_eq!(alice.texts_up_to(heard, "at last"), ["at last"]);
    // In the other direction, the SDK's requests are rejected.
    for (code, _) in CODES {
        sandbox.refuse("alice", SEND, Code(code), Some(1)).unwrap();
        assert_eq!(alice.call("sendText", &json!([me, "no"])), Err(code));
    }
    alice.say(me, "that is all");
    bot.hears_text(mark, "that is all");
    let texts = bot.heard(mark).into_iter();
    let texts: Vec<String> = texts.filter_map(|m| m.text().map(str::to_owned)).collect();
    assert_eq!(texts, ["that is all"]);
    for pair in [Pair::SdkToBot, Pair::BotToSdk] {
        proven("messages: refused, with the code", pair);
    }
}

/// Injects a successful answer whose body contains an error.
fn odd_success(sandbox: &Sandbox, user: &str) {
    let body = json!({
        "ActionStatus": "FAIL", "ErrorCode": 0, "ErrorInfo": "x", "MsgTime": 1_700_000_000,
    });
    sandbox.answer(user, SEND, body, Some(1)).unwrap();
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn only_the_code_counts_and_silence_ends_after_15_seconds() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let me = "unanswered-bot";
    let bot = Troupe::start(&sandbox, me, "watcher");
    let (alice, api) = (page(sdk, &sandbox, "alice"), bot.api());
    odd_success(&sandbox, "alice");
    let sent = alice.call("sendText", &json!([me, "odd"])).unwrap();
    assert_eq!(sent["time"], 1_700_000_000);
    odd_success(&sandbox, me);
    let sent = Troupe::wait(bot.api().send_text("alice", "odd")).unwrap();
    assert_eq!(sent.time, 1_700_000_000);
    for pair in [Pair::SdkToSdk, Pair::SdkToBot, Pair::BotToSdk] {
        proven("requests: only ErrorCode counts", pair);
    }
    // Both wait at the same time.
    for user in ["alice", me] {
        for servcmd in [SEND, "openim.getroammsg"] {
            sandbox.ignore(user, servcmd, None).unwrap();
        }
    }
    let started = tokio::time::Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let unanswered = alice.call("sendText", &json!([me, "lost"]));
            assert_eq!(unanswered, Err(2801));
        });
        scope.spawn(|| {
            let error = Troupe::wait(api.user("alice").history(1)).unwrap_err();
            assert!(error.to_string().contains("no answer"), "{error}");
        });
    });
    let took = started.elapsed().as_secs();
    assert!((14..25).contains(&took), "{took} s");
    assert!(sandbox.is_online(me) && sandbox.is_online("alice"));
    for pair in [Pair::SdkToSdk, Pair::SdkToBot, Pair::BotToSdk] {
        proven("requests: no answer for 15 s", pair);
    }
}

/// Makes `user` send a message over a link that breaks after its delivery and before its answer.
fn lose_the_answer(sandbox: &Sandbox, user: &str, say: impl FnOnce() + Send, heard: impl FnOnce()) {
    // The delay is so long that no answer is in transit when the link breaks.
    sandbox.delay(user, 60_000).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(say);
        heard();
        sandbox.delay(user, 0).unwrap();
        sandbox.drop_link(user).unwrap();
    });
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_lost_its_answer_is_sent_again_before_the_login_and_delivered_once() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, watched) = ("resending-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let [alice, bob] = ["alice", "bob"].map(|user| page(sdk, &sandbox, user));
    alice.settle();
    alice.wait(0, "socketGrownUp");
    const LOGIN: &str = "im_open_status.wslogin";
    alice
        .call("watchRequests", &json!([[SEND, LOGIN]]))
        .unwrap();
    let mut resent = 0;
    for (to, pair) in [("bob", Pair::SdkToSdk), (me, Pair::SdkToBot)] {
        let (mark, heard) = (alice.mark(), bob.mark());
        let say = || {
            alice.say(to, "once");
        };
        lose_the_answer(&sandbox, "alice", say, || {
            if pair == Pair::SdkToSdk {
                bob.texts_up_to(heard, "once");
            } else {
                bot.hears_text(watched, "once");
            }
        });
        resent += 1;
        assert_eq!(sandbox.status().counters.repeated_sends, resent);
        alice.wait_until(mark, "requestSent", |sent| sent["servcmd"] == LOGIN);
        let sent = alice.all(mark, "requestSent");
        let commands: Vec<&Value> = sent.iter().map(|sent| &sent["servcmd"]).collect();
        assert_eq!(commands, [SEND, SEND, LOGIN]);
        assert_eq!(sent[0]["seq"], sent[1]["seq"], "unchanged");
        assert_eq!(sent[0]["body"], sent[1]["body"], "unchanged");
        assert_ne!(sent[0]["socket"], sent[1]["socket"]);
        alice.wait_until(mark, "netStateChange", |data| data["state"] == "connected");
        alice.wait(mark, "socketGrownUp");
        alice.say(to, "done");
        if pair == Pair::SdkToSdk {
            assert_eq!(bob.texts_up_to(heard, "done"), ["once", "done"]);
        } else {
            bot.hears_text(watched, "done");
            let heard = bot.heard(watched);
            let texts: Vec<&str> = heard.iter().filter_map(Message::text).collect();
            assert_eq!(texts, ["once", "done"]);
        }
        proven("C2C: sent again on the next link, delivered once", pair);
    }
    let (mark, heard) = (bot.mark(), bob.mark());
    let api = bot.api();
    let say = || {
        Troupe::wait(api.send_text("bob", "once")).unwrap();
    };
    lose_the_answer(&sandbox, me, say, || {
        bob.texts_up_to(heard, "once");
    });
    bot.wait_online(mark);
    assert_eq!(sandbox.status().counters.repeated_sends, resent + 1);
    Troupe::wait(api.send_text("bob", "done")).unwrap();
    assert_eq!(bob.texts_up_to(heard, "done"), ["once", "done"]);

    // A bot sends again after the login: only then it knows how late it is at the service, and whether the service
    // still recognises the message.
    sandbox.ignore(me, SEND, Some(1)).unwrap();
    sandbox
        .refuse_login(me, Code::ACCOUNT_INTERNAL, None)
        .unwrap();
    let (mark, heard) = (bot.mark(), bob.mark());
    let swallowed = || sandbox.status().counters.withheld;
    let before = swallowed();
    std::thread::scope(|scope| {
        scope.spawn(|| Troupe::wait(api.send_text("bob", "early")).unwrap());
        actix_rt::System::new().block_on(eventually("the message to be swallowed", || async {
            (swallowed() > before).then_some(())
        }));
        sandbox.drop_link(me).unwrap();
        bot.wait_phase(mark, Phase::Waiting);
        sandbox.refuse_login(me, Code(0), None).unwrap();
        assert_eq!(bob.texts_up_to(heard, "early"), ["early"]);
    });
    bot.wait_online(mark);
    proven("C2C: resend delivers once", Pair::BotToSdk);
    proven(
        "C2C: sent again on the next link, delivered once",
        Pair::BotToSdk,
    );
}

/// The SDK's automatic requests after a login.
const AUTOMATIC: [&str; 9] = [
    "profile.portrait_get_all",
    "sns.friend_get",
    "sns.group_get",
    "sns.pendency_get",
    "openim.getmsg",
    "group_open_http_svc.get_joined_group_list",
    "million_group_open_http_svc.get_joined_group_list",
    "recentcontact.get_contact_group",
    "im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2",
];

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bare_ok_is_enough_for_what_is_asked_after_a_login() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("content-bot", Troupe::watch_mark());
    let bare = json!({"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": ""});
    for user in ["alice", me] {
        for servcmd in AUTOMATIC {
            sandbox.answer(user, servcmd, bare.clone(), None).unwrap();
        }
    }
    let alice = Page::open(sdk, &sandbox);
    alice.call("watchRequests", &json!([AUTOMATIC])).unwrap();
    alice.enter(&sandbox, "alice");
    alice.settle();
    let bot = Troupe::start(&sandbox, me, "watcher");
    let heard = alice.mark();
    Troupe::wait(bot.api().send_text("alice", "from the bot")).unwrap();
    assert_eq!(alice.texts_up_to(heard, "from the bot"), ["from the bot"]);
    alice.say(me, "from alice");
    bot.hears_text(mark, "from alice");
    for servcmd in AUTOMATIC {
        let sent = alice.all(0, "requestSent");
        let times = sent.iter().filter(|sent| sent["servcmd"] == servcmd);
        assert!(times.count() <= 3, "{servcmd} is asked for without end");
    }
    for pair in [Pair::SdkToSdk, Pair::SdkToBot, Pair::BotToSdk] {
        proven("login: a bare OK to what is asked after it", pair);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn without_its_start_index_the_sdk_asks_for_the_blacklist_again_and_again() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    const BLACKLIST: &str = "sns.black_list_get";
    const TIMES: u32 = 40;
    let bare = json!({"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": ""});
    sandbox
        .answer("alice", BLACKLIST, bare, Some(TIMES))
        .unwrap();
    let alice = Page::open(sdk, &sandbox);
    alice.call("watchRequests", &json!([[BLACKLIST]])).unwrap();
    alice.enter(&sandbox, "alice");
    // The sandbox's own answer ends the retries.
    alice.wait_for_count(0, "requestSent", TIMES as usize + 1);
    alice.settle();
    assert_eq!(alice.count(0, "requestSent"), TIMES as usize + 1);
}
