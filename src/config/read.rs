//! Takes typed values out of the merged tree and notes every mistake on the way.
//!
//! serde is not used for this: it stops at the first mistake, and here all of them are wanted,
//! each with its place.

use std::{cell::RefCell, time::Duration};

use config::{Map, Value, ValueKind};
use secrecy::SecretString;

use super::{
    duration::{format_duration, parse_duration},
    env::Env,
    error::{ConfigError, Problem},
    expand::expand,
    layers,
    place::{Place, Positions, index, join},
    size::{format_size, parse_size},
    suggest::nearest,
};

/// What every read shares: where things stand, the environment, and the mistakes so far.
pub(super) struct Context<'c> {
    pub(super) positions: &'c Positions,
    pub(super) env: &'c dyn Env,
    pub(super) errors: RefCell<Vec<ConfigError>>,
}

impl Context<'_> {
    pub(super) fn report(&self, place: Place, key: &str, problem: Problem) {
        self.errors.borrow_mut().push(ConfigError {
            place,
            key: key.to_owned(),
            problem,
        });
    }
}

/// One value in the tree.
#[derive(Clone)]
pub(super) struct Node<'c> {
    context: &'c Context<'c>,
    /// Where to look its place up.
    path: String,
    /// The path errors name: that of the list, for an item of a list of names.
    shown: String,
    value: &'c Value,
}

impl<'c> Node<'c> {
    pub(super) fn root(context: &'c Context<'c>, value: &'c Value) -> Self {
        Self {
            context,
            path: String::new(),
            shown: String::new(),
            value,
        }
    }

    pub(super) fn report(&self, problem: impl Into<Problem>) {
        self.context
            .report(self.place(), &self.shown, problem.into());
    }

    pub(super) fn context_report(&self, place: Place, key: &str, problem: Problem) {
        self.context.report(place, key, problem);
    }

    pub(super) fn place(&self) -> Place {
        layers::place(self.context.positions, self.value.origin(), &self.path)
    }

    fn wrong_type(&self, expected: &'static str) {
        let found = match &self.value.kind {
            ValueKind::Nil => "nothing",
            ValueKind::Boolean(_) => "true or false",
            ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => {
                "an integer"
            }
            ValueKind::Float(_) => "a number with a fraction",
            ValueKind::String(_) => "text",
            ValueKind::Table(_) => "a table",
            ValueKind::Array(_) => "a list",
        };
        self.report(Problem::WrongType { expected, found });
    }

