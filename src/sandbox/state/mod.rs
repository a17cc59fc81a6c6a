//! Everything the sandbox knows and decides, without sockets, clock or threads.
//!
//! Connections, frames and the time come in as calls; what is to be sent or closed comes out of
//! [`State::poll_output`]. The same calls with the same seed give the same outputs, so a client
//! core and a `State` can be wired together on a virtual clock. Subjects have a file each:
//! `accounts`, `logins`, `messages` (with `items`, their shape on the wire), `sync` (missed
//! messages and history), `relay` (what else belongs to messages), `extras`
//! (reactions and extensions), `contacts` (the list of
//! conversations), `groups` (with files of its own), `people` (profiles, blacklist), `friends`, `follow`,
//! `presence`, `search`, `media`, `lists` (the rest of the login burst), `outgoing`, `faults`, `status`,
//! `snapshot` (what outlives a restart); `dispatch` routes commands.

mod accounts;
mod app;
mod c2c_message;
mod caller;
mod commands;
mod contacts;
mod dispatch;
mod extras;
mod faults;
mod follow;
mod friend_lists;
mod friends;
mod groups;
mod items;
mod lists;
mod logins;
mod media;
mod messages;
mod outgoing;
mod people;
mod presence;
mod random;
mod relay;
mod scripted;
mod search;
mod snapshot;
mod status;
mod sync;

use sha2::{Digest, Sha256};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

pub(crate) use app::ByApp;
pub(crate) use caller::Caller;
pub(crate) use commands::{Commands, Outcome, Refusal, Request, Speaker, commands};
pub use faults::{Fault, FaultError};
pub use groups::GroupItem;
pub use logins::KickType;
pub(crate) use media::{COVER, MEDIA_PATH, MediaFile, MediaRefusal};
pub use messages::HistoryItem;
pub(crate) use messages::{Draft, is_message_body};
pub(crate) use snapshot::Restored;
pub use snapshot::SnapshotError;
pub use status::{Counters, Status};

use self::{
    accounts::Account,
    logins::Login,
    messages::{ConversationKey, Message, MessageId},
    random::Numbers,
};
use super::{
    config::SandboxConfig,
    wire::{self, CompressMode},
};
use crate::{
    policy::Now,
    proto::{checksum, code::Code, id::UserId, surrogate},
};

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
struct Link {
    frames: Frames,
    /// The account it was last used for.
    user: Option<UserId>,
    /// The ticket of the login that gets its pushes here.
    login: Option<String>,
    /// The URL named another app.
    wrong_app: bool,
    /// The host and port it was opened to.
    host: Option<String>,
    /// How addresses begin there.
    scheme: &'static str,
    last_frame: Duration,
    /// When the bucket of requests is empty again (the theoretical arrival time of GCRA).
    busy_until: Duration,
    denied: u32,
    garbage: u32,
    push_seq: u64,
    /// Nothing may overtake what is delayed to this time.
    last_due: Duration,
}

/// The sandbox without its sockets.
#[derive(Debug)]
pub struct State {
    config: SandboxConfig,
    numbers: Numbers,
    /// Starts before this one that left a snapshot.
    starts: u64,
    accounts: BTreeMap<UserId, Account>,
    logins: BTreeMap<String, Login>,
    links: BTreeMap<ConnId, Link>,
    messages: BTreeMap<MessageId, Message>,
    conversations: BTreeMap<ConversationKey, VecDeque<MessageId>>,
    groups: groups::Groups,
    /// Accounts that others want to be told of.
    watched: BTreeSet<UserId>,
    /// What the app calls the attributes of accounts, by number.
    attribute_names: BTreeMap<String, String>,
    merged: relay::MergedLists,
    media: media::Media,
    faults: faults::Faults,
    compress: CompressMode,
    ready: VecDeque<Output>,
    delayed: BTreeMap<(Duration, u64), Output>,
    delayed_count: u64,
    /// The request that is being carried out.
    answering: Option<(ConnId, wire::Seq)>,
    /// What it has caused on its own link, to follow its answer.
    behind: Vec<outgoing::Packet>,
    sessions: u64,
    next_instance: u64,
    next_message: u64,
    next_check: Option<Duration>,
    unknown_commands: BTreeSet<String>,
    counters: Counters,
    /// How often something that is kept may have changed.
    changes: u64,
}

