//! The log of the process.

use crate::config::LogLevel;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// When, in UTC: `2026-11-29T12:00:00.123456Z`.
    pub ts: String,
    /// `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
    pub level: String,
    /// The part of the program that says it.
    pub target: String,
    /// What it says.
    pub message: String,
    /// The account that it concerns; null for none.
    #[schema(required)]
    pub account: Option<String>,
    /// Everything else that belongs to it.
    #[schema(value_type = Object)]
    pub fields: Map<String, Value>,
}

/// The last lines of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    /// The oldest first.
    pub lines: Vec<LogLine>,
}

/// The first event of a stream of lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HelloLog {
    /// The number of the newest line.
    pub seq: u64,
}

/// How important a line has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LevelName {
    /// What went wrong.
    Error,
    /// What needs a look.
    Warn,
    /// What happens.
    Info,
    /// Why it happens.
    Debug,
    /// Every step.
    Trace,
}

impl From<LogLevel> for LevelName {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::Error,
            LogLevel::Warn => Self::Warn,
            LogLevel::Info => Self::Info,
            LogLevel::Debug => Self::Debug,
            LogLevel::Trace => Self::Trace,
        }
    }
}

impl From<LevelName> for LogLevel {
    fn from(level: LevelName) -> Self {
        match level {
            LevelName::Error => Self::Error,
            LevelName::Warn => Self::Warn,
            LevelName::Info => Self::Info,
            LevelName::Debug => Self::Debug,
            LevelName::Trace => Self::Trace,
        }
    }
}

/// What is logged at present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LevelsOfLog {
    /// The level of the whole.
    pub level: LevelName,
    /// Levels of parts of the program.
    pub modules: BTreeMap<String, LevelName>,
    /// Levels of what concerns accounts; a `*` at the end stands for any text.
    pub accounts: BTreeMap<String, LevelName>,
    /// Those of them that end by themselves.
    pub temporary: Vec<TemporaryLevel>,
    /// How many lines of floods were held back since the start.
    pub held_back: u64,
    /// How many lines could not be written since the start, by where they were to go.
    pub lost: BTreeMap<String, u64>,
}

/// A level that ends by itself. Without a module and an account it is that of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TemporaryLevel {
    /// Of this module.
    #[schema(required)]
    pub module: Option<String>,
    /// Of this account.
    #[schema(required)]
    pub account: Option<String>,
    /// The level.
    pub level: LevelName,
    /// When it ends, in Unix seconds.
    pub ends: u64,
}

/// A level for a part of the log. Without a module and an account it is for the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewLevel {
    /// Of this room of the program like `gateway`, crate, or module of one.
    pub module: Option<String>,
    /// Of what concerns this account, or those that begin like this, with a `*`.
    pub account: Option<String>,
    /// The level; null takes back what was set here before.
    pub level: Option<LevelName>,
    /// For how long, like `10m`: a second to a day. An hour, if nothing is said.
    #[serde(rename = "for")]
    pub long: Option<String>,
}
