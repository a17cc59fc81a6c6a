//! Taking messages in: told from repeats, in the order of their conversation, and only as many as the
//! bots have room for.
//!
//! What was fetched waits here until there is room, and no more is fetched before. A pushed message that
//! finds no room is not taken at all: neither acknowledged nor read, it is fetched later from the place
//! the cookie stands at, together with everything that was pushed behind it.

use super::event::Event;
use super::state::{Session, State};
use crate::policy::Now;
use crate::proto::message::{Conversation, Message};
use crate::proto::update::Update;

/// Messages held back at most while catching up; further ones are fetched.
const MAX_HELD: usize = 2_048;
/// Messages that cannot be fetched, waiting for room; further ones are lost and counted.
const MAX_UNSTORED: usize = 2_048;
/// Messages waiting for room in their own conversations, from which on no more are fetched.
pub(super) const MAX_WAITING: usize = 1_024;
/// Messages remembered at most while the cookie stands still.
const MAX_SEEN: usize = 65_536;

impl Session {
    /// A pushed message, whatever its conversation.
    pub(super) fn message(&mut self, now: Now, message: Message) {
        if message.typing().is_some() {
            self.hand_out(now, message);
            return;
        }
        let is_stored =
            matches!(message.conversation, Conversation::C2c(_)) && !message.online_only;
        if !is_stored {
            return self.unstored(now, message);
        }
        if self.memory.knows(&message) {
            return;
        }
        self.sync.pushed += 1;
        let holding = matches!(
            self.state,
            State::LoggingIn | State::Resuming | State::Syncing
        );
        if self.sync.refused.contains(&message.conversation) {
            self.refuse_push(now, message.conversation);
        } else if holding && self.sync.held.len() < MAX_HELD {
            self.sync.held.push(message);
        } else if !holding
            && !self.sync.waiting.has(&message.conversation)
            && self.memory.has_room(Some(&message.conversation))
        {
            self.hand_out(now, message);
        } else {
            self.refuse_push(now, message.conversation);
        }
    }

    /// A message that the server does not keep: it cannot be fetched later.
    fn unstored(&mut self, now: Now, message: Message) {
        if self.sync.waiting.len() < MAX_UNSTORED {
            self.wait(message);
            self.pump_waiting(now);
        } else {
            self.events.push_back(Event::Dropped(message.conversation));
        }
    }

    /// There is no room: it will be fetched when there is.
    fn refuse_push(&mut self, now: Now, conversation: Conversation) {
        self.sync.push_refused = true;
        self.memory.lag(&conversation);
        self.sync.refused.insert(conversation);
        if self.sync.is_running() {
            self.sync.again = true;
        } else {
            self.sync.wanted = true;
            self.sync_if_wanted(now);
        }
    }

    /// What was held back joins what waits.
    pub(super) fn release(&mut self, now: Now) {
        for message in std::mem::take(&mut self.sync.held) {
            self.wait(message);
        }
        self.pump_waiting(now);
    }

    /// A message waits for room.
    pub(super) fn wait(&mut self, message: Message) {
        self.memory.lag(&message.conversation);
        self.sync.waiting.push(message);
    }

    /// The bots have room again.
    pub fn room(&mut self, now: Now) {
        self.pump(now);
        if self.state.is_ready() {
            self.fetch_groups(now);
            self.poll_rooms(now);
        }
    }

    /// Hands out what has room, and goes on catching up when enough of it had.
    pub(super) fn pump(&mut self, now: Now) {
        self.pump_waiting(now);
        if !self.state.is_ready() {
            return;
        }
        if self.sync.waiting.is_empty() {
            self.tell_synced();
        }
        // Nothing more is asked for before what came is taken. What waits for room in its own
        // conversation only keeps nobody else waiting, within bounds.
        if self.memory.has_room(None) {
            self.page_taken(now);
            self.sync_if_wanted(now);
        }
    }

    fn pump_waiting(&mut self, now: Now) {
        let memory = self.memory.clone();
        while let Some(message) = self
            .sync
            .waiting
            .next(|conversation| memory.has_room(Some(conversation)))
        {
            let conversation = message.conversation.clone();
            self.hand_out(now, message);
            self.held_up_no_longer(now, &conversation);
        }
    }

    /// Tells the books when nothing of a conversation waits or is to be fetched any more.
    pub(super) fn held_up_no_longer(&mut self, now: Now, conversation: &Conversation) {
        if !self.sync.waiting.has(conversation) && !self.sync.refused.contains(conversation) {
            self.memory.caught_up(now, conversation);
        }
    }

    /// Hands a message out unless it was before. That somebody types is no message, and needs no room.
    pub(super) fn hand_out(&mut self, now: Now, message: Message) -> bool {
        let bound = self.config.seen + self.sync.pushed.min(MAX_SEEN);
        if let Some(is_typing) = message.typing() {
            if !self.memory.note(&message, bound) {
                return false;
            }
            self.events
                .push_back(Event::Update(Box::new(Update::Typing {
                    user: message.from.into(),
                    conversation: message.conversation,
                    is_typing,
                })));
            return false;
        }
        let first = self.memory.insert(now, &message, bound);
        if first {
            self.events.push_back(Event::Message(Box::new(message)));
        }
        first
    }
}
