//! The language in which an author says what a command looks like: `weather <city> [days:1..7]`.

use super::kind::{self, Kind, Value};
use super::mistake::{self, PatternError, PatternMistake};
use super::written;
use crate::config::nearest;

/// How a command is written: its name, the names of sub-commands, and arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// The name and those of sub-commands, as they are compared.
    pub(super) path: Vec<String>,
    pub(super) arguments: Vec<Argument>,
}

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) form: Form,
    pub(super) is_required: bool,
    pub(super) many: Many,
}

/// How an argument is told apart from the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// By its place.
    Place,
    /// By its name in front of it; `shown` is how help calls its value.
    Option { shown: String },
    /// It is a name and nothing else.
    Flag,
}

/// How much an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Many {
    One,
    Repeated,
    /// The rest of the text, as it stands.
    Rest,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The first mistake.
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        let mut reader = Reader {
            text,
            pattern: Self {
                path: Vec::new(),
                arguments: Vec::new(),
            },
        };
        match reader.read() {
            Ok(()) => Ok(reader.pattern),
            Err((at, mistake)) => Err(PatternError {
                pattern: text.to_owned(),
                column: text.get(..at).unwrap_or(text).chars().count() + 1,
                mistake,
            }),
        }
    }

    /// Reads the names of an alias.
    pub(super) fn parse_names(text: &str) -> Result<Vec<String>, PatternError> {
        let pattern = Self::parse(text)?;
        if pattern.arguments.is_empty() {
            return Ok(pattern.path);
        }
        Err(PatternError {
            pattern: text.to_owned(),
            column: 1,
            mistake: PatternMistake::NoName,
        })
    }
}

impl Argument {
    /// As it stands in a usage line.
    pub(super) fn usage(&self) -> String {
        let Self { name, .. } = self;
        let dots = match self.many {
            Many::One => "",
            Many::Repeated | Many::Rest => "...",
        };
        let inner = match &self.form {
            Form::Place if self.is_required => return format!("<{name}>{dots}"),
            Form::Place => format!("{name}{dots}"),
            Form::Flag => format!("--{name}"),
            Form::Option { shown } => format!("--{name} <{shown}>{dots}"),
        };
        if self.is_required {
            inner
        } else {
            format!("[{inner}]")
        }
    }

    /// As a sentence calls it.
    pub(super) fn label(&self) -> String {
        match &self.form {
            Form::Place => format!("<{}>", self.name),
            Form::Option { .. } | Form::Flag => format!("--{}", self.name),
        }
    }

    /// A value that somebody might write; `round` chooses among several.
    pub(super) fn sample(&self, round: usize) -> (String, Value) {
        const TEXTS: [&str; 3] = ["a", "1", "2026-12-31"];
        let value = match &self.kind {
            Kind::Text => {
                let text = TEXTS[round % TEXTS.len()];
                return (text.to_owned(), Value::Sample(text));
            }
            Kind::Whole { from, to } => {
                let number = if round.is_multiple_of(2) {
                    from.or(to.map(|to| to.min(1))).unwrap_or(1)
                } else {
                    to.or(from.map(|from| from.max(1))).unwrap_or(1)
                };
                return (number.to_string(), Value::Whole(number));
            }
            Kind::Number => return ("1.5".to_owned(), Value::Number(1.5)),
            Kind::YesOrNo => return ("true".to_owned(), Value::YesOrNo(true)),
            Kind::Duration => {
                let minute = std::time::Duration::from_secs(60);
                return ("60s".to_owned(), Value::Duration(minute));
            }
            Kind::User => "bob",
            Kind::Group => "group",
            Kind::Date => "2026-12-31",
            Kind::OneOf(choices) => choices
                .get(round % choices.len().max(1))
                .map_or("", String::as_str),
        };
        (value.to_owned(), Value::Text(value.to_owned()))
    }
}

type Mistake = (usize, PatternMistake);

struct Reader<'a> {
    text: &'a str,
    pattern: Pattern,
}

