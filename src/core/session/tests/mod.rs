//! A session against a hand-written server, on a virtual clock.

#![allow(
    clippy::needless_pass_by_value,
    reason = "bodies are written in place with `json!`"
)]

mod communities;
mod groups;
mod messages;
mod requests;
mod room;
mod rooms;
mod spilling;

use super::*;
use crate::policy::Now;
use crate::proto::code::Code;
use crate::proto::command;
use crate::proto::event::KickType;
use crate::proto::id::{SdkAppId, UserId};
use crate::proto::message::{Conversation, Draft, MessageKey};
use crate::proto::usersig::UserSig;
use serde_json::{Value, json};
use std::time::Duration;

const START: Now = Now::new(Duration::from_secs(100), Duration::from_secs(1_795_397_877));

struct Rig {
    session: Session,
    memory: Memory,
    now: Now,
    sent: Vec<Value>,
    events: Vec<Event>,
    /// The test answers for the groups itself; otherwise there are none.
    in_groups: bool,
    /// The same for communities.
    in_communities: bool,
    /// The bots take what they are handed, and do not finish it.
    bots_are_busy: bool,
    /// The owner of the session does not hand on what it reports.
    owner_is_dead: bool,
}

impl Rig {
    fn new() -> Self {
        Self::with_memory(Memory::default())
    }

    /// The session of an account that is not new.
    fn with_memory(mut memory: Memory) -> Self {
        let config = SessionConfig::new(
            SdkAppId::new(1_400_000_001).unwrap(),
            UserId::parse("bot").unwrap(),
        );
        Self {
            session: Session::new(config, 7, &mut memory),
            memory,
            now: START,
            sent: Vec::new(),
            events: Vec::new(),
            in_groups: false,
            in_communities: false,
            bots_are_busy: false,
            owner_is_dead: false,
        }
    }

    /// Logged in and caught up.
    fn online() -> Self {
        let mut rig = Self::new();
        rig.open();
        rig.answer(command::HEARTBEAT, json!({}));
        rig.accept_login();
        rig.catch_up();
        assert_eq!(rig.session.state(), SessionState::Online);
        rig.sent.clear();
        rig.events.clear();
        rig
    }

    fn drain(&mut self) {
        while let Some(packet) = self.session.poll_transmit() {
            self.sent.push(serde_json::from_str(&packet).unwrap());
        }
        let mut wants_room = false;
        while let Some(event) = self.session.poll_event() {
            if let Event::Message(message) = &event
                && !self.owner_is_dead
            {
                self.memory.delivered(message);
                if !self.bots_are_busy {
                    wants_room |= self.memory.finished(self.now, &Receipt::of(message));
                }
            }
            self.events.push(event);
        }
        if wants_room {
            self.session.room(self.now, &mut self.memory);
            return self.drain();
        }
        if let Some(at) = self.session.poll_timeout(&mut self.memory) {
            assert!(
                at > self.now.mono,
                "a timer in the past: {at:?} at {:?}",
                self.now.mono
            );
        }
    }

    fn open(&mut self) {
        self.session
            .opened(self.now, Some(&UserSig::from("sig".to_owned())));
        self.drain();
    }

    fn close(&mut self) {
        self.session.closed(self.now);
        self.drain();
    }

    fn receive(&mut self, packet: &Value) {
        self.session.received(
            self.now,
            &mut self.memory,
            &mut RepeatedPush::default(),
            packet.to_string().as_bytes(),
        );
        self.drain();
    }

    fn push(&mut self, servcmd: &str, body: Value) {
        self.receive(&json!({"head": {"servcmd": servcmd, "seq": 1}, "body": body}));
    }

    /// Nothing was missed.
    fn catch_up(&mut self) {
        self.answer(
            command::GET_MSG,
            json!({"Cookie": "c1", "SyncFlag": 2, "MsgList": []}),
        );
    }

