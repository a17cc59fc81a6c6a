//! The accounts that run, by name.

use super::Before;
use super::line::Line;
use crate::account::{AccountHandle, AccountName, Cause, Handover, Phase};
use crate::bot::Ledger;
use crate::config::Config;
use botroupe_core::ledger::AccountNo;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// See the module. It changes when the config is reloaded.
#[derive(Debug)]
pub(super) struct Roster {
    accounts: Mutex<Accounts>,
    /// How many run, for those who wait for a change.
    size: watch::Sender<usize>,
}

#[derive(Debug)]
struct Accounts {
    config: Arc<Config>,
    members: HashMap<AccountName, Member>,
    by_store: HashMap<AccountNo, Arc<Ledger>>,
    /// Accounts that were held or quarantined when they left, or are so from the start.
    away: HashMap<Arc<str>, (Phase, Cause)>,
    /// What another process has left of accounts, until they join.
    handed: HashMap<Arc<str>, Handover>,
    /// The number of the next account.
    next: usize,
}

/// An account that runs.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) handle: AccountHandle,
    pub(super) ledger: Arc<Ledger>,
    pub(super) store: AccountNo,
    pub(super) line: Arc<Line>,
}

impl Roster {
    /// Nobody runs yet.
    pub(super) fn new(config: &Config, before: Before) -> Self {
        let accounts = Accounts {
            config: Arc::new(config.clone()),
            members: HashMap::new(),
            by_store: HashMap::new(),
            away: before.away,
            handed: before.handed,
            next: 0,
        };
        Self {
            accounts: Mutex::new(accounts),
            size: watch::channel(0).0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        // Nothing panics while holding it.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The config that runs.
    pub(super) fn config(&self) -> Arc<Config> {
        self.lock().config.clone()
    }

    pub(super) fn set_config(&self, config: Arc<Config>) {
        self.lock().config = config;
    }

    /// A number for an account, which no other one ever has.
    pub(super) fn draw_number(&self) -> usize {
        let mut accounts = self.lock();
        accounts.next += 1;
        accounts.next - 1
    }

    /// How the account starts, if not by logging in.
    pub(super) fn take_away(&self, account: &str) -> Option<(Phase, Cause)> {
        self.lock().away.remove(account)
    }

    /// What another process has left of the account.
    pub(super) fn take_handed(&self, account: &str) -> Option<Handover> {
        self.lock().handed.remove(account)
    }

    pub(super) fn join(&self, member: Member) {
        let mut accounts = self.lock();
        accounts
            .by_store
            .insert(member.store, member.ledger.clone());
        accounts
            .members
            .insert(member.handle.name().clone(), member);
        self.size.send_replace(accounts.members.len());
    }

    /// Removes an account; `away` is how it stood if somebody had sent it away.
    pub(super) fn leave(&self, account: &str) -> Option<Member> {
        let mut accounts = self.lock();
        let member = accounts.members.remove(account)?;
        accounts.by_store.remove(&member.store);
        self.size.send_replace(accounts.members.len());
        Some(member)
    }

    /// Remembers that these stood so when they left.
    pub(super) fn remember_away(
        &self,
        away: impl IntoIterator<Item = (AccountName, (Phase, Cause))>,
    ) {
        let away = away.into_iter();
        let away = away.map(|(account, how)| (account.as_str().into(), how));
        self.lock().away.extend(away);
    }

    pub(super) fn member(&self, account: &str) -> Option<Member> {
        self.lock().members.get(account).cloned()
    }

    /// The handles of all accounts, in no order.
    pub(super) fn handles(&self) -> Vec<AccountHandle> {
        let accounts = self.lock();
        let members = accounts.members.values();
        members.map(|member| member.handle.clone()).collect()
    }

    /// The ledger of the account with this number in the store, when it runs.
    pub(super) fn ledger(&self, store: AccountNo) -> Option<Arc<Ledger>> {
        self.lock().by_store.get(&store).cloned()
    }

    /// The ledgers of all accounts, in no order.
    pub(super) fn ledgers(&self) -> Vec<Arc<Ledger>> {
        self.lock().by_store.values().cloned().collect()
    }

    /// How many accounts run, whenever that changes.
    pub(super) fn sizes(&self) -> watch::Receiver<usize> {
        self.size.subscribe()
    }

    /// How many accounts run.
    pub(super) fn len(&self) -> usize {
        self.lock().members.len()
    }
}