impl<'a> Reader<'a> {
    fn read(&mut self) -> Result<(), Mistake> {
        let mut at = 0;
        loop {
            let left = self.text.get(at..).unwrap_or_default();
            let trimmed = left.trim_start();
            at += left.len() - trimmed.len();
            match trimmed.chars().next() {
                None => break,
                Some(open @ ('<' | '[')) => at = self.bracket(at, open)?,
                Some(close @ ('>' | ']')) => return Err((at, PatternMistake::NotOpen(close))),
                Some(_) => at = self.word(at, trimmed)?,
            }
        }
        if self.pattern.path.is_empty() {
            return Err((0, PatternMistake::NoName));
        }
        Ok(())
    }

    /// A name, or an option that is required.
    fn word(&mut self, at: usize, left: &'a str) -> Result<usize, Mistake> {
        let end = left
            .find(|c: char| c.is_whitespace() || matches!(c, '<' | '[' | '>' | ']'))
            .unwrap_or(left.len());
        let word = left.get(..end).unwrap_or_default();
        if let Some(option) = word.strip_prefix("--") {
            self.needs_name(at)?;
            let after = left.get(end..).unwrap_or_default();
            let value = after.trim_start();
            let begin = at + end + (after.len() - value.len());
            if !value.starts_with('<') {
                return Err((at, PatternMistake::Option(option.to_owned())));
            }
            let (inner, next) = self.inner(begin, '<')?;
            let (shown, kind) = self.value(begin + 1, inner)?;
            let (many, next) = self.suffix(next);
            self.add(
                at,
                Argument {
                    name: self.name(at + 2, option)?,
                    kind,
                    form: Form::Option { shown },
                    is_required: true,
                    many,
                },
            )?;
            return Ok(next);
        }
        if !self.pattern.arguments.is_empty() {
            return Err((at, PatternMistake::WordAfterArgument(word.to_owned())));
        }
        if let Some((place, c)) = word.char_indices().find(|(_, c)| !is_name(*c)) {
            return Err((at + place, PatternMistake::Character(c)));
        }
        self.pattern.path.push(written::folded(word));
        Ok(at + end)
    }

    /// An argument in brackets, from its first bracket on.
    fn bracket(&mut self, at: usize, open: char) -> Result<usize, Mistake> {
        self.needs_name(at)?;
        let (inner, next) = self.inner(at, open)?;
        let (many, next) = self.suffix(next);
        let is_required = open == '<';
        let start = at + 1 + (inner.len() - inner.trim_start().len());
        let inner = inner.trim();
        let argument = if let Some(option) = inner.strip_prefix("--") {
            self.option(start, option, is_required, many)?
        } else {
            let (inner, many) = match inner.strip_suffix("...") {
                Some(inner) => (inner.trim_end(), Many::Rest),
                None => (inner, many),
            };
            let (name, kind) = self.value(start, inner)?;
            Argument {
                name,
                kind,
                form: Form::Place,
                is_required,
                many,
            }
        };
        self.add(at, argument)?;
        Ok(next)
    }

    /// What stands behind the dashes in brackets.
    fn option(
        &self,
        at: usize,
        text: &'a str,
        is_required: bool,
        many: Many,
    ) -> Result<Argument, Mistake> {
        let end = text
            .find(|c: char| c.is_whitespace() || c == '<')
            .unwrap_or(text.len());
        let (name, value) = text.split_at(end);
        let wrong = || (at, PatternMistake::Option(name.to_owned()));
        let name = self.name(at + 2, name)?;
        let trimmed = value.trim_start();
        if trimmed.is_empty() {
            if is_required || many != Many::One {
                return Err(wrong());
            }
            return Ok(Argument {
                name,
                kind: Kind::YesOrNo,
                form: Form::Flag,
                is_required: false,
                many,
            });
        }
        let inner = trimmed.strip_prefix('<').ok_or_else(wrong)?;
        let inner = inner.trim_end().strip_suffix('>').ok_or_else(wrong)?;
        let place = at + 2 + end + (value.len() - trimmed.len()) + 1;
        let (shown, kind) = self.value(place, inner)?;
        Ok(Argument {
            name,
            kind,
            form: Form::Option { shown },
            is_required,
            many,
        })
    }

