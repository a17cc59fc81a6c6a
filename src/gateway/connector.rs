//! Opening a WebSocket: name resolution, TCP, TLS and the upgrade, through awc.

use super::dial::{Purpose, dialler};
use super::net::net;
use super::upgrade::{Busy, KeepBusy, date};
use awc::error::{ConnectError as AwcConnectError, SendRequestError, WsClientError};
use botroupe_core::account::ConnectError;
use futures_util::future::LocalBoxFuture;
use std::cell::RefCell;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream to the server.
pub trait Io: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Io for T {}

/// An open stream, after the upgrade.
pub struct Dialled {
    /// The stream.
    pub io: Box<dyn Io>,
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

/// The real network. All accounts of a thread share one awc client.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwcConnector;

thread_local! {
    /// This thread's client, and which configuration of the network it is made from.
    static CLIENT: RefCell<Option<(u64, awc::Client)>> = const { RefCell::new(None) };
}

impl Connector for AwcConnector {
    fn dial(
        &self,
        url: String,
        limit: Duration,
    ) -> LocalBoxFuture<'static, Result<Dialled, ConnectError>> {
        Box::pin(async move {
            let parsed =
                url::Url::parse(&url).map_err(|error| ConnectError::Url(error.to_string()))?;
            let host = parsed.host_str().unwrap_or_default();
            let place = match parsed.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            };
            match tokio::time::timeout(limit, open(&url, &place)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(ConnectError::TimedOut { host: place, limit }),
            }
        })
    }
}

async fn open(url: &str, place: &str) -> Result<Dialled, ConnectError> {
    let (answer, framed) = client()
        .ws(url)
        .connect()
        .await
        .map_err(|error| explain(error, place))?;
    let server_time = date(answer.headers());
    let parts = framed.into_parts();
    Ok(Dialled {
        io: Box::new(parts.io),
        early: parts.read_buf.to_vec(),
        server_time,
    })
}

fn client() -> awc::Client {
    let net = net();
    CLIENT.with_borrow_mut(|slot| {
        if let Some((number, client)) = slot
            && *number == net.number
        {
            return client.clone();
        }
        let connector = awc::Connector::new()
            .connector(dialler(net.clone(), Purpose::Link))
            .rustls_0_23(net.tls.clone())
            // A WebSocket holds its permit for life; any limit is a limit on accounts.
            .limit(0)
            // Our own deadline covers all of it.
            .timeout(Duration::from_secs(60))
            .handshake_timeout(Duration::from_secs(60));
        let client = awc::Client::builder()
            .connector(connector)
            .wrap(KeepBusy)
            .disable_timeout()
            .finish();
        *slot = Some((net.number, client.clone()));
        client
    })
}

fn explain(error: WsClientError, host: &str) -> ConnectError {
    let host = host.to_owned();
    match error {
        WsClientError::SendRequest(SendRequestError::Connect(error)) => match error {
            AwcConnectError::Io(error) => explain_io(&error, host),
            AwcConnectError::Resolver(error) => ConnectError::Dns {
                host,
                reason: error.to_string(),
            },
            AwcConnectError::NoRecords => ConnectError::Dns {
                host,
                reason: "no address".into(),
            },
            AwcConnectError::SslIsNotSupported => ConnectError::Tls {
                host,
                reason: "not supported".into(),
            },
            other => ConnectError::Unreachable {
                host,
                reason: other.to_string(),
            },
        },
        WsClientError::SendRequest(SendRequestError::Custom(error, context)) => {
            match error.downcast_ref::<Busy>() {
                Some(Busy {
                    status,
                    retry_after,
                }) => ConnectError::Busy {
                    host,
                    status: *status,
                    retry_after: *retry_after,
                },
                None => ConnectError::Upgrade {
                    host,
                    reason: format!("{context:?}: {error}"),
                },
            }
        }
        WsClientError::SendRequest(SendRequestError::Url(error)) => {
            ConnectError::Url(error.to_string())
        }
        WsClientError::InvalidResponseStatus(status) => ConnectError::Upgrade {
            host,
            reason: format!("status {status}"),
        },
        other => ConnectError::Upgrade {
            host,
            reason: other.to_string(),
        },
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

/// Why a connection failed, and what helps where that is known.
pub(super) fn reason_of(error: &io::Error) -> String {
    let remedy = match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(wrong)) => remedy_of(wrong),
        _ => None,
    };
    match remedy {
        Some(remedy) => format!("{error}; {remedy}"),
        None => error.to_string(),
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What helps against a certificate that is not trusted.
const fn remedy_of(wrong: &rustls::CertificateError) -> Option<&'static str> {
    use rustls::CertificateError as Wrong;
    match wrong {
        Wrong::UnknownIssuer => {
            Some("if you know the authority that signed it, name its certificate in [tls] ca_file")
        }
        Wrong::Expired
        | Wrong::ExpiredContext { .. }
        | Wrong::NotValidYet
        | Wrong::NotValidYetContext { .. } => Some("is the clock of this machine right?"),
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
            Some("use a name in endpoint that the certificate is for")
        }
        _ => None,
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
        let dialled = AwcConnector.dial(url, Duration::from_secs(10)).await;
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
        let outcome = AwcConnector.dial(url, Duration::from_secs(10)).await;
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
}
