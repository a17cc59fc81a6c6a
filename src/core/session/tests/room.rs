//! What happens when the bots have no room, and when the server refuses what was missed.

use super::*;
use proptest::prelude::*;

impl Rig {
    /// Online, with bots that have room for so many messages and finish none by themselves.
    fn with_room(queue: usize) -> Self {
        let mut rig = Self::with_memory(Memory::new(InboxLimits::new(queue, true)));
        rig.bots_are_busy = true;
        rig.open();
        rig.answer(command::HEARTBEAT, json!({}));
        rig.accept_login();
        rig.catch_up();
        rig.sent.clear();
        rig.events.clear();
        rig
    }

    /// The bots finish the oldest `count` messages.
    fn finish(&mut self, count: usize) {
        let (mut finished, mut at) = (0, 0);
        while finished < count
            && let Some(event) = self.events.get(at)
        {
            at += 1;
            let Event::Message(message) = event else {
                continue;
            };
            let receipt = Receipt::of(message);
            let before = self.memory.open();
            let wants_room = self.memory.finished(self.now, &receipt);
            finished += before - self.memory.open();
            if wants_room {
                self.session.room(self.now, &mut self.memory);
                self.drain();
            }
        }
    }

    fn times(&self, servcmd: &str) -> usize {
        self.commands()
            .iter()
            .filter(|sent| *sent == servcmd)
            .count()
    }

    pub(super) fn push_from(&mut self, from: &str, n: u32) {
        let mut item = item(n, &format!("{from} {n}"));
        item["From_Account"] = json!(from);
        self.push(command::MSG_PUSH, message_push(&[item]));
    }

    /// Lets time pass until a command is asked for anew; what was asked for before was lost.
    fn wait_for(&mut self, servcmd: &str) {
        self.sent.clear();
        for _ in 0..1_000 {
            if self.times(servcmd) > 0 {
                return;
            }
            self.pass(1, true);
        }
        panic!("{servcmd} is not asked for again");
    }

    /// What is degraded at the end of the events.
    fn troubles(&self) -> Vec<Part> {
        let mut now = Vec::new();
        for event in &self.events {
            match event {
                Event::Trouble {
                    part,
                    reason: Some(_),
                } => now.push(part.clone()),
                Event::Trouble { part, reason: None } => now.retain(|known| known != part),
                _ => {}
            }
        }
        now
    }
}

#[test]
fn a2_what_finds_no_room_is_neither_acknowledged_nor_lost() {
    let mut rig = Rig::with_room(8);
    for n in 1..=3 {
        rig.push_from("alice", n);
    }
    assert_eq!(rig.texts(), ["alice 1"], "an eighth of eight");
    assert_eq!(rig.times(command::PUSH_ACK), 1);
    assert_eq!(rig.times(command::GET_MSG), 1, "there is room for others");
    // The server gives everything since the cookie; what was pushed behind waits for it.
    rig.push_from("alice", 4);
    let page: Vec<Value> = (1..=3).map(|n| item(n, &format!("alice {n}"))).collect();
    rig.answer(
        command::GET_MSG,
        json!({"Cookie": "c2", "SyncFlag": 2, "MsgList": page}),
    );
    assert_eq!(
        rig.times(command::GET_MSG),
        0,
        "the next page waits for room"
    );
    rig.finish(2);
    assert_eq!(rig.texts(), ["alice 1", "alice 2", "alice 3"]);
    assert_eq!(rig.times(command::GET_MSG), 1);
    rig.answer(
        command::GET_MSG,
        json!({"Cookie": "c3", "SyncFlag": 2, "MsgList": [item(4, "alice 4")]}),
    );
    rig.finish(1);
    assert_eq!(rig.texts().last(), Some(&"alice 4"));
    rig.finish(1);
    rig.push_from("alice", 5);
    assert_eq!(
        rig.texts().last(),
        Some(&"alice 5"),
        "pushes are taken again"
    );
}

#[test]
fn c_one_who_floods_does_not_lock_the_others_out() {
    let mut rig = Rig::with_room(8);
    for n in 1..=20 {
        rig.push_from("spam", n);
    }
    rig.push_from("alice", 21);
    assert_eq!(rig.texts(), ["spam 1", "alice 21"]);
}

