//! Messages that are sent as an account.

use super::letter::Receiver;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A text to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// To whom.
    pub to: Receiver,
    /// The text.
    pub text: String,
    /// Sent once for each key, over restarts too: a request that is repeated with its key gets the first answer.
    #[serde(default)]
    pub key: Option<String>,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SentMessage {
    /// When, by the service's clock, in Unix seconds.
    pub at: u64,
    /// Its number in its group; 0 for a message to a user.
    pub seq: u32,
    /// What names a message to a user; empty for a message to a group.
    pub key: String,
}
