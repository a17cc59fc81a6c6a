//! One-to-one messages as they are stored.

use crate::{
    proto::{id::UserId, message::MessageRef},
    shape,
    table::marks::Marks,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A message's place in the order of all messages of the sandbox.
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

/// The most a message may hold, content and custom data together, in bytes.
pub(crate) const MAX_MESSAGE: usize = 12 * 1024;

/// Sends remembered per account, to answer a repeat with the first result.
pub(crate) const RECENT_SENDS: usize = 128;

/// A message to be sent, as a request holds it.
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
    /// The sender's number.
    pub(crate) tiny_id: u64,
    pub(crate) revoker: Option<UserId>,
    #[serde(deserialize_with = "shape::counter")]
    pub(crate) version: u64,
    pub(crate) read_at: Option<u64>,
    /// What others have put under it.
    #[serde(default)]
    #[serde(rename = "extras")]
    pub(crate) marks: Option<Box<Marks>>,
}

/// A message as a test sees it, see `State::history`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryItem {
    /// Who sent it.
    pub from: UserId,
    /// Who it went to.
    pub to: UserId,
    /// The sender's sequence number.
    pub seq: u64,
    /// The sender's random number.
    pub random: u64,
    /// Server time, Unix seconds.
    pub time: u64,
    /// The JSON text of `MsgBody`.
    pub body: String,
    /// It was recalled.
    pub recalled: bool,
}

/// One thing an account has to catch up on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct InboxEntry {
    /// Its place in the order of everything; cookies point here.
    pub(crate) position: u64,
    pub(crate) message: MessageId,
    pub(crate) what: Inbound,
    /// The login that caused it and need not hear of it again.
    pub(crate) by: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Inbound {
    Received,
    SentElsewhere,
    Recalled,
}

/// A send that was carried out.
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

/// True if `body` is a non-empty array of elements, each with a type and an object of content.
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

/// True if the message counts as unread as long as nobody reads it.
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
    /// The message as pushes about it name it.
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
