//! Tests of logins of bot accounts, for features that the SDK pages prove for their own logins.

use botroupe::{
    account::{Command, Phase},
    sandbox::CompressMode,
};
use serde_json::json;

use super::{
    Troupe,
    compat::{Pair, proven},
    groups::page,
    sdk, sig_of, unix_now,
};
use crate::harness::{APP, KEY, eventually, sandbox};

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn every_compression_is_understood() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, watched) = ("packed-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let alice = page(sdk, &sandbox, "alice");
    for mode in [
        CompressMode::None,
        CompressMode::Gzip,
        CompressMode::Zlib,
        CompressMode::Sync,
    ] {
        sandbox.compress(mode);
        let mark = bot.mark();
        sandbox.drop_link(me).unwrap();
        bot.wait_online(mark);
        let text = format!("{mode:?}, 你好, {}", "and so on ".repeat(300));
        alice.say(me, &text);
        bot.hears_text(watched, &text);
        let heard = alice.mark();
        Troupe::wait(bot.api().send_text("alice", &*text)).unwrap();
        alice.texts_up_to(heard, &text);
    }
    proven("login: compression none, gzip, zlib", Pair::SdkToBot);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_refused_login_is_told_by_its_code() {
    sdk();
    let me = "refused-login-bot";
    for (key, code) in [("other key", 70009), (KEY, 70107)] {
        // The server only knows imported users.
        let sandbox = sandbox(|config| config.auto_import = false);
        let sig = sig_of(APP, key, me, unix_now(&sandbox));
        let more = format!("user_sig = \"{}\"", sig.expose());
        let bot = Troupe::begin(&sandbox, me, "watcher", &more);
        let status = bot.wait_phase(0, Phase::Quarantined);
        assert_eq!(status.cause.word(), format!("login_refused:{code}"));
        assert!(!sandbox.is_online(me));
        if key == KEY {
            // An operator fixes the configuration.
            sandbox.import(me).unwrap();
            bot.resume();
            bot.wait_online(0);
        }
    }
    proven("login: refused with the code", Pair::SdkToBot);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn logouts_end_the_login_and_orders_bring_it_back() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, watched) = ("obedient-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let alice = page(sdk, &sandbox, "alice");
    let mark = bot.mark();
    bot.order(Command::Hold);
    bot.wait_phase(mark, Phase::Held);
    let logged_out = || async { (!sandbox.is_online(me)).then_some(()) };
    actix_rt::System::new().block_on(eventually("the logout", logged_out));
    assert_eq!(sandbox.status().counters.logouts, 1);
    alice.say(me, "while it was held");
    let mark = bot.mark();
    bot.resume();
    bot.wait_online(mark);
    bot.hears_text(watched, "while it was held");
    proven("login: logout and login again", Pair::SdkToBot);
    // An existing login is not repeated, unless it is to be replaced.
    let (instances, logins) = (sandbox.instances(me), sandbox.status().counters.logins);
    bot.resume();
    Troupe::wait(bot.api().send_text("alice", "still here")).unwrap();
    assert_eq!(sandbox.instances(me), instances);
    assert_eq!(sandbox.status().counters.logins, logins);
    proven("login: repeated", Pair::SdkToBot);
    alice
        .call("subscribeUserStatus", &json!([{"userIDList": [me]}]))
        .unwrap();
    let seen = alice.mark();
    drop(bot);
    assert!(!sandbox.is_online(me));
    alice.wait_until(seen, "onUserStatusUpdated", |list| {
        list[0]["userID"] == me && list[0]["statusType"] != 1
    });
    proven("login: destroy", Pair::SdkToBot);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn where_two_may_be_a_bot_and_a_page_live_together_and_the_oldest_goes() {
    let sdk = sdk();
    let sandbox = sandbox(|config| config.max_web_instances = 2);
    let (me, watched) = ("double-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let here = page(sdk, &sandbox, me);
    here.settle();
    sandbox.say("alice", me, "to two").unwrap();
    here.texts_up_to(0, "to two");
    bot.hears_text(watched, "to two");
    let (mark, from) = (bot.mark(), here.mark());
    let there = page(sdk, &sandbox, me);
    let status = bot.wait_phase(mark, Phase::CoolingDown);
    assert_eq!(status.cause.word(), "multipleAccount");
    // The account returns and replaces the older page.
    let mark = bot.mark();
    bot.resume();
    bot.wait_online(mark);
    here.wait(from, "sdkStateNotReady");
    assert_eq!(
        here.lifecycle(from),
        ["kickedOut multipleAccount", "sdkStateNotReady"]
    );
    assert_eq!(there.lifecycle(0), ["sdkStateReady"]);
    proven("login: instance limit 2", Pair::SdkToBot);
}
