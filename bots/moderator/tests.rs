//! What the bot does, without a server.

use super::*;
use botroupe::bot::testing::{Outcome, TestBot};
use serde_json::{Value, json};

const MEMBERS: &str = "group_open_http_svc.get_specified_group_member_info";
const RECALL: &str = "group_open_http_svc.group_msg_recall";
const CHANGE: &str = "group_open_http_svc.modify_group_member_info";
const WARNED: &str = "@alice, that word is not welcome here.";

fn moderator(text: &str) -> TestBot {
    let mut bot = bot();
    bot.configure(Some(&text.parse().unwrap())).unwrap();
    TestBot::new(bot)
}

/// `alice` says something in the group; the service says that she has this role, and does what it is asked for.
async fn says(bot: &TestBot, role: &str, text: &str) -> Outcome {
    bot.answer(
        MEMBERS,
        &json!({ "MemberList": [{ "Member_Account": "alice", "Role": role }] }),
    );
    bot.answer(
        RECALL,
        &json!({ "RecallRetList": [{ "MsgSeq": 1, "RetCode": 0 }] }),
    );
    bot.answer(CHANGE, &json!({}));
    bot.in_group("g").hears(text).await
}

fn calls(bot: &TestBot) -> Vec<(String, Value)> {
    let mut calls = bot.calls();
    calls.retain(|(servcmd, _)| servcmd != MEMBERS);
    calls
}

#[actix_rt::test]
async fn it_warns_then_recalls_then_mutes_and_forgets() {
    let bot = moderator("words = [\"casino\"]\nforget = \"1h\"\nmute = \"90s\"");
    assert_eq!(says(&bot, "Member", "Casino!").await, [WARNED]);
    assert!(calls(&bot).is_empty());
    let recalled = "@alice, that word is not welcome here. I have taken the message back.";
    assert_eq!(says(&bot, "Member", "my casino").await, [recalled]);
    let [(recall, body)] = &calls(&bot)[..] else {
        panic!()
    };
    assert_eq!(
        (recall.as_str(), &body["MsgSeqList"]),
        (RECALL, &json!([{ "MsgSeq": 2 }]))
    );
    let muted = "@alice, that word is not welcome here. You cannot write here for 1m30s.";
    let outcome = says(&bot, "Member", "casino").await;
    assert_eq!(outcome, [muted]);
    assert_eq!(
        outcome.sent()[0].1.mentions[0].user.as_deref(),
        Some("alice")
    );
    let done = calls(&bot);
    assert_eq!(done.len(), 2);
    assert_eq!(
        (&done[1].1["Member_Account"], &done[1].1["ShutUpTime"]),
        (&json!("alice"), &json!(90))
    );
    // One is forgotten after an hour, and a restart changes nothing about the others.
    bot.advance("61m").await;
    bot.crash_and_restart().await;
    assert_eq!(
        says(&bot, "Member", "casino").await,
        [muted],
        "two were left"
    );
    bot.advance("181m").await;
    assert_eq!(says(&bot, "Member", "casino").await, [WARNED]);
}

#[actix_rt::test]
async fn those_who_lead_the_group_may_say_everything() {
    let bot = moderator("words = [\"casino\"]\nhosts = []\nrecall_from = 1\nmute_from = 1");
    for role in ["Owner", "Admin", "", "Ghost"] {
        says(&bot, role, "casino https://evil.example")
            .await
            .expect_no_reply();
        assert!(calls(&bot).is_empty(), "{role}");
    }
    // Who is no member any more, and somebody in a one-to-one chat.
    bot.answer(MEMBERS, &json!({ "MemberList": [] }));
    bot.in_group("h").hears("casino").await.expect_no_reply();
    bot.hears("casino").await.expect_no_reply();
}

