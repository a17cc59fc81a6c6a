//! What an argument may be: its kind, the value that a text of this kind has, and how the kind is called.

use super::written;
use crate::bot::language::Texts;
use crate::proto::id::UserId;
use jiff::civil::Date;
use std::time::Duration;

/// The kind of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Whole { from: Option<i64>, to: Option<i64> },
    Number,
    YesOrNo,
    Duration,
    User,
    Group,
    Date,
    OneOf(Vec<String>),
}

/// The kinds that have a name in a pattern.
pub(super) const NAMES: [&str; 8] = [
    "text", "int", "number", "bool", "duration", "user", "group", "date",
];

/// The value of one argument, read as its kind says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Number(f64),
    YesOrNo(bool),
    Duration(Duration),
    /// Stands for a text that somebody will write, when a bot is built.
    Sample(&'static str),
}

/// What was expected in the place of what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Kind(Kind),
    Character,
}

/// What a text may refer to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    /// The user that the word mentions, if the message says so.
    pub(super) mentioned: Option<&'a str>,
    pub(super) today: Date,
}

impl Kind {
    /// The kind of this name, which is none of the ranges and choices.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "int" => Self::Whole {
                from: None,
                to: None,
            },
            "number" => Self::Number,
            "bool" => Self::YesOrNo,
            "duration" => Self::Duration,
            "user" => Self::User,
            "group" => Self::Group,
            "date" => Self::Date,
            _ => return None,
        })
    }

    /// How many choices there are.
    pub(super) const fn choices(&self) -> usize {
        match self {
            Self::OneOf(choices) => choices.len(),
            _ => 0,
        }
    }

    /// As the author of a bot calls it.
    pub(super) const fn called(&self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Whole { .. } => "a whole number",
            Self::Number => "a number",
            Self::YesOrNo => "a bool",
            Self::Duration => "a duration",
            Self::User => "a user",
            Self::Group => "a group",
            Self::Date => "a date",
            Self::OneOf(_) => "a choice",
        }
    }

    /// Reads a text of this kind; `None` when it is of another.
    pub(super) fn read(&self, text: &str, context: Context<'_>) -> Option<Value> {
        match self {
            Self::Text => Some(Value::Text(text.to_owned())),
            Self::Whole { from, to } => {
                let number: i64 = whole(text)?;
                let fits =
                    from.is_none_or(|from| from <= number) && to.is_none_or(|to| number <= to);
                fits.then_some(Value::Whole(number))
            }
            Self::Number => number(text).map(Value::Number),
            Self::YesOrNo => yes_or_no(text).map(Value::YesOrNo),
            Self::Duration => duration(text).map(Value::Duration),
            Self::User => {
                let name = written::visible(text);
                let name = name.trim().trim_start_matches(['@', '＠']);
                let name = context.mentioned.unwrap_or(name);
                let user = UserId::parse(name).ok()?;
                Some(Value::Text(user.as_str().to_owned()))
            }
            Self::Group => {
                let name = written::visible(text);
                let fits = (1..=100).contains(&name.len())
                    && !name.contains(|c: char| c.is_whitespace() || c.is_control());
                fits.then_some(Value::Text(name))
            }
            Self::Date => date(text, context.today).map(|date| Value::Text(date.to_string())),
            Self::OneOf(choices) => {
                let folded = written::folded(text);
                let choice = choices
                    .iter()
                    .find(|choice| written::folded(choice) == folded)?;
                Some(Value::Text(choice.clone()))
            }
        }
    }
}

impl Wanted {
    /// As a person says it.
    pub(super) fn say(&self, texts: &Texts) -> String {
        let kind = match self {
            Self::Kind(kind) => kind,
            Self::Character => return texts.get("wanted-character"),
        };
        match kind {
            Kind::Text => texts.get("wanted-text"),
            Kind::Whole { from, to } => {
                // As texts: a language may group the digits of a number.
                let [low, high] = [from, to].map(|end| end.unwrap_or_default().to_string());
                let [low, high] = [("from", low.as_str().into()), ("to", high.as_str().into())];
                match (from, to) {
                    (None, None) => texts.get("wanted-whole"),
                    (Some(_), None) => texts.with("wanted-whole-from", &[low]),
                    (None, Some(_)) => texts.with("wanted-whole-up-to", &[high]),
                    (Some(_), Some(_)) => texts.with("wanted-whole-between", &[low, high]),
                }
            }
            Kind::Number => texts.get("wanted-number"),
            Kind::YesOrNo => texts.get("wanted-yes-or-no"),
            Kind::Duration => texts.get("wanted-duration"),
            Kind::User => texts.get("wanted-user"),
            Kind::Group => texts.get("wanted-group"),
            Kind::Date => texts.get("wanted-date"),
            Kind::OneOf(choices) => {
                let choices = choices.join(&texts.get("list-separator"));
                texts.with("wanted-one-of", &[("choices", choices.into())])
            }
        }
    }
}

/// A whole number as people write it: with the digits of a Chinese keyboard, too.
pub(super) fn whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    written::half_width(text.trim()).parse().ok()
}

/// A number that is one: infinity is none.
pub(super) fn number(text: &str) -> Option<f64> {
    let number: f64 = written::half_width(text.trim()).parse().ok()?;
    number.is_finite().then_some(number)
}

/// Yes or no.
pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    match written::folded(text).trim() {
        "true" | "yes" | "y" | "on" | "1" | "是" | "对" | "好" | "开" => Some(true),
        "false" | "no" | "n" | "off" | "0" | "否" | "不" | "不是" | "关" => Some(false),
        _ => None,
    }
}

