//! Groups.

use super::{Api, ApiError, ConversationApi, IntoDraft, IntoGroupId, IntoUserId, Sending, count};
use crate::proto::code::Code;
use crate::proto::id::GroupId;
use crate::proto::message::{Conversation, Message};
use crate::proto::op::MAX_PAGES;
use crate::proto::op::group::Created;
use crate::proto::op::group::Dismiss;
use crate::proto::op::group::MAX_FOUNDERS;
use crate::proto::op::group::MAX_GROUPS;
use crate::proto::op::group::Modify;
use crate::proto::op::group::NewGroup;
use crate::proto::op::group::Quit;
use crate::proto::op::group::Transfer;
use crate::proto::op::group_profile::GetJoined;
use crate::proto::op::group_profile::GetProfiles;
use crate::proto::op::group_profile::GetPublicProfiles;
use crate::proto::op::group_profile::GroupProfile;

/// Acts in one group, see [`Api::group`]. What an account may do depends on its role and on the
/// kind of the group; [`Code::GROUP_PERMISSION`] says that it may not.
///
/// ```
/// use botroupe::prelude::*;
/// use std::time::Duration;
///
/// async fn quiet(group: Group, sender: Sender, api: Api) -> Result<&'static str, ApiError> {
///     api.group(&group).mute(&sender, Duration::from_secs(600)).await?;
///     Ok("Ten minutes of silence.")
/// }
/// # let _ = Bot::new("moderator").on_text(quiet);
/// ```
#[derive(Clone, Debug)]
pub struct GroupApi<'a> {
    api: &'a Api,
    id: GroupId,
}

impl Api {
    /// Acts in a group, or in a topic of a community: of a text, a [`GroupId`], or a `&Group`.
    ///
    /// An ID that cannot be one makes every method fail with [`ApiError::Id`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// api.group(&group).say("Good morning!").await?;
    /// api.group("@TGS#1").mute_all(true).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn group(&self, group: impl IntoGroupId) -> GroupApi<'_> {
        GroupApi {
            api: self,
            id: group.into_group_id(),
        }
    }

    /// Creates a group that belongs to this account, with at most 500 initial members.
    ///
    /// # Errors
    /// [`Code::GROUP_ID_TAKEN`] and [`Code::GROUP_BAD_ID`] for IDs the server does not take;
    /// [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let created = api.create_group(NewGroup::public("Chess").members(["alice"])).await?;
    /// api.group(created.group).say("Welcome!").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_group(&self, group: NewGroup) -> Result<Created, ApiError> {
        if group.member_count() > 0 {
            count(group.member_count(), "members", MAX_FOUNDERS)?;
        }
        self.call(&group.owner(self.me())).await
    }

    /// All groups this account is in, communities included; live rooms are not listed.
    ///
    /// # Errors
    /// When a page could not be fetched. An edition without communities is no error.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// for group in api.groups().await? {
    ///     println!("{}: {} members", group.name, group.members);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn groups(&self) -> Result<Vec<GroupProfile>, ApiError> {
        let mut all: Vec<GroupProfile> = Vec::new();
        for communities in [false, true] {
            let mut offset = 0;
            for _ in 0..MAX_PAGES {
                let request = GetJoined::new(self.me(), communities, offset);
                let page = match self.call(&request).await {
                    Err(error) if communities && error.code() == Some(Code::NO_COMMUNITIES) => {
                        break;
                    }
                    page => page?,
                };
                let found = u32::try_from(page.groups.len()).unwrap_or(u32::MAX);
                offset = offset.saturating_add(found);
                for group in page.groups {
                    // A server may give both lists the same answer.
                    if all.iter().all(|known| known.id != group.id) {
                        all.push(group);
                    }
                }
                if found == 0 || offset >= page.total {
                    break;
                }
            }
        }
        Ok(all)
    }

    /// The public profiles of these groups, 50 at most; each has an error code of its own.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let found = api.find_groups(["@TGS#1", "@TGS#2"]).await?;
    /// let names: Vec<&str> = found.iter().map(|group| &*group.name).collect();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn find_groups(
        &self,
        groups: impl IntoIterator<Item = impl IntoGroupId>,
    ) -> Result<Vec<GroupProfile>, ApiError> {
        let ids = super::groups(groups, "groups", MAX_GROUPS)?;
        Ok(self.call(&GetPublicProfiles::new(ids)).await?.items)
    }
}

impl<'a> GroupApi<'a> {
    /// The GroupID.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # fn example(api: Api) {
    /// assert_eq!(api.group("@TGS#1").id(), "@TGS#1");
    /// # }
    /// ```
    #[must_use]
    pub const fn id(&self) -> &GroupId {
        &self.id
    }

