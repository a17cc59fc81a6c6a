//! Serves the admin API of a fleet that runs inside another program, where its config says so.

use super::error::FleetError;
use crate::account::Changed;
use crate::admin::types::SandboxOf;
use crate::admin::{Admin, Feed, Opened, Setting};
use crate::app::App;
use crate::config::Config;

/// What listens, before the fleet runs. There is no control socket: the program is not `botroupe run`.
pub(super) struct Door(Option<Opened>);

/// The running API; dropping it ends it.
pub(super) struct Served(Option<Admin>);

impl Door {
    /// # Errors
    /// [`FleetError::Admin`].
    pub(super) fn open(config: &Config) -> Result<Self, FleetError> {
        let wanted = config.admin.listen.map(|_| Opened::new(&config.admin));
        let opened = wanted.transpose();
        opened
            .map(Self)
            .map_err(|error| FleetError::Admin(error.into()))
    }

    /// Where changes are told.
    pub(super) fn follower(&self) -> Follower {
        Follower(self.0.as_ref().map(Opened::feed))
    }

    /// Starts to answer.
    pub(super) fn serve(self, config: &Config, app: &App) -> Served {
        let sandbox = SandboxOf::first(config, app);
        let admin = self.0.map(|opened| {
            opened.serve(Setting {
                controller: app.controller(),
                moved: None,
                sandbox,
                source: None,
                handover: None,
                alerts: None,
                // The program around it has set up its own.
                logs: None,
            })
        });
        if let Some(url) = admin.as_ref().and_then(Admin::url) {
            tracing::info!("admin API listening on {url}");
        }
        Served(admin)
    }
}

impl Served {
    /// Its address.
    pub(super) fn url(&self) -> Option<String> {
        self.0.as_ref()?.url().map(str::to_owned)
    }

    /// Answers nobody any more.
    pub(super) fn end(self) {
        drop(self.0);
    }
}

/// Tells those who follow the changes.
pub(super) struct Follower(Option<Feed>);

impl Follower {
    pub(super) fn tell(&self, changed: &Changed) {
        if let Some(feed) = &self.0 {
            feed.tell(changed);
        }
    }
}
