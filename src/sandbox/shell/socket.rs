//! One upgraded connection: its frames in and its frames out.
//!
//! The task of a connection reads; the hub writes, for all connections once a turn. So the frames
//! that one turn has for a connection leave together, and a push does not wake the task of its
//! receiver. An idle connection has no buffers: reading and writing borrow those of the thread.

use std::{
    cell::{Cell, RefCell},
    fmt, io,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, ready},
};

use actix_codec::Decoder;
use actix_http::ws::{
    CloseCode, CloseReason, Codec, Frame, Message, OpCode, Parser, ProtocolError,
};
use actix_web::web::{Buf, BytesMut};
use futures_util::Stream;
use tokio::io::{AsyncReadExt, AsyncWrite};

use super::cut::{Cut, CuttableStream, SocketPermit, Wire};

/// The size of the thread's reading buffer.
const READ: usize = 32 * 1024;
/// How many writing buffers the thread keeps, and the largest that it keeps.
const SPARE: usize = 64;
const SPARE_SIZE: usize = 64 * 1024;

thread_local! {
    static READING: RefCell<BytesMut> = RefCell::new(BytesMut::new());
    static WRITING: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// The kind of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Binary,
    Text,
}

/// A connection after its upgrade.
pub(super) struct Socket {
    wire: RefCell<Wire>,
    cut: Rc<Cut>,
    _permit: SocketPermit,
    /// Whole frames that were not written yet, except for the first, which may be written in part.
    unsent: RefCell<BytesMut>,
    /// The hub has the socket in its list of those to write.
    is_listed: Cell<bool>,
    /// Nothing follows what is unsent.
    is_ending: Cell<bool>,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}

impl Socket {
    pub(super) fn new(stream: CuttableStream) -> Self {
        let (wire, cut, permit) = stream.into_parts();
        Self {
            wire: RefCell::new(wire),
            cut,
            _permit: permit,
            unsent: RefCell::default(),
            is_listed: Cell::new(false),
            is_ending: Cell::new(false),
        }
    }

    /// The number of bytes that wait to be written.
    pub(super) fn unsent(&self) -> usize {
        self.unsent.borrow().len()
    }

    fn unsent_mut<T>(&self, append: impl FnOnce(&mut BytesMut) -> T) -> T {
        let unsent = &mut *self.unsent.borrow_mut();
        if unsent.capacity() == 0 {
            *unsent = WRITING.with_borrow_mut(Vec::pop).unwrap_or_default();
        }
        append(unsent)
    }

    /// Appends a frame.
    pub(super) fn put(&self, kind: Kind, payload: &[u8]) {
        let kind = match kind {
            Kind::Binary => OpCode::Binary,
            Kind::Text => OpCode::Text,
        };
        self.unsent_mut(|unsent| Parser::write_message(unsent, payload, kind, true, false));
    }

    /// Appends frames that are already encoded.
    pub(super) fn put_encoded(&self, frames: &[u8]) {
        self.unsent_mut(|unsent| unsent.extend_from_slice(frames));
    }

    /// Appends a close frame and ends the connection after it.
    pub(super) fn close(&self, code: u16) {
        let reason = CloseReason::from(CloseCode::from(code));
        self.unsent_mut(|unsent| Parser::write_close(unsent, Some(reason), false));
        self.is_ending.set(true);
        self.cut.wake();
    }

    /// Cuts the connection at once.
    pub(super) fn cut(&self) {
        self.cut.cut();
    }

    /// Returns true if the connection was cut.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.is_done()
    }

    /// Returns true if the task has to end. Wakes it when that changes.
    pub(super) fn is_over(&self, cx: &Context<'_>) -> bool {
        self.cut.check(cx).is_err() || self.is_ending.get()
    }

    /// Marks the socket as listed by the hub; returns false if it was.
    pub(super) fn list(&self) -> bool {
        !self.is_listed.replace(true)
    }

    /// The hub has taken the socket from its list.
    pub(super) fn unlist(&self) {
        self.is_listed.set(false);
    }

    /// Writes what is unsent.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let unsent = &mut *self.unsent.borrow_mut();
        let wire = &mut *self.wire.borrow_mut();
        while !unsent.is_empty() {
            let sent = ready!(Pin::new(&mut *wire).poll_write(cx, unsent))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            unsent.advance(sent);
        }
        let mut spare = std::mem::take(unsent);
        WRITING.with_borrow_mut(|writing| {
            let fits = (1..=SPARE_SIZE).contains(&spare.capacity());
            if fits && writing.len() < SPARE {
                spare.clear();
                writing.push(spare);
            }
        });
        // TLS has buffers of its own, which may be full when everything is written.
        Pin::new(wire).poll_flush(cx)
    }

    /// Takes the writing from the hub: writes everything and closes the socket.
    pub(super) fn poll_end(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_ending.set(true);
        ready!(self.poll_write(cx))?;
        Pin::new(&mut *self.wire.borrow_mut()).poll_shutdown(cx)
    }

    /// Returns true if the task of the connection writes, and not the hub.
    pub(super) fn is_ending(&self) -> bool {
        self.is_ending.get()
    }

    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut BytesMut) -> Poll<io::Result<usize>> {
        self.cut.check(cx)?;
        let wire = &mut *self.wire.borrow_mut();
        pin!(wire.read_buf(buf)).poll(cx)
    }
}

