//! Snapshots: everything that outlives a restart as JSON text, and the way back to a state.
//!
//! A field of a struct is stored unless the struct skips it. Logins, links and monotonic times are
//! skipped, because they mean nothing after a restart. Data that [`State::restore`] can derive is
//! skipped too. [`State::snapshot`] names every field of the state, so that the compiler rejects a
//! new field that is not handled.
//!
//! A new field needs a default, at the field or at its struct, because newer programs read older
//! snapshots. A change that breaks older snapshots needs a new [`FORMAT`].

mod format1;

use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroU64},
};

use serde::{Deserialize, Serialize};
use serde_json::ser::PrettyFormatter;
use thiserror::Error;

use crate::{
    policy::Now,
    proto::id::UserId,
    shape,
    state::State,
    table::{
        blacklist::Blacklists,
        c2c_message::{Message, MessageId, RecentSend, conversation_key},
        follow::Follows,
        friend::Friends,
        group::Groups,
        media::Media,
        merger::MergedLists,
        recent::Recent,
        user_status::UserStatuses,
    },
    world::{Account, Accounts, MAX_SKIP},
};

/// The format written, and the newest format read.
const FORMAT: u64 = 2;
/// Sequence positions skipped after a restart: positions issued after the last snapshot may live on
/// in client cookies.
const GAP: u64 = 1 << 24;

/// Why a snapshot is refused.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// A newer program wrote the snapshot.
    #[error(
        "it has format {format}, and this program reads up to {FORMAT}; run the program that wrote it"
    )]
    Newer {
        /// The format of the snapshot.
        format: u64,
    },
    /// The snapshot belongs to another app.
    #[error("it belongs to the app {found}, and this sandbox serves {served}")]
    OtherApp {
        /// The SDKAppID of the snapshot.
        found: u32,
        /// The SDKAppID of the sandbox.
        served: u32,
    },
    /// The snapshot is not JSON, or not of the expected shape.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}

/// Summary of a restored snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Restored {
    pub(crate) accounts: usize,
    pub(crate) messages: usize,
    pub(crate) groups: usize,
    /// Uploaded files that no longer exist.
    pub(crate) lost_files: usize,
}

/// The start of a snapshot, read before the other fields.
#[derive(Deserialize)]
struct Heading {
    format: NonZeroU64,
    app: NonZeroU32,
}

#[derive(Serialize)]
struct Written<'a> {
    format: u64,
    app: u32,
    state: Kept<'a>,
}

#[derive(Deserialize)]
struct Read {
    state: Contents,
}

/// The stored form of a state, for writing.
#[derive(Serialize)]
struct Kept<'a> {
    starts: u64,
    sessions: u64,
    next_instance: u64,
    next_message: u64,
    skipped: u64,
    accounts: &'a Accounts,
    messages: &'a BTreeMap<MessageId, Message>,
    recent_sends: &'a Recent<RecentSend>,
    groups: &'a Groups,
    friends: &'a Friends,
    blacklists: &'a Blacklists,
    follows: &'a Follows,
    user_statuses: &'a UserStatuses,
    merged: &'a MergedLists,
    media: &'a Media,
    attribute_names: &'a BTreeMap<String, String>,
}

/// The stored form of a state, for reading.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Contents {
    #[serde(deserialize_with = "shape::counter")]
    starts: u64,
    #[serde(deserialize_with = "shape::counter")]
    sessions: u64,
    #[serde(deserialize_with = "shape::counter")]
    next_instance: u64,
    #[serde(deserialize_with = "shape::counter")]
    next_message: u64,
    #[serde(deserialize_with = "shape::counter")]
    skipped: u64,
    accounts: BTreeMap<UserId, Account>,
    messages: BTreeMap<MessageId, Message>,
    recent_sends: Recent<RecentSend>,
    groups: Groups,
    friends: Friends,
    blacklists: Blacklists,
    follows: Follows,
    user_statuses: UserStatuses,
    merged: MergedLists,
    media: Media,
    attribute_names: BTreeMap<String, String>,
}

