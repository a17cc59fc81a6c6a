//! TLS of a link, over the part of rustls that keeps no buffers.
//!
//! `tokio-rustls` keeps 4 KiB to read into for every connection, as long as it lives. Here every link of a thread
//! reads through the same buffer, and a link that is idle holds keys and state only.

use super::stream::{Io, Tcp};
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use rustls::{ClientConfig, HandshakeKind};
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most that fits into one record.
const MAX_PLAIN: usize = 16 << 10;
/// What a record adds to that at most, in every version.
const MAX_ADDED: usize = 256;
/// Bytes of a record, or of a message of the handshake over several, that wait for the rest. rustls itself takes
/// no message of more than 64 KiB.
const MAX_WAITING: usize = 96 << 10;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; 16 << 10].into_boxed_slice());
}

/// A TLS connection over `T`, client side.
pub struct Tls<T = Tcp> {
    tcp: T,
    conn: UnbufferedClientConnection,
    /// Records that are not complete.
    incoming: Vec<u8>,
    /// Decrypted bytes that nobody has read, from `read` on.
    plain: Vec<u8>,
    read: usize,
    /// Encrypted bytes that are not written, from `sent` on.
    outgoing: Vec<u8>,
    sent: usize,
    /// The other side said goodbye.
    ended: bool,
    said_goodbye: bool,
}

impl<T> std::fmt::Debug for Tls<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// Where the protocol stands after what came was processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The handshake waits for the other side.
    Blocked,
    /// Data may flow.
    Open,
    /// Nothing may any more.
    Over,
}

impl<T: Io> Tls<T> {
    /// Does the handshake.
    ///
    /// # Errors
    /// What the network or the protocol has to complain about; the latter with a [`rustls::Error`] inside.
    pub(super) async fn connect(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        tcp: T,
    ) -> io::Result<Box<Self>> {
        let conn = UnbufferedClientConnection::new(config, name).map_err(broken)?;
        let mut tls = Box::new(Self {
            tcp,
            conn,
            incoming: Vec::new(),
            plain: Vec::new(),
            read: 0,
            outgoing: Vec::new(),
            sent: 0,
            ended: false,
            said_goodbye: false,
        });
        poll_fn(|cx| tls.poll_handshake(cx)).await?;
        Ok(tls)
    }

    /// Whether the handshake resumed a session.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.conn.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.process_waiting() {
                Ok(Turn::Open) => return self.poll_out(cx),
                Ok(Turn::Blocked) => ready!(self.poll_out(cx))?,
                Ok(Turn::Over) => return Poll::Ready(Err(cut())),
                Err(error) => {
                    // The alert that tells the other side; it does not matter if it gets away.
                    let _ = self.poll_out(cx);
                    return Poll::Ready(Err(error));
                }
            }
            if ready!(self.poll_fill(cx))? == 0 {
                return Poll::Ready(Err(cut()));
            }
        }
    }

    /// Writes what is encrypted.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.outgoing.len() {
            let bytes = &self.outgoing[self.sent..];
            match ready!(Pin::new(&mut self.tcp).poll_write(cx, bytes))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.sent += written,
            }
        }
        // An idle link keeps no buffer.
        self.outgoing = Vec::new();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    /// Reads into `incoming`, behind what waits there.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut buffer))?;
            let bytes = buffer.filled();
            if self.incoming.len() + bytes.len() > MAX_WAITING {
                return Poll::Ready(Err(invalid("a message of the TLS handshake has no end")));
            }
            self.incoming.extend_from_slice(bytes);
            Poll::Ready(Ok(bytes.len()))
        })
    }

    /// Processes the records that wait.
    fn process_waiting(&mut self) -> io::Result<Turn> {
        let mut incoming = std::mem::take(&mut self.incoming);
        let (used, turn) = self.process(&mut incoming);
        if used < incoming.len() {
            incoming.drain(..used);
            self.incoming = incoming;
        }
        turn
    }

    /// Processes records, and says how many bytes are done with.
    fn process(&mut self, bytes: &mut [u8]) -> (usize, io::Result<Turn>) {
        let mut used = 0;
        loop {
            let UnbufferedStatus { discard, state } =
                self.conn.process_tls_records(&mut bytes[used..]);
            let mut more = 0;
            let turn = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    let mut failed = None;
                    while let Some(record) = traffic.next_record() {
                        match record {
                            Ok(record) => {
                                more += record.discard;
                                self.plain.extend_from_slice(record.payload);
                            }
                            Err(error) => failed = Some(error),
                        }
                    }
                    failed.map(|error| Err(broken(error)))
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    append(&mut self.outgoing, |out| data.encode(out))
                        .err()
                        .map(Err)
                }
                Ok(ConnectionState::TransmitTlsData(transmit)) => {
                    // It is in `outgoing`, in front of everything that follows.
                    transmit.done();
                    None
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.ended = true;
                    None
                }
                Ok(ConnectionState::Closed) => Some(Ok(Turn::Over)),
                Ok(ConnectionState::BlockedHandshake) => Some(Ok(Turn::Blocked)),
                Ok(ConnectionState::WriteTraffic(_)) => Some(Ok(Turn::Open)),
                Ok(_) => Some(Err(invalid("an unknown state of TLS"))),
                Err(error) => Some(Err(broken(error))),
            };
            used += discard + more;
            match turn {
                None => {}
                Some(Err(error)) => {
                    self.take_alert();
                    return (bytes.len(), Err(error));
                }
                Some(turn) => return (used, turn),
            }
        }
    }

    /// After an error: what the other side is to be told.
    fn take_alert(&mut self) {
        while self.conn.wants_write() {
            let UnbufferedStatus { state, .. } = self.conn.process_tls_records(&mut []);
            let Ok(ConnectionState::EncodeTlsData(mut data)) = state else {
                return;
            };
            if append(&mut self.outgoing, |out| data.encode(out)).is_err() {
                return;
            }
        }
    }

    /// Encrypts as much as one record takes.
    fn encrypt(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(MAX_PLAIN)];
        self.outgoing.reserve_exact(bytes.len() + MAX_ADDED);
        self.with_writer(|writer, outgoing| append(outgoing, |out| writer.encrypt(bytes, out)))?;
        Ok(bytes.len())
    }

    /// Calls `write` when data may be sent.
    fn with_writer(
        &mut self,
        write: impl FnOnce(
            &mut rustls::unbuffered::WriteTraffic<'_, rustls::client::ClientConnectionData>,
            &mut Vec<u8>,
        ) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.process_waiting()? != Turn::Open {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        // Everything that waits is processed, so that this is the only state there is.
        let UnbufferedStatus { state, .. } = self.conn.process_tls_records(&mut self.incoming);
        match state.map_err(broken)? {
            ConnectionState::WriteTraffic(mut writer) => write(&mut writer, &mut self.outgoing),
            _ => Err(invalid("TLS is not ready to send")),
        }
    }
}

