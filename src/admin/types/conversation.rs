//! The conversations of an account.

use super::letter::Receiver;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The conversations of an account: those with something that waits, and the last of the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Conversations {
    /// Those with something that waits first, then by the time of the last message.
    pub conversations: Vec<ConversationOf>,
    /// How many there are in all.
    pub total: usize,
    /// Why the service was not asked, or did not answer; null if it did. Then only those are known in which something
    /// waits here.
    #[schema(required)]
    pub unknown: Option<String>,
}

/// A conversation of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConversationOf {
    /// With whom, or in which group.
    pub with: Receiver,
    /// Messages that the account has not read, as the service counts them: its bots are not done with them.
    pub unread: u32,
    /// Messages that are to be sent there.
    pub waiting: usize,
    /// Messages that were not sent there, or of which it is unknown whether they arrived.
    pub failed: usize,
    /// Dialogues there that wait for an answer.
    pub dialogues: usize,
    /// When the last message was said, in Unix seconds.
    #[schema(required)]
    pub last: Option<u64>,
}
