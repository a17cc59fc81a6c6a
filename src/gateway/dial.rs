//! A TCP connection to a host: to one of its addresses, or through a proxy.

use super::address::{self, is_public};
use super::net::Net;
use super::now;
use super::proxy::Proxy;
use actix_service::{Service, fn_service};
use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use awc::http::Uri;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use url::Url;

/// How long an address may take to answer while there are others to try.
const ADDRESS_LIMIT: Duration = Duration::from_secs(3);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A link that carries a login. Dropping it resets the connection, so that packets which a stalled link still
    /// holds do not reach the server minutes later: a late resume would take the login away from the link that
    /// carries it by then, and nobody would hear the pushes any more. An orderly goodbye is not affected; it waits
    /// for the other side before it drops the link.
    Link,
    /// A request to a server that the config or the service names.
    Request,
    /// A request to an address that a stranger has named: only to the public internet.
    Stranger,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    /// The name has no address.
    #[error("{0}")]
    Name(io::Error),
    /// None of its addresses can be reached.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Makes connections for an awc client.
pub(super) fn dialler(
    net: Arc<Net>,
    purpose: Purpose,
) -> impl Service<ConnectInfo<Uri>, Response = Connection<Uri, TcpStream>, Error = ConnectError> + Clone
{
    fn_service(move |info: ConnectInfo<Uri>| {
        let net = net.clone();
        async move {
            let is_secure = matches!(info.request().scheme_str(), Some("wss" | "https"));
            let stream = connect(&net, purpose, is_secure, info.hostname(), info.port()).await;
            let stream = stream.map_err(|error| match error {
                DialError::Name(error) => ConnectError::Resolver(Box::new(error)),
                DialError::Io(error) => ConnectError::Io(error),
            })?;
            Ok(Connection::new(info.request().clone(), stream))
        }
    })
}

/// Connects a link.
pub(super) async fn link(net: &Net, url: &Url) -> Result<TcpStream, DialError> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    connect(net, Purpose::Link, url.scheme() == "wss", host, port).await
}

async fn connect(
    net: &Net,
    purpose: Purpose,
    is_secure: bool,
    host: &str,
    port: u16,
) -> Result<TcpStream, DialError> {
    let stream = match net.proxies.of(is_secure, host) {
        // Boxed, so that a dial without a proxy is not as large as one with.
        Some(proxy) => Box::pin(through(proxy, host, port)).await?,
        None => direct(purpose, host, port).await?,
    };
    prepare(&stream, purpose);
    Ok(stream)
}

async fn through(proxy: &Proxy, host: &str, port: u16) -> io::Result<TcpStream> {
    // Of a proxy that fails it has to be said that it is the proxy, and not the host.
    let (name, at) = (proxy.host(), proxy.port());
    let failed = |what: String| io::Error::other(format!("the proxy {name}:{at} {what}"));
    let mut stream = direct(Purpose::Request, name, at)
        .await
        .map_err(|error| failed(format!("cannot be reached: {error}")))?;
    proxy
        .open_way(&mut stream, host, port)
        .await
        .map_err(|error| failed(error.to_string()))?;
    Ok(stream)
}

async fn direct(purpose: Purpose, host: &str, port: u16) -> Result<TcpStream, DialError> {
    let mut addresses = address::resolve(host, port, now())
        .await
        .map_err(DialError::Name)?;
    if purpose == Purpose::Stranger {
        addresses.retain(|address| is_public(address.ip()));
        if addresses.is_empty() {
            let refused = "the address is not one of the public internet";
            let refused = io::Error::new(io::ErrorKind::PermissionDenied, refused);
            return Err(refused.into());
        }
    }
    let mut last = None;
    let count = addresses.len();
    for (tried, address) in addresses.into_iter().enumerate() {
        match one(address, tried + 1 < count).await {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                address::failed(host, address.ip());
                last = Some(error);
            }
        }
    }
    Err(last.map_or_else(
        || DialError::Name(io::Error::new(io::ErrorKind::NotFound, "no address")),
        DialError::Io,
    ))
}

async fn one(address: SocketAddr, others: bool) -> io::Result<TcpStream> {
    let connecting = TcpStream::connect(address);
    if !others {
        return connecting.await; // Whoever asked has a limit.
    }
    tokio::time::timeout(ADDRESS_LIMIT, connecting)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn prepare(stream: &TcpStream, purpose: Purpose) {
    // An acknowledgement and a reply are two small packets: the second must not wait for the other
    // side to confirm the first.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection cannot send at once");
    }
    if purpose == Purpose::Link
        && let Err(error) = stream.set_zero_linger()
    {
        tracing::debug!(%error, "a connection could not be told to reset when dropped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn d_every_address_of_a_name_is_tried() {
        // Only IPv6 listens, and the name has both.
        let listener = tokio::net::TcpListener::bind("[::1]:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        address::remember("both.example", &["127.0.0.1", "::1"]);
        for _ in 0..2 {
            let stream = direct(Purpose::Link, "both.example", port).await.unwrap();
            assert!(stream.peer_addr().unwrap().is_ipv6());
        }
        drop(listener);
        direct(Purpose::Link, "both.example", port)
            .await
            .unwrap_err();
    }

    #[actix_rt::test]
    async fn e1_what_a_stranger_names_is_checked_after_it_is_resolved() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
            let refused = direct(Purpose::Stranger, host, port).await.unwrap_err();
            let DialError::Io(error) = refused else {
                panic!("{refused:?}");
            };
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
        direct(Purpose::Request, "localhost", port).await.unwrap();
    }

    #[actix_rt::test]
    async fn d_a_link_sends_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = direct(Purpose::Link, "127.0.0.1", port).await.unwrap();
        prepare(&stream, Purpose::Link);
        assert!(stream.nodelay().unwrap());
    }
}