/// The units of a duration, in milliseconds.
const UNITS: [(&[&str], u64); 6] = [
    (&["ms", "毫秒"], 1),
    (
        &["s", "sec", "secs", "second", "seconds", "秒", "秒钟"],
        1_000,
    ),
    (
        &["m", "min", "mins", "minute", "minutes", "分", "分钟"],
        60_000,
    ),
    (
        &["h", "hr", "hrs", "hour", "hours", "小时", "个小时", "时"],
        3_600_000,
    ),
    (&["d", "day", "days", "天", "日"], 86_400_000),
    (&["w", "week", "weeks", "周", "个星期", "星期"], 604_800_000),
];

/// A hundred years: what is longer is a slip, and times far away overflow.
const LONGEST: u64 = 36_500 * 86_400_000;

/// A duration: whole numbers, each with its unit.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let text = written::folded(text);
    let mut rest = text.trim();
    let mut millis: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, after) = rest.split_at(digits);
        let after = after.trim_start();
        let end = after
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let (_, factor) = UNITS.iter().find(|(names, _)| names.contains(&unit))?;
        let count: u64 = count.parse().ok()?;
        millis = millis.checked_add(count.checked_mul(*factor)?)?;
        rest = after.trim_start();
    }
    (millis <= LONGEST).then(|| Duration::from_millis(millis))
}

fn date(text: &str, today: Date) -> Option<Date> {
    let text = written::folded(text);
    let text = text.trim();
    let days = match text {
        "today" | "今天" | "今日" => Some(0),
        "tomorrow" | "明天" | "明日" => Some(1),
        "后天" => Some(2),
        _ => None,
    };
    if let Some(days) = days {
        return today.checked_add(jiff::Span::new().days(days)).ok();
    }
    let text = text.strip_suffix(['日', '号']).unwrap_or(text);
    let mut parts = text.split(['-', '/', '.', '年', '月']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || year.len() != 4 || ![year, month, day].into_iter().all(fits) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(kind: &Kind, text: &str) -> Option<Value> {
        let today = Date::constant(2026, 12, 31);
        let context = Context {
            mentioned: None,
            today,
        };
        kind.read(text, context)
    }

    #[test]
    fn each_kind_reads_what_people_write() {
        let week = Kind::Whole {
            from: Some(1),
            to: Some(7),
        };
        let unit = Kind::OneOf(vec!["celsius".to_owned(), "华氏".to_owned()]);
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        let seconds = |seconds| Some(Value::Duration(Duration::from_secs(seconds)));
        for (kind, written, expected) in [
            (&week, "7", Some(Value::Whole(7))),
            (&week, "３", Some(Value::Whole(3))),
            (&week, "0", None),
            (&week, "8", None),
            (&week, "99999999999999999999", None),
            (&Kind::Number, "-0.5", Some(Value::Number(-0.5))),
            (&Kind::Number, "inf", None),
            (&Kind::Number, "NaN", None),
            (&Kind::YesOrNo, "Yes", Some(Value::YesOrNo(true))),
            (&Kind::YesOrNo, "否", Some(Value::YesOrNo(false))),
            (&Kind::YesOrNo, "maybe", None),
            (&Kind::Duration, "2h", seconds(7_200)),
            (&Kind::Duration, "1h30m", seconds(5_400)),
            (&Kind::Duration, "90s", seconds(90)),
            (&Kind::Duration, "1 hour 5 minutes", seconds(3_900)),
            (&Kind::Duration, "2小时", seconds(7_200)),
            (&Kind::Duration, "1小时3分钟", seconds(3_780)),
            (&Kind::Duration, "１天", seconds(86_400)),
            (&Kind::Duration, "90", None),
            (&Kind::Duration, "h", None),
            (&Kind::Duration, "", None),
            (&Kind::Duration, "40000d", None),
            (&Kind::Duration, "99999999999999999w", None),
            (&Kind::User, "@bob", text("bob")),
            (&Kind::User, "\u{200f}bob\u{200b}", text("bob")),
            (&Kind::User, "@", None),
            (&Kind::User, "b ob", None),
            (&Kind::Group, "@TGS#2J4SZEAEL", text("@TGS#2J4SZEAEL")),
            (&Kind::Group, "", None),
            (&Kind::Date, "2026-12-31", text("2026-12-31")),
            (&Kind::Date, "2026/2/3", text("2026-02-03")),
            (&Kind::Date, "2026年2月3日", text("2026-02-03")),
            (&Kind::Date, "tomorrow", text("2027-01-01")),
            (&Kind::Date, "今天", text("2026-12-31")),
            (&Kind::Date, "2026-02-30", None),
            (&Kind::Date, "2026-02-03-04", None),
            (&unit, "Celsius", text("celsius")),
            (&unit, "华氏", text("华氏")),
            (&unit, "kelvin", None),
            (&Kind::Text, "", text("")),
        ] {
            assert_eq!(read(kind, written), expected, "{kind:?} {written}");
        }
    }

    #[test]
    fn a_mention_says_who_is_meant() {
        let context = Context {
            mentioned: Some("user-17"),
            today: Date::constant(2026, 1, 1),
        };
        let meant = Kind::User.read("@Bobby", context);
        assert_eq!(meant, Some(Value::Text("user-17".to_owned())));
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_panics(text in ".*", number in "[0-9]{0,25}[a-z年月日时天]{0,2}-?[0-9]{0,25}") {
            for kind in NAMES.iter().filter_map(|name| Kind::named(name)) {
                let _ = read(&kind, &text);
                let _ = read(&kind, &number);
            }
        }
    }
}
