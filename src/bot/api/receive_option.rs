//! Which messages are announced ("message receive option").

use super::message::SYSTEM;
use super::{Api, ApiError};
use crate::proto::message::Conversation;
use crate::proto::op::group_member;
use crate::proto::op::receive_option;
use crate::proto::op::receive_option::DoNotDisturb;
use crate::proto::op::receive_option::GetDoNotDisturb;
use crate::proto::op::receive_option::MuteOption;

impl Api {
    /// Sets when this account's own terminals announce nothing of anybody.
    ///
    /// # Errors
    /// When the server did not take it.
    pub async fn set_do_not_disturb(&self, quiet: DoNotDisturb) -> Result<(), ApiError> {
        self.call(&quiet).await?;
        Ok(())
    }

    /// When this account's own terminals announce nothing of anybody.
    ///
    /// # Errors
    /// When the server did not say.
    pub async fn do_not_disturb(&self) -> Result<DoNotDisturb, ApiError> {
        self.call(&GetDoNotDisturb { me: self.me() }).await
    }

    /// Sets how a conversation announces itself to this account's own terminals;
    /// [`MuteOption::Discard`] keeps its messages from this account altogether.
    ///
    /// # Errors
    /// When the server did not take it.
    pub async fn set_mute_option(
        &self,
        conversation: impl Into<Conversation>,
        option: MuteOption,
    ) -> Result<(), ApiError> {
        match conversation.into() {
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

    /// How the one-to-one conversation with `user` announces itself.
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
