//! `botroupe check`: reads a config, says what it would run, and ends.

use std::io::Write;

use super::{args::CheckArgs, exit::Failure, load::load};
use crate::config::Env;

/// Writes the summary of the config to `out`.
///
/// # Errors
/// What [`load`] gives, or [`Failure::Output`].
pub(super) fn check(
    args: &CheckArgs,
    env: &dyn Env,
    known_bots: &[&str],
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let config = load(&args.config, &args.overrides(), env, known_bots)?;
    write!(out, "{}", config.summary()).map_err(Failure::Output)
}
