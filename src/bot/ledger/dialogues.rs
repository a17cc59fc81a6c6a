//! The dialogues of an account that wait for an answer.

use super::Ledger;
use crate::bot::dialogue::{Approver, DialoguePlace, Lapse, Waiting};
use std::sync::PoisonError;

impl Ledger {
    pub(in crate::bot) fn with_dialogues<T>(
        &self,
        change: impl FnOnce(&mut Waiting) -> T,
    ) -> Option<T> {
        let mut slot = self
            .dialogues
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let waiting = slot.as_mut()?;
        let changed = change(waiting);
        if waiting.is_empty() {
            *slot = None;
        }
        Some(changed)
    }

    /// Whether a dialogue waits there.
    pub(in crate::bot) fn is_in_dialogue(&self, place: &DialoguePlace) -> bool {
        self.with_dialogues(|waiting| waiting.is_at(place)) == Some(true)
    }

    /// Whether a dialogue waits there for an answer of its user.
    pub(in crate::bot) fn awaits_answer(&self, place: &DialoguePlace) -> bool {
        self.with_dialogues(|waiting| waiting.awaits_answer(place)) == Some(true)
    }

    /// Where the dialogue is that waits for this approval.
    pub(in crate::bot) fn approval(&self, bot: &str, approver: &Approver) -> Option<DialoguePlace> {
        let place = |waiting: &mut Waiting| Some((**waiting.approval(bot, approver)?).clone());
        self.with_dialogues(place).flatten()
    }

    /// A dialogue waits there from now on.
    pub(in crate::bot) fn park_dialogue(
        &self,
        place: DialoguePlace,
        deadline: u64,
        approver: Option<Approver>,
    ) {
        let mut slot = self
            .dialogues
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        slot.get_or_insert_default().park(place, deadline, approver);
    }

    /// No dialogue waits there any more.
    pub(in crate::bot) fn end_dialogue(&self, place: &DialoguePlace) {
        self.with_dialogues(|waiting| waiting.end(place));
    }

    /// The next dialogue whose time is over.
    pub(in crate::bot) fn lapsed(&self, now: u64) -> Option<Lapse> {
        self.with_dialogues(|waiting| waiting.lapsed(now)).flatten()
    }

    /// When the time of the next dialogue is over, in Unix seconds.
    pub(in crate::bot) fn next_lapse(&self) -> Option<u64> {
        self.with_dialogues(|waiting| waiting.next_deadline())
            .flatten()
    }

    /// How many dialogues wait.
    #[must_use]
    pub fn dialogues(&self) -> usize {
        self.with_dialogues(|waiting| waiting.len()).unwrap_or(0)
    }
}
