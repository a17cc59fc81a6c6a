//! TLS of links against a server of rustls, and against hostile ones.

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
        let turn =
            poll_fn(|cx| Poll::Ready(Pin::new(&mut tls).poll_read(cx, &mut buffer).is_pending()));
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
