//! A running fleet.

use super::admin::{Door, Served};
use super::builder::{FleetAccount, Recipe};
use super::error::FleetError;
use super::observer::{Observer, OnChange};
use crate::account::{AccountName, Command, Status};
use crate::app::{App, BotChange, BotChangeError, Controller, OrderError, Plan, Stopped};
use crate::bot::Api;
use crate::config::Config;
use actix::prelude::*;
use std::fmt;
use tokio::sync::{oneshot, watch};

/// A running fleet. It lives on threads of its own: the handle may be used and kept on any thread and
/// under any async runtime.
///
/// A handle that is dropped stops the fleet in order, but nobody waits for it: prefer
/// [`stop`](Self::stop).
///
/// ```
/// use botroupe::prelude::*;
///
/// fn echo() -> Bot {
///     Bot::new("echo").on_text(|text: Text| async move { text.into_inner() })
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let fleet = Fleet::builder().sandbox().bot(echo).account("echo-bot").start().await?;
///     fleet.ready().await?;
///     let api = fleet.api("echo-bot").ok_or("no such account")?;
///     api.send_text("alice", "good morning").await?;
///     assert!(fleet.stop().await?.logged_out);
///     Ok(())
/// }
/// ```
pub struct FleetHandle {
    /// `None` once it was handed back to be stopped.
    running: Option<(App, oneshot::Sender<App>)>,
    stopped: oneshot::Receiver<Stopped>,
    online: watch::Receiver<usize>,
    admin_url: Option<String>,
    /// What its config is made from when it changes.
    recipe: tokio::sync::Mutex<Recipe>,
}

impl fmt::Debug for FleetHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetHandle")
            .field("accounts", &self.enabled())
            .field("online", &*self.online.borrow())
            .finish_non_exhaustive()
    }
}

/// Starts the fleet of a config on the present actix `System`.
pub(super) async fn launch(
    recipe: &Recipe,
    on_change: Option<OnChange>,
) -> Result<(App, watch::Receiver<usize>, Served), FleetError> {
    let config = recipe.config().await?;
    let (count, online) = watch::channel(0);
    let door = Door::open(&config)?;
    let observer = Observer::new(count, on_change, door.follower()).start();
    let app = App::start(&config, &recipe.bots, Some(observer.recipient())).await?;
    let served = door.serve(&config, &app);
    Ok((app, online, served))
}

/// Starts the fleet, gives it to `started`, and stays until it is to stop.
pub(super) async fn serve(
    recipe: Recipe,
    on_change: Option<OnChange>,
    started: oneshot::Sender<Result<FleetHandle, FleetError>>,
) {
    let (app, online, served) = match launch(&recipe, on_change).await {
        Ok(launched) => launched,
        Err(error) => {
            // Whoever asked may have gone.
            let _ = started.send(Err(error));
            return;
        }
    };
    let (stop, stopping) = oneshot::channel();
    let (stopped_sender, stopped) = oneshot::channel();
    let handle = FleetHandle {
        running: Some((app, stop)),
        stopped,
        online,
        admin_url: served.url(),
        recipe: tokio::sync::Mutex::new(recipe),
    };
    // A handle that nobody wants is dropped, which sends the app to `stopping`.
    drop(started.send(Ok(handle)));
    if let Ok(app) = stopping.await {
        let app: App = app;
        served.end();
        let _ = stopped_sender.send(app.stop().await);
    }
}

impl FleetHandle {
    /// Waits until every enabled account is online. It waits for ever when an account cannot log in, unless that is
    /// [removed](Self::remove); [`status`](Self::status) says why.
    ///
    /// # Errors
    /// [`FleetError::Ended`].
    pub async fn ready(&self) -> Result<(), FleetError> {
        let (app, _) = self.running.as_ref().ok_or(FleetError::Ended)?;
        let (mut online, mut enabled) = (self.online.clone(), app.sizes());
        loop {
            if *online.borrow_and_update() >= *enabled.borrow_and_update() {
                return Ok(());
            }
            let changed = tokio::select! {
                changed = online.changed() => changed,
                changed = enabled.changed() => changed,
            };
            changed.map_err(|_| FleetError::Ended)?;
        }
    }

    /// Where the admin API listens, `http://127.0.0.1:7070`, when the config has `[admin] listen`.
    #[must_use]
    pub fn admin_url(&self) -> Option<&str> {
        self.admin_url.as_deref()
    }

    fn enabled(&self) -> usize {
        self.running.as_ref().map_or(0, |(app, _)| app.accounts())
    }

