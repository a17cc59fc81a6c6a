//! Why a bot's action failed.

use crate::account::SendError;
use crate::bot::transfer::TransferError;
use crate::proto::code::Code;
use crate::proto::message::DraftError;
use crate::proto::op::ItemResult;
use crate::proto::op::c2c_message::Edited;
use crate::proto::shown::Shown;

/// Why an action failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The message was not sent.
    #[error("message not sent: {0}")]
    Send(#[from] SendError),
    /// The request was not carried out, or nobody knows whether it was.
    #[error("request failed: {0}")]
    Call(SendError),
    /// Somebody else edited the message first. How it stands now is given; to insist, edit it again
    /// with that version.
    #[error("somebody else edited the message first; it is at version {}", .0.version)]
    Conflict(Box<Edited>),
    /// The request was carried out, but not for this entry of it.
    #[error("the server refused it for {}: {code} {}", Shown(.what), Shown(.info))]
    Item {
        /// The entry: a user, a group, the number of a message.
        what: String,
        /// The server's code.
        code: Code,
        /// Its words.
        info: String,
    },
    /// More is named than one request may be about. Nothing was sent.
    #[error("{count} {what} are too many for one request; the limit is {limit}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The new content of a message cannot be sent. Nothing was.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The file did not get where it should.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// It cannot be done with this message, conversation or notice. Nothing was sent.
    #[error("not possible: {0}")]
    Unfit(&'static str),
    /// The bot runs in a test that has no answer to this request.
    #[error(
        "{servcmd} is not available in a test; give its answer with `TestBot::answer({servcmd:?}, …)`"
    )]
    NoAnswer {
        /// The command.
        servcmd: String,
    },
}

impl ApiError {
    /// The server's code, when it was the server that said no.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Send(error) | Self::Call(error) => error.code(),
            Self::Conflict(_) => Some(Code::C2C_EDIT_CONFLICT),
            Self::Item { code, .. } => Some(*code),
            _ => None,
        }
    }

    pub(super) fn from_call(error: SendError) -> Self {
        match error.conflict().map(serde_json::from_str) {
            Some(Ok(now)) => Self::Conflict(Box::new(now)),
            _ => Self::Call(error),
        }
    }

    /// The first entry that did not go well; `name` says which one it is where it names no user.
    pub(super) fn of_items(items: &[ItemResult], name: &str) -> Result<(), Self> {
        items
            .iter()
            .find(|item| !item.is_ok())
            .map_or(Ok(()), |item| {
                Err(Self::Item {
                    what: if item.user.is_empty() {
                        name.to_owned()
                    } else {
                        item.user.clone()
                    },
                    code: Code(item.code),
                    info: item.info.clone(),
                })
            })
    }
}
