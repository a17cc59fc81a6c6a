//! The mistakes of a config, described with their remedies.
//!
//! No error holds a secret: values of secret keys never get into a [`Problem`].

use std::fmt;

use thiserror::Error;

use super::{
    duration::DurationError,
    expand::ExpandError,
    pattern::{MAX_ACCOUNTS, PatternError},
    place::Place,
};
use crate::proto::id::IdError;

/// The most errors shown by `Display` of [`ConfigErrors`]; all of them are in
/// [`ConfigErrors::errors`].
const SHOWN: usize = 50;

/// One mistake: where, which key, what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {}{problem}", Prefix(.key))]
#[non_exhaustive]
pub struct ConfigError {
    /// Where the value came from.
    pub place: Place,
    /// The path of the key, for example `accounts[3].bots`; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub problem: Problem,
}

/// `key: `, or nothing.
struct Prefix<'a>(&'a str);

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, "{}: ", self.0)
    }
}

/// What is wrong with a key or its value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file is not TOML.
    #[error("this is not TOML: {message}")]
    Syntax {
        /// What the parser says; it never quotes the file.
        message: String,
    },
    /// The file is in another encoding.
    #[error("{looks}; save the file as UTF-8 text")]
    Encoding {
        /// What it looks like.
        looks: &'static str,
    },
    /// The file has another format.
    #[error(
        "this looks like {format}; a config is TOML: [section] and key = value, as in config.toml of the project"
    )]
    OtherFormat {
        /// Which.
        format: &'static str,
    },
    /// A byte that occurs in no text.
    #[error("a NUL byte; the file is damaged, or no text: save it as UTF-8 text")]
    NulByte,
    /// A typographic quotation mark or the like.
    #[error("{found} is no mark of TOML; write {right}")]
    OtherMark {
        /// The character in the file.
        found: char,
        /// The intended character.
        right: &'static str,
    },
    /// `[accounts]` for `[[accounts]]`.
    #[error("this is one table, and there may be many; write it with two brackets, [[{key}]]")]
    OneTable {
        /// The key.
        key: String,
    },
    /// Every account is switched off.
    #[error(
        "no account is enabled, so there is nothing to run; take out enabled = false at one at least"
    )]
    NoneEnabled,
    /// The sandbox's published key where strangers could use it.
    #[error("this key is shipped with the program, so everybody knows it; {remedy}")]
    PublicKey {
        /// What to do.
        remedy: &'static str,
    },
    /// Two accounts that would get the same UserSig.
    #[error(
        "{first:?} and {second:?} both end at {name}, and one UserSig belongs to one account{}",
        if second.contains('/') { "; {sdk_app_id} in it tells apps apart" } else { "" }
    )]
    SameSource {
        /// One account.
        first: String,
        /// Another.
        second: String,
        /// The file or variable.
        name: String,
    },
    /// Settings that are not of the bot's type.
    #[error("{reason}")]
    Settings {
        /// Why not, and what to do; never a value.
        reason: String,
    },
    /// Something that the value names cannot be used.
    #[error("{reason}")]
    Unusable {
        /// Why not.
        reason: String,
    },
    /// An unknown key.
    #[error("unknown key{}", choice(.nearest.as_ref(), .known))]
    UnknownKey {
        /// The known key that looks most like it.
        nearest: Option<String>,
        /// Every key known in this section.
        known: Vec<String>,
    },
    /// A `--set` or `BOTROUPE__…` that does not name one key.
    #[error("this does not name a key; {remedy}")]
    BadPath {
        /// The right form.
        remedy: &'static str,
    },
    /// A value of the wrong kind.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What was expected.
        expected: &'static str,
        /// What was found (its kind, not its value).
        found: &'static str,
    },
    /// A key that must be there.
    #[error("missing; {remedy}")]
    Missing {
        /// What to write.
        remedy: &'static str,
    },
    /// A value that must not be empty.
    #[error("empty; {remedy}")]
    Empty {
        /// What to write.
        remedy: &'static str,
    },
    /// A number or duration outside its range.
    #[error("{value} is out of range: expected {min} to {max}")]
    OutOfRange {
        /// The value.
        value: String,
        /// The least allowed.
        min: String,
        /// The most allowed.
        max: String,
    },
    /// Not a duration.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// `${…}` that cannot be expanded.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// Not a UserID or SDKAppID.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A UserID of a pattern that is not valid.
    #[error("{id:?}: {source}")]
    ExpandedId {
        /// The text the pattern gave.
        id: String,
        /// What is wrong with it.
        source: IdError,
    },
    /// A `user_id` pattern that cannot be expanded.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// More accounts than one config may have.
    #[error("more than {MAX_ACCOUNTS} accounts in all; split the config")]
    TooManyAccounts,
    /// The same UserID twice.
    #[error("duplicate account {user_id:?}, already at {first}{}", More(*.more))]
    DuplicateAccount {
        /// The UserID.
        user_id: String,
        /// Where it stands first.
        first: Place,
        /// How many more UserIDs of this entry are there already.
        more: usize,
    },
    /// An unknown name.
    #[error("unknown {what} {name:?}{}", choice(.nearest.as_ref(), .known))]
    UnknownName {
        /// The kind of name: "bot", "level", …
        what: &'static str,
        /// The text in the config.
        name: String,
        /// The known name that looks most like it.
        nearest: Option<String>,
        /// Every known name.
        known: Vec<String>,
    },
    /// Settings of a bot that the account does not run.
    #[error("the account does not run the bot {bot:?}; add it to bots, or remove its settings")]
    IdleSettings {
        /// Its name.
        bot: String,
    },
    /// A bot twice in one list.
    #[error("bot {bot:?} is listed twice")]
    RepeatedBot {
        /// Its name.
        bot: String,
    },
    /// A URL that cannot be a gateway.
    #[error(
        "not a WebSocket URL: {reason}; write for example \"wss://im.example.com\" or \"ws://127.0.0.1:7080\""
    )]
    Url {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Not an address to listen at.
    #[error(
        "{text:?} is not an address and a port; write for example \"127.0.0.1:7080\", or port 0 for any free one"
    )]
    Address {
        /// The text in the config.
        text: String,
    },
    /// No single address of this machine, or one that is named twice.
    #[error(
        "{text:?} cannot be bound to; name each address of this machine once, for example \"10.0.0.4\""
    )]
    Source {
        /// The text in the config.
        text: String,
    },
    /// The lower end of a range above the upper one.
    #[error("{min_key} ({min}) is above {max_key} ({max})")]
    MinAboveMax {
        /// The key of the lower end.
        min_key: &'static str,
        /// The key of the upper end.
        max_key: &'static str,
        /// The lower end as written or inherited.
        min: String,
        /// The upper end as written or inherited.
        max: String,
    },
    /// Accounts that have no way to log in.
    #[error(
        "account {user_id:?}{} has nothing to log in with; set {key} (the console shows \
         the key), or user_sig or a user_sig_… source for this account", More(*.more)
    )]
    NoCredentials {
        /// The first such account.
        user_id: String,
        /// How many more there are.
        more: usize,
        /// The key of its app's SecretKey.
        key: String,
    },
    /// One UserSig for a pattern of many accounts.
    #[error(
        "one UserSig belongs to one account, and this pattern stands for {accounts}; use app.secret_key \
         or write the accounts one by one"
    )]
    SharedUserSig {
        /// How many accounts the pattern stands for.
        accounts: usize,
    },
    /// More than one way to get UserSigs in one section.
    #[error("{first} and {second} are both given; keep one of them")]
    SeveralSources {
        /// The key of one.
        first: &'static str,
        /// The key of another.
        second: &'static str,
    },
    /// A source of UserSigs that gives every account the same one.
    #[error(
        "one UserSig belongs to one account, and {accounts} would get theirs here; write {{user_id}} \
         where it tells them apart"
    )]
    SharedSource {
        /// How many accounts use it.
        accounts: usize,
    },
    /// An environment variable that cannot have that name.
    #[error(
        "this is not the name of an environment variable (letters, digits, _, {{user_id}} and {{sdk_app_id}}, not \
         starting with a digit)"
    )]
    VariableName,
    /// A URL that no UserSig can be fetched from; never its text, which may hold a password.
    #[error("not a URL to fetch from: {reason}")]
    SourceUrl {
        /// What is wrong with it and what to do.
        reason: &'static str,
    },
    /// A header field that cannot be sent; never its value.
    #[error("not a header field: its {part} holds a character that is not allowed there")]
    Header {
        /// "name" or "value".
        part: &'static str,
    },
    /// A UserSig that is invalid or belongs to another account or app.
    #[error("this UserSig {reason}; make one with `botroupe usersig sign`")]
    UserSig {
        /// What is wrong; never its text.
        reason: &'static str,
    },
    /// A secret that cannot be valid.
    #[error("the secret {reason}")]
    Secret {
        /// What is wrong and what to do; never its text.
        reason: &'static str,
    },
    /// No `[[accounts]]`.
    #[error(
        "no accounts; add at least one:\n    [[accounts]]\n    user_id = \"echo-bot\"\n    bots = [\"echo\"]"
    )]
    NoAccounts,
    /// An environment variable that looks like a key of the config and is none.
    #[error("sets nothing; the name of the variable is {meant}, with two underscores")]
    MisspeltVariable {
        /// The intended name.
        meant: String,
    },
    /// The layers cannot be merged.
    #[error("the layers cannot be merged")]
    Merge,
}

