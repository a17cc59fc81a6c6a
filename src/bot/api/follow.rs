//! Who follows the account, and whom it follows.

use super::{Api, ApiError, IntoUserId, UserApi, users};
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
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.follow(["alice", "bob"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn follow(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
    ) -> Result<(), ApiError> {
        let users = self::users(users, "users", MAX_USERS)?;
        let answer = self.call(&Follow::new(self.me(), users)).await?;
        ApiError::of_items(&answer.items, "a user")
    }

    /// Stops following users.
    ///
    /// # Errors
    /// As [`follow`](Self::follow).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.unfollow(["alice", "bob"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unfollow(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
    ) -> Result<(), ApiError> {
        let users = self::users(users, "users", MAX_USERS)?;
        let request = Unfollow {
            me: self.me().into(),
            users,
        };
        ApiError::of_items(&self.call(&request).await?.items, "a user")
    }

    /// Everybody who follows this account.
    ///
    /// # Errors
    /// When a page could not be fetched.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let followers = api.followers().await?;
    /// let names: Vec<&str> = followers.iter().map(|it| it.nick()).collect();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn followers(&self) -> Result<Vec<Followed>, ApiError> {
        self.follows(Tie::Follower).await
    }

    /// Everybody this account follows.
    ///
    /// # Errors
    /// When a page could not be fetched.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let users = api.following().await?.into_iter().map(|it| it.user);
    /// let users: Vec<UserId> = users.collect();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn following(&self) -> Result<Vec<Followed>, ApiError> {
        self.follows(Tie::Following).await
    }

    /// The users that this account follows and that follow it back.
    ///
    /// # Errors
    /// When a page could not be fetched.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// for peer in api.mutual_followers().await? {
    ///     api.user(&peer.user).send("We follow each other!").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::follow::Tie;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let checked = api.check_follows(["alice", "bob"]).await?;
    /// let fans = checked.iter().filter(|it| it.tie() == Tie::Follower).count();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check_follows(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
    ) -> Result<Vec<CheckedUser>, ApiError> {
        let users = self::users(users, "users", MAX_USERS)?;
        let request = CheckFollows {
            me: self.me().into(),
            users,
        };
        Ok(self.call(&request).await?.items)
    }

    /// The numbers of followers and of followed users of these users, 100 at most.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let counts = api.follow_counts(["alice"]).await?;
    /// let followers = counts.first().map_or(0, |count| count.followers);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn follow_counts(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
    ) -> Result<Vec<Count>, ApiError> {
        let users = self::users(users, "users", MAX_USERS)?;
        let request = GetCounts {
            me: self.me().into(),
            users,
        };
        Ok(self.call(&request).await?.items)
    }
}

impl UserApi<'_> {
    /// Follows the user, who need not agree.
    ///
    /// # Errors
    /// [`ApiError::Item`] when the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, sender: Sender) -> Result<(), ApiError> {
    /// api.user(&sender).follow().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn follow(&self) -> Result<(), ApiError> {
        self.api().follow([self.id()]).await
    }

    /// Stops following the user.
    ///
    /// # Errors
    /// As [`follow`](Self::follow).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, sender: Sender) -> Result<(), ApiError> {
    /// api.user(&sender).unfollow().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unfollow(&self) -> Result<(), ApiError> {
        self.api().unfollow([self.id()]).await
    }

    /// Whether the user follows this account, and whether it follows the user.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::Item`] when it refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::follow::Tie;
    /// # async fn example(api: Api, sender: Sender) -> Result<(), ApiError> {
    /// if api.user(&sender).follow_tie().await? == Tie::Follower {
    ///     api.user(&sender).follow().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn follow_tie(&self) -> Result<Tie, ApiError> {
        let checked = self.api().check_follows([self.id()]).await?;
        let checked = checked.first();
        let checked = checked.ok_or(ApiError::Unfit("the server told nothing about the user"))?;
        ApiError::of_items(std::slice::from_ref(&checked.result), self.id())?;
        Ok(checked.tie())
    }
}
