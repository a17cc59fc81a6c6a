//! Reactions under messages.

use super::message::SYSTEM;
use super::{Api, ApiError, count};
use crate::proto::message::Message;
use crate::proto::op::MAX_PAGES;
use crate::proto::op::MessageName;
use crate::proto::op::reaction::{
    GetReactions, GetUsers, MAX_MESSAGES, React, Reaction, Reactions,
};

impl Api {
    /// Adds a reaction to a message, usually an emoji. Adding it again changes nothing.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::Unfit`] for notices.
    pub async fn react(
        &self,
        message: &Message,
        reaction: impl Into<String>,
    ) -> Result<(), ApiError> {
        let react = React::add(name(message)?, reaction, self.me());
        self.call(&react).await?;
        Ok(())
    }

    /// Removes a reaction of this account.
    ///
    /// # Errors
    /// As [`react`](Self::react).
    pub async fn unreact(
        &self,
        message: &Message,
        reaction: impl Into<String>,
    ) -> Result<(), ApiError> {
        let react = React::remove(name(message)?, reaction, self.me());
        self.call(&react).await?;
        Ok(())
    }

    /// The reactions to a message, each with up to ten of its users.
    ///
    /// # Errors
    /// As [`reactions_to`](Self::reactions_to).
    pub async fn reactions(&self, message: &Message) -> Result<Vec<Reaction>, ApiError> {
        let reactions = self.reactions_to(std::slice::from_ref(message)).await?;
        Ok(reactions.to(message).to_vec())
    }

    /// The reactions to several messages of one conversation, 20 at most.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`] and [`ApiError::Unfit`] before anything
    /// was sent.
    pub async fn reactions_to(&self, messages: &[Message]) -> Result<Reactions, ApiError> {
        count(messages.len(), "messages", MAX_MESSAGES)?;
        super::message::one_conversation(messages)?;
        self.call(&GetReactions::new(messages).ok_or(SYSTEM)?).await
    }

    /// Everybody who has added this reaction to a message, earliest first.
    ///
    /// # Errors
    /// When a page could not be fetched; [`ApiError::Unfit`] for notices.
    pub async fn reacted(
        &self,
        message: &Message,
        reaction: &str,
    ) -> Result<Vec<String>, ApiError> {
        let (mut all, mut from) = (Vec::new(), 0);
        for _ in 0..MAX_PAGES {
            let request = GetUsers::new(name(message)?, reaction, from);
            let page = self.call(&request).await?;
            all.extend(page.users);
            if page.next <= from {
                break;
            }
            from = page.next;
        }
        Ok(all)
    }
}

pub(super) fn name(message: &Message) -> Result<MessageName, ApiError> {
    MessageName::of(message).ok_or(SYSTEM)
}
