//! Group counters: numbers that an app stores with a group. See "Groups" in `docs/src/protocol.md`.

use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};

/// The maximum number of counters per group.
pub const MAX_COUNTERS: usize = 20;

const COUNTERS: Limit = Limit::new("group counters", 4.0, 20);

group_calls! {
    UpdateCounters => "update_group_counter" -> Counters, COUNTERS;
    DeleteCounters => "delete_group_counter" -> Counters, COUNTERS;
    GetCounters => "get_group_counter" -> Counters, COUNTERS;
}

/// One counter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// The key.
    #[serde(rename = "Key", default, deserialize_with = "lenient::string")]
    pub key: String,
    /// The value, or the amount of the change.
    #[serde(rename = "Value", default, deserialize_with = "lenient::int")]
    pub value: i64,
}

/// The kind of change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CounterMode {
    /// Set the counters to the values.
    #[default]
    Set,
    /// Add the values.
    Increase,
    /// Subtract the values.
    Decrease,
}

/// Changes counters. New counters start at zero.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateCounters {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
    /// The counters, at most 20.
    #[serde(rename = "GroupCounter", default)]
    pub counters: Vec<Counter>,
    /// The kind of change.
    #[serde(rename = "Mode", default)]
    pub mode: CounterMode,
}

/// Deletes counters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteCounters {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
    /// The keys; empty for all.
    #[serde(
        rename = "GroupCounterKeys",
        default,
        deserialize_with = "lenient::list"
    )]
    pub keys: Vec<String>,
}

/// Requests counters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetCounters {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
    /// The keys; empty for all.
    #[serde(
        rename = "GroupCounterKeys",
        default,
        deserialize_with = "lenient::list"
    )]
    pub keys: Vec<String>,
}

/// Counters of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Counters {
    /// The counters.
    #[serde(rename = "GroupCounter", default, deserialize_with = "lenient::list")]
    pub list: Vec<Counter>,
    /// The number of changes to the counters.
    #[serde(rename = "GroupCounterSeq", default, deserialize_with = "lenient::int")]
    pub seq: u64,
}

impl Counters {
    /// Returns the value of this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<i64> {
        let counter = self.list.iter().find(|counter| counter.key == key)?;
        Some(counter.value)
    }
}
