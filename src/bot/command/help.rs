//! What help says.

use super::kind::{Kind, Wanted};
use super::pattern::{Argument, Form};
use super::set::{Commands, Entry, Unknown, names};
use super::usage::UsageError;
use super::written;
use crate::bot::language::{TextValue, Texts};
use std::time::Duration;

impl Commands {
    /// Answers `/help` and `/help <about>`, for somebody who may use the commands that `may` says.
    pub(in crate::bot) fn help(
        &self,
        texts: &Texts,
        about: &str,
        may: impl Fn(usize) -> bool,
    ) -> String {
        let about = about.trim_start();
        let about = about.strip_prefix(self.prefixes.shown()).unwrap_or(about);
        if about.trim().is_empty() {
            return self.list(texts, &[], may);
        }
        let (path, _) = names(about, 8);
        let allowed = |at: &usize| may(*at);
        let found = self
            .longest(&path)
            .filter(|(_, length)| *length == path.len());
        if let Some(at) = found.map(|(at, _)| at).filter(allowed)
            && let Some(entry) = self.entries.get(at)
        {
            return self.details(texts, entry);
        }
        let mut below = self.entries.iter().enumerate().filter(|(at, entry)| {
            !path.is_empty() && entry.pattern.path.starts_with(&path) && may(*at)
        });
        if below.any(|(_, entry)| !entry.is_hidden) {
            return self.list(texts, &path, may);
        }
        let unknown = Unknown {
            shown: written::quotable(about),
            names: path,
        };
        self.unknown(texts, &unknown, may)
    }

    /// The answer to a name that is none.
    pub(in crate::bot) fn unknown(
        &self,
        texts: &Texts,
        unknown: &Unknown,
        may: impl Fn(usize) -> bool,
    ) -> String {
        let name = ("name", unknown.shown.as_str().into());
        match self.nearest_to(&unknown.names, may) {
            Some(nearest) => {
                let nearest = format!("{}{nearest}", self.prefixes.shown());
                let values = [name, ("nearest", nearest.into())];
                texts.with("command-did-you-mean", &values)
            }
            None => texts.with("command-unknown", &[name]),
        }
    }

    /// The answer to a command that was written wrongly.
    pub(in crate::bot) fn misused(
        &self,
        texts: &Texts,
        index: usize,
        error: &UsageError,
    ) -> String {
        let usage = self
            .entries
            .get(index)
            .map(|entry| self.usage(texts, entry));
        format!("{}\n{}", error.say(texts), usage.unwrap_or_default())
    }

    /// The answer to somebody who may not use the command.
    pub(in crate::bot) fn forbidden(&self, texts: &Texts, index: usize) -> String {
        let name = self
            .entries
            .get(index)
            .map_or_else(String::new, Entry::name);
        let name = format!("{}{name}", self.prefixes.shown());
        texts.with("command-not-allowed", &[("name", name.into())])
    }

    fn usage(&self, texts: &Texts, entry: &Entry) -> String {
        let usage = format!("{}{}", self.prefixes.shown(), entry.usage());
        texts.with("help-usage", &[("usage", usage.into())])
    }

    /// One line for each command below `path`.
    fn list(&self, texts: &Texts, path: &[String], may: impl Fn(usize) -> bool) -> String {
        let shown = self.entries.iter().enumerate().filter(|(at, entry)| {
            !entry.is_hidden && entry.pattern.path.starts_with(path) && may(*at)
        });
        let lines: Vec<String> = shown.map(|(_, entry)| self.line(texts, entry)).collect();
        if lines.is_empty() {
            return texts.get("help-none");
        }
        let title = texts.get("help-title");
        let more = self.has("help").then(|| {
            let help = format!("{}help", self.prefixes.shown());
            texts.with("help-more", &[("help", help.into())])
        });
        let parts = std::iter::once(title).chain(lines).chain(more);
        parts.collect::<Vec<_>>().join("\n")
    }

    fn line(&self, texts: &Texts, entry: &Entry) -> String {
        let usage = format!("{}{}", self.prefixes.shown(), entry.usage());
        match about(texts, entry) {
            Some(about) => {
                let about = about.lines().next().unwrap_or_default().to_owned();
                texts.with(
                    "help-line",
                    &[("usage", usage.into()), ("about", about.into())],
                )
            }
            None => texts.with("help-line-bare", &[("usage", usage.into())]),
        }
    }

    /// Everything about one command.
    fn details(&self, texts: &Texts, entry: &Entry) -> String {
        let mut lines = vec![self.usage(texts, entry)];
        lines.extend(about(texts, entry));
        if !entry.aliases.is_empty() {
            let names = entry.aliases.iter();
            let names: Vec<String> = names
                .map(|path| format!("{}{}", self.prefixes.shown(), path.join(" ")))
                .collect();
            let names = names.join(&texts.get("list-separator"));
            lines.push(texts.with("help-aliases", &[("names", names.into())]));
        }
        let arguments = entry.pattern.arguments.iter();
        let (places, options): (Vec<&Argument>, Vec<&Argument>) =
            arguments.partition(|argument| argument.form == Form::Place);
        // That a text is a text need not be said.
        let places = places.into_iter().filter(|it| it.kind != Kind::Text);
        for (title, arguments) in [
            ("help-arguments", places.collect::<Vec<_>>()),
            ("help-options", options),
        ] {
            if !arguments.is_empty() {
                lines.push(texts.get(title));
            }
            lines.extend(arguments.into_iter().map(|it| argument_line(texts, it)));
        }
        lines.join("\n")
    }
}

fn argument_line(texts: &Texts, argument: &Argument) -> String {
    let wanted = match &argument.form {
        Form::Flag => texts.get("wanted-flag"),
        Form::Place | Form::Option { .. } => Wanted::Kind(argument.kind.clone()).say(texts),
    };
    let values: [(&str, TextValue<'_>); 2] =
        [("name", argument.usage().into()), ("wanted", wanted.into())];
    texts.with("help-argument", &values)
}

/// What the bot says about the command, in the language of the asker if it has that.
fn about(texts: &Texts, entry: &Entry) -> Option<String> {
    let id = format!("command-{}", entry.pattern.path.join("-"));
    let text = texts.find(&id);
    let about = || Some(entry.about.as_ref().to_owned()).filter(|about| !about.is_empty());
    text.or_else(about)
}

/// A time to wait, as people say it: two units at most, and never nothing.
pub(in crate::bot) fn time(texts: &Texts, time: Duration) -> String {
    // Whoever waits for the rounded time has waited long enough.
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let seconds = seconds.max(1);
    let parts = [
        ("duration-days", seconds / 86_400),
        ("duration-hours", seconds / 3_600 % 24),
        ("duration-minutes", seconds / 60 % 60),
        ("duration-seconds", seconds % 60),
    ];
    let mut parts = parts
        .into_iter()
        .skip_while(|(_, count)| *count == 0)
        .take(2)
        .filter(|(_, count)| *count > 0)
        .map(|(id, count)| texts.with(id, &[("count", count.into())]));
    let first = parts.next().unwrap_or_default();
    match parts.next() {
        Some(second) => texts.with(
            "duration-two",
            &[("first", first.into()), ("second", second.into())],
        ),
        None => first,
    }
}

/// The answer to somebody who has to wait.
pub(in crate::bot) fn wait(texts: &Texts, left: Duration) -> String {
    texts.with("command-wait", &[("time", time(texts, left).into())])
}