    pub(super) const fn api(&self) -> &'a Api {
        self.api
    }

    /// The GroupID, if it can be one.
    pub(super) fn checked(&self) -> Result<&GroupId, ApiError> {
        self.id.check()?;
        Ok(&self.id)
    }

    /// The GroupID as requests hold it, if it can be one.
    pub(super) fn name(&self) -> Result<String, ApiError> {
        self.checked().map(String::from)
    }

    /// Acts in the conversation of the group.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// api.group(&group).conversation().pin().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn conversation(&self) -> ConversationApi<'a> {
        self.api.conversation(&self.id)
    }

    /// Sends a message to the group: a [`Draft`](crate::message::Draft), an element, several elements, or a text.
    ///
    /// # Errors
    /// [`Code::GROUP_MUTED`] and whatever [`Api::send`] fails with.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// api.group(&group).send("Lunch!").key("lunch-2030-01-01").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn send(&self, draft: impl IntoDraft) -> Sending<'a> {
        let what = self.checked().map(Conversation::from);
        Sending::new(self.api, what.map(|to| (to, draft.into_draft())))
    }

    /// Sends a message to the group and returns it, for [`Api::message`]; of a text that is too long for one message,
    /// the last one.
    ///
    /// # Errors
    /// [`Code::GROUP_MUTED`] and whatever [`Api::send`] fails with.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let said = api.group(&group).say("Who comes?").await?;
    /// api.message(&said).pin().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn say(&self, draft: impl IntoDraft) -> Result<Message, ApiError> {
        let to = Conversation::from(self.checked()?);
        self.api.say(to, draft).await
    }

    /// The group's profile, with this account's own membership.
    ///
    /// # Errors
    /// [`ApiError::Item`] with [`Code::GROUP_UNKNOWN`] when there is no such group.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let profile = api.group(&group).profile().await?;
    /// let is_owner = profile.owner == api.me();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn profile(&self) -> Result<GroupProfile, ApiError> {
        let request = GetProfiles::new(vec![self.name()?]);
        let mut found = self.api.call(&request).await?.items.into_iter();
        let profile = found.find(|profile| profile.id == self.id);
        let profile = profile.ok_or(ApiError::Unfit("the server told nothing about the group"))?;
        if profile.code == 0 {
            Ok(profile)
        } else {
            Err(ApiError::Item {
                what: profile.id.to_string(),
                code: Code(profile.code),
                info: profile.info,
            })
        }
    }

    /// Changes the profile.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let change = GroupChange::new().notification("Be kind.");
    /// api.group(&group).modify(change).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn modify(&self, change: Modify) -> Result<(), ApiError> {
        self.api.call(&change.group(self.name()?)).await?;
        Ok(())
    }

    /// Mutes everybody but the owner and administrators, or lifts that.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// api.group(&group).mute_all(true).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mute_all(&self, mute: bool) -> Result<(), ApiError> {
        self.modify(Modify::new().mute_all(mute)).await
    }

    /// Leaves the group.
    ///
    /// # Errors
    /// [`Code::GROUP_OWNER_STAYS`] for the owner of anything but a Work group.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// api.group(&group).quit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn quit(&self) -> Result<(), ApiError> {
        let group = self.name()?;
        self.api.call(&Quit { group }).await?;
        Ok(())
    }

    /// Dismisses the group, which this account must own.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// api.group(&group).dismiss().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn dismiss(&self) -> Result<(), ApiError> {
        let group = self.name()?;
        self.api.call(&Dismiss { group }).await?;
        Ok(())
    }

    /// Transfers the group, which this account must own, to another member.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// api.group(&group).transfer("alice").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn transfer(&self, user: impl IntoUserId) -> Result<(), ApiError> {
        let request = Transfer {
            group: self.name()?,
            owner: super::user_name(user)?,
        };
        self.api.call(&request).await?;
        Ok(())
    }

    /// Messages and tips at and below the number `upper` (without it the newest), `count` at most,
    /// oldest first. Recalled ones are among them, marked.
    ///
    /// # Errors
    /// When a page could not be fetched; [`ApiError::TooMany`] for more than 10,000.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group, message: Message) -> Result<(), ApiError> {
    /// let before = api.group(&group).history(Some(message.seq), 20).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn history(
        &self,
        upper: Option<u32>,
        count: usize,
    ) -> Result<Vec<Message>, ApiError> {
        self.api.group_history(self.checked()?, upper, count).await
    }
}
