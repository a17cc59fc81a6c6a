//! Async functions as handlers.

use super::extract::{Event, FromEvent, Rejection};
use super::reply::{IntoReply, Reply};
use futures_util::future::BoxFuture;
use std::future::Future;

/// An `async fn` of up to six parameters that implement [`FromEvent`], returning [`IntoReply`].
///
/// `Args` tells functions of different parameters apart; it is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    note = "a handler is an `async fn` whose parameters implement `FromEvent`, whose return type implements `IntoReply`, and whose future is `Send`"
)]
pub trait Handler<Args>: Send + Sync + 'static {
    /// Reads the parameters and makes the future; nothing has run yet.
    ///
    /// # Errors
    /// When a parameter cannot be read from the event.
    fn call(&self, event: &Event) -> Result<BoxFuture<'static, Reply>, Rejection>;
}

macro_rules! handler {
    ($($arg:ident),*) => {
        impl<F, Fut, $($arg),*> Handler<($($arg,)*)> for F
        where
            F: Fn($($arg),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output: IntoReply> + Send + 'static,
            $($arg: FromEvent,)*
        {
            #[allow(unused_variables, reason = "the function without parameters does not read the event")]
            fn call(&self, event: &Event) -> Result<BoxFuture<'static, Reply>, Rejection> {
                let future = self($($arg::from_event(event)?),*);
                Ok(Box::pin(async move { future.await.into_reply() }))
            }
        }
    };
}

handler!();
handler!(A);
handler!(A, B);
handler!(A, B, C);
handler!(A, B, C, D);
handler!(A, B, C, D, E);
handler!(A, B, C, D, E, F1);
