//! Applications to join a group.

use crate::proto::id::UserId;
use serde::{Deserialize, Serialize};

/// The most applications kept per group.
pub(crate) const APPLICATIONS: usize = 200;

/// A request to join, or an invitation that needs approval.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Application {
    pub(crate) from: UserId,
    /// The account to be added: the applicant, or the invited account.
    pub(crate) who: UserId,
    pub(crate) words: String,
    pub(crate) authentication: String,
    /// Unix microseconds; the key of the application.
    pub(crate) key: u64,
    pub(crate) handled_by: Option<UserId>,
}
