//! Which language an answer is in.

use super::tag::{Language, LanguageError};
use std::str::FromStr;

/// `language` in the section of a bot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::bot) enum LanguageSetting {
    /// The language in which the message seems to be written.
    #[default]
    Auto,
    /// One language for all.
    Always(Language),
}

impl LanguageSetting {
    /// The language to answer `text` in: what the user has `chosen`, else what the bot's author or operator says,
    /// else what the text is written in.
    pub(in crate::bot) fn choose(self, chosen: Option<Language>, text: &str) -> Language {
        match (chosen, self) {
            (Some(language), _) | (None, Self::Always(language)) => language,
            (None, Self::Auto) => written_in(text),
        }
    }
}

impl FromStr for LanguageSetting {
    type Err = LanguageError;

    fn from_str(text: &str) -> Result<Self, LanguageError> {
        match text {
            "auto" => Ok(Self::Auto),
            tag => tag.parse().map(Self::Always),
        }
    }
}

/// Chinese when there is a Han character, else English. A text with kana is Japanese, for which there are no texts.
fn written_in(text: &str) -> Language {
    // More is not read: nobody changes the language after a page.
    let mut start = text.chars().take(2_048);
    if start.clone().any(is_han) && !start.any(|c| matches!(c, '\u{3041}'..='\u{30ff}')) {
        Language::chinese()
    } else {
        Language::english()
    }
}

const fn is_han(c: char) -> bool {
    matches!(
        c,
        '\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_comes_first_then_the_setting_then_the_text() {
        let [en, zh] = [Language::english(), Language::chinese()];
        let french: Language = "fr".parse().unwrap();
        for (setting, chosen, text, expected) in [
            ("auto", None, "/weather Shenzhen", en),
            ("auto", None, "/weather 深圳", zh),
            ("auto", None, "「」，。", en),
            ("auto", None, "天気はどうですか", en),
            ("auto", None, "", en),
            ("auto", None, "😀\u{200d}", en),
            ("zh", None, "hello", zh),
            ("fr", None, "你好", french),
            ("fr", Some(zh), "hello", zh),
        ] {
            let setting: LanguageSetting = setting.parse().unwrap();
            assert_eq!(setting.choose(chosen, text), expected, "{setting:?} {text}");
        }
        assert!("automatic!".parse::<LanguageSetting>().is_err());
    }
}
