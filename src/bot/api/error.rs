//! Why a bot's action failed.

use crate::account::RequestError;
use crate::account::{OutboxError, SendError};
use crate::bot::transfer::TransferError;
use crate::proto::code::Code;
use crate::proto::id::IdError;
use crate::proto::message::DraftError;
use crate::proto::op::ItemResult;
use crate::proto::op::c2c_message::Edited;
use crate::proto::shown::Shown;
use crate::store::StoreError;

/// Why an action failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The message was not sent.
    #[error("message not sent: {0}")]
    Send(#[from] SendError),
    /// The request was not carried out, or nobody knows whether it was.
    #[error("request failed: {0}")]
    Call(#[source] SendError),
    /// Somebody else edited the message first. The error holds the current version; edit the message again with
    /// it to overwrite that.
    #[error("somebody else edited the message first; it is at version {}", .0.version)]
    Conflict(Box<Edited>),
    /// The server refused one entry of the request. It may have carried out the others.
    #[error("the server refused it for {}: {code} {}", Shown(.what), Shown(.info))]
    Item {
        /// The entry: a user, a group, the number of a message.
        what: String,
        /// The server's code.
        code: Code,
        /// The server's text.
        info: String,
    },
    /// The list is longer than one request may be. Nothing was sent.
    #[error("{count} {what} are too many for one request; the limit is {limit}")]
    TooMany {
        /// The kind of entry.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// What was given for a UserID or a GroupID cannot be one. Nothing was sent.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The store cannot be asked at present. Nothing was sent.
    #[error("the store cannot be asked: {0}")]
    Store(#[from] StoreError),
    /// The new content of a message cannot be sent. Nothing was.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The file was not transferred.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The action is not possible with this message, conversation or notice. Nothing was sent.
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

/// Whether a failed action was carried out, and whether to try again: see [`ApiError::kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The server refused it, with this code.
    Refused(Code),
    /// It was not carried out; the same action may succeed later.
    NotSent,
    /// Nobody knows whether it was carried out: the answer was lost, or could not be read.
    Unknown,
    /// The account is offline and will not come back by itself soon, or it is not ready and the caller did
    /// not want to wait. It was not carried out.
    Offline,
    /// Too much is waiting already. It was not carried out.
    Busy,
    /// What the action was given cannot be right. It was not carried out; the same action fails again.
    BadInput,
}

fn kind_of(error: &SendError) -> Kind {
    match error {
        SendError::Outbox(OutboxError::Full) | SendError::Busy => Kind::Busy,
        SendError::Outbox(OutboxError::Offline(_)) | SendError::NotReady | SendError::Gone => {
            Kind::Offline
        }
        SendError::Outbox(OutboxError::Expired(error) | OutboxError::Refused(error)) => match error
        {
            RequestError::Refused { code, .. } => Kind::Refused(*code),
            RequestError::Conflict { .. } => Kind::Refused(Code::C2C_EDIT_CONFLICT),
            RequestError::NotLoggedIn | RequestError::Overloaded | RequestError::Full => {
                Kind::NotSent
            }
            // Also for kinds that a later version adds: a bot that asks the server does no harm.
            _ => Kind::Unknown,
        },
        SendError::Outbox(_) => Kind::Unknown,
    }
}

impl ApiError {
    /// Tells whether to try again, to ask the server, or to change the bot.
    ///
    /// ```
    /// use botroupe::bot::{ApiError, Kind};
    ///
    /// fn is_worth_another_try(error: &ApiError) -> bool {
    ///     matches!(error.kind(), Kind::NotSent | Kind::Busy | Kind::Offline)
    /// }
    /// assert!(!is_worth_another_try(&ApiError::Unfit("the list is empty")));
    /// ```
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Send(error) | Self::Call(error) => kind_of(error),
            Self::Store(_) => Kind::NotSent,
            Self::Conflict(_) => Kind::Refused(Code::C2C_EDIT_CONFLICT),
            Self::Item { code, .. } => Kind::Refused(*code),
            Self::TooMany { .. }
            | Self::Id(_)
            | Self::Draft(_)
            | Self::Unfit(_)
            | Self::NoAnswer { .. } => Kind::BadInput,
            Self::Transfer(error) => match error {
                TransferError::Connection(_) | TransferError::TimedOut | TransferError::Nowhere => {
                    Kind::NotSent
                }
                TransferError::Status(_) => Kind::Unknown,
                TransferError::Unreadable(_)
                | TransferError::WrongSize { .. }
                | TransferError::Unwritable(_)
                | TransferError::TooLarge { .. }
                | TransferError::Forbidden { .. } => Kind::BadInput,
            },
        }
    }

    /// The server's code, when the server refused the action.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// match api.group(&group).say("Hello!").await {
    ///     Err(error) if error.code() == Some(Code::GROUP_MUTED) => {}
    ///     said => drop(said?),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Send(error) | Self::Call(error) => error.code(),
            Self::Conflict(_) => Some(Code::C2C_EDIT_CONFLICT),
            Self::Item { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// What `error.type` of a trace is: the server's code, or a word.
    pub(in crate::bot) fn trace_kind(&self) -> String {
        match self.kind() {
            Kind::Refused(code) => code.0.to_string(),
            Kind::NotSent => "not_sent".to_owned(),
            Kind::Unknown => "unknown".to_owned(),
            Kind::Busy => "busy".to_owned(),
            Kind::Offline => "offline".to_owned(),
            Kind::BadInput => "bad_input".to_owned(),
        }
    }

    pub(super) fn from_call(error: SendError) -> Self {
        match error.conflict().map(serde_json::from_str) {
            Some(Ok(now)) => Self::Conflict(Box::new(now)),
            _ => Self::Call(error),
        }
    }

    /// Fails with the first entry that the server refused; `name` describes an entry that names no user.
    pub(super) fn of_items(items: &[ItemResult], name: &str) -> Result<(), Self> {
        items
            .iter()
            .find(|item| !item.is_ok())
            .map_or(Ok(()), |item| {
                Err(Self::Item {
                    what: if item.user.is_empty() {
                        name.to_owned()
                    } else {
                        item.user.to_string()
                    },
                    code: Code(item.code),
                    info: item.info.clone(),
                })
            })
    }
}
