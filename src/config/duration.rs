//! Durations as they stand in a config file: `"500ms"`, `"30s"`, `"5m"`, `"2h"`, `"7d"`, `"1h30m"`.

use std::{fmt::Write as _, time::Duration};

use thiserror::Error;

/// The units, longest first, each with its milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DurationError {
    /// A number alone.
    #[error("which unit? write \"{number}s\" for seconds (ms, s, m, h and d are known)")]
    NoUnit {
        /// The number.
        number: String,
    },
    /// An unknown unit.
    #[error("unknown unit {unit:?}; known: ms, s, m, h, d")]
    UnknownUnit {
        /// The text in the config.
        unit: String,
    },
    /// Not a number with a unit at all.
    #[error(
        "{text:?} is not a duration; write for example \"500ms\", \"30s\", \"5m\", \"2h\", \"1h30m\" or \"7d\""
    )]
    NotADuration {
        /// The text in the config.
        text: String,
    },
    /// More than 2^64 milliseconds.
    #[error("{text:?} is too long")]
    TooLong {
        /// The text in the config.
        text: String,
    },
}

/// Reads a duration: one or more whole numbers, each with its unit, in any order.
///
/// # Errors
/// [`DurationError`] says what is wrong.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let not_a_duration = || DurationError::NotADuration {
        text: text.to_owned(),
    };
    let too_long = || DurationError::TooLong {
        text: text.to_owned(),
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(not_a_duration());
    }
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let (digits, after) = split_while(rest, |c| c.is_ascii_digit());
        if digits.is_empty() {
            return Err(not_a_duration());
        }
        let (unit, after) = split_while(after.trim_start(), char::is_alphabetic);
        if unit.is_empty() {
            return Err(if after.is_empty() {
                DurationError::NoUnit {
                    number: digits.to_owned(),
                }
            } else {
                not_a_duration()
            });
        }
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(DurationError::UnknownUnit {
                unit: unit.to_owned(),
            });
        };
        let number: u64 = digits.parse().map_err(|_| too_long())?;
        millis = number
            .checked_mul(*factor)
            .and_then(|part| millis.checked_add(part))
            .ok_or_else(too_long)?;
        rest = after.trim_start();
    }
    Ok(Duration::from_millis(millis))
}

/// Writes a duration the way [`parse_duration`] reads it; anything under a millisecond is lost.
pub fn format_duration(duration: Duration) -> String {
    let mut millis = duration.as_millis();
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (unit, factor) in UNITS {
        let count = millis / u128::from(factor);
        millis %= u128::from(factor);
        if count > 0 {
            // Writing to a String cannot fail.
            let _ = write!(out, "{count}{unit}");
        }
    }
    out
}

fn split_while(text: &str, test: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !test(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_every_unit_and_sums() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("7d", 604_800_000),
            ("1h30m", 5_400_000),
            (" 1 h 30 m ", 5_400_000),
            ("0s", 0),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, fragment) in [
            ("", "is not a duration"),
            ("fast", "is not a duration"),
            ("-1s", "is not a duration"),
            ("1.5s", "is not a duration"),
            ("10", "write \"10s\""),
            ("10 minutes", "unknown unit \"minutes\""),
            ("99999999999999999999d", "too long"),
            ("999999999999999999d", "too long"),
        ] {
            let error = parse_duration(text).unwrap_err().to_string();
            assert!(error.contains(fragment), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(millis in 0u64..10_000_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn never_panics(text in ".*") {
            let _ = parse_duration(&text);
        }
    }
}
