//! Listens, accepts, and puts the parts together.
//!
//! The server accepts connections itself and hands each stream to actix-http: the control socket has file handles in
//! reserve, so that it answers when the accounts have taken all others.

use super::alerts::AlertBoard;
use super::audit::noted;
use super::desk::{Desk, desk_of};
use super::door::{Door, Wire};
use super::feed::Feed;
use super::guard::Guard;
use super::logs::Logs;
#[cfg(unix)]
use super::socket::{Socket, Spare};
use super::source::ConfigSource;
use super::tls::{TlsError, acceptor};
use super::types::{NewHandover, SandboxOf};
use super::{body, refusal::Refusal, routes};
use crate::app::Controller;
use crate::config::AdminConfig;
use crate::gateway::now;
use actix::prelude::{Arbiter, ArbiterHandle};
use actix_http::HttpService;
use actix_service::{Service, ServiceFactory, map_config};
use actix_web::dev::{AppConfig, ServiceRequest};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpMessage, HttpResponse, ResponseError, web};
use futures_util::future::{Either, LocalBoxFuture, ready};
use std::cell::Cell;
use std::io;
use std::net::{SocketAddr, TcpListener};
#[cfg(unix)]
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// How long a client may take on a reserved file handle, and for a TLS handshake.
const LIMIT: Duration = Duration::from_secs(10);
/// The pause before the next client when no file handle was left for the last one.
const PAUSE: Duration = Duration::from_millis(200);
/// Connections over TCP at a time.
const CONNECTIONS: usize = 512;

/// Why the API cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// The address cannot be listened at.
    #[error("admin.listen: {address}: {source}; choose another port, or end what listens there")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// TLS cannot be served.
    #[error("admin.tls: {0}")]
    Tls(#[from] TlsError),
}

/// Checks what only this machine shows: the files of the certificate.
///
/// # Errors
/// [`AdminError::Tls`].
pub fn check(config: &AdminConfig) -> Result<(), AdminError> {
    config.tls.as_ref().map(acceptor).transpose()?;
    Ok(())
}

struct Tcp {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
}

impl std::fmt::Debug for Tcp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tcp").field(&self.address).finish()
    }
}

/// What listens already and answers later: clients wait until it is served.
#[derive(Debug)]
pub struct Opened {
    feed: Feed,
    #[cfg(unix)]
    socket: Option<Socket>,
    tcp: Option<Tcp>,
}

/// What a running fleet gives the server.
#[derive(Debug)]
pub struct Setting {
    /// Asks the fleet and orders it.
    pub controller: Controller,
    /// The path of the control socket and the reason, when it is not beside the config.
    pub moved: Option<String>,
    /// The embedded server, when there is one.
    pub sandbox: Option<SandboxOf>,
    /// Where the config comes from, when it can be read anew.
    pub source: Option<ConfigSource>,
    /// The alerts, when somebody watches.
    pub alerts: Option<Arc<dyn AlertBoard>>,
    /// The log of the process, when it is in our hands.
    pub logs: Option<Logs>,
    /// Told at which socket another process waits to go on with the logins.
    pub handover: Option<mpsc::Sender<NewHandover>>,
}

impl Opened {
    /// Listens where `[admin] listen` says.
    ///
    /// # Errors
    /// [`AdminError`].
    pub fn new(config: &AdminConfig) -> Result<Self, AdminError> {
        let tcp = config.listen.map(|listen| {
            let tls = config.tls.as_ref().map(acceptor).transpose()?;
            let bad = |source| AdminError::Bind {
                address: listen,
                source,
            };
            let listener = TcpListener::bind(listen).map_err(bad)?;
            listener.set_nonblocking(true).map_err(bad)?;
            let address = listener.local_addr().map_err(bad)?;
            Ok::<_, AdminError>(Tcp {
                listener,
                address,
                tls,
            })
        });
        Ok(Self {
            feed: Feed::default(),
            #[cfg(unix)]
            socket: None,
            tcp: tcp.transpose()?,
        })
    }

