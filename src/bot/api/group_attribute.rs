//! Key-value pairs of groups.

use super::{ApiError, GroupApi, count};
use crate::proto::op::group_attribute::Attributes;
use crate::proto::op::group_attribute::ClearAttributes;
use crate::proto::op::group_attribute::DeleteAttributes;
use crate::proto::op::group_attribute::GetAttributes;
use crate::proto::op::group_attribute::MAX_ATTRIBUTES;
use crate::proto::op::group_attribute::ModifyAttributes;
use crate::proto::op::group_attribute::SetAttributes;

impl GroupApi<'_> {
    /// The attributes of the group.
    ///
    /// # Errors
    /// When the server did not answer.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let attributes = api.group(&group).attributes().await?;
    /// let mood = attributes.get("mood").unwrap_or("good");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn attributes(&self) -> Result<Attributes, ApiError> {
        self.api().call(&GetAttributes::new(self.name()?)).await
    }

    /// Replaces all attributes, 16 at most. `known` holds the attributes that were read last.
    ///
    /// # Errors
    /// [`Code::GROUP_ATTRIBUTE_CONFLICT`](crate::proto::code::Code::GROUP_ATTRIBUTE_CONFLICT) when
    /// somebody else has changed them since; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let group = api.group(&group);
    /// let known = group.attributes().await?;
    /// group.set_attributes(&known, [("mood", "good"), ("level", "3")]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_attributes(
        &self,
        known: &Attributes,
        pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Result<(), ApiError> {
        let pairs = attribute_pairs(pairs)?;
        let request = SetAttributes::new(self.name()?, known, pairs);
        self.api().call(&request).await?;
        Ok(())
    }

    /// Changes some attributes, and adds those that are new.
    ///
    /// # Errors
    /// As [`set_attributes`](Self::set_attributes).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let group = api.group(&group);
    /// let known = group.attributes().await?;
    /// group.modify_attributes(&known, [("level", "4")]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn modify_attributes(
        &self,
        known: &Attributes,
        pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Result<(), ApiError> {
        let pairs = attribute_pairs(pairs)?;
        let request = ModifyAttributes::new(self.name()?, known, pairs);
        self.api().call(&request).await?;
        Ok(())
    }

    /// Removes some attributes.
    ///
    /// # Errors
    /// As [`set_attributes`](Self::set_attributes).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let group = api.group(&group);
    /// let known = group.attributes().await?;
    /// group.delete_attributes(&known, ["mood"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_attributes(
        &self,
        known: &Attributes,
        keys: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), ApiError> {
        let keys: Vec<String> = keys.into_iter().map(Into::into).collect();
        count(keys.len(), "attributes", MAX_ATTRIBUTES)?;
        let request = DeleteAttributes::new(self.name()?, known, keys);
        self.api().call(&request).await?;
        Ok(())
    }

    /// Removes all attributes.
    ///
    /// # Errors
    /// [`Code::GROUP_ATTRIBUTE_CONFLICT`](crate::proto::code::Code::GROUP_ATTRIBUTE_CONFLICT) when
    /// somebody else has changed them since.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let group = api.group(&group);
    /// let known = group.attributes().await?;
    /// group.clear_attributes(&known).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn clear_attributes(&self, known: &Attributes) -> Result<(), ApiError> {
        let request = ClearAttributes::new(self.name()?, known);
        self.api().call(&request).await?;
        Ok(())
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
