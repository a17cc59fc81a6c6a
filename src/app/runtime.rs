//! What the accounts of a running config stand on, and from which more are started.

use super::hosts::Hosts;
use super::roster::{Member, Roster};
use super::sandbox::Remote;
use super::terms::Credentials;
use crate::account::{AccountHandle, CoreConfig, SharedFleet};
use crate::bot::{Ledger, Shelf};
use crate::config::{AccountConfig, Config, Endpoint};
use crate::gateway::{NetConnector, SharedMemory};
use crate::proto::endpoint::{HostWalk, Site};
use crate::proto::id::{SdkAppId, UserId};
use crate::rest::{Rest, origin_of};
use crate::session::InboxLimits;
use crate::store::{Store, StoreError};
use crate::supervisor::{ChildSpec, MakeConnector, SubscriberFactory};
use crate::traces::Traces;
use botroupe_core::ledger::{AccountNo, Recovered};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// See the module.
pub(super) struct Runtime {
    pub(super) roster: Roster,
    pub(super) store: Store,
    pub(super) hosts: Arc<Hosts>,
    pub(super) fleet: SharedFleet,
    /// Changes the embedded server, when there is one.
    pub(super) sandbox: Option<Remote>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) subscriber: SubscriberFactory,
    pub(super) connector: MakeConnector,
    /// Where accounts connect.
    pub(super) walk: HostWalk,
    /// Where the REST API is.
    pub(super) rest_origin: Option<String>,
    /// Where traces of messages go.
    pub(super) traces: Traces,
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

impl Runtime {
    /// Puts accounts of a config on the roster. The supervisor starts what comes back. Accounts without a
    /// credential are left out.
    pub(super) fn join(
        &self,
        config: &Config,
        accounts: &[&AccountConfig],
        found: Vec<Found>,
    ) -> Vec<ChildSpec> {
        let mut credentials = Credentials::new(config);
        let rest = self.rest(config, &credentials).map(Arc::new);
        let mut specs = Vec::with_capacity(accounts.len());
        for (account, (store, mut found)) in accounts.iter().zip(found) {
            let Some(core) = self.core_config(config, account, &mut credentials, rest.is_some())
            else {
                continue;
            };
            let memory = SharedMemory::new(inbox_limits(config, account));
            let handed = self.roster.take_handed(&account.user_id);
            let handed = handed.and_then(|handed| {
                memory.lock().take_over(handed.memory);
                // All links at once would be too much for both sides.
                let after = RESUME_PACE * u32::try_from(specs.len()).unwrap_or(u32::MAX);
                Some(Box::new((handed.ticket?, after)))
            });
            let spilled = std::mem::take(&mut found.spilled);
            memory.lock().recover_spill(spilled);
            let handle = AccountHandle::with_memory(account.user_id.clone(), memory);
            let ledger = Ledger::new(self.shelf.clone(), store, handle.clone(), found);
            let number = self.roster.draw_number();
            self.fleet.insert(account.user_id.as_str());
            self.hosts
                .add(number, account, handle.clone(), ledger.clone());
            if let Some(sandbox) = &self.sandbox {
                sandbox.import(&account.user_id);
            }
            self.roster.join(Member {
                handle: handle.clone(),
                ledger,
                store,
            });
            specs.push(ChildSpec {
                number,
                config: core,
                connector: self.connector(account),
                rest: rest.clone(),
                subscriber: self.subscriber.clone(),
                away: self.roster.take_away(&account.user_id).map(Box::new),
                handle,
                handed,
            });
        }
        specs
    }

    /// What the decisions of an account are made from; `None` when it has no credential.
    pub(super) fn core_config(
        &self,
        config: &Config,
        account: &AccountConfig,
        credentials: &mut Credentials,
        probes: bool,
    ) -> Option<Arc<CoreConfig>> {
        Some(Arc::new(CoreConfig {
            app: config.app.sdk_app_id,
            user: account.user_id.clone(),
            credential: credentials.of(account)?,
            hosts: self.walk.clone(),
            policy: account.policy.clone(),
            probes,
        }))
    }

    /// What an account opens its links with.
    pub(super) fn connector(&self, account: &AccountConfig) -> MakeConnector {
        match account.proxy.clone() {
            None => self.connector.clone(),
            proxy => Arc::new(move || Rc::new(NetConnector::new(proxy.clone()))),
        }
    }

    /// The REST API of the endpoint, when the config names an administrator.
    pub(super) fn rest(&self, config: &Config, credentials: &Credentials) -> Option<Rest> {
        let (admin, key) = (config.app.admin.clone()?, credentials.key.clone()?);
        let origin = self.rest_origin.as_ref()?;
        Some(Rest::new(origin, config.app.sdk_app_id, admin, key))
    }
}

/// How many messages the bots of an account hold.
pub(super) fn inbox_limits(config: &Config, account: &AccountConfig) -> InboxLimits {
    let limits = InboxLimits::new(config.host.queue as usize, account.policy.mark_read);
    limits.spill(config.store.spill)
}

/// The origin of the REST API; `sandbox` is that of the embedded server.
pub(crate) fn rest_origin(config: &Config, sandbox: Option<String>) -> Option<String> {
    match &config.endpoint {
        Endpoint::Sandbox => sandbox,
        Endpoint::Auto => Some(origin_of(Site::of(config.app.sdk_app_id)).to_owned()),
        Endpoint::Site(site) => Some(origin_of(*site).to_owned()),
        // ws:// is http://, wss:// is https://.
        Endpoint::Url(url) => Some(url.replacen("ws", "http", 1)),
    }
}

/// Looks up accounts in the store. Blocks.
pub(super) fn look_up(
    store: &Store,
    app: SdkAppId,
    users: &[UserId],
) -> Result<Vec<Found>, StoreError> {
    let numbers = store.accounts(app, users)?;
    let mut found = store.recover()?;
    let found = numbers.into_iter().map(|number| {
        let recovered = found.remove(&number).unwrap_or_default();
        (number, recovered)
    });
    Ok(found.collect())
}