impl<T: Io> AsyncRead for Tls<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.read < this.plain.len() {
                let rest = &this.plain[this.read..];
                let taken = rest.len().min(buffer.remaining());
                buffer.put_slice(&rest[..taken]);
                this.read += taken;
                if this.read == this.plain.len() {
                    // An idle link keeps no buffer.
                    this.plain = Vec::new();
                    this.read = 0;
                }
                return Poll::Ready(Ok(()));
            }
            if this.ended {
                return Poll::Ready(Ok(()));
            }
            if ready!(this.poll_fill(cx))? == 0 {
                return Poll::Ready(Err(cut()));
            }
            let processed = this.process_waiting();
            // Answers of the protocol itself. What cannot be written now goes with the next that is.
            if let Poll::Ready(Err(error)) = this.poll_out(cx) {
                return Poll::Ready(Err(error));
            }
            processed?;
        }
    }
}

impl<T: Io> AsyncWrite for Tls<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // One record at a time, so that what waits here has a bound.
        ready!(this.poll_out(cx))?;
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let taken = this.encrypt(bytes)?;
        match this.poll_out(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_out(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.said_goodbye {
            this.said_goodbye = true;
            this.with_writer(|writer, outgoing| {
                append(outgoing, |out| writer.queue_close_notify(out))
            })?;
        }
        ready!(this.poll_out(cx))?;
        Pin::new(&mut this.tcp).poll_shutdown(cx)
    }
}

/// What went wrong in writing into a slice.
trait TooSmall {
    /// How many bytes it needs, if it was too small.
    fn required(&self) -> Option<usize>;
}

impl TooSmall for EncodeError {
    fn required(&self) -> Option<usize> {
        match self {
            Self::InsufficientSize(InsufficientSizeError { required_size }) => Some(*required_size),
            Self::AlreadyEncoded => None,
        }
    }
}

impl TooSmall for EncryptError {
    fn required(&self) -> Option<usize> {
        match self {
            Self::InsufficientSize(InsufficientSizeError { required_size }) => Some(*required_size),
            Self::EncryptExhausted => None,
        }
    }
}

/// Appends what `write` puts into a slice, which is made as long as it needs.
fn append<E: TooSmall + std::error::Error + Send + Sync + 'static>(
    out: &mut Vec<u8>,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, E>,
) -> io::Result<()> {
    let old = out.len();
    // What is reserved is long enough most of the time.
    out.resize(out.capacity(), 0);
    loop {
        match write(&mut out[old..]) {
            Ok(written) => {
                out.truncate(old + written);
                return Ok(());
            }
            Err(error) => match error.required() {
                Some(needed) if old + needed > out.len() => out.resize(old + needed, 0),
                _ => {
                    out.truncate(old);
                    return Err(io::Error::other(error));
                }
            },
        }
    }
}

fn broken(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

fn cut() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the connection ended without a goodbye",
    )
}

#[cfg(test)]
mod tests;
