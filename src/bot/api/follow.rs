//! Who follows the account, and whom it follows.

use super::{Api, ApiError, collect};
use crate::proto::op::MAX_PAGES;
use crate::proto::op::follow::{
    CheckFollows, CheckedUser, Count, Follow, Followed, GetCounts, GetFollows, MAX_USERS, Tie,
    Unfollow,
};

impl Api {
    /// Follows users, 100 at most. They need not agree.
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first user that the server refused; [`ApiError::TooMany`].
    pub async fn follow(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), ApiError> {
        let users = collect(users, "users", MAX_USERS)?;
        let answer = self.call(&Follow::new(self.me(), users)).await?;
        ApiError::of_items(&answer.items, "a user")
    }

    /// Stops following users.
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
    /// When a page could not be fetched.
    pub async fn followers(&self) -> Result<Vec<Followed>, ApiError> {
        self.follows(Tie::Follower).await
    }

    /// Everybody this account follows.
    ///
    /// # Errors
    /// When a page could not be fetched.
    pub async fn following(&self) -> Result<Vec<Followed>, ApiError> {
        self.follows(Tie::Following).await
    }

    /// The users that this account follows and that follow it back.
    ///
    /// # Errors
    /// When a page could not be fetched.
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

    /// Whether these users (100 at most) follow this account, and whether it follows them.
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

    /// The numbers of followers and of followed users of these users, 100 at most.
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
