//! Groups and live rooms.
//!
//! A group holds its members and one sequence of messages and tips; everything a member of a live
//! room hears is an item of the room instead, fetched by long polls. Subjects have a file each:
//! `create` (create, change, dismiss), `join`, `members`, `info` (what groups tell about
//! themselves), `messages`, `changes` (recall, edit), `import` (by the app), `reading`, `history`, `tips` (what the service says
//! itself), `live`, `guests` (without a login), `bans`, `attributes`, `extras` (reactions, extensions), `topics`, `dispatch`.

pub(crate) use crate::table::group::{
    Group, GroupItem, Kind, Member, Role, SYSTEM, SYSTEM_TINY_ID,
};
use crate::{
    commands::Commands,
    policy::Now,
    proto::{code::Code, id::UserId},
    service::group::message::Entry,
    state::{Caller, ConnId, State},
};
use serde_json::Value;
use std::collections::BTreeMap;

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

pub(crate) mod tip;

pub(crate) mod topic;

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
