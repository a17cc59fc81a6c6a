//! The commands of a bot.

use super::address::Prefixes;
use super::args;
use super::command::Command;
use super::cooldown::Cooldown;
use super::given::{Around, Given};
use super::mistake::PatternError;
use super::pattern::{Pattern, is_name};
use super::permission::Permission;
use super::usage::UsageError;
use super::written;
use crate::config::nearest;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::sync::Arc;

/// A command that a bot cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The pattern, or an alias, cannot be read.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// Two commands of one name.
    #[error("two commands are called {name:?}; each name and alias is there once")]
    Twice {
        /// The name.
        name: String,
    },
    /// A cool-down that is no time.
    #[error("the cool-down {rest:?} of {name:?} is no time; write for example \"10s\" or \"5m\"")]
    Cooldown {
        /// The command.
        name: String,
        /// What stands in the place of the time.
        rest: String,
    },
    /// The type of the arguments does not fit the pattern.
    #[error("`Args<{wanted}>` does not fit the command {usage:?}: {reason}")]
    Args {
        /// How the command is written.
        usage: String,
        /// The type that the handler takes.
        wanted: &'static str,
        /// What does not fit.
        reason: String,
    },
}

/// The commands of a bot, in the order of help.
#[derive(Clone, Debug, Default)]
pub(in crate::bot) struct Commands {
    pub(super) prefixes: Prefixes,
    pub(super) entries: Vec<Entry>,
}

/// A command without mistakes.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) pattern: Arc<Pattern>,
    pub(super) aliases: Vec<Vec<String>>,
    pub(super) about: Cow<'static, str>,
    pub(super) is_hidden: bool,
    pub(super) permission: Permission,
    pub(super) cooldowns: Vec<Cooldown>,
    pub(super) is_beside: bool,
}

/// A text, and what came with it.
#[derive(Clone, Copy, Debug)]
pub(in crate::bot) struct Said<'a> {
    pub(in crate::bot) text: &'a str,
    /// What the account is called in a mention: its UserID, and its nick name if it is known.
    pub(in crate::bot) own_names: &'a [&'a str],
    /// The UserIDs that the message mentions.
    pub(in crate::bot) mentions: &'a [&'a str],
    pub(in crate::bot) today: Date,
}

/// What a text is to the commands of a bot.
#[derive(Clone, Debug)]
pub(in crate::bot) enum Found {
    /// It is for the other handlers.
    NotACommand,
    /// It looks like a command, and there is none of this name.
    Unknown(Unknown),
    /// The command of this place. A usage error is what to answer.
    Command {
        index: usize,
        given: Result<Given, UsageError>,
    },
}

/// A name that no command has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bot) struct Unknown {
    /// As an answer may quote it.
    pub(super) shown: String,
    /// The words of which it may consist, as they are compared.
    pub(super) names: Vec<String>,
}

impl Entry {
    /// The names as they are written behind the prefix.
    pub(super) fn name(&self) -> String {
        self.pattern.path.join(" ")
    }

    /// Name and aliases.
    fn paths(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.pattern.path).chain(&self.aliases)
    }

    /// Name and arguments.
    pub(super) fn usage(&self) -> String {
        let mut usage = self.name();
        for argument in &self.pattern.arguments {
            usage.push(' ');
            usage.push_str(&argument.usage());
        }
        usage
    }
}

impl Commands {
    /// What commands begin with.
    pub(in crate::bot) fn set_prefixes(&mut self, prefixes: Prefixes) {
        self.prefixes = prefixes;
    }

    pub(in crate::bot) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the text is for commands, whether there is such a one or not.
    pub(in crate::bot) fn is_addressed(&self, text: &str, own_names: &[&str]) -> bool {
        self.prefixes.strip(text, own_names).is_some()
    }

