//! Connections, however they came.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::server::TlsStream;

/// Over what a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// The control socket: its mode lets its owner in, and nobody else.
    Socket,
    /// TCP, from this address.
    Tcp(SocketAddr),
    /// TLS, from this address.
    Tls(SocketAddr),
}

/// A connection.
pub(super) enum Wire {
    #[cfg(unix)]
    Socket(UnixStream),
    Tcp(TcpStream, SocketAddr),
    Tls(Box<TlsStream<TcpStream>>, SocketAddr),
}

impl Wire {
    pub(super) const fn door(&self) -> Door {
        match self {
            #[cfg(unix)]
            Self::Socket(_) => Door::Socket,
            Self::Tcp(_, peer) => Door::Tcp(*peer),
            Self::Tls(_, peer) => Door::Tls(*peer),
        }
    }
}

/// Hands on to the stream inside.
macro_rules! with {
    ($wire:expr, $io:ident => $do:expr) => {
        match $wire.get_mut() {
            #[cfg(unix)]
            Wire::Socket($io) => $do,
            Wire::Tcp($io, _) => $do,
            Wire::Tls($io, _) => $do,
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        with!(self, io => Pin::new(io).poll_read(cx, buffer))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        with!(self, io => Pin::new(io).poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with!(self, io => Pin::new(io).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with!(self, io => Pin::new(io).poll_shutdown(cx))
    }
}
