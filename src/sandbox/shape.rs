//! Serde helpers for snapshot fields, where serde's default loses data or accepts too much.

use std::{collections::BTreeMap, collections::VecDeque, fmt::Display};

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Value, value::RawValue};

/// A map with non-string keys, written as a list of pairs.
pub(crate) mod pairs {
    use super::BTreeMap;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

/// A counter that will be incremented: rejects values so large that it could overflow.
pub(crate) fn counter<'de, N, D>(deserializer: D) -> Result<N, D::Error>
where
    N: TryFrom<u64> + Display,
    D: Deserializer<'de>,
{
    let number = u64::deserialize(deserializer)?;
    let has_room = number
        .checked_mul(4)
        .is_some_and(|most| N::try_from(most).is_ok());
    has_room
        .then(|| N::try_from(number).ok())
        .flatten()
        .ok_or_else(|| D::Error::custom(format!("{number} is too large for a counter")))
}

/// JSON from a client, parsed separately: it may be nested as deep as the parser allows, apart from
/// the document around it.
pub(crate) fn apart<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let text = Box::<RawValue>::deserialize(deserializer)?;
    serde_json::from_str(text.get()).map_err(D::Error::custom)
}

/// Numbered items that contain JSON from clients. Items nested too deep to be parsed are dropped;
/// no client could parse them either.
pub(crate) fn readable<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<VecDeque<(u64, Value)>, D::Error> {
    let items = Vec::<(u64, Box<RawValue>)>::deserialize(deserializer)?;
    let items = items
        .into_iter()
        .filter_map(|(number, text)| Some((number, serde_json::from_str(text.get()).ok()?)));
    Ok(items.collect())
}

/// Lists of merged messages by key. Their sizes are recomputed.
pub(crate) fn merged<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<VecDeque<(String, Value, usize)>, D::Error> {
    let lists = Vec::<(String, Box<RawValue>, u64)>::deserialize(deserializer)?;
    let lists = lists.into_iter().map(|(key, text, _)| {
        let list: Value = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        let size = list.to_string().len();
        Ok((key, list, size))
    });
    lists.collect()
}
