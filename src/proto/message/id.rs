//! The ID of a message: what an account needs to act on it later.

use super::{Conversation, Message, SYSTEM};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Identifies a message as one account sees it: its conversation, and its numbers in there.
///
/// It is short, and made to be kept: as JSON and as text it is one string, like `C2Calice/sent/7_301_1700000000` or
/// `GROUP@TGS#1/12_1700000000`. In a group it is the same for every account; a one-to-one message has another ID
/// for each of the two sides.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId {
    conversation: Conversation,
    seq: u32,
    /// Zero in a group, where nothing asks for it: the sender does not learn which it was.
    random: u32,
    time: u64,
    /// Whether the account itself sent it; only one to one, where it tells sender and receiver apart.
    is_own: bool,
}

/// A text that is no [`MessageId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the ID of a message, which looks like `GROUP@TGS#1/12_1700000000`")]
pub struct MessageIdError(String);

impl MessageId {
    pub(super) fn of(message: &Message) -> Self {
        let in_group = message.conversation.is_group();
        Self {
            conversation: message.conversation.clone(),
            seq: message.seq,
            random: if in_group { 0 } else { message.random },
            time: message.time,
            is_own: message.is_own && !in_group,
        }
    }

    /// Returns the conversation of the message.
    #[must_use]
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// Returns `MsgSeq`. The server assigns it in a group, the sender in a one-to-one conversation.
    #[must_use]
    pub const fn seq(&self) -> u32 {
        self.seq
    }

    /// Returns `MsgRandom`; zero in a group.
    #[must_use]
    pub const fn random(&self) -> u32 {
        self.random
    }

    /// Returns the server time of the message, in Unix seconds.
    #[must_use]
    pub const fn time(&self) -> u64 {
        self.time
    }

    /// Returns whether this is a one-to-one message that the account itself sent.
    #[must_use]
    pub const fn is_sent(&self) -> bool {
        self.is_own
    }

    /// Returns the sender and the receiver of a one-to-one message of the account `me`.
    #[must_use]
    pub fn sides<'a>(&'a self, me: &'a str) -> (&'a str, &'a str) {
        let peer = self.conversation.name();
        if self.is_own { (me, peer) } else { (peer, me) }
    }

    /// Returns `seq_random_time`, the server's key of a one-to-one message.
    #[must_use]
    pub fn server_key(&self) -> String {
        format!("{}_{}_{}", self.seq, self.random, self.time)
    }

    fn read(text: &str) -> Option<Self> {
        let (place, numbers) = text.rsplit_once('/')?;
        let (conversation, is_own) = if let Some(group) = place.strip_prefix("GROUP") {
            (Conversation::group(group), false)
        } else if let Some(place) = place.strip_prefix("C2C") {
            let (peer, side) = place.rsplit_once('/')?;
            let is_own = match side {
                "sent" => true,
                "received" => false,
                _ => return None,
            };
            (Conversation::c2c(peer), is_own)
        } else if place == SYSTEM {
            (Conversation::System, false)
        } else {
            return None;
        };
        let in_group = conversation.is_group();
        let mut numbers = numbers.split('_');
        let id = Self {
            conversation,
            seq: numbers.next()?.parse().ok()?,
            random: if in_group {
                0
            } else {
                numbers.next()?.parse().ok()?
            },
            time: numbers.next()?.parse().ok()?,
            is_own,
        };
        numbers.next().is_none().then_some(id)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match (&self.conversation, self.is_own) {
            (Conversation::C2c(_), true) => "/sent",
            (Conversation::C2c(_), false) => "/received",
            _ => "",
        };
        let Self {
            conversation,
            seq,
            random,
            time,
            ..
        } = self;
        match conversation {
            Conversation::Group(_) => write!(f, "{conversation}/{seq}_{time}"),
            _ => write!(f, "{conversation}{side}/{seq}_{random}_{time}"),
        }
    }
}

impl FromStr for MessageId {
    type Err = MessageIdError;

    fn from_str(text: &str) -> Result<Self, MessageIdError> {
        Self::read(text).ok_or_else(|| MessageIdError(text.chars().take(200).collect()))
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{C2cItem, Element};
    use proptest::prelude::*;

    fn id(conversation: Conversation, is_own: bool) -> MessageId {
        MessageId {
            seq: 7,
            random: if conversation.is_group() { 0 } else { 301 },
            conversation,
            time: 1_700_000_000,
            is_own,
        }
    }

    #[test]
    fn an_id_is_one_string_that_can_be_read_again() {
        for (id, text) in [
            (
                id(Conversation::c2c("alice"), true),
                "C2Calice/sent/7_301_1700000000",
            ),
            (
                id(Conversation::c2c("a/sent"), false),
                "C2Ca/sent/received/7_301_1700000000",
            ),
            (
                id(Conversation::group("@TGS#1"), false),
                "GROUP@TGS#1/7_1700000000",
            ),
            (
                id(Conversation::System, false),
                "@TIM#SYSTEM/7_301_1700000000",
            ),
        ] {
            assert_eq!(id.to_string(), text);
            assert_eq!(text.parse().as_ref(), Ok(&id));
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<MessageId>(&json).unwrap(), id);
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "7_301_1700000000",
            "GROUPg",
            "GROUPg/7",
            "GROUPg/7_301_1",
            "GROUPg/7_x",
            "GROUPg/-7_1",
            "C2Calice/7_301_1",
            "C2Calice/own/7_301_1",
            "alice/sent/7_301_1",
        ] {
            assert!(text.parse::<MessageId>().is_err(), "{text}");
        }
    }

    #[test]
    fn sender_and_receiver_are_told_apart() {
        let item = |from: &str, to: &str| {
            let item = C2cItem::new(from, to, vec![Element::text("x")]);
            Message::from_c2c(item, "bot").id()
        };
        assert_eq!(item("alice", "bot").sides("bot"), ("alice", "bot"));
        let own = item("bot", "alice");
        assert_eq!(own.sides("bot"), ("bot", "alice"));
        assert_ne!(item("alice", "bot"), own);
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in ".*", seq: u32, random: u32, time: u64, kind in 0..3) {
            let (conversation, is_own) = match kind {
                0 => (Conversation::group(name), false),
                kind => (Conversation::c2c(name), kind == 1),
            };
            let random = if kind == 0 { 0 } else { random };
            let id = MessageId { conversation, seq, random, time, is_own };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn no_text_panics(text in "(GROUP|C2C)?[a-z/_0-9]{0,20}/?[0-9_]{0,12}") {
            let _ = text.parse::<MessageId>();
        }
    }
}
