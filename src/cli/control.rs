//! The control socket of a running process, for status and orders: a Unix socket beside its config file.
//!
//! A connection carries one request and one answer, each a JSON object on a line. The socket's mode keeps other
//! users out. [`Seat`] knows its path.

use super::exit::Failure;
use super::report;
use super::request::Request;
use super::seat::Seat;
use super::store;
use crate::account::Command;
use crate::app::{Controller, OrderError, OutboxOrder};
use crate::proto::id::UserId;
use serde_json::{Value, json};
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// The longest request in bytes.
const MAX_REQUEST: u64 = 4096;
/// How long a client may take to send its request, and the server to answer.
const LIMIT: Duration = Duration::from_secs(10);
/// File handles kept in reserve for clients.
const SPARE: usize = 8;
/// The pause before the next client when no file handle was left for the last one.
const PAUSE: Duration = Duration::from_millis(200);

/// The socket; dropping it removes its file.
#[derive(Debug)]
pub(super) struct Control {
    path: PathBuf,
    /// Its path and the reason, when it is not beside the config.
    moved: Option<String>,
    /// The listener, until it is served.
    open: Option<(UnixListener, Vec<fs::File>)>,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
        // If it is gone already or cannot be removed, nothing can be done at this point.
        let _ = fs::remove_file(&self.path);
    }
}

/// Everything that is needed to answer.
#[derive(Clone)]
struct Desk {
    controller: Controller,
    moved: Option<String>,
}

impl Control {
    /// Creates the socket, inside a running actix `System`. Clients wait until it is served. The file handles
    /// for them are reserved now, before the accounts take theirs.
    ///
    /// # Errors
    /// When another process answers there, or the file cannot be created.
    pub(super) fn open(seat: &Seat) -> io::Result<Self> {
        let path = seat.socket();
        if BlockingStream::connect(&path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "another process answers there",
            ));
        }
        let listener = bind(&path)?;
        let mut spare = Vec::new();
        refill(&mut spare);
        let moved = seat.moved.map(|why| format!("{} ({why})", path.display()));
        Ok(Self {
            path,
            moved,
            open: Some((listener, spare)),
            task: None,
        })
    }

    /// Starts to answer.
    pub(super) fn serve(&mut self, controller: Controller) {
        if let Some((listener, spare)) = self.open.take() {
            let moved = self.moved.clone();
            let desk = Desk { controller, moved };
            self.task = Some(actix_rt::spawn(accept_all(listener, desk, spare)));
        }
    }
}

/// Serves clients as long as the process lives. When no file handle is left for a connection, a reserved one
/// serves one client after the other: status and orders are needed most at such a time.
async fn accept_all(listener: UnixListener, desk: Desk, mut spare: Vec<fs::File>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let desk = desk.clone();
                actix_rt::spawn(async move {
                    // A client that went away is no failure of this process.
                    let _ = tokio::time::timeout(LIMIT, serve(stream, desk)).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "control socket: a client cannot be let in at once");
                // An account may take the handle that is released here; then the next one is released.
                spare.pop();
                match tokio::time::timeout(PAUSE, listener.accept()).await {
                    Ok(Ok((stream, _))) => {
                        let _ = tokio::time::timeout(LIMIT, serve(stream, desk.clone())).await;
                    }
                    Ok(Err(_)) => tokio::time::sleep(PAUSE).await,
                    Err(_) => {}
                }
            }
        }
        refill(&mut spare);
    }
}

/// Reserves the handles that must be left when all others are used up.
fn refill(spare: &mut Vec<fs::File>) {
    while spare.len() < SPARE {
        match fs::File::open("/dev/null") {
            Ok(file) => spare.push(file),
            Err(_) => return,
        }
    }
}

/// Creates the socket where no other user has access, and moves it into place once its mode is set.
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

async fn serve(mut stream: UnixStream, desk: Desk) -> io::Result<()> {
    let mut line = String::new();
    let (reader, mut writer) = stream.split();
    tokio::io::BufReader::new(reader.take(MAX_REQUEST))
        .read_line(&mut line)
        .await?;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => answer(request, &desk).await,
        Err(error) => json!({"error": format!("not understood: {error}")}),
    };
    writer.write_all(format!("{answer}\n").as_bytes()).await
}

