//! Communities and their topics: found after a login, followed like groups.

use super::*;
use crate::proto::message::{Conversation, Message};

const CLUB: &str = "@TGS#_club";
const TOPIC: &str = "@TGS#_club@TOPIC#_news";

/// As a push and the history have it: the topic stands beside the community.
fn topic_item(seq: u32) -> Value {
    json!({"From_Account": "alice", "ToGroupId": CLUB, "MsgSeq": seq, "MsgRandom": seq,
           "MsgTimeStamp": 1000 + seq,
           "GroupInfo": {"GroupId": CLUB, "GroupType": "Community", "MillionGroupFlag": 2, "TopicId": TOPIC},
           "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": format!("t{seq}")}}]})
}

fn topics(last: u32, read: u32) -> Value {
    json!({"TopicAndSelfInfo": [{"ErrorCode": 0, "TopicInfo": {"TopicId": TOPIC, "LastMsgSeq": last},
                                 "SelfInfo": {"MsgSeq": read}}]})
}

fn communities(ids: &[&str], next: u32) -> Value {
    let list: Vec<Value> = ids
        .iter()
        .map(
            |id| json!({"GroupId": id, "Type": "Community", "NextMsgSeq": next, "SupportTopic": 1}),
        )
        .collect();
    json!({"TotalCount": list.len(), "GroupIdList": list})
}

impl Rig {
    /// Logged in, with no list of communities answered yet.
    fn before_communities() -> Self {
        let mut rig = Self::new();
        rig.in_communities = true;
        rig.open();
        rig.accept_login();
        rig.answer(
            command::GET_MSG,
            json!({"Cookie": "c1", "SyncFlag": 2, "MsgList": []}),
        );
        rig
    }

    /// Logged in, in a community with one topic that has got to `last` and was read up to `read`.
    fn in_topic(last: u32, read: u32) -> Self {
        let mut rig = Self::before_communities();
        rig.answer(command::JOINED_COMMUNITIES, communities(&[], 0));
        rig.answer(command::JOINED_COMMUNITIES, communities(&[CLUB], 1));
        rig.answer(command::TOPICS, topics(last, read));
        rig
    }

    fn push_topic(&mut self, seq: u32) {
        let events = json!([{"Event": 3, "GroupMsgArray": [topic_item(seq)]}]);
        self.push(command::MSG_PUSH, json!({"EventArray": events}));
    }

    fn asked(&self, servcmd: &str) -> Option<&Value> {
        let mut sent = self.sent.iter();
        let packet = sent.find(|packet| packet["head"]["servcmd"] == servcmd)?;
        Some(&packet["body"])
    }

    fn serve_topic(&mut self, newest: u32) {
        let list: Vec<Value> = (1..=newest).rev().take(20).map(topic_item).collect();
        let servcmd = "million_group_open_http_svc.group_msg_get";
        self.answer(servcmd, json!({"IsFinished": 1, "RspMsgList": list}));
    }

    fn messages(&self) -> Vec<&Message> {
        let messages = self.events.iter().filter_map(|event| match event {
            Event::Message(message) => Some(&**message),
            _ => None,
        });
        messages.collect()
    }
}

#[test]
fn communities_and_their_topics_are_asked_for_one_after_the_other() {
    let mut rig = Rig::before_communities();
    let asked = rig.asked(command::JOINED_COMMUNITIES).unwrap();
    assert_eq!(asked["SupportTopic"], 0);
    rig.answer(command::JOINED_COMMUNITIES, communities(&[], 0));
    let asked = rig.asked(command::JOINED_COMMUNITIES).unwrap();
    assert_eq!(asked["SupportTopic"], 1);
    rig.answer(
        command::JOINED_COMMUNITIES,
        communities(&[CLUB, "@TGS#_b"], 1),
    );
    let asked = rig.asked(command::TOPICS).unwrap();
    assert_eq!(
        (&asked["GroupId"], &asked["TopicIdList"]),
        (&json!(CLUB), &json!([]))
    );
    rig.answer(command::TOPICS, topics(0, 0));
    assert_eq!(rig.asked(command::TOPICS).unwrap()["GroupId"], "@TGS#_b");
}

#[test]
fn what_was_said_in_a_topic_is_fetched_and_is_a_conversation_of_its_own() {
    let mut rig = Rig::in_topic(6, 2);
    let asked = rig
        .asked("million_group_open_http_svc.group_msg_get")
        .unwrap();
    assert_eq!(
        (&asked["GroupId"], &asked["TopicId"], &asked["ReqMsgSeq"]),
        (&json!(CLUB), &json!(TOPIC), &json!(6))
    );
    rig.push_topic(7);
    rig.serve_topic(6);
    rig.serve_topic(7);
    let messages = rig.messages();
    let heard: Vec<u32> = messages.iter().map(|message| message.seq).collect();
    assert_eq!(heard, [3, 4, 5, 6, 7]);
    for message in messages {
        assert_eq!(message.conversation, Conversation::group(TOPIC));
        assert_eq!(&*message.to, TOPIC);
    }
}

#[test]
fn what_is_said_to_a_topic_names_its_community_too_and_leaves_no_gap() {
    let mut rig = Rig::in_topic(4, 4);
    let message = OutgoingMessage {
        to: Conversation::group(TOPIC),
        ..rig.outgoing("hello")
    };
    rig.session.send(rig.now, &message).unwrap();
    rig.drain();
    let servcmd = "million_group_open_http_svc.send_group_msg";
    let asked = rig.asked(servcmd).unwrap();
    assert_eq!(
        (&asked["GroupId"], &asked["TopicId"]),
        (&json!(CLUB), &json!(TOPIC))
    );
    rig.answer(servcmd, json!({"MsgTime": 9, "MsgSeq": 5}));
    rig.push_topic(6);
    assert_eq!(rig.messages().len(), 1);
}

