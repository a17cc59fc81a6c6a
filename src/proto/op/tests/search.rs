//! Tests of followers, searches and live room members: requests in the form of the official client,
//! and parsed answers and pushes.

use super::{looks, users};
use crate::event::Notice;
use crate::events::read_event;
use crate::message::Conversation;
use crate::op::follow::{
    CheckFollows, Checked, Counts, Follow, Follows, GetCounts, GetFollows, Tie, Unfollow,
};
use crate::op::live_room::{Ban, GetLiveMembers, LiveMembers, MarkMembers};
use crate::op::search::{
    FoundGroups, FoundMembers, FoundMessages, FoundUsers, SearchGroups, SearchMembers,
    SearchMessages, SearchUsers,
};
use crate::update::{FollowDiff, Update};
use serde_json::json;
use serde_json::value::to_raw_value;

#[test]
fn follow_requests() {
    let (me, them) = ("alice".to_owned(), users(&["bob"]));
    looks(
        &Follow::new("alice", them.clone()),
        "follow.follow_add",
        json!({"From_Account": "alice", "FollowItem": [{"To_Account": "bob"}]}),
    );
    let body = json!({"From_Account": "alice", "To_Account": ["bob"]});
    let unfollow = Unfollow {
        me: me.clone(),
        users: them.clone(),
    };
    looks(&unfollow, "follow.follow_delete", body.clone());
    let counts = GetCounts {
        me: me.clone(),
        users: them.clone(),
    };
    looks(&counts, "follow.follow_get_info", body.clone());
    looks(
        &CheckFollows { me, users: them },
        "follow.follow_check",
        body,
    );
    for (tie, number) in [(Tie::Follower, 1), (Tie::Following, 2), (Tie::Mutual, 3)] {
        assert_eq!(Tie::of(number), tie);
        looks(
            &GetFollows::new("alice", tie),
            "follow.follow_get",
            json!({"From_Account": "alice", "FollowType": number, "StartCursor": "", "WantNum": 500}),
        );
    }
    assert_eq!((Tie::of(0), Tie::of(9)), (Tie::None, Tie::None));
}

#[test]
fn pages_of_follows_end_with_an_empty_cursor_or_one_that_stands_still() {
    let page = |next: &str, items: usize| -> Follows {
        let items: Vec<_> = (0..items)
            .map(|n| json!({"To_Account": n.to_string()}))
            .collect();
        serde_json::from_value(json!({"FollowItem": items, "NextCursor": next})).unwrap()
    };
    let mut request = GetFollows::new("alice", Tie::Following);
    assert!(request.go_on(&page("a", 2)));
    assert_eq!(serde_json::to_value(&request).unwrap()["StartCursor"], "a");
    assert!(!request.go_on(&page("a", 2)), "it stands still");
    assert!(!request.go_on(&page("", 2)), "the last one");
    assert!(!request.go_on(&page("b", 0)), "nothing in it");
}

#[test]
fn what_is_said_about_follows_is_read() {
    let counts: Counts = serde_json::from_value(json!({"FollowInfo": [
        {"To_Account": "bob", "ResultCode": 0, "FollowerCount": 3, "FollowingCount": "2", "MutualFollowingCount": 1}]}))
    .unwrap();
    let count = &counts.items[0];
    assert_eq!(
        (
            count.result.user.as_str(),
            count.followers,
            count.following,
            count.mutual
        ),
        ("bob", 3, 2, 1)
    );
    let checked: Checked = serde_json::from_value(json!({"ResultItem": [
        {"To_Account": "bob", "FollowType": 3}, {"To_Account": "eve", "ResultCode": 30003}]}))
    .unwrap();
    assert_eq!(
        (checked.items[0].tie(), checked.items[1].tie()),
        (Tie::Mutual, Tie::None)
    );
    assert!(!checked.items[1].result.is_ok());
    let event = json!({"Event": 33, "FollowChangeList": [{"From_Account": "bob", "Nick": "Bob",
        "FollowDiffList": [{"IsAdd": 1, "FollowType": 1}, {"IsAdd": 0, "FollowType": 3}]}]});
    let notices = read_event(&to_raw_value(&event).unwrap());
    let [Notice::Update(update)] = &notices[..] else {
        panic!("{notices:?}");
    };
    let Update::Follows(change) = &**update else {
        panic!("{update:?}");
    };
    let diff = |added, list| FollowDiff { added, list };
    assert_eq!(change.user, "bob");
    assert_eq!(change.changes, [diff(true, 1), diff(false, 3)]);
    assert_eq!(change.extra["Nick"], "Bob");
}

