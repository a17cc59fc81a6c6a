//! What people write, as texts are compared and shown: the letters that are seen, whatever the keyboard.

/// Whether nothing is seen of the character: it joins, directs or separates others, or has no width. Such
/// characters come with what is copied, and make two names look alike.
pub(super) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The text without invisible characters.
pub(super) fn visible(text: &str) -> String {
    text.chars().filter(|c| !is_invisible(*c)).collect()
}

/// The text with the full-width forms of ASCII replaced by ASCII.
pub(super) fn half_width(text: &str) -> String {
    text.chars().map(narrow).collect()
}

/// The ASCII character of which this is the full-width form, else the character itself.
pub(super) fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// The text as names are compared: visible, narrow, in small letters.
pub(super) fn folded(text: &str) -> String {
    let seen = text.chars().filter(|c| !is_invisible(*c)).map(narrow);
    seen.flat_map(char::to_lowercase).collect()
}

/// The text as an answer may quote it: short, on one line, and without what could be read as more than text.
pub(super) fn quotable(text: &str) -> String {
    shortened(text, 40)
}

/// As [`quotable`], for a whole sentence.
pub(super) fn quotable_long(text: &str) -> String {
    shortened(text, 200)
}

fn shortened(text: &str, longest: usize) -> String {
    let shown = text.chars().filter(|c| !is_invisible(*c)).map(|c| match c {
        '<' => '‹',
        '>' => '›',
        '`' => '\'',
        c if c.is_control() || c.is_whitespace() => ' ',
        c => c,
    });
    let mut shown = shown.skip_while(|c| *c == ' ');
    let mut short: String = shown.by_ref().take(longest).collect();
    if shown.next().is_some() {
        short.push('…');
    }
    short.truncate(short.trim_end().len());
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_short_and_harmless() {
        for (text, expected) in [
            ("soon", "soon"),
            ("  a\nb\u{202e}c\u{0} ", "a bc"),
            ("<at id=1>`x`", "‹at id=1›'x'"),
            ("", ""),
            ("👨\u{200d}👩", "👨👩"),
        ] {
            assert_eq!(quotable(text), expected);
        }
        let long = quotable(&"长".repeat(12_000));
        assert_eq!(long.chars().count(), 41);
    }

    #[test]
    fn names_are_compared_as_they_are_seen() {
        for text in ["Weather", "\u{200f}weather\u{200b}", "ＷＥＡＴＨＥＲ"] {
            assert_eq!(folded(text), "weather");
        }
    }
}
