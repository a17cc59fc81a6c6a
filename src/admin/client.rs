//! Asks a process over its control socket.

use super::types::Problem;
use actix_service::fn_service;
use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use awc::error::SendRequestError;
use awc::http::{Method, Uri};
use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::UnixStream;

/// How long an answer may take.
pub const LIMIT: Duration = Duration::from_secs(10);
/// The longest answer: a hundred thousand accounts take a page at a time, so none comes near it.
const MAX_ANSWER: usize = 256 << 20;

/// Asks the process whose control socket is at a path.
#[derive(Clone)]
pub struct Client {
    http: awc::Client,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answers there.
    #[error("{0}")]
    Nobody(#[source] io::Error),
    /// It took too long.
    #[error("no answer in time; it runs, but hangs")]
    Silent,
    /// The process refuses it.
    #[error("{}", .0.error)]
    Refused(Problem),
    /// What came is no answer.
    #[error("no answer")]
    Unreadable,
}

impl Client {
    /// Of the process with this socket. It lives on a thread of actix.
    #[must_use]
    pub fn over(path: PathBuf) -> Self {
        Self::patient(path, LIMIT)
    }

    /// Like [`over`](Self::over), for what may take as long as `limit`.
    #[must_use]
    pub fn patient(path: PathBuf, limit: Duration) -> Self {
        Self::with(path, Some(limit))
    }

    /// Like [`over`](Self::over), for what has no end.
    #[must_use]
    pub fn endless(path: PathBuf) -> Self {
        Self::with(path, None)
    }

    fn with(path: PathBuf, limit: Option<Duration>) -> Self {
        let connect = fn_service(move |wanted: ConnectInfo<Uri>| {
            let path = path.clone();
            async move {
                let stream = UnixStream::connect(&path).await.map_err(ConnectError::Io)?;
                Ok::<_, ConnectError>(Connection::new(wanted.request().clone(), stream))
            }
        });
        let connector = awc::Connector::new().connector(connect).timeout(LIMIT);
        let http = awc::Client::builder().connector(connector);
        let http = match limit {
            Some(limit) => http.timeout(limit),
            None => http.disable_timeout(),
        };
        Self {
            http: http.finish(),
        }
    }

    /// Asks for something.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.send(Method::GET, path, None::<&()>).await
    }

    /// Asks with any method and body.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ClientError> {
        let request = self.http.request(method, format!("http://localhost{path}"));
        // The process may have no file handle for a connection that is only kept.
        let request = request.force_close();
        let sent = match body {
            Some(body) => request.send_json(body).await,
            None => request.send().await,
        };
        let mut answer = sent.map_err(|error| failure(&error))?;
        let is_well = answer.status().is_success();
        let body = answer.body().limit(MAX_ANSWER).await;
        let body = body.map_err(|_| ClientError::Unreadable)?;
        if is_well {
            return serde_json::from_slice(&body).map_err(|_| ClientError::Unreadable);
        }
        Err(serde_json::from_slice(&body).map_or(ClientError::Unreadable, ClientError::Refused))
    }

    /// Follows server-sent events until the process ends or `on`, which gets the name and the data of each, says `false`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn follow(
        &self,
        path: &str,
        mut on: impl FnMut(&str, &[u8]) -> bool,
    ) -> Result<(), ClientError> {
        let request = self.http.get(format!("http://localhost{path}"));
        let mut answer = request.send().await.map_err(|error| failure(&error))?;
        if !answer.status().is_success() {
            let body = answer.body().limit(MAX_ANSWER).await;
            let body = body.map_err(|_| ClientError::Unreadable)?;
            let problem = serde_json::from_slice(&body);
            return Err(problem.map_or(ClientError::Unreadable, ClientError::Refused));
        }
        let mut text = Vec::new();
        while let Some(piece) = answer.next().await {
            let Ok(piece) = piece else {
                return Ok(()); // It ended in the middle of an event.
            };
            text.extend_from_slice(&piece);
            while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = text.drain(..end + 2).collect();
                let field = |name: &[u8]| {
                    let mut lines = event.split(|byte| *byte == b'\n');
                    lines.find_map(|line| line.strip_prefix(name))
                };
                let name = field(b"event: ").unwrap_or_default();
                let name = std::str::from_utf8(name).unwrap_or_default();
                if !name.is_empty() && !on(name, field(b"data: ").unwrap_or_default()) {
                    return Ok(());
                }
            }
            if text.len() > MAX_ANSWER {
                return Err(ClientError::Unreadable);
            }
        }
        Ok(())
    }
}

fn failure(error: &SendRequestError) -> ClientError {
    match error {
        SendRequestError::Timeout => ClientError::Silent,
        SendRequestError::Connect(awc::error::ConnectError::Timeout) => ClientError::Silent,
        SendRequestError::Connect(awc::error::ConnectError::Io(error)) => {
            // The error itself cannot be taken out.
            let error = match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => error.kind().into(),
            };
            ClientError::Nobody(error)
        }
        _ => ClientError::Unreadable,
    }
}
