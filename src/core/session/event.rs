//! What a session tells its shell.

use super::request::{RequestError, RequestId};
use crate::proto::code::Code;
use crate::proto::event::KickType;
use crate::proto::message::{Conversation, Message};
use crate::proto::packet::InstId;
use crate::proto::update::Update;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Something the shell must know. Drained with [`Session::poll_event`](super::Session::poll_event).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// Logged in: the account may act (SDK_READY).
    Ready(Ready),
    /// The server refused the login or the resume. After a refused resume nothing of the old login
    /// is left: only a full login helps, if anything does.
    Refused {
        /// The server's code, or 2022, 2023 (answer without TinyId, A2Key), 2801 (no answer).
        code: Code,
        /// The server's text.
        info: String,
        /// The refused login was a resume.
        resuming: bool,
    },
    /// Thrown out. The session is logged out; its farewell is among the transmits.
    Kicked(KickType),
    /// The login state is void (70001, 20002): only a new UserSig helps.
    Expired {
        /// The code that said so.
        code: Code,
        /// The command whose answer said so.
        servcmd: Box<str>,
    },
    /// The link must be dropped by the shell: nothing useful will come of it.
    LinkDead(LinkFault),
    /// A chat message, each one once.
    Message(Arc<Message>),
    /// Something about messages or people changed.
    Update(Box<Update>),
    /// Missed messages are caught up: every message up to now has been handed out.
    Synced {
        /// Continue from here after a restart; opaque.
        cookie: Box<str>,
        /// How many messages came by catching up.
        messages: usize,
    },
    /// A group had more unread messages than a first login fetches. The oldest are left to its history.
    Skipped {
        /// The group.
        group: String,
        /// How many.
        count: u32,
    },
    /// The history of a group lacks this many numbers in a row.
    HistoryGone {
        /// The group.
        group: String,
        /// How many.
        count: u32,
    },
    /// A live room that this account is in is not heard, or no longer.
    RoomLost {
        /// The room.
        room: String,
        /// Why, in words.
        reason: String,
    },
    /// Catching up failed; it is tried again by itself, with a growing pause.
    SyncFailed {
        /// The part that is not caught up.
        part: Part,
        /// Why.
        error: RequestError,
    },
    /// A part of what the account should hear is not heard, or is heard again.
    Trouble {
        /// Which part.
        part: Part,
        /// Why not; `None` when it is heard again.
        reason: Option<String>,
    },
    /// A message that the server does not keep found no room with the bots: it goes to the store.
    Spill {
        /// The message.
        message: Box<Message>,
        /// The same as JSON.
        body: Box<str>,
    },
    /// A message that the server does not keep found no room with the bots, nor elsewhere, and is lost.
    Dropped(Conversation),
    /// The server wants the login to be confirmed; answer with [`Session::resume_login`](super::Session::resume_login)
    /// when another login is allowed.
    ResumeWanted,
    /// A request is settled; each one once.
    Settled {
        /// The command.
        id: RequestId,
        /// The text of the answer's body, or why there is none.
        outcome: Result<String, RequestError>,
    },
    /// The server asks for a pause of one command.
    Overloaded {
        /// Which.
        servcmd: String,
        /// For how long.
        delay: Duration,
    },
    /// Logged out on our own wish.
    LoggedOut,
    /// Something came that was not understood and had no other effect. For counters and logs.
    Ignored(Ignored),
}

/// A part of what an account hears.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Part {
    /// One-to-one messages that were missed.
    Missed,
    /// Which groups the account is in.
    Groups,
    /// Part of the messages of a group: its history is refused.
    Group(Box<str>),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missed => f.write_str("missed messages are not fetched"),
            Self::Groups => f.write_str("the list of groups is not known"),
            Self::Group(group) => write!(f, "group {group} is followed with a gap"),
        }
    }
}

/// The facts of a login.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The login survived the loss of its link: this was a resume.
    pub resumed: bool,
    /// The login's number at the server.
    pub inst_id: Option<InstId>,
    /// Server clock minus local clock in milliseconds, half the round trip taken off.
    pub clock_offset: i64,
}

/// Why a link is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkFault {
    /// The heartbeat stayed unanswered.
    #[error("heartbeat unanswered")]
    HeartbeatUnanswered,
    /// The login or resume stayed unanswered.
    #[error("login unanswered")]
    LoginUnanswered,
    /// Too many packets in a row that could not be read.
    #[error("server sends nothing readable")]
    Garbage,
}

/// What was ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ignored {
    /// Not a packet.
    Undecodable(String),
    /// A push of an unknown command.
    Push(String),
    /// An event of an unknown kind inside a known push.
    Notice(Option<u64>),
    /// A known event with impossible content.
    Malformed(String),
    /// A kick that is for another login of the account.
    Kick,
    /// An answer that nobody waits for, for example one that came too late.
    Answer(String),
}
