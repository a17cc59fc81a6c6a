//! Groups of conversations.

use super::conversation::contact;
use super::{Api, ApiError, count};
use crate::proto::message::Conversation;
use crate::proto::op::MAX_PAGES;
use crate::proto::op::conversation::MAX_CONVERSATIONS;
use crate::proto::op::conversation_group::Create;
use crate::proto::op::conversation_group::GetAll;
use crate::proto::op::conversation_group::{Delete, Update};
use crate::proto::op::{Contact, GroupField, ItemResult};
use serde::Deserialize as _;
use serde_json::Value;

impl Api {
    /// The names of the account's groups of conversations.
    ///
    /// # Errors
    /// When a page could not be fetched.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// for name in api.conversation_groups().await? {
    ///     println!("{name}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn conversation_groups(&self) -> Result<Vec<String>, ApiError> {
        let mut names = Vec::new();
        let mut request = GetAll {
            me: self.me().into(),
            start: 0,
        };
        for _ in 0..MAX_PAGES {
            let page = self.call(&request).await?;
            let named = page.groups.iter();
            names.extend(named.filter_map(|group| Some(group.get("GroupName")?.as_str()?.into())));
            if page.complete == 1 || page.next == request.start {
                break;
            }
            request.start = page.next;
        }
        Ok(names)
    }

    /// Puts conversations (100 at most) into a new group of this name.
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first one that the server did not put there, or with the group
    /// itself; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let customers = ["alice", "bob"].map(Conversation::c2c);
    /// api.create_conversation_group("customers", customers).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_conversation_group(
        &self,
        name: impl Into<String>,
        conversations: impl IntoIterator<Item = Conversation>,
    ) -> Result<(), ApiError> {
        let name = name.into();
        let create = Create::new(self.me(), &*name, contacts(conversations)?);
        for group in self.call(&create).await?.items {
            // The group has a result of its own, and each of its conversations has one.
            let members = group.get("ResultItem").and_then(Value::as_array);
            let members: Vec<_> = members.into_iter().flatten().filter_map(result).collect();
            let own = result(&Value::Object(group));
            ApiError::of_items(own.as_slice(), &name)?;
            ApiError::of_items(&members, "a conversation")?;
        }
        Ok(())
    }

    /// Renames a group of conversations.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.rename_conversation_group("customers", "old customers").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn rename_conversation_group(
        &self,
        name: impl Into<String>,
        new_name: impl Into<String>,
    ) -> Result<(), ApiError> {
        self.call(&Update::rename(self.me(), name, new_name))
            .await?;
        Ok(())
    }

    /// Adds conversations (100 at most) to a group of conversations, or removes them from it.
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first one for which the server did not do it;
    /// [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let carol = Conversation::c2c("carol");
    /// api.change_conversation_group("customers", [carol], true).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn change_conversation_group(
        &self,
        name: impl Into<String>,
        conversations: impl IntoIterator<Item = Conversation>,
        add: bool,
    ) -> Result<(), ApiError> {
        let update = Update::members(self.me(), name, contacts(conversations)?, add);
        let items = self.call(&update).await?.result.items;
        ApiError::of_items(&items, "a conversation")
    }

    /// Dissolves a group of conversations; the conversations stay.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.delete_conversation_group("customers").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_conversation_group(&self, name: impl Into<String>) -> Result<(), ApiError> {
        let delete = Delete {
            me: self.me().into(),
            names: vec![name.into()],
        };
        self.call(&delete).await?;
        Ok(())
    }
}

fn result(value: &Value) -> Option<ItemResult> {
    ItemResult::deserialize(value).ok()
}

fn contacts(
    conversations: impl IntoIterator<Item = Conversation>,
) -> Result<Vec<Contact>, ApiError> {
    let contacts: Vec<Contact> = conversations
        .into_iter()
        .map(|conversation| contact(&conversation, GroupField::ToGroupId))
        .collect::<Result<_, _>>()?;
    count(contacts.len(), "conversations", MAX_CONVERSATIONS)?;
    Ok(contacts)
}
