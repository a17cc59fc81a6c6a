//! What a bot can do on its own account, beyond returning a reply.

use crate::account::{AccountHandle, Draft, SendError};
use crate::proto::answer::Sent;
use crate::proto::message::Element;
use std::sync::{Arc, Mutex};

/// Acts as the bot's account. Take it as a handler parameter, keep it as long as you like.
#[derive(Clone, Debug)]
pub struct Api {
    backend: Backend,
}

#[derive(Clone, Debug)]
enum Backend {
    Account(AccountHandle),
    /// Of a test: what was sent, in order.
    Recorded(Arc<Mutex<Vec<Draft>>>),
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

    pub(super) const fn recorded(log: Arc<Mutex<Vec<Draft>>>) -> Self {
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
        self.send(to, vec![Element::text(text)]).await
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

    /// Sends elements as one message to the user `to`.
    ///
    /// # Errors
    /// As [`send_text`](Self::send_text).
    pub async fn send(&self, to: &str, elements: Vec<Element>) -> Result<Sent, ApiError> {
        let draft = Draft {
            to: to.into(),
            elements,
            cloud_custom_data: "".into(),
        };
        match &self.backend {
            Backend::Account(account) => Ok(account.send(draft).await?),
            Backend::Recorded(log) => {
                if let Ok(mut log) = log.lock() {
                    log.push(draft);
                }
                Ok(Sent {
                    time: 0,
                    key: String::new(),
                })
            }
        }
    }
}
