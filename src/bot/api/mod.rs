//! What a bot can do on its own account, beyond returning a reply.

use crate::account::{AccountHandle, SendError};
use crate::proto::answer::Sent;
use crate::proto::message::{Conversation, Draft};
use std::sync::{Arc, Mutex};

/// Acts as the bot's account. Take it as a handler parameter, keep it as long as you like.
#[derive(Clone, Debug)]
pub struct Api {
    backend: Backend,
}

/// What was sent in a test, and where to.
pub(super) type Log = Arc<Mutex<Vec<(Conversation, Draft)>>>;

#[derive(Clone, Debug)]
enum Backend {
    Account(AccountHandle),
    /// Of a test: what was sent, in order.
    Recorded(Log),
}

/// Why an action failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The message was not sent.
    #[error("message not sent: {0}")]
    Send(#[from] SendError),
}

impl Api {
    /// Acts through an account.
    #[must_use]
    pub const fn new(account: AccountHandle) -> Self {
        Self {
            backend: Backend::Account(account),
        }
    }

    pub(super) const fn recorded(log: Log) -> Self {
        Self {
            backend: Backend::Recorded(log),
        }
    }

    /// Sends a text to the user `to`. Waits while the account is away for a passing reason, up to
    /// its send timeout.
    ///
    /// # Errors
    /// When it was not sent: the server refused it, the account is held or quarantined, or time ran
    /// out.
    pub async fn send_text(&self, to: &str, text: impl Into<String>) -> Result<Sent, ApiError> {
        self.send(to, Draft::text(text)).await
    }

    /// Like [`send_text`](Self::send_text), but does not wait for an account that is away.
    ///
    /// # Errors
    /// [`SendError::NotReady`] at once when the account is not ready; otherwise as
    /// [`send_text`](Self::send_text).
    pub async fn send_text_now(&self, to: &str, text: impl Into<String>) -> Result<Sent, ApiError> {
        if let Backend::Account(account) = &self.backend
            && !account.is_ready()
        {
            return Err(ApiError::Send(SendError::NotReady));
        }
        self.send_text(to, text).await
    }

    /// Sends a message to a user (`"alice"`) or a group (`Conversation::group("@TGS#1")`); a message
    /// is a [`Draft`], an element, several elements, or a text.
    ///
    /// # Errors
    /// As [`send_text`](Self::send_text).
    pub async fn send(
        &self,
        to: impl Into<Conversation>,
        draft: impl Into<Draft>,
    ) -> Result<Sent, ApiError> {
        let (to, draft) = (to.into(), draft.into());
        match &self.backend {
            Backend::Account(account) => Ok(account.send(to, draft).await?),
            Backend::Recorded(log) => {
                if let Ok(mut log) = log.lock() {
                    log.push((to, draft));
                }
                Ok(Sent {
                    time: 0,
                    key: String::new(),
                    seq: 0,
                })
            }
        }
    }
}
