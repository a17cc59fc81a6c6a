//! Tests of reactions, extensions and topics: requests against those recorded from the official
//! client, and parsed answers and pushes.

use super::{Call, looks, message};
use crate::event::Notice;
use crate::events::read_event;
use crate::message::{Conversation, Message};
use crate::op::MessageName;
use crate::op::extension::{ChangeExtensions, Extension, Extensions, GetExtensions};
use crate::op::group::NewGroup;
use crate::op::group_message::{GetHistory, ReadReport, Recall};
use crate::op::reaction::{GetReactions, GetUsers, React, Reactions};
use crate::op::topic::{CreateTopic, DeleteTopics, GetTopics, ModifyTopic, TopicTexts, Topics};
use crate::update::Update;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

const KEY: &str = "3147510005_35858187_1795398472";
const COMMUNITY: &str = "@TGS#_com1";
const TOPIC: &str = "@TGS#_com1@TOPIC#_t1";

fn in_group(group: &str) -> Message {
    let mut message = message();
    message.conversation = Conversation::group(group);
    message.seq = 3;
    message
}

#[test]
fn reaction_requests() {
    let c2c = MessageName::of(&message().id(), "alice").unwrap();
    let group = MessageName::of(&in_group("o1").id(), "alice").unwrap();
    let topic = MessageName::of(&in_group(TOPIC).id(), "alice").unwrap();
    looks(
        &React::add(c2c.clone(), "emoji_1", "alice"),
        "openim_msg_ext_http_svc.reaction_add",
        json!({"From_Account": "alice", "To_Account": "bob", "Reaction": "emoji_1", "MsgKey": KEY, "Add_Account": ["alice"]}),
    );
    looks(
        &React::remove(c2c.clone(), "emoji_1", "alice"),
        "openim_msg_ext_http_svc.reaction_del",
        json!({"From_Account": "alice", "To_Account": "bob", "Reaction": "emoji_1", "MsgKey": KEY, "Del_Account": ["alice"]}),
    );
    looks(
        &React::add(group, "e2", "alice"),
        "openim_msg_ext_http_svc.group_reaction_add",
        json!({"GroupId": "o1", "Reaction": "e2", "MsgSeq": 3, "Add_Account": ["alice"]}),
    );
    looks(
        &React::remove(topic, "e2", "alice"),
        "openim_msg_ext_http_svc.group_reaction_del",
        json!({"GroupId": COMMUNITY, "TopicId": TOPIC, "Reaction": "e2", "MsgSeq": 3, "Del_Account": ["alice"]}),
    );
    looks(
        &GetReactions::new("alice", &[message().id()]).unwrap(),
        "openim_msg_ext_http_svc.reaction_multi_stat",
        json!({"From_Account": "alice", "To_Account": "bob", "MsgKeyList": [KEY], "Count": 10}),
    );
    looks(
        &GetReactions::new("alice", &[in_group("o1").id()]).unwrap(),
        "openim_msg_ext_http_svc.group_reaction_multi_stat",
        json!({"GroupId": "o1", "MsgSeqList": [3], "Count": 10}),
    );
    assert!(GetReactions::new("alice", &[]).is_none());
    looks(
        &GetUsers::new(c2c, "emoji_1", 0),
        "openim_msg_ext_http_svc.reaction_iterate",
        json!({"From_Account": "alice", "To_Account": "bob", "Reaction": "emoji_1", "MsgKey": KEY, "NextSeq": 0, "Count": 100}),
    );
}

#[test]
fn reactions_are_found_by_their_message() {
    let summary = |who: &str| json!([{"Reaction": "emoji_1", "Count": 1, "Reaction_Account": [who], "ReactedByMe": false}]);
    let answer = json!({"Results": [
        {"MsgKey": "1_2_3", "MsgReactionSummary": summary("al")},
        {"MsgKey": KEY, "MsgReactionSummary": summary("bob")}]});
    let reactions: Reactions = serde_json::from_value(answer).unwrap();
    assert_eq!(reactions.to(&message().id())[0].users, ["bob"]);
    assert_eq!(reactions.to(&in_group("o1").id()), []);
    let answer = json!({"Results": [{"MsgSeq": 3, "MsgReactionSummary": summary("bob")}]});
    let reactions: Reactions = serde_json::from_value(answer).unwrap();
    assert_eq!(reactions.to(&in_group("o1").id())[0].count, 1);
}

