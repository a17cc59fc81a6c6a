//! What a handler may return.

use super::api::IntoDraft;
use super::outgoing_file::Outgoing;
use super::streamed::Streamed;
use crate::proto::message::{Draft, Element, Message};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// An error of a handler, as it is logged; its sources are kept.
pub(super) type HandlerError = Box<dyn Error + Send + Sync>;

/// The result of a handler: a message to send, nothing, or an error. [`IntoReply`] makes it.
///
/// ```
/// use botroupe::bot::Reply;
/// use botroupe::prelude::*;
///
/// /// Celsius, said with its unit.
/// struct Degrees(f64);
///
/// impl IntoReply for Degrees {
///     fn into_reply(self) -> Reply {
///         if self.0.is_finite() {
///             Reply::message(format!("{:.1} °C", self.0))
///         } else {
///             Reply::failed("no temperature")
///         }
///     }
/// }
/// ```
#[derive(Debug)]
#[must_use = "a reply that is not returned is not sent"]
pub struct Reply(Said);

#[derive(Debug)]
enum Said {
    /// The handler is not for the event after all.
    Pass,
    Nothing,
    One(Answer),
    Many(Vec<Answer>),
    Failed(HandlerError),
}

impl Reply {
    /// Nothing is sent.
    pub const fn none() -> Self {
        Self(Said::Nothing)
    }

    /// The handler leaves the event to the next handler, see [`Pass`].
    pub const fn pass() -> Self {
        Self(Said::Pass)
    }

    /// A message is sent.
    pub fn message(draft: impl IntoDraft) -> Self {
        Self(Said::One(Answer::Message(draft.into_draft())))
    }

    /// A file is uploaded and sent.
    pub fn file(file: Outgoing) -> Self {
        Self(Said::One(Answer::File(Box::new(file))))
    }

    /// A reply that grows.
    pub(super) fn streamed(streamed: Streamed) -> Self {
        Self(Said::One(Answer::Streamed(Box::new(streamed))))
    }

    /// A message is sent after a while, also if the program was restarted in between; if it does not run then, or the account
    /// is offline, as soon as both are back. Times are whole seconds, rounded up. Nothing is sent if the handler fails.
    ///
    /// ```
    /// use botroupe::prelude::*;
    /// use std::time::Duration;
    ///
    /// async fn quiz(_: Text) -> (&'static str, Reply) {
    ///     ("Which river is the longest?", Reply::after(Duration::from_secs(30), "It is the Nile."))
    /// }
    /// # let _ = Bot::new("quiz").on_text(quiz);
    /// ```
    pub fn after(time: Duration, draft: impl IntoDraft) -> Self {
        Self(Said::One(Answer::Later(time, draft.into_draft())))
    }

