//! Asks a running program, and gives it orders.

#[cfg(doc)]
use super::App;
use super::outbox::{Outbox, OutboxOrder, OutboxOrderError};
use crate::account::{Command, Status};
use crate::bot::Pool;
use crate::proto::id::UserId;
use crate::store::Condition;
use crate::supervisor::{CountOnline, GetStatus, Order, OrderError, Supervisor, UntilEnd};
use actix::prelude::Addr;

/// Asks a running [`App`] for its status and gives orders. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Controller {
    supervisor: Addr<Supervisor>,
    pool: Pool,
    outbox: Outbox,
}

impl Controller {
    pub(super) const fn new(supervisor: Addr<Supervisor>, pool: Pool, outbox: Outbox) -> Self {
        Self {
            supervisor,
            pool,
            outbox,
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
        self.outbox.order(letter, order).await
    }

    /// How the store is doing.
    #[must_use]
    pub fn store(&self) -> Condition {
        self.outbox.store.condition()
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
