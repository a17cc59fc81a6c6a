//! Server-sent events.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, BytesMut};
use futures_util::stream;
use serde::Serialize;
use std::convert::Infallible;
use std::time::Duration;

/// How often something is sent when there is nothing to tell, so that both sides see a dead connection.
pub(super) const BEAT: Duration = Duration::from_secs(15);
/// What is sent then: a comment.
pub(super) const STILL_HERE: Bytes = Bytes::from_static(b": still here\n\n");

/// Gives the pieces of a stream.
pub(super) trait Pieces: 'static {
    /// The next one: whole events, or a comment.
    fn next(&mut self) -> impl Future<Output = Bytes>;
}

/// The answer that goes on until the client is gone.
pub(super) fn answer(pieces: impl Pieces) -> HttpResponse {
    let body = stream::unfold(pieces, |mut pieces| async {
        let piece = pieces.next().await;
        Some((Ok::<_, Infallible>(piece), pieces))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body)
}

pub(super) fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// Adds an event.
pub(super) fn write_event(out: &mut BytesMut, name: &str, id: Option<&str>, json: &[u8]) {
    if let Some(id) = id {
        out.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    out.extend_from_slice(format!("event: {name}\ndata: ").as_bytes());
    out.extend_from_slice(json);
    out.extend_from_slice(b"\n\n");
}
