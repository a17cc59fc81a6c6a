//! Which requests go through a proxy, and how a way through it is opened (HTTP `CONNECT`, SOCKS 5).

use super::socks::{self, Target};
use super::{address, now};
use crate::config::{AccountProxy, ProxyKind, ProxyUrl};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use std::io;
use std::net::IpAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of a proxy's answer at most.
const MAX_ANSWER: usize = 8 * 1024;

/// Opens a way to `host` on a connection to the proxy. Errors tell what the proxy did, not its address.
pub(super) async fn open_way(
    proxy: &ProxyUrl,
    stream: &mut TcpStream,
    host: &str,
    port: u16,
) -> io::Result<()> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let target = match (proxy.kind(), bare.parse::<IpAddr>()) {
        (ProxyKind::Http, _) => return open_tunnel(proxy, stream, host, port).await,
        (_, Ok(address)) => Target::Address((address, port).into()),
        (ProxyKind::Socks5h, Err(_)) => Target::Name(host, port),
        (ProxyKind::Socks5, Err(_)) => {
            let found = address::resolve(host, port, now()).await;
            let found = found.map_err(|error| {
                io::Error::other(format!(
                    "is of kind socks5, and {host} cannot be resolved here ({error}); with socks5h it resolves names"
                ))
            })?;
            let first = found.first().copied();
            Target::Address(first.ok_or_else(|| io::Error::other("has no address to go to"))?)
        }
    };
    socks::open_way(stream, target, proxy.login()).await
}

/// The value of `Proxy-Authorization`.
fn authorization(proxy: &ProxyUrl) -> Option<String> {
    let (user, password) = proxy.login()?;
    let pair = format!("{}:{}", user.expose_secret(), password.expose_secret());
    Some(format!("Basic {}", STANDARD.encode(pair)))
}

async fn open_tunnel(
    proxy: &ProxyUrl,
    stream: &mut TcpStream,
    host: &str,
    port: u16,
) -> io::Result<()> {
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    let authorization = authorization(proxy);
    if let Some(authorization) = &authorization {
        request.push_str("Proxy-Authorization: ");
        request.push_str(authorization);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    let asked = stream.write_all(request.as_bytes()).await;
    asked.map_err(|error| io::Error::other(format!("broke off: {error}")))?;
    // Byte by byte: what comes behind the answer is the other side's.
    let mut answer = Vec::with_capacity(128);
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= MAX_ANSWER {
            return Err(io::Error::other("gives an answer without an end"));
        }
        let byte = stream.read_u8().await;
        answer.push(byte.map_err(|error| io::Error::other(format!("broke off: {error}")))?);
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut headers);
    let is_http = parsed.parse(&answer).is_ok();
    let status = parsed
        .code
        .filter(|_| is_http)
        .ok_or_else(|| io::Error::other("does not answer in HTTP"))?;
    if (200..300).contains(&status) {
        return Ok(());
    }
    let remedy = match (status, &authorization) {
        (407, None) => {
            "; it wants a user and a password, which belong into [proxy] url or into the account's proxy"
        }
        (407, Some(_)) => {
            "; mend the user or the password in [proxy] url or in the account's proxy"
        }
        _ => "",
    };
    Err(io::Error::other(format!(
        "refuses a way to {host}:{port} with status {status}{remedy}"
    )))
}

/// Which proxy a host is reached through.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    /// For `ws` and `http`.
    pub(super) plain: Option<ProxyUrl>,
    /// For `wss` and `https`.
    pub(super) secure: Option<ProxyUrl>,
    /// Hosts that are reached directly: names (and everything below them), addresses, `*` for all.
    pub(super) except: Vec<String>,
}

