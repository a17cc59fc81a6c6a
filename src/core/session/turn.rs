//! What the machines of a session share, and one call on behalf of the shell.

use super::events::Events;
use super::intake::Intake;
use super::memory::Memory;
use super::outgoing::Outgoing;
use super::state::SessionState;
use crate::policy::Now;
use crate::proto::message::Message;

/// What every machine of a session may use: requests, the way of messages to the shell, events.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) state: SessionState,
    pub(super) out: Outgoing,
    pub(super) intake: Intake,
    pub(super) events: Events,
}

impl Shared {
    /// One input of the shell, at this time and with the account's memory.
    pub(super) const fn turn<'a>(&'a mut self, now: Now, memory: &'a mut Memory) -> Turn<'a> {
        Turn {
            now,
            state: self.state,
            out: &mut self.out,
            intake: &mut self.intake,
            events: &mut self.events,
            memory,
        }
    }
}

/// The time, and everything but the machine that is asked to do something.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) now: Now,
    pub(super) state: SessionState,
    pub(super) out: &'a mut Outgoing,
    pub(super) intake: &'a mut Intake,
    pub(super) events: &'a mut Events,
    pub(super) memory: &'a mut Memory,
}

impl Turn<'_> {
    /// The account's own UserID, which tells its messages from those of others.
    pub(super) fn me(&self) -> String {
        self.out.user().as_str().to_owned()
    }

    /// Hands a message to the bots, unless they had it before.
    pub(super) fn hand_out(&mut self, message: Message) {
        self.intake
            .hand_out(self.now, message, self.memory, self.events);
    }

    /// Takes a message of a live room, which the server keeps for a moment only: it was asked for because there is room
    /// for it, with the bots or in the store.
    pub(super) fn take_live(&mut self, message: Message) {
        if self.memory.spills() {
            self.take_unstored(message);
        } else {
            self.hand_out(message);
        }
    }

    /// Takes a message that the server does not keep: it waits for room here.
    pub(super) fn take_unstored(&mut self, message: Message) {
        self.intake
            .take_unstored(self.now, message, self.memory, self.events);
    }
}
