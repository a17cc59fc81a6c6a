//! One-to-one messages in their stored form.

use crate::{
    proto::{id::UserId, message::MessageRef},
    shape,
    table::{marks::Marks, recent::Repeatable},
};
use foldhash::fast::FixedState;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap, fmt, hash::BuildHasher};

/// The position of a message in the order of all messages of the sandbox.
pub(crate) type MessageId = u64;

/// The two sides of a conversation, in alphabetical order.
pub(crate) type ConversationKey = (UserId, UserId);

pub(crate) fn conversation_key(a: &UserId, b: &UserId) -> ConversationKey {
    if a <= b {
        (a.clone(), b.clone())
    } else {
        (b.clone(), a.clone())
    }
}

/// The most bytes of a message, content and custom data together.
pub(crate) const MAX_MESSAGE: usize = 12 * 1024;

/// A message to be sent, as read from a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub(crate) from: UserId,
    pub(crate) to: UserId,
    pub(crate) seq: u64,
    pub(crate) random: u64,
    /// The sender's clock, Unix seconds.
    pub(crate) client_time: u64,
    pub(crate) body: Box<RawValue>,
    pub(crate) cloud: String,
    pub(crate) nick: String,
    pub(crate) face_url: String,
    pub(crate) online_only: bool,
    pub(crate) no_unread: bool,
    pub(crate) no_last: bool,
    pub(crate) need_receipt: bool,
    pub(crate) extension: bool,
    /// Push copies to the sender's other logins.
    pub(crate) sync: bool,
}

/// A stored message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) draft: Draft,
    /// Server time, Unix seconds.
    pub(crate) time: u64,
    /// The sender's TinyId.
    pub(crate) tiny_id: u64,
    pub(crate) revoker: Option<UserId>,
    #[serde(deserialize_with = "shape::counter")]
    pub(crate) version: u64,
    pub(crate) read_at: Option<u64>,
    /// Reactions and extensions of the message.
    #[serde(default)]
    #[serde(rename = "extras")]
    pub(crate) marks: Option<Box<Marks>>,
}

/// A message in the form tests see, see `State::history`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryItem {
    /// The sender.
    pub from: UserId,
    /// The receiver.
    pub to: UserId,
    /// The sender's sequence number.
    pub seq: u64,
    /// The sender's random number.
    pub random: u64,
    /// Server time, Unix seconds.
    pub time: u64,
    /// The JSON text of `MsgBody`.
    pub body: String,
    /// The message was recalled.
    pub recalled: bool,
}

/// An entry that the account's clients have not synchronised yet.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct InboxEntry {
    /// Sequence position; cookies hold such positions.
    pub(crate) position: u64,
    pub(crate) message: MessageId,
    pub(crate) what: Inbound,
    /// The login that caused the entry and does not receive it.
    pub(crate) by: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Inbound {
    Received,
    SentElsewhere,
    Recalled,
}

/// A send that succeeded. What makes a repeat is documented for REST: sender, `MsgSeq`, `MsgRandom`
/// and the CRC-32 of the content. The receiver is ours, because `batchsendmsg` gives many receivers
/// the same numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecentSend {
    pub(crate) from: UserId,
    pub(crate) to: UserId,
    pub(crate) seq: u64,
    pub(crate) random: u64,
    pub(crate) crc: u32,
    pub(crate) time: u64,
    /// The number of its record in the ledger.
    #[serde(skip)]
    pub(crate) record: Option<u64>,
}

impl RecentSend {
    /// The send of `draft` at the Unix second `time`.
    pub(crate) fn new(draft: &Draft, time: u64) -> Self {
        Self {
            from: draft.from.clone(),
            to: draft.to.clone(),
            seq: draft.seq,
            random: draft.random,
            crc: crc32fast::hash(draft.body.get().as_bytes()),
            time,
            record: None,
        }
    }

    fn key(&self) -> (u64, u64, u32, &UserId, &UserId) {
        (self.seq, self.random, self.crc, &self.from, &self.to)
    }
}

impl Repeatable for RecentSend {
    const WINDOW: u64 = 120;
    const LIMIT: usize = 1 << 20;

    fn mix(&self) -> u64 {
        FixedState::default().hash_one(self.key())
    }

    fn is_like(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    fn time(&self) -> u64 {
        self.time
    }
}

/// The result of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) time: u64,
    pub(crate) key: String,
}

