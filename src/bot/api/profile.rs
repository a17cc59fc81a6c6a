//! Profiles of users.

use super::{Api, ApiError, IntoUserId, UserApi, users};
use crate::proto::op::profile::GetProfiles;
use crate::proto::op::profile::MAX_PROFILES;
use crate::proto::op::profile::Profile;
use crate::proto::op::profile::SetProfile;

impl Api {
    /// The profile of this account.
    ///
    /// # Errors
    /// When the server did not answer.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn name(api: Api) -> Result<String, ApiError> {
    ///     Ok(format!("I am {}.", api.profile().await?.nick()))
    /// }
    /// # let _ = Bot::new("b").on_text(name);
    /// ```
    pub async fn profile(&self) -> Result<Profile, ApiError> {
        self.user(self.me()).profile().await
    }

    /// The profiles of these users, 100 at most.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn names(joined: Joined, api: Api) -> Result<String, ApiError> {
    ///     let profiles = api.profiles(&joined.members).await?;
    ///     let nicks: Vec<&str> = profiles.iter().map(|profile| profile.nick()).collect();
    ///     Ok(format!("Welcome {}!", nicks.join(" and ")))
    /// }
    /// # let _ = Bot::new("b").on_joined(names);
    /// ```
    pub async fn profiles(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
    ) -> Result<Vec<Profile>, ApiError> {
        let users = self::users(users, "users", MAX_PROFILES)?;
        Ok(self.call(&GetProfiles::new(self.me(), users)).await?.items)
    }

    /// Changes the profile of this account.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn introduce(api: Api) -> Result<(), ApiError> {
    ///     api.set_profile(SetProfile::new().nick("Weather").signature("Sunny.")).await
    /// }
    /// # let _ = Bot::new("weather").on_start(introduce);
    /// ```
    pub async fn set_profile(&self, change: SetProfile) -> Result<(), ApiError> {
        self.call(&change.of(self.me())).await?;
        Ok(())
    }
}

impl UserApi<'_> {
    /// The profile of the user.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::Unfit`] when it knows nothing about the user.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn hello(sender: Sender, api: Api) -> Result<String, ApiError> {
    ///     Ok(format!("Hello {}!", api.user(&sender).profile().await?.nick()))
    /// }
    /// # let _ = Bot::new("b").on_text(hello);
    /// ```
    pub async fn profile(&self) -> Result<Profile, ApiError> {
        let found = self.api().profiles([self.id()]).await?.into_iter();
        let mut found = found.filter(|profile| profile.user == self.id());
        found
            .next()
            .ok_or(ApiError::Unfit("the server told nothing about the user"))
    }
}
