//! Applications to join a group.

use crate::proto::id::UserId;
use serde::{Deserialize, Serialize};

/// Applications kept per group.
pub(crate) const APPLICATIONS: usize = 200;

/// Someone wants in, or wants someone else in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Application {
    pub(crate) from: UserId,
    /// Who is to come in: the applicant, or whom it invited.
    pub(crate) who: UserId,
    pub(crate) words: String,
    pub(crate) authentication: String,
    /// Unix microseconds; the name of the application.
    pub(crate) key: u64,
    pub(crate) handled_by: Option<UserId>,
}
