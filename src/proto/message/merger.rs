//! `TIMRelayElem`: several messages forwarded as one record. The message contains a short record;
//! the server stores a long one and returns a key to fetch it. See "C2C messages" in
//! `docs/src/protocol.md`.

use super::{Element, Message};
use crate::lenient;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The maximum size of a message that contains its record, in bytes of the JSON text of the whole
/// message.
pub const MAX_INLINE: usize = 11_264;

/// The content of the element.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Merger {
    /// The title.
    #[serde(rename = "Title", default, deserialize_with = "lenient::string")]
    pub title: String,
    /// A summary of a few lines, one per message.
    #[serde(rename = "AbstractList", default)]
    pub summary: Vec<String>,
    /// A text for clients that cannot display the record.
    #[serde(
        rename = "CompatibleText",
        default,
        deserialize_with = "lenient::string"
    )]
    pub compatible_text: String,
    /// The key of the stored record; empty if the record is in [`messages`](Self::messages).
    #[serde(rename = "JsonMsgKey", default, deserialize_with = "lenient::string")]
    pub json_key: String,
    /// The key for native clients.
    #[serde(rename = "PbMsgKey", default, deserialize_with = "lenient::string")]
    pub pb_key: String,
    /// The messages, unchanged; the server does not inspect them. `None` if the server stores the
    /// record.
    #[serde(rename = "MsgList", default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Box<RawValue>>,
    /// Unknown fields, including `MsgNum`, `Version` and `LayersOverLimit`.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl PartialEq for Merger {
    fn eq(&self, other: &Self) -> bool {
        let text = |merger: &Self| merger.messages.as_ref().map(|list| list.get().to_owned());
        self.title == other.title
            && self.summary == other.summary
            && self.compatible_text == other.compatible_text
            && self.json_key == other.json_key
            && self.pb_key == other.pb_key
            && self.extra == other.extra
            && text(self) == text(other)
    }
}

/// One message of the record, in the format of the official client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MergedMessage {
    /// The sender.
    #[serde(rename = "From_Account", default, deserialize_with = "lenient::string")]
    pub from: String,
    /// The sender again.
    #[serde(rename = "SenderId", default, deserialize_with = "lenient::string")]
    pub sender: String,
    /// Server time in Unix seconds.
    #[serde(rename = "MsgTimeStamp", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// `MsgSeq`
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
    /// `ClientSeq`
    #[serde(rename = "ClientSeq", default, deserialize_with = "lenient::int")]
    pub client_seq: u32,
    /// `MsgRandom`
    #[serde(rename = "MsgRandom", default, deserialize_with = "lenient::int")]
    pub random: u32,
    /// The sender's clock in Unix seconds.
    #[serde(rename = "MsgClientTime", default, deserialize_with = "lenient::int")]
    pub client_time: u64,
    /// The ID of the message.
    #[serde(rename = "Id", default, deserialize_with = "lenient::string")]
    pub id: String,
    /// Application data stored with the message.
    #[serde(
        rename = "CloudCustomData",
        default,
        deserialize_with = "lenient::string"
    )]
    pub cloud_custom_data: String,
    /// The sender's nick name.
    #[serde(
        rename = "From_AccountNick",
        default,
        deserialize_with = "lenient::string"
    )]
    pub nick: String,
    /// The content.
    #[serde(rename = "MsgBody", default)]
    pub body: Vec<Element>,
    /// The conversation, and unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The maximum number of lines in the summary.
const SUMMARY: usize = 3;

impl MergedMessage {
    /// Converts a message to an entry of a record.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let mut extra = Map::new();
        let to = Value::from(&*message.to);
        if message.conversation.is_group() {
            extra.insert("GroupId".to_owned(), to);
        } else {
            extra.insert("To_Account".to_owned(), to.clone());
            extra.insert("ReceiverId".to_owned(), to);
        }
        Self {
            from: message.from.to_string(),
            sender: message.from.to_string(),
            time: message.time,
            seq: message.seq,
            client_seq: message.seq,
            random: message.random,
            client_time: message.client_time.unwrap_or(message.time),
            id: message.terminal_id().unwrap_or_default(),
            cloud_custom_data: message.cloud_custom_data.clone(),
            nick: message.nick.clone(),
            body: message.elements.clone(),
            extra,
        }
    }
}

impl Merger {
    /// Creates a record that contains all messages. If it is too long, it must be stored on the
    /// server; `Api::merge` does that.
    pub fn of(title: impl Into<String>, messages: &[Message]) -> Self {
        let title = title.into();
        let line = |message: &Message| {
            let who = if message.nick.is_empty() {
                &*message.from
            } else {
                message.nick.as_str()
            };
            let what = message.text().map_or_else(
                || {
                    message
                        .elements
                        .first()
                        .map_or("", Element::msg_type)
                        .to_owned()
                },
                |text| text.chars().take(40).collect(),
            );
            format!("{who}: {what}")
        };
        let merged: Vec<MergedMessage> = messages.iter().map(MergedMessage::of).collect();
        let mut extra = Map::new();
        extra.insert("Version".to_owned(), 0.into());
        extra.insert("LayersOverLimit".to_owned(), false.into());
        Self {
            compatible_text: title.clone(),
            title,
            summary: messages.iter().take(SUMMARY).map(line).collect(),
            json_key: String::new(),
            pb_key: String::new(),
            messages: serde_json::value::to_raw_value(&merged).ok(),
            extra,
        }
    }

    /// Returns the record without its messages, which the server has stored under these keys.
    #[must_use]
    pub fn stored(mut self, json_key: impl Into<String>, pb_key: impl Into<String>) -> Self {
        let count = self.inline().map_or(0, |list| list.len());
        self.extra.clear();
        self.extra.insert("MsgNum".to_owned(), count.into());
        self.messages = None;
        self.json_key = json_key.into();
        self.pb_key = pb_key.into();
        self
    }

    /// Returns the contained messages. `None` if the server stores them, or if the list is invalid.
    #[must_use]
    pub fn inline(&self) -> Option<Vec<MergedMessage>> {
        serde_json::from_str(self.messages.as_ref()?.get()).ok()
    }
}
