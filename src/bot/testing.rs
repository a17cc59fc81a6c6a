//! Tests of bots without a server.
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

use super::api::Api;
use super::builder::Bot;
use super::event::{Event, What};
use super::handlers::run;
use super::ledger::Ledger;
use super::recording::Recording;
use super::seat::SharedBot;
use crate::account::AccountHandle;
use crate::proto::id::UserId;
use crate::proto::message::{C2cItem, Conversation, Draft, Element, Message};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A bot on an account named `bot`, without a connection.
pub struct TestBot {
    bot: Arc<SharedBot>,
    recording: Arc<Recording>,
    ledger: Arc<Ledger>,
    /// The number of the last message.
    said: AtomicU32,
}

impl std::fmt::Debug for TestBot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestBot").finish_non_exhaustive()
    }
}

impl TestBot {
    /// Runs the bot that `bot()` makes.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the name fits, and only tests are here")]
    pub fn new(bot: Bot) -> Self {
        if let Err(mistakes) = bot.check() {
            let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            panic!("{}", mistakes.join("\n"));
        }
        let user = UserId::parse(Recording::USER).expect("a name that fits");
        Self {
            bot: bot.into_tested(),
            recording: Arc::default(),
            ledger: Ledger::in_memory(AccountHandle::new(user)),
            said: AtomicU32::new(0),
        }
    }

    /// The API of the bot's account. What a test does with it is recorded like the bot's own actions.
    #[must_use]
    pub fn api(&self) -> Api {
        Api::recorded(self.recording.clone())
    }

    /// Answers the bot's next request of this command (`openim.msgwithdraw`, see
    /// [`op`](crate::proto::op)) with the body `answer`, a JSON object. Several are given in order;
    /// a request without one fails with [`ApiError::NoAnswer`](super::ApiError::NoAnswer).
    pub fn answer(&self, servcmd: &str, answer: &Value) {
        self.recording.answer(servcmd, answer);
    }

    /// The messages the bot has sent since the last call, and to whom.
    #[must_use]
    pub fn sent(&self) -> Vec<(Conversation, Draft)> {
        self.recording.take_sent()
    }

    /// The requests the bot has made since the last call, with their bodies.
    #[must_use]
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.recording.take_calls()
    }

    /// Says `text` to the bot as the user `alice`; the texts it sends in answer come back.
    pub async fn say(&self, text: &str) -> Vec<String> {
        self.hear("alice", vec![Element::text(text)]).await
    }

    /// Sends elements to the bot as the user `from`; the texts it sends in answer come back.
    pub async fn hear(&self, from: &str, elements: Vec<Element>) -> Vec<String> {
        let drafts = self.react(from, elements).await.into_iter();
        drafts
            .flat_map(|draft| draft.elements)
            .filter_map(|element| match element {
                Element::Text(text) => Some(text.text),
                _ => None,
            })
            .collect()
    }

    /// Sends elements to the bot as the user `alice`; everything it sends in answer comes back. Files
    /// count as uploaded, to `test:` and their name.
    pub async fn answers(&self, elements: Vec<Element>) -> Vec<Draft> {
        self.react("alice", elements).await
    }

    async fn react(&self, from: &str, elements: Vec<Element>) -> Vec<Draft> {
        let item = C2cItem {
            seq: self.said.fetch_add(1, Ordering::Relaxed) + 1,
            ..C2cItem::new(from, Recording::USER, elements)
        };
        let what = What::Message(Arc::new(Message::from_c2c(item, "bot")));
        let event = Event::of_test(what, self.api(), self.bot.clone(), self.ledger.clone());
        let mut succeeded = false;
        if let Ok(mut answers) = run(event.clone(), None).await.into_result() {
            succeeded = true;
            while let Some(answer) = answers.next() {
                if let Ok(draft) = answer.into_draft(event.api()).await {
                    let _ = event.api().send(Conversation::c2c(from), draft).await;
                }
            }
        }
        if let Some(exchange) = event.exchange() {
            self.ledger.close(&exchange, succeeded);
        }
        self.sent().into_iter().map(|(_, draft)| draft).collect()
    }
}
