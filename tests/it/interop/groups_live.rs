//! Tests of live rooms between official SDKs.

use botroupe::prelude::*;
use serde_json::{Value, json};

use super::{
    Page, Troupe,
    compat::{Pair, proven},
    groups::{found, page},
    sdk,
};
use crate::harness::sandbox;

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_live_room_is_heard_by_polls() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "AVChatRoom", "room", &[]);
    let joined = alice.data("joinGroup", &json!([{"groupID": "room"}]));
    assert_eq!(joined["status"], "JoinedSuccess");
    let mark = alice.mark();
    bob.call("joinGroup", &json!([{"groupID": "room"}]))
        .unwrap();
    alice.hear(mark, "bob's coming", |message| {
        message["payload"]["userIDList"] == json!(["bob"])
    });
    let online = bob.data("getGroupOnlineMemberCount", &json!(["room"]));
    assert_eq!(online["memberCount"], 2);

    let (alices, bobs) = (alice.mark(), bob.mark());
    let said: Vec<String> = (0..10).map(|number| format!("live {number}")).collect();
    let mut first = Value::Null;
    for text in &said {
        let sent = alice.say_to_group("room", text);
        if first.is_null() {
            first = sent;
        }
    }
    assert_eq!(
        bob.texts_up_to(bobs, "live 9"),
        said,
        "each once and in order"
    );
    bob.say_to_group("room", "answer");
    assert_eq!(
        alice.texts_up_to(alices, "answer"),
        ["answer"],
        "nobody hears itself"
    );
    let mark = bob.mark();
    alice
        .call("revokeMessage", &json!([{"$message": first["ID"]}]))
        .unwrap();
    assert_eq!(bob.wait(mark, "onMessageRevoked")[0]["ID"], first["ID"]);

    let mark = alice.mark();
    bob.call("quitGroup", &json!(["room"])).unwrap();
    alice.hear_tip(mark, 2);
    alice.call("dismissGroup", &json!(["room"])).unwrap();
    proven(
        "live room: join, send, poll, recall, online count, quit, dismiss",
        Pair::SdkToSdk,
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn who_is_in_a_live_room_is_listed_and_marked() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "AVChatRoom", "room", &[]);
    for page in [&alice, &bob] {
        page.call("joinGroup", &json!([{"groupID": "room"}]))
            .unwrap();
    }
    let list = |filter: Value| -> Vec<Value> {
        let wish = json!([{"groupID": "room", "filter": filter}]);
        let members = bob.data("getGroupMemberList", &wish);
        let members = members["memberList"].as_array().unwrap().iter();
        members.map(|member| member["userID"].clone()).collect()
    };
    assert_eq!(list(Value::Null), ["alice", "bob"]);
    let all = bob.data("getGroupMemberList", &json!([{"groupID": "room"}]));
    assert_eq!(all["memberList"][0]["nick"], "alice", "{all}");
    let mark = |enable: bool| {
        let marks = json!([{
            "groupID": "room", "markType": 1001, "enableMark": enable, "userIDList": ["bob", "eve"],
        }]);
        alice.data("markGroupMemberList", &marks)
    };
    assert_eq!(
        mark(true),
        json!({"successUserIDList": ["bob"], "failureUserIDList": ["eve"]})
    );
    assert_eq!(list(json!(1001)), ["bob"]);
    mark(false);
    assert!(list(json!(1001)).is_empty());
    proven("live room: who is there, and marks", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_poll_survives_idle_times_and_a_lost_link() {
    let sdk = sdk();
    // The hold time is so short that several polls return nothing.
    let sandbox = sandbox(|config| config.live_hold = std::time::Duration::from_millis(200));
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "AVChatRoom", "room", &[]);
    // The creator of the room has to join as well.
    for page in [&alice, &bob] {
        page.call("joinGroup", &json!([{"groupID": "room"}]))
            .unwrap();
    }
    bob.wait(0, "socketGrownUp");
    let mark = bob.mark();
    alice.say_to_group("room", "before");
    bob.texts_up_to(mark, "before");
    sandbox.drop_link("bob").unwrap();
    alice.say_to_group("room", "meanwhile");
    assert_eq!(bob.texts_up_to(mark, "meanwhile"), ["before", "meanwhile"]);
    alice.say_to_group("room", "after");
    assert_eq!(
        bob.texts_up_to(mark, "after"),
        ["before", "meanwhile", "after"]
    );
    proven(
        "live room: nothing lost or doubled over a lost link",
        Pair::SdkToSdk,
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_page_without_a_login_hears_a_live_room() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, guest) = (page(sdk, &sandbox, "alice"), Page::open(sdk, &sandbox));
    let bot = Troupe::start(&sandbox, "host-bot", "watcher");
    found(&alice, "AVChatRoom", "room", &[]);
    found(&alice, "Public", "ordinary", &[]);
    let join = |id: &str| guest.try_data("joinGroup", &json!([{"groupID": id}]));
    // Only live rooms allow it.
    assert_eq!(join("ordinary").unwrap_err(), 10007);
    assert_eq!(join("nowhere").unwrap_err(), 10010);
    alice.data("joinGroup", &json!([{"groupID": "room"}]));
    Troupe::wait(bot.api().group("room").join("")).unwrap();
    alice.say_to_group("room", "before");
    let mark = guest.mark();
    assert_eq!(join("room").unwrap()["status"], "JoinedSuccess");
    let first = alice.say_to_group("room", "by a page");
    Troupe::wait(bot.api().send(Conversation::group("room"), "by a bot")).unwrap();
    assert_eq!(
        guest.texts_up_to(mark, "by a bot"),
        ["by a page", "by a bot"]
    );
    alice
        .call("revokeMessage", &json!([{"$message": first["ID"]}]))
        .unwrap();
    assert_eq!(guest.wait(mark, "onMessageRevoked")[0]["ID"], first["ID"]);
    let online = alice.data("getGroupOnlineMemberCount", &json!(["room"]));
    assert_eq!(online["memberCount"], 2, "a guest is nobody");
    guest.data("quitGroup", &json!(["room"]));
    for pair in [Pair::SdkToSdk, Pair::BotToSdk] {
        proven("live room: heard without a login", pair);
    }
}
