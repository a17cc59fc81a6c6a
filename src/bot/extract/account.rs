//! What a handler can take of the account.

use crate::account::Cause;
use crate::bot::api::Api;
use crate::bot::event::{Event, FromEvent, What};
use crate::bot::kinds::Kinds;
use crate::bot::needs::Needs;
use crate::bot::rejection::Skipped;
use crate::proto::event::KickType;
use std::convert::Infallible;

impl FromEvent for Api {
    type Rejection = Infallible;

    async fn from_event(event: &Event) -> Result<Self, Infallible> {
        Ok(event.api().clone())
    }

    fn needs(_: &mut Needs) {}
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
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        match event.what() {
            What::NotReady(cause) => Ok(Self {
                word: cause.word().into_owned(),
                detail: cause.to_string(),
            }),
            _ => Err(Skipped),
        }
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::NOT_READY);
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
    pub(in crate::bot) const fn by(cause: &Cause) -> Option<Self> {
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
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        match event.what() {
            What::NotReady(cause) => Self::by(cause).ok_or(Skipped),
            _ => Err(Skipped),
        }
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::KICKED);
    }
}
