//! `user_id` patterns: `support-{001..200}` and `{red,green}-team` stand for many UserIDs.
//!
//! Several groups multiply. Whether each result is a valid UserID is not decided here.

use thiserror::Error;

/// The most accounts one config may have, from all its `[[accounts]]` together. A guard against
/// a slip of the finger (`{1..10000000}`), far above what one process can keep online.
pub const MAX_ACCOUNTS: usize = 100_000;

/// The longest piece of a pattern in bytes; a UserID is not longer than that either.
const MAX_PART: usize = 32;

/// Why a `user_id` pattern cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PatternError {
    /// `{` without `}`.
    #[error("\"{{\" without a closing \"}}\"")]
    Unclosed,
    /// `}` without `{`.
    #[error("\"}}\" without an opening \"{{\"")]
    Unopened,
    /// `{` inside `{…}`.
    #[error("\"{{\" inside another \"{{\"; groups cannot be nested")]
    Nested,
    /// A group that is neither a range nor a list.
    #[error("\"{{{group}}}\" is neither a range like {{001..200}} nor a list like {{a,b,c}}")]
    NotAGroup {
        /// The text between the braces.
        group: String,
    },
    /// A range whose ends are not whole numbers.
    #[error("\"{{{group}}}\": both ends of a range must be whole numbers, as in {{001..200}}")]
    NotARange {
        /// The text between the braces.
        group: String,
    },
    /// A range that runs backwards.
    #[error("\"{{{group}}}\" runs backwards; write {{{last}..{first}}}")]
    Backwards {
        /// The text between the braces.
        group: String,
        /// Its first end as written.
        first: String,
        /// Its last end as written.
        last: String,
    },
    /// A list with an empty item.
    #[error("\"{{{group}}}\" has an empty item")]
    EmptyItem {
        /// The text between the braces.
        group: String,
    },
    /// A piece longer than any UserID, so no result could be valid.
    #[error("a part of the pattern is longer than {MAX_PART} bytes; no UserID is")]
    TooLong,
    /// More than [`MAX_ACCOUNTS`].
    #[error("expands to more than {MAX_ACCOUNTS} accounts")]
    TooMany,
}

/// One piece of a pattern.
#[derive(Debug)]
enum Part<'a> {
    Text(&'a str),
    List(Vec<&'a str>),
    Range { first: u64, last: u64, width: usize },
}

impl Part<'_> {
    /// How many texts this piece stands for; saturates, the caller has a bound far below.
    fn count(&self) -> usize {
        match self {
            Self::Text(_) => 1,
            Self::List(items) => items.len(),
            Self::Range { first, last, .. } => {
                usize::try_from(last.saturating_sub(*first).saturating_add(1)).unwrap_or(usize::MAX)
            }
        }
    }

    fn texts(&self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![(*text).to_owned()],
            Self::List(items) => items.iter().map(|item| (*item).to_owned()).collect(),
            Self::Range { first, last, width } => {
                (*first..=*last).map(|n| format!("{n:0width$}")).collect()
            }
        }
    }
}

/// Whether `text` is a pattern at all: it holds a brace.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['{', '}'])
}

/// Every text `pattern` stands for, in the order written; the last group counts fastest. At most
/// `limit` of them: the count is known before anything is built.
pub(super) fn expand_pattern(pattern: &str, limit: usize) -> Result<Vec<String>, PatternError> {
    let parts = parse(pattern)?;
    let count = parts
        .iter()
        .try_fold(1usize, |count, part| count.checked_mul(part.count()))
        .filter(|count| *count <= limit)
        .ok_or(PatternError::TooMany)?;
    let mut out = Vec::with_capacity(count);
    out.push(String::new());
    for part in parts {
        let texts = part.texts();
        out = out
            .iter()
            .flat_map(|head| texts.iter().map(move |tail| format!("{head}{tail}")))
            .collect();
    }
    Ok(out)
}

