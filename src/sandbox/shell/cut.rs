//! A stream that can be closed from outside, with or without TLS.
//!
//! A peer that does not read blocks the HTTP dispatcher inside a write. Then neither the actor nor
//! the response body runs again; only an error from the stream itself ends the connection.

use std::{
    cell::{Cell, RefCell},
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

/// The abort handle of one stream, on the same thread.
#[derive(Debug, Default)]
pub(super) struct Cut {
    done: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Cut {
    /// Makes every further operation on the stream fail, which closes the connection.
    pub(super) fn cut(&self) {
        self.done.set(true);
        self.wake();
    }

    /// Wakes the task that uses the stream.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.done.get()
    }

    /// Fails if the stream was cut. Wakes the task when that changes.
    pub(super) fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        if self.done.get() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let mut waker = self.waker.borrow_mut();
        if !waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            *waker = Some(cx.waker().clone());
        }
        Ok(())
    }
}

/// The protocol of a connection.
#[derive(Debug)]
pub(super) enum Wire {
    /// Plain HTTP.
    Plain(TcpStream),
    /// HTTP over TLS.
    Secure(Box<TlsStream<TcpStream>>),
}

/// The URL scheme of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scheme(pub(super) &'static str);

/// RAII guard: one open socket.
#[derive(Debug)]
pub(super) struct SocketPermit(Rc<Cell<usize>>);

impl SocketPermit {
    pub(super) fn new(sockets: &Rc<Cell<usize>>) -> Self {
        sockets.set(sockets.get() + 1);
        Self(Rc::clone(sockets))
    }
}

impl Drop for SocketPermit {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// A stream with its abort handle.
#[derive(Debug)]
pub(super) struct CuttableStream {
    io: Wire,
    cut: Rc<Cut>,
    permit: SocketPermit,
}

impl CuttableStream {
    pub(super) fn new(io: Wire, permit: SocketPermit) -> Self {
        Self {
            io,
            cut: Rc::default(),
            permit,
        }
    }

    /// Takes the stream apart.
    pub(super) fn into_parts(self) -> (Wire, Rc<Cut>, SocketPermit) {
        (self.io, self.cut, self.permit)
    }

    pub(super) const fn scheme(&self) -> Scheme {
        Scheme(match self.io {
            Wire::Plain(_) => "http",
            Wire::Secure(_) => "https",
        })
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_read(cx, buf),
            Self::Secure(io) => Pin::new(io).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write(cx, buf),
            Self::Secure(io) => Pin::new(io).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(cx),
            Self::Secure(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Self::Secure(io) => Pin::new(io).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write_vectored(cx, bufs),
            Self::Secure(io) => Pin::new(io).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(io) => io.is_write_vectored(),
            Self::Secure(io) => io.is_write_vectored(),
        }
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cut.check(cx)?;
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cut.check(cx)?;
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cut.check(cx)?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.cut.check(cx)?;
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