    /// The handler failed: the error is logged with account and bot, and
    /// [`Bot::on_error`](super::Bot::on_error) decides what is answered.
    pub fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Said::Failed(error.into()))
    }

    /// Sends another reply after this one. A failure of either is the failure of both: then nothing is sent.
    pub fn then(self, next: Self) -> Self {
        match (self.0, next.0) {
            (Said::Failed(error), _) | (_, Said::Failed(error)) => Self(Said::Failed(error)),
            (Said::Pass, other) | (other, Said::Pass) => Self(other),
            (Said::Nothing, other) | (other, Said::Nothing) => Self(other),
            (Said::One(first), Said::One(second)) => Self(Said::Many(vec![first, second])),
            (Said::One(first), Said::Many(mut more)) => {
                more.insert(0, first);
                Self(Said::Many(more))
            }
            (Said::Many(mut all), Said::One(last)) => {
                all.push(last);
                Self(Said::Many(all))
            }
            (Said::Many(mut all), Said::Many(more)) => {
                all.extend(more);
                Self(Said::Many(all))
            }
        }
    }

    /// Quotes a message in the first one that is sent.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn answer(message: Message) -> Reply {
    ///     Reply::message("Yes.").quoting(&message).mentioning(&message)
    /// }
    /// # let _ = Bot::new("yes").on_text(answer);
    /// ```
    pub fn quoting(mut self, message: &Message) -> Self {
        if let Some(draft) = self.first_draft() {
            *draft = std::mem::take(draft).quote(message);
        }
        self
    }

    /// Mentions the sender of a message in the first one that is sent, and puts `@` and the name before its text. Only
    /// in groups; elsewhere the sender knows who is meant.
    pub fn mentioning(mut self, message: &Message) -> Self {
        if message.conversation.is_group()
            && let Some(draft) = self.first_draft()
        {
            *draft = std::mem::take(draft).mention(&*message.from);
            let name = match message.nick.as_str() {
                "" => &*message.from,
                nick => nick,
            };
            let mut elements = draft.elements.iter_mut();
            let text = elements.find_map(|element| match element {
                Element::Text(text) => Some(&mut text.text),
                _ => None,
            });
            if let Some(text) = text {
                text.insert_str(0, &format!("@{name} "));
            }
        }
        self
    }

    /// The first message that is sent, if it is no file.
    fn first_draft(&mut self) -> Option<&mut Draft> {
        let mut answers = match &mut self.0 {
            Said::Pass | Said::Nothing | Said::Failed(_) => return None,
            Said::One(answer) => std::slice::from_mut(answer),
            Said::Many(all) => all.as_mut_slice(),
        }
        .iter_mut();
        answers.find_map(|answer| match answer {
            Answer::Message(draft) | Answer::Later(_, draft) => Some(draft),
            Answer::Streamed(streamed) => Some(&mut streamed.draft),
            Answer::File(_) => None,
        })
    }

    /// Whether the event is left to the next handler.
    #[must_use]
    pub const fn is_pass(&self) -> bool {
        matches!(self.0, Said::Pass)
    }

    /// The error of a handler that failed.
    #[must_use]
    pub fn error(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match &self.0 {
            Said::Failed(error) => Some(&**error),
            _ => None,
        }
    }

    /// How many messages are sent.
    #[must_use]
    pub const fn len(&self) -> usize {
        match &self.0 {
            Said::Pass | Said::Nothing | Said::Failed(_) => 0,
            Said::One(_) => 1,
            Said::Many(all) => all.len(),
        }
    }

    /// Whether nothing is sent.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn into_result(self) -> Result<Answers, HandlerError> {
        Ok(match self.0 {
            Said::Pass | Said::Nothing => Answers::default(),
            Said::One(answer) => Answers {
                first: Some(answer),
                more: VecDeque::new(),
            },
            Said::Many(all) => Answers {
                first: None,
                more: all.into(),
            },
            Said::Failed(error) => return Err(error),
        })
    }
}

/// The answers of a handler, in order.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Most handlers have one.
    first: Option<Answer>,
    more: VecDeque<Answer>,
}

impl Answers {
    pub(super) fn next(&mut self) -> Option<Answer> {
        self.first.take().or_else(|| self.more.pop_front())
    }
}

/// What a handler returns when it is not for the event after all: the next handler that takes it is called. It must
/// not have sent anything.
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn greet(text: Text) -> Result<&'static str, Pass> {
///     if text.contains("hello") { Ok("Hello!") } else { Err(Pass) }
/// }
/// # let _ = Bot::new("greeter").on_text(greet);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass;

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handler is not for this event")
    }
}

impl Error for Pass {}

/// The content of a reply.
#[derive(Debug)]
pub(super) enum Answer {
    /// A message.
    Message(Draft),
    /// A message that is sent after a while.
    Later(Duration, Draft),
    /// A file, which is uploaded first.
    File(Box<Outgoing>),
    /// A message that grows.
    Streamed(Box<Streamed>),
}

/// Types a handler may return: `()`, texts (`String`, `&'static str`, `Cow<'static, str>`, `Box<str>`), [`Draft`],
/// [`Element`], [`Outgoing`], [`Streamed`], [`Pass`], [`Reply`], and `Option`, `Result`, `Vec`, arrays and tuples of these: several are
/// sent in order. The reply goes where the message came from: to its sender, or to its group. An `Err` is logged with
/// bot, account, conversation and message, and answered as [`Bot::on_error`](super::Bot::on_error) says; its type is
/// anything that converts into a `Box<dyn Error + Send + Sync>`. `Err(Pass)` leaves the event to the next handler.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "not a reply",
    note = "return `()`, a text (of a number, `.to_string()`), `Draft`, `Element`, `Outgoing`, `Streamed` or `Pass`, an `Option`, `Result`, `Vec` or tuple of these, or your own type with `impl IntoReply`"
)]
pub trait IntoReply {
    /// Whether the value can be [`Pass`]. Handlers that cannot take every event of their kind, and a handler after
    /// them that would never be called is a mistake.
    const MAY_PASS: bool = true;

