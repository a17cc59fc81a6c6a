//! Who says something to a bot under test, and where.

use super::{Outcome, TestBot, WRITING};
use crate::bot::recording::Recording;
use crate::proto::message::{C2cItem, Element, GroupItem, Mention, Message};
use serde_json::json;
use std::sync::Arc;

/// Somebody who says something to a bot under test. Made by [`TestBot::from`] and [`TestBot::in_group`].
#[derive(Clone)]
#[must_use = "nothing is said yet"]
pub struct Speaker<'a> {
    bot: &'a TestBot,
    user: String,
    group: Option<String>,
    mentions: bool,
}

impl std::fmt::Debug for Speaker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Speaker")
            .field("user", &self.user)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

impl<'a> Speaker<'a> {
    pub(super) fn new(bot: &'a TestBot) -> Self {
        Self {
            bot,
            user: "alice".to_owned(),
            group: None,
            mentions: false,
        }
    }

    /// Another user.
    pub fn from(mut self, user: impl Into<String>) -> Self {
        self.user = user.into();
        self
    }

    /// In a group, not in the one-to-one chat.
    pub fn in_group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Mentions the bot's account; in groups only.
    pub const fn mentioning(mut self) -> Self {
        self.mentions = true;
        self
    }

    /// Says a text. Returns what came of it.
    pub async fn hears(&self, text: &str) -> Outcome {
        self.sends(vec![Element::text(text)]).await
    }

    /// Sends elements. Returns what came of it.
    pub async fn sends(&self, elements: Vec<Element>) -> Outcome {
        let mut outcome = self.bot.stage.advance(WRITING).await;
        outcome.then(self.bot.stage.hear(self.message(elements)).await);
        outcome
    }

    /// Says something and does not wait for what comes of it; the next thing that is said, or
    /// [`TestBot::advance`], returns it.
    pub fn drops_in(&self, text: &str) {
        let message = self.message(vec![Element::text(text)]);
        self.bot.stage.deliver(message);
    }

    fn message(&self, elements: Vec<Element>) -> Arc<Message> {
        let (seq, time) = self.bot.stage.next_message();
        let Some(group) = &self.group else {
            let item = C2cItem {
                seq,
                random: seq,
                time,
                ..C2cItem::new(&self.user, Recording::USER, elements)
            };
            return Arc::new(Message::from_c2c(item, Recording::USER));
        };
        let mut item = json!({
            "From_Account": self.user, "ToGroupId": group, "MsgSeq": seq, "MsgRandom": seq,
            "MsgTimeStamp": time, "MsgBody": elements,
        });
        if self.mentions {
            item["GroupAtInfo"] = json!([Mention::user(Recording::USER)]);
        }
        self.bot.stage.group_message(item, 3)
    }
}

/// Reads a message of a group as the server would send it.
pub(super) fn from_group(item: serde_json::Value, event: u64) -> Option<Message> {
    let item: GroupItem = serde_json::from_value(item).ok()?;
    Message::from_group(item, event, Recording::USER)
}
