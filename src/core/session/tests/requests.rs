//! Requests: sent again, timed out, refused.

use super::*;

#[test]
fn a_request_is_sent_again_unchanged_before_the_resume_and_settled_once() {
    let mut rig = Rig::online();
    let servcmd = "profile.portrait_get_all";
    let id = rig.session.request(rig.now, servcmd, "{}").unwrap();
    rig.drain();
    let first = rig.sent.remove(0);
    rig.close();
    rig.pass(10, false);
    rig.open();
    assert_eq!(
        rig.commands(),
        [servcmd, command::LOGIN, command::HEARTBEAT]
    );
    assert_eq!(rig.sent[0], first);
    rig.answer(servcmd, json!({}));
    let answer = json!({"head": first["head"], "body": {}});
    rig.receive(&answer);
    let settled: Vec<_> = rig
        .events
        .iter()
        .filter(|event| matches!(event, Event::Settled { id: i, .. } if *i == id))
        .collect();
    assert_eq!(settled.len(), 1);
    assert!(matches!(
        rig.events.last(),
        Some(Event::Ignored(Ignored::Answer(_)))
    ));
}

#[test]
fn a_message_whose_link_is_lost_is_given_back_and_one_that_was_never_sent_goes_out() {
    let mut rig = Rig::online();
    let message = rig.outgoing("hello");
    rig.session.send(rig.now, &message).unwrap();
    rig.drain();
    rig.close();
    assert!(matches!(
        rig.events[..],
        [Event::Settled {
            outcome: Err(RequestError::TimedOut),
            ..
        }]
    ));
    rig.sent.clear();
    rig.session.send(rig.now, &message).unwrap();
    rig.open();
    assert_eq!(
        rig.commands(),
        [command::SEND_C2C, command::LOGIN, command::HEARTBEAT]
    );
}

#[test]
fn a8_what_could_be_done_twice_is_not_repeated_and_its_outcome_is_unknown() {
    let outcomes = |rig: &Rig| -> Vec<Result<String, RequestError>> {
        let settled = rig.events.iter().filter_map(|event| match event {
            Event::Settled { outcome, .. } => Some(outcome.clone()),
            _ => None,
        });
        settled.collect()
    };
    for servcmd in [
        "group_open_http_svc.create_group",
        "group_open_http_svc.update_group_counter",
    ] {
        let mut rig = Rig::online();
        rig.session.request(rig.now, servcmd, "{}").unwrap();
        rig.drain();
        rig.close();
        assert_eq!(outcomes(&rig), [Err(RequestError::Lost)], "{servcmd}");
        rig.sent.clear();
        rig.open();
        assert!(!rig.commands().contains(&servcmd.to_owned()));
        // One that waits for a link was never made: it is.
        let mut rig = Rig::online();
        rig.close();
        rig.session.request(rig.now, servcmd, "{}").unwrap();
        rig.open();
        assert!(rig.commands().contains(&servcmd.to_owned()));
    }
    // A question may be asked again.
    let mut rig = Rig::online();
    rig.session
        .request(rig.now, "profile.portrait_get_all", "{}")
        .unwrap();
    rig.drain();
    rig.close();
    rig.sent.clear();
    rig.open();
    assert_eq!(rig.commands()[0], "profile.portrait_get_all");
}

#[test]
fn a_request_times_out_after_fifteen_seconds_also_without_a_link() {
    let mut rig = Rig::online();
    let servcmd = "profile.portrait_get_all";
    rig.session.request(rig.now, servcmd, "{}").unwrap();
    rig.close();
    rig.pass(14, false);
    assert!(rig.events.is_empty());
    rig.pass(1, false);
    assert!(matches!(
        rig.events[..],
        [Event::Settled {
            outcome: Err(RequestError::TimedOut),
            ..
        }]
    ));
}

