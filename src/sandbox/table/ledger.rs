//! The ledger: one record for each message that was accepted, for whoever judges what clients make of
//! them.
//!
//! See "Sandbox choices" in docs/src/protocol.md.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use crate::{proto::id::UserId, table::c2c_message::MessageId};

/// The most records.
const LIMIT: usize = 1 << 20;
/// The most bytes of a text.
const MAX_TEXT: usize = 256;

/// A message that the sandbox accepted, from a client, the REST API or `Sandbox::say`. Messages that are
/// not stored (typing notices and others for who is online) and imported ones are not recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LedgerEntry {
    /// The number of the message in the ledger. The first one has 0.
    pub number: u64,
    /// The sender.
    pub from: UserId,
    /// The receiver of a one-to-one message.
    pub to: Option<UserId>,
    /// The group of a group message.
    pub group: Option<String>,
    /// The sender's sequence number; in a group the number of the message there.
    pub seq: u64,
    /// The sender's random number.
    pub random: u64,
    /// Server time, Unix seconds.
    pub time: u64,
    /// The first text of the message, or else the name of its first file; 256 bytes at most.
    pub text: String,
    /// How many repeats of this send were recognised and not delivered.
    pub repeats: u64,
    /// How many addressees have reported the message as read: one at most of a one-to-one message, and of a
    /// group message the members but its sender.
    pub read_by: usize,
}

/// A message in the ledger.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) from: UserId,
    pub(crate) place: Place,
    pub(crate) seq: u64,
    pub(crate) random: u64,
    pub(crate) time: u64,
    pub(crate) text: Box<str>,
    pub(crate) repeats: u64,
}

/// Where a message was said.
#[derive(Debug)]
pub(crate) enum Place {
    /// To a user, with the position of the message.
    User(UserId, MessageId),
    Group(Box<str>),
}

/// All records, in the order of their messages.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    records: Vec<Record>,
}

impl Ledger {
    /// Adds a record. Returns its number, or `None` if there is no room.
    pub(crate) fn add(&mut self, record: Record) -> Option<u64> {
        if self.records.len() >= LIMIT {
            return None;
        }
        let number = u64::try_from(self.records.len()).ok()?;
        self.records.push(record);
        Some(number)
    }

    /// Counts a repeat of the message with this number.
    pub(crate) fn count_repeat(&mut self, number: u64) {
        let at = usize::try_from(number).ok();
        if let Some(record) = at.and_then(|at| self.records.get_mut(at)) {
            record.repeats += 1;
        }
    }

    /// The records from this number on, with their numbers.
    pub(crate) fn from(&self, number: u64) -> impl Iterator<Item = (&Record, u64)> {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        let records = self.records.get(at..).unwrap_or_default();
        records.iter().zip(number..)
    }
}

/// The first text of a body, or the name of its first file.
pub(crate) fn text_of(body: &RawValue) -> Box<str> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Element<'a> {
        #[serde(borrow)]
        msg_type: Cow<'a, str>,
        #[serde(borrow)]
        msg_content: &'a RawValue,
    }

    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Content {
        text: Value,
        file_name: Value,
    }

    let elements: Vec<Element<'_>> = serde_json::from_str(body.get()).unwrap_or_default();
    let of = |kind: &str, pick: fn(Content) -> Value| {
        let element = elements.iter().find(|element| element.msg_type == kind)?;
        let content = serde_json::from_str(element.msg_content.get());
        match pick(content.unwrap_or_default()) {
            Value::String(text) => Some(text),
            _ => None,
        }
    };
    let text = of("TIMTextElem", |content| content.text)
        .or_else(|| of("TIMFileElem", |content| content.file_name))
        .unwrap_or_default();
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_is_found_and_cut_between_characters() {
        let long = "啊".repeat(100);
        let cases = [
            (
                json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]),
                "hi",
            ),
            (
                json!([
                    {"MsgType": "TIMFaceElem", "MsgContent": {"Index": 1}},
                    {"MsgType": "TIMFileElem", "MsgContent": {"FileName": "a.pdf"}},
                    {"MsgType": "TIMTextElem", "MsgContent": {"Text": "first"}},
                    {"MsgType": "TIMTextElem", "MsgContent": {"Text": "second"}},
                ]),
                "first",
            ),
            (
                json!([{"MsgType": "TIMFileElem", "MsgContent": {"FileName": "a.pdf"}}]),
                "a.pdf",
            ),
            (
                json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": 5}}]),
                "",
            ),
            (
                json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": long}}]),
                &long[..255],
            ),
            (json!({}), ""),
        ];
        for (body, text) in cases {
            let body = RawValue::from_string(body.to_string()).unwrap();
            assert_eq!(&*text_of(&body), text, "{body}");
        }
    }
}
