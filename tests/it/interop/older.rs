//! Tests of other versions of the official SDK, with the core of the tests of the current version.
//!
//! Each version is one test, so that a run stays short. Its sections only share the SDK.

use botroupe::gateway::now;
use botroupe::prelude::Conversation;
use botroupe::{
    proto::{
        message::{Draft, Element},
        update::Update,
    },
    sandbox::{KickType, Sandbox},
};
use serde_json::{Value, json};

use super::{
    Page, Troupe, compat::proven_with, install::Sdk, journal::DEADLINE, rest, sdk, sync::drop_link,
};
use crate::harness::sandbox;

/// The versions, oldest first.
pub(super) const VERSIONS: &[&str] = &["2.27.6", "3.1.1", "3.2.1", "3.4.5"];

/// The features shown for each version, and the versions that lack them.
pub(super) const OLDER_ROWS: &[(&str, &[&str])] = &[
    (
        "login: ready, refused with the code, logout and login again",
        &[],
    ),
    ("kick: multipleAccount, multipleDevice, REST_API_Kick", &[]),
    (
        "C2C: texts in order, custom, face, location and merged messages",
        &[],
    ),
    ("C2C: recall, edit, read reports and receipts, history", &[]),
    (
        "group: create, join, messages, recall, edit, quit, dismiss",
        &[],
    ),
    ("media: file, image and audio, up and down", &[]),
    (
        "reconnect: what was missed, one-to-one and in groups, with few requests",
        &[],
    ),
    ("several terminals: copies of what was sent and read", &[]),
    ("profile and searches of people and groups", &[]),
    (
        "bots: messages, quotes, recall, edit, typing, both ways",
        &[],
    ),
    ("bots: reactions", &["2.27.6", "3.1.1"]),
];

/// One version.
#[derive(Clone, Copy)]
struct Old {
    sdk: &'static Sdk,
    version: &'static str,
}

impl Old {
    fn open(self, sandbox: &Sandbox) -> Page {
        Page::open_version(self.sdk, self.version, sandbox)
    }

    fn page(self, sandbox: &Sandbox, user: &str) -> Page {
        let page = self.open(sandbox);
        page.enter(sandbox, user);
        page
    }

    fn proven(self, feature: &str) {
        assert!(
            OLDER_ROWS.iter().any(|(row, _)| *row == feature),
            "{feature}"
        );
        // The current version has its own table.
        if VERSIONS.contains(&self.version) {
            proven_with(self.version, feature);
        }
    }

    fn has(self, feature: &str) -> bool {
        let row = OLDER_ROWS.iter().find(|(row, _)| *row == feature);
        row.is_some_and(|(_, lacking)| !lacking.contains(&self.version))
    }
}

/// Checks that there was no unknown request and no malformed packet.
#[track_caller]
fn all_was_known(sandbox: &Sandbox) {
    let status = sandbox.status();
    assert_eq!(status.unknown_commands, Vec::<String>::new());
    let counters = status.counters;
    assert_eq!(
        (counters.garbage, counters.bad_checksums),
        (0, 0),
        "{counters:?}"
    );
}

