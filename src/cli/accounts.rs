//! `botroupe accounts import`: makes the accounts of a config that the app does not have.

use super::args::{AccountsCommand, ImportArgs};
use super::exit::Failure;
use super::load::load;
use crate::app::{fetch_secret_keys, rest_origin};
use crate::bot::Bots;
use crate::config::{App, Config, Env};
use crate::gateway::use_net;
use crate::proto::id::UserId;
use crate::rest::{BATCH, Rest, RestError};
use actix::prelude::System;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

/// The pause between two calls: the service allows far more, and others use it too.
const PAUSE: Duration = Duration::from_millis(100);
/// Names that are shown of many.
const SHOWN: usize = 10;

/// Carries out a command.
///
/// # Errors
/// When the config is wrong or names no administrator, when the service cannot be asked, or when it did not make an
/// account.
pub(super) fn accounts(
    command: &AccountsCommand,
    env: &dyn Env,
    bots: &Bots,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let AccountsCommand::Import(args) = command;
    let config = load(args.path(), &args.config.overrides(), env, bots)?;
    System::new().block_on(import(args, config, out))
}

async fn import(args: &ImportArgs, mut config: Config, out: &mut dyn Write) -> Result<(), Failure> {
    fetch_secret_keys(&mut config)
        .await
        .map_err(|error| Failure::Runtime(error.into()))?;
    use_net(&config.network).map_err(|error| Failure::Usage(error.to_string()))?;
    for app in &config.apps {
        if let Some(name) = &app.name {
            say(out, &format!("app {name}"))?;
        }
        import_app(args, &config.alone(app), app, out).await?;
    }
    Ok(())
}

async fn import_app(
    args: &ImportArgs,
    config: &Config,
    app: &App,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let runtime = |error: RestError| Failure::Runtime(error.into());
    let rest = rest(config, app)?;
    let users: Vec<UserId> = config
        .accounts
        .iter()
        .map(|it| it.name.user().clone())
        .collect();
    let mut missing = Vec::new();
    for (number, batch) in users.chunks(BATCH).enumerate() {
        pause(number).await;
        missing.extend(rest.missing(batch).await.map_err(runtime)?);
        progress("asked about", (number * BATCH + batch.len(), users.len()));
    }
    let there = users.len() - missing.len();
    say(
        out,
        &format!("{there} of {} accounts are there", users.len()),
    )?;
    if missing.is_empty() {
        return Ok(());
    }
    if args.dry_run {
        return say(out, &format!("to be made: {}", names(&missing)));
    }
    let mut failed: Vec<String> = Vec::new();
    for (number, batch) in missing.chunks(BATCH).enumerate() {
        pause(number).await;
        failed.extend(rest.import(batch).await.map_err(runtime)?);
        progress("made", (number * BATCH + batch.len(), missing.len()));
    }
    say(
        out,
        &format!("{} accounts made", missing.len() - failed.len()),
    )?;
    match failed.as_slice() {
        [] => Ok(()),
        failed => {
            let text = format!("the service did not make {}", names(failed));
            Err(Failure::Runtime(text.into()))
        }
    }
}

/// The REST API of the config's app.
fn rest(config: &Config, app: &App) -> Result<Rest, Failure> {
    let lacking = || {
        let (admin, key) = match &app.name {
            Some(name) => (format!("admin of the app {name}"), "its secret_key"),
            None => ("app.admin".to_owned(), "app.secret_key"),
        };
        Failure::Usage(format!(
            "accounts are made by an administrator: set {admin}, and {key} for its UserSig"
        ))
    };
    let admin = app.admin.clone().ok_or_else(lacking)?;
    let key = app.secret_key.clone().ok_or_else(lacking)?;
    let sandbox = format!("http://{}", config.sandbox.listen);
    let origin = rest_origin(app, Some(sandbox)).ok_or_else(lacking)?;
    Ok(Rest::new(&origin, app.sdk_app_id, admin, Arc::new(key)))
}

async fn pause(number: usize) {
    if number > 0 {
        tokio::time::sleep(PAUSE).await;
    }
}

fn names(all: &[impl AsRef<str>]) -> String {
    let first: Vec<&str> = all.iter().take(SHOWN).map(AsRef::as_ref).collect();
    match all.len().checked_sub(SHOWN) {
        None | Some(0) => first.join(", "),
        Some(more) => format!("{} and {more} more", first.join(", ")),
    }
}

fn say(out: &mut dyn Write, text: &str) -> Result<(), Failure> {
    writeln!(out, "{text}").map_err(Failure::Output)
}

/// Long work says how far it is, to people.
fn progress(what: &str, (done, all): (usize, usize)) {
    if all > BATCH && io::stderr().is_terminal() {
        super::output::err(&format!("{what} {done} of {all}"));
    }
}
