//! Reads the config file that the command line names.

use std::path::Path;

use super::exit::Failure;
use crate::bot::Bots;
use crate::config::{Config, Env};
use crate::fleet::{FleetError, read_config};

/// Reads and checks the config at `path`, with `overrides` over it, the settings of `bots` included.
///
/// # Errors
/// [`Failure::ConfigFile`] if the file cannot be read, [`Failure::Config`] with every mistake in
/// it.
pub(super) fn load(
    path: &Path,
    overrides: &[(String, String)],
    env: &dyn Env,
    bots: &Bots,
) -> Result<Config, Failure> {
    read_config(path, overrides, env, bots).map_err(|error| match error {
        FleetError::ConfigFile { path, source } => Failure::ConfigFile { path, source },
        FleetError::Config(errors) => Failure::Config(errors),
        other => Failure::Runtime(other.into()),
    })
}
