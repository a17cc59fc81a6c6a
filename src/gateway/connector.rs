//! Opening a WebSocket: name resolution, TCP, TLS and the upgrade, through awc.

use super::upgrade::{Busy, KeepBusy, date};
use crate::policy::Now;
use crate::proto::shown::Shown;
use actix_service::{Service, ServiceExt as _};
use actix_tls::connect::{
    ConnectInfo, Connection as TcpConnection, Connector as TcpConnector, Resolver,
};
use awc::error::{ConnectError as AwcConnectError, SendRequestError, WsClientError};
use awc::http::Uri;
use futures_util::future::LocalBoxFuture;
use rustls::{ClientConfig, RootCertStore};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// How long a resolved name is used before it is asked for again.
const NAME_LIFE: Duration = Duration::from_secs(60);
/// Names remembered per thread; a fleet knows a handful.
const MAX_NAMES: usize = 64;

/// A byte stream to the server.
pub trait Io: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Io for T {}

/// An open stream, after the upgrade.
pub struct Dialled {
    /// The stream.
    pub io: Box<dyn Io>,
    /// What the server sent right behind its answer to the upgrade.
    pub early: Vec<u8>,
    /// The server's time, Unix time in whole seconds, where it told it.
    pub server_time: Option<Duration>,
}

impl std::fmt::Debug for Dialled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialled")
            .field("early", &self.early.len())
            .finish_non_exhaustive()
    }
}

/// Why no link came about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name cannot be resolved.
    #[error("cannot resolve {host}: {reason}")]
    Dns {
        /// The name.
        host: String,
        /// The system's words.
        reason: String,
    },
    /// Nobody listens there.
    #[error("connection refused by {0}")]
    Refused(String),
    /// No network, no route and the like.
    #[error("cannot reach {host}: {reason}")]
    Unreachable {
        /// The host.
        host: String,
        /// The system's words.
        reason: String,
    },
    /// No TLS connection came about.
    #[error("TLS with {host} failed: {reason}")]
    Tls {
        /// The host.
        host: String,
        /// Why.
        reason: String,
    },
    /// The server is no WebSocket server of this kind.
    #[error("{host} refused the WebSocket: {}", Shown(.reason))]
    Upgrade {
        /// The host.
        host: String,
        /// Its answer.
        reason: String,
    },
    /// The server has no room now (429, 503).
    #[error("{host} has no room now (status {status}){}", .retry_after.map(|wait| format!("; it asks to be left alone for {wait:?}")).unwrap_or_default())]
    Busy {
        /// The host.
        host: String,
        /// The status of its answer.
        status: u16,
        /// How long it wants to be left alone, an hour at most.
        retry_after: Option<Duration>,
    },
    /// It took too long.
    #[error("no connection to {host} within {limit:?}")]
    TimedOut {
        /// The host.
        host: String,
        /// The limit.
        limit: Duration,
    },
    /// The URL cannot be used.
    #[error("unusable address: {0}")]
    Url(String),
}

impl ConnectError {
    /// A short word for logs and status lines.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Dns { .. } => "dns",
            Self::Refused(_) => "refused",
            Self::Unreachable { .. } => "unreachable",
            Self::Tls { .. } => "tls",
            Self::Upgrade { .. } => "upgrade",
            Self::Busy { .. } => "busy",
            Self::TimedOut { .. } => "timeout",
            Self::Url(_) => "url",
        }
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

/// The real network. All accounts of a thread share one awc client and one name cache.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwcConnector;

struct PerThread {
    client: awc::Client,
    /// Resolved names, and until when they are used.
    names: HashMap<Box<str>, (Duration, SocketAddr)>,
}

thread_local! {
    static SHARED: RefCell<Option<PerThread>> = const { RefCell::new(None) };
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
            match tokio::time::timeout(limit, open(&url, &parsed, host, &place)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(ConnectError::TimedOut { host: place, limit }),
            }
        })
    }
}

