//! Changes of the fleet while it runs: accounts join it, leave it, and get a new config.

use super::children::Child;
use super::{ChildSpec, MakeConnector, Supervisor};
use crate::account::{AccountName, Cause, Command, CoreConfig, Phase};
use crate::gateway::now;
use crate::rest::Rest;
use actix::prelude::*;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Adds accounts and starts them. One whose name or number is there already is left out.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Join(pub Vec<ChildSpec>);

/// Takes accounts out: they log out and are forgotten. Answered when all have gone, with those that were held or
/// quarantined. An account that does not come back from its code is never gone by itself, so whoever asks must not wait
/// for ever, and then say [`Forget`].
#[derive(Debug, Message)]
#[rtype(result = "Vec<(AccountName, (Phase, Cause))>")]
pub struct Leave(pub Vec<AccountName>);

/// Takes accounts out at once, whatever they do. Nothing happens for those that are gone.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Forget(pub Vec<AccountName>);

/// A new config for one account.
#[derive(Clone)]
pub struct NewConfig {
    /// What the account is made of from now on.
    pub config: Arc<CoreConfig>,
    /// Asks whether another login is there.
    pub rest: Option<Arc<Rest>>,
    /// The connector, where it is another one: then the link is replaced, and the login resumed on a new one.
    pub connector: Option<MakeConnector>,
}

impl std::fmt::Debug for NewConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewConfig")
            .field("account", &self.config.name)
            .field("new_link", &self.connector.is_some())
            .finish_non_exhaustive()
    }
}

/// Gives accounts a new config, which they keep over restarts.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Reconfigure(pub Vec<NewConfig>);

impl Supervisor {
    /// An account that leaves is gone: forgets it, and tells whoever waits.
    pub(super) fn left(&mut self, number: usize) {
        let Some(mut child) = self.children.remove(number) else {
            return;
        };
        if child.standing.phase != Phase::Stopped {
            // Whoever counts accounts must not go on counting this one.
            let was_online = child.standing.phase.is_online();
            child.standing.phase = Phase::Stopped;
            child.standing.cause = Cause::Stopped;
            child.standing.since = now().unix;
            child.standing.next = None;
            self.publish(child.status(), was_online.then_some(false));
        }
        tracing::info!(account = %child.name(), "left the fleet");
        for waiting in child.leaving.into_iter().flatten() {
            let _ = waiting.send(()); // Whoever asked may have given up waiting.
        }
    }

    fn take_out(&mut self, account: &AccountName) -> Option<oneshot::Receiver<()>> {
        let number = self.children.number_of(account)?;
        let child = self.children.get_mut(number)?;
        let (gone, wait) = oneshot::channel();
        child.leaving.get_or_insert_default().push(gone);
        if !child.running {
            // A subscriber that is still being made finds nobody.
            self.left(number);
        } else {
            child.spec.handle.instruct(Command::Stop);
        }
        Some(wait)
    }

    fn forget(&mut self, account: &AccountName) {
        let Some(number) = self.children.number_of(account) else {
            return;
        };
        let Some(child) = self.children.get_mut(number) else {
            return;
        };
        if child.running {
            tracing::warn!(%account, "did not log out in time; it is given up");
            child.running = false;
            child.spec.handle.end_life();
            self.running = self.running.saturating_sub(1);
        }
        self.left(number);
        self.check_all_stopped();
    }
}

impl Handler<Join> for Supervisor {
    type Result = ();

    fn handle(&mut self, Join(specs): Join, ctx: &mut Context<Self>) {
        if self.is_stopping {
            return;
        }
        let since = now().unix;
        for spec in specs {
            let number = spec.number;
            let child = Child::new(spec, number % self.threads.len(), since);
            if self.children.insert(child) {
                self.start_child(ctx, number);
            }
        }
    }
}

impl Handler<Leave> for Supervisor {
    type Result = ResponseFuture<Vec<(AccountName, (Phase, Cause))>>;

    fn handle(&mut self, Leave(accounts): Leave, _: &mut Context<Self>) -> Self::Result {
        let away = |account: &AccountName| {
            let child = self.children.get(self.children.number_of(account)?)?;
            Some((account.clone(), *child.spec.away.clone()?))
        };
        let away: Vec<_> = accounts.iter().filter_map(away).collect();
        let waits: Vec<_> = accounts
            .iter()
            .filter_map(|account| self.take_out(account))
            .collect();
        Box::pin(async move {
            for wait in waits {
                let _ = wait.await; // Dropped with the supervisor: then nothing runs any more either.
            }
            away
        })
    }
}

impl Handler<Forget> for Supervisor {
    type Result = ();

    fn handle(&mut self, Forget(accounts): Forget, _: &mut Context<Self>) {
        for account in &accounts {
            self.forget(account);
        }
    }
}

impl Handler<Reconfigure> for Supervisor {
    type Result = ();

    fn handle(&mut self, Reconfigure(changes): Reconfigure, ctx: &mut Context<Self>) {
        for NewConfig {
            config,
            rest,
            connector,
        } in changes
        {
            let number = self.children.number_of(&config.name);
            let Some((number, child)) =
                number.and_then(|it| Some((it, self.children.get_mut(it)?)))
            else {
                continue;
            };
            child.spec.config = config.clone();
            child.spec.rest.clone_from(&rest);
            if let Some(connector) = &connector {
                child.spec.connector = connector.clone();
            }
            if child.running {
                child.spec.handle.reconfigure(config, rest, connector);
            }
            let Some(child) = self.children.get(number) else {
                continue;
            };
            // What kept it from starting may be what was changed.
            if !child.running
                && !child.making
                && child.standing.phase == Phase::Quarantined
                && child.spec.away.is_none()
            {
                self.start_child(ctx, number);
            }
        }
    }
}
