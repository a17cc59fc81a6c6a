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
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::search::SearchMessages;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let search = SearchMessages::new(["invoice"]).from(["alice"]);
    /// let found = api.search_messages(&search).await?;
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::search::SearchUsers;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let found = api.search_users(&SearchUsers::new(["alice"])).await?;
    /// let ids: Vec<&UserId> = found.users.iter().map(|it| &it.user).collect();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn search_users(&self, search: &SearchUsers) -> Result<FoundUsers, ApiError> {
        count(search.named(), "words", MAX_WORDS)?;
        self.call(search).await
    }

    /// A page of the groups that a search finds.
    ///
    /// # Errors
    /// As [`search_messages`](Self::search_messages).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::search::SearchGroups;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let found = api.search_groups(&SearchGroups::new(["chess"])).await?;
    /// let ids: Vec<&GroupId> = found.groups.iter().map(|it| &it.group).collect();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn search_groups(&self, search: &SearchGroups) -> Result<FoundGroups, ApiError> {
        count(search.named(), "words", MAX_WORDS)?;
        self.call(search).await
    }

    /// A page of the members that a search finds in the groups of this account.
    ///
    /// # Errors
    /// As [`search_messages`](Self::search_messages).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::search::SearchMembers;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let search = SearchMembers::new(["alice"]).groups([group.id]);
    /// let found = api.search_members(&search).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn search_members(&self, search: &SearchMembers) -> Result<FoundMembers, ApiError> {
        count(search.named(), "words", MAX_WORDS)?;
        self.call(search).await
    }
}
