//! Changes of the fleet while it runs: accounts join it, leave it, and get a new config.

use super::children::Child;
use super::{ChildSpec, MakeConnector, Supervisor};
use crate::account::{Cause, Command, CoreConfig, Phase};
use crate::config::GovernorConfig;
use crate::gateway::now;
use crate::policy::Governor;
use crate::proto::id::UserId;
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
#[rtype(result = "Vec<(UserId, (Phase, Cause))>")]
pub struct Leave(pub Vec<UserId>);

/// Takes accounts out at once, whatever they do. Nothing happens for those that are gone.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Forget(pub Vec<UserId>);

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
            .field("user", &self.config.user)
            .field("new_link", &self.connector.is_some())
            .finish_non_exhaustive()
    }
}

/// Gives accounts a new config, which they keep over restarts.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Reconfigure(pub Vec<NewConfig>);

/// Gives the fleet another pace of logins.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Repace(pub GovernorConfig);

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
        tracing::info!(account = %child.user(), "left the fleet");
        for waiting in child.leaving.into_iter().flatten() {
            let _ = waiting.send(()); // Whoever asked may have given up waiting.
        }
    }

    fn take_out(&mut self, user: &UserId) -> Option<oneshot::Receiver<()>> {
        let number = self.children.number_of(user)?;
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

    fn forget(&mut self, user: &UserId) {
        let Some(number) = self.children.number_of(user) else {
            return;
        };
        let Some(child) = self.children.get_mut(number) else {
            return;
        };
        if child.running {
            tracing::warn!(account = %user, "did not log out in time; it is given up");
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
    type Result = ResponseFuture<Vec<(UserId, (Phase, Cause))>>;

    fn handle(&mut self, Leave(users): Leave, _: &mut Context<Self>) -> Self::Result {
        let away = |user: &UserId| {
            let child = self.children.get(self.children.number_of(user)?)?;
            Some((user.clone(), *child.spec.away.clone()?))
        };
        let away: Vec<_> = users.iter().filter_map(away).collect();
        let waits: Vec<_> = users
            .iter()
            .filter_map(|user| self.take_out(user))
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

    fn handle(&mut self, Forget(users): Forget, _: &mut Context<Self>) {
        for user in &users {
            self.forget(user);
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
            let number = self.children.number_of(&config.user);
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

impl Handler<Repace> for Supervisor {
    type Result = ();

    fn handle(&mut self, Repace(pace): Repace, _: &mut Context<Self>) {
        let rate = f64::from(pace.logins_per_second);
        self.governor.replace(Governor::new(rate, pace.burst));
    }
}
