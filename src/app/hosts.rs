//! The hosts of the accounts' bots: makes them, keeps them while the actors of their accounts come and go,
//! and stops them.

use super::AppError;
use super::bot_change::{BotChange, BotChangeError, SettingsOf};
use super::line::Line;
use super::maker::{self, Maker};
use super::reload::ReloadError;
use crate::account::{AccountHandle, AccountName, Subscriber};
use crate::bot::{AccountContext, Bot, Bots, Draining, Host, Ledger, Registered, SharedBot};
use crate::config::{AccountConfig, BotSettings, Config};
use crate::supervisor::SubscriberFactory;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module.
pub(super) struct Hosts {
    maker: Maker,
    bots: Bots,
    common: Mutex<Common>,
    places: Mutex<Places>,
    /// Held while bots change.
    changing: tokio::sync::Mutex<()>,
}

/// What accounts have in common, whatever comes and goes.
#[derive(Clone, Default)]
struct Common {
    settings: Arc<BTreeMap<String, BotSettings>>,
    /// Bots that all accounts of an app share: by the name of the app, and by their own.
    shared: HashMap<(Arc<str>, Arc<str>), Arc<SharedBot>>,
}

/// The accounts, by their numbers.
#[derive(Default)]
struct Places {
    all: BTreeMap<usize, Place>,
    numbers: HashMap<AccountName, usize>,
}

/// The bots of an account, and their host. A host outlives its account's actor, and is replaced only when it
/// dies itself.
#[derive(Clone)]
struct Place {
    ledger: Arc<Ledger>,
    account: AccountHandle,
    /// What it has in common with the other accounts of its app.
    line: Arc<Line>,
    bots: Arc<[Arc<str>]>,
    /// Settings that are others on this account.
    settings: Option<Arc<BTreeMap<String, BotSettings>>>,
    /// Counts the changes of its bots.
    changes: u64,
    host: Option<Arc<Host>>,
}

impl Place {
    /// The name of its app; empty in a process with one.
    fn app(&self) -> Arc<str> {
        self.line.name.clone().unwrap_or_default()
    }
}

impl Places {
    fn of(&self, user: &str) -> Option<(usize, &Place)> {
        let number = *self.numbers.get(user)?;
        Some((number, self.all.get(&number)?))
    }
}

/// Bots that were made for a reload, and are not in their places yet.
pub(super) struct Prepared {
    common: Common,
    accounts: Vec<(AccountName, PreparedPlace)>,
}

struct PreparedPlace {
    bots: Arc<[Arc<str>]>,
    settings: Option<Arc<BTreeMap<String, BotSettings>>>,
    made: Vec<Arc<SharedBot>>,
}

impl std::fmt::Debug for Hosts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hosts").finish_non_exhaustive()
    }
}

