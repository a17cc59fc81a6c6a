//! Searches for messages, users, groups and members.

use serde_json::{Value, json};

use super::{Login, World, config, send_body};

/// Alice has talked to Bob and Carol, and with Bob in two groups; Carol is in neither group.
fn talked() -> (World, [Login; 3]) {
    let mut world = World::new(config());
    let logins = ["alice", "bob", "carol"].map(|name| world.login(name));
    let said = [
        ("bob", "An Invoice, please"),
        ("bob", "thank you"),
        ("bob", "the second invoice"),
        ("carol", "no invoice for you"),
    ];
    for (n, (to, text)) in said.into_iter().enumerate() {
        let body = send_body("alice", to, n as u64 + 1, text);
        assert_eq!(
            world.call(&logins[0], "openim.sendmsg", &body)["ErrorCode"],
            0
        );
    }
    for (id, name, kind) in [
        ("billing", "Billing desk", "Public"),
        ("den", "Hidden Billing", "Private"),
    ] {
        let body = json!({
            "Type": kind, "Name": name, "GroupId": id, "Owner_Account": "alice",
            "MemberList": [{"Member_Account": "bob"}],
        });
        let made = world.call(&logins[0], "group_open_http_svc.create_group", &body);
        assert_eq!(made["ErrorCode"], 0, "{made}");
        let body = json!({
            "GroupId": id, "From_Account": "bob", "Random": 7, "MsgBody": [
                {"MsgType": "TIMTextElem", "MsgContent": {"Text": "invoice of the group"}}],
        });
        let sent = world.call(&logins[1], "group_open_http_svc.send_group_msg", &body);
        assert_eq!(sent["ErrorCode"], 0, "{sent}");
    }
    (world, logins)
}

fn search(world: &mut World, login: &Login, body: &Value) -> Value {
    world.call(login, "message_search.query", body)
}

#[test]
fn messages_are_counted_by_conversation_and_listed_within_one() {
    let (mut world, [alice, bob, carol]) = talked();
    let all = search(
        &mut world,
        &alice,
        &json!({"KeywordList": ["INVOICE"], "Count": 10}),
    );
    assert_eq!(all["TotalCount"], 5);
    let of = |all: &Value, field: &str, name: &str| {
        let found = all["ConversationMsgs"].as_array().unwrap().iter();
        let found: Vec<Value> = found
            .filter(|found| found[field] == name)
            .cloned()
            .collect();
        assert!(found.len() <= 1);
        found.into_iter().next().unwrap_or_default()
    };
    let bobs = of(&all, "UserID", "bob");
    assert_eq!(
        (&bobs["Count"], &bobs["MessageList"]),
        (&json!(2), &json!([]))
    );
    let carols = of(&all, "UserID", "carol");
    assert_eq!(carols["MessageList"][0]["MsgRandom"], 4);
    assert_eq!(
        of(&all, "GroupID", "den")["MessageList"][0]["From_Account"],
        "bob"
    );
    let one = json!({"KeywordList": ["invoice"], "PeerAccount": "bob", "Count": 1});
    let page = search(&mut world, &alice, &one);
    assert_eq!(
        (&page["TotalCount"], &page["Cursor"]),
        (&json!(2), &json!("1"))
    );
    assert_eq!(
        page["ConversationMsgs"][0]["MessageList"][0]["MsgRandom"], 3,
        "newest first"
    );
    let mut next = one;
    next["Cursor"] = page["Cursor"].clone();
    let page = search(&mut world, &alice, &next);
    assert_eq!(
        page["ConversationMsgs"][0]["MessageList"][0]["MsgRandom"],
        1
    );
    assert_eq!(page["Cursor"], "");
    let theirs = search(&mut world, &carol, &json!({"KeywordList": ["invoice"]}));
    assert_eq!(theirs["TotalCount"], 1, "only what Carol may read");
    let theirs = search(
        &mut world,
        &carol,
        &json!({"KeywordList": ["invoice"], "GroupID": "den"}),
    );
    assert_eq!(theirs["TotalCount"], 0);
    let own = search(&mut world, &bob, &json!({"SendUserIDList": ["bob"]}));
    assert_eq!(own["TotalCount"], 2);
}

#[test]
fn what_was_said_in_a_topic_is_found_there() {
    let (mut world, [alice, ..]) = talked();
    let service = |command: &str| format!("million_group_open_http_svc.{command}");
    let (club, topic) = ("@TGS#_club", "@TGS#_club@TOPIC#_t");
    let made = json!({
        "Type": "Community", "Name": "Club", "GroupId": club, "SupportTopic": 1,
        "Owner_Account": "alice",
    });
    let opened = json!({"GroupId": club, "TopicId": topic, "TopicName": "t"});
    let said = json!({
        "GroupId": club, "TopicId": topic, "From_Account": "alice", "Random": 9, "MsgBody": [
            {"MsgType": "TIMTextElem", "MsgContent": {"Text": "the lighthouse"}}],
    });
    for (command, body) in [
        ("create_group", &made),
        ("create_topic", &opened),
        ("send_group_msg", &said),
    ] {
        let answer = world.call(&alice, &service(command), body);
        assert_eq!(answer["ErrorCode"], 0, "{command}: {answer}");
    }
    let found = search(&mut world, &alice, &json!({"KeywordList": ["lighthouse"]}));
    assert_eq!(found["ConversationMsgs"][0]["GroupID"], topic);
    assert_eq!(found["TotalCount"], 1);
}

