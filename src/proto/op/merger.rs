//! Merged messages that are too long for a message, so that the service stores the record. See "C2C
//! messages" in `docs/src/protocol.md`.

use crate::lenient;
use crate::message::MergedMessage;
use crate::op::Limit;
use serde::{Deserialize, Serialize};

calls! {
    SaveMerged => "im_long_msg.save_relay_json_msg" -> SavedMerged, Limit::NONE;
    GetMerged => "im_long_msg.get_relay_json_msg" -> MergedMessages, Limit::NONE;
}

/// Stores a record that is too long for a message.
#[derive(Clone, Debug, Serialize)]
pub struct SaveMerged {
    /// The messages.
    #[serde(rename = "MsgList")]
    pub messages: Vec<MergedMessage>,
}

/// The answer to [`SaveMerged`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SavedMerged {
    /// The key of the record.
    #[serde(rename = "JsonMsgKey", default, deserialize_with = "lenient::string")]
    pub json_key: String,
    /// The key for native clients.
    #[serde(rename = "PbMsgKey", default, deserialize_with = "lenient::string")]
    pub pb_key: String,
}

/// Requests a stored record.
#[derive(Clone, Debug, Serialize)]
pub struct GetMerged {
    /// The key of the record.
    #[serde(rename = "JsonMsgKey")]
    pub key: String,
}

/// The answer to [`GetMerged`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct MergedMessages {
    /// The messages.
    #[serde(rename = "MsgList", default, deserialize_with = "lenient::list")]
    pub messages: Vec<MergedMessage>,
}
