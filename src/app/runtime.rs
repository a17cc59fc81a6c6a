//! What the accounts of a running config stand on, and from which more are started.

use super::hosts::Hosts;
use super::line::{Ground, Line};
use super::roster::{Member, Roster};
use super::terms::Credentials;
use crate::account::{AccountHandle, CoreConfig};
use crate::bot::{Api, Ledger, Shelf};
use crate::config::{AccountConfig, App, Config};
use crate::gateway::{NetConnector, SharedMemory};
use crate::proto::id::{SdkAppId, UserId};
use crate::rest::Rest;
use crate::session::InboxLimits;
use crate::store::{Store, StoreError};
use crate::supervisor::{ChildSpec, MakeConnector, SubscriberFactory};
use botroupe_core::ledger::{AccountNo, Recovered};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// See the module.
pub(super) struct Runtime {
    pub(super) roster: Roster,
    pub(super) store: Store,
    pub(super) hosts: Arc<Hosts>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) subscriber: SubscriberFactory,
    pub(super) connector: MakeConnector,
    /// What all apps have in common.
    pub(super) ground: Ground,
    /// The apps that run.
    pub(super) lines: Mutex<Vec<Arc<Line>>>,
    /// Told of each reload.
    pub(super) reloaded: Mutex<Option<OnReload>>,
}

/// What is told of a reload: the config before and the one that runs now.
pub type OnReload = Box<dyn Fn(&Config, &Config) + Send>;

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

/// The pause between two accounts that go on with a login of another process.
const RESUME_PACE: Duration = Duration::from_micros(500);

/// What the store has of an account: its number there, and what it finds at its start.
pub(super) type Found = (AccountNo, Recovered);

/// What accounts of an app of a config are made with.
pub(super) struct Terms<'a> {
    app: &'a App,
    line: Arc<Line>,
    pub(super) rest: Option<Arc<Rest>>,
    credentials: Credentials,
}

impl Terms<'_> {
    /// What the decisions of an account are made from; `None` when it has no credential.
    pub(super) fn core_config(&mut self, account: &AccountConfig) -> Option<Arc<CoreConfig>> {
        Some(Arc::new(CoreConfig {
            app: self.app.sdk_app_id,
            name: account.name.clone(),
            credential: self.credentials.of(account)?,
            hosts: self.line.walk.clone(),
            policy: account.policy.clone(),
            probes: self.rest.is_some(),
        }))
    }
}

impl Runtime {
    /// What the accounts of the app of this name have in common.
    pub(super) fn line(&self, app: Option<&str>) -> Option<Arc<Line>> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.iter().find(|line| line.name.as_deref() == app);
        line.cloned()
    }

    /// Acts as one account, as its bots do.
    pub(super) fn api(&self, account: &str) -> Option<Api> {
        let member = self.roster.member(account)?;
        let site = &member.line.site;
        let on = self.ground.file_thread.clone();
        let api = Api::new(member.handle).with_files(on, site.uploads, site.files.clone());
        Some(api.on_ledger(member.ledger))
    }

    /// Puts accounts of a config on the roster. The supervisor starts what comes back. Accounts without a
    /// credential are left out.
    pub(super) fn join(
        &self,
        config: &Config,
        accounts: &[&AccountConfig],
        found: Vec<Found>,
    ) -> Vec<ChildSpec> {
        let mut terms: HashMap<Option<&str>, Terms<'_>> = config
            .apps
            .iter()
            .filter_map(|app| Some((app.name.as_deref(), self.terms(app)?)))
            .collect();
        let mut specs = Vec::with_capacity(accounts.len());
        for (account, (store, mut found)) in accounts.iter().zip(found) {
            let Some(terms) = terms.get_mut(&account.name.app()) else {
                continue;
            };
            let Some(core) = terms.core_config(account) else {
                continue;
            };
            let (line, rest) = (&terms.line, &terms.rest);
            let memory = SharedMemory::new(inbox_limits(config, account));
            let handed = self.roster.take_handed(&account.name);
            let handed = handed.and_then(|handed| {
                memory.lock().take_over(handed.memory);
                // All links at once would be too much for both sides.
                let after = RESUME_PACE * u32::try_from(specs.len()).unwrap_or(u32::MAX);
                Some(Box::new((handed.ticket?, after)))
            });
            let spilled = std::mem::take(&mut found.spilled);
            memory.lock().recover_spill(spilled);
            let handle = AccountHandle::with_memory(account.name.clone(), memory);
            let ledger = Ledger::new(self.shelf.clone(), store, handle.clone(), found);
            let number = self.roster.draw_number();
            line.fleet.insert(account.name.user());
            self.hosts
                .add(number, account, handle.clone(), ledger.clone(), line);
            if let Some(sandbox) = &line.sandbox {
                sandbox.import(account.name.user());
            }
            self.roster.join(Member {
                handle: handle.clone(),
                ledger,
                store,
                line: line.clone(),
            });
            specs.push(ChildSpec {
                number,
                config: core,
                connector: self.connector(account),
                paces: line.paces.clone(),
                rest: rest.clone(),
                subscriber: self.subscriber.clone(),
                away: self.roster.take_away(&account.name).map(Box::new),
                handle,
                handed,
            });
        }
        specs
    }

    /// What accounts of an app of a config are made with.
    pub(super) fn terms<'a>(&self, app: &'a App) -> Option<Terms<'a>> {
        let line = self.line(app.name.as_deref())?;
        let credentials = Credentials::new(app);
        Some(Terms {
            app,
            rest: line.rest(app, &credentials).map(Arc::new),
            line,
            credentials,
        })
    }

    /// What an account opens its links with.
    pub(super) fn connector(&self, account: &AccountConfig) -> MakeConnector {
        match account.proxy.clone() {
            None => self.connector.clone(),
            proxy => Arc::new(move || Rc::new(NetConnector::new(proxy.clone()))),
        }
    }
}

/// How many messages the bots of an account hold.
pub(super) fn inbox_limits(config: &Config, account: &AccountConfig) -> InboxLimits {
    let limits = InboxLimits::new(config.host.queue as usize, account.policy.mark_read);
    limits.spill(config.store.spill)
}

/// Looks up accounts in the store, in their order. Blocks.
pub(super) fn look_up(
    store: &Store,
    accounts: &[(SdkAppId, UserId)],
) -> Result<Vec<Found>, StoreError> {
    let mut numbers: HashMap<&(SdkAppId, UserId), AccountNo> = HashMap::new();
    let apps: BTreeSet<SdkAppId> = accounts.iter().map(|(app, _)| *app).collect();
    for app in apps {
        let of_app = accounts.iter().filter(|(of, _)| *of == app);
        let of_app: Vec<&(SdkAppId, UserId)> = of_app.collect();
        let users: Vec<UserId> = of_app.iter().map(|(_, user)| user.clone()).collect();
        numbers.extend(of_app.into_iter().zip(store.accounts(app, &users)?));
    }
    let mut found = store.recover()?;
    let found = accounts.iter().filter_map(|account| {
        let number = *numbers.get(account)?;
        Some((number, found.remove(&number).unwrap_or_default()))
    });
    Ok(found.collect())
}
