//! Which requests are heard at all, and who makes them.
//!
//! A web page can send requests to any address that its reader's browser reaches, and a DNS name that resolves to this
//! machine makes them look like those of a page of its own. So on TCP the name in `Host` has to be one of this server,
//! and an `Origin`, which browsers send with whatever could change something, has to be this server's or a listed one.
//! Whoever gets past that still needs a token, which no browser sends by itself.

use super::caller::{Caller, Identity};
use super::door::Door;
use super::refusal::Refusal;
use super::sessions::{Hash, Origin, Sessions};
use super::token;
use super::tries::Tries;
use super::types::ProblemCode;
use crate::config::AdminConfig;
use actix_web::http::header::{self, HeaderMap};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use url::{Host, Url};

/// See the module. What the config says is an argument: it may be reloaded.
#[derive(Debug, Default)]
pub(super) struct Guard {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    tries: Tries,
    sessions: Sessions,
    refused: BTreeMap<&'static str, u64>,
}

impl Guard {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while holding it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logins of the console.
    pub(super) fn sessions<T>(&self, with: impl FnOnce(&mut Sessions) -> T) -> T {
        with(&mut self.state().sessions)
    }

    /// How many wrong tokens there were, and how many requests were refused, by reason.
    pub(super) fn counts(&self) -> (u64, BTreeMap<&'static str, u64>) {
        let state = self.state();
        (state.tries.count(), state.refused.clone())
    }

    /// Counts a refused request.
    pub(super) fn note(&self, refusal: &Refusal) {
        let word = match refusal.code() {
            ProblemCode::Unauthorized => "unauthorized",
            ProblemCode::Forbidden => "forbidden",
            ProblemCode::ForeignSite => "foreign_site",
            ProblemCode::TooMany => "too_many",
            _ => return,
        };
        *self.state().refused.entry(word).or_default() += 1;
    }

    /// Checks that no page of another site asks.
    ///
    /// # Errors
    /// 403 otherwise.
    pub(super) fn admit(
        config: &AdminConfig,
        door: Door,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        let secure = match door {
            // No page gets to a Unix socket.
            Door::Socket => return Ok(()),
            Door::Tcp(_) => false,
            Door::Tls(_) => true,
        };
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        let host = text(header::HOST).unwrap_or_default();
        if !is_known_host(config, host) {
            return Err(Refusal::new(
                ProblemCode::ForeignSite,
                "the Host header does not name this server",
                "use its address or localhost, or list the name in admin.hosts",
            ));
        }
        match text(header::ORIGIN) {
            Some(origin) if !is_known_origin(config, origin, host, secure) => Err(Refusal::new(
                ProblemCode::ForeignSite,
                "a page of this origin may not use the API",
                "list the origin in admin.origins",
            )),
            _ => Ok(()),
        }
    }

    /// Finds out who makes a request.
    pub(super) fn identify(
        &self,
        config: &AdminConfig,
        now: Duration,
        door: Door,
        headers: &HeaderMap,
    ) -> Identity {
        let from = match door {
            Door::Socket => return Identity(Ok(Caller::owner())),
            Door::Tcp(peer) | Door::Tls(peer) => peer.ip(),
        };
        let given = headers.get(header::AUTHORIZATION);
        let given = given.map(|given| given.to_str().unwrap_or_default());
        Identity(match given.map(|given| given.strip_prefix("Bearer ")) {
            None => Err(Refusal::unauthorized("this needs a token")),
            Some(None) => self.wrong(now, from, "the Authorization header holds no Bearer token"),
            Some(Some(given)) => {
                let hash = token::hash(given.trim());
                let known = token::find(&config.tokens, &hash);
                match known.or_else(|| self.of_session(config, now, &hash)) {
                    Some(caller) => Ok(caller),
                    None => self.wrong(now, from, "nobody has this token"),
                }
            }
        })
    }

    /// Who has begun a session. One that was begun with a token is worth what the token is worth now.
    fn of_session(&self, config: &AdminConfig, now: Duration, hash: &Hash) -> Option<Caller> {
        match self.state().sessions.find(now, hash)? {
            Origin::Link => Some(Caller::console()),
            Origin::Token(hash) => token::find(&config.tokens, &hash),
        }
    }

    /// Somebody has sent something wrong.
    pub(super) fn wrong<T>(&self, now: Duration, from: IpAddr, error: &str) -> Result<T, Refusal> {
        let pause = self.state().tries.failed(now, from);
        Err(match pause {
            None => {
                tracing::warn!(%from, "a wrong token for the admin API");
                Refusal::unauthorized(error)
            }
            Some(pause) => Refusal::new(
                ProblemCode::TooMany,
                "too many wrong tokens from this address",
                "wait as long as Retry-After says, and send the right one",
            )
            .after(pause),
        })
    }
}

fn is_known_host(config: &AdminConfig, host: &str) -> bool {
    let Ok(url) = Url::parse(&format!("http://{host}")) else {
        return false;
    };
    match url.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Some(Host::Domain(name)) => {
            let mut listed = config.hosts.iter();
            name == "localhost" || listed.any(|listed| listed.eq_ignore_ascii_case(name))
        }
        None => false,
    }
}

