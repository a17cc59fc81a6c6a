//! What another process needs to go on with a login.
//!
//! The ticket resumes the login on a new link. Of the memory, the positions of live rooms go along: nobody but the
//! account knows them. What the bots have finished stands in a store on disk; without one, the memory says which messages
//! were handed out.

use crate::proto::packet::{InstId, Ticket};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The ticket of a login. Its owner can act as the account: it is never shown.
#[derive(Clone, Serialize, Deserialize)]
pub struct HandedTicket {
    a2: String,
    tiny_id: Box<str>,
    inst_id: Option<InstId>,
    /// How often the server wants to be greeted, in seconds.
    hello: Option<u64>,
}

impl std::fmt::Debug for HandedTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HandedTicket").finish_non_exhaustive()
    }
}

impl HandedTicket {
    pub(super) fn new(ticket: &Ticket, hello: Option<Duration>) -> Self {
        Self {
            a2: ticket.a2.expose_secret().to_owned(),
            tiny_id: ticket.tiny_id.clone(),
            inst_id: ticket.inst_id.clone(),
            hello: hello.map(|hello| hello.as_secs()),
        }
    }

    /// The ticket, and how often the server wants to be greeted.
    pub(super) fn open(self) -> (Ticket, Option<Duration>) {
        let ticket = Ticket {
            a2: SecretString::from(self.a2),
            tiny_id: self.tiny_id,
            inst_id: self.inst_id,
        };
        let hello = self.hello.map(|hello| hello.clamp(1, 86_400));
        (ticket, hello.map(Duration::from_secs))
    }
}

/// What an account remembers and another process cannot find out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedMemory {
    /// Live rooms that are followed, and the number at which each goes on.
    pub(super) rooms: Vec<(Box<str>, u64)>,
    /// Fingerprints of the messages that the bots have finished, oldest first.
    pub(super) seen: Vec<u64>,
    /// How far each group was handed on: its number and time.
    pub(super) groups: Vec<(Box<str>, u32, u32)>,
}
