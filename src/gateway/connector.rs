//! Opening a WebSocket: name resolution, TCP, TLS and the upgrade.

use super::dial::{self, DialError};
use super::net::{Net, net};
use super::reason::{reason_of, tls_error};
use super::stream::{Io, Stream};
use super::tls::Tls;
use super::upgrade::{UpgradeError, upgrade};
use crate::config::AccountProxy;
use botroupe_core::account::ConnectError;
use futures_util::future::LocalBoxFuture;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// An open stream, after the upgrade.
pub struct Dialled {
    /// The stream.
    pub io: Stream,
    /// Bytes that the server sent right behind its answer to the upgrade.
    pub early: Vec<u8>,
    /// The server's time, Unix time in whole seconds, if it told it.
    pub server_time: Option<Duration>,
}

impl std::fmt::Debug for Dialled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialled")
            .field("early", &self.early.len())
            .finish_non_exhaustive()
    }
}

/// Opens links. The seam between the connection actor and the network.
pub trait Connector {
    /// Opens a WebSocket to `url` (`ws://` or `wss://`, path and query included) within `limit`.
    fn dial(
        &self,
        url: String,
        limit: Duration,
    ) -> LocalBoxFuture<'static, Result<Dialled, ConnectError>>;
}

/// The real network.
#[derive(Clone, Debug, Default)]
pub struct NetConnector {
    proxy: Option<Arc<AccountProxy>>,
}

impl NetConnector {
    /// Opens links of an account that chose this proxy; `None` takes that of the network's configuration.
    #[must_use]
    pub const fn new(proxy: Option<Arc<AccountProxy>>) -> Self {
        Self { proxy }
    }
}

impl Connector for NetConnector {
    fn dial(
        &self,
        url: String,
        limit: Duration,
    ) -> LocalBoxFuture<'static, Result<Dialled, ConnectError>> {
        // Parsed here, so that the future holds the address once.
        let url = match parse(&url) {
            Ok(url) => url,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        let proxy = self.proxy.clone();
        Box::pin(async move {
            let outcome = tokio::time::timeout(limit, open(&url, proxy.as_deref())).await;
            outcome.unwrap_or_else(|_| {
                let host = place(&url);
                Err(ConnectError::TimedOut { host, limit })
            })
        })
    }
}

fn parse(text: &str) -> Result<Url, ConnectError> {
    let url = Url::parse(text).map_err(|error| ConnectError::Url(error.to_string()))?;
    match url.scheme() {
        "ws" | "wss" => Ok(url),
        other => Err(ConnectError::Url(format!(
            "a link is ws:// or wss://, not {other}://"
        ))),
    }
}

/// How errors name the host.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

async fn open(url: &Url, proxy: Option<&AccountProxy>) -> Result<Dialled, ConnectError> {
    let net = net();
    let tcp = dial::link(&net, url, proxy)
        .await
        .map_err(|error| explain(error, url))?;
    let io = match url.scheme() {
        "wss" => {
            // Apart, because it is large and most of a dial is not that.
            let secured = Box::pin(secure(&net, url, tcp)).await;
            Stream::Tls(secured.map_err(|error| explain_io(&error, place(url)))?)
        }
        _ => Stream::Plain(tcp),
    };
    drop(net);
    upgraded(io, url).await
}

/// Does over any stream what follows on a dial: TLS for `wss://`, with the network's configuration, and the
/// upgrade. For connectors whose links are not TCP.
///
/// # Errors
/// [`ConnectError`].
pub async fn open_over<T: Io + 'static>(url: &str, stream: T) -> Result<Dialled, ConnectError> {
    let url = parse(url)?;
    let io: Box<dyn Io> = match url.scheme() {
        "wss" => {
            let net = net();
            let secured = Box::pin(secure(&net, &url, stream)).await;
            secured.map_err(|error| explain_io(&error, place(&url)))?
        }
        _ => Box::new(stream),
    };
    upgraded(Stream::Other(io), &url).await
}

async fn upgraded(mut io: Stream, url: &Url) -> Result<Dialled, ConnectError> {
    match upgrade(&mut io, url).await {
        Ok(upgraded) => Ok(Dialled {
            io,
            early: upgraded.early,
            server_time: upgraded.server_time,
        }),
        Err(error) => Err(explain_upgrade(error, place(url))),
    }
}

async fn secure<T: Io>(net: &Net, url: &Url, stream: T) -> io::Result<Box<Tls<T>>> {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(bare.to_owned()).map_err(io::Error::other)?;
    Tls::connect(net.tls().clone(), name, stream).await
}

fn explain(error: DialError, url: &Url) -> ConnectError {
    let host = place(url);
    match error {
        DialError::Name(error) => ConnectError::Dns {
            host,
            reason: error.to_string(),
        },
        DialError::Io(error) => explain_io(&error, host),
    }
}

