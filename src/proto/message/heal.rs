//! Markdown of which the end has not come yet, as it can be shown meanwhile. Pure.

use super::split::Fence;
use std::borrow::Cow;

/// Bytes by which [`heal_markdown`] makes a text longer at most.
pub const MAX_HEALING: usize = 80;
/// More backticks than this begin no code within a line.
const MAX_TICKS: usize = 8;

/// Closes what is open at the end of a text that goes on later: a block of code, code within a line, `**` and `~~`. A mark
/// that has nothing behind it yet is left out, and so is the line that opens a block. A text in which nothing is open
/// remains as it is.
///
/// ```
/// use botroupe_proto::message::heal_markdown;
///
/// assert_eq!(heal_markdown("This is **very impor"), "This is **very impor**");
/// assert_eq!(heal_markdown("```rust\nlet a"), "```rust\nlet a\n```");
/// assert_eq!(heal_markdown("Say `"), "Say ");
/// ```
#[must_use]
pub fn heal_markdown(text: &str) -> Cow<'_, str> {
    let (mut fence, mut block, mut last) = (None::<Fence<'_>>, 0, 0);
    for line in text.split_inclusive('\n') {
        let start = last;
        if !line.ends_with('\n') {
            break;
        }
        last += line.len();
        let was_code = fence.is_some();
        fence = Fence::after(fence, line.trim_end_matches(['\r', '\n']));
        if was_code || fence.is_some() || line.trim().is_empty() {
            block = last;
        } else if begins_block(line) {
            block = start;
        }
    }
    let line = &text[last..];
    match (fence, Fence::after(fence, line)) {
        (Some(open), Some(_)) => close(text, line, open.marker),
        // The line that closes it is there.
        (Some(_), None) => Cow::Borrowed(text),
        // The language is not written yet.
        (None, Some(_)) => heal_inline(&text[..last], block),
        (None, None) if begins_block(line) => heal_inline(text, last),
        (None, None) => heal_inline(text, block),
    }
}

/// Whether a line belongs to no paragraph before it.
fn begins_block(line: &str) -> bool {
    let line = line.trim_start_matches(' ');
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_item = |rest: &str| rest.starts_with([' ', '\t']);
    match rest.chars().next() {
        Some('.' | ')') => rest.len() < line.len() && is_item(&rest[1..]),
        Some('-' | '+' | '*') if rest.len() == line.len() => is_item(&rest[1..]),
        Some('#' | '>' | '|') => rest.len() == line.len(),
        _ => false,
    }
}

/// Closes a block of code; `line` is the last one, of which the end has not come.
fn close<'a>(text: &'a str, line: &str, marker: &str) -> Cow<'a, str> {
    let bare = line.trim_start_matches(' ');
    let is_half_closed = line.len() - bare.len() <= 3
        && !bare.is_empty()
        && bare.len() < marker.len()
        && marker.starts_with(bare);
    Cow::Owned(match (line, is_half_closed) {
        (_, true) => format!("{text}{}", &marker[bare.len()..]),
        ("", false) => format!("{text}{marker}"),
        (_, false) => format!("{text}\n{marker}"),
    })
}

/// Heals what begins at `block` and holds no block of code.
fn heal_inline(text: &str, block: usize) -> Cow<'_, str> {
    let Inline { end, code, open } = Inline::of(text, block);
    if code.is_empty() && open.is_empty() {
        return Cow::Borrowed(&text[..end]);
    }
    let mut kept = &text[..end];
    if code.is_empty() {
        // A mark behind a space closes nothing.
        kept = kept.trim_end();
    }
    let mut healed = kept.to_owned() + &code;
    for Mark { marker, at, end } in open.into_iter().rev() {
        if code.is_empty() && healed.trim_end().len() <= end {
            // There is nothing behind it.
            healed.truncate(at);
            healed.truncate(healed.trim_end().len());
        } else {
            healed.push_str(marker);
        }
    }
    Cow::Owned(healed)
}