/// The frames that a client sends.
pub(super) struct Incoming {
    socket: Rc<Socket>,
    codec: Codec,
    /// What was read and not decoded.
    read: BytesMut,
    /// `read` is the buffer of the thread.
    is_borrowed: bool,
    is_at_end: bool,
}

impl Incoming {
    /// `read` is what came with the request that was upgraded.
    pub(super) fn new(socket: Rc<Socket>, codec: Codec, read: BytesMut) -> Self {
        let read = if read.is_empty() {
            BytesMut::new()
        } else {
            read
        };
        Self {
            socket,
            codec,
            read,
            is_borrowed: false,
            is_at_end: false,
        }
    }

    fn borrow(&mut self) {
        if self.read.is_empty() && !self.is_borrowed {
            self.read = READING.take();
            self.is_borrowed = true;
        }
        let room = if self.is_borrowed { READ } else { READ / 4 };
        if self.read.capacity() - self.read.len() < room / 4 {
            self.read.reserve(room);
        }
    }

    /// Gives the buffer back to the thread, except for a part of a frame.
    fn give_back(&mut self) {
        if self.is_borrowed {
            let rest = if self.read.is_empty() {
                BytesMut::new()
            } else {
                BytesMut::from(&*self.read)
            };
            let mut read = std::mem::replace(&mut self.read, rest);
            read.clear();
            READING.set(read);
            self.is_borrowed = false;
        } else if self.read.is_empty() {
            self.read = BytesMut::new();
        }
    }
}

fn message(frame: Frame) -> Result<Message, ProtocolError> {
    Ok(match frame {
        Frame::Text(text) => Message::Text(
            text.try_into()
                .map_err(|error| ProtocolError::Io(io::Error::other(error)))?,
        ),
        Frame::Binary(data) => Message::Binary(data),
        Frame::Continuation(item) => Message::Continuation(item),
        Frame::Ping(data) => Message::Ping(data),
        Frame::Pong(data) => Message::Pong(data),
        Frame::Close(reason) => Message::Close(reason),
    })
}

impl Stream for Incoming {
    type Item = Result<Message, ProtocolError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if !this.read.is_empty()
                && let Some(frame) = this.codec.decode(&mut this.read)?
            {
                return Poll::Ready(Some(message(frame)));
            }
            if this.is_at_end {
                return Poll::Ready(None);
            }
            this.borrow();
            match this.socket.poll_read(cx, &mut this.read) {
                Poll::Ready(Ok(0)) => this.is_at_end = true,
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => {
                    this.give_back();
                    return Poll::Ready(Some(Err(error.into())));
                }
                Poll::Pending => {
                    this.give_back();
                    return Poll::Pending;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::poll_fn, sync::Arc, time::Duration};
    use tokio::net::{TcpListener, TcpStream};

    /// With TLS, all may be taken and not all be on its way.
    #[actix_rt::test]
    async fn over_tls_everything_arrives_at_a_slow_reader() {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let chain = vec![made.cert.der().clone()];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let client = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let connecting = async {
            let io = TcpStream::connect(addr).await.unwrap();
            let name = "localhost".try_into().unwrap();
            let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
            connector.connect(name, io).await.unwrap()
        };
        let accepting = async {
            let (io, _) = listener.accept().await.unwrap();
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
            acceptor.accept(io).await.unwrap()
        };
        let (mut client, secure) = tokio::join!(connecting, accepting);
        let permit = SocketPermit::new(&Rc::default());
        let stream = CuttableStream::new(Wire::Secure(Box::new(secure)), permit);
        let socket = Socket::new(stream);
        // Until TLS has taken a frame and the system takes no more of it.
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut size = 0;
        loop {
            socket.put(Kind::Binary, &[0; 4000]);
            size += 4004;
            if socket.poll_write(&mut cx).is_pending() {
                break;
            }
        }
        assert_eq!(socket.unsent(), 0);
        assert!(
            socket.poll_write(&mut cx).is_pending(),
            "not all is on its way"
        );
        let mut read = vec![0; size];
        let both = futures_util::future::join(
            poll_fn(|cx| socket.poll_write(cx)),
            client.read_exact(&mut read),
        );
        let both = tokio::time::timeout(Duration::from_secs(10), both).await;
        let (written, got) = both.expect("everything arrives");
        written.unwrap();
        assert_eq!(got.unwrap(), size);
    }
}
