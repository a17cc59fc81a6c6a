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

use super::api::{Api, ApiError};
use super::builder::{Bot, Handlers};
use super::extract::{Event, Values, What};
use crate::account::unreadable;
use crate::proto::answer::Sent;
use crate::proto::message::{C2cItem, Conversation, Draft, Element, Message};
use crate::proto::op::Call;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a bot under test does, and what it is answered.
#[derive(Debug, Default)]
pub(super) struct Recording {
    state: Mutex<Recorded>,
}

#[derive(Debug, Default)]
struct Recorded {
    sent: Vec<(Conversation, Draft)>,
    calls: Vec<(String, Value)>,
    answers: HashMap<String, VecDeque<String>>,
}

impl Recording {
    /// The account of a bot under test.
    pub(super) const USER: &'static str = "bot";

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each message has a number of its own, in a group and else.
    pub(super) fn send(&self, to: Conversation, draft: Draft) -> Sent {
        let mut state = self.lock();
        state.sent.push((to, draft));
        let seq = u32::try_from(state.sent.len()).unwrap_or(u32::MAX);
        Sent {
            time: 0,
            key: format!("{seq}_{seq}_0"),
            seq,
        }
    }

    pub(super) fn call<C: Call>(&self, call: &C) -> Result<C::Answer, ApiError> {
        let servcmd = call.servcmd().into_owned();
        let mut state = self.lock();
        let body = serde_json::to_value(call).unwrap_or_default();
        state.calls.push((servcmd.clone(), body));
        let answers = state.answers.get_mut(&servcmd);
        let Some(answer) = answers.and_then(VecDeque::pop_front) else {
            return Err(ApiError::NoAnswer { servcmd });
        };
        serde_json::from_str(&answer).map_err(|error| ApiError::Call(unreadable(&error)))
    }
}

/// A bot on an account named `bot` that nobody else can reach.
pub struct TestBot {
    handlers: Handlers,
    values: Arc<Values>,
    recording: Arc<Recording>,
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
            recording: Arc::default(),
        }
    }

    /// What the bot has for acting on its account; what is done with it counts as done by the bot.
    #[must_use]
    pub fn api(&self) -> Api {
        Api::recorded(self.recording.clone())
    }

    /// Answers the bot's next request of this command (`openim.msgwithdraw`, see
    /// [`op`](crate::proto::op)) with the body `answer`, a JSON object. Several are given in order;
    /// a request without one fails with [`ApiError::NoAnswer`].
    pub fn answer(&self, servcmd: &str, answer: &Value) {
        let mut state = self.recording.lock();
        let answers = state.answers.entry(servcmd.to_owned()).or_default();
        answers.push_back(answer.to_string());
    }

    /// The messages the bot has sent since the last call, and to whom.
    #[must_use]
    pub fn sent(&self) -> Vec<(Conversation, Draft)> {
        std::mem::take(&mut self.recording.lock().sent)
    }

    /// The requests the bot has made since the last call, with their bodies.
    #[must_use]
    pub fn calls(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.recording.lock().calls)
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
        let item = C2cItem::new(from, "bot", elements);
        let event = Event {
            what: What::Message(Arc::new(Message::from_c2c(item, "bot"))),
            api: self.api(),
            values: self.values.clone(),
        };
        if let Ok(Some((_, future))) = self.handlers.dispatch(&event)
            && let Ok(Some(answer)) = future.await
            && let Ok(draft) = answer.into_draft(&event.api).await
        {
            let _ = event.api.send(Conversation::c2c(from), draft).await;
        }
        self.sent().into_iter().map(|(_, draft)| draft).collect()
    }
}
