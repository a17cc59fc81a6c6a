//! Why a parameter cannot be read from an event.

use super::reply::{HandlerError, Reply};
use std::convert::Infallible;
use std::error::Error;
use std::fmt;

/// Why a handler is not called: one of its parameters cannot be read from the event.
///
/// Every extractor has a rejection type of its own that converts into this one. An extractor of your own may use this
/// type directly.
#[derive(Debug)]
#[non_exhaustive]
pub enum Rejection {
    /// The handler is not for this event. The next one is asked.
    Skip,
    /// The handler is not called, and this is answered in its place: "you may not do this". No other handler is asked.
    Answer(Reply),
    /// The value cannot be had at present. The handler counts as failed.
    Failed(Box<dyn Error + Send + Sync>),
}

impl Rejection {
    /// A rejection that is answered.
    pub fn answer(text: impl Into<String>) -> Self {
        Self::Answer(Reply::message(text.into()))
    }

    /// A rejection that counts as a failure of the handler.
    pub fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }

    pub(super) fn into_reply(self) -> Reply {
        match self {
            Self::Skip => Reply::pass(),
            Self::Answer(reply) => reply,
            Self::Failed(error) => Reply::failed(error),
        }
    }
}

/// What an extractor may be rejected with: everything that converts into a [`Rejection`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what the bot does when the parameter cannot be read",
    label = "does not convert into `Rejection`",
    note = "use `Skipped` or `Rejection` itself as `type Rejection`, or implement `From<{Self}> for Rejection`; `Rejection::failed(error)` takes any error"
)]
pub trait IntoRejection {
    /// What the bot does.
    fn into_rejection(self) -> Rejection;
}

#[diagnostic::do_not_recommend]
impl<T: Into<Rejection>> IntoRejection for T {
    fn into_rejection(self) -> Rejection {
        self.into()
    }
}

impl From<Infallible> for Rejection {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<HandlerError> for Rejection {
    fn from(error: HandlerError) -> Self {
        Self::Failed(error)
    }
}

/// The event holds nothing of this kind: a message without a text, a message of no group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped;

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event holds nothing of this kind")
    }
}

impl Error for Skipped {}

impl From<Skipped> for Rejection {
    fn from(_: Skipped) -> Self {
        Self::Skip
    }
}

/// The bot has no value of the type that a handler asks for. It is found when the bot is made; only values that are
/// asked for inside an extractor of your own are missed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {what} of type {of}: {remedy}")]
pub struct Missing {
    pub(super) what: &'static str,
    pub(super) of: &'static str,
    pub(super) remedy: &'static str,
}

impl From<Missing> for Rejection {
    fn from(missing: Missing) -> Self {
        Self::Failed(Box::new(missing))
    }
}
