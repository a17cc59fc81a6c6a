//! Members of groups.

use super::{ApiError, GroupApi, IntoUserId};
use crate::proto::address::is_community;
use crate::proto::op::MAX_PAGES;
use crate::proto::op::group::KeyValue;
use crate::proto::op::group_application::Invite;
use crate::proto::op::group_application::InvitedUser;
use crate::proto::op::group_member;
use crate::proto::op::group_member::GetMembers;
use crate::proto::op::group_member::GetOnlineCount;
use crate::proto::op::group_member::GetSpecified;
use crate::proto::op::group_member::Kick;
use crate::proto::op::group_member::Member;
use crate::proto::op::group_member::ModifyMember;
use crate::proto::op::group_member::Role;
use std::time::Duration;

impl GroupApi<'_> {
    /// All members, fetched in pages of a hundred. A live room has
    /// [`live_members`](Self::live_members).
    ///
    /// # Errors
    /// When a page could not be fetched.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let members = api.group(&group).members().await?;
    /// let admins = members.iter().filter(|member| member.role() == Role::Admin).count();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn members(&self) -> Result<Vec<Member>, ApiError> {
        let mut all: Vec<Member> = Vec::new();
        let mut next = String::new();
        // The largest groups have 100,000 members.
        for _ in 0..10 * MAX_PAGES {
            let request = if is_community(self.checked()?) {
                GetMembers::after(self.name()?, next, group_member::PAGE)
            } else {
                let offset = u32::try_from(all.len()).unwrap_or(u32::MAX);
                GetMembers::new(self.name()?, offset, group_member::PAGE)
            };
            let page = self.api().call(&request).await?;
            let full = page.members.len() >= group_member::PAGE as usize;
            let is_last = page.members.is_empty() || !full && page.next.is_empty();
            all.extend(page.members);
            next = page.next;
            if is_last || is_community(self.checked()?) && next.is_empty() {
                break;
            }
        }
        Ok(all)
    }

    /// The memberships of these users, 50 at most; users who are no members are left out.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group, sender: Sender) -> Result<(), ApiError> {
    /// let found = api.group(&group).member_info([&sender]).await?;
    /// let role = found.first().map(|member| member.role());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn member_info(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
    ) -> Result<Vec<Member>, ApiError> {
        let users = super::users(users, "members", group_member::MAX_ASKED)?;
        let request = GetSpecified::new(self.name()?, users);
        Ok(self.api().call(&request).await?.members)
    }

    /// How many members are online.
    ///
    /// # Errors
    /// When the server did not answer.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let online = api.group(&group).online_count().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn online_count(&self) -> Result<u32, ApiError> {
        let group = self.name()?;
        Ok(self.api().call(&GetOnlineCount { group }).await?.count)
    }

    /// Invites users, 300 at most. The answer tells for each whether it joined or has to agree first.
    ///
    /// # Errors
    /// When the server did nothing; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// api.group(&group).invite(["alice", "bob"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn invite(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
    ) -> Result<Vec<InvitedUser>, ApiError> {
        let users = super::users(
            users,
            "users",
            crate::proto::op::group_application::MAX_INVITED,
        )?;
        let request = Invite::new(self.name()?, users);
        Ok(self.api().call(&request).await?.users)
    }

    /// Removes members, 500 at most; everybody is told the `reason`.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group, sender: Sender) -> Result<(), ApiError> {
    /// api.group(&group).kick([&sender], "spam").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn kick(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
        reason: impl Into<String>,
    ) -> Result<(), ApiError> {
        let request = Kick {
            group: self.name()?,
            users: super::users(users, "members", group_member::MAX_KICKED)?,
            reason: reason.into(),
        };
        self.api().call(&request).await?;
        Ok(())
    }

    /// Mutes a member; zero lifts the mute.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use std::time::Duration;
    /// # async fn example(api: Api, group: Group, sender: Sender) -> Result<(), ApiError> {
    /// api.group(&group).mute(&sender, Duration::from_secs(600)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mute(&self, user: impl IntoUserId, time: Duration) -> Result<(), ApiError> {
        self.change(ModifyMember::mute(
            self.name()?,
            super::user_name(user)?,
            time,
        ))
        .await
    }

    /// Makes a member an administrator ([`Role::Admin`]), or an ordinary member again.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::Unfit`] for any other role: a new owner is made
    /// with [`transfer`](Self::transfer).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// api.group(&group).set_role("alice", Role::Admin).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_role(&self, user: impl IntoUserId, role: Role) -> Result<(), ApiError> {
        let admin = match role {
            Role::Admin => true,
            Role::Member => false,
            _ => {
                return Err(ApiError::Unfit(
                    "only administrators and members are made so",
                ));
            }
        };
        self.change(ModifyMember::admin(
            self.name()?,
            super::user_name(user)?,
            admin,
        ))
        .await
    }

    /// Sets a member's name card: the name shown in the group.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// api.group(&group).set_name_card("alice", "Alice (support)").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_name_card(
        &self,
        user: impl IntoUserId,
        name: impl Into<String>,
    ) -> Result<(), ApiError> {
        self.change(ModifyMember::name_card(
            self.name()?,
            super::user_name(user)?,
            name,
        ))
        .await
    }

    /// Sets custom data of a member; its keys are defined in the console.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// api.group(&group).set_member_data("alice", [("level", "7")]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_member_data(
        &self,
        user: impl IntoUserId,
        data: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Result<(), ApiError> {
        let pairs = data.into_iter().map(|(key, value)| {
            let (key, value) = (key.into(), value.into());
            KeyValue { key, value }
        });
        self.change(ModifyMember::data(
            self.name()?,
            super::user_name(user)?,
            pairs.collect(),
        ))
        .await
    }

    pub(super) async fn change(&self, change: ModifyMember) -> Result<(), ApiError> {
        self.api().call(&change).await?;
        Ok(())
    }
}
