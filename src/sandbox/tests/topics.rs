//! Topics of Communities.

use serde_json::{Value, json};

use super::{Login, World, config};

const CLUB: &str = "@TGS#_club";

impl World {
    fn club(&mut self, login: &Login, command: &str, body: &Value) -> Value {
        let mut body = body.clone();
        body["GroupId"] = CLUB.into();
        self.call(
            login,
            &format!("million_group_open_http_svc.{command}"),
            &body,
        )
    }

    fn club_code(&mut self, login: &Login, command: &str, body: &Value) -> i64 {
        self.club(login, command, body)["ErrorCode"]
            .as_i64()
            .unwrap()
    }

    /// Sends a text in a topic; returns its number.
    fn say_in(&mut self, login: &Login, topic: &str, number: u64, text: &str) -> Value {
        let body = json!({
            "TopicId": topic, "From_Account": login.user, "Random": number, "ClientSeq": number,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
        });
        self.club(login, "send_group_msg", &body)
    }
}

/// A Community owned by Alice with Bob as a member, and one topic.
fn club() -> (World, Login, Login, String) {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let body = json!({
        "Type": "Community", "Name": "Club", "Owner_Account": "alice", "SupportTopic": 1,
        "MemberList": [{"Member_Account": "bob"}], "ApplyJoinOption": "FreeAccess",
    });
    assert_eq!(world.club_code(&alice, "create_group", &body), 0);
    world.pushes(bob.conn);
    let created = world.club(
        &alice,
        "create_topic",
        &json!({"TopicName": "News", "Introduction": "i"}),
    );
    let topic = created["TopicId"].as_str().unwrap().to_owned();
    (world, alice, bob, topic)
}

#[test]
fn a_topic_is_made_told_of_listed_changed_and_removed() {
    let (mut world, alice, bob, topic) = club();
    assert!(topic.starts_with("@TGS#_club@TOPIC#_"));
    let event = world.events(bob.conn).remove(0);
    let notice = &event["GroupTips"][0];
    assert_eq!(notice["MsgBody"]["ReportType"], 17);
    assert_eq!(
        (
            &notice["GroupInfo"]["GroupId"],
            &notice["GroupInfo"]["TopicId"],
            &notice["GroupInfo"]["MillionGroupFlag"]
        ),
        (&json!(CLUB), &json!(topic), &json!(2))
    );
    let listed = world.club(&bob, "get_topic", &json!({"TopicIdList": []}));
    let item = &listed["TopicAndSelfInfo"][0];
    assert_eq!(
        (
            &item["TopicInfo"]["TopicName"],
            &item["TopicInfo"]["LastMsgSeq"]
        ),
        (&json!("News"), &json!(0))
    );
    let change = json!({"TopicId": topic, "TopicName": "Old news", "CustomString": "c", "ShutUpAllMember": "On"});
    assert_eq!(world.club_code(&alice, "modify_topic", &change), 0);
    let event = world.events(bob.conn).remove(0);
    let tip = &event["GroupTips"][0];
    assert_eq!(
        (&event["Event"], &tip["MsgBody"]["OpType"]),
        (&json!(6), &json!(8))
    );
    assert_eq!(
        tip["MsgBody"]["MsgTopicNewInfo"],
        json!({"TopicName": "Old news", "CustomString": "c", "ShutupAll": 1})
    );
    assert_eq!(
        world.say_in(&bob, &topic, 1, "x")["ErrorCode"],
        10017,
        "only owner and admins"
    );
    assert_eq!(world.say_in(&alice, &topic, 1, "x")["ErrorCode"], 0);
    world.pushes(bob.conn);
    let delete = json!({"TopicIdList": [topic, "@TGS#_club@TOPIC#_none"]});
    let results = world.club(&alice, "destroy_topic", &delete)["DestroyResultItem"].clone();
    assert_eq!(
        (&results[0]["ErrorCode"], &results[1]["ErrorCode"]),
        (&json!(0), &json!(10010))
    );
    let event = world.events(bob.conn).remove(0);
    let body = &event["GroupTips"][0]["MsgBody"];
    assert_eq!(
        (&body["ReportType"], &body["TopicIdArray"]),
        (&json!(18), &json!([topic]))
    );
    let listed = world.club(&bob, "get_topic", &json!({"TopicIdList": []}));
    assert_eq!(listed["TopicAndSelfInfo"], json!([]));
}

