//! Tests of profiles, status and invitations between the official SDK and a bot.

use std::time::Duration;

use botroupe::{
    prelude::*,
    proto::op::{
        friend::{Decision, Friend, Sides},
        profile::AllowType,
    },
};
use serde_json::json;

use super::{
    Troupe,
    compat::{Pair, proven},
    groups::page,
    sdk,
};
use crate::harness::sandbox;

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn profiles_and_status_are_the_same_on_both_sides() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let me = "known-bot";
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let alice = page(sdk, &sandbox, "alice");
    let change = SetProfile::new()
        .nick("Robo 🤖")
        .avatar("https://example.invalid/r.png")
        .signature("at your service")
        .field("Tag_Profile_Custom_Kind", "robot");
    Troupe::wait(api.set_profile(change)).unwrap();
    let profiles = alice.data("getUserProfile", &json!([{"userIDList": [me]}]));
    assert_eq!(profiles[0]["nick"], "Robo 🤖");
    assert_eq!(profiles[0]["avatar"], "https://example.invalid/r.png");
    assert_eq!(profiles[0]["selfSignature"], "at your service");
    let custom = json!([{"key": "Tag_Profile_Custom_Kind", "value": "robot"}]);
    assert_eq!(profiles[0]["profileCustomField"], custom);
    let hers = json!([{"nick": "Alice 爱丽丝", "selfSignature": "hi"}]);
    alice.call("updateMyProfile", &hers).unwrap();
    let profile = Troupe::wait(api.user("alice").profile()).unwrap();
    assert_eq!(
        (profile.nick(), profile.signature()),
        ("Alice 爱丽丝", "hi")
    );

    let statuses = Troupe::wait(api.statuses(["alice", me])).unwrap();
    assert!(
        statuses.iter().all(|status| status.is_online()),
        "{statuses:?}"
    );
    let theirs = alice.data("getUserStatus", &json!([{"userIDList": [me]}]));
    assert_eq!(theirs["successUserList"][0]["statusType"], 1, "{theirs}");
    // Both sides receive the changes.
    let (mark, watched) = (alice.mark(), Troupe::watch_mark());
    alice
        .call("subscribeUserStatus", &json!([{"userIDList": [me]}]))
        .unwrap();
    Troupe::wait(api.set_status("busy 忙")).unwrap();
    alice.wait_until(mark, "onUserStatusUpdated", |list| {
        list[0]["userID"] == me && list[0]["customStatus"] == "busy 忙"
    });
    Troupe::wait(api.subscribe_status(["alice"])).unwrap();
    alice.call("logout", &json!([])).unwrap();
    bot.learns(watched, "that alice left", |update| match update {
        Update::Status(list) => list
            .iter()
            .any(|status| status.user == "alice" && !status.is_online())
            .then_some(()),
        _ => None,
    });
    Troupe::wait(api.unsubscribe_status(["alice"])).unwrap();
    for pair in [Pair::SdkToBot, Pair::BotToSdk] {
        proven("people: profiles, with custom fields", pair);
        proven("people: online status", pair);
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn friends_and_enemies_are_made_on_both_sides() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("sociable-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let alice = page(sdk, &sandbox, "alice");
    let names = |friends: Vec<Friend>| -> Vec<UserId> {
        friends.into_iter().map(|friend| friend.user).collect()
    };
    let friends = |update: &Update| match update {
        Update::Friends(change) => Some(change.clone()),
        _ => None,
    };

    // Alice applies; the bot agrees.
    Troupe::wait(api.set_profile(SetProfile::new().allow(AllowType::Confirm))).unwrap();
    let ask = json!([{
        "to": me, "source": "AddSource_Type_Web", "wording": "be my friend",
        "type": "Add_Type_Both",
    }]);
    let _ = alice.call("addFriend", &ask);
    bot.learns(mark, "an application", |update| {
        friends(update).filter(|change| !change.applications.is_empty())
    });
    let open = Troupe::wait(api.friend_applications()).unwrap();
    assert_eq!(
        (open[0].user.as_str(), open[0].wording.as_str()),
        ("alice", "be my friend")
    );
    assert!(Troupe::wait(api.friends()).unwrap().is_empty());
    Troupe::wait(
        api.user("alice")
            .answer_friend_application(Decision::AgreeAndAdd),
    )
    .unwrap();
    alice.wait_until(0, "onFriendListUpdated", |list| list[0]["userID"] == me);
    bot.learns(mark, "a friend", |update| {
        friends(update).filter(|change| change.added == ["alice"])
    });
    assert_eq!(names(Troupe::wait(api.friends()).unwrap()), ["alice"]);
    Troupe::wait(api.user("alice").set_remark("boss")).unwrap();
    assert_eq!(Troupe::wait(api.friends()).unwrap()[0].remark(), "boss");
    let relations = Troupe::wait(api.check_friends(["alice", "bob"], Sides::Both)).unwrap();
    let known: Vec<bool> = relations
        .iter()
        .map(|relation| relation.is_friend())
        .collect();
    assert_eq!(known, [true, false]);
    let from = alice.mark();
    Troupe::wait(api.delete_friends(["alice"], Sides::Both)).unwrap();
    alice.wait_until(from, "onFriendListUpdated", |list| *list == json!([]));
    // The bot applies; alice accepts everybody.
    alice
        .call(
            "updateMyProfile",
            &json!([{"allowType": "AllowType_Type_AllowAny"}]),
        )
        .unwrap();
    let from = alice.mark();
    Troupe::wait(api.user("alice").befriend("hello", Sides::Both)).unwrap();
    alice.wait_until(from, "onFriendListUpdated", |list| list[0]["userID"] == me);

    Troupe::wait(api.block(["alice"])).unwrap();
    assert_eq!(Troupe::wait(api.blacklist()).unwrap(), ["alice"]);
    assert_eq!(alice.call("sendText", &json!([me, "no"])), Err(20007));
    Troupe::wait(api.unblock(["alice"])).unwrap();
    assert!(Troupe::wait(api.blacklist()).unwrap().is_empty());
    alice.say(me, "yes");
    bot.hears_text(mark, "yes");
    alice
        .call("addToBlacklist", &json!([{"userIDList": [me]}]))
        .unwrap();
    let refused = Troupe::wait(api.send_text("alice", "no")).unwrap_err();
    assert_eq!(refused.code(), Some(Code::C2C_BLACKLISTED));
    for feature in [
        "people: friends added and checked",
        "people: applications of friends and refusals",
        "people: friends' remarks, fields and lists",
        "people: blacklist",
    ] {
        for pair in [Pair::SdkToBot, Pair::BotToSdk] {
            proven(feature, pair);
        }
    }
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn invitations_are_made_and_answered_on_both_sides() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("calling-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let alice = page(sdk, &sandbox, "alice");
    let hears_signal = |from: usize, action: SignalAction| {
        let is = |m: &Message| Signal::of(m).is_some_and(|signal| signal.action == action);
        let message = bot.hears(from, &format!("{action:?}"), is);
        Signal::of(&message).unwrap()
    };

    alice.call("listenToSignaling", &json!([])).unwrap();

    let call = json!([{"userID": me, "data": "video call", "timeout": 30}]);
    let made = alice.call("invite", &call).unwrap();
    let invitation = hears_signal(mark, SignalAction::Invite);
    assert_eq!(made["inviteID"], invitation.id, "{made}");
    assert_eq!(
        (invitation.inviter.as_str(), invitation.data.as_str()),
        ("alice", "video call")
    );
    assert_eq!(invitation.timeout, Duration::from_secs(30));
    let answered = api.answer_invitation(&invitation, SignalAction::Accept, "coming");
    Troupe::wait(answered).unwrap();
    let accepted = alice.wait(0, "ts_invitee_accepted");
    assert_eq!(
        (
            &accepted["inviteID"],
            &accepted["invitee"],
            &accepted["data"]
        ),
        (&json!(invitation.id), &json!(me), &json!("coming"))
    );

    let chess =
        || Troupe::wait(api.user("alice").invite("chess", Duration::from_secs(30))).unwrap();
    let ours = chess();
    let received = alice.wait(0, "newInvitationReceived");
    assert_eq!(
        (
            &received["inviteID"],
            &received["inviter"],
            &received["inviteeList"]
        ),
        (&json!(ours.id), &json!(me), &json!(["alice"]))
    );
    let from = Troupe::watch_mark();
    let reject = json!([{"inviteID": ours.id, "data": "no time"}]);
    alice.call("reject", &reject).unwrap();
    let rejected = hears_signal(from, SignalAction::Reject);
    assert_eq!((rejected.id, rejected.data.as_str()), (ours.id, "no time"));
    assert_eq!(rejected.invitees, ["alice"]);
    let other = chess();
    Troupe::wait(api.answer_invitation(&other, SignalAction::Cancel, "")).unwrap();
    let cancelled = alice.wait(0, "ts_invitation_cancelled");
    assert_eq!(cancelled["inviteID"], other.id);
    for pair in [Pair::SdkToBot, Pair::BotToSdk] {
        proven("signaling: invitations", pair);
    }
}
