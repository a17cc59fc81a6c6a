//! Asks a running program, and gives it orders.

#[cfg(doc)]
use super::App;
use super::outbox::{OutboxOrder, OutboxOrderError};
use super::reload::{Plan, ReloadError, Reloader};
use super::runtime::Runtime;
use crate::account::{Command, Status};
use crate::bot::Pool;
use crate::config::Config;
use crate::proto::id::UserId;
use crate::store::Condition;
use crate::supervisor::{CountOnline, GetStatus, Order, OrderError, Supervisor, UntilEnd};
use actix::prelude::Addr;
use std::sync::Arc;

/// Asks a running [`App`] for its status and gives orders. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Controller {
    supervisor: Addr<Supervisor>,
    pool: Pool,
    runtime: Arc<Runtime>,
    reloader: Reloader,
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

    /// The status of every account with its flight recorder, in the order of the config.
    pub async fn status(&self) -> Vec<Status> {
        let mut all = self.supervisor.send(GetStatus).await.unwrap_or_default();
        let parked = self.pool.parked();
        for (account, bot) in &parked {
            let status = all
                .iter_mut()
                .find(|status| status.user.as_str() == account);
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

    /// How many accounts run, whether they are online or not.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.runtime.roster.len()
    }

    /// Gives an order to an account.
    ///
    /// # Errors
    /// When there is no account of that name, or it cannot or must not obey.
    pub async fn order(&self, user: &UserId, command: Command) -> Result<(), OrderError> {
        // For an account that is online, `resume` brings its parked bots back.
        let released = command == Command::Resume && self.pool.release(user.as_str()) > 0;
        let user = user.clone();
        let order = self.supervisor.send(Order { user, command });
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

    /// The config that runs.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.runtime.roster.config()
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
