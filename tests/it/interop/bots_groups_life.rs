//! Tests of a group's life with a bot as a member, where the official SDK or the app acts.

use botroupe::{
    prelude::*,
    proto::{
        message::{NoticeKind, TipKind},
        op::group_counter::CounterMode,
    },
};
use serde_json::{Value, json};

use super::{
    Page, Troupe,
    compat::{Pair, proven},
    groups::{found, page},
    rest, sdk,
};
use crate::harness::{eventually, sandbox};

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn every_type_of_group_takes_messages() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let me = "everywhere-bot";
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    // Use one page per group, because the SDK limits the rate of group creation.
    for (kind, group, owner) in [
        ("Private", "work", "alice"),
        ("Public", "public", "bob"),
        ("ChatRoom", "meeting", "carol"),
        ("Community", "@TGS#_c", "dave"),
    ] {
        let mark = Troupe::watch_mark();
        let owner = page(sdk, &sandbox, owner);
        found(&owner, kind, group, &[]);
        let add = json!([{"groupID": group, "userIDList": [me]}]);
        owner.call("addGroupMember", &add).unwrap();
        bot.hears_notice(mark, NoticeKind::Invited);
        owner.say_to_group(group, kind);
        let heard = bot.hears_text(mark, kind);
        assert_eq!(heard.conversation, Conversation::group(group));
        let from = owner.mark();
        Troupe::wait(api.group(group).say("by the bot")).unwrap();
        owner.heard_up_to(from, "by the bot");
    }
    proven("group: Work, Public, Meeting, Community", Pair::SdkToBot);
    let erin = page(sdk, &sandbox, "erin");
    for new in [
        NewGroup::work("W").id("w2"),
        NewGroup::public("P").id("p2"),
        NewGroup::meeting("M").id("m2"),
        NewGroup::community("C").id("@TGS#_c2"),
    ] {
        let from = erin.mark();
        let id = Troupe::wait(api.create_group(new)).unwrap().group;
        Troupe::wait(api.group(&*id).invite(["erin"])).unwrap();
        erin.hear_notice(from, 7);
        let mark = Troupe::watch_mark();
        Troupe::wait(api.group(&*id).say(&*id)).unwrap();
        erin.heard_up_to(from, &id);
        erin.say_to_group(&id, "by erin");
        bot.hears_text(mark, "by erin");
    }
    proven("group: Work, Public, Meeting, Community", Pair::BotToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_applies_and_is_told_what_the_owner_decides() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("applying-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let (alice, api) = (page(sdk, &sandbox, "alice"), bot.api());
    let ask = json!([{
        "type": "Public", "name": "Ask", "groupID": "ask", "joinOption": "NeedPermission",
    }]);
    alice.call("createGroup", &ask).unwrap();
    for (action, notice) in [
        ("Reject", NoticeKind::Refused),
        ("Agree", NoticeKind::Accepted),
    ] {
        let from = alice.mark();
        let waits = Troupe::wait(api.group("ask").join("please")).unwrap();
        assert!(waits.is_waiting());
        let request = alice.hear_notice(from, 1);
        assert_eq!(request["payload"]["handleMessage"], "please");
        let list = alice.data("getGroupApplicationList", &json!([]));
        let handle = json!([{
            "handleAction": action, "handleMessage": "so be it",
            "application": list["applicationList"][0],
        }]);
        alice.call("handleGroupApplication", &handle).unwrap();
        let notice = bot.hears_notice(mark, notice);
        assert_eq!(notice.notice().unwrap().operator, "alice");
    }
    let from = alice.mark();
    Troupe::wait(api.group("ask").say("let in")).unwrap();
    alice.heard_up_to(from, "let in");
    proven("group: applications, approved and refused", Pair::SdkToBot);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_the_app_keeps_with_a_group_and_its_members_is_seen() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("keeping-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let alice = page(sdk, &sandbox, "alice");
    found(&alice, "Public", "g", &[me]);
    bot.hears_notice(mark, NoticeKind::Invited);
    let api = bot.api();
    let group = api.group("g");

    let set = json!([{"groupID": "g", "groupAttributes": {"a": "1", "b": "2"}}]);
    alice.call("initGroupAttributes", &set).unwrap();
    let attributes = Troupe::wait(group.attributes()).unwrap();
    assert_eq!(
        (attributes.get("a"), attributes.get("b")),
        (Some("1"), Some("2"))
    );
    let counters = json!([{"groupID": "g", "counters": {"likes": 5}}]);
    alice.call("setGroupCounters", &counters).unwrap();
    let counters = Troupe::wait(group.counters()).unwrap();
    assert_eq!(counters.get("likes"), Some(5));
    let increase = json!([{"groupID": "g", "key": "likes", "value": 2}]);
    alice.call("increaseGroupCounter", &increase).unwrap();
    let counters = Troupe::wait(group.count(CounterMode::Decrease, [("likes", 1)])).unwrap();
    assert_eq!(counters.get("likes"), Some(6));
    let said = alice.say_to_group("g", "pin me");
    let heard = bot.hears_text(mark, "pin me");
    let pin = |pinned: bool| {
        let pin = json!([{
            "groupID": "g", "message": {"$message": said["ID"]}, "isPinned": pinned,
        }]);
        alice.call("pinGroupMessage", &pin).unwrap();
    };
    pin(true);
    bot.hears_tip(mark, TipKind::Pinned);
    let pinned = Troupe::wait(group.pinned()).unwrap();
    assert_eq!(pinned[0].seq, heard.seq);
    pin(false);
    bot.hears_tip(mark, TipKind::Unpinned);
    assert!(Troupe::wait(group.pinned()).unwrap().is_empty());
    // The page sees the bot's changes.
    let role = json!([{"groupID": "g", "userID": me, "role": "Admin"}]);
    alice.call("setGroupMemberRole", &role).unwrap();
    let from = alice.mark();
    Troupe::wait(api.message(&heard).pin()).unwrap();
    alice.wait(from, "onPinnedGroupMessageUpdated");
    Troupe::wait(group.set_attributes(&attributes, [("a", "3")])).unwrap();
    let news = alice.wait(from, "groupAttributesUpdated");
    assert_eq!(news["groupAttributes"]["a"], "3", "{news}");
    for pair in [Pair::SdkToBot, Pair::BotToSdk] {
        proven("group: attributes, counters, pins", pair);
    }

    let card = json!([{"groupID": "g", "userID": "alice", "nameCard": "Boss"}]);
    alice.call("setGroupMemberNameCard", &card).unwrap();
    alice.say_to_group("g", "with a card");
    let heard = bot.hears_text(mark, "with a card");
    let info = &heard.group.as_ref().unwrap().extra;
    assert_eq!(info["MsgFrom_AccountExtraInfo"]["NameCard"], "Boss");
    let field = json!([{
        "groupID": "g", "userID": "alice",
        "memberCustomField": [{"key": "k", "value": "v"}],
    }]);
    alice.call("setGroupMemberCustomField", &field).unwrap();
    let member = Troupe::wait(group.member_info(["alice"])).unwrap();
    assert_eq!(member[0].name_card, "Boss");
    let said = serde_json::to_string(&format!("{member:?}")).unwrap();
    assert!(said.contains('k') && said.contains('v'), "{said}");
    let remind = json!([{
        "groupID": "g", "groupIDList": ["g"], "messageRemindType": "AcceptNotNotify",
    }]);
    alice.call("setMessageRemindType", &remind).unwrap();
    proven(
        "group: name card, member fields, remind type",
        Pair::SdkToBot,
    );

    // Only the account's own terminals and the group's receipts report the read position.
    let asking = Draft::text("read?").receipt();
    let from = alice.mark();
    let asked = Troupe::wait(group.say(asking)).unwrap();
    alice.heard_up_to(from, "read?");
    alice
        .call("setMessageRead", &json!([{"conversationID": "GROUPg"}]))
        .unwrap();
    let list = alice.call("getConversationList", &json!([])).unwrap();
    let read = json!({"conversationID": "GROUPg", "unreadCount": 0});
    assert!(list.as_array().unwrap().contains(&read), "{list}");
    assert!(asked.seq > 0);
    proven("group: read report", Pair::BotToSdk);
    alice.say_to_group("g", "handled");
    bot.hears_text(mark, "handled");
    // The bot reports handled messages as read, so its next login has no unread ones.
    let api = bot.api();
    let read_up_to = || async {
        let conversations = api.conversations().await.unwrap();
        let group = conversations.iter().find(|c| c.kind == 2)?;
        (group.unread == 0).then_some(())
    };
    actix_rt::System::new().block_on(eventually("the report", read_up_to));
    proven("group: read report", Pair::SdkToBot);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_learns_what_the_app_does_over_rest() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("rest-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let call = |command: &str, body: Value| {
        let answer = rest(&sandbox, &format!("group_open_http_svc/{command}"), &body);
        assert_eq!(answer["ErrorCode"], 0, "{command}: {answer}");
        answer
    };
    let alice = page(sdk, &sandbox, "alice");
    let members = json!([{"Member_Account": me}, {"Member_Account": "carol"}]);
    let group = json!({
        "Type": "Public", "Name": "n", "GroupId": "g", "Owner_Account": "alice",
        "MemberList": members,
    });
    call("create_group", group);
    bot.hears_notice(mark, NoticeKind::Invited);
    let mute = json!({"GroupId": "g", "Members_Account": [me], "MuteTime": 60});
    call("forbid_send_msg", mute);
    let tip = bot.hears_tip(mark, TipKind::MemberChanged);
    assert_eq!(tip.member_changes[0].muted_for, Some(60));
    let muted = Troupe::wait(bot.api().group("g").say("mmm")).unwrap_err();
    assert_eq!(muted.code(), Some(Code::GROUP_MUTED));
    call(
        "forbid_send_msg",
        json!({"GroupId": "g", "Members_Account": [me], "MuteTime": 0}),
    );
    let from = alice.mark();
    Troupe::wait(bot.api().group("g").say("free")).unwrap();
    alice.heard_up_to(from, "free");
    let kick = json!({"GroupId": "g", "MemberToDel_Account": ["carol"]});
    call("delete_group_member", kick);
    bot.hears_tip(mark, TipKind::Kicked);

    let news = json!({"GroupId": "g", "Content": "rest says hi"});
    call("send_group_system_notification", news);
    let notice = bot.hears_notice(mark, NoticeKind::Custom);
    let words = format!("{:?}", notice.notice().unwrap());
    assert!(words.contains("rest says hi"), "{words}");
    let send = json!({
        "GroupId": "g", "Random": 4242, "From_Account": "alice",
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "by rest"}}],
    });
    let sent = call("send_group_msg", send);
    let heard = bot.hears_text(mark, "by rest");
    assert_eq!(
        (json!(heard.seq), json!(heard.time)),
        (sent["MsgSeq"].clone(), sent["MsgTime"].clone())
    );
    let recall = json!({"GroupId": "g", "MsgSeqList": [{"MsgSeq": sent["MsgSeq"]}]});
    call("group_msg_recall", recall);
    let seq = bot.learns(mark, "the recall", |update| match update {
        Update::Recalled { messages, .. } => Some(messages[0].seq),
        _ => None,
    });
    assert_eq!(seq, heard.seq);
    call("destroy_group", json!({"GroupId": "g"}));
    bot.hears_notice(mark, NoticeKind::Dismissed);
    for row in [
        "group: messages, recall and notices over REST",
        "group: run by the app over REST",
    ] {
        proven(row, Pair::SdkToBot);
    }
    // One-to-one messages.
    let send = json!({
        "SyncOtherMachine": 2, "From_Account": "alice", "To_Account": me, "MsgSeq": 7,
        "MsgRandom": 4243,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "via REST"}}],
    });
    let from = alice.mark();
    let sent = rest(&sandbox, "openim/sendmsg", &send);
    bot.hears_text(mark, "via REST");
    let recall = json!({
        "From_Account": "alice", "To_Account": me, "MsgKey": sent["MsgKey"],
    });
    let recalled = rest(&sandbox, "openim/admin_msgwithdraw", &recall);
    assert_eq!(recalled["ErrorCode"], 0, "{recalled}");
    let by = bot.learns(mark, "the recall by REST", |update| match update {
        Update::Recalled {
            conversation: Conversation::C2c(_),
            by,
            ..
        } => Some(by.clone()),
        _ => None,
    });
    assert!(!by.is_empty());
    sandbox.say("dave", "alice", "fence").unwrap();
    let heard = alice.heard_up_to(from, "fence");
    let silent = heard.iter().all(|m| m["payload"]["text"] != "via REST");
    assert!(silent, "SyncOtherMachine 2 spares the sender's terminals");
    proven("C2C: messages and recall over REST", Pair::SdkToBot);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_is_told_of_a_group_it_was_taken_into_while_away() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("absent-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    let lost = bot.mark();
    sandbox
        .refuse_login(me, Code::ACCOUNT_INTERNAL, None)
        .unwrap();
    sandbox.drop_link(me).unwrap();
    found(&alice, "Public", "g", &[me]);
    alice.say_to_group("g", "welcome");
    sandbox.refuse_login(me, Code(0), None).unwrap();
    bot.wait_online(lost);
    bot.hears_notice(mark, NoticeKind::Invited);
    alice.say_to_group("g", "again");
    bot.hears_text(mark, "again");
    let heard = bot.heard(mark);
    let welcomed = heard.iter().filter(|m| m.text() == Some("welcome"));
    assert_eq!(welcomed.count(), 1);
    proven("group: taken into a group while away", Pair::SdkToBot);
    // In the other direction, the bot adds a page that is offline.
    bob.wait(0, "socketGrownUp");
    let from = bob.mark();
    sandbox.drop_link("bob").unwrap();
    let new = NewGroup::public("Ours").id("ours").members(["bob"]);
    Troupe::wait(bot.api().create_group(new)).unwrap();
    Troupe::wait(bot.api().group("ours").say("welcome")).unwrap();
    bob.wait_until(from, "onConversationListUpdated", |list| {
        let list = list.as_array().unwrap();
        list.iter().any(|c| c["conversationID"] == "GROUPours")
    });
    Troupe::wait(bot.api().group("ours").say("again")).unwrap();
    bob.heard_up_to(from, "again");
    proven("group: taken into a group while away", Pair::BotToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn an_unknown_group_and_too_much_text_are_errors_and_no_harm() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("careful-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let (alice, api) = (page(sdk, &sandbox, "alice"), bot.api());
    let none = Troupe::wait(api.group("none").join("")).unwrap_err();
    assert_eq!(none.code(), Some(Code::GROUP_UNKNOWN));
    let none = Troupe::wait(api.group("none").say("x")).unwrap_err();
    assert_eq!(none.code(), Some(Code::GROUP_UNKNOWN));
    found(&alice, "Public", "g", &[me]);
    settle_by_text(&bot, &alice, mark);
    let card = Element::custom("x".repeat(13_000));
    let long = Troupe::wait(api.group("g").say(card)).unwrap_err();
    assert!(long.to_string().contains("over the limit"), "{long}");
    let from = alice.mark();
    let text = "word ".repeat(2_600);
    Troupe::wait(api.group("g").say(text.as_str())).unwrap();
    Troupe::wait(api.group("g").say("still here")).unwrap();
    let heard = alice.texts_up_to(from, "still here");
    assert_eq!(heard.len(), 3, "a long text comes in parts");
    let words = heard[..2].iter().flat_map(|part| part.split_whitespace());
    assert_eq!(words.count(), 2_600);
    proven("group: unknown group and oversize refused", Pair::BotToSdk);
}

#[track_caller]
fn settle_by_text(bot: &Troupe, alice: &Page, mark: usize) {
    bot.hears_notice(mark, NoticeKind::Invited);
    alice.say_to_group("g", "settled");
    bot.hears_text(mark, "settled");
}
