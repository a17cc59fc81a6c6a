//! Pinned messages of groups.

use super::message::SYSTEM;
use super::{ApiError, GroupApi};
use crate::proto::address::GroupAddress;
use crate::proto::message::{Conversation, Message};
use crate::proto::op::pin::GetPinned;
use crate::proto::op::pin::Pin;
use crate::proto::op::pin::Unpin;

impl GroupApi {
    /// Pins a message for everybody in the group, or unpins it.
    ///
    /// # Errors
    /// When the server refused it.
    pub async fn pin(&self, message: &Message, pin: bool) -> Result<(), ApiError> {
        if message.conversation == Conversation::System {
            return Err(SYSTEM);
        }
        let (group, seq, me) = (GroupAddress::new(self.id()), message.seq, self.api().me());
        if pin {
            self.api().call(&Pin { group, seq, me }).await?;
        } else {
            self.api().call(&Unpin { group, seq, me }).await?;
        }
        Ok(())
    }

    /// The pinned messages.
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn pinned(&self) -> Result<Vec<Message>, ApiError> {
        let group = GroupAddress::new(self.id());
        let pinned = self.api().call(&GetPinned { group }).await?;
        Ok(pinned.messages(self.id(), self.api().user()))
    }
}
