//! Live rooms: joined, polled, resumed, joined again, left.

use super::*;

const LIVE: &str = "live";

fn live_item(seq: u32) -> Value {
    json!({"Event": 3, "From_Account": "alice", "ToGroupId": LIVE, "MsgSeq": seq, "MsgRandom": seq,
           "MsgTimeStamp": 1000, "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": format!("m{seq}")}}]})
}

impl Rig {
    fn in_room() -> Self {
        let mut rig = Self::online();
        rig.session
            .request(
                rig.now,
                command::JOIN_GROUP,
                &json!({"GroupId": LIVE}).to_string(),
            )
            .unwrap();
        rig.drain();
        rig.joined("k1", 5);
        rig.events.clear();
        rig
    }

    fn joined(&mut self, key: &str, start: u64) {
        self.answer(
            command::JOIN_GROUP,
            json!({"JoinedStatus": "JoinedSuccess", "HugeGroupFlag": 1, "LongPollingKey": key, "StartSeq": start}),
        );
    }

    /// A new UserSig: the old key of the room is void.
    fn log_in_anew(&mut self) {
        let sig = UserSig::from("sig-2".to_owned());
        self.session.relogin(self.now, &sig).unwrap();
        self.drain();
        self.sent
            .retain(|packet| packet["head"]["servcmd"] == command::LOGIN);
        self.accept_login();
        self.catch_up();
    }

    /// The poll in flight: its key and where it begins.
    fn poll(&self) -> Option<(String, u64)> {
        let poll = self
            .sent
            .iter()
            .find(|packet| packet["head"]["servcmd"] == command::POLL_ROOM)?;
        let (key, start) = (&poll["body"]["Key"], &poll["body"]["StartSeq"]);
        Some((key.as_str()?.to_owned(), start.as_u64()?))
    }
}

#[test]
fn a_room_is_polled_from_the_join_on_and_every_item_is_handed_out_once() {
    let mut rig = Rig::in_room();
    assert_eq!(rig.poll(), Some(("k1".to_owned(), 5)));
    rig.answer(
        command::POLL_ROOM,
        json!({"Key": "k2", "NextSeq": 7, "RspMsgList": [live_item(5), live_item(6)]}),
    );
    assert_eq!(rig.texts(), ["m5", "m6"]);
    assert_eq!(rig.poll(), None, "not at once");
    rig.pass(1, true);
    assert_eq!(rig.poll(), Some(("k2".to_owned(), 7)));
    rig.answer(
        command::POLL_ROOM,
        json!({"NextSeq": 7, "RspMsgList": [live_item(6)]}),
    );
    assert_eq!(rig.texts(), ["m5", "m6"], "seen before");
}

#[test]
fn a_poll_that_fails_is_made_again_with_growing_pauses() {
    let mut rig = Rig::in_room();
    let refused = json!({"ErrorCode": 60008, "ErrorInfo": "busy"});
    for pause in [2, 4, 8] {
        rig.answer(command::POLL_ROOM, refused.clone());
        rig.pass(pause - 1, true);
        assert_eq!(rig.poll(), None);
        rig.pass(1, true);
        assert!(rig.poll().is_some(), "after {pause} s");
    }
}

#[test]
fn a_resume_goes_on_and_a_new_login_joins_again() {
    let mut rig = Rig::in_room();
    rig.answer(command::POLL_ROOM, json!({"NextSeq": 9, "RspMsgList": []}));
    rig.close();
    rig.sent.clear();
    rig.open();
    rig.answer(command::LOGIN, json!({"TimeStamp": rig.now.unix_secs()}));
    assert_eq!(rig.poll(), Some(("k1".to_owned(), 9)));
    rig.log_in_anew();
    assert_eq!(rig.poll(), None, "the old key is void");
    rig.joined("k9", 30);
    // From where it was: the server may still have what came meanwhile.
    assert_eq!(rig.poll(), Some(("k9".to_owned(), 9)));
}

