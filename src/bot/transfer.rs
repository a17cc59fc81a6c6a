//! Files over HTTP: `PUT` where the server says, `GET` where a message says.
//!
//! Handlers run on threads of their own, HTTP clients belong to the threads that do I/O. So a
//! transfer is a job for such a thread, and its outcome comes back over a channel. Few run at a time,
//! because each holds a whole file; the others wait, and no account has more than two in each direction. A
//! transfer that makes progress may take half an hour; one that stands still is ended.

use super::file_access::{FileAccess, Forbidden, Way};
use crate::gateway::{http_client, http_client_for_strangers, without_url};
use actix::prelude::ArbiterHandle;
use actix_http::body::SizedStream;
use awc::http::header;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt, future};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Semaphore, oneshot};

/// The most downloads and uploads of the process at a time; each may hold a file of up to 100 MB.
static DOWNLOADS: Semaphore = Semaphore::const_new(8);
static UPLOADS: Semaphore = Semaphore::const_new(8);
/// The most transfers of one account in each direction.
const OF_ACCOUNT: usize = 2;
/// How long a transfer may make no progress, its connection included.
const STALL: Duration = Duration::from_secs(10);
/// How long a transfer may take in all.
const LIMIT: Duration = Duration::from_secs(1800);
/// Bytes handed to the connection in one go, after each of which progress is told.
const CHUNK: usize = 64 * 1024;

/// Called with the bytes sent so far and the bytes in all.
pub(super) type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Why a file was not transferred. URLs are left out: they let whoever has them read or write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The connection could not be made, or broke.
    #[error("the file was not transferred: {0}")]
    Connection(String),
    /// The file server refused the request.
    #[error("the file server answered with status {0}")]
    Status(u16),
    /// The bytes to send could not be read.
    #[error("the file to send cannot be read: {0}")]
    Unreadable(#[source] FileError),
    /// There were fewer or more bytes to send than announced.
    #[error("the file to send does not have {size} bytes, as announced")]
    WrongSize {
        /// The announced size in bytes.
        size: u64,
    },
    /// The received bytes could not be written.
    #[error("the file cannot be written: {0}")]
    Unwritable(#[source] FileError),
    /// The file is larger than the limit.
    #[error("the file has more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The transfer made no progress for ten seconds, or took longer than half an hour.
    #[error("the transfer made no progress, or took longer than half an hour")]
    TimedOut,
    /// Files are not downloaded from this address: the sender of the message may have chosen any.
    #[error("files are not downloaded from {place}{remedy}")]
    Forbidden {
        /// The host.
        place: String,
        /// How the bot can allow it; empty when it cannot.
        remedy: &'static str,
    },
    /// Nothing carries files here: the program is ending, or this is a test.
    #[error("files cannot be transferred here")]
    Nowhere,
}

/// What the system said about a file.
#[derive(Clone, Debug)]
pub struct FileError {
    /// `None` for a stream.
    path: Option<PathBuf>,
    source: Arc<io::Error>,
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {}", path.display(), self.source),
            None => self.source.fmt(f),
        }
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

impl PartialEq for FileError {
    /// Errors of the system are told apart by their kind.
    fn eq(&self, other: &Self) -> bool {
        (&self.path, self.source.kind()) == (&other.path, other.source.kind())
    }
}

impl Eq for FileError {}

impl FileError {
    fn new(path: Option<&Path>, error: io::Error) -> Self {
        Self {
            path: path.map(Path::to_owned),
            source: Arc::new(error),
        }
    }
}

impl TransferError {
    pub(super) fn unreadable(path: &Path, error: io::Error) -> Self {
        Self::Unreadable(FileError::new(Some(path), error))
    }

    pub(super) fn stream(error: io::Error) -> Self {
        Self::Unreadable(FileError::new(None, error))
    }

    fn unwritable(path: &Path, error: io::Error) -> Self {
        Self::Unwritable(FileError::new(Some(path), error))
    }
}

/// Where the bytes to send come from.
pub(super) enum Content {
    Bytes(Bytes),
    /// Read while it is sent.
    Path(PathBuf),
    Stream {
        size: u64,
        stream: BoxStream<'static, io::Result<Bytes>>,
    },
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Stream { size, .. } => write!(f, "a stream of {size} bytes"),
        }
    }
}

