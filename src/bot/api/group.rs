//! Groups.

use super::messages::SYSTEM;
use super::{Api, ApiError, collect, count};
use crate::proto::address::{GroupAddress, is_community};
use crate::proto::code::Code;
use crate::proto::message::{Conversation, Draft, Message};
use crate::proto::op::MAX_PAGES;
use crate::proto::op::group::{
    Created, Dismiss, KeyValue, MAX_FOUNDERS, MAX_GROUPS, Modify, NewGroup, Quit, Transfer,
};
use crate::proto::op::group_application::{Invite, InvitedUser, MAX_INVITED};
use crate::proto::op::group_attribute::{
    Attributes, ClearAttributes, DeleteAttributes, GetAttributes, MAX_ATTRIBUTES, ModifyAttributes,
    SetAttributes,
};
use crate::proto::op::group_counter::{
    Counter, CounterMode, Counters, GetCounters, MAX_COUNTERS, UpdateCounters,
};
use crate::proto::op::group_member::{
    self, GetMembers, GetOnlineCount, GetSpecified, Kick, Member, ModifyMember, Role,
};
use crate::proto::op::group_profile::{GetJoined, GetProfiles, GetPublicProfiles, GroupProfile};
use crate::proto::op::pin::{GetPinned, Pin, Unpin};
use crate::proto::op::receipt::{GetReaders, GetReceipts, MAX_MESSAGES};
use crate::proto::update::GroupReceipt;
use std::time::Duration;

impl Api {
    /// Acts in a group.
    pub fn group(&self, id: impl Into<String>) -> GroupApi {
        GroupApi {
            api: self.clone(),
            id: id.into(),
        }
    }

    /// Founds a group that belongs to this account, with 500 members at most from the start.
    ///
    /// # Errors
    /// [`Code::GROUP_ID_TAKEN`] and [`Code::GROUP_BAD_ID`] for IDs the server does not take;
    /// [`ApiError::TooMany`].
    pub async fn create_group(&self, group: NewGroup) -> Result<Created, ApiError> {
        if group.member_count() > 0 {
            count(group.member_count(), "members", MAX_FOUNDERS)?;
        }
        self.call(&group.owner(self.me())).await
    }

    /// All groups this account is in, communities included; live rooms are not listed.
    ///
    /// # Errors
    /// When a page could not be had. That there are no communities at this edition is none.
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

    /// What everybody may know of these groups, 50 at most; each has an error code of its own.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    pub async fn find_groups(
        &self,
        ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<GroupProfile>, ApiError> {
        let ids = collect(ids, "groups", MAX_GROUPS)?;
        Ok(self.call(&GetPublicProfiles::new(ids)).await?.items)
    }
}

/// Acts in one group, see [`Api::group`]. What an account may do depends on its role and on the
/// kind of the group; [`Code::GROUP_PERMISSION`] says that it may not.
#[derive(Clone, Debug)]
pub struct GroupApi {
    api: Api,
    id: String,
}

