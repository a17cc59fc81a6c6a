//! Pinned messages of groups.

use super::{ApiError, GroupApi, MessageApi};
use crate::proto::address::GroupAddress;
use crate::proto::message::{Conversation, Message};
use crate::proto::op::pin::GetPinned;
use crate::proto::op::pin::Pin;
use crate::proto::op::pin::Unpin;

impl MessageApi<'_> {
    /// Pins the message for everybody in the group.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::Unfit`] for a message that is in no group.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn keep(message: Message, api: Api) -> Result<(), ApiError> {
    ///     api.message(&message).pin().await
    /// }
    /// # let _ = Bot::new("b").on(filter::mentioned(), keep);
    /// ```
    pub async fn pin(&self) -> Result<(), ApiError> {
        let (group, seq, me) = self.pinnable()?;
        self.api().call(&Pin { group, seq, me }).await?;
        Ok(())
    }

    /// Unpins the message.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::Unfit`] for a message that is in no group.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn tidy(group: Group, api: Api) -> Result<(), ApiError> {
    ///     for message in api.group(&group).pinned().await? {
    ///         api.message(&message).unpin().await?;
    ///     }
    ///     Ok(())
    /// }
    /// # let _ = Bot::new("b").on_text(tidy);
    /// ```
    pub async fn unpin(&self) -> Result<(), ApiError> {
        let (group, seq, me) = self.pinnable()?;
        self.api().call(&Unpin { group, seq, me }).await?;
        Ok(())
    }

    fn pinnable(&self) -> Result<(GroupAddress, u32, String), ApiError> {
        let Conversation::Group(group) = self.id().conversation() else {
            return Err(ApiError::Unfit("only messages of groups can be pinned"));
        };
        let me = self.api().me().into();
        Ok((GroupAddress::new(group), self.id().seq(), me))
    }
}

impl GroupApi<'_> {
    /// The pinned messages.
    ///
    /// # Errors
    /// When the server did not answer.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn rules(group: Group, api: Api) -> Result<Option<String>, ApiError> {
    ///     let pinned = api.group(&group).pinned().await?;
    ///     Ok(pinned.first().and_then(Message::text).map(str::to_owned))
    /// }
    /// # let _ = Bot::new("b").on_text(rules);
    /// ```
    pub async fn pinned(&self) -> Result<Vec<Message>, ApiError> {
        let group = GroupAddress::new(self.checked()?);
        let pinned = self.api().call(&GetPinned { group }).await?;
        Ok(pinned.messages(self.id(), self.api().me()))
    }
}
