//! The messages between an account, its supervisor and its subscriber.

use std::time::Duration;

use actix::prelude::*;
use botroupe_core::account::{AccountEvent, OutboxError, OutboxItem, Status};
use tokio::sync::oneshot;

/// Asks the governor for a turn to log in; the answer is how long to wait for it.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Duration")]
pub struct ReserveLogin;

/// The server finds the fleet too quick: no login for this long, and slower ones after.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct SlowDown(pub Duration);

/// Carries an event to the account's subscriber.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Deliver(pub AccountEvent);

/// The status of an account changed.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Changed {
    /// How it stands now, without the flight recorder.
    pub status: Box<Status>,
    /// It went online (`true`) or offline (`false`) just now.
    pub online: Option<bool>,
}

/// Send a message or a request.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Send {
    /// What to send.
    pub item: OutboxItem,
    /// Told what became of it; dropped when the account dies before.
    pub reply: oneshot::Sender<Result<String, OutboxError>>,
}

/// A received message went through the bots; that is noted in the account's memory.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Handled {
    /// The session waits for room, and there is some now.
    pub room: bool,
}

/// Asks an account how it stands now, counters included.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Option<Status>")]
pub struct GetStatus;

/// What an operator may order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Log out and stay away until resumed.
    Hold,
    /// Come back, whatever kept it away.
    Resume,
    /// Replace the login by one with a new UserSig.
    Relogin,
    /// Log out and stay away, as something that needs mending.
    Quarantine,
    /// Log out for good.
    Stop,
}

/// Carries a [`Command`].
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Instruct(pub Command);
