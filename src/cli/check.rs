//! `botroupe check`: reads a config, says what it would run, and ends.

use std::io::Write;

use super::{args::CheckArgs, exit::Failure, limits::Handles, load::load};
use crate::app::{check_bots, check_seed};
use crate::bot::Entry;
use crate::config::Env;

/// Writes the summary of the config to `out`.
///
/// # Errors
/// What [`load`] gives, or [`Failure::Output`].
pub(super) fn check(
    args: &CheckArgs,
    env: &dyn Env,
    known_bots: &[&str],
    bots: &[Entry],
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let config = load(args.path(), &args.config.overrides(), env, known_bots)?;
    check_bots(&config, bots).map_err(|mistake| Failure::Usage(mistake.to_string()))?;
    check_seed(&config).map_err(|mistake| Failure::Usage(mistake.to_string()))?;
    write!(out, "{}", config.summary())
        .and_then(|()| writeln!(out, "{}", Handles::of(&config).summary()))
        .map_err(Failure::Output)
}
