//! What others put under a message, and how such a message is found: reactions and extensions are kept with the
//! message, whether it is one of a group or not.

use serde::{Deserialize, Serialize};

use crate::{
    policy::Now,
    proto::{code::Code, id::UserId, message::MessageRef, op::MessageName},
    service::{c2c_message::stored::Message, extension::Extensions, reaction::Reactions},
    state::{Caller, State},
};

/// What others have put under one message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Marks {
    #[serde(flatten)]
    pub(crate) reactions: Reactions,
    #[serde(flatten)]
    pub(crate) extensions: Extensions,
}

/// Of a message under which nobody has put anything.
static NONE: Marks = Marks {
    reactions: Reactions::NONE,
    extensions: Extensions::NONE,
};

impl Marks {
    /// What a message holds of them.
    pub(crate) fn of(held: Option<&Self>) -> &Self {
        held.unwrap_or(&NONE)
    }
}

/// A message that was found.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// One-to-one, by its number.
    C2c(u64),
    /// In a group, by its number there.
    Group(String, u64),
}

/// How pushes name a message: one field for each kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    pub(crate) c2c: Option<MessageRef>,
    pub(crate) group: Option<MessageRef>,
}

impl Named {
    /// The TinyId of who sent the message.
    pub(crate) fn tiny_id(&self) -> String {
        let message = self.c2c.as_ref().or(self.group.as_ref());
        let id = message.and_then(|message| message.tiny_id.clone());
        id.unwrap_or_default()
    }
}

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

    /// What is under a group message that the caller may see.
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

    /// A message as pushes about it name it.
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

    /// Pushes an event to everybody in the conversation of a message, without the login `by` of the caller.
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