    /// Listens on a Unix socket too, which only its owner can use.
    ///
    /// # Errors
    /// When another process answers there, or the file cannot be created.
    #[cfg(unix)]
    pub fn add_socket(&mut self, path: &Path) -> io::Result<()> {
        self.socket = Some(Socket::open(path)?);
        Ok(())
    }

    /// Where changes are told, for those who follow.
    #[must_use]
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// The address on TCP, `http://127.0.0.1:7070`.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let tcp = self.tcp.as_ref()?;
        let scheme = if tcp.tls.is_some() { "https" } else { "http" };
        Some(format!("{scheme}://{}", tcp.address))
    }

    /// Starts to answer, inside a running actix `System`.
    #[must_use]
    pub fn serve(mut self, setting: Setting) -> Admin {
        let url = self.url();
        let desk = Arc::new(Desk::new(setting, self.feed.clone(), url.clone()));
        #[cfg(unix)]
        let door = self.socket.as_mut().and_then(Socket::take);
        let tcp = self.tcp.take();
        let arbiter = Arbiter::new();
        arbiter.spawn_fn(move || {
            actix_rt::spawn({
                let desk = desk.clone();
                async move { desk.keep_history().await }
            });
            actix_rt::spawn(async move {
                let Some(serve) = service(desk).await else {
                    tracing::error!("the admin API cannot be built");
                    return;
                };
                #[cfg(unix)]
                if let Some((listener, spare)) = door {
                    actix_rt::spawn(accept_owner(listener, spare, serve.clone()));
                }
                if let Some(tcp) = tcp {
                    accept(tcp, serve).await;
                }
            });
        });
        Admin {
            arbiter: arbiter.handle(),
            url,
            #[cfg(unix)]
            _socket: self.socket,
        }
    }
}

/// The running server; dropping it ends it.
#[derive(Debug)]
pub struct Admin {
    arbiter: ArbiterHandle,
    url: Option<String>,
    #[cfg(unix)]
    _socket: Option<Socket>,
}

impl Admin {
    /// The address on TCP, `http://127.0.0.1:7070`.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.arbiter.stop();
    }
}

/// Serves one connection to its end.
type Serve = Rc<dyn Fn(Wire) -> LocalBoxFuture<'static, ()>>;

async fn service(desk: Arc<Desk>) -> Option<Serve> {
    let app = App::new()
        .app_data(desk)
        .app_data(web::PayloadConfig::new(body::MAX_BODY))
        // A part of a path that is none of those there are.
        .app_data(web::PathConfig::default().error_handler(|_, _| routes::unknown_part().into()))
        .wrap(from_fn(noted))
        .wrap_fn(|request, service| {
            let desk = desk_of(request.request());
            let admitted = desk
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|desk| admit(desk, &request));
            let origin = request.headers().get(header::ORIGIN).cloned();
            let is_preflight = request.method() == Method::OPTIONS && origin.is_some();
            let answering = match admitted {
                Ok(()) if is_preflight => {
                    let empty = HttpResponse::NoContent().finish();
                    Either::Right(ready(Ok(request.into_response(empty))))
                }
                Ok(()) => Either::Left(service.call(request)),
                Err(refusal) => {
                    if let Ok(desk) = &desk {
                        desk.guard.note(&refusal);
                    }
                    Either::Right(ready(Ok(request.into_response(refusal.error_response()))))
                }
            };
            async move {
                let mut answer = answering.await?;
                if let Ok(desk) = desk {
                    desk.meter.answered(answer.status().as_u16());
                    let error = answer.response().error();
                    if let Some(refusal) = error.and_then(|error| error.as_error::<Refusal>()) {
                        desk.guard.note(refusal);
                    }
                }
                let is_served = !answer.status().is_client_error();
                protect(answer.headers_mut(), origin.filter(|_| is_served));
                Ok(answer)
            }
        })
        .configure(routes::mount)
        .default_service(web::to(routes::no_such_path));
    let http = HttpService::build()
        .on_connect_ext(|wire: &Wire, data| {
            data.insert(wire.door());
        })
        .h1(map_config(app, |()| AppConfig::default()));
    let service = Rc::new(http.new_service(()).await.ok()?);
    Some(Rc::new(move |wire| {
        let service = Rc::clone(&service);
        Box::pin(async move {
            // A client that went away, or speaks no HTTP, is no failure of this process.
            if let Err(error) = service.call((wire, None)).await {
                tracing::debug!(%error, "a connection to the admin API ended");
            }
        })
    }))
}

