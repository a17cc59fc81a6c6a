//! Counters that the app keeps with a group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    commands::{Commands, Request},
    policy::Now,
    proto::{
        code::Code,
        id::UserId,
        op::group_counter::{
            Counter, CounterMode, Counters as Answer, DeleteCounters, GetCounters, UpdateCounters,
        },
    },
    service::group::{
        Role,
        attribute::{MAX_ENTRIES, MAX_KEY},
    },
    state::{State, snapshot::shape},
};

/// The counters of one group.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Counters {
    counters: BTreeMap<String, i64>,
    #[serde(rename = "counter_seq", deserialize_with = "shape::counter")]
    seq: u64,
}

impl Counters {
    /// All changes or none. Gives the counters that were changed, as they are now.
    fn update(&mut self, changes: Vec<Counter>, mode: CounterMode) -> Result<Vec<Counter>, Code> {
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

    /// Those named, or all.
    fn list(&self, keys: &[String]) -> Vec<Counter> {
        let counters = self.counters.iter();
        let counters = counters.filter(|(key, _)| keys.is_empty() || keys.contains(key));
        counters
            .map(|(key, value)| Counter {
                key: key.clone(),
                value: *value,
            })
            .collect()
    }

    /// Deletes those named, or all, and gives them.
    fn delete(&mut self, keys: &[String]) -> Vec<Counter> {
        let gone = self.list(keys);
        self.counters
            .retain(|key, _| !keys.is_empty() && !keys.contains(key));
        self.seq += 1;
        gone
    }
}

pub(crate) fn register(commands: &mut Commands) {
    commands.group("update_group_counter", |s, r| s.update_counters(r));
    commands.group("delete_group_counter", |s, r| s.delete_counters(r));
    commands.group("get_group_counter", |s, r| s.counters_of(r));
}

impl State {
    /// `update_group_counter`.
    fn update_counters(&mut self, request: &Request<'_>) -> Result<Answer, Code> {
        let asked: UpdateCounters = request.read(Code::GROUP_PARAMETER)?;
        self.require(&asked.group, request.caller, Role::Member)?;
        let counters = &mut self.group_mut(&asked.group)?.counters;
        let list = counters.update(asked.counters, asked.mode)?;
        let seq = counters.seq;
        self.tell_counters(request.now, &request.caller.user, &asked.group, 0, &list);
        Ok(Answer { list, seq })
    }

    /// `delete_group_counter`: those named, or all.
    fn delete_counters(&mut self, request: &Request<'_>) -> Result<Answer, Code> {
        let asked: DeleteCounters = request.read(Code::GROUP_PARAMETER)?;
        self.require(&asked.group, request.caller, Role::Member)?;
        let counters = &mut self.group_mut(&asked.group)?.counters;
        let gone = counters.delete(&asked.keys);
        let seq = counters.seq;
        self.tell_counters(request.now, &request.caller.user, &asked.group, 1, &gone);
        Ok(Answer {
            list: Vec::new(),
            seq,
        })
    }

    /// `get_group_counter`: those named, or all.
    fn counters_of(&self, request: &Request<'_>) -> Result<Answer, Code> {
        let asked: GetCounters = request.read(Code::GROUP_PARAMETER)?;
        self.require(&asked.group, request.caller, Role::Member)?;
        let counters = &self.group(&asked.group)?.counters;
        Ok(Answer {
            list: counters.list(&asked.keys),
            seq: counters.seq,
        })
    }

    /// Tells the group of counters that were changed (`kind` 0) or deleted (1).
    fn tell_counters(&mut self, now: Now, by: &UserId, id: &str, kind: u8, list: &[Counter]) {
        let seq = self.group(id).map_or(0, |group| group.counters.seq);
        let tip = json!({
            "OpType": 6, "Operator_Account": by, "List_Account": [], "GroupCounterInfo": [
                {"Type": kind, "GroupCounterSeq": seq, "GroupCounter": list},
            ],
        });
        self.unstored_tip(now, id, &tip);
    }
}
