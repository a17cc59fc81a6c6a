//! Messages that were fetched and wait until the bots have room for them.

use crate::proto::message::{Conversation, Message};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

/// The messages of each conversation in their order; conversations take turns.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    lines: BTreeMap<Conversation, VecDeque<Message>>,
    len: usize,
    /// The conversation that had the last turn.
    last: Option<Conversation>,
}

impl Waiting {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a message of this conversation waits, so that newer ones have to queue behind it.
    pub(super) fn has(&self, conversation: &Conversation) -> bool {
        self.lines.contains_key(conversation)
    }

    pub(super) fn push(&mut self, message: Message) {
        self.len += 1;
        match self.lines.get_mut(&message.conversation) {
            Some(line) => line.push_back(message),
            None => {
                let conversation = message.conversation.clone();
                self.lines.insert(conversation, VecDeque::from([message]));
            }
        }
    }

    /// The oldest message of the next conversation that has room.
    pub(super) fn next(
        &mut self,
        mut has_room: impl FnMut(&Conversation) -> bool,
    ) -> Option<Message> {
        let after = self.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.lines.range((after, Bound::Unbounded));
        let found = later
            .chain(self.lines.iter())
            .map(|(conversation, _)| conversation)
            .take(self.lines.len())
            .find(|conversation| has_room(conversation))?
            .clone();
        let line = self.lines.get_mut(&found)?;
        let message = line.pop_front();
        if line.is_empty() {
            self.lines.remove(&found);
        }
        self.len -= usize::from(message.is_some());
        self.last = (!self.is_empty()).then_some(found);
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::message::C2cItem;

    fn said(from: &str, seq: u32) -> Message {
        let item = C2cItem {
            seq,
            ..C2cItem::new(from, "bot", Vec::new())
        };
        Message::from_c2c(item, "bot")
    }

    #[test]
    fn conversations_take_turns_and_each_keeps_its_order() {
        let mut waiting = Waiting::default();
        for seq in 0..3 {
            waiting.push(said("flooder", seq));
        }
        waiting.push(said("zoe", 9));
        waiting.push(said("alice", 7));
        let mut order = Vec::new();
        while let Some(message) = waiting.next(|_| true) {
            order.push(message.seq);
        }
        assert_eq!(order, [7, 0, 9, 1, 2]);
        assert!(waiting.is_empty() && waiting.lines.is_empty());
    }

    #[test]
    fn a_conversation_without_room_is_passed_over() {
        let mut waiting = Waiting::default();
        waiting.push(said("flooder", 1));
        waiting.push(said("zoe", 2));
        let free = |conversation: &Conversation| conversation.name() == "zoe";
        assert_eq!(waiting.next(free).map(|message| message.seq), Some(2));
        assert!(waiting.next(free).is_none());
        assert_eq!(waiting.len(), 1);
    }
}
