//! What is told as it happens.

use super::account::Account;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The first event of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hello {
    /// The number of the last event before this stream.
    pub seq: u64,
    /// The time of the process, in Unix seconds.
    pub now: u64,
}

/// An account changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// The number of the event.
    pub seq: u64,
    /// How the account stands now, without its flight recorder.
    pub account: Account,
    /// It went online (true) or offline (false) just now; null for any other change.
    #[schema(required)]
    pub went_online: Option<bool>,
}

/// The reader was too slow: events were dropped. Whoever gets this asks for everything again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Missed {
    /// How many.
    pub missed: u64,
}
