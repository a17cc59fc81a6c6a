//! Why a command could not be understood, and how its author is told.

use super::kind::Wanted;
use super::pattern::Argument;
use super::written;
use crate::bot::language::Texts;

/// What somebody wrote does not fit the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bot) struct UsageError(Box<UsageMistake>);

/// What is wrong with it. All that was written is already short and harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UsageMistake {
    Missing(String),
    TooMany(String),
    Unclosed {
        quote: char,
        near: String,
    },
    Wrong {
        argument: String,
        written: String,
        wanted: Wanted,
    },
    /// The bot's own type did not take it, and said why.
    Refused {
        argument: String,
        written: String,
        reason: String,
    },
    UnknownOption {
        option: String,
        nearest: Option<String>,
    },
    OptionWithoutValue(String),
    OptionWithValue(String),
    OptionTwice(String),
}

impl From<UsageMistake> for UsageError {
    fn from(mistake: UsageMistake) -> Self {
        Self(Box::new(mistake))
    }
}

impl UsageError {
    pub(super) fn wrong(argument: &Argument, text: &str, wanted: Wanted) -> Self {
        UsageMistake::Wrong {
            argument: argument.label(),
            written: written::quotable(text),
            wanted,
        }
        .into()
    }

    /// The sentence that tells it.
    pub(super) fn say(&self, texts: &Texts) -> String {
        let with = |id: &str, values: &[(&str, &str)]| {
            let values: Vec<_> = values.iter().map(|(k, v)| (*k, (*v).into())).collect();
            texts.with(id, &values)
        };
        match &*self.0 {
            UsageMistake::Missing(argument) => with("usage-missing", &[("argument", argument)]),
            UsageMistake::TooMany(written) => with("usage-too-many", &[("written", written)]),
            UsageMistake::Unclosed { quote, near } => with(
                "usage-unclosed",
                &[("quote", quote.encode_utf8(&mut [0; 4])), ("near", near)],
            ),
            UsageMistake::Wrong {
                argument,
                written,
                wanted,
            } => with(
                "usage-wrong",
                &[
                    ("argument", argument),
                    ("written", written),
                    ("wanted", &wanted.say(texts)),
                ],
            ),
            UsageMistake::Refused {
                argument,
                written,
                reason,
            } => with(
                "usage-refused",
                &[
                    ("argument", argument),
                    ("written", written),
                    ("reason", reason),
                ],
            ),
            UsageMistake::UnknownOption {
                option,
                nearest: None,
            } => with("usage-unknown-option", &[("option", option)]),
            UsageMistake::UnknownOption {
                option,
                nearest: Some(nearest),
            } => with(
                "usage-unknown-option-near",
                &[("option", option), ("nearest", nearest)],
            ),
            UsageMistake::OptionWithoutValue(option) => {
                with("usage-option-without-value", &[("option", option)])
            }
            UsageMistake::OptionWithValue(option) => {
                with("usage-option-with-value", &[("option", option)])
            }
            UsageMistake::OptionTwice(option) => with("usage-option-twice", &[("option", option)]),
        }
    }
}
