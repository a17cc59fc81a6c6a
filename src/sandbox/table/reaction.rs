//! Reactions to one message.

use crate::proto::{
    id::UserId,
    op::reaction::{OwnReaction, Reaction, ReactionChange, Summary},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most different reactions to one message, and the most users of one reaction.
pub(crate) const MAX_REACTIONS: usize = 30;

pub(crate) const MAX_USERS: usize = 1000;

/// The longest name of a reaction, in bytes.
pub(crate) const MAX_NAME: usize = 128;

/// The reactions to one message and their users, both in the order of arrival.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Reactions {
    pub(crate) reactions: Vec<(String, Vec<UserId>)>,
}

impl Reactions {
    pub(crate) const NONE: Self = Self {
        reactions: Vec::new(),
    };

    pub(crate) fn users(&self, reaction: &str) -> &[UserId] {
        let mut reactions = self.reactions.iter();
        reactions
            .find(|(name, _)| name == reaction)
            .map_or(&[], |(_, users)| users)
    }

    pub(crate) fn summary(&self, reaction: &str, named: usize, me: Option<&UserId>) -> Reaction {
        let users = self.users(reaction);
        Reaction {
            name: reaction.to_owned(),
            count: u32::try_from(users.len()).unwrap_or(u32::MAX),
            users: users.iter().take(named).cloned().collect(),
            by_me: me.map(|me| users.contains(me)),
            ..Reaction::default()
        }
    }

    pub(crate) fn summaries(&self, named: usize, me: &UserId) -> Summary {
        let names = self.reactions.iter().map(|(name, _)| name);
        Summary(
            names
                .map(|name| self.summary(name, named, Some(me)))
                .collect(),
        )
    }

    /// Returns true if all these users may add the reaction without exceeding the limits.
    pub(crate) fn has_room(&self, reaction: &str, users: &[UserId]) -> bool {
        let known = self.users(reaction);
        let fresh: BTreeSet<&UserId> = users.iter().filter(|user| !known.contains(user)).collect();
        let is_known = self.reactions.iter().any(|(name, _)| name == reaction);
        let many = !is_known && self.reactions.len() >= MAX_REACTIONS;
        !many && known.len() + fresh.len() <= MAX_USERS
    }

    /// Adds or removes a reaction. Returns true if this changed anything. Callers check `has_room`
    /// first.
    pub(crate) fn react(&mut self, reaction: &str, user: &UserId, add: bool) -> bool {
        let at = self.reactions.iter().position(|(name, _)| name == reaction);
        let Some(at) = at else {
            if add {
                let first = (reaction.to_owned(), vec![user.clone()]);
                self.reactions.push(first);
            }
            return add;
        };
        let Some((_, users)) = self.reactions.get_mut(at) else {
            return false;
        };
        match (add, users.iter().position(|known| known == user)) {
            (true, None) => {
                users.push(user.clone());
                true
            }
            (false, Some(index)) => {
                users.remove(index);
                if users.is_empty() {
                    self.reactions.remove(at);
                }
                true
            }
            (true, Some(_)) | (false, None) => false,
        }
    }
}

/// `MsgReactionNotifyList`: the reactions to a message have changed.
#[derive(Serialize)]
pub(crate) struct Changed {
    #[serde(rename = "Event")]
    pub(crate) event: u8,
    #[serde(rename = "MsgReactionNotifyList")]
    pub(crate) list: [ReactionChange; 1],
}

/// `MsgReactionNotify`: a reaction that the account added or removed on another of its logins.
#[derive(Serialize)]
pub(crate) struct Own<'a> {
    #[serde(rename = "Event")]
    pub(crate) event: u8,
    #[serde(rename = "MsgReactionNotify")]
    pub(crate) own: &'a OwnReaction,
}
