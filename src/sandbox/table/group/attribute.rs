//! Group attributes.

use crate::fields::{list, opt_number, opt_text};
use crate::{answer::ok_with, proto::code::Code, shape};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The most attributes, and counters, of one group.
pub(crate) const MAX_ENTRIES: usize = 16;

/// The longest attribute value, in bytes.
pub(crate) const MAX_VALUE: usize = 4096;

/// The longest name of an attribute or counter, in bytes.
pub(crate) const MAX_KEY: usize = 128;

/// The attributes of one group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    /// The main number; every change increments it.
    #[serde(deserialize_with = "shape::counter")]
    pub(crate) seq: u64,
    /// The value and the number of each attribute.
    pub(crate) all: BTreeMap<String, (String, u64)>,
}

/// A kind of change to attributes.
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

/// An answer about attributes. Two generations of the SDK read different names for the list and its
/// fields.
pub(crate) fn listed(seq: u64, items: &[Value]) -> Value {
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

impl Attributes {
    /// Applies a change and returns the names of the changed attributes.
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
