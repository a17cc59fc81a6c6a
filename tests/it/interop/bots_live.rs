//! Tests of live rooms with the official SDK and a bot.

use botroupe::{
    prelude::*,
    proto::message::{NoticeKind, TipKind},
    proto::op::live_room::GetRoomHistory,
};
use serde_json::{Value, json};
use std::time::Duration;

use super::{
    Troupe,
    compat::{Pair, proven},
    groups::{found, page},
    sdk,
    sync::drop_link,
};
use crate::harness::sandbox;

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_hears_and_speaks_in_a_live_room_also_after_a_lost_link_and_a_new_login() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("live-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let alice = page(sdk, &sandbox, "alice");
    found(&alice, "AVChatRoom", "room", &[]);
    alice.data("joinGroup", &json!([{"groupID": "room"}]));
    let alices = alice.mark();
    Troupe::wait(api.group("room").join("")).unwrap();
    alice.hear(alices, "the bot's coming", |message| {
        message["payload"]["userIDList"] == json!([me])
    });

    let said: Vec<String> = (0..10).map(|number| format!("live {number}")).collect();
    let mut first = None;
    for text in &said {
        let sent = alice.say_to_group("room", text);
        first.get_or_insert(sent);
    }
    let last = bot.hears_text(mark, "live 9");
    assert_eq!(last.conversation, Conversation::group("room"));
    let texts = |bot: &Troupe| -> Vec<String> {
        let heard = bot.heard(mark);
        heard
            .iter()
            .filter_map(Message::text)
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(texts(&bot), said, "each once and in order");
    let first = first.unwrap();
    alice
        .call("revokeMessage", &json!([{"$message": first["ID"]}]))
        .unwrap();
    let recalled = bot.learns(mark, "a recall", |update| match update {
        Update::Recalled { messages, .. } => messages[0].terminal_id(),
        _ => None,
    });
    assert_eq!(Some(recalled.as_str()), first["ID"].as_str());

    let alices = alice.mark();
    Troupe::wait(api.send(Conversation::group("room"), "from the bot")).unwrap();
    assert_eq!(
        alice.texts_up_to(alices, "from the bot"),
        ["from the bot"],
        "once"
    );

    // The page also continues when it loses its link.
    drop_link(&sandbox, &alice, "alice", || {
        Troupe::wait(api.send(Conversation::group("room"), "meanwhile")).unwrap();
    });
    alice.heard_up_to(alices, "meanwhile");
    Troupe::wait(api.send(Conversation::group("room"), "and after")).unwrap();
    assert_eq!(
        alice.texts_up_to(alices, "and after"),
        ["from the bot", "meanwhile", "and after"],
        "each once"
    );
    proven(
        "live room: nothing lost or doubled over a lost link",
        Pair::BotToSdk,
    );

    // A resume continues in the room, and so does a new login.
    let lost = bot.mark();
    sandbox.drop_link(me).unwrap();
    bot.wait_online(lost);
    alice.say_to_group("room", "after the link");
    bot.hears_text(mark, "after the link");
    sandbox.restart(true);
    bot.wait_online(lost + 1);
    // The page has to log in again as well, so another user writes.
    let spoken = sandbox.say_to_group("alice", "room", "after a new login");
    assert!(spoken.is_ok(), "{spoken:?}");
    bot.hears_text(mark, "after a new login");
    let heard = texts(&bot);
    assert_eq!(
        heard[10..],
        ["after the link", "after a new login"],
        "nothing twice"
    );
    proven(
        "live room: join, send, poll, recall, online count, quit, dismiss",
        Pair::SdkToBot,
    );
    proven(
        "live room: join, send, poll, recall, online count, quit, dismiss",
        Pair::BotToSdk,
    );
    proven(
        "live room: nothing lost or doubled over a lost link",
        Pair::SdkToBot,
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_that_made_a_live_room_sees_who_comes_and_ends_it() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("live-host", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let alice = page(sdk, &sandbox, "alice");
    found(&alice, "AVChatRoom", "stage", &[]);
    Troupe::wait(bot.api().group("stage").join("")).unwrap();
    alice.data("joinGroup", &json!([{"groupID": "stage"}]));
    let joined = bot.hears_tip(mark, TipKind::Joined);
    assert!(!joined.members.is_empty());
    alice.call("dismissGroup", &json!(["stage"])).unwrap();
    bot.hears_notice(mark, NoticeKind::Dismissed);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_lists_and_marks_who_is_in_its_live_room() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let me = "live-usher";
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let room = NewGroup::live("hall").id("hall");
    Troupe::wait(api.create_group(room)).unwrap();
    Troupe::wait(api.group("hall").join("")).unwrap();
    let alice = page(sdk, &sandbox, "alice");
    alice.data("joinGroup", &json!([{"groupID": "hall"}]));
    let room = api.group("hall");
    let users = |mark: Option<u32>| -> Vec<UserId> {
        let members = Troupe::wait(room.live_members(mark)).unwrap().into_iter();
        members.map(|member| member.user).collect()
    };
    assert_eq!(users(None), [me, "alice"]);
    Troupe::wait(room.mark_members(["alice"], 1001)).unwrap();
    assert_eq!(users(Some(1001)), ["alice"]);
    let seen = alice.data(
        "getGroupMemberList",
        &json!([{"groupID": "hall", "filter": 1001}]),
    );
    assert_eq!(seen["memberList"][0]["userID"], "alice");
    assert_eq!(seen["memberList"][1], Value::Null);
    Troupe::wait(room.unmark_members(["alice"], 1001)).unwrap();
    assert!(users(Some(1001)).is_empty());
    let low = Troupe::wait(room.mark_members(["alice"], 1)).unwrap_err();
    assert!(matches!(low, ApiError::Unfit(_)), "{low}");
    proven("live room: who is there, and marks", Pair::SdkToBot);
    proven("live room: who is there, and marks", Pair::BotToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn whoever_enters_a_live_room_is_shown_what_was_said_before() {
    let sdk = sdk();
    let sandbox = sandbox(|config| {
        config.max_web_instances = 2;
        config.live_history = 3;
    });
    let (me, mark) = ("late-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let (api, room) = (bot.api(), json!([{"groupID": "room"}]));
    let alice = page(sdk, &sandbox, "alice");
    found(&alice, "AVChatRoom", "room", &[]);
    alice.data("joinGroup", &room);
    let said: Vec<Value> = (0..5)
        .map(|number| alice.say_to_group("room", &format!("live {number}")))
        .collect();
    alice
        .call("revokeMessage", &json!([{"$message": said[3]["ID"]}]))
        .unwrap();
    let before = ["live 1", "live 2", "live 4"];

    // The SDK shows the message as a new one.
    let bob = page(sdk, &sandbox, "bob");
    let bobs = bob.mark();
    bob.data("joinGroup", &room);
    assert_eq!(bob.texts_up_to(bobs, "live 4"), before);
    proven("live room: what was said before", Pair::SdkToSdk);

    // A bot gets the history in the answer; no handler is called.
    let joined = Troupe::wait(api.group("room").join("")).unwrap();
    let history = joined.history("room", me);
    let texts: Vec<&str> = history.iter().filter_map(Message::text).collect();
    assert_eq!(texts, before);
    assert_eq!(history[2].terminal_id().as_deref(), said[4]["ID"].as_str());
    let earlier = GetRoomHistory::new("room", &joined, history[1].seq);
    let earlier = Troupe::wait(api.call(&earlier)).unwrap();
    let earlier = earlier.messages("room", me);
    let texts: Vec<&str> = earlier.iter().filter_map(Message::text).collect();
    assert_eq!(texts, ["live 0", "live 1"]);
    alice.say_to_group("room", "now");
    bot.hears_text(mark, "now");
    let heard = bot.heard(mark);
    let texts: Vec<&str> = heard.iter().filter_map(Message::text).collect();
    assert_eq!(texts, ["now"]);
    proven("live room: what was said before", Pair::SdkToBot);

    // The other direction: this page did not join, but polls with the bot's key.
    Troupe::wait(api.send(Conversation::group("room"), "by the bot")).unwrap();
    let carol = page(sdk, &sandbox, "carol");
    let carols = carol.mark();
    carol.data("joinGroup", &room);
    assert_eq!(
        carol.texts_up_to(carols, "by the bot"),
        ["live 4", "now", "by the bot"]
    );
    let mine = page(sdk, &sandbox, me);
    let mines = mine.mark();
    let visit = json!({
        "groupID": "room", "longPollingKey": joined.extra["LongPollingKey"],
        "longPollingSequence": history[2].seq + 100,
    });
    mine.call(
        "data",
        &json!(["callExperimentalAPI", "startMessageLongPolling", visit]),
    )
    .ok();
    assert_eq!(
        mine.texts_up_to(mines, "by the bot"),
        ["live 4", "now", "by the bot"]
    );
    proven("live room: what was said before", Pair::BotToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn whoever_is_banned_from_a_live_room_is_out() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("bouncer-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    let room = |id: &str| json!([{"groupID": id}]);
    let ban = |id: &str, who: &str| json!([{"groupID": id, "userIDList": [who], "reason": "spam", "duration": 60}]);

    // Actions of the SDK.
    found(&alice, "AVChatRoom", "hers", &[]);
    alice.data("joinGroup", &room("hers"));
    bob.data("joinGroup", &room("hers"));
    Troupe::wait(api.group("hers").join("")).unwrap();
    let marks = (alice.mark(), bob.mark());
    alice.data("deleteGroupMember", &ban("hers", "bob"));
    bob.hear_notice(marks.1, 21);
    alice.hear_tip(marks.0, 10);
    let out = bob.try_data("joinGroup", &room("hers"));
    assert_eq!(out.unwrap_err(), 10007);
    proven("live room: bans", Pair::SdkToSdk);
    alice.data("deleteGroupMember", &ban("hers", me));
    bot.hears(mark, "the ban", |message| {
        message
            .notice()
            .is_some_and(|notice| notice.kind() == NoticeKind::Banned && notice.remark == "spam")
    });
    let out = Troupe::wait(api.group("hers").join("")).unwrap_err();
    assert_eq!(out.code(), Some(Code::GROUP_PERMISSION));
    proven("live room: bans", Pair::SdkToBot);

    // Actions of a bot.
    Troupe::wait(api.create_group(NewGroup::live("Its Room").id("its"))).unwrap();
    Troupe::wait(api.group("its").join("")).unwrap();
    bob.data("joinGroup", &room("its"));
    let bobs = bob.mark();
    let minute = Duration::from_secs(60);
    let mine = api.group("its");
    Troupe::wait(mine.ban(["bob"], minute, "spam")).unwrap();
    let notice = bob.hear_notice(bobs, 21);
    assert_eq!(notice["payload"]["operatorID"], me);
    let out = bob.try_data("joinGroup", &room("its"));
    assert_eq!(out.unwrap_err(), 10007);
    bot.hears(mark, "the tip", |message| {
        message
            .tip()
            .is_some_and(|tip| tip.kind() == TipKind::Banned && tip.members == ["bob"])
    });
    proven("live room: bans", Pair::BotToSdk);
}
