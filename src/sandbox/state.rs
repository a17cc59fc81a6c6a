//! The sandbox's state and logic, without sockets, clock or threads.
//!
//! Connections, frames and the time are passed in by calls; [`State::poll_output`] returns what to
//! send or close. The same calls with the same seed give the same outputs, so tests can connect a
//! client core to a `State` on a virtual clock. `world::World` holds the data that services share;
//! each service has a file in `service`, which registers its commands, and a table in `table`.
//! `dispatch` finds the command of a request.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::table::{
    blacklist::Blacklists,
    c2c_message::{ConversationKey, Message, MessageId, RecentSend},
    follow::Follows,
    friend::Friends,
    group,
    ledger::Ledger,
    media, merger,
    recent::Recent,
    user_status::UserStatuses,
};
pub use crate::table::{c2c_message::HistoryItem, group::GroupItem, ledger::LedgerEntry};
pub(crate) use crate::table::{
    c2c_message::{Draft, is_message_body},
    media::{COVER, MEDIA_PATH, MediaFile, MediaRefusal},
};
pub(crate) use crate::world::{Caller, World};
pub use crate::world::{ConnId, Counters, Fault, FaultError, Frames, KickType, Output, Status};
use crate::{
    config::SandboxConfig, policy::Now, proto::id::UserId, world::CHECK_EVERY, world::Hashed,
};

/// The sandbox without its sockets.
#[derive(Debug)]
pub struct State {
    /// Data shared by the services.
    pub(crate) world: World,
    /// The number of earlier starts that left a snapshot.
    pub(crate) starts: u64,
    pub(crate) messages: BTreeMap<MessageId, Message>,
    /// No stored message is later, in Unix seconds.
    pub(crate) latest: u64,
    pub(crate) conversations: Hashed<ConversationKey, VecDeque<MessageId>>,
    /// The last one-to-one messages that were sent. Bounded.
    pub(crate) recent_sends: Recent<RecentSend>,
    /// A record of each accepted message, if the configuration asks for them. Bounded.
    pub(crate) ledger: Ledger,
    pub(crate) groups: group::Groups,
    pub(crate) friends: Friends,
    pub(crate) blacklists: Blacklists,
    pub(crate) follows: Follows,
    pub(crate) user_statuses: UserStatuses,
    /// The app's names of account attributes, by number.
    pub(crate) attribute_names: BTreeMap<String, String>,
    pub(crate) merged: merger::MergedLists,
    pub(crate) media: media::Media,
}

impl State {
    /// A sandbox with only the accounts of `config`. All generated numbers derive from `seed`,
    /// which replaces the seed of the configuration.
    pub fn new(config: SandboxConfig, seed: u64) -> Self {
        Self::with_key(config, Sha256::digest(seed.to_be_bytes()).into())
    }

    /// Like [`State::new`], with an unguessable key, for a sandbox that others can reach.
    pub fn with_key(config: SandboxConfig, key: [u8; 32]) -> Self {
        let mut world = World::new(config, key);
        let media = media::Media::new(world.numbers.next());
        let mut state = Self {
            world,
            starts: 0,
            messages: BTreeMap::new(),
            latest: 0,
            conversations: Hashed::default(),
            recent_sends: Recent::default(),
            ledger: Ledger::default(),
            groups: group::Groups::default(),
            friends: Friends::default(),
            blacklists: Blacklists::default(),
            follows: Follows::default(),
            user_statuses: UserStatuses::default(),
            attribute_names: BTreeMap::new(),
            merged: merger::MergedLists::default(),
            media,
        };
        state.import_configured();
        state
    }

    /// Creates the missing accounts of the configuration.
    pub(crate) fn import_configured(&mut self) {
        let first = self
            .world
            .config
            .accounts
            .iter()
            .chain(&self.world.config.administrators);
        for user in first.cloned().collect::<Vec<_>>() {
            self.world.import(&user);
        }
    }

    /// The settings of the sandbox.
    pub fn config(&self) -> &SandboxConfig {
        &self.world.config
    }

    /// Replaces the SecretKey: UserSigs of the old one are refused from now on. Logins stay.
    pub fn set_key(&mut self, key: SecretString) {
        self.world.config.key = key;
    }

    /// A connection was opened. `query` holds the decoded pairs of its URL.
    pub fn connect(&mut self, now: Now, conn: ConnId, frames: Frames, query: &[(String, String)]) {
        self.world.connect(now, conn, frames, query);
    }

    /// Counts an invalid frame and cuts a link that sends too many. The shell also calls this for
    /// frames of the wrong type.
    pub fn garbage(&mut self, now: Now, conn: ConnId) {
        self.world.garbage(now, conn);
        self.forget_gone();
    }

    /// A WebSocket ping or pong came in: the peer is alive.
    pub fn alive(&mut self, now: Now, conn: ConnId) {
        self.world.alive(now, conn);
    }