fn explain_upgrade(error: UpgradeError, host: String) -> ConnectError {
    match error {
        UpgradeError::Io(error) if tls_error(&error).is_some() => explain_io(&error, host),
        UpgradeError::Io(error) => {
            let reason = match error.kind() {
                io::ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
                _ => error.to_string(),
            };
            ConnectError::Upgrade { host, reason }
        }
        UpgradeError::Busy {
            status,
            retry_after,
        } => ConnectError::Busy {
            host,
            status,
            retry_after,
        },
        UpgradeError::Refused(reason) => ConnectError::Upgrade { host, reason },
    }
}

fn explain_io(error: &io::Error, host: String) -> ConnectError {
    let reason = reason_of(error);
    match error.kind() {
        _ if tls_error(error).is_some() => ConnectError::Tls { host, reason },
        io::ErrorKind::ConnectionRefused => ConnectError::Refused(host),
        io::ErrorKind::InvalidData => ConnectError::Tls { host, reason },
        _ => ConnectError::Unreachable { host, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[actix_rt::test]
    async fn a_link_that_is_dropped_is_reset_and_not_emptied() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let server = actix_rt::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let text = String::from_utf8(request).unwrap();
            let key = text
                .lines()
                .find_map(|line| line.strip_prefix("sec-websocket-key: "))
                .unwrap();
            let accept = actix_http::ws::hash_key(key.as_bytes());
            let accept = std::str::from_utf8(&accept).unwrap();
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                 sec-websocket-accept: {accept}\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap_err().kind()
        });
        let dialled = NetConnector::default()
            .dial(url, Duration::from_secs(10))
            .await;
        drop(dialled.unwrap());
        assert_eq!(server.await.unwrap(), io::ErrorKind::ConnectionReset);
    }
    /// Dials a server that gives this answer.
    async fn answered(answer: &'static str) -> Result<Dialled, ConnectError> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let server = actix_rt::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let text = String::from_utf8(request).unwrap();
            let key = text
                .lines()
                .find_map(|line| line.strip_prefix("sec-websocket-key: "))
                .unwrap();
            let accept = actix_http::ws::hash_key(key.as_bytes());
            let answer = answer.replace("ACCEPT", std::str::from_utf8(&accept).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream
        });
        let outcome = NetConnector::default()
            .dial(url, Duration::from_secs(10))
            .await;
        drop(server.await.unwrap());
        outcome
    }

    #[actix_rt::test]
    async fn a_server_without_room_says_how_long_it_wants_to_be_left_alone() {
        for (answer, expected) in [
            (
                "HTTP/1.1 429 Too Many Requests\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n",
                (429, Some(Duration::from_secs(120))),
            ),
            (
                "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy",
                (503, None),
            ),
        ] {
            match answered(answer).await {
                Err(ConnectError::Busy {
                    status,
                    retry_after,
                    ..
                }) => assert_eq!((status, retry_after), expected),
                other => panic!("{other:?}"),
            }
        }
        let refused = answered("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
        assert!(
            matches!(refused, Err(ConnectError::Upgrade { .. })),
            "{refused:?}"
        );
    }

    #[actix_rt::test]
    async fn the_answer_to_the_upgrade_tells_the_servers_time() {
        let answer = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                      date: Sun, 06 Nov 1994 08:49:37 GMT\r\nsec-websocket-accept: ACCEPT\r\n\r\n";
        let dialled = answered(answer).await.unwrap();
        assert_eq!(dialled.server_time, Some(Duration::from_secs(784_111_777)));
    }

    #[actix_rt::test]
    async fn bytes_behind_the_answer_are_kept_and_an_answer_without_an_end_is_not_waited_for() {
        let early = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                     sec-websocket-accept: ACCEPT\r\n\r\nfirst words";
        assert_eq!(answered(early).await.unwrap().early, b"first words");

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let server = actix_rt::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut written = 0;
            while stream.write_all(b"HTTP/1.1 101 S\r\nX: y").await.is_ok() {
                written += 1;
            }
            written
        });
        let refused = NetConnector::default()
            .dial(url, Duration::from_secs(60))
            .await;
        assert!(
            matches!(refused, Err(ConnectError::Upgrade { .. })),
            "{refused:?}"
        );
        assert!(server.await.unwrap() > 0);
    }

    #[actix_rt::test]
    async fn what_is_no_address_of_a_link_is_said() {
        for url in ["http://h.example/", "ws://", "", "h.example"] {
            let refused = NetConnector::default()
                .dial(url.to_owned(), Duration::from_secs(1))
                .await;
            assert!(matches!(refused, Err(ConnectError::Url(_))), "{refused:?}");
        }
    }

    #[test]
    fn a_dial_is_small_and_so_is_a_stream() {
        let url = Url::parse("ws://h.example/").unwrap();
        let size = size_of_val(&open(&url, None));
        assert!(size <= 768, "{size}");
        assert!(size_of::<Stream>() <= 40, "{}", size_of::<Stream>());
    }
}
