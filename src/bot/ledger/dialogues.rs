//! The dialogues of an account that wait for an answer.

use super::Ledger;
use crate::bot::dialogue::{Approver, DialoguePlace, Lapse, Waiting, Waits, cell_of};
use crate::bot::store::ValueError;
use crate::proto::message::Conversation;
use crate::store::StoreError;
use botroupe_core::ledger::{Change, Fingerprint};
use std::sync::{Arc, PoisonError};

/// A dialogue that waits for an answer.
#[derive(Clone, Debug)]
pub struct OpenDialogue {
    place: Arc<DialoguePlace>,
    id: u64,
    /// When the time for the answer is over, in Unix seconds.
    pub deadline: u64,
    /// Where somebody else is asked for an approval.
    pub approver: Option<Conversation>,
}

impl OpenDialogue {
    /// What it is known by among those of all accounts.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The bot that asks.
    #[must_use]
    pub fn bot(&self) -> &str {
        &self.place.bot
    }

    /// The conversation in which it is held.
    #[must_use]
    pub fn conversation(&self) -> &Conversation {
        &self.place.conversation
    }

    /// With whom.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.place.user
    }
}

/// What a dialogue waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The beginning of its text; may be empty.
    pub text: String,
    /// When it was asked, in Unix seconds.
    pub since: u64,
}

/// Why a dialogue was not dropped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DropDialogueError {
    /// There is none.
    #[error("there is no such dialogue; it was answered, or its time is over")]
    Unknown,
    /// Its handler runs, or its question is being written down.
    #[error("the dialogue is under way at this moment")]
    UnderWay,
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

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

    /// The dialogues that wait, in no order.
    #[must_use]
    pub fn open_dialogues(&self) -> Vec<OpenDialogue> {
        let number = u64::from(self.number().0);
        let all = self.with_dialogues(|waiting| {
            let all = waiting.all();
            all.map(|(place, deadline, approver)| OpenDialogue {
                id: Fingerprint::new("dialogue")
                    .number(number)
                    .text(&place.bot)
                    .number(u64::from(place.conversation.is_group()))
                    .text(place.conversation.name())
                    .text(&place.user)
                    .finish(),
                place: place.clone(),
                deadline,
                approver: approver.cloned(),
            })
            .collect()
        });
        all.unwrap_or_default()
    }

    /// What a dialogue waits for; `None` if it is over meanwhile, or is being written down.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn question(&self, dialogue: &OpenDialogue) -> Result<Option<Question>, StoreError> {
        let key = cell_of(&dialogue.place, self.number());
        let found = self.shelf().store().cell(key, 0).await?;
        Ok(found.map(|cell| {
            let waits = serde_json::from_str::<Waits>(&cell.value);
            Question {
                text: waits.map_or_else(|_| String::new(), |waits| waits.question.into()),
                since: cell.at,
            }
        }))
    }

    /// Ends a dialogue: nobody is told, and what its person says next is no answer.
    ///
    /// # Errors
    /// [`DropDialogueError`].
    pub async fn drop_dialogue(&self, dialogue: &OpenDialogue) -> Result<(), DropDialogueError> {
        let key = cell_of(&dialogue.place, self.number());
        let lock = self.shelf().lock(&key).await;
        let _lock = lock.map_err(|error| match error {
            ValueError::Store(error) => DropDialogueError::Store(error),
            _ => DropDialogueError::UnderWay,
        })?;
        if !self.is_in_dialogue(&dialogue.place) {
            return Err(DropDialogueError::Unknown);
        }
        // What is not there yet would be written after it is removed.
        if self.shelf().store().cell(key.clone(), 0).await?.is_none() {
            return Err(DropDialogueError::UnderWay);
        }
        let removed = Change::Removed(Box::new(key));
        self.write(vec![removed]).await;
        self.end_dialogue(&dialogue.place);
        Ok(())
    }

    /// How many dialogues wait.
    #[must_use]
    pub fn dialogues(&self) -> usize {
        self.with_dialogues(|waiting| waiting.len()).unwrap_or(0)
    }
}
