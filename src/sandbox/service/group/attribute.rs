//! Attributes that the app keeps with a group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    commands::{Commands, Request},
    policy::Now,
    proto::code::Code,
    service::{
        fields::{list, opt_number, opt_text, text},
        group::{Caller, Role},
    },
    state::{State, snapshot::shape},
    world::ok_with,
};

/// Attributes, and counters, of one group.
pub(crate) const MAX_ENTRIES: usize = 16;

/// The longest attribute in bytes.
pub(crate) const MAX_VALUE: usize = 4096;

/// The longest name of an attribute or counter in bytes.
pub(crate) const MAX_KEY: usize = 128;

/// The attributes of one group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    /// Grows by one with every change.
    #[serde(deserialize_with = "shape::counter")]
    seq: u64,
    /// Value and own number of each.
    all: BTreeMap<String, (String, u64)>,
}

/// What a request wants to do with attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Set,
    Modify,
    Delete,
    Clear,
}

pub(crate) fn key_of<'a>(item: &'a Value, name: &str) -> Result<&'a str, Code> {
    let key = opt_text(item, name).filter(|key| !key.is_empty() && key.len() <= MAX_KEY);
    key.ok_or(Code::GROUP_PARAMETER)
}

/// An answer about attributes. Two generations of clients read two names for the list, and for what is
/// in it.
fn listed(seq: u64, items: &[Value]) -> Value {
    let both = items.iter().cloned().map(|mut item| {
        for (small, capital) in [("key", "Key"), ("value", "Value")] {
            if let Some(value) = item.get(small).cloned() {
                item[capital] = value;
            }
        }
        item
    });
    let both: Vec<Value> = both.collect();
    ok_with(json!({"AttrMainSeq": seq, "GroupAttrAry": items, "GroupAttr": both}))
}

pub(crate) fn register(commands: &mut Commands) {
    commands.group("set_group_attr", |s, r| {
        s.change_attributes(r.now, r.caller, r.body, Change::Set)
    });
    commands.group("modify_group_attr", |s, r| {
        s.change_attributes(r.now, r.caller, r.body, Change::Modify)
    });
    commands.group("delete_group_attr", |s, r| {
        s.change_attributes(r.now, r.caller, r.body, Change::Delete)
    });
    commands.group("clear_group_attr", |s, r| {
        s.change_attributes(r.now, r.caller, r.body, Change::Clear)
    });
    commands.group("get_group_attr", |s, r| s.attributes_of(r));
}

impl Attributes {
    /// Carries out a change and gives the names it touched.
    pub(crate) fn apply(&mut self, change: Change, body: &Value) -> Result<Vec<String>, Code> {
        let guarded = list(body, "AttrControl")
            .iter()
            .any(|control| control.as_str() == Some("RaceConflict"));
        let seen = opt_number(body, "AttrMainSeq");
        let whole = matches!(change, Change::Set | Change::Clear);
        if guarded && whole && seen.is_some_and(|seen| seen != self.seq) {
            return Err(Code::GROUP_ATTRIBUTE_CONFLICT);
        }
        let mut all = if whole {
            BTreeMap::new()
        } else {
            self.all.clone()
        };
        let mut touched = Vec::new();
        for item in list(body, "GroupAttr") {
            let key = key_of(item, "key").or_else(|_| key_of(item, "Key"))?;
            let current = self.all.get(key).map_or(0, |(_, seq)| *seq);
            let seen = opt_number(item, "seq").or_else(|| opt_number(item, "Seq"));
            if guarded && !whole && seen.is_some_and(|seen| seen != current) {
                return Err(Code::GROUP_ATTRIBUTE_CONFLICT);
            }
            if change == Change::Delete {
                all.remove(key);
            } else if change != Change::Clear {
                let value = opt_text(item, "value").or_else(|| opt_text(item, "Value"));
                let value = value.filter(|value| value.len() <= MAX_VALUE);
                let value = value.ok_or(Code::GROUP_PARAMETER)?;
                all.insert(
                    key.to_owned(),
                    (value.to_owned(), current.saturating_add(1)),
                );
            }
            touched.push(key.to_owned());
        }
        if all.len() > MAX_ENTRIES {
            return Err(Code::GROUP_PARAMETER);
        }
        self.all = all;
        self.seq += 1;
        Ok(touched)
    }
}

impl State {
    /// `set_group_attr`, `modify_group_attr`, `delete_group_attr`, `clear_group_attr`.
    pub(crate) fn change_attributes(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
        change: Change,
    ) -> Result<Value, Code> {
        let id = text(body, "GroupId")?;
        self.require(id, actor, Role::Member)?;
        let attributes = &mut self.group_mut(id)?.attributes;
        let touched = attributes.apply(change, body)?;
        let items: Vec<Value> = touched
            .iter()
            .map(|key| {
                let seq = attributes.all.get(key).map_or(0, |(_, seq)| *seq);
                json!({"key": key, "seq": seq})
            })
            .collect();
        let seq = attributes.seq;
        // Without the values in it, the clients ask for them.
        let news = json!({"GroupAttrSeq": seq, "PushChangedAttrValFlag": 0, "OpType": 5});
        let tip = json!({
            "OpType": 6, "Operator_Account": actor.user, "List_Account": [],
            "MsgGroupNewInfo": {"GroupAttrOption": news},
        });
        self.unstored_tip(now, id, &tip);
        Ok(listed(seq, &items))
    }

    /// `get_group_attr`.
    pub(crate) fn attributes_of(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        let id = text(body, "GroupId")?;
        self.require(id, actor, Role::Member)?;
        let attributes = &self.group(id)?.attributes;
        let items: Vec<Value> = attributes
            .all
            .iter()
            .map(|(key, (value, seq))| json!({"key": key, "value": value, "seq": seq}))
            .collect();
        Ok(listed(attributes.seq, &items))
    }
}