/// What is open at the end of a paragraph.
struct Inline<'a> {
    /// What comes after is left out.
    end: usize,
    /// What closes the code within the line.
    code: Cow<'a, str>,
    open: Vec<Mark<'a>>,
}

/// A mark that is open.
struct Mark<'a> {
    marker: &'a str,
    at: usize,
    end: usize,
}

impl<'a> Inline<'a> {
    fn of(text: &'a str, block: usize) -> Self {
        let bytes = text.as_bytes();
        let mut inline = Self {
            end: text.len(),
            code: Cow::Borrowed(""),
            open: Vec::new(),
        };
        let mut at = block;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\\' => match bytes.get(at + 1) {
                    Some(next) => at += if next.is_ascii() { 2 } else { 1 },
                    None => {
                        // What it escapes has not come.
                        inline.end = at;
                        break;
                    }
                },
                b'`' => {
                    let ticks = run(bytes, at);
                    if ticks > MAX_TICKS {
                        at += ticks;
                    } else if let Some(end) = closing(bytes, at + ticks, ticks) {
                        at = end;
                    } else {
                        inline.code(text, at, ticks);
                        break;
                    }
                }
                b'*' | b'~' => {
                    let count = run(bytes, at);
                    if inline.mark(text, at, count) {
                        break;
                    }
                    at += count;
                }
                _ => at += 1,
            }
        }
        inline
    }

    /// Code begins, and does not end.
    fn code(&mut self, text: &'a str, at: usize, ticks: usize) {
        let opening = &text[at..at + ticks];
        let said = &text[at + ticks..];
        if said.trim().is_empty() {
            self.end = at;
            return;
        }
        let half = said.len() - said.trim_end_matches('`').len();
        self.code = match half {
            0 => Cow::Borrowed(opening),
            half if half < ticks => Cow::Borrowed(&opening[half..]),
            _ => Cow::Owned(format!(" {opening}")),
        };
    }

    /// A mark opens or closes something. Returns whether the text ends with half of one.
    fn mark(&mut self, text: &'a str, at: usize, count: usize) -> bool {
        let after = text[at + count..].chars().next();
        let before = text[..at].chars().next_back();
        let may_close = before.is_some_and(|c| !c.is_whitespace());
        let pair = match text.as_bytes()[at] {
            b'*' => "**",
            _ => "~~",
        };
        let opened = self.open.iter().rposition(|open| open.marker == pair);
        match (count, opened, after) {
            (2.., Some(opened), _) if may_close => self.open.truncate(opened),
            (2.., None, Some(after)) if !after.is_whitespace() => self.open.push(Mark {
                marker: pair,
                at,
                end: at + count,
            }),
            // It has nothing behind it, or is half of what closes.
            (2.., _, None) | (1, Some(_), None) => {
                self.end = at;
                return true;
            }
            _ => {}
        }
        false
    }
}

/// How often the character at a place comes.
fn run(bytes: &[u8], at: usize) -> usize {
    let first = bytes.get(at);
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().take_while(|byte| Some(*byte) == first).count()
}

