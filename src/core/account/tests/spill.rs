//! What the server does not keep, between the decisions of an account and its store.

use super::*;
use crate::ledger::{AccountNo, SpillLine, Spilled};
use crate::proto::message::{C2cItem, Conversation, Element, Message};
use crate::proto::update::Update;
use crate::session::{InboxLimits, Receipt};

/// An account, and the store that it writes to.
struct Kept {
    rig: Rig,
    store: Vec<Spilled>,
    number: u64,
    /// What was delivered: numbers of messages and untils of updates.
    heard: Vec<u64>,
    /// Updates that came back and are not done with.
    back: Vec<u64>,
    lost: u64,
    unreadable: bool,
}

fn message(seq: u32) -> Message {
    let item = C2cItem {
        seq,
        life_time: Some(0),
        ..C2cItem::new("alice", "bot", vec![Element::text("hi")])
    };
    Message::from_c2c(item, "bot")
}

fn update(until: u64) -> Update {
    Update::ReadByPeer {
        peer: "".into(),
        until,
    }
}

impl Kept {
    /// Online, with room for two of a conversation and this quota.
    fn new(quota: u64) -> Self {
        let mut rig = Rig::online();
        rig.memory = Memory::new(InboxLimits::new(16, true).spill(quota));
        Self {
            rig,
            store: Vec::new(),
            number: 0,
            heard: Vec::new(),
            back: Vec::new(),
            lost: 0,
            unreadable: false,
        }
    }

    /// Carries out the next effect. `room`: the host has room for an update.
    fn step(&mut self, room: bool) -> bool {
        let Some(effect) = self.rig.core.poll_effect() else {
            return false;
        };
        let (core, memory) = (&mut self.rig.core, &mut self.rig.memory);
        let now = Now::new(self.rig.mono, secs(SERVER));
        match effect {
            Effect::Spill { line, body } => {
                self.number += 1;
                self.store.push(Spilled {
                    number: self.number,
                    account: AccountNo(1),
                    line,
                    body,
                    at: 1,
                });
            }
            Effect::ReadSpill { line, after, limit } => {
                let found = self.store.iter().filter(|it| it.line == line);
                let found = found.filter(|it| it.number > after).take(limit).cloned();
                let found = (!self.unreadable).then(|| found.collect());
                core.spill_read(now, memory, &line, found);
            }
            Effect::Unspill { number } => self.store.retain(|it| it.number != number),
            Effect::Deliver(AccountEvent::Message(message)) => self.heard.push(message.seq.into()),
            Effect::Deliver(AccountEvent::Update(update)) => {
                let Update::ReadByPeer { until, .. } = *update else {
                    panic!("{update:?}");
                };
                if !room || core.is_spilling_updates(memory) {
                    assert!(core.update_refused(now, memory, &update));
                } else {
                    self.heard.push(until);
                }
            }
            Effect::Return { number, update } => {
                let Update::ReadByPeer { until, .. } = *update else {
                    panic!("{update:?}");
                };
                self.heard.push(until);
                self.back.push(number);
            }
            Effect::Lost(count) => self.lost += count,
            _ => {}
        }
        true
    }

    fn run(&mut self, room: bool) {
        while self.step(room) {}
    }

    fn hears(&mut self, event: Event) {
        self.rig.report(Report::Session(event));
    }

    /// What a session does with a message for which there is no room.
    fn spills(&mut self, seq: u32) {
        let message = Box::new(message(seq));
        let body: Box<str> = serde_json::to_string(&message).unwrap().into();
        let line = SpillLine::Conversation(Conversation::c2c("alice"));
        self.rig.memory.announce_spill(line, &body);
        self.hears(Event::Spill { message, body });
    }
}

