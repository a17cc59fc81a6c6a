//! Groups and their members.

pub(crate) mod application;
pub(crate) mod attribute;
pub(crate) mod counter;
pub(crate) mod live_room;
pub(crate) mod live_room_guest;
pub(crate) mod message;
pub(crate) mod snapshot;
pub(crate) mod tip;

use crate::{
    policy::Now,
    proto::id::UserId,
    shape,
    table::group::{
        application::Application, attribute::Attributes, counter::Counters, live_room::Poll,
        live_room_guest::Guests, message::Entry,
    },
    table::recent::Recent,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

/// The service's own account in groups.
pub(crate) const SYSTEM: &str = "@TIM#SYSTEM";

/// The TinyId of that account; clients know this number.
pub(crate) const SYSTEM_TINY_ID: &str = "144115198244471703";

/// All groups, and data that spans groups.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Groups {
    pub(crate) all: BTreeMap<String, Group>,
    /// The groups of each account, including live rooms.
    #[serde(skip)]
    pub(crate) joined: BTreeMap<UserId, BTreeSet<String>>,
    /// Held polls of live rooms. Bounded by `held_poll_limit`.
    #[serde(skip)]
    pub(crate) polls: Vec<Poll>,
    /// Guests of live rooms. Bounded by `held_poll_limit`.
    #[serde(skip)]
    pub(crate) guests: Guests,
    /// Counter for generated group IDs.
    #[serde(deserialize_with = "shape::counter")]
    pub(crate) created: u64,
}

/// The group types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Kind {
    Work,
    #[default]
    Public,
    Meeting,
    Live,
    Community,
}

/// The role of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(crate) enum Role {
    #[default]
    Member,
    Admin,
    Owner,
}

/// One group.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) introduction: String,
    pub(crate) notification: String,
    pub(crate) face_url: String,
    pub(crate) apply_option: String,
    pub(crate) invite_option: String,
    pub(crate) shut_up_all: bool,
    pub(crate) support_topic: bool,
    /// The Community of a topic.
    pub(crate) community: Option<String>,
    /// The custom text of a topic.
    pub(crate) custom: String,
    pub(crate) app_data: BTreeMap<String, String>,
    pub(crate) owner: Option<UserId>,
    /// Unix seconds.
    pub(crate) created: u64,
    #[serde(deserialize_with = "shape::counter")]
    pub(crate) info_seq: u64,
    pub(crate) info_time: u64,
    pub(crate) max_members: usize,
    pub(crate) members: BTreeMap<UserId, Member>,
    /// Number of joins so far; orders the members.
    #[serde(deserialize_with = "shape::counter")]
    pub(crate) joins: u64,
    /// Messages and tips in ascending order of number. Bounded by `group_history_limit`.
    pub(crate) entries: VecDeque<Entry>,
    #[serde(deserialize_with = "shape::counter")]
    pub(crate) next_seq: u64,
    pub(crate) last_time: u64,
    /// The sequence position of the newest entry.
    pub(crate) last_order: u64,
    pub(crate) last_recall: u64,
    /// The last sends; a repeat gets the first answer. Bounded.
    pub(crate) sent: Recent<message::RecentSend>,
    /// When the bucket of messages is empty again (the theoretical arrival time of GCRA).
    #[serde(skip)]
    pub(crate) busy_until: Duration,
    /// Pending applications. Bounded.
    pub(crate) applications: VecDeque<Application>,
    /// Recalls for members that were offline: the time in microseconds, and the message. Bounded.
    #[serde(deserialize_with = "shape::readable")]
    pub(crate) recalls: VecDeque<(u64, Value)>,
    /// The numbers of pinned messages and the accounts that pinned them. Bounded.
    pub(crate) pins: VecDeque<(u64, UserId)>,
    pub(crate) attributes: Attributes,
    #[serde(flatten)]
    pub(crate) counters: Counters,
    /// Accounts banned from a live room, with the end of the ban in Unix seconds. Bounded.
    pub(crate) banned: BTreeMap<UserId, u64>,
    /// Items of a live room, for polls. Bounded by `live_backlog`.
    #[serde(deserialize_with = "shape::readable")]
    pub(crate) live: VecDeque<(u64, Value)>,
}

/// The group's data about one member.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Member {
    pub(crate) role: Role,
    /// Unix seconds.
    pub(crate) joined: u64,
    pub(crate) order: u64,
    pub(crate) name_card: String,
    pub(crate) fields: BTreeMap<String, String>,
    /// Unix seconds.
    pub(crate) muted_until: u64,
    pub(crate) msg_flag: String,
    pub(crate) read_seq: u64,
    /// The number of the first entry the member may read.
    pub(crate) first_seq: u64,
    /// Entries that the member deleted for itself. Bounded by the history.
    pub(crate) deleted: BTreeSet<u64>,
    /// The conversation stays hidden from the member's list up to this sequence position.
    pub(crate) hidden_up_to: u64,
    /// The key of the member's live-room polls.
    pub(crate) poll_key: String,
    /// Marks that the app set on a member of a live room. Bounded.
    pub(crate) marks: BTreeSet<u32>,
}