/// Has every service register its commands.
fn register(commands: &mut Commands) {
    c2c_message::register(commands);
    contacts::register(commands);
    extras::register(commands);
    follow::register(commands);
    friend_lists::register(commands);
    friends::register(commands);
    groups::register(commands);
    lists::register(commands);
    logins::register(commands);
    media::register(commands);
    people::register(commands);
    presence::register(commands);
    search::register(commands);
}

/// How often idle links and held pushes are looked at.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// Frames that are no requests, after which a link is cut.
const GARBAGE_LIMIT: u32 = 100;
/// Names of unknown commands remembered, so that a flood of them costs no memory.
const UNKNOWN_LIMIT: usize = 256;

impl State {
    /// A sandbox with the accounts of `config` and nothing else, all of whose numbers follow from `seed`. It
    /// replaces the one of the configuration.
    pub fn new(config: SandboxConfig, seed: u64) -> Self {
        Self::with_key(config, Sha256::digest(seed.to_be_bytes()).into())
    }

    /// The same with a key that nobody can guess, for a sandbox that others can reach.
    pub fn with_key(config: SandboxConfig, key: [u8; 32]) -> Self {
        let mut numbers = Numbers::new(key);
        let media = media::Media::new(numbers.next());
        let mut state = Self {
            numbers,
            starts: 0,
            accounts: BTreeMap::new(),
            logins: BTreeMap::new(),
            links: BTreeMap::new(),
            messages: BTreeMap::new(),
            conversations: BTreeMap::new(),
            groups: groups::Groups::default(),
            watched: BTreeSet::new(),
            attribute_names: BTreeMap::new(),
            merged: relay::MergedLists::default(),
            media,
            faults: BTreeMap::new(),
            compress: CompressMode::None,
            ready: VecDeque::new(),
            delayed: BTreeMap::new(),
            delayed_count: 0,
            answering: None,
            behind: Vec::new(),
            sessions: 0,
            next_instance: 200_000_001,
            next_message: 1,
            next_check: None,
            unknown_commands: BTreeSet::new(),
            counters: Counters::default(),
            changes: 0,
            config,
        };
        state.import_configured();
        state
    }

    /// Creates the accounts of the configuration that are not there.
    fn import_configured(&mut self) {
        let first = self
            .config
            .accounts
            .iter()
            .chain(&self.config.administrators);
        for user in first.cloned().collect::<Vec<_>>() {
            self.import(&user);
        }
    }

    /// The settings it was made with.
    pub fn config(&self) -> &SandboxConfig {
        &self.config
    }

