//! Tests of answers: parsed fields, and errors instead of panics for malformed answers.

use super::*;
use proptest::prelude::*;

fn answer<C: Call>(_: &C, body: &Value) -> C::Answer {
    serde_json::from_value(body.clone()).unwrap()
}

#[test]
fn a_bad_entry_harms_no_other_and_unknown_fields_stay() {
    let page = answer(
        &group_member::GetMembers::new("g", 0, 9),
        &json!({"MemberNum": "2", "MemberList": [
            {"Member_Account": "a", "Role": "Owner", "New": 1}, 7, {"Member_Account": ["no"]},
            {"Member_Account": "b", "Role": "Admin", "ShutUpUntil": "9"}
        ]}),
    );
    assert_eq!((page.total, page.members.len()), (2, 2));
    assert_eq!(page.members[0].role(), group_member::Role::Owner);
    assert_eq!(page.members[0].extra["New"], 1);
    assert_eq!(page.members[1].muted_until, 9);
    assert!(group_member::Role::Owner > group_member::Role::Admin);
}

#[test]
fn conversations_of_both_kinds_are_read() {
    let page = answer(
        &conversation::GetConversations::new("alice"),
        &json!({"CompleteFlag": 1, "SessionItem": [
            {"Type": 1, "To_Account": "bob", "C2cNick": "Bob", "UnreadMsgCount": 3, "TopFlags": 1},
            {"Type": 2, "ToAccount": "g1", "GroupNick": "G", "MsgSeq": 50}
        ]}),
    );
    let [bob, group] = page.items.as_slice() else {
        panic!("{page:?}")
    };
    assert_eq!(bob.conversation(), Conversation::c2c("bob"));
    assert_eq!(
        (bob.name.as_str(), bob.unread, bob.pinned),
        ("Bob", 3, true)
    );
    assert_eq!(group.conversation(), Conversation::group("g1"));
    assert_eq!((group.name.as_str(), group.seq), ("G", 50));
}

/// Generates JSON with field names of the wire and arbitrary values.
fn odd_answers() -> impl Strategy<Value = Value> {
    const NAMES: &[&str] = &[
        "MemberList",
        "MsgList",
        "RspMsgList",
        "MsgBody",
        "MsgType",
        "MsgContent",
        "MsgSeq",
        "GroupInfo",
        "GroupIdList",
        "SelfInfo",
        "ResultItem",
        "SessionItem",
        "UserProfileItem",
        "ProfileItem",
        "ReadTime",
        "Complete",
        "IsFinished",
        "GroupAttrAry",
        "key",
        "rpt_pre_sig",
        "PendencyList",
        "ErrorCode",
        "To_Account",
        "LastMsg",
        "Value",
        "IsPlaceMsg",
        "MsgReactionSummary",
        "Results",
        "Reaction_Account",
        "ExtensionList",
        "Extension",
        "TopicAndSelfInfo",
        "TopicInfo",
        "TopicId",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
        "[0-9]{0,25}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(NAMES), inner), 0..6).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
        ]
    })
}

fn read_all(text: &str) {
    macro_rules! read {
        ($($answer:ty),* $(,)?) => { $( let _ = serde_json::from_str::<$answer>(text); )* };
    }
    read!(
        Done,
        c2c_message::Edited,
        receipt::ReadTimes,
        receive_option::MuteOptions,
        receive_option::DoNotDisturb,
        translation::Translated,
        speech::Recognised,
        group::Created,
        crate::op::group_application::Joined,
        crate::op::group_application::Applications,
        group_profile::Profiles,
        group_profile::JoinedPage,
        group_member::MemberPage,
        crate::op::group_application::Invited,
        group_message::Recalled,
        receipt::Receipts,
        receipt::Readers,
        group_attribute::Attributes,
        group_counter::Counters,
        conversation::Page,
        conversation::Results,
        profile::Profiles,
        user_status::Statuses,
        friend::Friends,
        blacklist::Blacklist,
        friend::Checked,
        media::PreSigned,
        media::SimpleSigned,
        media::ImageInfos,
        merger::MergedMessages,
        crate::op::reaction::Users,
        extension::Extensions,
        extension::ChangedExtensions,
        topic::CreatedTopic,
        topic::DeletedTopics,
        live_room::LiveMembers,
        live_room::RoomHistory,
        follow::Follows,
        follow::Counts,
        follow::Checked,
        crate::op::search::FoundUsers,
        crate::op::search::FoundGroups,
        crate::op::search::FoundMembers,
    );
    if let Ok(found) = serde_json::from_str::<crate::op::search::FoundMessages>(text) {
        let messages = found.conversations.iter().map(|found| found.messages("me"));
        let _ = messages.count();
    }
    if let Ok(reactions) = serde_json::from_str::<crate::op::reaction::Reactions>(text) {
        let _ = reactions.to(&message().id());
    }
    if let Ok(topics) = serde_json::from_str::<topic::Topics>(text) {
        let _ = topics.found().count();
    }
    if let Ok(page) = serde_json::from_str::<c2c_message::History>(text) {
        let _ = page.messages("me");
    }
    if let Ok(page) = serde_json::from_str::<group_message::History>(text) {
        let _ = (page.lowest(), page.messages("g", "me"));
    }
    if let Ok(pinned) = serde_json::from_str::<pin::Pinned>(text) {
        let _ = pinned.messages("g", "me");
    }
    let _ = crate::signaling::Signal::parse(text);
}

proptest! {
    #[test]
    fn no_answer_panics(answer in odd_answers(), text in "\\PC*") {
        read_all(&answer.to_string());
        read_all(&text);
    }

    #[test]
    fn a_cut_answer_does_not_panic(answer in odd_answers(), cut in any::<prop::sample::Index>()) {
        let text = answer.to_string();
        let chars: Vec<char> = text.chars().collect();
        let text: String = chars[..cut.index(chars.len() + 1)].iter().collect();
        read_all(&text);
    }
}
