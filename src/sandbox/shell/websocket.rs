//! The only file that uses actix-web-actors: one session actor per socket.
//!
//! A session answers pings, joins fragments up to the frame limit, passes complete frames of the
//! right type to the state, and stops at the first protocol error (the stream would repeat the
//! error forever). The hub limits the outgoing queue; the state handles time-outs.

use std::rc::Rc;

use actix::prelude::{Actor, ActorContext, Addr, AsyncContext, Handler, Message, StreamHandler};
use actix_http::ws::{CloseCode, CloseReason, Codec, Item, ProtocolError};
use actix_web::{HttpRequest, HttpResponse, http::header::HOST, web};
use actix_web_actors::ws::{Message as Frame, WebsocketContext, WsResponseBuilder};

use super::{cut::Cut, cut::Scheme, hub::Hub, hub::Outbound, hub::Outgoing, hub::Wake};
use crate::{state::ConnId, state::Frames};

/// Upgrades a request to a session.
pub(super) fn upgrade(
    hub: &Rc<Hub>,
    request: &HttpRequest,
    payload: web::Payload,
    frames: Frames,
    query: Vec<(String, String)>,
    max_frame: usize,
) -> Result<HttpResponse, actix_web::Error> {
    let abort_handle = request.conn_data::<Rc<Cut>>().cloned().unwrap_or_default();
    let scheme = request
        .conn_data::<Scheme>()
        .map_or("http", |scheme| scheme.0);
    let session = Session {
        conn: hub.next_conn(),
        scheme,
        host: request
            .headers()
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
        hub: Rc::clone(hub),
        frames,
        abort_handle,
        query,
        outbound: None,
        joiner: Joiner {
            kind: None,
            parts: Vec::new(),
            limit: max_frame,
        },
    };
    WsResponseBuilder::new(session, request, payload)
        .codec(Codec::new().max_size(max_frame))
        .start()
}

struct Session {
    conn: ConnId,
    /// The URL scheme and host that the client used.
    scheme: &'static str,
    host: String,
    hub: Rc<Hub>,
    frames: Frames,
    abort_handle: Rc<Cut>,
    /// Present until the session starts.
    query: Vec<(String, String)>,
    outbound: Option<Rc<Outbound>>,
    joiner: Joiner,
}

/// Tells a session to send its queue.
struct Flush;

impl Message for Flush {
    type Result = ();
}

impl Wake for Addr<Session> {
    fn wake(&self) {
        // The queue's flag allows at most one pending message, so the mailbox stays short.
        self.do_send(Flush);
    }
}

impl Actor for Session {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let outbound = Rc::new(Outbound::new(
            Rc::clone(&self.abort_handle),
            Box::new(ctx.address()),
        ));
        self.outbound = Some(Rc::clone(&outbound));
        self.hub.register(self.conn, outbound);
        let query = std::mem::take(&mut self.query);
        self.hub.with(|state, now| {
            state.connect(now, self.conn, self.frames, &query);
            state.note_host(self.conn, self.scheme, &self.host);
        });
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.outbound.is_some() {
            self.hub.unregister(self.conn);
        }
    }
}

impl Session {
    fn flush(&self, ctx: &mut WebsocketContext<Self>) {
        let Some(outbound) = &self.outbound else {
            return;
        };
        if self.abort_handle.is_done() {
            ctx.terminate();
            return;
        }
        for outgoing in outbound.take() {
            match outgoing {
                Outgoing::Binary(bytes) => ctx.binary(bytes),
                // The state writes text frames as JSON, which is valid UTF-8.
                Outgoing::Text(bytes) => ctx.text(String::from_utf8(bytes).unwrap_or_default()),
                Outgoing::Close(code) => {
                    ctx.close(Some(CloseReason::from(CloseCode::from(code))));
                    ctx.stop();
                    return;
                }
            }
        }
    }

    /// Handles a complete frame.
    fn received(&self, kind: Frames, payload: &[u8], ctx: &mut WebsocketContext<Self>) {
        let Some(outbound) = &self.outbound else {
            return;
        };
        outbound.quietly(|| {
            self.hub.with(|state, now| {
                if kind == self.frames {
                    state.receive(now, self.conn, payload);
                } else {
                    state.garbage(now, self.conn);
                }
            });
        });
        self.flush(ctx);
    }

