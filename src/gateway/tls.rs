//! TLS of a link, over the part of rustls that keeps no buffers.
//!
//! `tokio-rustls` keeps 4 KiB to read into for every connection, as long as it lives. Here every link of a thread
//! reads through the same buffer, and a link that is idle holds keys and state only.

use super::stream::Tcp;
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

/// A TLS connection, client side.
pub struct Tls {
    tcp: Tcp,
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

impl std::fmt::Debug for Tls {
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

impl Tls {
    /// Does the handshake.
    ///
    /// # Errors
    /// What the network or the protocol has to complain about; the latter with a [`rustls::Error`] inside.
    pub(super) async fn connect(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        tcp: Tcp,
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

impl AsyncRead for Tls {
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

impl AsyncWrite for Tls {
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
mod tests {
    use super::*;
    use crate::gateway::limits::Slot;
    use crate::gateway::tickets::Tickets;
    use rustls::client::Resumption;
    use rustls::pki_types::PrivateKeyDer;
    use rustls::version::{TLS12, TLS13};
    use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::TlsAcceptor;

    type Versions<'a> = &'a [&'static SupportedProtocolVersion];

    /// A server and a client that trusts it.
    fn both(versions: Versions<'_>) -> (Arc<ServerConfig>, Arc<ClientConfig>) {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["h.example".to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).unwrap();
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.resumption = Resumption::store(Arc::new(Tickets::default()));
        (Arc::new(server), Arc::new(client))
    }

    /// A server that says everything back until the other side says goodbye, and then does so.
    async fn echo(config: Arc<ServerConfig>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        actix_rt::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = TlsAcceptor::from(config.clone());
                actix_rt::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let (mut from, mut to) = tokio::io::split(stream);
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                    let _ = to.shutdown().await;
                });
            }
        });
        address
    }

    async fn tcp(address: SocketAddr) -> Tcp {
        let stream = TcpStream::connect(address).await.unwrap();
        Tcp::new(stream, Slot::take().unwrap())
    }

    async fn dial(config: &Arc<ClientConfig>, address: SocketAddr) -> io::Result<Box<Tls>> {
        let name = ServerName::try_from("h.example").unwrap();
        Tls::connect(config.clone(), name, tcp(address).await).await
    }