#[test]
fn search_requests() {
    looks(
        &SearchMessages::new(["hi"]),
        "message_search.query",
        json!({"KeywordList": ["hi"], "MatchType": "or", "Count": 100}),
    );
    looks(
        &SearchMessages::new(["a", "b"])
            .all_words()
            .place(Conversation::group("g"))
            .from(["al"])
            .types(["TIMTextElem"])
            .within(1, 2)
            .after("c"),
        "message_search.query",
        json!({"KeywordList": ["a", "b"], "MatchType": "and", "GroupID": "g", "Count": 100, "Cursor": "c",
            "MsgTypeList": ["TIMTextElem"], "SendUserIDList": ["al"], "StartTime": 1, "EndTime": 2}),
    );
    let in_chat =
        serde_json::to_value(SearchMessages::new(["a"]).place(Conversation::c2c("bob"))).unwrap();
    assert_eq!(
        (&in_chat["PeerAccount"], in_chat.get("GroupID")),
        (&json!("bob"), None)
    );
    looks(
        &SearchUsers::new(["a"]).all_words().after("7"),
        "user_search.query",
        json!({"Keywords": ["a"], "KeywordMatchType": 1, "Count": 100, "Cursor": "7"}),
    );
    looks(
        &SearchGroups::new(["a"]).types(["Public"]),
        "group_search.query",
        json!({"Keywords": ["a"], "KeywordMatchType": 0, "Count": 100, "GroupType": ["Public"]}),
    );
    looks(
        &SearchMembers::new(["a"]).groups(["g"]),
        "group_member_search.query",
        json!({"Keywords": ["a"], "KeywordMatchType": 0, "Count": 100, "GroupIdList": ["g"]}),
    );
}

