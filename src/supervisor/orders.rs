//! Orders of an operator, and why one may be refused.

use super::Supervisor;
use crate::account::{AccountName, Cause, Command, Phase};
use crate::gateway::now;
use actix::prelude::*;

/// Why an order was not obeyed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// There is no account of that name.
    #[error("there is no account {0}")]
    Unknown(String),
    /// The account is held or quarantined until somebody resumes it.
    #[error("{account} is {}; `botroupe resume {account}` brings it back", .phase.word())]
    StaysAway {
        /// The account.
        account: AccountName,
        /// Its phase.
        phase: Phase,
    },
    /// The account died too often, has no bots, or is restarting.
    #[error("{0} does not run at present; `botroupe resume {0}` starts it")]
    NotRunning(AccountName),
    /// The account has too many orders waiting.
    #[error("{0} is busy; try again")]
    Busy(AccountName),
    /// The supervisor of the accounts is gone.
    #[error("the supervisor of the accounts died")]
    NoSupervisor,
}

/// Gives an order to one account.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), OrderError>")]
pub struct Order {
    /// The account.
    pub account: AccountName,
    /// The order.
    pub command: Command,
}

impl Supervisor {
    /// An order for an account that does not run at present.
    fn order_idle(
        &mut self,
        ctx: &Context<Self>,
        number: usize,
        command: Command,
    ) -> Result<(), OrderError> {
        let Some(child) = self.children.get_mut(number) else {
            return Ok(());
        };
        let phase = match command {
            // It died too often or had no bots. The order means that somebody has looked at it.
            Command::Resume => {
                child.history = None;
                child.deaths = 0;
                child.spec.away = None;
                self.start_child(ctx, number);
                return Ok(());
            }
            Command::Hold => Phase::Held,
            Command::Quarantine => Phase::Quarantined,
            // It logs in with a new UserSig anyway.
            Command::Relogin if child.making => return Ok(()),
            Command::Relogin | Command::Stop | Command::HandOver => {
                return Err(OrderError::NotRunning(child.name().clone()));
            }
        };
        // Obeyed as soon as the account runs.
        child.spec.away = Some(Box::new((phase, Cause::Ordered)));
        child.standing.phase = phase;
        child.standing.cause = Cause::Ordered;
        child.standing.since = now().unix;
        child.standing.next = None;
        let status = child.status();
        self.publish(status, None);
        Ok(())
    }
}

impl Handler<Order> for Supervisor {
    type Result = Result<(), OrderError>;

    fn handle(
        &mut self,
        Order { account, command }: Order,
        ctx: &mut Context<Self>,
    ) -> Self::Result {
        let number = self.children.number_of(&account);
        let Some((number, child)) =
            number.and_then(|number| Some((number, self.children.get_mut(number)?)))
        else {
            return Err(OrderError::Unknown(account.to_string()));
        };
        let phase = child.standing.phase;
        if command == Command::Relogin && matches!(phase, Phase::Held | Phase::Quarantined) {
            return Err(OrderError::StaysAway { account, phase });
        }
        if !child.running {
            return self.order_idle(ctx, number, command);
        }
        if child.spec.handle.instruct(command) {
            Ok(())
        } else {
            Err(OrderError::Busy(account))
        }
    }
}
