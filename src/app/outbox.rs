//! Orders about messages that were not sent.

use super::runtime::Runtime;
use crate::store::StoreError;
use botroupe_core::ledger::{Change, Ended, Letter, LetterState};

/// What to do with a letter that failed, or of which it is unknown whether it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutboxOrder {
    /// Send it after all.
    Retry,
    /// Forget it.
    Drop,
}

/// Why an order about a letter was not obeyed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxOrderError {
    /// There is none of this number.
    #[error("there is no letter {0}; `botroupe outbox list` shows them")]
    Unknown(u64),
    /// It is on its way.
    #[error("letter {0} is on its way")]
    UnderWay(u64),
    /// It was sent.
    #[error("letter {0} was sent")]
    Sent(u64),
    /// Its account is not among those that run.
    #[error("the account of letter {0} does not run")]
    NoAccount(u64),
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Runtime {
    /// Obeys an order about the letter of this number.
    pub(super) async fn order_letter(
        &self,
        number: u64,
        order: OutboxOrder,
    ) -> Result<(), OutboxOrderError> {
        let found = self.store.letter(number).await?;
        let letter = found.ok_or(OutboxOrderError::Unknown(number))?;
        match (&letter.state, order) {
            (LetterState::Queued, _) => Err(OutboxOrderError::UnderWay(number)),
            (LetterState::Ended(Ended::Sent | Ended::Answered(_)), _) => {
                Err(OutboxOrderError::Sent(number))
            }
            (_, OutboxOrder::Retry) => self.retry(letter),
            (_, OutboxOrder::Drop) => {
                self.store.submit(vec![Change::Dropped { number }], None);
                Ok(())
            }
        }
    }

    /// What is to be sent or was not sent, each with its account.
    pub(super) async fn letters(&self) -> Result<Vec<(Letter, String)>, StoreError> {
        let letters = self.store.letters().await?;
        let of = |letter: &Letter| match self.roster.ledger(letter.account) {
            Some(ledger) => ledger.account().to_string(),
            // One that the config has no more.
            None => format!("no. {}", letter.account.0),
        };
        Ok(letters
            .into_iter()
            .map(|letter| {
                let account = of(&letter);
                (letter, account)
            })
            .collect())
    }

    fn retry(&self, letter: Letter) -> Result<(), OutboxOrderError> {
        let ledger = self.roster.ledger(letter.account);
        let ledger = ledger.ok_or(OutboxOrderError::NoAccount(letter.number))?;
        ledger.retry(letter);
        Ok(())
    }
}
