//! Taking messages in: told from repeats, in the order of their conversation, and only as many as the
//! bots have room for.
//!
//! What was fetched waits here until there is room, and no more is fetched before. A pushed message that
//! finds no room is not taken at all: it is neither acknowledged nor read, and is fetched later from where
//! the cookie stands, together with everything that was pushed behind it.

use super::event::Event;
use super::events::Events;
use super::memory::{Admission, Memory};
use super::waiting::Waiting;
use crate::policy::Now;
use crate::proto::message::{Conversation, Message};
use crate::proto::update::Update;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Messages held back at most while catching up; further ones are fetched.
const MAX_HELD: usize = 2_048;
/// Messages that cannot be fetched, waiting for room where they may not go to the store; further ones are lost and
/// counted.
const MAX_UNSTORED: usize = 2_048;
/// Messages waiting for room in their own conversations, from which on no more are fetched.
const MAX_WAITING: usize = 1_024;
/// Messages remembered at most while the cookie stands still.
const MAX_SEEN: u32 = 65_536;

/// Messages on their way from the server to the bots.
#[derive(Debug)]
pub(super) struct Intake {
    /// Messages remembered for telling repeats.
    seen: u32,
    /// Messages pushed since the cookie moved: they come again with the next page.
    pushed: u32,
    /// Pushed while catching up.
    held: Vec<Message>,
    /// Fetched, and waiting for room.
    waiting: Waiting,
    /// Conversations of which a pushed message was refused for want of room: the rest of them is fetched.
    refused: BTreeSet<Conversation>,
    /// The push being looked at brought something that was refused: it is not acknowledged.
    push_refused: bool,
}

impl Intake {
    pub(super) fn new(seen: usize) -> Self {
        Self {
            seen: u32::try_from(seen).unwrap_or(u32::MAX),
            pushed: 0,
            held: Vec::new(),
            waiting: Waiting::default(),
            refused: BTreeSet::new(),
            push_refused: false,
        }
    }

    // ── pushes ───────────────────────────────────────────────────────────────────────────────

    /// A push begins.
    pub(super) const fn start_push(&mut self) {
        self.push_refused = false;
    }

    /// Something in the push found no room.
    pub(super) const fn refuse_push(&mut self) {
        self.push_refused = true;
    }

    pub(super) const fn is_push_refused(&self) -> bool {
        self.push_refused
    }

    /// The cookie has moved past everything pushed so far.
    pub(super) const fn cookie_moved(&mut self) {
        self.pushed = 0;
    }

    /// Takes a pushed one-to-one message. `holding`: the session is catching up, so what is pushed comes
    /// behind what is fetched. Returns whether the message was refused and must be fetched later.
    pub(super) fn take(
        &mut self,
        now: Now,
        holding: bool,
        message: Message,
        memory: &mut Memory,
        events: &mut Events,
    ) -> bool {
        let is_stored =
            matches!(message.conversation, Conversation::C2c(_)) && !message.online_only;
        if !is_stored || message.typing().is_some() {
            self.take_unstored(now, message, memory, events);
            return false;
        }
        if memory.knows(&message) {
            return false;
        }
        self.pushed = self.pushed.saturating_add(1);
        if self.refused.contains(&message.conversation) {
            self.refuse(message.conversation, memory);
            true
        } else if holding && self.held.len() < MAX_HELD {
            self.held.push(message);
            false
        } else if !holding
            && !self.waiting.has(&message.conversation)
            && memory.has_room(Some(&message.conversation))
        {
            self.hand_out(now, message, memory, events);
            false
        } else {
            self.refuse(message.conversation, memory);
            true
        }
    }

