//! Tests of groups with the official SDK and a bot.

use std::time::Duration;

use botroupe::{
    prelude::*,
    proto::{
        message::{NoticeKind, TipKind},
        op::group_counter::CounterMode,
    },
};
use serde_json::json;

use super::{
    Troupe,
    compat::{Pair, proven},
    groups::{found, page, settle_in},
    sdk,
};
use crate::harness::sandbox;

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_the_sdk_does_in_a_group_reaches_the_bot() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("group-watcher", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let alice = page(sdk, &sandbox, "alice");
    found(&alice, "Public", "g", &[me]);
    let invited = bot.hears_notice(mark, NoticeKind::Invited);
    assert_eq!(invited.notice().unwrap().operator, "alice");

    let at = json!({"text": "@bot look", "atUserList": [me]});
    let sent = alice.send_to_group("g", "TextAt", &at);
    let heard = bot.hears_text(mark, "@bot look");
    assert!(heard.mentions(me) && !heard.mentions("alice"));
    assert_eq!(heard.terminal_id().as_deref(), sent["ID"].as_str());
    assert_eq!(heard.conversation, Conversation::group("g"));
    let all = json!({"text": "@all", "atUserList": ["__kImSDK_MesssageAtALL__"]});
    alice.send_to_group("g", "TextAt", &all);
    assert!(bot.hears_text(mark, "@all").mentions(me));
    alice.send_to_group("g", "Face", &json!({"index": 7, "data": "smile"}));
    let place = json!({"description": "here", "longitude": 1.5, "latitude": -2.5});
    alice.send_to_group("g", "Location", &place);
    bot.hears(mark, "a face", |m| {
        m.elements == [Element::face(7, "smile")]
    });
    bot.hears(mark, "a place", |m| {
        m.elements == [Element::location("here", 1.5, -2.5)]
    });

    alice
        .call("edit", &json!([sent["ID"], {"text": "changed"}]))
        .unwrap();
    let edited = bot.learns(mark, "an edit", |update| match update {
        Update::Edited { message, .. } => Some(message.clone()),
        _ => None,
    });
    assert_eq!((edited.group.as_str(), edited.seq), ("g", heard.seq));
    assert_eq!(edited.elements, [Element::text("changed")]);
    alice
        .call("revokeMessage", &json!([{"$message": sent["ID"]}]))
        .unwrap();
    let recalled = bot.learns(mark, "a recall", |update| match update {
        Update::Recalled {
            conversation,
            messages,
            ..
        } => Some((conversation.clone(), messages.clone())),
        _ => None,
    });
    assert_eq!(recalled.0, Conversation::group("g"));
    assert_eq!(recalled.1[0].seq, heard.seq);

    let group = api.group("g");
    let said = Troupe::wait(group.say(Draft::text("read this").receipt())).unwrap();
    let got = alice.heard_up_to(0, "read this").pop().unwrap();
    alice
        .call(
            "sendMessageReadReceipt",
            &json!([[{"$message": got["ID"]}]]),
        )
        .unwrap();
    let receipt = bot.learns(mark, "a receipt", |update| match update {
        Update::GroupReceipt { messages, .. } => messages.first().cloned(),
        _ => None,
    });
    assert_eq!(
        (receipt.seq, receipt.read, receipt.unread),
        (said.seq, 1, 0)
    );

    let mute = |seconds: u32| {
        let options = json!([{"groupID": "g", "userID": me, "muteTime": seconds}]);
        alice.call("setGroupMemberMuteTime", &options).unwrap();
    };
    mute(600);
    let tip = bot.hears_tip(mark, TipKind::MemberChanged);
    assert_eq!(tip.member_changes[0].muted_for, Some(600));
    let muted = Troupe::wait(group.say("mmm")).unwrap_err();
    assert_eq!(muted.code(), Some(Code::GROUP_MUTED));
    mute(0);
    Troupe::wait(group.say("free")).unwrap();
    let role = json!([{"groupID": "g", "userID": me, "role": "Admin"}]);
    alice.call("setGroupMemberRole", &role).unwrap();
    bot.hears_notice(mark, NoticeKind::AdminGranted);
    bot.hears_tip(mark, TipKind::AdminGranted);
    let name = json!([{"groupID": "g", "name": "New Name"}]);
    alice.call("updateGroupProfile", &name).unwrap();
    let tip = bot.hears_tip(mark, TipKind::ProfileChanged);
    assert_eq!(tip.changed["GroupName"], "New Name");
    let own = Troupe::wait(group.profile()).unwrap();
    assert_eq!(own.name, "New Name");
    assert_eq!(own.own().unwrap().role(), Role::Admin);

    let kick = json!([{"groupID": "g", "userIDList": [me], "reason": "bye"}]);
    alice.call("deleteGroupMember", &kick).unwrap();
    bot.hears_notice(mark, NoticeKind::Kicked);
    let gone = Troupe::wait(group.say("still here?")).unwrap_err();
    assert!(gone.code().is_some(), "{gone}");
    // Everyone may join; then the group is dismissed.
    let joined = Troupe::wait(api.group("g").join("")).unwrap();
    assert!(!joined.is_waiting());
    let from = Troupe::watch_mark();
    alice.call("dismissGroup", &json!(["g"])).unwrap();
    bot.hears_notice(from, NoticeKind::Dismissed);
    for feature in [
        "group: create, invite, join",
        "group: mentions of one and of all",
        "group: text, custom, face, location, merged, forwarded",
        "group: edit and conflict of edits",
        "group: recall by sender and owner",
        "group: receipts, their list and detail",
        "group: roles, mutes, mute of all",
        "group: profile, search, online count",
        "group: kick, owner change, quit, dismiss",
    ] {
        proven(feature, Pair::SdkToBot);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_runs_a_group() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("group-owner", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let [alice, bob] = ["alice", "bob"].map(|user| page(sdk, &sandbox, user));

    let new = NewGroup::public("Chess")
        .id("chess")
        .join_option(JoinOption::NeedPermission)
        .members(["alice"]);
    assert_eq!(
        Troupe::wait(api.create_group(new.clone())).unwrap().group,
        "chess"
    );
    let taken = Troupe::wait(api.create_group(new)).unwrap_err();
    assert!(taken.code().is_some(), "{taken}");
    settle_in(&alice, "chess");
    let group = api.group("chess");

    // There are two applications: one is rejected, and the other one accepted.
    let application = json!([{"groupID": "chess", "type": "Public", "applyMessage": "please"}]);
    bob.call("joinGroup", &application).unwrap();
    let notice = bot.hears_notice(mark, NoticeKind::Application);
    assert_eq!(notice.notice().unwrap().remark, "please");
    Troupe::wait(api.decide(&notice, false, "not now")).unwrap();
    bob.hear_notice(0, 3);
    let twice = Troupe::wait(api.decide(&notice, true, "")).unwrap_err();
    assert!(twice.code().is_some(), "{twice}");
    bob.call("joinGroup", &application).unwrap();
    let from = bob.mark();
    let open = {
        bot.hears(mark, "another application", |m| {
            m.notice().is_some_and(|n| {
                n.kind() == NoticeKind::Application && n.key != notice.notice().unwrap().key
            })
        });
        Troupe::wait(api.group_applications()).unwrap()
    };
    let open = open
        .iter()
        .find(|a| a.from == "bob" && a.handled == 0)
        .unwrap();
    Troupe::wait(api.decide_application(open, true, "welcome")).unwrap();
    bob.hear_notice(from, 2);

    // Messages: mentioned, edited, recalled, read, pinned.
    let at = Draft::text("@alice look").mention("alice").receipt();
    let mut said = Troupe::wait(group.say(at)).unwrap();
    let got = alice.heard_up_to(0, "@alice look").pop().unwrap();
    assert_eq!(got["atUserList"], json!(["alice"]));
    alice
        .call(
            "sendMessageReadReceipt",
            &json!([[{"$message": got["ID"]}]]),
        )
        .unwrap();
    bot.learns(mark, "a receipt", |update| {
        matches!(update, Update::GroupReceipt { .. }).then_some(())
    });
    let receipts = Troupe::wait(group.receipts(std::slice::from_ref(&said))).unwrap();
    assert_eq!((receipts[0].read, receipts[0].unread), (1, 1));
    assert_eq!(
        Troupe::wait(api.message(&said).readers()).unwrap(),
        ["alice"]
    );
    assert_eq!(
        Troupe::wait(api.message(&said).non_readers()).unwrap(),
        ["bob"]
    );
    Troupe::wait(api.message(&said).pin()).unwrap();
    let pinned = Troupe::wait(group.pinned()).unwrap();
    assert_eq!(pinned.iter().map(|m| m.seq).collect::<Vec<_>>(), [said.seq]);
    Troupe::wait(api.message(&said).unpin()).unwrap();
    let edited = Troupe::wait(api.message(&said).edit("changed")).unwrap();
    assert_eq!(
        alice.wait(0, "onMessageModified")[0]["payload"]["text"],
        "changed"
    );
    let late = Troupe::wait(api.message(&said).edit("late")).unwrap_err();
    assert_eq!(late.code(), Some(Code::C2C_EDIT_CONFLICT));
    said.version = edited.version;
    Troupe::wait(api.message(&said).edit("on time")).unwrap();
    Troupe::wait(api.message(&said).recall()).unwrap();
    assert_eq!(alice.wait(0, "onMessageRevoked")[0]["ID"], got["ID"]);
    let hers = alice.say_to_group("chess", "rude");
    let heard = bot.hears_text(mark, "rude");
    let from = alice.mark();
    Troupe::wait(api.message(&heard).recall()).unwrap();
    assert_eq!(alice.wait(from, "onMessageRevoked")[0]["ID"], hers["ID"]);
    Troupe::wait(api.message(&heard).mark_read()).unwrap();
    let asking = json!({
        "to": "chess", "conversationType": "GROUP", "payload": {"text": "read?"},
        "needReadReceipt": true,
    });
    alice.call("send", &json!(["Text", asking])).unwrap();
    let heard = bot.hears_text(mark, "read?");
    Troupe::wait(api.message(&heard).send_receipt()).unwrap();
    let receipts = alice.wait(0, "onMessageReadReceiptReceived");
    assert_eq!(receipts[0]["readCount"], 1);
    let history = Troupe::wait(api.conversation(Conversation::group("chess")).history(50)).unwrap();
    assert!(history.iter().any(|m| m.recalled) && history.last().unwrap().text() == Some("read?"));
    assert!(history.windows(2).all(|pair| pair[0].seq < pair[1].seq));

    // Members.
    let mut members = Troupe::wait(group.members()).unwrap();
    members.sort_by(|a, b| a.user.cmp(&b.user));
    let roles: Vec<_> = members
        .iter()
        .map(|m| (m.user.as_str(), m.role()))
        .collect();
    assert_eq!(
        roles,
        [
            ("alice", Role::Member),
            ("bob", Role::Member),
            (me, Role::Owner)
        ]
    );
    let from = bob.mark();
    Troupe::wait(group.mute("bob", Duration::from_secs(600))).unwrap();
    bob.hear_tip(from, 7);
    assert_eq!(
        bob.try_to_group("chess", "Text", &json!({"text": "x"})),
        Err(10017)
    );
    Troupe::wait(group.mute("bob", Duration::ZERO)).unwrap();
    bob.say_to_group("chess", "thanks");
    Troupe::wait(group.mute_all(true)).unwrap();
    bob.hear_tip(from, 6);
    assert!(Troupe::wait(group.profile()).unwrap().is_muted());
    Troupe::wait(group.mute_all(false)).unwrap();
    Troupe::wait(group.set_role("alice", Role::Admin)).unwrap();
    alice.hear_notice(0, 9);
    Troupe::wait(group.set_name_card("bob", "Bobby")).unwrap();
    let bobby = Troupe::wait(group.member_info(["bob"])).unwrap();
    assert_eq!(bobby[0].name_card, "Bobby");
    let results = Troupe::wait(group.invite(["carol", "alice"])).unwrap();
    assert!(results.iter().all(|result| result.is_in()), "{results:?}");
    assert_eq!(Troupe::wait(group.online_count()).unwrap(), 3);
    let from = alice.mark();
    Troupe::wait(group.modify(GroupChange::new().name("Go").notification("at eight"))).unwrap();
    let tip = alice.hear_tip(from, 6);
    assert_eq!(
        tip["payload"]["newGroupProfile"]["groupName"], "Go",
        "{tip}"
    );
    let found = Troupe::wait(api.find_groups(["chess", "nowhere"])).unwrap();
    assert_eq!((found[0].name.as_str(), found[0].members), ("Go", 4));
    assert_ne!(found[1].code, 0);
    let joined = Troupe::wait(api.groups()).unwrap();
    assert_eq!(
        joined.iter().map(|g| g.id.as_str()).collect::<Vec<_>>(),
        ["chess"]
    );

    // Waits until this event has happened at least `count` times.
    let none = Troupe::wait(group.attributes()).unwrap();
    Troupe::wait(group.set_attributes(&none, [("board", "19x19")])).unwrap();
    let read = alice.data(
        "getGroupAttributes",
        &json!([{"groupID": "chess", "keyList": []}]),
    );
    assert_eq!(read["groupAttributes"]["board"], "19x19", "{read}");
    let stale = Troupe::wait(group.set_attributes(&none, [("board", "9x9")])).unwrap_err();
    assert_eq!(stale.code(), Some(Code::GROUP_ATTRIBUTE_CONFLICT));
    let counters = Troupe::wait(group.count(CounterMode::Increase, [("moves", 3)])).unwrap();
    assert_eq!(counters.get("moves"), Some(3));
    assert_eq!(Troupe::wait(group.counters()).unwrap(), counters);

    // The end of the group.
    let from = bob.mark();
    Troupe::wait(group.kick(["bob"], "cheating")).unwrap();
    bob.hear_notice(from, 4);
    let quits = Troupe::wait(group.quit()).unwrap_err();
    assert_eq!(quits.code(), Some(Code::GROUP_OWNER_STAYS));
    let from = alice.mark();
    Troupe::wait(group.transfer("alice")).unwrap();
    alice.hear_tip(from, 6);
    Troupe::wait(group.quit()).unwrap();
    alice.hear_tip(from, 2);
    let new = NewGroup::work("Short").id("short").members(["alice"]);
    Troupe::wait(api.create_group(new)).unwrap();
    let short = api.group("short");
    let public = NewGroup::public("Shorter").id("shorter").members(["alice"]);
    Troupe::wait(api.create_group(public)).unwrap();
    Troupe::wait(api.group("shorter").dismiss()).unwrap();
    alice.hear_notice(from, 5);
    Troupe::wait(short.say("left")).unwrap();
    for feature in [
        "group: create, invite, join",
        "group: applications, approved and refused",
        "group: mentions of one and of all",
        "group: edit and conflict of edits",
        "group: recall by sender and owner",
        "group: receipts, their list and detail",
        "group: read report",
        "group: history in pages and by hopping",
        "group: roles, mutes, mute of all",
        "group: name card, member fields, remind type",
        "group: profile, search, online count",
        "group: attributes, counters, pins",
        "group: kick, owner change, quit, dismiss",
    ] {
        proven(feature, Pair::BotToSdk);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn what_was_said_in_a_group_while_a_bot_was_away_reaches_it_in_order() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("group-sleeper", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let alice = page(sdk, &sandbox, "alice");
    found(&alice, "Public", "g", &[me]);
    bot.hears_notice(mark, NoticeKind::Invited);
    let mut said = Vec::new();
    for round in 0..3 {
        let lost = bot.mark();
        sandbox.drop_link(me).unwrap();
        for number in 0..12 {
            let text = format!("round {round}, text {number}");
            alice.say_to_group("g", &text);
            said.push(text);
        }
        bot.wait_online(lost);
        bot.hears_text(mark, said.last().unwrap());
    }
    let heard = bot.heard(mark);
    let texts: Vec<&str> = heard.iter().filter_map(Message::text).collect();
    assert_eq!(texts, said, "each once and in order");
    proven(
        "group: messages and tips of a gap after a reconnect",
        Pair::SdkToBot,
    );
}
