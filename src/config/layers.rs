//! Lays the file, the environment and the command line over each other.
//!
//! The `config` crate does the merging; this module turns each layer into its values, each of
//! which remembers as its origin where it came from. Defaults are not a layer: they are applied
//! where a key is read and is absent (see [`super::defaults`]).

use std::{collections::BTreeSet, fmt};

use config::{Map, Source, Value, ValueKind};
use toml::de::{DeArray, DeTable, DeValue};

use super::{
    account_files::{self, AccountFile},
    env::Env,
    error::{ConfigError, Problem},
    looks,
    place::{Place, Positions, index, join},
    suggest::nearest,
};

/// The start of the environment variables that are a layer: `BOTROUPE__APP__SDK_APP_ID`.
pub const ENV_PREFIX: &str = "BOTROUPE__";

/// What a name starts with that was meant to be a layer, with one `_` too few.
const NEARLY_PREFIX: &str = "BOTROUPE_";
/// Variables of that beginning with a meaning of their own.
const OTHERS: [&str; 2] = ["BOTROUPE_LOG", "BOTROUPE_SECRET_KEY"];

/// What a variable was meant to be that sets nothing: `BOTROUPE_ENDPOINT`.
fn misspelt(name: &str) -> Option<String> {
    let rest = name.strip_prefix(NEARLY_PREFIX)?;
    if rest.starts_with('_') || OTHERS.contains(&name) {
        return None;
    }
    let root = rest.split('_').next().unwrap_or_default().to_lowercase();
    let rest = rest.get(root.len()..)?.trim_start_matches('_');
    ROOTS.contains(&root.as_str()).then(|| {
        let root = root.to_uppercase();
        if rest.is_empty() {
            format!("{ENV_PREFIX}{root}")
        } else {
            format!("{ENV_PREFIX}{root}__{rest}")
        }
    })
}

/// The top-level keys.
pub(super) const ROOTS: [&str; 22] = [
    "accounts",
    "accounts_command",
    "accounts_every",
    "accounts_from",
    "accounts_http",
    "admin",
    "alerts",
    "app",
    "apps",
    "bots",
    "defaults",
    "endpoint",
    "governor",
    "host",
    "io",
    "log",
    "proxy",
    "sandbox",
    "shutdown",
    "store",
    "tls",
    "traces",
];

/// The origin of what stands in the file; the position is looked up by the key's path.
pub(super) const FROM_FILE: &str = "file";
const FROM_ENV: &str = "env ";
const FROM_SET: &str = "set ";

/// The deepest key path that can be set from outside the file.
const MAX_DEPTH: usize = 16;

/// The place of a merged value, from its origin and its path.
pub(super) fn place(positions: &Positions, origin: Option<&str>, path: &str) -> Place {
    outside(origin).unwrap_or_else(|| positions.of_value(path))
}

/// The same, but of the key rather than of the value.
pub(super) fn key_place(positions: &Positions, origin: Option<&str>, path: &str) -> Place {
    outside(origin).unwrap_or_else(|| positions.of_key(path))
}

fn outside(origin: Option<&str>) -> Option<Place> {
    let origin = origin?;
    if let Some(name) = origin.strip_prefix(FROM_ENV) {
        return Some(Place::Env {
            name: name.to_owned(),
        });
    }
    origin.strip_prefix(FROM_SET).map(|key| Place::CommandLine {
        key: key.to_owned(),
    })
}

/// Whether a value with this origin is text from outside the file, whose type is still open.
pub(super) fn is_outside(origin: Option<&str>) -> bool {
    outside(origin).is_some()
}

/// Which layer set how much, for `explain`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Contributions {
    /// Values in the file.
    pub(super) file: usize,
    /// Environment variables, by name.
    pub(super) env: Vec<String>,
    /// `--set` keys.
    pub(super) command_line: Vec<String>,
}

/// The merged tree, the positions in the file, and which layer set how much.
pub(super) struct Merged {
    pub(super) root: Value,
    pub(super) contributions: Contributions,
}

