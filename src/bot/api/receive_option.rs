//! Which messages are announced ("message receive option").

use super::message::SYSTEM;
use super::{Api, ApiError, IntoConversation};
use crate::proto::message::Conversation;
use crate::proto::op::group_member;
use crate::proto::op::receive_option;
use crate::proto::op::receive_option::DoNotDisturb;
use crate::proto::op::receive_option::GetDoNotDisturb;
use crate::proto::op::receive_option::MuteOption;

impl Api {
    /// Sets the times at which this account's terminals show no notifications (do not disturb).
    ///
    /// # Errors
    /// When the server refused it.
    pub async fn set_do_not_disturb(&self, quiet: DoNotDisturb) -> Result<(), ApiError> {
        self.call(&quiet).await?;
        Ok(())
    }

    /// The times at which this account's terminals show no notifications (do not disturb).
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn do_not_disturb(&self) -> Result<DoNotDisturb, ApiError> {
        self.call(&GetDoNotDisturb { me: self.me() }).await
    }

    /// Sets whether this account's terminals notify about messages of a conversation. With
    /// [`MuteOption::Discard`] the account does not receive them at all.
    ///
    /// # Errors
    /// When the server refused it.
    pub async fn set_mute_option(
        &self,
        conversation: impl IntoConversation,
        option: MuteOption,
    ) -> Result<(), ApiError> {
        match conversation.into_conversation() {
            Conversation::C2c(peer) => {
                let set = receive_option::SetMuteOption {
                    peers: vec![peer.into()],
                    option: option.number(),
                };
                self.call(&set).await?;
            }
            Conversation::Group(group) => {
                let set = group_member::ModifyMember::announce(group, self.me(), option);
                self.call(&set).await?;
            }
            _ => return Err(SYSTEM),
        }
        Ok(())
    }

    /// The receive option of the one-to-one conversation with `user`.
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn mute_option(&self, user: &str) -> Result<MuteOption, ApiError> {
        let get = receive_option::GetMuteOption {
            me: self.me(),
            peers: vec![user.to_owned()],
        };
        let items = self.call(&get).await?.items;
        let state = items.iter().find(|state| state.peer == user);
        Ok(state.map_or(MuteOption::Announce, |state| {
            MuteOption::from_number(state.option)
        }))
    }
}
