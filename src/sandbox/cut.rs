//! A TCP stream that can be cut from outside.
//!
//! A peer that does not read stalls the HTTP dispatcher inside a write, where neither the actor nor
//! the response body gets a turn any more; only an error from the stream itself ends it.

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

/// The knife: belongs to one stream, on the same thread.
#[derive(Debug, Default)]
pub(super) struct Cut {
    done: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Cut {
    /// Makes every further use of the stream fail, which closes it.
    pub(super) fn cut(&self) {
        self.done.set(true);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.done.get()
    }

    fn check(&self, cx: &Context<'_>) -> io::Result<()> {
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

/// A TCP stream with its knife.
#[derive(Debug)]
pub(super) struct CuttableStream {
    io: TcpStream,
    cut: Rc<Cut>,
}

impl CuttableStream {
    pub(super) fn new(io: TcpStream) -> Self {
        Self {
            io,
            cut: Rc::default(),
        }
    }

    pub(super) fn knife(&self) -> Rc<Cut> {
        Rc::clone(&self.cut)
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
