//! Accounts that stand in files of their own: TOML with `[[accounts]]`, or CSV with a line for each.

use super::error::{ConfigError, Problem};
use super::layers::file_value;
use super::place::{Positions, index, join};
use config::{Map, Value, ValueKind};
use toml::de::{DeTable, DeValue};

/// The key that names the files.
pub(super) const KEY: &str = "accounts_from";
/// Where the values of a file come from, as those of the config file.
const ORIGIN: &str = super::layers::FROM_FILE;

/// A file of accounts.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountFile {
    /// Its name, for messages. What ends in `.csv` is CSV, everything else TOML.
    pub name: String,
    /// Its text, or why it cannot be read.
    pub text: Result<String, String>,
}

impl std::fmt::Debug for AccountFile {
    /// Shows no text: it may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountFile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
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
                    place: positions.of_value(KEY),
                    key: KEY.to_owned(),
                    problem: Problem::Unusable {
                        reason: format!("{}: {reason}", file.name),
                    },
                });
                continue;
            }
        };
        positions.turn_to(&file.name, text);
        let from = first + all.len();
        if file.name.ends_with(".csv") {
            csv(text, from, positions, errors, &mut all);
        } else {
            toml(text, from, positions, errors, &mut all);
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
        Ok(head) => head.clone(),
        Err(_) => {
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

fn value(kind: ValueKind) -> Value {
    Value::new(Some(&ORIGIN.to_owned()), kind)
}
