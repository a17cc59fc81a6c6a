//! A handover.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A wish to go on with the logins of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHandover {
    /// The path of a Unix socket at which the other process listens.
    pub socket: String,
    /// The number of the other process, which systemd is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}
