//! What an account is made of, and what it tells the world.

use super::cause::Cause;
use super::credential::Credential;
use super::name::AccountName;
use super::outbox::{Attempt, OutboxError};
use super::recovery::Policy;
use crate::ledger::SpillLine;
use crate::proto::endpoint::HostWalk;
use crate::proto::id::SdkAppId;
use crate::proto::message::Message;
use crate::proto::update::Update;
use crate::proto::usersig::UserSig;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// What an account is made of.
#[derive(Clone, Debug)]
pub struct CoreConfig {
    /// The application.
    pub app: SdkAppId,
    /// The account.
    pub name: AccountName,
    /// Where UserSigs come from.
    pub credential: Credential,
    /// Where to connect.
    pub hosts: HostWalk,
    /// How it recovers from faults and kicks.
    pub policy: Arc<Policy>,
    /// Before it comes back after a kick, the REST API is asked whether the other login has gone.
    pub probes: bool,
}

/// What an account tells its subscriber.
#[derive(Clone, Debug)]
pub enum AccountEvent {
    /// SDK_READY: the account may act.
    Ready,
    /// The account may not act any more.
    NotReady(Cause),
    /// A message came. The subscriber reports through the account's handle when it has handled the message;
    /// the message then counts as read and makes room for the next one.
    Message(Arc<Message>),
    /// Something about messages or people changed.
    Update(Box<Update>),
}

/// What the shell is to do.
#[derive(Debug)]
pub enum Effect {
    /// Ask the governor for a turn; [`Core::turn`](super::Core::turn) when it comes.
    ReserveLogin,
    /// Ask how long a message has to wait for its turn in its group, of which the accounts of the process
    /// share the pace; [`Core::group_turn`](super::Core::group_turn) with the same token follows.
    ReserveGroupTurn {
        /// The token of the message.
        token: u64,
        /// The group.
        group: Box<str>,
    },
    /// Open a link.
    Dial {
        /// Where.
        url: String,
        /// How long it may take.
        limit: Duration,
        /// For a full login; `None` when the last one can be resumed.
        user_sig: Option<UserSig>,
    },
    /// Get a UserSig from the account's source; [`Core::user_sig`](super::Core::user_sig) when it is there.
    FetchUserSig,
    /// Replace the login on the open link.
    Relogin(UserSig),
    /// Confirm the login on the open link, as the server wants it.
    ConfirmLogin,
    /// The bots have room again: tell the session.
    Room,
    /// Ask the REST API whether another login of the account is there; [`Core::probed`](super::Core::probed) follows.
    Probe,
    /// The server finds the whole fleet too quick: slow the governor down.
    SlowDown(Duration),
    /// Log out on the open link.
    Logout,
    /// Close the link.
    Close,
    /// Send a message or a request.
    Transmit {
        /// Comes back with the report.
        token: u64,
        /// What to send.
        attempt: Attempt,
    },
    /// Send a request whose outcome does not matter.
    Note {
        /// The command.
        servcmd: Cow<'static, str>,
        /// Its body.
        body: String,
    },
    /// Tell the sender of an item what became of it.
    Reply {
        /// The token given to [`Core::send`](super::Core::send).
        token: u64,
        /// The body of the answer, or why there is none.
        outcome: Result<String, OutboxError>,
    },
    /// Tell the subscriber.
    Deliver(AccountEvent),
    /// Write to the store what the server does not keep and the bots have no room for.
    Spill {
        /// Where it waits.
        line: SpillLine,
        /// The message or update, as JSON.
        body: Box<str>,
    },
    /// Read from the store what comes first in a line after this number, `limit` of it;
    /// [`Core::spill_read`](super::Core::spill_read) follows.
    ReadSpill {
        /// The line.
        line: SpillLine,
        /// The number.
        after: u64,
        /// How much.
        limit: usize,
    },
    /// The store need not keep this any more.
    Unspill {
        /// Its number.
        number: u64,
    },
    /// Tell the subscriber of an update that comes back from the store;
    /// [`Core::update_over`](super::Core::update_over) follows when it is done with it.
    Return {
        /// Its number.
        number: u64,
        /// The update.
        update: Box<Update>,
    },
    /// So many messages and updates are lost since this was last said: the server does not keep them, and there was no
    /// room. Said once a second at most.
    Lost(u64),
    /// The server has confirmed that everything that was finished up to now is read.
    AllRead,
    /// The status changed.
    Changed {
        /// Went online (`true`) or offline (`false`) just now.
        online: Option<bool>,
    },
    /// Logged out and closed; nothing more will come.
    Stopped,
}
