//! Pseudonyms for what tells who people are. Pure.

use super::line::Line;
use serde_json::Value;
use std::collections::HashMap;

/// Values of these keys say of what kind something is.
const KINDS: &[&str] = &[
    "MsgType",
    "Type",
    "type",
    "GroupType",
    "Role",
    "role",
    "Status",
    "MsgKey",
    "Reaction",
    "businessID",
    "version",
    // A text only where the server itself speaks.
    "conversation",
];
/// Values of these keys are what somebody has written.
const TEXTS: &[&str] = &["Text", "messageAbstract"];
/// Values of these keys may hold JSON of an application.
const DATA: &[&str] = &[
    "cloud_custom_data",
    "CloudCustomData",
    "Data",
    "Ext",
    "Desc",
];
/// Numbers of these keys tell where or who somebody is.
const NUMBERS: &[&str] = &[
    "Latitude",
    "Longitude",
    "TinyId",
    "From_TinyId",
    "SenderTinyId",
];
/// What the server itself is called, and its groups begin with.
const SYSTEM: &str = "@TIM#SYSTEM";
const GROUP: &str = "@TGS#";
/// Digits in a row that may be a telephone number or the like.
const DIGITS: usize = 5;
/// Names without spaces around them that are looked for in texts.
const MAX_WIDE: usize = 1_000;
/// Names that are remembered at most; then they begin anew.
const MAX_NAMES: usize = 100_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Mask {
    names: HashMap<String, String>,
    /// Those that may stand in a text without spaces around them.
    wide: Vec<String>,
}

impl Mask {
    /// A line in which nobody is named; `None` if it cannot be read any more.
    pub(super) fn line(&mut self, line: Line) -> Option<Line> {
        let Line { at, account, heard } = line;
        let account = self.name(&account);
        let heard = serde_json::to_value(heard).ok()?;
        let heard = match heard {
            Value::String(_) => heard,
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(kind, value)| {
                    let value = match kind.as_str() {
                        "not_ready" | "lost" => value,
                        _ => self.value(&kind, value),
                    };
                    (kind, value)
                });
                Value::Object(fields.collect())
            }
            _ => return None,
        };
        let heard = serde_json::from_str(&heard.to_string()).ok()?;
        Some(Line { at, account, heard })
    }

    fn value(&mut self, key: &str, value: Value) -> Value {
        match value {
            Value::String(text) if KINDS.contains(&key) => text.into(),
            Value::String(text) if TEXTS.contains(&key) => self.text(&text).into(),
            Value::String(text) if DATA.contains(&key) => self.data(&text).into(),
            Value::String(text) => self.name(&text).into(),
            Value::Number(_) if NUMBERS.contains(&key) => 0.into(),
            Value::Array(all) => {
                let is_other = key == "other";
                let mut all = all.into_iter().enumerate();
                Value::Array(
                    std::iter::from_fn(|| {
                        let (place, value) = all.next()?;
                        // The first is the type of the element.
                        Some(match (is_other, place) {
                            (true, 0) => value,
                            _ => self.value(key, value),
                        })
                    })
                    .collect(),
                )
            }
            Value::Object(fields) => {
                let fields: Vec<(String, Value)> = fields.into_iter().collect();
                let fields = fields.into_iter().map(|(key, value)| {
                    let value = self.value(&key, value);
                    (key, value)
                });
                Value::Object(fields.collect())
            }
            other => other,
        }
    }

    /// The pseudonym of a name, an address or anything else that stands alone.
    fn name(&mut self, name: &str) -> String {
        let is_empty = name.trim().is_empty();
        if is_empty || name == SYSTEM {
            return name.to_owned();
        }
        let like = |number: usize| {
            if name.starts_with(GROUP) {
                format!("{GROUP}g{number}")
            } else if name.contains("://") {
                format!("https://example.invalid/{number}")
            } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
                format!("{number:0width$}", width = name.len())
            } else {
                format!("user{number}")
            }
        };
        let is_wide = !name.is_ascii() && name.chars().count() > 1;
        if is_wide && !self.names.contains_key(name) && self.wide.len() < MAX_WIDE {
            self.wide.push(name.to_owned());
        }
        self.known(name, like)
    }

    fn known(&mut self, name: &str, like: impl FnOnce(usize) -> String) -> String {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        if self.names.len() >= MAX_NAMES {
            self.names.clear();
            self.wide.clear();
        }
        let pseudonym = like(self.names.len() + 1);
        self.names.insert(name.to_owned(), pseudonym.clone());
        pseudonym
    }

    /// What an application has kept with a message.
    fn data(&mut self, text: &str) -> String {
        match serde_json::from_str::<Value>(text) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => self.value("", value).to_string(),
            _ => self.text(text),
        }
    }

    /// What somebody has written: words stay, names that are known and what looks like an address or a number do not.
    fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for name in self
            .wide
            .iter()
            .filter_map(|name| self.names.get_key_value(name))
        {
            if text.contains(name.0) {
                text = text.replace(name.0, name.1);
            }
        }
        let mut masked = String::with_capacity(text.len());
        for word in text.split_inclusive(char::is_whitespace) {
            let bare = word.trim_end();
            masked.push_str(&self.word(bare));
            masked.push_str(&word[bare.len()..]);
        }
        masked
    }

    fn word(&mut self, word: &str) -> String {
        if word.contains("://") {
            return self.known(word, |number| format!("https://example.invalid/{number}"));
        }
        let (before, rest) = match word.find('@') {
            Some(0) if word.len() > 1 => ("@", &word[1..]),
            Some(at) if at > 0 && word[at + 1..].contains('.') => {
                return self.known(word, |number| format!("mail{number}@example.invalid"));
            }
            Some(at) if word.len() > at + 1 => (&word[..=at], &word[at + 1..]),
            _ => ("", word),
        };
        let end = rest
            .rfind(|c: char| c.is_alphanumeric() || c == '_')
            .map_or(rest.len(), |at| {
                at + rest[at..].chars().next().map_or(0, char::len_utf8)
            });
        let (name, after) = rest.split_at(end);
        if before.ends_with('@') || (!name.is_empty() && self.names.contains_key(name)) {
            return format!("{before}{}{after}", self.name(name));
        }
        self.digits(word)
    }

    /// Long numbers become others of their length.
    fn digits(&mut self, word: &str) -> String {
        let mut masked = String::with_capacity(word.len());
        let mut rest = word;
        while let Some(start) = rest.find(char::is_numeric) {
            masked.push_str(&rest[..start]);
            rest = &rest[start..];
            let end = rest.find(|c: char| !c.is_numeric()).unwrap_or(rest.len());
            let (number, after) = rest.split_at(end);
            let length = number.chars().count();
            if length >= DIGITS {
                masked.push_str(&self.known(number, |known| format!("{known:0length$}")));
            } else {
                masked.push_str(number);
            }
            rest = after;
        }
        masked.push_str(rest);
        masked
    }
}
