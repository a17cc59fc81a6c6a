//! What comes in for the bots: hands it out, has the shell store what finds no room and the server does not keep, and
//! tells of what is lost.

use super::drops::Drops;
use super::effect::{AccountEvent, Effect};
use super::status::Counters;
use crate::ledger::{SpillLine, Spilled};
use crate::policy::Now;
use crate::proto::message::Message;
use crate::proto::update::Update;
use crate::session::{Memory, Receipt, Returned, SPILL_PAGE};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Where everything that is to be done goes.
pub(super) type Effects = VecDeque<Effect>;

/// See the module. The [`Memory`] knows what is with the bots, and what waits in the store.
#[derive(Debug, Default)]
pub(super) struct Inflow {
    drops: Drops,
    received: u64,
    dropped: u64,
    ignored: u64,
}

impl Inflow {
    /// What was counted here; the rest is zero.
    pub(super) fn counters(&self) -> Counters {
        Counters {
            received: self.received,
            dropped: self.dropped,
            ignored: self.ignored,
            ..Counters::default()
        }
    }

    /// When to call [`tell`](Self::tell).
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.drops.poll_timeout()
    }

    /// It is time to tell of what was lost.
    pub(super) fn tell(&mut self, now: Now, effects: &mut Effects) {
        let count = self.drops.tell(now.mono);
        effects.extend(count.map(Effect::Lost));
    }

    /// Something came that finds no room, nowhere.
    pub(super) fn lost(&mut self, now: Now, effects: &mut Effects) {
        let count = self.drops.note(now.mono);
        effects.extend(count.map(Effect::Lost));
    }

    /// A message or an update was dropped before it could be handed out.
    pub(super) fn dropped(&mut self, now: Now, effects: &mut Effects) {
        self.dropped += 1;
        self.lost(now, effects);
    }

    /// The service does not have messages any more that were missed.
    pub(super) fn missed(&mut self, count: u32) {
        self.dropped += u64::from(count);
    }

    /// Something came that means nothing here.
    pub(super) fn ignored(&mut self) {
        self.ignored += 1;
    }

    /// A message came, and the bots have room for it.
    pub(super) fn message(
        &mut self,
        now: Now,
        memory: &mut Memory,
        effects: &mut Effects,
        message: Arc<Message>,
    ) {
        self.received += 1;
        memory.delivered(&message);
        effects.push_back(Effect::Deliver(AccountEvent::Message(message)));
        self.refill(now, memory, effects);
    }

    /// A message came that the server does not keep, and the bots have no room for it.
    pub(super) fn spill(
        &mut self,
        now: Now,
        memory: &mut Memory,
        effects: &mut Effects,
        (message, body): (Box<Message>, Box<str>),
    ) {
        self.received += 1;
        memory.delivered(&message);
        let line = SpillLine::Conversation(message.conversation);
        memory.spill_written(&line, &body);
        effects.push_back(Effect::Spill { line, body });
        self.refill(now, memory, effects);
    }

    /// The bots are done with a message, or (`done` is false) one of them will not handle it.
    pub(super) fn over(
        &mut self,
        now: Now,
        memory: &mut Memory,
        effects: &mut Effects,
        (receipt, done): (&Receipt, bool),
    ) {
        if memory.is_spilling() {
            let gone = memory.message_over(receipt, done);
            unspill(effects, gone);
            self.refill(now, memory, effects);
        }
    }

    /// The same of an update that came back from the store.
    pub(super) fn update_over(
        &mut self,
        now: Now,
        memory: &mut Memory,
        effects: &mut Effects,
        (number, done): (u64, bool),
    ) {
        let gone = memory.update_over(number, done);
        unspill(effects, gone);
        self.refill(now, memory, effects);
    }

    /// The subscriber had no room for an update. Returns whether it goes to the store; otherwise it is lost.
    pub(super) fn update_refused(
        &mut self,
        now: Now,
        memory: &mut Memory,
        effects: &mut Effects,
        update: &Update,
    ) -> bool {
        match memory.spill_update(update) {
            Some(body) => {
                let line = SpillLine::Updates;
                effects.push_back(Effect::Spill { line, body });
                self.refill(now, memory, effects);
                true
            }
            None => {
                self.lost(now, effects);
                false
            }
        }
    }

    /// What [`Effect::ReadSpill`] asked for was read; `None` when it could not be.
    pub(super) fn spill_read(
        &mut self,
        now: Now,
        memory: &mut Memory,
        effects: &mut Effects,
        (line, found): (&SpillLine, Option<Vec<Spilled>>),
    ) {
        memory.spill_read(now, line, found);
        self.refill(now, memory, effects);
    }

    /// Whoever was to read for the actor before this one is gone.
    pub(super) fn refill_anew(&mut self, now: Now, memory: &mut Memory, effects: &mut Effects) {
        memory.spill_reader_died();
        self.refill(now, memory, effects);
    }

    /// Hands out what has room, and has read what will have some.
    pub(super) fn refill(&mut self, now: Now, memory: &mut Memory, effects: &mut Effects) {
        if !memory.is_spilling() {
            return;
        }
        while let Some(returned) = memory.poll_returned(now) {
            match returned {
                Returned::Message(message) => {
                    effects.push_back(Effect::Deliver(AccountEvent::Message(message)));
                }
                Returned::Update(number, update) => {
                    effects.push_back(Effect::Return { number, update });
                }
                Returned::Gone { number, is_lost } => {
                    if is_lost {
                        self.dropped(now, effects);
                    }
                    unspill(effects, Some(number));
                }
            }
        }
        if let Some((line, after)) = memory.poll_spill_read(now) {
            effects.push_back(Effect::ReadSpill {
                line,
                after,
                limit: SPILL_PAGE,
            });
        }
    }
}

/// Whether an update has to queue behind others in the store.
pub(super) fn is_spilling_updates(memory: &Memory, effects: &Effects) -> bool {
    let is_return = |effect: &Effect| matches!(effect, Effect::Return { .. });
    // What comes back may stand behind newer ones among what is to be done.
    memory.is_spilling_updates() || memory.is_spilling() && effects.iter().any(is_return)
}

fn unspill(effects: &mut Effects, number: Option<u64>) {
    effects.extend(number.map(|number| Effect::Unspill { number }));
}
