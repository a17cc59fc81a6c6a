//! Reads what a person wrote behind the name of a command.

use super::kind::{Context, Kind, Value, Wanted};
use super::pattern::{Argument, Form, Many, Pattern};
use super::usage::{UsageError, UsageMistake};
use super::words::{Word, Words};
use super::written;
use crate::config::nearest;
use jiff::civil::Date;
use std::sync::Arc;

/// What was given for the arguments of a pattern, in their order.
#[derive(Clone, Debug)]
pub(in crate::bot) struct Given {
    pub(super) pattern: Arc<Pattern>,
    pub(super) taken: Vec<Taken>,
}

/// What one argument has: nothing, one value, or several if it is repeated. A flag that is not there is `false`.
pub(super) type Taken = Vec<One>;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct One {
    pub(super) written: String,
    pub(super) value: Value,
}

/// What a text may refer to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    /// The text in front of the arguments, in which somebody may be mentioned, too.
    pub(super) before: &'a str,
    /// The UserIDs that the message mentions, in the order of the text.
    pub(super) mentions: &'a [&'a str],
    pub(super) today: Date,
}

impl Given {
    /// Reads the arguments from `text`.
    ///
    /// # Errors
    /// The first thing that does not fit the pattern.
    pub(super) fn read(
        pattern: &Arc<Pattern>,
        text: &str,
        around: Around<'_>,
    ) -> Result<Self, UsageError> {
        let mut reader = Reader {
            pattern,
            text,
            around,
            words: Words::new(text),
            taken: vec![Taken::new(); pattern.arguments.len()],
        };
        reader.read()?;
        let mut taken = reader.taken;
        for (argument, taken) in pattern.arguments.iter().zip(&mut taken) {
            if taken.is_empty() && argument.is_required {
                return Err(UsageMistake::Missing(argument.usage()).into());
            }
            if taken.is_empty() && argument.form == Form::Flag {
                taken.push(One {
                    written: String::new(),
                    value: Value::YesOrNo(false),
                });
            }
        }
        Ok(Self {
            pattern: pattern.clone(),
            taken,
        })
    }

    /// The text of the first argument, as it was written.
    pub(super) fn first_text(&self) -> &str {
        let first = self.taken.first().and_then(|taken| taken.first());
        first.map_or("", |one| one.written.as_str())
    }

    /// What somebody might give: everything, or only what is required.
    pub(super) fn sample(pattern: &Arc<Pattern>, all: bool, round: usize) -> Self {
        let taken = pattern.arguments.iter().map(|argument| {
            if all || argument.is_required || argument.form == Form::Flag {
                let (written, value) = argument.sample(round);
                vec![One { written, value }]
            } else {
                Taken::new()
            }
        });
        Self {
            taken: taken.collect(),
            pattern: pattern.clone(),
        }
    }
}

