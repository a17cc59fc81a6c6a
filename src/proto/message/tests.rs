//! Tests of preserved data, lenient parsing and rejected input.

use super::*;
use proptest::prelude::*;

fn item(json: &str) -> C2cItem {
    serde_json::from_str(json).unwrap()
}

#[test]
fn the_smallest_item_is_a_message_to_me() {
    let message = Message::from_c2c(
        item(
            r#"{"From_Account":"bob","MsgSeq":3139160001,"MsgRandom":5,"MsgTimeStamp":1795397956,
                "MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}"#,
        ),
        "me",
    );
    assert_eq!(
        (&*message.from, &*message.to, message.text()),
        ("bob", "me", Some("hi"))
    );
    assert_eq!(message.conversation, Conversation::C2c("bob".into()));
    assert_eq!(message.terminal_id(), None);
    assert!(!message.is_own);
}

#[test]
fn a_copy_of_an_own_message_has_its_accounts_swapped_back() {
    let message = Message::from_c2c(
        item(
            r#"{"From_Account":"bob","To_Account":"me","IsSyncMsg":1,"MsgSeq":1,"MsgRandom":5,"MsgTime":7}"#,
        ),
        "me",
    );
    assert_eq!(
        (&*message.from, &*message.to, message.is_own),
        ("me", "bob", true)
    );
    assert_eq!(message.conversation, Conversation::C2c("bob".into()));
}

#[test]
fn the_id_is_tiny_id_client_time_and_random() {
    let message = Message::from_c2c(
        item(
            r#"{"From_Account":"b","MsgSeq":1,"MsgRandom":5,"MsgTimeStamp":7,"MsgClientTime":"6","TinyId":144115422390155339}"#,
        ),
        "me",
    );
    assert_eq!(
        message.terminal_id().as_deref(),
        Some("144115422390155339-6-5")
    );
}

#[test]
fn unknown_elements_and_fields_come_back_as_they_came() {
    let cases = [
        r#"{"MsgType":"TIMTextElem","MsgContent":{"Text":"x","New":[1,{"a":2}]}}"#,
        r#"{"MsgType":"TIMTextElem","MsgContent":{"Text":5}}"#,
        r#"{"MsgType":"TIMNewElem","MsgContent":{"Big":12345678901234567890123,"F":1.50}}"#,
        r#"{"MsgType":"TIMFaceElem","MsgContent":[]}"#,
        r#"{"NoType":1}"#,
        "7",
        "null",
        r#"{"MsgType":"TIMCustomElem","MsgContent":{"Data":"d","Desc":"","Ext":"e","Sound":"s"}}"#,
    ];
    for json in cases {
        let element: Element = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&element).unwrap(), json);
    }
}

#[test]
fn an_item_keeps_unknown_fields() {
    let json = r#"{"From_Account":"b","MsgSeq":1,"MsgRandom":2,"MsgTimeStamp":3,"MsgBody":[],"CloudCustomData":"","NoticeSeq":9}"#;
    assert_eq!(serde_json::to_string(&item(json)).unwrap(), json);
}

#[test]
fn a_log_line_stays_short() {
    let element = Element::text("好".repeat(5000));
    assert!(element.to_string().chars().count() < 60);
}

proptest! {
    #[test]
    fn a_text_survives_the_round_trip(text in "\\PC*") {
        let json = serde_json::to_string(&Element::text(text.clone())).unwrap();
        let back: Element = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(back, Element::text(text));
    }
}

fn group_item(json: &str) -> GroupItem {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_group_item_is_read_whether_its_numbers_are_numbers_or_strings() {
    for json in [
        r#"{"From_Account":"alice","ToGroupId":"g","MsgSeq":"7","Random":"9","MsgTime":"5","MsgPriority":"High","NeedReadReceipt":"1",
            "GroupInfo":{"GroupId":"g","GroupName":"G","From_AccountNick":"Al"},"MsgBody":[],"GroupAtInfo":[{"GroupAtAllFlag":1}]}"#,
        r#"{"From_Account":"alice","ToGroupId":"g","MsgSeq":7,"MsgRandom":9,"MsgTimeStamp":5,"MsgPriority":1,"NeedReadReceipt":1,
            "GroupInfo":{"GroupId":"g","GroupName":"G","From_AccountNick":"Al"},"MsgBody":[],"GroupAtInfo":[{"GroupAtAllFlag":1}]}"#,
    ] {
        let item = group_item(json);
        assert_eq!(item.priority, Some(1));
        let message = Message::from_group(item, 3, "me").unwrap();
        assert_eq!((message.seq, message.random, message.time), (7, 9, 5));
        assert_eq!(message.conversation, Conversation::group("g"));
        assert!(message.needs_receipt && message.mentions("me") && !message.is_own);
        assert_eq!(message.nick, "Al");
    }
}

