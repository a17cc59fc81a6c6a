//! `botroupe new project`

use super::super::exit::Failure;
use super::{bot, name, unwritten};
use std::fs;
use std::path::{Path, PathBuf};

const MANIFEST: &str = include_str!("template/Cargo.toml.txt");
const MAIN: &str = include_str!("template/main.rs.txt");
const BOTS: &str = include_str!("template/bots.rs.txt");
const CONFIG: &str = include_str!("template/config.toml.txt");
const IGNORED: &str = include_str!("template/gitignore.txt");

/// Writes a program of its own into `folder`, which depends on the library in the folder `path` or on this version of it,
/// and says what was written.
///
/// # Errors
/// With what helps.
pub(super) fn write(folder: &Path, path: Option<&Path>) -> Result<String, Failure> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name::check_package(&name).map_err(|no| {
        let instead = no.instead.map_or_else(
            || "use small letters, digits and dashes, such as my-bots".to_owned(),
            |name| format!("use {name}"),
        );
        Failure::Usage(format!(
            "{name:?} is no name for a program: {}; {instead}",
            no.reason
        ))
    })?;
    let shown = folder.display();
    let mut entries = fs::read_dir(folder).into_iter().flatten();
    if folder.is_file() || entries.next().is_some() {
        return Err(Failure::Usage(format!(
            "{shown} is there already, and not empty; choose another name, or add a bot to it with `botroupe new bot NAME`"
        )));
    }
    let library = match path {
        Some(path) => format!("{{ path = {} }}", quoted(&library(path)?)),
        None => quoted(env!("CARGO_PKG_VERSION")),
    };
    let mut manifest = MANIFEST
        .replace("@NAME@", &name)
        .replace("@RUST@", env!("CARGO_PKG_RUST_VERSION"))
        .replace("@BOTROUPE@", &library);
    if is_below_a_package(folder) {
        manifest.push_str(
            "\n# It stands below another package and does not belong to it.\n[workspace]\n",
        );
    }
    let files = [
        ("Cargo.toml", manifest),
        ("src/main.rs", MAIN.to_owned()),
        ("bots/mod.rs", BOTS.to_owned()),
        ("bots/hello.rs", bot::text("hello")),
        ("config.toml", CONFIG.to_owned()),
        (".gitignore", IGNORED.to_owned()),
    ];
    let mut said = String::new();
    for (file, text) in files {
        let file = folder.join(file);
        let parent = file.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| unwritten(parent, &error))?;
        fs::write(&file, text).map_err(|error| unwritten(&file, &error))?;
        said.push_str(&format!("{}\n", file.display()));
    }
    said.push_str(&format!(
        "\nTry it:         cd {shown} && cargo test\nRun it:         cargo run\nTalk to it:     cargo run -- chat --as me \
         --to hello-bot\nAdd a bot:      cargo run -- new bot weather\n"
    ));
    Ok(said)
}

/// The folder of the library, as an absolute path.
fn library(path: &Path) -> Result<String, Failure> {
    let refuse = || {
        Failure::Usage(format!(
            "--path {}: the source of botroupe is not there; name the folder with its Cargo.toml",
            path.display()
        ))
    };
    let path: PathBuf = fs::canonicalize(path).map_err(|_| refuse())?;
    let manifest = fs::read_to_string(path.join("Cargo.toml")).map_err(|_| refuse())?;
    let manifest: toml::Table = manifest.parse().map_err(|_| refuse())?;
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name"));
    if name.and_then(toml::Value::as_str) != Some("botroupe") {
        return Err(refuse());
    }
    path.into_os_string().into_string().map_err(|_| refuse())
}

/// Whether cargo would take the program for a part of another one.
fn is_below_a_package(folder: &Path) -> bool {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let mut above = folder.ancestors().skip(1);
    above.any(|folder| folder.join("Cargo.toml").exists())
}

/// As a text in a TOML file.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_written_into_an_empty_folder_only() {
        let folder = tempfile::tempdir().unwrap();
        let here = |name: &str| folder.path().join(name);
        let refused = |name: &str, path: Option<&str>| {
            let failure = write(&here(name), path.map(Path::new)).unwrap_err();
            assert_eq!(failure.code(), Some(super::super::super::exit::USAGE));
            assert!(!here(name).exists() || name == "full", "{name}");
            failure.to_string()
        };
        assert!(refused("My Bots", None).contains("use my-bots"));
        assert!(refused("botroupe", None).contains("a crate is called so"));
        assert!(refused("bots", Some("/nowhere")).contains("name the folder with its Cargo.toml"));
        fs::create_dir(here("full")).unwrap();
        fs::write(here("full").join("a"), "").unwrap();
        assert!(refused("full", None).contains("botroupe new bot NAME"));
        fs::create_dir(here("empty")).unwrap();
        let said = write(&here("empty"), None).unwrap();
        assert_eq!(said.lines().take_while(|line| !line.is_empty()).count(), 6);
        let manifest = fs::read_to_string(here("empty").join("Cargo.toml")).unwrap();
        let version = env!("CARGO_PKG_VERSION");
        assert!(
            manifest.contains(&format!("botroupe = \"{version}\"")),
            "{manifest}"
        );
        assert!(!manifest.contains("[workspace]"), "{manifest}");
        // Below a package.
        write(
            &here("empty").join("inner"),
            Some(Path::new(env!("CARGO_MANIFEST_DIR"))),
        )
        .unwrap();
        let manifest = fs::read_to_string(here("empty/inner/Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        assert!(manifest.contains_key("workspace"));
        assert!(manifest["dependencies"]["botroupe"]["path"].is_str());
    }
}
