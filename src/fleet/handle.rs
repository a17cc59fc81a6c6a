//! A running fleet.

use super::error::FleetError;
use super::observer::{Observer, OnChange};
use crate::account::{Command, Status};
use crate::app::{App, BotChange, BotChangeError, OrderError, Stopped};
use crate::bot::{Api, Bots};
use crate::config::Config;
use crate::proto::id::UserId;
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
    enabled: usize,
}

impl fmt::Debug for FleetHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetHandle")
            .field("accounts", &self.enabled)
            .field("online", &*self.online.borrow())
            .finish_non_exhaustive()
    }
}

/// Starts the fleet of a config on the present actix `System`.
pub(super) async fn launch(
    config: &Config,
    bots: &Bots,
    on_change: Option<OnChange>,
) -> Result<(App, watch::Receiver<usize>), FleetError> {
    let (count, online) = watch::channel(0);
    let observer = Observer::new(count, on_change).start();
    let app = App::start(config, bots, Some(observer.recipient())).await?;
    Ok((app, online))
}

/// Starts the fleet, gives it to `started`, and stays until it is to stop.
pub(super) async fn serve(
    config: Config,
    bots: Bots,
    on_change: Option<OnChange>,
    started: oneshot::Sender<Result<FleetHandle, FleetError>>,
) {
    let (app, online) = match launch(&config, &bots, on_change).await {
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
        enabled: config
            .accounts
            .iter()
            .filter(|account| account.enabled)
            .count(),
    };
    // A handle that nobody wants is dropped, which sends the app to `stopping`.
    drop(started.send(Ok(handle)));
    if let Ok(app) = stopping.await {
        let app: App = app;
        let _ = stopped_sender.send(app.stop().await);
    }
}

impl FleetHandle {
    /// Waits until every enabled account is online. It waits for ever when an account cannot log in;
    /// [`status`](Self::status) says why.
    ///
    /// # Errors
    /// [`FleetError::Ended`].
    pub async fn ready(&self) -> Result<(), FleetError> {
        let mut online = self.online.clone();
        let all = online.wait_for(|online| *online >= self.enabled).await;
        all.map(drop).map_err(|_| FleetError::Ended)
    }

    /// The status of every account, in the order of the config.
    pub async fn status(&self) -> Vec<Status> {
        match &self.running {
            Some((app, _)) => app.status().await,
            None => Vec::new(),
        }
    }

    /// Acts as the account `user`, as its bots do.
    #[must_use]
    pub fn api(&self, user: &str) -> Option<Api> {
        self.running.as_ref()?.0.api(user)
    }

    /// Gives an order to an account.
    ///
    /// # Errors
    /// [`OrderError`]: there is no account of that UserID, or it cannot obey at present.
    pub async fn order(&self, user: &str, command: Command) -> Result<(), OrderError> {
        let Ok(id) = UserId::parse(user) else {
            return Err(OrderError::Unknown(user.to_owned()));
        };
        match &self.running {
            Some((app, _)) => app.order(&id, command).await,
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