/// Whether it is the origin of the server itself, under the name that the request uses, or a listed one.
fn is_known_origin(config: &AdminConfig, origin: &str, host: &str, secure: bool) -> bool {
    let scheme = if secure { "https" } else { "http" };
    let Ok(own) = Url::parse(&format!("{scheme}://{host}")) else {
        return false;
    };
    match Url::parse(origin) {
        Ok(url) => {
            let origin = url.origin();
            origin == own.origin()
                || (origin.is_tuple() && config.origins.contains(&origin.ascii_serialization()))
        }
        // `null`: a page with an opaque origin.
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::token::NewToken;
    use crate::config::{Config, Sources};
    use actix_web::ResponseError;
    use actix_web::test::TestRequest;
    use std::net::SocketAddr;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut request = TestRequest::default();
        for pair in pairs {
            request = request.insert_header(*pair);
        }
        request.to_http_request().headers().clone()
    }

    fn peer() -> SocketAddr {
        "127.0.0.1:5".parse().unwrap()
    }

    fn config() -> (AdminConfig, NewToken) {
        let token = NewToken::make().unwrap();
        let text = format!(
            "[app]\nsdk_app_id = 1\nsecret_key = \"k\"\n[[accounts]]\nuser_id = \"a\"\nbots = []\n[admin]\nlisten = \"127.0.0.1:1\"\n\
             hosts = [\"ops.internal\"]\norigins = [\"https://ops.example\"]\n\
             [[admin.tokens]]\nname = \"ops\"\nhash = \"{}\"\nscopes = [\"read\"]\n",
            token.config_hash()
        );
        let config = Config::parse(Sources::new("c", &text, &BTreeMap::new()));
        (config.unwrap().admin, token)
    }

    #[test]
    fn only_own_names_and_own_pages_are_heard() {
        let (config, _) = config();
        let (plain, secure) = (Door::Tcp(peer()), Door::Tls(peer()));
        for (door, host, origin, fits) in [
            (plain, "127.0.0.1:7070", "", true),
            (plain, "localhost:7070", "", true),
            (plain, "[::1]:7070", "", true),
            (plain, "OPS.internal", "", true),
            (plain, "", "", false),
            (plain, "evil.example", "", false),
            (plain, "localhost.evil.example", "", false),
            (plain, "127.0.0.1:7070", "http://127.0.0.1:7070", true),
            (plain, "localhost:7070", "http://localhost:7070", true),
            (plain, "127.0.0.1:7070", "https://ops.example", true),
            // Another port is another site, and so is another scheme.
            (plain, "127.0.0.1:7070", "http://127.0.0.1:8080", false),
            (plain, "127.0.0.1:7070", "https://127.0.0.1:7070", false),
            (secure, "127.0.0.1:7070", "https://127.0.0.1:7070", true),
            (secure, "127.0.0.1:7070", "http://127.0.0.1:7070", false),
            (plain, "127.0.0.1:7070", "http://localhost:7070", false),
            (plain, "127.0.0.1:7070", "null", false),
            (plain, "127.0.0.1:7070", "file://", false),
            (plain, "evil.example", "http://evil.example", false),
            (Door::Socket, "", "https://evil.example", true),
        ] {
            let mut pairs = vec![("host", host)];
            if !origin.is_empty() {
                pairs.push(("origin", origin));
            }
            let admitted = Guard::admit(&config, door, &headers(&pairs));
            assert_eq!(admitted.is_ok(), fits, "{door:?} {host} {origin}");
        }
    }

    #[test]
    fn who_has_no_token_is_nobody_and_who_tries_is_slowed_but_a_right_one_is_not() {
        let ((mut config, token), guard) = (config(), Guard::default());
        let (now, door) = (Duration::from_secs(9), Door::Tcp(peer()));
        let ask = |config: &AdminConfig, given: Option<&str>| {
            let given = given.map(|given| headers(&[("authorization", given)]));
            guard
                .identify(config, now, door, &given.unwrap_or_else(|| headers(&[])))
                .0
        };
        assert_eq!(ask(&config, None).unwrap_err().status_code(), 401);
        for given in [
            "Basic eDp5",
            "Bearer ",
            "Bearer wrong",
            "Bearer",
            "Bearer x y",
        ] {
            assert_eq!(
                ask(&config, Some(given)).unwrap_err().status_code(),
                401,
                "{given}"
            );
        }
        let slowed = ask(&config, Some("Bearer wrong"))
            .unwrap_err()
            .error_response();
        assert_eq!(slowed.status(), 429);
        assert_eq!(slowed.headers().get("retry-after").unwrap(), "1");
        let right = format!("Bearer {}", token.text());
        assert_eq!(ask(&config, Some(&right)).unwrap().name(), "ops");
        assert_eq!(guard.counts().0, 6);
        let owner = guard.identify(&config, now, Door::Socket, &headers(&[])).0;
        assert_eq!(owner, Ok(Caller::owner()));

        // A session of a token ends with the token.
        let session = NewToken::make().unwrap();
        guard.sessions(|it| it.begin(now, session.hash(), Origin::Token(token.hash())));
        let own = format!("Bearer {}", session.text());
        assert_eq!(ask(&config, Some(&own)).unwrap().name(), "ops");
        config.tokens.clear();
        assert!(ask(&config, Some(&own)).is_err());
        assert!(ask(&config, Some(&right)).is_err());
    }
}
