//! What survives, what is read leniently, what is refused.

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
    assert_eq!(message.id(), None);
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
    assert_eq!(message.id().as_deref(), Some("144115422390155339-6-5"));
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
