//! The links of clients: opening, rate limit, invalid frames, closing.
//!
//! See "Endpoints" in docs/src/protocol.md; the limits are in section "Sandbox choices".

use std::time::Duration;

use super::{CHECK_EVERY, World};
use crate::{
    policy::Now,
    proto::id::UserId,
    wire::{self, ConnId},
};

/// A link is cut after this many invalid frames.
const GARBAGE_LIMIT: u32 = 100;
/// How many names of unknown commands are remembered; bounds the memory a flood can use.
const UNKNOWN_LIMIT: usize = 256;

/// The frame type of a connection, decided by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frames {
    /// `/binfo`: binary frames in both directions.
    Binary,
    /// `/info`: text frames in both directions, never compressed.
    Text,
}

/// An action for the owner of the sockets, to be performed in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send one frame.
    Send {
        /// The connection.
        conn: ConnId,
        /// The payload.
        bytes: Vec<u8>,
        /// Send a text frame; otherwise a binary frame.
        text: bool,
    },
    /// Close with a close frame, after everything sent before it.
    Close {
        /// The connection.
        conn: ConnId,
        /// The close code.
        code: u16,
    },
    /// Cut at once, without a close frame.
    Drop {
        /// The connection.
        conn: ConnId,
    },
}

/// A connection as the state sees it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) frames: Frames,
    /// The account of the last request on the link.
    pub(crate) user: Option<UserId>,
    /// The ticket of the login that receives its pushes on this link.
    pub(crate) login: Option<String>,
    /// The SDKAppID in the URL is not that of the sandbox.
    pub(crate) wrong_app: bool,
    /// Host and port as the client named them.
    pub(crate) host: Option<String>,
    /// URL scheme of the file addresses handed out on this link.
    pub(crate) scheme: &'static str,
    pub(crate) last_frame: Duration,
    /// When the bucket of requests is empty again (the theoretical arrival time of GCRA).
    pub(crate) busy_until: Duration,
    pub(crate) denied: u32,
    pub(crate) garbage: u32,
    pub(crate) push_seq: u64,
    /// Due time of the last delayed frame; later frames are not sent before it.
    pub(crate) last_due: Duration,
}

impl World {
    /// A connection was opened. `query` holds the decoded pairs of its URL.
    pub(crate) fn connect(
        &mut self,
        now: Now,
        conn: ConnId,
        frames: Frames,
        query: &[(String, String)],
    ) {
        let wrong_app = query
            .iter()
            .find(|(name, _)| name == "sdkappid")
            .is_some_and(|(_, value)| value.parse() != Ok(self.config.app.get()));
        self.counters.connects += 1;
        self.links.insert(
            conn,
            Link {
                frames,
                user: None,
                login: None,
                wrong_app,
                host: None,
                scheme: "http",
                last_frame: now.mono,
                busy_until: Duration::ZERO,
                denied: 0,
                garbage: 0,
                push_seq: 0,
                last_due: Duration::ZERO,
            },
        );
        if self.next_check.is_none() {
            self.next_check = Some(now.mono.saturating_add(CHECK_EVERY));
        }
    }

    /// Counts an invalid frame and cuts a link that sends too many. The shell also calls this for
    /// frames of the wrong type.
    pub(crate) fn garbage(&mut self, now: Now, conn: ConnId) {
        self.counters.garbage += 1;
        let Some(link) = self.links.get_mut(&conn) else {
            return;
        };
        link.last_frame = now.mono;
        link.garbage += 1;
        if link.garbage >= GARBAGE_LIMIT {
            self.cut(now, conn);
        }
    }

    /// A WebSocket ping or pong came in: the peer is alive.
    pub(crate) fn alive(&mut self, now: Now, conn: ConnId) {
        if let Some(link) = self.links.get_mut(&conn) {
            link.last_frame = now.mono;
        }
    }

    /// A connection was closed. Its login stays, without a link.
    pub(crate) fn closed(&mut self, now: Now, conn: ConnId) {
        let Some(link) = self.links.remove(&conn) else {
            return;
        };
        self.counters.disconnects += 1;
        self.gone.push(conn);
        if let Some(login) = link.login.and_then(|a2| self.logins.get_mut(&a2)) {
            login.link = None;
            login.lost_at = Some(now.mono);
        }
        if self.links.is_empty() && self.delayed.is_empty() {
            self.next_check = None;
        }
    }

    /// Records the account whose frames arrive on the link, so that its faults apply to all its
    /// links.
    pub(crate) fn note_user(&mut self, conn: ConnId, head: &wire::Head<'_>) {
        let user = match &head.a2 {
            Some(a2) => self.logins.get(&**a2).map(|login| login.user.clone()),
            None => UserId::parse(&head.identifier).ok(),
        };
        if let Some(link) = self.links.get_mut(&conn)
            && user.is_some()
            && link.user != user
        {
            link.user = user;
        }
    }

    /// Takes one request from the link's bucket; returns false if the bucket is empty. Cuts a link
    /// that keeps sending.
    pub(crate) fn take_from_bucket(&mut self, now: Now, conn: ConnId) -> bool {
        let rate = self.config.request_rate.max(1);
        let burst = self.config.request_burst.max(1);
        let Some(link) = self.links.get_mut(&conn) else {
            return false;
        };
        let step = Duration::from_secs(1) / rate;
        let start = link.busy_until.max(now.mono);
        if start.saturating_add(step).saturating_sub(now.mono) > step.saturating_mul(burst) {
            link.denied += 1;
            if link.denied > burst.saturating_mul(2) {
                self.counters.flood_cut += 1;
                self.cut(now, conn);
            }
            return false;
        }
        link.busy_until = start.saturating_add(step);
        link.denied = link.denied.saturating_sub(1);
        true
    }

    /// Logs a warning about an unknown command, once per name.
    pub(crate) fn note_unknown(&mut self, servcmd: &str) {
        self.counters.unknown_commands += 1;
        if self.unknown_commands.len() < UNKNOWN_LIMIT
            && self.unknown_commands.insert(clipped(servcmd).to_owned())
        {
            tracing::warn!(servcmd = %clipped(servcmd), "a client sent a command that the sandbox does not know");
        }
    }
}

/// Shortens text from a client for a log line.
pub(crate) fn clipped(text: &str) -> &str {
    text.char_indices()
        .nth(80)
        .map_or(text, |(at, _)| &text[..at])
}
