//! Reads the config file from disk and hands it to [`crate::config`].

use std::{fs, path::Path};

use super::exit::Failure;
use crate::config::{Config, Env, Sources};

/// Reads and checks the config at `path`, with `overrides` over it.
///
/// # Errors
/// [`Failure::ConfigFile`] if the file cannot be read, [`Failure::Config`] with every mistake in
/// it.
pub fn load(
    path: &Path,
    overrides: &[(String, String)],
    env: &dyn Env,
    known_bots: &[&str],
) -> Result<Config, Failure> {
    let text = fs::read_to_string(path).map_err(|source| Failure::ConfigFile {
        path: path.to_owned(),
        source,
    })?;
    let config = Config::parse(Sources {
        file: &path.display().to_string(),
        text: &text,
        env,
        overrides,
        known_bots,
    })?;
    Ok(config)
}