#[test]
fn what_a_server_shows_of_the_past_fills_the_gap_before_a_new_login() {
    let joined = |rig: &mut Rig, items: Value| {
        rig.answer(
            command::JOIN_GROUP,
            json!({"HugeGroupFlag": 1, "LongPollingKey": "k", "StartSeq": 30, "RspMsgList": items}),
        );
    };
    let past = json!([live_item(4), live_item(8), live_item(9), live_item(10)]);
    let mut rig = Rig::in_room();
    rig.answer(
        command::POLL_ROOM,
        json!({"NextSeq": 9, "RspMsgList": [live_item(5)]}),
    );
    assert_eq!(rig.texts(), ["m5"]);
    for _ in 0..2 {
        rig.log_in_anew();
        joined(&mut rig, past.clone());
        assert_eq!(rig.poll(), Some(("k".to_owned(), 9)));
        assert_eq!(rig.texts(), ["m5"], "the poll may still have what is older");
    }
    // A server that has nothing from there on: nothing of before the join is handed out, nothing that the
    // polls have passed, nothing twice.
    let mut other = Rig::in_room();
    other.answer(
        command::POLL_ROOM,
        json!({"NextSeq": 9, "RspMsgList": [live_item(5)]}),
    );
    other.log_in_anew();
    joined(&mut other, past.clone());
    other.answer(command::POLL_ROOM, json!({"NextSeq": 30, "RspMsgList": []}));
    assert_eq!(other.texts(), ["m5", "m9", "m10"]);
    other.pass(1, true);
    other.answer(
        command::POLL_ROOM,
        json!({"NextSeq": 31, "RspMsgList": [live_item(10), live_item(30)]}),
    );
    assert_eq!(other.texts(), ["m5", "m9", "m10", "m30"]);
    // What is said to all rooms has numbers of its own, which tell nothing.
    let mut other = Rig::in_room();
    other.log_in_anew();
    joined(&mut other, json!([live_item(8)]));
    let mut to_all = live_item(2);
    to_all["Event"] = 17.into();
    other.answer(
        command::POLL_ROOM,
        json!({"NextSeq": 30, "RspMsgList": [], "RspBroadcastMsgList": [to_all]}),
    );
    assert_eq!(other.texts(), ["m8", "m2"]);
    // A join of the account's own in between takes nothing away.
    let mut other = Rig::in_room();
    other.log_in_anew();
    joined(&mut other, json!([live_item(5)]));
    let body = json!({"GroupId": LIVE}).to_string();
    other
        .session
        .request(other.now, command::JOIN_GROUP, &body)
        .unwrap();
    other.drain();
    other
        .sent
        .retain(|packet| packet["head"]["servcmd"] != command::POLL_ROOM);
    joined(&mut other, json!([live_item(5)]));
    other.answer(command::POLL_ROOM, json!({"NextSeq": 30, "RspMsgList": []}));
    assert_eq!(other.texts(), ["m5"]);
    // One that has part of it, and one that has more than it shows.
    rig.answer(
        command::POLL_ROOM,
        json!({"NextSeq": 12, "RspMsgList": [live_item(10), live_item(11)]}),
    );
    assert_eq!(rig.texts(), ["m5", "m9", "m10", "m11"]);
    rig.log_in_anew();
    joined(&mut rig, json!([live_item(14), live_item(15)]));
    rig.answer(
        command::POLL_ROOM,
        json!({"NextSeq": 14, "RspMsgList": [live_item(12), live_item(13)]}),
    );
    assert_eq!(rig.texts()[4..], ["m12", "m13"]);
    rig.pass(1, true);
    rig.answer(
        command::POLL_ROOM,
        json!({"NextSeq": 16, "RspMsgList": [live_item(14), live_item(15)]}),
    );
    assert_eq!(rig.texts()[4..], ["m12", "m13", "m14", "m15"]);
    // Who comes in for the first time has missed nothing; and no list is none.
    for odd in [past, json!(null), json!({"a": 1}), json!([1])] {
        let mut rig = Rig::online();
        let body = json!({"GroupId": LIVE}).to_string();
        rig.session
            .request(rig.now, command::JOIN_GROUP, &body)
            .unwrap();
        rig.drain();
        joined(&mut rig, odd);
        assert_eq!(rig.texts(), [""; 0]);
        assert_eq!(rig.poll(), Some(("k".to_owned(), 30)));
    }
}

#[test]
fn a_session_that_died_does_not_take_its_rooms_with_it() {
    let mut first = Rig::in_room();
    first.owner_is_dead = true;
    let items = [live_item(5), live_item(6)];
    rig_polls(&mut first, 7, &items);
    for handed_on in [false, true] {
        if handed_on {
            for event in &first.events {
                if let Event::Message(message) = event {
                    first.memory.delivered(message);
                }
            }
            rig_polls(&mut first, 8, &[]);
        }
        let mut rig = Rig::with_memory(first.memory.clone());
        rig.open();
        rig.accept_login();
        rig.catch_up();
        assert!(rig.commands().contains(&command::JOIN_GROUP.to_owned()));
        rig.joined("k2", 30);
        // What was not handed on is asked for once more.
        let start = if handed_on { 8 } else { 5 };
        assert_eq!(rig.poll(), Some(("k2".to_owned(), start)));
    }
}

/// A poll brings items, and the next one is made.
fn rig_polls(rig: &mut Rig, next: u64, items: &[Value]) {
    rig.answer(
        command::POLL_ROOM,
        json!({"NextSeq": next, "RspMsgList": items}),
    );
    rig.pass(1, true);
    assert_eq!(rig.poll().map(|(_, start)| start), Some(next));
}

