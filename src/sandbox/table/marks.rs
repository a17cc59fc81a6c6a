//! What is kept with a message: reactions and extensions.

use crate::{
    proto::message::MessageRef,
    table::{extension::Extensions, reaction::Reactions},
};
use serde::{Deserialize, Serialize};

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
pub(crate) static NONE: Marks = Marks {
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
