//! What a link and its session tell the account: values without a socket.

use crate::proto::shown::Shown;
use crate::session::{Event, LinkFault, RequestError};
use std::time::Duration;

/// What a connection tells its owner.
#[derive(Debug)]
pub enum Report {
    /// The server told its time, Unix time in whole seconds, in its answer to a dial.
    ServerTime(Duration),
    /// The link is open.
    Opened,
    /// No link could be opened.
    DialFailed(ConnectError),
    /// The link is gone.
    Closed(LinkEnd),
    /// The session has something to say.
    Session(Event),
    /// A message or request of [`Effect::Transmit`](super::Effect::Transmit) is settled.
    Settled {
        /// Its token.
        token: u64,
        /// The body of the answer, or why there is none.
        outcome: Result<String, RequestError>,
    },
}

/// How a link ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkEnd {
    /// The server closed it, with or without a code.
    #[error("closed by the server{}", .0.map(|code| format!(" ({code})")).unwrap_or_default())]
    Remote(Option<u16>),
    /// The stream ended without a close.
    #[error("connection cut")]
    Cut,
    /// The system reported an error.
    #[error("connection failed: {0}")]
    Io(String),
    /// The server broke the WebSocket protocol.
    #[error("WebSocket protocol broken: {0}")]
    Protocol(FrameError),
    /// The server does not read what we send.
    #[error("server does not read")]
    NotReading,
    /// The session found it useless.
    #[error("{0}")]
    Fault(LinkFault),
    /// We closed it.
    #[error("closed on our side")]
    Ours,
}

/// Why no link could be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name cannot be resolved.
    #[error("cannot resolve {host}: {reason}")]
    Dns {
        /// The name.
        host: String,
        /// The system's text.
        reason: String,
    },
    /// Nobody listens there.
    #[error("connection refused by {0}")]
    Refused(String),
    /// No network, no route and the like.
    #[error("cannot reach {host}: {reason}")]
    Unreachable {
        /// The host.
        host: String,
        /// The system's words.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error("TLS with {host} failed: {reason}")]
    Tls {
        /// The host.
        host: String,
        /// Why.
        reason: String,
    },
    /// The server is no WebSocket server of this kind.
    #[error("{host} refused the WebSocket: {}", Shown(.reason))]
    Upgrade {
        /// The host.
        host: String,
        /// Its answer.
        reason: String,
    },
    /// The server has no room now (429, 503).
    #[error("{host} has no room now (status {status}){}", .retry_after.map(|wait| format!("; it asks to be left alone for {wait:?}")).unwrap_or_default())]
    Busy {
        /// The host.
        host: String,
        /// The status of its answer.
        status: u16,
        /// How long it wants to be left alone, an hour at most.
        retry_after: Option<Duration>,
    },
    /// It took too long.
    #[error("no connection to {host} within {limit:?}")]
    TimedOut {
        /// The host.
        host: String,
        /// The limit.
        limit: Duration,
    },
    /// The URL cannot be used.
    #[error("unusable address: {0}")]
    Url(String),
}

impl ConnectError {
    /// A short word for logs and status lines.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Dns { .. } => "dns",
            Self::Refused(_) => "refused",
            Self::Unreachable { .. } => "unreachable",
            Self::Tls { .. } => "tls",
            Self::Upgrade { .. } => "upgrade",
            Self::Busy { .. } => "busy",
            Self::TimedOut { .. } => "timeout",
            Self::Url(_) => "url",
        }
    }
}

/// How the peer broke the WebSocket protocol, or exceeded our limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A server must not mask its frames.
    #[error("masked frame from the server")]
    Masked,
    /// Reserved bits are set and no extension was agreed on.
    #[error("reserved bits set in a frame")]
    Reserved,
    /// An operation code that does not exist.
    #[error("unknown frame operation code {0}")]
    Opcode(u8),
    /// A control frame that is fragmented or longer than 125 bytes.
    #[error("control frame is fragmented or too long")]
    Control,
    /// A continuation without a beginning, or a beginning inside a message.
    #[error("fragments out of order")]
    Fragments,
    /// A message that is too long even to be skipped, in bytes.
    #[error("message is longer than {0} bytes")]
    TooLarge(u64),
    /// A text message that is not UTF-8.
    #[error("text message is not UTF-8")]
    NotUtf8,
}

impl FrameError {
    /// The close code that tells the peer.
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::TooLarge(_) => 1009,
            Self::NotUtf8 => 1007,
            _ => 1002,
        }
    }
}
