//! Which requests go through a proxy, and how a tunnel through it is opened (HTTP `CONNECT`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use std::io;
use std::net::IpAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// Bytes of a proxy's answer at most.
const MAX_ANSWER: usize = 8 * 1024;

/// Why the address of a proxy cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The text is no address.
    #[error("a proxy is an address like http://127.0.0.1:8080")]
    NoUrl,
    /// Only proxies that speak plain HTTP are supported.
    #[error("a proxy of kind {0} is not known; it is an address like http://127.0.0.1:8080")]
    Scheme(String),
}

/// A proxy that opens tunnels with `CONNECT`.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    host: Box<str>,
    port: u16,
    /// The value of `Proxy-Authorization`.
    authorization: Option<SecretString>,
}

impl Proxy {
    /// Reads `http://[user:password@]host[:port]`; without a port it is 80.
    ///
    /// # Errors
    /// When it is no such address. The error does not quote it: it may hold a password.
    pub(super) fn parse(text: &str) -> Result<Self, ProxyError> {
        let text = text.trim();
        let whole = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let url = Url::parse(&whole).map_err(|_| ProxyError::NoUrl)?;
        if url.scheme() != "http" {
            return Err(ProxyError::Scheme(url.scheme().to_owned()));
        }
        let host = url.host_str().ok_or(ProxyError::NoUrl)?;
        let authorization = (!url.username().is_empty()).then(|| {
            let word = |text: &str| {
                percent_encoding::percent_decode_str(text)
                    .decode_utf8_lossy()
                    .into_owned()
            };
            let pair = format!(
                "{}:{}",
                word(url.username()),
                word(url.password().unwrap_or_default())
            );
            SecretString::from(format!("Basic {}", STANDARD.encode(pair)))
        });
        Ok(Self {
            host: host.into(),
            port: url.port().unwrap_or(80),
            authorization,
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Opens a tunnel to `host` on a connection to the proxy. Errors tell what the proxy did, not its address.
    pub(super) async fn open_way(
        &self,
        stream: &mut TcpStream,
        host: &str,
        port: u16,
    ) -> io::Result<()> {
        let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
        if let Some(authorization) = &self.authorization {
            request.push_str("Proxy-Authorization: ");
            request.push_str(authorization.expose_secret());
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
        let remedy = match (status, &self.authorization) {
            (407, None) => "; it wants a user and a password, which belong into [proxy] url",
            (407, Some(_)) => "; mend the user or the password in [proxy] url",
            _ => "",
        };
        Err(io::Error::other(format!(
            "refuses a way to {host}:{port} with status {status}{remedy}"
        )))
    }
}

/// Which proxy a host is reached through.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    /// For `ws` and `http`.
    pub(super) plain: Option<Proxy>,
    /// For `wss` and `https`.
    pub(super) secure: Option<Proxy>,
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
            Proxy::parse(&text)
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
    pub(super) fn of(&self, is_secure: bool, host: &str) -> Option<&Proxy> {
        let proxy = if is_secure { &self.secure } else { &self.plain };
        let proxy = proxy.as_ref()?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_here = bare == "localhost"
            || bare
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        let is_excepted = self.except.iter().any(|except| excepts(except, bare));
        (!is_here && !is_excepted).then_some(proxy)
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
    fn passwords_are_not_shown_and_odd_addresses_are_refused() {
        let proxy = Proxy::parse("http://user:geheim@proxy.example").unwrap();
        assert!(!format!("{proxy:?}").contains("geheim") && proxy.port() == 80);
        assert_eq!(
            proxy.authorization.unwrap().expose_secret(),
            "Basic dXNlcjpnZWhlaW0="
        );
        for wrong in ["socks5://h:1", "https://h:1", "http://", "http://:geheim@"] {
            let error = Proxy::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("http://127.0.0.1:8080") && !error.contains("geheim"));
        }
    }
}
