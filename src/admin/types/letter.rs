//! Messages that are to be sent or were not sent.

use crate::proto::message::Conversation;
use botroupe_core::ledger::{self, Ended, LetterState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A message that is to be sent, that failed, or of which it is unknown whether it arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Letter {
    /// Its number.
    pub number: u64,
    /// The account that sends it.
    pub account: String,
    /// The bot that sends it; empty for the program.
    pub bot: String,
    /// The receiver.
    pub to: Receiver,
    /// `queued`, `sent`, `answered`, `failed` or `unknown`.
    pub state: String,
    /// Why it was not sent.
    #[schema(required)]
    pub reason: Option<String>,
    /// When it was written down, in Unix seconds.
    pub at: u64,
    /// The message.
    pub draft: Value,
}

/// To whom a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Receiver {
    /// To this user.
    User(String),
    /// To this group.
    Group(String),
}

impl Receiver {
    /// The UserID or GroupID.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User(name) | Self::Group(name) => name,
        }
    }
}

impl From<&Conversation> for Receiver {
    fn from(conversation: &Conversation) -> Self {
        let name = conversation.name().to_owned();
        if conversation.is_group() {
            Self::Group(name)
        } else {
            Self::User(name)
        }
    }
}

impl Letter {
    /// A letter of this account.
    #[must_use]
    pub fn new(letter: &ledger::Letter, account: String) -> Self {
        let (state, reason) = match &letter.state {
            LetterState::Queued => ("queued", ""),
            LetterState::Ended(Ended::Sent) => ("sent", ""),
            LetterState::Ended(Ended::Answered(_)) => ("answered", ""),
            LetterState::Ended(Ended::Failed { reason, .. }) => ("failed", &**reason),
            LetterState::Ended(Ended::Unknown { reason, .. }) => ("unknown", &**reason),
        };
        Self {
            number: letter.number,
            account,
            bot: letter.bot.to_string(),
            to: Receiver::from(&letter.to),
            state: state.to_owned(),
            reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
            at: letter.at,
            draft: serde_json::from_str(&letter.draft).unwrap_or_default(),
        }
    }
}

/// Some of the letters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LetterPage {
    /// In the order of their numbers.
    pub letters: Vec<Letter>,
    /// How many there are that the filter lets through.
    pub total: usize,
    /// The value of `after` for the next page; null on the last one.
    #[schema(required)]
    pub next: Option<u64>,
}
