//! Brings spans to the collector, on a thread of its own.

use super::encode::{Resource, body};
use super::span::Span;
use crate::config::TracesConfig;
use crate::gateway::{http_client, is_lost, without_url};
use awc::http::header;
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

/// Spans of one request at most.
const BATCH: usize = 512;
/// How long the first span of a request waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// How long the collector may take to answer.
const LIMIT: Duration = Duration::from_secs(10);
/// The pauses before a request that failed for a passing reason is tried again. Then its spans are dropped.
const AGAIN: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(9),
];
/// The most bytes of an answer that are read.
const MAX_ANSWER: usize = 64 * 1024;

/// What comes to the exporter.
#[derive(Debug)]
pub(super) enum Item {
    /// A span.
    Span(Box<Span>),
    /// Send what there is, and say so.
    Flush(oneshot::Sender<()>),
}

/// What became of spans.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) sent: AtomicU64,
    pub(super) dropped: AtomicU64,
}

/// Why spans did not arrive. It shows neither the URL nor header fields.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum ExportError {
    #[error("{0}")]
    Later(String),
    #[error("{0}; look at [traces] endpoint and headers")]
    Refused(String),
}

pub(super) struct Exporter {
    pub(super) config: TracesConfig,
    pub(super) resource: Resource,
    pub(super) counts: Arc<Counts>,
    pub(super) items: mpsc::Receiver<Item>,
    /// The last request failed: it was told already.
    pub(super) is_failing: bool,
}

impl Exporter {
    /// Runs until nobody has spans any more.
    pub(super) async fn run(mut self) {
        let mut batch = Vec::new();
        while let Some(first) = self.items.recv().await {
            let mut flush = take(first, &mut batch);
            let gathered = async {
                while flush.is_none() && batch.len() < BATCH {
                    match self.items.recv().await {
                        Some(item) => flush = take(item, &mut batch),
                        None => return,
                    }
                }
            };
            let _ = timeout(GATHER, gathered).await;
            self.export(&batch, flush.is_none()).await;
            batch.clear();
            if let Some(flush) = flush {
                let _ = flush.send(());
            }
        }
    }

    /// Sends spans, or drops them. With `patience` what fails for a passing reason is tried again.
    async fn export(&mut self, spans: &[Span], patience: bool) {
        if spans.is_empty() {
            return;
        }
        let body = body(&self.resource, spans);
        let count = spans.len() as u64;
        let mut pauses = AGAIN.iter().filter(|_| patience);
        let failed = loop {
            match self.post(&body).await {
                Ok(rejected) => {
                    let rejected = rejected.min(count);
                    let counts = &self.counts;
                    counts.sent.fetch_add(count - rejected, Ordering::Relaxed);
                    counts.dropped.fetch_add(rejected, Ordering::Relaxed);
                    if std::mem::take(&mut self.is_failing) {
                        tracing::info!("the collector takes traces again");
                    }
                    return;
                }
                Err(error @ ExportError::Later(_)) => match pauses.next() {
                    Some(pause) => sleep(*pause).await,
                    None => break error,
                },
                Err(error) => break error,
            }
        };
        self.counts.dropped.fetch_add(count, Ordering::Relaxed);
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::warn!(error = %failed, spans = count, "traces are not taken by the collector; they are dropped, and counted in /metrics, until it takes them again");
        }
    }

    /// Returns how many spans the collector rejected.
    async fn post(&self, body: &[u8]) -> Result<u64, ExportError> {
        let mut post = http_client()
            .post(&self.config.endpoint)
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .insert_header((
                header::USER_AGENT,
                concat!("botroupe/", env!("CARGO_PKG_VERSION")),
            ));
        for (name, value) in &self.config.headers {
            post = post.insert_header((name.as_str(), value.expose_secret()));
        }
        let answered = async {
            let sent = post.send_body(body.to_vec()).await;
            let mut answer = sent.map_err(|error| {
                let reason = without_url(&error);
                match is_lost(&error) {
                    true => ExportError::Later(reason),
                    false => ExportError::Refused(reason),
                }
            })?;
            let status = answer.status().as_u16();
            let body = answer.body().limit(MAX_ANSWER).await.unwrap_or_default();
            verdict(status, &body)
        };
        match timeout(LIMIT, answered).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ExportError::Later("no answer within 10 s".to_owned())),
        }
    }
}

fn take(item: Item, batch: &mut Vec<Span>) -> Option<oneshot::Sender<()>> {
    match item {
        Item::Span(span) => batch.push(*span),
        Item::Flush(done) => return Some(done),
    }
    None
}

/// What an answer means: how many spans were rejected.
fn verdict(status: u16, body: &[u8]) -> Result<u64, ExportError> {
    match status {
        200..=299 => {
            let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
            let rejected = &answer["partialSuccess"]["rejectedSpans"];
            let as_text = rejected.as_str().and_then(|text| text.parse().ok());
            Ok(rejected.as_u64().or(as_text).unwrap_or_default())
        }
        // Those that OTLP has tried again.
        429 | 502 | 503 | 504 => Err(ExportError::Later(format!("it answered {status}"))),
        _ => Err(ExportError::Refused(format!("it answered {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart_as_otlp_says() {
        let later = |status: u16| Err(ExportError::Later(format!("it answered {status}")));
        let refused = |status: u16| Err(ExportError::Refused(format!("it answered {status}")));
        for (status, body, expected) in [
            (200, "{}", Ok(0)),
            (200, "", Ok(0)),
            (202, r#"{"partialSuccess":{"rejectedSpans":"3"}}"#, Ok(3)),
            (200, r#"{"partialSuccess":{"rejectedSpans":3}}"#, Ok(3)),
            (400, "", refused(400)),
            (401, "", refused(401)),
            (404, "", refused(404)),
            (429, "", later(429)),
            (500, "", refused(500)),
            (503, "", later(503)),
        ] {
            assert_eq!(
                verdict(status, body.as_bytes()),
                expected,
                "{status} {body}"
            );
        }
    }
}