    /// What is between the bracket at `at` and the one that closes it, and where the text goes on.
    fn inner(&self, at: usize, open: char) -> Result<(&'a str, usize), Mistake> {
        let mut open_ones = Vec::new();
        for (place, c) in self
            .text
            .char_indices()
            .skip_while(|(place, _)| *place < at)
        {
            match c {
                '<' => open_ones.push('>'),
                '[' => open_ones.push(']'),
                '>' | ']' => {
                    if open_ones.pop() != Some(c) {
                        return Err((place, PatternMistake::NotOpen(c)));
                    }
                    if open_ones.is_empty() {
                        let inner = self.text.get(at + 1..place).unwrap_or_default();
                        return Ok((inner, place + 1));
                    }
                }
                _ => {}
            }
        }
        Err((at, PatternMistake::Open(open)))
    }

    /// The sign behind a bracket.
    fn suffix(&self, at: usize) -> (Many, usize) {
        let left = self.text.get(at..).unwrap_or_default();
        if left.starts_with('+') {
            (Many::Repeated, at + 1)
        } else {
            (Many::One, at)
        }
    }

    /// `name:kind`.
    fn value(&self, at: usize, text: &str) -> Result<(String, Kind), Mistake> {
        let Some((name, kind)) = text.split_once(':') else {
            return Ok((self.name(at, text)?, Kind::Text));
        };
        let place = at + name.len() + 1;
        Ok((
            self.name(at, name)?,
            read_kind(kind).map_err(|mistake| (place, mistake))?,
        ))
    }

    fn name(&self, at: usize, text: &str) -> Result<String, Mistake> {
        let text = text.trim();
        if let Some((place, c)) = text.char_indices().find(|(_, c)| !is_name(*c)) {
            return Err((at + place, PatternMistake::Character(c)));
        }
        if !text.starts_with(char::is_alphabetic) {
            return Err((at, PatternMistake::NoArgumentName));
        }
        Ok(text.to_owned())
    }

    const fn needs_name(&self, at: usize) -> Result<(), Mistake> {
        if self.pattern.path.is_empty() {
            return Err((at, PatternMistake::NoName));
        }
        Ok(())
    }

    fn add(&mut self, at: usize, argument: Argument) -> Result<(), Mistake> {
        let all = &mut self.pattern.arguments;
        if all.len() >= mistake::MOST {
            return Err((at, PatternMistake::TooMany));
        }
        // Fields of a struct have no dashes, so both are one name there.
        let plain = |name: &str| written::folded(name).replace('-', "_");
        if all
            .iter()
            .any(|known| plain(&known.name) == plain(&argument.name))
        {
            return Err((at, PatternMistake::Twice(argument.name)));
        }
        if argument.form == Form::Place {
            let mut places = all.iter().filter(|known| known.form == Form::Place);
            if let Some(last) = places.clone().find(|known| known.many != Many::One) {
                return Err((at, PatternMistake::AfterLast(last.usage())));
            }
            if argument.is_required && places.any(|known| !known.is_required) {
                return Err((at, PatternMistake::RequiredAfterOptional(argument.name)));
            }
        }
        all.push(argument);
        Ok(())
    }
}

fn read_kind(text: &str) -> Result<Kind, PatternMistake> {
    let text = text.trim();
    if let Some(kind) = Kind::named(text) {
        return Ok(kind);
    }
    if let Some((from, to)) = text.split_once("..") {
        let wrong = || PatternMistake::Range(text.to_owned());
        let end = |text: &str| match text.trim() {
            "" => Ok(None),
            number => number.parse().map(Some).map_err(|_| wrong()),
        };
        // `1..=7` is what Rust writes for the same.
        let (from, to): (Option<i64>, _) = (end(from)?, end(to.strip_prefix('=').unwrap_or(to))?);
        return match (from, to) {
            (None, None) => Err(wrong()),
            (Some(from), Some(to)) if from > to => Err(wrong()),
            _ => Ok(Kind::Whole { from, to }),
        };
    }
    if text.contains('|') {
        let choices: Vec<String> = text.split('|').map(|it| it.trim().to_owned()).collect();
        let folded: Vec<String> = choices.iter().map(|it| written::folded(it)).collect();
        let is_new = |(at, it): (usize, &String)| !it.is_empty() && !folded[..at].contains(it);
        return if folded.iter().enumerate().all(is_new) {
            Ok(Kind::OneOf(choices))
        } else {
            Err(PatternMistake::Choices)
        };
    }
    Err(PatternMistake::UnknownKind {
        kind: text.to_owned(),
        nearest: nearest(text, kind::NAMES)
            .and_then(|near| kind::NAMES.into_iter().find(|name| *name == near)),
    })
}