    /// Text from outside the file, which may stand for a number, a list and so on.
    fn outside_text(&self) -> Option<&'c str> {
        match &self.value.kind {
            ValueKind::String(text) if layers::is_outside(self.value.origin()) => Some(text),
            _ => None,
        }
    }

    /// Whether it is exactly this text, a word with a meaning of its own.
    pub(super) fn is_text(&self, word: &str) -> bool {
        matches!(&self.value.kind, ValueKind::String(text) if text == word)
    }

    /// Text; `${…}` is replaced if it stands in the file.
    pub(super) fn text(&self) -> Option<String> {
        let ValueKind::String(text) = &self.value.kind else {
            self.wrong_type("text in quotes");
            return None;
        };
        if layers::is_outside(self.value.origin()) {
            return Some(text.clone());
        }
        match expand(text, self.context.env) {
            Ok(text) => Some(text),
            Err(error) => {
                self.report(error);
                None
            }
        }
    }

    /// A secret: not empty, no white space around it, not a placeholder.
    pub(super) fn secret(&self) -> Option<SecretString> {
        let text = self.text()?;
        let reason = if text.is_empty() {
            "is empty; an environment variable without a value?"
        } else if text.trim() != text {
            "has white space or a line end around it; remove that"
        } else if is_placeholder(&text) {
            "looks like a placeholder that nobody filled in; ${NAME} is replaced in the config file only"
        } else {
            return Some(SecretString::from(text));
        };
        self.report(Problem::Secret { reason });
        None
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match (&self.value.kind, self.outside_text()) {
            (ValueKind::Boolean(value), _) => Some(*value),
            (_, Some("true" | "1" | "yes" | "on")) => Some(true),
            (_, Some("false" | "0" | "no" | "off")) => Some(false),
            _ => {
                self.wrong_type("true or false");
                None
            }
        }
    }

    /// A whole number from `min` to `max`.
    pub(super) fn integer(&self, min: u32, max: u32) -> Option<u32> {
        let value = match (&self.value.kind, self.outside_text()) {
            (ValueKind::I64(value), _) => Some(*value),
            (_, Some(text)) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(value) = value else {
            self.wrong_type("a whole number");
            return None;
        };
        match u32::try_from(value) {
            Ok(value) if (min..=max).contains(&value) => Some(value),
            _ => {
                self.report(Problem::OutOfRange {
                    value: value.to_string(),
                    min: min.to_string(),
                    max: max.to_string(),
                });
                None
            }
        }
    }

    /// A number from `min` to `max`, with or without a fraction.
    pub(super) fn number(&self, min: f64, max: f64) -> Option<f64> {
        let value = match (&self.value.kind, self.outside_text()) {
            (ValueKind::Float(value), _) => Some(*value),
            (ValueKind::I64(value), _) => i32::try_from(*value).ok().map(f64::from),
            (_, Some(text)) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(value) = value else {
            self.wrong_type("a number");
            return None;
        };
        if (min..=max).contains(&value) {
            return Some(value);
        }
        self.report(Problem::OutOfRange {
            value: value.to_string(),
            min: min.to_string(),
            max: max.to_string(),
        });
        None
    }

    /// Text that is not empty.
    pub(super) fn filled_text(&self, remedy: &'static str) -> Option<String> {
        let text = self.text()?;
        if text.is_empty() {
            self.report(Problem::Empty { remedy });
            return None;
        }
        Some(text)
    }

    /// A duration from `min` to `max`.
    pub(super) fn duration(&self, min: Duration, max: Duration) -> Option<Duration> {
        let text = match &self.value.kind {
            // `grace = 10`: the duration parser says which unit is missing.
            ValueKind::I64(number) => number.to_string(),
            ValueKind::String(_) => self.text()?,
            _ => {
                self.wrong_type("a duration like \"30s\"");
                return None;
            }
        };
        match parse_duration(&text) {
            Ok(duration) if (min..=max).contains(&duration) => Some(duration),
            Ok(duration) => {
                self.report(Problem::OutOfRange {
                    value: format_duration(duration),
                    min: format_duration(min),
                    max: format_duration(max),
                });
                None
            }
            Err(error) => {
                self.report(error);
                None
            }
        }
    }

    /// A size from `min` to `max`, in bytes.
    pub(super) fn size(&self, min: u64, max: u64) -> Option<u64> {
        let size = match &self.value.kind {
            ValueKind::I64(number) => u64::try_from(*number).ok(),
            ValueKind::String(_) => parse_size(&self.text()?),
            _ => None,
        };
        let Some(size) = size else {
            self.wrong_type("a size like \"64MiB\" (B, KiB, MiB, GiB)");
            return None;
        };
        if (min..=max).contains(&size) {
            return Some(size);
        }
        self.report(Problem::OutOfRange {
            value: format_size(size),
            min: format_size(min),
            max: format_size(max),
        });
        None
    }

    /// One of a few names.
    pub(super) fn choice<T: Copy>(&self, what: &'static str, names: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = names.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            self.unknown_name(what, &text, names.iter().map(|(name, _)| *name));
        }
        found.map(|(_, value)| *value)
    }

    /// Reports a name that is none of `known`.
    pub(super) fn unknown_name<'a>(
        &self,
        what: &'static str,
        name: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) {
        self.report(Problem::UnknownName {
            what,
            name: name.to_owned(),
            nearest: nearest(name, known.clone()).map(str::to_owned),
            known: known.map(str::to_owned).collect(),
        });
    }

    /// Reports that the last part of this value's own path is none of `known`.
    pub(super) fn unknown_key(&self, what: &'static str, name: &str, known: &[&str]) {
        let place = layers::key_place(self.context.positions, self.value.origin(), &self.path);
        let problem = Problem::UnknownName {
            what,
            name: name.to_owned(),
            nearest: nearest(name, known.iter().copied()).map(str::to_owned),
            known: known.iter().map(|name| (*name).to_owned()).collect(),
        };
        self.context.report(place, &self.shown, problem);
    }

    /// The items of a list of texts, each with its place; from outside also `a,b,c`.
    pub(super) fn texts(&self) -> Option<Vec<(Self, String)>> {
        if let Some(text) = self.outside_text() {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            return Some(items.map(|item| (self.clone(), item.to_owned())).collect());
        }
        let ValueKind::Array(items) = &self.value.kind else {
            self.wrong_type("a list like [\"a\", \"b\"]");
            return None;
        };
        let nodes = items.iter().enumerate().map(|(at, value)| Self {
            path: index(&self.path, at),
            shown: self.shown.clone(),
            ..self.with(value)
        });
        Some(
            nodes
                .filter_map(|node| node.text().map(|text| (node, text)))
                .collect(),
        )
    }

    /// Whether it is a list, of whatever.
    pub(super) const fn is_list(&self) -> bool {
        matches!(self.value.kind, ValueKind::Array(_))
    }

    /// The items of a list of tables.
    pub(super) fn sections(&self) -> Vec<Section<'c>> {
        let items = match &self.value.kind {
            ValueKind::Array(items) => items,
            ValueKind::Table(_) => {
                let key = self.shown.clone();
                self.report(Problem::OneTable { key });
                return Vec::new();
            }
            _ => {
                self.wrong_type("a list of tables, [[…]]");
                return Vec::new();
            }
        };
        let nodes = items.iter().enumerate().map(|(at, value)| {
            let path = index(&self.path, at);
            Self {
                shown: path.clone(),
                path,
                ..self.with(value)
            }
        });
        nodes.filter_map(|node| node.section()).collect()
    }

    /// This value as a section.
    pub(super) fn section(&self) -> Option<Section<'c>> {
        let ValueKind::Table(table) = &self.value.kind else {
            self.wrong_type("a table");
            return None;
        };
        Some(Section {
            node: self.clone(),
            table: Some(table),
            asked: Vec::new(),
        })
    }

    /// The entries of a table, in the order of their keys.
    pub(super) fn entries(&self) -> Vec<(&'c str, Self)> {
        let ValueKind::Table(table) = &self.value.kind else {
            self.wrong_type("a table");
            return Vec::new();
        };
        let mut entries: Vec<_> = table
            .iter()
            .map(|(key, value)| (key.as_str(), self.child(key, value)))
            .collect();
        entries.sort_by_key(|(key, _)| *key);
        entries
    }

    /// The innermost value at a path of keys below this one, as far as there is one.
    pub(super) fn innermost(&self, path: &[String]) -> Self {
        let Some((key, rest)) = path.split_first() else {
            return self.clone();
        };
        let inner = match &self.value.kind {
            ValueKind::Table(table) => table.get(key).map(|value| self.child(key, value)),
            ValueKind::Array(items) => key.parse().ok().and_then(|at: usize| {
                Some(Self {
                    path: index(&self.path, at),
                    shown: index(&self.shown, at),
                    ..self.with(items.get(at)?)
                })
            }),
            _ => None,
        };
        inner.map_or_else(|| self.clone(), |inner| inner.innermost(rest))
    }

    /// A text, or a number written without quotes, as it stands there.
    pub(super) fn word(&self) -> Option<String> {
        match &self.value.kind {
            ValueKind::I64(number) => Some(number.to_string()),
            _ => self.text(),
        }
    }

    /// This value as free TOML, texts from outside left as they are.
    pub(super) fn toml_with_texts(&self) -> toml::Value {
        match &self.value.kind {
            ValueKind::String(_) => toml::Value::String(self.text().unwrap_or_default()),
            ValueKind::Table(_) => {
                let entries = self.entries();
                let entries = entries.iter();
                let entries =
                    entries.map(|(key, node)| ((*key).to_owned(), node.toml_with_texts()));
                toml::Value::Table(entries.collect())
            }
            _ => self.toml(),
        }
    }

    /// This value as free TOML, with `${…}` replaced in every text of the file. From outside,
    /// text that reads as a TOML number or truth value is one.
    pub(super) fn toml(&self) -> toml::Value {
        match &self.value.kind {
            ValueKind::Nil => toml::Value::String(String::new()),
            ValueKind::Boolean(value) => toml::Value::Boolean(*value),
            ValueKind::I64(value) => toml::Value::Integer(*value),
            ValueKind::Float(value) => toml::Value::Float(*value),
            // The layers make none of these; said as text rather than cut short.
            ValueKind::I128(value) => toml::Value::String(value.to_string()),
            ValueKind::U64(value) => toml::Value::String(value.to_string()),
            ValueKind::U128(value) => toml::Value::String(value.to_string()),
            ValueKind::String(_) => {
                let text = self.text().unwrap_or_default();
                match self.outside_text().map(str::parse) {
                    Some(Ok(
                        value @ (toml::Value::Boolean(_)
                        | toml::Value::Integer(_)
                        | toml::Value::Float(_)),
                    )) => value,
                    _ => toml::Value::String(text),
                }
            }
            ValueKind::Table(_) => {
                let entries = self.entries();
                let entries = entries
                    .iter()
                    .map(|(key, node)| ((*key).to_owned(), node.toml()));
                toml::Value::Table(entries.collect())
            }
            ValueKind::Array(items) => {
                let nodes = items.iter().enumerate().map(|(at, value)| Self {
                    path: index(&self.path, at),
                    shown: index(&self.shown, at),
                    ..self.with(value)
                });
                toml::Value::Array(nodes.map(|node| node.toml()).collect())
            }
        }
    }

    fn child(&self, key: &str, value: &'c Value) -> Self {
        let path = join(&self.path, key);
        Self {
            shown: path.clone(),
            path,
            ..self.with(value)
        }
    }

    fn with(&self, value: &'c Value) -> Self {
        Self {
            value,
            ..self.clone()
        }
    }
}

