//! Tests of kicks on both sides.

use botroupe::{account::Phase, proto::message::Element, sandbox::KickType};
use serde_json::json;

use super::compat::{self, Pair};
use super::{Page, Troupe, rest, sdk, sig_of, unix_now};
use crate::harness::{APP, KEY, sandbox};

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn another_page_is_reported_as_multiple_account() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (page, newcomer) = (Page::open(sdk, &sandbox), Page::open(sdk, &sandbox));
    page.enter(&sandbox, "alice");
    page.settle();
    let mark = page.mark();
    newcomer.enter(&sandbox, "alice");
    newcomer.settle();
    page.wait(mark, "sdkStateNotReady");
    assert_eq!(page.call("sendText", &json!(["bob", "no"])), Err(3003));
    // The page may log in again, which kicks the other one.
    let (mark, start) = (page.mark(), newcomer.mark());
    page.enter(&sandbox, "alice");
    newcomer.wait(start, "sdkStateNotReady");
    assert_eq!(page.lifecycle(mark), ["sdkStateReady"]);
    assert_eq!(
        newcomer.lifecycle(start),
        ["kickedOut multipleAccount", "sdkStateNotReady"]
    );
    assert_eq!(page.count(0, "socketOpened"), 1, "the link stays");
    compat::proven("kick: multipleAccount", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn another_device_is_reported_as_multiple_device() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let page = Page::open(sdk, &sandbox);
    page.enter(&sandbox, "alice");
    page.settle();
    let mark = page.mark();
    sandbox.kick("alice", KickType::Device).unwrap();
    page.wait(mark, "sdkStateNotReady");
    assert_eq!(
        page.lifecycle(mark),
        ["kickedOut multipleDevice", "sdkStateNotReady"]
    );
    assert_eq!(page.call("sendText", &json!(["bob", "no"])), Err(3002));
    assert!(!sandbox.is_online("alice"));

    page.enter(&sandbox, "alice");
    page.say("bob", "back");
    assert_eq!(page.count(0, "socketOpened"), 1, "the link stays");
    compat::proven("kick: multipleDevice", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn an_administrators_kick_is_reported_as_such_and_voids_old_user_sigs() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let page = Page::open(sdk, &sandbox);
    let old = sig_of(APP, KEY, "alice", unix_now(&sandbox));
    page.login("alice", old.expose()).unwrap();
    page.wait(0, "sdkStateReady");
    page.settle();
    let mark = page.mark();
    let answer = rest(
        &sandbox,
        "im_open_login_svc/kick",
        &json!({"UserID": "alice"}),
    );
    assert_eq!(answer["ErrorCode"], 0, "{answer}");
    page.wait_until(mark, "netStateChange", |data| data["state"] == "connected");
    assert_eq!(
        page.lifecycle(mark),
        [
            "kickedOut REST_API_Kick",
            "sdkStateNotReady",
            "netStateChange connecting",
            "netStateChange connected",
        ]
    );
    assert_eq!(page.wait(mark, "socketClosedBySdk")["code"], 4000);
    assert_eq!(page.call("sendText", &json!(["bob", "no"])), Err(3006));

    assert_eq!(page.login("alice", old.expose()), Err(70052));
    assert!(!sandbox.is_online("alice"));
    // A UserSig that was issued later, by the sandbox's count of seconds.
    let newer = sig_of(APP, KEY, "alice", unix_now(&sandbox) + 1);
    page.login("alice", newer.expose()).unwrap();
    page.wait(mark, "sdkStateReady");
    page.say("bob", "back");
    compat::proven("kick: REST_API_Kick", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn an_expired_login_is_reported_as_user_sig_expired() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let page = Page::open(sdk, &sandbox);
    page.enter(&sandbox, "alice");
    page.settle();
    let mark = page.mark();
    sandbox.expire("alice").unwrap();
    assert_eq!(page.call("sendText", &json!(["bob", "no"])), Err(70001));
    page.wait_until(mark, "netStateChange", |data| data["state"] == "connected");
    assert_eq!(
        page.lifecycle(mark),
        [
            "kickedOut userSigExpired",
            "sdkStateNotReady",
            "netStateChange connecting",
            "netStateChange connected",
        ]
    );
    assert_eq!(page.wait(mark, "socketClosedBySdk")["code"], 4001);
    assert_eq!(page.call("sendText", &json!(["bob", "no"])), Err(3004));

    page.enter(&sandbox, "alice");
    page.say("bob", "back");
    compat::proven("kick: userSigExpired", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_page_that_logs_in_as_a_bots_account_puts_the_bot_out() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let troupe = Troupe::start(&sandbox, "echo-bot", "echo");
    let mark = troupe.mark();
    let page = Page::open(sdk, &sandbox);
    page.enter(&sandbox, "echo-bot");
    let status = troupe.wait_phase(mark, Phase::CoolingDown);
    assert_eq!(status.cause.word(), "multipleAccount");
    assert!(status.next.is_some(), "it will come back by itself");
    assert_eq!(sandbox.instances("echo-bot").len(), 1);
    // The bot does not answer for the page, and does not replace it.
    sandbox.say("alice", "echo-bot", "who is there?").unwrap();
    assert_eq!(page.texts_up_to(0, "who is there?").len(), 1);
    assert_eq!(sandbox.history("alice", "echo-bot").len(), 1);
    assert_eq!(page.lifecycle(0), ["sdkStateReady"]);

    page.settle();
    // After a resume, the bot kicks the page and answers.
    let (mark, start) = (troupe.mark(), page.mark());
    troupe.resume();
    troupe.wait_online(mark);
    page.wait(start, "sdkStateNotReady");
    assert_eq!(
        page.lifecycle(start),
        ["kickedOut multipleAccount", "sdkStateNotReady"]
    );
    for pair in [Pair::SdkToBot, Pair::BotToSdk] {
        compat::proven("kick: multipleAccount", pair);
    }
    compat::proven("login: instance limit 1", Pair::SdkToBot);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn an_administrators_kick_holds_a_bots_account_until_it_is_resumed() {
    sdk();
    let sandbox = sandbox(|_| ());
    let troupe = Troupe::start(&sandbox, "echo-bot", "echo");
    let mark = troupe.mark();
    rest(
        &sandbox,
        "im_open_login_svc/kick",
        &json!({"UserID": "echo-bot"}),
    );
    let status = troupe.wait_phase(mark, Phase::Held);
    assert_eq!(status.cause.word(), "REST_API_Kick");
    assert_eq!(status.next, None, "it does not come back by itself");
    assert!(!sandbox.is_online("echo-bot"));
    // The account mints a new UserSig as soon as its second differs from that of the kick.
    let mark = troupe.mark();
    troupe.resume();
    troupe.wait_online(mark);
    compat::proven("kick: REST_API_Kick", Pair::SdkToBot);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn another_device_puts_a_bots_account_out() {
    sdk();
    let sandbox = sandbox(|_| ());
    let troupe = Troupe::start(&sandbox, "echo-bot", "echo");
    let mark = troupe.mark();
    sandbox.kick("echo-bot", KickType::Device).unwrap();
    let status = troupe.wait_phase(mark, Phase::CoolingDown);
    assert_eq!(status.cause.word(), "multipleDevice");
    assert!(!sandbox.is_online("echo-bot"));
    let mark = troupe.mark();
    troupe.resume();
    troupe.wait_online(mark);
    compat::proven("kick: multipleDevice", Pair::SdkToBot);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_whose_login_expired_logs_in_anew_and_goes_on() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let troupe = Troupe::start(&sandbox, "echo-bot", "echo");
    let page = Page::open(sdk, &sandbox);
    page.enter(&sandbox, "alice");
    let (mark, logins) = (troupe.mark(), sandbox.instances("echo-bot"));
    sandbox.expire("echo-bot").unwrap();
    // The account learns of it from the answer to its next request.
    let error = troupe.send("alice", Element::text("who is there?"));
    error.unwrap();
    let status = troupe.wait_online(mark);
    assert_eq!(status.phase, Phase::Online);
    let causes: Vec<String> = troupe.causes(mark);
    assert!(causes.contains(&"userSigExpired".to_owned()), "{causes:?}");
    assert_ne!(sandbox.instances("echo-bot"), logins, "a new login");
    assert_eq!(page.texts_up_to(0, "who is there?").len(), 1);
    page.say("echo-bot", "me");
    page.texts_up_to(0, "me");
    compat::proven("kick: userSigExpired", Pair::SdkToBot);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn an_administrators_kick_makes_a_bots_fixed_user_sig_useless() {
    sdk();
    let sandbox = sandbox(|_| ());
    let sig = sandbox.user_sig("echo-bot").unwrap();
    let more = format!("user_sig = \"{}\"", sig.expose());
    let troupe = Troupe::start_with(&sandbox, "echo-bot", "echo", &more);
    let mark = troupe.mark();
    rest(
        &sandbox,
        "im_open_login_svc/kick",
        &json!({"UserID": "echo-bot"}),
    );
    let status = troupe.wait_phase(mark, Phase::Held);
    assert_eq!(status.cause.word(), "REST_API_Kick");
    let mark = troupe.mark();
    troupe.resume();
    let status = troupe.wait_phase(mark, Phase::Quarantined);
    assert_eq!(status.cause.word(), "login_refused:70052");
    assert_eq!(status.next, None);
    assert!(!sandbox.is_online("echo-bot"));
}