impl GroupApi {
    /// The GroupID.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) const fn api(&self) -> &Api {
        &self.api
    }

    pub(super) fn id_owned(&self) -> String {
        self.id.clone()
    }

    /// Sends a message to the group and gives it as [`Api::recall`] and [`Api::edit`] want it.
    ///
    /// # Errors
    /// [`Code::GROUP_MUTED`] and whatever [`Api::send`] fails with.
    pub async fn say(&self, draft: impl Into<Draft>) -> Result<Message, ApiError> {
        let to = Conversation::group(self.id.as_str());
        self.api.say(to, draft).await
    }

    /// The group's profile, and what this account is in it.
    ///
    /// # Errors
    /// [`ApiError::Item`] with [`Code::GROUP_UNKNOWN`] when there is no such group.
    pub async fn profile(&self) -> Result<GroupProfile, ApiError> {
        let request = GetProfiles::new(vec![self.id_owned()]);
        let mut found = self.api.call(&request).await?.items.into_iter();
        let profile = found.find(|profile| profile.id == self.id);
        let profile = profile.ok_or(ApiError::Unfit("the server told nothing about the group"))?;
        if profile.code == 0 {
            Ok(profile)
        } else {
            Err(ApiError::Item {
                what: profile.id,
                code: Code(profile.code),
                info: profile.info,
            })
        }
    }

    /// Changes the profile.
    ///
    /// # Errors
    /// When the server did not do it.
    pub async fn modify(&self, change: Modify) -> Result<(), ApiError> {
        self.api.call(&change.group(self.id_owned())).await?;
        Ok(())
    }

    /// Lets only the owner and administrators speak, or everybody again.
    ///
    /// # Errors
    /// When the server did not do it.
    pub async fn mute_all(&self, mute: bool) -> Result<(), ApiError> {
        self.modify(Modify::new().mute_all(mute)).await
    }

    /// All members, fetched in pages of a hundred. A live room has
    /// [`live_members`](Self::live_members).
    ///
    /// # Errors
    /// When a page could not be had.
    pub async fn members(&self) -> Result<Vec<Member>, ApiError> {
        let mut all: Vec<Member> = Vec::new();
        let mut next = String::new();
        // The largest groups have 100,000 members.
        for _ in 0..10 * MAX_PAGES {
            let request = if is_community(&self.id) {
                GetMembers::after(self.id_owned(), next, group_member::PAGE)
            } else {
                let offset = u32::try_from(all.len()).unwrap_or(u32::MAX);
                GetMembers::new(self.id_owned(), offset, group_member::PAGE)
            };
            let page = self.api.call(&request).await?;
            let full = page.members.len() >= group_member::PAGE as usize;
            let is_last = page.members.is_empty() || !full && page.next.is_empty();
            all.extend(page.members);
            next = page.next;
            if is_last || is_community(&self.id) && next.is_empty() {
                break;
            }
        }
        Ok(all)
    }

    /// What these users, 50 at most, are in the group; who is no member is left out.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    pub async fn member_info(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<Member>, ApiError> {
        let users = collect(users, "members", group_member::MAX_ASKED)?;
        let request = GetSpecified::new(self.id_owned(), users);
        Ok(self.api.call(&request).await?.members)
    }

    /// How many members are online.
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn online_count(&self) -> Result<u32, ApiError> {
        let group = self.id_owned();
        Ok(self.api.call(&GetOnlineCount { group }).await?.count)
    }

    /// Takes users in, 300 at most, or asks them; what became of each is in the answer.
    ///
    /// # Errors
    /// When the server did nothing; [`ApiError::TooMany`].
    pub async fn invite(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<InvitedUser>, ApiError> {
        let users = collect(users, "users", MAX_INVITED)?;
        let request = Invite::new(self.id_owned(), users);
        Ok(self.api.call(&request).await?.users)
    }

    /// Throws members out, 500 at most; everybody is told the `reason`.
    ///
    /// # Errors
    /// When the server did not do it; [`ApiError::TooMany`].
    pub async fn kick(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
        reason: impl Into<String>,
    ) -> Result<(), ApiError> {
        let request = Kick {
            group: self.id_owned(),
            users: collect(users, "members", group_member::MAX_KICKED)?,
            reason: reason.into(),
        };
        self.api.call(&request).await?;
        Ok(())
    }

    /// Mutes a member; zero lifts the mute.
    ///
    /// # Errors
    /// When the server did not do it.
    pub async fn mute(&self, user: &str, time: Duration) -> Result<(), ApiError> {
        self.change(ModifyMember::mute(self.id_owned(), user, time))
            .await
    }

    /// Makes a member an administrator ([`Role::Admin`]), or an ordinary one again.
    ///
    /// # Errors
    /// When the server did not do it; [`ApiError::Unfit`] for any other role: a new owner is made
    /// with [`transfer`](Self::transfer).
    pub async fn set_role(&self, user: &str, role: Role) -> Result<(), ApiError> {
        let admin = match role {
            Role::Admin => true,
            Role::Member => false,
            _ => {
                return Err(ApiError::Unfit(
                    "only administrators and members are made so",
                ));
            }
        };
        self.change(ModifyMember::admin(self.id_owned(), user, admin))
            .await
    }

    /// Sets what a member is called in the group.
    ///
    /// # Errors
    /// When the server did not do it.
    pub async fn set_name_card(&self, user: &str, name: impl Into<String>) -> Result<(), ApiError> {
        self.change(ModifyMember::name_card(self.id_owned(), user, name))
            .await
    }

    /// Sets the app's own data about a member; its keys are set up in the console.
    ///
    /// # Errors
    /// When the server did not do it.
    pub async fn set_member_data(
        &self,
        user: &str,
        data: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Result<(), ApiError> {
        let pairs = data.into_iter().map(|(key, value)| {
            let (key, value) = (key.into(), value.into());
            KeyValue { key, value }
        });
        self.change(ModifyMember::data(self.id_owned(), user, pairs.collect()))
            .await
    }

    async fn change(&self, change: ModifyMember) -> Result<(), ApiError> {
        self.api.call(&change).await?;
        Ok(())
    }

    /// Leaves the group.
    ///
    /// # Errors
    /// [`Code::GROUP_OWNER_STAYS`] for the owner of anything but a Work group.
    pub async fn quit(&self) -> Result<(), ApiError> {
        let group = self.id_owned();
        self.api.call(&Quit { group }).await?;
        Ok(())
    }

    /// Dismisses the group, which has to be this account's own.
    ///
    /// # Errors
    /// When the server did not do it.
    pub async fn dismiss(&self) -> Result<(), ApiError> {
        let group = self.id_owned();
        self.api.call(&Dismiss { group }).await?;
        Ok(())
    }

    /// Gives the group, which has to be this account's own, to another member.
    ///
    /// # Errors
    /// When the server did not do it.
    pub async fn transfer(&self, user: impl Into<String>) -> Result<(), ApiError> {
        let request = Transfer {
            group: self.id_owned(),
            owner: user.into(),
        };
        self.api.call(&request).await?;
        Ok(())
    }

    /// Messages and tips at and below the number `upper` (without it the newest), `count` at most,
    /// oldest first. Recalled ones are among them, marked.
    ///
    /// # Errors
    /// When a page could not be had; [`ApiError::TooMany`] for more than 10,000.
    pub async fn history(
        &self,
        upper: Option<u32>,
        count: usize,
    ) -> Result<Vec<Message>, ApiError> {
        super::count(count, "messages", 10_000)?;
        self.api.group_history(&self.id, upper, count).await
    }

    /// How many have read own messages that asked for receipts, 30 at most.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    pub async fn receipts(&self, messages: &[Message]) -> Result<Vec<GroupReceipt>, ApiError> {
        count(messages.len(), "messages", MAX_MESSAGES)?;
        let numbers: Vec<u32> = messages.iter().map(|message| message.seq).collect();
        let request = GetReceipts::new(self.id_owned(), &numbers);
        Ok(self.api.call(&request).await?.messages)
    }

    /// Who has read an own message that asked for receipts.
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn readers(&self, message: &Message) -> Result<Vec<String>, ApiError> {
        self.readers_or_not(message, false).await
    }

    /// Who has not read an own message that asked for receipts.
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn non_readers(&self, message: &Message) -> Result<Vec<String>, ApiError> {
        self.readers_or_not(message, true).await
    }

    async fn readers_or_not(
        &self,
        message: &Message,
        unread: bool,
    ) -> Result<Vec<String>, ApiError> {
        let mut users = Vec::new();
        let mut cursor = String::new();
        for _ in 0..MAX_PAGES {
            let request = GetReaders::new(self.id_owned(), message.seq, unread, &cursor);
            let page = self.api.call(&request).await?;
            let is_last = page.finished || page.cursor.is_empty() || page.cursor == cursor;
            cursor.clone_from(&page.cursor);
            users.extend(page.users());
            if is_last {
                break;
            }
        }
        Ok(users)
    }

    /// Pins a message for everybody in the group, or takes the pin off.
    ///
    /// # Errors
    /// When the server did not do it.
    pub async fn pin(&self, message: &Message, pin: bool) -> Result<(), ApiError> {
        if message.conversation == Conversation::System {
            return Err(SYSTEM);
        }
        let (group, seq, me) = (GroupAddress::new(&self.id), message.seq, self.api.me());
        if pin {
            self.api.call(&Pin { group, seq, me }).await?;
        } else {
            self.api.call(&Unpin { group, seq, me }).await?;
        }
        Ok(())
    }

    /// The pinned messages.
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn pinned(&self) -> Result<Vec<Message>, ApiError> {
        let group = GroupAddress::new(&self.id);
        let pinned = self.api.call(&GetPinned { group }).await?;
        Ok(pinned.messages(&self.id, self.api.user()))
    }

    /// The attributes an app keeps with the group.
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn attributes(&self) -> Result<Attributes, ApiError> {
        self.api.call(&GetAttributes::new(self.id_owned())).await
    }

    /// Replaces all attributes, 16 at most. `known` is what was read last.
    ///
    /// # Errors
    /// [`Code::GROUP_ATTRIBUTE_CONFLICT`] when somebody changed them since; [`ApiError::TooMany`].
    pub async fn set_attributes(
        &self,
        known: &Attributes,
        pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Result<(), ApiError> {
        let pairs = attribute_pairs(pairs)?;
        let request = SetAttributes::new(self.id_owned(), known, pairs);
        self.api.call(&request).await?;
        Ok(())
    }

    /// Changes some attributes, and adds those that are new.
    ///
    /// # Errors
    /// As [`set_attributes`](Self::set_attributes).
    pub async fn modify_attributes(
        &self,
        known: &Attributes,
        pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Result<(), ApiError> {
        let pairs = attribute_pairs(pairs)?;
        let request = ModifyAttributes::new(self.id_owned(), known, pairs);
        self.api.call(&request).await?;
        Ok(())
    }

    /// Removes some attributes.
    ///
    /// # Errors
    /// As [`set_attributes`](Self::set_attributes).
    pub async fn delete_attributes(
        &self,
        known: &Attributes,
        keys: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), ApiError> {
        let keys = collect(keys, "attributes", MAX_ATTRIBUTES)?;
        let request = DeleteAttributes::new(self.id_owned(), known, keys);
        self.api.call(&request).await?;
        Ok(())
    }

    /// Removes all attributes.
    ///
    /// # Errors
    /// [`Code::GROUP_ATTRIBUTE_CONFLICT`] when somebody changed them since.
    pub async fn clear_attributes(&self, known: &Attributes) -> Result<(), ApiError> {
        let request = ClearAttributes::new(self.id_owned(), known);
        self.api.call(&request).await?;
        Ok(())
    }

    /// All counters of the group.
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn counters(&self) -> Result<Counters, ApiError> {
        let request = GetCounters {
            group: self.id_owned(),
            keys: Vec::new(),
        };
        self.api.call(&request).await
    }

    /// Changes counters, 20 at most; what they are then comes back.
    ///
    /// # Errors
    /// When the server did not do it; [`ApiError::TooMany`].
    pub async fn count(
        &self,
        mode: CounterMode,
        counters: impl IntoIterator<Item = (impl Into<String>, i64)>,
    ) -> Result<Counters, ApiError> {
        let counters = counters.into_iter().map(|(key, value)| Counter {
            key: key.into(),
            value,
        });
        let request = UpdateCounters {
            group: self.id_owned(),
            counters: counters.collect(),
            mode,
        };
        count(request.counters.len(), "counters", MAX_COUNTERS)?;
        self.api.call(&request).await
    }
}

fn attribute_pairs(
    pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
) -> Result<Vec<(String, String)>, ApiError> {
    let pairs: Vec<(String, String)> = pairs
        .into_iter()
        .map(|(key, value)| (key.into(), value.into()))
        .collect();
    count(pairs.len(), "attributes", MAX_ATTRIBUTES)?;
    Ok(pairs)
}