#[test]
fn messages_come_back_as_there_is_room_and_leave_the_store_when_they_are_handled() {
    let mut kept = Kept::new(1 << 20);
    (1..=5).for_each(|seq| kept.spills(seq));
    kept.run(true);
    assert_eq!((&kept.heard[..], kept.store.len()), (&[1, 2][..], 5));
    for seq in 1..=5 {
        let receipt = Receipt::of(&message(seq));
        let (now, memory) = (kept.rig.now(), &mut kept.rig.memory);
        kept.rig.core.handled(now, memory, &receipt);
        kept.run(true);
        assert_eq!(kept.store.len(), 5 - seq as usize);
    }
    assert_eq!(kept.heard, [1, 2, 3, 4, 5]);
    assert!(!kept.rig.memory.is_spilling(), "nothing is kept of it");
    let status = kept.rig.core.status(kept.rig.now(), &kept.rig.memory);
    assert_eq!((status.counters.received, status.counters.dropped), (5, 0));
}

#[test]
fn no_update_overtakes_one_that_went_to_the_store_or_is_coming_back() {
    let mut kept = Kept::new(1 << 20);
    kept.hears(Event::Update(Box::new(update(1))));
    // The first finds no room, and comes back while others are on their way to the host.
    while kept.store.is_empty() {
        assert!(kept.step(false));
    }
    let line = match kept.rig.core.poll_effect() {
        Some(Effect::ReadSpill { line, .. }) => line,
        other => panic!("{other:?}"),
    };
    for until in 2..=4 {
        kept.hears(Event::Update(Box::new(update(until))));
    }
    let (now, found) = (kept.rig.now(), kept.store.clone());
    let (core, memory) = (&mut kept.rig.core, &mut kept.rig.memory);
    core.spill_read(now, memory, &line, Some(found));
    assert!(!memory.is_spilling_updates(), "nothing waits any more");
    kept.run(true);
    kept.hears(Event::Update(Box::new(update(5))));
    while !kept.back.is_empty() {
        kept.run(true);
        let number = kept.back.remove(0);
        let (now, memory) = (kept.rig.now(), &mut kept.rig.memory);
        kept.rig.core.update_over(now, memory, number, true);
        kept.run(true);
    }
    assert_eq!(kept.heard, [1, 2, 3, 4, 5]);
    assert!(kept.store.is_empty() && !kept.rig.memory.is_spilling());
}

#[test]
fn a_store_that_cannot_be_read_is_asked_again_after_a_second() {
    let mut kept = Kept::new(1 << 20);
    kept.unreadable = true;
    kept.spills(1);
    kept.run(true);
    assert!(kept.heard.is_empty());
    kept.unreadable = false;
    let at = kept.rig.core.poll_timeout(&kept.rig.memory).unwrap();
    assert_eq!(at, kept.rig.mono + secs(1));
    kept.rig.mono = at;
    kept.rig.core.timeout(kept.rig.now(), &mut kept.rig.memory);
    kept.run(true);
    assert_eq!(kept.heard, [1]);
}

#[test]
fn what_cannot_be_read_or_is_too_much_is_counted_and_told() {
    let mut kept = Kept::new(1 << 20);
    kept.spills(1);
    while kept.store.is_empty() {
        assert!(kept.step(true));
    }
    kept.store[0].body = "{".into();
    kept.run(true);
    assert_eq!((kept.lost, kept.store.len(), kept.heard.len()), (1, 0, 0));
    let status = kept.rig.core.status(kept.rig.now(), &kept.rig.memory);
    assert_eq!(status.counters.dropped, 1);

    let mut kept = Kept::new(0);
    for _ in 0..3 {
        let dropped = Event::Dropped(Conversation::c2c("alice"));
        kept.hears(dropped);
    }
    kept.run(true);
    assert_eq!(kept.lost, 1, "the others are told a second later");
    kept.rig.mono += secs(1);
    kept.rig.core.timeout(kept.rig.now(), &mut kept.rig.memory);
    kept.run(true);
    assert_eq!(kept.lost, 3);
    let (now, memory) = (kept.rig.now(), &mut kept.rig.memory);
    assert!(!kept.rig.core.update_refused(now, memory, &update(1)));
}
