//! Storage of uploaded files, in memory or in a folder, and its HTTP handlers.
//!
//! The state decides which uploads and downloads are allowed. A file name in the folder contains
//! only the token, which the state generated. At the start, files of an earlier server are removed
//! from the folder, except those that the restored state knows.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    rc::Rc,
};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
    web::{self, Bytes, BytesMut},
};
use futures_util::StreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Semaphore,
};

use super::{hub::Hub, thumbnail};
use crate::{state::COVER, state::MEDIA_PATH, state::MediaFile, state::MediaRefusal};

/// Where the bytes are stored.
#[derive(Debug)]
pub(super) enum Files {
    Memory(RefCell<BTreeMap<String, Bytes>>),
    Folder(PathBuf),
}

/// Prefix of the file names in the folder.
const PREFIX: &str = "media-";
/// Bytes per read.
const CHUNK: usize = 64 * 1024;
/// The largest picture, in bytes, that is scaled.
const MAX_PICTURE: u64 = 20 * 1024 * 1024;
/// Limits how many pictures are scaled at the same time.
static THUMBNAILS: Semaphore = Semaphore::const_new(2);
/// The most bytes read from the start of a picture to find its size.
const HEADER: usize = 64 * 1024;
/// One transparent pixel, the cover of every video.
const PIXEL: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0,
    1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 13, b'I', b'D', b'A', b'T',
    0x78, 0x9c, 0x63, 0, 1, 0, 0, 5, 0, 1, 0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, b'I', b'E', b'N',
    b'D', 0xae, 0x42, 0x60, 0x82,
];

impl Files {
    /// `is_kept` tells for each token found in the folder whether its file stays.
    pub(super) fn new(folder: Option<&Path>, is_kept: impl Fn(&str) -> bool) -> Self {
        let Some(folder) = folder else {
            return Self::Memory(RefCell::default());
        };
        // If the folder cannot be created or cleaned, each upload reports the error.
        let _ = std::fs::create_dir_all(folder);
        for (token, _) in found(folder) {
            if !is_kept(&token) {
                let _ = std::fs::remove_file(Self::path(folder, &token));
            }
        }
        Self::Folder(folder.to_owned())
    }

    fn path(folder: &Path, token: &str) -> PathBuf {
        folder.join(format!("{PREFIX}{token}"))
    }

    /// Deletes a file.
    fn remove(&self, token: &str) {
        match self {
            Self::Memory(files) => {
                files.borrow_mut().remove(token);
            }
            Self::Folder(folder) => {
                // The file may not exist.
                let _ = std::fs::remove_file(Self::path(folder, token));
            }
        }
    }
}

/// The token in the name of a file that this server created; other files are left alone.
fn token_in(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)
        .filter(|token| token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The files in the folder, by token, with their lengths.
pub(super) fn found(folder: &Path) -> BTreeMap<String, u64> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| {
        let name = entry.file_name();
        let token = token_in(name.to_str()?)?.to_owned();
        Some((token, entry.metadata().map_or(0, |file| file.len())))
    });
    files.collect()
}

/// An upload in progress. An upload dropped before its end is deleted.
struct Upload<'a> {
    hub: &'a Hub,
    token: &'a str,
    sink: Sink,
    /// The beginning of the file.
    head: BytesMut,
    done: bool,
}

enum Sink {
    Memory(BytesMut),
    File(tokio::fs::File),
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.hub.files.remove(self.token);
            self.hub
                .with(|state, now| state.media_aborted(now, self.token));
        }
        sweep(self.hub);
    }
}

impl<'a> Upload<'a> {
    async fn begin(hub: &'a Hub, token: &'a str) -> io::Result<Self> {
        let mut upload = Self {
            hub,
            token,
            sink: Sink::Memory(BytesMut::new()),
            head: BytesMut::new(),
            done: false,
        };
        if let Files::Folder(folder) = &hub.files {
            let file = tokio::fs::File::create(Files::path(folder, token)).await?;
            upload.sink = Sink::File(file);
        }
        Ok(upload)
    }

    async fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        let missing = HEADER.saturating_sub(self.head.len()).min(chunk.len());
        self.head.extend_from_slice(&chunk[..missing]);
        match &mut self.sink {
            Sink::Memory(bytes) => bytes.extend_from_slice(chunk),
            Sink::File(file) => file.write_all(chunk).await?,
        }
        Ok(())
    }

    async fn finish(mut self, content_type: &str) -> io::Result<()> {
        match &mut self.sink {
            Sink::Memory(bytes) => {
                if let Files::Memory(files) = &self.hub.files {
                    let bytes = std::mem::take(bytes).freeze();
                    files.borrow_mut().insert(self.token.to_owned(), bytes);
                }
            }
            // A background write may fail as late as here.
            Sink::File(file) => file.flush().await?,
        }
        let picture = imagesize::blob_size(&self.head).ok().and_then(|size| {
            let side = |pixels: usize| u32::try_from(pixels).ok();
            Some((side(size.width)?, side(size.height)?))
        });
        self.done = true;
        self.hub
            .with(|state, _| state.media_done(self.token, content_type, picture));
        Ok(())
    }
}

/// Deletes the bytes of files that the state has removed.
fn sweep(hub: &Hub) {
    for token in hub.with(|state, _| state.media_gone()) {
        hub.files.remove(&token);
    }
}

fn refused(refusal: MediaRefusal) -> HttpResponse {
    let (status, why) = match refusal {
        MediaRefusal::Unknown => (StatusCode::NOT_FOUND, "there is no such address"),
        MediaRefusal::Used => (StatusCode::CONFLICT, "this address is already used"),
        MediaRefusal::Late => (StatusCode::FORBIDDEN, "the upload time is over"),
        MediaRefusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the file is too long"),
        MediaRefusal::Full => (
            StatusCode::INSUFFICIENT_STORAGE,
            "there is no room for the file",
        ),
    };
    open(HttpResponse::build(status)).body(why)
}

