//! `[log]`: what is logged, where to, and how.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::Problem;
use super::model::AccountConfig;
use super::read::{Node, Section};

/// Lines of one place in the code that pass at once: a start with a mistake in it still fits on a page.
const BURST: u32 = 20;
/// A file of this size opens in every editor.
const FILE_SIZE: u64 = 64 << 20;
/// With [`FILE_SIZE`] half a GiB in all.
const FILES: u32 = 8;

/// `[log]`: what is logged, where to, and how. The command line can say otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogConfig {
    /// The lowest level that is logged.
    pub level: LogLevel,
    /// The format of a line on standard error.
    pub format: LogFormat,
    /// How many lines of one place in the code pass at once, and then one a second; 1 to 100,000.
    pub burst: u32,
    /// Whether lines go to journald instead of standard error.
    pub journal: LogJournal,
    /// A file that gets every line as well.
    pub file: Option<LogFileConfig>,
    /// Levels of parts of the program, by the name of a room, a module or a crate.
    pub modules: BTreeMap<String, LogLevel>,
    /// Levels of what concerns one account, by its UserID; a `*` at the end stands for any text.
    pub accounts: BTreeMap<String, LogLevel>,
}

impl Default for LogConfig {
    /// As when nothing is written.
    fn default() -> Self {
        Self {
            level: LogLevel::default(),
            format: LogFormat::default(),
            burst: BURST,
            journal: LogJournal::default(),
            file: None,
            modules: BTreeMap::new(),
            accounts: BTreeMap::new(),
        }
    }
}

impl LogConfig {
    /// Lets a relative path start where the config file is.
    pub(super) fn start_in(&mut self, folder: &Path) {
        if let Some(file) = &mut self.file {
            file.path = folder.join(&file.path);
        }
    }
}

/// `[log.file]`: a file of log lines that is put aside when it is full, or every day.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogFileConfig {
    /// The file. Those put aside have `.1` (the youngest), `.2`, … behind its name.
    pub path: PathBuf,
    /// The format of a line in it.
    pub format: LogFormat,
    /// The most bytes of one file; 4 KiB to 1 TiB.
    pub max_size: u64,
    /// How many files there are at most, the present one among them; 1 to 1,000.
    pub max_files: u32,
    /// Whether each day (UTC) begins a new file.
    pub daily: bool,
}

/// Whether lines go to journald, each with its fields, instead of standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogJournal {
    /// When standard error leads there, as in a systemd service.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The lowest level that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LogLevel {
    /// Problems that need a person.
    Error,
    /// Problems that may need a person.
    Warn,
    /// Start, stop, and every change of an account.
    #[default]
    Info,
    /// Decisions and their reasons.
    Debug,
    /// Every packet.
    Trace,
}

impl LogLevel {
    /// Every level with its name, as it is written.
    pub(super) const NAMES: [(&'static str, Self); 5] = [
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];

    /// The level of this name, as it is written.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, level)| *level)
    }

    /// The name, as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// One JSON object per line, for collectors.
    Json,
}

impl LogFormat {
    /// Every format with its name, as it is written.
    pub(super) const NAMES: [(&'static str, Self); 2] =
        [("pretty", Self::Pretty), ("json", Self::Json)];
}

/// Reads `[log]`.
pub(super) fn read(mut section: Section<'_>, accounts: &[AccountConfig]) -> LogConfig {
    let base = LogConfig::default();
    let config = LogConfig {
        level: level(section.get("level").as_ref()).unwrap_or_default(),
        format: format(section.get("format").as_ref()).unwrap_or_default(),
        burst: section.integer("burst", base.burst, (1, 100_000)),
        journal: section
            .get("journal")
            .and_then(|node| {
                node.choice(
                    "use of the journal",
                    &[
                        ("auto", LogJournal::Auto),
                        ("always", LogJournal::Always),
                        ("never", LogJournal::Never),
                    ],
                )
            })
            .unwrap_or_default(),
        file: section.get("file").and_then(|node| file(&node)),
        modules: levels(section.get("modules"), |node, name| {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let is_path = name
                .split("::")
                .all(|part| !part.is_empty() && part.chars().all(fits));
            if !is_path {
                node.report(Problem::Unusable {
                    reason: "this names no module; write a room of botroupe (\"gateway\"), a crate (\"awc\") or a module (\"my_bots::shop\")".into(),
                });
            }
            is_path
        }),
        accounts: levels(section.get("accounts"), |node, name| {
            let covered = accounts
                .iter()
                .any(|account| account_pattern_covers(name, account.name.as_str()));
            if !covered {
                node.report(Problem::Unusable {
                    reason:
                        "there is no account of this name; write a UserID, or its beginning and a *"
                            .into(),
                });
            }
            covered
        }),
    };
    section.finish();
    config
}

fn level(node: Option<&Node<'_>>) -> Option<LogLevel> {
    node?.choice("log level", &LogLevel::NAMES)
}

fn format(node: Option<&Node<'_>>) -> Option<LogFormat> {
    node?.choice("log format", &LogFormat::NAMES)
}

/// A table of names and levels.
fn levels(
    node: Option<Node<'_>>,
    is_known: impl Fn(&Node<'_>, &str) -> bool,
) -> BTreeMap<String, LogLevel> {
    let entries = node.map(|node| node.entries()).unwrap_or_default();
    let known = entries.into_iter().filter_map(|(name, node)| {
        let level = level(Some(&node));
        let known = is_known(&node, name);
        level
            .filter(|_| known)
            .map(|level| (name.to_owned(), level))
    });
    known.collect()
}

fn file(node: &Node<'_>) -> Option<LogFileConfig> {
    let mut section = node.section()?;
    let path = match section.get("path") {
        Some(node) => node.filled_text("name a file, or leave [log.file] out"),
        None => {
            section.missing("path", "name the file");
            None
        }
    };
    let format = format(section.get("format").as_ref());
    let max_size = section.get("max_size");
    let config = LogFileConfig {
        path: path.unwrap_or_default().into(),
        format: format.unwrap_or(LogFormat::Json),
        max_size: max_size
            .and_then(|node| node.size(4 << 10, 1 << 40))
            .unwrap_or(FILE_SIZE),
        max_files: section.integer("max_files", FILES, (1, 1_000)),
        daily: section.boolean("daily", false),
    };
    section.finish();
    Some(config)
}

/// Whether a UserID, or its beginning with a `*` behind it, stands for this account.
#[must_use]
pub(crate) fn account_pattern_covers(pattern: &str, account: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => account.starts_with(beginning),
        None => pattern == account,
    }
}
