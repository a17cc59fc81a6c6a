//! Files over HTTP: `PUT` where the server says, `GET` where a message says.
//!
//! Handlers run on threads of their own, HTTP clients belong to the threads that do I/O. So a
//! transfer is a job for such a thread, and its outcome comes back over a channel. Few run at a time,
//! because each holds a whole file; the others wait.

use crate::gateway::http_client;
use actix::prelude::ArbiterHandle;
use actix_http::body::SizedStream;
use awc::error::SendRequestError;
use awc::http::header;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};

/// Transfers at a time in a process; each may hold a file of up to 100 MB.
static TRANSFERS: Semaphore = Semaphore::const_new(8);
/// How long one transfer may take.
const LIMIT: Duration = Duration::from_secs(120);
/// Bytes handed to the connection in one go, after each of which progress is told.
const CHUNK: usize = 64 * 1024;

/// Called with the bytes sent so far and the bytes in all.
pub(super) type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Why a file was not transferred. URLs are left out: they let whoever has them read or write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The connection could not be made, or broke.
    #[error("no connection for the file: {0}")]
    Connection(String),
    /// The server of the files said no.
    #[error("the server of the file answers with status {0}")]
    Status(u16),
    /// There is more of it than wanted.
    #[error("the file has more than {limit} bytes")]
    TooLarge {
        /// How many bytes were wanted at most.
        limit: u64,
    },
    /// It took longer than two minutes.
    #[error("the file took too long")]
    TimedOut,
    /// There is nothing that could carry files: the program is ending, or it is a test.
    #[error("files cannot be transferred here")]
    Nowhere,
}

/// Runs a job on the thread `on`.
async fn run<T, J, F>(on: &ArbiterHandle, job: J) -> Result<T, TransferError>
where
    T: Send + 'static,
    J: FnOnce() -> F + Send + 'static,
    F: Future<Output = Result<T, TransferError>> + 'static,
{
    let _permit = TRANSFERS
        .acquire()
        .await
        .map_err(|_| TransferError::Nowhere)?;
    let (done, outcome) = oneshot::channel();
    let spawned = on.spawn_fn(move || {
        actix_rt::spawn(async move {
            let mut done = done;
            // Whoever gives up waiting ends the transfer.
            let outcome = tokio::select! {
                outcome = tokio::time::timeout(LIMIT, job()) => outcome,
                () = done.closed() => return,
            };
            let _ = done.send(outcome.unwrap_or(Err(TransferError::TimedOut)));
        });
    });
    if !spawned {
        return Err(TransferError::Nowhere);
    }
    outcome.await.map_err(|_| TransferError::Nowhere)?
}

/// Puts `bytes` to `url`.
pub(super) async fn put(
    on: &ArbiterHandle,
    url: String,
    content_type: String,
    bytes: Bytes,
    progress: Option<Progress>,
) -> Result<(), TransferError> {
    run(on, move || async move {
        let total = bytes.len() as u64;
        let chunks = stream::iter((0..bytes.len()).step_by(CHUNK)).map(move |from| {
            let to = bytes.len().min(from + CHUNK);
            if let Some(progress) = &progress {
                progress(to as u64, total);
            }
            Ok::<Bytes, Infallible>(bytes.slice(from..to))
        });
        let request = http_client()
            .put(url)
            .insert_header((header::CONTENT_TYPE, content_type));
        let answer = request.send_body(SizedStream::new(total, chunks)).await;
        let answer = answer.map_err(|error| explain(&error))?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(TransferError::Status(answer.status().as_u16()))
        }
    })
    .await
}

/// Gets up to `limit` bytes from `url`.
pub(super) async fn get(
    on: &ArbiterHandle,
    url: String,
    limit: u64,
) -> Result<Bytes, TransferError> {
    run(on, move || async move {
        let answer = http_client().get(url).send().await;
        let mut answer = answer.map_err(|error| explain(&error))?;
        if !answer.status().is_success() {
            return Err(TransferError::Status(answer.status().as_u16()));
        }
        let length = answer.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > limit) {
            return Err(TransferError::TooLarge { limit });
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.next().await {
            let chunk = chunk.map_err(|error| TransferError::Connection(error.to_string()))?;
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > limit {
                return Err(TransferError::TooLarge { limit });
            }
        }
        // awc takes the end of the connection for that of the answer.
        if length.is_some_and(|length| length > bytes.len() as u64) {
            return Err(TransferError::Connection("it broke off".to_owned()));
        }
        Ok(bytes.into())
    })
    .await
}

/// In words that do not hold the URL.
fn explain(error: &SendRequestError) -> TransferError {
    TransferError::Connection(match error {
        SendRequestError::Connect(error) => error.to_string(),
        SendRequestError::Send(error) => error.to_string(),
        SendRequestError::Url(_) => "the URL cannot be used".to_owned(),
        SendRequestError::Response(_) => "the answer is not HTTP".to_owned(),
        _ => "the request failed".to_owned(),
    })
}
