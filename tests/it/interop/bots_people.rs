//! Profiles, status and invitations, between the official SDK and a bot.

use std::time::Duration;

use botroupe::prelude::*;
use serde_json::json;

use super::{
    Troupe,
    compat::{Pair, proven},
    groups::page,
    sdk,
};
use crate::harness::sandbox;

#[test]
fn profiles_and_status_are_the_same_on_both_sides() {
    let Some(sdk) = sdk() else { return };
    let sandbox = sandbox(|_| ());
    let me = "known-bot";
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let alice = page(sdk, &sandbox, "alice");
    let change = SetProfile::new()
        .nick("Robo 🤖")
        .avatar("https://example.invalid/r.png")
        .signature("at your service");
    Troupe::wait(api.set_profile(change)).unwrap();
    let profiles = alice.data("getUserProfile", &json!([{"userIDList": [me]}]));
    assert_eq!(profiles[0]["nick"], "Robo 🤖");
    assert_eq!(profiles[0]["avatar"], "https://example.invalid/r.png");
    assert_eq!(profiles[0]["selfSignature"], "at your service");
    let hers = json!([{"nick": "Alice 爱丽丝", "selfSignature": "hi"}]);
    alice.call("updateMyProfile", &hers).unwrap();
    let profile = Troupe::wait(api.profile("alice")).unwrap();
    assert_eq!(
        (profile.nick(), profile.signature()),
        ("Alice 爱丽丝", "hi")
    );

    let statuses = Troupe::wait(api.status(["alice", me])).unwrap();
    assert!(
        statuses.iter().all(|status| status.is_online()),
        "{statuses:?}"
    );
    let theirs = alice.data("getUserStatus", &json!([{"userIDList": [me]}]));
    assert_eq!(theirs["successUserList"][0]["statusType"], 1, "{theirs}");
    for pair in [Pair::SdkToBot, Pair::BotToSdk] {
        proven("people: profiles", pair);
        proven("people: online status", pair);
    }
}

#[test]
fn invitations_are_made_and_answered_on_both_sides() {
    let Some(sdk) = sdk() else { return };
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

    let events = json!([[
        "newInvitationReceived",
        "ts_invitee_accepted",
        "ts_invitation_cancelled"
    ]]);
    alice.call("listen", &events).unwrap();

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

    let chess = || Troupe::wait(api.invite("alice", "chess", Duration::from_secs(30))).unwrap();
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
