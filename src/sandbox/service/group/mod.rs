//! Groups and live rooms.
//!
//! A group holds its members and one sequence of messages and tips; everything a member of a live
//! room hears is an item of the room instead, fetched by long polls. Subjects have a file each:
//! `create` (create, change, dismiss), `join`, `members`, `info` (what groups tell about
//! themselves), `messages`, `changes` (recall, edit), `import` (by the app), `reading`, `history`, `tips` (what the service says
//! itself), `live`, `guests` (without a login), `bans`, `attributes`, `extras` (reactions, extensions), `topics`, `dispatch`.

pub(crate) mod application;
pub(crate) mod attribute;
pub(crate) mod counter;
pub(crate) mod import;
pub(crate) mod lifecycle;
pub(crate) mod live_room;
pub(crate) mod live_room_ban;
pub(crate) mod live_room_guest;
pub(crate) mod live_room_member;
pub(crate) mod marked_message;
pub(crate) mod member;
pub(crate) mod message;
pub(crate) mod message_change;
pub(crate) mod message_history;
pub(crate) mod message_read;
pub(crate) mod pin;
pub(crate) mod profile;
pub(crate) mod receipt;
pub(crate) mod search;
pub(crate) mod snapshot;
pub(crate) mod tip;
pub(crate) mod topic;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    commands::Commands,
    policy::Now,
    proto::{code::Code, id::UserId},
    service::group::{
        application::Application, attribute::Attributes, counter::Counters, live_room::Poll,
        live_room_guest::Guests, message::Entry,
    },
    state::{Caller, ConnId, State, snapshot::shape},
};

/// The account that speaks for the service in groups.
pub(crate) const SYSTEM: &str = "@TIM#SYSTEM";

/// Its number, which clients know.
pub(crate) const SYSTEM_TINY_ID: &str = "144115198244471703";

/// All groups, and what goes across them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Groups {
    all: BTreeMap<String, Group>,
    /// The groups of each account, live rooms as well.
    #[serde(skip)]
    joined: BTreeMap<UserId, BTreeSet<String>>,
    /// Polls of live rooms that wait for something to tell. Bounded by `held_poll_limit`.
    #[serde(skip)]
    polls: Vec<Poll>,
    /// Who looks into live rooms without a login. Bounded by `held_poll_limit`.
    #[serde(skip)]
    guests: Guests,
    /// For group IDs the service makes up.
    #[serde(deserialize_with = "shape::counter")]
    created: u64,
}

/// The types of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Kind {
    Work,
    #[default]
    Public,
    Meeting,
    Live,
    Community,
}

/// What a member may do.
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
    id: String,
    kind: Kind,
    name: String,
    introduction: String,
    notification: String,
    face_url: String,
    apply_option: String,
    invite_option: String,
    shut_up_all: bool,
    support_topic: bool,
    /// The Community it is a topic of.
    community: Option<String>,
    /// Of a topic: the app's own text.
    custom: String,
    app_data: BTreeMap<String, String>,
    owner: Option<UserId>,
    /// Unix seconds.
    created: u64,
    #[serde(deserialize_with = "shape::counter")]
    info_seq: u64,
    info_time: u64,
    max_members: usize,
    members: BTreeMap<UserId, Member>,
    /// How many have ever joined, for the order of members.
    #[serde(deserialize_with = "shape::counter")]
    joins: u64,
    /// Messages and tips, ascending by sequence. Bounded by `group_history_limit`.
    entries: VecDeque<Entry>,
    #[serde(deserialize_with = "shape::counter")]
    next_seq: u64,
    last_time: u64,
    /// Where its newest entry stands in the order of everything.
    last_order: u64,
    last_recall: u64,
    /// The last sends, to recognise repeats. Bounded.
    sent: VecDeque<message::RecentSend>,
    /// When the bucket of messages is empty again (the theoretical arrival time of GCRA).
    #[serde(skip)]
    busy_until: Duration,
    /// Bounded.
    applications: VecDeque<Application>,
    /// Recalls, for those who were away: when in microseconds, and the message. Bounded.
    #[serde(deserialize_with = "shape::readable")]
    recalls: VecDeque<(u64, Value)>,
    /// Numbers of pinned messages and who pinned them. Bounded.
    pins: VecDeque<(u64, UserId)>,
    attributes: Attributes,
    #[serde(flatten)]
    counters: Counters,
    /// Who may not come into a live room, and until when in Unix seconds. Bounded.
    banned: BTreeMap<UserId, u64>,
    /// Items of a live room, for polls. Bounded by `live_backlog`.
    #[serde(deserialize_with = "shape::readable")]
    live: VecDeque<(u64, Value)>,
}

