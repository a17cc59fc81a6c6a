//! Where the config of the process comes from.

use crate::config::Config;
use std::sync::Arc;

/// Reads the config of the process anew; the error names every mistake. It blocks.
type Read = dyn Fn() -> Result<Config, String> + Send + Sync;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct ConfigSource {
    read: Arc<Read>,
    told: Option<Arc<Told>>,
}

/// Told that a reload begins (`true`), and that it is over, whatever came of it.
type Told = dyn Fn(bool) + Send + Sync;

/// A reload that is under way; it is over when this is dropped.
pub(super) struct UnderWay(Option<Arc<Told>>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(told) = &self.0 {
            told(false);
        }
    }
}

impl ConfigSource {
    /// A source that is read with this.
    pub fn new(read: impl Fn() -> Result<Config, String> + Send + Sync + 'static) -> Self {
        Self {
            read: Arc::new(read),
            told: None,
        }
    }

    /// Tells of each reload that it begins (`true`), and that it is over, whatever came of it.
    #[must_use]
    pub fn telling(self, told: impl Fn(bool) + Send + Sync + 'static) -> Self {
        let told: Option<Arc<Told>> = Some(Arc::new(told));
        Self { told, ..self }
    }

    /// A reload begins.
    pub(super) fn begin(&self) -> UnderWay {
        if let Some(told) = &self.told {
            told(true);
        }
        UnderWay(self.told.clone())
    }

    /// Reads and checks the config. Blocks.
    ///
    /// # Errors
    /// Every mistake in it, or why it cannot be read.
    pub(super) fn read(&self) -> Result<Config, String> {
        (self.read)()
    }
}

impl std::fmt::Debug for ConfigSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfigSource").finish_non_exhaustive()
    }
}
