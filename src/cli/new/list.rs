//! The list of bots in `bots/mod.rs`: the names in `bots! { … }`. Everything else in the file stays as it is.

use std::ops::Range;

/// Why a bot cannot be added to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoList {
    /// There is no `bots!` in it.
    Missing,
    /// What stands between the braces is no list of names.
    Odd,
}

/// The text of the file with the bot in its list; as it is when the bot is there already.
///
/// # Errors
/// When the list cannot be found or read.
pub(super) fn with(text: &str, name: &str) -> Result<String, NoList> {
    let inside = inside(text).ok_or(NoList::Missing)?;
    let list = text.get(inside.clone()).unwrap_or_default();
    let names = names(list).ok_or(NoList::Odd)?;
    let called = |range: &Range<usize>| list.get(range.clone()).unwrap_or_default();
    if names.iter().any(|range| called(range) == name) {
        return Ok(text.to_owned());
    }
    let line_of = |at: usize| {
        let start = list.get(..at)?.rfind('\n')? + 1;
        let indent = list.get(start..at)?;
        indent
            .chars()
            .all(char::is_whitespace)
            .then_some((start, indent))
    };
    // A sorted list with one name a line stays one.
    let is_sorted = names.is_sorted_by(|a, b| called(a) < called(b));
    let next = names.iter().find(|range| called(range) > name);
    if is_sorted
        && let Some(next) = next
        && let Some((start, indent)) = line_of(next.start)
    {
        return Ok(put(
            text,
            inside.start + start,
            &format!("{indent}{name},\n"),
        ));
    }
    let Some(last) = names.last() else {
        let rest = list.trim_end();
        let end = inside.start + rest.len();
        let after = text.get(inside.end..).unwrap_or_default();
        let before = text.get(..end).unwrap_or_default();
        return Ok(format!("{before}\n    {name},\n{after}"));
    };
    let indent = line_of(last.start).map_or("    ", |(_, indent)| indent);
    // Behind the last name, its comma, and a comment on its line.
    let after = list.get(last.end..).unwrap_or_default();
    let has_comma = unquoted(after).contains(',');
    let end = after
        .find('\n')
        .map_or(list.trim_end().len(), |at| last.end + at);
    let text = match has_comma {
        // Whatever stands between name and comma stays there.
        true => put(text, inside.start + end, &format!("\n{indent}{name},")),
        false => {
            let text = put(text, inside.start + last.end, ",");
            put(&text, inside.start + end + 1, &format!("\n{indent}{name},"))
        }
    };
    Ok(text)
}

fn put(text: &str, at: usize, more: &str) -> String {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    format!("{before}{more}{after}")
}

/// What stands between the braces of `bots! { … }`.
fn inside(text: &str) -> Option<Range<usize>> {
    let plain = unquoted(text);
    let mut from = 0;
    loop {
        let at = from + plain.get(from..)?.find("bots!")?;
        from = at + "bots!".len();
        // `robots!` is another macro.
        let before = plain.get(..at)?.chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = plain.get(from..)?;
        let open = rest.find(|c: char| !c.is_whitespace())?;
        let close = match rest.get(open..)?.chars().next()? {
            '{' => '}',
            '(' => ')',
            '[' => ']',
            _ => continue,
        };
        let start = from + open + 1;
        let end = start + plain.get(start..)?.find(close)?;
        return Some(start..end);
    }
}

/// Where the names stand in the list; `None` when there is something else.
fn names(list: &str) -> Option<Vec<Range<usize>>> {
    let plain = unquoted(list);
    let mut names = Vec::new();
    let mut from = 0;
    for item in plain.split(',') {
        let name = item.trim();
        let start = from + (item.len() - item.trim_start().len());
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '#');
        match name {
            "" => {}
            name if name.chars().all(is_name) => names.push(start..start + name.len()),
            _ => return None,
        }
        from += item.len() + 1;
    }
    Some(names)
}

/// The text with spaces in the place of comments and of texts in quotes, each as long as before.
fn unquoted(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    let hide = |plain: &mut String, hidden: &str| {
        for c in hidden.chars() {
            if c == '\n' {
                plain.push('\n');
            } else {
                plain.extend(std::iter::repeat_n(' ', c.len_utf8()));
            }
        }
    };
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block(rest)
        } else if c == '"' {
            quoted(rest)
        } else {
            plain.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            continue;
        };
        let (hidden, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        hide(&mut plain, hidden);
        rest = after;
    }
    plain
}

/// The length of a comment with an end, which may hold others.
fn block(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a text in quotes.
fn quoted(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_added_and_the_rest_stays() {
        for (before, after) in [
            (
                "botroupe::bots! {\n    echo,\n    zoo,\n}\n",
                "botroupe::bots! {\n    echo,\n    new,\n    zoo,\n}\n",
            ),
            (
                "botroupe::bots! {\n    echo,\n}\n",
                "botroupe::bots! {\n    echo,\n    new,\n}\n",
            ),
            (
                "bots! {\n  zoo,\n  echo\n}",
                "bots! {\n  zoo,\n  echo,\n  new,\n}",
            ),
            (
                "bots! {\n  zoo,\n  echo // the first\n}",
                "bots! {\n  zoo,\n  echo, // the first\n  new,\n}",
            ),
            (
                "bots! {\n  echo, // the first, really\n  // the end\n}",
                "bots! {\n  echo, // the first, really\n  new,\n  // the end\n}",
            ),
            ("bots! {}", "bots! {\n    new,\n}"),
            ("bots! {\n}\n", "bots! {\n    new,\n}\n"),
            ("bots! { // none\n}\n", "bots! { // none\n    new,\n}\n"),
            (
                "bots! { zoo, echo }\nfn f() {}",
                "bots! { zoo, echo,\n    new, }\nfn f() {}",
            ),
            (
                "bots!(\n    echo,\n);\nfn x() {}",
                "bots!(\n    echo,\n    new,\n);\nfn x() {}",
            ),
            ("bots! {\n    new,\n}", "bots! {\n    new,\n}"),
            (
                "bots! {\n    // new,\n    zoo,\n}",
                "bots! {\n    // new,\n    new,\n    zoo,\n}",
            ),
            (
                "//! bots! { x }\nrobots! { y }\nbots! {\n    r#match,\n}",
                "//! bots! { x }\nrobots! { y }\nbots! {\n    new,\n    r#match,\n}",
            ),
            (
                "const A: &str = \"bots! {\";\nbots! {\n    zoo,\n}",
                "const A: &str = \"bots! {\";\nbots! {\n    new,\n    zoo,\n}",
            ),
        ] {
            assert_eq!(with(before, "new").as_deref(), Ok(after), "{before}");
        }
    }

    #[test]
    fn what_is_no_list_is_left_alone() {
        for (text, why) in [
            ("", NoList::Missing),
            ("// bots! {}", NoList::Missing),
            ("bots!", NoList::Missing),
            ("bots! {", NoList::Missing),
            ("pub fn all() -> Bots { Bots::new() }", NoList::Missing),
            ("bots! { echo => echo::bot }", NoList::Odd),
        ] {
            assert_eq!(with(text, "new"), Err(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_file_is_too_odd(text in "(bots! ?|[{}()\\[\\],\"/*\n é]|a|b|//){0,40}") {
            if let Ok(after) = with(&text, "new") {
                prop_assert_eq!(with(&after, "new"), Ok(after.clone()));
                prop_assert!(after.contains("new"));
            }
        }
    }
}