fn extension(key: &str, value: &str, seq: u64) -> Extension {
    Extension {
        key: key.into(),
        value: value.into(),
        seq,
        ..Extension::default()
    }
}

#[test]
fn extension_requests() {
    let c2c = MessageName::of(&message().id(), "alice").unwrap();
    let group = MessageName::of(&in_group("o1").id(), "alice").unwrap();
    looks(
        &ChangeExtensions::set(c2c.clone(), vec![extension("k", "v", 0)]),
        "openim_msg_ext_http_svc.set_key_values",
        json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": KEY, "OperateType": 1,
               "ExtensionList": [{"Key": "k", "Value": "v", "Seq": 0}]}),
    );
    looks(
        &ChangeExtensions::delete(group.clone(), vec![extension("k", "", 1)]),
        "openim_msg_ext_http_svc.group_set_key_values",
        json!({"GroupId": "o1", "MsgSeq": 3, "OperateType": 2,
               "ExtensionList": [{"Key": "k", "Value": "", "Seq": 1}]}),
    );
    looks(
        &ChangeExtensions::clear(group.clone()),
        "openim_msg_ext_http_svc.group_set_key_values",
        json!({"GroupId": "o1", "MsgSeq": 3, "OperateType": 3}),
    );
    looks(
        &GetExtensions::new(c2c, None),
        "openim_msg_ext_http_svc.get_key_values",
        json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": KEY}),
    );
    looks(
        &GetExtensions::new(group, Some(4)),
        "openim_msg_ext_http_svc.group_get_key_values",
        json!({"GroupId": "o1", "MsgSeq": 3, "StartSeq": 4}),
    );
    let answer = json!({"LatestSeq": 1, "ClearSeq": 0, "CompleteFlag": 1,
                        "ExtensionList": [{"Key": "k", "Value": "v", "Seq": "1"}]});
    let read: Extensions = serde_json::from_value(answer).unwrap();
    assert_eq!(read.list, [extension("k", "v", 1)]);
    assert!(read.complete);
}

#[test]
fn topic_requests() {
    let texts = TopicTexts::new().name("topic").custom("c");
    looks(
        &CreateTopic::new(COMMUNITY, texts.notification("n").introduction("i")),
        "million_group_open_http_svc.create_topic",
        json!({"GroupId": COMMUNITY, "TopicName": "topic", "CustomString": "c", "Notification": "n", "Introduction": "i"}),
    );
    looks(
        &GetTopics::new(COMMUNITY, Vec::new()),
        "million_group_open_http_svc.get_topic",
        json!({"GroupId": COMMUNITY, "TopicIdList": [], "MemberInfoFilter": ["NoUnreadSeqList"]}),
    );
    looks(
        &ModifyTopic::texts(TOPIC, TopicTexts::new().name("n2").face_url("f")),
        "million_group_open_http_svc.modify_topic",
        json!({"GroupId": COMMUNITY, "TopicId": TOPIC, "TopicName": "n2", "FaceUrl": "f"}),
    );
    looks(
        &ModifyTopic::mute_all(TOPIC, true),
        "million_group_open_http_svc.modify_topic",
        json!({"GroupId": COMMUNITY, "TopicId": TOPIC, "ShutUpAllMember": "On"}),
    );
    looks(
        &DeleteTopics {
            group: COMMUNITY.into(),
            topics: vec![TOPIC.into()],
        },
        "million_group_open_http_svc.destroy_topic",
        json!({"GroupId": COMMUNITY, "TopicIdList": [TOPIC]}),
    );
    let founded = NewGroup::community_with_topics("com").owner("alice");
    assert_eq!(serde_json::to_value(&founded).unwrap()["SupportTopic"], 1);
    assert_eq!(
        founded.servcmd(),
        "million_group_open_http_svc.create_group"
    );
    let plain = NewGroup::community("com").owner("alice");
    assert_eq!(
        serde_json::to_value(&plain).unwrap().get("SupportTopic"),
        None
    );
}

