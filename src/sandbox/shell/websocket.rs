//! The only file that uses actix-web-actors: one session actor per socket.
//!
//! A session answers pings, joins fragments up to the frame limit, passes complete frames of the
//! right type to the state, and stops at the first protocol error (the stream would repeat the
//! error forever). The hub writes the frames of the state and limits them; the state handles
//! time-outs.
//!
//! The session runs on the bare connection that actix-http hands over at an upgrade, so that a
//! connection has neither the buffers nor the states of an HTTP connection.

use std::{
    future::poll_fn,
    pin::pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use actix::prelude::{Actor, ActorContext, AsyncContext, StreamHandler};
use actix_codec::{Encoder, Framed};
use actix_http::{
    HttpMessage, Request, Response, StatusCode,
    body::BodySize,
    h1,
    ws::{self, CloseCode, CloseReason, Codec, Item, ProtocolError},
};
use actix_web::{
    http::header::{CONTENT_TYPE, DATE, HOST, HeaderValue},
    web::{Bytes, BytesMut},
};
use actix_web_actors::ws::{Message as Frame, WebsocketContext};
use futures_util::{Stream, stream};

use super::{
    cut::{CuttableStream, Scheme},
    hub::Hub,
    server::{date, pairs},
    socket::{Incoming, Socket},
};
use crate::{state::ConnId, state::Frames};

/// How long a connection may take for its last bytes.
const ENDING: Duration = Duration::from_secs(1);

/// Serves a request for an upgrade, in a task of its own: that of the HTTP connection is larger.
pub(super) fn serve(hub: &Rc<Hub>, request: &Request, framed: Framed<CuttableStream, h1::Codec>) {
    let opened = open(hub, request);
    let parts = framed.into_parts();
    let (stream, mut codec, read) = (parts.io, parts.codec, parts.read_buf);
    let socket = Rc::new(Socket::new(stream));
    let mut head = BytesMut::new();
    let (response, session) = match opened {
        Ok((response, session)) => (response, Ok(session)),
        Err(Refused { status, text }) => {
            let mut response = Response::new(status).set_body(());
            let kind = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            (response, Err(text))
        }
    };
    let mut response = response;
    if let Some(date) = date(hub.shared.now()) {
        response.headers_mut().insert(DATE, date);
    }
    let size = session.as_ref().err().map_or(BodySize::None, |text| {
        BodySize::Sized(u64::try_from(text.len()).unwrap_or(0))
    });
    // The responses are complete and of the right version.
    let is_encoded = codec.encode(h1::Message::Item((response, size)), &mut head);
    if let Err(text) = &session {
        head.extend_from_slice(text.as_bytes());
    }
    socket.put_encoded(&head);
    match session {
        Ok(opening) if is_encoded.is_ok() => opening.start(hub, socket, read),
        _ => {
            actix_rt::spawn(async move { end(&socket).await });
        }
    }
}

/// Writes what is left and closes the socket. A peer that does not read may miss it.
async fn end(socket: &Socket) {
    if !socket.is_cut() {
        let _ = tokio::time::timeout(ENDING, poll_fn(|cx| socket.poll_end(cx))).await;
    }
}

/// Why a request gets no session.
struct Refused {
    status: StatusCode,
    text: String,
}

/// Checks a request for an upgrade, and prepares its session.
fn open(hub: &Hub, request: &Request) -> Result<(Response<()>, Opening), Refused> {
    let refused = |status: StatusCode, text: &str| Refused {
        status,
        text: text.to_owned(),
    };
    hub.guard()
        .admit(request.headers())
        .map_err(|refusal| refused(refusal.status, &refusal.json()))?;
    let frames = match request.path().rsplit('/').next() {
        Some("binfo") => Frames::Binary,
        Some("info") => Frames::Text,
        _ => return Err(refused(StatusCode::NOT_FOUND, "")),
    };
    let (max_connections, max_frame) = {
        let state = hub.shared.lock();
        (state.config().max_connections, state.config().max_frame)
    };
    if hub.links() >= max_connections {
        let text = "the sandbox is full";
        return Err(refused(StatusCode::SERVICE_UNAVAILABLE, text));
    }
    let response = ws::handshake(request.head())
        .map_err(|error| refused(StatusCode::BAD_REQUEST, &error.to_string()))?;
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let opening = Opening {
        scheme: request
            .conn_data::<Scheme>()
            .map_or("http", |scheme| scheme.0),
        host: host.unwrap_or_default().to_owned(),
        frames,
        query: pairs(request.uri().query().unwrap_or_default()),
        max_frame,
    };
    let mut response = response;
    Ok((response.finish().drop_body(), opening))
}

/// A session before it starts.
struct Opening {
    /// The URL scheme and host that the client used.
    scheme: &'static str,
    host: String,
    frames: Frames,
    query: Vec<(String, String)>,
    max_frame: usize,
}

impl Opening {
    /// Starts the session. It runs until it ends or is ended.
    fn start(self, hub: &Rc<Hub>, socket: Rc<Socket>, read: BytesMut) {
        let conn = hub.next_conn();
        hub.register(conn, Rc::clone(&socket));
        hub.with(|state, now| {
            state.connect(now, conn, self.frames, &self.query);
            state.note_host(conn, self.scheme, &self.host);
        });
        hub.put_encoded(conn, &socket, &[]);
        let codec = Codec::new().max_size(self.max_frame);
        let session = Session {
            conn,
            hub: Rc::clone(hub),
            frames: self.frames,
            incoming: Some(Incoming::new(Rc::clone(&socket), codec, read)),
            joiner: Joiner {
                kind: None,
                parts: Vec::new(),
                limit: self.max_frame,
            },
        };
        // The session reads its socket itself.
        let context = WebsocketContext::create(session, stream::pending());
        actix_rt::spawn(run(Rc::clone(hub), conn, socket, context));
    }
}

async fn run(
    hub: Rc<Hub>,
    conn: ConnId,
    socket: Rc<Socket>,
    context: impl Stream<Item = Result<Bytes, actix_web::Error>>,
) {
    let mut context = pin!(context);
    poll_fn(|cx| poll(&hub, conn, &socket, context.as_mut(), cx)).await;
    end(&socket).await;
}

/// Runs a session and writes its own frames: pongs and the end.
fn poll(
    hub: &Hub,
    conn: ConnId,
    socket: &Rc<Socket>,
    mut context: std::pin::Pin<&mut impl Stream<Item = Result<Bytes, actix_web::Error>>>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    loop {
        if socket.is_over(cx) {
            return Poll::Ready(());
        }
        match context.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(frames))) => hub.put_encoded(conn, socket, &frames),
            Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
            // What the session received may have ended it.
            Poll::Pending if socket.is_over(cx) => return Poll::Ready(()),
            Poll::Pending => return Poll::Pending,
        }
    }
}

