//! Profiles, friends, the blacklist, who is online.

use super::{Api, ApiError, collect};
use crate::proto::op::MAX_PAGES;
use crate::proto::op::blacklist::{AddToBlacklist, GetBlacklist, RemoveFromBlacklist};
use crate::proto::op::friend::{
    AddFriend, Application, CheckFriends, Decision, DeleteFriends, Friend, GetApplications,
    GetFriends, MAX_USERS, Relation, Respond, Sides, UpdateFriend,
};
use crate::proto::op::profile::{GetProfiles, MAX_PROFILES, Profile, SetProfile, Tagged};
use crate::proto::op::user_status::{
    GetStatus, MAX_STATUS, MAX_SUBSCRIBED, SetStatus, Subscribe, Unsubscribe,
};
use crate::proto::update::UserStatus;

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

    /// All friends.
    ///
    /// # Errors
    /// When a page could not be had.
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

    /// Asks a user to be a friend, with a few words. Whether it is one at once depends on the user.
    ///
    /// # Errors
    /// [`ApiError::Item`] when the server refuses it, which it also does to say that the user has to
    /// decide first (30539).
    pub async fn add_friend(
        &self,
        user: &str,
        wording: impl Into<String>,
        sides: Sides,
    ) -> Result<(), ApiError> {
        let request = AddFriend::new(self.me(), user, wording, "", sides);
        ApiError::of_items(&self.call(&request).await?.items, user)
    }

    /// Ends friendships.
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first one that is none; [`ApiError::TooMany`] above 1,000.
    pub async fn delete_friends(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
        sides: Sides,
    ) -> Result<(), ApiError> {
        let users = collect(users, "users", MAX_USERS)?;
        let request = DeleteFriends::new(self.me(), users, sides);
        ApiError::of_items(&self.call(&request).await?.items, "a user")
    }

    /// Who of these users is a friend.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`] above 1,000.
    pub async fn check_friends(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
        sides: Sides,
    ) -> Result<Vec<Relation>, ApiError> {
        let users = collect(users, "users", MAX_USERS)?;
        let request = CheckFriends::new(self.me(), users, sides);
        Ok(self.call(&request).await?.items)
    }

    /// Sets what this account calls a friend.
    ///
    /// # Errors
    /// [`ApiError::Item`] when the user is none.
    pub async fn set_remark(&self, user: &str, remark: impl Into<String>) -> Result<(), ApiError> {
        let field = Tagged {
            tag: "Tag_SNS_IM_Remark".to_owned(),
            value: remark.into().into(),
        };
        let request = UpdateFriend::new(self.me(), user, vec![field]);
        ApiError::of_items(&self.call(&request).await?.items, user)
    }

    /// Who wants to be a friend, and whom this account asked: the newest hundred.
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn friend_applications(&self) -> Result<Vec<Application>, ApiError> {
        Ok(self.call(&GetApplications::new(self.me())).await?.items)
    }

    /// Answers somebody who wants to be a friend.
    ///
    /// # Errors
    /// [`ApiError::Item`] when there is no such application.
    pub async fn respond_friend(&self, user: &str, decision: Decision) -> Result<(), ApiError> {
        let request = Respond::new(self.me(), user, "", decision);
        ApiError::of_items(&self.call(&request).await?.items, user)
    }

    /// Everybody on the blacklist.
    ///
    /// # Errors
    /// When a page could not be had.
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
    /// [`ApiError::Item`] with the first one it did not work for; [`ApiError::TooMany`].
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

    /// Who of these users, 500 at most, is online.
    ///
    /// # Errors
    /// When the server did not answer, which it does not at every edition; [`ApiError::TooMany`].
    pub async fn status(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<UserStatus>, ApiError> {
        let users = collect(users, "users", MAX_STATUS)?;
        Ok(self.call(&GetStatus { users }).await?.items)
    }

    /// Has the server tell when these users, 100 at most, come and go: as
    /// [`Update::Status`](crate::proto::update::Update::Status).
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first one it did not work for; [`ApiError::TooMany`].
    pub async fn subscribe_status(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), ApiError> {
        let users = collect(users, "users", MAX_SUBSCRIBED)?;
        let answer = self.call(&Subscribe { users }).await?;
        ApiError::of_items(&answer.errors, "a user")
    }

    /// Has the server tell so no longer.
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

    /// Sets what the own status says beside "online".
    ///
    /// # Errors
    /// When the server did not do it.
    pub async fn set_status(&self, text: impl Into<String>) -> Result<(), ApiError> {
        self.call(&SetStatus { text: text.into() }).await?;
        Ok(())
    }
}
