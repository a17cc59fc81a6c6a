//! Profiles of users.

use super::{Api, ApiError, collect};
use crate::proto::op::profile::GetProfiles;
use crate::proto::op::profile::MAX_PROFILES;
use crate::proto::op::profile::Profile;
use crate::proto::op::profile::SetProfile;

impl Api {
    /// The profile of `user`.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::Unfit`] when it knows nothing about the user.
    pub async fn profile(&self, user: &str) -> Result<Profile, ApiError> {
        let found = self.profiles([user]).await?.into_iter();
        let mut found = found.filter(|profile| profile.user == user);
        found
            .next()
            .ok_or(ApiError::Unfit("the server told nothing about the user"))
    }

    /// The profiles of these users, 100 at most.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    pub async fn profiles(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<Profile>, ApiError> {
        let users = collect(users, "users", MAX_PROFILES)?;
        Ok(self.call(&GetProfiles::new(self.me(), users)).await?.items)
    }

    /// Changes the profile of this account.
    ///
    /// # Errors
    /// When the server refused it.
    pub async fn set_profile(&self, change: SetProfile) -> Result<(), ApiError> {
        self.call(&change.of(self.me())).await?;
        Ok(())
    }
}
