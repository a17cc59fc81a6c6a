//! The list of conversations.

use super::message::SYSTEM;
use super::{Api, ApiError, IntoConversation, count};
use crate::proto::message::Conversation;
use crate::proto::op::MAX_PAGES;
use crate::proto::op::conversation::ClearHistory;
use crate::proto::op::conversation::Delete;
use crate::proto::op::conversation::GetConversations;
use crate::proto::op::conversation::Listed;
use crate::proto::op::conversation::MAX_CONVERSATIONS;
use crate::proto::op::conversation::Mark;
use crate::proto::op::conversation::Pin;
use crate::proto::op::{Contact, GroupField};

impl Api {
    /// All conversations of the account with their last message, in the server's order.
    ///
    /// # Errors
    /// When a page could not be fetched.
    pub async fn conversations(&self) -> Result<Vec<Listed>, ApiError> {
        let mut all = Vec::new();
        let mut request = GetConversations::new(self.me());
        for _ in 0..MAX_PAGES {
            let page = self.call(&request).await?;
            let is_last = page.complete == 1 || page.items.is_empty();
            request = request.after(&page);
            all.extend(page.items);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// Pins a conversation to the top of the list, or unpins it.
    ///
    /// # Errors
    /// When the server refused it.
    pub async fn pin(
        &self,
        conversation: impl IntoConversation,
        pin: bool,
    ) -> Result<(), ApiError> {
        let contact = contact(&conversation.into_conversation(), GroupField::GroupId)?;
        self.call(&Pin::new(self.me(), contact, pin)).await?;
        Ok(())
    }

    /// Removes a conversation from the list; with `clear` also its history, for this account only. The next
    /// message brings the conversation back.
    ///
    /// # Errors
    /// When the server refused it.
    pub async fn delete_conversation(
        &self,
        conversation: impl IntoConversation,
        clear: bool,
    ) -> Result<(), ApiError> {
        self.delete_conversations([conversation.into_conversation()], clear)
            .await
    }

    /// Removes several conversations, 100 at most.
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first one that the server did not delete; [`ApiError::TooMany`].
    pub async fn delete_conversations(
        &self,
        conversations: impl IntoIterator<Item = Conversation>,
        clear: bool,
    ) -> Result<(), ApiError> {
        let contacts: Vec<Contact> = conversations
            .into_iter()
            .map(|conversation| contact(&conversation, GroupField::ToGroupid))
            .collect::<Result<_, _>>()?;
        count(contacts.len(), "conversations", MAX_CONVERSATIONS)?;
        let delete = Delete::new(self.me(), contacts, clear);
        let results = self.call(&delete).await?.items;
        ApiError::of_items(&results, "a conversation")
    }

    /// Clears the history of a conversation, for this account only.
    ///
    /// # Errors
    /// When the server refused it.
    pub async fn clear_history(&self, conversation: impl IntoConversation) -> Result<(), ApiError> {
        let contact = contact(&conversation.into_conversation(), GroupField::ToGroupid)?;
        self.call(&ClearHistory::new(self.me(), contact)).await?;
        Ok(())
    }

    /// Sets marks of a conversation by their bits, and clears others: 0 star, 1 unread, 2 folded, 3
    /// hidden, 32 to 63 the app's own.
    ///
    /// # Errors
    /// When the server refused it; not every edition offers this.
    pub async fn mark_conversation(
        &self,
        conversation: impl IntoConversation,
        set: &[u32],
        clear: &[u32],
    ) -> Result<(), ApiError> {
        let contact = contact(&conversation.into_conversation(), GroupField::ToGroupId)?;
        let mark = Mark::bits(self.me(), contact, set.to_vec(), clear.to_vec());
        let results = self.call(&mark).await?.items;
        ApiError::of_items(&results, "the conversation")
    }

    /// Stores data of the app (256 bytes at most) with a conversation, for this account only.
    ///
    /// # Errors
    /// When the server refused it; not every edition offers this.
    pub async fn set_conversation_data(
        &self,
        conversation: impl IntoConversation,
        data: impl Into<String>,
    ) -> Result<(), ApiError> {
        let contact = contact(&conversation.into_conversation(), GroupField::ToGroupId)?;
        let mark = Mark::custom(self.me(), contact, data);
        let results = self.call(&mark).await?.items;
        ApiError::of_items(&results, "the conversation")
    }
}

pub(super) fn contact(conversation: &Conversation, field: GroupField) -> Result<Contact, ApiError> {
    Contact::new(conversation, field).ok_or(SYSTEM)
}
