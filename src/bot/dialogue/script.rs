//! What a dialogue has done so far, and what it does next when its handler runs again.
//!
//! Pure. A handler that asks a question ends there, as far as the process is concerned. When the answer comes, the
//! handler runs from its start, and everything it did before is given back to it from this script: answers,
//! messages that were sent, results of requests. It goes on where the script ends.

use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Draft, Element, Message};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The bytes that the script of one dialogue may take.
const MAX_BYTES: usize = 256 * 1024;
/// The characters of a question that are kept for those who look at what waits.
const MAX_SHOWN: usize = 120;

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) enum Kind {
    /// Asked, and was answered.
    Ask,
    /// Sent a message.
    Send,
    /// Made a request.
    Call,
    /// Did something outside the chat.
    Run,
    /// Started a task.
    Spawn,
}

/// A step that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Step(Kind, u64, Box<str>);

/// The dialogue as it is kept while it waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::bot) struct Journal {
    /// When the time for the answer is over, in Unix seconds.
    pub(in crate::bot) deadline: u64,
    /// The handler.
    pub(in crate::bot) handler: Box<str>,
    /// The message that the handler was called with.
    pub(in crate::bot) start: Arc<Message>,
    steps: Vec<Step>,
    /// The question that waits for its answer.
    pending: u64,
    /// Its text, for people who look at what waits.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    question: Box<str>,
    /// Who answers, if it is not the person that the dialogue is with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::bot) approver: Option<Approver>,
}

/// Who is asked for an approval, and by which code the answer is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::bot) struct Approver {
    pub(in crate::bot) conversation: Conversation,
    pub(in crate::bot) code: Box<str>,
}

/// What a journal waits for, without reading the rest of it.
#[derive(Deserialize)]
pub(in crate::bot) struct Waits {
    pub(in crate::bot) deadline: u64,
    #[serde(default)]
    pub(in crate::bot) approver: Option<Approver>,
    #[serde(default)]
    pub(in crate::bot) question: Box<str>,
}

/// What came for the question that waits.
#[derive(Clone, Debug)]
pub(in crate::bot) enum Input {
    Message(Arc<Message>),
    Decided { granted: bool, by: UserId },
    Cancelled,
    TimedOut,
}

/// What a step leads to.
#[derive(Debug)]
pub(in crate::bot) enum Next {
    /// It was done; what it led to.
    Done(Box<str>),
    /// It is to be done now.
    Live,
    /// The handler does something else than it did before.
    Changed,
}

/// How a run of the handler ended that did not return.
#[derive(Debug)]
pub(in crate::bot) enum End {
    /// It waits for an answer to this question, until then.
    Asked {
        question: Box<Draft>,
        deadline: u64,
        pending: u64,
        /// Who is asked, if it is not the person that the dialogue is with.
        approver: Option<Approver>,
    },
    /// The handler is another one than that which began the dialogue.
    Changed,
    /// It has done too much.
    TooLong,
}

/// See the module.
#[derive(Debug)]
pub(in crate::bot) struct Script {
    start: Arc<Message>,
    steps: Vec<Step>,
    /// The next step.
    position: usize,
    pending: Option<u64>,
    input: Option<Input>,
    bytes: usize,
    end: Option<End>,
}

impl Script {
    /// A dialogue that begins with a message.
    pub(in crate::bot) const fn new(start: Arc<Message>) -> Self {
        Self {
            start,
            steps: Vec::new(),
            position: 0,
            pending: None,
            input: None,
            bytes: 0,
            end: None,
        }
    }

    /// A dialogue that goes on.
    pub(in crate::bot) fn resumed(journal: Journal, input: Input) -> Self {
        let bytes = journal.steps.iter().map(|step| step.2.len()).sum();
        Self {
            start: journal.start,
            steps: journal.steps,
            position: 0,
            pending: Some(journal.pending),
            input: Some(input),
            bytes,
            end: None,
        }
    }

    /// The message that the dialogue began with.
    pub(in crate::bot) const fn start(&self) -> &Arc<Message> {
        &self.start
    }

    #[cfg(test)]
    pub(in crate::bot) const fn is_replaying(&self) -> bool {
        self.position < self.steps.len()
    }

    /// The handler takes a step.
    pub(in crate::bot) fn next(&mut self, kind: Kind, key: u64) -> Next {
        if self.end.is_some() {
            return Next::Changed; // It does not go on.
        }
        match self.steps.get(self.position) {
            Some(step) if (step.0, step.1) == (kind, key) => {
                let value = step.2.clone();
                self.position += 1;
                Next::Done(value)
            }
            Some(_) => self.change(),
            // The question comes before everything else that is new.
            None if self
                .pending
                .is_some_and(|pending| kind != Kind::Ask || pending != key) =>
            {
                self.change()
            }
            None => Next::Live,
        }
    }

    /// The handler does something else than it did before.
    pub(in crate::bot) fn change(&mut self) -> Next {
        self.end = Some(End::Changed);
        Next::Changed
    }

    /// What came for the question that waits.
    pub(in crate::bot) fn take_input(&mut self) -> Option<Input> {
        self.input.take()
    }