/// Parses the file and merges the three layers. What cannot be merged (unknown top-level keys,
/// paths that name no key) is left out and reported in `errors`.
pub(super) fn merge(
    (text, files): (&str, &[AccountFile]),
    env: &dyn Env,
    overrides: &[(String, String)],
    positions: &mut Positions,
    errors: &mut Vec<ConfigError>,
) -> Option<Merged> {
    let mut contributions = Contributions::default();
    let before = errors.len();
    let (table, syntax) = DeTable::parse_recoverable(text);
    for error in syntax {
        let at = error.span().map(|span| span.start);
        if let Some((at, problem)) = looks::instead(text, at.unwrap_or(0)) {
            // What else the parser says of such a file helps nobody.
            errors.truncate(before);
            errors.push(ConfigError {
                place: positions.at(at),
                key: String::new(),
                problem,
            });
            return None;
        }
        errors.push(ConfigError {
            place: at.map_or_else(|| positions.whole(), |at| positions.at(at)),
            key: String::new(),
            problem: Problem::Syntax {
                message: error.message().to_owned(),
            },
        });
    }
    if errors.len() > before {
        // What a half-read file says is guesswork; further errors would mislead.
        return None;
    }
    positions.add_table("", table.get_ref());
    let mut reader = FileReader {
        positions,
        errors,
        values: 0,
    };
    let mut layer = Layer {
        values: reader.table("", table.get_ref()),
    };
    contributions.file = reader.values;
    add_accounts(&mut layer, files, positions, errors);
    let accounts = match layer.values.get("accounts").map(|value| &value.kind) {
        Some(ValueKind::Array(accounts)) => accounts.len(),
        _ => 0,
    };

    for (name, _) in env.with_prefix(NEARLY_PREFIX) {
        if let Some(meant) = misspelt(&name) {
            errors.push(ConfigError {
                place: Place::Env { name },
                key: String::new(),
                problem: Problem::MisspeltVariable { meant },
            });
        }
    }
    let mut vars = env.with_prefix(ENV_PREFIX);
    vars.sort();
    let mut outside = Vec::new();
    for (name, value) in vars {
        let key = env_key(name.strip_prefix(ENV_PREFIX).unwrap_or_default());
        outside.push((format!("{FROM_ENV}{name}"), key, value));
        contributions.env.push(name);
    }
    for (key, value) in overrides {
        outside.push((
            format!("{FROM_SET}{key}"),
            key.trim().to_owned(),
            value.clone(),
        ));
        contributions.command_line.push(key.clone());
    }
    let mut builder = config::Config::builder().add_source(layer);
    for (origin, key, value) in outside {
        match check_path(&key, accounts) {
            Ok(()) => {
                builder = builder.add_source(Layer {
                    values: Map::from([(key, outside_value(&origin, &value))]),
                });
            }
            Err(problem) => errors.push(ConfigError {
                place: place(positions, Some(&origin), &key),
                key,
                problem,
            }),
        }
    }
    match builder.build() {
        Ok(merged) => Some(Merged {
            root: merged.cache,
            contributions,
        }),
        Err(_) => {
            errors.push(ConfigError {
                place: positions.whole(),
                key: String::new(),
                problem: Problem::Merge,
            });
            None
        }
    }
}

/// Adds the accounts of the files to those of the config.
fn add_accounts(
    layer: &mut Layer,
    files: &[AccountFile],
    positions: &mut Positions,
    errors: &mut Vec<ConfigError>,
) {
    if files.is_empty() {
        return;
    }
    let none = || Value::new(Some(&FROM_FILE.to_owned()), ValueKind::Array(Vec::new()));
    let accounts = layer
        .values
        .entry("accounts".to_owned())
        .or_insert_with(none);
    // What is no list is reported later.
    if let ValueKind::Array(accounts) = &mut accounts.kind {
        let more = account_files::read(files, accounts.len(), positions, errors);
        accounts.extend(more);
    }
}

/// The value at a path of a file of accounts.
pub(super) fn file_value(
    path: &str,
    value: &DeValue<'_>,
    positions: &Positions,
    errors: &mut Vec<ConfigError>,
) -> Value {
    let mut reader = FileReader {
        positions,
        errors,
        values: 0,
    };
    reader.value(path, value)
}

/// One layer as the `config` crate takes it. `Debug` shows no values: they may be secrets.
#[derive(Clone, Default)]
struct Layer {
    values: Map<String, Value>,
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: BTreeSet<&String> = self.values.keys().collect();
        f.debug_struct("Layer").field("keys", &keys).finish()
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.values.clone())
    }
}

/// Turns the parsed file into values.
struct FileReader<'a> {
    positions: &'a Positions,
    errors: &'a mut Vec<ConfigError>,
    values: usize,
}