    /// A connection was opened. `query` are the decoded pairs of its URL.
    pub fn connect(&mut self, now: Now, conn: ConnId, frames: Frames, query: &[(String, String)]) {
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

    /// A frame of the right kind came in. Anything may be in it.
    pub fn receive(&mut self, now: Now, conn: ConnId, payload: &[u8]) {
        let Some(link) = self.links.get_mut(&conn) else {
            return;
        };
        link.last_frame = now.mono;
        self.counters.frames += 1;
        let Ok(request) = wire::decode(payload) else {
            self.garbage(now, conn);
            return;
        };
        let (head, body) = (request.head, request.body);
        let wrong_app = link.wrong_app || head.sdkappid != u64::from(self.config.app.get());
        self.note_user(conn, &head);
        let user = self.links.get(&conn).and_then(|link| link.user.clone());
        if user.is_some_and(|user| self.is_silent(now, &user)) {
            self.counters.withheld += 1;
            return;
        }
        let in_time = self.take_from_bucket(now, conn);
        if !self.links.contains_key(&conn) {
            return;
        }
        // An error in answer to a ping sends the official SDK into a reconnect storm.
        if head.servcmd == "heartbeat.alive" {
            self.answer(now, conn, &head, outgoing::ok());
            return;
        }
        let refused = if !in_time {
            self.counters.throttled += 1;
            Some(Code::TOO_FREQUENT)
        } else if wrong_app {
            Some(Code::APP_INVALID)
        } else if !checksum::fits(&head.servcmd, body.get(), head.cs) {
            self.counters.bad_checksums += 1;
            if self.counters.bad_checksums == 1 {
                tracing::warn!(servcmd = %clipped(&head.servcmd), "a request has a wrong checksum");
            }
            self.config.strict_checksum.then_some(Code::BAD_REQUEST)
        } else {
            None
        };
        match refused {
            Some(code) => self.answer(now, conn, &head, outgoing::failure(code)),
            None => {
                self.answering = Some((conn, head.seq.clone()));
                // Not before the checksum, which is taken over what was sent.
                let mended = surrogate::mend(body.get().into());
                match &mended {
                    Cow::Borrowed(_) => self.dispatch(now, conn, &head, body),
                    Cow::Owned(text) => match serde_json::from_str(text) {
                        Ok(body) => self.dispatch(now, conn, &head, body),
                        Err(_) => self.garbage(now, conn),
                    },
                }
                self.end_answering(now);
            }
        }
    }

    /// Counts a frame that is no request, and cuts a link that sends nothing else. The shell calls
    /// it too, for frames of the wrong kind.
    pub fn garbage(&mut self, now: Now, conn: ConnId) {
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
    pub fn alive(&mut self, now: Now, conn: ConnId) {
        if let Some(link) = self.links.get_mut(&conn) {
            link.last_frame = now.mono;
        }
    }

    /// A connection is gone. Its login stays, without a link.
    pub fn closed(&mut self, now: Now, conn: ConnId) {
        let Some(link) = self.links.remove(&conn) else {
            return;
        };
        self.counters.disconnects += 1;
        self.groups.forget_polls_of(conn);
        if let Some(login) = link.login.and_then(|a2| self.logins.get_mut(&a2)) {
            login.link = None;
            login.lost_at = Some(now.mono);
        }
        if self.links.is_empty() && self.delayed.is_empty() {
            self.next_check = None;
        }
    }

    /// Time has passed: gives out what was delayed, cuts idle links.
    pub fn tick(&mut self, now: Now) {
        while let Some(entry) = self.delayed.first_entry() {
            if entry.key().0 > now.mono {
                break;
            }
            self.ready.push_back(entry.remove());
        }
        self.end_polls(now);
        if self.next_check.is_some_and(|due| due <= now.mono) {
            let limit = self.config.idle_timeout;
            let idle: Vec<_> = self
                .links
                .iter()
                .filter(|(_, link)| now.mono.saturating_sub(link.last_frame) > limit)
                .map(|(conn, _)| *conn)
                .collect();
            for conn in idle {
                self.counters.idle_cut += 1;
                self.cut(now, conn);
            }
            self.release_held(now);
            self.note_presences(now);
            self.next_check = (!self.links.is_empty() || !self.delayed.is_empty())
                .then(|| now.mono.saturating_add(CHECK_EVERY));
        }
    }

    /// The monotonic time at which [`State::tick`] wants to be called next.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let delayed = self.delayed.keys().next().map(|(due, _)| *due);
        let dues = [delayed, self.groups.next_poll_end(), self.next_check];
        dues.into_iter().flatten().min()
    }

    /// The next thing to do for the owner of the sockets.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.ready.pop_front()
    }

    /// Notes whose frames these are, so that faults of an account reach all its links.
    fn note_user(&mut self, conn: ConnId, head: &wire::Head) {
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
    fn take_from_bucket(&mut self, now: Now, conn: ConnId) -> bool {
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
    fn note_unknown(&mut self, servcmd: &str) {
        self.counters.unknown_commands += 1;
        if self.unknown_commands.len() < UNKNOWN_LIMIT
            && self.unknown_commands.insert(clipped(servcmd).to_owned())
        {
            tracing::warn!(servcmd = %clipped(servcmd), "a client asked for a command that the sandbox does not know");
        }
    }
}

/// Text from outside, short enough for a log line.
fn clipped(text: &str) -> &str {
    text.char_indices()
        .nth(80)
        .map_or(text, |(at, _)| &text[..at])
}