/// The answer to a disk failure.
fn failed(hub: &Hub, error: &io::Error) -> HttpResponse {
    tracing::error!(%error, "an uploaded file cannot be stored");
    let is_full = matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    );
    if is_full {
        hub.with(|state, _| state.media_disk_full());
        return refused(MediaRefusal::Full);
    }
    open(HttpResponse::InternalServerError()).body("the file cannot be stored")
}

/// Lets pages of any origin read the answer: the address itself protects the file.
fn open(mut answer: HttpResponseBuilder) -> HttpResponseBuilder {
    answer
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // An uploaded page must not act as a page of this server.
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox"));
    answer
}

/// Answers a request for a path below [`MEDIA_PATH`]. Queries other than for a scaled picture are
/// ignored.
pub(super) async fn answer(
    hub: &Rc<Hub>,
    request: &HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    if *request.method() == Method::OPTIONS {
        return open(HttpResponse::NoContent())
            .insert_header((
                header::ACCESS_CONTROL_ALLOW_METHODS,
                "GET, HEAD, PUT, OPTIONS",
            ))
            .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "*"))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, "86400"))
            .finish();
    }
    let path = request.path().strip_prefix(MEDIA_PATH).unwrap_or_default();
    let reading = matches!(*request.method(), Method::GET | Method::HEAD);
    if path == COVER && reading {
        return open(HttpResponse::Ok())
            .content_type("image/png")
            .body(PIXEL);
    }
    let Some((token, name)) = path.split_once('/') else {
        return refused(MediaRefusal::Unknown);
    };
    if *request.method() == Method::PUT {
        return put(hub, request, payload, token, name).await;
    }
    if !reading {
        return open(HttpResponse::MethodNotAllowed()).finish();
    }
    let Some(file) = hub.with(|state, _| state.media_file(token, name)) else {
        return refused(MediaRefusal::Unknown);
    };
    if let Some(answer) = smaller(hub, request.query_string(), token, &file).await {
        return answer;
    }
    get(hub, token, &file).await
}

async fn put(
    hub: &Hub,
    request: &HttpRequest,
    mut payload: web::Payload,
    token: &str,
    name: &str,
) -> HttpResponse {
    let text = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let content_type = text(header::CONTENT_TYPE).filter(|value| value.len() <= 256);
    let content_type = content_type.unwrap_or("application/octet-stream");
    if let Err(refusal) = hub.with(|state, now| state.media_begin(now, token, name, length)) {
        return refused(refusal);
    }
    let mut upload = match Upload::begin(hub, token).await {
        Ok(upload) => upload,
        Err(error) => {
            hub.with(|state, now| state.media_aborted(now, token));
            return failed(hub, &error);
        }
    };
    while let Some(chunk) = payload.next().await {
        let Ok(chunk) = chunk else {
            return open(HttpResponse::BadRequest()).body("the upload was interrupted");
        };
        let more = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if let Err(refusal) = hub.with(|state, _| state.media_grow(token, more)) {
            return refused(refusal);
        }
        if let Err(error) = upload.write(&chunk).await {
            return failed(hub, &error);
        }
    }
    match upload.finish(content_type).await {
        Ok(()) => open(HttpResponse::Ok()).finish(),
        Err(error) => failed(hub, &error),
    }
}

/// A scaled copy of a picture, if the query asks for one and the picture can be read.
async fn smaller(hub: &Hub, query: &str, token: &str, file: &MediaFile) -> Option<HttpResponse> {
    let edge = thumbnail::asked_for(query)?;
    if file.size > MAX_PICTURE {
        return None;
    }
    // Scaling takes time and memory, so it runs on blocking threads, a few at a time, including the
    // read.
    let _permit = THUMBNAILS.acquire().await.ok()?;
    let bytes = match &hub.files {
        Files::Memory(files) => files.borrow().get(token).cloned()?,
        Files::Folder(folder) => tokio::fs::read(Files::path(folder, token))
            .await
            .ok()?
            .into(),
    };
    let made = web::block(move || thumbnail::smaller(&bytes, edge)).await;
    let (bytes, content_type) = made.ok()??;
    let mut answer = open(HttpResponse::Ok());
    Some(answer.content_type(content_type).body(bytes))
}

async fn get(hub: &Hub, token: &str, file: &MediaFile) -> HttpResponse {
    let mut answer = open(HttpResponse::Ok());
    if let Ok(content_type) = HeaderValue::from_str(&file.content_type) {
        answer.insert_header((header::CONTENT_TYPE, content_type));
    }
    let folder = match &hub.files {
        Files::Memory(files) => {
            let bytes = files.borrow().get(token).cloned();
            return bytes.map_or_else(
                || refused(MediaRefusal::Unknown),
                |bytes| answer.body(bytes),
            );
        }
        Files::Folder(folder) => folder,
    };
    match tokio::fs::File::open(Files::path(folder, token)).await {
        Ok(source) => {
            let chunks = futures_util::stream::try_unfold(source, |mut source| async {
                let mut chunk = BytesMut::with_capacity(CHUNK);
                let read = source.read_buf(&mut chunk).await?;
                Ok::<_, io::Error>((read > 0).then(|| (chunk.freeze(), source)))
            });
            answer.body(SizedStream::new(file.size, Box::pin(chunks)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => refused(MediaRefusal::Unknown),
        Err(error) => failed(hub, &error),
    }
}
