//! Requests in flight: number, deadline, and exactly one outcome each.

use crate::proto::code::Code;
use crate::proto::command;
use crate::proto::shown::Shown;
use std::collections::VecDeque;
use std::time::Duration;

/// Names a request within its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub(super) u32);

/// Why a request got no good answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The server refused the request.
    #[error("server refused: {code} {}", Shown(.info))]
    Refused {
        /// The server's code.
        code: Code,
        /// The server's text.
        info: String,
    },
    /// Somebody else edited the message first (20027).
    #[error("somebody else changed it first: {}", Shown(.info))]
    Conflict {
        /// The server's text.
        info: String,
        /// The body of the answer, which holds the present state.
        body: Box<str>,
    },
    /// No answer in time. The request may have been carried out all the same.
    #[error("no answer within the limit")]
    TimedOut,
    /// The link or the login was lost before the answer came: it may have been carried out all the same,
    /// and doing it again could do it twice.
    #[error("the connection was lost before the answer; it may have been carried out")]
    Lost,
    /// Not logged in, or no longer. It was not carried out, or can be made again without harm.
    #[error("not logged in")]
    NotLoggedIn,
    /// The server asked for a pause of this command (60022).
    #[error("the server asked for rest on this command")]
    Overloaded,
    /// Too many requests in flight.
    #[error("too many requests in flight")]
    Full,
    /// The body could not be written, or the answer could not be read.
    #[error("body is not of the expected shape: {}", Shown(.0))]
    Shape(String),
}

impl RequestError {
    /// Whether the request certainly never left: to send it again cannot do anything twice.
    #[must_use]
    pub const fn is_unsent(&self) -> bool {
        matches!(self, Self::Overloaded | Self::Full)
    }

    /// Whether the same request, sent again a little later, may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        use crate::proto::code::Disposition;
        match self {
            Self::TimedOut | Self::NotLoggedIn | Self::Overloaded | Self::Full => true,
            Self::Refused { code, .. } => !matches!(code.disposition(), Disposition::GiveUp),
            Self::Conflict { .. } | Self::Shape(_) | Self::Lost => false,
        }
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Login,
    Resume,
    Logout,
    Heartbeat,
    Hello,
    Sync,
    Groups,
    History,
    Poll,
    User,
}

#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) seq: u32,
    pub(super) servcmd: Box<str>,
    pub(super) purpose: Purpose,
    pub(super) deadline: Duration,
    /// The packet as sent; empty for requests of the session itself.
    pub(super) packet: Box<str>,
    /// The packet went out on a link.
    pub(super) sent: bool,
}

impl InFlight {
    /// Whether it does no harm to make the request again.
    pub(super) fn may_be_made_again(&self) -> bool {
        self.purpose == Purpose::User && (!self.sent || command::may_be_repeated(&self.servcmd))
    }

    /// Whether the session sends the request again on another link. A message that was sent it gives back: the
    /// sender knows how long the service recognises it.
    pub(super) fn may_be_repeated(&self) -> bool {
        self.may_be_made_again() && !(self.sent && command::sends(&self.servcmd))
    }

    /// What to say of the request when its link is lost and it does not go out again.
    pub(super) fn lost(&self) -> RequestError {
        if command::sends(&self.servcmd) {
            RequestError::TimedOut
        } else {
            RequestError::Lost
        }
    }

    pub(super) const fn limit(purpose: Purpose) -> Duration {
        Duration::from_secs(match purpose {
            Purpose::Login | Purpose::Resume => 90,
            Purpose::Heartbeat => 3,
            Purpose::Logout
            | Purpose::Hello
            | Purpose::Sync
            | Purpose::Groups
            | Purpose::History
            | Purpose::Poll
            | Purpose::User => 15,
        })
    }
}

/// The table of requests in flight, in sending order.
#[derive(Debug, Default)]
pub(super) struct Requests {
    table: VecDeque<InFlight>,
}

impl Requests {
    pub(super) fn insert(&mut self, request: InFlight) {
        self.table.push_back(request);
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &InFlight> {
        self.table.iter()
    }

    pub(super) fn contains(&self, purpose: Purpose) -> bool {
        self.table.iter().any(|request| request.purpose == purpose)
    }

    /// Takes the request an answer belongs to; both command and number must match.
    pub(super) fn take(&mut self, servcmd: &str, seq: u64) -> Option<InFlight> {
        let at = self
            .table
            .iter()
            .position(|request| u64::from(request.seq) == seq && *request.servcmd == *servcmd)?;
        self.table.remove(at)
    }

    /// Takes the first request whose deadline has come.
    pub(super) fn take_overdue(&mut self, now: Duration) -> Option<InFlight> {
        let at = self
            .table
            .iter()
            .position(|request| request.deadline <= now)?;
        self.table.remove(at)
    }

    /// Takes the requests of every purpose that `which` names.
    pub(super) fn take_all(&mut self, which: impl Fn(Purpose) -> bool) -> Vec<InFlight> {
        self.take_each(|request| which(request.purpose))
    }

    /// Takes every request that `which` names.
    pub(super) fn take_each(&mut self, which: impl Fn(&InFlight) -> bool) -> Vec<InFlight> {
        let (taken, kept) = std::mem::take(&mut self.table).into_iter().partition(which);
        self.table = kept;
        Vec::from_iter::<VecDeque<InFlight>>(taken)
    }

    /// A new link is open: unanswered requests go out on it, and their deadlines start over.
    pub(super) fn restart(&mut self, now: Duration) {
        for request in &mut self.table {
            request.sent = true;
            request.deadline = now + InFlight::limit(request.purpose);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.table.iter().map(|request| request.deadline).min()
    }

    pub(super) fn shrink(&mut self) {
        if self.table.is_empty() && self.table.capacity() > 0 {
            self.table = VecDeque::new();
        }
    }
}