#[actix_rt::test]
async fn without_power_it_says_so() {
    let bot = moderator("words = [\"casino\"]\nrecall_from = 1");
    bot.answer(
        MEMBERS,
        &json!({ "MemberList": [{ "Member_Account": "alice", "Role": "Member" }] }),
    );
    let said = bot.in_group("g").hears("casino").await.texts();
    assert!(said[0].contains("make me an administrator"), "{said:?}");
    // Nobody knows what alice is: nothing is done, and that is a failure.
    let unknown = bot.in_group("g").hears("casino").await;
    assert!(
        unknown.texts().is_empty() && unknown.failures().len() == 1,
        "{unknown:?}"
    );
}

#[actix_rt::test]
async fn words_are_found_as_they_are_read() {
    let long = format!("{} casino", "x ".repeat(5_900));
    for (text, is_found) in [
        ("casino", true),
        ("the CASINO, now", true),
        ("ｃａｓｉｎｏ", true),
        ("cas\u{200b}i\u{ad}no", true),
        ("\u{202e}casino\u{202c}", true),
        ("去casino玩", true),
        ("buy \u{3000} NOW", true),
        ("来赌博吧", true),
        ("赌 😀 博", true),
        (&long, true),
        ("casinos", false),
        ("buy it now", false),
        ("", false),
        ("😀👨\u{200d}👩", false),
    ] {
        let bot = moderator("words = [\"casino\", \"赌博\", \"Buy  now\"]");
        let said = says(&bot, "Member", text).await;
        assert_eq!(!said.texts().is_empty(), is_found, "{text:.30}");
    }
}

#[actix_rt::test]
async fn links_lead_to_where_they_may() {
    let shop = "hosts = [\"Example.com\"]";
    for (text, is_refused) in [
        ("see https://example.com/a?b#c", false),
        ("https://shop.example.com:8080/", false),
        ("看看 https://example.com。谢谢", false),
        ("example.com and main.rs, e.g. this", false),
        ("write to bob@evil.com", false),
        ("a://", false),
        ("https://evil.org", true),
        ("HTTPS://EVIL.ORG", true),
        ("https://notexample.com", true),
        ("https://example.com.evil.org", true),
        ("https://example.com@evil.org/", true),
        ("https://evil.org\\@example.com", true),
        ("https://example.com吧.evil.org/", true),
        ("https://e\u{200b}vil.org", true),
        ("ｈｔｔｐｓ：／／ｅｖｉｌ．ｏｒｇ", true),
        ("https://1.2.3.4/x", true),
        ("https://例子.中国/x", true),
        ("weixin://dl/business", true),
        ("buy at evil.com.", true),
        ("/warnings evil.com", true),
        ("/help evil.com", true),
    ] {
        let bot = moderator(shop);
        let said = says(&bot, "Member", text).await.texts();
        let refused = said
            .iter()
            .any(|said| said.contains("link") || said.contains("链接"));
        assert_eq!(refused, is_refused, "{text} {said:?}");
    }
    let bot = moderator("");
    says(&bot, "Member", "https://evil.org")
        .await
        .expect_no_reply();
}

#[actix_rt::test]
async fn who_writes_too_fast_is_slowed_down() {
    // People in this test write every two seconds.
    let bot = moderator("flood = { messages = 3, within = \"9s\" }\nlanguage = \"zh\"");
    for round in [
        "@alice，请放慢发言速度。",
        "@alice，请放慢发言速度。消息已撤回。",
    ] {
        for text in ["a", "", "😀"] {
            says(&bot, "Member", text).await.expect_no_reply();
            bot.in_group("g")
                .from("bob")
                .hears("b")
                .await
                .expect_no_reply();
            bot.advance("1s").await.expect_no_reply();
            bot.hears("a").await.expect_no_reply();
        }
        bot.advance("9s").await;
        for text in ["a", "b", "c"] {
            says(&bot, "Member", text).await.expect_no_reply();
        }
        assert_eq!(says(&bot, "Member", "d").await, [round]);
    }
}

