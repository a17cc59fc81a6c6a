//! Messages: pushed, missed, repeated.

use super::*;
use crate::proto::update::Update;

#[test]
fn a_pushed_message_is_handed_out_once_and_acknowledged_each_time() {
    let mut rig = Rig::online();
    for _ in 0..2 {
        rig.push(command::MSG_PUSH, message_push(&[item(1, "hi")]));
    }
    assert_eq!(rig.texts(), ["hi"]);
    assert_eq!(rig.commands(), [command::PUSH_ACK, command::PUSH_ACK]);
    assert_eq!(rig.sent[0]["body"], json!({"SessionData": "s"}));
    assert_eq!(rig.sent[0]["head"]["cs"], 0);
}

#[test]
fn f5_a_typing_notice_is_an_update_and_never_a_message() {
    let typing = |n: u32, data: Value| {
        let mut item = item(n, "");
        item["MsgLifeTime"] = json!(0);
        item["MsgBody"] = json!([
            {"MsgType": "TIMCustomElem", "MsgContent": {"Data": data.to_string()}},
        ]);
        item
    };
    let status = |status: Value, param: &str| {
        json!({"businessID": "user_typing_status", "typingStatus": status, "version": 1,
               "userAction": 14, "actionParam": param})
    };
    let mut own = typing(5, status(json!(1), "EIMAMSG_InputStatus_Ing"));
    own["IsSyncMsg"] = json!(1);
    let items = [
        typing(1, status(json!(1), "EIMAMSG_InputStatus_Ing")),
        typing(1, status(json!(1), "EIMAMSG_InputStatus_Ing")),
        typing(2, status(json!(0), "EIMAMSG_InputStatus_End")),
        typing(
            3,
            json!({"businessID": "user_typing_status", "typingStatus": true}),
        ),
        typing(4, json!({"businessID": "user_typing_status"})),
        own,
    ];
    let mut rig = Rig::online();
    rig.push(command::MSG_PUSH, message_push(&items));
    let told: Vec<(String, String, bool)> = rig
        .events
        .iter()
        .map(|event| match event {
            Event::Update(update) => match &**update {
                Update::Typing {
                    conversation,
                    user,
                    is_typing,
                } => (conversation.to_string(), user.to_string(), *is_typing),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect();
    let alice = |is_typing| ("C2Calice".to_owned(), "alice".to_owned(), is_typing);
    assert_eq!(
        told,
        [
            alice(true),
            alice(false),
            alice(true),
            alice(false),
            ("C2Calice".to_owned(), "bot".to_owned(), true),
        ]
    );
    // What only resembles one is a message.
    rig.events.clear();
    let mut with_text = typing(8, status(json!(1), ""));
    with_text["MsgBody"]
        .as_array_mut()
        .unwrap()
        .push(json!({"MsgType": "TIMTextElem", "MsgContent": {"Text": "and words"}}));
    let others = [
        typing(
            6,
            json!({"businessID": "text_link", "text": "user_typing_status"}),
        ),
        typing(7, json!("user_typing_status")),
        with_text,
    ];
    rig.push(command::MSG_PUSH, message_push(&others));
    assert_eq!(rig.events.len(), 3);
    assert!(
        rig.events
            .iter()
            .all(|event| matches!(event, Event::Message(_)))
    );
}

#[test]
fn all_pages_of_missed_messages_come_in_order_and_before_what_is_pushed_meanwhile() {
    let mut rig = Rig::new();
    rig.open();
    rig.accept_login();
    rig.push(
        command::MSG_PUSH,
        message_push(&[item(4, "four"), item(5, "five")]),
    );
    assert!(rig.texts().is_empty(), "held back while catching up");
    rig.answer(
        command::GET_MSG,
        json!({"Cookie": "a", "SyncFlag": 0, "MsgList": [item(1, "one"), item(2, "two")]}),
    );
    let next = rig.sent.last().unwrap();
    assert_eq!(
        (&next["body"]["Cookie"], &next["body"]["SyncFlag"]),
        (&json!("a"), &json!(1))
    );
    rig.answer(
        command::GET_MSG,
        json!({"Cookie": "b", "SyncFlag": 2, "MsgList": [item(3, "three"), item(4, "four")]}),
    );
    assert_eq!(rig.texts(), ["one", "two", "three", "four", "five"]);
    assert!(
        matches!(rig.events.last(), Some(Event::Synced { cookie, messages: 4 }) if &**cookie == "b")
    );
    assert_eq!(rig.session.state(), SessionState::Online);
}

#[test]
fn a6_a_text_with_half_a_character_is_handed_out_with_its_neighbours() {
    let mut rig = Rig::online();
    let push = message_push(&[item(1, "one"), item(2, "seven#"), item(3, "three")]);
    let packet = json!({"head": {"servcmd": command::MSG_PUSH, "seq": 1}, "body": push});
    let packet = packet.to_string().replace('#', "\\ud83d");
    rig.session.received(
        rig.now,
        &mut rig.memory,
        &mut RepeatedPush::default(),
        packet.as_bytes(),
    );
    rig.drain();
    assert_eq!(rig.texts(), ["one", "seven\u{fffd}", "three"]);
}

#[test]
fn a6_an_item_that_cannot_be_read_is_told_of_and_harms_no_other() {
    let mut rig = Rig::online();
    let push = message_push(&[item(1, "one"), json!({"From_Account": 7}), item(3, "three")]);
    rig.push(command::MSG_PUSH, push);
    assert_eq!(rig.texts(), ["one", "three"]);
    let told = |event: &Event| matches!(event, Event::Ignored(Ignored::Malformed(_)));
    assert!(rig.events.iter().any(told), "{:?}", rig.events);
}

#[test]
fn a_page_that_fails_is_asked_for_again_and_loses_nothing() {
    for bad in [
        json!({"ErrorCode": 20004}),
        json!({"Cookie": "", "MsgList": [item(1, "one")]}),
        json!({"Cookie": []}),
    ] {
        let mut rig = Rig::new();
        rig.open();
        rig.answer(command::HEARTBEAT, json!({}));
        rig.accept_login();
        rig.push(command::MSG_PUSH, message_push(&[item(2, "two")]));
        rig.answer(command::GET_MSG, bad.clone());
        assert!(
            rig.events
                .iter()
                .any(|event| matches!(event, Event::SyncFailed { .. })),
            "{bad}"
        );
        assert_eq!(rig.texts(), ["two"], "{bad}");
        rig.pass(10, true);
        rig.answer(
            command::GET_MSG,
            json!({"Cookie": "b", "SyncFlag": 2, "MsgList": [item(1, "one")]}),
        );
        assert_eq!(rig.texts(), ["two", "one"], "{bad}");
    }
}

#[test]
fn a_server_that_pages_without_moving_the_cookie_is_not_asked_for_ever() {
    let mut rig = Rig::new();
    rig.session.set_cookie("same");
    rig.open();
    rig.accept_login();
    rig.answer(
        command::GET_MSG,
        json!({"Cookie": "same", "SyncFlag": 0, "MsgList": []}),
    );
    assert_eq!(rig.session.state(), SessionState::Online);
}

#[test]
fn the_cookie_is_moved_on_before_repeats_could_be_forgotten() {
    let mut rig = Rig::online();
    for n in 0..256 {
        rig.push(command::MSG_PUSH, message_push(&[item(n, "x")]));
    }
    let pages = rig
        .commands()
        .iter()
        .filter(|name| *name == command::GET_MSG)
        .count();
    assert_eq!(pages, 1);
    assert_eq!(
        rig.session.state(),
        SessionState::Online,
        "catching up in the background is not an outage"
    );
}
