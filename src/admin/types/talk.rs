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
    /// Its text; in square brackets what it is, if it is neither a text nor a picture.
    pub text: String,
    /// The addresses of its pictures, for `/api/v1/sandbox/pictures/…`.
    pub pictures: Vec<String>,
    /// When, in Unix seconds; 0 in groups.
    pub at: u64,
}

/// Something to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTalk {
    /// The text.
    pub text: String,
}

/// Something that happens to an account in the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTrouble {
    /// What happens.
    pub fault: TroubleKind,
}

/// What happens to an account in the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum TroubleKind {
    /// Another web client logs in: it is kicked.
    #[serde(rename = "multipleAccount")]
    MultipleAccount,
    /// Another terminal logs in: it is kicked.
    #[serde(rename = "multipleDevice")]
    MultipleDevice,
    /// An administrator throws it out.
    #[serde(rename = "REST_API_Kick")]
    RestApiKick,
    /// Its UserSig is over.
    #[serde(rename = "userSigExpired")]
    UserSigExpired,
    /// Its link is cut.
    #[serde(rename = "drop_link")]
    DropLink,
    /// The server says nothing for a minute.
    #[serde(rename = "stop_answering")]
    StopAnswering,
}
