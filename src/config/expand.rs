//! `${NAME}` in a text of the config file, replaced by environment variables.
//!
//! `${NAME:-default}` uses the default if the variable is unset or empty, as in a shell; `$$` is
//! one `$`. A `$` before anything else stays as it is.

use thiserror::Error;

use super::env::Env;

/// Why a text could not be expanded. No variant holds any part of the text but the name of a
/// variable, because the text may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExpandError {
    /// `${NAME}` without a default, and no such variable.
    #[error(
        "environment variable {name} is not set; export it, or write a default: ${{{name}:-…}}"
    )]
    Unset {
        /// The variable.
        name: String,
    },
    /// `${` without `}`.
    #[error("\"${{\" without a closing \"}}\"; write $${{ for a literal \"${{\"")]
    Unclosed,
    /// The text between the braces cannot be the name of a variable.
    #[error(
        "what stands between \"${{\" and \"}}\" is not the name of an environment variable \
         (letters, digits and _, not starting with a digit); write $${{ for a literal \"${{\""
    )]
    BadName,
}

/// Replaces every `${…}` and `$$` in `text`. Replacements are not expanded again.
pub(super) fn expand(text: &str, env: &dyn Env) -> Result<String, ExpandError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = from.strip_prefix("$$") {
            out.push('$');
            rest = after;
        } else if let Some(after) = from.strip_prefix("${") {
            let (inside, after) = after.split_once('}').ok_or(ExpandError::Unclosed)?;
            out.push_str(&variable(inside, env)?);
            rest = after;
        } else {
            out.push('$');
            rest = from.strip_prefix('$').unwrap_or_default();
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The value of `NAME` or `NAME:-default`.
fn variable(inside: &str, env: &dyn Env) -> Result<String, ExpandError> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if !is_variable_name(name) {
        return Err(ExpandError::BadName);
    }
    match (env.get(name), default) {
        (Some(value), Some(default)) if value.is_empty() => Ok(default.to_owned()),
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(ExpandError::Unset {
            name: name.to_owned(),
        }),
    }
}

pub(super) fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn env() -> BTreeMap<String, String> {
        [("KEY", "k$1${X}"), ("EMPTY", "")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into()
    }

    #[test]
    fn replaces_variables_defaults_and_escapes() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("${KEY}", "k$1${X}"),
            ("a${KEY}b${KEY}", "ak$1${X}bk$1${X}"),
            ("${NONE:-}", ""),
            ("${NONE:-a:-b}", "a:-b"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY}", ""),
            ("$$", "$"),
            ("$${KEY}", "${KEY}"),
            ("$$$$", "$$"),
            ("cost $5 $", "cost $5 $"),
            ("ü${NONE:-ß}", "üß"),
        ] {
            assert_eq!(expand(text, &env()).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_shows_only_the_name() {
        let unset = ExpandError::Unset {
            name: "NONE".to_owned(),
        };
        for (text, expected) in [
            ("s3cret${NONE}", unset),
            ("s3cret${KEY", ExpandError::Unclosed),
            ("${}", ExpandError::BadName),
            ("${1A}", ExpandError::BadName),
            ("${s3cret-}", ExpandError::BadName),
        ] {
            let error = expand(text, &env()).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
