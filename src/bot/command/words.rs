//! Splits what a person writes into words.

use std::borrow::Cow;

/// One word, without its quotes and escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: Cow<'a, str>,
    /// The byte where it begins, with its quote.
    pub(super) at: usize,
    pub(super) is_quoted: bool,
}

/// A quote that nobody closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    pub(super) quote: char,
    /// The byte where it stands.
    pub(super) at: usize,
}

/// The words of a text, taken one by one: what the pattern wants whole is never split.
///
/// * Words are separated by white space.
/// * A quote at the start of a word holds it together: `"…"`, `'…'`, `“…”`, `‘…’`, `「…」`, `『…』`. One that may be an
///   apostrophe ends the word only in front of white space.
/// * A backslash makes the quote, backslash or space after it an ordinary character. In front of others it is one
///   itself.
#[derive(Clone, Debug)]
pub(super) struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// What is left, without the white space in front of it, and the byte where it begins.
    pub(super) fn rest(&mut self) -> (&'a str, usize) {
        let left = self.left();
        let trimmed = left.trim_start();
        self.at += left.len() - trimmed.len();
        (trimmed, self.at)
    }

    fn left(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes over so many bytes of what is left.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.text.len());
    }

    /// Whether white space, or nothing, comes next.
    pub(super) fn is_between(&self) -> bool {
        self.left().chars().next().is_none_or(char::is_whitespace)
    }

    /// Everything that is left: without its quotes, if they are around all of it.
    pub(super) fn take_rest(&mut self) -> Word<'a> {
        let (rest, at) = self.rest();
        let rest = rest.trim_end();
        let mut alone = Words::new(rest);
        let whole = match alone.next() {
            Some(Ok(word)) if word.is_quoted && alone.rest().0.is_empty() => Some(word.text),
            _ => None,
        };
        self.at = self.text.len();
        Word {
            is_quoted: whole.is_some(),
            text: whole.unwrap_or(Cow::Borrowed(rest)),
            at,
        }
    }

    fn quoted(&mut self, open: char, at: usize) -> Result<Word<'a>, Unclosed> {
        let (close, may_be_apostrophe) = closing(open).unwrap_or((open, true));
        let start = at + open.len_utf8();
        let inner = self.text.get(start..).unwrap_or_default();
        let mut text = String::new();
        let mut chars = inner.char_indices().peekable();
        while let Some((place, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            match (c, next) {
                ('\\', Some(next)) if next == '\\' || next == close || next == open => {
                    text.push(next);
                    chars.next();
                }
                (c, next)
                    if c == close
                        && (!may_be_apostrophe || next.is_none_or(char::is_whitespace)) =>
                {
                    self.at = start + place + c.len_utf8();
                    return Ok(Word {
                        text: Cow::Owned(text),
                        at,
                        is_quoted: true,
                    });
                }
                (c, _) => text.push(c),
            }
        }
        self.at = self.text.len();
        Err(Unclosed { quote: open, at })
    }

    fn bare(&mut self, at: usize) -> Word<'a> {
        let left = self.text.get(at..).unwrap_or_default();
        let mut text = String::new();
        let mut length = left.len();
        let mut has_escapes = false;
        let mut chars = left.char_indices().peekable();
        while let Some((place, c)) = chars.next() {
            if c.is_whitespace() {
                length = place;
                break;
            }
            let escaped = chars.peek().map(|(_, next)| *next).filter(|next| {
                c == '\\' && (*next == '\\' || next.is_whitespace() || closing(*next).is_some())
            });
            if let Some(next) = escaped {
                has_escapes = true;
                text.push(next);
                chars.next();
            } else {
                text.push(c);
            }
        }
        self.at = at + length;
        let plain = left.get(..length).unwrap_or_default();
        Word {
            text: if has_escapes {
                Cow::Owned(text)
            } else {
                Cow::Borrowed(plain)
            },
            at,
            is_quoted: false,
        }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Result<Word<'a>, Unclosed>;

    fn next(&mut self) -> Option<Self::Item> {
        let (left, at) = self.rest();
        let first = left.chars().next()?;
        Some(match closing(first) {
            Some(_) => self.quoted(first, at),
            None => Ok(self.bare(at)),
        })
    }
}

/// What closes a quote, and whether it may be an apostrophe or an inch.
const fn closing(open: char) -> Option<(char, bool)> {
    match open {
        '"' => Some(('"', true)),
        '\'' => Some(('\'', true)),
        '‘' => Some(('’', true)),
        '“' => Some(('”', false)),
        '「' => Some(('」', false)),
        '『' => Some(('』', false)),
        _ => None,
    }
}

/// Writes a text so that it is read back as one word that is no option.
#[cfg(test)]
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str) -> Result<Vec<String>, Unclosed> {
        Words::new(text)
            .map(|word| word.map(|word| word.text.into_owned()))
            .collect()
    }

    #[test]
    fn words_are_split_at_spaces_and_kept_together_by_quotes() {
        for (text, words) in [
            ("", &[][..]),
            (" \t\n\u{3000}", &[]),
            ("a  b\u{3000}c\nd", &["a", "b", "c", "d"]),
            ("\"New York\" 3", &["New York", "3"]),
            ("'New York'", &["New York"]),
            ("“New York”3", &["New York", "3"]),
            ("‘it’s’ x", &["it’s", "x"]),
            ("「深 圳」天气", &["深 圳", "天气"]),
            ("'it's fine'", &["it's fine"]),
            ("don't 5\" it's", &["don't", "5\"", "it's"]),
            (r#""say \"hi\" \\ C:\dir""#, &[r#"say "hi" \ C:\dir"#]),
            (r"New\ York \'tis a\b", &["New York", "'tis", r"a\b"]),
            ("\"\" ''", &["", ""]),
            ("\\", &["\\"]),
            ("👨\u{200d}👩 \u{202e}abc", &["👨\u{200d}👩", "\u{202e}abc"]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text:?}");
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_is_shown() {
        for (text, quote, at) in [
            ("a \"b c", '"', 2),
            ("“b c\"", '“', 0),
            ("深 「圳", '「', 4),
            ("\"a\\\"", '"', 0),
            ("'", '\'', 0),
        ] {
            assert_eq!(split(text), Err(Unclosed { quote, at }), "{text:?}");
        }
    }

    #[test]
    fn what_is_wanted_whole_is_not_split() {
        for (text, rest) in [
            ("x don't say \"hi ", "don't say \"hi"),
            ("x \"call mom\"", "call mom"),
            ("x \"a\" b \"c\"", "\"a\" b \"c\""),
            ("x", ""),
        ] {
            let mut words = Words::new(text);
            words.next();
            assert_eq!(words.take_rest().text, rest, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_back(texts in proptest::collection::vec(any::<String>(), 0..6)) {
            let line: Vec<String> = texts.iter().map(|text| quote(text)).collect();
            prop_assert_eq!(split(&line.join(" ")), Ok(texts));
        }

        #[test]
        fn nothing_panics(text in any::<String>(), quotes in "[\"'“”‘’「」\\\\ a]{0,40}") {
            for text in [text, quotes] {
                let _ = split(&text);
                let _ = Words::new(&text).take_rest();
            }
        }
    }
}
