//! Access checks for HTTP: web pages of other sites must not use the sandbox.
//!
//! A web page can send requests to this machine from any site, and a DNS name that resolves to this
//! machine makes them same-origin. So the name in `Host` must be an address or `localhost`, an
//! `Origin` must be a page of this machine or a listed one, and a body must be JSON, which a page
//! cannot send to another origin without a preflight. Orders need a token if other machines can
//! reach the server.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderMap},
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{fmt, net::IpAddr};
use url::Url;

/// The access rules of a server.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    /// Origins of pages that may use the server, `https://host[:port]`.
    pub(super) origins: Vec<String>,
    /// Accepted host names, in addition to addresses and `localhost`.
    pub(super) hosts: Vec<String>,
    /// Other machines can reach the server.
    pub(super) is_open: bool,
    /// The token required for orders.
    pub(super) token: Option<SecretString>,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) reason: &'static str,
}

const fn refuse(status: StatusCode, reason: &'static str) -> Refusal {
    Refusal { status, reason }
}

const HOST: Refusal = refuse(
    StatusCode::FORBIDDEN,
    "the Host header names neither an address nor localhost; use one of these, or list the name in sandbox.hosts",
);
const ORIGIN: Refusal = refuse(
    StatusCode::FORBIDDEN,
    "a page of this origin may not use the sandbox; list it in sandbox.origins",
);
const TYPE: Refusal = refuse(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "send it with the header Content-Type: application/json",
);
const AWAY: Refusal = refuse(
    StatusCode::FORBIDDEN,
    "orders come from this machine only, or with the token of sandbox.token",
);
const CLOSED: Refusal = refuse(
    StatusCode::FORBIDDEN,
    "the sandbox can be reached by others: set sandbox.token, and send it as Authorization: Bearer TOKEN",
);
const TOKEN: Refusal = refuse(
    StatusCode::UNAUTHORIZED,
    "send the token of sandbox.token as Authorization: Bearer TOKEN",
);

impl Refusal {
    /// The body is too long, takes too long, or is incomplete.
    pub(super) const TOO_LARGE: Self = refuse(
        StatusCode::PAYLOAD_TOO_LARGE,
        "the body is too long, or takes too long",
    );
    /// The server is starting or stopping.
    pub(super) const NOT_READY: Self =
        refuse(StatusCode::SERVICE_UNAVAILABLE, "the sandbox is not ready");

    /// The body of the answer.
    pub(super) fn json(&self) -> String {
        json!({"error": self.reason}).to_string()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let body = self.json();
        HttpResponse::build(self.status)
            .content_type("application/json")
            .body(body)
    }
}

