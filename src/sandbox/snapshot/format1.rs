//! Format 1 stored relations with each account; since format 2 services store them in tables.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{proto::id::UserId, state::State, table::friend::Book, world::Account};

/// The relations of an account.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct People {
    #[serde(flatten)]
    book: Book,
    blocked: BTreeSet<UserId>,
    following: BTreeMap<UserId, u64>,
    watchers: BTreeSet<UserId>,
    custom_status: String,
}

/// Takes the relations out of the accounts.
pub(super) fn take_people(
    accounts: &mut BTreeMap<UserId, Account>,
) -> Result<Vec<(UserId, People)>, serde_json::Error> {
    let people = accounts.iter_mut().filter_map(|(user, account)| {
        let text = account.people.take()?;
        Some(serde_json::from_str(text.get()).map(|people| (user.clone(), people)))
    });
    people.collect()
}

impl State {
    /// Moves the relations from the accounts to the services.
    pub(super) fn adopt_format1(&mut self, people: Vec<(UserId, People)>) {
        for (user, people) in people {
            self.friends.adopt(&user, people.book);
            self.blacklists.adopt(&user, people.blocked);
            self.follows.adopt(&user, people.following);
            self.user_statuses
                .adopt(&user, people.watchers, people.custom_status);
        }
    }
}
