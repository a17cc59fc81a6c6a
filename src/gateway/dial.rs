//! A TCP connection to a host: to one of its addresses, or through a proxy.

use super::address::{self, is_public};
use super::limits::{Slot, explain_bind, explain_connect, explain_files};
use super::net::Net;
use super::now;
use super::proxy::open_way;
use super::race::race;
use super::stream::Tcp;
use crate::config::{AccountProxy, ProxyUrl};
use actix_service::{Service, fn_service};
use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use awc::http::Uri;
use socket2::SockRef;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpSocket, TcpStream};
use url::Url;

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
            let proxy = net.proxies.of(is_secure, info.hostname());
            let stream = connect(&net, purpose, proxy, info.hostname(), info.port()).await;
            let stream = stream.map_err(|error| match error {
                DialError::Name(error) => ConnectError::Resolver(Box::new(error)),
                DialError::Io(error) => ConnectError::Io(error),
            })?;
            Ok(Connection::new(info.request().clone(), stream))
        }
    })
}

/// Connects a link.
pub(super) async fn link(
    net: &Net,
    url: &Url,
    choice: Option<&AccountProxy>,
) -> Result<Tcp, DialError> {
    let slot = Slot::take()?;
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let proxy = net.proxies.of_link(choice, url.scheme() == "wss", host);
    let stream = connect(net, Purpose::Link, proxy, host, port).await?;
    Ok(Tcp::new(stream, slot))
}

async fn connect(
    net: &Net,
    purpose: Purpose,
    proxy: Option<&ProxyUrl>,
    host: &str,
    port: u16,
) -> Result<TcpStream, DialError> {
    let stream = match proxy {
        // Boxed, so that a dial without a proxy is not as large as one with.
        Some(proxy) => Box::pin(through(net, purpose, proxy, host, port)).await?,
        None => direct(net, purpose, host, port).await?,
    };
    prepare(net, &stream, purpose);
    Ok(stream)
}

async fn through(
    net: &Net,
    purpose: Purpose,
    proxy: &ProxyUrl,
    host: &str,
    port: u16,
) -> io::Result<TcpStream> {
    // The proxy itself may be anywhere.
    let purpose = match purpose {
        Purpose::Stranger => Purpose::Request,
        purpose => purpose,
    };
    // Of a proxy that fails it has to be said that it is the proxy, and not the host.
    let (name, at) = (proxy.host(), proxy.port());
    let failed = |what: String| io::Error::other(format!("the proxy {name}:{at} {what}"));
    let mut stream = direct(net, purpose, name, at)
        .await
        .map_err(|error| failed(format!("cannot be reached: {error}")))?;
    open_way(proxy, &mut stream, host, port)
        .await
        .map_err(|error| failed(error.to_string()))?;
    Ok(stream)
}

async fn direct(
    net: &Net,
    purpose: Purpose,
    host: &str,
    port: u16,
) -> Result<TcpStream, DialError> {
    let mut addresses = address::resolve(host, port, now())
        .await
        .map_err(|error| DialError::Name(explain_files(error)))?;
    if purpose == Purpose::Stranger {
        addresses.retain(|address| is_public(address.ip()));
        if addresses.is_empty() {
            let refused = "the address is not one of the public internet";
            let refused = io::Error::new(io::ErrorKind::PermissionDenied, refused);
            return Err(refused.into());
        }
    }
    if purpose == Purpose::Link {
        addresses.retain(|address| net.sources.reach(address));
        if addresses.is_empty() {
            let refused = "none of the addresses in [io] bind is of a family that it has";
            return Err(io::Error::other(refused).into());
        }
    }
    let outcome = match addresses[..] {
        [only] => {
            let outcome = one(net, purpose, only).await;
            if outcome.is_err() {
                address::forget(host);
            }
            outcome
        }
        // Boxed, so that a dial to one address is not as large as one to several.
        _ => Box::pin(several(net, purpose, host, addresses)).await,
    };
    outcome.map_err(DialError::Io)
}

async fn several(
    net: &Net,
    purpose: Purpose,
    host: &str,
    addresses: Vec<SocketAddr>,
) -> io::Result<TcpStream> {
    let race = race(addresses, |address| one(net, purpose, address)).await;
    match race.outcome {
        Ok(_) => race
            .behind
            .iter()
            .for_each(|address| address::failed(host, address.ip())),
        Err(_) => address::forget(host),
    }
    race.outcome
}

async fn one(net: &Net, purpose: Purpose, to: SocketAddr) -> io::Result<TcpStream> {
    if purpose != Purpose::Link || net.sources.is_empty() {
        let connected = socket(to)?.connect(to).await;
        return connected.map_err(|error| explain_connect(error, None, to));
    }
    let mut full = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for from in net.sources.in_turn(&to) {
        match one_from(from, to).await {
            // Another address may have a port left.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => full = error,
            outcome => return outcome,
        }
    }
    Err(full)
}