async fn open(
    url: &str,
    parsed: &url::Url,
    host: &str,
    place: &str,
) -> Result<Dialled, ConnectError> {
    let address = resolve(parsed, host, super::now()).await?;
    let request = client().ws(url).address(address);
    let (answer, framed) = request
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
    with_shared(|shared| shared.client.clone())
}

fn with_shared<R>(f: impl FnOnce(&mut PerThread) -> R) -> R {
    SHARED.with_borrow_mut(|slot| {
        let shared = slot.get_or_insert_with(|| {
            let connector = awc::Connector::new()
                .connector(reset_on_drop())
                .rustls_0_23(tls_config())
                // A WebSocket holds its permit for life; any limit is a limit on accounts.
                .limit(0)
                // Our own deadline covers all of it.
                .timeout(Duration::from_secs(60))
                .handshake_timeout(Duration::from_secs(60));
            PerThread {
                client: awc::Client::builder()
                    .connector(connector)
                    .wrap(KeepBusy)
                    .disable_timeout()
                    .finish(),
                names: HashMap::new(),
            }
        });
        f(shared)
    })
}

/// TCP connections that are reset when they are dropped instead of being emptied by the system. What a
/// stalled link still holds must not reach the server minutes later: a resume that comes late takes
/// the login away from the link that carries it by then, and nobody hears the pushes any more.
/// An orderly goodbye is not affected, see [`farewell`](super::connection): it waits for the
/// other side before it drops the link.
fn reset_on_drop() -> impl Service<
    ConnectInfo<Uri>,
    Response = TcpConnection<Uri, TcpStream>,
    Error = actix_tls::connect::ConnectError,
> + Clone {
    // The address is always given, so the resolver has nothing to do.
    TcpConnector::new(Resolver::default()).service().map(
        |connection: TcpConnection<Uri, TcpStream>| {
            if let Err(error) = connection.io_ref().set_zero_linger() {
                tracing::debug!(%error, "a connection could not be told to reset when dropped");
            }
            connection
        },
    )
}

pub(super) fn tls_config() -> Arc<ClientConfig> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    CONFIG
        .get_or_init(|| {
            let roots = RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            };
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let builder = ClientConfig::builder_with_provider(provider);
            #[expect(
                clippy::expect_used,
                reason = "ring offers both versions the feature flags name"
            )]
            let builder = builder
                .with_safe_default_protocol_versions()
                .expect("TLS 1.2 and 1.3");
            let mut config = builder.with_root_certificates(roots).with_no_client_auth();
            // HTTP/2 cannot carry the upgrade.
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Arc::new(config)
        })
        .clone()
}

/// Resolves a name once a minute and thread; `getaddrinfo` per login would cost a thread each.
async fn resolve(url: &url::Url, host: &str, now: Now) -> Result<SocketAddr, ConnectError> {
    let port = url.port_or_known_default().unwrap_or(443);
    if let Some(known) = with_shared(|shared| {
        shared
            .names
            .get(host)
            .filter(|(until, _)| *until > now.mono)
            .map(|(_, address)| *address)
    }) {
        return Ok(SocketAddr::new(known.ip(), port));
    }
    let dns = |reason: String| ConnectError::Dns {
        host: host.to_owned(),
        reason,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((bare, port))
        .await
        .map_err(|error| dns(error.to_string()))?;
    let all: Vec<SocketAddr> = found.collect();
    // IPv4 first: a host without IPv6 connectivity is common, one without IPv4 is not.
    let address = all
        .iter()
        .find(|address| address.is_ipv4())
        .or(all.first())
        .copied()
        .ok_or_else(|| dns("no address".into()))?;
    with_shared(|shared| {
        if shared.names.len() >= MAX_NAMES {
            shared.names.clear();
        }
        shared
            .names
            .insert(host.into(), (now.mono + NAME_LIFE, address));
    });
    Ok(address)
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
    let reason = error.to_string();
    let is_tls = error
        .get_ref()
        .is_some_and(|inner| inner.downcast_ref::<rustls::Error>().is_some());
    match error.kind() {
        _ if is_tls => ConnectError::Tls { host, reason },
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