/// Whether a name may hold the character.
pub(super) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The pattern as it was understood.
    fn shown(pattern: &Pattern) -> String {
        let mut text = pattern.path.join(" ");
        for argument in &pattern.arguments {
            let kind = match &argument.kind {
                Kind::Text => String::new(),
                Kind::Whole { from, to } => format!(":{from:?}..{to:?}"),
                kind => format!(":{kind:?}"),
            };
            text += &format!(" {}{kind}", argument.usage());
        }
        text
    }

    #[test]
    fn patterns_are_read() {
        for (text, expected) in [
            ("ping", "ping"),
            (
                "  Weather  <city>[days:1..7] ",
                "weather <city> [days]:Some(1)..Some(7)",
            ),
            (
                "remind <when:duration> <text...>",
                "remind <when>:Duration <text>...",
            ),
            (
                "ban <who:user> [for:duration] [--quietly] [--reason <why>]",
                "ban <who>:User [for]:Duration [--quietly]:YesOrNo [--reason <why>]",
            ),
            ("tag <names>+", "tag <names>..."),
            ("tag [names:user]+", "tag [names...]:User"),
            ("tag [--with <tag>]+", "tag [--with <tag>...]"),
            ("config set <key> <value>", "config set <key> <value>"),
            (
                "temp <unit:celsius|fahrenheit>",
                "temp <unit>:OneOf([\"celsius\", \"fahrenheit\"])",
            ),
            (
                "roll <n:1..> [m:..=5] [k:int]",
                "roll <n>:Some(1)..None [m]:None..Some(5) [k]:None..None",
            ),
            (
                "天气 <城市> [天数:1..7]",
                "天气 <城市> [天数]:Some(1)..Some(7)",
            ),
            (
                "pay --to <who:user> <sum:number>",
                "pay --to <who>:User <sum>:Number",
            ),
            ("pay <--to <who>>", "pay --to <who>"),
        ] {
            let pattern = Pattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(shown(&pattern), expected, "{text}");
        }
    }

    #[test]
    fn a_mistake_is_shown_with_its_column_and_a_remedy() {
        for (text, column, fragment) in [
            ("", 1, "begins with its name"),
            ("<city>", 1, "begins with its name"),
            ("a/b", 2, "'/' cannot be in a name"),
            ("weather <city", 9, "not closed"),
            ("weather city>", 13, "closes nothing"),
            ("weather <city]", 14, "closes nothing"),
            ("weather <city> days", 16, "[days]"),
            ("weather <>", 10, "needs a name"),
            ("weather <1st>", 10, "needs a name"),
            ("weather <ci ty>", 12, "' ' cannot be in a name"),
            ("天气 <城市:用户>", 8, "unknown kind \"用户\"; known: text"),
            ("weather <city:txt>", 15, "did you mean \"text\"?"),
            ("weather <days:7..1>", 15, "smaller end first"),
            ("weather <days:1..x>", 15, "smaller end first"),
            ("weather <days:..>", 15, "smaller end first"),
            ("temp <unit:a|a>", 12, "each choice"),
            ("temp <unit:a||b>", 12, "each choice"),
            ("weather [days] <city>", 16, "move it to the front"),
            (
                "say <text...> <more>",
                15,
                "nothing can stand behind \"<text>...\"",
            ),
            ("tag <names>+ [more]", 14, "nothing can stand behind"),
            ("x <a> <a>", 7, "twice"),
            ("x [--dry-run] [dry_run]", 15, "twice"),
            ("x --loud", 3, "[--loud]"),
            ("x <--loud>", 4, "[--loud]"),
            ("x [--loud why]", 4, "[--loud]"),
            ("x [--loud <why]", 15, "closes nothing"),
        ] {
            let error = Pattern::parse(text).unwrap_err();
            assert_eq!(error.column(), column, "{text}: {error}");
            assert!(error.to_string().contains(fragment), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_panics(text in "[a-z<>\\[\\]:.|+ 天-]{0,40}", any in ".*") {
            let _ = Pattern::parse(&text);
            let _ = Pattern::parse(&any);
        }
    }
}
