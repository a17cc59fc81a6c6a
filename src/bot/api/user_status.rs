//! Whether users are online.

use super::{Api, ApiError, IntoUserId, UserApi, users};
use crate::proto::op::user_status::GetStatus;
use crate::proto::op::user_status::MAX_STATUS;
use crate::proto::op::user_status::MAX_SUBSCRIBED;
use crate::proto::op::user_status::SetStatus;
use crate::proto::op::user_status::Subscribe;
use crate::proto::op::user_status::Unsubscribe;
use crate::proto::update::UserStatus;

impl Api {
    /// The status of these users, 500 at most.
    ///
    /// # Errors
    /// When the server did not answer; not every edition offers this. [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let statuses = api.statuses(["alice", "bob"]).await?;
    /// let online = statuses.iter().filter(|it| it.is_online()).count();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn statuses(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
    ) -> Result<Vec<UserStatus>, ApiError> {
        let users = self::users(users, "users", MAX_STATUS)?;
        Ok(self.call(&GetStatus { users }).await?.items)
    }

    /// Subscribes to the status of these users, 100 at most. Changes come as
    /// [`Update::Status`](crate::proto::update::Update::Status).
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first user that the server refused; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.subscribe_status(["alice", "bob"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn subscribe_status(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
    ) -> Result<(), ApiError> {
        let users = self::users(users, "users", MAX_SUBSCRIBED)?;
        let answer = self.call(&Subscribe { users }).await?;
        ApiError::of_items(&answer.errors, "a user")
    }

    /// Ends such subscriptions.
    ///
    /// # Errors
    /// As [`subscribe_status`](Self::subscribe_status).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.unsubscribe_status(["alice", "bob"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unsubscribe_status(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
    ) -> Result<(), ApiError> {
        let users = self::users(users, "users", MAX_SUBSCRIBED)?;
        let answer = self.call(&Unsubscribe { users }).await?;
        ApiError::of_items(&answer.errors, "a user")
    }

    /// Sets the custom status text of this account.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.set_status("out for lunch").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_status(&self, text: impl Into<String>) -> Result<(), ApiError> {
        self.call(&SetStatus { text: text.into() }).await?;
        Ok(())
    }
}

impl UserApi<'_> {
    /// Whether the user is online, and the custom status text.
    ///
    /// # Errors
    /// When the server did not answer; not every edition offers this. [`ApiError::Unfit`] when it knows nothing about
    /// the user.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// if !api.user("alice").status().await?.is_online() {
    ///     println!("She will read it later.");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn status(&self) -> Result<UserStatus, ApiError> {
        let found = self.api().statuses([self.id()]).await?.into_iter();
        let mut found = found.filter(|status| status.user == self.id());
        found
            .next()
            .ok_or(ApiError::Unfit("the server told nothing about the user"))
    }

    /// Subscribes to the status of the user. Changes come as
    /// [`Update::Status`](crate::proto::update::Update::Status).
    ///
    /// # Errors
    /// [`ApiError::Item`] when the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, sender: Sender) -> Result<(), ApiError> {
    /// api.user(&sender).subscribe_status().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn subscribe_status(&self) -> Result<(), ApiError> {
        self.api().subscribe_status([self.id()]).await
    }

    /// Ends the subscription.
    ///
    /// # Errors
    /// As [`subscribe_status`](Self::subscribe_status).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, sender: Sender) -> Result<(), ApiError> {
    /// api.user(&sender).unsubscribe_status().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unsubscribe_status(&self) -> Result<(), ApiError> {
        self.api().unsubscribe_status([self.id()]).await
    }
}