#[test]
fn a_topic_stands_beside_its_community_in_group_requests() {
    looks(
        &Recall::new(TOPIC, &[3]),
        "million_group_open_http_svc.group_msg_recall",
        json!({"GroupId": COMMUNITY, "TopicId": TOPIC, "MsgSeqList": [{"MsgSeq": 3}]}),
    );
    looks(
        &ReadReport {
            group: TOPIC.into(),
            seq: 3,
        },
        "million_group_open_http_svc.msg_read_report",
        json!({"GroupId": COMMUNITY, "TopicId": TOPIC, "MsgReadedSeq": 3}),
    );
    looks(
        &GetHistory::new(TOPIC, None, 20),
        "million_group_open_http_svc.group_msg_get",
        json!({"GroupId": COMMUNITY, "TopicId": TOPIC, "WithRecalledMsg": 1, "ReqMsgNumber": 20}),
    );
}

#[test]
fn topics_that_could_not_be_had_are_left_out() {
    let answer = json!({"TopicAndSelfInfo": [
        {"ErrorCode": 10007, "ErrorInfo": "no", "TopicInfo": {"TopicId": "x"}},
        {"ErrorCode": 0, "TopicInfo": {"GroupId": COMMUNITY, "TopicId": TOPIC, "TopicName": "topic", "LastMsgSeq": 9,
         "ShutUpAllFlag": "Off"}, "SelfInfo": {"MsgSeq": 4, "MsgFlag": "AcceptAndNotify"}}]});
    let topics: Topics = serde_json::from_value(answer).unwrap();
    let topics: Vec<_> = topics.found().collect();
    assert_eq!(topics.len(), 1);
    let topic = &topics[0];
    assert_eq!(
        (topic.id.as_str(), topic.last_seq, topic.own.read_seq),
        (TOPIC, 9, Some(4))
    );
    assert_eq!(topic.extra["ShutUpAllFlag"], "Off");
}

