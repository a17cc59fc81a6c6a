//! The bots of `bots/`, talked to by the official SDK.

use super::troupe::shipped;
use super::{
    Page, Troupe,
    groups::{found, page, settle_in},
    sdk,
};
use crate::harness::sandbox;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;

/// Says something, and waits for the answer.
#[track_caller]
fn answer(page: &Page, to: &str, text: &str) -> String {
    let mark = page.mark();
    page.say(to, text);
    let answer = page.hear(mark, text, |message| message["from"] == to);
    answer["payload"]["text"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Says something in the group, and waits for the answer of `bot`.
#[track_caller]
fn answer_in_group(page: &Page, group: &str, bot: &str, text: &str) -> Value {
    let mark = page.mark();
    page.say_to_group(group, text);
    page.hear(mark, text, |message| {
        message["from"] == bot && message["payload"]["text"].is_string()
    })
}

#[test]
fn every_bot_is_talked_to() {
    let bots = shipped::all();
    let names: Vec<&str> = bots.names().collect();
    // One that is new has a test below.
    assert_eq!(
        names,
        [
            "counter",
            "echo",
            "faq",
            "llm",
            "moderator",
            "reminder",
            "survey",
            "welcome"
        ]
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn echo_and_counter_answer() {
    let (sdk, sandbox) = (sdk(), sandbox(|_| ()));
    let _echo = Troupe::start(&sandbox, "echo-bot", "echo");
    let _counter = Troupe::start(&sandbox, "counter-bot", "counter");
    let alice = page(sdk, &sandbox, "alice");
    for text in ["hello", "/echo 你好 😀", "\u{202e}\u{200b}"] {
        assert_eq!(answer(&alice, "echo-bot", text), text);
    }
    for number in 1..4 {
        let expected = format!("message number {number}");
        assert_eq!(answer(&alice, "counter-bot", "x"), expected);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn faq_answers_offers_and_is_silent() {
    let (sdk, sandbox) = (sdk(), sandbox(|_| ()));
    let table = r#"
        [[bots.faq.questions]]
        ask = ["When are you open?", "几点开门？"]
        answer = "9:00 to 18:00."
        [[bots.faq.questions]]
        ask = ["How do I return something?"]
        answer = "Within 30 days."
    "#;
    let _faq = Troupe::start_with(&sandbox, "desk", "faq", table);
    let alice = page(sdk, &sandbox, "alice");
    assert_eq!(answer(&alice, "desk", "whn are you open"), "9:00 to 18:00.");
    assert_eq!(answer(&alice, "desk", "请问几点开门"), "9:00 to 18:00.");
    let offer = answer(&alice, "desk", "I want to return it");
    assert!(
        offer.contains("\n1. How do I return something?\n2. "),
        "{offer}"
    );
    assert_eq!(answer(&alice, "desk", "1"), "Within 30 days.");

    found(&alice, "Public", "g", &["desk"]);
    let mark = alice.mark();
    alice.say_to_group("g", "lovely weather");
    let said = answer_in_group(&alice, "g", "desk", "when are you open?");
    assert_eq!(said["payload"]["text"], "9:00 to 18:00.");
    let quote = said["cloudCustomData"].as_str().unwrap_or_default();
    assert!(quote.contains("messageReply"), "{said}");
    let at = json!({"text": "@desk hello", "atUserList": ["desk"]});
    alice.send_to_group("g", "TextAt", &at);
    alice.hear(mark, "an offer", |message| {
        let text = message["payload"]["text"].as_str();
        text.is_some_and(|text| text.contains("Is it one of these?"))
    });
    let said = alice
        .heard(mark)
        .iter()
        .filter(|it| it["from"] == "desk")
        .count();
    assert_eq!(said, 2, "nobody asked about the weather");
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn survey_asks_and_hands_over_a_table() {
    let (sdk, sandbox) = (sdk(), sandbox(|_| ()));
    let table = r#"
        [bots.survey]
        admins = ["boss"]
        [[bots.survey.questions]]
        kind = "number"
        ask = "How old are you?"
        from = 1
        to = 120
        [[bots.survey.questions]]
        kind = "text"
        ask = "您怎么看？"
    "#;
    let _survey = Troupe::start_with(&sandbox, "pollster", "survey", table);
    let (alice, boss) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "boss"));
    assert_eq!(answer(&alice, "pollster", "/survey"), "How old are you?");
    assert!(answer(&alice, "pollster", "old").contains("from 1 to 120"));
    assert_eq!(answer(&alice, "pollster", "42"), "您怎么看？");
    assert_eq!(
        answer(&alice, "pollster", "=1+1 很好"),
        "Thank you, that was all."
    );
    assert_eq!(
        answer(&alice, "pollster", "/results"),
        "You may not use /results."
    );

    let mark = boss.mark();
    boss.say("pollster", "/results");
    let sent = boss.hear(mark, "a table", |message| message["type"] == "TIMFileElem");
    let file = &sent["payload"];
    assert_eq!(file["fileName"], "survey.csv", "{sent}");
    let url = file["fileUrl"].as_str().unwrap().to_owned();
    let table = actix_rt::System::new().block_on(async {
        let got = awc::Client::default().get(url).send().await;
        got.unwrap().body().await.unwrap()
    });
    let table = String::from_utf8(table.to_vec()).unwrap();
    let mut lines = table.lines();
    assert_eq!(
        lines.next(),
        Some("\u{feff}time,user,nick,\"How old are you?\",\"您怎么看？\"")
    );
    let row = lines.next().unwrap();
    assert!(
        row.ends_with(",\"alice\",\"alice\",42,\"'=1+1 很好\""),
        "{row}"
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn moderator_warns_recalls_and_mutes_members_only() {
    let (sdk, sandbox) = (sdk(), sandbox(|_| ()));
    let settings = "[bots.moderator]\nwords = [\"casino\"]\nhosts = [\"example.com\"]\n";
    let _guard = Troupe::start_with(&sandbox, "guard", "moderator", settings);
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "g", &["guard", "bob"]);
    settle_in(&bob, "g");
    let role = json!([{"groupID": "g", "userID": "guard", "role": "Admin"}]);
    alice.call("setGroupMemberRole", &role).unwrap();

    // Who owns the group may say everything.
    let mark = bob.mark();
    alice.say_to_group("g", "casino");
    let said = answer_in_group(&bob, "g", "guard", "cas\u{200b}ino");
    assert_eq!(
        said["payload"]["text"],
        "@bob, that word is not welcome here."
    );
    assert_eq!(said["atUserList"], json!(["bob"]));
    assert_eq!(
        bob.heard(mark)
            .iter()
            .filter(|it| it["from"] == "guard")
            .count(),
        1
    );

    let said = answer_in_group(&bob, "g", "guard", "see https://evil.example/");
    assert_eq!(
        said["payload"]["text"],
        "@bob, that link is not welcome here. I have taken the message back."
    );
    alice.wait(0, "onMessageRevoked");
    let said = answer_in_group(&bob, "g", "guard", "ＣＡＳＩＮＯ");
    let text = said["payload"]["text"].as_str().unwrap_or_default();
    assert!(text.ends_with("You cannot write here for 10m."), "{text}");
    let refused = bob.try_to_group("g", "Text", &json!({"text": "hello"}));
    assert_eq!(refused, Err(10017));
    let said = answer_in_group(&alice, "g", "guard", "/warnings bob");
    assert_eq!(said["payload"]["text"], "bob was warned 3 times here.");
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn welcome_greets_who_joins() {
    let (sdk, sandbox) = (sdk(), sandbox(|_| ()));
    let settings = "[bots.welcome]\ntext = \"{names}, this is {group}.\"\n";
    let _doorman = Troupe::start_with(&sandbox, "doorman", "welcome", settings);
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    bob.call("updateMyProfile", &json!([{"nick": "Bobby"}]))
        .unwrap();
    found(&alice, "Public", "g", &["doorman"]);
    let join = json!([{"groupID": "g"}]);
    let greeting = |mark| {
        alice.hear(mark, "a greeting", |message| {
            message["from"] == "doorman" && message["payload"]["text"].is_string()
        })
    };
    bob.call("joinGroup", &join).unwrap();
    let said = greeting(0);
    assert_eq!(said["payload"]["text"], "@Bobby, this is The Group.");
    assert_eq!(said["atUserList"], json!(["bob"]));

    // Once a day: the next one to be greeted is somebody else.
    let mark = alice.mark();
    bob.call("quitGroup", &json!(["g"])).unwrap();
    bob.call("joinGroup", &join).unwrap();
    let carol = page(sdk, &sandbox, "carol");
    carol.call("joinGroup", &join).unwrap();
    assert_eq!(
        greeting(mark)["payload"]["text"],
        "@carol, this is The Group."
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn llm_answers_with_a_label_and_the_message_grows() {
    const FIRST: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Good **mor\"}}]}\n\n";
    const LAST: &str =
        "data: {\"choices\":[{\"delta\":{\"content\":\"ning**.\"}}]}\n\ndata: [DONE]\n\n";
    let (sdk, sandbox) = (sdk(), sandbox(|_| ()));
    let model = TcpListener::bind("127.0.0.1:0").unwrap();
    let (tell, seen) = std::sync::mpsc::channel();
    let address = model.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut link, _) = model.accept().unwrap();
        let mut asked = Vec::new();
        // What is left unread when the link is closed would break it.
        while !asked.ends_with(b"{\"include_usage\":true}}") {
            let mut part = [0; 4096];
            let read = link.read(&mut part).unwrap();
            asked.extend_from_slice(&part[..read]);
        }
        let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            chunk(FIRST)
        );
        link.write_all(answer.as_bytes()).unwrap();
        // The rest comes when the first words were seen.
        seen.recv().unwrap();
        let rest = format!("{}0\r\n\r\n", chunk(LAST));
        link.write_all(rest.as_bytes()).unwrap();
    });
    let settings = format!("[[bots.llm.models]]\nurl = \"http://{address}/v1\"\nmodel = \"m\"\n");
    let _llm = Troupe::start_with(&sandbox, "sage", "llm", &settings);
    let alice = page(sdk, &sandbox, "alice");
    let mark = alice.mark();
    let said = answer(&alice, "sage", "你好");
    assert_eq!(said, "Good **mor**\n（由人工智能生成）");
    tell.send(()).unwrap();
    server.join().unwrap();
    let whole = "Good **morning**.\n（由人工智能生成）";
    alice.wait_until(mark, "onMessageModified", |list| {
        list[0]["from"] == "sage" && list[0]["payload"]["text"] == whole
    });
    let said = alice.heard(mark);
    assert_eq!(said.iter().filter(|it| it["from"] == "sage").count(), 1);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn reminder_reminds_at_its_time() {
    let (sdk, sandbox) = (sdk(), sandbox(|_| ()));
    let _reminder = Troupe::start_with(&sandbox, "clock", "reminder", "");
    let alice = page(sdk, &sandbox, "alice");
    let mark = alice.mark();
    let said = answer(&alice, "clock", "/remind in 1 second, tea");
    assert!(said.starts_with("I will remind you at "), "{said}");
    alice.heard_up_to(mark, "Reminder: tea");
    assert!(!answer(&alice, "clock", "/reminders").contains("tea"));
    assert!(!answer(&alice, "clock", "/提醒 随便什么").is_empty());
}
