//! Access to group messages for reactions and extensions.
//!
//! See "Reactions and extensions" in docs/src/protocol.md.

use serde::Deserialize;
use serde_json::json;

use crate::{
    policy::Now,
    proto::{code::Code, id::UserId, message::MessageRef, op::reaction::ReactionChange},
    service::{
        group::{
            Caller, Kind, Role,
            message::{Entry, extend},
        },
        marks::Marks,
    },
    state::State,
    world::ConnId,
};

impl State {
    /// A message that exists and that the actor may see.
    pub(crate) fn visible_entry(&self, actor: &Caller, id: &str, seq: u64) -> Result<&Entry, Code> {
        self.require(id, actor, Role::Member)?;
        let group = self.group(id)?;
        let member = group.members.get(&actor.user);
        let may_read = |entry: &&Entry| {
            actor.admin || member.is_some_and(|member| member.may_read(&actor.user, entry))
        };
        let entry = group.entry(seq).filter(|entry| entry.revoker.is_none());
        let entry = entry.filter(may_read);
        entry.ok_or(Code::GROUP_UNKNOWN_MESSAGE)
    }

    pub(crate) fn group_entry(&self, id: &str, seq: u64) -> Option<&Entry> {
        self.group(id).ok()?.entry(seq)
    }

    pub(crate) fn marks_of_entry(&mut self, id: &str, seq: u64) -> Option<&mut Marks> {
        let entry = self.groups.all.get_mut(id)?.entry_mut(seq)?;
        Some(entry.said_mut()?.marks.get_or_insert_default())
    }

    /// Returns true if the message supports extensions; live rooms do not.
    pub(crate) fn is_extensible_entry(&self, id: &str, seq: u64) -> bool {
        let Ok(group) = self.group(id) else {
            return false;
        };
        let said = group.entry(seq).and_then(|entry| entry.said());
        group.kind != Kind::Live && said.is_some_and(|said| said.extension)
    }

    /// The fields that identify a message in pushes.
    pub(crate) fn entry_name(&self, id: &str, seq: u64) -> Option<MessageRef> {
        let group = self.group(id).ok()?;
        let mut name = group.entry(seq)?.identity();
        extend(&mut name, group.named());
        MessageRef::deserialize(name).ok()
    }

    /// The links of the accounts that may see a message, without the login `by` of `user`.
    pub(crate) fn links_of_readers(
        &self,
        now: Now,
        id: &str,
        seq: u64,
        (user, by): (&UserId, u64),
    ) -> Vec<ConnId> {
        let Ok(group) = self.group(id) else {
            return Vec::new();
        };
        let entry = group.entry(seq);
        let readers = group.members.iter();
        let readers =
            readers.filter(|(user, member)| entry.is_none_or(|entry| member.may_read(user, entry)));
        readers
            .flat_map(|(reader, _)| {
                let except = if reader == user { by } else { 0 };
                self.world.push_links(now, reader, except)
            })
            .collect()
    }

    /// Adds changed reactions to the items of a live room.
    pub(crate) fn add_reaction_item(&mut self, now: Now, id: &str, change: &ReactionChange) {
        let Ok(group) = self.group_mut(id) else {
            return;
        };
        let number = group.next_seq;
        group.next_seq += 1;
        let item = json!({
            "Event": 21, "ToGroupId": id, "MsgSeq": number, "GroupInfo": group.wire_info(),
            "MsgBody": {"MsgReactionNotifyList": [change]},
        });
        self.add_live_item(now, id, number, item);
    }

    pub(crate) fn is_live(&self, id: &str) -> bool {
        self.group(id).is_ok_and(|group| group.kind == Kind::Live)
    }
}