/// Found by the simulator: after an outage, whatever was pushed was held back until the bots were through
/// with the one who had flooded.
#[test]
fn c_one_who_flooded_while_the_account_was_away_does_not_lock_the_others_out() {
    let mut rig = Rig::with_room(8);
    rig.close();
    rig.open();
    rig.accept_login();
    let page: Vec<Value> = (1..=9)
        .map(|n| {
            let mut item = item(n, &format!("spam {n}"));
            item["From_Account"] = json!("spam");
            item
        })
        .collect();
    rig.answer(
        command::GET_MSG,
        json!({"Cookie": "c2", "SyncFlag": 2, "MsgList": page}),
    );
    rig.push_from("alice", 20);
    assert_eq!(rig.texts(), ["spam 1", "alice 20"]);
    // A session that dies now has not handed out what is told as caught up with.
    let told = |rig: &Rig| {
        let synced = |event: &&Event| matches!(event, Event::Synced { .. });
        rig.events.iter().filter(synced).count()
    };
    assert_eq!(told(&rig), 0);
    rig.finish(20);
    assert_eq!(rig.texts().len(), 10);
    assert_eq!(told(&rig), 1);
}

/// Found by the simulator: what is missed of others is fetched although one conversation stands still.
#[test]
fn c_pages_go_on_although_one_conversation_has_no_room() {
    let mut rig = Rig::with_room(8);
    rig.close();
    rig.open();
    rig.accept_login();
    let from = |user: &str, n: u32| {
        let mut item = item(n, &format!("{user} {n}"));
        item["From_Account"] = json!(user);
        item
    };
    let page: Vec<Value> = (1..=9).map(|n| from("spam", n)).collect();
    rig.answer(
        command::GET_MSG,
        json!({"Cookie": "c2", "SyncFlag": 1, "MsgList": page}),
    );
    rig.answer(
        command::GET_MSG,
        json!({"Cookie": "c3", "SyncFlag": 2, "MsgList": [from("alice", 10)]}),
    );
    assert_eq!(rig.texts(), ["spam 1", "alice 10"]);
    // Something of hers that finds no room now is fetched when she has room again.
    rig.sent.clear();
    rig.push_from("alice", 11);
    assert_eq!(rig.times(command::GET_MSG), 0);
    let message = rig.events.iter().rev().find_map(|event| match event {
        Event::Message(message) => Some(Receipt::of(message)),
        _ => None,
    });
    rig.memory.finished(rig.now, &message.unwrap());
    rig.session.room(rig.now, &mut rig.memory);
    rig.drain();
    assert_eq!(rig.times(command::GET_MSG), 1);
}

#[test]
fn a2_groups_are_not_fetched_further_than_there_is_room() {
    let mut rig = Rig::with_memory(Memory::new(InboxLimits::new(400, true)));
    rig.bots_are_busy = true;
    rig.in_groups = true;
    rig.open();
    rig.answer(command::HEARTBEAT, json!({}));
    rig.accept_login();
    rig.catch_up();
    rig.answer(
        command::JOINED_GROUPS,
        json!({"TotalCount": 1, "GroupIdList": [
            {"GroupId": "g", "Type": "Public", "NextMsgSeq": 951, "SelfInfo": {"MsgSeq": 0}}]}),
    );
    rig.serve_history(950, 20);
    let first = rig.heard().len();
    assert!((50..=70).contains(&first), "{first} are with the bots");
    rig.pass(60, true);
    assert_eq!(rig.times(command::GROUP_HISTORY), 0);
    while rig.memory.open() > 0 {
        rig.finish(30);
        rig.serve_history(950, 20);
    }
    assert_eq!(rig.heard(), (1..=950).collect::<Vec<_>>());
}