    pub(in crate::bot) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a command; its place comes back.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in crate::bot) fn add(&mut self, command: Command) -> Result<usize, CommandError> {
        let entry = Entry {
            pattern: command.pattern?,
            aliases: command.aliases.into_iter().collect::<Result<_, _>>()?,
            about: command.about,
            is_hidden: command.is_hidden,
            permission: command.permission,
            cooldowns: command.cooldowns,
            is_beside: command.is_beside,
        };
        if let Some(rest) = entry.cooldowns.iter().find_map(Cooldown::mistake) {
            return Err(CommandError::Cooldown {
                name: entry.name(),
                rest: rest.to_owned(),
            });
        }
        let mut seen: Vec<&Vec<String>> = self.entries.iter().flat_map(Entry::paths).collect();
        for path in entry.paths() {
            if seen.contains(&path) {
                return Err(CommandError::Twice {
                    name: path.join(" "),
                });
            }
            seen.push(path);
        }
        self.entries.push(entry);
        Ok(self.entries.len() - 1)
    }

    /// Checks that the type fits the command.
    ///
    /// # Errors
    /// What does not fit.
    pub(in crate::bot) fn check_args<T: DeserializeOwned>(
        &self,
        index: usize,
    ) -> Result<(), CommandError> {
        let Some(entry) = self.entries.get(index) else {
            return Ok(());
        };
        args::check::<T>(&entry.pattern).map_err(|reason| CommandError::Args {
            usage: entry.usage(),
            wanted: std::any::type_name::<T>(),
            reason,
        })
    }

    /// Whether a command or alias has the name.
    pub(in crate::bot) fn has(&self, name: &str) -> bool {
        let mut paths = self.entries.iter().flat_map(Entry::paths);
        paths.any(|path| path.len() == 1 && path.first().is_some_and(|it| it == name))
    }

    pub(in crate::bot) fn permission(&self, index: usize) -> Option<&Permission> {
        self.entries.get(index).map(|entry| &entry.permission)
    }

    pub(in crate::bot) fn cooldowns(&self, index: usize) -> &[Cooldown] {
        self.entries
            .get(index)
            .map_or(&[], |entry| &entry.cooldowns)
    }

    /// Looks for the command that the text is.
    pub(in crate::bot) fn find(&self, said: &Said<'_>) -> Found {
        let Some(addressed) = self.prefixes.strip(said.text, said.own_names) else {
            return Found::NotACommand;
        };
        let (names, ends) = names(addressed.text, self.deepest());
        let Some((index, count)) = self.longest(&names) else {
            return match names.first() {
                Some(first) if !addressed.is_vague => Found::Unknown(Unknown {
                    shown: format!("{}{}", self.prefixes.shown(), written::quotable(first)),
                    names,
                }),
                _ => Found::NotACommand,
            };
        };
        let end = count.checked_sub(1).and_then(|last| ends.get(last));
        let text = addressed.text.get(end.copied().unwrap_or(0)..);
        let text = text.unwrap_or_default();
        let before = said.text.len() - text.len();
        let around = Around {
            before: said.text.get(..before).unwrap_or_default(),
            mentions: said.mentions,
            today: said.today,
        };
        let pattern = self.entries.get(index).map(|entry| &entry.pattern);
        pattern.map_or(Found::NotACommand, |pattern| Found::Command {
            index,
            given: Given::read(pattern, text, around),
        })
    }

    /// The most names in a row.
    fn deepest(&self) -> usize {
        let paths = self.entries.iter().flat_map(Entry::paths);
        paths.map(Vec::len).max().unwrap_or(0).max(2)
    }

    /// The command with the longest path that the names begin with, and the length of the path.
    pub(super) fn longest(&self, names: &[String]) -> Option<(usize, usize)> {
        let all = self.entries.iter().enumerate();
        let paths = all.flat_map(|(at, entry)| entry.paths().map(move |path| (at, path)));
        paths
            .filter(|(_, path)| names.starts_with(path))
            .map(|(at, path)| (at, path.len()))
            .max_by_key(|(at, length)| (*length, std::cmp::Reverse(*at)))
    }

    /// The name that looks most like what was written, among those that help would list.
    pub(super) fn nearest_to(
        &self,
        names: &[String],
        may: impl Fn(usize) -> bool,
    ) -> Option<String> {
        let all = self.entries.iter().enumerate();
        let shown = all.filter(|(at, entry)| !entry.is_hidden && may(*at));
        let paths: Vec<String> = shown
            .flat_map(|(_, entry)| entry.paths().map(|path| path.join(" ")))
            .collect();
        let first = names.first()?;
        let under: Vec<&str> = paths
            .iter()
            .map(String::as_str)
            .filter(|path| path.split(' ').next() == Some(first))
            .collect();
        if let Some(any) = under.first() {
            // The first word is right, and what follows is no sub-command.
            let found = nearest(&names.join(" "), under.iter().copied());
            return Some(found.filter(|_| names.len() > 1).unwrap_or(any).to_owned());
        }
        // The word behind a name may be an argument.
        let mut written = [names.join(" "), first.clone()].into_iter();
        let found = written.find_map(|name| nearest(&name, paths.iter().map(String::as_str)));
        found.map(str::to_owned)
    }
}

/// The words at the start that may be names, as names are compared, and where each ends.
pub(super) fn names(text: &str, most: usize) -> (Vec<String>, Vec<usize>) {
    let mut names = Vec::new();
    let mut ends = Vec::new();
    let mut at = 0;
    while names.len() < most {
        let left = text.get(at..).unwrap_or_default();
        let word = left.trim_start();
        // The name stands right behind its prefix.
        at += left.len() - word.len();
        let length = word.find(char::is_whitespace).unwrap_or(word.len());
        let name = written::folded(word.get(..length).unwrap_or_default());
        if name.is_empty() || !name.chars().all(is_name) || name.len() > 200 {
            break;
        }
        at += length;
        names.push(name);
        ends.push(at);
    }
    (names, ends)
}
