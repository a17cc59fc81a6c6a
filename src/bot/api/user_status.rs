//! Whether users are online.

use super::{Api, ApiError, collect};
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
    pub async fn status(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<UserStatus>, ApiError> {
        let users = collect(users, "users", MAX_STATUS)?;
        Ok(self.call(&GetStatus { users }).await?.items)
    }

    /// Subscribes to the status of these users, 100 at most. Changes come as
    /// [`Update::Status`](crate::proto::update::Update::Status).
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first user that the server refused; [`ApiError::TooMany`].
    pub async fn subscribe_status(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), ApiError> {
        let users = collect(users, "users", MAX_SUBSCRIBED)?;
        let answer = self.call(&Subscribe { users }).await?;
        ApiError::of_items(&answer.errors, "a user")
    }

    /// Ends such subscriptions.
    ///
    /// # Errors
    /// As [`subscribe_status`](Self::subscribe_status).
    pub async fn unsubscribe_status(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), ApiError> {
        let users = collect(users, "users", MAX_SUBSCRIBED)?;
        let answer = self.call(&Unsubscribe { users }).await?;
        ApiError::of_items(&answer.errors, "a user")
    }

    /// Sets the custom status text of this account.
    ///
    /// # Errors
    /// When the server refused it.
    pub async fn set_status(&self, text: impl Into<String>) -> Result<(), ApiError> {
        self.call(&SetStatus { text: text.into() }).await?;
        Ok(())
    }
}
