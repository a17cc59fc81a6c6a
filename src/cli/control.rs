//! Talks to a running process: status and orders, over a Unix socket beside its config file.
//!
//! One request and one answer per connection, a JSON object on a line each. The socket's mode keeps
//! other users out.

use super::exit::Failure;
use super::report;
use crate::account::Command;
use crate::app::Controller;
use crate::proto::id::UserId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// Longest request in bytes.
const MAX_REQUEST: u64 = 4096;
/// How long a client may take to say what it wants, and the server to answer.
const LIMIT: Duration = Duration::from_secs(10);

/// What a client may ask.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    /// How all accounts stand.
    Status,
    /// Log out and stay away.
    Hold { account: String },
    /// Come back, whatever kept it away.
    Resume { account: String },
    /// Replace the login by one with a new UserSig.
    Relogin { account: String },
    /// Log out and stay away, as something that needs mending.
    Quarantine { account: String },
    /// Come back from quarantine.
    Release { account: String },
}

/// Where the socket of a process with this config is: beside it, `botroupe.sock` for `config.toml`,
/// `botroupe-NAME.sock` for `NAME.toml`, so that two configs in one folder do not get in each
/// other's way.
pub(super) fn path(config: &Path) -> PathBuf {
    let name = match config.file_stem().and_then(|stem| stem.to_str()) {
        None | Some("config") => "botroupe.sock".to_owned(),
        Some(stem) => format!("botroupe-{stem}.sock"),
    };
    config.with_file_name(name)
}

/// The socket; its file goes with it.
#[derive(Debug)]
pub(super) struct Control {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
        // Gone already, or not to be removed: nothing to be done at the end.
        let _ = fs::remove_file(&self.path);
    }
}

/// Starts listening, inside a running actix `System`.
///
/// # Errors
/// When another process answers there, or the file cannot be made.
pub(super) fn listen(config: &Path, controller: Controller) -> io::Result<Control> {
    let path = path(config);
    if BlockingStream::connect(&path).is_ok() {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another process answers there",
        ));
    }
    let listener = bind(&path)?;
    let task = actix_rt::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let controller = controller.clone();
            actix_rt::spawn(async move {
                // A client that went away is no failure of ours.
                let _ = tokio::time::timeout(LIMIT, serve(stream, controller)).await;
            });
        }
    });
    Ok(Control { path, task })
}

/// Makes the socket where nobody else can look, and moves it into place when its mode is right.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let folder = path.with_extension(format!("{}", std::process::id()));
    DirBuilder::new().mode(0o700).create(&folder)?;
    let made = (|| {
        let hidden = folder.join("s");
        let listener = UnixListener::bind(&hidden)?;
        fs::set_permissions(&hidden, Permissions::from_mode(0o600))?;
        fs::rename(&hidden, path)?;
        Ok(listener)
    })();
    let _ = fs::remove_dir_all(&folder);
    made
}

async fn serve(mut stream: UnixStream, controller: Controller) -> io::Result<()> {
    let mut line = String::new();
    let (reader, mut writer) = stream.split();
    tokio::io::BufReader::new(reader.take(MAX_REQUEST))
        .read_line(&mut line)
        .await?;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => answer(request, &controller).await,
        Err(error) => json!({"error": format!("not understood: {error}")}),
    };
    writer.write_all(format!("{answer}\n").as_bytes()).await
}

async fn answer(request: Request, controller: &Controller) -> Value {
    let (account, command) = match request {
        Request::Status => {
            let accounts: Vec<Value> = controller
                .status()
                .await
                .iter()
                .map(report::to_json)
                .collect();
            return json!({"accounts": accounts, "blocked_threads": controller.blocked_threads()});
        }
        Request::Hold { account } => (account, Command::Hold),
        Request::Resume { account } | Request::Release { account } => (account, Command::Resume),
        Request::Relogin { account } => (account, Command::Relogin),
        Request::Quarantine { account } => (account, Command::Quarantine),
    };
    let known = match UserId::parse(&account) {
        Ok(user) => controller.order(&user, command).await,
        Err(_) => false,
    };
    if known {
        tracing::info!(account, ?command, "ordered");
        json!({"done": true})
    } else {
        json!({"error": format!("there is no account {account}")})
    }
}

/// Asks the process that runs `config`.
///
/// # Errors
/// When no process answers, or it says no.
pub(super) fn ask(config: &Path, request: &Request) -> Result<Value, Failure> {
    let path = path(config);
    let nobody = |error: io::Error| {
        Failure::Runtime(
            format!(
                "{}: {error}; is `botroupe run --config {}` running?",
                path.display(),
                config.display()
            )
            .into(),
        )
    };
    let mut stream = BlockingStream::connect(&path).map_err(nobody)?;
    stream.set_read_timeout(Some(LIMIT)).map_err(nobody)?;
    let text =
        serde_json::to_string(request).map_err(|error| Failure::Internal(error.to_string()))?;
    stream
        .write_all(format!("{text}\n").as_bytes())
        .map_err(nobody)?;
    let mut line = String::new();
    BufReader::new(stream)
        .read_line(&mut line)
        .map_err(nobody)?;
    let answer: Value = serde_json::from_str(&line)
        .map_err(|_| Failure::Runtime(format!("{}: no answer", path.display()).into()))?;
    match answer["error"].as_str() {
        Some(error) => Err(Failure::Runtime(error.to_owned().into())),
        None => Ok(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_configs_in_one_folder_have_a_socket_each() {
        for (config, socket) in [
            ("config.toml", "botroupe.sock"),
            ("/etc/bots/config.toml", "/etc/bots/botroupe.sock"),
            ("/etc/bots/shop.toml", "/etc/bots/botroupe-shop.sock"),
            ("live.v2.toml", "botroupe-live.v2.sock"),
        ] {
            assert_eq!(path(Path::new(config)), Path::new(socket), "{config}");
        }
    }
}