async fn one_from(from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket(to)?;
    socket
        .bind(SocketAddr::new(from, 0))
        .map_err(|error| explain_bind(&error, from, to))?;
    let connected = socket.connect(to).await;
    connected.map_err(|error| explain_connect(error, Some(from), to))
}

fn socket(to: SocketAddr) -> io::Result<TcpSocket> {
    let made = match to {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    made.map_err(explain_files)
}

fn prepare(net: &Net, stream: &TcpStream, purpose: Purpose) {
    // An acknowledgement and a reply are two small packets: the second must not wait for the other
    // side to confirm the first.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection cannot send at once");
    }
    if purpose != Purpose::Link {
        return;
    }
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "a connection could not be told to reset when dropped");
    }
    if let Some(keepalive) = &net.keepalive
        && let Err(error) = SockRef::from(stream).set_tcp_keepalive(keepalive)
    {
        tracing::debug!(%error, "a connection is not kept alive");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::net::net;

    #[actix_rt::test]
    async fn d_every_address_of_a_name_is_tried() {
        // Only IPv6 listens, and the name has both.
        let listener = tokio::net::TcpListener::bind("[::1]:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        address::remember("both.example", &["127.0.0.1", "::1"]);
        for _ in 0..2 {
            let stream = direct(&net(), Purpose::Link, "both.example", port)
                .await
                .unwrap();
            assert!(stream.peer_addr().unwrap().is_ipv6());
        }
        drop(listener);
        direct(&net(), Purpose::Link, "both.example", port)
            .await
            .unwrap_err();
    }

    #[actix_rt::test]
    async fn e1_what_a_stranger_names_is_checked_after_it_is_resolved() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
            let refused = direct(&net(), Purpose::Stranger, host, port)
                .await
                .unwrap_err();
            let DialError::Io(error) = refused else {
                panic!("{refused:?}");
            };
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
        direct(&net(), Purpose::Request, "localhost", port)
            .await
            .unwrap();
    }

    #[actix_rt::test]
    async fn d_a_link_sends_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = direct(&net(), Purpose::Link, "127.0.0.1", port)
            .await
            .unwrap();
        prepare(&net(), &stream, Purpose::Link);
        assert!(stream.nodelay().unwrap());
    }

    /// A configuration with these addresses to bind to.
    fn bound(addresses: &[&str]) -> Net {
        let config = crate::config::NetworkConfig {
            bind: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            ..Default::default()
        };
        Net::with(&config, Default::default())
    }

    #[cfg(target_os = "linux")] // Where all of 127.0.0.0/8 is this machine.
    #[actix_rt::test]
    async fn links_come_from_the_addresses_of_the_config_and_requests_do_not() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let net = bound(&["127.0.0.2", "127.0.0.3", "fd00::1"]);
        for from in ["127.0.0.2", "127.0.0.3", "127.0.0.2"] {
            let link = direct(&net, Purpose::Link, "127.0.0.1", port)
                .await
                .unwrap();
            let (_, peer) = listener.accept().await.unwrap();
            assert_eq!(peer.ip().to_string(), from);
            assert_eq!(link.local_addr().unwrap(), peer);
        }
        let request = direct(&net, Purpose::Request, "127.0.0.1", port).await;
        assert_eq!(
            request.unwrap().local_addr().unwrap().ip().to_string(),
            "127.0.0.1"
        );

        for (addresses, words) in [
            (
                ["192.0.2.1"],
                "192.0.2.1 of [io] bind cannot be used: it is no address",
            ),
            (["::1"], "is of a family that it has"),
        ] {
            let refused = direct(&bound(&addresses), Purpose::Link, "127.0.0.1", port).await;
            let said = refused.unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }

    #[actix_rt::test]
    async fn a_link_is_kept_alive_as_the_config_says() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for (keepalive, kept) in [
            (Some(std::time::Duration::from_secs(90)), true),
            (None, false),
        ] {
            let config = crate::config::NetworkConfig {
                keepalive,
                ..Default::default()
            };
            let net = Net::with(&config, Default::default());
            let link = connect(&net, Purpose::Link, None, "127.0.0.1", port)
                .await
                .unwrap();
            let socket = SockRef::from(&link);
            assert_eq!(socket.keepalive().unwrap(), kept);
            #[cfg(target_os = "linux")]
            if let Some(keepalive) = keepalive {
                assert_eq!(socket.tcp_keepalive_time().unwrap(), keepalive);
            }
        }
    }
}