    /// A connection was closed. Its login stays, without a link.
    pub fn closed(&mut self, now: Now, conn: ConnId) {
        self.world.closed(now, conn);
        self.forget_gone();
    }

    /// Cuts a connection that does not read, as found by the owner of the sockets.
    pub fn too_slow(&mut self, now: Now, conn: ConnId) {
        self.world.too_slow(now, conn);
        self.forget_gone();
    }

    /// Applies a fault.
    ///
    /// # Errors
    /// [`FaultError`] if the account does not exist or a value is out of range.
    pub fn fault(&mut self, now: Now, fault: Fault) -> Result<(), FaultError> {
        let applied = self.world.fault(now, fault);
        self.forget_gone();
        applied
    }

    /// How far [`Fault::SkipClock`] has moved the clock: the owner of the clock adds it to the Unix
    /// time that it passes in.
    pub const fn skipped(&self) -> Duration {
        Duration::from_secs(self.world.skipped)
    }

    /// Drops the data of links that have closed.
    pub(crate) fn forget_gone(&mut self) {
        for conn in self.world.take_gone() {
            self.groups.forget_polls_of(conn);
        }
    }

    /// Advances the time: releases delayed frames, cuts idle links.
    pub fn tick(&mut self, now: Now) {
        while let Some(entry) = self.world.delayed.first_entry() {
            if entry.key().0 > now.mono {
                break;
            }
            self.world.ready.push_back(entry.remove());
        }
        self.end_polls(now);
        if self.world.next_check.is_some_and(|due| due <= now.mono) {
            let limit = self.world.config.idle_timeout;
            let links = self.world.links.iter();
            let idle = links.filter(|(_, link)| now.mono.saturating_sub(link.last_frame) > limit);
            let mut idle: Vec<_> = idle.map(|(conn, _)| *conn).collect();
            idle.sort_unstable();
            for conn in idle {
                self.world.counters.idle_cut += 1;
                self.world.cut(now, conn);
            }
            self.world.release_held(now);
            self.note_presences(now);
            self.world.next_check = (!self.world.links.is_empty()
                || !self.world.delayed.is_empty())
            .then(|| now.mono.saturating_add(CHECK_EVERY));
        }
        self.forget_gone();
    }

    /// The monotonic time at which [`State::tick`] is due next.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let delayed = self.world.delayed.keys().next().map(|(due, _)| *due);
        let dues = [delayed, self.groups.next_poll_end(), self.world.next_check];
        dues.into_iter().flatten().min()
    }

    /// The next action for the owner of the sockets.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.world.ready.pop_front()
    }

    /// Creates an account if it does not exist. Returns false if the account limit is reached.
    pub fn import(&mut self, user: &UserId) -> bool {
        self.world.import(user)
    }

    /// Returns true if the account exists.
    pub fn has_account(&self, user: &UserId) -> bool {
        self.world.has_account(user)
    }

    /// Sets a profile tag of an account, e.g. `Tag_Profile_IM_Nick`.
    pub fn set_profile(&mut self, user: &UserId, tag: &str, value: &Value) {
        self.world.set_profile(user, tag, value);
    }

    /// Deletes an account with its logins. Its messages stay in the other side's history. Returns
    /// false if the account did not exist.
    pub fn delete_account(&mut self, user: &UserId) -> bool {
        if self.world.remove_account(user).is_none() {
            return false;
        }
        self.leave_all_groups(user);
        self.friends.forget(user);
        self.blacklists.forget(user);
        self.follows.forget(user);
        self.user_statuses.forget(user);
        true
    }

    /// Returns true if the account has a login that is linked or lost its link less than
    /// `link_timeout` ago.
    pub fn is_online(&self, now: Now, user: &UserId) -> bool {
        self.world.is_online(now, user)
    }

    /// The InstIds under which an account is online, oldest first.
    pub fn instances(&self, now: Now, user: &UserId) -> Vec<u64> {
        self.world.instances(now, user)
    }

    /// Kicks every login of an account. [`KickType::Rest`] also voids its UserSigs.
    pub fn kick_all(&mut self, now: Now, user: &UserId, kind: KickType) {
        self.world.kick_all(now, user, kind);
    }

    /// The status of the sandbox at `now`.
    pub fn status(&self, now: Now) -> Status {
        self.world.status(now)
    }

    /// Counters since the start.
    pub fn counters(&self) -> &Counters {
        &self.world.counters
    }

    /// The number of open connections.
    pub fn links(&self) -> usize {
        self.world.links.len()
    }

    /// Counts a snapshot that was written or could not be written.
    pub(crate) fn note_stored(&mut self, is_written: bool) {
        self.world.note_stored(is_written);
    }

    /// Records that stored data may have changed.
    pub(crate) fn note_change(&mut self) {
        self.world.note_change();
    }

    /// The number of changes so far. Two snapshots with the same number are equal.
    pub(crate) const fn changes(&self) -> u64 {
        self.world.changes()
    }
}
