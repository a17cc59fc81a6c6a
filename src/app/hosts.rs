//! The hosts of the accounts' bots: makes them, keeps them while the actors of their accounts come and go,
//! and stops them.

use super::AppError;
use super::maker::{self, Maker};
use crate::account::{AccountHandle, Subscriber};
use crate::bot::{
    AccountContext, Bot, Bots, Draining, Host, Registered, SettingsError, SharedBot, Site,
};
use crate::config::{BotSettings, Config};
use crate::supervisor::SubscriberFactory;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module.
pub(super) struct Hosts {
    site: Arc<Site>,
    maker: Maker,
    bots: Bots,
    settings: BTreeMap<String, BotSettings>,
    /// Bots that all accounts share, by name.
    shared: Mutex<HashMap<Arc<str>, Arc<SharedBot>>>,
    /// The host of each account, in their order. A host outlives its account's actor, and is replaced only when
    /// it dies itself.
    hosts: Mutex<Vec<Option<Host>>>,
}

impl std::fmt::Debug for Hosts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hosts").finish_non_exhaustive()
    }
}

impl Hosts {
    /// No hosts yet, for so many accounts.
    pub(super) fn new(
        site: Arc<Site>,
        maker: Maker,
        bots: &Bots,
        config: &Config,
        accounts: usize,
    ) -> Self {
        Self {
            site,
            maker,
            bots: bots.clone(),
            settings: config.bots.clone(),
            shared: Mutex::default(),
            hosts: Mutex::new(vec![None; accounts]),
        }
    }

    /// What gives the account of this number its host.
    pub(super) fn factory(
        self: &Arc<Self>,
        number: usize,
        bots: Arc<[Arc<str>]>,
        account: AccountHandle,
    ) -> SubscriberFactory {
        let hosts = self.clone();
        Arc::new(move || {
            if let Some(host) = hosts.present(number) {
                return Box::pin(std::future::ready(Ok(host)));
            }
            let (hosts, bots, account) = (hosts.clone(), bots.clone(), account.clone());
            Box::pin(async move { hosts.make(number, &bots, &account).await })
        })
    }

    /// Tells every host to start no more handlers.
    pub(super) fn drain(self: &Arc<Self>, draining: &Draining) {
        let hosts: Vec<Host> = lock(&self.hosts).iter().flatten().cloned().collect();
        let mut longest = None;
        for host in &hosts {
            if let Some(drain) = draining.one() {
                longest = longest.max(host.drain(drain));
            }
        }
        // A host whose account does not run has nobody to tell it the time.
        if let Some(wait) = longest {
            actix_rt::spawn(async move {
                tokio::time::sleep(wait).await;
                for host in hosts {
                    host.look();
                }
            });
        }
    }

    fn present(&self, number: usize) -> Option<Arc<dyn Subscriber>> {
        let host = lock(&self.hosts).get(number)?.clone()?;
        host.is_alive()
            .then(|| Arc::new(host) as Arc<dyn Subscriber>)
    }

    async fn make(
        &self,
        number: usize,
        names: &[Arc<str>],
        account: &AccountHandle,
    ) -> Result<Arc<dyn Subscriber>, String> {
        let mut bots = Vec::with_capacity(names.len());
        for name in names {
            if let Some(registered) = self.bots.find(name) {
                bots.push(self.bot(name, registered, account).await?);
            }
        }
        // Messages that the last host had not finished are delivered to this one again.
        account.bots_died();
        let host = Host::new(self.site.clone(), account, bots);
        if let Some(place) = lock(&self.hosts).get_mut(number) {
            *place = Some(host.clone());
        }
        Ok(Arc::new(host))
    }

    /// The bot of this name for an account: the one that all share, if it can be shared.
    async fn bot(
        &self,
        name: &Arc<str>,
        registered: &Registered,
        account: &AccountHandle,
    ) -> Result<Arc<SharedBot>, String> {
        if let Some(bot) = lock(&self.shared).get(name) {
            return Ok(bot.clone());
        }
        let context = AccountContext::new(account.user().clone());
        let settings = self.settings.get(&**name).cloned();
        let made = {
            let registered = registered.clone();
            let make = move || make_bot(&registered, &context, settings.as_ref());
            self.maker.run(maker::LIMIT, make).await
        };
        let made = match made {
            // The start has checked this; a bot that fails since then is no bot either.
            Ok(made) => made.map_err(|error| error.to_string())?,
            Err(error) => return Err(format!("bot {name} could not be made: {error}")),
        };
        let is_shared = registered.is_shareable(&made);
        let bot = made.into_shared(&self.site.files, &self.site.pool);
        if is_shared {
            // Several accounts may have made it at the same time: all use the first.
            let mut shared = lock(&self.shared);
            return Ok(shared.entry(name.clone()).or_insert(bot).clone());
        }
        Ok(bot)
    }
}

/// Makes a bot, and gives it its settings.
///
/// # Errors
/// [`AppError::Bot`], [`AppError::BotName`] or [`AppError::Settings`].
pub(super) fn make_bot(
    registered: &Registered,
    account: &AccountContext,
    settings: Option<&BotSettings>,
) -> Result<Bot, AppError> {
    // A closure that panicked half-way is called again only after its account was told to resume.
    let made = catch_unwind(AssertUnwindSafe(|| registered.make(account)));
    let mut bot = made.map_err(|panic| AppError::Bot {
        bot: registered.name().to_owned(),
        reason: format!("it panicked: {}", maker::words(&*panic)),
    })?;
    if bot.name() != registered.name() {
        return Err(AppError::BotName {
            registered: registered.name().to_owned(),
            own: bot.name(),
        });
    }
    bot.configure(settings.map(BotSettings::table))?;
    Ok(bot)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while holding it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
