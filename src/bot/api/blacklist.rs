//! Who may not write to the account.

use super::{Api, ApiError, collect};
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
    pub async fn blacklist(&self) -> Result<Vec<String>, ApiError> {
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
    pub async fn block(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), ApiError> {
        let users = collect(users, "users", MAX_USERS)?;
        let request = AddToBlacklist {
            me: self.me(),
            users,
        };
        ApiError::of_items(&self.call(&request).await?.items, "a user")
    }

    /// Lifts the block of users, 1,000 at most.
    ///
    /// # Errors
    /// As [`block`](Self::block).
    pub async fn unblock(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), ApiError> {
        let users = collect(users, "users", MAX_USERS)?;
        let request = RemoveFromBlacklist {
            me: self.me(),
            users,
        };
        ApiError::of_items(&self.call(&request).await?.items, "a user")
    }
}
