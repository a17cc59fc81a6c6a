//! Messages of an app's own kind.

use crate::bot::event::{Event, FromEvent};
use crate::bot::kinds::Kinds;
use crate::bot::needs::Needs;
use crate::bot::rejection::Skipped;
use crate::bot::reply::{IntoReply, Reply};
use crate::proto::message::{Draft, Element};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ops::Deref;

/// The data of a custom message, read as JSON. A message without a custom element, and one whose data is not of this
/// type, is not for the handler: the next one gets it. Let a field tell your kinds of messages apart.
///
/// ```
/// use botroupe::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize)]
/// struct Order {
///     order: u64,
/// }
///
/// #[derive(Serialize)]
/// struct Invoice {
///     invoice: u64,
/// }
///
/// async fn invoice(Custom(Order { order }): Custom<Order>) -> Card<Invoice> {
///     Card::new(Invoice { invoice: order }).described("An invoice")
/// }
/// # let _ = Bot::new("shop").on_message(invoice);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Custom<T>(pub T);

impl<T> Deref for Custom<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + Send> FromEvent for Custom<T> {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        let message = event.message().ok_or(Skipped)?;
        let mut customs = message.elements.iter().filter_map(|element| match element {
            Element::Custom(custom) => Some(custom.data.as_str()),
            _ => None,
        });
        let read = customs.find_map(|data| serde_json::from_str(data).ok());
        read.map(Self).ok_or(Skipped)
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::SAID);
        needs.may_skip();
    }
}

/// A custom message whose data is a value as JSON: a card that the app shows in its own way. See [`Custom`] for the
/// other direction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a card that is not returned is not sent"]
pub struct Card<T> {
    value: T,
    description: String,
    extension: String,
}

impl<T: Serialize> Card<T> {
    /// A card of this value.
    pub const fn new(value: T) -> Self {
        Self {
            value,
            description: String::new(),
            extension: String::new(),
        }
    }

    /// What clients say that do not know the card, and what notifications show.
    pub fn described(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// The extension field of the message.
    pub fn extension(mut self, text: impl Into<String>) -> Self {
        self.extension = text.into();
        self
    }

    /// The message to send.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn draft(&self) -> Result<Draft, serde_json::Error> {
        let custom = crate::proto::message::Custom {
            data: serde_json::to_string(&self.value)?,
            desc: self.description.clone(),
            ext: self.extension.clone(),
            ..Default::default()
        };
        Ok(custom.into())
    }
}

/// The handler fails when the value cannot be written as JSON.
impl<T: Serialize> IntoReply for Card<T> {
    const MAY_PASS: bool = false;

    fn into_reply(self) -> Reply {
        match self.draft() {
            Ok(draft) => Reply::message(draft),
            Err(error) => Reply::failed(error),
        }
    }
}