/// What a group keeps about one member.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Member {
    role: Role,
    /// Unix seconds.
    joined: u64,
    order: u64,
    name_card: String,
    fields: BTreeMap<String, String>,
    /// Unix seconds.
    muted_until: u64,
    msg_flag: String,
    read_seq: u64,
    /// The first entry it may read.
    first_seq: u64,
    /// Entries it has deleted for itself. Bounded by the history.
    deleted: BTreeSet<u64>,
    /// The conversation is deleted from its list up to this place in the order of everything.
    hidden_up_to: u64,
    /// The key of its live-room polls.
    poll_key: String,
    /// Of a live room: what the app marked it with. Bounded.
    marks: BTreeSet<u32>,
}

/// A message or tip of a group as a test sees it, see [`State::group_history`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupItem {
    /// Its number in the group.
    pub seq: u64,
    /// Who sent it; `@TIM#SYSTEM` for a tip.
    pub from: String,
    /// The JSON text of `MsgBody`.
    pub body: String,
    /// It was recalled.
    pub recalled: bool,
}

impl Kind {
    /// The type of this name; two have an older name, which is the one on the wire.
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

    /// True if members who came later may read what was said before.
    const fn shows_the_past(self) -> bool {
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
            sent: VecDeque::new(),
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

    /// Members in the order in which they joined.
    pub(crate) fn in_order(&self) -> Vec<(&UserId, &Member)> {
        let mut members: Vec<_> = self.members.iter().collect();
        members.sort_by_key(|(_, member)| member.order);
        members
    }

    pub(crate) fn role(&self, user: &UserId) -> Option<Role> {
        self.members.get(user).map(|member| member.role)
    }

    /// Owner and admins.
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
    /// A member that has just joined, as the last of `group.joins`.
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

/// Has every file of the groups register its commands. Which of the four services is asked says nothing, except
/// to the lists of groups and applications: communities have theirs apart.
pub(crate) fn register(commands: &mut Commands) {
    application::register(commands);
    attribute::register(commands);
    counter::register(commands);
    import::register(commands);
    lifecycle::register(commands);
    live_room::register(commands);
    live_room_ban::register(commands);
    live_room_guest::register(commands);
    live_room_member::register(commands);
    member::register(commands);
    message::register(commands);
    message_change::register(commands);
    message_history::register(commands);
    message_read::register(commands);
    pin::register(commands);
    profile::register(commands);
    receipt::register(commands);
    tip::register(commands);
    topic::register(commands);
}

impl State {
    pub(crate) fn group(&self, id: &str) -> Result<&Group, Code> {
        self.groups.all.get(id).ok_or(Code::GROUP_UNKNOWN)
    }

    pub(crate) fn group_mut(&mut self, id: &str) -> Result<&mut Group, Code> {
        self.groups.all.get_mut(id).ok_or(Code::GROUP_UNKNOWN)
    }

    /// The actor's role in the group; the app counts as its owner. Refuses strangers.
    pub(crate) fn role_in(&self, id: &str, actor: &Caller) -> Result<Role, Code> {
        let group = self.group(id)?;
        if actor.admin {
            return Ok(Role::Owner);
        }
        group.role(&actor.user).ok_or(Code::GROUP_PERMISSION)
    }

    /// Refuses whoever is less than this in the group.
    pub(crate) fn require(&self, id: &str, actor: &Caller, least: Role) -> Result<(), Code> {
        let role = self.role_in(id, actor)?;
        (role >= least).then_some(()).ok_or(Code::GROUP_PERMISSION)
    }

    pub(crate) fn member_mut(&mut self, id: &str, user: &UserId) -> Option<&mut Member> {
        self.groups.all.get_mut(id)?.members.get_mut(user)
    }

    /// The links of all members, without the login `by` of `sender`.
    fn group_links(&self, now: Now, id: &str, sender: Option<(&UserId, u64)>) -> Vec<ConnId> {
        let members = self.groups.all.get(id).map(|group| &group.members);
        let members = members.into_iter().flat_map(BTreeMap::keys);
        members
            .flat_map(|user| {
                let except = sender.filter(|(name, _)| *name == user);
                self.world
                    .push_links(now, user, except.map_or(0, |(_, by)| by))
            })
            .collect()
    }

    /// Pushes an event to every member.
    pub(crate) fn push_to_group(
        &mut self,
        now: Now,
        id: &str,
        sender: Option<(&UserId, u64)>,
        event: &Value,
    ) {
        let conns = self.group_links(now, id, sender);
        self.world.push_to_all(now, conns, event);
    }

    /// Pushes an event to every login of `user` but `except`. If there is none with a link it waits
    /// for the next synchronisation.
    pub(crate) fn notify(&mut self, now: Now, user: &UserId, except: u64, event: Value) {
        let conns = self.world.push_links(now, user, except);
        if !conns.is_empty() || except != 0 {
            self.world.push_to_all(now, conns, &event);
            return;
        }
        let position = self.world.next_message;
        self.world.next_message += 1;
        let limit = self.world.config.inbox_limit.max(1);
        if let Some(account) = self.world.accounts.get_mut(user) {
            account.events.push_back((position, event));
            if account.events.len() > limit {
                account.events.pop_front();
                self.world.counters.group_dropped += 1;
            }
        }
    }

    /// The number up to which `user` has read a group; zero when nothing, or when it is no member.
    pub fn group_read(&self, id: &str, user: &UserId) -> u64 {
        let group = self.groups.all.get(id);
        group
            .and_then(|group| group.members.get(user))
            .map_or(0, |member| member.read_seq)
    }

    /// Groups are there with their members, and nothing was ever said in them: what a server without
    /// memory makes of its configuration when it starts anew.
    pub fn forget_group_messages(&mut self) {
        for group in self.groups.all.values_mut() {
            group.entries.clear();
            group.sent.clear();
            group.recalls.clear();
            group.next_seq = 1;
            for member in group.members.values_mut() {
                (member.read_seq, member.first_seq) = (0, 1);
                member.deleted.clear();
            }
        }
        self.world.note_change();
    }

    /// Makes a public group as the app itself does over REST. False if it is refused.
    pub fn make_group(&mut self, now: Now, id: &str, owner: &UserId, members: &[UserId]) -> bool {
        let members: Vec<Value> = members
            .iter()
            .map(|user| serde_json::json!({"Member_Account": user}))
            .collect();
        let body = serde_json::json!({
            "Type": "Public", "Name": id, "GroupId": id, "Owner_Account": owner,
            "MemberList": members,
        });
        let actor = Caller {
            user: owner.clone(),
            instance: 0,
            admin: true,
        };
        self.create_group(now, &actor, &body).is_ok()
    }

    /// Everything stored in a group, oldest first.
    pub fn group_history(&self, id: &str) -> Vec<GroupItem> {
        let entries = self.groups.all.get(id).map(|group| &group.entries);
        let entries = entries.into_iter().flatten();
        entries.map(Entry::as_item).collect()
    }

    /// True if it is a topic of a Community.
    pub(crate) fn is_topic(&self, id: &str) -> bool {
        let group = self.groups.all.get(id);
        group.is_some_and(|group| group.community.is_some())
    }

    /// True if the caller is a member, or the app.
    pub(crate) fn is_in_group(&self, id: &str, caller: &Caller) -> bool {
        self.role_in(id, caller).is_ok()
    }
}
