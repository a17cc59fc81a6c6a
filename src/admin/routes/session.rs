//! Who asks, and logins of the console.

use super::{Room, path};
use crate::admin::body::Json;
use crate::admin::caller::{Administrator, Caller, Known};
use crate::admin::desk::{At, Desk};
use crate::admin::door::Door;
use crate::admin::refusal::Refusal;
use crate::admin::sessions::{LINK_LIFE, Origin, SESSION_LIFE};
use crate::admin::token::{self, NewToken, TokenError};
use crate::admin::types::{ConsoleLink, Done, NewSession, Problem, ProblemCode, Session, Who};
use crate::gateway::now;
use actix_web::http::header;
use actix_web::{HttpRequest, web};
use std::net::{IpAddr, Ipv4Addr};
use utoipa::OpenApi;

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config
            .service(
                path("/api/v1/session")
                    .route(web::get().to(who))
                    .route(web::post().to(begin))
                    .route(web::delete().to(end)),
            )
            .service(path("/api/v1/console-link").route(web::post().to(link)));
    },
    describe: Described::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(who, begin, end, link))]
struct Described;

/// What sessions and links begin with, so that people know them when they see them.
const SESSION: &str = "bts_";
const LINK: &str = "btl_";

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self::unavailable(error.to_string())
    }
}

fn describe(caller: &Caller) -> Who {
    Who {
        name: caller.name().to_owned(),
        scopes: caller.scopes().into_iter().map(str::to_owned).collect(),
        all_accounts: caller.sees_all(),
    }
}

/// Who asks.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses(
    (status = 200, body = Who), (status = 401, body = Problem),
))]
async fn who(known: Known) -> web::Json<Who> {
    web::Json(describe(&known.0))
}

/// Begins a session, with a link of `botroupe console` or a token. This needs no token in the header.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", security(()),
    request_body = NewSession,
    responses(
        (status = 200, body = Session), (status = 401, body = Problem), (status = 413, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem),
    ))]
async fn begin(
    desk: At,
    request: HttpRequest,
    new: Json<NewSession>,
) -> Result<web::Json<Session>, Refusal> {
    let desk = desk.0;
    let at = now();
    let from = peer(&request);
    let (caller, origin) = match new.0 {
        NewSession::Token(given) => {
            let hash = token::hash(given.trim());
            match token::find(&desk.config().admin.tokens, &hash) {
                Some(caller) => (caller, Origin::Token(hash)),
                None => return desk.guard.wrong(at.mono, from, "nobody has this token"),
            }
        }
        NewSession::Link(given) => {
            let link = token::hash(given.trim());
            if !desk
                .guard
                .sessions(|sessions| sessions.use_link(at.mono, &link))
            {
                return desk.guard.wrong(
                    at.mono,
                    from,
                    "the link was used or is over; `botroupe console` makes another one",
                );
            }
            (Caller::console(), Origin::Link)
        }
    };
    let session = NewToken::with(SESSION)?;
    let who = describe(&caller);
    desk.guard
        .sessions(|sessions| sessions.begin(at.mono, session.hash(), origin));
    tracing::info!(by = who.name, "a session of the console begins");
    Ok(web::Json(Session {
        session: session.text().to_owned(),
        ends: (at.unix + SESSION_LIFE).as_secs(),
        who,
    }))
}

/// Ends the session with which it is asked.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses(
    (status = 200, body = Done), (status = 401, body = Problem),
))]
async fn end(_: Known, desk: At, request: HttpRequest) -> web::Json<Done> {
    let given = request.headers().get(header::AUTHORIZATION);
    let given = given.and_then(|given| given.to_str().ok()?.strip_prefix("Bearer "));
    if let Some(given) = given {
        let session = token::hash(given.trim());
        desk.0.guard.sessions(|sessions| sessions.end(&session));
    }
    web::Json(Done::DONE)
}

/// Makes a link that leads into the console once, within a minute.
#[utoipa::path(post, path = "/api/v1/console-link", tag = "session", responses(
    (status = 200, body = ConsoleLink), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem, description = "There is no console: the API is not on TCP."),
    (status = 503, body = Problem),
))]
async fn link(administrator: Administrator, desk: At) -> Result<web::Json<ConsoleLink>, Refusal> {
    let url = console(&desk.0).ok_or_else(|| {
        Refusal::new(
            ProblemCode::Conflict,
            "the console is served on TCP only, and the config has no [admin] listen",
            "add `listen = \"127.0.0.1:7070\"` to [admin], with a token of `botroupe token new NAME`, and restart",
        )
    })?;
    let (link, at) = (NewToken::with(LINK)?, now());
    tracing::info!(
        by = administrator.0.name(),
        "a link to the console was made"
    );
    desk.0
        .guard
        .sessions(|sessions| sessions.add_link(at.mono, link.hash()));
    Ok(web::Json(ConsoleLink {
        url: format!("{url}/console/#link={}", link.text()),
        ends: (at.unix + LINK_LIFE).as_secs(),
    }))
}

/// The origin of the console.
fn console(desk: &Desk) -> Option<&str> {
    desk.url.as_deref()
}

/// The address of whoever asks.
fn peer(request: &HttpRequest) -> IpAddr {
    match request.conn_data::<Door>() {
        Some(Door::Tcp(peer) | Door::Tls(peer)) => peer.ip(),
        Some(Door::Socket) | None => Ipv4Addr::LOCALHOST.into(),
    }
}
