//! The accounts of a supervisor, by number. A number is never given to another account, so that what is still on
//! its way for one that has left reaches nobody.

use super::{ChildSpec, HANGS, RESTARTS};
use crate::account::{AccountName, Cause, Phase, Status, Subscriber};
use crate::policy::RestartIntensity;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// See the module.
#[derive(Default)]
pub(super) struct Children {
    all: BTreeMap<usize, Child>,
    numbers: HashMap<AccountName, usize>,
}

/// An account, and how it stands.
pub(super) struct Child {
    pub(super) spec: ChildSpec,
    /// The current subscriber.
    pub(super) subscriber: Option<Arc<dyn Subscriber>>,
    pub(super) thread: usize,
    /// Counts the actors of this account, so that messages of a dead or hanging one are told apart.
    pub(super) life: u32,
    pub(super) deaths: u32,
    /// How often it died and hung; `None` of an account that never did.
    pub(super) history: Option<Box<History>>,
    pub(super) standing: Standing,
    pub(super) running: bool,
    /// Its subscriber is being made.
    pub(super) making: bool,
    /// It leaves the fleet; whoever is in it hears when it has.
    pub(super) leaving: Option<Vec<oneshot::Sender<()>>>,
}

/// The deaths of an account.
pub(super) struct History {
    pub(super) crashes: RestartIntensity,
    pub(super) hangs: RestartIntensity,
}

impl Default for History {
    fn default() -> Self {
        Self {
            crashes: RestartIntensity::new(RESTARTS.0, RESTARTS.1),
            hangs: RestartIntensity::new(HANGS.0, HANGS.1),
        }
    }
}

/// How an account stood when it last said so, or why it does not run. Counters are asked for when they are
/// wanted.
pub(super) struct Standing {
    pub(super) phase: Phase,
    pub(super) since: Duration,
    pub(super) cause: Cause,
    pub(super) next: Option<Duration>,
    pub(super) waits_for: Option<&'static str>,
}

impl Child {
    /// An account that does not run yet; `since` is now, in Unix time.
    pub(super) fn new(spec: ChildSpec, thread: usize, since: Duration) -> Self {
        Self {
            spec,
            subscriber: None,
            thread,
            life: 0,
            deaths: 0,
            history: None,
            standing: Standing {
                phase: Phase::Waiting,
                since,
                cause: Cause::NotStarted,
                next: None,
                waits_for: None,
            },
            running: false,
            making: false,
            leaving: None,
        }
    }

    pub(super) fn name(&self) -> &AccountName {
        &self.spec.config.name
    }

    /// What is known without asking the account.
    pub(super) fn status(&self) -> Box<Status> {
        let Standing {
            phase,
            since,
            ref cause,
            next,
            waits_for,
        } = self.standing;
        Box::new(Status {
            phase,
            cause: cause.clone(),
            next,
            waits_for: waits_for.map(str::to_owned),
            ..Status::new(self.name().clone(), since)
        })
    }
}

impl Children {
    /// Adds an account under the number of its spec, unless one of that name or number is there.
    pub(super) fn insert(&mut self, child: Child) -> bool {
        let number = child.spec.number;
        if self.all.contains_key(&number) || self.numbers.contains_key(child.name()) {
            return false;
        }
        self.numbers.insert(child.name().clone(), number);
        self.all.insert(number, child);
        true
    }

    pub(super) fn remove(&mut self, number: usize) -> Option<Child> {
        let child = self.all.remove(&number)?;
        self.numbers.remove(child.name());
        Some(child)
    }

    pub(super) fn number_of(&self, account: &str) -> Option<usize> {
        self.numbers.get(account).copied()
    }

    pub(super) fn get(&self, number: usize) -> Option<&Child> {
        self.all.get(&number)
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut Child> {
        self.all.get_mut(&number)
    }

    /// All, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Child)> {
        self.all.iter().map(|(number, child)| (*number, child))
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}
