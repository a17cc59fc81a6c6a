//! Readers for request bodies: lenient where clients differ, and free of panics.
//!
//! See "Envelope" in docs/src/protocol.md.

use serde_json::Value;

use crate::proto::{code::Code, id::UserId};

/// The most entries that are read from a list.
pub(crate) const MAX_LISTED: usize = 500;

/// A required string that must not be empty.
pub(crate) fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, Code> {
    opt_text(body, name)
        .filter(|text| !text.is_empty())
        .ok_or(Code::GROUP_PARAMETER)
}

/// An optional string.
pub(crate) fn opt_text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

/// The group, or the topic of a Community, that a request is about.
pub(crate) fn place(body: &Value) -> Result<&str, Code> {
    match opt_text(body, "TopicId") {
        Some(topic) if !topic.is_empty() => Ok(topic),
        _ => text(body, "GroupId"),
    }
}

/// An optional number; text with a number is accepted.
pub(crate) fn opt_number(body: &Value, name: &str) -> Option<u64> {
    body.get(name).and_then(as_number)
}

/// A number; text with a number is accepted.
pub(crate) fn as_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A required number.
pub(crate) fn number(body: &Value, name: &str) -> Result<u64, Code> {
    opt_number(body, name).ok_or(Code::GROUP_PARAMETER)
}

/// Returns true if the field exists and is 1.
pub(crate) fn flag(body: &Value, name: &str) -> bool {
    opt_number(body, name) == Some(1)
}

/// The entries of a list; empty if the field is not a list.
pub(crate) fn list<'a>(body: &'a Value, name: &str) -> &'a [Value] {
    let items = body.get(name).and_then(Value::as_array);
    let items = items.map(Vec::as_slice).unwrap_or_default();
    items.get(..MAX_LISTED).unwrap_or(items)
}

/// A required UserID.
pub(crate) fn user(body: &Value, name: &str) -> Result<UserId, Code> {
    UserId::parse(text(body, name)?).map_err(|_| Code::GROUP_PARAMETER)
}

/// The UserIDs of a list of strings; other entries are skipped.
pub(crate) fn users(body: &Value, name: &str) -> Vec<UserId> {
    let names = list(body, name).iter().filter_map(Value::as_str);
    names.filter_map(|text| UserId::parse(text).ok()).collect()
}

/// The numbers of a list of objects with a `MsgSeq`, or of plain numbers.
pub(crate) fn seqs(body: &Value, name: &str) -> Vec<u64> {
    let items = list(body, name).iter();
    items
        .filter_map(|item| as_number(item).or_else(|| opt_number(item, "MsgSeq")))
        .collect()
}

/// The pairs of a list of `{Key, Value}`; other entries are skipped.
pub(crate) fn pairs(body: &Value, name: &str) -> Vec<(String, String)> {
    let items = list(body, name).iter();
    items
        .filter_map(|item| {
            let (key, value) = (opt_text(item, "Key")?, opt_text(item, "Value")?);
            Some((key.to_owned(), value.to_owned()))
        })
        .collect()
}

/// The most accounts one request may ask about.
pub(crate) const MAX_ASKED: usize = 500;

/// The UserIDs of a list of strings; other entries are skipped.
pub(crate) fn user_ids(value: Option<&Value>) -> Vec<UserId> {
    let items = value
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    items
        .iter()
        .take(MAX_ASKED)
        .filter_map(Value::as_str)
        .filter_map(|text| UserId::parse(text).ok())
        .collect()
}

/// The UserIDs in `field` of each object of a list.
pub(crate) fn user_ids_in(value: Option<&Value>, field: &str) -> Vec<UserId> {
    let items = value
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    items
        .iter()
        .take(MAX_ASKED)
        .filter_map(|item| item.get(field).and_then(Value::as_str))
        .filter_map(|text| UserId::parse(text).ok())
        .collect()
}
