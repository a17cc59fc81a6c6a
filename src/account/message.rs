//! The messages between an account, its supervisor and its subscriber.

use super::collect::StatusPlace;
use crate::gateway::Connector;
use crate::rest::Rest;
use actix::prelude::*;
use botroupe_core::account::{AccountEvent, CoreConfig, OutboxError, OutboxItem, Status};
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::oneshot;

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

/// Asks an account how it stands now, counters included. An account that is gone drops the place.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct TellStatus(pub StatusPlace);

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
    /// Close the link for good and keep the login, for another process.
    HandOver,
}

/// Carries a [`Command`].
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Instruct(pub Command);

/// Makes what an account opens its links with, on the arbiter that runs it.
pub type MakeConnector = Arc<dyn Fn() -> Rc<dyn Connector> + std::marker::Send + Sync>;

/// A new config of the account, which stays as it is otherwise.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct Reconfigure {
    /// What it is made of from now on.
    pub config: Arc<CoreConfig>,
    /// Asks whether another login is there.
    pub rest: Option<Arc<Rest>>,
    /// What it opens its links with, where that changes: then the login moves to a new link.
    pub connector: Option<MakeConnector>,
}

impl std::fmt::Debug for Reconfigure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reconfigure")
            .field("user", &self.config.name)
            .finish_non_exhaustive()
    }
}
