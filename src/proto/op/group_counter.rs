//! Counters that an app keeps with a group.

use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};

/// Counters that a group may have.
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
    /// Its value, or by how much it changes.
    #[serde(rename = "Value", default, deserialize_with = "lenient::int")]
    pub value: i64,
}

/// What happens to counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CounterMode {
    /// They get the values.
    #[default]
    Set,
    /// They grow by them.
    Increase,
    /// They shrink by them.
    Decrease,
}

/// Changes counters; those that are new begin at zero.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateCounters {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
    /// The counters, 20 at most.
    #[serde(rename = "GroupCounter", default)]
    pub counters: Vec<Counter>,
    /// What happens to them.
    #[serde(rename = "Mode", default)]
    pub mode: CounterMode,
}

/// Deletes counters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteCounters {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
    /// Which; empty for all.
    #[serde(
        rename = "GroupCounterKeys",
        default,
        deserialize_with = "lenient::list"
    )]
    pub keys: Vec<String>,
}

/// Asks for counters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetCounters {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
    /// Which; empty for all.
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
    /// How often any of them was changed.
    #[serde(rename = "GroupCounterSeq", default, deserialize_with = "lenient::int")]
    pub seq: u64,
}

impl Counters {
    /// The value of this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<i64> {
        let counter = self.list.iter().find(|counter| counter.key == key)?;
        Some(counter.value)
    }
}