fn parse(pattern: &str) -> Result<Vec<Part<'_>>, PatternError> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        let (text, from) = rest.split_at(at);
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        let inner = from.strip_prefix('{').ok_or(PatternError::Unopened)?;
        let (group, after) = inner.split_once('}').ok_or(PatternError::Unclosed)?;
        if group.contains('{') {
            return Err(PatternError::Nested);
        }
        parts.push(parse_group(group)?);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    // Checked before expanding: a long piece times many accounts would fill the memory.
    let too_long = |part: &Part<'_>| match part {
        Part::Text(text) => text.len() > MAX_PART,
        Part::List(items) => items.iter().any(|item| item.len() > MAX_PART),
        Part::Range { width, .. } => *width > MAX_PART,
    };
    if parts.len() > MAX_PART || parts.iter().any(too_long) {
        return Err(PatternError::TooLong);
    }
    Ok(parts)
}

fn parse_group(group: &str) -> Result<Part<'_>, PatternError> {
    if let Some((first, last)) = group.split_once("..") {
        return parse_range(group, first, last);
    }
    if !group.contains(',') {
        return Err(PatternError::NotAGroup {
            group: group.to_owned(),
        });
    }
    let items: Vec<&str> = group.split(',').map(str::trim).collect();
    if items.iter().any(|item| item.is_empty()) {
        return Err(PatternError::EmptyItem {
            group: group.to_owned(),
        });
    }
    Ok(Part::List(items))
}

fn parse_range<'a>(group: &str, first: &'a str, last: &'a str) -> Result<Part<'a>, PatternError> {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits
            .then(|| text.parse::<u64>().ok())
            .flatten()
            .ok_or_else(|| PatternError::NotARange {
                group: group.to_owned(),
            })
    };
    let (from, to) = (number(first)?, number(last)?);
    if from > to {
        return Err(PatternError::Backwards {
            group: group.to_owned(),
            first: first.to_owned(),
            last: last.to_owned(),
        });
    }
    // As in a shell: a leading zero at either end asks for one width for all.
    let padded = [first, last]
        .iter()
        .any(|end| end.len() > 1 && end.starts_with('0'));
    let width = if padded {
        first.len().max(last.len())
    } else {
        0
    };
    Ok(Part::Range {
        first: from,
        last: to,
        width,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn expands_ranges_and_lists_in_order() {
        for (pattern, expected) in [
            ("plain", vec!["plain"]),
            ("b-{08..11}", vec!["b-08", "b-09", "b-10", "b-11"]),
            ("b{8..11}", vec!["b8", "b9", "b10", "b11"]),
            ("{1..003}", vec!["001", "002", "003"]),
            ("{0..2}", vec!["0", "1", "2"]),
            ("{a,b, c}-x", vec!["a-x", "b-x", "c-x"]),
            ("{a,b}{1..2}", vec!["a1", "a2", "b1", "b2"]),
            ("{5..5}", vec!["5"]),
        ] {
            assert_eq!(expand_pattern(pattern, 10).unwrap(), expected, "{pattern}");
        }
        let all = expand_pattern("support-{001..200}", MAX_ACCOUNTS).unwrap();
        assert_eq!(all.len(), 200);
        assert_eq!(
            (all[0].as_str(), all[199].as_str()),
            ("support-001", "support-200")
        );
    }

    #[test]
    fn says_what_is_wrong() {
        for (pattern, fragment) in [
            ("a{1..2", "without a closing"),
            ("a}", "without an opening"),
            ("{a,{b}}", "cannot be nested"),
            ("{}", "neither a range"),
            ("{a}", "neither a range"),
            ("{a..c}", "whole numbers"),
            ("{1..}", "whole numbers"),
            ("{-1..3}", "whole numbers"),
            ("{1..99999999999999999999}", "whole numbers"),
            ("{3..1}", "write {1..3}"),
            ("{a,,b}", "empty item"),
            ("{0..18446744073709551615}", "more than"),
            ("{1..1000}{1..1000}", "more than"),
            (&format!("{{{}1..2}}", "0".repeat(70_000)), "longer than"),
            (&format!("{}{{1..2}}", "x".repeat(33)), "longer than"),
            (&"{1..1}".repeat(33), "longer than"),
        ] {
            let error = expand_pattern(pattern, MAX_ACCOUNTS)
                .unwrap_err()
                .to_string();
            assert!(error.contains(fragment), "{pattern}: {error}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_keeps_the_limit(pattern in "[a{}.,0-9]{0,24}") {
            if let Ok(all) = expand_pattern(&pattern, 50) {
                prop_assert!(all.len() <= 50);
            }
        }
    }
}
