//! What can be wrong with the pattern of a command.

use std::fmt;

/// The most arguments of a command.
pub(super) const MOST: usize = 32;

/// A pattern of a command that cannot be read: the place of the mistake, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the command {pattern:?} has a mistake in column {column}: {mistake}")]
pub struct PatternError {
    pub(super) pattern: String,
    pub(super) column: usize,
    pub(super) mistake: PatternMistake,
}

impl PatternError {
    /// The character of the pattern where the mistake is, from 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// What is wrong.
    #[must_use]
    pub const fn mistake(&self) -> &PatternMistake {
        &self.mistake
    }
}

/// What can be wrong with a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternMistake {
    /// It does not begin with a name.
    #[error("a command begins with its name: \"weather <city>\"")]
    NoName,
    /// A name with characters that nobody could type as one word.
    #[error("{0:?} cannot be in a name; letters, digits, \"-\" and \"_\" can")]
    Character(char),
    /// An argument without a name.
    #[error("an argument needs a name that begins with a letter: \"<city>\"")]
    NoArgumentName,
    /// A bracket that is not closed.
    #[error("{0:?} is not closed")]
    Open(char),
    /// A bracket that was not opened.
    #[error("{0:?} closes nothing")]
    NotOpen(char),
    /// A word behind the first argument.
    #[error(
        "names of sub-commands stand in front of the arguments; an argument is \"<{0}>\" or \"[{0}]\""
    )]
    WordAfterArgument(String),
    /// An unknown kind.
    #[error(
        "unknown kind {kind:?}{}; known: text, int, 1..7, number, bool, duration, user, group, date, a|b",
        Meant(.nearest)
    )]
    UnknownKind {
        /// The kind in the pattern.
        kind: String,
        /// The kind that looks most like it.
        nearest: Option<&'static str>,
    },
    /// A range that holds no number.
    #[error("the range {0:?} holds no whole number; write the smaller end first: \"1..7\"")]
    Range(String),
    /// A choice of nothing, or the same twice.
    #[error("each choice is there once: \"<unit:celsius|fahrenheit>\"")]
    Choices,
    /// A required argument behind one that may be missing.
    #[error(
        "<{0}> is required and stands behind one that may be missing: move it to the front, or make it an option, \"[--{0} <{0}>]\""
    )]
    RequiredAfterOptional(String),
    /// An argument behind one that takes all that is left.
    #[error("nothing can stand behind {0:?}, which takes all that is left")]
    AfterLast(String),
    /// Two arguments of one name.
    #[error("{0:?} is there twice")]
    Twice(String),
    /// An option whose value is not clear.
    #[error("an option is \"[--{0}]\", or \"[--{0} <value>]\" with a value")]
    Option(String),
    /// More arguments than anybody could write.
    #[error("a command has at most {MOST} arguments")]
    TooMany,
}

/// `; did you mean "x"?`, or nothing.
struct Meant<'a>(&'a Option<&'static str>);

impl fmt::Display for Meant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "; did you mean {name:?}?"),
            None => Ok(()),
        }
    }
}
