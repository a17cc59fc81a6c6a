//! `botroupe run --takeover`: one process goes on with the logins of another.
//!
//! The new process listens on a private socket and asks the old one over its control socket. The old one lets its
//! handlers finish, has every account close its link without logging out, closes the store, releases its lock, and writes
//! what is needed to the private socket. The logins of a fleet never touch the disk.

use super::control;
use super::exit::Failure;
use crate::account::Handover;
use crate::config::Config;
use actix::prelude::System;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The version of what is handed over. Another one is refused before anybody goes offline.
const VERSION: u32 = 2;
/// How long the old process may take: its handlers finish, and its store is closed.
const PATIENCE: Duration = Duration::from_secs(900);
/// How long writing to the other process may rest.
const STALL: Duration = Duration::from_secs(30);
/// The most that is read: a hundred thousand accounts take some hundred megabytes.
const MOST: u64 = 4 << 30;

#[derive(Serialize, Deserialize)]
struct Handed {
    version: u32,
    /// The SDKAppIDs, by the names of the apps; that of `[app]` is empty.
    apps: BTreeMap<String, u32>,
    /// By name.
    accounts: HashMap<Arc<str>, Handover>,
}

/// Asks the process that runs the config at `path` to hand over, and waits until it has. Nothing when no process runs it.
///
/// # Errors
/// When the process refuses, or ends without handing over: then its accounts are offline, and a start without
/// `--takeover` logs them in.
pub(super) fn take_over(
    path: &Path,
    config: &Config,
) -> Result<HashMap<Arc<str>, Handover>, Failure> {
    if !control::is_running(path) {
        tracing::info!("no process runs this config: nothing to take over");
        return Ok(HashMap::new());
    }
    let broken = |error: io::Error| {
        Failure::Runtime(format!("the other process did not hand over: {error}").into())
    };
    // In a folder of this user alone, so that nobody else can listen or write there.
    let folder = private_folder().map_err(broken)?;
    let socket = folder.path().join("s");
    let listener = UnixListener::bind(&socket).map_err(broken)?;
    control::hand_over(path, &socket)?;
    tracing::info!(
        "the other process hands over: its handlers finish, and its accounts let go of their links"
    );
    let mut stream = accept(listener).map_err(broken)?;
    let mut text = Vec::new();
    stream.set_read_timeout(Some(STALL)).map_err(broken)?;
    let read = (&mut stream).take(MOST).read_to_end(&mut text);
    read.map_err(broken)?;
    let mut handed: Handed = serde_json::from_slice(&text)
        .map_err(|_| broken(io::Error::other("what it said cannot be read")))?;
    if handed.version != VERSION {
        tracing::warn!(
            version = handed.version,
            "what it hands over is of another version: the accounts log in anew"
        );
        return Ok(HashMap::new());
    }
    // A login of another app is none here.
    let ids = ids(config);
    for account in &config.accounts {
        let app = account.name.app().unwrap_or_default();
        if handed.apps.get(app) != ids.get(app) {
            handed.accounts.remove(account.name.as_str());
        }
    }
    tracing::info!(accounts = handed.accounts.len(), "took over");
    Ok(handed.accounts)
}

/// Gives the logins to the process that listens at `socket`.
///
/// # Errors
/// When it does not take them: it may have died. Whoever starts next logs in anew.
pub(super) fn give(
    socket: &Path,
    config: &Config,
    accounts: HashMap<Arc<str>, Handover>,
) -> Result<(), Failure> {
    let broken = |error: io::Error| {
        Failure::Runtime(format!("the other process did not take over: {error}").into())
    };
    let handed = Handed {
        version: VERSION,
        apps: ids(config),
        accounts,
    };
    let text = serde_json::to_vec(&handed).map_err(|error| broken(error.into()))?;
    let mut stream = UnixStream::connect(socket).map_err(broken)?;
    stream.set_write_timeout(Some(STALL)).map_err(broken)?;
    stream.write_all(&text).map_err(broken)
}

/// The SDKAppIDs of a config, by the names of the apps.
fn ids(config: &Config) -> BTreeMap<String, u32> {
    let apps = config.apps.iter();
    let ids = apps.map(|app| {
        let name = app.name.as_deref().unwrap_or_default();
        (name.to_owned(), app.sdk_app_id.get())
    });
    ids.collect()
}

fn private_folder() -> io::Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let private = std::fs::Permissions::from_mode(0o700);
    tempfile::Builder::new()
        .prefix("botroupe-")
        .permissions(private)
        .tempdir()
}

/// The connection of the other process, which may take its time.
fn accept(listener: UnixListener) -> io::Result<UnixStream> {
    listener.set_nonblocking(true)?;
    System::new().block_on(async {
        let listener = tokio::net::UnixListener::from_std(listener)?;
        let accepted = tokio::time::timeout(PATIENCE, listener.accept()).await;
        let (stream, _) = accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    })
}