    fn end(ctx: &mut WebsocketContext<Self>, code: CloseCode) {
        ctx.close(Some(CloseReason::from(code)));
        ctx.stop();
    }
}

impl Handler<Flush> for Session {
    type Result = ();

    fn handle(&mut self, _: Flush, ctx: &mut Self::Context) {
        self.flush(ctx);
    }
}

impl StreamHandler<Result<Frame, ProtocolError>> for Session {
    fn handle(&mut self, item: Result<Frame, ProtocolError>, ctx: &mut Self::Context) {
        match item {
            Ok(Frame::Binary(bytes)) => self.received(Frames::Binary, &bytes, ctx),
            Ok(Frame::Text(text)) => self.received(Frames::Text, text.as_bytes(), ctx),
            Ok(Frame::Continuation(item)) => match self.joiner.join(item) {
                Ok(None) => {}
                Ok(Some((kind, payload))) => self.received(kind, &payload, ctx),
                Err(code) => Self::end(ctx, code),
            },
            Ok(Frame::Ping(data)) => {
                ctx.pong(&data);
                self.hub.with(|state, now| state.alive(now, self.conn));
            }
            Ok(Frame::Pong(_)) => self.hub.with(|state, now| state.alive(now, self.conn)),
            Ok(Frame::Nop) => {}
            Ok(Frame::Close(reason)) => {
                ctx.close(reason);
                ctx.stop();
            }
            Err(ProtocolError::Overflow) => Self::end(ctx, CloseCode::Size),
            Err(_) => Self::end(ctx, CloseCode::Protocol),
        }
    }
}

/// Joins the fragments of a message.
#[derive(Debug)]
struct Joiner {
    kind: Option<Frames>,
    parts: Vec<u8>,
    limit: usize,
}

impl Joiner {
    /// Adds a fragment; returns the message after its last fragment. The error is the close code.
    fn join(&mut self, item: Item) -> Result<Option<(Frames, Vec<u8>)>, CloseCode> {
        let (part, last) = match item {
            Item::FirstText(part) | Item::FirstBinary(part) if self.kind.is_some() => {
                drop(part);
                return Err(CloseCode::Protocol);
            }
            Item::FirstText(part) => {
                self.kind = Some(Frames::Text);
                (part, false)
            }
            Item::FirstBinary(part) => {
                self.kind = Some(Frames::Binary);
                (part, false)
            }
            Item::Continue(part) => (part, false),
            Item::Last(part) => (part, true),
        };
        if self.parts.len() + part.len() > self.limit {
            return Err(CloseCode::Size);
        }
        self.parts.extend_from_slice(&part);
        if !last {
            return Ok(None);
        }
        let kind = self.kind.take().ok_or(CloseCode::Protocol)?;
        Ok(Some((kind, std::mem::take(&mut self.parts))))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::web::Bytes;

    use super::*;

    fn joiner() -> Joiner {
        Joiner {
            kind: None,
            parts: Vec::new(),
            limit: 8,
        }
    }

    #[test]
    fn fragments_are_joined() {
        let mut joiner = joiner();
        assert_eq!(
            joiner.join(Item::FirstBinary(Bytes::from_static(b"ab"))),
            Ok(None)
        );
        assert_eq!(
            joiner.join(Item::Continue(Bytes::from_static(b"cd"))),
            Ok(None)
        );
        assert_eq!(
            joiner.join(Item::Last(Bytes::from_static(b"e"))),
            Ok(Some((Frames::Binary, b"abcde".to_vec())))
        );
        assert_eq!(
            joiner.join(Item::FirstText(Bytes::from_static(b"x"))),
            Ok(None)
        );
    }

    #[test]
    fn fragments_have_a_bound_and_an_order() {
        let mut long = joiner();
        assert_eq!(
            long.join(Item::FirstBinary(Bytes::from_static(b"12345"))),
            Ok(None)
        );
        assert_eq!(
            long.join(Item::Continue(Bytes::from_static(b"6789"))),
            Err(CloseCode::Size)
        );
        let mut twice = joiner();
        assert_eq!(twice.join(Item::FirstBinary(Bytes::new())), Ok(None));
        assert_eq!(
            twice.join(Item::FirstText(Bytes::new())),
            Err(CloseCode::Protocol)
        );
        assert_eq!(
            joiner().join(Item::Last(Bytes::new())),
            Err(CloseCode::Protocol)
        );
    }
}
