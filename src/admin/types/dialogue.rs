//! Dialogues that wait for an answer.

use super::letter::Receiver;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A dialogue of a bot that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DialogueAt {
    /// What it is known by.
    pub id: String,
    /// The account.
    pub account: String,
    /// The bot that asks.
    pub bot: String,
    /// The conversation in which it is held.
    pub conversation: Receiver,
    /// With whom.
    pub person: String,
    /// Where somebody else is asked for an approval.
    #[schema(required)]
    pub approver: Option<Receiver>,
    /// The beginning of the question that it waits on; null when that is not known, or was no text.
    #[schema(required)]
    pub question: Option<String>,
    /// When that was asked, in Unix seconds.
    #[schema(required)]
    pub since: Option<u64>,
    /// When the time for the answer is over, in Unix seconds.
    pub deadline: u64,
}

/// Some of the dialogues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DialoguePage {
    /// Those first whose time is over first.
    pub dialogues: Vec<DialogueAt>,
    /// How many there are that the filter lets through.
    pub total: usize,
    /// The value of `from` for the next page; null on the last one.
    #[schema(required)]
    pub next: Option<usize>,
}
