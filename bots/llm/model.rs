//! Asks a model. The HTTP client stays on a thread of its own, because handlers go from thread to thread and it does not.

use super::stream::{Events, Piece, Trouble, whole};
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

/// Asks, and waits `patience` for each piece. The answer comes back with what it cost, if the model says that.
pub(super) async fn ask(
    question: Question,
    patience: Duration,
    longest: usize,
) -> Result<(String, Option<u64>), Trouble> {
    let (pieces, mut answer) = mpsc::channel(PIECES);
    let job = Job { question, pieces };
    let thread = THREAD.as_ref().ok_or(Trouble::Unreachable)?;
    let sent = tokio::time::timeout(patience, thread.send(job)).await;
    let sent = sent.map_err(|_| Trouble::TooSlow)?;
    sent.map_err(|_| Trouble::Unreachable)?;
    let (mut text, mut cost) = (String::new(), None);
    loop {
        let piece = tokio::time::timeout(patience, answer.recv()).await;
        match piece.map_err(|_| Trouble::TooSlow)? {
            Some(Ok(Piece::Text(more))) => text.push_str(&more),
            Some(Ok(Piece::Cost(tokens))) => cost = Some(tokens),
            Some(Ok(Piece::Done)) => break,
            Some(Err(trouble)) => return Err(trouble),
            None => return Err(Trouble::BrokeOff),
        }
        // No message holds more.
        if text.len() > longest {
            break;
        }
    }
    if text.trim().is_empty() {
        return Err(Trouble::Empty);
    }
    Ok((text, cost))
}
