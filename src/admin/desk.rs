//! Everything that is needed to answer.

use super::alerts::AlertBoard;
use super::feed::Feed;
use super::guard::Guard;
use super::history::{self, Past};
use super::logs::Logs;
use super::metrics::Meter;
use super::refusal::Refusal;
use super::server::Setting;
use super::source::ConfigSource;
use super::types::{History, NewHandover, SandboxOf};
use crate::account::Status;
use crate::app::Controller;
use crate::config::Config;
use crate::gateway::now;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, mpsc};

/// How old a snapshot may be for a further page of a list.
const PAGES: Duration = Duration::from_secs(10);
/// How many may follow the changes at a time.
const FOLLOWERS: usize = 64;
/// How many may follow the log at a time. Each line is compared with what each of them wants.
const LOG_READERS: usize = 16;

/// See the module.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) controller: Controller,
    pub(super) feed: Feed,
    pub(super) guard: Guard,
    pub(super) meter: Meter,
    /// The path of the control socket and the reason, when it is not beside the config.
    pub(super) moved: Option<String>,
    pub(super) sandbox: Option<SandboxOf>,
    /// The address on TCP.
    pub(super) url: Option<String>,
    /// Where the config comes from, when it can be read anew.
    pub(super) source: Option<ConfigSource>,
    /// Begins a handover to the process that listens at a socket.
    pub(super) handover: Option<mpsc::Sender<NewHandover>>,
    /// Unix time.
    pub(super) started: Duration,
    /// The alerts, when somebody watches.
    pub(super) alerts: Option<Arc<dyn AlertBoard>>,
    /// The log of the process, when it is in our hands.
    pub(super) logs: Option<Logs>,
    /// Places for those who follow the changes.
    pub(super) places: Arc<Semaphore>,
    /// Places for those who follow the log.
    pub(super) log_places: Arc<Semaphore>,
    past: std::sync::Mutex<Past>,
    snapshot: Mutex<Option<Snapshot>>,
}

#[derive(Clone, Debug)]
struct Snapshot {
    /// When it was begun, by the monotonic clock.
    at: Duration,
    all: Arc<Vec<Status>>,
}

impl Desk {
    pub(super) fn new(setting: Setting, feed: Feed, url: Option<String>) -> Self {
        Self {
            controller: setting.controller,
            feed,
            guard: Guard::default(),
            meter: Meter::default(),
            moved: setting.moved,
            sandbox: setting.sandbox,
            url,
            source: setting.source,
            handover: setting.handover,
            started: now().unix,
            alerts: setting.alerts,
            logs: setting.logs,
            places: Arc::new(Semaphore::new(FOLLOWERS)),
            log_places: Arc::new(Semaphore::new(LOG_READERS)),
            past: std::sync::Mutex::default(),
            snapshot: Mutex::default(),
        }
    }

    /// The config that runs: tokens may change with it.
    pub(super) fn config(&self) -> Arc<Config> {
        self.controller.config()
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        // Nothing panics while holding it.
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many accounts were in which state.
    pub(super) fn history(&self) -> History {
        self.past().told()
    }

    /// Notes how many accounts are in which state, as long as the supervisor lives.
    pub(super) async fn keep_history(&self) {
        while self.controller.is_alive() {
            let counts = self.controller.phases().await;
            self.past().note(now().unix, counts);
            tokio::time::sleep(history::EVERY).await;
        }
    }

    /// # Errors
    /// 503 when the supervisor of the accounts is dead.
    pub(super) fn alive(&self) -> Result<(), Refusal> {
        if self.controller.is_alive() {
            Ok(())
        } else {
            Err(Refusal::no_supervisor())
        }
    }

    /// How every account stands, asked after this was called. Who asks while somebody else is asking shares the next
    /// answer: however many ask, the accounts are asked once at a time.
    ///
    /// # Errors
    /// 503 when the supervisor of the accounts is dead.
    pub(super) async fn status(&self) -> Result<Arc<Vec<Status>>, Refusal> {
        self.snapshot(now().mono).await
    }

    /// The same, of the last seconds, for a further page of a list.
    ///
    /// # Errors
    /// 503 when the supervisor of the accounts is dead.
    pub(super) async fn recent_status(&self) -> Result<Arc<Vec<Status>>, Refusal> {
        self.snapshot(now().mono.saturating_sub(PAGES)).await
    }

    async fn snapshot(&self, not_before: Duration) -> Result<Arc<Vec<Status>>, Refusal> {
        self.alive()?;
        let mut known = self.snapshot.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.at >= not_before) {
            return Ok(known.all.clone());
        }
        let at = now().mono;
        let all = Arc::new(self.controller.status().await);
        *known = Some(Snapshot {
            at,
            all: all.clone(),
        });
        Ok(all)
    }
}

/// The desk, as an extractor.
pub(super) struct At(pub(super) Arc<Desk>);

impl FromRequest for At {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(desk_of(request).map(Self))
    }
}

/// # Errors
/// 503 for a request that came to no server.
pub(super) fn desk_of(request: &HttpRequest) -> Result<Arc<Desk>, Refusal> {
    let desk = request.app_data::<Arc<Desk>>().cloned();
    desk.ok_or_else(|| Refusal::unavailable("the server is not ready"))
}