    /// Takes a message that the server does not keep, and that cannot be fetched later.
    pub(super) fn take_unstored(
        &mut self,
        now: Now,
        message: Message,
        memory: &mut Memory,
        events: &mut Events,
    ) {
        if message.typing().is_some() {
            self.hand_out(now, message, memory, events);
        } else if memory.spills() {
            let is_behind = self.waiting.has(&message.conversation);
            match memory.admit(&message, is_behind, self.bound()) {
                Admission::Room => self.hand_out(now, message, memory, events),
                Admission::Repeat => {}
                Admission::Spill(body) => events.push(Event::Spill {
                    message: Box::new(message),
                    body,
                }),
                Admission::Full => events.push(Event::Dropped(message.conversation)),
            }
        } else if self.waiting.len() < MAX_UNSTORED {
            self.wait(message, memory);
            self.pump(now, memory, events);
        } else {
            events.push(Event::Dropped(message.conversation));
        }
    }

    fn refuse(&mut self, conversation: Conversation, memory: &mut Memory) {
        self.push_refused = true;
        memory.lag(&conversation);
        self.refused.insert(conversation);
    }

    // ── fetched messages ─────────────────────────────────────────────────────────────────────

    /// A message waits for room.
    pub(super) fn wait(&mut self, message: Message, memory: &mut Memory) {
        memory.lag(&message.conversation);
        self.waiting.push(message);
    }

    /// What was held back while catching up joins what waits.
    pub(super) fn release(&mut self, now: Now, memory: &mut Memory, events: &mut Events) {
        for message in std::mem::take(&mut self.held) {
            self.wait(message, memory);
        }
        self.pump(now, memory, events);
    }

    /// Everything that was refused has come with the pages.
    pub(super) fn refused_came(&mut self, now: Now, memory: &mut Memory) {
        for conversation in std::mem::take(&mut self.refused) {
            self.held_up_no_longer(now, &conversation, memory);
        }
    }

    /// Hands out what has room.
    pub(super) fn pump(&mut self, now: Now, memory: &mut Memory, events: &mut Events) {
        while let Some(message) = self
            .waiting
            .next(|conversation| memory.has_room(Some(conversation)))
        {
            let conversation = message.conversation.clone();
            self.hand_out(now, message, memory, events);
            self.held_up_no_longer(now, &conversation, memory);
        }
    }

    /// Tells the memory when nothing of a conversation waits or is to be fetched any more.
    fn held_up_no_longer(&self, now: Now, conversation: &Conversation, memory: &mut Memory) {
        if !self.waiting.has(conversation) && !self.refused.contains(conversation) {
            memory.caught_up(now, conversation);
        }
    }

    /// Hands a message out unless it was handed out before. A typing notice is no message and needs no
    /// room.
    pub(super) fn hand_out(
        &self,
        now: Now,
        message: Message,
        memory: &mut Memory,
        events: &mut Events,
    ) {
        let bound = self.bound();
        if let Some(is_typing) = message.typing() {
            if memory.note(&message, bound) {
                events.push(Event::Update(Box::new(Update::Typing {
                    user: message.from,
                    conversation: message.conversation,
                    is_typing,
                })));
            }
        } else if memory.insert(now, &message, bound) {
            events.push(Event::Message(Arc::new(message)));
        }
    }

    /// How many messages are remembered.
    fn bound(&self) -> usize {
        (self.seen as usize).saturating_add(self.pushed.min(MAX_SEEN) as usize)
    }

    // ── questions of catching up ─────────────────────────────────────────────────────────────

    /// Nothing waits for room.
    pub(super) const fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// So much waits for room that no more is fetched.
    pub(super) const fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_WAITING
    }

    /// More messages were pushed than should be remembered: the cookie has to move on.
    pub(super) const fn is_cookie_old(&self) -> bool {
        self.pushed >= self.seen / 4
    }

    /// Whether a page can bring something that has room: what was refused behind what waits has none.
    pub(super) fn may_take_more(&self, memory: &mut Memory) -> bool {
        self.is_empty()
            || !self.is_full()
                && (self.refused.is_empty()
                    || self.refused.iter().any(|conversation| {
                        !self.waiting.has(conversation) && memory.has_room(Some(conversation))
                    }))
    }
}
