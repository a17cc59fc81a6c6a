//! How a store is doing, and what to do when it is not well.

use botroupe_core::ledger::Counts;
use std::fmt;
use std::path::PathBuf;

/// How a store is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Condition {
    /// The file; `None` for a store in memory.
    pub path: Option<PathBuf>,
    /// What is wrong; `None` if nothing is.
    pub trouble: Option<Trouble>,
    /// Lists of changes that are not written yet.
    pub waiting: usize,
    /// What it takes on disk.
    pub sizes: Sizes,
    /// The oldest letter that is to be sent or to be confirmed: its number, and when it was written down, in Unix
    /// seconds. Up to a second old.
    pub oldest: Option<(u64, u64)>,
    /// How much there is of each kind, by what is written.
    pub counts: Counts,
    /// When the last back-up was made, in Unix seconds.
    pub backed_up: Option<u64>,
}

/// What a store takes on disk, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The file.
    pub file: u64,
    /// What is written but not yet in the file.
    pub log: u64,
}

/// What is wrong with a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trouble {
    /// What kind of trouble it is.
    pub cause: Cause,
    /// The words of the database.
    pub text: String,
    /// Since when, in Unix seconds.
    pub since: u64,
}

impl Trouble {
    /// Something that is wrong since a time, in Unix seconds.
    #[must_use]
    pub fn new(cause: Cause, text: impl Into<String>, since: u64) -> Self {
        Self {
            cause,
            text: text.into(),
            since,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}); {}", self.cause, self.text, self.cause.remedy())
    }
}

/// Why a store cannot write or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The disk, or the quota of the user, is full.
    Full,
    /// The file or its folder may not be written to.
    ReadOnly,
    /// Another process holds the file.
    Busy,
    /// The disk reported an error; what it acknowledged may not be there.
    Io,
    /// The file is damaged.
    Corrupt,
    /// Something else.
    Other,
}

impl Cause {
    /// The name of the cause in machine-readable output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::ReadOnly => "read_only",
            Self::Busy => "busy",
            Self::Io => "io",
            Self::Corrupt => "corrupt",
            Self::Other => "other",
        }
    }

    /// What to do.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Full => "free space on its disk; writing goes on by itself",
            Self::ReadOnly => {
                "let this user write to the file and its folder; writing goes on by itself"
            }
            Self::Busy => "end the other program that has the file open; writing goes on by itself",
            Self::Io => {
                "look at the disk and the system's log; it is tried again on a new connection"
            }
            Self::Corrupt => {
                "stop, keep a copy of the file, run `botroupe store check`, and put a back-up in its place"
            }
            Self::Other => "it is tried again; if it stays, restart",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the disk is full",
            Self::ReadOnly => "the file cannot be written to",
            Self::Busy => "another program holds the file",
            Self::Io => "the disk reports an error",
            Self::Corrupt => "the file is damaged",
            Self::Other => "the database failed",
        })
    }
}
