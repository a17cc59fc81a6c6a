//! Group counters.

use crate::{
    proto::{
        code::Code,
        op::group_counter::{Counter, CounterMode},
    },
    shape,
    table::group::attribute::{MAX_ENTRIES, MAX_KEY},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The counters of one group.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Counters {
    pub(crate) counters: BTreeMap<String, i64>,
    #[serde(rename = "counter_seq", deserialize_with = "shape::counter")]
    pub(crate) seq: u64,
}

impl Counters {
    /// Applies all changes or none. Returns the new values of the changed counters.
    pub(crate) fn update(
        &mut self,
        changes: Vec<Counter>,
        mode: CounterMode,
    ) -> Result<Vec<Counter>, Code> {
        let mut counters = self.counters.clone();
        let mut touched = Vec::new();
        for Counter { key, value } in changes {
            if key.is_empty() || key.len() > MAX_KEY {
                return Err(Code::GROUP_PARAMETER);
            }
            let before = counters.get(&key).copied().unwrap_or(0);
            let value = match mode {
                CounterMode::Set => value,
                CounterMode::Increase => before.saturating_add(value),
                CounterMode::Decrease => before.saturating_sub(value),
            };
            counters.insert(key.clone(), value);
            touched.push(Counter { key, value });
        }
        if counters.len() > MAX_ENTRIES {
            return Err(Code::GROUP_PARAMETER);
        }
        self.counters = counters;
        self.seq += 1;
        Ok(touched)
    }

    /// The counters with these names, or all.
    pub(crate) fn list(&self, keys: &[String]) -> Vec<Counter> {
        let counters = self.counters.iter();
        let counters = counters.filter(|(key, _)| keys.is_empty() || keys.contains(key));
        counters
            .map(|(key, value)| Counter {
                key: key.clone(),
                value: *value,
            })
            .collect()
    }

    /// Deletes the counters with these names, or all, and returns them.
    pub(crate) fn delete(&mut self, keys: &[String]) -> Vec<Counter> {
        let gone = self.list(keys);
        self.counters
            .retain(|key, _| !keys.is_empty() && !keys.contains(key));
        self.seq += 1;
        gone
    }
}