#[test]
fn the_number_of_the_event_tells_a_tip_from_a_notice() {
    let json = r#"{"From_Account":"@TIM#SYSTEM","ToGroupId":"g","MsgSeq":4,"MsgRandom":1,"MsgTimeStamp":5,
        "GroupInfo":{"GroupId":"g"},"MsgBody":{"OpType":1,"ReportType":1,"Operator_Account":"al","List_Account":["al"],"MemberNum":3}}"#;
    let tip = Message::from_group(group_item(json), 4, "me").unwrap();
    assert_eq!(tip.tip().unwrap().kind(), TipKind::Joined);
    assert_eq!(tip.conversation, Conversation::group("g"));
    assert!(!tip.online_only);
    let unstored = Message::from_group(group_item(json), 6, "me").unwrap();
    assert!(unstored.online_only);
    let notice = Message::from_group(group_item(json), 5, "me").unwrap();
    assert_eq!(notice.notice().unwrap().kind(), NoticeKind::Application);
    assert_eq!(notice.conversation, Conversation::System);
    assert!(Message::from_group(group_item(json), 3, "me").is_none());
}

#[test]
fn an_item_without_a_group_is_no_message() {
    let item = group_item(r#"{"From_Account":"a","MsgSeq":1,"MsgBody":[]}"#);
    assert!(Message::from_group(item, 3, "me").is_none());
}

#[test]
fn a_draft_reads_like_what_it_does() {
    let said = Message::from_c2c(
        item(
            r#"{"From_Account":"bob","MsgSeq":1,"MsgRandom":5,"MsgTimeStamp":7,"MsgClientTime":6,"TinyId":"9",
                "From_AccountNick":"Bob","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"when?"}}]}"#,
        ),
        "me",
    );
    let draft = Draft::text("now")
        .cloud_custom_data(r#"{"mine":1}"#)
        .mention("bob")
        .mention_all()
        .quote(&said)
        .receipt();
    assert!(
        draft.options.receipt && draft.mentions[0].means("bob") && draft.mentions[1].means("x")
    );
    let data: serde_json::Value = serde_json::from_str(&draft.cloud_custom_data).unwrap();
    assert_eq!(data["mine"], 1);
    assert_eq!(data["messageReply"]["messageID"], "9-6-5");
    assert_eq!(data["messageReply"]["messageAbstract"], "when?");
    assert_eq!(data["messageReply"]["messageSender"], "Bob");
    let forwarded = Draft::forward(&said);
    assert_eq!(forwarded.elements, said.elements);
    assert!(forwarded.options.forwarded);
    assert!(Draft::typing(true).options.online_only);
}

#[test]
fn f1_a_quote_names_the_kind_of_message_by_the_number_that_kits_read() {
    let quoted = |msg_type: &str, content: &str| {
        let body = format!(
            r#"{{"From_Account":"bob","MsgSeq":1,"MsgRandom":5,"MsgTimeStamp":7,
                "MsgBody":[{{"MsgType":"{msg_type}","MsgContent":{content}}}]}}"#
        );
        let draft = Draft::text("re").quote(&Message::from_c2c(item(&body), "me"));
        let data: serde_json::Value = serde_json::from_str(&draft.cloud_custom_data).unwrap();
        let reply = &data["messageReply"];
        let text = reply["messageAbstract"].as_str().unwrap().to_owned();
        (reply["messageType"].as_u64(), text)
    };
    for (msg_type, content, number, shown) in [
        ("TIMTextElem", r#"{"Text":"when?"}"#, 1, "when?"),
        ("TIMCustomElem", r#"{"Data":"{}"}"#, 2, "[Custom message]"),
        ("TIMImageElem", "{}", 3, "[Image]"),
        ("TIMSoundElem", "{}", 4, "[Voice]"),
        ("TIMVideoFileElem", "{}", 5, "[Video]"),
        ("TIMFileElem", r#"{"FileName":"a.txt"}"#, 6, "[File]"),
        ("TIMLocationElem", "{}", 7, "[Location]"),
        ("TIMFaceElem", r#"{"Index":1}"#, 8, "[Sticker]"),
        (
            "TIMRelayElem",
            r#"{"Title":"Ann and Bob"}"#,
            10,
            "Ann and Bob",
        ),
        ("TIMRelayElem", "{}", 10, "[Chat history]"),
        ("TIMNewElem", "{}", 0, "[Message]"),
    ] {
        let expected = (Some(number), shown.to_owned());
        assert_eq!(quoted(msg_type, content), expected, "{msg_type}");
    }
    let long = "\u{1F600}".repeat(200);
    let (_, text) = quoted("TIMTextElem", &format!(r#"{{"Text":"{long}"}}"#));
    assert_eq!(text.chars().count(), 100);
    let tip = r#"{"MsgSeq":1,"ToGroupId":"g","MsgBody":{"OpType":1},"From_Account":"x"}"#;
    let tip = Message::from_group(group_item(tip), 4, "me").unwrap();
    let draft = Draft::text("re").quote(&tip);
    assert!(draft.cloud_custom_data.contains(r#""messageType":9"#));
}

#[test]
fn what_cannot_be_sent_is_refused_before_it_is() {
    let tip = Element::GroupTip(Box::default());
    let crowd = Draft::text("x").only_for(vec!["u"; MAX_TARGETS + 1]);
    for (draft, error) in [
        (Draft::default(), DraftError::Empty),
        (
            Draft::from(tip),
            DraftError::NotSendable("TIMGroupTipElem".to_owned()),
        ),
        (crowd, DraftError::TooManyTargets(51)),
    ] {
        assert_eq!(draft.check(), Err(error));
    }
    let fits = Draft::text("x".repeat(MAX_MESSAGE - 100));
    assert_eq!(fits.check(), Ok(()));
    let long = Draft::text("x".repeat(MAX_MESSAGE));
    assert!(matches!(long.check(), Err(DraftError::TooLong { length }) if length > MAX_MESSAGE));
}

proptest! {
    #[test]
    fn any_json_reads_as_an_element_and_comes_back(text in "[\\[\\]{}:,\"a-zA-Z0-9. -]{0,80}") {
        if let Ok(element) = serde_json::from_str::<Element>(&text) {
            let written = serde_json::to_string(&element).unwrap();
            prop_assert_eq!(serde_json::from_str::<Element>(&written).unwrap(), element);
        }
    }
}

#[test]
fn a_draft_that_was_kept_is_sent_byte_by_byte_as_it_would_have_been() {
    let item =
        item(r#"{"From_Account":"bob","MsgSeq":1,"MsgRandom":3,"MsgTimeStamp":2,"MsgBody":[]}"#);
    let quoted = Message::from_c2c(item, "me");
    let wire = r#"[{"MsgType":"TIMImageElem","MsgContent":{"UUID":"u","ImageFormat":255,"ImageInfoArray":[
        {"Type":1,"Size":3,"Width":4,"Height":5,"URL":"http://x"}]}},
        {"MsgType":"TIMFileElem","MsgContent":{"Url":"http://y","FileSize":7,"FileName":"é.txt"}}]"#;
    let elements: Vec<Element> = serde_json::from_str(wire).unwrap();
    let drafts = [
        Draft::text("plain \"text\" 😀\u{2028}"),
        Draft::location("here", 0.1, -1.0 / 3.0),
        Draft::face(3, "tt").mention("bob").mention_all(),
        Draft::from(elements).quote(&quoted).receipt().extensible(),
        Draft::custom("{}")
            .only_for(["a", "b"])
            .priority(Priority::Low)
            .offline_push(OfflinePush {
                title: "t".to_owned(),
                ..OfflinePush::default()
            }),
    ];
    let key = MessageKey { seq: 1, random: 2 };
    for draft in drafts {
        let kept = serde_json::to_string(&draft).unwrap();
        let again: Draft = serde_json::from_str(&kept).unwrap();
        assert_eq!(again, draft, "{kept}");
        let sent = |draft: &Draft| {
            let c2c = serde_json::to_string(&SendC2c::new("me", "bob", draft, key, 5)).unwrap();
            let group = SendGroup::new("me", "g", draft, key, 5);
            (c2c, serde_json::to_string(&group).unwrap())
        };
        assert_eq!(sent(&again), sent(&draft));
    }
}