    /// Answers the oldest unanswered request of a command.
    fn answer(&mut self, servcmd: &str, body: Value) {
        let at = self
            .sent
            .iter()
            .position(|packet| packet["head"]["servcmd"] == servcmd);
        let request = self
            .sent
            .remove(at.unwrap_or_else(|| panic!("no {servcmd} in {:?}", self.commands())));
        self.receive(
            &json!({"head": {"servcmd": servcmd, "seq": request["head"]["seq"]}, "body": body}),
        );
        let lists = [
            (command::JOINED_GROUPS, self.in_groups),
            (command::JOINED_COMMUNITIES, self.in_communities),
        ];
        for (list, is_answered_by_the_test) in lists {
            if !is_answered_by_the_test && self.commands().iter().any(|sent| sent == list) {
                self.answer(list, json!({"TotalCount": 0, "GroupIdList": []}));
            }
        }
    }

    fn accept_login(&mut self) {
        self.answer(
            command::LOGIN,
            json!({"A2Key": "A2", "TinyId": "144115422390155339", "InstId": 9, "HelloInterval": 120,
                   "TimeStamp": self.now.unix_secs() + 5}),
        );
    }

    /// Lets time pass, timer by timer; heartbeats are answered while `alive`.
    fn pass(&mut self, seconds: u64, alive: bool) {
        let end = self.now.after(Duration::from_secs(seconds));
        while let Some(at) = self
            .session
            .poll_timeout(&mut self.memory)
            .filter(|at| *at <= end.mono)
        {
            self.now = self.now.after(at - self.now.mono);
            self.session.timeout(self.now, &mut self.memory);
            self.drain();
            if alive && self.commands().contains(&command::HEARTBEAT.to_owned()) {
                self.answer(command::HEARTBEAT, json!({}));
            }
        }
        self.now = end;
        self.session.timeout(self.now, &mut self.memory);
        self.drain();
    }

    fn commands(&self) -> Vec<String> {
        self.sent
            .iter()
            .map(|packet| packet["head"]["servcmd"].as_str().unwrap().to_owned())
            .collect()
    }

    fn texts(&self) -> Vec<&str> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Message(message) => message.text(),
                _ => None,
            })
            .collect()
    }

    fn outgoing(&self, text: &str) -> OutgoingMessage {
        OutgoingMessage {
            to: Conversation::c2c("alice"),
            draft: std::sync::Arc::new(text.into()),
            key: MessageKey { seq: 1, random: 2 },
        }
    }
}