    #[actix_rt::test]
    async fn bytes_go_both_ways_and_an_idle_link_keeps_no_buffer() {
        for versions in [&[&TLS13], &[&TLS12]] {
            let (server, client) = both(versions);
            let mut tls = dial(&client, echo(server).await).await.unwrap();
            for length in [1, 100, MAX_PLAIN, MAX_PLAIN + 1] {
                let sent: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
                tls.write_all(&sent).await.unwrap();
                tls.flush().await.unwrap();
                let mut back = vec![0; length];
                tls.read_exact(&mut back).await.unwrap();
                assert!(sent == back, "{length}");
            }
            // The socket is asked once more, as it is when there is nothing to read.
            let mut byte = [0];
            let mut buffer = ReadBuf::new(&mut byte);
            let turn = poll_fn(|cx| {
                Poll::Ready(Pin::new(&mut tls).poll_read(cx, &mut buffer).is_pending())
            });
            assert!(turn.await);
            let kept = [&tls.incoming, &tls.plain, &tls.outgoing].map(Vec::capacity);
            assert_eq!(kept, [0, 0, 0]);
            tls.shutdown().await.unwrap();
            assert_eq!(tls.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        }
    }

    #[actix_rt::test]
    async fn more_than_the_other_side_reads_waits_in_one_record() {
        let (server, client) = both(&[&TLS13]);
        let tls = dial(&client, echo(server).await).await.unwrap();
        let sent: Vec<u8> = (0..2_000_000).map(|at| (at % 249) as u8).collect();
        let (mut from, mut to) = tokio::io::split(*tls);
        let expected = sent.clone();
        let writing = actix_rt::spawn(async move {
            to.write_all(&sent).await.unwrap();
            to.flush().await.unwrap();
            to
        });
        let mut back = vec![0; expected.len()];
        from.read_exact(&mut back).await.unwrap();
        assert!(expected == back);
        let tls = from.unsplit(writing.await.unwrap());
        assert!(tls.outgoing.is_empty());
    }

    #[actix_rt::test]
    async fn the_next_link_resumes_the_session() {
        for versions in [&[&TLS13], &[&TLS12]] {
            let (server, client) = both(versions);
            let address = echo(server).await;
            for at in 0..4 {
                let mut tls = dial(&client, address).await.unwrap();
                assert_eq!(tls.is_resumed(), at > 0, "link {at}");
                // The tickets of TLS 1.3 come behind the handshake.
                tls.write_all(b"x").await.unwrap();
                tls.read_u8().await.unwrap();
            }
        }
    }

    #[actix_rt::test]
    async fn records_may_come_byte_by_byte() {
        for versions in [&[&TLS13], &[&TLS12]] {
            let (server, client) = both(versions);
            let server = echo(server).await;
            let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = relay.local_addr().unwrap();
            actix_rt::spawn(async move {
                let (near, _) = relay.accept().await.unwrap();
                let far = TcpStream::connect(server).await.unwrap();
                near.set_nodelay(true).unwrap();
                let (mut near, mut to_near) = near.into_split();
                let (mut from_far, mut far) = far.into_split();
                actix_rt::spawn(async move { tokio::io::copy(&mut near, &mut far).await });
                while let Ok(byte) = from_far.read_u8().await {
                    if to_near.write_u8(byte).await.is_err() {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            });
            let mut tls = dial(&client, address).await.unwrap();
            for _ in 0..3 {
                tls.write_all(b"some words").await.unwrap();
                let mut back = [0; 10];
                tls.read_exact(&mut back).await.unwrap();
                assert_eq!(&back, b"some words");
            }
        }
    }

    /// What comes of a handshake with a server that says this and then closes.
    async fn hostile(answer: Vec<u8>) -> io::Error {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        actix_rt::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut hello = [0; 1024];
            let _ = stream.read(&mut hello).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
            // Until the other side is done.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        let (_, client) = both(&[&TLS13, &TLS12]);
        dial(&client, address).await.unwrap_err()
    }

    #[actix_rt::test]
    async fn what_is_no_handshake_is_an_error() {
        let endless = |kind: u8| {
            // A message of the handshake that says it is 16 MB long, in records as long as they can be.
            let mut bytes = Vec::new();
            for at in 0..10 {
                bytes.extend_from_slice(&[22, 3, 3, 0x40, 0]);
                let start = bytes.len();
                bytes.resize(start + MAX_PLAIN, 0);
                if at == 0 {
                    bytes[start..start + 4].copy_from_slice(&[kind, 0xff, 0xff, 0xff]);
                }
            }
            bytes
        };
        for (answer, words) in [
            (Vec::new(), "without a goodbye"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "corrupt"),
            (vec![0; 100_000], "corrupt"),
            (vec![22, 3, 3, 0xff, 0xff], ""),
            (vec![21, 3, 3, 0, 2, 2, 40], "HandshakeFailure"),
            // Half of a record, and half of a message.
            (vec![22, 3, 3, 0, 200, 2, 0, 0], "without a goodbye"),
            (
                vec![22, 3, 3, 0, 8, 2, 0, 0, 90, 3, 3, 0, 0],
                "without a goodbye",
            ),
            (endless(2), ""),
            (endless(11), ""),
        ] {
            let error = hostile(answer.clone()).await.to_string();
            assert!(
                error.contains(words),
                "{error} for {:?}",
                &answer[..answer.len().min(20)]
            );
        }
    }

    #[actix_rt::test]
    async fn a_certificate_that_is_not_trusted_is_told_to_the_server() {
        let (server, _) = both(&[&TLS13]);
        let (_, stranger) = both(&[&TLS13]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = actix_rt::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            TlsAcceptor::from(server)
                .accept(stream)
                .await
                .err()
                .unwrap()
        });
        let error = dial(&stranger, address).await.unwrap_err();
        let inner = error.get_ref().unwrap().downcast_ref::<rustls::Error>();
        assert!(
            matches!(inner, Some(rustls::Error::InvalidCertificate(_))),
            "{error}"
        );
        let told = accepting.await.unwrap().to_string();
        assert!(told.contains("received fatal alert"), "{told}");
    }
}
