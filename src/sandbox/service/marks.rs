//! Reactions and extensions are stored with their message; this module finds the message, in
//! one-to-one conversations and in groups.
//!
//! See "Reactions and extensions" in docs/src/protocol.md.

pub(crate) use crate::table::marks::{Marks, Named, Target};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId, op::MessageName},
    service::c2c_message::stored::Message,
    state::{Caller, State},
};
use serde::Serialize;

impl State {
    /// Finds a message that the caller may see.
    pub(crate) fn find_named(&self, caller: &Caller, name: &MessageName) -> Result<Target, Code> {
        match name {
            MessageName::Group { group, seq } => {
                let (id, seq) = (group.id(), u64::from(*seq));
                self.marks_in_group(caller, id, seq)?;
                Ok(Target::Group(id.to_owned(), seq))
            }
            MessageName::C2c { from, to, key } => {
                self.find_in_c2c(caller, from, to, key).map(Target::C2c)
            }
        }
    }

    /// The marks of a group message that the caller may see.
    pub(crate) fn marks_in_group(
        &self,
        caller: &Caller,
        id: &str,
        seq: u64,
    ) -> Result<&Marks, Code> {
        let entry = self.visible_entry(caller, id, seq)?;
        let said = entry.said().ok_or(Code::GROUP_UNKNOWN_MESSAGE)?;
        Ok(Marks::of(said.marks.as_deref()))
    }

    /// Finds a one-to-one message that the caller may see.
    pub(crate) fn find_in_c2c(
        &self,
        caller: &Caller,
        from: &str,
        to: &str,
        key: &str,
    ) -> Result<u64, Code> {
        let (Ok(from), Ok(to)) = (UserId::parse(from), UserId::parse(to)) else {
            return Err(Code::C2C_BAD_PACKET);
        };
        if !caller.admin && from != caller.user && to != caller.user {
            return Err(Code::C2C_UNKNOWN_MESSAGE);
        }
        let id = self.find_by_key(&from, &to, key);
        let id = id.ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        let message = self.messages.get(&id);
        match message.filter(|message| message.revoker.is_none()) {
            Some(_) => Ok(id),
            None => Err(Code::C2C_UNKNOWN_MESSAGE),
        }
    }

    pub(crate) fn marks_mut(&mut self, target: &Target) -> Option<&mut Marks> {
        match target {
            Target::C2c(id) => {
                let message = self.messages.get_mut(id)?;
                Some(message.marks.get_or_insert_default())
            }
            Target::Group(id, seq) => self.marks_of_entry(id, *seq),
        }
    }

    pub(crate) fn marks(&self, target: &Target) -> Option<&Marks> {
        match target {
            Target::C2c(id) => Some(Marks::of(self.messages.get(id)?.marks.as_deref())),
            Target::Group(id, seq) => {
                let said = self.group_entry(id, *seq)?.said()?;
                Some(Marks::of(said.marks.as_deref()))
            }
        }
    }

    /// The fields that identify a message in pushes.
    pub(crate) fn name_of(&self, target: &Target) -> Named {
        match target {
            Target::C2c(id) => Named {
                c2c: self.messages.get(id).map(Message::name),
                group: None,
            },
            Target::Group(id, seq) => Named {
                c2c: None,
                group: self.entry_name(id, *seq),
            },
        }
    }

    /// Pushes an event to everybody in the message's conversation, except the login `by` of the
    /// caller.
    pub(crate) fn push_about<B: Serialize>(
        &mut self,
        now: Now,
        caller: &Caller,
        target: &Target,
        by: u64,
        event: &B,
    ) {
        let conns = match target {
            Target::C2c(id) => {
                let Some(message) = self.messages.get(id) else {
                    return;
                };
                let (from, to) = (&message.draft.from, &message.draft.to);
                let except = |user: &UserId| if *user == caller.user { by } else { 0 };
                let mut conns = self.world.push_links(now, from, except(from));
                if from != to {
                    conns.extend(self.world.push_links(now, to, except(to)));
                }
                conns
            }
            Target::Group(id, seq) => self.links_of_readers(now, id, *seq, (&caller.user, by)),
        };
        self.world.push_to_all(now, conns, event);
    }
}
