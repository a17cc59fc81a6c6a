//! Reactions under messages.

use super::message::{SYSTEM, of_one_conversation};
use super::{Api, ApiError, IntoMessage, MessageApi};
use crate::proto::id::UserId;
use crate::proto::message::MessageId;
use crate::proto::op::MAX_PAGES;
use crate::proto::op::MessageName;
use crate::proto::op::reaction::{
    GetReactions, GetUsers, MAX_MESSAGES, React, Reaction, Reactions,
};

impl Api {
    /// The reactions to several messages of one conversation, 20 at most.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`] and [`ApiError::Unfit`] before anything
    /// was sent.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn loved(group: Group, api: Api) -> Result<usize, ApiError> {
    ///     let messages = api.group(&group).history(None, 20).await?;
    ///     let reactions = api.reactions_to(&messages).await?;
    ///     Ok(messages.iter().filter(|it| !reactions.to(&it.id()).is_empty()).count())
    /// }
    /// ```
    pub async fn reactions_to(
        &self,
        messages: impl IntoIterator<Item = impl IntoMessage>,
    ) -> Result<Reactions, ApiError> {
        let messages = of_one_conversation(messages, MAX_MESSAGES)?;
        let ids: Vec<MessageId> = messages.into_iter().map(|message| message.id).collect();
        let request = GetReactions::new(self.me(), &ids).ok_or(SYSTEM)?;
        self.call(&request).await
    }
}

impl MessageApi<'_> {
    /// Adds a reaction to the message, usually an emoji. Adding it again changes nothing.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::Unfit`] for notices.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn wave(message: Message, api: Api) -> Result<(), ApiError> {
    ///     api.message(&message).react("[wave]").await
    /// }
    /// # let _ = Bot::new("b").on_text(wave);
    /// ```
    pub async fn react(&self, reaction: impl Into<String>) -> Result<(), ApiError> {
        let react = React::add(self.name()?, reaction, self.api().me());
        self.api().call(&react).await?;
        Ok(())
    }

    /// Removes a reaction of this account.
    ///
    /// # Errors
    /// As [`react`](Self::react).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn think(message: Message, api: Api) -> Result<&'static str, ApiError> {
    ///     let asked = api.message(&message);
    ///     asked.react("[thinking]").await?;
    ///     // …
    ///     asked.unreact("[thinking]").await?;
    ///     Ok("42")
    /// }
    /// # let _ = Bot::new("b").on_text(think);
    /// ```
    pub async fn unreact(&self, reaction: impl Into<String>) -> Result<(), ApiError> {
        let react = React::remove(self.name()?, reaction, self.api().me());
        self.api().call(&react).await?;
        Ok(())
    }

    /// The reactions to the message, each with up to ten of its users.
    ///
    /// # Errors
    /// As [`Api::reactions_to`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn votes(message: Message, api: Api) -> Result<u32, ApiError> {
    ///     let reactions = api.message(&message).reactions().await?;
    ///     Ok(reactions.iter().map(|reaction| reaction.count).sum())
    /// }
    /// ```
    pub async fn reactions(&self) -> Result<Vec<Reaction>, ApiError> {
        let reactions = self.api().reactions_to([self.id()]).await?;
        Ok(reactions.to(self.id()).to_vec())
    }

    /// Everybody who has added this reaction to the message, earliest first.
    ///
    /// # Errors
    /// When a page could not be fetched; [`ApiError::Unfit`] for notices.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn who_comes(message: Message, api: Api) -> Result<String, ApiError> {
    ///     let users = api.message(&message).reacted("[ok]").await?;
    ///     Ok(users.join(", "))
    /// }
    /// ```
    pub async fn reacted(&self, reaction: &str) -> Result<Vec<UserId>, ApiError> {
        let (mut all, mut from) = (Vec::new(), 0);
        for _ in 0..MAX_PAGES {
            let request = GetUsers::new(self.name()?, reaction, from);
            let page = self.api().call(&request).await?;
            all.extend(page.users);
            if page.next <= from {
                break;
            }
            from = page.next;
        }
        Ok(all)
    }

    /// As requests name the message.
    pub(super) fn name(&self) -> Result<MessageName, ApiError> {
        MessageName::of(self.id(), self.api().me()).ok_or(SYSTEM)
    }
}