/// Where the code ends that so many backticks begin.
fn closing(bytes: &[u8], mut at: usize, ticks: usize) -> Option<usize> {
    while let Some(byte) = bytes.get(at) {
        if *byte != b'`' {
            at += 1;
            continue;
        }
        let count = run(bytes, at);
        at += count;
        if count == ticks {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_open_is_closed() {
        for (text, healed) in [
            ("", ""),
            ("plain", "plain"),
            ("a **b", "a **b**"),
            ("a **b** c", "a **b** c"),
            ("a **", "a "),
            ("a **b ", "a **b**"),
            ("a **b*", "a **b**"),
            ("a **b **", "a **b**"),
            ("2 ** 3", "2 ** 3"),
            ("a ~~b", "a ~~b~~"),
            ("**a ~~b", "**a ~~b~~**"),
            ("**a `b", "**a `b`**"),
            ("**`", ""),
            ("a `b", "a `b`"),
            ("a `b` c", "a `b` c"),
            ("a `", "a "),
            ("a ``b`", "a ``b``"),
            ("a `b``", "a `b`` `"),
            ("a `**b` c", "a `**b` c"),
            ("a \\**b", "a \\**b"),
            ("a \\", "a "),
            ("**one\n\ntwo", "**one\n\ntwo"),
            ("- **one\n- two", "- **one\n- two"),
            ("1. **one", "1. **one**"),
            ("* item", "* item"),
            ("# **Title", "# **Title**"),
            ("```", ""),
            ("Look:\n```ru", "Look:\n"),
            ("```rust\n", "```rust\n```"),
            ("```rust\nlet a", "```rust\nlet a\n```"),
            ("```rust\nlet a\n", "```rust\nlet a\n```"),
            ("```rust\nlet a\n``", "```rust\nlet a\n```"),
            ("```rust\nlet a\n```", "```rust\nlet a\n```"),
            ("```rust\na ** b\n```\n**c", "```rust\na ** b\n```\n**c**"),
            ("~~~~\na\n```\n", "~~~~\na\n```\n~~~~"),
            ("你好，**世", "你好，**世**"),
            ("שלום **עו", "שלום **עו**"),
            ("**👨‍👩‍👧", "**👨‍👩‍👧**"),
            ("\u{202e}`a", "\u{202e}`a`"),
        ] {
            assert_eq!(heal_markdown(text), healed, "{text:?}");
        }
    }

    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "(\\*|~|`|\\\\){1,4}",
            Just("\n```rust\n".to_owned()),
            Just("\n```\n".to_owned()),
            Just("\n\n".to_owned()),
            Just("\n- ".to_owned()),
            Just(" ".to_owned()),
            "[a-zא-ת\u{4e00}-\u{4e10}]{1,4}",
            "[\\PC]{0,3}",
            Just("\u{202e}".to_owned()),
            Just("👨‍👩‍👧".to_owned()),
        ];
        proptest::collection::vec(piece, 0..30).prop_map(|all| all.concat())
    }

    /// Markdown in which everything is closed at last.
    fn whole() -> impl Strategy<Value = String> {
        let word = "[a-zא-ת\u{4e00}-\u{4e10}😀👩]{1,5}";
        let piece = (0_u8..8, word).prop_map(|(kind, word)| match kind {
            0 => format!("**{word}** "),
            1 => format!("`{word}`, "),
            2 => format!("~~{word}~~ "),
            3 => format!("**{word} `{word}` {word}** "),
            4 => format!("\n```rust\n{word}\n```\n"),
            5 => format!("\n- {word}"),
            6 => format!("\n\n# {word}\n"),
            _ => format!("{word} "),
        });
        proptest::collection::vec(piece, 0..12).prop_map(|all| all.concat())
    }

    proptest! {
        #[test]
        fn a_text_keeps_what_it_says(text in pieces()) {
            for (end, _) in text.char_indices().chain([(text.len(), ' ')]) {
                let text = &text[..end];
                let healed = heal_markdown(text);
                prop_assert!(healed.len() <= text.len() + MAX_HEALING);
                // Only marks and spaces come and go, and the last line if it opens a block.
                let bare = |text: &str| text.replace(['*', '~', '`', '\\', ' ', '\n', '\t'], "");
                let (was, is) = (bare(text), bare(&healed));
                let last = text.len() - text.rfind('\n').map_or(0, |at| at + 1);
                prop_assert!(was.starts_with(&is) && was.len() - is.len() <= last, "{text:?} {healed:?}");
            }
        }

        #[test]
        fn nothing_is_open_wherever_a_text_is_cut(text in whole()) {
            prop_assert_eq!(heal_markdown(&text), text.as_str());
            for (end, _) in text.char_indices() {
                let healed = heal_markdown(&text[..end]);
                prop_assert_eq!(healed.matches("**").count() % 2, 0, "{:?}", healed);
                prop_assert_eq!(healed.matches("~~").count() % 2, 0, "{:?}", healed);
                prop_assert_eq!(healed.matches('`').count() % 2, 0, "{:?}", healed);
                prop_assert_eq!(heal_markdown(&healed), &*healed, "{:?}", &text[..end]);
            }
        }
    }
}