#[actix_rt::test]
async fn its_admins_see_the_warnings() {
    let bot = moderator("words = [\"casino\"]\nadmins = [\"boss\"]\nforget = \"1h\"");
    let boss = bot.in_group("g").from("boss");
    assert_eq!(
        boss.hears("/warnings @alice").await,
        ["alice was warned 0 times here."]
    );
    says(&bot, "Member", "casino").await;
    assert_eq!(
        boss.hears("/warnings alice").await,
        ["alice was warned once here."]
    );
    assert_eq!(
        bot.in_group("h")
            .from("boss")
            .hears("/warnings alice")
            .await,
        ["alice was warned 0 times here."]
    );
    assert_eq!(
        bot.from("boss").hears("/warnings alice").await,
        ["Please ask me in the group."]
    );
    assert_eq!(
        says(&bot, "Member", "/warnings alice").await,
        ["You may not use /warnings."]
    );
    assert_eq!(
        boss.hears("/warnings").await,
        ["<who> is missing.\nUsage: /warnings <who>"]
    );
    bot.advance("2h").await;
    assert_eq!(
        boss.hears("/警告 alice").await,
        ["alice 在这里被警告过 0 次。"]
    );
}

#[actix_rt::test]
async fn a_crash_counts_and_acts_once() {
    for writes in 0..8 {
        let bot = moderator("words = [\"casino\"]\nrecall_from = 1\nadmins = [\"boss\"]");
        bot.die_after(writes);
        let mut said = says(&bot, "Member", "casino").await.texts();
        let again = json!({ "MemberList": [{ "Member_Account": "alice", "Role": "Member" }] });
        bot.answer(MEMBERS, &again);
        bot.answer(
            RECALL,
            &json!({ "RecallRetList": [{ "MsgSeq": 1, "RetCode": 0 }] }),
        );
        said.extend(bot.crash_and_restart().await.texts());
        assert_eq!(said.len(), 1, "{writes} {said:?}");
        let boss = bot.in_group("g").from("boss");
        assert_eq!(
            boss.hears("/warnings alice").await,
            ["alice was warned once here."]
        );
    }
}

#[test]
fn the_pace_of_a_crowd_takes_bounded_room() {
    let pace = Pace::default();
    let limit = Flood::default();
    for user in 0..3 * WATCHED {
        let item = botroupe::message::C2cItem::new(&user.to_string(), "bot", vec![]);
        assert!(!pace.is_flood(&Message::from_c2c(item, "bot"), &limit));
    }
    assert!(pace.0.lock().unwrap().len() <= WATCHED);
}

#[test]
fn warnings_go_one_by_one() {
    let warned = Warnings {
        count: 3,
        since: 100,
    };
    for (now, count) in [
        (0, 3),
        (100, 3),
        (109, 3),
        (110, 2),
        (125, 1),
        (130, 0),
        (u64::MAX, 0),
    ] {
        assert_eq!(warned.at(now, 10).count, count, "{now}");
    }
    assert_eq!(
        warned.one_more(125, 10),
        Warnings {
            count: 2,
            since: 120
        }
    );
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    for (text, fragment) in [
        ("words = [\"?!\", \"赌\", \"！\"]", ""),
        ("words = [\" \"]", "words: expected words with letters"),
        ("mute = \"soon\"", "mute: "),
        ("mute = \"0s\"", "from 1s to 30d"),
        (
            "flood = { message = 1 }",
            "flood.message: unknown key; did you mean \"messages\"",
        ),
        ("hosts = \"example.com\"", "hosts: expected a"),
    ] {
        let refusal = bot().configure(Some(&text.parse().unwrap()));
        let refusal = refusal.map_or_else(|error| error.to_string(), |()| String::new());
        assert!(
            refusal.contains(fragment) && refusal.is_empty() == fragment.is_empty(),
            "{text}: {refusal}"
        );
    }
}
