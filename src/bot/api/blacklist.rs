//! Who may not write to the account.

use super::{Api, ApiError, UserApi, users};
use crate::bot::api::IntoUserId;
use crate::proto::id::UserId;
use crate::proto::op::MAX_PAGES;
use crate::proto::op::blacklist::AddToBlacklist;
use crate::proto::op::blacklist::GetBlacklist;
use crate::proto::op::blacklist::RemoveFromBlacklist;
use crate::proto::op::friend::MAX_USERS;

impl Api {
    /// Everybody on the blacklist.
    ///
    /// # Errors
    /// When a page could not be fetched.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn forgive(api: Api) -> Result<(), ApiError> {
    ///     let all = api.blacklist().await?;
    ///     if all.is_empty() { Ok(()) } else { api.unblock(&all).await }
    /// }
    /// # let _ = Bot::new("b").on_start(forgive);
    /// ```
    pub async fn blacklist(&self) -> Result<Vec<UserId>, ApiError> {
        let (mut all, mut start) = (Vec::new(), 0);
        for _ in 0..MAX_PAGES {
            let page = self.call(&GetBlacklist::new(self.me(), start)).await?;
            let is_last = page.next <= start || page.items.is_empty();
            start = page.next;
            all.extend(page.items.into_iter().map(|item| item.user));
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// Blocks users, 1,000 at most: they cannot write to this account any more.
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first user that the server refused; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn shun(api: Api) -> Result<(), ApiError> {
    ///     api.block(["mallory", "trudy"]).await
    /// }
    /// # let _ = Bot::new("b").on_start(shun);
    /// ```
    pub async fn block(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
    ) -> Result<(), ApiError> {
        let request = AddToBlacklist {
            me: self.me().into(),
            users: self::users(users, "users", MAX_USERS)?,
        };
        ApiError::of_items(&self.call(&request).await?.items, "a user")
    }

    /// Lifts the block of users, 1,000 at most.
    ///
    /// # Errors
    /// As [`block`](Self::block).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn forgive(api: Api) -> Result<(), ApiError> {
    ///     api.unblock(["mallory", "trudy"]).await
    /// }
    /// # let _ = Bot::new("b").on_start(forgive);
    /// ```
    pub async fn unblock(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
    ) -> Result<(), ApiError> {
        let request = RemoveFromBlacklist {
            me: self.me().into(),
            users: self::users(users, "users", MAX_USERS)?,
        };
        ApiError::of_items(&self.call(&request).await?.items, "a user")
    }
}

impl UserApi<'_> {
    /// Blocks the user, who cannot write to this account any more.
    ///
    /// # Errors
    /// [`ApiError::Item`] when the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn shun(sender: Sender, api: Api) -> Result<(), ApiError> {
    ///     api.user(&sender).block().await
    /// }
    /// # let _ = Bot::new("b").on_text(shun);
    /// ```
    pub async fn block(&self) -> Result<(), ApiError> {
        self.api().block([self.id()]).await
    }

    /// Lifts the block of the user.
    ///
    /// # Errors
    /// [`ApiError::Item`] when the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn forgive(api: Api) -> Result<(), ApiError> {
    ///     api.user("mallory").unblock().await
    /// }
    /// # let _ = Bot::new("b").on_start(forgive);
    /// ```
    pub async fn unblock(&self) -> Result<(), ApiError> {
        self.api().unblock([self.id()]).await
    }
}
