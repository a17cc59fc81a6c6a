//! What people have ordered.

use crate::store::AuditEntry;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Something that was ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditOf {
    /// Its number, from 1 without a gap.
    pub number: u64,
    /// When, in Unix seconds.
    pub at: u64,
    /// Who: the name of a token, or the owner of the control socket.
    pub who: String,
    /// From where: an address, or `control socket`.
    pub from: String,
    /// What: method, path and body, or with `refused` the status of a request that came to nothing.
    pub what: Value,
    /// Over all of this and the hash before.
    pub hash: String,
}

impl From<AuditEntry> for AuditOf {
    fn from(entry: AuditEntry) -> Self {
        let deed = entry.deed;
        Self {
            number: entry.number,
            at: deed.at,
            who: deed.who,
            from: deed.origin,
            what: serde_json::from_str(&deed.what).unwrap_or_else(|_| Value::from(deed.what)),
            hash: entry.hash.to_string(),
        }
    }
}

/// Some of what was ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// The newest first.
    pub entries: Vec<AuditOf>,
    /// The value of `before` for the next page; null on the last one. A page may be empty and not the last.
    #[schema(required)]
    pub next: Option<u64>,
}

/// Whether what was ordered is as it was written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditVerified {
    /// Up to which number it is.
    pub entries: u64,
    /// The hash of that entry.
    pub head: String,
    /// Up to which number they were pruned; zero for none.
    pub pruned: u64,
    /// What is wrong with the next one; null if nothing is.
    #[schema(required)]
    pub broken: Option<String>,
}