    /// Adds an account, or the accounts of a pattern, while the fleet runs; those that run are not touched. Returns
    /// what was done, when the accounts set out to log in.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// # fn echo() -> Bot {
    /// #     Bot::new("echo").on_text(|text: Text| async move { text.into_inner() })
    /// # }
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let fleet = Fleet::builder().sandbox().bot(echo).account("desk-1").start().await?;
    /// let plan = fleet.add("desk-{2..4}").await?;
    /// assert_eq!((plan.accounts.len(), plan.unchanged), (3, 1));
    /// fleet.ready().await?;
    /// fleet.remove("desk-1").await?;
    /// assert!(fleet.api("desk-1").is_none() && fleet.api("desk-4").is_some());
    /// # fleet.stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`FleetError::Config`] when it is there already or wrong otherwise, [`FleetError::Reload`] when it cannot be
    /// started; then nothing changes.
    pub async fn add(&self, account: impl Into<FleetAccount>) -> Result<Plan, FleetError> {
        let account = account.into();
        let mut recipe = self.recipe.lock().await;
        let added = recipe.config_with(std::slice::from_ref(&account)).await?;
        let known = recipe.config().await?;
        let mut config = self.config()?;
        let is_new = |name: &AccountName| !known.accounts.iter().any(|it| it.name == *name);
        let new = added.accounts.into_iter().filter(|it| is_new(&it.name));
        config.accounts.extend(new);
        let plan = self.put(config).await?;
        recipe.accounts.push(account);
        Ok(plan)
    }

    /// Takes an account out of the fleet: its handlers finish, and it logs out. What the store has of it stays there.
    ///
    /// # Errors
    /// [`FleetError::NoAccount`], [`FleetError::Ended`].
    pub async fn remove(&self, account: &str) -> Result<Plan, FleetError> {
        let mut recipe = self.recipe.lock().await;
        let mut config = self.config()?;
        let before = config.accounts.len();
        config.accounts.retain(|it| it.name != *account);
        if config.accounts.len() == before {
            return Err(FleetError::NoAccount(account.to_owned()));
        }
        let plan = self.put(config).await?;
        recipe.accounts.retain(|known| known.name() != account);
        Ok(plan)
    }

    /// Has an account run as this describes it, in place of what it ran as before. It stays online.
    ///
    /// # Errors
    /// As [`add`](Self::add), and [`FleetError::NoAccount`].
    pub async fn replace(&self, account: impl Into<FleetAccount>) -> Result<Plan, FleetError> {
        let account = account.into();
        let mut recipe = self.recipe.lock().await;
        let mut config = self.config()?;
        let mut alone = Vec::new();
        std::mem::swap(&mut alone, &mut recipe.accounts);
        let described = recipe.config_with(std::slice::from_ref(&account)).await;
        recipe.accounts = alone;
        let described = described?.accounts.into_iter();
        let Some(new) = described.last() else {
            return Err(FleetError::NoAccount(account.name()));
        };
        let mut accounts = config.accounts.iter_mut();
        let Some(known) = accounts.find(|it| it.name == new.name) else {
            return Err(FleetError::NoAccount(account.name()));
        };
        *known = new;
        let plan = self.put(config).await?;
        recipe.accounts.retain(|it| it.name() != account.name());
        recipe.accounts.push(account);
        Ok(plan)
    }

    /// What [`reload`](Self::reload) would do.
    ///
    /// # Errors
    /// [`FleetError`] when the config cannot be read or is wrong.
    pub async fn plan(&self) -> Result<Plan, FleetError> {
        let config = self.recipe.lock().await.config().await?;
        Ok(self.controller()?.plan(config).await?)
    }

    /// Reads the config file anew and puts it in the place of the running config, as a whole or not at all. Accounts
    /// that do not change stay connected, and their bots keep their state. Accounts that were [added](Self::add) stay;
    /// one of the file that was [removed](Self::remove) comes back.
    ///
    /// # Errors
    /// [`FleetError`] when the config cannot be read, is wrong, or needs a restart of the process; then nothing changes.
    pub async fn reload(&self) -> Result<Plan, FleetError> {
        let config = self.recipe.lock().await.config().await?;
        self.put(config).await
    }

    fn controller(&self) -> Result<Controller, FleetError> {
        let (app, _) = self.running.as_ref().ok_or(FleetError::Ended)?;
        Ok(app.controller())
    }

    fn config(&self) -> Result<Config, FleetError> {
        Ok(Config::clone(&self.controller()?.config()))
    }

    async fn put(&self, config: Config) -> Result<Plan, FleetError> {
        Ok(self.controller()?.reload(config).await?)
    }

    /// The status of every account, in the order of the config.
    pub async fn status(&self) -> Vec<Status> {
        match &self.running {
            Some((app, _)) => app.status().await,
            None => Vec::new(),
        }
    }

    /// Acts as an account, as its bots do. It is named as in [`Status::account`].
    #[must_use]
    pub fn api(&self, account: &str) -> Option<Api> {
        self.running.as_ref()?.0.api(account)
    }

