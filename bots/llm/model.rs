//! Asks a model. The HTTP client stays on a thread of its own, because handlers go from thread to thread and it does not.

use super::events::{Events, Piece, Trouble, whole};
use actix_rt::Runtime;
use awc::http::header;
use futures_util::StreamExt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::mpsc;

/// So many requests wait for their turn.
const WAITING: usize = 64;
/// So many pieces of an answer wait for the handler.
const PIECES: usize = 32;
/// Bytes of an answer that comes as a whole.
const LARGEST: usize = 256 * 1024;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// A question to a model. It has no `Debug`, because it holds a key.
pub(super) struct Question {
    pub(super) url: String,
    pub(super) key: Option<String>,
    pub(super) body: String,
}

struct Job {
    question: Question,
    pieces: mpsc::Sender<Result<Piece, Trouble>>,
}

/// The thread, from the first question on.
static THREAD: LazyLock<Option<mpsc::Sender<Job>>> = LazyLock::new(|| {
    let (jobs, waiting) = mpsc::channel(WAITING);
    let thread = std::thread::Builder::new().name("llm".to_owned());
    let started = thread.spawn(move || {
        if let Ok(runtime) = Runtime::new() {
            runtime.block_on(work(waiting));
        }
    });
    started.ok().map(|_| jobs)
});

async fn work(mut waiting: mpsc::Receiver<Job>) {
    let Some(client) = client() else {
        return;
    };
    while let Some(Job { question, pieces }) = waiting.recv().await {
        let client = client.clone();
        actix_rt::spawn(async move {
            // When the handler is gone nobody wants the rest, and the connection is closed.
            tokio::select! {
                () = pieces.closed() => {}
                answered = answer(&client, question, &pieces) => if let Err(trouble) = answered {
                    let _ = pieces.send(Err(trouble)).await;
                }
            }
        });
    }
}

fn client() -> Option<awc::Client> {
    let mut roots = rustls::RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = awc::Connector::new()
        .rustls_0_23(Arc::new(tls))
        .timeout(CONNECT)
        .handshake_timeout(CONNECT);
    // The handler knows how long it waits.
    let client = awc::Client::builder()
        .connector(connector)
        .disable_timeout();
    Some(client.disable_redirects().finish())
}

async fn answer(
    client: &awc::Client,
    question: Question,
    to: &mpsc::Sender<Result<Piece, Trouble>>,
) -> Result<(), Trouble> {
    let Question { url, key, body } = question;
    let mut request = client
        .post(url)
        .insert_header((header::CONTENT_TYPE, "application/json"));
    if let Some(key) = key {
        request = request.insert_header((header::AUTHORIZATION, format!("Bearer {key}")));
    }
    let answer = request.send_body(body).await;
    let mut answer = answer.map_err(|_| Trouble::Unreachable)?;
    if !answer.status().is_success() {
        return Err(Trouble::Status(answer.status().as_u16()));
    }
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let is_whole = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let mut pieces = Vec::new();
    if is_whole {
        let body = answer.body().limit(LARGEST).await;
        whole(&body.map_err(|_| Trouble::BrokeOff)?, &mut pieces)?;
        return hand_over(pieces.drain(..), to).await;
    }
    let mut events = Events::default();
    while let Some(bytes) = answer.next().await {
        events.feed(&bytes.map_err(|_| Trouble::BrokeOff)?, &mut pieces)?;
        hand_over(pieces.drain(..), to).await?;
    }
    Ok(())
}

async fn hand_over(
    pieces: impl Iterator<Item = Piece>,
    to: &mpsc::Sender<Result<Piece, Trouble>>,
) -> Result<(), Trouble> {
    for piece in pieces {
        to.send(Ok(piece)).await.map_err(|_| Trouble::BrokeOff)?;
    }
    Ok(())
}

/// An answer that comes, piece by piece.
pub(super) struct Answering {
    pieces: mpsc::Receiver<Result<Piece, Trouble>>,
    patience: Duration,
}

impl Answering {
    /// The next piece. It may take as long as the model may be silent.
    pub(super) async fn next(&mut self) -> Result<Piece, Trouble> {
        let piece = tokio::time::timeout(self.patience, self.pieces.recv()).await;
        let piece = piece.map_err(|_| Trouble::TooSlow)?;
        piece.unwrap_or(Err(Trouble::BrokeOff))
    }
}

/// Asks a model that may be silent for so long.
pub(super) async fn ask(question: Question, patience: Duration) -> Result<Answering, Trouble> {
    let (tell, pieces) = mpsc::channel(PIECES);
    let job = Job {
        question,
        pieces: tell,
    };
    let thread = THREAD.as_ref().ok_or(Trouble::Unreachable)?;
    let sent = tokio::time::timeout(patience, thread.send(job)).await;
    let sent = sent.map_err(|_| Trouble::TooSlow)?;
    sent.map_err(|_| Trouble::Unreachable)?;
    Ok(Answering { pieces, patience })
}
