//! What a handler may return.

use super::api::{Api, ApiError};
use super::outgoing_file::Outgoing;
use crate::proto::message::{Draft, Element};
use std::error::Error;

/// An error of a handler, as it is logged; its sources are kept.
pub(super) type HandlerError = Box<dyn Error + Send + Sync>;

/// The result of a handler: a message to send, nothing, or an error. [`IntoReply`] makes it.
///
/// ```
/// use botroupe::bot::Reply;
/// use botroupe::prelude::*;
///
/// /// Celsius, said with its unit.
/// struct Degrees(f64);
///
/// impl IntoReply for Degrees {
///     fn into_reply(self) -> Reply {
///         if self.0.is_finite() {
///             Reply::message(format!("{:.1} °C", self.0))
///         } else {
///             Reply::failed("no temperature")
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Reply(Result<Option<Answer>, HandlerError>);

impl Reply {
    /// Nothing is sent.
    #[must_use]
    pub const fn none() -> Self {
        Self(Ok(None))
    }

    /// A message is sent.
    #[must_use]
    pub fn message(draft: impl Into<Draft>) -> Self {
        Self(Ok(Some(Answer::Message(draft.into()))))
    }

    /// A file is uploaded and sent.
    #[must_use]
    pub fn file(file: Outgoing) -> Self {
        Self(Ok(Some(Answer::File(Box::new(file)))))
    }

    /// The handler failed: nothing is sent, and the error is logged with account and bot.
    #[must_use]
    pub fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Err(error.into()))
    }

    pub(super) fn into_result(self) -> Result<Option<Answer>, HandlerError> {
        self.0
    }
}

/// The content of a reply.
#[derive(Debug)]
pub(super) enum Answer {
    /// A message.
    Message(Draft),
    /// A file, which is uploaded first.
    File(Box<Outgoing>),
}

impl Answer {
    /// The message to send, after the upload if there is one.
    ///
    /// # Errors
    /// As [`Outgoing::upload`].
    pub(super) async fn into_draft(self, api: &Api) -> Result<Draft, ApiError> {
        match self {
            Self::Message(draft) => Ok(draft),
            Self::File(file) => file.upload(api).await,
        }
    }
}

/// Types a handler may return: `()`, `String`, `&'static str`, [`Draft`], [`Element`], [`Outgoing`],
/// `Option` and `Result` of these, and [`Reply`]. The reply goes where the message came from: to its sender, or to its
/// group. An `Err` is logged with bot and account, and nothing is sent; its type is anything that converts into a
/// `Box<dyn Error + Send + Sync>`.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "not a reply",
    note = "return `()`, `String`, `&'static str`, `Draft`, `Element`, `Outgoing`, or an `Option` or `Result` of one"
)]
pub trait IntoReply {
    /// Turns the value into a reply.
    fn into_reply(self) -> Reply;
}

impl IntoReply for Reply {
    fn into_reply(self) -> Self {
        self
    }
}

impl IntoReply for () {
    fn into_reply(self) -> Reply {
        Reply::none()
    }
}

impl IntoReply for String {
    fn into_reply(self) -> Reply {
        Reply::message(Draft::text(self))
    }
}

impl IntoReply for &'static str {
    fn into_reply(self) -> Reply {
        Reply::message(Draft::text(self))
    }
}

impl IntoReply for Element {
    fn into_reply(self) -> Reply {
        Reply::message(self)
    }
}

impl IntoReply for Draft {
    fn into_reply(self) -> Reply {
        Reply::message(self)
    }
}

impl IntoReply for Outgoing {
    fn into_reply(self) -> Reply {
        Reply::file(self)
    }
}

impl<T: IntoReply> IntoReply for Option<T> {
    fn into_reply(self) -> Reply {
        self.map_or(Reply::none(), T::into_reply)
    }
}

impl<T: IntoReply, E: Into<Box<dyn Error + Send + Sync>>> IntoReply for Result<T, E> {
    fn into_reply(self) -> Reply {
        self.map_or_else(Reply::failed, T::into_reply)
    }
}