fn pushed(event: &Value) -> Update {
    let mut notices = read_event(&to_raw_value(event).unwrap());
    assert_eq!(notices.len(), 1, "{notices:?}");
    match notices.remove(0) {
        Notice::Update(update) => *update,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_pushed_about_reactions_extensions_and_rest_is_read() {
    let name = json!({"TinyId": "1", "MsgClientTime": 2, "MsgRandom": 3});
    let own = json!({"Event": 31, "MsgReactionNotify": {"C2CMsgInfo": name, "Reaction": "e", "OperateType": 1}});
    let Update::ReactedElsewhere(own) = pushed(&own) else {
        panic!()
    };
    assert_eq!(
        own.message().unwrap().terminal_id().as_deref(),
        Some("1-2-3")
    );
    assert!(own.is_added());
    let set = json!({"MsgExtensionNotify": {"TinyId": "1", "MsgLastSeq": 7, "MsgOptType": 1,
        "ExtensionGroupMsgInfo": {"GroupId": "g", "MsgSeq": 5, "MsgClientTime": 2, "MsgRandom": 3},
        "SetKVInfo": [{"MsgKeyValue": [{"Key": "k", "Value": "v", "Seq": 7}]}]}});
    let Update::Extensions(set) = pushed(&set) else {
        panic!()
    };
    assert_eq!(set.set().collect::<Vec<_>>(), [&extension("k", "v", 7)]);
    assert_eq!((set.message().unwrap().seq, set.is_cleared()), (5, false));
    let deleted = json!({"MsgExtensionNotify": {"MsgOptType": 2, "ExtensionC2cMsgInfo": name,
        "DeleteKVInfo": [{"MsgKeyValue": [{"Key": "k"}]}]}});
    let Update::Extensions(deleted) = pushed(&deleted) else {
        panic!()
    };
    assert_eq!(deleted.deleted().collect::<Vec<_>>(), ["k"]);
    let rest = json!({"Event": 24, "Level": 2, "StartTime": 1, "EndTime": 2, "IsRepeated": 1});
    let Update::DoNotDisturb(rest) = pushed(&rest) else {
        panic!()
    };
    assert_eq!(rest["Level"], 2);
}

#[test]
fn what_happens_in_a_topic_is_told_of_its_conversation() {
    let edit = json!({"GroupMsgModNotifys": [{"GroupId": COMMUNITY, "TopicId": TOPIC, "MsgSeq": 1, "MsgBody": []}]});
    let Update::Edited { conversation, .. } = pushed(&edit) else {
        panic!()
    };
    assert_eq!(conversation, Conversation::group(TOPIC));
    let recall = json!({"Event": 5, "GroupTips": [{"GroupInfo": {"GroupId": COMMUNITY, "TopicId": TOPIC},
        "MsgBody": {"GroupWithdrawInfoArray": [{"GroupId": COMMUNITY, "TopicId": TOPIC, "MsgSeq": 4}]}}]});
    let Update::Recalled { conversation, .. } = pushed(&recall) else {
        panic!()
    };
    assert_eq!(conversation, Conversation::group(TOPIC));
    let read = json!({"Event": 5, "GroupTips": [{"MsgBody": {"GroupReadInfoArray": [
        {"GroupId": COMMUNITY, "TopicId": TOPIC, "LastReadMsgSeq": 8}, {"GroupId": "g", "LastReadMsgSeq": 2}]}}]});
    let Update::AllReadElsewhere { groups, .. } = pushed(&read) else {
        panic!()
    };
    assert_eq!(groups, [(TOPIC.into(), 8), ("g".into(), 2)]);
}

#[test]
fn language_requests() {
    use crate::op::{
        speech::{Recognise, Recognised, Spoken},
        translation::{Translate, Translated},
    };
    let texts = vec!["hi".to_owned()];
    looks(
        &Translate::new(texts.clone(), Some("en"), "de"),
        "im_open_translate.ws_batch_trans_text",
        json!({"SourceText": ["hi"], "Source": "en", "Target": "de"}),
    );
    looks(
        &Translate::new(texts, None, "de"),
        "im_open_translate.ws_batch_trans_text",
        json!({"SourceText": ["hi"], "Source": "auto", "Target": "de"}),
    );
    let answer = json!({"RequestId": "r", "CmdErrorCode": {"ErrorCode": 0, "ErrorInfo": ""}, "TargetText": ["hallo"]});
    let answer: Translated = serde_json::from_value(answer).unwrap();
    assert_eq!(answer.texts, ["hallo"]);
    let url = "https://h/a.b/voice.MP3?sign=a.wav";
    looks(
        &Recognise::new(url, Spoken::English).unwrap(),
        "im_open_speech.ws_sentence_recognition",
        json!({"BytesUrl": url, "BytesVoiceFormat": "mp3", "Uint64SourceType": 0, "BytesEngServiceType": "16k_en"}),
    );
    for url in ["https://h/voice", "https://h/voice.txt?a.mp3", "", "mp3"] {
        assert!(Recognise::new(url, Spoken::Mixed).is_none(), "{url}");
    }
    let answer =
        json!({"CmdErrorCode": {"ErrorCode": "4002", "ErrorInfo": "no"}, "BytesResult": "yes"});
    let answer: Recognised = serde_json::from_value(answer).unwrap();
    assert_eq!((answer.outcome.code, &*answer.text), (4002, "yes"));
}

#[test]
fn do_not_disturb() {
    use crate::op::receive_option::{DoNotDisturb, GetDoNotDisturb, MuteOption};
    let quiet = DoNotDisturb::between(1_795_471_200, 1_795_474_800).daily();
    let wire =
        json!({"StartTime": 1_795_471_200, "EndTime": 1_795_474_800, "IsRepeated": 1, "Level": 2});
    looks(
        &quiet,
        "im_msg_db_logic.ws_set_do_not_disturb",
        wire.clone(),
    );
    looks(
        &GetDoNotDisturb { me: "bob".into() },
        "im_msg_db_logic.ws_get_do_not_disturb",
        json!({"ToAccount": "bob"}),
    );
    assert_eq!(serde_json::from_value::<DoNotDisturb>(wire).unwrap(), quiet);
    let discard = quiet.with(MuteOption::Discard);
    assert_eq!(
        (discard.option(), discard.is_daily()),
        (MuteOption::Discard, true)
    );
    let nothing: DoNotDisturb = serde_json::from_value(json!({})).unwrap();
    assert_eq!(nothing, DoNotDisturb::default());
    assert_eq!(nothing.option(), MuteOption::Announce);
}
