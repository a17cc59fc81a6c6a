//! Who follows the account, and whom it follows.

use super::{Api, ApiError, collect};
use crate::proto::op::MAX_PAGES;
use crate::proto::op::follow::{
    CheckFollows, CheckedUser, Count, Follow, Followed, GetCounts, GetFollows, MAX_USERS, Tie,
    Unfollow,
};

impl Api {
    /// Follows users, 100 at most. They are not asked.
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first one it did not work for; [`ApiError::TooMany`].
    pub async fn follow(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), ApiError> {
        let users = collect(users, "users", MAX_USERS)?;
        let answer = self.call(&Follow::new(self.me(), users)).await?;
        ApiError::of_items(&answer.items, "a user")
    }

    /// Follows users no longer.
    ///
    /// # Errors
    /// As [`follow`](Self::follow).
    pub async fn unfollow(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), ApiError> {
        let users = collect(users, "users", MAX_USERS)?;
        let request = Unfollow {
            me: self.me(),
            users,
        };
        ApiError::of_items(&self.call(&request).await?.items, "a user")
    }

    /// Everybody who follows this account.
    ///
    /// # Errors
    /// When a page could not be had.
    pub async fn followers(&self) -> Result<Vec<Followed>, ApiError> {
        self.follows(Tie::Follower).await
    }

    /// Everybody this account follows.
    ///
    /// # Errors
    /// When a page could not be had.
    pub async fn following(&self) -> Result<Vec<Followed>, ApiError> {
        self.follows(Tie::Following).await
    }

    /// Everybody this account follows, and who follows it.
    ///
    /// # Errors
    /// When a page could not be had.
    pub async fn mutual_followers(&self) -> Result<Vec<Followed>, ApiError> {
        self.follows(Tie::Mutual).await
    }

    async fn follows(&self, tie: Tie) -> Result<Vec<Followed>, ApiError> {
        let (mut all, mut request) = (Vec::new(), GetFollows::new(self.me(), tie));
        for _ in 0..MAX_PAGES {
            let page = self.call(&request).await?;
            let more = request.go_on(&page);
            all.extend(page.items);
            if !more {
                break;
            }
        }
        Ok(all)
    }

    /// How these users, 100 at most, stand to this account.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    pub async fn check_follows(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<CheckedUser>, ApiError> {
        let users = collect(users, "users", MAX_USERS)?;
        let request = CheckFollows {
            me: self.me(),
            users,
        };
        Ok(self.call(&request).await?.items)
    }

    /// How many follow these users, 100 at most, and how many they follow.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    pub async fn follow_counts(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<Count>, ApiError> {
        let users = collect(users, "users", MAX_USERS)?;
        let request = GetCounts {
            me: self.me(),
            users,
        };
        Ok(self.call(&request).await?.items)
    }
}