#[test]
fn a_clock_of_the_server_that_cannot_be_is_not_gone_by() {
    for (time, said) in [
        (json!(u64::MAX), 1_795_397_877_u64),
        (json!(253_402_300_800_u64), 1_795_397_877),
        (json!("1795397900"), 1_795_397_900),
        (json!(0), 0),
    ] {
        let mut rig = Rig::new();
        rig.open();
        let login = json!({"A2Key": "A2", "TinyId": "1", "InstId": 9, "TimeStamp": time});
        rig.answer(command::LOGIN, login);
        let message = rig.outgoing("hello");
        rig.session.send(rig.now, &message).unwrap();
        rig.drain();
        let mut sent = rig.sent.iter();
        let sent = sent.find(|packet| packet["head"]["servcmd"] == command::SEND_C2C);
        assert_eq!(sent.unwrap()["body"]["MsgClientTime"], said, "{time}");
    }
}

#[test]
fn sending_needs_a_login_and_sane_content() {
    let mut rig = Rig::new();
    rig.open();
    let message = rig.outgoing("x");
    assert_eq!(
        rig.session.send(rig.now, &message),
        Err(RequestError::NotLoggedIn)
    );
    let mut rig = Rig::online();
    let long = rig.outgoing(&"x".repeat(13_000));
    assert!(matches!(
        rig.session.send(rig.now, &long),
        Err(RequestError::Shape(_))
    ));
    let empty = OutgoingMessage {
        draft: std::sync::Arc::new(Draft::default()),
        ..long
    };
    assert!(matches!(
        rig.session.send(rig.now, &empty),
        Err(RequestError::Shape(_))
    ));
}

#[test]
fn too_many_requests_in_flight_are_refused() {
    let mut rig = Rig::online();
    let message = rig.outgoing("x");
    for _ in 0..128 {
        rig.session.send(rig.now, &message).unwrap();
    }
    assert_eq!(rig.session.send(rig.now, &message), Err(RequestError::Full));
}

#[test]
fn the_answer_to_the_goodbye_of_a_renewal_is_nothing_strange() {
    let mut rig = Rig::online();
    let sig = UserSig::from("sig-2".to_owned());
    rig.session.relogin(rig.now, &sig).unwrap();
    rig.drain();
    rig.events.clear();
    rig.answer(command::LOGOUT, json!({}));
    assert!(
        !rig.events
            .iter()
            .any(|event| matches!(event, Event::Ignored(_))),
        "{:?}",
        rig.events
    );
}

#[test]
fn an_edit_that_came_too_late_is_told_how_things_stand() {
    let mut rig = Rig::online();
    let edit = "openim.modify_c2c_msg";
    rig.session.request(rig.now, edit, "{}").unwrap();
    rig.drain();
    rig.answer(
        edit,
        json!({"ErrorCode": 20027, "ErrorInfo": "conflict", "MsgVersion": 9}),
    );
    let Some(Event::Settled {
        outcome: Err(RequestError::Conflict { info, body }),
        ..
    }) = rig.events.last()
    else {
        panic!("{:?}", rig.events)
    };
    assert_eq!(info, "conflict");
    assert!(body.contains("\"MsgVersion\":9"), "{body}");
}

#[test]
fn requests_that_name_the_login_in_their_body_get_it_from_the_session() {
    let mut rig = Rig::online();
    for (servcmd, body, whole) in [
        (
            "im_open_translate.ws_batch_trans_text",
            r#"{"Target":"de"}"#,
            json!({"Target": "de", "SdkAppId": 1_400_000_001, "FromAccount": "144115422390155339"}),
        ),
        (
            "im_open_translate.ws_batch_trans_text",
            r#"{"SdkAppId":5,"FromAccount":"6"}"#,
            json!({"SdkAppId": 5, "FromAccount": "6"}),
        ),
        (
            "im_open_speech.ws_sentence_recognition",
            "{}",
            json!({"Uint32Sdkappid": 1_400_000_001}),
        ),
        ("im_open_translate.other", "{}", json!({})),
        ("im_open_speech.ws_sentence_recognition", "[]", json!([])),
    ] {
        rig.session.request(rig.now, servcmd, body).unwrap();
        rig.drain();
        assert_eq!(rig.sent.remove(0)["body"], whole, "{servcmd} {body}");
    }
}
