//! What users say about themselves.

use super::{Api, ApiError, collect};
use crate::proto::op::profile::GetProfiles;
use crate::proto::op::profile::MAX_PROFILES;
use crate::proto::op::profile::Profile;
use crate::proto::op::profile::SetProfile;

impl Api {
    /// What `user` says about itself.
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

    /// What these users, 100 at most, say about themselves.
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

    /// Changes the own profile.
    ///
    /// # Errors
    /// When the server did not do it.
    pub async fn set_profile(&self, change: SetProfile) -> Result<(), ApiError> {
        self.call(&change.of(self.me())).await?;
        Ok(())
    }
}
