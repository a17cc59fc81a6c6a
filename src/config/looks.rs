//! A file that is no config: what it looks like instead, and what to do.

use super::error::{ConfigError, ConfigErrors, Problem};
use super::place::{Place, Positions};
use std::sync::Arc;

/// Marks that other languages write where TOML wants others, with the right ones.
const OTHER_MARKS: [(char, &str); 16] = [
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('«', "\""),
    ('»', "\""),
    ('＂', "\""),
    ('「', "\""),
    ('」', "\""),
    ('‘', "'"),
    ('’', "'"),
    ('＝', "="),
    ('，', ","),
    ('、', ","),
    ('［', "["),
    ('］', "]"),
    ('＃', "#"),
];

/// What is wrong with bytes that are no UTF-8 text.
#[must_use]
pub fn not_utf8(file: &str, bytes: &[u8]) -> ConfigErrors {
    let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let good = str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let good = bytes.get(..good).unwrap_or_default();
    let text = String::from_utf8_lossy(good);
    let place = if wide {
        Place::WholeFile {
            file: Arc::from(file),
        }
    } else {
        Positions::new(file, &text).at(text.len())
    };
    let looks = if wide {
        "this is UTF-16"
    } else {
        "this is no UTF-8 (GBK or another old encoding?)"
    };
    ConfigErrors::new(vec![ConfigError {
        place,
        key: String::new(),
        problem: Problem::Encoding { looks },
    }])
}

/// A better word than the TOML parser's, for text that it refused at the byte `at`.
pub(super) fn instead(text: &str, at: usize) -> Option<(usize, Problem)> {
    if let Some(nul) = text.find('\0') {
        return Some((nul, Problem::NulByte));
    }
    let first = text.trim_start().chars().next()?;
    if first == '{' {
        return Some((0, Problem::OtherFormat { format: "JSON" }));
    }
    if is_yaml(text) {
        return Some((0, Problem::OtherFormat { format: "YAML" }));
    }
    let at = floor(text, at);
    let start = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let end = text
        .get(at..)?
        .find('\n')
        .map_or(text.len(), |end| at + end);
    let line = text.get(start..end)?;
    line.char_indices().find_map(|(offset, found)| {
        let (_, right) = OTHER_MARKS.iter().find(|(mark, _)| *mark == found)?;
        Some((start + offset, Problem::OtherMark { found, right }))
    })
}

/// The start of the character at a byte.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// Whether most lines are `key: value` or `- item`, and none is `key = value`.
fn is_yaml(text: &str) -> bool {
    let mut yaml = 0;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let is_key = |key: &str| {
            !key.is_empty()
                && key
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
        };
        let item = line.strip_prefix("- ").unwrap_or(line);
        match item.split_once(':') {
            Some((key, rest)) if is_key(key) && (rest.is_empty() || rest.starts_with(' ')) => {
                yaml += 1;
            }
            _ if line == "---" || line.starts_with("- ") => yaml += 1,
            _ => return false,
        }
    }
    yaml > 0
}
