//! Lone surrogates in JSON. A client that truncates a text in the middle of an emoji sends half of
//! a surrogate pair. JavaScript accepts such a string; Unicode and `serde_json` do not.

use std::borrow::Cow;

/// The escape that replaces a lone surrogate (U+FFFD).
const LOST: &str = "\\ufffd";

/// Replaces each lone surrogate escape in the JSON by U+FFFD, so that the surrounding text stays
/// readable.
#[must_use]
pub fn mend(json: Cow<'_, str>) -> Cow<'_, str> {
    // Most packets contain no escape, and almost none one of a surrogate.
    if memchr::memchr(b'\\', json.as_bytes()).is_none() {
        return json;
    }
    if !json.contains("\\ud") && !json.contains("\\uD") {
        return json;
    }
    let (mut mended, mut from, mut at) = (String::new(), 0, 0);
    let bytes = json.as_bytes();
    while let Some(offset) = bytes[at..].iter().position(|byte| *byte == b'\\') {
        at += offset;
        let Some(unit) = unit(bytes, at) else {
            at = (at + 2).min(bytes.len()); // Another escape, or none.
            continue;
        };
        let is_pair = is_high(unit) && self::unit(bytes, at + 6).is_some_and(is_low);
        if is_pair {
            at += 12;
        } else if is_high(unit) || is_low(unit) {
            // Escapes are ASCII, so both ends are character boundaries.
            mended.push_str(&json[from..at]);
            mended.push_str(LOST);
            at += 6;
            from = at;
        } else {
            at += 6;
        }
    }
    if from == 0 {
        return json;
    }
    mended.push_str(&json[from..]);
    Cow::Owned(mended)
}

/// Returns the code unit of the escape `\uXXXX` at this offset.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let escape = bytes.get(at..at + 6)?;
    let digits = escape.strip_prefix(b"\\u")?;
    let mut unit = 0;
    for digit in digits {
        let value = char::from(*digit).to_digit(16)?;
        unit = unit << 4 | u16::try_from(value).ok()?;
    }
    Some(unit)
}

fn is_high(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

fn is_low(unit: u16) -> bool {
    (0xdc00..0xe000).contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a6_half_characters_become_one_that_stands_for_them() {
        for (given, read) in [
            (r#""cut \ud83d""#, "cut \u{fffd}"),
            (r#""\uDE00 rest""#, "\u{fffd} rest"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (r#""\ud83d\ude00""#, "\u{1f600}"),
            (r#""\\ud83d""#, "\\ud83d"),
            (r#""\\\ud83d""#, "\\\u{fffd}"),
            (r#""\ud83dé""#, "\u{fffd}é"),
            (r#""a\u00e9\ud800\n""#, "aé\u{fffd}\n"),
        ] {
            let mended = mend(given.into());
            let text: String = serde_json::from_str(&mended).unwrap();
            assert_eq!(text, read, "{given}");
        }
    }

    #[test]
    fn what_needs_no_mending_is_not_copied() {
        assert!(matches!(
            mend(r#"{"a":"\ud83d\ude00"}"#.into()),
            Cow::Borrowed(_)
        ));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_could_be_read_reads_the_same(
            parts in proptest::collection::vec(prop_oneof![
                Just("\\".to_owned()), Just("\\u".to_owned()), Just("\\ud83d".to_owned()),
                Just("\\ude00".to_owned()), Just("é".to_owned()), "[a-f0-9\"]{0,5}",
            ], 0..12),
        ) {
            let text = format!("\"{}\"", parts.concat());
            let before: Result<String, _> = serde_json::from_str(&text);
            let after: Result<String, _> = serde_json::from_str(&mend(text.as_str().into()));
            if let Ok(before) = before {
                prop_assert_eq!(before, after.unwrap());
            }
        }
    }
}
