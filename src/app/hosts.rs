//! The hosts of the accounts' bots: makes them, keeps them while the actors of their accounts come and go,
//! and stops them.

use super::AppError;
use super::bot_change::{BotChange, BotChangeError};
use super::maker::{self, Maker};
use crate::account::{AccountHandle, Subscriber};
use crate::bot::{AccountContext, Bot, Bots, Draining, Host, Ledger, Registered, SharedBot, Site};
use crate::config::{AccountConfig, BotSettings, Config};
use crate::proto::id::UserId;
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
    /// In the order of the accounts.
    places: Mutex<Vec<Place>>,
    /// Held while the bots of an account change.
    changing: tokio::sync::Mutex<()>,
}

/// The bots of an account, and their host. A host outlives its account's actor, and is replaced only when it
/// dies itself.
#[derive(Clone)]
struct Place {
    ledger: Arc<Ledger>,
    account: AccountHandle,
    bots: Arc<[Arc<str>]>,
    /// Settings that are others on this account.
    settings: Option<Arc<BTreeMap<String, BotSettings>>>,
    host: Option<Arc<Host>>,
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
            places: Mutex::new(Vec::with_capacity(accounts)),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// Adds the next account.
    pub(super) fn add(&self, config: &AccountConfig, account: AccountHandle, ledger: Arc<Ledger>) {
        lock(&self.places).push(Place {
            ledger,
            account,
            bots: config.bots.clone(),
            settings: config.settings.clone(),
            host: None,
        });
    }

    /// What gives each account its host.
    pub(super) fn factory(self: &Arc<Self>) -> SubscriberFactory {
        let hosts = self.clone();
        Arc::new(move |number| {
            let Some(place) = lock(&hosts.places).get(number).cloned() else {
                let reason = "there is no such account".to_owned();
                return Box::pin(std::future::ready(Err(reason)));
            };
            match place.host {
                Some(host) if host.is_alive() => Box::pin(std::future::ready(Ok(host as _))),
                _ => {
                    let hosts = hosts.clone();
                    Box::pin(async move { hosts.make(number, &place).await })
                }
            }
        })
    }

