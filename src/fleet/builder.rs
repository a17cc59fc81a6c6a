//! Describes a fleet.

use super::accounts::{self, Again};
use super::env::ProcessEnv;
use super::error::FleetError;
use super::fleet_app::FleetApp;
use super::handle::{self, FleetHandle};
use super::load;
use super::observer::OnChange;
use super::signals::{Signal, Signals};
use crate::account::Status;
use crate::app::Controller;
use crate::app::made_name;
use crate::bot::{AccountContext, Bot, Bots};
use crate::config::{Config, Env};
use actix::System;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use tokio::sync::oneshot;

/// The SDKAppID of a sandbox that is given none.
const SANDBOX_APP: u32 = 1_400_000_001;
/// The SecretKey of a sandbox that is given none. It listens on this machine only.
const SANDBOX_KEY: &str = "good-for-the-sandbox-only";
/// Stands for the config file in the messages about a fleet that has none.
const NO_FILE: &str = "fleet builder";

/// Many accounts and their bots, kept online together. See the [module](super).
#[derive(Debug)]
#[non_exhaustive]
pub struct Fleet {}

impl Fleet {
    /// A fleet that is described in code. It needs accounts, bots and either
    /// [`sandbox`](FleetBuilder::sandbox) or an [`app`](FleetBuilder::app).
    pub fn builder() -> FleetBuilder {
        FleetBuilder::default()
    }

    /// The fleet of a config file; `BOTROUPE__SECTION__KEY` variables of the environment lie over it, as on
    /// the command line. The bots are given in code.
    ///
    /// ```no_run
    /// use botroupe::prelude::*;
    ///
    /// struct Pool; // of connections to a database
    ///
    /// async fn answer(text: Text, pool: State<std::sync::Arc<Pool>>) -> String {
    ///     format!("looked up {}", &*text)
    /// }
    ///
    /// fn main() -> Result<(), FleetError> {
    ///     let pool = std::sync::Arc::new(Pool);
    ///     Fleet::from_config("config.toml")
    ///         .bot(move || Bot::new("faq").state(pool.clone()).on_text(answer))
    ///         .run()
    /// }
    /// ```
    pub fn from_config(path: impl Into<PathBuf>) -> FleetBuilder {
        FleetBuilder {
            file: Some(path.into()),
            ..FleetBuilder::default()
        }
    }
}

/// An account of a [`FleetBuilder`].
///
/// ```
/// use botroupe::fleet::{Fleet, FleetAccount};
///
/// let fleet = Fleet::builder()
///     .sandbox()
///     .account("plain")
///     .account(FleetAccount::new("shift-{1..3}").bots(["faq"]));
/// # let _ = fleet;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetAccount {
    app: Option<String>,
    user: String,
    bots: Option<Vec<String>>,
}

impl FleetAccount {
    /// An account that runs every bot of the builder. A pattern as `a-{1..3}` stands for many accounts, as
    /// in a config file.
    #[must_use]
    pub fn new(user: impl Into<String>) -> Self {
        Self {
            app: None,
            user: user.into(),
            bots: None,
        }
    }

