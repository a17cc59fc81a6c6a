//! The paces that the accounts of an app share.

use super::{SharedGovernor, SharedGroupPaces};
use crate::policy::Governor;

/// How quick the accounts of an app are together: the service counts by app.
#[derive(Debug)]
pub struct Paces {
    /// Paces their logins.
    pub governor: SharedGovernor,
    /// Paces their messages to each group.
    pub groups: SharedGroupPaces,
}

impl Paces {
    /// Of an app whose accounts log in at the pace of this governor.
    #[must_use]
    pub fn new(governor: Governor) -> Self {
        Self {
            governor: SharedGovernor::new(governor),
            groups: SharedGroupPaces::default(),
        }
    }
}
