//! What the accounts of one app have in common while it runs.

use super::sandbox::Remote;
use super::terms::Credentials;
use crate::account::{Paces, SharedFleet};
use crate::bot::{FileAccess, Pool, Site as BotSite, Tape, Uploads, Voices};
use crate::config::{App, Config, Endpoint, GovernorConfig};
use crate::policy::Governor;
use crate::proto::endpoint::{HostWalk, Site};
use crate::rest::{Rest, origin_of};
use crate::traces::Traces;
use actix::prelude::ArbiterHandle;
use std::sync::Arc;

/// See the module. It stays when the config of its app changes in place.
pub(super) struct Line {
    /// The name of the app.
    pub(super) name: Option<Arc<str>>,
    /// Where its accounts connect.
    pub(super) walk: HostWalk,
    /// Where its REST API is.
    pub(super) rest_origin: Option<String>,
    /// How quick its accounts are together.
    pub(super) paces: Arc<Paces>,
    /// Its accounts, as its bots know them.
    pub(super) fleet: SharedFleet,
    /// What its bots have in common.
    pub(super) site: Arc<BotSite>,
    /// Changes its embedded server, when there is one.
    pub(super) sandbox: Option<Remote>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What all apps of the process have in common.
#[derive(Clone)]
pub(super) struct Ground {
    pub(super) pool: Pool,
    pub(super) tape: Option<Tape>,
    /// Carries the files of the bots, and no account.
    pub(super) file_thread: ArbiterHandle,
    /// Where traces of messages go.
    pub(super) traces: Traces,
}

/// The embedded server of an app.
pub(super) struct Served {
    pub(super) url: String,
    pub(super) rest_url: String,
    pub(super) remote: Remote,
}

impl Line {
    /// Of an app that begins to run.
    pub(super) fn new(config: &Config, app: &App, served: Option<Served>, on: &Ground) -> Self {
        let walk = walk(config, app, served.as_ref().map(|served| &*served.url));
        let (uploads, files) = match &app.endpoint {
            Endpoint::Sandbox | Endpoint::Url(_) => {
                (Uploads::Private, FileAccess::new(Some(&walk.current())))
            }
            Endpoint::Auto | Endpoint::Site(_) => {
                (Uploads::Service(app.sdk_app_id), FileAccess::new(None))
            }
        };
        let fleet = SharedFleet::default();
        let site = BotSite {
            config: config.host,
            uploads,
            files,
            file_thread: Some(on.file_thread.clone()),
            pool: on.pool.clone(),
            tape: on.tape.clone(),
            fleet: fleet.clone(),
            voices: Voices::default(),
            traces: on.traces.clone(),
        };
        let rest_url = served.as_ref().map(|served| served.rest_url.clone());
        Self {
            name: app.name.clone(),
            rest_origin: rest_origin(app, rest_url),
            walk,
            paces: Arc::new(Paces::new(governor(app.governor))),
            fleet,
            site: Arc::new(site),
            sandbox: served.map(|served| served.remote),
        }
    }

    /// Another pace of logins from now on.
    pub(super) fn pace(&self, pace: GovernorConfig) {
        self.paces.governor.replace(governor(pace));
    }

    /// The REST API of the app, when its config names an administrator.
    pub(super) fn rest(&self, app: &App, credentials: &Credentials) -> Option<Rest> {
        let (admin, key) = (app.admin.clone()?, credentials.key.clone()?);
        let origin = self.rest_origin.as_ref()?;
        Some(Rest::new(origin, app.sdk_app_id, admin, key))
    }
}

fn governor(pace: GovernorConfig) -> Governor {
    Governor::new(f64::from(pace.logins_per_second), pace.burst)
}

/// Where the accounts of an app connect to.
pub(crate) fn walk(config: &Config, app: &App, sandbox_url: Option<&str>) -> HostWalk {
    match &app.endpoint {
        Endpoint::Sandbox => HostWalk::fixed(
            &sandbox_url.map_or_else(|| format!("ws://{}", config.sandbox.listen), str::to_owned),
        ),
        Endpoint::Auto => HostWalk::new(Site::of(app.sdk_app_id), app.sdk_app_id),
        Endpoint::Site(site) => HostWalk::new(*site, app.sdk_app_id),
        Endpoint::Url(url) => HostWalk::fixed(url),
    }
}

/// The origin of the REST API; `sandbox` is that of the embedded server.
pub(crate) fn rest_origin(app: &App, sandbox: Option<String>) -> Option<String> {
    match &app.endpoint {
        Endpoint::Sandbox => sandbox,
        Endpoint::Auto => Some(origin_of(Site::of(app.sdk_app_id)).to_owned()),
        Endpoint::Site(site) => Some(origin_of(*site).to_owned()),
        // ws:// is http://, wss:// is https://.
        Endpoint::Url(url) => Some(url.replacen("ws", "http", 1)),
    }
}
