//! Whether a text is for the commands of a bot at all.

use super::written;

/// What a command begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bot) struct Prefixes {
    signs: Vec<String>,
    /// A mention of the account does as well.
    by_mention: bool,
}

/// Texts that cannot begin a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{prefix:?} cannot begin a command; write for example [\"/\", \"!\"], and \"@\" for a mention of the account"
)]
pub struct PrefixError {
    prefix: String,
}

/// The part of a text that is for the commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Addressed<'a> {
    /// What comes behind the prefix.
    pub(super) text: &'a str,
    /// Only the mention says that it is for the bot: it may be no command.
    pub(super) is_vague: bool,
}

impl Default for Prefixes {
    fn default() -> Self {
        Self {
            signs: vec!["/".to_owned()],
            by_mention: false,
        }
    }
}

impl Prefixes {
    /// Reads a list of prefixes.
    ///
    /// # Errors
    /// When one of them is empty, or has white space in it.
    pub(in crate::bot) fn new<'a>(
        list: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PrefixError> {
        let mut prefixes = Self {
            signs: Vec::new(),
            by_mention: false,
        };
        for prefix in list {
            let sign = written::folded(prefix);
            if sign == "@" {
                prefixes.by_mention = true;
                continue;
            }
            if sign.is_empty() || sign.len() > 32 || sign.contains(char::is_whitespace) {
                let prefix = prefix.to_owned();
                return Err(PrefixError { prefix });
            }
            prefixes.signs.push(sign);
        }
        // Of `!` and `!!` the longer one is meant where it fits.
        prefixes
            .signs
            .sort_by_key(|sign| std::cmp::Reverse(sign.len()));
        Ok(prefixes)
    }

    /// How help writes a command.
    pub(super) fn shown(&self) -> &str {
        let signs = self.signs.iter();
        // The list is sorted by length for reading; one character is what people like to type.
        signs
            .min_by_key(|sign| sign.len())
            .map_or("", String::as_str)
    }

    /// The text behind the prefix; `None` when the text is not for the commands. `names` are what a mention may call
    /// the account, if the message mentions it.
    pub(super) fn strip<'a>(&self, text: &'a str, names: &[&str]) -> Option<Addressed<'a>> {
        let text = start(text);
        let behind = if names.is_empty() {
            None
        } else {
            behind_mention(text, names)
        };
        let after = behind.unwrap_or(text);
        for sign in &self.signs {
            if let Some(rest) = behind_sign(after, sign) {
                return Some(Addressed {
                    text: rest,
                    is_vague: false,
                });
            }
        }
        behind.filter(|_| self.by_mention).map(|text| Addressed {
            text,
            is_vague: true,
        })
    }
}

/// The text from its first visible character on.
fn start(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || written::is_invisible(c))
}

fn behind_sign<'a>(text: &'a str, sign: &str) -> Option<&'a str> {
    let mut rest = text;
    for wanted in sign.chars() {
        let c = rest.chars().next()?;
        if !written::narrow(c).to_lowercase().eq([wanted]) {
            return None;
        }
        rest = rest.get(c.len_utf8()..)?;
    }
    // A word as a prefix is a word: "bot weather", and not "bottle".
    if sign.ends_with(char::is_alphanumeric) {
        return rest.starts_with(char::is_whitespace).then(|| start(rest));
    }
    // A sign stands right in front of the name.
    (!rest.starts_with(char::is_whitespace)).then_some(rest)
}

fn behind_mention<'a>(text: &'a str, names: &[&str]) -> Option<&'a str> {
    let text = text.strip_prefix(['@', '＠'])?;
    let named = names
        .iter()
        .filter(|name| !name.is_empty())
        .find_map(|name| {
            let rest = text.strip_prefix(*name)?;
            (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some(rest)
        });
    // The message mentions the account, and the name is one that we do not know.
    let rest = named.or_else(|| {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        (end > 0).then(|| text.get(end..).unwrap_or_default())
    })?;
    Some(start(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip<'a>(list: &[&str], text: &'a str, names: &[&str]) -> Option<(&'a str, bool)> {
        let prefixes = Prefixes::new(list.iter().copied()).unwrap();
        let found = prefixes.strip(text, names)?;
        Some((found.text, found.is_vague))
    }

    #[test]
    fn a_prefix_or_a_mention_makes_a_command() {
        let me = &["robot", "Ro Bot"][..];
        for (list, text, names, expected) in [
            (
                &["/"][..],
                "/weather x",
                &[][..],
                Some(("weather x", false)),
            ),
            (&["/"], "／weather", &[], Some(("weather", false))),
            (&["/"], " \u{200f}/weather", &[], Some(("weather", false))),
            (&["/"], "/ weather", &[], None),
            (&["/"], "weather", &[], None),
            (&["/"], "", &[], None),
            (&["/"], "!weather", &[], None),
            (&["/"], "/", &[], Some(("", false))),
            (&["!", "!!"], "！！weather", &[], Some(("weather", false))),
            (&["bot"], "Bot weather", &[], Some(("weather", false))),
            (&["bot"], "bottle", &[], None),
            (&["/"], "@robot /weather", me, Some(("weather", false))),
            (&["/"], "@robot weather", me, None),
            (&["/", "@"], "@robot weather", me, Some(("weather", true))),
            (&["@"], "@Ro Bot weather", me, Some(("weather", true))),
            (&["@"], "@nick\u{2005}weather", me, Some(("weather", true))),
            (&["@"], "@robot weather", &[], None),
            (&["@"], "@", me, None),
            (&["@"], "weather @robot", me, None),
        ] {
            assert_eq!(strip(list, text, names), expected, "{list:?} {text}");
        }
    }

    #[test]
    fn a_prefix_that_nobody_can_write_is_refused() {
        for prefix in ["", " ", "\u{200b}", "a b"] {
            assert!(Prefixes::new([prefix]).is_err(), "{prefix:?}");
        }
    }
}
