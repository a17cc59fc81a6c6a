//! Groups and live rooms.
//!
//! A group holds its members and one sequence of messages and tips. A live room stores its events
//! as items instead, which members fetch by long poll. Each subject has its own file.
//!
//! See "Groups" in docs/src/protocol.md; the rules are in section "Sandbox choices".

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

/// Registers the commands of all group files. The four group services are equivalent, except for
/// the lists of groups and applications, which are separate for Communities.
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

    /// The actor's role in the group; the app counts as its owner. Refuses accounts that are not
    /// members.
    pub(crate) fn role_in(&self, id: &str, actor: &Caller) -> Result<Role, Code> {
        let group = self.group(id)?;
        if actor.admin {
            return Ok(Role::Owner);
        }
        group.role(&actor.user).ok_or(Code::GROUP_PERMISSION)
    }

    /// Refuses an actor whose role in the group is lower than `least`.
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

    /// Pushes an event to every login of `user` except `except`. If no login has a link, the event
    /// waits for the next `getmsg`.
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

    /// The number up to which `user` has read a group; zero if nothing was read or `user` is not a
    /// member.
    pub fn group_read(&self, id: &str, user: &UserId) -> u64 {
        let group = self.groups.all.get(id);
        group
            .and_then(|group| group.members.get(user))
            .map_or(0, |member| member.read_seq)
    }

    /// Deletes all messages but keeps groups and members, like a server without storage that
    /// restarts from its configuration.
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

    /// Creates a Public group as the app does over REST. Returns false if the request is refused.
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

    /// Returns true if the group is a topic of a Community.
    pub(crate) fn is_topic(&self, id: &str) -> bool {
        let group = self.groups.all.get(id);
        group.is_some_and(|group| group.community.is_some())
    }

    /// Returns true if the caller is a member or the app.
    pub(crate) fn is_in_group(&self, id: &str, caller: &Caller) -> bool {
        self.role_in(id, caller).is_ok()
    }
}