/// What is sent.
pub(super) struct Body {
    pub(super) content: Content,
    /// Bytes in all.
    pub(super) size: u64,
    pub(super) progress: Option<Progress>,
}

impl Body {
    /// The bytes in chunks. What they lack of the size, or have beyond it, is an error, and so the
    /// request fails instead of hanging or being cut.
    async fn chunks(self) -> Result<BoxStream<'static, io::Result<Bytes>>, TransferError> {
        let Self {
            content,
            size,
            progress,
        } = self;
        let chunks = match content {
            Content::Bytes(bytes) => stream::iter((0..bytes.len()).step_by(CHUNK))
                .map(move |from| Ok(bytes.slice(from..bytes.len().min(from + CHUNK))))
                .boxed(),
            Content::Stream { stream, .. } => stream,
            Content::Path(path) => {
                let file = tokio::fs::File::open(&path).await;
                let file = file.map_err(|error| TransferError::unreadable(&path, error))?;
                stream::try_unfold(file, |mut file| async move {
                    let mut chunk = BytesMut::with_capacity(CHUNK);
                    let read = file.read_buf(&mut chunk).await?;
                    Ok((read > 0).then(|| (chunk.freeze(), file)))
                })
                .boxed()
            }
        };
        let ended = stream::iter([None]);
        let counted = chunks
            .map(Some)
            .chain(ended)
            .scan(0_u64, move |sent, chunk| {
                let chunk = match chunk {
                    Some(Ok(chunk)) => {
                        *sent += chunk.len() as u64;
                        if let Some(progress) = &progress {
                            progress((*sent).min(size), size);
                        }
                        (*sent <= size).then_some(Ok(chunk))
                    }
                    Some(Err(error)) => Some(Err(error)),
                    None if *sent == size => return future::ready(None),
                    None => None,
                };
                let wrong = || Err(io::Error::other(TransferError::WrongSize { size }));
                future::ready(Some(chunk.unwrap_or_else(wrong)))
            });
        Ok(counted.boxed())
    }
}

/// What carries the files of an account.
#[derive(Clone, Debug)]
pub(super) struct Carriage {
    on: ArbiterHandle,
    access: Arc<FileAccess>,
    downloads: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
}

/// Which way a file goes.
#[derive(Clone, Copy)]
enum Direction {
    Down,
    Up,
}

/// Moves on with every byte; a transfer whose mark stands still is ended.
#[derive(Clone, Default)]
struct Mark(Arc<AtomicU64>);

impl Mark {
    fn moved(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends when it has not moved for [`STALL`].
    async fn stands_still(&self) {
        let mut last = self.0.load(Ordering::Relaxed);
        loop {
            tokio::time::sleep(STALL).await;
            let now = self.0.load(Ordering::Relaxed);
            if now == last {
                return;
            }
            last = now;
        }
    }
}

impl Carriage {
    /// Carries files on the thread `on`.
    pub(super) fn new(on: ArbiterHandle, access: FileAccess) -> Self {
        Self {
            on,
            access: Arc::new(access),
            downloads: Arc::new(Semaphore::new(OF_ACCOUNT)),
            uploads: Arc::new(Semaphore::new(OF_ACCOUNT)),
        }
    }

