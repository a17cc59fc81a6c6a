//! `botroupe check`: reads a config and shows what it would run.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::ExposeSecret;

use super::{args::CheckArgs, exit::Failure, limits::Handles, load::load};
use crate::account::Clock;
use crate::app::{AppError, check_network, check_sandbox};
use crate::bot::Bots;
use crate::config::{
    AccountConfig, Config, ConfigError, ConfigErrors, Env, Place, Problem, SecretSource,
};
use crate::proto::{id::SdkAppId, usersig};

/// Writes the summary of the config to `out`.
///
/// # Errors
/// The errors of [`load`], mistakes that only this machine or the current time shows, or [`Failure::Output`].
pub(super) fn check(
    args: &CheckArgs,
    env: &dyn Env,
    unix_now: u64,
    bots: &Bots,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let config = load(args.path(), &args.config.overrides(), env, bots)?;
    let mut mistakes = credentials(&config, env, unix_now);
    if let Err(error) = check_sandbox(&config) {
        mistakes.extend(unusable(&config, &error).errors().iter().cloned());
    }
    if let Err(error) = check_network(&config) {
        mistakes.extend(unusable(&config, &error).errors().iter().cloned());
    }
    if !crate::traces::is_able(&config) {
        mistakes.extend(
            unusable(&config, &AppError::NoTraces)
                .errors()
                .iter()
                .cloned(),
        );
    }
    if let Err(error) = crate::admin::check(&config.admin) {
        let errors = config.unusable("admin.tls", error.to_string());
        mistakes.extend(errors.errors().iter().cloned());
    }
    if !mistakes.is_empty() {
        return Err(ConfigErrors::new(mistakes).into());
    }
    write!(out, "{}", config.summary())
        .and_then(|()| writeln!(out, "{}", Handles::of(&config).summary()))
        .map_err(Failure::Output)
}

/// An error of the start as a mistake at its place in the config.
pub(super) fn unusable(config: &Config, error: &AppError) -> ConfigErrors {
    config.unusable(error.key().unwrap_or("sandbox"), error.to_string())
}

/// Reports expired UserSigs, and sources of UserSigs that do not exist.
fn credentials(config: &Config, env: &dyn Env, unix_now: u64) -> Vec<ConfigError> {
    let mut mistakes = Vec::new();
    // A program that all accounts share is looked up once.
    let mut seen = HashSet::new();
    for account in config.accounts.iter().filter(|account| account.enabled) {
        if let Some(sig) = &account.user_sig
            && let Ok(claims) = usersig::inspect(sig.expose_secret())
            && claims.expires_at() <= unix_now
        {
            let ended = Clock(claims.expires_at());
            let reason = format!(
                "the UserSig of {} is over since {ended}; make a new one",
                account.name
            );
            mistakes.push(mistake(&account.place, "user_sig", reason));
        }
        let app = config.app_of(account).map(|app| app.sdk_app_id);
        let found = app.and_then(|app| source(app, account, env, &mut seen));
        if let Some((key, reason)) = found {
            mistakes.push(mistake(&account.place, key, reason));
        }
    }
    mistakes
}

fn mistake(place: &Arc<Place>, key: &str, reason: String) -> ConfigError {
    ConfigError {
        place: Place::clone(place),
        key: key.to_owned(),
        problem: Problem::Unusable { reason },
    }
}

/// Why the source of an account cannot give a UserSig.
fn source(
    app: SdkAppId,
    account: &AccountConfig,
    env: &dyn Env,
    seen: &mut HashSet<PathBuf>,
) -> Option<(&'static str, String)> {
    let source = account.user_sig_source.as_deref()?;
    let (key, user) = (source.key(), account.name.user());
    let name = source.resolved(app, user).unwrap_or_default();
    let reason = match source {
        SecretSource::File(_) => {
            let path = name.strip_prefix("file ").unwrap_or_default();
            let about = std::fs::metadata(path);
            let wrong = match about {
                Ok(about) if about.is_file() => return None,
                Ok(_) => "it is not a regular file".to_owned(),
                Err(error) => error.to_string(),
            };
            format!("the UserSig of {user} is to come from {name}: {wrong}")
        }
        SecretSource::Env(_) => {
            let variable = name
                .strip_prefix("environment variable ")
                .unwrap_or_default();
            if env.get(variable).is_some() {
                return None;
            }
            format!("the UserSig of {user} is to come from {name}: it is not set")
        }
        SecretSource::Command { program, .. } => {
            if !seen.insert(program.into()) || is_program(program) {
                return None;
            }
            format!("there is no program {program:?} here, nor in PATH")
        }
        // A service that is down now may be up later.
        _ => return None,
    };
    Some((key, reason))
}

/// Whether there is a file of that name, or one in the folders of `PATH`.
fn is_program(program: &str) -> bool {
    let is_file = |path: &Path| path.metadata().is_ok_and(|about| about.is_file());
    let path = Path::new(program);
    if path.components().count() > 1 {
        return is_file(path);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let endings: &[&str] = if cfg!(windows) {
        &["", "exe", "bat", "cmd"]
    } else {
        &[""]
    };
    std::env::split_paths(&folders).any(|folder| {
        let found = folder.join(program);
        endings.iter().any(|ending| match ending {
            &"" => is_file(&found),
            ending => is_file(&found.with_extension(OsStr::new(ending))),
        })
    })
}