impl State {
    /// Everything that outlives a restart. The snapshot contains no UserSigs, tickets or
    /// SecretKeys.
    ///
    /// # Errors
    /// None known: every part can be written as JSON.
    pub(crate) fn snapshot(&self) -> Result<Vec<u8>, serde_json::Error> {
        // Naming every field forces a decision about new ones.
        let Self {
            world,
            starts,
            messages,
            // Rebuilt from the messages, by time.
            conversations: _,
            latest: _,
            // It judges what happens while the sandbox runs.
            ledger: _,
            recent_sends,
            groups,
            friends,
            blacklists,
            follows,
            user_statuses,
            attribute_names,
            merged,
            media,
        } = self;
        let written = Written {
            format: FORMAT,
            app: world.config.app.get(),
            state: Kept {
                starts: *starts,
                sessions: world.sessions,
                next_instance: world.next_instance,
                next_message: world.next_message,
                skipped: world.skipped,
                accounts: &world.accounts,
                messages,
                recent_sends,
                groups,
                friends,
                blacklists,
                follows,
                user_statuses,
                merged,
                media,
                attribute_names,
            },
        };
        let mut text = Vec::new();
        // One value per line, so that error positions are useful.
        let lines = PrettyFormatter::with_indent(b"");
        written.serialize(&mut serde_json::Serializer::with_formatter(
            &mut text, lines,
        ))?;
        text.push(b'\n');
        Ok(text)
    }

    /// Replaces the state by the contents of a snapshot. `files` holds the existing uploaded files
    /// by token, with their lengths. Accounts of the configuration that are missing are created.
    ///
    /// # Errors
    /// [`SnapshotError`]; the state is then unchanged.
    pub(crate) fn restore(
        &mut self,
        now: Now,
        text: &[u8],
        files: &BTreeMap<String, u64>,
    ) -> Result<Restored, SnapshotError> {
        let Heading { format, app } = serde_json::from_slice(text)?;
        if format.get() > FORMAT {
            let format = format.get();
            return Err(SnapshotError::Newer { format });
        }
        let (found, served) = (app.get(), self.world.config.app.get());
        if found != served {
            return Err(SnapshotError::OtherApp { found, served });
        }
        let Read {
            state: mut contents,
        } = serde_json::from_slice(text)?;
        let people = format1::take_people(&mut contents.accounts)?;
        self.world.forget_logins();
        // With a fixed seed, a restart must not issue the tickets and keys of an earlier start
        // again.
        self.starts = contents.starts + 1;
        self.world.numbers = self.world.numbers.split(self.starts);
        self.world.sessions = contents.sessions;
        self.world.next_instance = self.world.next_instance.max(contents.next_instance);
        self.world.next_message = contents.next_message.max(1);
        // The clock does not go back.
        self.world.skipped = contents.skipped.min(MAX_SKIP);
        self.world.accounts = contents.accounts.into();
        self.messages = contents.messages;
        self.recent_sends = contents.recent_sends;
        self.groups = contents.groups;
        self.friends = contents.friends;
        self.blacklists = contents.blacklists;
        self.follows = contents.follows;
        self.user_statuses = contents.user_statuses;
        self.adopt_format1(people);
        self.merged = contents.merged;
        self.media = contents.media;
        self.attribute_names = contents.attribute_names;
        let lost_files = self.media.settle(now, self.world.numbers.next(), files);
        self.merged.settle();
        self.settle();
        self.world.next_message += GAP;
        self.world.note_change();
        let restored = Restored {
            accounts: self.world.accounts.len(),
            messages: self.messages.len(),
            groups: self.groups.count(),
            lost_files,
        };
        self.import_configured();
        Ok(restored)
    }

    /// Rebuilds derived data and enforces the limits of the current configuration, which may be
    /// lower than before. Drops entries whose number was not yet issued.
    fn settle(&mut self) {
        let next = self.world.next_message;
        self.messages.retain(|id, _| *id < next);
        while self.messages.len() > self.world.config.message_limit.max(1) {
            self.messages.pop_first();
        }
        self.conversations.clear();
        let times = self.messages.values().map(|message| message.time);
        self.latest = times.max().unwrap_or(0);
        let messages = self.messages.iter();
        let mut by_time: Vec<(u64, MessageId)> =
            messages.map(|(id, message)| (message.time, *id)).collect();
        by_time.sort_unstable();
        for (_, id) in by_time {
            if let Some(message) = self.messages.get(&id) {
                let key = conversation_key(&message.draft.from, &message.draft.to);
                self.conversations.entry(key).or_default().push_back(id);
            }
        }
        for conversation in self.conversations.values_mut() {
            while conversation.len() > self.world.config.history_limit.max(1)
                && let Some(oldest) = conversation.pop_front()
            {
                self.messages.remove(&oldest);
            }
        }
        let limit = self.world.config.inbox_limit.max(1);
        for account in self.world.accounts.values_mut() {
            account.inbox.retain(|entry| entry.position < next);
            account.events.retain(|(position, _)| *position < next);
            let surplus = account.inbox.len().saturating_sub(limit);
            account.inbox.drain(..surplus);
            let surplus = account.events.len().saturating_sub(limit);
            account.events.drain(..surplus);
        }
        let accounts = &self.world.accounts;
        self.follows.settle(|user| accounts.contains_key(user));
        self.groups.settle(&self.world.config, next);
    }
}
