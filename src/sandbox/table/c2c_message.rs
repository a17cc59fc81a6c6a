//! One-to-one messages in their stored form.

use crate::{
    proto::{id::UserId, message::MessageRef},
    shape,
    table::marks::Marks,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

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

/// Sends remembered per account; a repeat gets the first result.
pub(crate) const RECENT_SENDS: usize = 128;

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

/// A send that succeeded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecentSend {
    pub(crate) to: UserId,
    pub(crate) seq: u64,
    pub(crate) random: u64,
    pub(crate) time: u64,
}

/// The result of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) time: u64,
    pub(crate) key: String,
}

/// Returns true if `body` is a non-empty array of elements, each with a type and a content object.
pub(crate) fn is_message_body(body: &RawValue) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Element {
        msg_type: String,
        #[serde(default)]
        msg_content: Option<serde_json::Map<String, serde_json::Value>>,
    }
    serde_json::from_str::<Vec<Element>>(body.get()).is_ok_and(|elements| {
        !elements.is_empty()
            && elements
                .iter()
                .all(|e| !e.msg_type.is_empty() && e.msg_content.is_some())
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