    /// Runs these bots only.
    #[must_use]
    pub fn bots(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.bots = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Belongs to the app of this name: needed where the fleet has [several](FleetBuilder::add_app).
    #[must_use]
    pub fn app(mut self, name: impl Into<String>) -> Self {
        self.app = Some(name.into());
        self
    }

    /// What the account is called in the fleet.
    pub(super) fn name(&self) -> String {
        match &self.app {
            Some(app) => format!("{app}/{}", self.user),
            None => self.user.clone(),
        }
    }

    /// The account as a table of a config file.
    fn to_toml(&self, bots: &Bots) -> String {
        let names: Vec<toml::Value> = match &self.bots {
            Some(names) => names.iter().map(|name| name.as_str().into()).collect(),
            None => bots.names().map(Into::into).collect(),
        };
        let user = toml::Value::from(self.user.as_str());
        let app = self.app.as_deref().map(toml::Value::from);
        let app = app.map_or_else(String::new, |app| format!("app = {app}\n"));
        format!(
            "\n[[accounts]]\n{app}user_id = {user}\nbots = {}\n",
            toml::Value::from(names)
        )
    }
}

impl From<&str> for FleetAccount {
    fn from(user: &str) -> Self {
        Self::new(user)
    }
}

impl From<String> for FleetAccount {
    fn from(user: String) -> Self {
        Self::new(user)
    }
}

/// Describes a fleet, then runs it.
#[derive(Default)]
#[must_use = "a fleet that is not started does nothing"]
pub struct FleetBuilder {
    file: Option<PathBuf>,
    settings: Vec<(String, String)>,
    is_sandbox: bool,
    is_app_given: bool,
    apps: Vec<FleetApp>,
    accounts: Vec<FleetAccount>,
    bots: Bots,
    /// Bots whose name is known once they are made.
    unnamed: Vec<Arc<dyn Fn() -> Bot + Send + Sync>>,
    on_change: Option<OnChange>,
}

impl fmt::Debug for FleetBuilder {
    /// Shows no values: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetBuilder")
            .field("file", &self.file)
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}

impl FleetBuilder {
    /// Connects to the embedded server, on a free port of this machine. Without an
    /// [`app`](Self::app) it makes one up.
    pub fn sandbox(mut self) -> Self {
        self.is_sandbox = true;
        self.set("endpoint", "sandbox")
            .set("sandbox.listen", "127.0.0.1:0")
    }

    /// The application of the accounts and its SecretKey, from which UserSigs are made.
    pub fn app(mut self, sdk_app_id: u32, secret_key: impl AsRef<str>) -> Self {
        self.is_app_given = true;
        self.set("app.sdk_app_id", sdk_app_id.to_string())
            .set("app.secret_key", literal(secret_key.as_ref()))
    }

    /// Adds one of several apps; see [`FleetApp`]. A fleet with such apps has no [`app`](Self::app), and each of its
    /// accounts [names](FleetAccount::app) its own.
    pub fn add_app(mut self, app: FleetApp) -> Self {
        self.apps.push(app);
        self
    }

    /// Where to connect: `auto` for the site of the SDKAppID, the name of a site, or a `wss://` address.
    pub fn endpoint(self, endpoint: impl Into<String>) -> Self {
        self.set("endpoint", endpoint)
    }

    /// Sets any key of the config file, as `--set key=value` does on the command line:
    /// `.set("defaults.send_timeout", "20s")`. Of two values of a key the later one wins.
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((key.into(), value.into()));
        self
    }

    /// Keeps what must survive in this file: which messages were handled, what is still to be sent, and the values of
    /// bots. A fleet of a config file does so by itself, beside the config; one that is described in code keeps
    /// nothing unless told so here.
    pub fn store(self, path: impl AsRef<str>) -> Self {
        self.set("store.path", literal(path.as_ref()))
    }

    /// Adds an account. Given as a `&str` it runs every bot of this builder; see [`FleetAccount`]. Accounts are
    /// added to those of a config file.
    pub fn account(mut self, account: impl Into<FleetAccount>) -> Self {
        self.accounts.push(account.into());
        self
    }

    /// Adds a bot, under the name that `make` gives to [`Bot::new`]. `make` runs once for each account, and
    /// while the fleet starts.
    pub fn bot(mut self, make: impl Fn() -> Bot + Send + Sync + 'static) -> Self {
        self.unnamed.push(Arc::new(make));
        self
    }

    /// Adds a bot of this name, which is told the account that it is made for.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// let fleet = Fleet::builder().sandbox().account("a").bot_for_account("clerk", |account| {
    ///     Bot::new("clerk").state(format!("clerk of {}", account.user_id()))
    /// });
    /// # let _ = fleet;
    /// ```
    pub fn bot_for_account(
        mut self,
        name: impl Into<Arc<str>>,
        make: impl Fn(&AccountContext) -> Bot + Send + Sync + 'static,
    ) -> Self {
        self.bots = self.bots.with_context(name, make);
        self
    }

