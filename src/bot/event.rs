//! The event that handlers are called with, and the trait that reads their parameters from it.

use super::api::Api;
use crate::account::Cause;
use crate::proto::message::Message;
use crate::proto::update::Update;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

/// Values shared by the handlers of one bot on one account, by type.
pub(super) type Values = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// What happened.
#[derive(Clone, Debug)]
pub(super) enum What {
    Message(Arc<Message>),
    Update(Arc<Update>),
    /// The account is ready for the first time.
    Start,
    Ready,
    NotReady(Cause),
}

/// The event that a handler is called with.
#[derive(Clone, Debug)]
pub struct Event {
    pub(super) what: What,
    pub(super) api: Api,
    pub(super) values: Arc<Values>,
}

/// Why a handler was not called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The handler is not for this event. The next one is asked.
    Skip,
    /// The bot lacks something that the handler asks for; the text says what to add. No other handler is asked.
    Misconfigured(String),
}

/// Types that a handler may take as a parameter.
///
/// About a message: [`Text`](super::Text), [`Message`], [`Attachment`](super::Attachment),
/// [`Sender`](super::Sender), [`Group`](super::Group) and
/// [`Conversation`](crate::proto::message::Conversation). About what happens around messages: [`Update`],
/// [`GroupTip`](crate::proto::message::GroupTip) and
/// [`SystemNotice`](crate::proto::message::SystemNotice). About the account: [`NotReady`](super::NotReady)
/// and [`Kicked`](super::Kicked). Always: [`Api`], [`State<T>`](super::State) and
/// [`Config<T>`](super::Config). Further types are a bot's own:
///
/// ```
/// use botroupe::prelude::*;
///
/// /// A text that is a number. Of other texts the handler hears nothing.
/// struct Number(i64);
///
/// impl FromEvent for Number {
///     fn from_event(event: &Event) -> Result<Self, Rejection> {
///         let text = event.message().and_then(|message| message.text());
///         let number = text.and_then(|text| text.trim().parse().ok());
///         number.map(Self).ok_or(Rejection::Skip)
///     }
/// }
///
/// async fn double(Number(number): Number) -> String {
///     (2 * number).to_string()
/// }
/// # let _ = Bot::new("double").on_text(double);
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler cannot take `{Self}` as a parameter",
    label = "not a parameter of a handler",
    note = "parameters are `Text`, `Message`, `Attachment`, `Sender`, `Group`, `Conversation`, `Update`, `GroupTip`, `SystemNotice`, `Api`, `State<T>` and `Config<T>`, or your own type with `impl FromEvent`"
)]
pub trait FromEvent: Sized {
    /// Reads the value from the event.
    ///
    /// # Errors
    /// [`Rejection::Skip`] when the handler is not meant for the event.
    fn from_event(event: &Event) -> Result<Self, Rejection>;
}

impl Event {
    /// The message; `None` for other events.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        match &self.what {
            What::Message(message) => Some(message),
            What::Update(_) | What::Start | What::Ready | What::NotReady(_) => None,
        }
    }

    /// The update; `None` for other events.
    #[must_use]
    pub fn update(&self) -> Option<&Update> {
        match &self.what {
            What::Update(update) => Some(update),
            _ => None,
        }
    }

    pub(super) fn said(&self) -> Result<&Message, Rejection> {
        self.message().ok_or(Rejection::Skip)
    }

    /// The API of the account.
    #[must_use]
    pub const fn api(&self) -> &Api {
        &self.api
    }
}
