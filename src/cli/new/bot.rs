//! `botroupe new bot`

use super::super::exit::Failure;
use super::list::{self, NoList};
use super::name;
use super::unwritten;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

const TEMPLATE: &str = include_str!("template/bot.rs.txt");

/// The file of a new bot.
pub(super) fn text(name: &str) -> String {
    TEMPLATE.replace("@NAME@", name)
}

/// Writes a bot below `folder`, and says what was written.
///
/// # Errors
/// With what helps; then nothing was written.
pub(super) fn write(folder: &Path, name: &str) -> Result<String, Failure> {
    let usage = |text: String| Failure::Usage(text);
    name::check_bot(name).map_err(|no| {
        let instead = no.instead.map_or_else(
            || "use small letters, digits and underscores, such as weather".to_owned(),
            |name| format!("use {name}"),
        );
        usage(format!(
            "{name:?} is no name for a bot: {}; {instead}",
            no.reason
        ))
    })?;
    let bots = folder.join("bots");
    let (file, list) = (bots.join(format!("{name}.rs")), bots.join("mod.rs"));
    let shown = |path: &Path| path.strip_prefix(".").unwrap_or(path).display().to_string();
    for taken in [&file, &bots.join(name).join("mod.rs")] {
        if taken.exists() {
            let taken = shown(taken);
            return Err(usage(format!(
                "{taken} is there already; choose another name, or delete it first"
            )));
        }
    }
    let before = match fs::read_to_string(&list) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(usage(format!(
                "there is no {} here; run this in the folder of a program with bots, or make one with \
                 `botroupe new project NAME`",
                shown(&list)
            )));
        }
        Err(error) => return Err(unwritten(&list, &error)),
    };
    let after = list::with(&before, name).map_err(|why| {
        let what = match why {
            NoList::Missing => "has no list of bots",
            NoList::Odd => "has a list of bots with more than names in it",
        };
        usage(format!(
            "{} {what}; it needs `botroupe::bots! {{ {name}, }}`",
            shown(&list)
        ))
    })?;
    let new = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file);
    let mut new = new.map_err(|error| unwritten(&file, &error))?;
    let written = new.write_all(text(name).as_bytes());
    let written = written.map_err(|error| unwritten(&file, &error));
    let written =
        written.and_then(|()| fs::write(&list, after).map_err(|error| unwritten(&list, &error)));
    if let Err(failure) = written {
        // A file without its line is no bot. That it cannot be removed either is no news.
        let _ = fs::remove_file(&file);
        return Err(failure);
    }
    Ok(format!(
        "{}\n{}\n\nTry it:         cargo test {name}\nGive it to an account in config.toml:\n\n  [[accounts]]\n  \
         user_id = \"{name}-bot\"\n  bots = [\"{name}\"]\n",
        shown(&file),
        shown(&list)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_is_a_file_and_a_line_and_neither_when_something_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |name: &str| {
            let failure = write(folder.path(), name).unwrap_err();
            assert_eq!(failure.code(), Some(super::super::super::exit::USAGE));
            failure.to_string()
        };
        assert!(refused("weather").contains("botroupe new project NAME"));
        let bots = folder.path().join("bots");
        fs::create_dir(&bots).unwrap();
        let list = bots.join("mod.rs");
        fs::write(&list, "// none\n").unwrap();
        assert!(
            refused("weather")
                .contains("has no list of bots; it needs `botroupe::bots! { weather, }`")
        );
        fs::write(&list, "botroupe::bots! {\n    echo,\n}\n").unwrap();
        for (name, remedy) in [
            ("my-bot", "use my_bot"),
            ("mod", "use mod_bot"),
            ("../x", "use x"),
            ("天气", "such as weather"),
        ] {
            let said = refused(name);
            assert!(said.contains(remedy), "{name}: {said}");
        }
        fs::write(bots.join("echo.rs"), "mine").unwrap();
        assert!(refused("echo").contains("is there already; choose another name"));
        assert_eq!(fs::read_to_string(bots.join("echo.rs")).unwrap(), "mine");
        assert_eq!(fs::read_dir(&bots).unwrap().count(), 2);
        let said = write(folder.path(), "weather").unwrap();
        assert!(said.contains("cargo test weather"), "{said}");
        let text = fs::read_to_string(bots.join("weather.rs")).unwrap();
        assert!(
            text.contains("Bot::new(\"weather\")") && !text.contains('@'),
            "{text}"
        );
        let list = fs::read_to_string(&list).unwrap();
        assert_eq!(list, "botroupe::bots! {\n    echo,\n    weather,\n}\n");
    }
}