impl Guard {
    /// Checks whether a request is accepted at all.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        match text(header::HOST) {
            Some(host) if !self.is_known_host(host) => return Err(HOST),
            _ => {}
        }
        match text(header::ORIGIN) {
            Some(origin) if !self.is_known_origin(origin) => Err(ORIGIN),
            _ => Ok(()),
        }
    }

    /// Checks that a body is JSON, which pages cannot send to another origin without a preflight.
    pub(super) fn admit_body(headers: &HeaderMap) -> Result<(), Refusal> {
        let length = headers.get(header::CONTENT_LENGTH);
        let is_empty = length.is_none_or(|length| length.as_bytes() == b"0")
            && !headers.contains_key(header::TRANSFER_ENCODING);
        let kind = headers.get(header::CONTENT_TYPE);
        if is_empty && kind.is_none() {
            return Ok(());
        }
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/json") {
            Ok(())
        } else {
            Err(TYPE)
        }
    }

    /// Checks whether a request may give orders or read the status.
    pub(super) fn admit_order(&self, request: &HttpRequest) -> Result<(), Refusal> {
        let is_here = request
            .peer_addr()
            .is_some_and(|peer| peer.ip().to_canonical().is_loopback());
        match &self.token {
            Some(token) if has_token(request.headers(), token) => Ok(()),
            Some(_) if self.is_open || !is_here => Err(TOKEN),
            None if self.is_open => Err(CLOSED),
            None if !is_here => Err(AWAY),
            _ => Ok(()),
        }
    }

    fn is_known_host(&self, host: &str) -> bool {
        let Ok(url) = Url::parse(&format!("http://{host}")) else {
            return false;
        };
        match url.host() {
            Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
            Some(url::Host::Domain(name)) => is_localhost(name) || is_listed(&self.hosts, name),
            None => false,
        }
    }

    fn is_known_origin(&self, origin: &str) -> bool {
        if is_listed(&self.origins, origin.trim_end_matches('/')) {
            return true;
        }
        let Ok(url) = Url::parse(origin) else {
            return false; // `null`: a page with an opaque origin.
        };
        match url.host() {
            _ if !matches!(url.scheme(), "http" | "https") => false,
            Some(url::Host::Domain(name)) => is_localhost(name),
            Some(url::Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(url::Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
            None => false,
        }
    }
}

fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

fn is_listed(list: &[String], text: &str) -> bool {
    let mut list = list.iter();
    list.any(|listed| listed.trim_end_matches('/').eq_ignore_ascii_case(text))
}

/// Compares hashes, so that the timing reveals nothing about the token.
fn has_token(headers: &HeaderMap, token: &SecretString) -> bool {
    let given = headers.get(header::AUTHORIZATION);
    let given = given.and_then(|given| given.to_str().ok()?.strip_prefix("Bearer "));
    given.is_some_and(|given| Sha256::digest(given.trim()) == Sha256::digest(token.expose_secret()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut request = TestRequest::default();
        for pair in pairs {
            request = request.insert_header(*pair);
        }
        request.to_http_request().headers().clone()
    }

    #[test]
    fn e2_a_foreign_page_or_name_is_refused() {
        let guard = Guard {
            origins: vec!["https://app.example".to_owned()],
            hosts: vec!["sandbox.internal".to_owned()],
            ..Guard::default()
        };
        for host in [
            "127.0.0.1:7080",
            "localhost:7080",
            "[::1]:7080",
            "10.0.0.3",
            "sandbox.internal:1",
        ] {
            assert_eq!(guard.admit(&headers(&[("host", host)])), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:7080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
            "a b",
        ] {
            assert_eq!(
                guard.admit(&headers(&[("host", host)])),
                Err(HOST),
                "{host}"
            );
        }
        for origin in [
            "http://localhost:3000",
            "http://127.0.0.1",
            "https://[::1]:8443",
            "https://app.example",
        ] {
            let given = headers(&[("host", "127.0.0.1"), ("origin", origin)]);
            assert_eq!(guard.admit(&given), Ok(()), "{origin}");
        }
        for origin in [
            "https://evil.example",
            "null",
            "http://10.0.0.3",
            "http://localhost.evil.example",
            "file://",
            "http://app.example",
            "chrome-extension://abc",
        ] {
            let given = headers(&[("host", "127.0.0.1"), ("origin", origin)]);
            assert_eq!(guard.admit(&given), Err(ORIGIN), "{origin}");
        }
    }

    #[test]
    fn e2_what_a_page_may_send_unasked_is_refused() {
        for kind in [
            "application/json",
            "application/json; charset=utf-8",
            "Application/JSON",
        ] {
            assert_eq!(
                Guard::admit_body(&headers(&[("content-type", kind)])),
                Ok(())
            );
        }
        for kind in [
            "text/plain",
            "text/plain; application/json",
            "application/x-www-form-urlencoded",
        ] {
            assert_eq!(
                Guard::admit_body(&headers(&[("content-type", kind)])),
                Err(TYPE)
            );
        }
        assert_eq!(
            Guard::admit_body(&headers(&[("content-length", "2")])),
            Err(TYPE)
        );
        assert_eq!(
            Guard::admit_body(&headers(&[("transfer-encoding", "chunked")])),
            Err(TYPE)
        );
        assert_eq!(
            Guard::admit_body(&headers(&[])),
            Ok(()),
            "an order without fields"
        );
    }

    #[test]
    fn e2_orders_need_a_token_when_others_can_reach_the_server() {
        let from = |peer: &str, token: Option<&str>| {
            let mut request = TestRequest::default().peer_addr(peer.parse().unwrap());
            if let Some(token) = token {
                request = request.insert_header(("authorization", format!("Bearer {token}")));
            }
            request.to_http_request()
        };
        let (here, away) = ("127.0.0.1:5", "10.0.0.3:5");
        let closed = Guard::default();
        assert_eq!(closed.admit_order(&from(here, None)), Ok(()));
        assert_eq!(
            closed.admit_order(&from("[::ffff:127.0.0.1]:5", None)),
            Ok(())
        );
        assert_eq!(closed.admit_order(&from(away, None)), Err(AWAY));
        let open = Guard {
            is_open: true,
            ..Guard::default()
        };
        assert_eq!(open.admit_order(&from(here, None)), Err(CLOSED));
        let with_token = Guard {
            is_open: true,
            token: Some("geheim".to_owned().into()),
            ..Guard::default()
        };
        assert_eq!(with_token.admit_order(&from(here, None)), Err(TOKEN));
        assert_eq!(
            with_token.admit_order(&from(away, Some("wrong"))),
            Err(TOKEN)
        );
        assert_eq!(with_token.admit_order(&from(away, Some("geheim"))), Ok(()));
    }
}