#[test]
fn a4_a_group_whose_history_is_refused_goes_on_and_its_gap_is_filled_later() {
    let mut rig = Rig::in_group(5, 4);
    rig.push_group(&[5]);
    rig.push_group(&[8]);
    let mut refusals = 0;
    while rig.heard().len() < 2 {
        rig.answer(
            command::GROUP_HISTORY,
            json!({"ErrorCode": 10002, "ErrorInfo": "try again"}),
        );
        refusals += 1;
        assert!(refusals < 5);
        if rig.heard().len() < 2 {
            rig.wait_for(command::GROUP_HISTORY);
        }
    }
    assert_eq!(rig.heard(), [5, 8], "what was pushed waits no longer");
    assert_eq!(rig.troubles(), [Part::Group("g".into())]);
    rig.push_group(&[9]);
    assert_eq!(rig.heard(), [5, 8, 9]);
    assert!(
        rig.memory
            .reports(rig.now.after(Duration::from_secs(9)))
            .iter()
            .all(|read| read.mark <= 5),
        "nothing behind the gap counts as read"
    );
    rig.wait_for(command::GROUP_HISTORY);
    rig.serve_history(9, 20);
    assert_eq!(rig.heard(), [5, 8, 9, 6, 7]);
    assert!(rig.troubles().is_empty());
    let reports = rig.memory.reports(rig.now.after(Duration::from_secs(9)));
    assert_eq!(reports.iter().map(|read| read.mark).max(), Some(9));
}

#[test]
fn a4_an_unanswered_history_is_asked_for_again_and_again() {
    let mut rig = Rig::in_group(5, 4);
    rig.push_group(&[8]);
    for _ in 0..8 {
        rig.wait_for(command::GROUP_HISTORY);
    }
    rig.serve_history(8, 20);
    assert_eq!(rig.heard(), [8, 5, 6, 7]);
}

#[test]
fn a4_groups_are_followed_although_their_list_is_refused() {
    let mut rig = Rig::new();
    rig.in_groups = true;
    rig.open();
    rig.answer(command::HEARTBEAT, json!({}));
    rig.accept_login();
    rig.catch_up();
    rig.push_group(&[7]);
    for _ in 0..3 {
        rig.answer(
            command::JOINED_GROUPS,
            json!({"ErrorCode": 60002, "ErrorInfo": "no"}),
        );
        if rig.troubles().is_empty() {
            rig.wait_for(command::JOINED_GROUPS);
        }
    }
    rig.serve_history(7, 20);
    assert_eq!(rig.heard(), [7]);
    assert_eq!(rig.troubles(), [Part::Groups]);
    rig.push_group(&[8]);
    assert_eq!(rig.heard(), [7, 8]);
    rig.wait_for(command::JOINED_GROUPS);
    // 5 and 6 were unread before the first push.
    rig.list(9, 4);
    rig.serve_history(8, 20);
    assert_eq!(rig.heard(), [7, 8, 5, 6]);
    assert!(rig.troubles().is_empty());
}

#[test]
fn a5_what_was_pushed_while_nothing_could_be_fetched_comes_once() {
    let mut rig = Rig::online();
    let mut pushed = Vec::new();
    for n in 0..1_500 {
        pushed.push(item(n, "x"));
        rig.push(command::MSG_PUSH, message_push(&[item(n, "x")]));
        if rig.times(command::GET_MSG) > 0 {
            rig.answer(command::GET_MSG, json!({"ErrorCode": 70500}));
        }
    }
    assert_eq!(rig.texts().len(), 1_500);
    rig.pass(300, true);
    if rig.times(command::GET_MSG) == 0 {
        rig.push(command::MSG_PUSH, json!({"Flag": 1, "EventArray": []}));
    }
    rig.answer(
        command::GET_MSG,
        json!({"Cookie": "c2", "SyncFlag": 2, "MsgList": pushed}),
    );
    assert_eq!(rig.texts().len(), 1_500, "each once");
}

#[test]
fn a9_pages_without_end_and_without_messages_come_to_one() {
    let mut rig = Rig::new();
    rig.open();
    rig.answer(command::HEARTBEAT, json!({}));
    rig.accept_login();
    rig.push(command::MSG_PUSH, message_push(&[item(1, "pushed")]));
    let (mut pages, began) = (0, rig.now);
    while rig.now.mono - began.mono < Duration::from_secs(60) {
        if rig.times(command::GET_MSG) > 0 {
            pages += 1;
            rig.answer(
                command::GET_MSG,
                json!({"Cookie": format!("c{pages}"), "SyncFlag": 1, "MsgList": []}),
            );
        } else {
            rig.pass(1, true);
        }
    }
    assert!((10..40).contains(&pages), "{pages} pages in a minute");
    assert_eq!(rig.texts(), ["pushed"], "not held back for ever");
}

