//! Accounts that stand elsewhere, in files or in the answers of a program or a service: TOML with `[[accounts]]`, CSV
//! with a line for each, or JSON.

use super::account_source::AccountSource;
use super::error::{ConfigError, Problem};
use super::layers::file_value;
use super::place::{Positions, index, join};
use config::{Map, Value, ValueKind};
use toml::de::{DeTable, DeValue};

/// The key that names the files.
pub(super) const KEY: &str = "accounts_from";
/// Where the values of a file come from, as those of the config file.
const ORIGIN: &str = super::layers::FROM_FILE;

/// A file of accounts, or what a program or a service has answered.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountFile {
    name: String,
    text: Result<String, String>,
    /// The key that names it.
    key: &'static str,
}

/// What a text of accounts is written in.
enum Format {
    Toml,
    Csv,
    Json,
}

impl AccountFile {
    /// A file. `text` is what it holds, or why it cannot be read. What ends in `.csv` is CSV, in `.json` JSON, everything
    /// else TOML.
    #[must_use]
    pub const fn new(name: String, text: Result<String, String>) -> Self {
        Self {
            name,
            text,
            key: KEY,
        }
    }

    /// What a source has answered, or why it did not. It is JSON, TOML or CSV, as it begins like.
    #[must_use]
    pub fn answer(source: &AccountSource, text: Result<String, String>) -> Self {
        Self {
            name: source.to_string(),
            text,
            key: source.key(),
        }
    }

    fn format(&self, text: &str) -> Format {
        let end = |end: &str| self.name.ends_with(end);
        if self.key == KEY {
            return match (end(".csv"), end(".json")) {
                (true, _) => Format::Csv,
                (_, true) => Format::Json,
                _ => Format::Toml,
            };
        }
        let text = text.trim_start();
        if text.starts_with("[[") || text.starts_with('#') {
            Format::Toml
        } else if text.starts_with(['[', '{']) {
            Format::Json
        } else {
            Format::Csv
        }
    }
}