async fn answer(request: Request, desk: &Desk) -> Value {
    let controller = &desk.controller;
    if !controller.is_alive() {
        return json!({"error": "the supervisor of its accounts died; restart it"});
    }
    let (account, command) = match request {
        Request::Status => {
            let accounts: Vec<Value> = controller
                .status()
                .await
                .iter()
                .map(report::to_json)
                .collect();
            return json!({
                "accounts": accounts,
                "blocked_threads": controller.blocked_threads(),
                "store": store::condition_to_json(&controller.store()),
                "socket": desk.moved,
            });
        }
        Request::Hold { account } => (account, Command::Hold),
        Request::Resume { account } | Request::Release { account } => (account, Command::Resume),
        Request::Relogin { account } => (account, Command::Relogin),
        Request::Quarantine { account } => (account, Command::Quarantine),
        Request::RetryLetter { letter } => {
            return outbox(controller, letter, OutboxOrder::Retry).await;
        }
        Request::DropLetter { letter } => {
            return outbox(controller, letter, OutboxOrder::Drop).await;
        }
    };
    let done = match UserId::parse(&account) {
        Ok(user) => controller.order(&user, command).await,
        Err(_) => Err(OrderError::Unknown(account.clone())),
    };
    match done {
        Ok(()) => {
            tracing::info!(account, ?command, "ordered");
            json!({"done": true})
        }
        Err(error) => json!({"error": error.to_string()}),
    }
}

async fn outbox(controller: &Controller, letter: u64, order: OutboxOrder) -> Value {
    match controller.outbox(letter, order).await {
        Ok(()) => {
            tracing::info!(letter, ?order, "ordered");
            json!({"done": true})
        }
        Err(error) => json!({"error": error.to_string()}),
    }
}

/// Asks the process that runs `config`.
///
/// # Errors
/// When no process answers, or it refuses the request.
pub(super) fn ask(config: &Path, request: &Request) -> Result<Value, Failure> {
    if !config.exists() {
        return Err(Failure::Usage(format!(
            "{}: there is no such config; name that of the running process with --config FILE",
            config.display()
        )));
    }
    let seats = Seat::candidates(config);
    let mut refused = None;
    let mut stream = None;
    for seat in &seats {
        match BlockingStream::connect(seat.socket()) {
            Ok(open) => {
                stream = Some((open, seat.socket()));
                break;
            }
            Err(error) => refused = refused.or(Some((error, seat.socket()))),
        }
    }
    let nobody = |error: &io::Error, path: &Path| {
        Failure::Runtime(
            format!(
                "{}: {error}; is `botroupe run --config {}` running?",
                path.display(),
                config.display()
            )
            .into(),
        )
    };
    let Some((mut stream, path)) = stream else {
        let none = || {
            (
                io::ErrorKind::NotFound.into(),
                Seat::beside(config).socket(),
            )
        };
        let (error, path) = refused.unwrap_or_else(none);
        return Err(nobody(&error, &path));
    };
    let silent = |error: io::Error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Failure::Runtime(
            format!(
                "{}: no answer within {} s; it runs, but hangs",
                path.display(),
                LIMIT.as_secs()
            )
            .into(),
        ),
        _ => nobody(&error, &path),
    };
    stream.set_read_timeout(Some(LIMIT)).map_err(silent)?;
    let text =
        serde_json::to_string(request).map_err(|error| Failure::Internal(error.to_string()))?;
    stream
        .write_all(format!("{text}\n").as_bytes())
        .map_err(silent)?;
    let mut line = String::new();
    BufReader::new(stream)
        .read_line(&mut line)
        .map_err(silent)?;
    let answer: Value = serde_json::from_str(&line)
        .map_err(|_| Failure::Runtime(format!("{}: no answer", path.display()).into()))?;
    match answer["error"].as_str() {
        Some(error) => Err(Failure::Runtime(error.to_owned().into())),
        None => Ok(answer),
    }
}
