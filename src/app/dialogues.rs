//! The dialogues of all accounts that wait for an answer.

use super::runtime::Runtime;
use crate::bot::{DropDialogueError, Ledger, OpenDialogue, Question};
use crate::store::StoreError;
use std::sync::Arc;

/// A dialogue of an account.
#[derive(Clone, Debug)]
pub struct DialogueOf {
    ledger: Arc<Ledger>,
    dialogue: OpenDialogue,
}

impl DialogueOf {
    /// The account.
    #[must_use]
    pub fn account(&self) -> &str {
        self.ledger.account()
    }

    /// The dialogue.
    #[must_use]
    pub const fn dialogue(&self) -> &OpenDialogue {
        &self.dialogue
    }

    /// What it waits for; `None` if it is over meanwhile.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn question(&self) -> Result<Option<Question>, StoreError> {
        self.ledger.question(&self.dialogue).await
    }

    /// Ends it: nobody is told, and what its person says next is no answer.
    ///
    /// # Errors
    /// [`DropDialogueError`].
    pub async fn end(&self) -> Result<(), DropDialogueError> {
        self.ledger.drop_dialogue(&self.dialogue).await
    }
}

impl Runtime {
    /// The dialogues of every account that runs, those first whose time is over first.
    pub(super) fn dialogues(&self) -> Vec<DialogueOf> {
        let mut all = Vec::new();
        for ledger in self.roster.ledgers() {
            let open = ledger.open_dialogues().into_iter();
            all.extend(open.map(|dialogue| DialogueOf {
                ledger: ledger.clone(),
                dialogue,
            }));
        }
        all.sort_by_key(|of| (of.dialogue.deadline, of.dialogue.id()));
        all
    }
}
