//! What came of something that a bot under test heard.

use crate::bot::failure::Failure;
use crate::bot::recording::{Edit, Recording};
use crate::proto::message::{Conversation, Draft, Element};

/// What a bot did when it heard something: what it sent, and what went wrong. Compare it with the texts that you expect;
/// it equals none when a handler failed.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    sent: Vec<(Conversation, Draft)>,
    /// The numbers of the messages that were sent.
    numbers: Vec<u32>,
    edits: Vec<Edited>,
    failures: Vec<Failure>,
    /// The bot did not come to an end.
    is_stuck: bool,
}

/// A message that the bot has edited, see [`Outcome::edits`].
#[derive(Clone, Debug)]
pub struct Edited(Edit);

impl Edited {
    /// Where.
    #[must_use]
    pub const fn conversation(&self) -> &Conversation {
        &self.0.to
    }

    /// What the message says now.
    #[must_use]
    pub const fn draft(&self) -> &Draft {
        &self.0.draft
    }

    /// The text that it has now.
    #[must_use]
    pub fn text(&self) -> String {
        texts(&self.0.draft).collect()
    }
}

/// The texts in a message.
fn texts(draft: &Draft) -> impl Iterator<Item = String> {
    let elements = draft.elements.iter();
    elements.filter_map(|element| match element {
        Element::Text(text) => Some(text.text.clone()),
        _ => None,
    })
}

impl Outcome {
    /// What was recorded since the last.
    pub(super) fn take(recording: &Recording, is_stuck: bool) -> Self {
        let (mut sent, mut numbers) = (Vec::new(), Vec::new());
        for (number, to, draft) in recording.take_sent() {
            numbers.push(number);
            sent.push((to, draft));
        }
        Self {
            sent,
            numbers,
            edits: recording.take_edits().into_iter().map(Edited).collect(),
            failures: recording.take_failures(),
            is_stuck,
        }
    }

    /// Adds what came later.
    pub(in crate::bot) fn then(&mut self, later: Self) {
        self.sent.extend(later.sent);
        self.numbers.extend(later.numbers);
        self.edits.extend(later.edits);
        self.failures.extend(later.failures);
        self.is_stuck |= later.is_stuck;
    }

    /// The texts that were sent, in order, each as it was edited at last; of other messages the texts in them.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let sent = self.numbers.iter().zip(&self.sent);
        let shown = sent.map(|(number, (_, draft))| {
            let mut edits = self.edits.iter().rev();
            let last = edits.find(|edit| edit.0.number == *number);
            last.map_or(draft, Edited::draft)
        });
        shown.flat_map(texts).collect()
    }

    /// Everything that was sent, and to whom, in order; as it was before it was edited.
    #[must_use]
    pub fn sent(&self) -> &[(Conversation, Draft)] {
        &self.sent
    }

    /// The messages that were edited, in order: those of before, too.
    #[must_use]
    pub fn edits(&self) -> &[Edited] {
        &self.edits
    }

    /// What was sent, without to whom.
    #[must_use]
    pub fn into_drafts(self) -> Vec<Draft> {
        self.sent.into_iter().map(|(_, draft)| draft).collect()
    }

    /// The handlers that failed.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Whether the bot did not come to an end: a handler hangs, or the store takes nothing.
    #[must_use]
    pub const fn is_stuck(&self) -> bool {
        self.is_stuck
    }

    /// Checks that the bot said nothing.
    ///
    /// # Panics
    /// When it said something, edited a message, or a handler failed.
    #[track_caller]
    pub fn expect_no_reply(&self) {
        assert!(
            self.sent.is_empty()
                && self.edits.is_empty()
                && self.failures.is_empty()
                && !self.is_stuck,
            "the bot was to say nothing: {self:?}"
        );
    }

    fn is(&self, texts: &[&str]) -> bool {
        self.failures.is_empty() && !self.is_stuck && self.texts() == texts
    }
}

impl<const N: usize> PartialEq<[&str; N]> for Outcome {
    fn eq(&self, texts: &[&str; N]) -> bool {
        self.is(texts)
    }
}

impl PartialEq<&str> for Outcome {
    fn eq(&self, text: &&str) -> bool {
        self.is(&[text])
    }
}
