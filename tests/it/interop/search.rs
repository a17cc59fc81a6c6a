//! Tests of followers, and of searches for messages, users, groups and members, between official
//! SDKs and bots.

use botroupe::prelude::*;
use botroupe::proto::op::follow::Tie;
use botroupe::proto::op::search::{SearchGroups, SearchMembers, SearchMessages, SearchUsers};
use botroupe::proto::update::FollowChange;
use serde_json::{Value, json};

use super::{
    Page, Troupe,
    compat::{Pair, proven},
    groups::{found, page, settle_in},
    sdk,
};
use crate::harness::sandbox;

/// Returns the names in a list of the SDK.
fn names(page: &Page, list: &str) -> Vec<String> {
    let answer = page.data(list, &json!([]));
    let items = answer["resultList"].as_array().unwrap().iter();
    items
        .map(|item| item["userID"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn sdks_follow_each_other() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    let marks = (alice.mark(), bob.mark());
    let done = alice.data("followUser", &json!([["bob"]]));
    assert_eq!(
        (&done[0]["userID"], &done[0]["resultCode"]),
        (&json!("bob"), &json!(0))
    );
    let told = bob.wait(marks.1, "onMyFollowersListUpdated");
    assert_eq!(
        (&told["isAdd"], &told["userInfoList"][0]["userID"]),
        (&json!(true), &json!("alice"))
    );
    let told = alice.wait(marks.0, "onMyFollowingListUpdated");
    assert_eq!(told["userInfoList"][0]["userID"], "bob");
    let marks = (alice.mark(), bob.mark());
    bob.data("followUser", &json!([["alice"]]));
    for (page, mark, other) in [(&alice, marks.0, "bob"), (&bob, marks.1, "alice")] {
        let told = page.wait(mark, "onMutualFollowersListUpdated");
        assert_eq!(told["userInfoList"][0]["userID"], other);
        for list in [
            "getMyFollowersList",
            "getMyFollowingList",
            "getMutualFollowersList",
        ] {
            assert_eq!(names(page, list), [other], "{list}");
        }
    }
    let counts = alice.data("getUserFollowInfo", &json!([["bob"]]));
    assert_eq!(
        counts[0],
        json!({"followersCount": 1, "followingCount": 1, "mutualFollowersCount": 1})
    );
    let mark = bob.mark();
    alice.data("unfollowUser", &json!([["bob"]]));
    let told = bob.wait(mark, "onMyFollowersListUpdated");
    assert_eq!(
        told,
        json!({"isAdd": false, "userInfoList": ["alice"]}),
        "the SDK names those who go by their IDs"
    );
    let checked = alice.data("checkFollowType", &json!([["bob"]]));
    assert_eq!(checked, json!([{"userID": "bob", "followType": 1}]));
    proven("people: followers", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn sdks_and_bots_follow_each_other() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("follow-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let alice = page(sdk, &sandbox, "alice");
    let learns = |what: &str, added: bool, list: u32| -> FollowChange {
        bot.learns(mark, what, |update| match update {
            Update::Follows(change) => {
                let mut changes = change.changes.iter();
                let fits = changes.any(|diff| diff.added == added && diff.list == list);
                fits.then(|| change.clone())
            }
            _ => None,
        })
    };
    alice.data("followUser", &json!([[me]]));
    assert_eq!(learns("a follower", true, 1).user, "alice");
    let followers = Troupe::wait(api.followers()).unwrap();
    assert_eq!(followers.len(), 1);
    assert_eq!(
        (followers[0].user.as_str(), followers[0].nick()),
        ("alice", "alice")
    );
    assert!(followers[0].since > 1_700_000_000);
    alice.data("unfollowUser", &json!([[me]]));
    assert_eq!(learns("that it is gone", false, 1).user, "alice");
    proven("people: followers", Pair::SdkToBot);

    let page_mark = alice.mark();
    Troupe::wait(api.follow(["alice"])).unwrap();
    let told = alice.wait(page_mark, "onMyFollowersListUpdated");
    assert_eq!(told["userInfoList"][0]["userID"], me);
    assert_eq!(learns("whom it follows", true, 2).user, "alice");
    let following = Troupe::wait(api.following()).unwrap();
    assert_eq!((following.len(), &*following[0].user), (1, "alice"));
    assert!(Troupe::wait(api.mutual_followers()).unwrap().is_empty());
    let checked = Troupe::wait(api.check_follows(["alice"])).unwrap();
    assert_eq!(checked[0].tie(), Tie::Following);
    let counts = Troupe::wait(api.follow_counts(["alice", me])).unwrap();
    assert_eq!((counts[0].followers, counts[1].following), (1, 1));
    let refused = Troupe::wait(api.follow([me])).unwrap_err();
    assert_eq!(refused.code(), Some(Code::FRIEND_PARAMETER));
    let page_mark = alice.mark();
    Troupe::wait(api.unfollow(["alice"])).unwrap();
    let told = alice.wait(page_mark, "onMyFollowersListUpdated");
    assert_eq!(told["isAdd"], false);
    proven("people: followers", Pair::BotToSdk);
}

/// Returns the texts that the SDK finds in one conversation, newest first.
fn texts(page: &Page, word: &str, conversation: &str) -> Vec<Value> {
    let search = json!([{"keywordList": [word], "conversationID": conversation}]);
    let found = page.data("searchCloudMessages", &search);
    let list = &found["searchResultList"][0];
    assert_eq!(list["conversationID"], conversation, "{found}");
    let messages = list["messageList"].as_array().unwrap().iter();
    messages
        .map(|message| message["payload"]["text"].clone())
        .collect()
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn sdks_find_what_was_said_and_who_is_there() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found(&alice, "Public", "lost-property", &["bob"]);
    settle_in(&bob, "lost-property");
    for text in ["a red umbrella", "a cap", "the second Umbrella"] {
        alice.say("bob", text);
        let options = json!({
            "to": "lost-property", "conversationType": "GROUP", "payload": {"text": text},
        });
        alice.call("send", &json!(["Text", options])).unwrap();
    }
    let expected = [json!("the second Umbrella"), json!("a red umbrella")];
    assert_eq!(texts(&bob, "umbrella", "C2Calice"), expected);
    assert_eq!(texts(&bob, "umbrella", "GROUPlost-property"), expected);
    let all = bob.data("searchCloudMessages", &json!([{"keywordList": ["cap"]}]));
    assert_eq!(
        (&all["totalCount"], &all["cursor"]),
        (&json!(2), &json!(""))
    );
    for list in all["searchResultList"].as_array().unwrap() {
        assert_eq!(list["messageList"][0]["payload"]["text"], "a cap");
    }
    let words = json!([{"keywordList": ["ali"]}]);
    let users = bob.data("searchCloudUsers", &words);
    assert_eq!(users["searchResultList"][0]["userID"], "alice");
    let members = bob.data("searchCloudGroupMembers", &words);
    let group = &members["searchResultList"][0];
    assert_eq!(group["groupInfo"]["groupID"], "lost-property");
    assert_eq!(group["memberList"][0]["userID"], "alice");
    let words = json!([{"keywordList": ["lost"]}]);
    let groups = bob.data("searchCloudGroups", &words);
    let group = &groups["searchResultList"][0];
    assert_eq!(
        (&group["groupID"], &group["type"], &group["ownerID"]),
        (&json!("lost-property"), &json!("Public"), &json!("alice"))
    );
    proven("other: searches", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn bots_find_what_sdks_say_and_sdks_what_bots_say() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("search-bot", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let alice = page(sdk, &sandbox, "alice");
    found(&alice, "Public", "finds", &[me]);
    alice.say(me, "where is my parcel?");
    let options = json!({
        "to": "finds", "conversationType": "GROUP", "payload": {"text": "my parcel came"},
    });
    alice.call("send", &json!(["Text", options])).unwrap();
    bot.hears_text(mark, "my parcel came");
    let all = Troupe::wait(api.search_messages(&SearchMessages::new(["PARCEL"]))).unwrap();
    assert_eq!(all.total, 2);
    let single = |group: bool| {
        let mut found = all.conversations.iter();
        let found =
            found.find(|found| matches!(found.conversation(), Conversation::Group(_)) == group);
        let messages = found.unwrap().messages(api.me());
        assert_eq!(messages.len(), 1);
        (
            messages[0].text().unwrap_or_default().to_owned(),
            messages[0].from.to_string(),
        )
    };
    assert_eq!(
        single(false),
        ("where is my parcel?".into(), "alice".into())
    );
    assert_eq!(single(true), ("my parcel came".into(), "alice".into()));
    let here = SearchMessages::new(["parcel"])
        .place(Conversation::group("finds"))
        .from(["alice"]);
    let here = Troupe::wait(api.search_messages(&here)).unwrap();
    assert_eq!((here.total, here.cursor.as_str()), (1, ""));
    let said = here.conversations[0].messages(api.me());
    assert_eq!(said[0].conversation, Conversation::group("finds"));
    let users = Troupe::wait(api.search_users(&SearchUsers::new(["ALI"]))).unwrap();
    assert_eq!(
        (&*users.users[0].user, users.users[0].nick()),
        ("alice", "alice")
    );
    let groups = SearchGroups::new(["find"]).types(["Public"]);
    let groups = Troupe::wait(api.search_groups(&groups)).unwrap();
    assert_eq!(
        (&*groups.groups[0].group, groups.groups[0].members),
        ("finds", 2)
    );
    let members = SearchMembers::new(["alice"]).groups(["finds"]);
    let members = Troupe::wait(api.search_members(&members)).unwrap();
    assert_eq!(members.members[0].user, "alice");
    let texts_only = SearchMessages::new(Vec::<String>::new()).types(["TIMTextElem"]);
    assert_eq!(
        Troupe::wait(api.search_messages(&texts_only))
            .unwrap()
            .total,
        2
    );
    let six = ["a", "b", "c", "d", "e", "f"];
    let refused = Troupe::wait(api.search_users(&SearchUsers::new(six))).unwrap_err();
    assert!(matches!(refused, ApiError::TooMany { .. }), "{refused}");
    proven("other: searches", Pair::SdkToBot);

    Troupe::wait(api.send_text("alice", "it is at the counter")).unwrap();
    let conversation = format!("C2C{me}");
    assert_eq!(
        texts(&alice, "counter", &conversation),
        [json!("it is at the counter")]
    );
    proven("other: searches", Pair::BotToSdk);
}
