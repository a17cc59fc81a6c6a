//! What came of something that a bot under test heard.

use crate::bot::failure::Failure;
use crate::proto::message::{Conversation, Draft, Element};

/// What a bot did when it heard something: what it sent, and what went wrong. Compare it with the texts that you expect;
/// it equals none when a handler failed.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub(super) sent: Vec<(Conversation, Draft)>,
    pub(super) failures: Vec<Failure>,
    /// The bot did not come to an end.
    pub(super) is_stuck: bool,
}

impl Outcome {
    /// The texts that were sent, in order; of other messages the texts in them.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let elements = self.sent.iter().flat_map(|(_, draft)| &draft.elements);
        elements
            .filter_map(|element| match element {
                Element::Text(text) => Some(text.text.clone()),
                _ => None,
            })
            .collect()
    }

    /// Everything that was sent, and to whom, in order.
    #[must_use]
    pub fn sent(&self) -> &[(Conversation, Draft)] {
        &self.sent
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
    /// When it said something, or a handler failed.
    #[track_caller]
    pub fn expect_no_reply(&self) {
        assert!(
            self.sent.is_empty() && self.failures.is_empty() && !self.is_stuck,
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
