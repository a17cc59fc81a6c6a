//! The address of a proxy, and an account's choice of one.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Bytes of a name, a user or a password at most: SOCKS counts them in one byte.
const MAX_WORD: usize = 255;

/// Why the address of a proxy cannot be used. It does not quote the address, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The text is no address.
    #[error("a proxy is an address like http://127.0.0.1:8080 or socks5://127.0.0.1:1080")]
    NoUrl,
    /// No proxy of this kind is supported.
    #[error(
        "a proxy of kind {0} is not known; it is an address like http://127.0.0.1:8080, socks5://127.0.0.1:1080 or \
         socks5h://127.0.0.1:1080"
    )]
    Scheme(String),
    /// More than SOCKS can carry.
    #[error("the user and the password for a SOCKS proxy are 1 to 255 bytes long each")]
    Login,
}

/// How a proxy is asked for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyKind {
    /// `http://`: with `CONNECT`; the proxy resolves names.
    Http,
    /// `socks5://`: with SOCKS 5; names are resolved here.
    Socks5,
    /// `socks5h://`: with SOCKS 5; the proxy resolves names.
    Socks5h,
}

/// The address of a proxy. `Debug` shows neither user nor password.
#[derive(Clone)]
pub struct ProxyUrl {
    kind: ProxyKind,
    host: Box<str>,
    port: u16,
    /// User and password.
    login: Option<(SecretString, SecretString)>,
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyUrl")
            .field("kind", &self.kind)
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl ProxyUrl {
    fn is_same(&self, other: &Self) -> bool {
        let exposed = |proxy: &Self| {
            let login = proxy.login.as_ref();
            login.map(|(user, password)| {
                (
                    user.expose_secret().to_owned(),
                    password.expose_secret().to_owned(),
                )
            })
        };
        self.kind == other.kind
            && self.host == other.host
            && self.port == other.port
            && exposed(self) == exposed(other)
    }

    /// Reads `[http|socks5|socks5h://][user:password@]host[:port]`. Without a kind it is `http`; without a port 80,
    /// or 1080 for SOCKS.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let text = text.trim();
        let (kind, rest) = match text.split_once("://") {
            None => (ProxyKind::Http, text),
            Some(("http", rest)) => (ProxyKind::Http, rest),
            Some(("socks5", rest)) => (ProxyKind::Socks5, rest),
            Some(("socks5h", rest)) => (ProxyKind::Socks5h, rest),
            Some((other, _)) => return Err(ProxyError::Scheme(other.to_owned())),
        };
        // As http, whatever it is: so that host names are read the same way.
        let url = Url::parse(&format!("http://{rest}")).map_err(|_| ProxyError::NoUrl)?;
        let host = url.host_str().ok_or(ProxyError::NoUrl)?;
        let login = (!url.username().is_empty()).then(|| {
            let word = |text: &str| {
                let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
                SecretString::from(text.into_owned())
            };
            (
                word(url.username()),
                word(url.password().unwrap_or_default()),
            )
        });
        let fits = |word: &SecretString| (1..=MAX_WORD).contains(&word.expose_secret().len());
        if kind != ProxyKind::Http
            && let Some((user, password)) = &login
            && !(fits(user) && fits(password))
        {
            return Err(ProxyError::Login);
        }
        let usual = match kind {
            ProxyKind::Http => 80,
            ProxyKind::Socks5 | ProxyKind::Socks5h => 1080,
        };
        Ok(Self {
            kind,
            host: host.into(),
            // Port 80 is the one that an address of this scheme leaves out.
            port: url
                .port()
                .unwrap_or(if names_port(rest) { 80 } else { usual }),
            login,
        })
    }

    /// How it is asked.
    #[must_use]
    pub const fn kind(&self) -> ProxyKind {
        self.kind
    }

    /// Its name or address; IPv6 in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The user and the password it is to be told.
    #[must_use]
    pub fn login(&self) -> Option<(&SecretString, &SecretString)> {
        self.login.as_ref().map(|(user, password)| (user, password))
    }
}

/// Whether a port is written, which the URL parser does not tell of a scheme's usual one.
fn names_port(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let behind = host.rsplit(']').next().unwrap_or_default();
    behind
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty())
}

/// `proxy` of an account: how its links reach the server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AccountProxy {
    /// `"direct"`: without a proxy.
    Direct,
    /// Through this one.
    Through(ProxyUrl),
}

impl AccountProxy {
    /// Reads `direct` or the address of a proxy.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        match text.trim() {
            "direct" => Ok(Self::Direct),
            text => ProxyUrl::parse(text).map(Self::Through),
        }
    }

    /// Whether links take the same way, with the same login.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Direct, Self::Direct) => true,
            (Self::Through(one), Self::Through(other)) => one.is_same(other),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_each_kind_are_read() {
        for (text, kind, host, port) in [
            ("http://p.example:3128", ProxyKind::Http, "p.example", 3128),
            ("p.example", ProxyKind::Http, "p.example", 80),
            ("p.example:8080", ProxyKind::Http, "p.example", 8080),
            (" socks5://10.0.0.1 ", ProxyKind::Socks5, "10.0.0.1", 1080),
            (
                "socks5://u:p@10.0.0.1:80",
                ProxyKind::Socks5,
                "10.0.0.1",
                80,
            ),
            ("socks5h://[::1]:9050/", ProxyKind::Socks5h, "[::1]", 9050),
            ("socks5h://[::1]", ProxyKind::Socks5h, "[::1]", 1080),
            ("socks5://[::1]:80", ProxyKind::Socks5, "[::1]", 80),
        ] {
            let proxy = ProxyUrl::parse(text).unwrap();
            assert_eq!(
                (proxy.kind(), proxy.host(), proxy.port()),
                (kind, host, port),
                "{text}"
            );
        }
        assert!(matches!(
            AccountProxy::parse("direct"),
            Ok(AccountProxy::Direct)
        ));
    }

    #[test]
    fn passwords_are_not_shown_and_odd_addresses_are_refused() {
        let proxy = AccountProxy::parse("socks5://user:ge%40heim@proxy.example").unwrap();
        assert!(!format!("{proxy:?}").contains("heim"), "{proxy:?}");
        let AccountProxy::Through(proxy) = proxy else {
            panic!("{proxy:?}");
        };
        let (user, password) = proxy.login().unwrap();
        assert_eq!(
            (user.expose_secret(), password.expose_secret()),
            ("user", "ge@heim")
        );
        for wrong in [
            "socks4://h:1",
            "https://h:1",
            "ftp://:geheim@h",
            "http://",
            "http://:geheim@",
            "Direct geheim",
        ] {
            let error = AccountProxy::parse(wrong).unwrap_err().to_string();
            assert!(
                error.contains("http://127.0.0.1:8080") && !error.contains("geheim"),
                "{error}"
            );
        }
        let long = "x".repeat(256);
        for wrong in [
            format!("socks5://{long}:p@h"),
            format!("socks5://u:{long}@h"),
            "socks5://u@h".to_owned(),
        ] {
            assert_eq!(ProxyUrl::parse(&wrong).unwrap_err(), ProxyError::Login);
        }
        ProxyUrl::parse(&format!("http://{long}@h")).unwrap();
    }
}
