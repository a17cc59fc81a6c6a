//! Counters that the app keeps with a group.

use serde_json::{Value, json};

use crate::{
    commands::{Commands, Request},
    policy::Now,
    proto::code::Code,
    service::{
        fields::{list, opt_text, text},
        group::{
            Caller, Role,
            attribute::{MAX_ENTRIES, key_of},
        },
    },
    state::State,
    world::ok_with,
};

pub(crate) fn register(commands: &mut Commands) {
    commands.group("delete_group_counter", |s, r| s.delete_counters(r));
    commands.group("get_group_counter", |s, r| s.counters_of(r));
}

impl State {
    /// `update_group_counter`.
    pub(crate) fn count(&mut self, now: Now, actor: &Caller, body: &Value) -> Result<Value, Code> {
        let id = text(body, "GroupId")?;
        self.require(id, actor, Role::Member)?;
        let mode = opt_text(body, "Mode").unwrap_or("Set");
        let group = self.group_mut(id)?;
        let mut counters = group.counters.clone();
        let mut touched = Vec::new();
        for item in list(body, "GroupCounter") {
            let key = key_of(item, "Key")?;
            let by = item.get("Value").and_then(Value::as_i64);
            let by = by.ok_or(Code::GROUP_PARAMETER)?;
            let before = counters.get(key).copied().unwrap_or(0);
            let after = match mode {
                "Set" => by,
                "Increase" => before.saturating_add(by),
                "Decrease" => before.saturating_sub(by),
                _ => return Err(Code::GROUP_PARAMETER),
            };
            counters.insert(key.to_owned(), after);
            touched.push(json!({"Key": key, "Value": after}));
        }
        if counters.len() > MAX_ENTRIES {
            return Err(Code::GROUP_PARAMETER);
        }
        group.counters = counters;
        group.counter_seq += 1;
        let seq = group.counter_seq;
        let news = json!({"Type": 0, "GroupCounterSeq": seq, "GroupCounter": touched});
        let tip = json!({
            "OpType": 6, "Operator_Account": actor.user, "List_Account": [],
            "GroupCounterInfo": [news],
        });
        self.unstored_tip(now, id, &tip);
        Ok(ok_with(
            json!({"GroupCounter": touched, "GroupCounterSeq": seq}),
        ))
    }

    /// `delete_group_counter`: those named, or all.
    pub(crate) fn delete_counters(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        self.require(id, actor, Role::Member)?;
        let named: Vec<String> = list(body, "GroupCounterKeys")
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        let group = self.group_mut(id)?;
        let gone: Vec<Value> = group
            .counters
            .iter()
            .filter(|(key, _)| named.is_empty() || named.contains(key))
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        group
            .counters
            .retain(|key, _| !named.is_empty() && !named.contains(key));
        group.counter_seq += 1;
        let seq = group.counter_seq;
        let news = json!({"Type": 1, "GroupCounterSeq": seq, "GroupCounter": gone});
        let tip = json!({
            "OpType": 6, "Operator_Account": actor.user, "List_Account": [],
            "GroupCounterInfo": [news],
        });
        self.unstored_tip(now, id, &tip);
        Ok(ok_with(json!({"GroupCounterSeq": seq})))
    }

    /// `get_group_counter`: those named, or all.
    pub(crate) fn counters_of(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        let id = text(body, "GroupId")?;
        self.require(id, actor, Role::Member)?;
        let group = self.group(id)?;
        let named = list(body, "GroupCounterKeys");
        let items: Vec<Value> = group
            .counters
            .iter()
            .filter(|(key, _)| {
                named.is_empty() || named.iter().any(|name| name.as_str() == Some(key))
            })
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        Ok(ok_with(
            json!({"GroupCounter": items, "GroupCounterSeq": group.counter_seq}),
        ))
    }
}
