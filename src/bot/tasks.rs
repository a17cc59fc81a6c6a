//! Work that runs beside a handler: background tasks of its bot, and file transfers.

use super::pool::{Label, Pool};
use futures_util::FutureExt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::watch;
use tracing::{Instrument, Span};

/// The file transfers of a handler. They have limits of their own, so they stop the handler's clock.
#[derive(Clone, Debug, Default)]
pub(super) struct Transfers(Arc<AtomicU32>);

impl Transfers {
    /// A transfer runs until the returned value is dropped.
    pub(super) fn begin(&self) -> Transfer {
        self.0.fetch_add(1, Ordering::Relaxed);
        Transfer(self.0.clone())
    }

    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// See [`Transfers::begin`].
#[derive(Debug)]
pub(super) struct Transfer(Arc<AtomicU32>);

impl Drop for Transfer {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs the background tasks of a bot.
#[derive(Clone)]
pub(super) struct Spawner {
    pub(super) pool: Pool,
    pub(super) label: Label,
    /// `true`, or closed, when the bot ends.
    pub(super) ended: watch::Receiver<bool>,
}

impl std::fmt::Debug for Spawner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Spawner").field(&self.label).finish()
    }
}

impl Spawner {
    /// Runs a task until it or the bot ends.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let Label {
            account,
            bot,
            handler,
            ..
        } = self.label.clone();
        let mut ended = self.ended.clone();
        // That of the handler that starts it.
        let here = Span::current();
        let span = if here.is_none() {
            self.label.span(None)
        } else {
            here
        };
        let task = async move {
            let task = AssertUnwindSafe(task).catch_unwind();
            let outcome = tokio::select! {
                outcome = task => outcome,
                // An error means that the host is gone.
                _ = ended.wait_for(|ended| *ended) => Ok(()),
            };
            if let Err(panic) = outcome {
                let reason = panic_text(&*panic);
                tracing::error!(%account, bot, handler, reason, "a task of the bot panicked");
            }
        };
        self.pool.spawn(self.label.clone(), task.instrument(span));
    }
}

pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given")
}