    /// Takes an account offline until it is [resumed](Self::resume): it logs out, and its messages stay unread. It is
    /// [`Command::Hold`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn maintain(fleet: &FleetHandle) -> Result<(), OrderError> {
    /// fleet.pause("desk-1").await?;
    /// // … its database is repaired …
    /// fleet.resume("desk-1").await?;
    /// # Ok(())
    /// # }
    /// # use botroupe::fleet::{FleetHandle, OrderError};
    /// ```
    ///
    /// # Errors
    /// As [`order`](Self::order).
    pub async fn pause(&self, account: &str) -> Result<(), OrderError> {
        self.order(account, Command::Hold).await
    }

    /// Brings an account back that was paused, held or quarantined. It is [`Command::Resume`].
    ///
    /// # Errors
    /// As [`order`](Self::order).
    pub async fn resume(&self, account: &str) -> Result<(), OrderError> {
        self.order(account, Command::Resume).await
    }

    /// Gives an order to an account.
    ///
    /// # Errors
    /// [`OrderError`]: there is no account of that name, or it cannot obey at present.
    pub async fn order(&self, account: &str, command: Command) -> Result<(), OrderError> {
        match &self.running {
            Some((app, _)) => app.order(account, command).await,
            None => Err(OrderError::NoSupervisor),
        }
    }

    /// The names of the bots that an account runs, in their order; `None` when there is no such account.
    #[must_use]
    pub fn bots(&self, account: &str) -> Option<Vec<String>> {
        self.running.as_ref()?.0.bots(account)
    }

    /// Has an account run these bots from now on, in this order; it stays online, and forgets this with the process.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn change(fleet: &FleetHandle) -> Result<(), BotChangeError> {
    /// fleet.set_bots("desk", ["faq", "llm"]).await?;
    /// fleet.configure_bot("desk", "faq", &serde_json::json!({ "threshold": 0.8 })).await?;
    /// # Ok(())
    /// # }
    /// # use botroupe::fleet::{BotChangeError, FleetHandle};
    /// ```
    ///
    /// # Errors
    /// [`BotChangeError`]; then nothing changes.
    pub async fn set_bots(
        &self,
        account: &str,
        bots: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), BotChangeError> {
        let all = bots.into_iter().map(Into::into).collect();
        self.change_bots(account, BotChange::All(all)).await
    }

    /// Has an account run one more bot, after the others. Nothing happens if it runs it already.
    ///
    /// # Errors
    /// [`BotChangeError`]; then nothing changes.
    pub async fn enable_bot(&self, account: &str, bot: &str) -> Result<(), BotChangeError> {
        let change = BotChange::Enable(bot.to_owned());
        self.change_bots(account, change).await
    }

    /// Has an account run a bot no more. What waits for it is done with; handlers that run go on to their end. Its
    /// values, alarms and dialogues wait for it to come back.
    ///
    /// # Errors
    /// [`BotChangeError`]; then nothing changes.
    pub async fn disable_bot(&self, account: &str, bot: &str) -> Result<(), BotChangeError> {
        let change = BotChange::Disable(bot.to_owned());
        self.change_bots(account, change).await
    }

    /// Gives a bot of an account these settings (any serde type that is a table), over those of `[bots.<bot>]` and in
    /// place of those that the account had of its own. The bot is made anew, and takes over what waits for the old one.
    ///
    /// # Errors
    /// [`BotChangeError`]; then nothing changes.
    pub async fn configure_bot(
        &self,
        account: &str,
        bot: &str,
        settings: &impl serde::Serialize,
    ) -> Result<(), BotChangeError> {
        let change = BotChange::configure(bot, settings)?;
        self.change_bots(account, change).await
    }

    async fn change_bots(&self, account: &str, change: BotChange) -> Result<(), BotChangeError> {
        match &self.running {
            Some((app, _)) => app.change_bots(account, change).await,
            None => Err(BotChangeError::Ended),
        }
    }

    /// The embedded server, when the endpoint is `sandbox`.
    #[cfg(feature = "sandbox")]
    #[must_use]
    pub fn sandbox(&self) -> Option<&crate::sandbox::Sandbox> {
        self.running.as_ref()?.0.sandbox()
    }

    /// Waits until the fleet ends by itself, because the supervisor of the accounts died.
    pub async fn ended(&self) {
        if let Some((app, _)) = &self.running {
            app.controller().ended().await;
        }
    }

    /// Takes everything down in order: no new handlers, running ones finish, every account logs out. It
    /// takes no longer than `shutdown.grace` and a second.
    ///
    /// # Errors
    /// [`FleetError::Ended`] when the fleet had ended already.
    pub async fn stop(mut self) -> Result<Stopped, FleetError> {
        self.hand_back();
        (&mut self.stopped).await.map_err(|_| FleetError::Ended)
    }

    /// Sends the app to its thread, which stops it.
    fn hand_back(&mut self) {
        if let Some((app, stop)) = self.running.take() {
            // Only a thread that is dead does not listen.
            let _ = stop.send(app);
        }
    }
}

impl Drop for FleetHandle {
    fn drop(&mut self) {
        self.hand_back();
    }
}
