//! One question.

use super::answer::{Answer, NoAnswer};
use super::approval::{Approval, approver};
use super::script::{Input, Kind, Next};
use super::{Dialogue, DialogueError};
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Draft, Element, Message};
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

/// What a decision becomes: whether it was granted, and by whom.
type Decided<T> = fn(bool, &UserId) -> T;
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
    /// Who decides, and what a decision becomes, for an approval.
    by: Option<(Conversation, Decided<T>)>,
    of: PhantomData<fn() -> T>,
}

/// What a question led to, as it is kept.
#[derive(Serialize, Deserialize)]
enum Kept {
    Said(Arc<Message>),
    Decided(bool, UserId),
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

impl<'a> Ask<'a, Approval> {
    pub(super) fn approval(dialogue: &'a Dialogue, by: Conversation, question: String) -> Self {
        // A message is never an approval: only a decision is.
        let read = Box::new(|_: &Message| Err(NoAnswer::Text));
        let mut ask = Self::read_by(dialogue, Draft::text(question), read);
        ask.by = Some((by, |granted, by| Approval {
            granted,
            by: by.clone(),
        }));
        ask
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
            by: None,
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
            Some(check) if !check(&value) => Err(NoAnswer::Unfit),
            _ => Ok(value),
        }
    }

    /// `None` when there is no answer yet: the handler does not go on.
    fn now(&self) -> Option<Result<T, DialogueError>> {
        let key = self.key();
        let mut script = self.dialogue.script.lock();
        match script.next(Kind::Ask, key) {
            Next::Done(value) => {
                let kept = serde_json::from_str(&value).ok();
                let outcome = kept.and_then(|kept| self.outcome(&kept));
                if outcome.is_none() {
                    // It was an answer once.
                    script.change();
                }
                outcome
            }
            Next::Changed => None,
            Next::Live => {
                let kept = match script.take_input() {
                    None => {
                        self.park(&mut script, None, key);
                        return None;
                    }
                    Some(Input::Message(message)) => match self.answer(&message) {
                        Ok(_) => Kept::Said(message),
                        Err(why) => {
                            let texts = self.dialogue.event.texts();
                            let again = self.retry.clone();
                            let again = again.unwrap_or_else(|| Draft::text(why.said(&texts)));
                            self.park(&mut script, Some(again), key);
                            return None;
                        }
                    },
                    Some(Input::Decided { granted, by }) => Kept::Decided(granted, by),
                    Some(Input::Cancelled) => Kept::Cancelled,
                    Some(Input::TimedOut) => Kept::TimedOut,
                };
                let outcome = self.outcome(&kept)?;
                // It holds texts and numbers only, so it can be written.
                let kept = serde_json::to_string(&kept).unwrap_or_default();
                script.done(Kind::Ask, key, kept.into());
                (!script.has_ended()).then_some(outcome)
            }
        }
    }

    /// What the handler gets; `None` when it is no answer to this question.
    fn outcome(&self, kept: &Kept) -> Option<Result<T, DialogueError>> {
        match kept {
            Kept::Said(message) => self.answer(message).ok().map(Ok),
            Kept::Decided(granted, by) => {
                let (_, become_answer) = self.by.as_ref()?;
                Some(Ok(become_answer(*granted, by)))
            }
            Kept::Cancelled => Some(Err(DialogueError::Cancelled)),
            Kept::TimedOut => Some(Err(DialogueError::TimedOut)),
        }
    }

    /// Asks, or asks `again` in other words.
    fn park(&self, script: &mut super::Script, again: Option<Draft>, key: u64) {
        let event = &self.dialogue.event;
        let deadline = event
            .now()
            .unix_secs()
            .saturating_add(self.within.as_secs());
        let approver = self.by.as_ref().map(|(by, _)| {
            let approver = approver(by.clone(), script.start(), key);
            (self.for_approver(&approver.code), approver)
        });
        let question = again.unwrap_or_else(|| self.question.clone());
        match approver {
            Some((question, approver)) => script.ask(question, key, deadline, Some(approver)),
            None => script.ask(question, key, deadline, None),
        }
    }

    /// The question as it is said to who decides.
    fn for_approver(&self, code: &str) -> Draft {
        let mut question = self.question.elements.iter();
        let question = question.find_map(|element| match element {
            Element::Text(text) => Some(text.text.as_str()),
            _ => None,
        });
        let event = &self.dialogue.event;
        let who = event.message().map_or("", |message| &*message.from);
        Draft::text(event.texts().with(
            "approval-question",
            &[
                ("question", question.unwrap_or_default().into()),
                ("code", code.into()),
                ("user", who.into()),
            ],
        ))
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
