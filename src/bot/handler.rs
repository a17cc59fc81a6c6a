//! Async functions as handlers.

use super::event::{Event, FromEvent};
use super::needs::Needs;
use super::rejection::{IntoRejection, Rejection};
use std::future::Future;

/// An `async fn` of up to twelve parameters. `Args` is the tuple of its parameters; it is always inferred.
///
/// The methods of [`Bot`](super::Bot) that take a handler ask further that its parameters implement
/// [`FromEvent`], that what it returns implements [`IntoReply`](super::IntoReply), and that its future is
/// `Send`. They do so in bounds of their own: the compiler then names the parameter or the type that is wrong.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    note = "a handler is an `async fn` of up to twelve parameters: write `async` before `fn`; of more parameters make one type with `impl FromEvent`"
)]
pub trait Handler<Args>: Send + Sync + 'static {
    /// What the function returns.
    type Output;
    /// What runs when it is called.
    type Future: Future<Output = Self::Output>;

    /// Calls the function; nothing has run yet when this returns.
    fn call(&self, args: Args) -> Self::Future;
}

/// The parameters of a handler: a tuple of types that implement [`FromEvent`].
pub trait Parameters: Sized + Send {
    /// Reads all of them from the event.
    ///
    /// # Errors
    /// When one of them cannot be read.
    fn from_event(event: &Event) -> impl Future<Output = Result<Self, Rejection>> + Send;

    /// What all of them need.
    fn needs(needs: &mut Needs);
}

macro_rules! handler {
    ($($arg:ident),*) => {
        impl<F, Fut, $($arg),*> Handler<($($arg,)*)> for F
        where
            F: Fn($($arg),*) -> Fut + Send + Sync + 'static,
            Fut: Future,
        {
            type Output = Fut::Output;
            type Future = Fut;

            #[allow(non_snake_case, reason = "the parameters are named like their types")]
            fn call(&self, ($($arg,)*): ($($arg,)*)) -> Fut {
                self($($arg),*)
            }
        }

        impl<$($arg: FromEvent),*> Parameters for ($($arg,)*) {
            #[allow(unused_variables, reason = "without parameters the event is not read")]
            async fn from_event(event: &Event) -> Result<Self, Rejection> {
                Ok(($($arg::from_event(event).await.map_err(IntoRejection::into_rejection)?,)*))
            }

            #[allow(unused_variables, reason = "without parameters nothing is needed")]
            fn needs(needs: &mut Needs) {
                $($arg::needs(needs);)*
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
handler!(A, B, C, D, E, G);
handler!(A, B, C, D, E, G, H);
handler!(A, B, C, D, E, G, H, I);
handler!(A, B, C, D, E, G, H, I, J);
handler!(A, B, C, D, E, G, H, I, J, K);
handler!(A, B, C, D, E, G, H, I, J, K, L);
handler!(A, B, C, D, E, G, H, I, J, K, L, M);
