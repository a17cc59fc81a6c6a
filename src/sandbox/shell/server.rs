//! The web server around the state: bind, accept, routes, start and stop.
//!
//! The server accepts connections itself and passes each stream to actix-http, so that a stream can
//! be cut while the dispatcher is blocked in it (see `cut`).

use std::{
    cell::Cell,
    convert::Infallible,
    future::poll_fn,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use actix_http::HttpService;
use actix_service::{fn_service, map_config};
use actix_web::{
    App, FromRequest, HttpRequest, HttpResponse, ResponseError,
    dev::{AppConfig, Payload, Service, ServiceFactory},
    guard,
    http::{
        StatusCode,
        header::{self, HeaderValue, HttpDate},
    },
    web::{self, Bytes},
};
use futures_util::{
    FutureExt,
    future::{Either, LocalBoxFuture, Ready, ready},
};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::{
    cut::CuttableStream, cut::SocketPermit, files, guard::Guard, guard::Refusal, hub::Hub,
    hub::Shared, store::Store, store::StoreError, tls, tls::TlsError, websocket,
};
use crate::{policy::Now, seed::Seed, seed::SeedError, state::Fault, state::MEDIA_PATH};

/// Why a sandbox did not start.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// The sandbox cannot listen on the address.
    #[error("the sandbox cannot listen on {addr}: {source}; choose another port, or 0 for any")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The seed is refused.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The seed cannot be read.
    #[error("{path}: {source}; name an existing seed file, or none", path = path.display())]
    SeedFile {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The store is refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another sandbox uses the store.
    #[error("{path}: another sandbox runs with this store; end it, or name another file", path = path.display())]
    StoreInUse {
        /// The path of the file.
        path: PathBuf,
    },
    /// The store exists and cannot be read.
    #[error("{path}: {source}; make the file readable, or name another one", path = path.display())]
    StoreFile {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// TLS cannot be served.
    #[error("the sandbox cannot speak TLS: {0}")]
    Tls(#[from] TlsError),
    /// The operating system provides no random numbers: tickets could be guessed.
    #[error("the system provides no random numbers: {0}")]
    Random(String),
    /// The server's thread could not be started.
    #[error("the sandbox cannot start its thread: {source}")]
    Thread {
        /// The error of the operating system.
        source: std::io::Error,
    },
}

/// The input of the server's task.
pub(super) struct Prepared {
    pub(super) shared: Arc<Shared>,
    pub(super) store: Option<Arc<Store>>,
    pub(super) listener: TcpListener,
    pub(super) tls: Option<TlsAcceptor>,
    /// Resolves, or is dropped, when the server has to stop.
    pub(super) stop: oneshot::Receiver<()>,
    /// Reports the end of the server: true if the store, if any, is written.
    pub(super) done: oneshot::Sender<bool>,
}

/// Binds a non-blocking listener and returns the actual address.
pub(super) fn bind(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), SandboxError> {
    let bind = || {
        let listener = TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let local = listener.local_addr()?;
        Ok((listener, local))
    };
    bind().map_err(|source| SandboxError::Bind { addr, source })
}

/// Reads and checks the seed file.
pub(super) fn read_seed(path: &Path) -> Result<Seed, SandboxError> {
    let text = std::fs::read_to_string(path).map_err(|source| SandboxError::SeedFile {
        path: path.to_owned(),
        source,
    })?;
    Ok(Seed::parse(&path.display().to_string(), &text)?)
}

/// Sockets accepted beyond the connection limit, for REST calls and to refuse further clients with
/// an answer.
const SPARE_SOCKETS: usize = 64;
/// How long sockets may take to close at the end.
const CLOSING_TIME: Duration = Duration::from_secs(1);
/// How long a body may take: a slow sender would occupy a socket.
const BODY_TIME: Duration = Duration::from_secs(10);
/// The longest body of a REST call.
const MAX_BODY: usize = 1024 * 1024;

/// Serves until told to stop. Runs on one thread with all its sockets.
pub(super) async fn serve(prepared: Prepared) {
    let Prepared {
        shared,
        store,
        listener,
        tls,
        stop,
        done,
    } = prepared;
    let local = listener.local_addr();
    let is_open = local.map_or(true, |local| !local.ip().to_canonical().is_loopback());
    let hub = Rc::new(Hub::new(Arc::clone(&shared), is_open));
    let writing = Rc::clone(&hub);
    let writer = actix_rt::spawn(tokio::task::unconstrained(poll_fn(move |cx| {
        writing.poll_write(cx)
    })));
    let saving = async {
        match &store {
            Some(store) => store.keep_up(&shared).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = stop => {}
        () = hub.keep_time() => {}
        () = saving => {}
        () = accept(&hub, listener, tls) => {}
    }
    hub.close_all();
    let closing = async {
        while hub.links() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(CLOSING_TIME, closing).await.is_err() {
        hub.cut_all();
    }
    writer.abort();
    let is_saved = match &store {
        Some(store) => {
            let is_saved = store.save(&shared).await;
            store.release();
            is_saved
        }
        None => true,
    };
    // The receiver may be gone.
    let _ = done.send(is_saved);
}

async fn accept(hub: &Rc<Hub>, listener: TcpListener, tls: Option<TlsAcceptor>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the sandbox cannot listen");
            return;
        }
    };
    let app = App::new()
        .app_data(Rc::clone(hub))
        .app_data(web::PayloadConfig::new(MAX_BODY))
        .wrap_fn(|request, service| {
            let hub = hub_of(request.request());
            let admitted = match &hub {
                Ok(hub) => hub.guard().admit(request.headers()),
                Err(refusal) => Err(*refusal),
            };
            let answering = match admitted {
                Ok(()) => Either::Left(service.call(request)),
                Err(refusal) => {
                    Either::Right(ready(Ok(request.into_response(refusal.error_response()))))
                }
            };
            async move {
                let mut answer = answering.await?;
                if let Some(date) = hub.ok().and_then(|hub| date(hub.shared.now())) {
                    answer.headers_mut().insert(header::DATE, date);
                }
                Ok(answer)
            }
        })
        .route(&format!("{MEDIA_PATH}{{file:.*}}"), web::to(media))
        .route("/{folder:(?:.*/)?}binfo", web::to(not_upgraded))
        .route("/{folder:(?:.*/)?}info", web::to(not_upgraded))
        .service(
            web::resource("/v4/{call:.*}")
                .route(web::post().to(rest_call))
                .default_service(web::to(not_posted)),
        )
        .service(
            web::scope("/sandbox")
                .wrap_fn(|request, service| {
                    let admitted = hub_of(request.request())
                        .and_then(|hub| hub.guard().admit_order(request.request()));
                    match admitted {
                        Ok(()) => Either::Left(service.call(request)),
                        Err(refusal) => Either::Right(ready(Ok(
                            request.into_response(refusal.error_response())
                        ))),
                    }
                })
                .route("/status", web::get().to(status))
                .route("/ledger", web::get().to(ledger))
                .route(
                    "/{fault}",
                    web::post().guard(guard::fn_guard(names_fault)).to(order),
                )
                .default_service(web::to(no_such_fault)),
        );
    let sessions = Rc::clone(hub);
    let http = HttpService::build()
        .on_connect_ext(|io: &CuttableStream, data| {
            data.insert(io.scheme());
        })
        .upgrade(fn_service(move |(request, framed)| {
            websocket::serve(&sessions, &request, framed);
            ready(Ok::<_, Infallible>(()))
        }))
        .h1(map_config(app, |()| AppConfig::default()));
    let Ok(service) = http.new_service(()).await else {
        tracing::error!("the sandbox cannot build its web service");
        return;
    };
    let service = Rc::new(service);
    let sockets = Rc::new(Cell::new(0));
    let limit = hub
        .shared
        .lock()
        .config()
        .max_connections
        .saturating_add(SPARE_SOCKETS);
    loop {
        match listener.accept().await {
            Ok(_) if sockets.get() >= limit => {}
            Ok((io, peer)) => {
                // Frames are small in both directions; Nagle's algorithm would only add delay.
                let _ = io.set_nodelay(true);
                let permit = SocketPermit::new(&sockets);
                let (service, tls) = (Rc::clone(&service), tls.clone());
                actix_rt::spawn(async move {
                    if let Some(io) = tls::greet(tls.as_ref(), io).await {
                        let io = CuttableStream::new(io, permit);
                        let serving = service.call((io, Some(peer)));
                        // Such errors come from peers that disconnected or do not speak HTTP.
                        if let Err(error) = serving.await {
                            tracing::debug!(%error, "a socket of the sandbox ended");
                        }
                    }
                });
            }
            Err(error) => {
                // Probably out of file descriptors: other connections have to close first.
                tracing::warn!(%error, "the sandbox cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// The hub that serves a request.
fn hub_of(request: &HttpRequest) -> Result<Rc<Hub>, Refusal> {
    request
        .app_data::<Rc<Hub>>()
        .cloned()
        .ok_or(Refusal::NOT_READY)
}

/// The hub, as an extractor for handlers.
struct Serving(Rc<Hub>);

impl FromRequest for Serving {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(hub_of(request).map(Self))
    }
}

/// A JSON body with limits on length and time: a slow sender would occupy a socket.
struct Body(Bytes);

impl FromRequest for Body {
    type Error = Refusal;
    type Future = LocalBoxFuture<'static, Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let admitted = Guard::admit_body(request.headers());
        let whole = Bytes::from_request(request, payload);
        async move {
            admitted?;
            match tokio::time::timeout(BODY_TIME, whole).await {
                Ok(Ok(body)) => Ok(Self(body)),
                _ => Err(Refusal::TOO_LARGE),
            }
        }
        .boxed_local()
    }
}

/// The value of `Date`. Clients learn the time of the sandbox from it, and that may be ahead of the
/// system's, which is what HTTP servers write by themselves.
pub(super) fn date(now: Now) -> Option<HeaderValue> {
    let time = UNIX_EPOCH.checked_add(now.unix)?;
    HeaderValue::from_str(&HttpDate::from(time).to_string()).ok()
}

/// The decoded pairs of a query.
fn query_of(request: &HttpRequest) -> Vec<(String, String)> {
    pairs(request.query_string())
}

/// The decoded pairs of the text of a query.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

async fn media(hub: Serving, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    files::answer(&hub.0, &request, payload).await
}

async fn not_upgraded() -> HttpResponse {
    HttpResponse::BadRequest().body("this is the address of a WebSocket")
}

async fn rest_call(hub: Serving, request: HttpRequest, body: Body) -> HttpResponse {
    let (path, query) = (request.path(), query_of(&request));
    let answer = hub
        .0
        .with(|state, now| state.rest(now, path, &query, &body.0));
    let status = StatusCode::from_u16(answer.status).unwrap_or_default();
    HttpResponse::build(status).json(answer.json)
}

async fn not_posted() -> HttpResponse {
    HttpResponse::Ok().json(crate::rest::not_posted())
}

async fn status(hub: Serving) -> HttpResponse {
    HttpResponse::Ok().json(hub.0.with(|state, now| state.status(now)))
}

/// The most entries of the ledger in one answer.
const LEDGER_PAGE: usize = 10_000;

/// `GET /sandbox/ledger?from=N`: a page of the ledger, and where the next one begins.
async fn ledger(hub: Serving, request: HttpRequest) -> HttpResponse {
    let query = query_of(&request);
    let from = query.iter().find(|(name, _)| name == "from");
    let Some(from) = from.map_or(Some(0_u64), |(_, from)| from.parse().ok()) else {
        return HttpResponse::BadRequest()
            .json(json!({"error": "from is the number of the first entry"}));
    };
    let entries = hub.0.with(|state, _| {
        let is_kept = state.config().ledger;
        is_kept.then(|| state.ledger(from, LEDGER_PAGE))
    });
    match entries {
        Some(entries) => {
            let next = entries.last().map_or(from, |last| last.number + 1);
            HttpResponse::Ok().json(json!({"entries": entries, "next": next}))
        }
        None => HttpResponse::NotFound()
            .json(json!({"error": "the sandbox keeps no ledger; set SandboxConfig::ledger"})),
    }
}

/// Returns true if the last segment of the path is the name of a fault.
fn names_fault(context: &guard::GuardContext<'_>) -> bool {
    let name = context.head().uri.path().rsplit('/').next();
    name.is_some_and(|name| Fault::NAMES.contains(&name))
}

async fn no_such_fault() -> HttpResponse {
    let names = Fault::NAMES.join(", ");
    HttpResponse::NotFound()
        .json(json!({"error": format!("no such fault; the faults are {names}")}))
}

async fn order(hub: Serving, fault: web::Path<String>, body: Body) -> HttpResponse {
    let outcome = parse_fault(&fault, &body.0).and_then(|fault| {
        let applied = hub.0.with(|state, now| state.fault(now, fault));
        applied.map_err(|error| error.to_string())
    });
    match outcome {
        Ok(()) => HttpResponse::Ok().json(json!({"ok": true})),
        Err(error) => HttpResponse::BadRequest().json(json!({"error": error})),
    }
}

/// The fault named by the path, with its fields from the body; an empty body has no fields.
fn parse_fault(name: &str, body: &[u8]) -> Result<Fault, String> {
    let body = if body.is_empty() { b"{}" } else { body };
    let mut value: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let Value::Object(fields) = &mut value else {
        return Err("expected a JSON object".to_owned());
    };
    fields.insert("fault".to_owned(), name.into());
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Read, Write},
        net::TcpStream,
        time::SystemTime,
    };

    use super::*;
    use crate::{Sandbox, SandboxConfig, proto::id::SdkAppId};

    /// The value of `Date` in the answer to a request.
    fn date_of(sandbox: &Sandbox, request: &str) -> SystemTime {
        let mut link = TcpStream::connect(sandbox.addr()).unwrap();
        let request = format!("{request}Host: 127.0.0.1\r\n\r\n");
        link.write_all(request.as_bytes()).unwrap();
        let dates: Vec<String> = BufReader::new(link)
            .lines()
            .map_while(|line| line.ok().filter(|line| !line.is_empty()))
            .filter_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("date").then(|| value.to_owned())
            })
            .collect();
        assert_eq!(dates.len(), 1, "{request} {dates:?}");
        dates[0].parse::<HttpDate>().unwrap().into()
    }

    #[test]
    fn answers_have_the_date_of_the_sandbox() {
        let config = SandboxConfig::new(SdkAppId::new(1_400_000_001).unwrap(), "key");
        let sandbox = Sandbox::spawn_thread(config, ([127, 0, 0, 1], 0).into()).unwrap();
        let upgrade = "GET /binfo?sdkappid=1400000001 HTTP/1.1\r\nConnection: Upgrade\r\n\
                       Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let requests = [
            "GET /sandbox/status HTTP/1.1\r\n",
            "GET /binfo HTTP/1.1\r\n",
            upgrade,
        ];
        for ahead in [0, 7200] {
            sandbox.skip_clock(ahead).unwrap();
            for request in requests {
                let now = SystemTime::now();
                let date = date_of(&sandbox, request);
                let ahead = Duration::from_secs(ahead);
                // Dates have whole seconds.
                let earliest = now + ahead - Duration::from_secs(1);
                assert!(date >= earliest, "{request}");
                assert!(date <= SystemTime::now() + ahead, "{request}");
            }
        }
        let sent = sandbox.say("alice", "bob", "hello").unwrap();
        let time: u64 = sent.rsplit('_').next().unwrap().parse().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!(time.abs_diff(now.as_secs() + 7200) <= 5, "{sent}");
        assert!(sandbox.shutdown());
    }

    /// Status and body of the answer to a `GET`.
    fn get(sandbox: &Sandbox, path: &str) -> (u16, Value) {
        let mut link = TcpStream::connect(sandbox.addr()).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        link.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        link.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (
            head[9..12].parse().unwrap(),
            serde_json::from_str(body).unwrap(),
        )
    }

    #[test]
    fn the_ledger_is_read_in_pages() {
        let mut config = SandboxConfig::new(SdkAppId::new(1_400_000_001).unwrap(), "key");
        let without = Sandbox::spawn_thread(config.clone(), ([127, 0, 0, 1], 0).into()).unwrap();
        assert_eq!(get(&without, "/sandbox/ledger").0, 404);
        config.ledger = true;
        let sandbox = Sandbox::spawn_thread(config, ([127, 0, 0, 1], 0).into()).unwrap();
        assert_eq!(
            get(&sandbox, "/sandbox/ledger"),
            (200, json!({"entries": [], "next": 0}))
        );
        let count = LEDGER_PAGE + 5;
        for number in 0..count {
            sandbox
                .say("alice", "bob", &format!("text {number}"))
                .unwrap();
        }
        let (status, page) = get(&sandbox, "/sandbox/ledger?from=3");
        assert_eq!((status, &page["next"]), (200, &json!(LEDGER_PAGE + 3)));
        let first = &page["entries"][0];
        assert_eq!(
            (&first["text"], &first["number"]),
            (&json!("text 3"), &json!(3))
        );
        assert_eq!(
            (&first["from"], &first["to"]),
            (&json!("alice"), &json!("bob"))
        );
        let (_, rest) = get(
            &sandbox,
            &format!("/sandbox/ledger?from={}", LEDGER_PAGE + 3),
        );
        assert_eq!(rest["entries"].as_array().unwrap().len(), 2);
        assert_eq!(rest["next"], count);
        assert_eq!(get(&sandbox, "/sandbox/ledger?from=-1").0, 400);
        let entries = sandbox.ledger(3);
        assert_eq!((entries.len(), &*entries[0].text), (count - 3, "text 3"));
    }

    #[test]
    fn faults_from_paths_and_bodies() {
        assert_eq!(
            parse_fault("kick", br#"{"user":"alice","type":3}"#),
            Ok(Fault::Kick {
                user: "alice".parse().unwrap(),
                kind: 3
            })
        );
        assert_eq!(
            parse_fault("restart", b""),
            Ok(Fault::Restart {
                forget_logins: false
            })
        );
        assert_eq!(
            parse_fault("push", br#"{"user":"alice","event":{"Event":9}}"#),
            Ok(Fault::Push {
                user: "alice".parse().unwrap(),
                event: json!({"Event": 9}),
                servcmd: "im_open_push.msg_push".to_owned(),
                envelope: serde_json::Map::new(),
            })
        );
        for name in Fault::NAMES {
            let unknown = parse_fault(name, b"{}").is_err_and(|e| e.contains("variant"));
            assert!(!unknown, "{name}");
        }
        assert!(parse_fault("kick", b"[]").is_err());
        assert!(parse_fault("kick", br#"{"user":"a b","type":3}"#).is_err());
        assert!(parse_fault("delay", br#"{"user":"a"}"#).is_err());
        assert!(parse_fault("drop_link", br#"{"user":"a","typo":1}"#).is_err());
    }
}