#[test]
fn an_edition_without_communities_is_asked_once() {
    let mut rig = Rig::before_communities();
    rig.answer(
        command::JOINED_COMMUNITIES,
        json!({"ErrorCode": 11000, "ErrorInfo": "no"}),
    );
    assert!(rig.session.follows_no_group(), "it costs nothing");
    assert!(
        !rig.events
            .iter()
            .any(|event| matches!(event, Event::SyncFailed { .. }))
    );
    rig.close();
    rig.open();
    rig.answer(command::LOGIN, json!({"TimeStamp": rig.now.unix_secs()}));
    rig.answer(
        command::GET_MSG,
        json!({"Cookie": "c2", "SyncFlag": 2, "MsgList": []}),
    );
    assert_eq!(rig.asked(command::JOINED_COMMUNITIES), None);
}

#[test]
fn the_topics_of_many_communities_are_asked_for_in_time_and_a_refusal_holds_none_up() {
    let mut rig = Rig::before_communities();
    let names: Vec<String> = (0..20).map(|n| format!("@TGS#_c{n}")).collect();
    let ids: Vec<&str> = names.iter().map(String::as_str).collect();
    rig.answer(command::JOINED_COMMUNITIES, communities(&[], 0));
    rig.answer(command::JOINED_COMMUNITIES, communities(&ids, 1));
    let began = rig.now.mono;
    for at in 0..20 {
        while rig.asked(command::TOPICS).is_none() {
            let due = rig.session.poll_timeout(&mut rig.memory).unwrap();
            rig.now = rig.now.after(due.saturating_sub(rig.now.mono));
            rig.session.timeout(rig.now, &mut rig.memory);
            rig.drain();
        }
        let refused = json!({"ErrorCode": 10007, "ErrorInfo": "no member"});
        let answer = if at == 3 { refused } else { topics(0, 0) };
        rig.answer(command::TOPICS, answer);
    }
    let took = (rig.now.mono - began).as_secs_f64();
    assert!(
        (2.0..2.5).contains(&took),
        "20 at 8 a second, 2 at once: {took}"
    );
    rig.pass(60, true);
    assert_eq!(rig.asked(command::TOPICS), None);
}

#[test]
fn topics_that_are_deleted_or_left_with_their_community_are_followed_no_longer() {
    let notice = |report: u8, more: Value| {
        let mut body = json!({"ReportType": report, "Operator_Account": "alice"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"EventArray": [{"Event": 5, "GroupTips": [{"From_Account": "@TIM#SYSTEM",
            "MsgSeq": 1, "MsgRandom": 1, "MsgTimeStamp": 1, "MsgBody": body,
            "ToGroupId": CLUB, "GroupInfo": {"GroupId": CLUB, "MillionGroupFlag": 2}}]}]})
    };
    let ends = [
        notice(18, json!({"TopicIdArray": [TOPIC]})),
        notice(5, json!({})),
    ];
    for end in ends {
        let mut rig = Rig::in_topic(4, 4);
        assert!(rig.session.follows(TOPIC));
        rig.push(command::MSG_PUSH, end);
        assert!(!rig.session.follows(TOPIC));
    }
}

#[test]
fn lists_of_communities_that_cannot_be_had_hold_no_group_up() {
    for code in [60_002, 424_242] {
        let mut rig = Rig::before_communities();
        for _ in 0..8 {
            while rig.asked(command::JOINED_COMMUNITIES).is_some() {
                let refused = json!({"ErrorCode": code, "ErrorInfo": "no"});
                rig.answer(command::JOINED_COMMUNITIES, refused);
            }
            rig.pass(11, true);
        }
        rig.push_topic(7);
        assert_eq!(rig.messages().len(), 1, "{code}");
        rig.pass(60, true);
        assert_eq!(rig.asked(command::JOINED_COMMUNITIES), None, "{code}");
    }
}

#[test]
fn topics_that_cannot_be_had_are_tried_again_and_hold_no_other_community_up() {
    let mut rig = Rig::before_communities();
    rig.answer(command::JOINED_COMMUNITIES, communities(&[], 0));
    rig.answer(
        command::JOINED_COMMUNITIES,
        communities(&["@TGS#_bad", CLUB], 1),
    );
    let mut tries = 0;
    while rig
        .asked(command::TOPICS)
        .is_some_and(|asked| asked["GroupId"] == "@TGS#_bad")
    {
        tries += 1;
        assert!(tries < 10, "for ever");
        rig.answer(command::TOPICS, json!({"ErrorCode": 424_242}));
        rig.pass(11, true);
        assert_eq!(rig.asked(command::JOINED_COMMUNITIES), None);
    }
    assert!(tries > 1);
    rig.answer(command::TOPICS, topics(6, 6));
    rig.push_topic(7);
    assert_eq!(rig.messages().len(), 1);
    rig.pass(60, true);
    assert_eq!(rig.asked(command::TOPICS), None);
}

#[test]
fn a_topic_of_which_no_read_position_is_known_begins_with_what_comes() {
    let mut rig = Rig::before_communities();
    rig.answer(command::JOINED_COMMUNITIES, communities(&[], 0));
    rig.answer(command::JOINED_COMMUNITIES, communities(&[CLUB], 1));
    let topic = json!({"TopicInfo": {"TopicId": TOPIC, "LastMsgSeq": 900}});
    rig.answer(command::TOPICS, json!({"TopicAndSelfInfo": [topic]}));
    let history = "million_group_open_http_svc.group_msg_get";
    assert_eq!(rig.asked(history), None);
    rig.push_topic(901);
    assert_eq!(rig.messages().len(), 1);
}