    /// Shares a value of the process with the handlers of every bot on every account, which take it as
    /// [`State<T>`](crate::bot::State); see [`Bots::state`].
    ///
    /// ```
    /// use botroupe::prelude::*;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// async fn count(count: State<AtomicU64>) -> String {
    ///     format!("text number {} of the process", count.fetch_add(1, Ordering::Relaxed) + 1)
    /// }
    ///
    /// let fleet = Fleet::builder()
    ///     .sandbox()
    ///     .state(AtomicU64::new(0))
    ///     .bot(|| Bot::new("counter").on_text(count))
    ///     .account("a-{1..3}");
    /// # let _ = fleet;
    /// ```
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.bots = self.bots.state(value);
        self
    }

    /// Adds a list of bots, as [`bots!`](crate::bots) makes one.
    pub fn bots(mut self, bots: Bots) -> Self {
        self.bots = self.bots.and(bots);
        self
    }

    /// Calls `on_change` whenever the status of an account changes. It must not block.
    pub fn on_change(mut self, on_change: impl FnMut(&Status) + Send + 'static) -> Self {
        self.on_change = Some(Box::new(on_change));
        self
    }

    /// Starts the fleet on threads of its own. Returns as soon as the accounts set out to connect; see
    /// [`FleetHandle::ready`].
    ///
    /// # Errors
    /// [`FleetError`] when the config is wrong or a part cannot be started; nothing is left running then.
    pub async fn start(self) -> Result<FleetHandle, FleetError> {
        let (started, outcome) = oneshot::channel();
        let thread = thread::Builder::new().name("fleet".to_owned());
        thread.spawn(move || {
            System::new().block_on(async {
                match self.prepare().await {
                    Ok((recipe, on_change)) => handle::serve(recipe, on_change, started).await,
                    Err(error) => drop(started.send(Err(error))),
                }
            });
        })?;
        outcome.await.unwrap_or(Err(FleetError::Ended))
    }

    /// Runs the fleet until Ctrl-C or SIGTERM, then stops it in order; a second signal ends it at once. SIGHUP reads
    /// the config file anew and [puts it in the place of the running one](FleetHandle::reload). Logs go to `tracing`.
    ///
    /// # Errors
    /// [`FleetError`] when the fleet cannot be started, or ended otherwise.
    pub fn run(self) -> Result<(), FleetError> {
        let thread = thread::Builder::new().name("fleet".to_owned());
        // A thread of its own, so that it does not matter what this one runs.
        let running = thread.spawn(move || System::new().block_on(self.until_signal()))?;
        running.join().unwrap_or(Err(FleetError::Ended))
    }

    async fn until_signal(self) -> Result<(), FleetError> {
        let mut signals = Signals::listen()?;
        let (recipe, on_change) = tokio::select! {
            prepared = self.prepare() => prepared?,
            () = signals.stop() => return Ok(()),
        };
        let (app, _online, served) = tokio::select! {
            launched = handle::launch(&recipe, on_change) => launched?,
            // Nothing is online yet: there is nothing to log out.
            () = signals.stop() => return Ok(()),
        };
        if let Some(url) = app.sandbox_url() {
            tracing::info!("sandbox listening on {url}");
        }
        let controller = app.controller();
        let mut again = Again::new(&controller.config());
        loop {
            tokio::select! {
                () = again.due(&controller) => tokio::select! {
                    () = recipe.ask_again(&controller) => {}
                    () = signals.stop() => break,
                },
                signal = signals.next() => match signal {
                    Signal::Stop => break,
                    #[cfg(unix)]
                    Signal::Reload => reload(&recipe, &controller).await,
                    #[cfg(unix)]
                    Signal::Report | Signal::Upgrade => {}
                },
                () = controller.ended() => return Err(FleetError::Ended),
            }
        }
        served.end();
        tracing::info!("stopping: handlers finish, accounts log out");
        tokio::select! {
            stopped = app.stop() => {
                if !(stopped.drained && stopped.logged_out && stopped.saved) {
                    tracing::warn!(?stopped, "not everything was finished within the grace period");
                }
                Ok(())
            }
            () = signals.again() => Err(FleetError::Interrupted),
        }
    }

    /// What the fleet is made from.
    async fn prepare(self) -> Result<(Recipe, Option<OnChange>), FleetError> {
        let mut bots = self.bots;
        for make in self.unnamed {
            let name = made_name(make.clone()).await?;
            bots = bots.with(name, move || make());
        }
        let recipe = Recipe {
            file: self.file,
            settings: self.settings,
            needs_app: self.is_sandbox && !self.is_app_given && self.apps.is_empty(),
            apps: self.apps,
            accounts: self.accounts,
            bots,
        };
        Ok((recipe, self.on_change))
    }
}

