//! Reads a config file from disk and hands it to [`crate::config`].

use super::error::FleetError;
use crate::app::check_settings;
use crate::bot::Bots;
use crate::config::{Config, ConfigErrors, Env, Sources, not_utf8};
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
    Config::parse_with(sources, &check)
}