    /// Runs a job on its thread, when it is its turn.
    async fn run<T, J, F>(&self, direction: Direction, job: J) -> Result<T, TransferError>
    where
        T: Send + 'static,
        J: FnOnce(Mark) -> F + Send + 'static,
        F: Future<Output = Result<T, TransferError>> + 'static,
    {
        let (own, all) = match direction {
            Direction::Down => (&self.downloads, &DOWNLOADS),
            Direction::Up => (&self.uploads, &UPLOADS),
        };
        // First among its own, so that one account does not stand in the line of all with many.
        let _own = own.acquire().await.map_err(|_| TransferError::Nowhere)?;
        let _all = all.acquire().await.map_err(|_| TransferError::Nowhere)?;
        let (done, outcome) = oneshot::channel();
        let spawned = self.on.spawn_fn(move || {
            actix_rt::spawn(async move {
                let mut done = done;
                let mark = Mark::default();
                // Whoever gives up waiting ends the transfer.
                let outcome = tokio::select! {
                    outcome = tokio::time::timeout(LIMIT, job(mark.clone())) => outcome,
                    () = mark.stands_still() => Ok(Err(TransferError::TimedOut)),
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

    /// Puts the bytes to `url`, which the server has given.
    pub(super) async fn put(
        &self,
        url: String,
        content_type: String,
        body: Body,
    ) -> Result<(), TransferError> {
        self.run(Direction::Up, move |mark| async move {
            let size = body.size;
            let failed = Arc::new(OnceLock::new());
            let noted = failed.clone();
            // awc says no more of an error of ours than that there was one.
            let chunks = body.chunks().await?.inspect_ok(move |_| mark.moved());
            let chunks = chunks.inspect_err(move |error| {
                let wrong = error.get_ref().and_then(|inner| inner.downcast_ref());
                let _ = noted.set(wrong.cloned().unwrap_or_else(|| {
                    TransferError::stream(io::Error::new(error.kind(), error.to_string()))
                }));
            });
            let request = http_client()
                .put(url)
                .insert_header((header::CONTENT_TYPE, content_type));
            let answer = request.send_body(SizedStream::new(size, chunks)).await;
            if let Some(error) = failed.get() {
                return Err(TransferError::clone(error));
            }
            let answer = answer.map_err(|error| TransferError::Connection(without_url(&error)))?;
            if answer.status().is_success() {
                Ok(())
            } else {
                Err(TransferError::Status(answer.status().as_u16()))
            }
        })
        .await
    }

    /// Gets up to `limit` bytes from `url`.
    pub(super) async fn get(&self, url: String, limit: u64) -> Result<Bytes, TransferError> {
        let way = self.way(&url)?;
        self.run(Direction::Down, move |mark| async move {
            let mut bytes = Vec::new();
            receive(&url, way, limit, &mark, async |chunk| {
                bytes.extend_from_slice(&chunk);
                Ok(())
            })
            .await?;
            Ok(bytes.into())
        })
        .await
    }

    /// Gets up to `limit` bytes from `url` into a file, and gives their number.
    pub(super) async fn save(
        &self,
        url: String,
        limit: u64,
        path: PathBuf,
    ) -> Result<u64, TransferError> {
        let way = self.way(&url)?;
        self.run(Direction::Down, move |mark| async move {
            let failed = |error: io::Error| TransferError::unwritable(&path, error);
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            // Beside its place, so that it can be moved there as a whole; gone if that does not happen.
            let name = folder.join(format!(".{:032x}.part", fastrand::u128(..)));
            let mut file = tokio::fs::File::create_new(&name).await.map_err(failed)?;
            let part = Part(Some(name.clone()));
            let size = receive(&url, way, limit, &mark, async |chunk| {
                file.write_all(&chunk).await.map_err(failed)
            })
            .await?;
            file.flush().await.map_err(failed)?;
            drop(file);
            tokio::fs::rename(&name, &path).await.map_err(failed)?;
            part.keep();
            Ok(size)
        })
        .await
    }

    fn way(&self, url: &str) -> Result<Way, TransferError> {
        let way = self.access.way(url);
        way.map_err(|Forbidden { place, remedy }| TransferError::Forbidden { place, remedy })
    }
}

/// A file that goes when the transfer fails or is given up.
struct Part(Option<PathBuf>);

impl Part {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let (Some(path), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            // What is left is as harmless as its name says.
            runtime.spawn_blocking(|| std::fs::remove_file(path));
        }
    }
}

/// Hands `taken` what lies at `url`, up to `limit` bytes, and gives their number.
async fn receive(
    url: &str,
    way: Way,
    limit: u64,
    mark: &Mark,
    mut taken: impl AsyncFnMut(Bytes) -> Result<(), TransferError>,
) -> Result<u64, TransferError> {
    let client = match way {
        Way::Open => http_client(),
        Way::Public => http_client_for_strangers(),
    };
    // Redirects are not followed: they could lead anywhere.
    let answer = client.get(url).send().await;
    let mut answer = answer.map_err(|error| TransferError::Connection(without_url(&error)))?;
    mark.moved();
    if !answer.status().is_success() {
        return Err(TransferError::Status(answer.status().as_u16()));
    }
    let length = answer.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(TransferError::TooLarge { limit });
    }
    let mut size = 0;
    while let Some(chunk) = answer.next().await {
        let chunk = chunk.map_err(|error| TransferError::Connection(error.to_string()))?;
        size += chunk.len() as u64;
        mark.moved();
        if size > limit {
            return Err(TransferError::TooLarge { limit });
        }
        taken(chunk).await?;
    }
    // awc takes the end of the connection for that of the answer.
    if length.is_some_and(|length| length > size) {
        return Err(TransferError::Connection("it broke off".to_owned()));
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix::Arbiter;
    use tokio::net::{TcpListener, TcpStream};

    /// A file server of one connection after another: what `answer` does with each.
    async fn serve<F>(answer: impl Fn(TcpStream) -> F + 'static) -> String
    where
        F: Future<Output = ()> + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/file", listener.local_addr().unwrap());
        actix_rt::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                actix_rt::spawn(answer(stream));
            }
        });
        url
    }

    fn carriage(own: Option<&str>) -> Carriage {
        let access = FileAccess::new(own);
        Carriage::new(Arbiter::current(), access)
    }

    #[actix_rt::test]
    async fn e1_an_address_of_a_stranger_is_not_even_connected_to() {
        let url = serve(|_| async { panic!("somebody connects") }).await;
        let got = carriage(None).get(url, 100).await;
        assert!(
            matches!(got, Err(TransferError::Forbidden { .. })),
            "{got:?}"
        );
    }

    #[actix_rt::test]
    async fn e1_a_redirect_is_not_followed() {
        let url = serve(|mut stream| async move {
            let answer = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/secret\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let got = carriage(Some(&url)).get(url, 100).await;
        assert_eq!(got, Err(TransferError::Status(302)));
    }

    #[actix_rt::test]
    async fn k1_silent_addresses_of_one_account_do_not_hold_up_another() {
        let silent = serve(|stream| async move {
            let _held = stream;
            std::future::pending::<()>().await;
        })
        .await;
        let good = serve(|mut stream| async move {
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfile";
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let victim = carriage(Some(&silent));
        for _ in 0..8 {
            let (victim, silent) = (victim.clone(), silent.clone());
            actix_rt::spawn(async move { victim.get(silent, 100).await });
        }
        tokio::task::yield_now().await;
        let got = carriage(Some(&good)).get(good, 100).await;
        assert_eq!(got.unwrap(), "file");
    }

    #[actix_rt::test]
    async fn k1_an_address_that_stays_silent_is_given_up() {
        tokio::time::pause();
        let mark = Mark::default();
        let began = tokio::time::Instant::now();
        mark.stands_still().await;
        let silent = began.elapsed();
        assert!(silent >= STALL && silent < STALL * 2, "{silent:?}");
    }

    #[actix_rt::test]
    async fn k2_what_goes_on_is_not_ended_however_long_it_takes() {
        tokio::time::pause();
        let mark = Mark::default();
        let moving = async {
            for _ in 0..100 {
                tokio::time::sleep(STALL / 2).await;
                mark.moved();
            }
        };
        tokio::select! {
            () = moving => {}
            () = mark.stands_still() => panic!("ended while it moved"),
        }
    }
}