struct Session {
    conn: ConnId,
    hub: Rc<Hub>,
    frames: Frames,
    /// Present until the session starts.
    incoming: Option<Incoming>,
    joiner: Joiner,
}

impl Actor for Session {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(incoming) = self.incoming.take() {
            ctx.add_stream(incoming);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.hub.unregister(self.conn);
    }
}

impl Session {
    /// Handles a complete frame.
    fn received(&self, kind: Frames, payload: &[u8]) {
        self.hub.with(|state, now| {
            if kind == self.frames {
                state.receive(now, self.conn, payload);
            } else {
                state.garbage(now, self.conn);
            }
        });
    }

    fn end(ctx: &mut WebsocketContext<Self>, code: CloseCode) {
        ctx.close(Some(CloseReason::from(code)));
        ctx.stop();
    }
}

impl StreamHandler<Result<Frame, ProtocolError>> for Session {
    fn handle(&mut self, item: Result<Frame, ProtocolError>, ctx: &mut Self::Context) {
        match item {
            Ok(Frame::Binary(bytes)) => self.received(Frames::Binary, &bytes),
            Ok(Frame::Text(text)) => self.received(Frames::Text, text.as_bytes()),
            Ok(Frame::Continuation(item)) => match self.joiner.join(item) {
                Ok(None) => {}
                Ok(Some((kind, payload))) => self.received(kind, &payload),
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
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;
    use crate::{Sandbox, SandboxConfig, proto::id::SdkAppId};

    fn joiner() -> Joiner {
        Joiner {
            kind: None,
            parts: Vec::new(),
            limit: 8,
        }
    }

    const LOGIN: &str =
        r#"{"head":{"servcmd":"heartbeat.alive","seq":7,"sdkappid":1400000001},"body":{}}"#;

    fn request(path: &str, headers: &str) -> Vec<u8> {
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
        )
        .into_bytes()
    }

    fn masked(text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len()).unwrap();
        assert!(length < 126);
        let head = [0x82, 0x80 | length, 0, 0, 0, 0];
        head.into_iter().chain(text.bytes()).collect()
    }

    /// Sends `parts` one after the other, and reads until the text `until`; without one, ends its side
    /// and reads to the end.
    async fn exchange(sandbox: &Sandbox, parts: &[&[u8]], until: &str) -> String {
        let mut io = TcpStream::connect(sandbox.addr()).await.unwrap();
        io.set_nodelay(true).unwrap();
        for part in parts {
            io.write_all(part).await.unwrap();
            // Lets the server see the part alone.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
        if until.is_empty() {
            io.shutdown().await.unwrap();
        }
        let mut got = Vec::new();
        let reading = async {
            while (until.is_empty() || !String::from_utf8_lossy(&got).contains(until))
                && io.read_buf(&mut got).await.unwrap() > 0
            {}
        };
        let reading = tokio::time::timeout(Duration::from_secs(10), reading);
        reading.await.expect("the text or the end");
        String::from_utf8_lossy(&got).into_owned()
    }

    #[actix_rt::test]
    async fn a_request_is_upgraded_or_refused_with_the_reason() {
        let mut config = SandboxConfig::new(SdkAppId::new(1_400_000_001).unwrap(), "key");
        config.max_connections = 1;
        let sandbox = Sandbox::start(config, ([127, 0, 0, 1], 0).into()).await;
        let sandbox = sandbox.unwrap();
        let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let answered = r#"{"servcmd":"heartbeat.alive","seq":7}"#;
        // A frame may come with the request, or in parts.
        let whole = [request("/a/binfo", key), masked(LOGIN)].concat();
        let got = exchange(&sandbox, &[&whole], answered).await;
        assert!(got.starts_with("HTTP/1.1 101 "), "{got}");
        assert!(got.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{got}");
        assert!(got.contains(answered), "{got}");
        for at in [1, 5, 20] {
            let (head, frame) = (request("/binfo", key), masked(LOGIN));
            while sandbox.status().links > 0 {
                tokio::task::yield_now().await;
            }
            let two = [masked(LOGIN), frame[..at].to_vec()].concat();
            let got = exchange(&sandbox, &[&head, &two, &frame[at..]], "").await;
            assert_eq!(got.matches(answered).count(), 2, "{at}: {got}");
        }
        let foreign = format!("{key}Origin: https://a.example\r\n");
        for (path, headers, status) in [
            ("/binfo", "", "400"),
            ("/elsewhere", key, "404"),
            ("/binfo", &*foreign, "403"),
        ] {
            let got = exchange(&sandbox, &[&request(path, headers)], "").await;
            assert!(got.starts_with(&format!("HTTP/1.1 {status} ")), "{got}");
        }
        assert_eq!(sandbox.status().links, 0);
        assert!(sandbox.stop().await);
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
