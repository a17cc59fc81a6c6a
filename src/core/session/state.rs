//! Where a session stands, and what is fixed for its life.

use crate::proto::codec::{self, Frames};
use crate::proto::id::{SdkAppId, UserId};
use crate::proto::message::{Conversation, Draft, MessageKey};
use std::sync::Arc;

/// What is fixed for the life of a session.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The application.
    pub app: SdkAppId,
    /// The account.
    pub user: UserId,
    /// The kind of frames of the path the shell connects to.
    pub frames: Frames,
    /// Bound of one decoded packet in bytes.
    pub max_packet: usize,
    /// Requests in flight at most; more fail with [`RequestError::Full`](super::RequestError::Full).
    pub max_requests: usize,
    /// Messages remembered for telling repeats.
    pub seen: usize,
}

impl SessionConfig {
    /// The defaults for `user` of `app`: binary frames, [`codec::MAX_PACKET`], 128 requests in
    /// flight, 1,024 messages remembered.
    #[must_use]
    pub const fn new(app: SdkAppId, user: UserId) -> Self {
        Self {
            app,
            user,
            frames: Frames::Binary,
            max_packet: codec::MAX_PACKET,
            max_requests: 128,
            seen: 1024,
        }
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// No link. There may be a ticket to resume with.
    Disconnected,
    /// A link, and no login on it.
    LoggedOut,
    /// A full login is in flight.
    LoggingIn,
    /// A re-login with the ticket is in flight.
    Resuming,
    /// Logged in, catching up with missed messages.
    Syncing,
    /// Logged in and caught up.
    Online,
    /// A logout is in flight.
    LoggingOut,
}

impl SessionState {
    /// SDK_READY: the account may act.
    #[must_use]
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::Syncing | Self::Online)
    }
}

/// Why [`Session::login`](super::Session::login) did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// Already logged in (what the official SDK reports as `repeatLogin`).
    #[error("already logged in")]
    Repeat,
    /// A login is in flight (2025).
    #[error("a login is already running")]
    InFlight,
    /// There is no link.
    #[error("not connected")]
    NotConnected,
}

/// A message to send.
#[derive(Clone, Debug)]
pub struct OutgoingMessage {
    /// The user or group.
    pub to: Conversation,
    /// The message.
    pub draft: Arc<Draft>,
    /// Drawn once; the same one for every try.
    pub key: MessageKey,
}
