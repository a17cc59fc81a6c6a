//! Names of messages and of what handlers do with them, which every version of the program finds the same.

use crate::proto::message::{Conversation, Message};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// A 64-bit fingerprint of several texts and numbers. It is written to disk, so it depends on nothing but them.
#[derive(Clone, Debug)]
pub struct Fingerprint(SipHasher13);

impl Fingerprint {
    /// A fingerprint of nothing yet, in the name space `kind`.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self(SipHasher13::new()).text(kind)
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.write(&(text.len() as u64).to_le_bytes());
        self.0.write(text.as_bytes());
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.write(&number.to_le_bytes());
        self
    }

    /// The fingerprint.
    #[must_use]
    pub fn finish(self) -> u64 {
        self.0.finish()
    }
}

/// Identifies a message over all its copies: pushed, pushed again, caught up with, or read in the history. A group
/// message is known by its group, its number and its time (a group that is made anew counts from one), another one
/// by sender, receiver, MsgSeq, MsgRandom and time.
#[must_use]
pub fn message_id(message: &Message) -> u64 {
    match &message.conversation {
        Conversation::Group(group) if message.seq > 0 && !message.online_only => {
            Fingerprint::new("group")
                .text(group)
                .number(message.seq.into())
                .number(message.time)
                .finish()
        }
        _ => Fingerprint::new("message")
            .text(&message.from)
            .text(&message.to)
            .number(message.seq.into())
            .number(message.random.into())
            .number(message.time)
            .finish(),
    }
}

/// Identifies an update that waited in a store under this number. Nothing else tells one update from another.
#[must_use]
pub fn update_id(number: u64) -> u64 {
    Fingerprint::new("update").number(number).finish()
}

/// Identifies what one bot does with one message.
#[must_use]
pub fn exchange(bot: &str, message: u64) -> u64 {
    Fingerprint::new("exchange")
        .text(bot)
        .number(message)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::message::{C2cItem, Element};

    fn said(seq: u32) -> Message {
        let item = C2cItem {
            seq,
            random: 7,
            time: 1_795_000_000,
            ..C2cItem::new("alice", "bot", vec![Element::text("hi")])
        };
        Message::from_c2c(item, "bot")
    }

    #[test]
    fn a_message_has_the_same_number_in_every_version_of_the_program() {
        // Numbers on disk: they must not change.
        let id = message_id(&said(3));
        assert_eq!(id, 0x126c_214b_d0e1_0de6, "{id:#x}");
        let done = exchange("echo", id);
        assert_eq!(done, 0xede6_d075_10ea_f34f, "{done:#x}");
        let update = update_id(3);
        assert_eq!(update, 0x3ace_0245_418f_a45b, "{update:#x}");
        assert_ne!(message_id(&said(4)), id);
        assert_ne!(exchange("ech", id), done);
        // Where one text ends and the next begins counts.
        let two = |a, b| Fingerprint::new("x").text(a).text(b).finish();
        assert_ne!(two("ab", "c"), two("a", "bc"));
    }
}