#[test]
fn what_is_said_in_a_topic_has_its_own_numbers_history_and_read_state() {
    let (mut world, alice, bob, topic) = club();
    world.pushes(bob.conn);
    let first = world.say_in(&alice, &topic, 1, "hello");
    assert_eq!(
        (&first["ErrorCode"], &first["MsgSeq"]),
        (&json!(0), &json!(1))
    );
    let event = world.events(bob.conn).remove(0);
    let message = &event["GroupMsgArray"][0];
    assert_eq!(
        (&message["ToGroupId"], &message["GroupInfo"]["TopicId"]),
        (&json!(CLUB), &json!(topic))
    );
    let page = world.club(
        &bob,
        "group_msg_get",
        &json!({"TopicId": topic, "ReqMsgNumber": 20, "ReqMsgSeq": 0}),
    );
    assert_eq!(page["RspMsgList"].as_array().unwrap().len(), 1);
    assert_eq!(page["GroupId"], CLUB);
    let own = |world: &mut World| {
        let listed = world.club(&bob, "get_topic", &json!({"TopicIdList": [topic]}));
        listed["TopicAndSelfInfo"][0]["SelfInfo"]["MsgSeq"].clone()
    };
    assert_eq!(own(&mut world), 0);
    assert_eq!(
        world.club_code(
            &bob,
            "msg_read_report",
            &json!({"TopicId": topic, "MsgReadedSeq": 1})
        ),
        0
    );
    assert_eq!(own(&mut world), 1);
    let edit = json!({"GroupId": CLUB, "TopicId": topic, "MsgSeq": 1, "MsgVersion": 0,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hallo"}}]});
    assert_eq!(
        world.call(&bob, "openim.modify_group_msg", &edit)["MsgVersion"],
        1
    );
    assert_eq!(
        world.club_code(
            &alice,
            "group_msg_recall",
            &json!({"TopicId": topic, "MsgSeqList": [{"MsgSeq": 1}]})
        ),
        0
    );
    let event = world.events(bob.conn).remove(0);
    let recalled = &event["GroupTips"][0]["MsgBody"]["GroupWithdrawInfoArray"][0];
    assert_eq!(
        (&recalled["GroupId"], &recalled["TopicId"]),
        (&json!(CLUB), &json!(topic))
    );
}

#[test]
fn members_come_and_go_with_the_community() {
    let (mut world, alice, bob, topic) = club();
    let carol = world.login("carol");
    assert_eq!(world.say_in(&carol, &topic, 1, "x")["ErrorCode"], 10007);
    world.say_in(&alice, &topic, 1, "before carol");
    assert_eq!(world.club_code(&carol, "apply_join_group", &json!({})), 0);
    world.pushes(carol.conn);
    assert_eq!(world.say_in(&alice, &topic, 2, "hello")["ErrorCode"], 0);
    assert_eq!(world.heard(carol.conn), ["said hello"]);
    let page = world.club(
        &carol,
        "group_msg_get",
        &json!({"TopicId": topic, "ReqMsgNumber": 20}),
    );
    assert_eq!(
        page["RspMsgList"].as_array().unwrap().len(),
        2,
        "a Community shows the past"
    );
    assert_eq!(
        world.club_code(&bob, "create_topic", &json!({"TopicName": "x"})),
        10007,
        "no admin"
    );
    let admin = json!({"Member_Account": "bob", "Role": "Admin"});
    assert_eq!(
        world.club_code(&alice, "modify_group_member_info", &admin),
        0
    );
    assert_eq!(
        world.club_code(&bob, "create_topic", &json!({"TopicName": "x"})),
        0
    );
    assert_eq!(world.club_code(&carol, "quit_group", &json!({})), 0);
    assert_eq!(world.say_in(&carol, &topic, 3, "x")["ErrorCode"], 10007);
    assert_eq!(world.club_code(&alice, "destroy_group", &json!({})), 0);
    assert_eq!(
        world.say_in(&alice, &topic, 4, "x")["ErrorCode"],
        10010,
        "deleted with the Community"
    );
}

#[test]
fn communities_with_topics_have_a_list_of_their_own_and_topics_are_in_none() {
    let (mut world, alice, _, topic) = club();
    let plain = json!({"Type": "Community", "Name": "Plain", "GroupId": "@TGS#_plain", "Owner_Account": "alice"});
    world.call(&alice, "million_group_open_http_svc.create_group", &plain);
    let mut listed = |servcmd: &str, topics: u8| -> Vec<String> {
        let body =
            json!({"Member_Account": "alice", "Limit": 200, "Offset": 0, "SupportTopic": topics});
        let answer = world.call(&alice, &format!("{servcmd}.get_joined_group_list"), &body);
        let items = answer["GroupIdList"].as_array().unwrap().iter();
        items
            .map(|item| item["GroupId"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(listed("million_group_open_http_svc", 1), [CLUB]);
    assert_eq!(listed("million_group_open_http_svc", 0), ["@TGS#_plain"]);
    assert_eq!(listed("group_open_http_svc", 0), [""; 0]);
    let info = world.call(
        &alice,
        "group_open_http_svc.get_group_public_info",
        &json!({"GroupIdList": [topic]}),
    );
    assert_eq!(info["GroupInfo"][0]["ErrorCode"], 10010);
    let taken = json!({"TopicName": "again", "TopicId": topic});
    assert_eq!(world.club_code(&alice, "create_topic", &taken), 10021);
    for bad in [
        "@TGS#_other@TOPIC#_x",
        "@TGS#_club@TOPIC#_",
        "@TGS#_club@TOPIC#_a b",
    ] {
        assert_eq!(
            world.club_code(
                &alice,
                "create_topic",
                &json!({"TopicName": "b", "TopicId": bad})
            ),
            10015
        );
    }
}

#[test]
fn a_topic_is_joined_and_left_with_its_community_only() {
    let (mut world, alice, bob, topic) = club();
    let carol = world.login("carol");
    for (login, command, more) in [
        (&carol, "apply_join_group", json!({})),
        (&bob, "quit_group", json!({})),
        (&alice, "destroy_group", json!({})),
        (
            &alice,
            "add_group_member",
            json!({"MemberList": [{"Member_Account": "carol"}]}),
        ),
    ] {
        let mut body = more;
        body["GroupId"] = topic.clone().into();
        let servcmd = format!("million_group_open_http_svc.{command}");
        let answer = world.call(login, &servcmd, &body);
        assert_eq!(answer["ErrorCode"], 10010, "{command}");
    }
    world.say_in(&alice, &topic, 1, "among us");
    let page = json!({"TopicId": topic, "ReqMsgNumber": 20});
    assert_eq!(world.club_code(&carol, "group_msg_get", &page), 10007);
    assert_eq!(world.club_code(&bob, "group_msg_get", &page), 0);
}