#[test]
fn what_was_found_is_read_and_what_is_odd_left_out() {
    let message = |from: &str| {
        json!({"From_Account": from, "To_Account": "me", "MsgSeq": 1, "MsgRandom": 2, "MsgTimeStamp": 3,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hit"}}]})
    };
    let found: FoundMessages = serde_json::from_value(json!({
    "TotalCount": "4", "Cursor": "x", "ConversationMsgs": [
        {"UserID": "al", "Count": 1, "MessageList": [message("al"), 7, {"MsgBody": 7}]},
        {"GroupID": "g", "Count": 2, "MessageList": [message("bo")]}, "odd",
    ]}))
    .unwrap();
    assert_eq!(
        (
            found.total,
            found.cursor.as_str(),
            found.conversations.len()
        ),
        (4, "x", 2)
    );
    let [c2c, group] = &found.conversations[..] else {
        panic!();
    };
    assert_eq!(c2c.conversation(), Conversation::c2c("al"));
    let messages = c2c.messages("me");
    assert_eq!((messages.len(), messages[0].text()), (1, Some("hit")));
    assert_eq!(
        (group.conversation(), group.count),
        (Conversation::group("g"), 2)
    );
    assert_eq!(&*group.messages("me")[0].from, "bo");
    let users: FoundUsers = serde_json::from_value(json!({"Users": [{"UserID": "al", "ProfileItems": [
        {"Tag": "Tag_Profile_IM_Nick", "StrValue": "Al"}, {"Tag": "Tag_Profile_IM_Level", "IntValue": 3}, 7]}]}))
    .unwrap();
    assert_eq!(users.users[0].nick(), "Al");
    assert_eq!(users.users[0].fields[1].value, 3);
    let groups: FoundGroups = serde_json::from_value(
        json!({"Groups": [{"GroupID": "g", "GroupName": "G", "GroupMemberNum": 2, "GroupFaceUrl": "f"}]}),
    )
    .unwrap();
    assert_eq!(
        (&*groups.groups[0].name, groups.groups[0].members),
        ("G", 2)
    );
    assert_eq!(groups.groups[0].extra["GroupFaceUrl"], "f");
    let members: FoundMembers = serde_json::from_value(
        json!({"GroupMembers": [{"GroupID": "g", "GroupMemberUserID": "al", "GroupMemberNameCard": "A"}]}),
    )
    .unwrap();
    assert_eq!(
        (&*members.members[0].user, &*members.members[0].name_card),
        ("al", "A")
    );
}

#[test]
fn what_was_said_in_live_rooms_is_asked_for_and_read() {
    use crate::message::Message;
    use crate::op::group_application::Joined;
    use crate::op::live_room::{GetRoomHistory, RoomHistory};
    let said = json!({"Event": 3, "From_Account": "al", "MsgSeq": "7", "IsHistoryMessage": 1, "MsgBody": [
        {"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}},
    ]});
    let short = json!({"E": 3, "F_Account": "me", "MS": 8, "MsgBody": []});
    let tip = json!({"Event": 4, "MsgBody": {"OpType": 1}});
    let joined: Joined = serde_json::from_value(json!({
        "JoinedStatus": "JoinedSuccess", "HugeGroupFlag": 1, "LongPollingKey": "k", "StartSeq": 9,
        "RspMsgList": [said, tip, 5, null, short],
    }))
    .unwrap();
    let history = joined.history("room", "me");
    let seen = |message: &Message| (message.conversation.clone(), message.seq, message.is_own);
    let room = Conversation::group("room");
    assert_eq!(
        history.iter().map(seen).collect::<Vec<_>>(),
        [(room.clone(), 7, false), (room, 8, true)]
    );
    looks(
        &GetRoomHistory::new("room", &joined, 7),
        "group_open_http_svc.get_huge_group_msg",
        json!({"GroupId": "room", "LongPollingKey": "k", "PullPreSeq": 7}),
    );
    let answer: RoomHistory = serde_json::from_value(json!({"RspMsgList": [said]})).unwrap();
    assert_eq!(answer.messages("room", "me")[0].text(), Some("hi"));
    // Other groups have no history.
    let joined: Joined = serde_json::from_value(json!({"RspMsgList": null})).unwrap();
    assert!(joined.history("room", "me").is_empty());
}

#[test]
fn members_of_live_rooms_are_asked_for_and_marked() {
    let mut request = GetLiveMembers {
        room: "room".to_owned(),
        start: 0,
        mark: None,
    };
    let command = "group_open_avchatroom_http_svc.get_members";
    looks(
        &request,
        command,
        json!({"GroupId": "room", "Timestamp": 0}),
    );
    request.mark = Some(1001);
    looks(
        &request,
        command,
        json!({"GroupId": "room", "Timestamp": 0, "Mark": 1001}),
    );
    looks(
        &Ban {
            room: "room".to_owned(),
            users: users(&["al"]),
            seconds: 60,
            reason: "spam".to_owned(),
        },
        "group_open_http_svc.ban_group_member",
        json!({"GroupId": "room", "Members_Account": ["al"], "Duration": 60, "Description": "spam"}),
    );
    for (give, kind) in [(true, 1), (false, 2)] {
        looks(
            &MarkMembers::new("room", users(&["al"]), 1001, give),
            "group_open_avchatroom_http_svc.modify_user_info",
            json!({"GroupId": "room", "CommandType": kind,
                "MemberList": [{"Member_Account": "al", "Marks": [1001]}]}),
        );
    }
    let page: LiveMembers = serde_json::from_value(json!({"NextTimestamp": "9", "MemberList": [
        {"Member_Account": "al", "NickName": "Al", "Avatar": "f", "JoinTime": 5, "Marks": [1001], "X": 1}, 7]}))
    .unwrap();
    let member = &page.members[0];
    assert_eq!((page.next, page.members.len()), (9, 1));
    assert_eq!(
        (&*member.user, &*member.nick, &*member.face_url),
        ("al", "Al", "f")
    );
    assert_eq!(
        (member.joined, &member.marks, &member.extra["X"]),
        (5, &vec![1001], &json!(1))
    );
}