    /// Tells every host to start no more handlers.
    pub(super) fn drain(self: &Arc<Self>, draining: &Draining) {
        let places = lock(&self.places);
        let hosts: Vec<Arc<Host>> = places
            .iter()
            .filter_map(|place| place.host.clone())
            .collect();
        drop(places);
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

    /// The names of the bots that an account runs.
    pub(super) fn bots_of(&self, user: &str) -> Option<Arc<[Arc<str>]>> {
        let places = lock(&self.places);
        let mut places = places.iter();
        let place = places.find(|place| place.account.user().as_str() == user)?;
        Some(place.bots.clone())
    }

    /// The bots of every account.
    pub(super) fn bots_of_all(&self) -> Vec<(UserId, Arc<[Arc<str>]>)> {
        let places = lock(&self.places);
        let places = places.iter();
        places
            .map(|place| (place.account.user().clone(), place.bots.clone()))
            .collect()
    }

    /// The names of the bots that accounts may run.
    pub(super) fn known_bots(&self) -> Vec<String> {
        self.bots.names().map(str::to_owned).collect()
    }

    /// An account of this name, and its ledger.
    pub(super) fn account(&self, user: &str) -> Option<(AccountHandle, Arc<Ledger>)> {
        let places = lock(&self.places);
        let mut places = places.iter();
        let place = places.find(|place| place.account.user().as_str() == user)?;
        Some((place.account.clone(), place.ledger.clone()))
    }

    /// How many accounts there are.
    pub(super) fn count(&self) -> usize {
        lock(&self.places).len()
    }

    /// All accounts.
    pub(super) fn accounts(&self) -> Vec<AccountHandle> {
        let places = lock(&self.places);
        places.iter().map(|place| place.account.clone()).collect()
    }

    /// Changes the bots of an account, all or nothing.
    pub(super) async fn change(&self, user: &str, change: BotChange) -> Result<(), BotChangeError> {
        let _alone = self.changing.lock().await;
        let found = {
            let places = lock(&self.places);
            let mut places = places.iter().enumerate();
            let place = places.find(|(_, place)| place.account.user().as_str() == user);
            place.map(|(number, place)| (number, place.clone()))
        };
        let (number, before) = found.ok_or_else(|| BotChangeError::NoAccount(user.to_owned()))?;
        let mut place = before.clone();
        let configured = self.changed(&mut place, change)?;
        let mut bots = Vec::with_capacity(place.bots.len());
        for name in &*place.bots {
            let host = place.host.as_ref();
            let running = host.and_then(|host| host.bot(name));
            let same = running.filter(|_| configured.as_deref() != Some(&**name));
            let bot = match same {
                Some(bot) => bot,
                None => self.changed_bot(name, &place).await?,
            };
            bots.push(bot);
        }
        let mut places = lock(&self.places);
        if let Some(now) = places.get_mut(number) {
            now.bots = place.bots;
            now.settings = place.settings;
            // A host that has died since gets them from its place.
            if let Some(host) = &now.host {
                host.set_bots(&bots);
            }
        }
        Ok(())
    }

    /// The bots and settings of an account after a change. Returns the bot that was configured.
    fn changed(
        &self,
        place: &mut Place,
        change: BotChange,
    ) -> Result<Option<String>, BotChangeError> {
        let mut bots: Vec<Arc<str>> = place.bots.to_vec();
        let account = place.account.user().clone();
        let mut configured = None;
        match change {
            BotChange::All(names) => bots = names.into_iter().map(Arc::from).collect(),
            BotChange::Enable(name) if bots.iter().any(|bot| **bot == *name) => {}
            BotChange::Enable(name) => bots.push(name.into()),
            BotChange::Disable(bot) => {
                let before = bots.len();
                bots.retain(|name| **name != *bot);
                if bots.len() == before {
                    return Err(BotChangeError::NotRunning { account, bot });
                }
            }
            BotChange::Configure(bot, table) => {
                if !bots.iter().any(|name| **name == *bot) {
                    return Err(BotChangeError::NotRunning { account, bot });
                }
                let common = self.settings.get(&bot).cloned().unwrap_or_default();
                let mut own = place.settings.as_deref().cloned().unwrap_or_default();
                own.insert(bot.clone(), common.with(table));
                place.settings = Some(Arc::new(own));
                configured = Some(bot);
            }
        }
        for (number, bot) in bots.iter().enumerate() {
            if self.bots.find(bot).is_none() {
                let known: Vec<&str> = self.bots.names().collect();
                let (bot, known) = (bot.to_string(), known.join(", "));
                return Err(BotChangeError::UnknownBot(bot, known));
            }
            if bots.iter().take(number).any(|earlier| earlier == bot) {
                return Err(BotChangeError::Repeated(bot.to_string()));
            }
        }
        place.bots = bots.into();
        Ok(configured)
    }

    async fn changed_bot(
        &self,
        name: &Arc<str>,
        place: &Place,
    ) -> Result<Arc<SharedBot>, BotChangeError> {
        let registered = self
            .bots
            .find(name)
            .ok_or_else(|| BotChangeError::UnknownBot(name.to_string(), String::new()))?;
        let made = self.bot(name, registered, place).await;
        made.map_err(|reason| BotChangeError::NotMade {
            bot: name.to_string(),
            reason,
        })
    }

    async fn make(&self, number: usize, place: &Place) -> Result<Arc<dyn Subscriber>, String> {
        let account = &place.account;
        let mut bots = Vec::with_capacity(place.bots.len());
        for name in &*place.bots {
            if let Some(registered) = self.bots.find(name) {
                bots.push(self.bot(name, registered, place).await?);
            }
        }
        // Messages that the last host had not finished are delivered to this one again.
        account.bots_died();
        let host = Host::new(self.site.clone(), account, &place.ledger, &bots);
        if let Some(place) = lock(&self.places).get_mut(number) {
            place.host = Some(host.clone());
        }
        Ok(host)
    }

    /// The bot of this name for an account: the one that all share, if it can be shared.
    async fn bot(
        &self,
        name: &Arc<str>,
        registered: &Registered,
        place: &Place,
    ) -> Result<Arc<SharedBot>, String> {
        let own = place.settings.as_ref().and_then(|own| own.get(&**name));
        if own.is_none()
            && let Some(bot) = lock(&self.shared).get(name)
        {
            return Ok(bot.clone());
        }
        let context = AccountContext::new(place.account.user().clone());
        let settings = own.or_else(|| self.settings.get(&**name)).cloned();
        let made = {
            let registered = registered.clone();
            let bots = self.bots.clone();
            let make = move || make_bot(&bots, &registered, &context, settings.as_ref());
            self.maker.run(maker::LIMIT, make).await
        };
        let made = match made {
            // The start has checked this; a bot that fails since then is no bot either.
            Ok(made) => made.map_err(|error| error.to_string())?,
            Err(error) => return Err(format!("bot {name} could not be made: {error}")),
        };
        let is_shared = own.is_none() && registered.is_shareable(&made);
        // Checked at the start, for the first account.
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
/// [`AppError::Bot`], [`AppError::BotName`], [`AppError::Settings`] or [`AppError::BotMistakes`].
pub(super) fn make_bot(
    bots: &Bots,
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
    let bot = bots.adopt(bot);
    let checked = bot.check();
    checked.map_err(|mistakes| AppError::BotMistakes {
        bot: registered.name().to_owned(),
        mistakes,
    })?;
    Ok(bot)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while holding it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
