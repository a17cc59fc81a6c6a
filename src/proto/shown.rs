//! Safe display of untrusted text.

use std::fmt;

/// The maximum number of displayed characters of an untrusted text.
pub const MAX_SHOWN: usize = 200;

/// Displays an untrusted text (an ErrorInfo, a name, the output of a program) in logs, status and
/// terminals. It prints at most [`MAX_SHOWN`] characters, and escapes those that would start a new
/// line, move the cursor or change the text direction.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        clipped(f, self.0, MAX_SHOWN)
    }
}

/// Writes at most `limit` characters of `text` and escapes control characters.
pub fn clipped(out: &mut impl fmt::Write, text: &str, limit: usize) -> fmt::Result {
    for (at, c) in text.chars().enumerate() {
        if at == limit {
            return out.write_char('…');
        }
        escaped(out, c)?;
    }
    Ok(())
}

/// Writes one character, as an escape if it is a control character.
pub fn escaped(out: &mut impl fmt::Write, c: char) -> fmt::Result {
    if is_control(c) {
        write!(out, "{}", c.escape_default())
    } else {
        out.write_char(c)
    }
}

/// Returns whether `c` is a control character, a line separator or a mark that changes the text
/// direction.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_is_short_and_controls_no_terminal() {
        let nasty = "a\nb\u{1b}[31mred\u{9b}m\u{202e}x\r\t\0é你";
        let shown = Shown(nasty).to_string();
        assert_eq!(shown, r"a\nb\u{1b}[31mred\u{9b}m\u{202e}x\r\t\u{0}é你");
        let long = Shown(&"x".repeat(1 << 20)).to_string();
        assert_eq!(long.chars().count(), MAX_SHOWN + 1);
        assert!(long.ends_with('…'));
        assert_eq!(Shown(&"y".repeat(MAX_SHOWN)).to_string().len(), MAX_SHOWN);
    }
}
