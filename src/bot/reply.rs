//! What a handler may return.

use super::api::{Api, ApiError};
use super::attachment::Outgoing;
use crate::proto::message::{Draft, Element};
use std::fmt::Display;

/// What a handler wants sent back, if anything, or why it failed.
pub type Reply = Result<Option<Answer>, String>;

/// What is sent back.
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// A message.
    Message(Draft),
    /// A file, which is yet to be uploaded.
    File(Box<Outgoing>),
}

impl Answer {
    /// The message to send, once what has to be is uploaded.
    ///
    /// # Errors
    /// As [`Outgoing::upload`].
    pub async fn into_draft(self, api: &Api) -> Result<Draft, ApiError> {
        match self {
            Self::Message(draft) => Ok(draft),
            Self::File(file) => file.upload(api).await,
        }
    }
}

/// Types a handler may return: `()`, `String`, `&'static str`, [`Draft`], [`Element`], [`Outgoing`],
/// `Option` and `Result` of these. The reply goes where the message came from: to its sender, or to its group. An `Err` is logged with bot and account, and nothing is sent.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "not a reply",
    note = "return `()`, `String`, `&'static str`, `Draft`, `Element`, `Outgoing`, or an `Option` or `Result` of one"
)]
pub trait IntoReply {
    /// Turns the value into what is sent.
    fn into_reply(self) -> Reply;
}

impl IntoReply for () {
    fn into_reply(self) -> Reply {
        Ok(None)
    }
}

impl IntoReply for String {
    fn into_reply(self) -> Reply {
        Draft::text(self).into_reply()
    }
}

impl IntoReply for &'static str {
    fn into_reply(self) -> Reply {
        Draft::text(self).into_reply()
    }
}

impl IntoReply for Element {
    fn into_reply(self) -> Reply {
        Draft::from(self).into_reply()
    }
}

impl IntoReply for Draft {
    fn into_reply(self) -> Reply {
        Ok(Some(Answer::Message(self)))
    }
}

impl<T: IntoReply> IntoReply for Option<T> {
    fn into_reply(self) -> Reply {
        self.map_or(Ok(None), T::into_reply)
    }
}

impl<T: IntoReply, E: Display> IntoReply for Result<T, E> {
    fn into_reply(self) -> Reply {
        self.map_err(|error| error.to_string())?.into_reply()
    }
}
