//! Asks a running program, and gives it orders.

#[cfg(doc)]
use super::App;
use super::bot_change::{self, BotChange, BotChangeError, SettingsOf};
use super::dialogues::DialogueOf;
use super::outbox::{OutboxOrder, OutboxOrderError};
use super::reload::{Plan, ReloadError, Reloader};
use super::runtime::{OnReload, Runtime};
use super::talk::TalkDesk;
use crate::account::{AccountName, Command, Counters, Phase, Status, StatusCollector};
use crate::bot::{Api, BotFigures, Pool};
use crate::config::Config;
#[cfg(doc)]
use crate::store::Store;
use crate::store::{AuditBreak, AuditCheck, AuditEntry, Condition, Deed, StoreError};
use crate::supervisor::{
    CountOnline, CountPhases, GetStatus, Order, OrderError, Supervisor, UntilEnd,
};
use crate::traces::TraceCounts;
use actix::prelude::Addr;
use botroupe_core::ledger::Letter;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long accounts may take to tell their counters.
const COUNTERS_LIMIT: Duration = Duration::from_secs(1);

/// Asks a running [`App`] for its status and gives orders. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Controller {
    supervisor: Addr<Supervisor>,
    pool: Pool,
    runtime: Arc<Runtime>,
    reloader: Reloader,
}

/// What an account has counted.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The account.
    pub account: AccountName,
    /// Which actor counted: each begins at zero, but for what its bots count.
    pub life: u64,
    /// The counters.
    pub counters: Counters,
}

impl Controller {
    pub(super) const fn new(
        supervisor: Addr<Supervisor>,
        pool: Pool,
        runtime: Arc<Runtime>,
        reloader: Reloader,
    ) -> Self {
        Self {
            supervisor,
            pool,
            runtime,
            reloader,
        }
    }

    /// Acts as one account, as its bots do; `None` when there is no such account.
    #[must_use]
    pub fn api(&self, account: &str) -> Option<Api> {
        self.runtime.api(account)
    }

    /// What became of the spans of traces; `None` where there are no traces.
    #[must_use]
    pub fn traces(&self) -> Option<TraceCounts> {
        self.runtime.ground.traces.counts()
    }

