//! What went wrong in a handler.

use super::event::{Event, FromEvent};
use super::needs::Needs;
use super::rejection::Skipped;
use super::reply::HandlerError;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a handler returns that may fail with any error, as `?` makes one.
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn double(Args(number): Args<String>) -> BotResult<String> {
///     let number: u32 = number.parse()?;
///     Ok((2 * number).to_string())
/// }
/// # let _ = Bot::new("double").command("double <number>", double);
/// ```
pub type BotResult<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// The failure of a handler: a parameter of the handler that [`Bot::on_error`](super::Bot::on_error) adds.
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn sorry(failure: Failure) -> Option<String> {
///     failure.error().map(|error| format!("That did not work: {error}"))
/// }
/// # let _ = Bot::new("shop").on_error(sorry);
/// ```
#[derive(Clone, Debug)]
pub struct Failure {
    handler: &'static str,
    cause: Cause,
}

#[derive(Clone, Debug)]
enum Cause {
    Error(Arc<HandlerError>),
    Panic(Arc<str>),
    TimedOut(Duration),
}

impl Failure {
    pub(super) fn error_of(handler: &'static str, error: HandlerError) -> Self {
        let cause = Cause::Error(Arc::new(error));
        Self { handler, cause }
    }

    pub(super) fn panic_of(handler: &'static str, text: &str) -> Self {
        let cause = Cause::Panic(text.into());
        Self { handler, cause }
    }

    pub(super) const fn timeout_of(handler: &'static str, limit: Duration) -> Self {
        let cause = Cause::TimedOut(limit);
        Self { handler, cause }
    }

    /// The handler that failed.
    #[must_use]
    pub const fn handler(&self) -> &'static str {
        self.handler
    }

    /// The error that the handler returned; `None` when it panicked or exceeded its time limit.
    #[must_use]
    pub fn error(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match &self.cause {
            Cause::Error(error) => Some(&***error),
            Cause::Panic(_) | Cause::TimedOut(_) => None,
        }
    }

    /// Whether the handler panicked.
    #[must_use]
    pub const fn is_panic(&self) -> bool {
        matches!(self.cause, Cause::Panic(_))
    }

    /// Whether the handler exceeded its time limit.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(self.cause, Cause::TimedOut(_))
    }
}

/// An error with everything that caused it, on one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Error(error) => causes(&***error, f),
            Cause::Panic(text) => write!(f, "it panicked: {text}"),
            Cause::TimedOut(limit) => write!(f, "it took longer than {limit:?} and was ended"),
        }
    }
}

fn causes(error: &(dyn Error + Send + Sync), f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut said = error.to_string();
    f.write_str(&said)?;
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // Many errors quote their cause already.
        if !said.contains(&text) {
            write!(f, ": {text}")?;
            said.push_str(&text);
        }
        source = cause.source();
    }
    Ok(())
}

impl FromEvent for Failure {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        event.failure().cloned().ok_or(Skipped)
    }

    fn needs(_: &mut Needs) {}
}
