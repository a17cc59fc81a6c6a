//! What reactions and extensions need of group messages.

use serde_json::{Value, json};

use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    service::{
        extras::Extras,
        group::{
            Caller, Kind, Role,
            message::{Entry, extend},
        },
    },
    state::State,
};

impl State {
    /// A message the actor may see and that is still there.
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

    pub(crate) fn extras_of_entry(&mut self, id: &str, seq: u64) -> Option<&mut Extras> {
        let entry = self.groups.all.get_mut(id)?.entry_mut(seq)?;
        Some(entry.said_mut()?.extras.get_or_insert_default())
    }

    /// Live rooms keep no extensions.
    pub(crate) fn is_extensible_entry(&self, id: &str, seq: u64) -> bool {
        let Ok(group) = self.group(id) else {
            return false;
        };
        let said = group.entry(seq).and_then(|entry| entry.said());
        group.kind != Kind::Live && said.is_some_and(|said| said.extension)
    }

    /// A message as pushes about it name it.
    pub(crate) fn entry_name(&self, id: &str, seq: u64) -> Option<Value> {
        let group = self.group(id).ok()?;
        let mut name = group.entry(seq)?.identity();
        extend(&mut name, group.named());
        Some(name)
    }

    /// Pushes an event about a message to those who may see it, without the login `by` of `user`. In a
    /// live room it becomes an item.
    pub(crate) fn push_about_entry(
        &mut self,
        now: Now,
        id: &str,
        seq: u64,
        (user, by): (&UserId, u64),
        event: &Value,
    ) {
        let Ok(group) = self.group_mut(id) else {
            return;
        };
        if group.kind == Kind::Live {
            let number = group.next_seq;
            group.next_seq += 1;
            let item = json!({
                "Event": 21, "ToGroupId": id, "MsgSeq": number, "GroupInfo": group.wire_info(),
                "MsgBody": {"MsgReactionNotifyList": event["MsgReactionNotifyList"]},
            });
            return self.add_live_item(now, id, number, item);
        }
        let entry = group.entry(seq);
        let members = group.members.iter();
        let readers: Vec<UserId> = members
            .filter(|(user, member)| entry.is_none_or(|entry| member.may_read(user, entry)))
            .map(|(user, _)| user.clone())
            .collect();
        for reader in readers {
            let except = if reader == *user { by } else { 0 };
            let conns = self.world.push_links(now, &reader, except);
            self.world.push_to_all(now, conns, event);
        }
    }
}
