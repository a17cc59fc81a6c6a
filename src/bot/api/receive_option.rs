//! Which messages are announced ("message receive option").

use super::message::SYSTEM;
use super::{Api, ApiError, ConversationApi, UserApi};
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
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let quiet = DoNotDisturb::default();
    /// api.set_do_not_disturb(quiet).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_do_not_disturb(&self, quiet: DoNotDisturb) -> Result<(), ApiError> {
        self.call(&quiet).await?;
        Ok(())
    }

    /// The times at which this account's terminals show no notifications (do not disturb).
    ///
    /// # Errors
    /// When the server did not answer.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let quiet = api.do_not_disturb().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn do_not_disturb(&self) -> Result<DoNotDisturb, ApiError> {
        self.call(&GetDoNotDisturb {
            me: self.me().into(),
        })
        .await
    }
}

impl ConversationApi<'_> {
    /// Sets whether this account's terminals notify about messages of the conversation. With
    /// [`MuteOption::Discard`] the account does not receive them at all.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, message: Message) -> Result<(), ApiError> {
    /// api.conversation(&message).set_mute_option(MuteOption::Silent).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_mute_option(&self, option: MuteOption) -> Result<(), ApiError> {
        match self.checked()? {
            Conversation::C2c(peer) => {
                let set = receive_option::SetMuteOption {
                    peers: vec![peer.into()],
                    option: option.number(),
                };
                self.api().call(&set).await?;
            }
            Conversation::Group(group) => {
                let set = group_member::ModifyMember::announce(group, self.api().me(), option);
                self.api().call(&set).await?;
            }
            _ => return Err(SYSTEM),
        }
        Ok(())
    }
}

impl UserApi<'_> {
    /// Whether this account's terminals notify about messages of the user.
    ///
    /// # Errors
    /// When the server did not answer.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, sender: Sender) -> Result<(), ApiError> {
    /// let is_silent = api.user(&sender).mute_option().await? == MuteOption::Silent;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mute_option(&self) -> Result<MuteOption, ApiError> {
        let user = self.checked()?;
        let get = receive_option::GetMuteOption {
            me: self.api().me().into(),
            peers: vec![user.into()],
        };
        let items = self.api().call(&get).await?.items;
        let state = items.iter().find(|state| *user == state.peer);
        Ok(state.map_or(MuteOption::Announce, |state| {
            MuteOption::from_number(state.option)
        }))
    }

    /// Sets whether this account's terminals notify about messages of the user, as
    /// [`ConversationApi::set_mute_option`] does.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, sender: Sender) -> Result<(), ApiError> {
    /// api.user(&sender).set_mute_option(MuteOption::Discard).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_mute_option(&self, option: MuteOption) -> Result<(), ApiError> {
        self.conversation().set_mute_option(option).await
    }
}