    /// Turns the value into a reply.
    fn into_reply(self) -> Reply;
}

impl IntoReply for Reply {
    fn into_reply(self) -> Self {
        self
    }
}

impl IntoReply for Pass {
    fn into_reply(self) -> Reply {
        Reply::pass()
    }
}

impl IntoReply for () {
    const MAY_PASS: bool = false;

    fn into_reply(self) -> Reply {
        Reply::none()
    }
}

impl IntoReply for Outgoing {
    const MAY_PASS: bool = false;

    fn into_reply(self) -> Reply {
        Reply::file(self)
    }
}

macro_rules! message {
    ($($type:ty),*) => {$(
        impl IntoReply for $type {
            const MAY_PASS: bool = false;

            fn into_reply(self) -> Reply {
                Reply::message(self)
            }
        }
    )*};
}

message!(String, &'static str, Element, Draft);

impl IntoReply for Cow<'static, str> {
    const MAY_PASS: bool = false;

    fn into_reply(self) -> Reply {
        Reply::message(self.into_owned())
    }
}

impl IntoReply for Box<str> {
    const MAY_PASS: bool = false;

    fn into_reply(self) -> Reply {
        Reply::message(String::from(self))
    }
}

impl<T: IntoReply> IntoReply for Option<T> {
    const MAY_PASS: bool = T::MAY_PASS;

    fn into_reply(self) -> Reply {
        self.map_or(Reply::none(), T::into_reply)
    }
}

/// What a handler may fail with: everything that converts into a `Box<dyn Error + Send + Sync>`.
#[diagnostic::on_unimplemented(
    message = "a handler cannot fail with `{Self}`",
    label = "not an error",
    note = "an error implements `std::error::Error` and is `Send` and `Sync` (`thiserror` derives it), or is a text; `Box<dyn Error + Send + Sync>` and `anyhow::Error` take any, and `Pass` leaves the event to the next handler"
)]
pub trait IntoError {
    /// The error as it is logged.
    fn into_error(self) -> Box<dyn Error + Send + Sync>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> IntoError for E {
    fn into_error(self) -> Box<dyn Error + Send + Sync> {
        self.into()
    }
}

impl<T: IntoReply, E: IntoError> IntoReply for Result<T, E> {
    // The error may be one.
    const MAY_PASS: bool = true;

    fn into_reply(self) -> Reply {
        match self {
            Ok(value) => value.into_reply(),
            Err(error) => {
                let error = error.into_error();
                if error.is::<Pass>() {
                    Reply::pass()
                } else {
                    Reply::failed(error)
                }
            }
        }
    }
}

impl<T: IntoReply> IntoReply for Vec<T> {
    const MAY_PASS: bool = T::MAY_PASS;

    fn into_reply(self) -> Reply {
        all(self)
    }
}

impl<T: IntoReply, const N: usize> IntoReply for [T; N] {
    const MAY_PASS: bool = T::MAY_PASS;

    fn into_reply(self) -> Reply {
        all(self)
    }
}

fn all(replies: impl IntoIterator<Item: IntoReply>) -> Reply {
    let replies = replies.into_iter().map(IntoReply::into_reply);
    replies.fold(Reply::none(), Reply::then)
}

macro_rules! tuple {
    ($first:ident $(, $more:ident)*) => {
        impl<$first: IntoReply $(, $more: IntoReply)*> IntoReply for ($first, $($more,)*) {
            const MAY_PASS: bool = $first::MAY_PASS $(&& $more::MAY_PASS)*;

            #[allow(non_snake_case, reason = "the values are named like their types")]
            fn into_reply(self) -> Reply {
                let ($first, $($more,)*) = self;
                $first.into_reply()$(.then($more.into_reply()))*
            }
        }
    };
}

tuple!(A);
tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);
tuple!(A, B, C, D, E);
tuple!(A, B, C, D, E, F);