    /// A step was done.
    pub(in crate::bot) fn done(&mut self, kind: Kind, key: u64, value: Box<str>) {
        if self.end.is_some() {
            return;
        }
        if kind == Kind::Ask {
            self.pending = None;
        }
        self.bytes += value.len();
        if self.bytes > MAX_BYTES {
            self.end = Some(End::TooLong);
            return;
        }
        self.steps.push(Step(kind, key, value));
        self.position = self.steps.len();
    }

    /// The handler waits for an answer.
    pub(in crate::bot) fn ask(
        &mut self,
        question: Draft,
        pending: u64,
        deadline: u64,
        approver: Option<Approver>,
    ) {
        self.end.get_or_insert(End::Asked {
            question: Box::new(question),
            deadline,
            pending,
            approver,
        });
    }

    /// Whether the handler does not go on.
    pub(in crate::bot) const fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// How the run ended.
    pub(in crate::bot) const fn take_end(&mut self) -> Option<End> {
        self.end.take()
    }

    /// The dialogue as it is kept.
    pub(in crate::bot) fn journal(
        &self,
        handler: &str,
        pending: u64,
        deadline: u64,
        approver: Option<Approver>,
        question: &Draft,
    ) -> Journal {
        Journal {
            approver,
            question: shown(question),
            deadline,
            handler: handler.into(),
            start: self.start.clone(),
            steps: self.steps.clone(),
            pending,
        }
    }
}

/// The beginning of the text of a question.
fn shown(question: &Draft) -> Box<str> {
    let text = question.elements.iter().find_map(|element| match element {
        Element::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    let text = text.unwrap_or_default();
    let mut shown: String = text.chars().take(MAX_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::message::C2cItem;

    fn said(text: &str) -> Arc<Message> {
        let item = C2cItem::new("alice", "bot", vec![Element::text(text)]);
        Arc::new(Message::from_c2c(item, "bot"))
    }

    /// The script as the next process finds it.
    fn kept(script: &mut Script, handler: &str) -> Journal {
        let Some(End::Asked {
            question,
            deadline,
            pending,
            ..
        }) = script.take_end()
        else {
            panic!("it waits for nothing");
        };
        let journal = script.journal(handler, pending, deadline, None, &question);
        serde_json::from_str(&serde_json::to_string(&journal).unwrap()).unwrap()
    }

    fn asked() -> Script {
        let mut script = Script::new(said("/signup"));
        assert!(matches!(script.next(Kind::Send, 1), Next::Live));
        script.done(Kind::Send, 1, "sent".into());
        assert!(matches!(script.next(Kind::Ask, 2), Next::Live));
        assert!(script.take_input().is_none());
        script.ask(Draft::text("How old?"), 2, 100, None);
        script
    }

    #[test]
    fn what_was_done_is_given_back_and_the_answer_meets_its_question() {
        let journal = kept(&mut asked(), "signup");
        assert_eq!((journal.deadline, &*journal.handler), (100, "signup"));
        assert_eq!(&*journal.question, "How old?");
        let long = shown(&Draft::text("é".repeat(500)));
        assert_eq!(*long, format!("{}…", "é".repeat(MAX_SHOWN)));
        let mut script = Script::resumed(journal, Input::Message(said("7")));
        assert_eq!(script.start().text(), Some("/signup"));
        assert!(script.is_replaying());
        assert!(matches!(script.next(Kind::Send, 1), Next::Done(value) if &*value == "sent"));
        assert!(!script.is_replaying());
        assert!(matches!(script.next(Kind::Ask, 2), Next::Live));
        assert!(
            matches!(script.take_input(), Some(Input::Message(said)) if said.text() == Some("7"))
        );
        script.done(Kind::Ask, 2, "7".into());
        assert!(matches!(script.next(Kind::Ask, 3), Next::Live));
        script.ask(Draft::text("Where?"), 3, 200, None);
        let mut script = Script::resumed(kept(&mut script, "signup"), Input::TimedOut);
        assert!(matches!(script.next(Kind::Send, 1), Next::Done(_)));
        assert!(matches!(script.next(Kind::Ask, 2), Next::Done(value) if &*value == "7"));
        assert!(matches!(script.next(Kind::Ask, 3), Next::Live));
        assert!(matches!(script.take_input(), Some(Input::TimedOut)));
    }

    #[test]
    fn a_handler_that_does_something_else_is_stopped() {
        for (kind, key) in [(Kind::Send, 9), (Kind::Ask, 1)] {
            let mut script = Script::resumed(kept(&mut asked(), "s"), Input::TimedOut);
            assert!(matches!(script.next(kind, key), Next::Changed));
            assert!(matches!(script.next(Kind::Send, 1), Next::Changed));
            assert!(matches!(script.take_end(), Some(End::Changed)));
        }
        // Something new before the question, and another question.
        for (kind, key) in [(Kind::Send, 1), (Kind::Ask, 9)] {
            let mut script = Script::resumed(kept(&mut asked(), "s"), Input::TimedOut);
            assert!(matches!(script.next(Kind::Send, 1), Next::Done(_)));
            assert!(matches!(script.next(kind, key), Next::Changed));
        }
    }

    #[test]
    fn a_script_has_a_bound() {
        let mut script = Script::new(said("x"));
        script.done(Kind::Call, 1, "x".repeat(MAX_BYTES).into());
        assert!(!script.has_ended());
        script.done(Kind::Call, 2, "x".into());
        assert!(matches!(script.take_end(), Some(End::TooLong)));
    }
}
