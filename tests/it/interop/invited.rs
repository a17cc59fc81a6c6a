//! Tests of groups whose owner approves invitations, with the official SDK and a bot.

use botroupe::{prelude::*, proto::op::group_application::Application};
use serde_json::{Value, json};

use super::{
    Page, Troupe,
    compat::{Pair, proven},
    groups::{found, page, settle_in},
    sdk,
};
use crate::harness::sandbox;

const ROW: &str = "group: invitations that have to be approved";

fn invite(by: &Page, group: &str, whom: &str) {
    let options = json!([{"groupID": group, "userIDList": [whom]}]);
    by.call("addGroupMember", &options).unwrap();
}

fn let_nobody_in_unasked(owner: &Page, group: &str) {
    let terms = json!([{"groupID": group, "inviteOption": "NeedPermission"}]);
    owner.call("updateGroupProfile", &terms).unwrap();
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn an_sdk_decides_whom_others_invite() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|user| page(sdk, &sandbox, user));
    let bot = Troupe::start(&sandbox, "inviting-bot", "watcher");
    let mark = Troupe::watch_mark();
    found(&alice, "Public", "g", &["bob", "inviting-bot"]);
    settle_in(&bob, "g");
    bot.hears_notice(mark, NoticeKind::Invited);
    let_nobody_in_unasked(&alice, "g");

    // Decide by the list of applications: first reject, then accept.
    for (action, told) in [("Reject", 3), ("Agree", 0)] {
        let (asked, bobs, carols) = (alice.mark(), bob.mark(), carol.mark());
        invite(&bob, "g", "carol");
        let notice = alice.hear_notice(asked, 12);
        assert_eq!(notice["payload"]["operatorID"], "bob");
        let list = alice.data("getGroupApplicationList", &json!([]));
        let waits = |item: &&Value| item["userID"] == "carol";
        let list = list["applicationList"].as_array().unwrap();
        let application = list.iter().find(waits).unwrap();
        assert_eq!(
            (&application["applicant"], &application["applicationType"]),
            (&json!("bob"), &json!(2))
        );
        let handle = json!([{
            "handleAction": action, "handleMessage": "so be it", "application": application,
        }]);
        alice.call("handleGroupApplication", &handle).unwrap();
        if told > 0 {
            bob.hear_notice(bobs, told);
        } else {
            carol.hear_notice(carols, 7);
        }
    }
    carol.say_to_group("g", "let in");
    proven(ROW, Pair::SdkToSdk);

    // Decide by the notice about an invitation from a bot.
    let (asked, dave) = (alice.mark(), page(sdk, &sandbox, "dave"));
    let daves = dave.mark();
    let results = Troupe::wait(bot.api().group("g").invite(["dave"])).unwrap();
    assert_eq!((&*results[0].user, results[0].is_waiting()), ("dave", true));
    let notice = alice.hear_notice(asked, 12);
    let handle = json!([{"handleAction": "Agree", "message": {"$message": notice["ID"]}}]);
    alice.call("handleGroupApplication", &handle).unwrap();
    dave.hear_notice(daves, 7);
    proven(ROW, Pair::BotToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_decides_whom_others_invite() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("gate-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|user| page(sdk, &sandbox, user));
    let new = NewGroup::public("Gate")
        .id("gate")
        .invite_option(JoinOption::NeedPermission)
        .members(["alice"]);
    Troupe::wait(api.create_group(new)).unwrap();
    settle_in(&alice, "gate");

    let (alices, bobs, carols) = (alice.mark(), bob.mark(), carol.mark());
    invite(&alice, "gate", "bob");
    let notice = bot.hears_notice(mark, NoticeKind::InviteRequest);
    assert_eq!(notice.notice().unwrap().operator, "alice");
    Troupe::wait(api.decide(&notice, true, "welcome")).unwrap();
    bob.hear_notice(bobs, 7);

    for agree in [false, true] {
        invite(&alice, "gate", "carol");
        bot.hears(mark, "another one", |message| {
            let key = message.notice().and_then(|other| other.key);
            key > notice.notice().unwrap().key
        });
        let all = Troupe::wait(api.group_applications()).unwrap();
        let waits = |item: &&Application| item.handled == 0 && item.invited() == Some("carol");
        let application = all.iter().find(waits).unwrap();
        assert_eq!(application.from, "alice");
        Troupe::wait(api.decide_application(application, agree, "so be it")).unwrap();
        if !agree {
            alice.hear_notice(alices, 3);
        }
    }
    carol.hear_notice(carols, 7);
    carol.say_to_group("gate", "let in");
    proven(ROW, Pair::SdkToBot);
}
