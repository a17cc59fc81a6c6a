//! Code around every handler of a bot, or of all bots: [`Bot::middleware`](super::Bot::middleware),
//! [`Bots::middleware`](super::Bots::middleware). Some that many want is here.

mod ready;

pub use ready::{catch, log, rate_limit};

use super::event::Event;
use super::handlers::dispatch;
use super::reply::{IntoReply, Reply};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

pub(super) type Layer = Arc<dyn Fn(Event, Next) -> BoxFuture<'static, Reply> + Send + Sync>;

/// What comes after a middleware: the next one, and at last the handler.
///
/// ```
/// use botroupe::prelude::*;
///
/// /// Says how long each handler took.
/// async fn timed(event: Event, next: Next) -> Reply {
///     let began = std::time::Instant::now();
///     let reply = next.run(event).await;
///     println!("{:?}", began.elapsed());
///     reply
/// }
/// # let _ =
/// Bot::new("echo").middleware(timed)
/// # ;
/// ```
#[derive(Clone)]
pub struct Next {
    position: usize,
    only: Option<usize>,
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").finish_non_exhaustive()
    }
}

impl Next {
    /// The first middleware of the event's bot. `only` names the handler, if only one is to be called.
    pub(super) const fn first(only: Option<usize>) -> Self {
        Self { position: 0, only }
    }

    /// Runs what comes after the middleware. Not calling it keeps the handler from being called.
    pub async fn run(self, event: Event) -> Reply {
        let Self { position, only } = self;
        let layer = event.bot().handlers.layer(position);
        match layer {
            Some(layer) => {
                let next = Self {
                    position: position + 1,
                    only,
                };
                layer(event, next).await
            }
            None => dispatch(event, only).await,
        }
    }
}

/// Makes a middleware of a function.
pub(super) fn layer<F, R>(middleware: impl Fn(Event, Next) -> F + Send + Sync + 'static) -> Layer
where
    F: Future<Output = R> + Send + 'static,
    R: IntoReply,
{
    Arc::new(move |event, next| {
        let reply = middleware(event, next);
        async move { reply.await.into_reply() }.boxed()
    })
}
