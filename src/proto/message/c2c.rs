//! C2C messages in pushes, missed messages and history. See "C2C messages" in
//! `docs/src/protocol.md`.

use super::Element;
use crate::id::UserId;
use crate::lenient;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

/// A C2C message in a push, a `getmsg` answer or the history.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct C2cItem {
    /// The sender. If [`is_sync`](Self::is_sync) is set, the peer.
    #[serde(rename = "From_Account")]
    pub from: UserId,
    /// The receiver. `None` means the account that received the item.
    #[serde(
        rename = "To_Account",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub to: Option<UserId>,
    /// The sender's counter. Its value exceeds 31 bits for most of the day.
    #[serde(rename = "MsgSeq", deserialize_with = "lenient::int")]
    pub seq: u32,
    /// A random number of the sender. Together with `seq` it identifies a repeated send.
    #[serde(rename = "MsgRandom", deserialize_with = "lenient::int")]
    pub random: u32,
    /// Server time in Unix seconds. It is the same wherever the message appears.
    #[serde(
        rename = "MsgTimeStamp",
        alias = "MsgTime",
        deserialize_with = "lenient::int"
    )]
    pub time: u64,
    /// The content.
    #[serde(rename = "MsgBody", default)]
    pub body: Vec<Element>,
    /// The sender's clock in Unix seconds, part of the message ID.
    #[serde(
        rename = "MsgClientTime",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub client_time: Option<u64>,
    /// The sender's TinyId, part of the message ID.
    #[serde(
        rename = "TinyId",
        default,
        deserialize_with = "lenient::opt_string",
        skip_serializing_if = "Option::is_none"
    )]
    pub tiny_id: Option<String>,
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
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub nick: String,
    /// Whether this is a copy of a message that this account sent from another terminal. Sender and
    /// receiver are then swapped.
    #[serde(
        rename = "IsSyncMsg",
        default,
        deserialize_with = "lenient::flag",
        serialize_with = "as_flag",
        skip_serializing_if = "not"
    )]
    pub is_sync: bool,
    /// The storage time in seconds. 0 means online-only; `None` means the default of the plan.
    #[serde(
        rename = "MsgLifeTime",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub life_time: Option<u32>,
    /// The bit with the value 8 means that the message has been recalled (history and `getmsg`
    /// only).
    #[serde(
        rename = "MsgFlagBits",
        default,
        deserialize_with = "lenient::int",
        skip_serializing_if = "is_zero"
    )]
    pub flag_bits: u32,
    /// Whether the sender asks for a read receipt.
    #[serde(
        rename = "IsNeedReadReceipt",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub needs_receipt: Option<u32>,
    /// The number of edits.
    #[serde(
        rename = "MsgVersion",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub version: Option<u32>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl C2cItem {
    /// Creates an item with default values for all other fields (for tests and the simulator).
    #[must_use]
    pub fn new(from: &str, to: &str, body: Vec<Element>) -> Self {
        Self {
            from: from.into(),
            to: Some(to.into()),
            seq: 1,
            random: 1,
            time: 0,
            body,
            client_time: None,
            tiny_id: None,
            cloud_custom_data: String::new(),
            nick: String::new(),
            is_sync: false,
            life_time: None,
            flag_bits: 0,
            needs_receipt: None,
            version: None,
            extra: Map::new(),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn not(flag: &bool) -> bool {
    !flag
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn as_flag<S: Serializer>(flag: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(u8::from(*flag))
}
