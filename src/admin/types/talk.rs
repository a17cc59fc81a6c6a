//! Conversations in the sandbox.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Talk {
    /// Oldest first.
    pub messages: Vec<Said>,
}

/// A message in a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Said {
    /// Who has said it.
    pub from: String,
    /// Its text; in square brackets what it is, if it is no text.
    pub text: String,
    /// When, in Unix seconds.
    pub at: u64,
}

/// Something to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTalk {
    /// The text.
    pub text: String,
}