/// Lets a request in, and notes who makes it.
fn admit(desk: &Desk, request: &ServiceRequest) -> Result<(), Refusal> {
    let door = request.conn_data::<Door>().copied();
    let door = door.ok_or_else(|| Refusal::unavailable("the connection is not known"))?;
    if routes::is_probe(request.path()) {
        return Ok(()); // It says yes or no; a probe knows the server by whatever name.
    }
    let config = desk.config();
    let (admin, headers) = (&config.admin, request.headers());
    Guard::admit(admin, door, headers)?;
    let identity = desk.guard.identify(admin, now().mono, door, headers);
    request.extensions_mut().insert(identity);
    Ok(())
}

/// Headers for browsers. An origin that was let in may read the answer.
fn protect(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    let mut default = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default(header::CACHE_CONTROL, "no-store");
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::X_FRAME_OPTIONS, "DENY");
    default(header::REFERRER_POLICY, "no-referrer");
    default(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    default(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    if let Some(origin) = origin {
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, PUT, DELETE"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, content-type, last-event-id"),
        );
    }
}

/// Serves the owner as long as the process lives. When no file handle is left for a connection, a reserved one serves
/// one client after the other: status and orders are needed most at such a time.
#[cfg(unix)]
async fn accept_owner(listener: std::os::unix::net::UnixListener, mut spare: Spare, serve: Serve) {
    let Ok(listener) = tokio::net::UnixListener::from_std(listener) else {
        tracing::error!("the control socket cannot be served");
        return;
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                actix_rt::spawn(serve(Wire::Socket(stream)));
            }
            Err(error) => {
                tracing::warn!(%error, "control socket: a client cannot be let in at once");
                // An account may take the handle that is released here; then the next one is released.
                spare.release();
                match tokio::time::timeout(PAUSE, listener.accept()).await {
                    Ok(Ok((stream, _))) => {
                        let _ = tokio::time::timeout(LIMIT, serve(Wire::Socket(stream))).await;
                    }
                    Ok(Err(_)) => tokio::time::sleep(PAUSE).await,
                    Err(_) => {}
                }
            }
        }
        spare.refill();
    }
}

/// Counts an open connection.
struct Permit(Rc<Cell<usize>>);

impl Permit {
    fn new(count: &Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Self(Rc::clone(count))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

async fn accept(tcp: Tcp, serve: Serve) {
    let Ok(listener) = tokio::net::TcpListener::from_std(tcp.listener) else {
        tracing::error!("the admin API cannot listen");
        return;
    };
    let open = Rc::new(Cell::new(0));
    loop {
        match listener.accept().await {
            Ok(_) if open.get() >= CONNECTIONS => {}
            Ok((stream, peer)) => {
                let permit = Permit::new(&open);
                let _ = stream.set_nodelay(true); // Answers are whole; waiting adds delay only.
                let (tls, serve) = (tcp.tls.clone(), serve.clone());
                actix_rt::spawn(async move {
                    let wire = match tls {
                        None => Some(Wire::Tcp(stream, peer)),
                        Some(tls) => match tokio::time::timeout(LIMIT, tls.accept(stream)).await {
                            Ok(Ok(stream)) => Some(Wire::Tls(Box::new(stream), peer)),
                            _ => None,
                        },
                    };
                    if let Some(wire) = wire {
                        serve(wire).await;
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the admin API cannot let a client in");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