/// A table whose keys are all known. Every key asked for counts as known; [`Section::finish`]
/// reports the others.
pub(super) struct Section<'c> {
    node: Node<'c>,
    /// None for a section that is not there: every key in it is absent.
    table: Option<&'c Map<String, Value>>,
    asked: Vec<&'static str>,
}

impl<'c> Section<'c> {
    /// The value of `key`, if it is there.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Node<'c>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let value = self.table?.get(key)?;
        Some(self.node.child(key, value))
    }

    /// The section `key`; an empty one if it is absent or no table (which is reported).
    pub(super) fn section(&mut self, key: &'static str) -> Self {
        if let Some(section) = self.get(key).and_then(|node| node.section()) {
            return section;
        }
        let path = join(&self.node.path, key);
        Section {
            node: Node {
                shown: path.clone(),
                path,
                ..self.node.clone()
            },
            table: None,
            asked: Vec::new(),
        }
    }

    /// A duration from `min` to `max`, or `default` if it is absent or wrong (which is
    /// reported).
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        default: Duration,
        (min, max): (Duration, Duration),
    ) -> Duration {
        self.get(key)
            .and_then(|node| node.duration(min, max))
            .unwrap_or(default)
    }

    /// A whole number from `min` to `max`, or `default`.
    pub(super) fn integer(
        &mut self,
        key: &'static str,
        default: u32,
        (min, max): (u32, u32),
    ) -> u32 {
        self.get(key)
            .and_then(|node| node.integer(min, max))
            .unwrap_or(default)
    }

    /// A number with or without a fraction from `min` to `max`, or `default`.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        default: f64,
        (min, max): (f64, f64),
    ) -> f64 {
        self.get(key)
            .and_then(|node| node.number(min, max))
            .unwrap_or(default)
    }

    /// A truth value, or `default`.
    pub(super) fn boolean(&mut self, key: &'static str, default: bool) -> bool {
        self.get(key)
            .and_then(|node| node.boolean())
            .unwrap_or(default)
    }

    /// Whether the config has it.
    pub(super) const fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// The table itself.
    pub(super) fn node(&self) -> &Node<'c> {
        &self.node
    }

    /// Reports something about a key that is not there.
    pub(super) fn report(&self, key: &str, problem: Problem) {
        let whole = self.node.context.positions.whole();
        self.node.context.report(whole, key, problem);
    }

    /// Reports that `key` is not there.
    pub(super) fn missing(&self, key: &str, remedy: &'static str) {
        let place = layers::place(
            self.node.context.positions,
            self.node.value.origin(),
            &self.node.path,
        );
        let key = join(&self.node.path, key);
        self.node
            .context
            .report(place, &key, Problem::Missing { remedy });
    }

    /// Reports every key nobody asked for.
    pub(super) fn finish(self) {
        let Some(table) = self.table else {
            return;
        };
        for (key, value) in table {
            if self.asked.contains(&key.as_str()) {
                continue;
            }
            let path = join(&self.node.path, key);
            let context = self.node.context;
            let problem = Problem::UnknownKey {
                nearest: nearest(key, self.asked.iter().copied()).map(str::to_owned),
                known: self.asked.iter().map(|key| (*key).to_owned()).collect(),
            };
            let place = layers::key_place(context.positions, value.origin(), &path);
            context.report(place, &path, problem);
        }
    }
}

/// Whether a secret is plainly something to be replaced by one.
fn is_placeholder(text: &str) -> bool {
    let lower = text.to_lowercase();
    text.contains("${")
        || text.contains("{{")
        || (text.starts_with('$')
            && text
                .bytes()
                .skip(1)
                .all(|b| b.is_ascii_uppercase() || b == b'_'))
        || (text.starts_with('<') && text.ends_with('>'))
        || (text.starts_with('%') && text.ends_with('%'))
        || [
            "changeme",
            "change-me",
            "your_secret",
            "your-secret",
            "secret_key",
        ]
        .iter()
        .any(|start| lower.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::is_placeholder;

    #[test]
    fn placeholders_are_told_from_keys() {
        for text in [
            "${KEY}",
            "$KEY",
            "<secret>",
            "%KEY%",
            "{{ key }}",
            "changeme",
            "your_secret_key",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "a1b2c3d4",
            "$5$rounds",
            "a<b>",
            "sandbox-only",
            "test-secret",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
