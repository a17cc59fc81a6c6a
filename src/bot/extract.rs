//! What a handler may ask for as a parameter.

use super::api::Api;
use crate::proto::message::Message;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

/// Values shared by the handlers of one bot on one account, by type.
pub(super) type Values = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// What a handler is called with: one message and its surroundings.
#[derive(Clone, Debug)]
pub struct Event {
    pub(super) message: Arc<Message>,
    pub(super) api: Api,
    pub(super) values: Arc<Values>,
}

/// Why a handler was not called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The event is not of the kind the handler is for.
    NotForMe,
    /// The bot was put together wrongly; the text says how to mend it.
    Mistake(String),
}

/// Types a handler may take: [`Text`], [`Message`], [`Sender`], [`Api`], [`State<T>`](State),
/// [`Config<T>`](Config).
#[diagnostic::on_unimplemented(
    message = "a handler cannot take `{Self}` as a parameter",
    note = "parameters are `Text`, `Message`, `Sender`, `Api`, `State<T>` and `Config<T>`, or your own type with `impl FromEvent`"
)]
pub trait FromEvent: Sized {
    /// Reads the value from the event.
    ///
    /// # Errors
    /// [`Rejection::NotForMe`] when the handler is not meant for the event.
    fn from_event(event: &Event) -> Result<Self, Rejection>;
}

impl Event {
    /// The message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Acts as the account.
    #[must_use]
    pub const fn api(&self) -> &Api {
        &self.api
    }
}

/// The text of a text message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// The text itself.
    #[must_use]
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl FromEvent for Text {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        event
            .message
            .text()
            .map(Self::from)
            .ok_or(Rejection::NotForMe)
    }
}

impl FromEvent for Message {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        Ok((*event.message).clone())
    }
}

impl FromEvent for Api {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        Ok(event.api.clone())
    }
}

/// Who wrote the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Its UserID.
    pub user_id: String,
    /// Its nick name, empty when the server did not say.
    pub nick: String,
}

impl FromEvent for Sender {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        let Message { from, nick, .. } = &*event.message;
        Ok(Self {
            user_id: from.to_string(),
            nick: nick.clone(),
        })
    }
}

/// A value that the bot's handlers share, given with [`Bot::state`](super::Bot::state). Each account
/// has its own.
#[derive(Debug)]
pub struct State<T>(Arc<T>);

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> FromEvent for State<T> {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        value(event).map(Self).ok_or_else(|| {
            let name = std::any::type_name::<T>();
            Rejection::Mistake(format!(
                "no state of type {name}: add `.state(…)` to the bot"
            ))
        })
    }
}

/// The bot's settings from `[bots.<name>]` of the config file, declared with
/// [`Bot::config`](super::Bot::config).
#[derive(Debug)]
pub struct Config<T>(Arc<T>);

impl<T> Deref for Config<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> FromEvent for Config<T> {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        value(event).map(Self).ok_or_else(|| {
            let name = std::any::type_name::<T>();
            Rejection::Mistake(format!(
                "no settings of type {name}: add `.config::<{name}>()` to the bot"
            ))
        })
    }
}

fn value<T: Send + Sync + 'static>(event: &Event) -> Option<Arc<T>> {
    event
        .values
        .get(&TypeId::of::<T>())?
        .clone()
        .downcast()
        .ok()
}
