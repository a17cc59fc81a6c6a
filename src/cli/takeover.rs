//! `botroupe run --takeover`: one process goes on with the logins of another.
//!
//! The new process listens on a private socket and asks the old one over its control socket. The old one lets its
//! handlers finish, has every account close its link without logging out, closes the store, releases its lock, and writes
//! what is needed to the private socket. The logins of a fleet never touch the disk.

use super::control;
use super::exit::Failure;
use crate::account::Handover;
use crate::proto::id::{SdkAppId, UserId};
use actix::prelude::System;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

/// The version of what is handed over. Another one is refused before anybody goes offline.
const VERSION: u32 = 1;
/// How long the old process may take: its handlers finish, and its store is closed.
const PATIENCE: Duration = Duration::from_secs(900);
/// How long writing to the other process may rest.
const STALL: Duration = Duration::from_secs(30);
/// The most that is read: a hundred thousand accounts take some hundred megabytes.
const MOST: u64 = 4 << 30;

#[derive(Serialize, Deserialize)]
struct Handed {
    version: u32,
    app: u32,
    accounts: HashMap<UserId, Handover>,
}

/// Asks the process that runs `config` to hand over, and waits until it has. Nothing when no process runs it.
///
/// # Errors
/// When the process refuses, or ends without handing over: then its accounts are offline, and a start without
/// `--takeover` logs them in.
pub(super) fn take_over(
    config: &Path,
    app: SdkAppId,
) -> Result<HashMap<UserId, Handover>, Failure> {
    if !control::is_running(config) {
        tracing::info!("no process runs this config: nothing to take over");
        return Ok(HashMap::new());
    }
    let broken = |error: io::Error| {
        Failure::Runtime(format!("the other process did not hand over: {error}").into())
    };
    // In a folder of this user alone, so that nobody else can listen or write there.
    let folder = private_folder().map_err(broken)?;
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).map_err(broken)?;
    control::hand_over(config, &path)?;
    tracing::info!(
        "the other process hands over: its handlers finish, and its accounts let go of their links"
    );
    let mut stream = accept(listener).map_err(broken)?;
    let mut text = Vec::new();
    stream.set_read_timeout(Some(STALL)).map_err(broken)?;
    let read = (&mut stream).take(MOST).read_to_end(&mut text);
    read.map_err(broken)?;
    let handed: Handed = serde_json::from_slice(&text)
        .map_err(|_| broken(io::Error::other("what it said cannot be read")))?;
    if handed.version != VERSION || handed.app != app.get() {
        tracing::warn!(
            version = handed.version,
            "what it hands over is of another version or app: the accounts log in anew"
        );
        return Ok(HashMap::new());
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
    app: SdkAppId,
    accounts: HashMap<UserId, Handover>,
) -> Result<(), Failure> {
    let broken = |error: io::Error| {
        Failure::Runtime(format!("the other process did not take over: {error}").into())
    };
    let handed = Handed {
        version: VERSION,
        app: app.get(),
        accounts,
    };
    let text = serde_json::to_vec(&handed).map_err(|error| broken(error.into()))?;
    let mut stream = UnixStream::connect(socket).map_err(broken)?;
    stream.set_write_timeout(Some(STALL)).map_err(broken)?;
    stream.write_all(&text).map_err(broken)
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