    /// The account of this name, when there is one.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<AccountName> {
        let member = self.runtime.roster.member(name)?;
        Some(member.handle.name().clone())
    }

    /// An account in its embedded server; `None` when it has none, or there is no such account.
    #[must_use]
    pub fn talk(&self, account: &str) -> Option<TalkDesk> {
        let member = self.runtime.roster.member(account)?;
        TalkDesk::new(member.line, member.handle.user().clone())
    }

    /// Whether an account may act at present; `None` when there is no such account.
    pub fn is_ready(&self, account: &str) -> Option<bool> {
        Some(self.runtime.roster.member(account)?.handle.is_ready())
    }

    /// The names of the bots that an account runs, in their order; `None` when there is no such account.
    #[must_use]
    pub fn bots_of(&self, account: &str) -> Option<Arc<[Arc<str>]>> {
        self.runtime.hosts.bots_of(account)
    }

    /// The bots of every account.
    #[must_use]
    pub fn bots(&self) -> Vec<(AccountName, Arc<[Arc<str>]>)> {
        self.runtime.hosts.bots_of_all()
    }

    /// The names of the bots that accounts may run.
    #[must_use]
    pub fn known_bots(&self) -> Vec<String> {
        self.runtime.hosts.known_bots()
    }

    /// Changes the bots of an account, which stays online.
    ///
    /// # Errors
    /// [`BotChangeError`]; then nothing changes.
    pub(crate) async fn change_bots(
        &self,
        account: &str,
        change: BotChange,
    ) -> Result<(), BotChangeError> {
        let on = &self.runtime.ground.file_thread;
        bot_change::change(&self.runtime.hosts, on, account, change).await
    }

    /// The settings of a bot on an account, and what it takes.
    ///
    /// # Errors
    /// [`BotChangeError`].
    pub async fn settings_of(
        &self,
        account: &str,
        bot: &str,
    ) -> Result<SettingsOf, BotChangeError> {
        self.runtime.hosts.settings_of(account, bot).await
    }

    /// What the handlers of each bot have done that has run, and how many events wait for it.
    #[must_use]
    pub fn bot_figures(&self) -> HashMap<&'static str, (Arc<BotFigures>, usize)> {
        let waiting = self.runtime.hosts.waiting();
        let figures = self.pool.figures().into_iter();
        let waits = |bot: &str| waiting.get(bot).copied().unwrap_or_default();
        figures
            .map(|(bot, figures)| (bot, (figures, waits(bot))))
            .collect()
    }

    /// What each account has counted, of those that answer within a second.
    pub async fn counters(&self) -> Vec<Counted> {
        let collector = StatusCollector::default();
        let mut lives = Vec::new();
        for (number, account) in self.runtime.roster.handles().into_iter().enumerate() {
            // Asked before: what a later actor answers is found to be less.
            lives.push(account.life());
            account.tell_status(collector.place(number));
        }
        let answers = collector.collect(COUNTERS_LIMIT).await;
        let counted = answers.into_iter().map(|(number, status)| Counted {
            account: status.account,
            life: lives.get(number).copied().unwrap_or_default(),
            counters: status.counters,
        });
        counted.collect()
    }

    /// The letters that are to be sent, that failed, or of which it is unknown whether they arrived, each with its
    /// account.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn letters(&self) -> Result<Vec<(Letter, String)>, StoreError> {
        self.runtime.letters().await
    }

    /// The status of every account with its flight recorder, in the order of the config.
    pub async fn status(&self) -> Vec<Status> {
        let mut all = self.supervisor.send(GetStatus).await.unwrap_or_default();
        let parked = self.pool.parked();
        for (account, bot) in &parked {
            let status = all.iter_mut().find(|status| status.account == **account);
            if let Some(status) = status {
                status.degraded.push(format!(
                    "bot {bot} is parked: it went on blocking threads; `botroupe release {account}` lets it run again"
                ));
            }
        }
        all
    }

    /// How many accounts are online, as the supervisor knows without asking them.
    pub async fn online(&self) -> usize {
        self.supervisor.send(CountOnline).await.unwrap_or_default()
    }

    /// How many accounts are in which state, as the supervisor knows without asking them.
    pub async fn phases(&self) -> Vec<(Phase, usize)> {
        self.supervisor.send(CountPhases).await.unwrap_or_default()
    }

    /// How many accounts run, whether they are online or not.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.runtime.roster.len()
    }

    /// Gives an order to an account.
    ///
    /// # Errors
    /// When there is no account of that name, or it cannot or must not obey.
    pub async fn order(&self, account: &str, command: Command) -> Result<(), OrderError> {
        let member = self.runtime.roster.member(account);
        let member = member.ok_or_else(|| OrderError::Unknown(account.to_owned()))?;
        let account = member.handle.name().clone();
        // For an account that is online, `resume` brings its parked bots back.
        let released = command == Command::Resume && self.pool.release(&account) > 0;
        let order = self.supervisor.send(Order { account, command });
        let outcome = order.await.unwrap_or(Err(OrderError::NoSupervisor));
        if released { Ok(()) } else { outcome }
    }

    /// Gives an order about a letter that failed, or of which it is unknown whether it arrived.
    ///
    /// # Errors
    /// When there is no such letter, when it is on its way or was sent, or when its account does not run.
    pub async fn outbox(&self, letter: u64, order: OutboxOrder) -> Result<(), OutboxOrderError> {
        self.runtime.order_letter(letter, order).await
    }

    /// The dialogues that wait for an answer, those first whose time is over first.
    #[must_use]
    pub fn dialogues(&self) -> Vec<DialogueOf> {
        self.runtime.dialogues()
    }

    /// What putting this config in the place of the running one would do.
    ///
    /// # Errors
    /// [`ReloadError`] when the SecretKey cannot be fetched.
    pub async fn plan(&self, config: Config) -> Result<Plan, ReloadError> {
        self.reloader.plan(config).await
    }

    /// Puts a config in the place of the running one: as a whole, or not at all. Accounts that do not change stay
    /// connected, and their bots keep their state. Returns what was done, when all that leave have logged out and all
    /// others have set out.
    ///
    /// # Errors
    /// [`ReloadError`]; then nothing has changed.
    pub async fn reload(&self, config: Config) -> Result<Plan, ReloadError> {
        self.reloader.reload(config).await
    }

    /// Like [`reload`](Self::reload), for the running config with other accounts: what was changed of bots since its last
    /// reload stays.
    ///
    /// # Errors
    /// [`ReloadError`]; then nothing has changed.
    pub async fn reload_accounts(&self, config: Config) -> Result<Plan, ReloadError> {
        self.reloader.reload_accounts(config).await
    }

    /// Has `what` told of each reload from now on, with the config before and the one that runs then. It must not block.
    /// There is one at a time.
    pub fn on_reload(&self, what: OnReload) {
        let mut place = self
            .runtime
            .reloaded
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *place = Some(what);
    }

    /// The config that runs.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.runtime.roster.config()
    }

    /// Writes down in the store what somebody has ordered.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn audit(&self, deed: Deed) -> Result<(), StoreError> {
        self.runtime.store.audit(deed).await
    }

    /// What was ordered before the entry of this number, as far as it fits: see [`Store::audited`].
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn audited(
        &self,
        before: u64,
        most: usize,
        fits: impl Fn(&AuditEntry) -> bool + Send + 'static,
    ) -> Result<(Vec<AuditEntry>, Option<u64>), StoreError> {
        self.runtime.store.audited(before, most, fits).await
    }

    /// Whether every entry of the audit is as it was written: see [`Store::verify_audit`].
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn verify_audit(&self) -> Result<(AuditCheck, Option<AuditBreak>), StoreError> {
        self.runtime.store.verify_audit().await
    }

    /// How the store is doing.
    #[must_use]
    pub fn store(&self) -> Condition {
        self.runtime.store.condition()
    }

    /// How many bot threads a handler blocks at the moment.
    #[must_use]
    pub fn blocked_threads(&self) -> usize {
        self.pool.blocked()
    }

    /// Whether the supervisor of the accounts is alive.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.supervisor.connected()
    }

    /// Waits until the supervisor of the accounts is gone. From then on nobody brings accounts back, so the
    /// process should end.
    pub async fn ended(&self) {
        // Never answered; the request fails when the supervisor dies.
        let _ = self.supervisor.send(UntilEnd).await;
    }
}