impl Proxies {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (or in small letters) from `get`;
    /// what is not a usable address is left out, with a warning.
    pub(super) fn from_env(get: impl Fn(&str) -> Option<String>) -> Self {
        let read = |names: &[&str]| {
            let (name, text) = names
                .iter()
                .find_map(|name| Some((name, get(name).filter(|text| !text.is_empty())?)))?;
            ProxyUrl::parse(&text)
                .inspect_err(|error| tracing::warn!(variable = name, %error, "no proxy"))
                .ok()
        };
        let except = get("NO_PROXY").or_else(|| get("no_proxy"));
        Self {
            plain: read(&["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]),
            secure: read(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            except: except
                .unwrap_or_default()
                .split(',')
                .map(|host| host.trim().to_owned())
                .filter(|host| !host.is_empty())
                .collect(),
        }
    }

    /// The proxy for a host; `None` when it is reached directly. This machine always is.
    #[must_use]
    pub(super) fn of(&self, is_secure: bool, host: &str) -> Option<&ProxyUrl> {
        let proxy = if is_secure { &self.secure } else { &self.plain };
        proxy.as_ref().filter(|_| !self.is_direct(host))
    }

    /// The proxy of a link to a host, for an account that may have chosen one itself.
    #[must_use]
    pub(super) fn of_link<'a>(
        &'a self,
        choice: Option<&'a AccountProxy>,
        is_secure: bool,
        host: &str,
    ) -> Option<&'a ProxyUrl> {
        match choice {
            None => self.of(is_secure, host),
            Some(AccountProxy::Direct) => None,
            Some(AccountProxy::Through(proxy)) => Some(proxy).filter(|_| !self.is_direct(host)),
        }
    }

    /// Whether no proxy is asked for a host.
    fn is_direct(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_here = bare == "localhost"
            || bare
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        let is_excepted = self.except.iter().any(|except| excepts(except, bare));
        is_here || is_excepted
    }
}

fn excepts(except: &str, host: &str) -> bool {
    let except = except.trim_start_matches('.');
    except == "*"
        || host.eq_ignore_ascii_case(except)
        || host.len().checked_sub(except.len() + 1).is_some_and(|at| {
            host.as_bytes()[at] == b'.'
                && host.is_char_boundary(at + 1)
                && host[at + 1..].eq_ignore_ascii_case(except)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn env(pairs: &[(&str, &str)]) -> Proxies {
        let pairs: HashMap<String, String> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Proxies::from_env(|name| pairs.get(name).cloned())
    }

    #[test]
    fn the_environment_names_proxies_and_whom_they_are_not_for() {
        let proxies = env(&[
            ("HTTPS_PROXY", "http://user:p%40ss@proxy.example:3128"),
            ("NO_PROXY", "internal.example, 10.0.0.7,.dev.example"),
        ]);
        let of = |host| {
            proxies
                .of(true, host)
                .map(|proxy| (proxy.host(), proxy.port()))
        };
        assert_eq!(of("wss.im.qcloud.com"), Some(("proxy.example", 3128)));
        for direct in [
            "internal.example",
            "a.internal.example",
            "A.Dev.Example",
            "10.0.0.7",
            "localhost",
            "127.0.0.1",
            "[::1]",
        ] {
            assert_eq!(of(direct), None, "{direct}");
        }
        assert!(of("notinternal.example").is_some());
        assert!(proxies.of(false, "wss.im.qcloud.com").is_none());
        assert!(
            env(&[("ALL_PROXY", "p:1"), ("no_proxy", "*")])
                .of(true, "x.example")
                .is_none()
        );
    }

    #[test]
    fn an_account_may_choose_its_own_proxy_or_none() {
        let proxies = env(&[("ALL_PROXY", "all.example"), ("NO_PROXY", "near.example")]);
        let own = AccountProxy::parse("socks5://own.example").unwrap();
        let host_of = |choice: Option<&AccountProxy>, host: &str| {
            let proxy = proxies.of_link(choice, true, host);
            proxy.map(|proxy| proxy.host().to_owned())
        };
        assert_eq!(host_of(None, "h.example").as_deref(), Some("all.example"));
        assert_eq!(
            host_of(Some(&own), "h.example").as_deref(),
            Some("own.example")
        );
        assert_eq!(host_of(Some(&AccountProxy::Direct), "h.example"), None);
        for host in ["127.0.0.1", "a.near.example"] {
            assert_eq!(host_of(Some(&own), host), None, "{host}");
        }
    }

    #[test]
    fn a_login_is_basic_authorization() {
        let proxy = ProxyUrl::parse("http://user:geheim@proxy.example").unwrap();
        assert_eq!(
            authorization(&proxy).as_deref(),
            Some("Basic dXNlcjpnZWhlaW0=")
        );
    }
}
