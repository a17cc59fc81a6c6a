//! What the author of a bot chooses, and its section of the config may choose otherwise.

use super::isolation::Isolation;
use super::on_unknown::OnUnknown;
use super::overlap::Overlap;
use super::typing::Pace;
use crate::config::parse_duration;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choices {
    pub(super) isolation: Isolation,
    pub(super) on_unknown: OnUnknown,
    pub(super) overlap: Overlap,
    /// Messages that are older are not handled.
    pub(super) max_age: Option<Duration>,
    /// Whether the account is shown as typing while a handler runs.
    pub(super) typing: Option<Pace>,
    /// What it answers goes to no bot after it.
    pub(super) claims: bool,
    /// Of several accounts in a group one answers.
    pub(super) one_voice: bool,
}

/// A key that has a wrong value, and why it is wrong.
type Wrong = (&'static str, String);

/// Takes the value of a key.
type Take = fn(&mut Choices, &toml::Value) -> Result<(), String>;

/// The keys that the section of every bot may have.
const KEYS: [(&str, Take); 7] = [
    ("isolation", |choices, value| {
        read(value).map(|value| choices.isolation = value)
    }),
    ("on_unknown", |choices, value| {
        read(value).map(|value| choices.on_unknown = value)
    }),
    ("overlap", |choices, value| {
        read(value).map(|value| choices.overlap = value)
    }),
    ("max_age", |choices, value| {
        let age = parse_duration(value.as_str().unwrap_or_default());
        age.map(|age| choices.max_age = Some(age))
            .map_err(|error| error.to_string())
    }),
    ("typing", |choices, value| {
        let pace = choices.typing.unwrap_or(Pace::USUAL);
        is_true(value).map(|shows| choices.typing = shows.then_some(pace))
    }),
    ("claims", |choices, value| {
        is_true(value).map(|claims| choices.claims = claims)
    }),
    ("one_voice", |choices, value| {
        is_true(value).map(|one_voice| choices.one_voice = one_voice)
    }),
];

impl Choices {
    /// Takes the keys that every bot has out of its section. Returns whether there was one.
    ///
    /// # Errors
    /// The first key with a wrong value.
    pub(super) fn configure(&mut self, section: &mut toml::Table) -> Result<bool, Wrong> {
        let mut found = false;
        for (key, take) in KEYS {
            if let Some(value) = section.remove(key) {
                found = true;
                take(self, &value).map_err(|reason| (key, reason))?;
            }
        }
        Ok(found)
    }
}

fn read<T: FromStr<Err: Display>>(value: &toml::Value) -> Result<T, String> {
    let text = value.as_str().unwrap_or_default();
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn is_true(value: &toml::Value) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| "expected true or false".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_of_a_bot_comes_before_its_author() {
        let mut choices = Choices {
            isolation: Isolation::Inline,
            typing: Some(Pace::USUAL),
            ..Choices::default()
        };
        let text = "isolation = \"pool\"\noverlap = \"latest\"\nmax_age = \"1h\"\ntyping = false\nclaims = true\n\
                    one_voice = true\non_unknown = \"drop\"\nword = \"w\"";
        let mut section: toml::Table = text.parse().unwrap();
        assert_eq!(choices.configure(&mut section), Ok(true));
        assert_eq!(section.keys().collect::<Vec<_>>(), ["word"]);
        assert_eq!(choices.configure(&mut section), Ok(false));
        let found = (choices.isolation, choices.overlap, choices.on_unknown);
        assert_eq!(found, (Isolation::Pool, Overlap::Latest, OnUnknown::Drop));
        assert_eq!(choices.max_age, Some(Duration::from_secs(3600)));
        assert_eq!(choices.typing, None);
        assert!(choices.claims && choices.one_voice);
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        for (text, reason) in [
            ("isolation = 1", "\"auto\""),
            ("isolation = \"process\"", "\"auto\""),
            ("isolation = \"Auto\"", "\"auto\""),
            ("typing = \"yes\"", "expected true or false"),
            ("claims = 1", "expected true or false"),
            ("max_age = \"soon\"", ""),
        ] {
            let mut section: toml::Table = text.parse().unwrap();
            let (key, told) = Choices::default().configure(&mut section).unwrap_err();
            assert!(text.starts_with(key), "{text}");
            assert!(told.contains(reason), "{told}");
        }
    }
}
