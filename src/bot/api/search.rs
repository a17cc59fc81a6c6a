//! Searches for messages, users, groups and members on the server.

use super::{Api, ApiError, count};
use crate::proto::op::search::{
    FoundGroups, FoundMembers, FoundMessages, FoundUsers, MAX_WORDS, SearchGroups, SearchMembers,
    SearchMessages, SearchUsers,
};

impl Api {
    /// A page of the messages that a search finds.
    ///
    /// # Errors
    /// When the server did not answer, or the app has not bought this;
    /// [`ApiError::TooMany`] above five words or senders.
    pub async fn search_messages(
        &self,
        search: &SearchMessages,
    ) -> Result<FoundMessages, ApiError> {
        count(search.named(), "words", MAX_WORDS)?;
        self.call(search).await
    }

    /// A page of the users that a search finds.
    ///
    /// # Errors
    /// As [`search_messages`](Self::search_messages).
    pub async fn search_users(&self, search: &SearchUsers) -> Result<FoundUsers, ApiError> {
        count(search.named(), "words", MAX_WORDS)?;
        self.call(search).await
    }

    /// A page of the groups that a search finds.
    ///
    /// # Errors
    /// As [`search_messages`](Self::search_messages).
    pub async fn search_groups(&self, search: &SearchGroups) -> Result<FoundGroups, ApiError> {
        count(search.named(), "words", MAX_WORDS)?;
        self.call(search).await
    }

    /// A page of the members that a search finds in the groups of this account.
    ///
    /// # Errors
    /// As [`search_messages`](Self::search_messages).
    pub async fn search_members(&self, search: &SearchMembers) -> Result<FoundMembers, ApiError> {
        count(search.named(), "words", MAX_WORDS)?;
        self.call(search).await
    }
}
