//! All accounts: found by hash, listed by UserID.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use serde::{Serialize, Serializer};

use super::Account;
use crate::proto::id::UserId;

/// A map with a hash that is the same in every run. Nothing may depend on its order.
pub(crate) type Hashed<K, V> = HashMap<K, V, FixedState>;

/// The accounts by UserID.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    found: Hashed<UserId, Box<Account>>,
    order: BTreeSet<UserId>,
}

impl Accounts {
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn contains_key(&self, user: &UserId) -> bool {
        self.found.contains_key(user)
    }

    pub(crate) fn get(&self, user: &UserId) -> Option<&Account> {
        self.found.get(user).map(|account| &**account)
    }

    pub(crate) fn get_mut(&mut self, user: &UserId) -> Option<&mut Account> {
        self.found.get_mut(user).map(|account| &mut **account)
    }

    /// The UserID as the accounts have it: what is stored under it shares its text.
    pub(crate) fn shared(&self, user: &UserId) -> Option<UserId> {
        self.found.get_key_value(user).map(|(user, _)| user.clone())
    }

    pub(crate) fn insert(&mut self, user: UserId, account: Account) {
        self.order.insert(user.clone());
        self.found.insert(user, Box::new(account));
    }

    pub(crate) fn remove(&mut self, user: &UserId) -> Option<Account> {
        self.order.remove(user);
        self.found.remove(user).map(|account| *account)
    }

    /// The UserIDs in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &UserId> {
        self.order.iter()
    }

    /// The accounts, ordered by UserID.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&UserId, &Account)> {
        let all = self.order.iter();
        all.filter_map(|user| Some((user, self.get(user)?)))
    }

    /// The accounts in no order.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Account> {
        self.found.values_mut().map(|account| &mut **account)
    }
}

impl From<BTreeMap<UserId, Account>> for Accounts {
    fn from(accounts: BTreeMap<UserId, Account>) -> Self {
        let mut all = Self::default();
        for (user, account) in accounts {
            all.insert(user, account);
        }
        all
    }
}

impl Serialize for Accounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