/// `; did you mean "x"? (known: x, y)`.
struct Choice<'a> {
    nearest: Option<&'a String>,
    known: &'a [String],
}

const fn choice<'a>(nearest: Option<&'a String>, known: &'a [String]) -> Choice<'a> {
    Choice { nearest, known }
}

impl fmt::Display for Choice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(nearest) = self.nearest {
            write!(f, "; did you mean {nearest:?}?")?;
        }
        match self.known {
            [] => f.write_str(" (none is known)"),
            known => write!(f, " (known: {})", known.join(", ")),
        }
    }
}

/// ` and 3 more`, or nothing.
struct More(usize);

impl fmt::Display for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

/// Every mistake found in a config, at least one, in the order of the file, then the
/// environment, then the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    errors: Vec<ConfigError>,
}

impl ConfigErrors {
    /// In the order of the file. At least one.
    #[must_use]
    pub fn new(mut errors: Vec<ConfigError>) -> Self {
        let rank = |place: &Place| match place {
            Place::File { .. } => 0,
            Place::WholeFile { .. } => 1,
            Place::Env { .. } => 2,
            Place::CommandLine { .. } => 3,
        };
        errors.sort_by(|a, b| {
            (rank(&a.place), &a.place, &a.key).cmp(&(rank(&b.place), &b.place, &b.key))
        });
        Self { errors }
    }

    /// The mistakes.
    pub fn errors(&self) -> &[ConfigError] {
        &self.errors
    }
}

impl fmt::Display for ConfigErrors {
    /// One mistake per line; the first 50.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.errors.iter().take(SHOWN).enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        match self.errors.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for ConfigErrors {}
