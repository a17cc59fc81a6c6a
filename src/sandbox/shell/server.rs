//! The web server around the state: binding, accepting, routes, start and stop.
//!
//! It accepts by itself and hands each stream to actix-http, so that a stream can be cut while the
//! dispatcher is stuck in it (see `cut`).

use std::{
    cell::Cell,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix_http::HttpService;
use actix_service::map_config;
use actix_web::{
    App, HttpRequest, HttpResponse,
    dev::{AppConfig, Service, ServiceFactory},
    http::Method,
    web,
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::{
    cut::CuttableStream, files, guard::Guard, guard::Refusal, hub::Hub, hub::Shared, store::Store,
    store::StoreError, tls, tls::TlsError, websocket,
};
use crate::{seed::Seed, seed::SeedError, state::Fault, state::Frames, state::MEDIA_PATH};

/// Why a sandbox did not start.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// The address cannot be listened on.
    #[error("the sandbox cannot listen on {addr}: {source}; choose another port, or 0 for any")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The seed is refused.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The seed cannot be read.
    #[error("{path}: {source}; name a seed file that is there, or none", path = path.display())]
    SeedFile {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store is refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another sandbox has the store.
    #[error("{path}: another sandbox runs with this store; end it, or name another file", path = path.display())]
    StoreInUse {
        /// Its path.
        path: PathBuf,
    },
    /// The store is there and cannot be read.
    #[error("{path}: {source}; make it a file that can be read, or name another one", path = path.display())]
    StoreFile {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It cannot speak TLS.
    #[error("the sandbox cannot speak TLS: {0}")]
    Tls(#[from] TlsError),
    /// The system gives no random numbers: tickets could be guessed.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    /// The server's own thread could not be started.
    #[error("the sandbox cannot start its thread: {source}")]
    Thread {
        /// What the system said.
        source: std::io::Error,
    },
}

/// Everything the server's task needs.
pub(super) struct Prepared {
    pub(super) shared: Arc<Shared>,
    pub(super) store: Option<Arc<Store>>,
    pub(super) listener: TcpListener,
    pub(super) tls: Option<TlsAcceptor>,
    /// Fires, or is dropped, when the server has to end.
    pub(super) stop: oneshot::Receiver<()>,
    /// Fires when it has ended: whether everything is in the store, if there is one.
    pub(super) done: oneshot::Sender<bool>,
}

/// Listens without blocking, and tells the port that was chosen.
pub(super) fn bind(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), SandboxError> {
    let bind = || {
        let listener = TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let local = listener.local_addr()?;
        Ok((listener, local))
    };
    bind().map_err(|source| SandboxError::Bind { addr, source })
}

/// Reads and checks the file a sandbox starts with.
pub(super) fn read_seed(path: &Path) -> Result<Seed, SandboxError> {
    let text = std::fs::read_to_string(path).map_err(|source| SandboxError::SeedFile {
        path: path.to_owned(),
        source,
    })?;
    Ok(Seed::parse(&path.display().to_string(), &text)?)
}

/// Sockets beyond the limit of connections that are still accepted, to be told so or to make REST
/// calls.
const SPARE_SOCKETS: usize = 64;
/// How long sockets get to close by themselves at the end.
const CLOSING_TIME: Duration = Duration::from_secs(1);
/// How long a body may take: whoever sends it slower holds a socket for nothing.
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
    let is_saved = match &store {
        Some(store) => {
            let is_saved = store.save(&shared).await;
            store.release();
            is_saved
        }
        None => true,
    };
    // Nobody waiting is fine.
    let _ = done.send(is_saved);
}

/// Counts itself while a socket is open.
struct Occupied(Rc<Cell<usize>>);

impl Occupied {
    fn new(sockets: &Rc<Cell<usize>>) -> Self {
        sockets.set(sockets.get() + 1);
        Self(Rc::clone(sockets))
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

async fn accept(hub: &Rc<Hub>, listener: TcpListener, tls: Option<TlsAcceptor>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the sandbox cannot listen");
            return;
        }
    };
    let app_hub = Rc::clone(hub);
    let app = App::new().default_service(web::to(move |request, payload| {
        let hub = Rc::clone(&app_hub);
        async move { answer(&hub, request, payload).await }
    }));
    let http = HttpService::build()
        .on_connect_ext(|io: &CuttableStream, data| {
            data.insert(io.knife());
            data.insert(io.scheme());
        })
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
                // Small frames both ways: waiting for more would only add delay.
                let _ = io.set_nodelay(true);
                let occupied = Occupied::new(&sockets);
                let (service, tls) = (Rc::clone(&service), tls.clone());
                actix_rt::spawn(async move {
                    if let Some(io) = tls::greet(tls.as_ref(), io).await {
                        let serving = service.call((CuttableStream::new(io), Some(peer)));
                        // Errors here are peers that went away or spoke no HTTP.
                        if let Err(error) = serving.await {
                            tracing::debug!(%error, "a socket of the sandbox ended");
                        }
                    }
                    drop(occupied);
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: others have to close first.
                tracing::warn!(%error, "the sandbox cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn answer(
    hub: &Rc<Hub>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, actix_web::Error> {
    let guard = hub.guard();
    if let Err(refusal) = guard.admit(request.headers()) {
        return Ok(refused(refusal));
    }
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(request.query_string().as_bytes())
            .into_owned()
            .collect();
    let path = request.path().to_owned();
    if path.starts_with(MEDIA_PATH) {
        return Ok(files::answer(hub, &request, payload).await);
    }
    let frames = match path.rsplit('/').next() {
        Some("binfo") => Some(Frames::Binary),
        Some("info") => Some(Frames::Text),
        _ => None,
    };
    if let Some(frames) = frames {
        let (max_connections, max_frame) = {
            let state = hub.shared.lock();
            (state.config().max_connections, state.config().max_frame)
        };
        if hub.links() >= max_connections {
            return Ok(HttpResponse::ServiceUnavailable().body("the sandbox is full"));
        }
        return websocket::upgrade(hub, &request, payload, frames, query, max_frame);
    }
    if path.starts_with("/v4/") {
        if request.method() != Method::POST {
            return Ok(HttpResponse::Ok().json(crate::rest::not_posted()));
        }
        if let Err(refusal) = Guard::admit_body(request.headers()) {
            return Ok(refused(refusal));
        }
        let Some(body) = read_body(payload).await else {
            return Ok(HttpResponse::PayloadTooLarge().finish());
        };
        let answer = hub.with(|state, now| state.rest(now, &path, &query, &body));
        let status = actix_web::http::StatusCode::from_u16(answer.status).unwrap_or_default();
        return Ok(HttpResponse::build(status).json(answer.json));
    }
    let Some(command) = path.strip_prefix("/sandbox/") else {
        return Ok(HttpResponse::NotFound().finish());
    };
    if let Err(refusal) = guard.admit_order(&request) {
        return Ok(refused(refusal));
    }
    if command == "status" && request.method() == Method::GET {
        return Ok(HttpResponse::Ok().json(hub.with(|state, now| state.status(now))));
    }
    if request.method() != Method::POST || !Fault::NAMES.contains(&command) {
        return Ok(HttpResponse::NotFound().json(json!({
            "error": format!("no such fault; there are {}", Fault::NAMES.join(", ")),
        })));
    }
    if let Err(refusal) = Guard::admit_body(request.headers()) {
        return Ok(refused(refusal));
    }
    let Some(body) = read_body(payload).await else {
        return Ok(HttpResponse::PayloadTooLarge().finish());
    };
    let outcome = parse_fault(command, &body).and_then(|fault| {
        hub.with(|state, now| state.fault(now, fault))
            .map_err(|e| e.to_string())
    });
    Ok(match outcome {
        Ok(()) => HttpResponse::Ok().json(json!({"ok": true})),
        Err(error) => HttpResponse::BadRequest().json(json!({"error": error})),
    })
}

/// The fault named by the path, with its fields from the body; no body is no fields.
fn parse_fault(name: &str, body: &[u8]) -> Result<Fault, String> {
    let body = if body.is_empty() { b"{}" } else { body };
    let mut value: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let Value::Object(fields) = &mut value else {
        return Err("expected a JSON object".to_owned());
    };
    fields.insert("fault".to_owned(), name.into());
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn refused(refusal: Refusal) -> HttpResponse {
    HttpResponse::build(refusal.status).json(json!({"error": refusal.reason}))
}

/// The whole body, or `None` if it is too long, takes too long, or breaks off.
async fn read_body(mut payload: web::Payload) -> Option<Vec<u8>> {
    let whole = async {
        let mut body = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.ok()?;
            if body.len() + chunk.len() > MAX_BODY {
                return None;
            }
            body.extend_from_slice(&chunk);
        }
        Some(body)
    };
    tokio::time::timeout(BODY_TIME, whole).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

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