#[test]
fn words_types_senders_and_times_narrow_it() {
    let (mut world, [alice, ..]) = talked();
    let rows = [
        (json!({"KeywordList": ["second", "thank"]}), 2),
        (
            json!({"KeywordList": ["second", "thank"], "MatchType": "and"}),
            0,
        ),
        (
            json!({"KeywordList": ["second", "invoice"], "MatchType": "and"}),
            1,
        ),
        (
            json!({"KeywordList": ["invoice"], "SendUserIDList": ["bob"]}),
            2,
        ),
        (
            json!({"KeywordList": ["invoice"], "MsgTypeList": ["TIMCustomElem"]}),
            0,
        ),
        (
            json!({"MsgTypeList": ["TIMTextElem"], "PeerAccount": "bob"}),
            3,
        ),
        (json!({"KeywordList": ["invoice"], "EndTime": 5}), 0),
        (json!({"KeywordList": ["invoice"], "StartTime": 5}), 5),
    ];
    for (body, total) in rows {
        let found = search(&mut world, &alice, &body);
        assert_eq!(found["TotalCount"], total, "{body}");
    }
    for body in [
        json!({}),
        json!({"KeywordList": [""]}),
        json!({"KeywordList": 7}),
    ] {
        assert_eq!(
            search(&mut world, &alice, &body)["ErrorCode"],
            27003,
            "{body}"
        );
    }
    let withdraw = json!({"MsgInfo": {
        "From_Account": "alice", "To_Account": "carol", "MsgSeq": 4, "MsgRandom": 4,
        "MsgTimeStamp": super::START,
    }});
    let done = world.call(&alice, "openim.msgwithdraw", &withdraw);
    assert_eq!(done["ErrorCode"], 0, "{done}");
    let found = search(
        &mut world,
        &alice,
        &json!({"KeywordList": ["invoice"], "PeerAccount": "carol"}),
    );
    assert_eq!(found["TotalCount"], 0, "what was recalled is not found");
}

#[test]
fn users_groups_and_members_are_found_by_their_names() {
    let (mut world, [alice, _, carol]) = talked();
    let nick = json!({"From_Account": "carol", "ProfileItem": [
        {"Tag": "Tag_Profile_IM_Nick", "Value": "Caroline B."},
        {"Tag": "Tag_Profile_IM_Gender", "Value": "Gender_Type_Female"},
        {"Tag": "Tag_Profile_IM_Level", "Value": 3}]});
    world.call(&carol, "profile.portrait_set", &nick);
    let found = world.call(
        &alice,
        "user_search.query",
        &json!({"Keywords": ["caroline"]}),
    );
    assert_eq!(found["TotalCount"], 1);
    assert_eq!(found["Users"][0]["UserID"], "carol");
    let items = found["Users"][0]["ProfileItems"].as_array().unwrap();
    let level = json!({"Tag": "Tag_Profile_IM_Level", "IntValue": 3});
    assert!(items.contains(&level), "{items:?}");
    let words = json!({"Keywords": ["billing"], "Count": 1});
    let found = world.call(&alice, "group_search.query", &words);
    assert_eq!(
        (&found["TotalCount"], &found["Cursor"]),
        (&json!(2), &json!("1"))
    );
    assert_eq!(found["Groups"][0]["GroupName"], "Billing desk");
    let found = world.call(&carol, "group_search.query", &words);
    assert_eq!(found["TotalCount"], 1, "a Work group is for its members");
    let only = json!({"Keywords": ["billing"], "GroupType": ["Private"]});
    let found = world.call(&alice, "group_search.query", &only);
    assert_eq!(found["Groups"][0]["GroupID"], "den");
    let words = json!({"Keywords": ["bob"], "GroupIdList": ["den"]});
    let found = world.call(&alice, "group_member_search.query", &words);
    assert_eq!(found["TotalCount"], 1);
    assert_eq!(found["GroupMembers"][0]["GroupMemberUserID"], "bob");
    let found = world.call(&carol, "group_member_search.query", &words);
    assert_eq!(found["TotalCount"], 0, "Carol is in no group");
    for service in ["user_search", "group_search", "group_member_search"] {
        let answer = world.call(&alice, &format!("{service}.query"), &json!({}));
        assert_eq!(answer["ErrorCode"], 27003);
    }
}