/// A message or tip of a group in the form tests see, see `State::group_history`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupItem {
    /// The message number in the group.
    pub seq: u64,
    /// The sender; `@TIM#SYSTEM` for a tip.
    pub from: String,
    /// The JSON text of `MsgBody`.
    pub body: String,
    /// The message was recalled.
    pub recalled: bool,
}

impl Kind {
    /// The type with this name. Two types have an older name, which is the one on the wire.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "Private" | "Work" => Self::Work,
            "Public" => Self::Public,
            "ChatRoom" | "Meeting" => Self::Meeting,
            "AVChatRoom" => Self::Live,
            "Community" => Self::Community,
            _ => return None,
        })
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Work => "Private",
            Self::Public => "Public",
            Self::Meeting => "ChatRoom",
            Self::Live => "AVChatRoom",
            Self::Community => "Community",
        }
    }

    /// Returns true if new members may read older messages.
    pub(crate) const fn shows_the_past(self) -> bool {
        matches!(self, Self::Meeting | Self::Community)
    }
}

impl Role {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Member => "Member",
            Self::Admin => "Admin",
            Self::Owner => "Owner",
        }
    }

    /// The number in tips.
    pub(crate) const fn number(self) -> u16 {
        match self {
            Self::Member => 200,
            Self::Admin => 300,
            Self::Owner => 400,
        }
    }
}

impl Group {
    /// An empty group.
    pub(crate) fn new(id: String, kind: Kind, now: Now) -> Self {
        let time = now.unix_secs();
        Self {
            id,
            kind,
            name: String::new(),
            introduction: String::new(),
            notification: String::new(),
            face_url: String::new(),
            apply_option: "FreeAccess".to_owned(),
            invite_option: "DisableInvite".to_owned(),
            shut_up_all: false,
            support_topic: false,
            community: None,
            custom: String::new(),
            app_data: BTreeMap::new(),
            owner: None,
            created: time,
            info_seq: 1,
            info_time: time,
            max_members: usize::MAX,
            members: BTreeMap::new(),
            joins: 0,
            entries: VecDeque::new(),
            next_seq: 1,
            last_time: time,
            last_order: 0,
            last_recall: 0,
            sent: Recent::default(),
            busy_until: Duration::ZERO,
            applications: VecDeque::new(),
            recalls: VecDeque::new(),
            pins: VecDeque::new(),
            attributes: Attributes::default(),
            counters: Counters::default(),
            banned: BTreeMap::new(),
            live: VecDeque::new(),
        }
    }

    /// The members in the order in which they joined.
    pub(crate) fn in_order(&self) -> Vec<(&UserId, &Member)> {
        let mut members: Vec<_> = self.members.iter().collect();
        members.sort_by_key(|(_, member)| member.order);
        members
    }

    pub(crate) fn role(&self, user: &UserId) -> Option<Role> {
        self.members.get(user).map(|member| member.role)
    }

    /// The owner and the admins.
    pub(crate) fn managers(&self) -> Vec<UserId> {
        let managers = self.in_order().into_iter();
        managers
            .filter(|(_, member)| member.role >= Role::Admin)
            .map(|(user, _)| user.clone())
            .collect()
    }

    /// The newest sequence number, zero if there is none.
    pub(crate) fn last_seq(&self) -> u64 {
        self.next_seq.saturating_sub(1)
    }

    pub(crate) fn entry(&self, seq: u64) -> Option<&Entry> {
        let at = self.entries.binary_search_by_key(&seq, |e| e.seq).ok()?;
        self.entries.get(at)
    }

    pub(crate) fn entry_mut(&mut self, seq: u64) -> Option<&mut Entry> {
        let at = self.entries.binary_search_by_key(&seq, |e| e.seq).ok()?;
        self.entries.get_mut(at)
    }
}

impl Member {
    /// A member that has just joined; call it after incrementing `group.joins`.
    pub(crate) fn new(now: Now, group: &Group, role: Role) -> Self {
        Self {
            role,
            joined: now.unix_secs(),
            order: group.joins,
            name_card: String::new(),
            fields: BTreeMap::new(),
            muted_until: 0,
            msg_flag: "AcceptAndNotify".to_owned(),
            read_seq: group.last_seq(),
            first_seq: if group.kind.shows_the_past() {
                1
            } else {
                group.next_seq
            },
            deleted: BTreeSet::new(),
            hidden_up_to: 0,
            poll_key: String::new(),
            marks: BTreeSet::new(),
        }
    }
}
