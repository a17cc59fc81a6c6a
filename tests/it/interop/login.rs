//! Tests of logging in and out.

use botroupe::sandbox::CompressMode;
use serde_json::json;

use super::compat::{self, Pair};
use super::{Page, install::Sdk, sdk, sig_of, unix_now};
use crate::harness::{APP, KEY, sandbox};

/// Logs in with a build of the SDK, and checks that it can send.
fn logs_in(build: fn(&Sdk) -> Vec<String>) {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let page = Page::open_with(sdk, build(sdk), &sandbox);
    let mark = page.mark();
    page.enter(&sandbox, "alice");
    assert_eq!(page.lifecycle(mark), ["sdkStateReady"]);
    assert_eq!(sandbox.instances("alice").len(), 1);

    sandbox.say("bob", "alice", "welcome").unwrap();
    assert_eq!(page.texts_up_to(mark, "welcome"), ["welcome"]);
    page.say("bob", "thanks");
    assert_eq!(sandbox.history("alice", "bob").len(), 2);

    let counters = sandbox.status().counters;
    assert_eq!(
        (
            counters.garbage,
            counters.bad_checksums,
            counters.unknown_commands
        ),
        (0, 0, 0),
        "{counters:?}"
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn the_full_build_logs_in() {
    logs_in(Sdk::full);
    compat::proven("login: full build", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn the_es_build_logs_in() {
    logs_in(Sdk::lean);
    compat::proven("login: ES build", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn the_es_build_with_every_module_logs_in() {
    logs_in(Sdk::modular);
    compat::proven("login: ES build with every module", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_refused_login_rejects_with_the_servers_code() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let page = Page::open(sdk, &sandbox);
    let mark = page.mark();
    let now = unix_now(&sandbox);
    let good = sig_of(APP, KEY, "alice", now);
    for (sig, code) in [
        (good.expose()[..40].to_owned(), 70003),
        (
            sig_of(APP, "other key", "alice", now).expose().into(),
            70009,
        ),
        (sig_of(APP, KEY, "bob", now).expose().into(), 70013),
        (sig_of(APP + 1, KEY, "alice", now).expose().into(), 70014),
    ] {
        assert_eq!(page.login("alice", &sig), Err(code));
    }
    assert!(page.lifecycle(mark).is_empty(), "a refusal is no event");

    let over = sig_of(APP, KEY, "alice", now - 7200);
    assert_eq!(page.login("alice", over.expose()), Err(70001));
    page.wait_until(mark, "netStateChange", |data| data["state"] == "connected");
    assert_eq!(
        page.lifecycle(mark),
        ["netStateChange connecting", "netStateChange connected"]
    );
    assert!(!sandbox.is_online("alice"));

    page.enter(&sandbox, "alice");
    assert!(sandbox.is_online("alice"));
    compat::proven("login: refused with the code", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn an_account_that_is_not_imported_is_refused() {
    let sdk = sdk();
    let sandbox = sandbox(|config| config.auto_import = false);
    let page = Page::open(sdk, &sandbox);
    let mark = page.mark();
    let sig = sandbox.user_sig("alice").unwrap();
    assert_eq!(page.login("alice", sig.expose()), Err(70107));
    assert!(page.lifecycle(mark).is_empty());

    assert!(sandbox.import("alice").unwrap());
    page.enter(&sandbox, "alice");
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_second_login_is_a_repeated_one() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let page = Page::open(sdk, &sandbox);
    page.enter(&sandbox, "alice");
    let mark = page.mark();
    let sig = sandbox.user_sig("alice").unwrap();
    let answer = page.login("alice", sig.expose()).unwrap();
    assert_eq!(answer["data"]["repeatLogin"], true, "{answer}");
    assert!(page.lifecycle(mark).is_empty());
    assert_eq!(sandbox.status().counters.logins, 1, "nothing was sent");
    compat::proven("login: repeated", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn logout_leaves_the_link_and_the_same_instance_logs_in_again() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let page = Page::open(sdk, &sandbox);
    page.enter(&sandbox, "alice");
    let mark = page.mark();
    page.call("logout", &json!([])).unwrap();
    assert_eq!(page.lifecycle(mark), ["sdkStateNotReady"]);
    assert!(!sandbox.is_online("alice"));

    page.enter(&sandbox, "alice");
    page.call("logout", &json!([])).unwrap();
    page.enter(&sandbox, "bob");
    assert!(sandbox.is_online("bob") && !sandbox.is_online("alice"));
    assert_eq!(page.count(0, "socketOpened"), 1, "one link for all of it");
    assert_eq!(sandbox.status().links, 1);
    compat::proven("login: logout and login again", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn destroy_logs_out_and_closes_with_4000() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let page = Page::open(sdk, &sandbox);
    page.enter(&sandbox, "alice");
    let mark = page.mark();
    page.call("destroy", &json!([])).unwrap();
    assert_eq!(page.lifecycle(mark), ["sdkStateNotReady", "sdkDestroy"]);
    assert_eq!(page.wait(mark, "socketClosedBySdk")["code"], 4000);
    assert!(!sandbox.is_online("alice"));
    compat::proven("login: destroy", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn every_compression_is_understood() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let page = Page::open(sdk, &sandbox);
    let compressed = || {
        page.call("compressedFrames", &json!([]))
            .unwrap()
            .as_u64()
            .unwrap()
    };
    for mode in [
        CompressMode::None,
        CompressMode::Gzip,
        CompressMode::Zlib,
        CompressMode::Sync,
        CompressMode::None,
    ] {
        sandbox.compress(mode);
        let mark = page.mark();
        page.enter(&sandbox, "alice");
        // Frames in transit in the previous mode have arrived by now.
        let before = compressed();
        let text = format!("{mode:?}, 你好, {}", "and so on ".repeat(300));
        sandbox.say("bob", "alice", &text).unwrap();
        assert_eq!(page.texts_up_to(mark, &text), [text]);
        page.say("bob", "understood");
        let after = compressed();
        assert_eq!(
            after > before,
            mode != CompressMode::None,
            "{mode:?}: {before}, {after}"
        );
        page.call("logout", &json!([])).unwrap();
    }
    compat::proven("login: compression none, gzip, zlib", Pair::SdkToSdk);
}