#[test]
fn b8_hints_without_end_do_not_ask_without_end() {
    let mut rig = Rig::online();
    let mut asked = 0;
    for _ in 0..700 {
        rig.push(command::MSG_PUSH, json!({"Flag": 1, "EventArray": []}));
        if rig.times(command::GET_MSG) > 0 {
            asked += 1;
            rig.answer(
                command::GET_MSG,
                json!({"Cookie": "c1", "SyncFlag": 2, "MsgList": []}),
            );
        }
        rig.now = rig.now.after(Duration::from_millis(10));
        rig.session.timeout(rig.now, &mut rig.memory);
        rig.drain();
    }
    assert!(asked <= 4, "{asked} in 7 s");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// However bots finish, links break and pages are cut: each message comes once, in order, never more
    /// than there is room for.
    #[test]
    fn nothing_is_lost_for_want_of_room(
        steps in prop::collection::vec((0_u8..6, 1_u32..30), 1..60),
        queue in 8_usize..64, page_size in 1_usize..20,
    ) {
        let mut rig = Rig::with_room(queue);
        let people = ["alice", "bob", "carol"];
        let mut server: Vec<Value> = Vec::new();
        // The cookie is how much of it the client has.
        let answer_page = |rig: &mut Rig, server: &[Value]| {
            while let Some(request) = rig.sent.iter().find(|packet| packet["head"]["servcmd"] == command::GET_MSG) {
                let cookie = request["body"]["Cookie"].as_str().unwrap().to_owned();
                let at = cookie.strip_prefix('p').map_or(0, |at| at.parse::<usize>().unwrap());
                let end = server.len().min(at + page_size);
                let flag = if end == server.len() { 2 } else { 1 };
                let answer = json!({"Cookie": format!("p{end}"), "SyncFlag": flag, "MsgList": &server[at..end]});
                rig.answer(command::GET_MSG, answer);
            }
        };
        for (kind, count) in steps {
            match kind {
                0..=1 => for _ in 0..count {
                    let n = u32::try_from(server.len()).unwrap();
                    let from = people[n as usize % 3];
                    let mut item = item(n, &format!("{from} {n}"));
                    item["From_Account"] = json!(from);
                    item["MsgTimeStamp"] = json!(1_000 + n / 7);
                    server.push(item.clone());
                    rig.push(command::MSG_PUSH, message_push(&[item]));
                },
                3 => rig.finish(count as usize),
                2 | 4 => answer_page(&mut rig, &server),
                _ => {
                    rig.close();
                    // Said during the outage.
                    for _ in 0..count / 4 {
                        let n = u32::try_from(server.len()).unwrap();
                        let from = people[n as usize % 3];
                        let mut item = item(n, &format!("{from} {n}"));
                        item["From_Account"] = json!(from);
                        item["MsgTimeStamp"] = json!(1_000 + n / 7);
                        server.push(item);
                    }
                    rig.open();
                    rig.answer(command::LOGIN, json!({"TimeStamp": rig.now.unix_secs()}));
                    answer_page(&mut rig, &server);
                }
            }
            let open = rig.memory.open();
            prop_assert!(open <= queue.max(3), "{open} are open");
            rig.pass(1, true);
        }
        // One more login, and bots that finish everything.
        rig.close();
        rig.open();
        rig.answer(command::LOGIN, json!({"TimeStamp": rig.now.unix_secs()}));
        for _ in 0..3_000 {
            answer_page(&mut rig, &server);
            rig.finish(8);
            if rig.texts().len() == server.len() && rig.memory.open() == 0 {
                break;
            }
        }
        for from in people {
            let said = server.iter().filter(|item| item["From_Account"] == from);
            let said: Vec<&str> = said.map(|item| item["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap()).collect();
            let heard: Vec<&str> = rig.texts().into_iter().filter(|text| text.starts_with(from)).collect();
            prop_assert_eq!(heard, said);
        }
    }
}
