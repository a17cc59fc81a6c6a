//! Group messages: in order, each once, none missing.

use super::*;
use proptest::prelude::*;

fn group_item(seq: u32) -> Value {
    json!({"From_Account": "alice", "ToGroupId": "g", "MsgSeq": seq, "MsgRandom": seq, "MsgTimeStamp": 1000 + seq,
           "GroupInfo": {"GroupId": "g", "GroupType": "Public"},
           "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": format!("m{seq}")}}]})
}

fn group_push(seqs: &[u32]) -> Value {
    let items: Vec<Value> = seqs.iter().map(|seq| group_item(*seq)).collect();
    json!({"EventArray": [{"Event": 3, "GroupMsgArray": items}]})
}

impl Rig {
    /// Logged in, in the group `g` whose next number is `next` and which was read up to `read`.
    pub(super) fn in_group(next: u32, read: u32) -> Self {
        let mut rig = Self::new();
        rig.in_groups = true;
        rig.open();
        rig.accept_login();
        rig.answer(
            command::GET_MSG,
            json!({"Cookie": "c1", "SyncFlag": 2, "MsgList": []}),
        );
        rig.list(next, read);
        rig
    }

    pub(super) fn list(&mut self, next: u32, read: u32) {
        self.answer(
            command::JOINED_GROUPS,
            json!({"TotalCount": 1, "GroupIdList": [
                {"GroupId": "g", "Type": "Public", "NextMsgSeq": next, "SelfInfo": {"MsgSeq": read}}]}),
        );
    }

    pub(super) fn push_group(&mut self, seqs: &[u32]) {
        self.receive(
            &json!({"head": {"servcmd": command::MSG_PUSH, "seq": 1}, "body": group_push(seqs)}),
        );
    }

    /// Answers every request for history as a server would that has everything up to `newest`, in
    /// answers of `size` messages at most.
    pub(super) fn serve_history(&mut self, newest: u32, size: u32) {
        while let Some(request) = self
            .sent
            .iter()
            .find(|packet| packet["head"]["servcmd"] == command::GROUP_HISTORY)
        {
            let top = request["body"]["ReqMsgSeq"].as_u64().unwrap();
            let top = u32::try_from(top).unwrap().min(newest);
            let count = u32::try_from(request["body"]["ReqMsgNumber"].as_u64().unwrap()).unwrap();
            let given = count.min(size);
            let list: Vec<Value> = (1..=top)
                .rev()
                .take(given as usize)
                .map(group_item)
                .collect();
            let finished = u8::from(given == count);
            self.answer(
                command::GROUP_HISTORY,
                json!({"GroupId": "g", "IsFinished": finished, "RspMsgList": list}),
            );
            self.pass(1, true);
        }
    }