fn item(n: u32, text: &str) -> Value {
    json!({"From_Account": "alice", "To_Account": "bot", "MsgSeq": n, "MsgRandom": n, "MsgTimeStamp": 1000 + n,
           "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}]})
}

fn message_push(items: &[Value]) -> Value {
    json!({"NeedAck": 1, "SessionData": "s", "EventArray": [{"Event": 9, "C2cMsgArray": items}]})
}

fn kick_push(kick_type: u64) -> Value {
    json!({"EventArray": [{"C2cNotifyMsgArray": [{"KickoutMsgNotify": {"KickType": kick_type}}]}]})
}

#[test]
fn a_login_is_usersig_first_then_heartbeat_and_leads_to_ready() {
    let mut rig = Rig::new();
    rig.open();
    assert_eq!(rig.commands(), [command::LOGIN, command::HEARTBEAT]);
    assert_eq!(rig.sent[0]["head"]["identifier"], "bot");
    assert_eq!(rig.sent[0]["head"]["usersig"], "sig");
    assert_eq!(rig.sent[0]["head"]["status_instid"], 0);
    assert!(!rig.session.state().is_ready());
    rig.accept_login();
    assert!(rig.session.state().is_ready());
    assert!(matches!(
        &rig.events[..],
        [Event::Ready(Ready {
            resumed: false,
            clock_offset: 5_000,
            ..
        })]
    ));
    let page = rig.sent.last().unwrap();
    assert_eq!(page["head"]["a2"], "A2");
    assert_eq!(page["head"]["tinyid"], "144115422390155339");
    assert_eq!(page["head"]["status_instid"], 9);
    assert!(page["head"].get("usersig").is_none());
}

#[test]
fn a_lost_link_is_resumed_with_the_ticket_and_no_usersig() {
    let mut rig = Rig::online();
    rig.close();
    rig.open();
    let login = &rig.sent[0];
    assert_eq!(login["head"]["servcmd"], command::LOGIN);
    assert_eq!(
        (&login["head"]["a2"], &login["head"]["status_instid"]),
        (&json!("A2"), &json!(9))
    );
    assert!(login["head"].get("usersig").is_none());
    assert!(
        !rig.session.state().is_ready(),
        "not ready before the server said so"
    );
    rig.answer(
        command::LOGIN,
        json!({"A2Key": "OTHER", "TinyId": "1", "InstId": 77}),
    );
    assert!(matches!(
        rig.events[..],
        [Event::Ready(Ready { resumed: true, .. })]
    ));
    let page = rig.sent.last().unwrap();
    assert_eq!(
        (&page["head"]["a2"], &page["head"]["status_instid"]),
        (&json!("A2"), &json!(9))
    );
    assert_eq!(
        page["body"]["Cookie"], "c1",
        "catching up goes on where it stopped"
    );
}

#[test]
fn a_refused_resume_leaves_nothing_of_the_login() {
    for code in [70003, 70402, 70500, 12345] {
        let mut rig = Rig::online();
        rig.close();
        rig.open();
        rig.answer(
            command::LOGIN,
            json!({"ErrorCode": code, "ErrorInfo": "no"}),
        );
        assert!(
            matches!(&rig.events[..], [Event::Refused { code: c, resuming: true, .. }] if c.0 == code),
            "{:?}",
            rig.events
        );
        assert!(!rig.session.can_resume() && !rig.session.state().is_ready());
    }
}

#[test]
fn a_refused_login_can_be_tried_again_on_the_same_link() {
    let mut rig = Rig::new();
    rig.open();
    rig.answer(
        command::LOGIN,
        json!({"ErrorCode": 70001, "ErrorInfo": "expired"}),
    );
    assert!(matches!(
        rig.events[..],
        [Event::Refused {
            code: Code::USERSIG_EXPIRED,
            resuming: false,
            ..
        }]
    ));
    rig.session
        .login(rig.now, &UserSig::from("new".to_owned()))
        .unwrap();
    rig.drain();
    assert_eq!(rig.sent.last().unwrap()["head"]["usersig"], "new");
    rig.accept_login();
    assert!(rig.session.state().is_ready());
}

#[test]
fn there_are_never_two_logins_in_flight() {
    let mut rig = Rig::new();
    let sig = UserSig::from("sig".to_owned());
    assert_eq!(
        rig.session.login(rig.now, &sig),
        Err(LoginError::NotConnected)
    );
    rig.open();
    assert_eq!(rig.session.login(rig.now, &sig), Err(LoginError::InFlight));
    rig.accept_login();
    assert_eq!(rig.session.login(rig.now, &sig), Err(LoginError::Repeat));
    rig.drain();
    assert!(!rig.commands().contains(&command::LOGIN.to_owned()));
}

#[test]
fn a_login_answer_without_ticket_is_a_refusal() {
    for (body, code) in [
        (json!({"TinyId": "1"}), Code::CLIENT_NO_A2),
        (json!({"A2Key": "x"}), Code::CLIENT_NO_TINY_ID),
        (json!({"A2Key": "x", "TinyId": ""}), Code::CLIENT_NO_TINY_ID),
    ] {
        let mut rig = Rig::new();
        rig.open();
        rig.answer(command::LOGIN, body.clone());
        assert!(
            matches!(&rig.events[..], [Event::Refused { code: c, .. }] if *c == code),
            "{body}"
        );
    }
}

#[test]
fn each_kick_type_ends_the_login_with_the_right_farewell() {
    for (number, kick, farewell) in [
        (1, KickType::MultipleAccount, true),
        (2, KickType::MultipleDevice, true),
        (3, KickType::RestApi, false),
    ] {
        for carrier in ["push", "answer"] {
            let mut rig = Rig::online();
            if carrier == "push" {
                rig.push(command::FORCE_OFFLINE, kick_push(number));
            } else {
                rig.pass(120, true);
                rig.answer(
                    command::HELLO,
                    json!({"ErrorCode": 1002, "KickType": number}),
                );
            }
            assert!(
                matches!(&rig.events[..], [Event::Kicked(k)] if *k == kick),
                "{carrier} {number}: {:?}",
                rig.events
            );
            let logout = rig
                .sent
                .iter()
                .find(|packet| packet["head"]["servcmd"] == command::LOGOUT);
            assert_eq!(logout.is_some(), farewell, "{carrier} {number}");
            if let Some(logout) = logout {
                assert_eq!(logout["body"]["wslogout_type"], 1);
                assert_eq!(logout["head"]["a2"], "A2");
            }
            assert!(!rig.session.can_resume() && !rig.session.state().is_ready());
        }
    }
}

#[test]
fn code_1002_without_a_kick_type_is_an_ordinary_refusal() {
    let mut rig = Rig::online();
    rig.pass(120, true);
    rig.answer(command::HELLO, json!({"ErrorCode": 1002}));
    assert!(rig.events.is_empty() && rig.session.state().is_ready());
}

#[test]
fn an_expired_login_is_noticed_in_any_answer() {
    for code in [70001, 20002] {
        let mut rig = Rig::online();
        let message = rig.outgoing("x");
        let id = rig.session.send(rig.now, &message).unwrap();
        rig.drain();
        rig.answer(command::SEND_C2C, json!({"ErrorCode": code}));
        assert!(
            matches!(&rig.events[..], [
                Event::Settled { id: settled, outcome: Err(RequestError::NotLoggedIn) },
                Event::Expired { .. },
            ] if *settled == id),
            "{:?}",
            rig.events
        );
        assert!(!rig.session.can_resume());
    }
}

#[test]
fn silence_brings_a_heartbeat_and_an_unanswered_one_ends_the_link() {
    let mut rig = Rig::online();
    rig.pass(9, true);
    assert!(rig.commands().is_empty());
    rig.pass(1, false);
    assert_eq!(rig.commands(), [command::HEARTBEAT]);
    rig.pass(2, false);
    assert!(rig.events.is_empty());
    rig.pass(1, false);
    assert!(matches!(
        rig.events[..],
        [Event::LinkDead(LinkFault::HeartbeatUnanswered)]
    ));
}

#[test]
fn any_frame_puts_the_heartbeat_off() {
    let mut rig = Rig::online();
    for _ in 0..10 {
        rig.pass(9, false);
        rig.push("some.push", json!({}));
    }
    assert!(rig.commands().is_empty());
}

#[test]
fn an_error_answer_to_a_heartbeat_proves_the_link() {
    for code in [60002, 60003, 70001] {
        let mut rig = Rig::online();
        rig.pass(10, false);
        rig.answer(command::HEARTBEAT, json!({"ErrorCode": code}));
        rig.pass(5, false);
        assert!(
            rig.events.is_empty() && rig.session.state().is_ready(),
            "{code}"
        );
    }
}

#[test]
fn hello_goes_out_at_its_interval_and_carries_a_checksum() {
    let mut rig = Rig::online();
    rig.pass(119, true);
    assert!(rig.commands().is_empty());
    rig.pass(1, true);
    assert_eq!(rig.commands(), [command::HELLO]);
    assert_eq!(rig.sent[0]["head"]["cs"], 2_608_808_264_u32);
    rig.pass(300, true);
    assert_eq!(
        rig.commands().len(),
        3,
        "unanswered ones do not pile up: each waits for its limit"
    );
}

#[test]
fn an_overload_push_stops_that_command_only_and_only_for_its_time() {
    let mut rig = Rig::online();
    rig.push(
        command::OVERLOAD,
        json!({"OverLoadServCmd": command::SEND_C2C, "DelaySecs": 5}),
    );
    let message = rig.outgoing("x");
    assert_eq!(
        rig.session.send(rig.now, &message),
        Err(RequestError::Overloaded)
    );
    assert!(rig.session.request(rig.now, "other.command", "{}").is_ok());
    rig.pass(5, true);
    assert!(rig.session.send(rig.now, &message).is_ok());
}

#[test]
fn an_overload_of_the_login_is_a_refusal_not_a_silent_absence() {
    let mut rig = Rig::online();
    rig.push(
        command::OVERLOAD,
        json!({"OverLoadServCmd": command::LOGIN, "DelaySecs": 60}),
    );
    rig.close();
    rig.open();
    assert!(rig.events.iter().any(|e| matches!(
        e,
        Event::Refused {
            code: Code::OVERLOADED,
            resuming: true,
            ..
        }
    )));
    assert!(rig.session.can_resume(), "the ticket is still good");
    rig.close();
    rig.pass(60, false);
    rig.open();
    assert_eq!(rig.session.state(), SessionState::Resuming);
}

#[test]
fn kick_other_means_log_in_again_on_the_same_link_once_and_when_it_is_allowed() {
    let mut rig = Rig::online();
    for _ in 0..50 {
        rig.push(command::KICK_OTHER, json!({}));
    }
    assert!(
        rig.commands().is_empty(),
        "a login has to wait for its turn"
    );
    assert!(matches!(rig.events[..], [Event::ResumeWanted]));
    rig.session.resume_login(rig.now);
    rig.drain();
    assert_eq!(rig.commands(), [command::LOGIN]);
    assert_eq!(rig.session.state(), SessionState::Resuming);
}

#[test]
fn a_logout_is_said_and_settles_what_is_in_flight() {
    let mut rig = Rig::online();
    let message = rig.outgoing("x");
    rig.session.send(rig.now, &message).unwrap();
    rig.drain();
    rig.session.logout(rig.now);
    rig.drain();
    assert!(matches!(
        rig.events[..],
        [Event::Settled {
            outcome: Err(RequestError::NotLoggedIn),
            ..
        }]
    ));
    assert_eq!(rig.sent.last().unwrap()["body"]["wslogout_type"], 0);
    rig.answer(command::LOGOUT, json!({"ErrorCode": 1}));
    assert!(matches!(rig.events.last(), Some(Event::LoggedOut)));
    assert!(!rig.session.can_resume());
}

#[test]
fn a_logout_ends_even_when_nobody_answers() {
    for lose_link in [false, true] {
        let mut rig = Rig::online();
        rig.session.logout(rig.now);
        if lose_link {
            rig.close();
        } else {
            rig.pass(15, true);
        }
        let ends = rig
            .events
            .iter()
            .filter(|event| matches!(event, Event::LoggedOut))
            .count();
        assert_eq!(ends, 1);
    }
}

#[test]
fn f1b_a_kick_meant_for_another_login_of_the_account_is_none_of_ours() {
    let push = |inst_id: Value| {
        let mut push = kick_push(1);
        push["EventArray"][0]["C2cNotifyMsgArray"][0]["KickoutMsgNotify"]["Instid"] = inst_id;
        push
    };
    for other in [json!(8), json!("8"), json!(90)] {
        let mut rig = Rig::online();
        rig.push(command::FORCE_OFFLINE, push(other.clone()));
        assert_eq!(rig.session.state(), SessionState::Online, "{other}");
        assert!(rig.sent.is_empty(), "no farewell");
        assert!(matches!(rig.events[..], [Event::Ignored(Ignored::Kick)]));
    }
    // Who it is for is told by number or text, or not at all.
    for own in [json!(9), json!("9"), json!(null), json!(0)] {
        let mut rig = Rig::online();
        rig.push(command::FORCE_OFFLINE, push(own.clone()));
        assert_eq!(rig.session.state(), SessionState::LoggedOut, "{own}");
        assert!(matches!(
            rig.events[..],
            [Event::Kicked(KickType::MultipleAccount)]
        ));
    }
}

#[test]
fn a_kick_after_logout_is_ignored() {
    let mut rig = Rig::online();
    rig.session.logout(rig.now);
    rig.push(command::FORCE_OFFLINE, kick_push(1));
    rig.answer(command::LOGOUT, json!({}));
    rig.push(command::FORCE_OFFLINE, kick_push(3));
    assert!(
        !rig.events
            .iter()
            .any(|event| matches!(event, Event::Kicked(_)))
    );
}

#[test]
fn garbage_is_counted_and_too_much_of_it_ends_the_link() {
    let mut rig = Rig::online();
    for _ in 0..20 {
        rig.session.received(
            rig.now,
            &mut rig.memory,
            &mut RepeatedPush::default(),
            b"\xff\xfe",
        );
    }
    rig.drain();
    let ignored = rig
        .events
        .iter()
        .filter(|event| matches!(event, Event::Ignored(_)))
        .count();
    assert_eq!(ignored, 20);
    assert!(matches!(
        rig.events.last(),
        Some(Event::LinkDead(LinkFault::Garbage))
    ));
}

#[test]
fn an_unanswered_login_ends_the_link_and_keeps_no_false_hope() {
    let mut rig = Rig::new();
    rig.open();
    rig.answer(command::HEARTBEAT, json!({}));
    rig.pass(90, true);
    assert!(matches!(
        rig.events[..],
        [Event::LinkDead(LinkFault::LoginUnanswered)]
    ));
    assert!(!rig.session.state().is_ready());
}