struct Reader<'a> {
    pattern: &'a Arc<Pattern>,
    text: &'a str,
    around: Around<'a>,
    words: Words<'a>,
    taken: Vec<Taken>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) -> Result<(), UsageError> {
        let mut has_options = true;
        loop {
            let (left, _) = self.words.rest();
            if left.is_empty() {
                return Ok(());
            }
            if has_options && let Some(dashes) = dashes(left) {
                self.words.pass(dashes);
                if self.words.is_between() {
                    has_options = false;
                } else {
                    self.option(left)?;
                }
                continue;
            }
            match self.next_place() {
                Some(at) if self.pattern.arguments[at].many == Many::Rest => {
                    let word = self.words.take_rest();
                    self.take(at, &word)?;
                }
                Some(at) => {
                    let word = self.word()?;
                    self.take(at, &word)?;
                }
                None => {
                    let word = self.word()?;
                    return Err(UsageMistake::TooMany(written::quotable(&word.text)).into());
                }
            }
        }
    }

    /// The argument that the next word is for.
    fn next_place(&self) -> Option<usize> {
        let mut all = self.pattern.arguments.iter().zip(&self.taken);
        all.position(|(argument, taken)| {
            argument.form == Form::Place && (taken.is_empty() || argument.many == Many::Repeated)
        })
    }

    fn word(&mut self) -> Result<Word<'a>, UsageError> {
        let text = self.text;
        match self.words.next() {
            Some(Ok(word)) => Ok(word),
            Some(Err(unclosed)) => {
                let near = text.get(unclosed.at..).unwrap_or_default();
                Err(UsageMistake::Unclosed {
                    quote: unclosed.quote,
                    near: written::quotable(near),
                }
                .into())
            }
            None => Ok(Word {
                text: "".into(),
                at: text.len(),
                is_quoted: false,
            }),
        }
    }

    /// An option whose dashes were passed over; `left` begins with them.
    fn option(&mut self, left: &'a str) -> Result<(), UsageError> {
        let (from, _) = self.words.rest();
        let end = from
            .find(|c: char| c.is_whitespace() || c == '=')
            .unwrap_or(from.len());
        let name = from.get(..end).unwrap_or_default();
        self.words.pass(end);
        let has_value = from.get(end..).is_some_and(|after| after.starts_with('='));
        if has_value {
            self.words.pass(1);
        }
        let plain = |name: &str| written::folded(name).replace('-', "_");
        let wanted = plain(name);
        let found =
            self.pattern.arguments.iter().position(|argument| {
                argument.form != Form::Place && plain(&argument.name) == wanted
            });
        let Some(at) = found else {
            let length = left.len() - from.len() + name.len();
            let options = self.pattern.arguments.iter();
            let options = options.filter(|argument| argument.form != Form::Place);
            let near = nearest(&written::folded(name), options.map(|it| it.name.as_str()));
            return Err(UsageMistake::UnknownOption {
                option: written::quotable(left.get(..length).unwrap_or(name)),
                nearest: near.map(|name| format!("--{name}")),
            }
            .into());
        };
        let argument = &self.pattern.arguments[at];
        let label = argument.label();
        if !self.taken[at].is_empty() && argument.many == Many::One {
            return Err(UsageMistake::OptionTwice(label).into());
        }
        if argument.form == Form::Flag {
            if has_value {
                return Err(UsageMistake::OptionWithValue(label).into());
            }
            self.taken[at].push(One {
                written: label,
                value: Value::YesOrNo(true),
            });
            return Ok(());
        }
        // `--name=` gives an empty text; `--name` at the end, or in front of another option, gives nothing.
        let word = if has_value && self.words.is_between() {
            Word {
                text: "".into(),
                at: self.text.len(),
                is_quoted: true,
            }
        } else {
            let (next, _) = self.words.rest();
            if !has_value && (next.is_empty() || dashes(next).is_some()) {
                return Err(UsageMistake::OptionWithoutValue(label).into());
            }
            self.word()?
        };
        self.take(at, &word)
    }

    fn take(&mut self, at: usize, word: &Word<'_>) -> Result<(), UsageError> {
        let argument = &self.pattern.arguments[at];
        let context = Context {
            mentioned: self.mentioned(argument, word),
            today: self.around.today,
        };
        let value = argument.kind.read(&word.text, context).ok_or_else(|| {
            UsageError::wrong(argument, &word.text, Wanted::Kind(argument.kind.clone()))
        })?;
        self.taken[at].push(One {
            written: word.text.clone().into_owned(),
            value,
        });
        Ok(())
    }

    /// The user whom the message mentions with this word. Messages say who is mentioned, and not where: the order
    /// tells, as long as there are as many mentions as words that look like one.
    fn mentioned(&self, argument: &Argument, word: &Word<'_>) -> Option<&'a str> {
        if argument.kind != Kind::User || word.is_quoted || !is_mention(&word.text) {
            return None;
        }
        let words = |text: &'a str| {
            text.split_whitespace()
                .filter(|word| is_mention(word))
                .count()
        };
        let first = self.text.get(..word.at).unwrap_or_default();
        let all = words(self.around.before) + words(self.text);
        if all != self.around.mentions.len() {
            return None;
        }
        let before = words(self.around.before) + words(first);
        self.around.mentions.get(before).copied()
    }
}

fn is_mention(word: &str) -> bool {
    let mut seen = word.chars().filter(|c| !written::is_invisible(*c));
    matches!(seen.next(), Some('@' | '＠')) && seen.next().is_some()
}

/// The length of the dashes that begin an option. Phones make one long dash of two.
fn dashes(text: &str) -> Option<usize> {
    let is_dashes = |dashes: &&str| text.starts_with(*dashes);
    let found = ["--", "——", "—", "－－"].into_iter().find(is_dashes)?;
    Some(found.len())
}
