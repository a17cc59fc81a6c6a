//! The names of bots and of projects.

/// Words that are no name of a module.
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];
/// Names that Windows keeps for devices.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
/// Crates that a module or a package of this name would hide.
const CRATES: [&str; 8] = [
    "botroupe",
    "alloc",
    "core",
    "proc_macro",
    "serde",
    "std",
    "test",
    "tokio",
];
const LONGEST: usize = 64;

/// Why a name cannot be used, and one that can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoName {
    pub(super) reason: &'static str,
    pub(super) instead: Option<String>,
}

/// Checks the name of a bot: it is that of a file, of a module, and of a section of the config.
pub(super) fn check_bot(name: &str) -> Result<(), NoName> {
    check(name)
}

/// Checks the name of a package, which may have dashes.
pub(super) fn check_package(name: &str) -> Result<(), NoName> {
    check(&name.replace('-', "_")).map_err(|no| NoName {
        // Packages are written with dashes.
        instead: no.instead.map(|name| name.replace('_', "-")),
        ..no
    })
}

fn check(name: &str) -> Result<(), NoName> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.len() > LONGEST {
        "it is too long"
    } else if KEYWORDS.contains(&name) {
        "it is a word of the language"
    } else if DEVICES.contains(&name) {
        "Windows keeps it for a device"
    } else if CRATES.contains(&name) {
        "a crate is called so"
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "it does not begin with a small letter"
    } else if name.contains(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_') {
        "it has more than small letters, digits and underscores"
    } else {
        return Ok(());
    };
    let instead = tamed(name);
    let instead = (instead != name && check(&instead).is_ok()).then_some(instead);
    Err(NoName { reason, instead })
}

/// The nearest name that might be one.
fn tamed(name: &str) -> String {
    let mut tamed = String::new();
    for c in name.trim().chars() {
        if c.is_ascii_alphanumeric() {
            // WeatherBot is weather_bot.
            if c.is_ascii_uppercase() && tamed.ends_with(|last: char| last.is_ascii_lowercase()) {
                tamed.push('_');
            }
            tamed.push(c.to_ascii_lowercase());
        } else if !tamed.is_empty() && !tamed.ends_with('_') && tamed.len() < LONGEST {
            tamed.push('_');
        }
        if tamed.len() >= LONGEST {
            break;
        }
    }
    let tamed = tamed
        .trim_start_matches(|c: char| c.is_ascii_digit() || c == '_')
        .trim_end_matches('_');
    let is_taken = [&KEYWORDS[..], &DEVICES, &CRATES]
        .iter()
        .any(|taken| taken.contains(&tamed));
    if is_taken {
        format!("{tamed}_bot")
    } else {
        tamed.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_that_is_none_has_a_remedy() {
        for (name, instead) in [
            ("my-bot", Some("my_bot")),
            ("Weather", Some("weather")),
            ("WeatherBot", Some("weather_bot")),
            ("my bot", Some("my_bot")),
            ("bots/weather.rs", Some("bots_weather_rs")),
            ("../weather", Some("weather")),
            ("match", Some("match_bot")),
            ("mod", Some("mod_bot")),
            ("con", Some("con_bot")),
            ("botroupe", Some("botroupe_bot")),
            ("_", None),
            ("", None),
            ("天气", None),
            ("7-up", Some("up")),
            ("42", None),
        ] {
            let no = check_bot(name).unwrap_err();
            assert_eq!(no.instead.as_deref(), instead, "{name}");
        }
        for name in ["weather", "w", "weather_2", "help", "all"] {
            assert_eq!(check_bot(name), Ok(()), "{name}");
        }
        assert_eq!(check_package("my-bots"), Ok(()));
        assert_eq!(
            check_package("My Bots").unwrap_err().instead.as_deref(),
            Some("my-bots")
        );
        assert!(check_package("botroupe").is_err());
    }

    proptest! {
        #[test]
        fn a_remedy_is_a_name(name in ".{0,80}", plain in "[a-zA-Z0-9 _-]{0,80}") {
            for name in [name, plain] {
                if let Err(NoName { instead: Some(instead), .. }) = check_bot(&name) {
                    prop_assert_eq!(check_bot(&instead), Ok(()));
                }
            }
        }
    }
}