impl std::fmt::Debug for AccountFile {
    /// Shows no text: it may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountFile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The files alone, without what was answered.
pub(super) fn without_answers(files: &[AccountFile]) -> Vec<AccountFile> {
    let files = files.iter().filter(|file| file.key == KEY);
    files.cloned().collect()
}

/// Reads the files, and returns the accounts of all. `first` is the number of the first among the accounts of the
/// config.
pub(super) fn read(
    files: &[AccountFile],
    first: usize,
    positions: &mut Positions,
    errors: &mut Vec<ConfigError>,
) -> Vec<Value> {
    let mut all = Vec::new();
    for file in files {
        let text = match &file.text {
            Ok(text) => text,
            Err(reason) => {
                errors.push(ConfigError {
                    place: positions.of_value(file.key),
                    key: file.key.to_owned(),
                    problem: Problem::Unusable {
                        reason: format!("{}: {reason}", file.name),
                    },
                });
                continue;
            }
        };
        positions.turn_to(&file.name, text);
        let from = first + all.len();
        let before = (all.len(), errors.len());
        match file.format(text) {
            Format::Csv => csv(text, from, positions, errors, &mut all),
            Format::Json => json(text, from, positions, errors, &mut all),
            Format::Toml => toml(text, from, positions, errors, &mut all),
        }
        // A source that is broken often answers with nothing. Its accounts must not all stop for that.
        if file.key != KEY && (all.len(), errors.len()) == before {
            errors.push(ConfigError {
                place: positions.at(0),
                key: file.key.to_owned(),
                problem: Problem::Unusable {
                    reason: "it names no account at all".to_owned(),
                },
            });
        }
    }
    all
}

fn toml(
    text: &str,
    from: usize,
    positions: &mut Positions,
    errors: &mut Vec<ConfigError>,
    all: &mut Vec<Value>,
) {
    let (table, syntax) = DeTable::parse_recoverable(text);
    if !syntax.is_empty() {
        errors.extend(syntax.into_iter().map(|error| ConfigError {
            place: positions.at(error.span().map_or(0, |span| span.start)),
            key: String::new(),
            problem: Problem::Syntax {
                message: error.message().to_owned(),
            },
        }));
        return;
    }
    for (key, value) in table.get_ref() {
        let items = match value.get_ref() {
            DeValue::Array(items) if key.get_ref() == "accounts" => items,
            _ => {
                errors.push(ConfigError {
                    place: positions.at(key.span().start),
                    key: key.get_ref().to_string(),
                    problem: Problem::Unusable {
                        reason: "a file of accounts holds [[accounts]] and nothing else".to_owned(),
                    },
                });
                continue;
            }
        };
        for (at, item) in items.iter().enumerate() {
            let path = index("accounts", from + at);
            positions.add_value(&path, item);
            all.push(file_value(&path, item.get_ref(), positions, errors));
        }
    }
}

/// Lines with a head that names the keys. `bots` are parted by white space; an empty field is no key.
fn csv(
    text: &str,
    from: usize,
    positions: &mut Positions,
    errors: &mut Vec<ConfigError>,
    all: &mut Vec<Value>,
) {
    let mut reader = ::csv::ReaderBuilder::new()
        .trim(::csv::Trim::All)
        .from_reader(text.as_bytes());
    let wrong = |at: usize, positions: &Positions, reason: String| ConfigError {
        place: positions.at(at),
        key: String::new(),
        problem: Problem::Unusable { reason },
    };
    let head = match reader.headers() {
        Ok(head) if head.iter().any(|key| key == "user_id") => head.clone(),
        _ => {
            let reason = "the first line of a CSV of accounts names its columns: user_id,bots";
            return errors.push(wrong(0, positions, reason.to_owned()));
        }
    };
    for (row, record) in reader.records().enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let at = error.position().map_or(0, |at| at.byte());
                let at = usize::try_from(at).unwrap_or(usize::MAX);
                let columns = head.len();
                let reason =
                    format!("a line has another number of fields than the {columns} columns");
                errors.push(wrong(at, positions, reason));
                return;
            }
        };
        let at = record.position().map_or(0, |at| at.byte());
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let path = index("accounts", from + row);
        positions.add_at(path.clone(), at);
        let mut table = Map::new();
        for (key, text) in head
            .iter()
            .zip(&record)
            .filter(|(_, text)| !text.is_empty())
        {
            positions.add_at(join(&path, key), at);
            let kind = match (key, text) {
                ("bots", names) => {
                    let names = names.split_whitespace();
                    ValueKind::Array(names.map(|name| value(ValueKind::from(name))).collect())
                }
                ("enabled", "true" | "1" | "yes") => ValueKind::Boolean(true),
                ("enabled", "false" | "0" | "no") => ValueKind::Boolean(false),
                (_, text) => ValueKind::from(text),
            };
            table.insert(key.to_owned(), value(kind));
        }
        all.push(value(ValueKind::Table(table)));
    }
}

/// A list of objects with the keys of `[[accounts]]`, or an object with such a list as `accounts`.
fn json(
    text: &str,
    from: usize,
    positions: &mut Positions,
    errors: &mut Vec<ConfigError>,
    all: &mut Vec<Value>,
) {
    let mut wrong = |reason: String| {
        errors.push(ConfigError {
            place: positions.at(0),
            key: String::new(),
            problem: Problem::Unusable { reason },
        });
    };
    let parsed = match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(mut object)) if object.len() == 1 => object.remove("accounts"),
        Ok(list) => Some(list),
        Err(error) => {
            // The words of serde_json quote none of the text.
            let (line, column) = (error.line(), error.column());
            return wrong(format!(
                "this is not JSON, from line {line}, column {column} on"
            ));
        }
    };
    let Some(serde_json::Value::Array(items)) = parsed else {
        return wrong(
            "accounts in JSON are a list of objects, or {\"accounts\": [...]}".to_owned(),
        );
    };
    for (at, item) in items.into_iter().enumerate() {
        // A value in JSON has no place of its own: its path says where it is.
        positions.add_at(index("accounts", from + at), 0);
        all.push(json_value(item));
    }
}

fn json_value(json: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    value(match json {
        Json::Null => ValueKind::Nil,
        Json::Bool(is) => ValueKind::Boolean(is),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => ValueKind::I64(number),
            (None, number) => ValueKind::Float(number.unwrap_or(f64::MAX)),
        },
        Json::String(text) => ValueKind::String(text),
        Json::Array(items) => ValueKind::Array(items.into_iter().map(json_value).collect()),
        Json::Object(entries) => {
            // `null` is no key.
            let entries = entries.into_iter().filter(|(_, value)| !value.is_null());
            ValueKind::Table(entries.map(|(key, item)| (key, json_value(item))).collect())
        }
    })
}

fn value(kind: ValueKind) -> Value {
    Value::new(Some(&ORIGIN.to_owned()), kind)
}
