//! What becomes of a message when nobody can tell whether it arrived.

use std::str::FromStr;

/// What becomes of a bot's message when it may have been sent, and the history does not tell whether it arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnUnknown {
    /// It stays among the dead letters until somebody decides (`botroupe outbox list`, `retry`, `drop`).
    #[default]
    Ask,
    /// It is sent again: it may be said twice.
    Resend,
    /// It is given up: it may never be said.
    Drop,
}

/// A text that names no [`OnUnknown`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("on_unknown is one of \"ask\", \"resend\" and \"drop\"")]
pub struct OnUnknownError;

impl FromStr for OnUnknown {
    type Err = OnUnknownError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ask" => Ok(Self::Ask),
            "resend" => Ok(Self::Resend),
            "drop" => Ok(Self::Drop),
            _ => Err(OnUnknownError),
        }
    }
}
