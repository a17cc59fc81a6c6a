//! Friend applications.

use crate::proto::id::UserId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A friend application that waits for an answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Application {
    pub(crate) source: String,
    pub(crate) wording: String,
    /// The applicant's remark on the other side.
    pub(crate) remark: String,
    pub(crate) list: String,
    /// Unix seconds.
    pub(crate) at: u64,
    /// The friendship is to be mutual.
    pub(crate) both: bool,
}

/// The most applications per account and direction, as the service documents it.
pub(crate) const MAX_APPLICATIONS: usize = 100;

/// The pending applications of an account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Applications {
    /// Applications from others. Bounded.
    pub(crate) received: BTreeMap<UserId, Application>,
    /// Applications to others. Bounded.
    pub(crate) sent: BTreeMap<UserId, Application>,
    /// Applications up to this Unix second were seen.
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

    /// Adds an application. Returns how many were dropped to make room.
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

    /// Returns false if there was no application.
    pub(crate) fn remove(&mut self, received: bool, other: &UserId) -> bool {
        self.list_mut(received).remove(other).is_some()
    }

    /// Removes the applications from and to `other`.
    pub(crate) fn forget(&mut self, other: &UserId) {
        self.received.remove(other);
        self.sent.remove(other);
    }

    /// The other side of every application.
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
