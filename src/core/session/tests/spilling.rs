//! What the server does not keep when the bots have no room, and may wait in the store.

use super::*;
use crate::ledger::SpillLine;

const KIB: u64 = 1 << 10;

fn whisper(n: u32) -> Value {
    let mut item = item(n, &format!("w{n}"));
    item["MsgLifeTime"] = json!(0);
    item
}

impl Rig {
    /// Online, with busy bots that have room for two of a conversation, and so much in the store.
    fn spilling(quota: u64) -> Self {
        let limits = InboxLimits::new(16, true).spill(quota);
        let mut rig = Self::with_memory(Memory::new(limits));
        rig.bots_are_busy = true;
        rig.open();
        rig.answer(command::HEARTBEAT, json!({}));
        rig.accept_login();
        rig.catch_up();
        rig.events.clear();
        rig
    }

    fn whisper(&mut self, n: u32) {
        self.push(command::MSG_PUSH, message_push(&[whisper(n)]));
    }

    /// Seqs of messages that go to the store.
    fn spilled(&self) -> Vec<u32> {
        let spilled = self.events.iter().filter_map(|event| match event {
            Event::Spill { message, .. } => Some(message.seq),
            _ => None,
        });
        spilled.collect()
    }

    fn dropped(&self) -> usize {
        let is_drop = |event: &&Event| matches!(event, Event::Dropped(_));
        self.events.iter().filter(is_drop).count()
    }
}

#[test]
fn what_finds_no_room_goes_to_the_store_once_and_what_follows_queues_behind_it() {
    let mut rig = Rig::spilling(64 * KIB);
    for n in [1, 2, 3, 3, 4, 1] {
        rig.whisper(n);
    }
    assert_eq!(rig.texts(), ["w1", "w2"]);
    assert_eq!(rig.spilled(), [3, 4], "and nothing that came before");
    // There is room again, but not for newer ones.
    let done = rig.events.iter().find_map(|event| match event {
        Event::Message(message) => Some(Receipt::of(message)),
        _ => None,
    });
    rig.memory.finished(rig.now, &done.unwrap());
    rig.whisper(5);
    assert_eq!(rig.spilled(), [3, 4, 5]);
    // Another conversation has room.
    rig.push_from("bob", 9);
    assert_eq!(rig.texts(), ["w1", "w2", "bob 9"]);
    assert_eq!(rig.dropped(), 0);
}

#[test]
fn what_is_beyond_the_quota_is_dropped() {
    let mut rig = Rig::spilling(KIB);
    (1..=9).for_each(|n| rig.whisper(n));
    let spilled = rig.spilled().len();
    assert!((1..4).contains(&spilled), "{spilled}");
    assert_eq!(spilled + rig.dropped(), 7);
    let mut none = Rig::spilling(0);
    (1..=9).for_each(|n| none.whisper(n));
    assert_eq!((none.spilled().len(), none.dropped()), (0, 0), "in memory");
}

#[test]
fn a_session_that_dies_with_a_message_on_its_way_to_the_store_leaves_nothing_behind() {
    let mut rig = Rig::spilling(64 * KIB);
    (1..=3).for_each(|n| rig.whisper(n));
    let line = SpillLine::Conversation(Conversation::c2c("alice"));
    assert!(rig.memory.is_spilling());
    rig.memory.forget_pending();
    assert!(!rig.memory.is_spilling());
    assert_eq!(rig.memory.poll_spill_read(rig.now), None, "{line:?}");
    // It may be said again.
    rig.whisper(3);
    assert_eq!(rig.spilled(), [3, 3]);
}