impl Hosts {
    /// No hosts yet.
    pub(super) fn new(maker: Maker, bots: &Bots, config: &Config) -> Self {
        let common = Common {
            settings: Arc::new(config.bots.clone()),
            shared: HashMap::new(),
        };
        Self {
            maker,
            bots: bots.clone(),
            common: Mutex::new(common),
            places: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// What makes bots.
    pub(super) const fn maker(&self) -> &Maker {
        &self.maker
    }

    /// The bots there are.
    pub(super) const fn bots(&self) -> &Bots {
        &self.bots
    }

    /// Adds an account.
    pub(super) fn add(
        &self,
        number: usize,
        config: &AccountConfig,
        account: AccountHandle,
        ledger: Arc<Ledger>,
        line: &Arc<Line>,
    ) {
        let mut places = lock(&self.places);
        places.numbers.insert(account.name().clone(), number);
        let place = Place {
            ledger,
            account,
            line: line.clone(),
            bots: config.bots.clone(),
            settings: config.settings.clone(),
            changes: 0,
            host: None,
        };
        places.all.insert(number, place);
    }

    /// Forgets an account that has left.
    pub(super) fn remove(&self, account: &str) {
        let mut places = lock(&self.places);
        let number = places.numbers.remove(account);
        let place = number.and_then(|number| places.all.remove(&number));
        drop(places);
        if let Some(place) = place {
            if let Some(host) = &place.host {
                host.left();
            }
            // Should it come back, its bots are made anew.
            place.line.site.pool.release(account);
        }
    }

    /// What gives each account its host.
    pub(super) fn factory(self: &Arc<Self>) -> SubscriberFactory {
        let hosts = self.clone();
        Arc::new(move |number| {
            let host = lock(&hosts.places)
                .all
                .get(&number)
                .map(|it| it.host.clone());
            match host {
                None => {
                    let reason = "there is no such account".to_owned();
                    Box::pin(std::future::ready(Err(reason)))
                }
                Some(Some(host)) if host.is_alive() => Box::pin(std::future::ready(Ok(host as _))),
                Some(_) => {
                    let hosts = hosts.clone();
                    Box::pin(async move { hosts.make(number).await })
                }
            }
        })
    }

    /// Tells every host to start no more handlers.
    pub(super) fn drain(&self, draining: &Draining) {
        let places = lock(&self.places);
        let hosts = places.all.values().filter_map(|place| place.host.clone());
        let hosts: Vec<Arc<Host>> = hosts.collect();
        drop(places);
        drain(draining, hosts);
    }

    /// Tells the hosts of some accounts to start no more handlers.
    pub(super) fn drain_some(&self, draining: &Draining, accounts: &[AccountName]) {
        let places = lock(&self.places);
        let found = accounts.iter().filter_map(|account| places.of(account));
        let hosts = found.filter_map(|(_, place)| place.host.clone()).collect();
        drop(places);
        drain(draining, hosts);
    }

    /// The names of the bots that an account runs.
    pub(super) fn bots_of(&self, user: &str) -> Option<Arc<[Arc<str>]>> {
        Some(lock(&self.places).of(user)?.1.bots.clone())
    }

    /// Writes into a config which bots and settings run at present.
    pub(super) fn overlay(&self, config: &mut Config) {
        let places = lock(&self.places);
        for account in &mut config.accounts {
            if let Some((_, place)) = places.of(&account.name) {
                account.bots = place.bots.clone();
                account.settings.clone_from(&place.settings);
            }
        }
    }

    /// Keeps everybody else from changing bots, as long as it is held.
    pub(super) async fn hold_changes(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// The bots of every account.
    pub(super) fn bots_of_all(&self) -> Vec<(AccountName, Arc<[Arc<str>]>)> {
        let places = lock(&self.places);
        let places = places.all.values();
        places
            .map(|place| (place.account.name().clone(), place.bots.clone()))
            .collect()
    }

    /// The names of the bots that accounts may run.
    pub(super) fn known_bots(&self) -> Vec<String> {
        self.bots.names().map(str::to_owned).collect()
    }

    /// Changes the bots of an account, all or nothing.
    pub(super) async fn change(&self, user: &str, change: BotChange) -> Result<(), BotChangeError> {
        let _alone = self.changing.lock().await;
        let found = lock(&self.places).of(user).map(|(_, place)| place.clone());
        let mut place = found.ok_or_else(|| BotChangeError::NoAccount(user.to_owned()))?;
        let is_trial = matches!(&change, BotChange::Adjust(of) if of.is_trial);
        let configured = self.changed(&mut place, change)?;
        let anew: Vec<&str> = configured.as_deref().into_iter().collect();
        let mut common = lock(&self.common).clone();
        let made = self.make_bots(&mut common, &place, &anew).await;
        let made = made.map_err(|(bot, reason)| BotChangeError::NotMade { bot, reason })?;
        if is_trial {
            return Ok(());
        }
        let prepared = PreparedPlace {
            bots: place.bots,
            settings: place.settings,
            made,
        };
        self.apply(Prepared {
            common,
            accounts: vec![(place.account.name().clone(), prepared)],
        });
        Ok(())
    }

    /// Makes the bots that accounts need for another config; of each account those that are named are made anew.
    ///
    /// # Errors
    /// [`ReloadError::NotMade`].
    pub(super) async fn prepare(
        &self,
        running: &Config,
        new: &Config,
        changing: &[(&AccountConfig, Vec<&str>)],
    ) -> Result<Prepared, ReloadError> {
        let mut common = lock(&self.common).clone();
        common.settings = Arc::new(new.bots.clone());
        common
            .shared
            .retain(|(_, name), _| running.bots.get(&**name) == new.bots.get(&**name));
        let mut accounts = Vec::with_capacity(changing.len());
        for (account, anew) in changing {
            let place = lock(&self.places)
                .of(&account.name)
                .map(|(_, place)| place.clone());
            let Some(mut place) = place else {
                continue;
            };
            place.bots = account.bots.clone();
            place.settings.clone_from(&account.settings);
            let made = self.make_bots(&mut common, &place, anew).await;
            let made = made.map_err(|(bot, reason)| ReloadError::NotMade {
                account: account.name.clone(),
                reason: format!("bot {bot}: {reason}"),
            })?;
            let prepared = PreparedPlace {
                bots: place.bots,
                settings: place.settings,
                made,
            };
            accounts.push((account.name.clone(), prepared));
        }
        Ok(Prepared { common, accounts })
    }

    /// Puts bots in their places. What waits for an old one goes to the new one of its name.
    pub(super) fn apply(&self, prepared: Prepared) {
        *lock(&self.common) = prepared.common;
        let mut places = lock(&self.places);
        for (user, prepared) in prepared.accounts {
            let Some(number) = places.numbers.get(&user).copied() else {
                continue;
            };
            let Some(place) = places.all.get_mut(&number) else {
                continue;
            };
            place.bots = prepared.bots;
            place.settings = prepared.settings;
            place.changes += 1;
            // A host that is being made notices the change.
            if let Some(host) = &place.host {
                host.set_bots(&prepared.made);
            }
        }
    }

    /// The settings that a bot has on an account, and whether they are its own.
    fn settings(&self, place: &Place, bot: &str) -> (BotSettings, bool) {
        let own = place.settings.as_ref().and_then(|own| own.get(bot));
        match own {
            Some(own) => (own.clone(), true),
            None => {
                let common = lock(&self.common).settings.get(bot).cloned();
                (common.unwrap_or_default(), false)
            }
        }
    }

    /// The settings of a bot on an account, and what it takes. The bot is made for that.
    pub(super) async fn settings_of(
        &self,
        user: &str,
        bot: &str,
    ) -> Result<SettingsOf, BotChangeError> {
        let found = lock(&self.places).of(user).map(|(_, place)| place.clone());
        let place = found.ok_or_else(|| BotChangeError::NoAccount(user.to_owned()))?;
        let registered = self.bots.find(bot).cloned();
        let Some(registered) = registered.filter(|_| place.bots.iter().any(|it| **it == *bot))
        else {
            return Err(BotChangeError::NotRunning {
                account: place.account.name().clone(),
                bot: bot.to_owned(),
            });
        };
        let context = AccountContext::new(place.account.user().clone());
        let made = self.maker.run(maker::LIMIT, move || {
            registered.make(&context).setting_fields()
        });
        let fields = made.await.map_err(|error| BotChangeError::NotMade {
            bot: bot.to_owned(),
            reason: error.to_string(),
        })?;
        let (settings, is_own) = self.settings(&place, bot);
        Ok(SettingsOf {
            fields,
            settings,
            is_own,
        })
    }

    /// How many events wait for each bot.
    pub(super) fn waiting(&self) -> HashMap<&'static str, usize> {
        let places = lock(&self.places);
        let hosts = places.all.values().filter_map(|place| place.host.clone());
        let hosts: Vec<Arc<Host>> = hosts.collect();
        drop(places);
        let mut counts = HashMap::new();
        for host in hosts {
            host.count_waiting(&mut counts);
        }
        counts
    }

    /// The bots and settings of an account after a change. Returns the bot that was configured.
    fn changed(
        &self,
        place: &mut Place,
        change: BotChange,
    ) -> Result<Option<String>, BotChangeError> {
        let mut bots: Vec<Arc<str>> = place.bots.to_vec();
        let account = place.account.name().clone();
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
                let common = lock(&self.common).settings.get(&bot).cloned();
                let common = common.unwrap_or_default();
                let mut own = place.settings.as_deref().cloned().unwrap_or_default();
                own.insert(bot.clone(), common.with(table));
                place.settings = Some(Arc::new(own));
                configured = Some(bot);
            }
            BotChange::Adjust(change) => {
                let bot = change.bot.clone();
                if !bots.iter().any(|name| **name == *bot) {
                    return Err(BotChangeError::NotRunning { account, bot });
                }
                let (settings, _) = self.settings(place, &bot);
                let changed = change.over(settings.clone());
                if changed != settings {
                    let mut own = place.settings.as_deref().cloned().unwrap_or_default();
                    own.insert(bot.clone(), changed);
                    place.settings = Some(Arc::new(own));
                    configured = Some(bot);
                }
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

    /// The bots of a place in their order: those that run there, but for those that are to be made anew.
    ///
    /// # Errors
    /// The name of a bot, and why it cannot be made.
    async fn make_bots(
        &self,
        common: &mut Common,
        place: &Place,
        anew: &[&str],
    ) -> Result<Vec<Arc<SharedBot>>, (String, String)> {
        let mut made = Vec::with_capacity(place.bots.len());
        for name in &*place.bots {
            let host = place.host.as_ref().filter(|_| !anew.contains(&&**name));
            let running = host.and_then(|host| host.bot(name));
            let bot = match running {
                Some(bot) => bot,
                None => self
                    .bot(common, name, place)
                    .await
                    .map_err(|reason| (name.to_string(), reason))?,
            };
            made.push(bot);
        }
        Ok(made)
    }

    async fn make(&self, number: usize) -> Result<Arc<dyn Subscriber>, String> {
        loop {
            let place = lock(&self.places).all.get(&number).cloned();
            let place = place.ok_or_else(|| "the account has left".to_owned())?;
            let mut common = lock(&self.common).clone();
            let mut bots = Vec::with_capacity(place.bots.len());
            for name in &*place.bots {
                bots.push(self.bot(&mut common, name, &place).await?);
            }
            // Several accounts may have made a bot at the same time: all use the first.
            for (name, bot) in place.bots.iter().zip(&mut bots) {
                let key = (place.app(), name.clone());
                let mine = common.shared.get(&key);
                let is_shared = mine.is_some_and(|mine| Arc::ptr_eq(mine, bot));
                let mut now = lock(&self.common);
                if is_shared && Arc::ptr_eq(&now.settings, &common.settings) {
                    let first = now.shared.entry(key);
                    *bot = first.or_insert_with(|| bot.clone()).clone();
                }
            }
            let mut places = lock(&self.places);
            let Some(present) = places.all.get_mut(&number) else {
                return Err("the account has left".to_owned());
            };
            if present.changes != place.changes {
                continue; // Its bots were changed meanwhile.
            }
            // Messages that the last host had not finished are delivered to this one again.
            place.account.bots_died();
            let host = Host::new(
                place.line.site.clone(),
                &place.account,
                &place.ledger,
                &bots,
            );
            present.host = Some(host.clone());
            return Ok(host);
        }
    }

    /// The bot of this name for a place: the one that all share, if it can be shared.
    async fn bot(
        &self,
        common: &mut Common,
        name: &Arc<str>,
        place: &Place,
    ) -> Result<Arc<SharedBot>, String> {
        let registered = self.bots.find(name).ok_or("there is no such bot")?;
        let own = place.settings.as_ref().and_then(|own| own.get(&**name));
        if own.is_none()
            && let Some(bot) = common.shared.get(&(place.app(), name.clone()))
        {
            return Ok(bot.clone());
        }
        let context = AccountContext::new(place.account.name().clone());
        let settings = own.or_else(|| common.settings.get(&**name)).cloned();
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
        let bot = made.into_shared(&place.line.site.files, &place.line.site.pool);
        if is_shared {
            let key = (place.app(), name.clone());
            common.shared.insert(key, bot.clone());
        }
        Ok(bot)
    }
}

/// Tells hosts to start no more handlers.
fn drain(draining: &Draining, hosts: Vec<Arc<Host>>) {
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
