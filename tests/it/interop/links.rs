//! Tests of lost links and several logins of one account.

use super::compat::{self, Pair};
use super::{Page, sdk};
use crate::harness::sandbox;

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn the_sdk_comes_back_after_a_lost_link_and_hears_what_it_missed_once() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let page = Page::open(sdk, &sandbox);
    page.enter(&sandbox, "alice");
    let instances = sandbox.instances("alice");
    page.wait(0, "socketGrownUp");
    let mark = page.mark();
    sandbox.drop_link("alice").unwrap();
    let missed: Vec<String> = (0..5).map(|number| format!("missed {number}")).collect();
    for text in &missed {
        sandbox.say("bob", "alice", text).unwrap();
    }
    assert_eq!(page.texts_up_to(mark, "missed 4"), missed);
    sandbox.say("bob", "alice", "welcome back").unwrap();
    let heard = page.texts_up_to(mark, "welcome back");
    assert_eq!(heard.len(), 6, "each once: {heard:?}");
    assert_eq!(
        page.lifecycle(mark),
        ["netStateChange connecting", "netStateChange connected"],
        "ready throughout"
    );
    assert_eq!(sandbox.instances("alice"), instances, "the same login");
    page.say("bob", "thanks");
    compat::proven("C2C: missed over a lost link", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn of_two_pages_the_older_one_goes() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (first, second) = (Page::open(sdk, &sandbox), Page::open(sdk, &sandbox));
    first.enter(&sandbox, "alice");
    // Do it now, while many of the SDK's requests after a login are unanswered.
    let (mark, start) = (first.mark(), second.mark());
    second.enter(&sandbox, "alice");
    first.wait(mark, "sdkStateNotReady");
    assert_eq!(
        first.lifecycle(mark),
        ["kickedOut multipleAccount", "sdkStateNotReady"]
    );
    sandbox.say("bob", "alice", "to the newer page").unwrap();
    assert_eq!(second.texts_up_to(start, "to the newer page").len(), 1);
    assert_eq!(second.lifecycle(start), ["sdkStateReady"]);
    assert_eq!(first.count(mark, "onMessageReceived"), 0);
    assert_eq!(sandbox.instances("alice").len(), 1);
    compat::proven("login: instance limit 1", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn where_two_pages_may_be_a_third_one_puts_out_the_oldest() {
    let sdk = sdk();
    let sandbox = sandbox(|config| config.max_web_instances = 2);
    let pages: Vec<Page> = (0..3).map(|_| Page::open(sdk, &sandbox)).collect();
    let [first, second, third] = pages.as_slice() else {
        unreachable!()
    };
    first.enter(&sandbox, "alice");
    second.enter(&sandbox, "alice");
    sandbox.say("bob", "alice", "to two").unwrap();
    first.texts_up_to(0, "to two");
    second.texts_up_to(0, "to two");

    first.settle();
    let mark = first.mark();
    third.enter(&sandbox, "alice");
    first.wait(mark, "sdkStateNotReady");
    assert_eq!(
        first.lifecycle(mark),
        ["kickedOut multipleAccount", "sdkStateNotReady"]
    );
    sandbox.say("bob", "alice", "to the others").unwrap();
    assert_eq!(
        second.texts_up_to(0, "to the others"),
        ["to two", "to the others"]
    );
    assert_eq!(third.texts_up_to(0, "to the others"), ["to the others"]);
    for page in [second, third] {
        assert_eq!(page.lifecycle(0), ["sdkStateReady"]);
    }
    // The account's other page also shows messages that one page sends.
    second.say("bob", "from the second page");
    assert_eq!(third.texts_up_to(0, "from the second page").len(), 2);
    assert_eq!(first.count(mark, "onMessageReceived"), 0);
    compat::proven("login: instance limit 2", Pair::SdkToSdk);
}