#[test]
fn a_room_that_is_quit_or_dismissed_is_polled_no_more() {
    let quit = "group_open_http_svc.quit_group";
    let mut rig = Rig::in_room();
    rig.session
        .request(rig.now, quit, &json!({"GroupId": LIVE}).to_string())
        .unwrap();
    rig.drain();
    rig.answer(quit, json!({}));
    rig.answer(command::POLL_ROOM, json!({"NextSeq": 9, "RspMsgList": []}));
    rig.pass(60, true);
    assert_eq!(rig.poll(), None);

    let mut rig = Rig::in_room();
    let dismissed = json!({"Event": 5, "ToGroupId": LIVE, "GroupInfo": {"GroupId": LIVE}, "MsgSeq": 6,
                           "From_Account": "@TIM#SYSTEM", "MsgBody": {"ReportType": 5, "Operator_Account": "alice"}});
    rig.answer(
        command::POLL_ROOM,
        json!({"NextSeq": 7, "RspMsgList": [dismissed]}),
    );
    rig.pass(60, true);
    assert_eq!(rig.poll(), None);

    // Whoever is banned is told by a push.
    let mut rig = Rig::in_room();
    let banned = json!({"ToGroupId": LIVE, "GroupInfo": {"GroupId": LIVE}, "MsgSeq": 7,
                        "From_Account": "@TIM#SYSTEM", "MsgBody": {"ReportType": 21, "Operator_Account": "alice"}});
    let event = json!({"Event": 5, "GroupTips": [banned]});
    rig.push(command::MSG_PUSH, json!({"EventArray": [event]}));
    rig.answer(command::POLL_ROOM, json!({"ErrorCode": 10010}));
    rig.pass(60, true);
    assert_eq!(rig.poll(), None);
    assert!(!rig.commands().contains(&command::JOIN_GROUP.to_owned()));
}

#[test]
fn a_room_that_is_not_heard_is_told_of() {
    let lost = |rig: &Rig| -> Vec<(String, String)> {
        let events = rig.events.iter();
        events
            .filter_map(|event| match event {
                Event::RoomLost { room, reason } => Some((room.clone(), reason.clone())),
                _ => None,
            })
            .collect()
    };
    // Banned meanwhile, or made anew as something else.
    let answers = [
        (json!({"ErrorCode": 10007, "ErrorInfo": "banned"}), "10007"),
        (json!({"JoinedStatus": "JoinedSuccess"}), "no live room"),
    ];
    for (answer, named) in answers {
        let mut rig = Rig::in_room();
        rig.log_in_anew();
        rig.answer(command::JOIN_GROUP, answer);
        let [(room, reason)] = &lost(&rig)[..] else {
            panic!("{:?}", rig.events)
        };
        assert_eq!(room, LIVE);
        assert!(reason.contains(named), "{reason}");
        rig.pass(60, true);
        assert_eq!(rig.poll(), None);
    }
    // One too many.
    let mut rig = Rig::online();
    for number in 0..65 {
        let body = json!({"GroupId": format!("live-{number}")}).to_string();
        rig.session
            .request(rig.now, command::JOIN_GROUP, &body)
            .unwrap();
        rig.drain();
        rig.joined("k", 1);
    }
    let [(room, reason)] = &lost(&rig)[..] else {
        panic!("{:?}", rig.events)
    };
    assert_eq!(room, "live-64");
    assert!(reason.contains("64"), "{reason}");
}

#[test]
fn an_old_notice_does_not_end_a_visit_that_begins_only_now() {
    let mut rig = Rig::in_room();
    let sig = UserSig::from("sig-2".to_owned());
    rig.session.relogin(rig.now, &sig).unwrap();
    rig.drain();
    rig.sent
        .retain(|packet| packet["head"]["servcmd"] == command::LOGIN);
    let login = json!({"A2Key": "a2-2", "TinyId": "144115422390155339", "InstId": 8});
    rig.answer(command::LOGIN, login);
    assert!(!rig.commands().contains(&command::JOIN_GROUP.to_owned()));
    let banned = json!({"ToGroupId": "other", "GroupInfo": {"GroupId": "other"}, "MsgSeq": 7,
                        "From_Account": "@TIM#SYSTEM", "MsgBody": {"ReportType": 21, "Operator_Account": "alice"}});
    let page = |group: &str| {
        let mut banned = banned.clone();
        banned["ToGroupId"] = group.into();
        banned["GroupInfo"]["GroupId"] = group.into();
        json!({"Cookie": "c1", "SyncFlag": 2, "MsgList": [],
               "EventArray": [{"Event": 5, "GroupTips": [banned]}]})
    };
    rig.answer(command::GET_MSG, page("other"));
    assert!(rig.commands().contains(&command::JOIN_GROUP.to_owned()));
    rig.joined("k9", 30);
    assert_eq!(rig.poll(), Some(("k9".to_owned(), 5)));

    // Of this very room: it is not joined again.
    rig.session.relogin(rig.now, &sig).unwrap();
    rig.drain();
    rig.sent
        .retain(|packet| packet["head"]["servcmd"] == command::LOGIN);
    rig.answer(
        command::LOGIN,
        json!({"A2Key": "a2-3", "TinyId": "144115422390155339", "InstId": 9}),
    );
    rig.answer(command::GET_MSG, page(LIVE));
    rig.pass(60, true);
    assert!(!rig.commands().contains(&command::JOIN_GROUP.to_owned()));
    assert_eq!(rig.poll(), None);
}
