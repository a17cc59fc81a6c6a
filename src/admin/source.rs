//! Where the config of the process comes from.

use crate::config::Config;
use std::sync::Arc;

/// Reads the config of the process anew; the error names every mistake. It blocks.
type Read = dyn Fn() -> Result<Config, String> + Send + Sync;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct ConfigSource(Arc<Read>);

impl ConfigSource {
    /// A source that is read with this.
    pub fn new(read: impl Fn() -> Result<Config, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// Reads and checks the config. Blocks.
    ///
    /// # Errors
    /// Every mistake in it, or why it cannot be read.
    pub(super) fn read(&self) -> Result<Config, String> {
        (self.0)()
    }
}

impl std::fmt::Debug for ConfigSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfigSource").finish_non_exhaustive()
    }
}