impl FileReader<'_> {
    fn table(&mut self, parent: &str, table: &DeTable<'_>) -> Map<String, Value> {
        let mut out = Map::new();
        for (key, value) in table {
            let path = join(parent, key.get_ref());
            if parent.is_empty()
                && let Err(problem) = known_root(key.get_ref())
            {
                self.errors.push(ConfigError {
                    place: self.positions.of_key(&path),
                    key: path,
                    problem,
                });
                continue;
            }
            let value = self.value(&path, value.get_ref());
            out.insert(key.get_ref().clone().into_owned(), value);
        }
        out
    }

    fn value(&mut self, path: &str, value: &DeValue<'_>) -> Value {
        let kind = match value {
            DeValue::Table(table) => ValueKind::Table(self.table(path, table)),
            DeValue::Array(items) => ValueKind::Array(self.array(path, items)),
            scalar => {
                self.values += 1;
                self.scalar(path, scalar)
            }
        };
        Value::new(Some(&FROM_FILE.to_owned()), kind)
    }

    fn array(&mut self, path: &str, items: &DeArray<'_>) -> Vec<Value> {
        items
            .iter()
            .enumerate()
            .map(|(at, item)| self.value(&index(path, at), item.get_ref()))
            .collect()
    }

    fn scalar(&mut self, path: &str, value: &DeValue<'_>) -> ValueKind {
        match value {
            DeValue::String(text) => ValueKind::String(text.clone().into_owned()),
            DeValue::Boolean(value) => ValueKind::Boolean(*value),
            DeValue::Integer(integer) => {
                match i64::from_str_radix(integer.as_str(), integer.radix()) {
                    Ok(value) => ValueKind::I64(value),
                    Err(_) => {
                        self.errors.push(ConfigError {
                            place: self.positions.of_value(path),
                            key: path.to_owned(),
                            problem: Problem::OutOfRange {
                                value: "this integer".to_owned(),
                                min: i64::MIN.to_string(),
                                max: i64::MAX.to_string(),
                            },
                        });
                        ValueKind::I64(1)
                    }
                }
            }
            DeValue::Float(float) => ValueKind::Float(float.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Datetime(datetime) => ValueKind::String(datetime.to_string()),
            DeValue::Table(_) | DeValue::Array(_) => ValueKind::Nil,
        }
    }
}

fn known_root(key: &str) -> Result<(), Problem> {
    if ROOTS.contains(&key) {
        return Ok(());
    }
    Err(Problem::UnknownKey {
        nearest: nearest(key, ROOTS).map(str::to_owned),
        known: ROOTS.map(str::to_owned).to_vec(),
    })
}

/// The variable that sets a key: `BOTROUPE__APP__SECRET_KEY` for `app.secret_key`.
#[must_use]
pub fn env_name(key: &str) -> String {
    let key = key.trim().replace('[', ".").replace(']', "");
    format!("{ENV_PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// `APP__SDK_APP_ID` is `app.sdk_app_id`; `ACCOUNTS__0__BOTS` is `accounts[0].bots`.
fn env_key(name: &str) -> String {
    let mut key = String::new();
    for part in name.split("__") {
        let is_index = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if is_index && key == "accounts" {
            key = format!("{key}[{part}]");
        } else {
            if !key.is_empty() {
                key.push('.');
            }
            key.push_str(&part.to_lowercase());
        }
    }
    key
}

/// Checks that `key` is a path the `config` crate can set, and that an index is that of an
/// account the file has: it would fill the gap with nothings otherwise, however wide.
fn check_path(key: &str, accounts: usize) -> Result<(), Problem> {
    let mut parts = key.split('.');
    let root = parts.next().unwrap_or_default();
    let (root, account) = match root.split_once('[') {
        Some((root, rest)) => (root, Some(rest.strip_suffix(']').unwrap_or("?"))),
        None => (root, None),
    };
    known_root(root)?;
    let bare = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    let rest: Vec<&str> = parts.collect();
    if rest.len() > MAX_DEPTH || !rest.iter().all(|part| bare(part)) {
        return Err(Problem::BadPath {
            remedy: "write the names with dots between them, as in sandbox.listen",
        });
    }
    match account {
        None => Ok(()),
        Some(at) if root == "accounts" => match at.parse::<usize>() {
            Ok(at) if at < accounts => Ok(()),
            _ => Err(Problem::BadPath {
                remedy: "the index must be that of an [[accounts]] in the file, counted from 0",
            }),
        },
        Some(_) => Err(Problem::BadPath {
            remedy: "only accounts takes an index, as in accounts[0].bots",
        }),
    }
}

/// Text from outside. What looks like a TOML array, inline table or quoted string is read as
/// one; anything else stays text until the key that takes it says what it is.
fn outside_value(origin: &str, text: &str) -> Value {
    let origin = origin.to_owned();
    if text.starts_with(['[', '{', '"', '\''])
        && let Ok(value) = DeValue::parse(text)
    {
        return outside_toml(&origin, value.get_ref());
    }
    Value::new(Some(&origin), ValueKind::String(text.to_owned()))
}

fn outside_toml(origin: &String, value: &DeValue<'_>) -> Value {
    let kind = match value {
        DeValue::Table(table) => ValueKind::Table(
            table
                .iter()
                .map(|(key, value)| {
                    let key = key.get_ref().clone().into_owned();
                    (key, outside_toml(origin, value.get_ref()))
                })
                .collect(),
        ),
        DeValue::Array(items) => ValueKind::Array(
            items
                .iter()
                .map(|item| outside_toml(origin, item.get_ref()))
                .collect(),
        ),
        DeValue::String(text) => ValueKind::String(text.clone().into_owned()),
        DeValue::Boolean(value) => ValueKind::Boolean(*value),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(value) => ValueKind::I64(value),
            Err(_) => ValueKind::String(integer.to_string()),
        },
        DeValue::Float(float) => ValueKind::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Datetime(datetime) => ValueKind::String(datetime.to_string()),
    };
    Value::new(Some(origin), kind)
}
