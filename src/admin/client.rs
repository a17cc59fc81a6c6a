//! Asks a process over its control socket.

use super::types::Problem;
use actix_service::fn_service;
use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use awc::error::SendRequestError;
use awc::http::{Method, Uri};
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
        let connect = fn_service(move |wanted: ConnectInfo<Uri>| {
            let path = path.clone();
            async move {
                let stream = UnixStream::connect(&path).await.map_err(ConnectError::Io)?;
                Ok::<_, ConnectError>(Connection::new(wanted.request().clone(), stream))
            }
        });
        let connector = awc::Connector::new().connector(connect).timeout(LIMIT);
        let http = awc::Client::builder()
            .connector(connector)
            .timeout(limit)
            .finish();
        Self { http }
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