/// JSON that a client could parse: unlike skipped JSON, its depth, strings and numbers are checked.
struct Parsable {
    is_object: bool,
}

impl<'de> Deserialize<'de> for Parsable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Checked;

        const PLAIN: Parsable = Parsable { is_object: false };

        impl<'de> Visitor<'de> for Checked {
            type Value = Parsable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Parsable, E> {
                Ok(PLAIN)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Parsable, E> {
                Ok(PLAIN)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Parsable, E> {
                Ok(PLAIN)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Parsable, E> {
                Ok(PLAIN)
            }

            fn visit_str<E>(self, _: &str) -> Result<Parsable, E> {
                Ok(PLAIN)
            }

            fn visit_unit<E>(self) -> Result<Parsable, E> {
                Ok(PLAIN)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Parsable, A::Error> {
                while items.next_element::<Parsable>()?.is_some() {}
                Ok(PLAIN)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Parsable, A::Error> {
                while fields.next_entry::<Parsable, Parsable>()?.is_some() {}
                Ok(Parsable { is_object: true })
            }
        }

        deserializer.deserialize_any(Checked)
    }
}

/// Returns true if `body` is a non-empty array of elements, each with a type and a content object.
pub(crate) fn is_message_body(body: &RawValue) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Element<'a> {
        #[serde(borrow)]
        msg_type: Cow<'a, str>,
        #[serde(default)]
        msg_content: Option<Parsable>,
    }
    serde_json::from_str::<Vec<Element<'_>>>(body.get()).is_ok_and(|elements| {
        !elements.is_empty()
            && elements.iter().all(|element| {
                let content = element.msg_content.as_ref();
                !element.msg_type.is_empty() && content.is_some_and(|content| content.is_object)
            })
    })
}

/// Returns true if the message can be unread: `from` sent it, it counts as unread and it was not
/// recalled.
pub(crate) fn is_unread(
    messages: &BTreeMap<MessageId, Message>,
    id: MessageId,
    from: &UserId,
) -> bool {
    messages
        .get(&id)
        .is_some_and(|m| m.draft.from == *from && !m.draft.no_unread && m.revoker.is_none())
}

impl Message {
    /// The fields that identify the message in pushes.
    pub(crate) fn name(&self) -> MessageRef {
        MessageRef {
            from: self.draft.from.to_string(),
            to: self.draft.to.to_string(),
            seq: u32::try_from(self.draft.seq).unwrap_or_default(),
            random: u32::try_from(self.draft.random).unwrap_or_default(),
            time: Some(self.time),
            client_time: Some(self.draft.client_time),
            tiny_id: Some(self.tiny_id.to_string()),
            ..MessageRef::default()
        }
    }

    pub(crate) fn key(&self) -> String {
        format!("{}_{}_{}", self.draft.seq, self.draft.random, self.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_elements_with_a_type_and_a_content_that_clients_can_parse() {
        let deep = |depth: usize| {
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            format!(r#"[{{"MsgType":"a","MsgContent":{{"x":{open}{close}}}}}]"#)
        };
        let cases = [
            (
                r#"[{"MsgType":"a","MsgContent":{"x":[1,-1,1.5,null,true,"y"]}}]"#,
                true,
            ),
            (r#"[{"MsgContent":{},"MsgType":"a","more":1}]"#, true),
            ("[]", false),
            ("{}", false),
            (r#"[{"MsgType":"","MsgContent":{}}]"#, false),
            (r#"[{"MsgType":"a"}]"#, false),
            (r#"[{"MsgType":"a","MsgContent":null}]"#, false),
            (r#"[{"MsgType":"a","MsgContent":[]}]"#, false),
            (r#"[{"MsgType":"a","MsgContent":"x"}]"#, false),
            (r#"[{"MsgType":"a","MsgContent":{"x":1e999}}]"#, false),
            (r#"[{"MsgType":"a","MsgContent":{"x":"\ud800"}}]"#, false),
        ];
        let cases = cases.map(|(text, right)| (text.to_owned(), right));
        for (text, right) in cases
            .into_iter()
            .chain([(deep(9), true), (deep(200), false)])
        {
            let body = RawValue::from_string(text.clone()).unwrap();
            assert_eq!(is_message_body(&body), right, "{text}");
        }
    }
}
