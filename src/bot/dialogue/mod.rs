//! Dialogues: a handler asks a question and goes on with the answer, after a minute or after a restart.

mod answer;
mod approval;
mod ask;
mod converse;
mod script;
mod waiting;

pub use answer::{Answer, NoAnswer};
pub use approval::{Approval, AskApproval};
pub use ask::Ask;
pub(super) use converse::{Resumed, Stop, cell, converse, may_converse};
pub(super) use script::{Approver, Kind as StepKind, Next as StepNext, Script, Waits};
pub(super) use waiting::{DialoguePlace, Lapse, Waiting, cell_of};

use super::event::{Event, FromEvent};
use super::kinds::Kinds;
use super::needs::Needs;
use super::rejection::Skipped;
use crate::proto::message::Draft;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A dialogue with the sender of the message. Take it as a handler parameter.
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn signup(dialogue: Dialogue) -> Result<String, DialogueError> {
///     let name: String = dialogue.ask("What is your name?").await?;
///     let age: u8 = dialogue.ask("How old are you?").await?;
///     Ok(format!("Welcome, {name}! {age} is a good age."))
/// }
/// # let _ = Bot::new("club").on_text(signup);
/// ```
///
/// While it waits it holds no thread, and other people and other conversations go on. The sender's next message in the
/// conversation is the answer; one that does not fit is asked for again. `cancel` or `取消` ends the dialogue, as does
/// silence for [`Ask::within`] (a day, if nothing is said): `ask` then returns an error, and if the handler returns it,
/// the user is told so.
///
/// A dialogue survives crashes and restarts. It is kept in the store together with everything else that its step did,
/// and when the answer comes the handler **runs again from its start**: questions that were answered return their
/// answers at once, messages that were sent are not sent again, requests that were made through the [`Api`](super::Api)
/// and work done through [`Api::run`](super::Api::run) return what they returned. So a handler with a dialogue must do
/// the same again when it gets the same answers: put everything else (a random number, the time, a file, the store of
/// values that others change) into [`Api::run`](super::Api::run).
///
/// A new version of a bot may ask other questions. If its handler does not follow what was recorded, the dialogue ends
/// and the user is told to start again; answers are never given to other questions.
#[derive(Clone)]
pub struct Dialogue {
    event: Event,
    script: Shared,
}

/// A script and who writes it: the handler, and the API that it has.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<Script>>);

impl Shared {
    pub(super) fn new(script: Script) -> Self {
        Self(Arc::new(Mutex::new(script)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Script> {
        // Nothing panics while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a question has no answer. Return it from the handler, and the user is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialogueError {
    /// The user does not want to go on.
    #[error("the user ended the dialogue")]
    Cancelled,
    /// The user did not answer in time.
    #[error("the user did not answer in time")]
    TimedOut,
}

impl fmt::Debug for Dialogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialogue").finish_non_exhaustive()
    }
}

impl Dialogue {
    /// Asks the sender of the message. `.await` it, after saying more about the question if there is more:
    ///
    /// ```
    /// use botroupe::prelude::*;
    /// use std::time::Duration;
    ///
    /// async fn order(dialogue: Dialogue) -> Result<String, DialogueError> {
    ///     let pieces: u32 = dialogue
    ///         .ask("How many?")
    ///         .check(|pieces| (1..=10).contains(pieces))
    ///         .retry("A number from 1 to 10, please.")
    ///         .within(Duration::from_secs(600))
    ///         .await?;
    ///     Ok(format!("{pieces} it is."))
    /// }
    /// # let _ = Bot::new("shop").on_text(order);
    /// ```
    pub fn ask<T: Answer + 'static>(&self, question: impl Into<Draft>) -> Ask<'_, T> {
        Ask::new(self, question.into())
    }

    /// Asks for one of several answers, which are listed under the question. The user may write the answer or its
    /// number; the number, from 0, is returned.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn order(dialogue: Dialogue) -> Result<String, DialogueError> {
    ///     let sizes = ["small", "large"];
    ///     let size = dialogue.choose("Which size?", &sizes).await?;
    ///     Ok(format!("A {} one.", sizes[size]))
    /// }
    /// # let _ = Bot::new("shop").on_text(order);
    /// ```
    pub fn choose(&self, question: impl AsRef<str>, choices: &[&str]) -> Ask<'_, usize> {
        let mut text = question.as_ref().to_owned();
        for (number, choice) in choices.iter().enumerate() {
            text.push_str(&format!("\n{}. {choice}", number + 1));
        }
        Ask::new(self, Draft::text(text)).of(choices)
    }
}

impl FromEvent for Dialogue {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        let script = event.begin_dialogue().ok_or(Skipped)?;
        Ok(Self {
            event: event.clone(),
            script,
        })
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::SAID);
        needs.dialogue();
    }
}
