//! The name of a language.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use unic_langid::{LanguageIdentifier, subtags};

/// A language: `en`, `zh`, `zh-TW`, or any other tag of BCP 47 without variants.
///
/// As a parameter of a handler it is the language to answer in.
///
/// ```
/// use botroupe::prelude::*;
///
/// let spoken: Language = "zh-Hans-CN".parse()?;
/// assert!(spoken.is_chinese());
/// assert_eq!(spoken.to_string(), "zh-Hans-CN");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Language {
    language: subtags::Language,
    script: Option<subtags::Script>,
    region: Option<subtags::Region>,
}

/// A text that is no tag of a language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no language; write for example \"en\", \"zh\" or \"zh-TW\"")]
pub struct LanguageError {
    text: String,
}

impl Language {
    /// English.
    #[must_use]
    pub fn english() -> Self {
        Self::base_of("en")
    }

    /// Chinese.
    #[must_use]
    pub fn chinese() -> Self {
        Self::base_of("zh")
    }

    /// Whether it is a kind of Chinese.
    #[must_use]
    pub fn is_chinese(&self) -> bool {
        self.language == "zh"
    }

    fn base_of(tag: &str) -> Self {
        Self {
            language: tag.parse().unwrap_or_default(),
            script: None,
            region: None,
        }
    }

    /// This language, then the less special ones: `zh-Hans-CN`, `zh-Hans`, `zh`.
    pub(super) fn down_to_base(self) -> impl Iterator<Item = Self> {
        let without_region = Self {
            region: None,
            ..self
        };
        let base = Self {
            script: None,
            ..without_region
        };
        [
            Some(self),
            Some(without_region).filter(|it| *it != self),
            Some(base).filter(|it| *it != without_region),
        ]
        .into_iter()
        .flatten()
    }

    pub(super) fn identifier(self) -> LanguageIdentifier {
        LanguageIdentifier::from_parts(self.language, self.script, self.region, &[])
    }
}

impl FromStr for Language {
    type Err = LanguageError;

    fn from_str(text: &str) -> Result<Self, LanguageError> {
        let wrong = || LanguageError {
            text: text.chars().take(40).collect(),
        };
        let tag: LanguageIdentifier = text.parse().map_err(|_| wrong())?;
        if tag.variants().len() > 0 || tag.language == "und" {
            return Err(wrong());
        }
        Ok(Self {
            language: tag.language,
            script: tag.script,
            region: tag.region,
        })
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.identifier().fmt(f)
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Language({self})")
    }
}

impl Serialize for Language {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_and_fall_back_to_their_base() {
        for (text, chain) in [
            ("en", &["en"][..]),
            ("EN-gb", &["en-GB", "en"]),
            ("zh_CN", &["zh-CN", "zh"]),
            ("zh-Hant-TW", &["zh-Hant-TW", "zh-Hant", "zh"]),
            ("ja", &["ja"]),
        ] {
            let language: Language = text.parse().unwrap();
            let names: Vec<String> = language.down_to_base().map(|it| it.to_string()).collect();
            assert_eq!(names, chain, "{text}");
        }
        for text in ["", "auto-detect-me", "e", "und", "中文", "de-1996"] {
            assert!(text.parse::<Language>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_two_that_are_built_in_are_there() {
        assert_eq!(Language::english().to_string(), "en");
        assert_eq!(Language::chinese(), "zh".parse().unwrap());
        let text = serde_json::to_string(&Language::chinese()).unwrap();
        assert_eq!(text, "\"zh\"");
        let read: Language = serde_json::from_str(&text).unwrap();
        assert!(read.is_chinese());
    }
}
