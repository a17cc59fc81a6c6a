//! Stands for systemd where there is none.

use crate::app::Controller;

/// Tells nobody.
#[derive(Clone, Debug)]
pub(super) struct Service;

impl Service {
    pub(super) const fn of_process() -> Self {
        Self
    }

    #[expect(clippy::unused_async, reason = "as where there is somebody to tell")]
    pub(super) async fn watch(self, _: Controller) {}

    pub(super) const fn reloading(&self) {}

    pub(super) const fn reloaded(&self) {}

    #[cfg(unix)]
    pub(super) const fn status(&self, _: &str) {}

    pub(super) const fn succeeded_by(&self, _: u32) {}

    pub(super) const fn stopping(&self) {}
}
