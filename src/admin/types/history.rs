//! The last hour.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How many accounts were in which state, over the last hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// The seconds from one sample to the next.
    pub every: u64,
    /// Oldest first.
    pub samples: Vec<Sample>,
}

/// One look at the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sample {
    /// When, in Unix seconds.
    pub at: u64,
    /// Accounts by state.
    pub states: BTreeMap<String, usize>,
}
