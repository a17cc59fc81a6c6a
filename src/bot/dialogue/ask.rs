//! One question.

use super::answer::{Answer, NoAnswer};
use super::script::{Input, Kind, Next};
use super::{Dialogue, DialogueError};
use crate::proto::message::{Draft, Element, Message};
use botroupe_core::ledger::Fingerprint;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::{IntoFuture, pending};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How long a question waits if nothing is said.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

type Check<T> = Box<dyn Fn(&T) -> bool + Send + Sync>;
type Read<T> = Box<dyn Fn(&Message) -> Result<T, NoAnswer> + Send + Sync>;

/// A question about to be asked: `.await` it. Made by [`Dialogue::ask`].
#[must_use = "nothing is asked before `.await`"]
pub struct Ask<'a, T> {
    dialogue: &'a Dialogue,
    question: Draft,
    name: Option<String>,
    retry: Option<Draft>,
    within: Duration,
    check: Option<Check<T>>,
    read: Read<T>,
    of: PhantomData<fn() -> T>,
}

/// What a question led to, as it is kept.
#[derive(Serialize, Deserialize)]
enum Kept {
    Said(Arc<Message>),
    Cancelled,
    TimedOut,
}

impl<T> fmt::Debug for Ask<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask").finish_non_exhaustive()
    }
}

impl<'a, T: Answer + 'static> Ask<'a, T> {
    pub(super) fn new(dialogue: &'a Dialogue, question: Draft) -> Self {
        Self::read_by(dialogue, question, Box::new(T::from_message))
    }
}

impl Ask<'_, usize> {
    pub(super) fn of(mut self, choices: &[&str]) -> Self {
        let choices: Vec<String> = choices.iter().map(|choice| (*choice).to_owned()).collect();
        self.read = Box::new(move |message| {
            let said = message.text().unwrap_or_default().trim();
            let by_text = choices
                .iter()
                .position(|choice| choice.to_lowercase() == said.to_lowercase());
            let by_number = || {
                let number = said.trim_end_matches(['.', '。']).parse::<usize>().ok()?;
                (1..=choices.len()).contains(&number).then(|| number - 1)
            };
            by_text
                .or_else(by_number)
                .ok_or_else(|| NoAnswer::Choice(choices.clone()))
        });
        self
    }
}

impl<'a, T> Ask<'a, T> {
    fn read_by(dialogue: &'a Dialogue, question: Draft, read: Read<T>) -> Self {
        Self {
            dialogue,
            question,
            name: None,
            retry: None,
            within: PATIENCE,
            check: None,
            read,
            of: PhantomData,
        }
    }

    /// Accepts only answers of which `check` says so. It must depend on the answer alone.
    pub fn check(mut self, check: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        self.check = Some(Box::new(check));
        self
    }

    /// What is said in answer to something that does not fit. If nothing is said here, a sentence that says what is
    /// wanted.
    pub fn retry(mut self, text: impl Into<Draft>) -> Self {
        self.retry = Some(text.into());
        self
    }

    /// How long to wait for the answer; a day, if nothing is said. It counts from the question, and starts again with
    /// each answer that does not fit.
    pub const fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// Names the question. A question is known by its text when the handler runs again, after an upgrade as well; one
    /// whose text may change (it holds the time, or you want to correct a word later) needs a name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What the question is known by.
    fn key(&self) -> u64 {
        let mut key = Fingerprint::new("ask").text(std::any::type_name::<T>());
        match &self.name {
            Some(name) => key = key.text(name),
            None => {
                for element in &self.question.elements {
                    key = match element {
                        Element::Text(text) => key.text(&text.text),
                        _ => key.text("\u{0}"),
                    };
                }
            }
        }
        key.finish()
    }

    fn answer(&self, message: &Message) -> Result<T, NoAnswer> {
        let value = (self.read)(message)?;
        match &self.check {
            Some(check) if !check(&value) => Err(NoAnswer::Other(
                "This does not fit, please try again.".to_owned(),
            )),
            _ => Ok(value),
        }
    }

    /// `None` when there is no answer yet: the handler does not go on.
    fn now(&self) -> Option<Result<T, DialogueError>> {
        let key = self.key();
        let mut script = self.dialogue.script.lock();
        match script.next(Kind::Ask, key) {
            Next::Done(value) => {
                let kept = serde_json::from_str(&value);
                Some(match kept {
                    Ok(Kept::Said(message)) => match self.answer(&message) {
                        Ok(answer) => Ok(answer),
                        // It was an answer once.
                        Err(_) => {
                            script.change();
                            return None;
                        }
                    },
                    Ok(Kept::Cancelled) => Err(DialogueError::Cancelled),
                    Ok(Kept::TimedOut) => Err(DialogueError::TimedOut),
                    Err(_) => {
                        script.change();
                        return None;
                    }
                })
            }
            Next::Changed => None,
            Next::Live => {
                let (kept, outcome) = match script.take_input() {
                    None => {
                        self.park(&mut script, self.question.clone(), key);
                        return None;
                    }
                    Some(Input::Message(message)) => match self.answer(&message) {
                        Ok(answer) => (Kept::Said(message), Ok(answer)),
                        Err(why) => {
                            let again = self.retry.clone();
                            let again = again.unwrap_or_else(|| Draft::text(why.to_string()));
                            self.park(&mut script, again, key);
                            return None;
                        }
                    },
                    Some(Input::Cancelled) => (Kept::Cancelled, Err(DialogueError::Cancelled)),
                    Some(Input::TimedOut) => (Kept::TimedOut, Err(DialogueError::TimedOut)),
                };
                // It holds texts and numbers only, so it can be written.
                let kept = serde_json::to_string(&kept).unwrap_or_default();
                script.done(Kind::Ask, key, kept.into());
                (!script.has_ended()).then_some(outcome)
            }
        }
    }

    fn park(&self, script: &mut super::Script, question: Draft, key: u64) {
        let now = self.dialogue.event.now().unix_secs();
        let deadline = now.saturating_add(self.within.as_secs());
        script.ask(question, key, deadline);
    }
}

impl<'a, T: Send + 'a> IntoFuture for Ask<'a, T> {
    type Output = Result<T, DialogueError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.now() {
                Some(outcome) => outcome,
                // The host sees that and drops the handler.
                None => pending().await,
            }
        })
    }
}
