//! Reads the config file from disk and hands it to [`crate::config`].

use std::{fs, path::Path};

use super::exit::Failure;
use crate::app::check_settings;
use crate::bot::Bots;
use crate::config::{Config, Env, Sources, not_utf8};

/// Reads and checks the config at `path`, with `overrides` over it, the settings of `bots` included.
///
/// # Errors
/// [`Failure::ConfigFile`] if the file cannot be read, [`Failure::Config`] with every mistake in
/// it.
pub fn load(
    path: &Path,
    overrides: &[(String, String)],
    env: &dyn Env,
    bots: &Bots,
) -> Result<Config, Failure> {
    let bytes = fs::read(path).map_err(|source| Failure::ConfigFile {
        path: path.to_owned(),
        source,
    })?;
    let file = path.display().to_string();
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(&file, error.as_bytes()))?;
    let known_bots: Vec<&str> = bots.names().collect();
    let sources = Sources {
        file: &file,
        text: &text,
        env,
        overrides,
        known_bots: &known_bots,
    };
    let check = |name: &str, account: &_, settings: Option<&_>| {
        check_settings(bots, name, account, settings)
    };
    Ok(Config::parse_with(sources, &check)?)
}