    pub(super) fn heard(&self) -> Vec<u32> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Message(message) => Some(message.seq),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn what_comes_as_the_next_number_is_handed_out_at_once() {
    let mut rig = Rig::in_group(5, 4);
    rig.push_group(&[5, 6]);
    rig.push_group(&[6, 7]);
    assert_eq!(rig.heard(), [5, 6, 7]);
    assert!(!rig.commands().contains(&command::GROUP_HISTORY.to_owned()));
}

#[test]
fn a_lost_push_is_fetched_before_what_came_after_it() {
    let mut rig = Rig::in_group(5, 4);
    rig.push_group(&[5]);
    rig.push_group(&[8]);
    assert_eq!(rig.heard(), [5], "8 waits for 6 and 7");
    rig.push_group(&[9]);
    rig.serve_history(9, 20);
    assert_eq!(rig.heard(), [5, 6, 7, 8, 9]);
}

#[test]
fn unread_messages_are_fetched_at_the_first_login_and_those_of_an_outage_after_it() {
    let mut rig = Rig::in_group(45, 4);
    rig.serve_history(44, 20);
    assert_eq!(rig.heard(), (5..=44).collect::<Vec<_>>());
    rig.close();
    rig.events.clear();
    rig.open();
    rig.answer(command::LOGIN, json!({"TimeStamp": rig.now.unix_secs()}));
    rig.answer(
        command::GET_MSG,
        json!({"Cookie": "c2", "SyncFlag": 2, "MsgList": []}),
    );
    // What the server thinks was read does not matter: this process knows better.
    rig.list(445, 4);
    rig.serve_history(444, 20);
    assert_eq!(rig.heard(), (45..=444).collect::<Vec<_>>());
}

#[test]
fn a_history_that_is_cut_is_put_together_in_order() {
    let mut rig = Rig::in_group(31, 0);
    rig.serve_history(30, 3);
    assert_eq!(rig.heard(), (1..=30).collect::<Vec<_>>());
}

#[test]
fn numbers_that_are_gone_do_not_hold_the_others_up() {
    let mut rig = Rig::in_group(31, 0);
    rig.answer(
        command::GROUP_HISTORY,
        json!({"GroupId": "g", "IsFinished": 2, "RspMsgList": [group_item(20), group_item(19)]}),
    );
    rig.serve_history(30, 20);
    assert_eq!(rig.heard(), (19..=30).collect::<Vec<_>>());
    rig.push_group(&[31]);
    assert_eq!(rig.heard().last(), Some(&31));
}

#[test]
fn a_bad_item_of_a_history_harms_no_other_and_is_not_hidden() {
    let mut rig = Rig::in_group(5, 1);
    let mut twice = group_item(4);
    // The same thing under two names, as no command was seen to do but each of them does.
    twice["Random"] = json!(4);
    twice["MsgTime"] = json!(1004);
    rig.answer(
        command::GROUP_HISTORY,
        json!({"GroupId": "g", "IsFinished": 1,
               "RspMsgList": [twice, {"MsgSeq": "three"}, group_item(2)]}),
    );
    assert_eq!(rig.heard(), [2, 4]);
    let told = rig.events.iter().any(
        |event| matches!(event, Event::Ignored(Ignored::Malformed(what)) if what.contains("history of g")),
    );
    assert!(told, "{:?}", rig.events);
    rig.push_group(&[5]);
    assert_eq!(rig.heard(), [2, 4, 5], "it is followed on");
}

#[test]
fn an_own_message_leaves_no_gap() {
    let mut rig = Rig::in_group(5, 4);
    let message = OutgoingMessage {
        to: Conversation::group("g"),
        ..rig.outgoing("hello")
    };
    rig.session.send(rig.now, &message).unwrap();
    rig.drain();
    rig.answer(command::SEND_GROUP, json!({"MsgTime": 9, "MsgSeq": 5}));
    rig.push_group(&[6]);
    assert_eq!(rig.heard(), [6]);
}

#[test]
fn a_community_is_asked_for_under_its_own_service() {
    let mut rig = Rig::online();
    for seq in [1, 3] {
        let mut push = group_push(&[seq]);
        push["EventArray"][0]["GroupMsgArray"][0]["ToGroupId"] = json!("@TGS#_club");
        rig.receive(&json!({"head": {"servcmd": command::MSG_PUSH, "seq": 1}, "body": push}));
    }
    let asked = rig
        .commands()
        .into_iter()
        .find(|sent| sent.ends_with("group_msg_get"));
    assert_eq!(
        asked.as_deref(),
        Some("million_group_open_http_svc.group_msg_get")
    );
}

#[test]
fn a_group_joined_later_begins_with_its_first_message() {
    let mut rig = Rig::online();
    rig.push_group(&[77]);
    rig.push_group(&[78]);
    assert_eq!(rig.heard(), [77, 78]);
}

#[test]
fn a_history_that_is_refused_ends_the_following_and_one_that_times_out_is_asked_for_again() {
    let mut rig = Rig::in_group(10, 4);
    rig.pass(16, true);
    rig.sent.clear();
    rig.pass(12, true);
    rig.serve_history(9, 20);
    assert_eq!(rig.heard(), [5, 6, 7, 8, 9]);
    rig.push_group(&[20]);
    rig.answer(
        command::GROUP_HISTORY,
        json!({"ErrorCode": 10007, "ErrorInfo": "no member"}),
    );
    rig.pass(60, true);
    assert!(!rig.commands().contains(&command::GROUP_HISTORY.to_owned()));
    assert_eq!(rig.heard().last(), Some(&20), "what was pushed is not lost");
}

#[test]
fn a_late_history_of_a_group_that_was_left_says_nothing_about_the_one_joined_again() {
    let mut rig = Rig::in_group(10, 4);
    let dismissed = json!({"EventArray": [{"Event": 5, "GroupTips": [{"From_Account": "@TIM#SYSTEM",
        "MsgSeq": 1, "MsgRandom": 1, "MsgTimeStamp": 1, "ToGroupId": "g", "GroupInfo": {"GroupId": "g"},
        "MsgBody": {"ReportType": 5, "Operator_Account": "alice"}}]}]});
    rig.push(command::MSG_PUSH, dismissed);
    rig.events.clear();
    rig.push_group(&[40]);
    let old: Vec<Value> = (5..10).rev().map(group_item).collect();
    rig.answer(
        command::GROUP_HISTORY,
        json!({"GroupId": "g", "IsFinished": 1, "RspMsgList": old}),
    );
    rig.push_group(&[41]);
    assert_eq!(rig.heard(), [40, 41]);
    assert!(!rig.commands().contains(&command::GROUP_HISTORY.to_owned()));
}

/// Logs in again, and is told that the group has got to one before `next`.
fn log_in_again(rig: &mut Rig, next: u32, read: u32) {
    rig.open();
    rig.answer(
        command::LOGIN,
        json!({"A2Key": "A2", "TinyId": "1", "InstId": 9, "TimeStamp": rig.now.unix_secs()}),
    );
    rig.answer(
        command::GET_MSG,
        json!({"Cookie": "c2", "SyncFlag": 2, "MsgList": []}),
    );
    rig.list(next, read);
}

#[test]
fn a_group_whose_numbers_began_anew_is_followed_from_there() {
    // A server that was set up again, with a group of the same name.
    let mut rig = Rig::in_group(45, 44);
    rig.push_group(&[45]);
    rig.close();
    rig.events.clear();
    log_in_again(&mut rig, 4, 2);
    rig.push_group(&[2, 4]);
    rig.serve_history(4, 20);
    rig.push_group(&[5]);
    assert_eq!(
        rig.heard(),
        [3, 4, 5],
        "3 was said before the list was made"
    );
    // The same after a crash, with nothing left but the memory.
    let mut memory = Memory::default();
    memory.reached("g", 45);
    let mut rig = Rig::with_memory(memory);
    rig.in_groups = true;
    log_in_again(&mut rig, 4, 2);
    rig.push_group(&[4]);
    rig.serve_history(4, 20);
    rig.push_group(&[5]);
    assert_eq!(rig.heard(), [3, 4, 5]);
}

#[test]
fn numbers_that_began_anew_are_noticed_without_a_push_when_the_history_is_newer() {
    let mut rig = Rig::in_group(45, 44);
    rig.push_group(&[45]);
    rig.close();
    rig.events.clear();
    log_in_again(&mut rig, 4, 0);
    let newer = |seq: u32| {
        let mut item = group_item(seq);
        item["MsgTimeStamp"] = json!(5_000 + seq);
        item
    };
    rig.answer(
        command::GROUP_HISTORY,
        json!({"GroupId": "g", "IsFinished": 1, "RspMsgList": [newer(3)]}),
    );
    rig.answer(
        command::GROUP_HISTORY,
        json!({"GroupId": "g", "IsFinished": 2, "RspMsgList": [newer(3), newer(2), newer(1)]}),
    );
    assert_eq!(rig.heard(), [1, 2, 3]);
}

/// Found by the simulator: a group that began anew and grew past the old numbers before its history could be
/// asked was followed from the old number on.
#[test]
fn numbers_that_began_anew_and_grew_past_the_old_ones_are_noticed() {
    let mut rig = Rig::in_group(2, 1);
    rig.push_group(&[2]);
    rig.close();
    rig.events.clear();
    // Nothing was said yet: there is no message to ask about.
    log_in_again(&mut rig, 1, 0);
    rig.close();
    log_in_again(&mut rig, 5, 0);
    let newer = |seq: u32| {
        let mut item = group_item(seq);
        item["MsgTimeStamp"] = json!(5_000 + seq);
        item
    };
    rig.answer(
        command::GROUP_HISTORY,
        json!({"GroupId": "g", "IsFinished": 1, "RspMsgList": [newer(2)]}),
    );
    let all: Vec<Value> = (1..=4).rev().map(newer).collect();
    rig.answer(
        command::GROUP_HISTORY,
        json!({"GroupId": "g", "IsFinished": 2, "RspMsgList": all}),
    );
    assert_eq!(rig.heard(), [1, 2, 3, 4]);
}

/// The same when the list is refused after that, and what is pushed shows how far it has grown.
#[test]
fn a_push_past_the_old_numbers_does_not_settle_a_doubt() {
    let mut rig = Rig::in_group(2, 1);
    rig.push_group(&[2]);
    rig.close();
    rig.events.clear();
    log_in_again(&mut rig, 1, 0);
    rig.sent.clear();
    let newer = |seq: u32| {
        let mut item = group_item(seq);
        item["MsgTimeStamp"] = json!(5_000 + seq);
        item
    };
    rig.push_group(&[5]);
    rig.answer(
        command::GROUP_HISTORY,
        json!({"GroupId": "g", "IsFinished": 1, "RspMsgList": [newer(2)]}),
    );
    let all: Vec<Value> = (1..=5).rev().map(newer).collect();
    rig.answer(
        command::GROUP_HISTORY,
        json!({"GroupId": "g", "IsFinished": 2, "RspMsgList": all}),
    );
    let mut heard = rig.heard();
    heard.sort_unstable();
    heard.dedup();
    assert_eq!(heard, [1, 2, 3, 4, 5]);
}

/// Found by the simulator: numbers that may be new ones were reported as read while that was not settled.
#[test]
fn nothing_of_a_group_counts_as_read_while_its_numbers_are_in_doubt() {
    let mut rig = Rig::in_group(2, 1);
    rig.push_group(&[2]);
    rig.close();
    log_in_again(&mut rig, 2, 0);
    rig.push_group(&[3]);
    rig.pass(1, true);
    let read = |rig: &mut Rig| {
        let marks = rig.memory.reports(rig.now);
        let mark = marks.iter().find(|read| read.conversation.is_group());
        mark.map(|read| read.mark)
    };
    assert_eq!(read(&mut rig), None);
    // The list was only old.
    rig.answer(
        command::GROUP_HISTORY,
        json!({"GroupId": "g", "IsFinished": 1, "RspMsgList": [group_item(1)]}),
    );
    rig.pass(2, true);
    assert_eq!(read(&mut rig), Some(3));
}

/// Found by the simulator: after a crash of the session a hole of before was never closed, and the group
/// never reported as read again.
#[test]
fn a_hole_of_an_earlier_session_is_closed_by_the_next_one() {
    let mut memory = Memory::default();
    memory.reached("g", 5);
    memory.set_hole(START, "g", Some(4));
    let mut rig = Rig::with_memory(memory);
    rig.in_groups = true;
    log_in_again(&mut rig, 7, 3);
    assert_eq!(rig.memory.hole("g"), Some(4), "nothing was fetched yet");
    rig.serve_history(6, 20);
    assert_eq!(rig.heard(), [4, 5, 6]);
    assert_eq!(rig.memory.hole("g"), None);
}

/// Found beside it: a list that was only old made an account go through a group once more.
#[test]
fn a_list_that_is_only_old_changes_nothing() {
    let mut rig = Rig::in_group(45, 44);
    rig.push_group(&[45]);
    rig.close();
    rig.events.clear();
    log_in_again(&mut rig, 41, 40);
    rig.answer(
        command::GROUP_HISTORY,
        json!({"GroupId": "g", "IsFinished": 1, "RspMsgList": [group_item(40)]}),
    );
    rig.sent.clear();
    rig.push_group(&[46]);
    assert_eq!(rig.heard(), [46]);
    assert!(
        rig.commands()
            .iter()
            .all(|sent| sent != command::GROUP_HISTORY)
    );
}

#[test]
fn what_is_asked_about_the_group_of_before_says_nothing_about_the_one_of_now() {
    let mut rig = Rig::in_group(45, 44);
    rig.push_group(&[47]);
    rig.close();
    rig.events.clear();
    rig.sent.clear();
    log_in_again(&mut rig, 4, 2);
    // 45 and 46 were missing, and are asked for again.
    let asked = |rig: &Rig| {
        let sent = rig.commands();
        let histories = sent.iter().filter(|name| *name == command::GROUP_HISTORY);
        histories.count()
    };
    assert_eq!(asked(&rig), 1);
    rig.push_group(&[4]);
    rig.push_group(&[7]);
    rig.pass(1, true);
    assert_eq!(asked(&rig), 2);
    rig.answer(
        command::GROUP_HISTORY,
        json!({"GroupId": "g", "IsFinished": 2, "RspMsgList": []}),
    );
    rig.serve_history(7, 50);
    assert_eq!(
        rig.heard(),
        [47, 3, 4, 5, 6, 7],
        "nor is what had come lost"
    );
}

#[test]
fn a_list_that_is_old_loses_nothing_and_repeats_nothing() {
    let mut rig = Rig::in_group(45, 44);
    rig.push_group(&[45, 46]);
    rig.close();
    rig.events.clear();
    log_in_again(&mut rig, 45, 44);
    // 47 and 48 were said meanwhile.
    rig.push_group(&[49]);
    rig.serve_history(49, 50);
    rig.push_group(&[46, 50]);
    assert_eq!(rig.heard(), [47, 48, 49, 50]);
}

#[test]
fn asking_for_the_lists_again_leaves_histories_in_flight_alone() {
    let mut rig = Rig::new();
    (rig.in_groups, rig.in_communities) = (true, true);
    rig.open();
    rig.accept_login();
    rig.answer(
        command::GET_MSG,
        json!({"Cookie": "c1", "SyncFlag": 2, "MsgList": []}),
    );
    rig.list(10, 4);
    rig.answer(command::JOINED_COMMUNITIES, json!({"ErrorCode": 424_242}));
    rig.pass(11, true);
    let asked = |rig: &Rig, name| rig.commands().iter().filter(|sent| *sent == name).count();
    assert_eq!(asked(&rig, command::JOINED_GROUPS), 1);
    assert_eq!(asked(&rig, command::GROUP_HISTORY), 1);
    rig.serve_history(9, 20);
    assert_eq!(rig.heard(), [5, 6, 7, 8, 9]);
}

#[test]
fn a_backlog_beyond_the_limit_is_said_to_be_left_out() {
    let rig = Rig::in_group(110_001, 0);
    assert!(
        rig.events
            .iter()
            .any(|event| matches!(event, Event::Skipped { count: 10_000, .. })),
        "{:?}",
        rig.events
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Pushes get lost, double and change places; the link is lost: each number comes once and in order.
    #[test]
    fn every_number_is_handed_out_once_and_in_order(
        steps in prop::collection::vec((0_u8..5, 1_u32..6), 1..40),
        size in 1_u32..25,
    ) {
        let mut rig = Rig::in_group(1, 0);
        let mut newest = 0;
        for (kind, count) in steps {
            match kind {
                0 => newest += count, // Lost on the way.
                1 => {
                    let seqs: Vec<u32> = (newest + 1..=newest + count).collect();
                    newest += count;
                    rig.push_group(&seqs);
                }
                2 => {
                    let seqs: Vec<u32> = (newest + 1..=newest + count).rev().collect();
                    newest += count;
                    rig.push_group(&seqs);
                }
                3 if newest > 0 => rig.push_group(&[newest]),
                _ => {
                    rig.close();
                    newest += count;
                    rig.open();
                    rig.answer(command::LOGIN, json!({"TimeStamp": rig.now.unix_secs()}));
                    rig.answer(command::GET_MSG, json!({"Cookie": "c", "SyncFlag": 2, "MsgList": []}));
                    rig.list(newest + 1, 0);
                }
            }
            if kind != 1 {
                rig.serve_history(newest, size);
            }
        }
        newest += 1;
        rig.push_group(&[newest]);
        rig.serve_history(newest, size);
        prop_assert_eq!(rig.heard(), (1..=newest).collect::<Vec<_>>());
    }
}
