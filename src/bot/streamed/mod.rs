//! Replies that grow: a message is sent with the first words, and edited as more come.

mod deliver;
mod growth;

pub(super) use deliver::{Delivered, Delivery, Ended, close, left, send_before};

use super::reply::{HandlerError, IntoError, IntoReply, Reply};
use crate::proto::message::Draft;
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, Stream};
use std::fmt;
use std::time::Duration;

/// How often a message is edited at most, if [`Streamed::every`] does not say otherwise. People read no faster, and a
/// group of several hundred members gets each edit.
const PACE: Duration = Duration::from_secs(1);
/// The shortest time that [`Streamed::every`] takes.
const QUICKEST: Duration = Duration::from_millis(200);

/// A reply that grows: the pieces of a stream, of which the first are sent and the others come by edit. Return it from a
/// handler.
///
/// ```
/// use botroupe::prelude::*;
/// use futures_util::stream;
///
/// async fn tell(_: Text) -> Streamed {
///     let words = ["Once ", "upon ", "a ", "time"];
///     Streamed::new(stream::iter(words.map(Ok::<_, std::io::Error>)))
/// }
/// # let _ = Bot::new("teller").on_text(tell);
/// ```
///
/// The message is edited once a second at most, and with the last edit it says everything. Meanwhile Markdown that is open
/// (`**`, backticks, a block of code) is closed. A text that is too long for one message goes on in the next, up to 16. What
/// comes within half a second is sent without any edit.
///
/// The handler counts as running until the stream has ended, with everything that holds for it: a piece has to come within
/// `host.handler_timeout`, and what the stream writes into a [`Store`](super::Store) is kept when it ends well. One
/// that fails, panics or falls silent is a failed handler: the message says that it broke off,
/// [`Bot::on_error`](super::Bot::on_error) is called, and nothing else is said. One that
/// [`Overlap::Latest`](super::Overlap::Latest) or the end of the program interrupts is marked, too.
///
/// If the process dies, the handler runs again, and what it says now takes the place of what was said, in the same message.
/// If it does not stream then, the message is marked as broken off.
///
/// Others see the first words as a message, and each edit as [`Update::Edited`](crate::proto::update::Update::Edited); who
/// looks later finds the whole. If the service refuses edits, the rest is sent as another message.
#[must_use = "a reply that is not returned is not sent"]
pub struct Streamed {
    pieces: BoxStream<'static, Result<String, HandlerError>>,
    /// The first message; its text comes before everything else.
    pub(super) draft: Draft,
    ending: String,
    pace: Duration,
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed").finish_non_exhaustive()
    }
}

impl Streamed {
    /// A reply of these pieces of text, one after the other.
    pub fn new<S, T, E>(pieces: S) -> Self
    where
        S: Stream<Item = Result<T, E>> + Send + 'static,
        T: Into<String>,
        E: IntoError,
    {
        let pieces = pieces.map(|piece| piece.map(Into::into).map_err(IntoError::into_error));
        Self {
            pieces: pieces.boxed(),
            draft: Draft::text(""),
            ending: String::new(),
            pace: PACE,
        }
    }

    /// Puts this at the end, whatever comes: the mark of a text that a machine has written, for example. It is on the last
    /// message from its first words on.
    pub fn ending(mut self, text: impl Into<String>) -> Self {
        self.ending = text.into();
        self
    }

    /// Edits the message so often at most, from 200 ms on; a second if nothing is said. What the service allows is kept to
    /// in any case.
    pub fn every(mut self, pace: Duration) -> Self {
        self.pace = pace.max(QUICKEST);
        self
    }
}

impl IntoReply for Streamed {
    const MAY_PASS: bool = false;

    fn into_reply(self) -> Reply {
        Reply::streamed(self)
    }
}

#[cfg(test)]
mod tests;
