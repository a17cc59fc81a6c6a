//! Reactions and extensions of a message.

use crate::{
    proto::message::MessageRef,
    table::{extension::Extensions, reaction::Reactions},
};
use serde::{Deserialize, Serialize};

/// The reactions and extensions of one message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Marks {
    #[serde(flatten)]
    pub(crate) reactions: Reactions,
    #[serde(flatten)]
    pub(crate) extensions: Extensions,
}

/// The marks of a message that has none.
pub(crate) static NONE: Marks = Marks {
    reactions: Reactions::NONE,
    extensions: Extensions::NONE,
};

impl Marks {
    /// The marks in `held`, or empty ones.
    pub(crate) fn of(held: Option<&Self>) -> &Self {
        held.unwrap_or(&NONE)
    }
}

/// The location of a message that was found.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A one-to-one message, by its number.
    C2c(u64),
    /// A group message, by group and number.
    Group(String, u64),
}

/// The fields that identify a message in pushes: one field for each kind of conversation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    pub(crate) c2c: Option<MessageRef>,
    pub(crate) group: Option<MessageRef>,
}

impl Named {
    /// The TinyId of the message's sender.
    pub(crate) fn tiny_id(&self) -> String {
        let message = self.c2c.as_ref().or(self.group.as_ref());
        let id = message.and_then(|message| message.tiny_id.clone());
        id.unwrap_or_default()
    }
}
