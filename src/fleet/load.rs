//! Reads a config file from disk and hands it to [`crate::config`].

use super::accounts;
use super::error::FleetError;
use crate::app::check_settings;
use crate::bot::Bots;
use crate::config::{
    AccountFile, AccountSource, Config, ConfigErrors, Env, NetworkConfig, Sources, not_utf8,
};
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
    let file = path.display().to_string();
    let source = source(&file, &text, overrides, env)?;
    let answer = source.map(accounts::ask_blocking);
    Ok(parse((&file, &text, answer), overrides, env, bots)?)
}

/// The config that runs, with what its source of accounts answers now; nothing else is read anew. `None` when it has no
/// source. Blocks.
///
/// # Errors
/// [`FleetError::Config`] when the source does not answer, or with a mistake.
#[cfg(feature = "cli")]
pub(crate) fn ask_again(
    running: &Config,
    overrides: &[(String, String)],
    env: &dyn Env,
    bots: &Bots,
) -> Result<Option<Config>, FleetError> {
    let (file, text, files) = running.origin();
    let Some(asked) = source(file, text, overrides, env)? else {
        return Ok(None);
    };
    let mut files = files.to_vec();
    files.push(accounts::ask_blocking(asked));
    Ok(Some(check(file, text, &files, overrides, env, bots)?))
}

/// Who has to be asked before the config can be read.
pub(super) fn source(
    file: &str,
    text: &str,
    overrides: &[(String, String)],
    env: &dyn Env,
) -> Result<Option<(AccountSource, NetworkConfig)>, ConfigErrors> {
    let sources = Sources {
        overrides,
        ..Sources::new(file, text, env)
    };
    Config::account_source(&sources)
}

/// Checks the text of a config, the settings of `bots` included. `answer` is that of its source of accounts.
pub(super) fn parse(
    (file, text, answer): (&str, &str, Option<AccountFile>),
    overrides: &[(String, String)],
    env: &dyn Env,
    bots: &Bots,
) -> Result<Config, ConfigErrors> {
    let mut files = accounts::files(Path::new(file), text);
    files.extend(answer);
    check(file, text, &files, overrides, env, bots)
}

/// Checks the text of a config with these files of accounts.
pub(super) fn check(
    file: &str,
    text: &str,
    files: &[AccountFile],
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
    Config::parse_files(sources, Some(files), &check)
}
