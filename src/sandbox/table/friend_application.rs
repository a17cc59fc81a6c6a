//! Applications for friendship.

use crate::proto::id::UserId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An application to become a friend that waits for an answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Application {
    pub(crate) source: String,
    pub(crate) wording: String,
    /// What the applicant wants to call the other side.
    pub(crate) remark: String,
    pub(crate) list: String,
    /// Unix seconds.
    pub(crate) at: u64,
    /// The applicant wants to be the other side's friend as well.
    pub(crate) both: bool,
}

/// Applications kept per account and direction, as the service documents it.
pub(crate) const MAX_APPLICATIONS: usize = 100;

/// The applications of an account that wait for an answer.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Applications {
    /// Those of others. Bounded.
    pub(crate) received: BTreeMap<UserId, Application>,
    /// Its own. Bounded.
    pub(crate) sent: BTreeMap<UserId, Application>,
    /// Applications up to this Unix second were looked at.
    pub(crate) seen_until: u64,
}

impl Applications {
    pub(crate) fn list_mut(&mut self, received: bool) -> &mut BTreeMap<UserId, Application> {
        if received {
            &mut self.received
        } else {
            &mut self.sent
        }
    }

    /// Adds one. Gives how many were dropped to make room.
    pub(crate) fn add(&mut self, received: bool, other: &UserId, application: &Application) -> u64 {
        let list = self.list_mut(received);
        list.insert(other.clone(), application.clone());
        if list.len() <= MAX_APPLICATIONS {
            return 0;
        }
        let oldest = list
            .iter()
            .filter(|(from, _)| *from != other)
            .min_by_key(|(_, waiting)| waiting.at)
            .map(|(from, _)| from.clone());
        oldest.map_or(0, |oldest| u64::from(list.remove(&oldest).is_some()))
    }

    /// False if there was none.
    pub(crate) fn remove(&mut self, received: bool, other: &UserId) -> bool {
        self.list_mut(received).remove(other).is_some()
    }

    /// Drops those of and to a user.
    pub(crate) fn forget(&mut self, other: &UserId) {
        self.received.remove(other);
        self.sent.remove(other);
    }

    /// Everybody they are of or to.
    pub(crate) fn others(&self) -> impl Iterator<Item = &UserId> {
        self.received.keys().chain(self.sent.keys())
    }

    pub(crate) fn unseen(&self) -> usize {
        let received = self.received.values();
        received
            .filter(|waiting| waiting.at > self.seen_until)
            .count()
    }
}
