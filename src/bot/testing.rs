//! Trying a bot out without a server.
//!
//! ```
//! use botroupe::prelude::*;
//! use botroupe::bot::testing::TestBot;
//!
//! async fn shout(text: Text) -> String {
//!     text.to_uppercase()
//! }
//!
//! # futures_executor_block_on(async {
//! let bot = TestBot::new(Bot::new("shout").on_text(shout));
//! assert_eq!(bot.say("hi").await, ["HI"]);
//! # });
//! # fn futures_executor_block_on(f: impl std::future::Future<Output = ()>) {
//! #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(f);
//! # }
//! ```

use super::api::{Api, Log};
use super::builder::{Bot, Handlers};
use super::extract::{Event, Values, What};
use crate::proto::message::{C2cItem, Element, Message};
use std::sync::Arc;

/// A bot on an account named `bot` that nobody else can reach.
pub struct TestBot {
    handlers: Handlers,
    values: Arc<Values>,
    sent: Log,
}

impl std::fmt::Debug for TestBot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestBot").finish_non_exhaustive()
    }
}

impl TestBot {
    /// Takes the bot as `bot()` makes it.
    #[must_use]
    pub fn new(bot: Bot) -> Self {
        let (_, values, handlers) = bot.into_parts();
        Self {
            handlers,
            values,
            sent: Arc::default(),
        }
    }

    /// Says `text` to the bot as the user `alice`; the texts it sends in answer come back.
    pub async fn say(&self, text: &str) -> Vec<String> {
        self.hear("alice", vec![Element::text(text)]).await
    }

    /// Sends elements to the bot as the user `from`; the texts it sends in answer come back.
    pub async fn hear(&self, from: &str, elements: Vec<Element>) -> Vec<String> {
        let item = C2cItem::new(from, "bot", elements);
        let event = Event {
            what: What::Message(Arc::new(Message::from_c2c(item, "bot"))),
            api: Api::recorded(self.sent.clone()),
            values: self.values.clone(),
        };
        if let Ok(Some((_, future))) = self.handlers.dispatch(&event)
            && let Ok(Some(draft)) = future.await
        {
            let _ = event.api.send(from, draft).await;
        }
        let sent = self
            .sent
            .lock()
            .map(|mut sent| std::mem::take(&mut *sent))
            .unwrap_or_default();
        sent.into_iter()
            .flat_map(|(_, draft)| draft.elements)
            .filter_map(|element| match element {
                Element::Text(text) => Some(text.text),
                _ => None,
            })
            .collect()
    }
}
