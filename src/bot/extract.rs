//! The types that a handler can take as parameters.

use super::api::Api;
use super::event::{Event, FromEvent, Rejection, What};
use crate::account::Cause;
use crate::proto::event::KickType;
use crate::proto::message::{Conversation, GroupTip, Message, SystemNotice};
use crate::proto::update::Update;
use std::any::TypeId;
use std::ops::Deref;
use std::sync::Arc;

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
        event.said()?.text().map(Self::from).ok_or(Rejection::Skip)
    }
}

impl FromEvent for Message {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        event.said().cloned()
    }
}

impl FromEvent for Update {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        event.update().cloned().ok_or(Rejection::Skip)
    }
}

impl FromEvent for GroupTip {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        event.said()?.tip().cloned().ok_or(Rejection::Skip)
    }
}

impl FromEvent for SystemNotice {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        event.said()?.notice().cloned().ok_or(Rejection::Skip)
    }
}

/// The group of the message. A handler that takes it is called for group messages only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// Its GroupID.
    pub id: String,
    /// Its name; empty when the server did not give it.
    pub name: String,
}

impl Group {
    /// A group of this GroupID and name, to try a handler with.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
        }
    }
}

impl FromEvent for Group {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        let message = event.said()?;
        match &message.conversation {
            Conversation::Group(id) => Ok(Self {
                id: id.to_string(),
                name: message
                    .group
                    .as_ref()
                    .map_or_else(String::new, |group| group.name.clone()),
            }),
            _ => Err(Rejection::Skip),
        }
    }
}

impl FromEvent for Conversation {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        Ok(event.said()?.conversation.clone())
    }
}

impl FromEvent for Api {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        Ok(event.api().clone())
    }
}

/// Why the account is not ready: a parameter of `on_not_ready` handlers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotReady {
    /// The cause as one word, as the program prints it: `link_lost`, `multipleAccount`, …
    pub word: String,
    /// A sentence that says what happened and what can be done.
    pub detail: String,
}

impl FromEvent for NotReady {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        match &event.what {
            What::NotReady(cause) => Ok(Self {
                word: cause.word().into_owned(),
                detail: cause.to_string(),
            }),
            _ => Err(Rejection::Skip),
        }
    }
}

/// The kind of a kick: a parameter of `on_kicked` handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kicked {
    /// Another web client logged in as the account.
    MultipleAccount,
    /// Another device logged in as the account.
    MultipleDevice,
    /// The UserSig, or the login made with it, expired.
    UserSigExpired,
    /// An administrator kicked the account over the REST API.
    RestApiKick,
}

impl Kicked {
    pub(super) const fn by(cause: &Cause) -> Option<Self> {
        match cause {
            Cause::Kicked(KickType::MultipleAccount) => Some(Self::MultipleAccount),
            Cause::Kicked(KickType::MultipleDevice) => Some(Self::MultipleDevice),
            Cause::Kicked(KickType::RestApi) => Some(Self::RestApiKick),
            Cause::UserSigExpired(_) => Some(Self::UserSigExpired),
            _ => None,
        }
    }
}

impl FromEvent for Kicked {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        match &event.what {
            What::NotReady(cause) => Self::by(cause).ok_or(Rejection::Skip),
            _ => Err(Rejection::Skip),
        }
    }
}

/// The sender of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sender {
    /// Its UserID.
    pub user_id: String,
    /// Its nick name; empty when the server did not give it.
    pub nick: String,
}

impl Sender {
    /// A sender of this UserID and nick name, to try a handler with.
    pub fn new(user_id: impl Into<String>, nick: impl Into<String>) -> Self {
        Self {
            user_id: user_id.into(),
            nick: nick.into(),
        }
    }
}

impl FromEvent for Sender {
    fn from_event(event: &Event) -> Result<Self, Rejection> {
        let Message { from, nick, .. } = event.said()?;
        Ok(Self {
            user_id: from.to_string(),
            nick: nick.clone(),
        })
    }
}

/// A value that handlers share: of the bot on one account, given with [`Bot::state`](super::Bot::state), or of the
/// whole process, given with [`FleetBuilder::state`](crate::fleet::FleetBuilder::state).
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
            Rejection::Misconfigured(format!(
                "no state of type {name}: add `.state(…)` to the bot, or to the fleet"
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
            Rejection::Misconfigured(format!(
                "no settings of type {name}: add `.config::<{name}>()` to the bot"
            ))
        })
    }
}

fn value<T: Send + Sync + 'static>(event: &Event) -> Option<Arc<T>> {
    event
        .values()
        .get(&TypeId::of::<T>())?
        .clone()
        .downcast()
        .ok()
}
