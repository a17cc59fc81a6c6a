//! What format 1 kept with each account, and services keep in their own tables since format 2.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{proto::id::UserId, state::State, table::friend::Book};

/// The relations of an account.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct People {
    #[serde(flatten)]
    book: Book,
    blocked: BTreeSet<UserId>,
    following: BTreeMap<UserId, u64>,
    watchers: BTreeSet<UserId>,
    custom_status: String,
}

impl State {
    /// Hands what came with the accounts to the services.
    pub(super) fn adopt_format1(&mut self) {
        for (user, account) in &mut self.world.accounts {
            let Some(people) = account.people.take() else {
                continue;
            };
            self.friends.adopt(user, people.book);
            self.blacklists.adopt(user, people.blocked);
            self.follows.adopt(user, people.following);
            self.user_statuses
                .adopt(user, people.watchers, people.custom_status);
        }
    }
}
