//! Message references in pushes and answers that do not contain the message itself.

use crate::lenient;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A reference to a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MessageRef {
    /// The sender; empty in a group.
    #[serde(
        rename = "From_Account",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub from: String,
    /// The receiver; empty in a group.
    #[serde(
        rename = "To_Account",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub to: String,
    /// `MsgSeq`
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
    /// `MsgRandom`
    #[serde(
        rename = "MsgRandom",
        alias = "MsgRand",
        alias = "Random",
        default,
        deserialize_with = "lenient::int"
    )]
    pub random: u32,
    /// Server time in Unix seconds.
    #[serde(
        rename = "MsgTimeStamp",
        alias = "MsgTime",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub time: Option<u64>,
    /// The sender's clock in Unix seconds.
    #[serde(
        rename = "MsgClientTime",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub client_time: Option<u64>,
    /// The sender's TinyId.
    #[serde(
        rename = "TinyId",
        default,
        deserialize_with = "lenient::opt_string",
        skip_serializing_if = "Option::is_none"
    )]
    pub tiny_id: Option<String>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl MessageRef {
    /// Returns the ID that every terminal computes for the message, see
    /// [`Message::terminal_id`](super::Message::terminal_id).
    #[must_use]
    pub fn terminal_id(&self) -> Option<String> {
        id(self.tiny_id.as_deref(), self.client_time, self.random)
    }
}

/// Returns the message ID, from the sender's TinyId and clock and the random number. `None` if one
/// of them is missing.
pub(super) fn id(tiny_id: Option<&str>, client_time: Option<u64>, random: u32) -> Option<String> {
    Some(format!("{}-{}-{random}", tiny_id?, client_time?))
}
