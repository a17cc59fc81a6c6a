//! The places of keys and values in the config file.
//!
//! The file is parsed once with spans; every key path (`accounts[3].bots[0]`) is remembered with
//! its byte ranges, so that later checks can point at it.

use std::{collections::HashMap, fmt, ops::Range, sync::Arc};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The place that a value came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Place {
    /// A position in the config file.
    File {
        /// The name of the file, as given.
        file: Arc<str>,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// The config file as a whole, for missing keys.
    WholeFile {
        /// The name of the file, as given.
        file: Arc<str>,
    },
    /// An environment variable.
    Env {
        /// Its name.
        name: String,
    },
    /// A `--set key=value` on the command line.
    CommandLine {
        /// The key as given.
        key: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::WholeFile { file } => f.write_str(file),
            Self::Env { name } => write!(f, "environment variable {name}"),
            Self::CommandLine { key } => write!(f, "--set {key}"),
        }
    }
}

/// `parent.key`, or just `key` at the top; quoted where TOML wants quotes.
pub(super) fn join(parent: &str, key: &str) -> String {
    let bare = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    match (parent.is_empty(), bare) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{key:?}"),
        (false, true) => format!("{parent}.{key}"),
        (false, false) => format!("{parent}.{key:?}"),
    }
}

/// `parent[index]`.
pub(super) fn index(parent: &str, index: usize) -> String {
    format!("{parent}[{index}]")
}

/// The positions of everything in the config file, and in the files of accounts.
#[derive(Debug)]
pub(super) struct Positions {
    /// The config file first.
    texts: Vec<Lines>,
    spans: HashMap<String, Spans>,
}

/// The lines of one file.
#[derive(Debug)]
struct Lines {
    file: Arc<str>,
    /// The byte at which each line starts. The text itself is not kept: it holds secrets.
    lines: Vec<usize>,
    /// Every character of more than one byte: where it starts and how many bytes more it has.
    wide: Vec<(usize, usize)>,
}

#[derive(Debug)]
struct Spans {
    text: usize,
    key: usize,
    value: usize,
}

impl Lines {
    fn new(file: &str, text: &str) -> Self {
        let lines = std::iter::once(0)
            .chain(
                text.bytes()
                    .enumerate()
                    .filter(|(_, b)| *b == b'\n')
                    .map(|(at, _)| at + 1),
            )
            .collect();
        let wide = text
            .char_indices()
            .filter(|(_, c)| c.len_utf8() > 1)
            .map(|(at, c)| (at, c.len_utf8() - 1))
            .collect();
        Self {
            file: Arc::from(file),
            lines,
            wide,
        }
    }

    fn at(&self, byte: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= byte);
        let start = line
            .checked_sub(1)
            .and_then(|line| self.lines.get(line))
            .copied()
            .unwrap_or_default();
        let from = self.wide.partition_point(|(at, _)| *at < start);
        let extra: usize = self
            .wide
            .iter()
            .skip(from)
            .take_while(|(at, _)| *at < byte)
            .map(|(_, extra)| extra)
            .sum();
        Place::File {
            file: Arc::clone(&self.file),
            line,
            column: byte.saturating_sub(start).saturating_sub(extra) + 1,
        }
    }
}

impl Positions {
    /// Indexes the lines of `text`; key paths are added by [`Self::add_table`].
    pub(super) fn new(file: &str, text: &str) -> Self {
        Self {
            texts: vec![Lines::new(file, text)],
            spans: HashMap::new(),
        }
    }

    /// Turns to another file: what is added from now on stands there.
    pub(super) fn turn_to(&mut self, file: &str, text: &str) {
        self.texts.push(Lines::new(file, text));
    }

    /// Remembers the place of a value and of everything in it.
    pub(super) fn add_value(&mut self, path: &str, value: &Spanned<DeValue<'_>>) {
        self.add(path, value.span(), value.span(), value.get_ref());
    }

    /// Remembers that something stands at a byte.
    pub(super) fn add_at(&mut self, path: String, byte: usize) {
        let spans = Spans {
            text: self.texts.len() - 1,
            key: byte,
            value: byte,
        };
        self.spans.insert(path, spans);
    }

    /// Remembers the places of everything in `table`.
    pub(super) fn add_table(&mut self, parent: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let path = join(parent, key.get_ref());
            self.add(&path, key.span(), value.span(), value.get_ref());
        }
    }

    fn add(&mut self, path: &str, key: Range<usize>, span: Range<usize>, value: &DeValue<'_>) {
        let spans = Spans {
            text: self.texts.len() - 1,
            key: key.start,
            value: span.start,
        };
        self.spans.insert(path.to_owned(), spans);
        match value {
            DeValue::Table(table) => self.add_table(path, table),
            DeValue::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    let path = index(path, at);
                    self.add(&path, item.span(), item.span(), item.get_ref());
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }

    /// The place of the value at `path`; of the nearest section around it if there is none.
    pub(super) fn of_value(&self, path: &str) -> Place {
        match self.spans.get(path) {
            Some(spans) => self.in_text(spans.text, spans.value),
            None => match parent(path) {
                Some(parent) => self.of_value(parent),
                None => self.whole(),
            },
        }
    }

    /// The place of the key at `path`.
    pub(super) fn of_key(&self, path: &str) -> Place {
        match self.spans.get(path) {
            Some(spans) => self.in_text(spans.text, spans.key),
            None => self.of_value(path),
        }
    }

    /// The place of a byte of the last file.
    pub(super) fn at(&self, byte: usize) -> Place {
        self.in_text(self.texts.len() - 1, byte)
    }

    fn in_text(&self, text: usize, byte: usize) -> Place {
        match self.texts.get(text) {
            Some(lines) => lines.at(byte),
            None => self.whole(),
        }
    }

    /// The config file as a whole.
    pub(super) fn whole(&self) -> Place {
        let first = self.texts.first().map(|lines| Arc::clone(&lines.file));
        Place::WholeFile {
            file: first.unwrap_or_else(|| Arc::from("")),
        }
    }
}

/// The path without its last part. A quoted key with a dot in it is cut short; that only makes
/// the place less exact.
fn parent(path: &str) -> Option<&str> {
    path.rfind(['.', '[']).map(|at| &path[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, path: &str) -> String {
        let mut positions = Positions::new("c.toml", text);
        positions.add_table("", DeTable::parse(text).unwrap().get_ref());
        format!("{} {}", positions.of_key(path), positions.of_value(path))
    }

    #[test]
    fn points_at_keys_and_values() {
        let text = "a = 1\n[s]\n  list = [\"ä\", \"b\"] # ü\n[[t]]\nk = 1\n[[t]]\nk.x = 2\n";
        for (path, expected) in [
            ("a", "c.toml:1:1 c.toml:1:5"),
            ("s.list", "c.toml:3:3 c.toml:3:10"),
            ("s.list[1]", "c.toml:3:16 c.toml:3:16"),
            ("s.missing", "c.toml:2:1 c.toml:2:1"),
            ("t[1].k.x", "c.toml:7:3 c.toml:7:7"),
            ("t[1].gone", "c.toml:6:1 c.toml:6:1"),
            ("nowhere", "c.toml c.toml"),
            ("nowhere.at[1].all", "c.toml c.toml"),
        ] {
            assert_eq!(place(text, path), expected, "{path}");
        }
    }
}