/// A reload that SIGHUP asked for.
#[cfg(unix)]
async fn reload(recipe: &Recipe, controller: &Controller) {
    let done = match recipe.config().await {
        Ok(config) => controller.reload(config).await.map_err(FleetError::from),
        Err(error) => Err(error),
    };
    if let Err(error) = done {
        tracing::error!(%error, "the config was not reloaded; the one before goes on");
    }
}

/// What the config of a fleet is made from, each time anew.
pub(super) struct Recipe {
    file: Option<PathBuf>,
    settings: Vec<(String, String)>,
    /// A sandbox without an app gets one.
    needs_app: bool,
    apps: Vec<FleetApp>,
    /// Those that were given in code.
    pub(super) accounts: Vec<FleetAccount>,
    pub(super) bots: Bots,
}

impl Recipe {
    /// Only a config file is told to listen to the environment.
    fn env(&self) -> &'static dyn Env {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        match self.file {
            Some(_) => &ProcessEnv,
            None => &NONE,
        }
    }

    /// What lies over the file.
    fn settings(&self) -> Vec<(String, String)> {
        let mut settings = Vec::new();
        if self.file.is_none() {
            // A fleet in code has no folder to leave a file in.
            settings.push(("store.path".to_owned(), ":memory:".to_owned()));
        }
        settings.extend(self.settings.iter().cloned());
        settings
    }

    /// Reads and checks the config, with these accounts beside its own.
    pub(super) async fn config_with(&self, more: &[FleetAccount]) -> Result<Config, FleetError> {
        let (file, mut text) = match &self.file {
            Some(path) => (path.display().to_string(), load::read_text(path)?),
            None => (NO_FILE.to_owned(), String::new()),
        };
        if self.file.is_none() && self.needs_app {
            text = format!("[app]\nsdk_app_id = {SANDBOX_APP}\nsecret_key = \"{SANDBOX_KEY}\"\n");
        }
        for app in &self.apps {
            text.push_str(&app.to_toml());
        }
        for account in self.accounts.iter().chain(more) {
            text.push_str(&account.to_toml(&self.bots));
        }
        let settings = self.settings();
        let env = self.env();
        let answer = match load::source(&file, &text, &settings, env)? {
            Some(asked) => Some(accounts::ask(asked).await),
            None => None,
        };
        Ok(load::parse(
            (&file, &text, answer),
            &settings,
            env,
            &self.bots,
        )?)
    }

    /// Asks the source of accounts again, and takes over what it says. When it fails, what runs goes on.
    async fn ask_again(&self, controller: &Controller) {
        let running = controller.config();
        let done = match self.asked(&running).await {
            Ok(None) => return,
            Ok(Some(config)) => {
                let done = controller.reload_accounts(config).await;
                done.map(drop).map_err(FleetError::from)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "the source of accounts was asked in vain; the accounts stay as they are");
        }
    }

    /// The running config, with what its source of accounts says now; `None` without one.
    async fn asked(&self, running: &Config) -> Result<Option<Config>, FleetError> {
        let (file, text, files) = running.origin();
        let (settings, env) = (self.settings(), self.env());
        let Some(asked) = load::source(file, text, &settings, env)? else {
            return Ok(None);
        };
        let mut files = files.to_vec();
        files.push(accounts::ask(asked).await);
        let config = load::check(file, text, &files, &settings, env, &self.bots)?;
        Ok(Some(config))
    }

    /// Reads and checks the config.
    pub(super) async fn config(&self) -> Result<Config, FleetError> {
        self.config_with(&[]).await
    }
}

/// A text as a value of [`FleetBuilder::set`] that means itself, whatever it begins with.
fn literal(text: &str) -> String {
    toml::Value::from(text).to_string()
}
