//! Stands for the admin API in a build without the feature `admin`.

use super::error::FleetError;
use crate::account::Changed;
use crate::app::App;
use crate::config::Config;

/// Nothing listens.
pub(super) struct Door;

/// There is nothing to end.
pub(super) struct Served;

impl Door {
    /// # Errors
    /// [`FleetError::Admin`] for a config that wants it.
    pub(super) fn open(config: &Config) -> Result<Self, FleetError> {
        match config.admin.listen {
            None => Ok(Self),
            Some(_) => Err(FleetError::Admin(
                "[admin] listen needs the admin API; build botroupe with the feature `admin`"
                    .into(),
            )),
        }
    }

    pub(super) const fn follower(&self) -> Follower {
        Follower
    }

    pub(super) const fn serve(self, _: &Config, _: &App) -> Served {
        Served
    }
}

impl Served {
    pub(super) const fn url(&self) -> Option<String> {
        None
    }

    pub(super) const fn end(self) {}
}

/// Nobody follows.
pub(super) struct Follower;

impl Follower {
    pub(super) const fn tell(&self, _: &Changed) {}
}
