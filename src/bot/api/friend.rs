//! Friends and requests to become one.

use super::{Api, ApiError, IntoUserId, UserApi, users};
use crate::proto::op::MAX_PAGES;
use crate::proto::op::friend::AddFriend;
use crate::proto::op::friend::Application;
use crate::proto::op::friend::CheckFriends;
use crate::proto::op::friend::Decision;
use crate::proto::op::friend::DeleteFriends;
use crate::proto::op::friend::Friend;
use crate::proto::op::friend::GetApplications;
use crate::proto::op::friend::GetFriends;
use crate::proto::op::friend::MAX_USERS;
use crate::proto::op::friend::Relation;
use crate::proto::op::friend::Respond;
use crate::proto::op::friend::Sides;
use crate::proto::op::friend::UpdateFriend;
use crate::proto::op::profile::Tagged;

impl Api {
    /// All friends.
    ///
    /// # Errors
    /// When a page could not be fetched.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// for friend in api.friends().await? {
    ///     api.user(&friend.user).send("Happy new year!").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn friends(&self) -> Result<Vec<Friend>, ApiError> {
        let (mut all, mut start) = (Vec::new(), 0);
        for _ in 0..MAX_PAGES {
            let page = self.call(&GetFriends::new(self.me(), start)).await?;
            let is_last = page.complete == 1 || page.items.is_empty() || page.next <= start;
            start = page.next;
            all.extend(page.items);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// Removes friends.
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first one that is none; [`ApiError::TooMany`] above 1,000.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::friend::Sides;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.delete_friends(["mallory", "trudy"], Sides::Both).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_friends(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
        sides: Sides,
    ) -> Result<(), ApiError> {
        let users = self::users(users, "users", MAX_USERS)?;
        let request = DeleteFriends::new(self.me(), users, sides);
        ApiError::of_items(&self.call(&request).await?.items, "a user")
    }

    /// Which of these users are friends.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`] above 1,000.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::friend::Sides;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let relations = api.check_friends(["alice", "bob"], Sides::Single).await?;
    /// let friends = relations.iter().filter(|it| it.is_friend()).count();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check_friends(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
        sides: Sides,
    ) -> Result<Vec<Relation>, ApiError> {
        let users = self::users(users, "users", MAX_USERS)?;
        let request = CheckFriends::new(self.me(), users, sides);
        Ok(self.call(&request).await?.items)
    }

    /// The newest hundred friend requests, received and sent ones.
    ///
    /// # Errors
    /// When the server did not answer.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::friend::Decision;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// for application in api.friend_applications().await? {
    ///     let user = api.user(&application.user);
    ///     user.answer_friend_application(Decision::AgreeAndAdd).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn friend_applications(&self) -> Result<Vec<Application>, ApiError> {
        Ok(self.call(&GetApplications::new(self.me())).await?.items)
    }
}

impl UserApi<'_> {
    /// Whether the user is on the friend list of this account.
    ///
    /// # Errors
    /// When the server did not answer.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, sender: Sender) -> Result<(), ApiError> {
    /// if api.user(&sender).is_friend().await? {
    ///     api.user(&sender).send("Hello, friend!").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn is_friend(&self) -> Result<bool, ApiError> {
        let relations = self.api().check_friends([self.id()], Sides::Single).await?;
        Ok(relations.iter().any(Relation::is_friend))
    }

    /// Asks the user to become a friend, with a short text. Depending on the user's profile, both are friends at
    /// once or the user decides.
    ///
    /// # Errors
    /// [`ApiError::Item`] when the server refuses it, which it also does to say that the user has to
    /// decide first (30539).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::friend::Sides;
    /// # async fn example(api: Api, sender: Sender) -> Result<(), ApiError> {
    /// api.user(&sender).befriend("It is me, the bot.", Sides::Both).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn befriend(&self, wording: impl Into<String>, sides: Sides) -> Result<(), ApiError> {
        let user = self.checked()?;
        let request = AddFriend::new(self.api().me(), user, wording, "", sides);
        ApiError::of_items(&self.api().call(&request).await?.items, user)
    }

    /// Removes the user from the friends.
    ///
    /// # Errors
    /// [`ApiError::Item`] when the user is none.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::friend::Sides;
    /// # async fn example(api: Api, sender: Sender) -> Result<(), ApiError> {
    /// api.user(&sender).unfriend(Sides::Both).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unfriend(&self, sides: Sides) -> Result<(), ApiError> {
        self.api().delete_friends([self.id()], sides).await
    }

    /// Sets the name (remark) that this account gives a friend.
    ///
    /// # Errors
    /// [`ApiError::Item`] when the user is no friend.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.user("alice").set_remark("Alice, who pays").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_remark(&self, remark: impl Into<String>) -> Result<(), ApiError> {
        let user = self.checked()?;
        let field = Tagged {
            tag: "Tag_SNS_IM_Remark".to_owned(),
            value: remark.into().into(),
        };
        let request = UpdateFriend::new(self.api().me(), user, vec![field]);
        ApiError::of_items(&self.api().call(&request).await?.items, user)
    }

    /// Answers the user's request to become a friend.
    ///
    /// # Errors
    /// [`ApiError::Item`] when there is no such application.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::friend::Decision;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.user("alice").answer_friend_application(Decision::Agree).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn answer_friend_application(&self, decision: Decision) -> Result<(), ApiError> {
        let user = self.checked()?;
        let request = Respond::new(self.api().me(), user, "", decision);
        ApiError::of_items(&self.api().call(&request).await?.items, user)
    }
}
