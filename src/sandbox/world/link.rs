//! The links of clients: opening, limits, garbage, ends.

use std::time::Duration;

use super::{CHECK_EVERY, World};
use crate::{policy::Now, proto::id::UserId, wire};

/// Frames that are no requests, after which a link is cut.
const GARBAGE_LIMIT: u32 = 100;
/// Names of unknown commands remembered, so that a flood of them costs no memory.
const UNKNOWN_LIMIT: usize = 256;

/// A connection, numbered by whoever owns the sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// The frame kind of a connection, decided by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frames {
    /// `/binfo`: binary both ways.
    Binary,
    /// `/info`: text both ways, never compressed.
    Text,
}

/// Something for the owner of the sockets to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send one frame.
    Send {
        /// Where.
        conn: ConnId,
        /// What is in it.
        bytes: Vec<u8>,
        /// As a text frame; else binary.
        text: bool,
    },
    /// Close with a close frame, after what was sent before.
    Close {
        /// Which.
        conn: ConnId,
        /// The close code.
        code: u16,
    },
    /// Cut at once, without a close frame.
    Drop {
        /// Which.
        conn: ConnId,
    },
}

/// A connection as the state sees it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) frames: Frames,
    /// The account it was last used for.
    pub(crate) user: Option<UserId>,
    /// The ticket of the login that gets its pushes here.
    pub(crate) login: Option<String>,
    /// The URL named another app.
    pub(crate) wrong_app: bool,
    /// The host and port it was opened to.
    pub(crate) host: Option<String>,
    /// How addresses begin there.
    pub(crate) scheme: &'static str,
    pub(crate) last_frame: Duration,
    /// When the bucket of requests is empty again (the theoretical arrival time of GCRA).
    pub(crate) busy_until: Duration,
    pub(crate) denied: u32,
    pub(crate) garbage: u32,
    pub(crate) push_seq: u64,
    /// Nothing may overtake what is delayed to this time.
    pub(crate) last_due: Duration,
}

impl World {
    /// A connection was opened. `query` are the decoded pairs of its URL.
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

    /// Counts a frame that is no request, and cuts a link that sends nothing else. The shell calls
    /// it too, for frames of the wrong kind.
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

    /// A connection is gone. Its login stays, without a link.
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

    /// Notes whose frames these are, so that faults of an account reach all its links.
    pub(crate) fn note_user(&mut self, conn: ConnId, head: &wire::Head) {
        let user = match &head.a2 {
            Some(a2) => self.logins.get(a2).map(|login| login.user.clone()),
            None => UserId::parse(&head.identifier).ok(),
        };
        if let Some(link) = self.links.get_mut(&conn)
            && user.is_some()
            && link.user != user
        {
            link.user = user;
        }
    }

    /// Takes one request out of the link's bucket: false if it is empty. A link that does not stop
    /// sending is cut.
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

    /// Warns about an unknown command, once for each.
    pub(crate) fn note_unknown(&mut self, servcmd: &str) {
        self.counters.unknown_commands += 1;
        if self.unknown_commands.len() < UNKNOWN_LIMIT
            && self.unknown_commands.insert(clipped(servcmd).to_owned())
        {
            tracing::warn!(servcmd = %clipped(servcmd), "a client asked for a command that the sandbox does not know");
        }
    }
}

/// Text from outside, short enough for a log line.
pub(crate) fn clipped(text: &str) -> &str {
    text.char_indices()
        .nth(80)
        .map_or(text, |(at, _)| &text[..at])
}
