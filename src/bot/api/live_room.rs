//! Who is in live rooms.

use super::{ApiError, GroupApi, IntoUserId};
use crate::proto::op::MAX_PAGES;
use crate::proto::op::live_room::{
    Ban, FIRST_MARK, GetLiveMembers, LiveMember, MAX_BANNED, MAX_MARKED, MarkMembers,
};
use std::time::Duration;

impl GroupApi<'_> {
    /// The current members of the live room, or those with a mark. For other groups use
    /// [`members`](Self::members).
    ///
    /// # Errors
    /// When a page could not be fetched, or the app has not bought this.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let guests = api.group("@TGS#3").live_members(None).await?.len();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn live_members(&self, mark: Option<u32>) -> Result<Vec<LiveMember>, ApiError> {
        let mut all = Vec::new();
        let mut request = GetLiveMembers {
            room: self.name()?,
            start: 0,
            mark,
        };
        for _ in 0..10 * MAX_PAGES {
            let page = self.api().call(&request).await?;
            let is_last = page.next == 0 || page.next == request.start || page.members.is_empty();
            request.start = page.next;
            all.extend(page.members);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// Bans members from the live room, 100 at most, for a time that is rounded up to whole seconds. Live rooms
    /// have no [`kick`](Self::kick). Only the REST API lifts a ban early (`unban_group_member`).
    ///
    /// # Errors
    /// When the server did not do it: only owner and administrators may, and the app has to have bought
    /// it. [`ApiError::Unfit`] for a time of zero; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use std::time::Duration;
    /// # async fn example(api: Api, sender: Sender) -> Result<(), ApiError> {
    /// let hour = Duration::from_secs(3600);
    /// api.group("@TGS#3").ban([&sender], hour, "spam").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ban(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
        time: Duration,
        reason: impl Into<String>,
    ) -> Result<(), ApiError> {
        let users = super::users(users, "users", MAX_BANNED)?;
        let part = u64::from(time.subsec_nanos() > 0);
        let seconds = time.as_secs().saturating_add(part);
        if seconds == 0 {
            return Err(ApiError::Unfit("a ban lasts at least a second"));
        }
        let request = Ban {
            room: self.name()?,
            users,
            seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
            reason: reason.into(),
        };
        self.api().call(&request).await?;
        Ok(())
    }

    /// Marks members of the live room, 500 at most, with a number that the app chooses, 1,000 or above.
    ///
    /// # Errors
    /// When the server did not do it, which takes a special right; [`ApiError::Unfit`] for a lower
    /// number; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.group("@TGS#3").mark_members(["alice"], 1001).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mark_members(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
        mark: u32,
    ) -> Result<(), ApiError> {
        self.change_marks(users, mark, true).await
    }

    /// Removes a mark from members of the live room.
    ///
    /// # Errors
    /// As [`mark_members`](Self::mark_members).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.group("@TGS#3").unmark_members(["alice"], 1001).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unmark_members(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
        mark: u32,
    ) -> Result<(), ApiError> {
        self.change_marks(users, mark, false).await
    }

    async fn change_marks(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
        mark: u32,
        give: bool,
    ) -> Result<(), ApiError> {
        let users = super::users(users, "users", MAX_MARKED)?;
        if mark < FIRST_MARK {
            return Err(ApiError::Unfit("marks of an app begin with 1000"));
        }
        let request = MarkMembers::new(self.name()?, users, mark, give);
        self.api().call(&request).await?;
        Ok(())
    }
}
