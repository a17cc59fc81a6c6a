//! Merged messages.

use super::{Api, ApiError};
use crate::proto::message::{Element, MAX_INLINE, MergedMessage, Merger, Message};
use crate::proto::op::merger;

/// Bytes of a message around its element, rounded up.
const MESSAGE_FRAME: usize = 1024;

impl Api {
    /// Merges messages into one element. If it is too long for a message, the server stores it first.
    ///
    /// # Errors
    /// When it is too long and could not be stored; [`ApiError::Unfit`] for an empty list.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, conversation: Conversation) -> Result<(), ApiError> {
    /// let messages = api.conversation(conversation).history(20).await?;
    /// let record = api.merge("What was said", &messages).await?;
    /// api.user("boss").send(record).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn merge(
        &self,
        title: impl Into<String>,
        messages: &[Message],
    ) -> Result<Merger, ApiError> {
        if messages.is_empty() {
            return Err(ApiError::Unfit("the list is empty"));
        }
        let merger = Merger::of(title, messages);
        let length = serde_json::to_string(&merger).map_or(usize::MAX, |json| json.len());
        // Beside the element the message has its names, its custom data and the like.
        if length <= MAX_INLINE - MESSAGE_FRAME {
            return Ok(merger);
        }
        let messages = messages.iter().map(MergedMessage::of).collect();
        let stored = self.call(&merger::SaveMerged { messages }).await?;
        if stored.json_key.is_empty() {
            return Err(ApiError::Unfit("the server did not store the record"));
        }
        Ok(merger.stored(stored.json_key, stored.pb_key))
    }

    /// The messages of a merged element; they are fetched if the element does not contain them.
    ///
    /// # Errors
    /// When the server did not have them.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, message: Message) -> Result<(), ApiError> {
    /// for element in &message.elements {
    ///     if let Element::Merger(record) = element {
    ///         println!("{} messages", api.open_merger(record).await?.len());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn open_merger(&self, merger: &Merger) -> Result<Vec<MergedMessage>, ApiError> {
        if let Some(messages) = merger.inline() {
            return Ok(messages);
        }
        let key = merger.json_key.clone();
        Ok(self.call(&merger::GetMerged { key }).await?.messages)
    }

    /// The merged messages that `message` forwards; `None` when it forwards none.
    ///
    /// # Errors
    /// As [`open_merger`](Self::open_merger).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, message: Message) -> Result<(), ApiError> {
    /// if let Some(inside) = api.merged_messages(&message).await? {
    ///     api.send(&message, format!("{} messages", inside.len())).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn merged_messages(
        &self,
        message: &Message,
    ) -> Result<Option<Vec<MergedMessage>>, ApiError> {
        for element in &message.elements {
            if let Element::Merger(merger) = element {
                return self.open_merger(merger).await.map(Some);
            }
        }
        Ok(None)
    }
}
