//! Reads a config file from disk and hands it to [`crate::config`].

use super::error::FleetError;
use crate::app::check_settings;
use crate::bot::Bots;
use crate::config::{AccountFile, Config, ConfigErrors, Env, Sources, not_utf8};
use std::fs;
use std::path::Path;

/// Reads the text of the config at `path`.
///
/// # Errors
/// [`FleetError::ConfigFile`], or [`FleetError::Config`] for a file that is not UTF-8.
pub(super) fn read_text(path: &Path) -> Result<String, FleetError> {
    let bytes = fs::read(path).map_err(|source| FleetError::ConfigFile {
        path: path.to_owned(),
        source,
    })?;
    let file = path.display().to_string();
    Ok(String::from_utf8(bytes).map_err(|error| not_utf8(&file, error.as_bytes()))?)
}

/// Reads and checks the config at `path`, with `overrides` over it, the settings of `bots` included.
///
/// # Errors
/// [`FleetError::ConfigFile`] if the file cannot be read, [`FleetError::Config`] with every mistake in it.
#[cfg(feature = "cli")]
pub(crate) fn read_config(
    path: &Path,
    overrides: &[(String, String)],
    env: &dyn Env,
    bots: &Bots,
) -> Result<Config, FleetError> {
    let text = read_text(path)?;
    Ok(parse(
        &path.display().to_string(),
        &text,
        overrides,
        env,
        bots,
    )?)
}

/// Checks the text of a config, the settings of `bots` included.
pub(super) fn parse(
    file: &str,
    text: &str,
    overrides: &[(String, String)],
    env: &dyn Env,
    bots: &Bots,
) -> Result<Config, ConfigErrors> {
    let known_bots: Vec<&str> = bots.names().collect();
    let sources = Sources {
        file,
        text,
        env,
        overrides,
        known_bots: &known_bots,
    };
    let check = |name: &str, account: &_, settings: Option<&_>| {
        check_settings(bots, name, account, settings)
    };
    let files = account_files(Path::new(file), text);
    Config::parse_files(sources, Some(&files), &check)
}

/// The files that `accounts_from` names, in the order of their names. Relative ones start in the folder of the config.
pub(crate) fn account_files(config: &Path, text: &str) -> Vec<AccountFile> {
    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(default)]
        accounts_from: Vec<String>,
    }
    // What is wrong with the config is told by whoever reads all of it.
    let named = toml::from_str::<Named>(text);
    let patterns = named.map(|named| named.accounts_from).unwrap_or_default();
    let folder = config.parent().unwrap_or(Path::new(""));
    let mut files = Vec::new();
    for pattern in &patterns {
        let whole = folder.join(pattern);
        let name = whole.display().to_string();
        let failed = |reason: String| AccountFile {
            name: name.clone(),
            text: Err(reason),
        };
        let paths = match glob::glob(&name) {
            Ok(paths) => paths,
            Err(error) => {
                files.push(failed(error.to_string()));
                continue;
            }
        };
        let before = files.len();
        files.extend(paths.map(|path| match path {
            Ok(path) => AccountFile {
                name: path.display().to_string(),
                text: fs::read_to_string(&path).map_err(|error| error.to_string()),
            },
            Err(error) => failed(error.to_string()),
        }));
        let is_one = !pattern.contains(['*', '?', '[']);
        if files.len() == before && is_one {
            files.push(failed("there is no such file".to_owned()));
        }
    }
    files
}
