//! Text of others, fit to be shown.

use std::fmt;

/// The most characters that are shown of a text of others.
pub const MAX_SHOWN: usize = 200;

/// A text that came from outside (an ErrorInfo, a name, words of a program), for logs, status and
/// terminals: at most [`MAX_SHOWN`] characters, and none that could start a new line, move a cursor
/// or turn the direction of what follows.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        clipped(f, self.0, MAX_SHOWN)
    }
}

/// Writes `text` up to `limit` characters, with what controls a terminal escaped.
pub fn clipped(out: &mut impl fmt::Write, text: &str, limit: usize) -> fmt::Result {
    for (at, c) in text.chars().enumerate() {
        if at == limit {
            return out.write_char('…');
        }
        escaped(out, c)?;
    }
    Ok(())
}

/// One character; as an escape if it controls what shows it.
pub fn escaped(out: &mut impl fmt::Write, c: char) -> fmt::Result {
    if is_control(c) {
        write!(out, "{}", c.escape_default())
    } else {
        out.write_char(c)
    }
}

/// Control characters, line separators, and marks that turn the direction of writing.
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