fn whole(version: &'static str) {
    let sdk = sdk();
    let old = Old { sdk, version };
    let run = |section: fn(Old)| move || section(old);
    // Sections mostly wait for events, so some of them run in parallel.
    std::thread::scope(|scope| {
        let sections = [
            scope.spawn(run(logins)),
            scope.spawn(run(chats)),
            scope.spawn(run(groups)),
            scope.spawn(run(outages)),
        ];
        for section in sections {
            if let Err(panic) = section.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    media(old);
    terminals(old);
    bots(old);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn version_2_27_6_does_the_core() {
    whole("2.27.6");
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn version_3_1_1_does_the_core() {
    whole("3.1.1");
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn version_3_2_1_does_the_core() {
    whole("3.2.1");
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn version_3_4_5_does_the_core() {
    whole("3.4.5");
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn f3_the_present_version_gets_past_a_second_of_many_messages() {
    let sdk = sdk();
    outages(Old {
        sdk,
        version: "3.6.6",
    });
}

/// Tests logins and kicks.
fn logins(old: Old) {
    let sandbox = sandbox(|config| config.strict_checksum = true);
    let page = old.open(&sandbox);
    assert_eq!(page.login("alice", "no UserSig"), Err(70003));
    let mark = page.mark();
    page.enter(&sandbox, "alice");
    assert_eq!(sandbox.instances("alice").len(), 1);
    page.call("logout", &json!([])).unwrap();
    page.wait(mark, "sdkStateNotReady");
    assert!(!sandbox.is_online("alice"));
    let mark = page.mark();
    page.login("alice", sandbox.user_sig("alice").unwrap().expose())
        .unwrap();
    page.wait(mark, "sdkStateReady");
    sandbox.say("bob", "alice", "welcome").unwrap();
    assert_eq!(page.texts_up_to(mark, "welcome"), ["welcome"]);
    old.proven("login: ready, refused with the code, logout and login again");

    let mark = page.mark();
    let newcomer = old.page(&sandbox, "alice");
    assert_eq!(page.wait(mark, "kickedOut")["type"], "multipleAccount");
    newcomer.say("bob", "mine now");
    let mark = newcomer.mark();
    sandbox.kick("alice", KickType::Device).unwrap();
    assert_eq!(newcomer.wait(mark, "kickedOut")["type"], "multipleDevice");
    let third = old.page(&sandbox, "alice");
    let mark = third.mark();
    let kick = rest(
        &sandbox,
        "im_open_login_svc/kick",
        &json!({"Identifier": "alice"}),
    );
    assert_eq!(kick["ErrorCode"], 0, "{kick}");
    let told = third.wait(mark, "kickedOut");
    assert!(
        told["type"].as_str().unwrap().contains("REST_API"),
        "{told}"
    );
    old.proven("kick: multipleAccount, multipleDevice, REST_API_Kick");
    all_was_known(&sandbox);
}

/// Tests one-to-one messages and their later changes.
fn chats(old: Old) {
    let sandbox = sandbox(|config| config.strict_checksum = true);
    let (alice, bob) = (old.page(&sandbox, "alice"), old.page(&sandbox, "bob"));
    let mark = bob.mark();
    let mut first = Value::Null;
    for n in 1..=30 {
        let sent = alice.say("bob", &format!("t{n}"));
        if n == 1 {
            first = sent;
        }
    }
    let expected: Vec<String> = (1..=30).map(|n| format!("t{n}")).collect();
    assert_eq!(bob.texts_up_to(mark, "t30"), expected);
    for (kind, payload, field) in [
        (
            "Custom",
            json!({"data": "d", "description": "e", "extension": "x"}),
            "data",
        ),
        ("Face", json!({"index": 3, "data": "smile"}), "index"),
        (
            "Location",
            json!({"description": "here", "longitude": 1.5, "latitude": 2.5}),
            "latitude",
        ),
        (
            "Merger",
            json!({
                "messageList": [{"$message": first["ID"]}], "title": "record", "abstractList": ["t1"],
                "compatibleText": "no",
            }),
            "title",
        ),
    ] {
        let mark = bob.mark();
        let sent = alice.send_to("bob", kind, &payload, &json!({}));
        let got = bob.hear(mark, kind, |message| message["ID"] == sent["ID"]);
        assert_eq!(got["payload"][field], payload[field], "{kind}: {got}");
    }
    old.proven("C2C: texts in order, custom, face, location and merged messages");

    let mark = bob.mark();
    let wrong = alice.say("bob", "wrnog");
    bob.hear(mark, "a message", |message| message["ID"] == wrong["ID"]);
    let edited = alice
        .call("edit", &json!([wrong["ID"], {"text": "wrong"}]))
        .unwrap();
    assert_eq!(edited["payload"]["text"], "wrong");
    bob.wait_until(mark, "onMessageModified", |list| {
        list[0]["ID"] == wrong["ID"] && list[0]["payload"]["text"] == "wrong"
    });
    alice
        .call("revokeMessage", &json!([{"$message": wrong["ID"]}]))
        .unwrap();
    bob.wait_until(mark, "onMessageRevoked", |list| {
        list[0]["ID"] == wrong["ID"]
    });

    let before = alice.mark();
    bob.call("setMessageRead", &json!([{"conversationID": "C2Calice"}]))
        .unwrap();
    alice.wait_until(before, "onMessageReadByPeer", |list| {
        list.as_array()
            .is_some_and(|list| list.iter().any(|m| m["ID"] == first["ID"]))
    });
    let asking = alice.send_to(
        "bob",
        "Text",
        &json!({"text": "read this"}),
        &json!({"needReadReceipt": true}),
    );
    let got = bob.hear(mark, "read this", |message| message["ID"] == asking["ID"]);
    bob.call(
        "sendMessageReadReceipt",
        &json!([[{"$message": got["ID"]}]]),
    )
    .unwrap();
    alice.wait_until(before, "onMessageReadReceiptReceived", |list| {
        list[0]["messageID"] == asking["ID"]
    });
    let late = old.open(&sandbox);
    drop(bob);
    late.enter(&sandbox, "bob");
    // The list may answer before the conversation is in it, and the history is empty until then.
    let asked_until = now().mono + DEADLINE;
    let last = loop {
        late.call("getConversationList", &json!([])).unwrap();
        let history = late
            .call("getMessageList", &json!([{"conversationID": "C2Calice"}]))
            .unwrap();
        if let Some(last) = history.as_array().unwrap().last() {
            break last.clone();
        }
        assert!(now().mono < asked_until, "no history");
    };
    assert_eq!(last["payload"]["text"], "read this");
    old.proven("C2C: recall, edit, read reports and receipts, history");

    let nick = json!([{"nick": "Alice L."}]);
    alice.call("updateMyProfile", &nick).unwrap();
    let found = late.data("getUserProfile", &json!([{"userIDList": ["alice"]}]));
    assert_eq!(found[0]["nick"], "Alice L.", "{found}");
    let group = json!({"type": "Public", "name": "found", "groupID": "searched"});
    alice.data("createGroup", &json!([group]));
    let found = late.data("searchGroupByID", &json!(["searched"]));
    assert_eq!(found["group"]["name"], "found", "{found}");
    old.proven("profile and searches of people and groups");
    all_was_known(&sandbox);
}

/// Tests groups.
fn groups(old: Old) {
    let sandbox = sandbox(|config| config.strict_checksum = true);
    let (alice, bob) = (old.page(&sandbox, "alice"), old.page(&sandbox, "bob"));
    let group = json!({
        "type": "Public", "name": "team", "groupID": "team", "joinOption": "FreeAccess",
    });
    alice.data("createGroup", &json!([group]));
    let mark = alice.mark();
    let joined = bob.data("joinGroup", &json!([{"groupID": "team", "type": "Public"}]));
    assert_eq!(joined["status"], "JoinedSuccess", "{joined}");
    alice.hear_tip(mark, 1);
    let mark = bob.mark();
    let mut said = Value::Null;
    for n in 1..=10 {
        said = alice.say_to_group("team", &format!("g{n}"));
    }
    let expected: Vec<String> = (1..=10).map(|n| format!("g{n}")).collect();
    assert_eq!(bob.texts_up_to(mark, "g10"), expected);
    alice
        .call("edit", &json!([said["ID"], {"text": "g-ten"}]))
        .unwrap();
    bob.wait_until(mark, "onMessageModified", |list| {
        list[0]["payload"]["text"] == "g-ten"
    });
    alice
        .call("revokeMessage", &json!([{"$message": said["ID"]}]))
        .unwrap();
    bob.wait_until(mark, "onMessageRevoked", |list| list[0]["ID"] == said["ID"]);
    let attributes = json!([{"groupID": "team", "groupAttributes": {"a": "1"}}]);
    alice.data("initGroupAttributes", &attributes);
    // A client must know an attribute before it can change it.
    let has = |value: &'static str| move |told: &Value| told["groupAttributes"]["a"] == value;
    bob.wait_until(mark, "groupAttributesUpdated", has("1"));
    let before = alice.mark();
    let change = json!([{"groupID": "team", "groupAttributes": {"a": "2"}}]);
    bob.data("setGroupAttributes", &change);
    alice.wait_until(before, "groupAttributesUpdated", has("2"));
    let before = alice.mark();
    bob.data("quitGroup", &json!(["team"]));
    alice.hear_tip(before, 2);
    alice.data("dismissGroup", &json!(["team"]));
    old.proven("group: create, join, messages, recall, edit, quit, dismiss");
    all_was_known(&sandbox);
}

/// Tests lost links with many messages meanwhile, also within one second, and recalled ones.
fn outages(old: Old) {
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (old.page(&sandbox, "alice"), old.page(&sandbox, "bob"));
    let group = json!({
        "type": "Public", "name": "team", "groupID": "team", "joinOption": "FreeAccess",
    });
    alice.data("createGroup", &json!([group]));
    bob.data("joinGroup", &json!([{"groupID": "team", "type": "Public"}]));
    let mark = bob.mark();
    for n in 1..=42 {
        sandbox.say("carol", "bob", &format!("burst {n}")).unwrap();
    }
    let mut taken_back = vec![alice.say("bob", "taken back")];
    if old.version.starts_with("2.") {
        // This version fetches recalled messages of a group; later versions only do so in some
        // cases.
        taken_back.push(alice.say_to_group("team", "taken back"));
    }
    for message in &taken_back {
        bob.hear(mark, "taken back", |heard| heard["ID"] == message["ID"]);
    }
    bob.heard_up_to(mark, "burst 42");
    let history = json!([["openim.getroammsg"]]);
    bob.call("watchRequests", &history).unwrap();
    let (mark, frames) = (bob.mark(), sandbox.status().counters.frames);
    drop_link(&sandbox, &bob, "bob", || {
        sandbox.say("carol", "bob", "missed one").unwrap();
        alice.say_to_group("team", "missed in the group");
        for message in &taken_back {
            let message = json!([{"$message": message["ID"]}]);
            alice.call("revokeMessage", &message).unwrap();
        }
    });
    bob.heard_up_to(mark, "missed one");
    bob.heard_up_to(mark, "missed in the group");
    for message in &taken_back {
        bob.wait_until(mark, "onMessageRevoked", |list| {
            list[0]["ID"] == message["ID"]
        });
    }
    // Lose the link once more when everything is loaded: a request storm would show.
    drop_link(&sandbox, &bob, "bob", || {
        sandbox.say("carol", "bob", "missed two").unwrap();
    });
    bob.heard_up_to(mark, "missed two");
    bob.say("alice", "all is well");
    let asked = sandbox.status().counters.frames - frames;
    assert!(asked < 200, "{asked} requests for two lost links");
    let pages = bob.count(mark, "requestSent");
    assert!(pages <= 12, "{pages} pages of history");
    let heard = bob.heard(mark);
    for text in ["missed one", "missed two", "missed in the group"] {
        let times = heard
            .iter()
            .filter(|m| m["payload"]["text"] == text)
            .count();
        assert_eq!(times, 1, "{text}");
    }
    old.proven("reconnect: what was missed, one-to-one and in groups, with few requests");
    all_was_known(&sandbox);
}

/// Tests files.
fn media(old: Old) {
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (old.open(&sandbox), old.page(&sandbox, "bob"));
    // Version 2 looks for the plugin at login.
    alice.call("useUploads", &json!([])).unwrap();
    alice.enter(&sandbox, "alice");
    let file =
        |name: &str, kind: &str| json!({"name": name, "type": kind, "size": 30_000, "seed": 7});
    let mut image = file("p.png", "image/png");
    (image["width"], image["height"]) = (json!(80), json!(60));
    let mut audio = file("voice.mp3", "audio/mp3");
    audio["duration"] = json!(3000);
    for (kind, file, url) in [
        ("File", file("report.pdf", "application/pdf"), "/fileUrl"),
        ("Image", image, "/imageInfoArray/0/url"),
        ("Audio", audio, "/url"),
    ] {
        let mark = bob.mark();
        let sent = alice.send_to("bob", kind, &json!({"file": {"$file": file}}), &json!({}));
        let got = bob.hear(mark, kind, |message| message["ID"] == sent["ID"]);
        let url = got["payload"]
            .pointer(url)
            .unwrap_or_else(|| panic!("{got}"));
        let there = bob.call("download", &json!([url])).unwrap();
        let digest = alice.call("fileDigest", &json!([file])).unwrap();
        assert_eq!(there["digest"], digest, "{kind}");
    }
    old.proven("media: file, image and audio, up and down");
    all_was_known(&sandbox);
}

/// Tests two logins of one account.
fn terminals(old: Old) {
    let sandbox = sandbox(|config| config.max_web_instances = 2);
    let bob = old.page(&sandbox, "bob");
    let pages = [old.page(&sandbox, "alice"), old.page(&sandbox, "alice")];
    let mark = pages[1].mark();
    let sent = pages[0].say("bob", "from the first");
    let copy = pages[1].hear(mark, "a copy", |message| message["ID"] == sent["ID"]);
    assert_eq!(
        (&copy["flow"], &copy["conversationID"]),
        (&json!("out"), &json!("C2Cbob"))
    );
    bob.say("alice", "to both");
    for page in &pages {
        page.heard_up_to(0, "to both");
    }
    let unread = |count: u64| {
        move |list: &Value| {
            let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter()
                .any(|c| c["conversationID"] == "C2Cbob" && c["unreadCount"] == count)
        }
    };
    pages[1].wait_until(mark, "onConversationListUpdated", unread(1));
    let mark = pages[1].mark();
    pages[0]
        .call("setMessageRead", &json!([{"conversationID": "C2Cbob"}]))
        .unwrap();
    pages[1].wait_until(mark, "onConversationListUpdated", unread(0));
    assert_eq!(sandbox.instances("alice").len(), 2);
    old.proven("several terminals: copies of what was sent and read");
    all_was_known(&sandbox);
}

/// Tests the version with a bot as the peer.
fn bots(old: Old) {
    let sandbox = sandbox(|_| ());
    let (me, watched) = (format!("bot-of-{}", old.version), Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, &me, "watcher");
    let (api, alice) = (bot.api(), old.page(&sandbox, "alice"));
    let asked = alice.say(&me, "question");
    let heard = bot.hears_text(watched, "question");
    assert_eq!(heard.terminal_id().as_deref(), asked["ID"].as_str());
    let mark = alice.mark();
    let answer = Draft::text("answer").quote(&heard);
    let answer = Troupe::wait(api.say(Conversation::c2c("alice"), answer)).unwrap();
    let got = alice.hear(mark, "the answer", |message| {
        message["payload"]["text"] == "answer"
    });
    let data: Value = serde_json::from_str(got["cloudCustomData"].as_str().unwrap()).unwrap();
    let reply = &data["messageReply"];
    assert_eq!(
        (
            &reply["messageID"],
            &reply["messageType"],
            &reply["messageAbstract"]
        ),
        (&asked["ID"], &json!(1), &json!("question"))
    );
    Troupe::wait(api.message(&answer).edit(Draft::text("better"))).unwrap();
    alice.wait_until(mark, "onMessageModified", |list| {
        list[0]["ID"] == got["ID"] && list[0]["payload"]["text"] == "better"
    });
    Troupe::wait(api.message(&answer).recall()).unwrap();
    alice.wait_until(mark, "onMessageRevoked", |list| list[0]["ID"] == got["ID"]);
    let mark = alice.mark();
    Troupe::wait(api.user("alice").typing(true)).unwrap();
    Troupe::wait(api.send(Conversation::c2c("alice"), Element::face(7, "smile"))).unwrap();
    for status in [1, 0] {
        let word = format!("\"typingStatus\":{status}");
        alice.hear(mark, "typing", |message| {
            message["payload"]["data"]
                .as_str()
                .is_some_and(|data| data.contains(&word))
        });
    }
    let data = r#"{"businessID":"user_typing_status","typingStatus":1,"version":1,"userAction":14,"actionParam":"EIMAMSG_InputStatus_Ing"}"#;
    let typing = json!({"to": me, "conversationType": "C2C", "payload": {"data": data}});
    let online_only = json!({"onlineUserOnly": true});
    alice
        .call("send", &json!(["Custom", typing, online_only]))
        .unwrap();
    bot.learns(watched, "typing", |update| match update {
        Update::Typing {
            user,
            is_typing: true,
            ..
        } => (user == "alice").then_some(()),
        _ => None,
    });
    alice
        .call("edit", &json!([asked["ID"], {"text": "another question"}]))
        .unwrap();
    bot.learns(watched, "an edit", |update| {
        matches!(update, Update::Edited { .. }).then_some(())
    });
    alice
        .call("revokeMessage", &json!([{"$message": asked["ID"]}]))
        .unwrap();
    bot.learns(watched, "a recall", |update| {
        matches!(update, Update::Recalled { .. }).then_some(())
    });
    old.proven("bots: messages, quotes, recall, edit, typing, both ways");

    if old.has("bots: reactions") {
        let liked = alice.say(&me, "like this");
        let heard = bot.hears_text(watched, "like this");
        let mark = alice.mark();
        Troupe::wait(api.message(&heard).react("smile")).unwrap();
        alice.wait_until(mark, "onMessageReactionsUpdated", |told| {
            told["messageID"] == liked["ID"]
        });
        let list = alice.data(
            "getMessageReactions",
            &json!([{"messageList": [{"$message": liked["ID"]}], "maxUserCountPerReaction": 5}]),
        );
        let reaction = &list["resultList"][0]["reactionList"][0];
        assert_eq!(reaction["reactionID"], "smile", "{list}");
        assert_eq!(reaction["totalUserCount"], 1, "{list}");
        assert_ne!(reaction["reactedByMyself"], true, "{list}");
        old.proven("bots: reactions");
    }
    all_was_known(&sandbox);
}
